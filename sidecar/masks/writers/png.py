"""Label PNGs: gray, the value of a pixel is its label; one for every slice, those without a label too, and labels.json.

At source size they are named source_0000.png … by source slice, at PNG size as the PNGs of the export.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sidecar.masks.mask import MappedMask
from sidecar.masks.writers.table import MaskWriter, size_text
from sidecar.png import encode
from sidecar.progress import Progress
from sidecar.render import write_whole

INDEX = "labels.json"


def check(mask: MappedMask, dicom: Path | None) -> tuple[str, ...]:
    columns, rows, slices = mask.size
    size = size_text(columns * rows * slices * mask.mask.dtype.itemsize)
    return (f"{slices} PNGs of {columns} × {rows}, {size} before compression, written one by one",)


def write(mask: MappedMask, path: Path, dicom: Path | None, progress: Progress) -> None:
    path.mkdir()
    names = file_names(mask)
    progress.start("writing PNGs", len(names))
    columns, rows, _ = mask.size
    empty = encode(np.zeros((rows, columns), mask.mask.dtype), {}, None)
    for name, plane in zip(names, mask.watched(progress), strict=True):
        write_whole(path / name, empty if plane is None else encode(plane, {}, None))
    write_whole(path / INDEX, [json.dumps(index(mask, names), indent=1, ensure_ascii=False).encode()])


def file_names(mask: MappedMask) -> list[str]:
    """PNG names in slice order."""
    images, slices = mask.mask.sidecar.document.images, mask.size[2]
    if mask.stated is images:
        return [file.name for file in images.files]
    digits = max(4, len(str(slices - 1)))
    return [f"source_{s:0{digits}d}.png" for s in range(slices)]


def index(mask: MappedMask, names: list[str]) -> dict[str, Any]:
    """What the values mean, and which instances the PNGs lie on."""
    planes = mask.mask.sidecar.document.source.planes
    return {
        "segments": [{"value": s.value, "name": s.name, "color": list(s.color)} for s in mask.mask.segments],
        "files": [
            {
                "name": name,
                "source_slices": list(mask.source_slices(k)),
                "sop_instance_uids": [planes[s].sop_instance_uid for s in mask.source_slices(k)],
                "frame_numbers": [planes[s].frame_number for s in mask.source_slices(k)],
            }
            for k, name in enumerate(names)
        ],
    }


WRITER = MaskWriter("png", (), check, write, is_folder=True)
