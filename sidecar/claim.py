"""Whose a remote folder is, where there are no locks: an object that its owner renews, and that others watch before they take it over.

A claim is made by a write that fails where there is one already, which one of two that come at once succeeds at (a storage that
cannot do that in one step looks first). A run that was killed leaves its claim behind: one that nobody renews has no owner. No clock
is compared with another; who finds a claim watches it by its own. Should a claim be lost all the same, to whoever did not see it
renewed, its owner finds that out in the end and does not finish.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.remote import Remote

#: Seconds between two renewals, between two looks at a claim of others, and for which one is watched before it is taken over.
RENEWAL, LOOK, PATIENCE = 5.0, 1.0, 30.0


class TakenError(Exception):
    """Another run holds the claim."""


@dataclass(frozen=True)
class Claim:
    """A claim that was made, and the name of the run that made it."""

    place: Remote
    run: str

    def holds(self) -> bool:
        """Whether nobody else has taken it meanwhile."""
        return _owner(_read(self.place)) == self.run


@contextlib.contextmanager
def claim(place: Remote, on_wait: Callable[[], object] = lambda: None) -> Iterator[Claim]:
    """Claim the folder of ``place`` by this object, renew it, and remove it in the end; ``on_wait`` is called before a claim is watched.

    Raises TakenError where somebody renews theirs, OSError where the storage fails.
    """
    mine = Claim(place, secrets.token_hex(8))
    while not place.create(_text(mine.run, 0)):
        on_wait()
        _outlast(place)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(mine, ended), name="claim", daemon=True)
    renewing.start()
    try:
        yield mine
    finally:
        ended.set()
        renewing.join()
        with contextlib.suppress(OSError):
            if mine.holds():
                place.unlink(missing_ok=True)


def _outlast(place: Remote) -> None:
    """Return when a claim is gone; remove one that is not renewed. TakenError as soon as it is."""
    found = _read(place)
    until = time.monotonic() + PATIENCE
    while found is not None and time.monotonic() < until:
        time.sleep(LOOK)
        now = _read(place)
        if now is not None and now != found:
            raise TakenError
        found = now
    if found is not None and _read(place) == found:
        place.unlink(missing_ok=True)


def _renew(mine: Claim, ended: threading.Event) -> None:
    count = 0
    while not ended.wait(RENEWAL):
        count += 1
        with contextlib.suppress(OSError):  # a storage that fails now may answer the next time; PATIENCE is a few renewals long
            if not mine.holds():
                return
            mine.place.put(_text(mine.run, count))


def _text(run: str, count: int) -> bytes:
    return f"{run} {count}\n".encode()


def _read(place: Remote) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None


def _owner(text: bytes | None) -> str | None:
    return None if text is None else text.decode("latin-1").partition(" ")[0]
