"""`sidecar measure`"""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import OutputFile

if TYPE_CHECKING:
    from sidecar.morphometrics.measured import Measured

NAME = "measure"
HELP = """Distances, path lengths, angles and areas of mapped points, in mm, each with the most that
decimation can have changed it.

MAPPED is a CSV of map-points. Without options: the distance of every two named points, the length
of every line, the area of every polygon. Specimens, by the column of that name, are measured each
on its own. The result is a CSV on stdout, or in -o FILE."""
EXAMPLES = """\
sidecar measure mapped.csv --distance 'left eye,right eye'
sidecar measure mapped.csv --angle 'tip,base,apex'"""

_COLUMNS = ("specimen", "measure", "of", "value", "uncertainty", "unit")


def run(
    mapped: Annotated[Path, typer.Argument(metavar="MAPPED", help="CSV of map-points.")],
    distance: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Distance of two named points; may be repeated."),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,C…", help="Length of a path through named points; may be repeated."
        ),
    ] = None,
    angle: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,C", help="Angle at B between A and C; may be repeated."),
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,C…", help="Area of a flat polygon of named points; may be repeated."
        ),
    ] = None,
    output: OutputFile = None,
) -> None:
    from collections import Counter

    from sidecar.cli.labels import tell
    from sidecar.cli.writing import deliver_columns
    from sidecar.labels.mapped_file import read_points
    from sidecar.morphometrics.measured import Kind, measure_table

    asked: dict[Kind, list[list[str]]] = {
        "distance": _names(distance),
        "path": _names(path),
        "angle": _names(angle),
        "area": _names(area),
    }
    table = read_points(mapped)
    found = measure_table(table, asked)
    counts = Counter(one.specimen for one in found)
    for specimen in table.by_specimen():
        tell(f"{specimen or mapped.name}: {counts[specimen]} measure(s)", ())
    rows = [_cells(one) for one in found]
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True) if rows else repeat(()), strict=False))
    if not any(table.specimens):
        del columns["specimen"]
    deliver_columns(columns, output, inputs=[mapped])


def _names(texts: list[str] | None) -> list[list[str]]:
    return [[name.strip() for name in text.split(",")] for text in texts or ()]


def _cells(found: Measured) -> tuple[str, ...]:
    from sidecar.labels.writers.csv_points import shortest

    numbers = shortest(found.value), shortest(found.uncertainty)
    return (found.specimen, found.kind, " – ".join(found.of), *numbers, found.unit)
