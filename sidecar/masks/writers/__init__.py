"""Writers of mapped masks, one small file per format. `WRITERS` is the whole extension
mechanism.
"""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import UsageError
from sidecar.masks.writers.model import MaskWriter
from sidecar.masks.writers.nifti import WRITER as NIFTI
from sidecar.masks.writers.png import WRITER as PNG
from sidecar.masks.writers.rtstruct import WRITER as RTSTRUCT
from sidecar.masks.writers.seg import WRITER as SEG
from sidecar.masks.writers.seg_nrrd import WRITER as SEG_NRRD

#: Every mask format, by its name for ``--to``.
WRITERS: dict[str, MaskWriter] = {
    writer.name: writer for writer in (SEG, SEG_NRRD, NIFTI, PNG, RTSTRUCT)
}


def writer_for(path: Path, name: str | None = None) -> MaskWriter:
    """The writer with this name, or the one for the ending of ``path``. A folder means label PNGs.

    UsageError where there is none.
    """
    if name is not None:
        if name not in WRITERS:
            raise UsageError(
                f"--to {name}: there is no such format; the formats are {', '.join(WRITERS)}"
            )
        return WRITERS[name]
    lower = path.name.lower()
    fitting = [
        writer
        for writer in WRITERS.values()
        if any(lower.endswith(ending) for ending in writer.endings)
    ]
    if fitting:
        return fitting[0]
    if not path.suffix:
        return PNG
    raise UsageError(
        f"{path.name}: this ending belongs to no mask format; choose one with --to"
        f" {'|'.join(WRITERS)}"
    )
