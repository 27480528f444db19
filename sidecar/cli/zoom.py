"""`sidecar zoom`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.storage.local import Local
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

_USUAL_OUTPUT = Local("zooms")

NAME = "zoom"
HELP = """Export a full-resolution stack around each landmark that was placed on the small PNGs, to
refine it on original pixels.

Each landmark gets a folder with PNGs and a sidecar.json of its own. Label there again, in any tool,
and map all folders at once: map-points then tells how far each landmark moved (shift_mm), and its
uncertainty is that of a source voxel."""
EXAMPLES = (
    "Example: sidecar zoom labels.csv --source scan/ --size 4mm -o zooms/     then: sidecar"
    " map-points zooms/*/labels.csv -o refined.csv"
)


def run(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS", help="Label file, or a folder of them, on the small PNGs."
        ),
    ],
    source: Annotated[
        WritableLocation,
        typer.Option(
            metavar="DICOM",
            help="The scan: a folder, a file or a DICOMDIR; or its URL.",
            parser=locate,
        ),
    ],
    size: Annotated[
        str, typer.Option(metavar="MM", help="Edge of the box around each landmark: 4mm, 250um …")
    ] = "4mm",
    output: Annotated[
        WritableLocation,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the folders go.", parser=locate
        ),
    ] = _USUAL_OUTPUT,
    sidecar: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="sidecar.json of the small PNGs, where it is not beside them."
        ),
    ] = None,
    from_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="Label format, instead of recognising it."),
    ] = None,
    slice_origin: Annotated[
        str | None,
        typer.Option(
            metavar="0|1",
            help="What a table of slice numbers calls the first PNG, where it does not tell.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier exports in those folders.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    from dataclasses import replace

    from sidecar.cli.progress import watched
    from sidecar.cli.writing import slice_origin_of
    from sidecar.exporting.run import run_jobs
    from sidecar.exporting.zoom import plan_zooms
    from sidecar.labels.map import label_files, map_file
    from sidecar.mapping import Sidecar

    edge_mm = length_mm(size)
    first_slice = slice_origin_of(slice_origin)
    given = None if sidecar is None else Sidecar.open(sidecar)
    with watched(quiet) as progress:
        for path in label_files([labels]):
            points = map_file(path, given, format=from_format, slice_origin=first_slice).points
            jobs = plan_zooms(points, source, output, edge_mm, progress)
            if overwrite:
                jobs = [
                    replace(
                        job,
                        plan=replace(
                            job.plan,
                            options=job.plan.options.model_copy(update={"overwrite": True}),
                        ),
                    )
                    for job in jobs
                ]
            run_jobs(jobs, progress)
            for job in jobs:
                columns, rows, slices = job.plan.decimation.size
                whole = (columns, rows, slices) == points.sidecar.document.source.size
                note = ", the whole scan: a smaller --size gives less" if whole else ""
                typer.echo(
                    f"{job.output.name}: {slices} PNGs of {columns} × {rows}{note}", err=True
                )


def length_mm(size: str) -> float:
    import re

    from sidecar.errors import UsageError

    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(mm|um|µm|cm)?\s*", size)
    value = (
        float(match[1]) * {"mm": 1.0, "um": 1e-3, "µm": 1e-3, "cm": 10.0}[match[2] or "mm"]
        if match
        else 0.0
    )
    if value <= 0:
        raise UsageError(f"--size {size}: a length such as 4mm or 250um is expected")
    return value
