"""`sidecar project`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.options import AllowOutside, OutputFile
from sidecar.errors import counted
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

NAME = "project"
HELP = """Place points of patient millimetres or source voxels on the PNGs: the inverse of
map-points.

POINTS are CSV files, such as map-points writes, or markups of 3D Slicer (.mrk.json, .fcsv) in
millimetres of the scan, such as the viewer page saves. A CSV needs the columns x_mm, y_mm, z_mm
(LPS, unless a column space says otherwise) or source_column, source_row, source_slice. The result
is a CSV with the columns of the files, and image, slice, x and y (center convention)."""
EXAMPLES = """\
sidecar project old_landmarks.csv --sidecar png/ -o labels.csv"""


def run(
    points: Annotated[
        list[Path],
        typer.Argument(metavar="POINTS...", help="Files of points, or folders of them."),
    ],
    sidecar: Annotated[
        WritableLocation | None,
        typer.Option(
            metavar="PATH",
            help="sidecar.json, its folder, or its URL. Without it, the one beside POINTS.",
            parser=locate,
            show_default=False,
        ),
    ] = None,
    output: OutputFile = None,
    allow_outside: AllowOutside = False,
) -> None:
    from sidecar.cli.labels import tell
    from sidecar.cli.writing import deliver_columns
    from sidecar.document.model import SIDECAR_NAME
    from sidecar.errors import DocumentError
    from sidecar.labels.files import label_files
    from sidecar.labels.project import project_file
    from sidecar.mapping import Sidecar

    projections = []
    inputs = label_files(points)
    for path in inputs:
        if sidecar is None and not (path.parent / SIDECAR_NAME).exists():
            raise DocumentError(
                f"there is no {SIDECAR_NAME} beside {path.name}; give the folder of the export with"
                " --sidecar"
            )
        projection = project_file(path, Sidecar.open(sidecar or path.parent), allow_outside)
        projections.append(projection.columns)
        tell(
            f"{path.name}: {counted(len(projection.png), 'point')} placed on the PNGs",
            projection.notes,
        )
    if sidecar is not None and sidecar.local is not None:
        inputs.append(sidecar.local)
    deliver_columns(projections, output, inputs)
