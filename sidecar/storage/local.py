"""Files and folders on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sidecar.errors import OutputError, reason
from sidecar.storage.location import HEADER_BLOCK, Listing, Location, Stamp
from sidecar.storage.ranges import PositionedFile, Ranges, StreamRanges
from sidecar.storage.walk import walk
from sidecar.storage.whole_file import sync_files, sync_folder, whole_file, write_unsynced

if TYPE_CHECKING:
    from sidecar.storage.lease import Lease


@dataclass(frozen=True, slots=True)
class Local:
    """A file or folder by its path, which may be relative. See `WritableLocation`.

    The path is kept as text. Making a Path takes as long as reading or writing a small file.
    """

    text: str

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Local:
        return cls(str(Path(path)))

    def __fspath__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        return Path(self.text).name

    @property
    def parent(self) -> Local:
        return Local(str(Path(self.text).parent))

    @property
    def local(self) -> Path:
        return Path(self.text)

    def __truediv__(self, name: str) -> Local:
        return Local(os.path.join(self.text, name))  # noqa: PTH118

    def resolved(self) -> Local:
        return Local(str(Path(self.text).resolve()))

    def relative_to(self, folder: Location) -> str | None:
        if not isinstance(folder, Local):
            return None
        path, base = Path(self.text), Path(folder.text)
        return path.relative_to(base).as_posix() if path.is_relative_to(base) else None

    def exists(self) -> bool:
        return Path(self.text).exists()

    def is_file(self) -> bool:
        return Path(self.text).is_file()

    def is_folder(self) -> bool:
        return Path(self.text).is_dir()

    def is_link(self) -> bool:
        return Path(self.text).is_symlink()

    def stamp(self) -> Stamp:
        status = os.stat(self.text)  # noqa: PTH116
        return status.st_size, status.st_mtime_ns

    recent_stamp = stamp

    def is_packed(self) -> bool:
        return False

    def stamps(self, names: Collection[str]) -> dict[str, Stamp]:
        return {name: (self / name).stamp() for name in names}

    def names(self) -> list[str]:
        return sorted(os.listdir(self.text))  # noqa: PTH208

    def listing(self) -> Listing:
        return walk(Path(self.text))

    def open(self, block: int = HEADER_BLOCK) -> BinaryIO:
        return open(self.text, "rb")  # noqa: PTH123

    def ranges(self, block: int = HEADER_BLOCK, size: int | None = None) -> Ranges:
        return PositionedFile(self.text) if hasattr(os, "preadv") else StreamRanges(self.open())

    def read_bytes(self) -> bytes:
        with self.open() as file:
            return file.read()

    def make_folder(self) -> None:
        path = Path(self.text)
        new = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for folder in new:
            sync_folder(folder.parent)

    def put(self, data: bytes) -> None:
        with self.whole() as part:
            part.write_bytes(data)

    def put_unsynced(self, data: bytes) -> None:
        write_unsynced(self.text, data)

    def sync(self, names: Iterable[str]) -> None:
        try:
            sync_files(Path(self.text), names)
        except OSError as error:
            raise OutputError(f"{self.name} cannot be written to: {reason(error)}") from None

    def whole(self) -> AbstractContextManager[Path]:
        return whole_file(Path(self.text))

    def remove(self) -> None:
        Path(self.text).unlink(missing_ok=True)

    def remove_folder(self) -> None:
        Path(self.text).rmdir()

    def lease(self, on_wait: Callable[[], object] = lambda: None) -> AbstractContextManager[Lease]:
        from sidecar.storage.lease import lock_file  # not loaded where nothing is exported

        return lock_file(Path(self.text))
