"""A file is recognised by the reader of its tool, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.tool_files import (
    amira,
    deeplabcut,
    napari_points,
    napari_shapes,
    pts,
    qupath,
    slicer_fcsv,
    slicer_mrk,
    tps,
    voc,
    yolo_box,
)

from sidecar.labels.model import Reader
from sidecar.labels.readers import READERS as REGISTERED
from sidecar.labels.readers import deeplabcut as deeplabcut_labels
from sidecar.labels.readers import napari, point_sets, slicer, yolo
from sidecar.labels.readers import qupath as qupath_labels
from sidecar.labels.readers import tps as tps_labels
from sidecar.labels.readers import voc as voc_labels

READERS: dict[str, Reader] = REGISTERED | {
    reader.name: reader
    for reader in (
        napari.READER,
        qupath_labels.READER,
        *slicer.READERS,
        yolo.READER,
        voc_labels.READER,
        deeplabcut_labels.READER,
        tps_labels.READER,
        *point_sets.READERS,
    )
}

FILES = {
    "napari": [
        ("layer.csv", napari_points()),
        ("layer.csv", napari_shapes([("line", [(0.0, 1.0, 2.0), (0.0, 3.0, 4.0)])])),
    ],
    "qupath": [("labels.geojson", qupath())],
    "slicer": [("F.mrk.json", slicer_mrk()), ("F.fcsv", slicer_fcsv())],
    "yolo": [("slice_0003.txt", yolo_box(0, 60, 50, 100, 60))],
    "voc": [("slice_0003.xml", voc([("a", 1, 2, 30, 40)]))],
    "deeplabcut": [
        ("CollectedData_Ada.csv", deeplabcut()),
        ("CollectedData_Ada.csv", deeplabcut(split=False, individual="m1")),
    ],
    "tps": [("skulls.tps", tps())],
    "landmark": [("skull.pts", pts())],
    "amira": [("skull.landmarkAscii", amira())],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [(reader, *file) for reader, files in FILES.items() for file in files],
)
def test_by_its_own_reader_alone(reader: str, name: str, text: str, bom: bytes, end: str) -> None:
    head = bom + text.replace("\r\n", "\n").replace("\n", end).encode()
    assert [r.name for r in READERS.values() if r.recognises(Path(name), head[: 1 << 16])] == [
        reader
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"\x89PNG\r\n\x1a\n",
        b"[" * 50_000,
        "Schädel".encode("latin-1"),
        b"\xff\xfe{\x00",
    ],
)
@pytest.mark.parametrize("name", sorted(FILES))
def test_anything_else_by_none(name: str, content: bytes) -> None:
    assert not READERS[name].recognises(Path("file"), content)


def test_generic_csv_is_left_to_its_reader() -> None:
    for header in ("label,x,y,slice", "index,x,y,axis-0", "scorer,x,y,image", "id,x,y,z"):
        head = f"{header}\na,1,2,3\n".encode()
        assert not [name for name in FILES if READERS[name].recognises(Path("labels.csv"), head)]
