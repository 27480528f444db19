"""Write projects for label tools, with the images and the landmarks to place.

To add a program, add the function that makes its files to `PROGRAMS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import UsageError
from sidecar.labels.prepare import cvat, label_studio
from sidecar.mapping import Sidecar
from sidecar.storage.put_files import put_files

#: Name of a program → function that returns file name → content.
PROGRAMS = {"label-studio": label_studio.files, "cvat": cvat.files}


def prepare(
    program: str,
    png: Sidecar,
    names: Sequence[str],
    output: Path,
    *,
    images_at: str | None = None,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write into the folder ``output`` the files that ``program`` imports, and return them.

    With these files the user can place the landmarks ``names``, in this order, on the PNGs of an
    export. ``images_at``: what stands before the names of the PNGs where the program finds them.

    Raises UsageError for an unknown program, LabelError for a name that it cannot have, OutputError
    where a file is in the way or cannot be written.
    """
    if program not in PROGRAMS:
        raise UsageError(f"{program}: there is no such program; give one of {', '.join(PROGRAMS)}")
    return put_files(output, PROGRAMS[program](png, names, images_at), overwrite=overwrite)


def notes_of(png: Sidecar) -> list[str]:
    """Notes for the user on an export that is labelled in a browser."""
    if png.document.images.bits == 8:
        return []
    return [
        "the PNGs have 16 bits. Browsers show only the upper 8, and the images often look nearly"
        " black; export with --bits 8 to label in Label Studio or CVAT"
    ]
