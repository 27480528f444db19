"""`sidecar measure`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sidecar.labels.mapped_file import PointTable

    #: What is measured, of what, and its places (N, 3) with their uncertainties (N,) in mm.
    Todo = tuple[str, list[str], tuple[NDArray[np.float64], NDArray[np.float64]]]

NAME = "measure"
HELP = """Distances, path lengths, angles and areas of mapped points, in mm, each with the most that
decimation can have changed it.

MAPPED is a CSV of map-points. Without options: the distance of every two named points, the length
of every line, the area of every polygon. The result is a CSV on stdout, or in -o FILE."""
EXAMPLES = (
    "Example: sidecar measure mapped.csv --distance 'left eye,right eye' --angle 'tip,base,apex'"
)

_PAIRS = 200


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
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; stdout without it."),
    ] = None,
) -> None:
    from sidecar.cli.writing import deliver_columns
    from sidecar.errors import LabelError
    from sidecar.labels.mapped_file import read_points
    from sidecar.labels.writers.csv_points import shortest
    from sidecar.morphometrics import measure

    table = read_points(mapped)
    functions = {
        "distance": measure.distance,
        "path": measure.path_length,
        "angle": measure.angle,
        "area": measure.area,
    }
    asked = {"distance": distance, "path": path, "angle": angle, "area": area}
    todo = [
        (kind, _names(text), table.select(*_names(text)))
        for kind, texts in asked.items()
        for text in texts or ()
    ]
    rows = []
    for kind, names, (places, uncertainty) in todo or _everything(table):
        try:
            found = functions[kind](places, uncertainty)
        except LabelError as error:
            raise LabelError(f"{kind} {', '.join(names)}: {error}", mapped) from None
        rows.append(
            (
                kind,
                " – ".join(names),
                shortest(found.value),
                shortest(found.uncertainty),
                found.unit,
            )
        )
    columns = ("measure", "of", "value", "uncertainty", "unit")
    cells: tuple[tuple[str, ...], ...] = (
        tuple(zip(*rows, strict=True)) if rows else ((),) * len(columns)
    )
    deliver_columns(dict(zip(columns, cells, strict=True)), output, inputs=[mapped])


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
