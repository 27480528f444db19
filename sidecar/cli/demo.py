"""`sidecar demo`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NAME = "demo"
HELP = """Show the whole workflow once: scan, small PNGs, labels on the PNGs, labels mapped back,
and the error of each label.

The demo writes a made-up micro-CT of a weevil as real DICOM files; its landmarks are known to a
fraction of a voxel. With --source it uses your own scan, and compares the labels with the DICOM
headers. The exit code is 1 if any label does not come back within its uncertainty."""
EXAMPLES = """\
sidecar demo
sidecar demo --source scan/ tour/"""


def run(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT", help="Folder for all files; that of an earlier demo is replaced."
        ),
    ] = Path("sidecar-demo"),
    source: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A scan of your own: a folder, a zip, one file, or a DICOMDIR.",
            show_default=False,
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="UID|NUMBER",
            help="Which stack of --source, as inspect numbers them.",
            show_default=False,
        ),
    ] = None,
) -> None:
    from sidecar.cli.progress import watched
    from sidecar.demo.report import show
    from sidecar.demo.tour import tour_of_scan, tour_of_specimen
    from sidecar.errors import UsageError

    if source is None and series is not None:
        raise UsageError(
            "--series chooses a stack of --source; the made-up scan has only one, so leave"
            " --series out"
        )
    with watched(quiet=False) as progress:
        tour = (
            tour_of_specimen(output, progress)
            if source is None
            else tour_of_scan(source, output, series, progress)
        )
    show(tour)
    if tour.check.failed:
        typer.echo(
            f"sidecar: {len(tour.check.failed)} of {len(tour.check.labels)} labels did not come"
            " back where they belong",
            err=True,
        )
        raise typer.Exit(1)
