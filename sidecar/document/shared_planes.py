"""Documents of one source, written quickly: the text of its planes is made once and put into
each document.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from sidecar.document.model import Document
from sidecar.document.writing import as_text

#: No string in JSON contains this text: its quotes would be escaped.
_NONE, _NONE_COMPACT = '"planes": []', '"planes":[]'


class SharedPlanes:
    """The planes of the source of ``document``, as text.

    Every document that is sealed or written with them must have the same planes.
    """

    def __init__(self, document: Document) -> None:
        without = _without_planes(document)
        self._text = _put_out(as_text(document), as_text(without), _NONE)
        self._compact = _put_out(
            _compact(as_text(document)), _compact(as_text(without)), _NONE_COMPACT
        )

    def sealed(self, document: Document) -> Document:
        """The document with its digest, as `sidecar.document.writing.sealed` returns it."""
        text = _compact(as_text(_without_planes(document)))
        digest = hashlib.sha256(_put_in(text, _NONE_COMPACT, self._compact).encode()).hexdigest()
        return replace(document, digest=digest)

    def text(self, document: Document) -> str:
        """The document as JSON that people can read, as `as_text` returns it."""
        return _put_in(as_text(_without_planes(document)), _NONE, self._text)


def _without_planes(document: Document) -> Document:
    return replace(document, source=replace(document.source, planes=[]))


def _compact(text: str) -> str:
    """The text whose digest is taken."""
    stated: dict[str, Any] = json.loads(text, parse_int=float)
    stated.pop("digest", None)
    return json.dumps(stated, sort_keys=True, separators=(",", ":"))


def _put_out(whole: str, without: str, mark: str) -> str:
    """The part of ``whole`` that stands at the place of ``mark`` in ``without``, the same text
    without planes.
    """
    before, after = without.split(mark)
    return whole[len(before) : len(whole) - len(after)]


def _put_in(text: str, mark: str, planes: str) -> str:
    before, after = text.split(mark)
    return f"{before}{planes}{after}"
