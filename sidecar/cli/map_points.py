"""`sidecar map-points`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli import telling
from sidecar.cli.options import (
    OUTPUT,
    AllowOutside,
    FromFormat,
    ImagesPattern,
    LabelPaths,
    OutputFile,
    OutputFormat,
    PixelOriginName,
    Pseudonym,
    SidecarPaths,
    SliceOriginName,
    TrustNames,
)
from sidecar.cli.source_options import place
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.labels.load import Mapping

NAME = "map-points"
HELP = """Map labels made on the PNGs to source voxels, patient millimetres and DICOM instances.
Needs no DICOM: sidecar.json is enough.

LABELS are files of a label tool, or a folder of them; sidecar recognises the tool from the content.
The result goes to stdout or to -o FILE. If any label cannot be mapped, nothing is written, and the
error names the file and the row. Lines and polygons are curves; --curve-points turns them into
semilandmarks."""
EXAMPLES = """\
sidecar map-points labels.csv -o mapped.csv
sidecar map-points results.csv --sidecar png/ --space ras
sidecar map-points outlines.json --curve-points 20 -o semilandmarks.tps"""


def run(
    labels: LabelPaths,
    sidecar: SidecarPaths = None,
    output: OutputFile = None,
    from_format: FromFormat = None,
    to_format: OutputFormat = None,
    over: Annotated[
        str | None,
        typer.Option(
            metavar="png|source",
            help=(
                "For --to imagej: the stack that ImageJ has open, the PNGs or the source's DICOM"
                " files. [default: png]"
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dicom: Annotated[
        WritableLocation | None,
        typer.Option(
            metavar="DIR",
            help=(
                "Folder of the source's DICOM files, or its URL, for --to dicom-sr and"
                " dicom-rtstruct."
            ),
            parser=place,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    pseudonym: Pseudonym = None,
    pixel_origin: PixelOriginName = None,
    slice_origin: SliceOriginName = None,
    space: Annotated[
        str,
        typer.Option(metavar="lps|ras", help="Axes of the millimetres.", rich_help_panel=OUTPUT),
    ] = "lps",
    images: ImagesPattern = None,
    trust_names: TrustNames = False,
    allow_outside: AllowOutside = False,
    curve_points: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=(
                "Replace each line and polygon by N points at equal distances in mm, ends included."
                " 0 keeps the vertices as drawn. [default: the number in the labels]"
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    from sidecar.cli.labels import inputs_of, load_and_tell, read_options, tell
    from sidecar.cli.writing import choice, deliver
    from sidecar.grid.space import Space
    from sidecar.labels.curves import checked_count
    from sidecar.labels.load import LoadOptions
    from sidecar.labels.shifts import table_of_shifts
    from sidecar.labels.writers import writer_for

    axes: Space = choice("--space", space.lower(), ("lps", "ras")) or "lps"
    which = choice("--over", over, ("png", "source"))
    writer = writer_for(output, to_format, dicom, pseudonym, which)
    reading = read_options(pixel_origin, slice_origin)
    options = LoadOptions(
        from_format, reading, images, trust_names, allow_outside, checked_count(curve_points)
    )
    loaded = load_and_tell(labels, sidecar or [], options, more_notes=_on_millimetres)
    notes = deliver(writer, loaded.points, output, axes, inputs_of(loaded, sidecar or []))
    if notes:
        tell("the output" if output is None else output.name, notes)
    for line in table_of_shifts(loaded.points):
        telling.tell(line)


def _on_millimetres(file: Mapping) -> list[str]:
    return _NOTES.get(file.points.sidecar.geometry, [])


_NOTES = {
    "none": [
        "this scan has no patient geometry, so labels have source pixels only, and millimetres are"
        " empty"
    ],
    "given": [
        "millimetres come from the voxel size that was given by hand, and run along columns, rows"
        " and slices"
    ],
}
