"""Labels of DeepLabCut, `CollectedData_<scorer>.csv`: one row for each image, two columns for each
body part. Pixel origin: center.

Header rows: scorer, individuals (multi-animal projects only), bodyparts, coords. The first column
names the image; since DeepLabCut 2.2, the first three columns do. Empty cells are points that were
not labelled. Users place labels in napari, or in older versions on a matplotlib axis. In both, the
middle of the first pixel is 0. Source: the example projects of DeepLabCut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, number, read_text, table

_TOOL = "DeepLabCut"
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_CROPPED = (
    "Coordinates were taken as counted from the corner of the whole image. If the video was"
    " cropped in DeepLabCut, they count from the corner of the crop instead"
)


@dataclass(frozen=True, slots=True)
class _BodyPart:
    """The columns of x and y of one body part."""

    x: int
    y: int
    name: str
    individual: str
    scorer: str


def recognises(path: Path, head: bytes) -> bool:
    """Header rows that begin with scorer, [individuals,] bodyparts and coords."""
    first = [line.split(",", 1)[0] for line in head_text(head).splitlines()[:4]]
    return first[:3] == ["scorer", "bodyparts", "coords"] or first == list(_LEVELS)


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """All labelled points.

    Raises LabelError, also for predictions; their rows have frame numbers instead of images.
    """
    records = table(read_text(path), path)
    levels = {
        record[0]: record for record in records[: len(_LEVELS)] if record and record[0] in _LEVELS
    }
    if not {"scorer", "bodyparts", "coords"} <= set(levels):
        raise LabelError(
            "does not begin with the header rows scorer, bodyparts and coords of DeepLabCut", path
        )
    body = records[len(levels) :]
    rows = [(n, record) for n, record in enumerate(body, start=len(levels) + 1) if record]
    return labels_of_records(levels, rows, path, options)


def labels_of_records(
    levels: Mapping[str, list[str]],
    records: Iterable[tuple[int, list[str]]],
    path: Path,
    options: ReadOptions,
) -> Labels:
    """The points in rows of cells below the header rows ``levels``. Each row has its number."""
    parts = _body_parts(levels, path)
    width, index = len(levels["coords"]), min(part.x for part in parts)
    left_out = LeftOut()
    shapes: list[Shape] = []
    for n, record in records:
        if len(record) != width:
            raise LabelError(
                f"has {counted(len(record), 'cell')}, but the header has {width}", path, f"row {n}"
            )
        shapes += _shapes(record, index, parts, n, left_out, path)
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="center",
        forced=options.pixel_origin,
        notes=[_CROPPED],
        left_out=left_out.sentences,
    )


def _body_parts(levels: Mapping[str, list[str]], path: Path) -> list[_BodyPart]:
    coords = levels["coords"]
    if any(len(row) != len(coords) for row in levels.values()):
        raise LabelError("the header rows have different lengths", path)
    if "likelihood" in coords:
        raise LabelError(
            "holds predictions on video frames, not labels; correct the predictions in DeepLabCut"
            " and use the corrected labels",
            path,
        )
    individuals = levels.get("individuals", [""] * len(coords))
    parts: list[_BodyPart] = []
    first = next((i for i, name in enumerate(coords) if name == "x"), len(coords))
    for x in range(first, len(coords), 2):
        if coords[x : x + 2] != ["x", "y"] or levels["bodyparts"][x] != levels["bodyparts"][x + 1]:
            raise LabelError(
                f"columns {x + 1} and {x + 2} are not the x and y of one body part", path, "header"
            )
        parts.append(
            _BodyPart(x, x + 1, levels["bodyparts"][x], individuals[x], levels["scorer"][x])
        )
    if not parts or first not in (1, 3):
        raise LabelError("has no columns x and y after the image name", path, "header")
    return parts


def _image(index: list[str], path: Path, where: str) -> str:
    """The name of the image in DeepLabCut, "labeled-data/<folder>/<file>"."""
    image = "/".join(part.strip() for part in index if part.strip()).replace("\\", "/")
    if not image or image.isdigit():
        raise LabelError(
            "names no image; give the file of labels (CollectedData_...csv), not a file of"
            " predictions",
            path,
            where,
        )
    return image


def _shapes(
    record: list[str],
    index: int,
    parts: list[_BodyPart],
    row: int,
    left_out: LeftOut,
    path: Path,
) -> Iterator[Shape]:
    image = _image(record[:index], path, f"row {row}")
    for part in parts:
        where = f"row {row}, {' '.join(name for name in (part.individual, part.name) if name)}"
        cells = record[part.x].strip(), record[part.y].strip()
        if cells == ("", ""):
            left_out.add("body part", "not labelled")
        else:
            xy = number(cells[0], path, where, "x"), number(cells[1], path, where, "y")
            extra = {"individual": part.individual, "scorer": part.scorer}
            yield Shape(
                "point", [xy], "center", where, part.name, image, None, f"{row}.{part.x}", 0, extra
            )


READER = Reader("deeplabcut", _TOOL, "center", recognises, read)
