"""Options that several commands on labels share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.declared import OUTPUT as OUTPUT
from sidecar.cli.source_options import place
from sidecar.storage.location import WritableLocation

# The groups that help texts show options in.
WHICH_EXPORT = "Which export the labels are of"
READING = "How labels are read"

OutputFile = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to write; stdout without it.",
        rich_help_panel=OUTPUT,
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format, instead of that of FILE's ending.",
        rich_help_panel=OUTPUT,
    ),
]
LabelPaths = Annotated[
    list[Path], typer.Argument(metavar="LABELS...", help="Label files, or folders of them.")
]
SidecarPaths = Annotated[
    list[WritableLocation] | None,
    typer.Option(
        "--sidecar",
        metavar="PATH",
        help=(
            "sidecar.json, its folder or a folder of exports, or its URL; more than once for"
            " several. May be left out where it lies beside the labels or the images they name."
        ),
        parser=place,
        show_default=False,
        rich_help_panel=WHICH_EXPORT,
    ),
]
FromFormat = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Format of the labels, instead of recognising it.",
        rich_help_panel=READING,
    ),
]
PixelOriginName = Annotated[
    str | None,
    typer.Option(
        "--pixel-origin",
        metavar="center|corner",
        help="Where the labels' (0, 0) is: the first pixel's middle or outer corner.",
        rich_help_panel=READING,
    ),
]
SliceOriginName = Annotated[
    str | None,
    typer.Option(
        "--slice-origin",
        metavar="0|1",
        help="What a table of slice numbers calls the first PNG, where it does not tell.",
        rich_help_panel=READING,
    ),
]
ImagesPattern = Annotated[
    str | None,
    typer.Option(
        "--images",
        metavar="GLOB",
        help=(
            "Take only labels on images whose path matches, such as 'beetle-7/*', or whose task or"
            " id does, such as 'task 40*'."
        ),
        rich_help_panel=WHICH_EXPORT,
    ),
]
TrustNames = Annotated[
    bool,
    typer.Option(
        "--trust-names",
        help="Take images without a tag in their name for the PNGs of their number.",
        rich_help_panel=WHICH_EXPORT,
    ),
]
Observers = Annotated[
    list[str] | None,
    typer.Option(
        "--observer",
        metavar="NAME",
        help=(
            "Who labelled the sessions; once for each in their order, or once for all. The column"
            " observer says it too."
        ),
    ),
]
Pseudonym = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name and ID of the patient in a DICOM output, in place of all that says who it is.",
        rich_help_panel=OUTPUT,
    ),
]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside",
        help="Take what lies beyond the edges of the PNGs too.",
        rich_help_panel=READING,
    ),
]
