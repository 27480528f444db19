"""Files for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sidecar.api.spelling import in_python

if TYPE_CHECKING:
    from sidecar.mapping import Sidecar
    from sidecar.storage.locate import Place


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


@in_python
def prepare(
    program: Literal["label-studio", "cvat"],
    export: Sidecar | Place,
    names: str | Path | Sequence[str],
    output: str | Path,
    *,
    images_at: str | None = None,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write what a label tool imports to have landmarks placed on the PNGs of an export. The way
    back is `map_points` on what the tool exports.

    Args:
        program: "label-studio", tasks and the set-up of the labelling page; "cvat", the labels of a
            task, into which the PNGs are uploaded.
        export: its mapping, its folder, or their URL.
        names: a text file with the landmarks' names, one a line, or the names themselves; the tool
            offers them in this order.
        output: the folder; it is made where it is missing.
        images_at: for Label Studio, what stands before the PNGs' names, such as
            "s3://scans/png/"; without it the folder of the PNGs lies in the folder of local files
            that the server shows.
        overwrite: replace files of these names that hold something else.

    Returns:
        The files.

    Raises:
        UsageError: another program, or options that say nothing to it.
        LabelError: names that the tool cannot have, or one that is there twice.
        DocumentError: a sidecar.json that cannot be trusted, or none.
        OutputError: a file is in the way, or cannot be written.

    Examples:
        >>> made = sidecar.prepare("label-studio", "png", ["bregma", "lambda"], "project")
        >>> [path.name for path in made]
        ['tasks.json', 'labelling-setup.xml']
    """
    from sidecar.labels.prepare import prepare
    from sidecar.labels.prepare.names import checked_names, read_names
    from sidecar.mapping import Sidecar

    png = export if isinstance(export, Sidecar) else Sidecar.open(export)
    listed = read_names(Path(names)) if isinstance(names, (str, Path)) else checked_names(names)
    return prepare(program, png, listed, Path(output), images_at=images_at, overwrite=overwrite)
