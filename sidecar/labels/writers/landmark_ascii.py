"""Amira and Avizo landmark set, ``.landmarkAscii``: patient millimetres, one set, without names, in
the order of the input.

Amira lays these over a volume in physical coordinates. They fall into place when the volume was
loaded with its patient position, as from DICOM; a stack of images loaded with an origin of its own
is elsewhere. Where the voxel size was given by hand, they fit a stack of that voxel size whose
first voxel is at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.errors import LabelError
from sidecar.grid.space import Space
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers.specimens import decimals, landmarks_of

_HEADER = """# AmiraMesh 3D ASCII 2.0

define Markers {count}

Parameters {{
    ContentType "LandmarkSet",
    NumSets 1
}}

Markers {{ float[3] Coordinates }} @1

@1
"""


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    return _write_landmarks(landmarks_of(parts, space, "landmarkAscii"), path)


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    if len(landmarks.specimens) > 1:
        raise LabelError(
            f"there are {len(landmarks.specimens)} specimens, but landmarkAscii holds one; write"
            " each specimen separately, or write tps"
        )
    lines = [" ".join(decimals(row)) + "\n" for row in landmarks.mm[0]]
    path.write_text(
        _HEADER.format(count=len(lines)) + "".join(lines), encoding="utf-8", newline="\n"
    )
    return landmarks.notes


WRITER = Writer("amira", (".landmarkascii",), _write, _write_landmarks)
