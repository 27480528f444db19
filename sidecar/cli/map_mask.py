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

NAME = "map-mask"
HELP = """Put masks and regions painted on the PNGs back on the scan.

MASKS: a folder of label PNGs named after the slices, a multi-page TIFF, a NRRD, .seg.nrrd or NIfTI
painted over the exported stack, or label files with polygons, boxes or brush masks. OUTPUT's ending
says what is written: .dcm (DICOM SEG), .seg.nrrd, .nii.gz, or a folder of label PNGs. Masks with
soft edges and resized ones are refused."""
EXAMPLES = """\
sidecar map-mask masks/ -o bones.seg.nrrd
sidecar map-mask masks/ -o bones.dcm --dicom scan/ --config bones.yaml"""


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
            help="File, or folder for PNGs, to write.",
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
                "dicom-seg, seg.nrrd, nifti, png or dicom-rtstruct, instead of by OUTPUT's ending."
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    grid: Annotated[
        str,
        typer.Option(
            metavar="source|png",
            help="Full resolution, or as painted, with its own true geometry.",
            rich_help_panel=OUTPUT,
        ),
    ] = "source",
    fill: Annotated[
        str,
        typer.Option(
            metavar="repeat|interpolate|none",
            help=(
                "Source slices without a PNG: the nearest, halfway between two the shapes between;"
                " always the shapes between; or empty."
            ),
            rich_help_panel=OUTPUT,
        ),
    ] = "repeat",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Segments: name, value or colour, and codes. Other labels are refused.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dicom: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the source's DICOM files are, for dicom-seg and dicom-rtstruct.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    pseudonym: Pseudonym = None,
    statistics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Voxels and volume of each segment, and the least and most it can be, as a table.",
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
