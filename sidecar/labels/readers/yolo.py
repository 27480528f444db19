"""YOLO labels, one text file per PNG: boxes, boxes with keypoints (pose), and polygons
(segmentation). Pixel origin: corner.

A line is `class x y width height`, followed by keypoints for pose, or `class x1 y1 x2 y2 ...` for a
polygon, all as fractions of the image's width and height: corner coordinate = fraction * size
(Ultralytics documentation, "Datasets"). The file's name is the image's. Class names and the number
of keypoints come from `classes.txt` or `data.yaml` in the same folder, and only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import head_text, number, read_text, whole

_TOOL = "YOLO"
_DATASET, _CLASSES = "data.yaml", "classes.txt"
_HEAD_BYTES = 64 * 2**10
_NAMES_BYTES = 2**20

_LINE = re.compile(r"\d+( [-+.\deE]+){4,}", re.ASCII)
#: A fraction further out of 0..1 than this is none; rounding is far below it.
_SLACK = 0.01

_ROUNDED = (
    "YOLO writes fractions of the image's size, mostly with six decimals: right to about size / 2"
    " 000 000 pixels"
)
_UNLABELLED = (
    "Keypoints marked as not labelled (visibility 0, or negative coordinates) are left out"
)

_Task = Literal["box", "pose", "polygon"]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: the class, and the numbers after it."""

    where: str
    class_: int
    numbers: list[float]


@dataclass(frozen=True, slots=True)
class _Dataset:
    """What the files beside the labels tell.

    ``keypoints`` is (how many, 2 or 3 numbers each) for pose, else None; ``described`` whether
    there is a data.yaml at all.
    """

    names: dict[int, str] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None
    described: bool = False


def recognises(path: Path, head: bytes) -> bool:
    """Lines of a class number and at least four fractions, separated by spaces, and nothing
    else.
    """
    lines = head_text(head).splitlines()
    complete = [
        " ".join(line.split())
        for line in (lines[:-1] if len(head) >= _HEAD_BYTES else lines)
        if line.strip()
    ]
    return bool(complete) and all(
        _LINE.fullmatch(line) and _are_fractions(line.split()[1:5]) for line in complete
    )


def _are_fractions(words: list[str]) -> bool:
    try:
        return all(0 <= float(word) <= 1 for word in words)
    except ValueError:
        return False


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """The boxes, keypoints and polygons of one PNG.

    Raises LabelError, also where keypoints and polygons look alike.
    """
    lines = enumerate(read_text(path).splitlines(), start=1)
    rows = [_row(line.split(), f"row {n}", path) for n, line in lines if line.strip()]
    dataset = _dataset(path)
    task = _task(rows, dataset, path)
    shapes = [
        shape
        for n, row in enumerate(rows, start=1)
        for shape in _shapes(row, str(n), task, dataset, stack, path)
    ]
    notes = [_ROUNDED] + [_UNLABELLED] * (task == "pose")
    return labels_of(
        path, shapes, tool=_TOOL, origin="corner", forced=options.pixel_origin, notes=notes
    )


def _row(words: list[str], where: str, path: Path) -> _Row:
    class_ = whole(words[0], path, where, "class")
    numbers = [number(word, path, where) for word in words[1:]]
    if class_ < 0 or len(numbers) < 4:
        raise LabelError("is not a class number followed by at least four coordinates", path, where)
    return _Row(where, class_, numbers)


def _task(rows: list[_Row], dataset: _Dataset, path: Path) -> _Task:
    """What the longer lines are.

    A data.yaml without kpt_shape excludes pose, for which Ultralytics requires it.
    """
    longer = [row for row in rows if len(row.numbers) > 5]
    if not longer:
        return "box"
    if dataset.keypoints:
        return "pose"
    if (
        dataset.described
        or len({len(row.numbers) for row in longer}) > 1
        or any(_leaves_image(row.numbers) for row in longer)
    ):
        return "polygon"
    raise LabelError(
        "lines like this one are polygons or boxes with keypoints, and nothing tells which: put the"
        " data set's data.yaml beside this file (with kpt_shape for keypoints, without it for"
        " polygons)",
        path,
        longer[0].where,
    )


def _leaves_image(numbers: list[float]) -> bool:
    """Whether the first four numbers, taken as the box that every pose has, would reach out of the
    image.
    """
    ends = [end for corner in _box(numbers) for end in corner]
    return min(ends) < -_SLACK or max(ends) > 1 + _SLACK


def _shapes(
    row: _Row, id_: str, task: _Task, dataset: _Dataset, stack: PngStack, path: Path
) -> Iterator[Shape]:
    """The shapes of one line; the keypoints of a pose share its id, and their vertex is the
    keypoint's number.
    """
    numbers, label, extra = row.numbers, _name(row, dataset, path), {"class": str(row.class_)}

    def shape(
        type_: str, fractions: Vertices, name: str, vertex: int, own: dict[str, str]
    ) -> Shape:
        if not all(-_SLACK <= value <= 1 + _SLACK for pair in fractions for value in pair):
            raise LabelError(
                "has coordinates that are not fractions of the image, 0 to 1, as YOLO writes them",
                path,
                row.where,
            )
        xy = [(x * stack.columns, y * stack.rows) for x, y in fractions]
        return Shape(
            type_, xy, "corner", row.where, name, path.stem, None, id_, vertex, {**extra, **own}
        )

    if len(numbers) <= 5:
        if not all(0 <= value <= 1 for value in numbers[4:]):
            raise LabelError(
                "has a sixth number that is no confidence from 0 to 1", path, row.where
            )
        yield shape(
            "box",
            _box(numbers),
            label,
            0,
            {"confidence": repr(numbers[4])} if len(numbers) == 5 else {},
        )
    elif task == "polygon":
        if len(numbers) % 2:
            raise LabelError("a polygon has an odd number of coordinates", path, row.where)
        yield shape("polygon", list(zip(numbers[::2], numbers[1::2], strict=True)), label, 0, {})
    else:
        yield shape("box", _box(numbers), label, 0, {})
        for k, x, y, visibility in _keypoints(row, dataset.keypoints or (0, 0), path):
            yield shape("point", [(x, y)], f"{label}_{k}", k, {"visibility": visibility})


def _box(numbers: list[float]) -> Vertices:
    x, y, width, height = numbers[:4]
    return box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _keypoints(
    row: _Row, kpt_shape: tuple[int, int], path: Path
) -> Iterator[tuple[int, float, float, str]]:
    """(number, x, y, visibility) of the keypoints that are labelled."""
    count, size = kpt_shape
    values = row.numbers[4:]
    if len(values) != count * size:
        problem = (
            f"has {len(values)} numbers after the box, where kpt_shape [{count}, {size}] makes"
            f" {count * size}"
        )
        raise LabelError(
            f"{problem}; put the data.yaml of this data set beside the file", path, row.where
        )
    for k in range(count):
        x, y, *visibility = values[k * size : (k + 1) * size]
        if visibility != [0.0] and x >= 0 and y >= 0:
            yield k, x, y, f"{visibility[0]:g}" if visibility else ""


def _name(row: _Row, dataset: _Dataset, path: Path) -> str:
    if not dataset.names:
        return str(row.class_)
    if row.class_ not in dataset.names:
        raise LabelError(
            f"class {row.class_} has no name in {_CLASSES} or {_DATASET} beside this file",
            path,
            row.where,
        )
    return dataset.names[row.class_]


def _dataset(path: Path) -> _Dataset:
    """Class names and keypoints from the files beside the labels.

    Two that disagree about the names are an error.
    """
    described = _data_yaml(file) if (file := path.with_name(_DATASET)).is_file() else _Dataset()
    if not (file := path.with_name(_CLASSES)).is_file():
        return described
    names = {
        n: line.strip()
        for n, line in enumerate(read_text(file, _NAMES_BYTES).rstrip().splitlines())
    }
    if described.names and described.names != names:
        raise LabelError(
            f"names other classes than {_DATASET} beside it; remove the one that is out of date",
            file,
        )
    return _Dataset(names, described.keypoints, described.described)


def _data_yaml(path: Path) -> _Dataset:
    import yaml

    text = read_text(path, _NAMES_BYTES)
    try:
        document: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise LabelError("is not valid YAML", path) from error
    if not isinstance(document, dict):
        raise LabelError("is not a YAML mapping with the entry 'names'", path)
    return _Dataset(
        _names(document.get("names", {}), path), _kpt_shape(document.get("kpt_shape"), path), True
    )


def _names(value: object, path: Path) -> dict[int, str]:
    names = dict(enumerate(value)) if isinstance(value, list) else value
    if not isinstance(names, dict) or not all(
        isinstance(n, int) and isinstance(name, str | int) for n, name in names.items()
    ):
        raise LabelError("'names' is not a list of class names", path)
    return {n: str(name) for n, name in names.items()}


def _kpt_shape(value: object, path: Path) -> tuple[int, int] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not isinstance(value[0], int)
        or value[0] < 1
        or value[1] not in (2, 3)
    ):
        raise LabelError("'kpt_shape' is not [number of keypoints, 2 or 3]", path)
    return value[0], value[1]


READER = Reader("yolo", _TOOL, "corner", recognises, read)
