"""Masks that label tools keep as pixels in their own files: CVAT and COCO run lengths, Label Studio
brushes, LabelMe bitmaps.

`sidecar.labels.readers` reads the outlines in these files. This module reads the masks.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.errors import LabelError, counted
from sidecar.labels.model import PngStack
from sidecar.labels.readers.cvat import images_of
from sidecar.labels.readers.cvat_frames import Frames, frames_of
from sidecar.labels.readers.label_studio_regions import image_of, label_of, size_of
from sidecar.labels.text import load_json, load_xml, member, pairs, text_of, whole
from sidecar.masks.raster import coco_counts, fill_runs, unpack_runs

Bits = NDArray[np.bool_]

#: A pixel counts as covered by a brush from this opacity on, which is half.
HALF_COVERED = 128


@dataclass(frozen=True, slots=True)
class Bitmap:
    """One area of pixels. ``pixels()`` unpacks it: (height, width). Its first pixel is at column
    ``left`` and row ``top`` of the PNG. LabelError where it cannot be unpacked.

    ``image_size``: width and height of the image as the file states them, or None.
    ``entry``: tells images of one name apart in the file, as in `sidecar.labels.shapes.Shape`.
    ``id``: that of the shape in which `sidecar.labels.readers` reads its bounding box, or "".
    """

    label: str
    image: str
    slice: int | None
    where: str
    left: int
    top: int
    pixels: Callable[[], Bits]
    image_size: tuple[int, int] | None = None
    id: str = ""
    entry: str = ""


def bitmaps_of(path: Path, reader: str, stack: PngStack) -> tuple[list[Bitmap], tuple[str, ...]]:
    """The bitmaps in a file of the label format ``reader``, and notes for the user.

    ``stack``: the PNGs.
    """
    read = _READERS.get(reader)
    return ([], ()) if read is None else read(path, stack)


def _error(path: Path, where: str, problem: object) -> LabelError:
    return LabelError(f"this mask cannot be read: {problem}", path, where)


def _cvat(path: Path, stack: PngStack) -> tuple[list[Bitmap], tuple[str, ...]]:
    """<mask rle left top width height>: run lengths along the rows of its box, background first.

    Source: CVAT documentation, dataset_management/formats/format-xml.md.
    """
    bitmaps = []
    root, size = load_xml(path), (stack.columns, stack.rows)
    for image, entry in images_of(root):
        stated = tuple(
            whole(image.get(name), path, name=name)
            for name in ("width", "height")
            if name in image.attrib
        )
        for n, element in enumerate(image.findall("mask"), 1):
            where = f"{image.get('name', '')}, mask {n}"
            mask = _cvat_mask(element, path, where, image.get("name", ""), None, stated, size)
            bitmaps.append(replace(mask, entry=entry))
    tracks = root.findall("track")
    frames = frames_of(root, tracks, stack, path) if tracks else Frames()
    for track in tracks:
        for element in track.findall("mask"):
            if element.get("keyframe", "1") == "1" and element.get("outside", "0") == "0":
                frame = whole(element.get("frame"), path, f"track {track.get('id', '')}", "frame")
                where = f"track {track.get('id', '')}, frame {frame}"
                slice_ = frames.slice_of(frame, path, where)
                label = track.get("label", "")
                bitmaps.append(_cvat_mask(element, path, where, "", slice_, (), size, label))
    return bitmaps, ()


def _cvat_mask(
    element: Any,
    path: Path,
    where: str,
    image: str,
    slice_: int | None,
    stated: tuple[int, ...],
    size: tuple[int, int],
    label: str = "",
) -> Bitmap:
    left, top, width, height = (
        whole(element.get(name), path, where, name) for name in ("left", "top", "width", "height")
    )
    if not (0 <= width <= size[0] and 0 <= height <= size[1]):
        raise _error(path, where, f"its box of {width} × {height} pixels is larger than the PNG")
    text = element.get("rle", "")

    def pixels() -> Bits:
        try:
            return fill_runs(
                [int(part) for part in text.split(",")], height, width, by_columns=False
            )
        except ValueError as error:
            raise _error(path, where, error) from None

    image_size = (stated[0], stated[1]) if len(stated) == 2 else None
    return Bitmap(element.get("label", label), image, slice_, where, left, top, pixels, image_size)


def _coco(path: Path, stack: PngStack) -> tuple[list[Bitmap], tuple[str, ...]]:
    """segmentation {size: [height, width], counts}: run lengths down the columns, background first,
    as numbers or as compressed text.

    Source: cocodataset.org, Data format; pycocotools, mask.py.
    """
    document = load_json(path)
    images = {
        text_of(i.get("id")): i
        for i in member(document, "images", list, path)
        if isinstance(i, dict)
    }
    names = {
        text_of(c.get("id")): text_of(c.get("name"))
        for c in member(document, "categories", list, path)
        if isinstance(c, dict)
    }
    bitmaps = []
    for n, annotation in enumerate(member(document, "annotations", list, path), 1):
        if not isinstance(annotation, dict) or not isinstance(annotation.get("segmentation"), dict):
            continue
        where, runs = f"annotation {n}", annotation["segmentation"]
        rows, columns = (
            whole(value, path, where, "size")
            for value in (*member(runs, "size", list, path, where), None, None)[:2]
        )
        image = images.get(text_of(annotation.get("image_id")), {})
        label, id_ = (
            names.get(text_of(annotation.get("category_id")), ""),
            text_of(annotation.get("id")),
        )
        if not id_:
            raise _error(path, where, "the annotation has no id")
        pixels = _coco_pixels(runs.get("counts"), rows, columns, path, where)
        bitmaps.append(
            Bitmap(
                label,
                text_of(image.get("file_name")).replace("\\", "/"),
                None,
                where,
                0,
                0,
                pixels,
                (columns, rows),
                id_,
                f"image {text_of(annotation.get('image_id'))}",
            )
        )
    return bitmaps, ()


def _coco_pixels(
    counts: object, rows: int, columns: int, path: Path, where: str
) -> Callable[[], Bits]:
    def pixels() -> Bits:
        try:
            lengths = (
                coco_counts(counts)
                if isinstance(counts, str)
                else [whole(count, path, where, "count") for count in _list(counts)]
            )
            return fill_runs(lengths, rows, columns, by_columns=True)
        except LabelError:
            raise
        except ValueError as error:
            raise _error(path, where, error) from None

    return pixels


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("its counts are neither a list nor text")
    return value


def _label_studio(path: Path, stack: PngStack) -> tuple[list[Bitmap], tuple[str, ...]]:
    """brushlabels: an RGBA image packed by thi.ng/rle-pack. Its opacity is the mask.

    The brush is drawn with soft edges. Label Studio shows every pixel that it touches. This
    function takes the pixels that it covers by half or more: their centres lie within the stroke.
    Source: web/libs/editor/src/utils/canvas.js; label_studio_converter, brush.py.
    """
    bitmaps: list[Bitmap] = []
    bit_masks = 0
    tasks = load_json(path)
    for n, task in enumerate(tasks if isinstance(tasks, list) else [], 1):
        task_place = (
            f"task {text_of(task.get('id')) or n}" if isinstance(task, dict) else f"task {n}"
        )
        for annotation in member(task, "annotations", list, path, task_place):
            if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
                continue
            for result in member(annotation, "result", list, path, task_place):
                kind = (
                    text_of(result.get("type")).removesuffix("labels")
                    if isinstance(result, dict)
                    else ""
                )
                bit_masks += kind == "bitmask"
                if kind == "brush":
                    bitmaps.append(
                        _brush(
                            result,
                            task.get("data"),
                            path,
                            task_place,
                        )
                    )
    if bit_masks:
        raise LabelError(
            f"holds {counted(bit_masks, 'BitMask region')}, and these are not read; use the Brush"
            " tool, or export masks as PNG",
            path,
        )
    note = "brush strokes have soft edges; a pixel was taken if the brush covers half of it or more"
    return bitmaps, (note,) if bitmaps else ()


def _brush(result: dict[str, Any], data: object, path: Path, task: str) -> Bitmap:
    where = f"{task}, region {text_of(result.get('id'))}"
    value = member(result, "value", dict, path, where)
    if value.get("format") != "rle":
        raise _error(path, where, "its format is not rle")
    columns, rows = size_of(result, path, where)
    packed = member(value, "rle", list, path, where)
    label = label_of(value.get("brushlabels") or value.get("labels"))
    image = image_of(data if isinstance(data, dict) else {}, result.get("item_index"), path, where)

    def pixels() -> Bits:
        try:
            opacity = unpack_runs(bytes(packed), 4 * rows * columns)
            return np.asarray(opacity.reshape(rows, columns, 4)[..., 3] >= HALF_COVERED)
        except (ValueError, TypeError) as error:
            raise _error(path, where, error) from None

    return Bitmap(label, image, None, where, 0, 0, pixels, (columns, rows), entry=task)


def _labelme(path: Path, stack: PngStack) -> tuple[list[Bitmap], tuple[str, ...]]:
    """shape_type mask: a PNG in base64. Its first pixel is at the first point of the shape, rounded
    as LabelMe does, halves to even.

    Source: labelme/_utils/shape.py, shapes_to_label.
    """
    document = load_json(path)
    image = member(document, "imagePath", str, path).replace("\\", "/")
    stated = tuple(
        whole(document[key], path, name=key)
        for key in ("imageWidth", "imageHeight")
        if document.get(key) is not None
    )
    bitmaps = []
    for n, shape in enumerate(member(document, "shapes", list, path), 1):
        if isinstance(shape, dict) and shape.get("shape_type") == "mask":
            where = f"shape {n}"
            corners = pairs(member(shape, "points", list, path, where), path, where)
            if not corners:
                raise _error(path, where, "it has no points")
            left, top = (round(value) for value in corners[0])
            pixels = _png_pixels(member(shape, "mask", str, path, where), stack, path, where)
            image_size = (stated[0], stated[1]) if len(stated) == 2 else None
            bitmaps.append(
                Bitmap(
                    text_of(shape.get("label")), image, None, where, left, top, pixels, image_size
                )
            )
    return bitmaps, ()


def _png_pixels(text: str, stack: PngStack, path: Path, where: str) -> Callable[[], Bits]:
    def pixels() -> Bits:
        try:
            with Image.open(
                io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)
            ) as image:
                if image.width > stack.columns or image.height > stack.rows:
                    raise _error(
                        path,
                        where,
                        f"it has {image.width} × {image.height} pixels, more than the PNG",
                    )
                return np.asarray(np.asarray(image.convert("L")) > 0)
        except (
            binascii.Error,
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
            Image.DecompressionBombError,
        ) as error:
            if isinstance(error, LabelError):
                raise
            raise _error(path, where, " ".join(str(error).split())[:100]) from None

    return pixels


_READERS: dict[str, Callable[[Path, PngStack], tuple[list[Bitmap], tuple[str, ...]]]] = {
    "cvat": _cvat,
    "coco": _coco,
    "label-studio": _label_studio,
    "labelme": _labelme,
}
