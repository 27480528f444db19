"""Label PNGs: gray, the value of a pixel is its label. There is one PNG for every slice, even
without a label, and labels.json.

At source size their names are source_0000.png … by source slice. At PNG size they are those of the
PNGs of the export.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sidecar.errors import counted
from sidecar.formats.png import encode
from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import LabelArray
from sidecar.masks.writers.model import MaskWriter, size_text
from sidecar.progress import Progress
from sidecar.storage.local import Local

INDEX = "labels.json"


def check(mask: MappedMask, headers: HeaderSource | None) -> tuple[str, ...]:
    columns, rows, slices = mask.sidecar.size if mask.is_decimated else mask.size
    size = size_text(columns * rows * slices * mask.dtype.itemsize)
    return (
        f"{counted(slices, 'PNG')} of {columns} × {rows}, {size} before compression, written one"
        " by one",
    )


def write(mask: MappedMask, path: Path, headers: HeaderSource | None, progress: Progress) -> None:
    folder = Local.at(path)
    names, planes = _images(mask)
    progress.start("writing PNGs", len(names))
    columns, rows, _ = mask.sidecar.size if mask.is_decimated else mask.size
    empty = encode(np.zeros((rows, columns), mask.dtype), {}, None)
    for name, plane in zip(names, planes, strict=True):
        (folder / name).put_unsynced(empty if plane is None else encode(plane, {}, None))
        progress.advance(1, 0)
    index = json.dumps(_index(mask, names), indent=1, ensure_ascii=False)
    (folder / INDEX).put_unsynced(index.encode())


def _images(mask: MappedMask) -> tuple[list[str], Iterator[LabelArray | None]]:
    """Names and labels of all PNGs: of every source slice, or as they were painted."""
    if mask.is_decimated:
        return [file.name for file in mask.sidecar.document.images.files], mask.painted.planes()
    slices = mask.size[2]
    digits = max(4, len(str(slices - 1)))
    return [f"source_{s:0{digits}d}.png" for s in range(slices)], mask.planes()


def _index(mask: MappedMask, names: list[str]) -> dict[str, Any]:
    """The meaning of the values; at source size also the instance of each PNG."""
    segments = [{"value": s.value, "name": s.name, "color": list(s.color)} for s in mask.segments]
    planes = mask.sidecar.document.source.planes
    if mask.is_decimated:
        return {"segments": segments, "files": [{"name": name} for name in names]}
    files = [
        {
            "name": name,
            "sop_instance_uid": plane.sop_instance_uid,
            "frame_number": plane.frame_number,
        }
        for name, plane in zip(names, planes, strict=True)
    ]
    return {"segments": segments, "files": files}


WRITER = MaskWriter("png", (), check, write, is_folder=True)
