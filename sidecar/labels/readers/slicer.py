"""3D Slicer markups placed on the PNG stack: `.mrk.json` and `.fcsv`. Pixel origin: center.

Slicer gives a PNG stack the directions of LPS and the origin 0, so LPS = spacing * (column, row,
slice). Sources: the markups JSON schema 1.0.3; vtkMRMLMarkupsFiducialStorageNode and
vtkMRMLMarkupsROIJsonStorageNode of Slicer; Slicer's developer guide, "Markups".

Markups on the patient's own volume are not labels on PNGs. `sidecar project` takes them; `parse`
reads them for it. Markups that the viewer page saves are not labels on PNGs either: the description
of each point states its export.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sidecar.document.tag import TAG
from sidecar.errors import LabelError
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.readers.volume_points import Point, Vertex, VolumeFile, readers
from sidecar.labels.text import (
    head_text,
    json_keys,
    load_json,
    member,
    number,
    read_text,
    table,
    text_of,
)

_TYPES = {
    "Fiducial": "point",
    "Line": "line",
    "Angle": "polyline",
    "Curve": "polyline",
    "ClosedCurve": "polygon",
    "Plane": "point",
    "ROI": "box",
}

_NOTES = {
    "Curve": "Curves are given by their control points, not by the interpolated line",
    "ClosedCurve": "Curves are given by their control points, not by the interpolated line",
    "Plane": "Planes are given by their control points; normal and size are not carried over",
    "ROI": "An ROI is given as two boxes: its faces at both ends of its third axis",
}

#: Spellings of coordinate systems in Slicer (numbers before 4.11) → signs that convert to LPS.
_TO_LPS = {
    "LPS": (1.0, 1.0, 1.0),
    "1": (1.0, 1.0, 1.0),
    "RAS": (-1.0, -1.0, 1.0),
    "0": (-1.0, -1.0, 1.0),
}

_FCSV_COLUMNS = [
    "id",
    "x",
    "y",
    "z",
    "ow",
    "ox",
    "oy",
    "oz",
    "vis",
    "sel",
    "lock",
    "label",
    "desc",
    "associatedNodeID",
]
#: Position status by the number that Slicer 5.2 and later append to a row of `.fcsv`.
_STATUS = {"0": "undefined", "1": "preview", "2": "defined", "3": "missing"}

#: The description of points of the viewer page (``toDescription`` of ``identity.js``).
_OF_THE_PAGE = re.compile(
    rf"sidecar(?: tag (?P<tag>{TAG}))?(?: series (?P<series_uid>\S+))?"
    r"(?: specimen (?P<specimen>.+))?"
)

_REVERSED = (
    "Slices were taken as counted from the first PNG. If the stack was loaded into Slicer in"
    " reverse order, they count from the other end"
)


def recognises(path: Path, head: bytes) -> bool:
    """A JSON object with markups of Slicer's schema, or the first line of an `.fcsv`."""
    keys = json_keys(head)
    in_json = (1, "markups") in keys and not keys.isdisjoint({(1, "@schema"), (3, "controlPoints")})
    return in_json or head_text(head).startswith("# Markups fiducial file version")


def parse(path: Path) -> VolumeFile:
    """The shapes of a `.mrk.json` or `.fcsv`, in the millimetres of the file, LPS. Raises
    LabelError.
    """
    return _parse_fcsv(path) if read_text(path).lstrip().startswith("#") else _parse_json(path)


def stated_export(description: str) -> dict[str, str] | None:
    """The tag, series_uid and specimen in the description of a point of the viewer page; "" for
    missing ones. None for any other description.
    """
    found = _OF_THE_PAGE.fullmatch(description.strip())
    return None if found is None else found.groupdict(default="")


def _parse_on_pngs(path: Path) -> VolumeFile:
    """The shapes of a file, as labels on the PNGs opened as a volume.

    LabelError for a point of the viewer page: its millimetres are those of the scan, but they often
    also lie inside a volume of the PNGs.
    """
    file = parse(path)
    for vertex in file.vertices:
        if stated_export(vertex.extra.get("description", "")) is not None:
            raise LabelError(
                "is in millimetres of the scan, because the viewer page saved it, and not in those"
                " of a volume of the PNGs; map the CSV that the page saves, or place the markups"
                " on the PNGs with `sidecar project`",
                path,
                vertex.where,
            )
    return replace(file, notes=(_REVERSED, *file.notes))


def _parse_json(path: Path) -> VolumeFile:
    vertices: list[Vertex] = []
    notes: list[str] = []
    left_out = LeftOut()
    for m, markup in enumerate(member(load_json(path), "markups", list, path), start=1):
        where = f"markup {m}"
        type_ = member(markup, "type", str, path, where)
        if type_ not in _TYPES:
            raise LabelError(
                f"markup type {type_[:40]!r} is not known; export it as points or a curve",
                path,
                where,
            )
        signs = _signs(markup.get("coordinateSystem", "LPS"), path, where)
        _require_mm(markup.get("coordinateUnits", "mm"), path, where)
        extra = {"markup": text_of(markup.get("name")), "markup_type": type_}
        if type_ == "ROI":
            vertices += _faces(markup, signs, m, extra, path)
        else:
            points = _control_points(markup, signs, left_out, path, where)
            vertices += _vertices(points, _TYPES[type_], m, extra)
        notes += [_NOTES[type_]] if type_ in _NOTES else []
    return VolumeFile(vertices, notes, left_out.sentences)


@dataclass(frozen=True, slots=True)
class _ControlPoint:
    where: str
    id: str
    label: str
    description: str
    lps: Point


def _vertices(
    points: list[_ControlPoint], type_: str, m: int, extra: Mapping[str, str]
) -> list[Vertex]:
    """The vertices of a markup. A single point has its own label. The vertices of a line or curve
    have the label of the markup, and their own label in another column.
    """
    if type_ == "point":
        return [
            Vertex(
                type_,
                p.lps,
                p.where,
                p.label,
                f"{m}.{p.id}",
                0,
                {**extra, "description": p.description},
            )
            for p in points
        ]
    own = [{**extra, "control_point": p.label, "description": p.description} for p in points]
    return [
        Vertex(type_, p.lps, p.where, extra["markup"], str(m), v, own[v])
        for v, p in enumerate(points)
    ]


def _control_points(
    markup: Mapping[str, Any], signs: Point, left_out: LeftOut, path: Path, markup_: str
) -> list[_ControlPoint]:
    """The control points that were placed."""
    points: list[_ControlPoint] = []
    for i, point in enumerate(member(markup, "controlPoints", list, path, markup_), start=1):
        where = f"{markup_}, control point {i}"
        if not isinstance(point, dict):
            raise LabelError("is not an object", path, where)
        if (status := point.get("positionStatus", "defined")) != "defined":
            _leave_out(left_out, text_of(status), where)
            continue
        lps = _lps(_vector(point, "position", 3, path, where), signs)
        id_, label, description = (
            text_of(point.get(key)) for key in ("id", "label", "description")
        )
        points.append(_ControlPoint(where, id_ or str(i), label, description, lps))
    return points


def _faces(
    markup: Mapping[str, Any], signs: Point, m: int, extra: Mapping[str, str], path: Path
) -> list[Vertex]:
    """The two faces of an ROI at the ends of its third axis.

    The columns of ``orientation`` are its axes. ``size``: its full lengths.
    """
    where = f"markup {m}"
    center = np.array(_vector(markup, "center", 3, path, where))
    half = np.array(_vector(markup, "size", 3, path, where)) / 2
    axes = (
        np.array(_vector(markup, "orientation", 9, path, where)).reshape(3, 3)
        if "orientation" in markup
        else np.eye(3)
    )
    around = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return [
        Vertex(
            "box",
            _lps((center + axes @ (half * (i, j, k))).tolist(), signs),
            where,
            extra["markup"],
            f"{m}.{face}",
            v,
            extra,
        )
        for face, k in enumerate((-1, 1), start=1)
        for v, (i, j) in enumerate(around)
    ]


def _parse_fcsv(path: Path) -> VolumeFile:
    system, columns = "RAS", _FCSV_COLUMNS
    vertices: list[Vertex] = []
    left_out = LeftOut()
    for row, cells in enumerate(table(read_text(path), path), start=1):
        where = f"row {row}"
        first = ",".join(cells)
        if first.startswith("#"):
            key, _, value = first.lstrip("# ").partition("=")
            if key.strip() == "CoordinateSystem":
                system = value.strip()
            elif key.strip() == "columns":
                columns = [name.strip() for name in value.split(",")]
            continue
        if not first.strip():
            continue
        if columns[:4] != _FCSV_COLUMNS[:4]:
            raise LabelError(
                "the columns are not those of Slicer (id,x,y,z,...); save the markups again from"
                " Slicer",
                path,
            )
        if len(cells) < 4:
            raise LabelError("has no x, y and z", path, where)
        if (status := cells[14] if len(cells) > 14 else "2") != "2":
            _leave_out(left_out, _STATUS.get(status, status), where)
            continue
        own = dict(zip(columns, cells, strict=False))
        lps = _lps([number(cell, path, where) for cell in cells[1:4]], _signs(system, path))
        id_ = own["id"] or str(len(vertices) + 1)
        vertices.append(
            Vertex(
                "point",
                lps,
                where,
                own.get("label", ""),
                id_,
                0,
                {"description": own.get("desc", "")},
            )
        )
    return VolumeFile(vertices, left_out=left_out.sentences)


def _leave_out(left_out: LeftOut, status: str, where: str) -> None:
    left_out.add("control point", f"the position is {status[:20]!r}", where=where)


def _signs(system: object, path: Path, where: str | None = None) -> Point:
    if str(system) not in _TO_LPS:
        raise LabelError(
            f"coordinate system {str(system)[:20]!r} is not known; it must be LPS or RAS",
            path,
            where,
        )
    return _TO_LPS[str(system)]


def _require_mm(units: object, path: Path, where: str) -> None:
    if (units[0] if isinstance(units, list) and units else units) != "mm":
        raise LabelError(
            "the coordinates are not in mm; in 3D Slicer set the unit of length to mm and save the"
            " markups again",
            path,
            where,
        )


def _vector(
    parent: Mapping[str, Any], key: str, length: int, path: Path, where: str
) -> list[float]:
    values = member(parent, key, list, path, where)
    if len(values) != length:
        raise LabelError(f"{key!r} has {len(values)} numbers instead of {length}", path, where)
    return [number(value, path, where, key) for value in values]


def _lps(xyz: list[float], signs: Point) -> Point:
    x, y, z = (
        value * sign + 0.0 for value, sign in zip(xyz, signs, strict=True)
    )  # + 0.0: no "-0.0" in the output
    return x, y, z


READERS = readers("slicer", "3D Slicer", recognises, _parse_on_pngs)
