"""`sidecar zoom`"""

from __future__ import annotations

from typing import Annotated

import typer

from sidecar.cli.options import (
    AllowOutside,
    FromFormat,
    ImagesPattern,
    LabelPaths,
    PixelOriginName,
    SidecarPaths,
    SliceOriginName,
    TrustNames,
)
from sidecar.cli.source_options import place
from sidecar.cli.telling import tell
from sidecar.errors import counted
from sidecar.storage.local import Local
from sidecar.storage.location import WritableLocation

_USUAL_OUTPUT = Local("zooms")

NAME = "zoom"
HELP = """Export a full-resolution stack around each landmark that was placed on the small PNGs, to
refine it on original pixels.

Each landmark gets a folder with PNGs and a sidecar.json of its own. sidecar label shows all of
them, one after the other, and saves one labels.csv beside the folders. The page zooms.html does
the same without a server; put the file that it saves beside it. You can also use another tool, with
a file of labels in each folder. map-points then prints how far each landmark moved (shift_mm,
shift_voxels). The uncertainty of a landmark is then that of a source voxel."""
EXAMPLES = """\
sidecar zoom labels.csv --source scan/ --size 4mm -o zooms/
sidecar label zooms/
sidecar map-points zooms/labels.csv -o refined.csv"""


def run(
    labels: LabelPaths,
    source: Annotated[
        WritableLocation,
        typer.Option(
            metavar="DICOM",
            help="The scan: a folder, a zip, a file or a DICOMDIR; or its URL.",
            parser=place,
        ),
    ],
    size: Annotated[
        str, typer.Option(metavar="MM", help="Edge of the box around each landmark: 4mm, 250um …")
    ] = "4mm",
    output: Annotated[
        WritableLocation,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the folders go.", parser=place
        ),
    ] = _USUAL_OUTPUT,
    sidecar: SidecarPaths = None,
    from_format: FromFormat = None,
    pixel_origin: PixelOriginName = None,
    slice_origin: SliceOriginName = None,
    images: ImagesPattern = None,
    trust_names: TrustNames = False,
    allow_outside: AllowOutside = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier exports in those folders.")
    ] = False,
    keep_labels: Annotated[
        bool,
        typer.Option(
            "--keep-labels",
            help="Keep labels in those folders whose tags show that they belong to the same"
            " mapping.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> None:
    from sidecar.cli.labels import load_and_tell, read_options
    from sidecar.cli.progress import watched
    from sidecar.errors import named
    from sidecar.exporting.zoom import earlier_stacks, left_out, plan_zooms, run_zooms, small_boxes
    from sidecar.labels.load import LoadOptions
    from sidecar.viewer.names import ZOOMS_PAGE

    edge_mm = length_mm(size)
    reading = read_options(pixel_origin, slice_origin)
    options = LoadOptions(from_format, reading, images, trust_names, allow_outside)
    loaded = load_and_tell(labels, sidecar or [], options)
    with watched(quiet) as progress:
        jobs = plan_zooms(loaded.points, source, output, edge_mm, progress, overwrite, keep_labels)
        run_zooms(jobs, output, progress)
    for job in jobs:
        columns, rows, slices = job.plan.decimation.size
        layout, frames = job.plan.series.common.layout, job.plan.series.frames
        whole = (columns, rows, slices) == (layout.columns, layout.rows, len(frames))
        note = " (the whole scan; give a smaller --size for a smaller stack)" if whole else ""
        tell(f"{job.output.name}: {counted(slices, 'PNG')} of {columns} × {rows}{note}")
    for note in [*small_boxes(loaded.points, edge_mm), *left_out(loaded.points)]:
        tell(f"note: {note}")
    if stale := earlier_stacks(jobs, output):
        tell(
            f"note: stacks of an earlier run are still beside these: {named(stale)}; remove them"
            " before you map the labels of all folders"
        )
    if (output / ZOOMS_PAGE).exists():
        folder = output.name or output.resolved().name
        tell(f"{folder}/{ZOOMS_PAGE} shows all stacks, one after the other; open it in a browser")


def length_mm(size: str) -> float:
    import re

    from sidecar.errors import UsageError

    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(mm|um|µm|cm)?", size.strip())
    value = (
        float(match[1]) * {"mm": 1.0, "um": 1e-3, "µm": 1e-3, "cm": 10.0}[match[2] or "mm"]
        if match
        else 0.0
    )
    if value <= 0:
        raise UsageError(f"--size {size}: give a length such as 4mm or 250um")
    return value
