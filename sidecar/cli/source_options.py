"""The parser of places for all commands, and the options that export and adopt share."""

from __future__ import annotations

from typing import Annotated

from sidecar.cli.declared import Option
from sidecar.errors import UsageError
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation


def place(text: str) -> WritableLocation:
    """The location of a path or URL, for options of typer.

    Raises typer's BadParameter, with our own message, where the text is no place.
    """
    try:
        return locate(text)
    except UsageError as error:
        from typer import BadParameter

        raise BadParameter(str(error)) from None


#: The group of options about the source, in help texts.
WHICH_SLICES = "Which slices, and how large voxels are"

VoxelSize = Annotated[
    str | None,
    Option(
        "--voxel",
        metavar="X,Y,Z|XY,Z",
        help=(
            "Voxel size in mm along columns, rows and slices, if the headers have none or a wrong"
            " one."
        ),
        rich_help_panel=WHICH_SLICES,
    ),
]
SliceOrder = Annotated[
    str | None,
    Option(
        "--order",
        metavar="name|number",
        help="With --voxel: order slices by file name, or by Instance Number.",
        rich_help_panel=WHICH_SLICES,
    ),
]
JoinStacks = Annotated[
    bool | None,
    Option(
        "--join",
        help="Join all stacks, or those of --series 1,3-5, into one stack.",
        rich_help_panel=WHICH_SLICES,
    ),
]
