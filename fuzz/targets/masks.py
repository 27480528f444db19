"""Mask readers: labels of the size of the PNGs, of values that the segments have, or an error."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from kit.label_truth import STACK
from kit.painted_masks import Case, exported, paint, rle_pack
from kit.phantoms import Spec
from kit.tool_files import cvat, label_studio, labelme
from PIL import Image

from fuzz.target import Target, refusals, written
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions
from sidecar.mapping import Sidecar
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import Mask
from sidecar.masks.readers import read_mask
from sidecar.masks.readers.tool_masks import bitmaps_of
from sidecar.masks.writers import WRITERS
from sidecar.progress import Silent

_COLUMNS, _ROWS, _SLICES = 20, 18, 3
_SPEC = Spec(columns=40, rows=36, slices=_SLICES, markers=False, junk=False)


@cache
def _sidecar() -> Sidecar:
    case = Case("small", _SPEC, {"scale": 0.5}, (0, 0, 0), (2, 2, 1))
    with tempfile.TemporaryDirectory() as folder:
        return Sidecar.of(exported(case, Path(folder)).sidecar.document)


def _labels() -> np.ndarray[Any, np.dtype[np.uint8]]:
    stack = np.zeros((_SLICES, _ROWS, _COLUMNS), np.uint8)
    stack[:, 4:11, 6:15] = 1
    stack[1, 8:14, 10:18] = 4
    return stack


def _name() -> str:
    return _sidecar().document.images.files[1].name


def _read(path: Path) -> Mask:
    return read_mask([path], [Export(_sidecar())], options=LoadOptions(trust_names=True))


def _attempt(name: Callable[[], str], data: bytes, folder: Path) -> None:
    path = written(folder, name(), data)
    with refusals(folder):
        mask = _read(path)
        planes = list(mask.planes())
    values = {segment.value for segment in mask.segments}
    assert len(planes) == _SLICES == len(mask.present)
    for plane, present in zip(planes, mask.present, strict=True):
        if plane is not None:
            assert plane.shape == (_ROWS, _COLUMNS)
        found = () if plane is None else tuple(np.unique(plane[plane != 0]).tolist())
        assert found == present
        assert values.issuperset(found)


def _pngs() -> list[bytes]:
    plane = _labels()[1]
    colour = Image.fromarray(plane, "P")
    colour.putpalette([0, 0, 0, 230, 60, 50, 1, 2, 3, 4, 5, 6, 60, 160, 230])
    images = [
        Image.fromarray(plane),
        Image.fromarray(plane.astype(np.uint16)),
        Image.fromarray(plane == 1),
        colour,
        colour.convert("RGB"),
        colour.convert("RGBA"),
    ]
    return [_saved(image, "PNG") for image in images]


def _saved(image: Image.Image, format: str, **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **more)
    return file.getvalue()


def _tiffs() -> list[bytes]:
    import tifffile

    found = []
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        first, *others = [Image.fromarray(plane) for plane in _labels()]
        options = {"save_all": True, "append_images": others, "compression": compression}
        found.append(_saved(first, "TIFF", **options))
    for dtype in (">u2", "<u8", "<f2"):
        file = io.BytesIO()
        tifffile.imwrite(file, _labels().astype(dtype), photometric="minisblack")
        found.append(file.getvalue())
    return found


def _volumes(*endings: str) -> list[bytes]:
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mask = read_mask(
            [paint(folder / "masks", _labels(), _sidecar())],
            [Export(_sidecar())],
            options=LoadOptions(trust_names=True),
        )
        for ending in endings:
            writer = WRITERS["seg.nrrd" if "nrrd" in ending else "nifti"]
            path = folder / f"mask{ending}"
            path.touch()
            writer.write(MappedMask.on_decimated(mask), path, None, Silent())
            found.append(path.read_bytes())
    return found


def _attempt_bitmaps(reader: str, data: bytes, folder: Path) -> None:
    path = written(folder, "slice_0003.txt", data)
    with refusals(folder):
        bitmaps, _ = bitmaps_of(path, reader, STACK)
        pixels = [bitmap.pixels() for bitmap in bitmaps]
    for bits in pixels:
        assert bits.ndim == 2 and bits.dtype == bool


def _png_text() -> str:
    import base64

    return base64.b64encode(_saved(Image.fromarray(_labels()[1] > 0), "PNG")).decode()


def _coco_text() -> str:
    from pycocotools import mask as cocomask

    bits = np.zeros((STACK.rows, STACK.columns), np.uint8, order="F")
    bits[20:60, 30:90] = 1
    encode: Callable[[Any], dict[str, bytes]] = cocomask.encode
    return encode(bits)["counts"].decode()


def _bitmap_files(reader: str) -> list[bytes]:
    if reader == "labelme":
        mask = labelme.shape("a", [[6, 4], [25, 21]], "mask", mask=_png_text())
        return [json.dumps(labelme.document([mask])).encode()]
    if reader == "cvat":
        runs = '<mask label="a" rle="3, 4, 2, 5, 6" left="5" top="6" width="5" height="4"/>'
        return [cvat.document(cvat.image("slice_0003.png", runs)).encode()]
    if reader == "label-studio":
        opacity = np.zeros((STACK.rows, STACK.columns, 4), np.uint8)
        opacity[20:60, 30:90] = 255
        brush = {"format": "rle", "rle": list(rle_pack(opacity.ravel())), "brushlabels": ["a"]}
        return [
            json.dumps([label_studio.task([label_studio.region("brushlabels", brush)])]).encode()
        ]
    counts = [7, 20, STACK.rows * STACK.columns - 27]
    forms = [
        {"size": [STACK.rows, STACK.columns], "counts": form} for form in (counts, _coco_text())
    ]
    return [
        json.dumps(
            {
                "images": [
                    {
                        "id": 1,
                        "file_name": "slice_0003.png",
                        "width": STACK.columns,
                        "height": STACK.rows,
                    }
                ],
                "categories": [{"id": 1, "name": "a"}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation": form}
                ],
            }
        ).encode()
        for form in forms
    ]


TARGETS = [
    Target("masks png", _pngs, partial(_attempt, _name)),
    Target("masks tiff", _tiffs, partial(_attempt, lambda: "masks.tif")),
    Target("masks nrrd", partial(_volumes, ".nrrd"), partial(_attempt, lambda: "mask.nrrd")),
    Target("masks nifti", partial(_volumes, ".nii"), partial(_attempt, lambda: "mask.nii")),
    Target(
        "masks nifti, packed",
        partial(_volumes, ".nii.gz"),
        partial(_attempt, lambda: "mask.nii.gz"),
    ),
    *(
        Target(f"bitmaps {name}", partial(_bitmap_files, name), partial(_attempt_bitmaps, name))
        for name in ("cvat", "coco", "label-studio", "labelme")
    ),
]
