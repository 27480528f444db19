"""Projects of label tools, ready to label: which images there are, and which landmarks.

`PROGRAMS` is the whole extension mechanism: a function for each program that makes its files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import UsageError
from sidecar.labels.prepare import cvat, label_studio
from sidecar.mapping import Sidecar
from sidecar.storage.put_files import put_files

#: name → what its files hold, by their names.
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
    """Write into the folder ``output`` what ``program`` imports to have landmarks ``names``, in
    this order, placed on the PNGs of an export. Returns the files.

    ``images_at``: what stands before the names of the PNGs where the program finds them.

    Raises UsageError for another program, LabelError for a name that it cannot have, OutputError
    where a file is in the way or cannot be written.
    """
    if program not in PROGRAMS:
        raise UsageError(f"{program}: it is one of {', '.join(PROGRAMS)}")
    return put_files(output, PROGRAMS[program](png, names, images_at), overwrite=overwrite)


def notes_of(png: Sidecar) -> list[str]:
    """What is to be told of an export that is labelled in a browser."""
    if png.document.images.bits == 8:
        return []
    return [
        "the PNGs have 16 bits, of which browsers show the upper 8, often nearly black: export with"
        " --bits 8 to label in Label Studio or CVAT"
    ]
