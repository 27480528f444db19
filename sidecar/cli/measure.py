"""`sidecar measure`"""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import OutputFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sidecar.labels.mapped_file import PointTable

    #: The kind of a measure, of what, and its places (N, 3) with their uncertainties (N,) in mm.
    Todo = tuple[str, list[str], tuple[NDArray[np.float64], NDArray[np.float64]]]

NAME = "measure"
HELP = """Distances, path lengths, angles and areas of mapped points, in mm, each with the most that
decimation can have changed it.

MAPPED is a CSV of map-points. Without options: the distance of every two named points, the length
of every line, the area of every polygon. Specimens, by the column of that name, are measured each
on its own. The result is a CSV on stdout, or in -o FILE."""
EXAMPLES = (
    "Example: sidecar measure mapped.csv --distance 'left eye,right eye' --angle 'tip,base,apex'"
)

_PAIRS = 200
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
    from sidecar.cli.labels import tell
    from sidecar.cli.writing import deliver_columns
    from sidecar.labels.mapped_file import read_points

    asked = {"distance": distance, "path": path, "angle": angle, "area": area}
    rows: list[tuple[str, ...]] = []
    specimens = read_points(mapped).by_specimen()
    for specimen, points in specimens.items():
        todo = [
            (kind, _names(text), points.select(*_names(text)))
            for kind, texts in asked.items()
            for text in texts or ()
        ]
        found = [(specimen, *_measured(one, mapped)) for one in todo or _everything(points)]
        tell(f"{specimen or mapped.name}: {len(found)} measure(s)", ())
        rows += found
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True) if rows else repeat(()), strict=False))
    if not any(specimens):
        del columns["specimen"]
    deliver_columns(columns, output, inputs=[mapped])


def _measured(todo: Todo, path: Path) -> tuple[str, ...]:
    """The cells of one measure, behind its specimen."""
    from sidecar.errors import LabelError
    from sidecar.labels.writers.csv_points import shortest
    from sidecar.morphometrics import measure

    functions = {
        "distance": measure.distance,
        "path": measure.path_length,
        "angle": measure.angle,
        "area": measure.area,
    }
    kind, names, (places, uncertainty) = todo
    try:
        found = functions[kind](places, uncertainty)
    except LabelError as error:
        raise LabelError(f"{kind} {', '.join(names)}: {error}", path) from None
    numbers = shortest(found.value), shortest(found.uncertainty)
    return (kind, " – ".join(names), *numbers, found.unit)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _everything(table: PointTable) -> list[Todo]:
    """All pairs of named points, and every line and polygon."""
    from itertools import combinations

    from sidecar.errors import UsageError
    from sidecar.labels.vertices import TYPES

    shapes = table.shapes()
    found = [(TYPES[code], shapes.rows(k)) for k, code in enumerate(shapes.type.tolist())]
    names = [table.names[rows[0]] for type_, rows in found if type_ == "point"]
    single = [name for name in names if name]
    pairs = list(combinations(dict.fromkeys(single), 2))
    if len(pairs) > _PAIRS:
        raise UsageError(
            f"{len(single)} points make {len(pairs)} distances; say which with --distance A,B"
        )
    todo: list[Todo] = [("distance", list(pair), table.select(*pair)) for pair in pairs]
    ids = shapes.texts["shape_id"]
    for type_, rows in found:
        name = table.names[rows[0]] or f"shape {ids[rows[0]]}"
        places = table.mm[list(rows)], table.uncertainty_mm[list(rows)]
        if type_ in ("line", "polyline"):
            todo.append(("path", [name], places))
        elif type_ in ("polygon", "box"):
            todo.append(("area", [name], places))
    return todo
