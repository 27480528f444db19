"""How commands load labels, and what they print about each file on stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.cli import telling
from sidecar.errors import counted
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.labels.load import Loaded, LoadOptions, Mapping
    from sidecar.labels.model import Labels, PixelOrigin, ReadOptions, SliceOrigin


def read_options(pixel_origin: str | None, slice_origin: str | None) -> ReadOptions:
    """What ``--pixel-origin`` and ``--slice-origin`` say. UsageError for an unknown value."""
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
    """Load label files with the options of `sidecar.cli.options`, and print what each file holds.

    ``more_notes``: what the command adds to the notes of a file.
    """
    from sidecar.labels.identity.exports import given_exports
    from sidecar.labels.load import load_points

    loaded = load_points(labels, given_exports(sidecars), options)
    names = Counter(path.name for path in loaded.paths)
    several = len(loaded.exports) > 1
    for told in _told_together(loaded.files):
        read, path = told[0].labels, told[0].labels.path
        name = f"{path.absolute().parent.name}/{path.name}" if names[path.name] > 1 else path.name
        around = f" on {len(told)} stacks around landmarks" if len(told) > 1 else ""
        whose = f" of {told[0].export.name}" if several else ""
        tell(
            f"{name}: {_counted([file.labels for file in told])}{around}{whose}, read as"
            f" {read.tool}, pixel origin {read.pixel_origin}",
            dict.fromkeys(note for file in told for note in [*file.notes, *more_notes(file)]),
        )
    return loaded


def _counted(labels: Sequence[Labels]) -> str:
    """How many labels there are: "3 points", or "7 vertices (line, polygon)"."""
    count = sum(map(len, labels))
    kinds = sorted({kind for one in labels for kind in one.shapes.kinds})
    if not kinds or kinds == ["point"]:
        return counted(count, "point")
    return f"{counted(count, 'vertex', 'vertices')} ({', '.join(kinds)})"


def _told_together(files: Iterable[Mapping]) -> list[list[Mapping]]:
    """Group mappings by the lines to print. Each mapping has its own line, except that the stacks
    around landmarks with labels in one file share a line.
    """
    together: dict[object, list[Mapping]] = {}
    for number, file in enumerate(files):
        is_zoom = file.export.sidecar.document.zoom is not None
        whose = (file.labels.path, file.export.name) if is_zoom else number
        together.setdefault(whose, []).append(file)
    return list(together.values())


def inputs_of(loaded: Loaded, sidecars: Sequence[WritableLocation]) -> list[Path]:
    """The inputs, which no output may overwrite: label files, and documents on this machine."""
    given = [place.local for place in sidecars if place.local is not None]
    return [*loaded.paths, *given]


def tell(line: str, notes: Iterable[str]) -> None:
    """Print a line about a file on stderr, and the notes that belong to it."""
    telling.tell(line)
    for note in notes:
        telling.tell(f"  note: {note}")
