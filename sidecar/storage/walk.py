"""Every file below a folder of this machine.

Links to files and folders are followed. Each file and each folder is listed once. Entries that
are passed by are named, by kind.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sidecar.errors import SourceError
from sidecar.storage.location import Listing

NOWHERE = "link that leads nowhere"
FORBIDDEN = "link to where this program may not read"
NOT_FETCHED = "git-annex file whose content is not here (git annex get fetches it)"
READ_ALREADY = "link to a folder that is read already"
LOOP = "link to a folder that it lies in"
_NO_FILE = "neither file nor folder"
_GIT = "folder of git"


def walk(folder: Path) -> Listing:
    """All files below ``folder``.

    Of several names of one file, a name that is not hidden comes first, then one that is no link.

    Raises SourceError where a folder cannot be read: it may hold some of the slices.
    """
    way = _Walk()
    way.begin(_Folder(folder, folder.resolve(), ""))
    while way.folders or way.linked:
        if way.folders:
            way.enter(way.folders.pop())
        else:  # links come last: a folder is listed under its own name if it has one here
            way.follow(way.linked.popleft())
    files = sorted((name for *_, name in way.files.values()), key=lambda name: name.split("/"))
    return Listing(tuple(files), dict(way.passed_by))


@dataclass(frozen=True)
class _Folder:
    """A folder by the path on which it was found, its path without links, and the prefix of its
    names.
    """

    path: Path
    real: Path
    prefix: str

    @cached_property
    def inside(self) -> str:
        """The beginning of its files' paths without links, as text: making a Path takes long."""
        return str(self.real / "x").removesuffix("x")


@dataclass
class _Walk:
    """``files``: for each path without links, the best name so far, after the facts that make a
    name worse.
    """

    files: dict[str, tuple[bool, bool, str]] = field(default_factory=dict)
    passed_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    folders: list[_Folder] = field(default_factory=list)
    linked: deque[_Folder] = field(default_factory=deque)
    _seen: set[Path] = field(default_factory=set)

    def begin(self, folder: _Folder) -> None:
        if folder.real not in self._seen:
            self._seen.add(folder.real)
            self.folders.append(folder)

    def follow(self, link: _Folder) -> None:
        if link.real in self._seen:
            self.passed_by[READ_ALREADY].append(link.prefix.rstrip("/"))
        self.begin(link)

    def enter(self, folder: _Folder) -> None:
        for entry in _entries(folder.path):
            self._meet(entry, folder)

    def _meet(self, entry: os.DirEntry[str], folder: _Folder) -> None:
        name, is_link = folder.prefix + entry.name, entry.is_symlink()
        if _is(entry.is_file):
            real = str(Path(entry.path).resolve()) if is_link else folder.inside + entry.name
            hidden = name.startswith(".") or "/." in name
            known = self.files.get(real)
            if known is None or (hidden, is_link, name) < known:
                self.files[real] = hidden, is_link, name
        elif _is(entry.is_dir):
            self._meet_folder(Path(entry.path), name, folder)
        else:
            self.passed_by[_unreadable(Path(entry.path)) if is_link else _NO_FILE].append(name)

    def _meet_folder(self, path: Path, name: str, folder: _Folder) -> None:
        real = path.resolve()
        if path.name == ".git":
            self.passed_by[_GIT].append(name)
        elif folder.real.is_relative_to(real):
            self.passed_by[LOOP].append(name)
        elif not path.is_symlink():
            self.begin(_Folder(path, real, f"{name}/"))
        else:
            self.linked.append(_Folder(path, real, f"{name}/"))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, sorted by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(f"folder {folder.name or '.'} cannot be read: {error.strerror}") from None


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind. A link to itself is of no kind."""
    try:
        return kind()
    except OSError:
        return False


def _unreadable(link: Path) -> str:
    try:
        link.stat()
    except PermissionError:
        return FORBIDDEN
    except OSError:
        pass
    return NOT_FETCHED if "annex/objects/" in link.readlink().as_posix() else NOWHERE
