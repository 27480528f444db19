"""Labels as commands load them, and what they tell of each file on stderr."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sidecar.errors import printable
from sidecar.storage.location import remote

if TYPE_CHECKING:
    from sidecar.labels.load import Loaded, Mapping
    from sidecar.labels.model import PixelOrigin


def pixel_origin_of(name: str | None) -> PixelOrigin | None:
    """What ``--pixel-origin`` says; UsageError for what is none."""
    from sidecar.cli.writing import choice

    origin: PixelOrigin | None = choice("--pixel-origin", name, ("center", "corner"))
    return origin


def load_and_tell(
    labels: Sequence[Path],
    sidecar: Path | None,
    from_format: str | None,
    pixel_origin: str | None,
    allow_outside: bool,
    more_notes: Callable[[Mapping], Iterable[str]] = lambda _: (),
) -> Loaded:
    """Load label files by the options of `sidecar.cli.options`, and tell what was read of each.

    ``more_notes``: what the command tells of a file beside the notes that come with it.
    """
    from sidecar.labels.load import load
    from sidecar.mapping import Sidecar

    origin = pixel_origin_of(pixel_origin)
    export = None if sidecar is None else Sidecar.open(sidecar)
    loaded = load(
        labels, export, format=from_format, pixel_origin=origin, allow_outside=allow_outside
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


def inputs_of(loaded: Loaded, sidecar: Path | None) -> list[Path]:
    """What no output may overwrite: the label files, and a sidecar that is on this machine."""
    local = [] if sidecar is None or remote(sidecar) else [sidecar]
    return [*loaded.paths, *local]


def tell(line: str, notes: Iterable[str]) -> None:
    """A line about a file on stderr, and the notes that belong to it."""
    typer.echo(printable(line), err=True)
    for note in notes:
        typer.echo(printable(f"  note: {note}"), err=True)
