"""A disk whose power may fail at any moment, and every state that this may leave a folder in.

`watched` notes what a program asks of the system in one folder, and carries it out. A file system
promises little: of a file it has what the file held when it was synced last, of a folder the names
that it had then. Any change of names since, each whole or not at all, may be there or not, and so
may any part of what was written (see fsync(2)). `Moment.states` makes folders of these choices.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

#: What one call changes: names, and the file that each is of afterwards, None for none.
Change = dict[str, int | None]


@dataclass(frozen=True)
class Moment:
    """One moment in the life of a folder.

    ``event``    what comes next.
    ``names``    the names that the disk has, and the files that they are of.
    ``changes``  those of names since, in order.
    ``sure``     what the disk has of files; ``latest`` what programs see in them.
    """

    event: str
    names: dict[str, int]
    changes: tuple[Change, ...]
    sure: dict[int, bytes]
    latest: dict[int, bytes]

    def states(self, chance: random.Random, count: int) -> Iterator[dict[str, bytes]]:
        """The folder with nothing that is not sure, with all of it, with all names and no contents,
        and in ``count`` ways between.
        """
        yield self._state(lambda change: False, lambda choices: choices[0])
        yield self._state(lambda change: True, lambda choices: choices[-1])
        yield self._state(lambda change: True, lambda choices: choices[0])
        for _ in range(count):
            yield self._state(lambda change: chance.random() < 0.5, chance.choice)

    def _state(
        self, kept: Callable[[Change], bool], chosen: Callable[[list[bytes]], bytes]
    ) -> dict[str, bytes]:
        names: Change = dict(self.names)
        for change in filter(kept, self.changes):
            names |= change
        return {
            name: chosen(self._contents(file)) for name, file in names.items() if file is not None
        }

    def _contents(self, file: int) -> list[bytes]:
        """What the disk may have of a file: the least first, all of it last."""
        latest = self.latest[file]
        if self.sure.get(file) == latest:
            return [latest]
        return [self.sure.get(file, b""), latest[: len(latest) // 2], bytes(len(latest)), latest]


@dataclass
class Folder:
    """A folder that is watched: what is known of the disk, and the moments so far."""

    path: Path
    moments: list[Moment] = field(default_factory=list)
    _files: dict[int, int] = field(default_factory=dict)  # by inode, which may come again
    _seen: dict[str, int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _changes: list[Change] = field(default_factory=list)
    _sure: dict[int, bytes] = field(default_factory=dict)
    _latest: dict[int, bytes] = field(default_factory=dict)

    def look(self, event: str) -> None:
        """The moment before ``event``."""
        self._note()
        self.moments.append(
            Moment(
                event,
                dict(self._names),
                tuple(self._changes),
                dict(self._sure),
                dict(self._latest),
            )
        )

    def _note(self) -> None:
        """New files and contents."""
        if not self.path.is_dir():
            return
        for entry in os.scandir(self.path):
            if entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    data = Path(entry).read_bytes()
                    if entry.name not in self._seen:
                        self._change({entry.name: self._file(entry.inode())})
                    self._latest[self._seen[entry.name]] = data

    def _file(self, inode: int) -> int:
        return self._files.setdefault(inode, len(self._files) + 1000 * len(self._latest))

    def _change(self, change: Change) -> None:
        self._changes.append(change)
        for name, file in change.items():
            if file is None:
                gone = self._seen.pop(name, None)
                if gone is not None and gone not in change.values():
                    self._forget(gone)
            else:
                if name in self._seen and self._seen[name] != file:
                    self._forget(self._seen[name])
                self._seen[name] = file

    def _forget(self, file: int) -> None:
        """Its inode may be that of another file from now on."""
        self._files = {inode: other for inode, other in self._files.items() if other != file}

    def all_is_sure(self) -> None:
        """The disk has everything by now."""
        self._note()
        self._names, self._changes, self._sure = dict(self._seen), [], dict(self._latest)

    def renamed(self, old: str, new: str) -> None:
        self._change({old: None, new: self._seen[old]})

    def removed(self, name: str) -> None:
        self._change({name: None})

    def synced(self, number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            self._names, self._changes = dict(self._seen), []
            return
        file = self._files.get(os.fstat(number).st_ino)
        if file is not None:
            self._sure[file] = self._latest[file]


@contextlib.contextmanager
def watched(path: Path) -> Iterator[Folder]:
    """Note what is done to the files of a folder, which may not be there yet; not to its folders."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("open files cannot be told here")
    folder, at_once = Folder(path), threading.RLock()
    folder.all_is_sure()
    here = path.resolve()

    def inside(file: Any) -> bool:
        return Path(file).parent.resolve() == here

    def replacing(replace: Any) -> Any:
        def call(old: Any, new: Any) -> None:
            with at_once:
                if inside(new):
                    folder.look(f"renaming {Path(old).name} to {Path(new).name}")
                replace(old, new)
                if inside(new):
                    folder.renamed(Path(old).name, Path(new).name)

        return call

    def unlinking(unlink: Any) -> Any:
        def call(file: Any, **more: Any) -> None:
            with at_once:
                if inside(file):
                    folder.look(f"removing {Path(file).name}")
                unlink(file, **more)
                if inside(file):
                    folder.removed(Path(file).name)

        return call

    def syncing(fsync: Any) -> Any:
        def call(number: int) -> None:
            target = Path(f"/proc/self/fd/{number}").resolve()
            is_inside = here in (target, target.parent)
            with at_once:
                if is_inside:
                    folder.look(f"syncing {target.name}")
                fsync(number)
                if is_inside:
                    folder.synced(number)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replacing(os.replace))
        patch.setattr(os, "unlink", unlinking(os.unlink))
        patch.setattr(os, "fsync", syncing(os.fsync))
        yield folder
    folder.look("the end")


def put_back(state: dict[str, bytes], folder: Path) -> Path:
    """A folder in one of the states that are possible."""
    folder.mkdir(parents=True)
    for name, data in state.items():
        (folder / name).write_bytes(data)
    return folder
