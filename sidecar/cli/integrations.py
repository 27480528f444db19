"""`sidecar integrations`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NAME = "integrations"
HELP = """Copy the files that another program needs to work with exports.

fiji: a toolset for ImageJ and Fiji that opens an export and saves labels; it belongs into
macros/toolsets. slicer: a module for 3D Slicer that loads an export at its true position. r: a
function that reads mapped points for geomorph."""
EXAMPLES = """\
sidecar integrations fiji -o Fiji.app/macros/toolsets"""


def run(
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="fiji, slicer or r.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Folder to write to; created if it is missing."
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files with the same names.")
    ] = False,
) -> None:
    from sidecar.shipped import copy_shipped

    for path in copy_shipped(program, output, overwrite=overwrite):
        typer.echo(f"copied {path.relative_to(output).as_posix()}", err=True)
