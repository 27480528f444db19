"""Landmarks of 3-D tools placed on the PNG stack: IDAV Landmark `.pts` and Amira/Avizo
`.landmarkAscii`. Pixel origin: center.

Both hold coordinates in the unit of the volume on which they were placed. Amira's bounding box runs
through the middles of the outer voxels, so coordinate = minimum + spacing * voxel number. For a PNG
stack opened with the minimum 0, this is the rule of `sidecar.labels.readers.volume_points`. IDAV
Landmark has no voxels; its surfaces are assumed to come from such a stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.readers.volume_points import Point, Vertex, VolumeFile, readers
from sidecar.labels.text import head_text, number, read_bytes, read_text, whole

_MISSING = 9999.0

_PTS = re.compile(r"Version 1\.0[^\S\n]*\n\s*\d+[^\S\n]*(\n|$)")
_AMIRA = re.compile(r"#\s*(AmiraMesh|Avizo)\b[^\n]*")
_DECLARED = re.compile(r"^[^\S\n]*define\s+Markers\s+(\d+)", re.MULTILINE)
_COORDINATES = re.compile(r"Markers\s*\{\s*float\[3\]\s+Coordinates\s*\}(?:\s*=)?\s*@(\d+)")
_SETS = re.compile(r"\b(?:Num|n)Sets\s+(\d+)")

_FROM_TOP = (
    "y was taken as counted downwards from the first row of the PNGs, and slices as counted from"
    " the first PNG"
)
_OTHER_ORIGIN = (
    "The bounding box of the stack was taken to begin at 0, as it does if a PNG stack is opened"
    " without a position"
)


def recognises_pts(path: Path, head: bytes) -> bool:
    """A file that begins with a line with the version and a line with the number of points."""
    return _PTS.match(head_text(head)) is not None


def parse_pts(path: Path) -> VolumeFile:
    """Parse `Version 1.0`, the number of points, then name and x, y, z of each point.

    9999 three times is a missing point.
    """
    lines = [
        (f"line {n}", line.split()) for n, line in enumerate(read_text(path).splitlines(), start=1)
    ]
    header, points = lines[:2], [line for line in lines[2:] if line[1]]
    if [word for _, words in header[:1] for word in words] != ["Version", "1.0"] or len(header) < 2:
        raise LabelError(
            "does not begin with the lines 'Version 1.0' and the number of points", path
        )
    _require_count(" ".join(header[1][1]), len(points), path, header[1][0])
    vertices: list[Vertex] = []
    left_out = LeftOut()
    for n, (where, words) in enumerate(points, start=1):
        if len(words) < 4:
            raise LabelError("does not hold a name followed by x, y and z", path, where)
        name, xyz = " ".join(words[:-3]), _xyz(words[-3:], path, where)
        if xyz == (_MISSING, _MISSING, _MISSING):
            left_out.add("point", "marked as missing (9999)", where=f"{name}, {where}")
        else:
            vertices.append(Vertex("point", xyz, where, name, str(n)))
    return VolumeFile(vertices, [_FROM_TOP], left_out.sentences)


def recognises_amira(path: Path, head: bytes) -> bool:
    """A file with the first line of Amira, and with landmarks as its content."""
    text = head_text(head)
    return _AMIRA.match(text) is not None and '"LandmarkSet"' in text


def parse_amira(path: Path) -> VolumeFile:
    """The coordinates of one landmark set. Two sets are pairs between two data sets, and only one
    of these can be the PNG stack; they are refused.
    """
    if b"BINARY" in read_bytes(path)[:100]:
        raise LabelError(
            "is a binary landmark set; save it in Amira or Avizo as Amira ASCII (landmarkAscii)",
            path,
        )
    text = read_text(path)
    header = text.partition("\n@")[0]
    declared = _DECLARED.search(header)
    if _AMIRA.match(header) is None or declared is None:
        raise LabelError("is not an ASCII landmark set of Amira or Avizo (landmarkAscii)", path)
    sets = _SETS.search(header)
    if (sets and whole(sets[1], path, name="NumSets") != 1) or "Markers2" in header:
        raise LabelError(
            "holds two landmark sets, with pairs of points in two volumes; save the set of the PNG"
            " stack alone",
            path,
        )
    data = _COORDINATES.search(header)
    if data is None:
        raise LabelError("declares no coordinates for its markers", path)
    points = _section(text.splitlines(), f"@{data[1]}")
    _require_count(declared[1], len(points), path, "define Markers")
    vertices = [
        Vertex("point", _xyz(words, path, where), where, str(n), str(n))
        for n, (where, words) in enumerate(points, start=1)
    ]
    return VolumeFile(vertices, [_FROM_TOP, _OTHER_ORIGIN])


def _section(lines: Iterable[str], mark: str) -> list[tuple[str, list[str]]]:
    """The lines after the line ``mark``, up to the next mark, each with its place."""
    section: list[tuple[str, list[str]]] = []
    inside = False
    for n, line in enumerate(map(str.strip, lines), start=1):
        if line.startswith("@"):
            inside = line == mark
        elif inside and line:
            section.append((f"line {n}", line.split()))
    return section


def _xyz(words: list[str], path: Path, where: str) -> Point:
    if len(words) != 3:
        raise LabelError("does not have three coordinates", path, where)
    x, y, z = (number(word, path, where) for word in words)
    return x, y, z


def _require_count(announced: str, found: int, path: Path, where: str) -> None:
    if whole(announced, path, where, "number of points") != found:
        raise LabelError(
            f"announces {announced} points, but the file has {found}; add the missing points or"
            " correct the number",
            path,
            where,
        )


READERS = (
    *readers("landmark", "IDAV Landmark", recognises_pts, parse_pts),
    *readers("amira", "Amira", recognises_amira, parse_amira),
)
