"""`sidecar project`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.options import AllowOutside

NAME = "project"
HELP = """Place points of patient millimetres or source voxels on the PNGs: the inverse of
map-points.

POINTS are CSV files with columns x_mm, y_mm, z_mm (LPS, or as a column space says) or
source_column, source_row, source_slice, such as map-points writes. Columns image, slice, x, y are
added, center convention."""
EXAMPLES = "Example: sidecar project old_landmarks.csv --sidecar png/ -o labels.csv"


def run(
    points: Annotated[
        list[Path],
        typer.Argument(metavar="POINTS...", help="CSV files of points, or folders of them."),
    ],
    sidecar: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="sidecar.json or its folder; without it the one beside POINTS."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write; stdout without it."),
    ] = None,
    allow_outside: AllowOutside = False,
) -> None:
    from sidecar.cli.labels import tell
    from sidecar.cli.writing import deliver_columns
    from sidecar.labels.files import label_files
    from sidecar.labels.project import project_file
    from sidecar.labels.writers.csv_points import merged
    from sidecar.mapping import Sidecar

    projections = []
    for path in label_files(points):
        projection = project_file(path, Sidecar.open(sidecar or path.parent), allow_outside)
        projections.append(projection.columns)
        tell(f"{path.name}: {len(projection.png)} points placed on the PNGs", projection.notes)
    deliver_columns(merged(projections), output, inputs=[*points, *([sidecar] if sidecar else [])])
