"""Landmarks, curves and outlines in TPS files of tpsDig and geomorph. Pixel origin: corner.

y counts from the BOTTOM of the image. With the height H of the image, corner y from the top = H - y
(StereoMorph's TPSToShapes flips in this way). H is that of the image beside the file, or else that
of the PNG. SCALE is the length of a pixel. It is never applied,
because coordinates are pixels. tpsDig is closed source, so the half pixel could not be checked in
its code; a flip about the middles of pixels (*center*) differs from this one by half a pixel.
Format: Rohlf's tps programs; geomorph readland.tps.r and writeland.tps.r. A missing landmark is NA
in geomorph, negative in tpsDig.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.identity.evidence import size_beside
from sidecar.labels.model import (
    MIDDLE_OF_FIRST_PIXEL,
    Labels,
    PixelOrigin,
    PngStack,
    Reader,
    ReadOptions,
)
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import bare_key, is_png_name
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, number, read_text, whole

_TOOL = "TPS"
_FIRST = re.compile(r"LM3?\s*=\s*\d+", re.IGNORECASE | re.ASCII)
_KEYWORD = re.compile(r"([A-Za-z]\w*)\s*=(.*)", re.ASCII)
_TEXTS = ("IMAGE", "ID", "SCALE", "COMMENT", "VARIABLES")

_HALF = (
    "Coordinates were taken as corner, with y counted from the bottom edge of the image. For"
    " tpsDig this is known to half a pixel only; --pixel-origin center takes them as middles of"
    " pixels"
)
_SCALED = "SCALE was not applied: landmarks are in pixels, and millimetres come from the PNG stack"
#: Keywords of numbers that are no points: radii of an outline from its middle.
_NO_POINTS = ("RADII",)
_BY_ID = (
    "There is no line IMAGE=, so ID= was taken as the name of the image. geomorph writes such"
    " files. Its digitize2d stretches pixels from 1 to the size of the image (up to one pixel of"
    " error here), and its writeland.tps may have written millimetres instead of pixels"
)

#: Places and texts of the lines that are not read yet.
_Lines = deque[tuple[str, str]]
#: x and y as in the file; None for a missing landmark.
_Xy = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Specimen:
    """One specimen: its point sets as (shape type, name, points), and its other lines by
    keyword.
    """

    where: str
    sets: list[tuple[str, str, list[_Xy]]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)


def recognises(path: Path, head: bytes) -> bool:
    """A file whose first line, without empty lines and comments, is LM= or LM3= and a number."""
    lines = [line.strip() for line in head_text(head).splitlines()]
    first = next((line for line in lines if line and not _is_comment(line)), "")
    return _FIRST.fullmatch(first) is not None


def _is_comment(line: str) -> bool:
    """Whether a line before the first LM= is a comment: COMMENT=, or a text that is neither a
    keyword nor numbers.
    """
    if "=" in line:
        return line.upper().startswith("COMMENT=")
    return re.search(r"[^\W\d]{2}|^\W*$", line) is not None


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """All specimens. Each names its own image.

    Raises LabelError, also for LM3, because its points are not on pictures.
    """
    lines = (
        (f"line {n}", line.strip()) for n, line in enumerate(read_text(path).splitlines(), start=1)
    )
    left_out = LeftOut()
    specimens = list(_specimens(deque(line for line in lines if line[1]), left_out, path))
    images = [_image(specimen, stack, path) for specimen in specimens]
    beside = {image: size_beside(path, image) for image in dict.fromkeys(images)}
    sizes = {image: size for image, size in beside.items() if size is not None}
    shapes = [
        shape
        for s, (specimen, image) in enumerate(zip(specimens, images, strict=True), start=1)
        for shape in _shapes(
            specimen,
            s,
            image,
            sizes[image][1] if image in sizes else stack.rows,
            options.pixel_origin or "corner",
        )
    ]
    notes = [_HALF]
    notes += [_SCALED] * any("SCALE" in specimen.texts for specimen in specimens)
    notes += [_BY_ID] * any(
        "IMAGE" not in specimen.texts and "ID" in specimen.texts for specimen in specimens
    )
    missing = sum(points.count(None) for specimen in specimens for _, _, points in specimen.sets)
    left_out.add("point", "marked as missing (negative coordinates, or NA)", missing)
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=sizes,
        notes=notes,
        left_out=left_out.sentences,
    )


def _specimens(lines: _Lines, left_out: LeftOut, path: Path) -> Iterator[_Specimen]:
    specimen: _Specimen | None = None
    while lines:
        where, line = lines.popleft()
        if specimen is None and _is_comment(line):
            left_out.add("comment line", "before the first LM=")
            continue
        keyword = _KEYWORD.fullmatch(line)
        if keyword is None:
            raise LabelError(
                "this line belongs to no LM=, CURVES= or OUTLINES=; correct the number of points"
                " before it",
                path,
                where,
            )
        key, value = keyword[1].upper(), keyword[2].strip()
        if key.endswith("3"):
            raise LabelError(
                f"{key}= holds points in space, not on images; give them to `sidecar project` as a"
                " table with columns x_mm, y_mm, z_mm",
                path,
                where,
            )
        if key == "LM":
            if specimen:
                yield specimen
            specimen = _Specimen(where)
            points = _coordinates(lines, value, path, where)
            specimen.sets.extend(
                ("point", str(i), [point]) for i, point in enumerate(points, start=1)
            )
        elif specimen is None:
            raise LabelError(
                "comes before the first LM=; begin each specimen with LM= (LM=0 for one without"
                " landmarks)",
                path,
                where,
            )
        elif key in ("CURVES", "OUTLINES"):
            type_, name = ("polyline", "curve") if key == "CURVES" else ("polygon", "outline")
            for i in range(1, _count(value, path, where) + 1):
                specimen.sets.append((type_, f"{name} {i}", _points(lines, path, where)))
        elif key in _NO_POINTS:
            left_out.add(f"{key} list", "radii are not points")
            _skip_numbers(lines)
        elif key in _TEXTS:
            specimen.texts[key] = value
        else:
            raise LabelError(
                f"keyword {key[:20]}= is not known; remove it and the lines that belong to it",
                path,
                where,
            )
    if specimen:
        yield specimen


def _skip_numbers(lines: _Lines) -> None:
    """Remove the lines before the next line with a keyword."""
    while lines and "=" not in lines[0][1]:
        lines.popleft()


def _points(lines: _Lines, path: Path, where: str) -> list[_Xy]:
    """One POINTS= and the coordinates after it."""
    place, line = lines.popleft() if lines else (where, "")
    keyword = _KEYWORD.fullmatch(line)
    if keyword is None or keyword[1].upper() != "POINTS":
        raise LabelError(
            "POINTS= is missing: the file has fewer curves or outlines than it announces",
            path,
            place,
        )
    return _coordinates(lines, keyword[2].strip(), path, place)


def _coordinates(lines: _Lines, value: str, path: Path, where: str) -> list[_Xy]:
    points: list[_Xy] = []
    for _ in range(_count(value, path, where)):
        place, line = lines.popleft() if lines else (where, "=")
        if "=" in line:
            raise LabelError(f"has fewer points than the {value} it announces", path, where)
        words = line.split()
        if len(words) != 2:
            raise LabelError("does not hold two coordinates", path, place)
        points.append(_missing_as_none(words, path, place))
    return points


def _missing_as_none(words: list[str], path: Path, where: str) -> _Xy:
    if "NA" in words:
        return None
    x, y = (number(word, path, where) for word in words)
    return None if x < 0 or y < 0 else (x, y)


def _count(value: str, path: Path, where: str) -> int:
    count = whole(value, path, where)
    if count < 0:
        raise LabelError("announces a negative number of points", path, where)
    return count


def _image(specimen: _Specimen, stack: PngStack, path: Path) -> str:
    """The image: IMAGE=, or else an ID= that is the name of a PNG; "" for a single picture."""
    if image := specimen.texts.get("IMAGE"):
        return image.replace("\\", "/")
    id_ = specimen.texts.get("ID", "")
    if is_png_name(bare_key(id_), stack):
        return id_
    if stack.is_single:
        return ""
    raise LabelError(
        "the specimen that begins here does not name its PNG; add a line IMAGE=",
        path,
        specimen.where,
    )


def _shapes(
    specimen: _Specimen, s: int, image: str, rows: int, origin: PixelOrigin
) -> Iterator[Shape]:
    """One entry for each vertex, so that vertices keep their numbers where one is missing."""
    extra = {key.lower(): specimen.texts.get(key, "") for key in _TEXTS[1:]}
    # The flip keeps the pixel origin: the middle of the bottom row has the same distance from 0 as
    # the middle of the top row has after the flip.
    top = rows - 1 + 2 * MIDDLE_OF_FIRST_PIXEL[origin]
    for type_, name, points in specimen.sets:
        where = f"specimen {s}, {f'landmark {name}' if type_ == 'point' else name}"
        for v, point in enumerate(points):
            if point is not None:
                xy = (point[0], top - point[1])
                yield Shape(
                    type_,
                    [xy],
                    origin,
                    where,
                    name,
                    image,
                    None if image else 0.0,
                    f"{s}.{name.replace(' ', '')}",
                    v,
                    extra,
                )


READER = Reader("tps", _TOOL, "corner", recognises, read)
