"""The interface of a writer of masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.masks.mapped import MappedMask
from sidecar.progress import Progress


@dataclass(frozen=True, slots=True)
class MaskWriter:
    """One format that masks are written to.

    ``endings``     file endings that mean this format.
    ``check``       what the output will need, in words for the user, before anything is written;
                    raises the error that says why it cannot be written.
    ``write``       (mask, path, headers, progress) writes ``path``, an empty file or folder.
                    ``headers``: those of the source, for formats that repeat patient and study.
    ``names_patient``  whether the format repeats patient and study.
    """

    name: str
    endings: tuple[str, ...]
    check: Callable[[MappedMask, HeaderSource | None], tuple[str, ...]]
    write: Callable[[MappedMask, Path, HeaderSource | None, Progress], None]
    is_folder: bool = False
    names_patient: bool = False


def size_text(count: int) -> str:
    """A number of bytes as text for people."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
