"""Files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sidecar.api.spelling import in_python


@in_python
def integrations(
    program: Literal["fiji", "slicer", "r"], output: str | Path, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Copy the files that let another program work with exports into a folder of that program.

    Args:
        program: "fiji", a toolset for ImageJ and Fiji; "slicer", a module for 3D Slicer; "r", a
            function for R.
        output: the folder; it is made where it is missing.
        overwrite: replace files of these names that hold something else.

    Returns:
        The copies.

    Raises:
        UsageError: another program.
        OutputError: a file is in the way, or cannot be written.

    Examples:
        >>> [path.name for path in sidecar.integrations("fiji", "toolsets")]
        ['Sidecar.ijm']
    """
    from sidecar.shipped import copy_shipped

    return copy_shipped(program, output, overwrite=overwrite)
