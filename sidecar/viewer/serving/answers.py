"""What the server answers to each request, without a socket.

    /TOKEN/                   the list of specimens; of a single export its page
    /TOKEN/3/                 the page of the third
    /TOKEN/3/slice_0004.png   a PNG of it; of stacks around landmarks with the folder before
    /TOKEN/3/api/labels       its labels, saved or read
    /TOKEN/3/api/alive        a tab is there, and asks what is new; also /TOKEN/api/alive
    /TOKEN/3/api/gone         a tab goes
    /once/TICKET              leads to /TOKEN/, once

No part of an address is ever a path: specimens are counted, and names of files are looked up among
those that the document names.
"""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote

from sidecar.errors import LabelError, SidecarError, reason
from sidecar.viewer.page import render_list
from sidecar.viewer.serving.desk import Desk
from sidecar.viewer.serving.gate import Gate
from sidecar.viewer.serving.label_file import ChangedError, Content, ReplacedError
from sidecar.viewer.serving.tabs import Tabs

_ELSEWHERE = (
    "This server has no such address. Its address is shown in the terminal in which sidecar label"
    " runs."
)
_REPLACED = (
    "the export in this folder was replaced. If labels on this page are not in labels.csv, save"
    " them with CSV. Then stop sidecar label and start it again"
)
#: Characters of the name of a tab, and digits of the number of a specimen.
_LONGEST_TAB, _DIGITS = 64, 6
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """``body``: bytes, or a file with its size."""

    status: int
    kind: str = _TEXT
    body: bytes | tuple[BinaryIO, int] = b""
    location: str | None = None

    @classmethod
    def json(cls, facts: dict[str, Any], status: int = 200) -> Answer:
        return cls(status, _JSON, json.dumps(facts).encode())

    @classmethod
    def refused(cls, status: int, why: str) -> Answer:
        return cls(status, _TEXT, f"{why}\n".encode())

    @classmethod
    def error(cls, status: int, why: str) -> Answer:
        """To a request of a page."""
        return cls.json({"error": why}, status)


@dataclass
class Answers:
    """The answers of a server for these desks."""

    gate: Gate
    desks: list[Desk]
    tabs: Tabs
    _tickets: set[str] = field(default_factory=set, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def ticket(self) -> str:
        """The path of an address that leads to the page once. It is what a browser is started with:
        others may see how a program was started.
        """
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"/once/{ticket}"

    def get(self, target: str) -> Answer:
        """The answer to GET. Raises nothing that a user can meet."""
        first, *rest = _parts(target)
        if [first, *rest] == ["favicon.ico"]:  # which browsers ask for unasked
            return Answer(204)
        if first == "once":
            return self._once("/".join(rest))
        if not self.gate.admits(first):
            return Answer.refused(404, _ELSEWHERE)
        if rest == [""]:
            return self._front()
        desk = self._desk(rest[0]) if rest[1:] else None
        if desk is None:
            return Answer.refused(404, _ELSEWHERE)
        name = "/".join(rest[1:])
        try:
            return _file(desk, name) if name else self._page(desk)
        except (SidecarError, OSError) as error:
            return Answer.refused(422, f"{desk.name}: {_in_words(error)}")

    def post(self, target: str, body: bytes) -> Answer:
        """The answer to POST, which pages ask by. Raises nothing that a user can meet."""
        first, *rest = _parts(target)
        if not self.gate.admits(first):
            return Answer.error(404, _ELSEWHERE)
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            return Answer.error(400, "the request is not a JSON object")
        *number, api, what = rest if len(rest) in (2, 3) else ("", "")
        desk = self._desk(number[0]) if number else None
        if api != "api" or (number and desk is None):
            return Answer.error(404, _ELSEWHERE)
        return self._act(what, desk, said)

    def _act(self, what: str, desk: Desk | None, said: dict[str, Any]) -> Answer:
        tab = said.get("tab")
        if what in ("alive", "gone"):
            if not isinstance(tab, str) or not 0 < len(tab) <= _LONGEST_TAB:
                return Answer.error(400, "tab is not a name of a tab")
            (self.tabs.heard if what == "alive" else self.tabs.gone)(tab)
            return self._told(desk)
        if what == "labels" and desk is not None:
            return _labels(desk, said)
        return Answer.error(404, _ELSEWHERE)

    def _told(self, desk: Desk | None) -> Answer:
        """What a tab is told each time: of a page the revision of its labels, of the list all."""
        if desk is None:
            return Answer.json(self._list())
        try:
            return Answer.json({"revision": desk.labels.read().revision})
        except (SidecarError, OSError) as error:
            return Answer.error(422, _in_words(error))

    def _once(self, ticket: str) -> Answer:
        with self._lock:
            known = ticket in self._tickets
            self._tickets.discard(ticket)
        if not known:
            return Answer.refused(404, f"This address works only once. {_ELSEWHERE}")
        return Answer(303, location=f"/{self.gate.token}/")

    def _front(self) -> Answer:
        self.tabs.expect_one()
        if len(self.desks) == 1:
            return Answer(303, location=f"/{self.gate.token}/1/")
        return Answer(200, _HTML, render_list(self._list()).encode())

    def _page(self, desk: Desk) -> Answer:
        self.tabs.expect_one()
        number = self.desks.index(desk) + 1
        several = len(self.desks) > 1
        around = {
            "list": "../" if several else None,
            "before": f"../{number - 1}/" if number > 1 else None,
            "after": f"../{number + 1}/" if number < len(self.desks) else None,
        }
        return Answer(200, _HTML, desk.page(around))

    def _list(self) -> dict[str, Any]:
        """See ``web/specimens.js``."""
        desks = enumerate(self.desks, 1)
        return {"specimens": [{"number": number, **desk.facts()} for number, desk in desks]}

    def _desk(self, number: str) -> Desk | None:
        if not number.isascii() or not number.isdecimal() or len(number) > _DIGITS:
            return None
        return self.desks[int(number) - 1] if 1 <= int(number) <= len(self.desks) else None


def _parts(target: str) -> list[str]:
    """The parts of the path of a request, decoded; one at least."""
    return [unquote(part) for part in target.partition("?")[0].removeprefix("/").split("/")]


def _file(desk: Desk, name: str) -> Answer:
    found = desk.open_file(name)
    if found is None:
        return Answer.refused(404, "the page has no such file")
    return Answer(200, "image/png", found)


def _labels(desk: Desk, said: dict[str, Any]) -> Answer:
    """Save the text that is said, or say the one that there is where none is."""
    text, revision = said.get("text"), said.get("revision")
    try:
        if text is None:
            return _content(desk.labels.read(), saved=False)
        if not isinstance(text, str) or not isinstance(revision, str):
            return Answer.error(400, "text and revision must be texts")
        text.encode()
        return _content(desk.labels.save(text, revision), saved=True)
    except ChangedError as error:
        return _content(error.content, saved=False)
    except ReplacedError:
        return Answer.error(410, _REPLACED)
    except UnicodeEncodeError:
        return Answer.error(422, "a name holds half a character (a lone surrogate); correct it")
    except LabelError as error:
        return Answer.error(422, str(error))
    except OSError as error:
        return Answer.error(507, _in_words(error))


def _in_words(error: SidecarError | OSError) -> str:
    """What the system says may hold a whole path."""
    return str(error) if isinstance(error, SidecarError) else reason(error)


def _content(content: Content, saved: bool) -> Answer:
    """What labels.csv holds, and whether that is what was to be saved."""
    return Answer.json({"saved": saved, "text": content.text, "revision": content.revision})
