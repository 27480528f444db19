"""Label readers: finite points with all columns of one length, or a LabelError."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kit.label_truth import LANDMARKS, ONE, STACK, WHOLE_CORNER
from kit.tool_files import deeplabcut_h5, imagej, label_studio, makesense
from kit.tool_files.samples import SAMPLES

from fuzz.target import Target, refusals, written
from sidecar.labels.model import Labels, ReadOptions
from sidecar.labels.readers import HEAD_BYTES, READERS

#: Of the PNG that files without a name of it are of; files that count slices may name none.
_FILE, _OF_STACKS = "slice_0003.txt", "layer.csv"
_COUNTING = ("amira", "landmark", "napari", "slicer")
#: What readers of files that name no image and no origin have to be told.
_OF_ONE = {"imagej-xy": (ONE, ReadOptions("center"))}


def _attempt(reader: str, data: bytes, folder: Path) -> None:
    counts = reader.startswith(_COUNTING)
    path = written(folder, _OF_STACKS if counts else _FILE, data)
    READERS[reader].recognises(path, data[:HEAD_BYTES])
    with refusals(folder):
        labels = READERS[reader].read(path, *_OF_ONE.get(reader, (STACK, ReadOptions())))
    _check(labels)


def _check(labels: Labels) -> None:
    assert labels.xy.shape == (len(labels), 2)
    assert np.isfinite(labels.xy).all()
    assert not np.isinf(labels.slice).any()
    assert {len(column) for column in labels.columns.values()} <= {len(labels)}
    assert all(isinstance(cell, str) for column in labels.columns.values() for cell in column)


def _rois() -> list[bytes]:
    import roifile

    return [
        roifile.ImagejRoi.frompoints(np.array([[m.x, m.y]]), name=m.name, position=m.slice + 1)
        .tobytes()
        for m in LANDMARKS[:3]
    ]  # fmt: skip


def _imagej_rois() -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n, roi in enumerate(_rois()):
            archive.writestr(f"{n:04d}-0040-0012.roi", roi)
    return [_rois()[0], packed.getvalue()]


def _imagej_tiff() -> list[bytes]:
    import tifffile

    file = io.BytesIO()
    pixels = np.zeros((STACK.slices, STACK.rows, STACK.columns), ">u1")
    tifffile.imwrite(
        file, pixels, imagej=True, byteorder=">", compression="zlib", metadata={"Overlays": _rois()}
    )
    return [file.getvalue()]


def _deeplabcut_h5() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return [deeplabcut_h5.write(Path(folder) / "C.h5").read_bytes()]


def _label_studio_min() -> list[bytes]:
    m = LANDMARKS[0]
    point: dict[str, Any] = {**label_studio.percent(*m.corner), **label_studio.SIZE}
    point |= {"width": 0.5, "keypointlabels": [m.name]}
    row = {"image": f"/data/upload/1/4ac13f39-{m.image}", "id": 1, "landmark": [point],
           "annotator": 7, "annotation_id": 101, "lead_time": 12.5}  # fmt: skip
    return [json.dumps([row, {**row, "id": 2}]).encode()]


def _generic_csv() -> list[bytes]:
    rows = [f"{m.name},{m.image},{m.x},{m.y}\n" for m in LANDMARKS]
    return [
        ("label,image,x,y\n" + "".join(rows)).encode(),
        'x;y;slice;remark\n1,5;2,5;3;"a;b"\n'.encode("utf-8-sig"),
        b"shape_type,shape_id,vertex,image,x,y\n"
        + b"".join(b"polygon,1,%d,slice_0001,%d,%d\n" % (n, n, n * n) for n in range(4)),
    ]


_BOX = [b"a,10,20,30,40,slice_0001.png,203,151"]
#: Readers that are told how to read the files of another.
_SAME_FILES = {
    f"{name}-{unit}": name for name in ("slicer", "landmark", "amira") for unit in ("pixels", "mm")
}
#: Of readers that the samples of all tools have none for.
_OTHERS: dict[str, Callable[[], list[bytes]]] = {
    "csv": _generic_csv,
    "imagej-xy": lambda: [imagej.coordinates([(1, 2), (3, 4)]).encode()],
    "imagej-roi": _imagej_rois,
    "imagej-tiff": _imagej_tiff,
    "deeplabcut-h5": _deeplabcut_h5,
    "label-studio-min": _label_studio_min,
    "makesense-lines": lambda: _BOX,
    "makesense-boxes": lambda: _BOX,
    "makesense": lambda: ["\n".join(map(makesense.row, WHOLE_CORNER)).encode()],
}


def _seeds(reader: str) -> list[bytes]:
    if reader in _OTHERS:
        return _OTHERS[reader]()
    written_for = _SAME_FILES.get(reader, reader)
    return [sample.text.encode() for sample in SAMPLES if sample.reader == written_for]


TARGETS = [
    Target(f"labels {name}", partial(_seeds, name), partial(_attempt, name)) for name in READERS
]
