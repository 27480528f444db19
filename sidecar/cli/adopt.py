"""`sidecar adopt`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.source_options import JoinStacks, SliceOrder, VoxelSize, place
from sidecar.cli.telling import tell
from sidecar.storage.location import WritableLocation

NAME = "adopt"
HELP = """Find how PNG, JPEG or TIFF slices that another program made come from a DICOM stack, and
write the sidecar.json they lack.

The pixels tell which slice each image is, its scale and offset, crop, flips, quarter turns, order,
resampling and values, and how certain this is. An image that is not certainly a slice of this stack
is refused; the message lists the best matches. Options state what you know already."""
EXAMPLES = """\
sidecar adopt scan/ old_pngs/
sidecar adopt scan/ old_pngs/ --flip none --z-step 2 -o old.json"""


def run(
    dicom: Annotated[
        WritableLocation,
        typer.Argument(
            metavar="DICOM",
            help=(
                "A folder (searched recursively, links followed), a zip, one file, or a DICOMDIR;"
                " or its URL."
            ),
            parser=place,
        ),
    ],
    pngs: Annotated[
        Path,
        typer.Argument(metavar="PNGS", help="The folder of the images, one file for each slice."),
    ],
    factor: Annotated[
        str | None,
        typer.Option(
            metavar="F|FX,FY",
            help="Source pixels that one image pixel covers, along source columns and rows.",
        ),
    ] = None,
    z_step: Annotated[
        float | None, typer.Option(metavar="N", help="Source slices from one image to the next.")
    ] = None,
    flip: Annotated[
        str | None,
        typer.Option(
            metavar="none|AXES",
            help=(
                "Source axes that run backwards on the images: x, y, z, in any combination. t"
                " means that rows and columns are exchanged."
            ),
        ),
    ] = None,
    voxel: VoxelSize = None,
    order: SliceOrder = None,
    series: Annotated[
        str | None, typer.Option(metavar="UID|NUMBER", help="Which stack, as inspect numbers them.")
    ] = None,
    join: JoinStacks = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help=(
                "File to write. Without it, sidecar.json beside the images; check, view and report"
                " look for it there."
            ),
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no findings on stderr.")
    ] = False,
) -> None:
    from sidecar.adoption import adopt, describe
    from sidecar.cli.progress import watched

    with watched(quiet) as progress:
        sidecar = adopt(
            dicom,
            pngs,
            output=output,
            series=series,
            join=bool(join),
            factor=_factors(factor),
            z_step=z_step,
            flip=flip,
            voxel=voxel,
            order=order,
            progress=progress,
        )
    if not quiet:
        for line in describe(sidecar):
            tell(line)
        for warning in sidecar.document.warnings:
            tell(f"  note: {warning}")


def _factors(text: str | None) -> tuple[float, float] | None:
    from sidecar.errors import UsageError

    if text is None:
        return None
    try:
        first, second = map(float, text.split(",") if "," in text else (text, text))
    except ValueError:
        raise UsageError(
            f"--factor {text}: give one number of source pixels such as 2, or two numbers such as"
            " 2,2.5"
        ) from None
    return first, second
