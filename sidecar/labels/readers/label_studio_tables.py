"""The exports of Label Studio called "JSON-MIN", "CSV" and "TSV": one row for each annotation, and
one column for each control of the labelling set-up.

The cells hold the regions. These exports do not state whether an image was rotated in Label Studio,
nor the ids of regions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.label_studio_regions import (
    SHAPES,
    image_of,
    label_of,
    outline_of,
    size_of,
)
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import stated_sizes
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.tables.csv_table import delimiter_of
from sidecar.labels.text import (
    first_row,
    head_text,
    json_keys,
    parse_json,
    read_text,
    table,
    text_of,
)

_TOOL = "Label Studio JSON-MIN and CSV"
#: Columns that Label Studio adds to every row.
_ADDED = {"annotation_id", "annotator", "lead_time"}

_ROTATION = (
    "This export does not say whether an image was rotated in Label Studio. If one was, its"
    ' positions are those on the rotated image. The export called "JSON" says it'
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    text = read_text(path)
    rows = _of_json(text, path) if text.lstrip().startswith("[") else _of_table(text, path)
    file = _File(path, Edges(options.pixel_origin))
    shapes = [shape for where, row in rows for shape in file.shapes(row, where)]
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=stated_sizes(path, file.sizes),
        notes=[_ROTATION, *file.edges.notes],
        left_out=file.left_out.sentences,
    )


_Row = tuple[str, Mapping[str, Any]]


def _of_json(text: str, path: Path) -> list[_Row]:
    rows = parse_json(text, path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LabelError("is not a list of annotations in the form of JSON-MIN", path)
    return [(f"annotation {n}", row) for n, row in enumerate(rows, 1)]


def _of_table(text: str, path: Path) -> list[_Row]:
    header, *body = table(text, path, delimiter_of(text.partition("\n")[0])) or [[]]
    if not set(header) >= _ADDED:
        raise LabelError(
            f"is not a table of Label Studio: it has no column {sorted(_ADDED - set(header))[0]}",
            path,
            "row 1",
        )
    rows = [(f"row {n}", cells) for n, cells in enumerate(body, 2) if cells]
    for where, cells in rows:
        if len(cells) != len(header):
            raise LabelError(
                f"has {counted(len(cells), 'cell')}, but the header has {len(header)}", path, where
            )
    return [
        (
            where,
            {
                name: parse_json(cell, path, where) if cell.startswith(("[", "{")) else cell
                for name, cell in zip(header, cells, strict=True)
            },
        )
        for where, cells in rows
    ]


@dataclass(frozen=True, slots=True)
class _File:
    """One export, and the notes that are collected while its rows become shapes."""

    path: Path
    edges: Edges
    sizes: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)

    def shapes(self, row: Mapping[str, Any], place: str) -> Iterator[Shape]:
        for column, regions in row.items():
            if not isinstance(regions, list):
                continue
            for n, region in enumerate(regions, 1):
                if isinstance(region, dict):
                    where = f"{place}, {column} {n}"
                    yield from self._of_region(region, row, f"{column}.{n}", where)

    def _of_region(
        self, region: Mapping[str, Any], row: Mapping[str, Any], number_: str, where: str
    ) -> Iterator[Shape]:
        kind = _kind(region)
        if kind not in SHAPES:
            why = "map-mask reads it from the export called JSON" if kind == "brush" else ""
            self.left_out.add(f"{kind} region", why)
            return
        image = image_of(row, region.get("item_index"), self.path, where)
        size = size_of(region, self.path, where)
        self.sizes.append((image, size))
        shape, vertices = outline_of(kind, region, size, self.edges, self.path, where)
        label = label_of(region.get(f"{kind}labels") or region.get("labels"))
        annotation, task = text_of(row.get("annotation_id")), text_of(row.get("id"))
        extra = {"annotation": annotation, "completed_by": text_of(row.get("annotator"))}
        id_ = f"{annotation}.{number_}"
        entry = f"task {task}" if task else ""
        yield Shape(
            shape, vertices, "corner", where, label, image, id=id_, extra=extra, entry=entry
        )


def _kind(region: Mapping[str, Any]) -> str:
    """The kind of a region, by the key of its labels, or else by a key that only one kind has."""
    for key in region:
        if key.endswith("labels") and key != "labels":
            return key.removesuffix("labels")
    for key, kind in (
        ("rle", "brush"),
        ("points", "polygon"),
        ("radiusX", "ellipse"),
        ("sequence", "video"),
        ("height", "rectangle"),
        ("x", "keypoint"),
    ):
        if key in region:
            return kind
    return "other"


def _recognises(path: Path, head: bytes) -> bool:
    text = head_text(head).lstrip()
    if text.startswith("["):
        keys = json_keys(head)
        is_full = not keys.isdisjoint({(2, "annotations"), (2, "data")})
        return not is_full and not keys.isdisjoint({(2, "annotation_id"), (4, "original_width")})
    return set(first_row(head, delimiter_of)) >= _ADDED


READER = Reader("label-studio-min", _TOOL, "corner", _recognises, _read)
