"""What a writer of masks is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sidecar.masks.mapped import MappedMask
from sidecar.progress import Progress


@dataclass(frozen=True, slots=True)
class MaskWriter:
    """One format that masks are written to.

    ``endings``     file endings that mean it.
    ``check``       what it will take, in words for the user, before anything is written; raises
                    what says why it cannot be written.
    ``write``       (mask, path, dicom, progress) writes ``path``, an empty file or folder.
                    ``dicom``: the folder of the source files, for formats that repeat patient and
                    study.
    """

    name: str
    endings: tuple[str, ...]
    check: Callable[[MappedMask, Path | None], tuple[str, ...]]
    write: Callable[[MappedMask, Path, Path | None, Progress], None]
    is_folder: bool = False


def size_text(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
