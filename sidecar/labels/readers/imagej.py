"""ImageJ and Fiji Results tables (.csv, .txt).

X, Y of a measured point selection are *center* since ImageJ 1.52u (March 2020). X, Y of an area are
its centroid, the mean pixel number plus 0.5, so *corner*. The same columns hold both. Area tells
which: it is 0 for a point. `Slice` is 1-based, and is the slice of the selection. The slice label
at the end of `Label` is that of the displayed slice. This can be another slice for multi-point
selections and for ROI Manager > Measure. In a hyperstack, Slice is its z. Calibration and Invert Y
change X and Y and leave no certain mark. The names that ImageJ gives to selections hold pixels.
Source:
ij/plugin/filter/Analyzer.java (measurePoint, savePoints, getFileName, summarize),
ij/process/ImageStatistics.java (getCentroid), ij/gui/Roi.java (class comment, isLine),
ij/plugin/frame/RoiManager.java (getLabel), ij/ImageStack.java (getShortSliceLabel).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import numpy as np

from sidecar.document.tag import folded
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions
from sidecar.labels.readers.imagej_table import ResultsRow, read_rows, recognises
from sidecar.labels.readers.named_cells import refuse_other_names
from sidecar.labels.references import is_png_name, looks_like_slice, png_in_name
from sidecar.labels.shapes import Shape, labels_of

_TOOL = "ImageJ/Fiji"
#: An area of 0 in a column in which some numbers were fractions.
_ZERO_WITH_DECIMALS = re.compile(r"0\.0+", re.ASCII)
#: Columns that ImageJ writes as whole numbers, unless the table was scaled.
_WHOLE_COLUMNS = ("Slice", "Ch", "Frame", "Counter", "Count")
#: Endings of image files that never hold a stack.
_SINGLE = (".png", ".jpg", ".jpeg", ".bmp")
#: Largest distance, in pixels, of a point from the whole pixel in its name.
_NAMED_PIXEL = 1.0

_REMOVE_SCALE = "choose Analyze > Set Scale > Click to Remove Scale and measure again"
_UNCALIBRATED = (
    "X and Y were taken as pixels. This table does not say whether the image was calibrated or"
    " Invert Y was on. If it was calibrated, choose Analyze > Set Scale > Click to Remove Scale;"
    " if Invert Y was on, switch it off in Set Measurements. Then measure again"
)
_POINTS = (
    "Points were taken as those of ImageJ 1.52u (March 2020) or later; for older versions give"
    " --pixel-origin corner"
)
_AREAS = "Rows that measure areas: {}; each holds the centroid of its area"
_ON_DISPLAY = (
    "Label and Slice differ in some rows, and Slice was taken. For multi-point selections and for"
    " ROI Manager > Measure, ImageJ writes the slice on display into Label, not the slice of the"
    " selection. This is right if all PNGs were opened as one stack"
)
_LABEL_ALONE = (
    "There is no column Slice, so the slice in Label was taken, which is the slice on display."
    " This is right if each selection was measured on its own slice, and not by ROI Manager >"
    " Measure"
)
_OTHER_CHANNELS = "Rows in other channels or frames: {}; their slices were taken anyway"


def _read_results(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    rows, left_out = read_rows(path)
    _refuse_calibrated(rows)
    is_confirmed = _confirmed_by_names(rows)
    places = _places(rows, stack, options)
    _refuse_other_names(path, rows, places, stack)
    shapes = [
        _shape(row, place, options.pixel_origin) for row, place in zip(rows, places, strict=True)
    ]
    areas = sum(shape.origin == "corner" for shape in shapes)
    notes = [] if is_confirmed else [_UNCALIBRATED]
    if options.pixel_origin is None and areas < len(shapes):
        notes.append(_POINTS)
    if options.pixel_origin is None and areas:
        notes.append(_AREAS.format(areas))
    notes += dict.fromkeys(place.note for place in places if place.note)
    if others := sum(any((row.counted(c) or 1) > 1 for c in ("Ch", "Frame")) for row in rows):
        notes.append(_OTHER_CHANNELS.format(others))
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="center",
        forced=options.pixel_origin,
        notes=notes,
        left_out=left_out,
    )


# Pixels or not


def _refuse_calibrated(rows: Sequence[ResultsRow]) -> None:
    """LabelError for marks of a scale: areas and bounding boxes that are not whole numbers of
    pixels, and a 0 with decimals, because then the area of one pixel has decimals.
    """
    for row in rows:
        for column in ("Area", "BX", "BY", "Width", "Height"):
            if not row.measured(column).is_integer():
                raise row.error(
                    f"{column} is not a whole number of pixels, so the image was calibrated;"
                    f" {_REMOVE_SCALE}"
                )
        is_whole = any(row.cells.get(column, "").isdecimal() for column in _WHOLE_COLUMNS)
        if is_whole and _ZERO_WITH_DECIMALS.fullmatch(row.cells.get("Area", "")):
            raise row.error(
                f"Area is {row.cells['Area']}, with decimals. ImageJ writes decimals if the area"
                f" of a pixel is not a whole number, so the image was calibrated; {_REMOVE_SCALE}"
            )


def _confirmed_by_names(rows: Sequence[ResultsRow]) -> bool:
    """Whether the names that ImageJ gave to points, which hold their pixels, agree with X and Y.

    LabelError where most names do not. A few may differ, because a selection may have been moved.
    Names that several rows share belong to multi-points.
    """
    shared = Counter(row.position for row in rows)
    named = [
        row
        for row in rows
        if row.position and shared[row.position] == 1 and not row.measured("Area")
    ]
    wrong = [row for row in named if not _agrees(row)]
    if 2 * len(wrong) > len(named):
        row = wrong[0]
        _, y, x = row.position or (0, 0, 0)
        raise row.error(
            f"X and Y are {row.xy[0]:g} and {row.xy[1]:g}, but the name of the selection says"
            f" pixel {x}, {y}, so the image was calibrated or Invert Y was on; {_REMOVE_SCALE},"
            " or, if the selection was moved, rename it"
        )
    return bool(named)


def _agrees(row: ResultsRow) -> bool:
    _, y, x = row.position or (0, 0, 0)
    return abs(row.xy[0] - x) <= _NAMED_PIXEL and abs(row.xy[1] - y) <= _NAMED_PIXEL


def _shape(row: ResultsRow, place: _Place, forced: PixelOrigin | None) -> Shape:
    return Shape(
        "point",
        [row.xy],
        _origin(row, forced),
        row.where,
        label=place.selection,
        image=place.image,
        slice=place.slice,
        id=row.cells.get("") or str(row.n - 1),
        extra={
            name: cell for name, cell in row.cells.items() if name not in ("", "X", "Y", "Slice")
        },
    )


def _origin(row: ResultsRow, forced: PixelOrigin | None) -> PixelOrigin:
    """*center* for a point row, *corner* for an area row. LabelError for rows without a place."""
    area = row.measured("Area")
    if row.measured("Length") or (row.measured("Angle") and not area):
        raise row.error(
            "measures a line or an angle, and this table does not hold the points of these; delete"
            " the row, or save the selection as .roi"
        )
    if area and row.xy == (0, 0):
        raise row.error(
            "measures an area, but not its centroid; select Centroid in Set Measurements and"
            " measure again"
        )
    if "Area" not in row.cells and forced is None:
        message = "has no column Area, so points and areas look alike"
        raise row.error(
            f"{message}; give --pixel-origin center if all rows are points, corner if all are areas"
        )
    return "corner" if area else "center"


# Which PNG


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a row: 0-based slice, or None where the image tells; the name of the selection;
    and a note for the user.
    """

    slice: int | None
    image: str = ""
    selection: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Names:
    """The parts of Label: title, name of the selection, and the slice label.

    The slice label is kept if it is the name of a PNG, or may be that of an image of another stack.
    ImageJ adds a slice label in every stack. Where there is no Label, the title is the PNG that the
    file is named after.

    ``is_single``: the title is that of a PNG, or of another single image, and no slice label
    follows.
    """

    title: str
    selection: str
    shown: str = ""
    is_single: bool = False

    @classmethod
    def of(cls, row: ResultsRow, known: Mapping[str, int], own: str, stack: PngStack) -> _Names:
        title, *parts = (row.label or own).split(":")
        is_png = is_png_name(title, stack) or _is_single_image(row, title)
        in_stack = bool(row.cells.get("Slice")) and not stack.is_single and not is_png
        last = parts[-1] if parts else ""
        if (
            folded(last) in known
            or is_png_name(last, stack)
            or (in_stack and looks_like_slice(last))
        ):
            return cls(title, ":".join(parts[:-1]), last)
        if in_stack and last.isdecimal():  # the displayed slice, in a stack without slice labels
            return cls(title, ":".join(parts[:-1]))
        return cls(title, ":".join(parts), title if is_png else "", is_png)


def _is_single_image(row: ResultsRow, title: str) -> bool:
    """Whether a title without a slice label is that of an image file that holds one image, so that
    Slice, if it was measured, does not count PNGs.
    """
    ending = PurePath(title).suffix.lower()
    return ending in _SINGLE and row.cells.get("Slice", "") in ("", "1")


@lru_cache(maxsize=8)
def _as_shown(stack: PngStack) -> dict[str, int]:
    """The number of each PNG by its name as ImageJ shows it, `folded`: with and without the
    extension, whole and cut.
    """
    return {
        folded(name[:length]): n
        for n, png in enumerate(stack.names)
        for name in (png, PurePath(png).stem)
        for length in (None, 60)
    }


def _places(rows: Sequence[ResultsRow], stack: PngStack, options: ReadOptions) -> list[_Place]:
    known = _as_shown(stack)
    first = 1 if options.slice_origin is None else options.slice_origin
    slices = _slices(rows, first, stack)
    own = png_in_name(rows[0].path, stack) or "" if rows else ""
    names = [_Names.of(row, known, own, stack) for row in rows]
    whole_stack = options.slice_origin is not None or _shows_display(slices, names)
    return [
        _place(row, slice_, name, known, whole_stack, stack)
        for row, slice_, name in zip(rows, slices, names, strict=True)
    ]


def _refuse_other_names(
    path: Path, rows: Sequence[ResultsRow], places: Sequence[_Place], stack: PngStack
) -> None:
    """LabelError where a cell names another PNG than that of its row. `_places` compares Label."""
    names = [name for name in (rows[0].cells if rows else ()) if name not in ("", "Label")]
    is_png = {image: is_png_name(image, stack) for image in {place.image for place in places}}
    refuse_other_names(
        {name: [row.cells[name] for row in rows] for name in names},
        np.array([math.nan if place.slice is None else place.slice for place in places]),
        "the rest of the row, or the name of the file,",
        stack,
        path,
        lambda i: rows[i].where,
        [place.image if is_png[place.image] else "" for place in places],
    )


def _slices(rows: Sequence[ResultsRow], first: int, stack: PngStack) -> list[int | None]:
    """0-based slice of each row; None where there is none.

    LabelError where channels or frames may be meant as slices, and where numbers do not count from
    ``first``.
    """
    counted = [row.counted("Slice") for row in rows]
    for row, slice_ in zip(rows, counted, strict=True):
        if slice_ is not None and slice_ < first:
            raise row.error(
                f"Slice is {slice_}, but ImageJ counts from 1; if this table counts from 0, give"
                " --slice-origin 0"
            )
    has_depth = any((slice_ or 1) > 1 for slice_ in counted)
    for row in rows:
        position = {column: row.counted(column) or 1 for column in ("Ch", "Frame")}
        if max(position.values()) > 1 and not has_depth and not stack.is_single:
            raise row.error(
                "lies in another channel or frame of a hyperstack without slices, and the file"
                " does not say which channels or frames are the PNGs; open the PNGs as slices"
                " (Image > Properties)"
            )
    return [None if slice_ is None else slice_ - first for slice_ in counted]


def _shows_display(slices: Sequence[int | None], names: Sequence[_Names]) -> bool:
    """Whether slice labels belong to the displayed slice, not to the selections: one label has
    several slices, or one slice has several labels.
    """
    by_name: defaultdict[str, set[int]] = defaultdict(set)
    by_slice: defaultdict[int, set[str]] = defaultdict(set)
    for slice_, name in zip(slices, names, strict=True):
        if slice_ is not None and name.shown and not name.is_single:
            by_name[name.shown].add(slice_)
            by_slice[slice_].add(name.shown)
    return any(len(found) > 1 for found in by_name.values()) or any(
        len(found) > 1 for found in by_slice.values()
    )


def _place(
    row: ResultsRow,
    slice_: int | None,
    name: _Names,
    known: Mapping[str, int],
    whole_stack: bool,
    stack: PngStack,
) -> _Place:
    """The place of a row. ``whole_stack``: Slice counts all PNGs, and Label does not matter."""
    if name.is_single and not slice_:
        # one PNG opened alone: Slice, if it was measured, is 1
        return _Place(None, name.title, name.selection)
    if slice_ is not None:
        if (
            known.get(folded(name.shown), slice_) == slice_
        ):  # a name of another stack is refused later
            return _Place(slice_, name.shown, name.selection)
        if not whole_stack:
            raise row.error(
                f"Slice is {row.cells['Slice']}, but {'Label' if row.label else 'the file'} names"
                f" another slice, {name.shown!r}. Were only some of the PNGs opened? If so, delete"
                " the column Slice; if all were opened, Slice is right: give --slice-origin 1"
            )
        return _Place(slice_, "", name.selection, _ON_DISPLAY)
    if row.position and row.position[0]:
        return _Place(row.position[0] - 1, "", name.selection)
    if name.shown:
        return _Place(None, name.shown, name.selection, _LABEL_ALONE)
    if stack.is_single:
        return _Place(0, "", name.selection)
    if name.title:
        return _Place(None, name.title, name.selection)
    raise row.error(
        "neither Slice nor Label says which PNG it lies on; select Stack position in Set"
        " Measurements and measure again"
    )


READER = Reader(
    "imagej",
    f"{_TOOL} Results",
    "center for points, corner for areas",
    recognises,
    _read_results,
    numbers_slices=True,
)
