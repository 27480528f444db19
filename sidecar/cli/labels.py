"""Labels as commands load them, and what they tell of each file on stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli import telling
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.labels.load import Loaded, LoadOptions, Mapping
    from sidecar.labels.model import PixelOrigin, ReadOptions, SliceOrigin


def read_options(pixel_origin: str | None, slice_origin: str | None) -> ReadOptions:
    """What ``--pixel-origin`` and ``--slice-origin`` say; UsageError for what is none."""
    from sidecar.cli.writing import choice
    from sidecar.labels.model import ReadOptions

    origin: PixelOrigin | None = choice("--pixel-origin", pixel_origin, ("center", "corner"))
    numbers: dict[str | None, SliceOrigin | None] = {"0": 0, "1": 1, None: None}
    return ReadOptions(origin, numbers[choice("--slice-origin", slice_origin, ("0", "1"))])


def load_and_tell(
    labels: Sequence[Path],
    sidecars: Sequence[WritableLocation],
    options: LoadOptions,
    more_notes: Callable[[Mapping], Iterable[str]] = lambda _: (),
) -> Loaded:
    """Load label files by the options of `sidecar.cli.options`, and tell what was read of each.

    ``more_notes``: what the command tells of a file beside the notes that come with it.
    """
    from sidecar.labels.identity.exports import given_exports
    from sidecar.labels.load import load_points

    loaded = load_points(labels, given_exports(sidecars), options)
    names = Counter(path.name for path in loaded.paths)
    several = len(loaded.exports) > 1
    for file in loaded.files:
        read, path = file.labels, file.labels.path
        name = f"{path.absolute().parent.name}/{path.name}" if names[path.name] > 1 else path.name
        whose = f" of {file.export.name}" if several else ""
        kinds = ", ".join(read.shapes.kinds) or "point"
        tell(
            f"{name}: {len(read)} × {kinds}{whose} by {read.tool}, pixel origin"
            f" {read.pixel_origin}",
            [*file.notes, *more_notes(file)],
        )
    return loaded


def inputs_of(loaded: Loaded, sidecars: Sequence[WritableLocation]) -> list[Path]:
    """What no output may overwrite: the label files, and documents that are on this machine."""
    given = [place.local for place in sidecars if place.local is not None]
    return [*loaded.paths, *given]


def tell(line: str, notes: Iterable[str]) -> None:
    """A line about a file on stderr, and the notes that belong to it."""
    telling.tell(line)
    for note in notes:
        telling.tell(f"  note: {note}")
