"""ImageJ and Fiji tables: Results (.csv, .txt) and Save As > XY Coordinates.

X, Y of a measured point selection are *center* since ImageJ 1.52u (March 2020). X, Y of an area are
its centroid, the mean pixel number plus 0.5, so *corner*. The same columns hold both; Area tells
which: it is 0 for a point. `Slice` is 1-based. `Label` is title[:selection name][:slice label],
where title and slice label are file names when the image is one PNG or a sequence of PNGs. Source:
ij/plugin/filter/Analyzer.java (measurePoint, savePoints, getFileName, summarize),
ij/process/ImageStatistics.java (getCentroid), ij/gui/Roi.java (class comment), ij/ImageStack.java
(getShortSliceLabel), ij/plugin/filter/XYWriter.java.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, number, read_text, table, whole

_TOOL = "ImageJ/Fiji"
_SUMMARY = ("Mean", "SD", "Min", "Max")
#: Columns that only ImageJ calls so; two of them beside X and Y are taken for a Results table.
_COLUMNS = {
    "Area",
    "Mean",
    "StdDev",
    "Mode",
    "Min",
    "Max",
    "Perim.",
    "XM",
    "YM",
    "BX",
    "BY",
    "IntDen",
    "RawIntDen",
    "Feret",
}
_XY = re.compile(r"-?\d+(\.\d+)?\t-?\d+(\.\d+)?", re.ASCII)

_UNCALIBRATED = (
    "X and Y were taken as pixels: ImageJ does not record whether the image was calibrated or"
    " Invert Y was on. If either was, choose Analyze > Set Scale > Click to Remove Scale (or Set"
    " Measurements, Invert Y off) and measure again"
)
_POINTS = (
    "Points were taken as written by ImageJ 1.52u (March 2020) or later; for older ones give"
    " --pixel-origin corner"
)
_AREAS = "{} row(s) measure areas: what they hold is the centroid of the area"
_STALE = (
    "Slice was taken where Label names another slice: for a multi-point selection ImageJ puts the"
    " slice on display in Label. This is right if all PNGs were opened as one stack"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a Results table, n counted as in a spreadsheet."""

    cells: Mapping[str, str]
    path: Path
    n: int

    @property
    def title_and_names(self) -> list[str]:
        return self.cells.get("Label", "").split(":")

    @property
    def slice(self) -> int | None:
        """0-based, None where it was not measured."""
        return (
            None
            if self._empty("Slice")
            else whole(self.cells["Slice"], self.path, self.where, "Slice") - 1
        )

    @property
    def where(self) -> str:
        return f"row {self.n}"

    def measured(self, column: str) -> float:
        """A measurement, 0 where it was not made."""
        return (
            0.0
            if self._empty(column)
            else number(self.cells[column], self.path, self.where, column)
        )

    def error(self, message: str) -> LabelError:
        return LabelError(message, self.path, self.where)

    def _empty(self, column: str) -> bool:
        return self.cells.get(column, "") in ("", "NaN")


def _read_results(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    rows = _rows(path)
    notes = [_UNCALIBRATED]
    if tuple(row.cells.get("Label") for row in rows[-4:]) == _SUMMARY:
        rows = rows[:-4]
        notes.append("The last four rows are ImageJ's summary and were left out")
    places = _places(rows, stack)
    shapes = [
        _shape(row, place, options.pixel_origin) for row, place in zip(rows, places, strict=True)
    ]
    areas = sum(shape.origin == "corner" for shape in shapes)
    if options.pixel_origin is None and areas < len(shapes):
        notes.append(_POINTS)
    if options.pixel_origin is None and areas:
        notes.append(_AREAS.format(areas))
    if any(place.stale for place in places):
        notes.append(_STALE)
    return labels_of(
        path, shapes, tool=_TOOL, origin="center", forced=options.pixel_origin, notes=notes
    )


def _rows(path: Path) -> list[_Row]:
    text = read_text(path)
    records = table(text, path, _delimiter(text))
    header = [name.strip() for name in records[0]] if records else []
    if not {"X", "Y"} <= set(header):
        raise LabelError(
            "has no columns X and Y; select Centroid in Set Measurements and measure again", path
        )
    for n, record in enumerate(records, 1):
        if record and len(record) != len(header):
            raise LabelError(
                f"has {len(record)} fields where {len(header)} belong", path, f"row {n}"
            )
    return [
        _Row(dict(zip(header, record, strict=True)), path, n)
        for n, record in enumerate(records[1:], 2)
        if record
    ]


def _shape(row: _Row, place: _Place, forced: PixelOrigin | None) -> Shape:
    x, y = (number(row.cells[column], row.path, row.where, column) for column in "XY")
    return Shape(
        "point",
        [(x, y)],
        _origin(row, (x, y), forced),
        row.where,
        label=place.selection,
        image=place.image,
        slice=place.slice,
        id=row.cells.get("") or str(row.n - 1),
        extra={
            name: cell for name, cell in row.cells.items() if name not in ("", "X", "Y", "Slice")
        },
    )


def _origin(row: _Row, xy: tuple[float, float], forced: PixelOrigin | None) -> PixelOrigin:
    """*center* of a point row, *corner* of an area row; refuses what a table of this kind holds no
    position of.
    """
    area = row.measured("Area")
    if row.measured("Length") or (row.measured("Angle") and not area):
        raise row.error(
            "measures a line or angle, whose points are not in this table; delete the row, or save"
            " the selection as .roi"
        )
    if not area.is_integer():
        message = "Area is not a whole number of pixels, so the image was calibrated"
        raise row.error(
            f"{message}; choose Analyze > Set Scale > Click to Remove Scale and measure again"
        )
    if area and xy == (0, 0):
        raise row.error(
            "is an area measured without its centroid; select Centroid in Set Measurements and"
            " measure again"
        )
    if "Area" not in row.cells and forced is None:
        message = "without a column Area, points and areas look alike"
        raise row.error(
            f"{message}; give --pixel-origin center if all rows are points, corner if all are areas"
        )
    return "corner" if area else "center"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row lies: 0-based slice, or None where the image tells; the selection's name; whether
    Label was not believed.
    """

    slice: int | None
    image: str = ""
    selection: str = ""
    stale: bool = False


def _places(rows: Sequence[_Row], stack: PngStack) -> list[_Place]:
    known = {
        name[:length]: n
        for n, png in enumerate(stack.names)
        for name in (png, PurePath(png).stem)
        for length in (None, 60)
    }
    slices: defaultdict[str | None, set[int | None]] = defaultdict(set)
    for row in rows:
        slices[row.cells.get("Label")].add(row.slice)
    multipoint = {label for label, measured in slices.items() if len(measured) > 1}
    return [_place(row, stack, known, row.cells.get("Label") in multipoint) for row in rows]


def _place(row: _Row, stack: PngStack, known: Mapping[str, int], multipoint: bool) -> _Place:
    """``known``: slice by name of PNG.

    ``multipoint``: rows of the same Label lie on several slices.
    """
    title, *names = row.title_and_names
    shown = known.get(names[-1]) if names else None
    if (
        shown is None and title in known
    ):  # one PNG opened by itself: Slice, if it was measured, is 1
        return _Place(None, title, ":".join(names))
    selection = ":".join(names[:-1])
    if row.slice is not None:
        stale = shown not in (None, row.slice)
        if stale and not multipoint:
            message = (
                f"Slice {row.slice + 1} is not the slice that Label names, {names[-1]!r}: were only"
                " some of the PNGs opened?"
            )
            raise row.error(f"{message} Delete the column that is wrong")
        return _Place(row.slice, "", selection, stale)
    if shown is not None:
        return _Place(None, names[-1], selection)
    if stack.slices == 1:
        return _Place(0, "", ":".join(names))
    if title:
        return _Place(None, title, ":".join(names))
    raise row.error(
        "neither Slice nor Label tells which PNG it lies on; select Stack position in Set"
        " Measurements and measure again"
    )


def _read_xy(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    rows, origin = table(read_text(path), path, "\t"), options.pixel_origin
    if origin is None:
        message = (
            "XY coordinates do not say what was selected; give --pixel-origin center if it was"
            " points or a line"
        )
        raise LabelError(f"{message}, corner if it was an area", path)
    if stack.slices != 1:
        raise LabelError(
            "XY coordinates do not say on which slice they lie; save the selection as .roi and read"
            " that",
            path,
        )
    points = []
    for n, row in enumerate(rows, 1):
        if row and len(row) != 2:
            raise LabelError(f"has {len(row)} fields where x and y belong", path, f"row {n}")
        if row:
            points.append(
                (number(row[0], path, f"row {n}", "x"), number(row[1], path, f"row {n}", "y"))
            )
    shapes = [Shape("point", points, origin, "selection", slice=0, id="1")] if points else []
    return labels_of(path, shapes, tool=_TOOL, origin=origin, forced=origin, notes=[_UNCALIBRATED])


def _delimiter(text: str) -> str:
    return "\t" if "\t" in text.partition("\n")[0] else ","


def _recognises_results(path: Path, head: bytes) -> bool:
    text = head_text(head)
    header = text.partition("\n")[0].rstrip("\r").split(_delimiter(text))
    return {"X", "Y"} <= set(header) and (
        header[0] == " " or len(_COLUMNS.intersection(header)) > 1
    )


def _recognises_xy(path: Path, head: bytes) -> bool:
    lines = head_text(head).splitlines()
    complete = lines[:-1] if len(lines) > 1 else lines  # the last one may be cut
    return bool(complete) and all(_XY.fullmatch(line) for line in complete)


READER = Reader(
    "imagej",
    f"{_TOOL} Results",
    "center for points, corner for areas",
    _recognises_results,
    _read_results,
)
READER_XY = Reader(
    "imagej-xy",
    f"{_TOOL} XY Coordinates",
    "to be given: center for points, corner for areas",
    _recognises_xy,
    _read_xy,
)
