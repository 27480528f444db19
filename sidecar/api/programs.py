"""Write files for other programs."""

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
    """Copy the files that another program needs to work with exports.

    Args:
        program: "fiji", a toolset for ImageJ and Fiji; "slicer", a module for 3D Slicer; "r", a
            function for R.
        output: the folder, usually one of that program. It is made if it is missing.
        overwrite: replace files of the same names that hold something else.

    Returns:
        The paths of the copies.

    Raises:
        UsageError: there are no files for this program.
        OutputError: another file has the same name, or a file cannot be written.

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
    """Write the files with which a label tool sets up landmarks on the PNGs of an export.

    `map_points` reads what the tool exports afterwards.

    Args:
        program: "label-studio": tasks and the set-up of the labelling page. "cvat": the labels of a
            task; the user uploads the PNGs to that task.
        export: the mapping of the export, its folder, or their URL.
        names: the landmarks' names; or a file with one name per line, or a CSV with a column label
            or name. The tool offers them in this order.
        output: the folder. It is made if it is missing.
        images_at: for Label Studio: what stands before the PNGs' names, such as "s3://scans/png/".
            Without it, the folder of the PNGs must lie in the folder of local files that the server
            shows.
        overwrite: replace files of the same names that hold something else.

    Returns:
        The paths of the files.

    Raises:
        UsageError: the program is unknown, or has no such option.
        LabelError: the tool cannot have one of the names, or a name is given twice.
        DocumentError: a sidecar.json is missing or cannot be trusted.
        OutputError: another file has the same name, or a file cannot be written.

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
