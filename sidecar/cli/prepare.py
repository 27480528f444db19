"""`sidecar prepare`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.source_options import place
from sidecar.errors import counted
from sidecar.storage.location import WritableLocation

NAME = "prepare"
HELP = """Write the files with which Label Studio or CVAT sets up landmarks on the PNGs: the images,
and the names of the landmarks in order.

label-studio: tasks.json and labelling-setup.xml. cvat: labels.json; you upload the PNGs yourself.
map-points reads what these tools export: JSON of Label Studio, and "CVAT for images"."""
EXAMPLES = """\
sidecar prepare label-studio png/ --names names.txt -o project/
sidecar prepare cvat png/ --names names.txt -o project/"""


def run(
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="label-studio or cvat.")],
    export: Annotated[
        WritableLocation,
        typer.Argument(metavar="PNGS", help="Folder of an export, or its URL.", parser=place),
    ],
    names: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help=(
                "The landmarks' names: a text file with one name per line, or a CSV with a column"
                " label or name."
            ),
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Folder to write to; created if it is missing."
        ),
    ],
    images_at: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help=(
                "Label Studio: the address before the names of the PNGs, such as s3://scans/png/."
                " Without it, Label Studio serves the PNGs from a local folder."
            ),
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files with the same names.")
    ] = False,
) -> None:
    from sidecar.cli.labels import tell
    from sidecar.labels.prepare import notes_of, prepare
    from sidecar.labels.prepare.names import read_names
    from sidecar.mapping import Sidecar

    png = Sidecar.open(export)
    listed = read_names(names)
    made = prepare(program, png, listed, output, images_at=images_at, overwrite=overwrite)
    files = " and ".join(path.name for path in made)
    tell(
        f"{files}: {counted(len(listed), 'landmark')} on {counted(png.size[2], 'PNG')}",
        notes_of(png),
    )
