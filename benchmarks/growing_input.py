"""What `growth` runs commands on: so many small slices, stacks, frames, labels, files or segments.

Pixels are holes: only what grows is there.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import sidecar
from benchmarks import dicom, scan
from benchmarks.dicom import Kind, element
from sidecar.document.model import SIDECAR_NAME
from sidecar.document.reading import load
from sidecar.labels.writers.csv_points import COLUMNS
from sidecar.mapping import Sidecar

#: Edge of all slices.
SIZE = 64
_ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
_NAMES = 50


def slices(folder: Path, count: int, size: int = SIZE) -> Path:
    """One stack."""
    return scan.write_sparse_scan(folder, Kind(size), count)


def stacks(folder: Path, count: int) -> Path:
    """So many series of three slices."""
    for k in range(count):
        scan.write_sparse_scan(folder / f"{k:05d}", Kind(SIZE, series=f"2.25.7.{k + 1}"), 3)
    return folder


def exports(folder: Path, source: Path, count: int) -> Path:
    """So many exports of parts of one scan, each of another size."""
    for k in range(count):
        part = f":{SIZE - k % 32},:{SIZE - k // 32},:{2 + k % 7}"
        sidecar.export(source, folder / f"{k:05d}", scale=1, crop=part, viewer=False, jobs=1)
    return folder


def adopted(folder: Path, source: Path, count: int) -> Path:
    """So many adopted stacks, in which all images have the same names."""
    names = ("a.png", "b.png", "c.png")
    made = scan.write_scan(source, Kind(2 * SIZE), len(names))
    sidecar.export(made, folder, scale=1, viewer=False, jobs=1)
    pngs = sorted(folder.glob("*.png"))
    for k in range(count):
        (folder / f"{k:05d}").mkdir()
        for png, name in zip(pngs, names, strict=True):
            with Image.open(png) as image:
                part = np.asarray(image)[k % 40 :, k // 40 :]
            Image.fromarray(part).save(folder / f"{k:05d}" / name)
        sidecar.adopt(made, folder / f"{k:05d}", flip="none", z_step=1)
    for path in (*pngs, folder / SIDECAR_NAME):
        path.unlink()
    return folder


def config(work: Path, count: int) -> Path:
    """A config that lists so many sources of three slices."""
    stacks(work / "scans", count)
    sources = [f"  - {{source: scans/{k:05d}, output: pngs/{k:05d}}}" for k in range(count)]
    path = work / "config.yaml"
    path.write_text("\n".join(["scale: 1/2", "sources:", *sources, ""]), encoding="utf-8")
    return path


def enhanced(folder: Path, frames: int) -> Path:
    """One enhanced multi-frame file, with functional groups as scanners write them."""
    folder.mkdir()
    top = dict(_elements(dicom.multiframe_header(Kind(SIZE), frames)[1]))
    top[0x00080016] = element(0x00080016, "UI", _ENHANCED_CT)
    top[0x00080060] = element(0x00080060, "CS", "CT")
    top[0x00200052] = element(0x00200052, "UI", "2.25.7.1")
    shared = (
        _sequence(0x00209116, element(0x00200037, "DS", "1\\0\\0\\0\\1\\0")),
        _sequence(
            0x00289110, element(0x00180050, "DS", "0.01") + element(0x00280030, "DS", "0.01\\0.01")
        ),
        _sequence(
            0x00289145,
            element(0x00281052, "DS", "0")
            + element(0x00281053, "DS", "1")
            + element(0x00281054, "LO", "HU"),
        ),
    )
    top[0x52009229] = _sequence(0x52009229, b"".join(shared))
    top[0x52009230] = _sequence(0x52009230, *(_frame(k) for k in range(frames)))
    meta, _ = dicom.slice_header(Kind(SIZE), 0)
    length = 2 * SIZE**2 * frames
    with (folder / "enhanced.dcm").open("wb") as file:
        file.write(meta + b"".join(top[tag] for tag in sorted(top)) + dicom.native_pixels(length))
        file.truncate(file.tell() + length)
    return folder


def _frame(k: int) -> bytes:
    """The functional groups of one frame."""
    content = b"".join(
        (
            element(0x00189074, "DT", f"20240101120000.{k:06d}"),
            element(0x00209056, "SH", "1"),
            element(0x00209057, "UL", struct.pack("<I", k + 1)),
            element(0x00209157, "UL", struct.pack("<II", 1, k + 1)),
        )
    )
    window = element(0x00281050, "DS", "24000") + element(0x00281051, "DS", "44000")
    groups = (
        _sequence(0x00189329, element(0x00089007, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE")),
        _sequence(0x00209111, content),
        _sequence(0x00209113, element(0x00200032, "DS", f"0\\0\\{k * 0.01:.4f}")),
        _sequence(0x00289132, window),
    )
    return b"".join(groups)


def _sequence(tag: int, *items: bytes) -> bytes:
    """A sequence of defined length."""
    heads = (struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return element(tag, "SQ", b"".join(heads))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a data set whose VRs are short, each with its tag."""
    starts = [0]
    while starts[-1] < len(data):
        (length,) = struct.unpack_from("<H", data, starts[-1] + 6)
        starts.append(starts[-1] + 8 + length)
    for start, stop in pairwise(starts):
        group, number = struct.unpack_from("<HH", data, start)
        yield group << 16 | number, data[start:stop]


def _places(png: Path, count: int) -> tuple[list[str], NDArray[np.float64], NDArray[np.intp]]:
    """Names of the PNGs of an export, and (count, 2) pixels on PNGs of these numbers."""
    names = [file.name for file in load(png).images.files]
    numbers = np.random.default_rng(1)
    xy = numbers.uniform(1, SIZE / 2 - 2, (count, 2)).round(2)
    return names, xy, numbers.integers(0, len(names), count)


def table(work: Path, png: Path, count: int) -> Path:
    """A CSV of labels."""
    names, xy, on = _places(png, count)
    rows = (
        f"{names[k]},{x},{y},landmark {i % _NAMES}"
        for i, ((x, y), k) in enumerate(zip(xy.tolist(), on.tolist(), strict=True))
    )
    return _written(work / "labels.csv", "\n".join(["image,x,y,label", *rows, ""]))


def mapped(work: Path, png: Path, count: int) -> Path:
    """A table as map-points writes it."""
    _, xy, on = _places(png, count)
    points = Sidecar.open(png)
    source, patient = points.to_source(xy, on), points.to_patient(xy, on)
    series = points.document.source.series_instance_uid
    rows = (
        ",".join([f"landmark {i}", series, *map(repr, [*where, *mm]), "0.01", "LPS"])
        for i, (where, mm) in enumerate(zip(source.tolist(), patient.tolist(), strict=True))
    )
    columns = ("label", "series_uid", *COLUMNS[:7], "space")
    return _written(work / "mapped.csv", "\n".join([",".join(columns), *rows, ""]))


def specimens(work: Path, count: int) -> list[Path]:
    """Tables of map-points of so many specimens, of as many landmarks each."""
    numbers = np.random.default_rng(1)
    mean = numbers.uniform(0, 10, (_NAMES, 3))
    header = "label,x_mm,y_mm,z_mm,uncertainty_mm,space"
    files = []
    for k in range(count):
        places = mean + numbers.normal(0, 0.1, mean.shape)
        rows = (f"landmark {i},{x},{y},{z},0.01,LPS" for i, (x, y, z) in enumerate(places.tolist()))
        files.append(_written(work / f"specimen_{k:04d}.csv", "\n".join([header, *rows, ""])))
    return files


def results(work: Path, exports: Path) -> Path:
    """One Results table of ImageJ with ten points on each of many exports."""
    names = (
        load(export).images.files[k % 2].name for export in _folders(exports) for k in range(10)
    )
    rows = (
        f"{i + 1},{name}:{3 + i % 9:04d}-{4 + i % 7:04d},0,{4 + i % 7},{3 + i % 9},1"
        for i, name in enumerate(names)
    )
    return _written(work / "Results.csv", "\n".join([" ,Label,Area,X,Y,Slice", *rows, ""]))


def beside(stacks: Path) -> list[Path]:
    """A CSV with ten points in the folder of each of many stacks."""
    files = []
    for folder in _folders(stacks):
        names = [file.name for file in load(folder).images.files]
        rows = (f"{names[i % len(names)]},{4 + i},5,landmark {i}" for i in range(10))
        files.append(_written(folder / "labels.csv", "\n".join(["image,x,y,label", *rows, ""])))
    return files


def _folders(exports: Path) -> list[Path]:
    return sorted(exports.iterdir())


def coco(work: Path, png: Path, count: int) -> Path:
    """COCO JSON with one keypoint an annotation."""
    names, xy, on = _places(png, count)
    document = {
        "images": [
            {"id": k, "file_name": name, "width": SIZE // 2, "height": SIZE // 2}
            for k, name in enumerate(names)
        ],
        "categories": [{"id": 1, "name": "tip", "keypoints": ["tip"]}],
        "annotations": [
            {"id": i, "image_id": k, "category_id": 1, "keypoints": [x, y, 2]}
            for i, ((x, y), k) in enumerate(zip(xy.tolist(), on.tolist(), strict=True))
        ],
    }
    return _written(work / "coco.json", json.dumps(document))


def labelme(work: Path, png: Path, count: int) -> Path:
    """A folder of LabelMe files, one beside each of the first PNGs."""
    names, xy, _ = _places(png, count)
    folder = work / "labelme"
    folder.mkdir()
    for name, place in zip(names, xy.tolist(), strict=False):
        shape = {"label": "tip", "points": [place], "shape_type": "point"}
        document = {
            "version": "5.0",
            "flags": {},
            "shapes": [shape],
            "imagePath": name,
            "imageData": None,
            "imageWidth": SIZE // 2,
            "imageHeight": SIZE // 2,
        }
        _written(folder / f"{Path(name).stem}.json", json.dumps(document))
    return folder


def tables(work: Path, png: Path, count: int) -> Path:
    """A folder of CSV files, one with the name of each of the first PNGs."""
    names, xy, _ = _places(png, count)
    folder = work / "tables"
    folder.mkdir()
    for name, (x, y) in zip(names, xy.tolist(), strict=False):
        _written(folder / f"{Path(name).stem}.csv", f"label,x,y\ntip,{x},{y}\n")
    return folder


def painted(folder: Path, png: Path, segments: int) -> Path:
    """Label PNGs of an export, each with all of so many segments: tiles of it."""
    images = load(png).images
    folder.mkdir()
    width, height = images.size[:2]
    across = math.ceil(math.sqrt(segments))
    x, y = np.arange(width) * across // width, np.arange(height) * across // height
    tiles = (y[:, None] * across + x) % segments + 1
    for file in images.files:
        Image.fromarray(tiles.astype(np.uint16)).save(folder / file.name)
    return folder


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
