"""Find out what the numbers in the lines of a YOLO file mean.

A label is ``class x y width height`` (box), followed by keypoints (pose), or ``class x1 y1 x2 y2
…`` (polygon). Predictions may end with a confidence, and predictions of a tracker with the number
of the track. All poses of a data set have the same length. Their keypoints lie in the image, but
their boxes may leave it, and keypoints may lie beside their box. Source: Ultralytics, "Datasets",
Results.save_txt, and verify_image_label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.errors import LabelError
from sidecar.labels.text import number, whole

#: A number further outside 0..1 than this is no fraction. Rounding errors are far smaller.
SLACK = 0.01
#: Numbers of tracks count from 1 and have no decimal point.
_TRACK = re.compile(r"[1-9]\d*", re.ASCII)

#: The numbers at the end of predictions of a tracker.
_PREDICTED = ("confidence", "track")
_MEANS = {"confidence": "confidence from 0 to 1", "track": "number of a track from 1"}

_POLYGONS = (
    "Lines were taken as polygons, because {}. If they are boxes with keypoints, put the data.yaml"
    " of the data set, with kpt_shape, beside the file"
)
_TRACKED = (
    "Lines of six numbers were taken as boxes with confidence and track. If they are triangles, or"
    " boxes with one keypoint, on the bottom edge, write 1.0 instead of 1 at their ends"
)

Task = Literal["box", "pose", "polygon"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the class, and the numbers after it, also as text."""

    where: str
    class_: int
    numbers: list[float]
    words: list[str]

    @property
    def ends_in_track(self) -> bool:
        return _TRACK.fullmatch(self.words[-1]) is not None


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of the lines of one file. ``tail``: the meaning of the numbers after the shape.
    ``note``: for the user, where the lines could also mean something else, or "".
    """

    task: Task
    tail: tuple[str, ...] = ()
    note: str = ""


def parse_row(line: str, where: str, path: Path) -> Row:
    """A line as a row. LabelError unless it has a class and at least four numbers."""
    first, *words = line.split()
    class_ = whole(first, path, where, "class")
    numbers = [number(word, path, where) for word in words]
    if class_ < 0 or len(numbers) < 4:
        raise LabelError("does not hold a class number and at least four coordinates", path, where)
    return Row(where, class_, numbers, words)


def layout_of(
    rows: Sequence[Row], keypoints: tuple[int, int] | None, is_described: bool, path: Path
) -> Layout:
    """The layout of the lines of a file.

    ``keypoints`` and ``is_described`` come from the files beside it (see `yolo_dataset`). A
    data.yaml without kpt_shape excludes pose, because Ultralytics requires kpt_shape for pose.
    LabelError where keypoints and polygons look alike.
    """
    longer = [row for row in rows if len(row.numbers) > 5]
    if not longer:
        return Layout("box", _one_more([row for row in rows if len(row.numbers) == 5]))
    if keypoints:
        return Layout("pose", _after_keypoints(longer, *keypoints))
    if all(len(row.numbers) == 6 and _is_tracked_box(row) for row in longer):
        is_counted = any(row.numbers[-1] > 1 for row in longer)
        return Layout("box", _PREDICTED, "" if is_counted else _TRACKED)
    why = "" if is_described else _why_polygons(longer)
    if not (is_described or why):
        raise LabelError(
            "this line is a polygon, or a box with keypoints; the file does not say which. Put the"
            " data.yaml of the data set beside it (with kpt_shape for keypoints, without it for"
            " polygons)",
            path,
            longer[0].where,
        )
    note = _POLYGONS.format(why) if why else ""
    return Layout("polygon", _after_vertices(longer, path), note)


def split(row: Row, layout: Layout, path: Path) -> tuple[list[float], dict[str, str]]:
    """The numbers of the shape, and the numbers after it, by name. Lines of up to five numbers are
    boxes in every layout.
    """
    count = len(row.numbers)
    names = (layout.tail or ("confidence",))[: count - 4] if count <= 5 else layout.tail
    shape, after = row.numbers[: count - len(names)], row.numbers[count - len(names) :]
    tail: dict[str, str] = {}
    for name, value in zip(names, after, strict=True):
        if not (value >= 1 and value.is_integer() if name == "track" else 0 <= value <= 1):
            raise LabelError(
                f"ends with {value:g}, but the place is for a {_MEANS[name]}; correct the line",
                path,
                row.where,
            )
        tail[name] = f"{value:.0f}" if name == "track" else repr(value)
    return shape, tail


def _one_more(rows: Sequence[Row]) -> tuple[str, ...]:
    """The meaning of the number after the boxes. A whole number above 1 is no confidence."""
    is_track = all(row.ends_in_track for row in rows) and any(row.numbers[-1] > 1 for row in rows)
    return ("track",) if is_track else ("confidence",)


def _after_keypoints(rows: Sequence[Row], count: int, size: int) -> tuple[str, ...]:
    """The meaning of the numbers after the keypoints, unless they may be visibilities."""
    more = max(len(row.numbers) for row in rows) - 4 - count * size
    if more not in (1, 2) or (size == 2 and more == count):
        return ()
    return _PREDICTED if more == 2 else _one_more(rows)


def _after_vertices(rows: Sequence[Row], path: Path) -> tuple[str, ...]:
    """The meaning of the numbers after the vertices: nothing, or confidence and track if these
    cannot be another vertex.
    """
    for row in rows:
        if len(row.numbers) % 2:
            raise LabelError(
                "a polygon has an odd number of coordinates. If the line is a box with keypoints,"
                " add kpt_shape to the data.yaml beside the file; if the last number is the"
                " confidence of a prediction, remove it",
                path,
                row.where,
            )
    if not all(row.ends_in_track and 0 <= row.numbers[-2] <= 1 for row in rows):
        return ()
    if any(row.numbers[-1] > 1 for row in rows):
        return _PREDICTED
    raise LabelError(
        "its last two numbers are a vertex on the bottom edge, or the confidence and track of a"
        " prediction. If they are a vertex, write 1.0 instead of 1; otherwise remove them",
        path,
        rows[0].where,
    )


def _why_polygons(rows: Sequence[Row]) -> str:
    """The reason why lines cannot be poses, or "" if they may be."""
    if len({len(row.numbers) for row in rows}) > 1 and not all(map(_has_visibilities, rows)):
        return "they have different lengths"
    if not all(_may_be_pose(row.numbers, 2) or _may_be_pose(row.numbers, 3) for row in rows):
        return (
            "as a box with keypoints, one would reach beyond the image and hold none of its"
            " keypoints"
        )
    return ""


def _has_visibilities(row: Row) -> bool:
    """Whether a line ends in x, y and a visibility of 0, 1 or 2 for each keypoint."""
    return len(row.numbers) % 3 == 1 and all(v in (0, 1, 2) for v in row.numbers[6::3])


def _may_be_pose(numbers: Sequence[float], size: int) -> bool:
    """Whether the box of a pose lies in the image, or holds a keypoint. Each keypoint has ``size``
    numbers. The numbers of a prediction at the end may be taken for one keypoint more.
    """
    x, y, width, height = numbers[:4]
    return not _leaves_image(numbers) or any(
        abs(px - x) <= width / 2 + SLACK and abs(py - y) <= height / 2 + SLACK
        for px, py in zip(numbers[4::size], numbers[5::size], strict=False)
    )


def _is_tracked_box(row: Row) -> bool:
    return row.ends_in_track and 0 <= row.numbers[4] <= 1 and not _leaves_image(row.numbers)


def _leaves_image(numbers: Sequence[float]) -> bool:
    """Whether the first four numbers, as the box of a pose, would reach beyond the image."""
    x, y, width, height = numbers[:4]
    ends = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
    return min(ends) < -SLACK or max(ends) > 1 + SLACK
