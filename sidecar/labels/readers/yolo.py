"""YOLO labels, one text file for each PNG: boxes, boxes with keypoints (pose), and polygons
(segmentation). Pixel origin: corner.

All numbers are fractions of the image's width and height: corner coordinate = fraction * size
(Ultralytics documentation, "Datasets"). The size is that of the image beside the file, or else that
of the PNG. `yolo_lines` finds out what the numbers mean. The file has the name of the image. A file
without lines is an image without labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.identity.evidence import size_beside
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges, last_digit
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.readers.yolo_dataset import Dataset, dataset_of
from sidecar.labels.readers.yolo_lines import SLACK, Layout, Row, layout_of, parse_row, split
from sidecar.labels.shapes import Shape, Vertices, box, labels_of
from sidecar.labels.text import head_text, read_text

_TOOL = "YOLO"
_HEAD_BYTES = 64 * 2**10
_LINE = re.compile(r"\d+( [-+.\deE]+){4,}", re.ASCII)

_ROUNDED = (
    "YOLO writes fractions of the size of the image, mostly with six decimals, so coordinates are"
    " right to about size / 2 000 000 pixels"
)
_NO_NAMES = (
    "No classes.txt, data.yaml or notes.json was found that names the classes: labels are numbers"
)
_EMPTY = "The file is empty. In YOLO this means that the image has no labels"


def recognises(path: Path, head: bytes) -> bool:
    """A file that holds only lines of a class number and at least four fractions, separated by
    spaces; or an empty .txt.
    """
    lines = head_text(head).splitlines()
    complete = [
        " ".join(line.split())
        for line in (lines[:-1] if len(head) >= _HEAD_BYTES else lines)
        if line.strip()
    ]
    if not complete:
        return path.suffix.lower() == ".txt"
    return all(_LINE.fullmatch(line) and _are_fractions(line.split()[1:5]) for line in complete)


def _are_fractions(words: list[str]) -> bool:
    try:
        return all(-SLACK <= float(word) <= 1 + SLACK for word in words)
    except ValueError:
        return False


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """The boxes, keypoints and polygons of one PNG.

    Raises LabelError, also where keypoints and polygons look alike.
    """
    lines = enumerate(read_text(path).splitlines(), start=1)
    rows = [parse_row(line, f"row {n}", path) for n, line in lines if line.strip()]
    dataset = dataset_of(path)
    layout = layout_of(rows, dataset.keypoints, dataset.is_described, path)
    beside = size_beside(path, path.stem)
    size = beside or (stack.columns, stack.rows)
    file = _File(path, size, layout, dataset, Edges(options.pixel_origin), LeftOut())
    shapes = [shape for n, row in enumerate(rows, start=1) for shape in file.shapes(row, str(n))]
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=None if beside is None else {path.stem: beside},
        notes=[
            _ROUNDED if rows else _EMPTY,
            *([_NO_NAMES] if rows and not dataset.names else []),
            *([layout.note] if layout.note else []),
            *file.edges.notes,
        ],
        left_out=file.left_out.sentences,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """One label file, and the notes that are collected while its lines become shapes.

    ``size``: width and height of the labelled image.
    """

    path: Path
    size: tuple[int, int]
    layout: Layout
    dataset: Dataset
    edges: Edges
    left_out: LeftOut

    def shapes(self, row: Row, id_: str) -> Iterator[Shape]:
        """The shapes of one line. The keypoints of a pose share its id, and their vertex is the
        number of the keypoint.
        """
        numbers, tail = split(row, self.layout, self.path)
        label = self._name(row)
        extra = {"class": str(row.class_), **tail}
        if self.layout.task == "polygon" and len(numbers) > 4:
            self._refuse_no_fractions(row, numbers)
            yield self._area("polygon", _pairs(numbers), row, label, id_, extra)
            return
        self._refuse_no_fractions(row, numbers[:4])
        yield self._area("box", _box(numbers), row, label, id_, extra)
        if len(numbers) > 4:
            for k, x, y, visibility in self._keypoints(row, numbers[4:]):
                self._refuse_no_fractions(row, (x, y))
                own = {**extra, "visibility": visibility}
                yield self._shape("point", [(x, y)], row, f"{label}_{k}", id_, own, k)

    def _area(
        self, type_: str, fractions: Vertices, row: Row, label: str, id_: str, extra: dict[str, str]
    ) -> Shape:
        shape = self._shape(type_, fractions, row, label, id_, extra)
        return self.edges.cut_shape(shape, self.size, last_digit(row.words) * max(self.size))

    def _shape(
        self,
        type_: str,
        fractions: Vertices,
        row: Row,
        label: str,
        id_: str,
        extra: dict[str, str],
        vertex: int = 0,
    ) -> Shape:
        width, height = self.size
        xy = [(x * width, y * height) for x, y in fractions]
        image = self.path.stem
        return Shape(type_, xy, "corner", row.where, label, image, None, id_, vertex, extra)

    def _refuse_no_fractions(self, row: Row, numbers: Sequence[float]) -> None:
        """A box that reaches beyond the image has a middle and a size that are fractions of it."""
        if not all(-SLACK <= value <= 1 + SLACK for value in numbers):
            raise LabelError(
                "has coordinates outside 0 to 1, but YOLO writes fractions of the image; correct"
                " them",
                self.path,
                row.where,
            )

    def _keypoints(self, row: Row, values: list[float]) -> Iterator[tuple[int, float, float, str]]:
        """(number, x, y, visibility) of the labelled keypoints."""
        count, size = self.dataset.keypoints or (0, 0)
        if len(values) != count * size:
            raise LabelError(
                f"has {len(values)} numbers after the box, but kpt_shape [{count}, {size}] needs"
                f" {count * size}; put the data.yaml of this data set beside the file",
                self.path,
                row.where,
            )
        for k in range(count):
            x, y, *visibility = values[k * size : (k + 1) * size]
            if not visibility and (x, y) == (0, 0):
                self.left_out.add("keypoint", "at 0 0, where tools put those not labelled")
            elif visibility != [0.0] and x >= 0 and y >= 0:
                yield k, x, y, f"{visibility[0]:g}" if visibility else ""
            else:
                self.left_out.add(
                    "keypoint", "not labelled (visibility 0, or negative coordinates)"
                )

    def _name(self, row: Row) -> str:
        if not self.dataset.names:
            return str(row.class_)
        if row.class_ not in self.dataset.names:
            raise LabelError(
                f"class {row.class_} has no name in {self.dataset.source}; add it there",
                self.path,
                row.where,
            )
        return self.dataset.names[row.class_]


def _box(numbers: list[float]) -> Vertices:
    x, y, width, height = numbers[:4]
    return box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _pairs(numbers: list[float]) -> Vertices:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


READER = Reader("yolo", _TOOL, "corner", recognises, read)
