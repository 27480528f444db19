"""Whose a folder is while an export writes to it: a file in it that one program holds.

On this machine that is a lock. Behind a URL, where there are no locks, it is an object that its
owner renews, and that others watch before they take it over.

Such an object is made by a write that fails where there is one already, which one of two that come
at once succeeds at (a storage that cannot do that in one step looks first). A run that was killed
leaves its object behind: one that nobody renews has no owner. No clock is compared with another;
who finds an object watches it by its own. Should a lease be lost all the same, to whoever did not
see it renewed, its owner finds that out by the next renewal, and before it finishes.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

#: Seconds between two renewals, between two looks at an object of others, for which one is watched
#: before it is taken over, and after which the new one must still be there.
RENEWAL, LOOK, PATIENCE, SETTLING = 5.0, 1.0, 30.0, 3.0


class TakenError(Exception):
    """Another program holds the lease."""


class Lease(Protocol):
    """What a program holds, from the moment it took it."""

    @property
    def lost(self) -> bool:
        """Whether somebody else is known to have taken it meanwhile. Asks nobody."""

    def holds(self) -> bool:
        """Whether nobody else has taken it meanwhile. Asks the storage."""


@dataclass(frozen=True, slots=True)
class LockLease:
    """A lock of the system, which nobody can take away."""

    lost: bool = False

    def holds(self) -> bool:
        return True


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[Lease]:
    """Make a file, lock it, and remove it in the end.

    Raises TakenError where it is locked, OSError where there can be no such file.
    """
    from filelock import FileLock, Timeout

    if path.is_symlink():  # some locks would empty the file that it leads to
        raise OSError(errno.ELOOP, f"{path.name} in it is a link; remove it")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TakenError from None
    try:
        yield LockLease()
    finally:
        # before the lock is released: after it, the file may be another's already. Windows has none
        # removed that is open, and there the lock removes it.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


class LeaseObject(Protocol):
    """What a lease needs of an object in a storage."""

    def create(self, data: bytes) -> bool: ...

    def put(self, data: bytes) -> None: ...

    def read_bytes(self) -> bytes: ...

    def remove(self) -> None: ...


@dataclass(frozen=True)
class ObjectLease:
    """An object that was made, and the name of the run that made it."""

    place: LeaseObject
    run: str
    _lost: threading.Event = field(default_factory=threading.Event)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    def holds(self) -> bool:
        with self._writing:  # a storage whose writes are not whole would show half of ours
            found = _read(self.place)
        return found is not None and found.decode("latin-1").partition(" ")[0] == self.run

    def renew(self, count: int) -> None:
        if not self.holds():
            self._lost.set()
            return
        with self._writing:
            self.place.put(_text(self.run, count))


@contextlib.contextmanager
def lease_object(
    place: LeaseObject, on_wait: Callable[[], object] = lambda: None
) -> Iterator[Lease]:
    """Make an object, renew it, and remove it in the end; ``on_wait`` is called before one of
    others is watched.

    Raises TakenError where somebody renews theirs, OSError where the storage fails.
    """
    mine = ObjectLease(place, secrets.token_hex(8))
    _make(mine, on_wait)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(mine, ended), name="lease", daemon=True)
    renewing.start()
    try:
        yield mine
    finally:
        ended.set()
        renewing.join()
        with contextlib.suppress(OSError):
            if mine.holds():
                place.remove()


def _make(mine: ObjectLease, on_wait: Callable[[], object]) -> None:
    watched = False
    while True:
        if mine.place.create(_text(mine.run, 0)):
            if not watched:
                return
            time.sleep(
                SETTLING
            )  # of two that outlasted an object together, one may have removed the other's
            if mine.holds():
                return
        on_wait()
        _outlast(mine.place)
        watched = True


def _outlast(place: LeaseObject) -> None:
    """Return when an object is gone; remove one that is not renewed. TakenError once it is."""
    found = _read(place)
    until = time.monotonic() + PATIENCE
    while found is not None and time.monotonic() < until:
        time.sleep(LOOK)
        now = _read(place)
        if now is not None and now != found:
            raise TakenError
        found = now
    if found is not None and _read(place) == found:
        place.remove()


def _renew(mine: ObjectLease, ended: threading.Event) -> None:
    count = 0
    while not ended.wait(RENEWAL):
        count += 1
        with contextlib.suppress(
            OSError
        ):  # a storage that fails now may answer the next time; PATIENCE is a few renewals long
            mine.renew(count)
        if mine.lost:
            return


def _text(run: str, count: int) -> bytes:
    return f"{run} {count}\n".encode()


def _read(place: LeaseObject) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
