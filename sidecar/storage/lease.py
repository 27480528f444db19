"""The lease of a folder that an export writes to: a file in it that only one program can hold.

On this machine the lease is a lock of the system. Behind a URL there are no locks. There it is an
object that its owner renews, and that other runs watch before they take it over.

The object is made by a write that fails where the object exists. Of two runs that start at once,
only one succeeds. (A storage that cannot do this in one step looks first.) A run that was killed
leaves its object behind. An object that nobody renews has no owner. No clocks are compared: a run
that finds an object watches it by its own clock. A lease can still be lost, when another run did
not see a renewal. The owner then notices it at the next renewal, and before it finishes.
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

#: Seconds. An owner renews its object every `RENEWAL`. A run that finds the object of another looks
#: at it every `LOOK`, and takes it over after `PATIENCE` without a renewal. The new object must
#: still be there after `SETTLING`.
RENEWAL, LOOK, PATIENCE, SETTLING = 5.0, 1.0, 30.0, 3.0


class TakenError(Exception):
    """Another program holds the lease."""


class Lease(Protocol):
    """The lease of a program, from the moment when it got it."""

    @property
    def lost(self) -> bool:
        """Whether this program knows that another has taken the lease. Does not ask the storage."""

    def holds(self) -> bool:
        """Whether no other program has taken the lease. Asks the storage."""


@dataclass(frozen=True, slots=True)
class LockLease:
    """A lock of the system, which no other program can take away."""

    lost: bool = False

    def holds(self) -> bool:
        return True


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[Lease]:
    """Make a file, lock it, and remove it in the end.

    Raises TakenError where another program has locked it, OSError where no such file can be made.
    """
    from filelock import FileLock, Timeout

    if path.is_symlink():  # some locks empty the file that a link leads to
        raise OSError(errno.ELOOP, f"{path.name} in it is a link; remove it")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TakenError from None
    try:
        yield LockLease()
    finally:
        # The file is removed before the lock is released. After that it may belong to another
        # program. Windows removes no open file; there the lock itself removes it.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


class LeaseObject(Protocol):
    """The operations on an object in a storage that a lease needs."""

    def create(self, data: bytes) -> bool: ...

    def put(self, data: bytes) -> None: ...

    def read_bytes(self) -> bytes: ...

    def remove(self) -> None: ...


@dataclass(frozen=True)
class ObjectLease:
    """The object that a run made, and the name of that run."""

    place: LeaseObject
    run: str
    _lost: threading.Event = field(default_factory=threading.Event)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    def holds(self) -> bool:
        with self._writing:  # a storage whose writes are not whole could show half of our own write
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
    """Make an object, renew it, and remove it in the end.

    ``on_wait`` is called before the object of another run is watched.

    Raises TakenError where another run renews its object, OSError where the storage fails.
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
            # Two runs may have outlasted an object together. One of them may then have removed the
            # new object of the other.
            time.sleep(SETTLING)
            if mine.holds():
                return
        on_wait()
        _outlast(mine.place)
        watched = True


def _outlast(place: LeaseObject) -> None:
    """Return when the object of another run is gone. Remove it if nobody renews it. TakenError
    if somebody does.
    """
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
        # A storage that fails now may answer the next time. PATIENCE is a few renewals long.
        with contextlib.suppress(OSError):
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
