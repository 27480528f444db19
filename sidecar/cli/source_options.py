"""Options of DICOM sources, as all commands that read one anew have them."""

from __future__ import annotations

from typing import Annotated

import typer

VoxelSize = Annotated[
    str | None,
    typer.Option(
        "--voxel",
        metavar="X,Y,Z|XY,Z",
        help=(
            "Voxel size in mm by hand, along columns, rows and slices, where headers have none or a"
            " wrong one."
        ),
    ),
]
SliceOrder = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="name|number",
        help="With --voxel: slices by file name, or by Instance Number.",
    ),
]
JoinStacks = Annotated[
    bool | None,
    typer.Option("--join", help="All stacks, or those of --series 1,3-5, are one stack."),
]
