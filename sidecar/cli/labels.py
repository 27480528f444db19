"""Labels as commands load them, and what they tell of each file on stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sidecar.errors import printable
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.labels.load import Loaded, Mapping
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
    sidecar: WritableLocation | None,
    from_format: str | None,
    options: ReadOptions,
    allow_outside: bool,
    more_notes: Callable[[Mapping], Iterable[str]] = lambda _: (),
) -> Loaded:
    """Load label files by the options of `sidecar.cli.options`, and tell what was read of each.

    ``more_notes``: what the command tells of a file beside the notes that come with it.
    """
    from sidecar.labels.load import load_points
    from sidecar.mapping import Sidecar

    export = None if sidecar is None else Sidecar.open(sidecar)
    loaded = load_points(
        labels, export, format=from_format, options=options, allow_outside=allow_outside
    )
    names = Counter(path.name for path in loaded.paths)
    for file in loaded.files:
        read, path = file.labels, file.labels.path
        name = f"{path.absolute().parent.name}/{path.name}" if names[path.name] > 1 else path.name
        kinds = ", ".join(read.shapes.kinds) or "point"
        tell(
            f"{name}: {len(read)} × {kinds} by {read.tool}, pixel origin {read.pixel_origin}",
            [*file.notes, *more_notes(file)],
        )
    return loaded


def inputs_of(loaded: Loaded, sidecar: WritableLocation | None) -> list[Path]:
    """What no output may overwrite: the label files, and a sidecar that is on this machine."""
    given = [] if sidecar is None or sidecar.local is None else [sidecar.local]
    found = [file.found for file in loaded.files if file.found is not None]
    return [*loaded.paths, *given, *found]


def tell(line: str, notes: Iterable[str]) -> None:
    """A line about a file on stderr, and the notes that belong to it."""
    typer.echo(printable(line), err=True)
    for note in notes:
        typer.echo(printable(f"  note: {note}"), err=True)
