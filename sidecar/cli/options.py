"""Options that several commands on labels share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.declared import OUTPUT as OUTPUT
from sidecar.cli.source_options import place
from sidecar.storage.location import WritableLocation

# Groups of options in help texts.
WHICH_EXPORT = "Which export the labels are of"
READING = "How labels are read"

OutputFile = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="File to write; without it, stdout.",
        rich_help_panel=OUTPUT,
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="Output format; without it, the ending of FILE decides.",
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
            "The export: sidecar.json, its folder, a folder of exports, or a URL. May be repeated."
            " Not needed if sidecar.json lies beside the labels or beside the images that they"
            " name."
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
        help="Format of the labels; without it, sidecar recognises the format.",
        rich_help_panel=READING,
    ),
]
PixelOriginName = Annotated[
    str | None,
    typer.Option(
        "--pixel-origin",
        metavar="center|corner",
        help="Where (0, 0) of the labels lies: the center of the first pixel, or its outer corner.",
        rich_help_panel=READING,
    ),
]
SliceOriginName = Annotated[
    str | None,
    typer.Option(
        "--slice-origin",
        metavar="0|1",
        help="Number of the first PNG in a table of slice numbers, if the table does not show it.",
        rich_help_panel=READING,
    ),
]
ImagesPattern = Annotated[
    str | None,
    typer.Option(
        "--images",
        metavar="GLOB",
        help=(
            "Take only labels on images whose path, task or id matches, such as 'beetle-7/*' or"
            " 'task 40*'."
        ),
        rich_help_panel=WHICH_EXPORT,
    ),
]
TrustNames = Annotated[
    bool,
    typer.Option(
        "--trust-names",
        help="Accept image names without a tag: the number in the name says which PNG it is.",
        rich_help_panel=WHICH_EXPORT,
    ),
]
Observers = Annotated[
    list[str] | None,
    typer.Option(
        "--observer",
        metavar="NAME",
        help=(
            "Who labelled: once for each session in order, or once for all. Without it, the column"
            " observer decides."
        ),
    ),
]
Pseudonym = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Patient name and ID for a DICOM output. It replaces everything that identifies the"
        " patient.",
        rich_help_panel=OUTPUT,
    ),
]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside",
        help="Also take points beyond the edges of the PNGs.",
        rich_help_panel=READING,
    ),
]
