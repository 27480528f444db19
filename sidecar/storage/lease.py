"""Whose a remote folder is, where there are no locks: an object that its owner renews, and that
others watch before they take it over.

A claim is made by a write that fails where there is one already, which one of two that come at once
succeeds at (a storage that cannot do that in one step looks first). A run that was killed leaves
its claim behind: one that nobody renews has no owner. No clock is compared with another; who finds
a claim watches it by its own. Should a claim be lost all the same, to whoever did not see it
renewed, its owner finds that out by the next renewal, and before it finishes.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.storage.object_store import Remote

#: Seconds between two renewals, between two looks at a claim of others, for which one is watched
#: before it is taken over, and after which the new one must still be there.
RENEWAL, LOOK, PATIENCE, SETTLING = 5.0, 1.0, 30.0, 3.0


class TakenError(Exception):
    """Another run holds the claim."""


@dataclass(frozen=True)
class Claim:
    """A claim that was made, and the name of the run that made it.

    ``lost`` is set when a renewal finds that it is not ours any more.
    """

    place: Remote
    run: str
    lost: threading.Event = field(default_factory=threading.Event)
    _written: threading.Lock = field(default_factory=threading.Lock)

    def holds(self) -> bool:
        """Whether nobody else has taken it meanwhile."""
        with self._written:  # a storage whose writes are not whole would show half of ours
            found = _read(self.place)
        return found is not None and found.decode("latin-1").partition(" ")[0] == self.run

    def renew(self, count: int) -> None:
        if not self.holds():
            self.lost.set()
            return
        with self._written:
            self.place.put(_text(self.run, count))


@contextlib.contextmanager
def claim(place: Remote, on_wait: Callable[[], object] = lambda: None) -> Iterator[Claim]:
    """Claim the folder of ``place`` by this object, renew it, and remove it in the end; ``on_wait``
    is called before a claim is watched.

    Raises TakenError where somebody renews theirs, OSError where the storage fails.
    """
    mine = Claim(place, secrets.token_hex(8))
    _make(mine, on_wait)
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


def _make(mine: Claim, on_wait: Callable[[], object]) -> None:
    watched = False
    while True:
        if mine.place.create(_text(mine.run, 0)):
            if not watched:
                return
            time.sleep(
                SETTLING
            )  # of two that outlasted a claim together, one may have removed the other's
            if mine.holds():
                return
        on_wait()
        _outlast(mine.place)
        watched = True


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
        with contextlib.suppress(
            OSError
        ):  # a storage that fails now may answer the next time; PATIENCE is a few renewals long
            mine.renew(count)
        if mine.lost.is_set():
            return


def _text(run: str, count: int) -> bytes:
    return f"{run} {count}\n".encode()


def _read(place: Remote) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
