"""`sidecar map-mask`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.options import (
    OUTPUT,
    FromFormat,
    ImagesPattern,
    PixelOriginName,
    Pseudonym,
    SidecarPaths,
    SliceOriginName,
    TrustNames,
)
from sidecar.cli.source_options import place
from sidecar.storage.location import WritableLocation

NAME = "map-mask"
HELP = """Put masks and regions painted on the PNGs back on the scan.

MASKS is a folder of label PNGs named after the slices, a volume painted over the exported stack
(multi-page TIFF, NRRD, .seg.nrrd or NIfTI), or label files with polygons, boxes or brush masks. The
ending of OUTPUT decides the format: .dcm (DICOM SEG), .seg.nrrd, .nii.gz, or a folder of label
PNGs. sidecar refuses masks with soft edges and masks that were resized."""
EXAMPLES = """\
sidecar map-mask masks/ --sidecar png/ -o bones.seg.nrrd
sidecar map-mask masks/ --sidecar png/ -o bones.dcm --dicom scan/"""


def run(
    masks: Annotated[
        list[Path],
        typer.Argument(metavar="MASKS...", help="A folder of PNGs, a volume, or label files."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUTPUT",
            help="File to write, or folder for PNGs.",
            rich_help_panel=OUTPUT,
        ),
    ],
    sidecar: SidecarPaths = None,
    to_format: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help=(
                "Output format: dicom-seg, seg.nrrd, nifti, png or dicom-rtstruct. Without it, the"
                " ending of OUTPUT decides."
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    grid: Annotated[
        str,
        typer.Option(
            metavar="source|png",
            help="Voxels of the output: source (full resolution) or png (as painted).",
            rich_help_panel=OUTPUT,
        ),
    ] = "source",
    fill: Annotated[
        str,
        typer.Option(
            metavar="repeat|interpolate|none",
            help=(
                "How to fill source slices without a PNG. repeat: the mask of the nearest PNG;"
                " halfway between two PNGs, the interpolated shape. interpolate: always the"
                " interpolated shape. none: empty."
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = "repeat",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Segments with name, value or colour, and codes. Other labels are refused.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dicom: Annotated[
        WritableLocation | None,
        typer.Option(
            metavar="DIR",
            help=(
                "Folder of the source's DICOM files, or its URL, for dicom-seg and dicom-rtstruct."
            ),
            parser=place,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    pseudonym: Pseudonym = None,
    statistics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help=(
                "Also write a table: voxels of each segment, its volume, and the smallest and"
                " largest volume that it can have."
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    from_format: FromFormat = None,
    pixel_origin: PixelOriginName = None,
    slice_origin: SliceOriginName = None,
    images: ImagesPattern = None,
    trust_names: TrustNames = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")
    ] = False,
) -> None:
    from sidecar.cli.labels import read_options, tell
    from sidecar.cli.progress import watched
    from sidecar.errors import printable
    from sidecar.labels.identity.exports import given_exports
    from sidecar.labels.load import LoadOptions
    from sidecar.masks.job import Options, plan_job

    reading = read_options(pixel_origin, slice_origin)
    loading = LoadOptions(from_format, reading, images, trust_names)
    options = Options(to_format, grid, fill, config, dicom, pseudonym, loading, statistics)
    job = plan_job(masks, output, given_exports(sidecar or []), options)
    if not quiet:
        painted = job.mapped.painted
        names = [segment.name for segment in painted.segments]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        tell(f"{masks[0].name}: {', '.join(names[:8])}{more} from {painted.tool}", job.notes)
    with watched(quiet) as progress:
        sizes = job.run(progress)
    for size in () if quiet else sizes:
        typer.echo(printable(f"  {size}"), err=True)
