"""Generic CSV: a header row with x, y, and image or slice. Pixel origin: *center*, unless forced.

``image`` is a PNG name. ``slice`` is a 0-based PNG number that may be fractional. ``tag`` and
``series_uid`` state the export of the labels; the viewer page writes them. Every column is copied
to the output unchanged. `sidecar.labels.tables.csv_table` says which forms of CSV are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import TAG
from sidecar.errors import LabelError
from sidecar.labels.grouping import group
from sidecar.labels.model import (
    PATIENT_COLUMNS,
    SOURCE_COLUMNS,
    ImageReference,
    Labels,
    PixelOrigin,
    PngStack,
    Reader,
    ReadOptions,
    SliceOrigin,
    to_center,
)
from sidecar.labels.readers.csv_guards import refuse_other_tables
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import png_against_slices, png_in_name
from sidecar.labels.tables.columns import Columns, Made
from sidecar.labels.tables.csv_table import Table, delimiter_of
from sidecar.labels.text import first_row, first_rows

TOOL = "generic CSV"
#: Columns of a header that a message names.
_MOST_LISTED = 12
_FROM_0 = (
    "Slices were taken as counted from 0: slice 0 is the first PNG. If they are counted from 1,"
    " give --slice-origin 1"
)


def _recognises(path: Path, head: bytes) -> bool:
    names = [name.strip().lower() for name in first_row(head, delimiter_of)]
    return "x" in names and "y" in names


def lacking(head: bytes) -> str:
    """What a table of text that no reader recognises lacks as a CSV of labels, and what to do.

    "" for what is no table.
    """
    header, *others = first_rows(head, delimiter_of, 2) or [[]]
    if len(header) < 2 or any(len(row) != len(header) for row in others) or not _is_text(header):
        return ""
    needed = "A CSV of labels has a header row with x, y, and image or slice; label may be left out"
    if any(map(_is_number, header)):
        return f"{needed}. This table has no header row; add one"
    names = [name.strip() for name in header if name.strip()]
    lower = set(map(str.lower, names))
    if lower.issuperset(PATIENT_COLUMNS) or lower.issuperset(SOURCE_COLUMNS):
        return (
            f"It has the columns {_listed(names)}, which are points in the scan: `sidecar project`"
            " takes these, and puts them onto the PNGs"
        )
    missing = [name for name in ("x", "y") if name not in lower]
    if lower.isdisjoint(("image", "slice")):
        missing.append("image or slice")
    return (
        f"{needed}. This table has no column {', '.join(missing)}; it has {_listed(names)}. Rename"
        " its columns, or add what is missing"
    )


def _is_text(cells: Sequence[str]) -> bool:
    """Whether cells are those of a table, and not the first line of JSON, XML or a binary file."""
    return all(map(str.isprintable, cells)) and not cells[0].lstrip().startswith(("{", "[", "<"))


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d+([.,]\d*)?", cell.strip(), re.ASCII) is not None


def _listed(names: Sequence[str]) -> str:
    """The first names of a long header."""
    return ", ".join([*names[:_MOST_LISTED], *(["…"] if len(names) > _MOST_LISTED else [])])


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    table = Table(path)
    taken: PixelOrigin = options.pixel_origin or "center"
    has_slice = table.name("slice") is not None
    numbers, (images,) = table.at_once(
        ("x", "y", "slice") if has_slice else ("x", "y"), "image"
    ) or _one_by_one(table)
    own = ""
    if images is None:
        own = (png_against_slices if has_slice else png_in_name)(path, stack) or ""
    if images is None and not has_slice and not own and not stack.is_single:
        raise LabelError(
            "has neither a column image (PNG name) nor a column slice (PNG number from 0), and its"
            " file name does not begin with that of a PNG; add one of the columns",
            path,
            "row 1",
        )
    refuse_other_tables(table, numbers, own, options.slice_origin, stack)
    if images is None and own:
        images = [own] * len(table)
    slices = np.zeros(len(table)) if images is None else np.full(len(table), np.nan)
    if has_slice:
        slices = numbers[:, 2] - (options.slice_origin or 0)
    counts = has_slice and images is None and not stack.is_single
    left_out = LeftOut()
    left_out.add("empty row", count=table.empty_rows)
    references, reference = _referred(table, images)
    return Labels(
        path=path,
        xy=to_center(numbers[:, :2], taken),
        slice=slices,
        images=references,
        reference=reference,
        shapes=group(table.columns, len(table), path, table.row),
        columns=_counted_from_0(table, options.slice_origin),
        where=table.row,
        tool=TOOL,
        pixel_origin=taken,
        notes=(
            *([_FROM_0] if counts and options.slice_origin is None else []),
            *left_out.sentences,
        ),
        left_out=left_out.sentences,
    )


def _counted_from_0(table: Table, slice_origin: SliceOrigin | None) -> Columns:
    """The columns unchanged, except that slices count from 0, so that readers of the output find
    the right slices.
    """
    name = table.name("slice")
    if not slice_origin or name is None:
        return table.columns
    numbers = table.numbers("slice", empty_allowed=True) - slice_origin
    cells = [
        "" if np.isnan(n) else f"{n:.0f}" if n.is_integer() else repr(n) for n in numbers.tolist()
    ]
    return Made.of({**table.columns, name: cells}, len(table))


def _referred(
    table: Table, images: Sequence[str] | None
) -> tuple[tuple[ImageReference, ...], NDArray[np.intp]]:
    """The different references to images and their exports, and the index of the reference in each
    row.
    """
    stated = [table.texts(name) for name in ("tag", "series_uid")]
    if images is None and not any(stated):
        return (ImageReference(""),), np.zeros(len(table), np.intp)
    columns = [cells or [""] * len(table) for cells in (images, *stated)]
    known = {row: k for k, row in enumerate(dict.fromkeys(zip(*columns, strict=True)))}
    numbers = map(known.__getitem__, zip(*columns, strict=True))
    return tuple(_reference(*row) for row in known), np.fromiter(numbers, np.intp, len(table))


def _reference(name: str, tag: str, series: str) -> ImageReference:
    """The reference of a row. Text in the column tag that is no tag of ours is ignored."""
    tag = tag.strip().lower()
    is_tag = re.fullmatch(TAG, tag) is not None
    return ImageReference(name, tag=tag if is_tag else None, series_uid=series.strip() or None)


def _one_by_one(table: Table) -> tuple[NDArray[np.float64], list[Sequence[str] | None]]:
    """The result of `Table.at_once`, read one column after the other: x, y and slice. slice may be
    empty where there is an image.
    """
    images = table.texts("image")
    columns = [table.numbers("x"), table.numbers("y")]
    if table.name("slice") is not None:
        columns.append(table.numbers("slice", empty_allowed=images is not None))
    return np.column_stack(columns), [images]


READER = Reader("csv", TOOL, "center", _recognises, _read, numbers_slices=True)
