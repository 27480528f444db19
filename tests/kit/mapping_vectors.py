"""The vectors in ``schemas/vectors``: documents in miniature, and where their pixels are.

``python tests/kit/mapping_vectors.py`` writes them anew. Nothing of the package is used: the way from
pixel to patient is written out once more, in fractions, so that every number in the file is the one
double nearest to the exact answer for the doubles of its document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "schemas" / "vectors" / "mapping-vectors.json"

Exact = tuple[Fraction, ...]
#: Longest line of the file that is broken no further.
LINE = 250
AXES = ("columns", "rows", "slices")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
#: Two orthogonal unit vectors that lie along no axis.
OBLIQUE = (0.36, 0.928, -0.096, -0.8, 0.36, 0.48)
ORIGIN = (-12.5, 31.25, -104.0)
ROOT = "1.2.826.0.1.3680043.8.498.7"


def nearest(place: Fraction) -> int:
    """The sample nearest to a place; halfway between two it is the lower one."""
    return ceil(place - Fraction(1, 2))


def source_of(document: dict[str, Any], pixel: Sequence[float]) -> Exact:
    """(column, row, slice) of PNG (x, y, number)."""
    decimation, source = document["decimation"], {}
    for name, at in zip(decimation["order"], pixel, strict=True):
        axis = decimation[name]
        source[name] = Fraction(axis["factor"]) * Fraction(at) + Fraction(axis["offset"])
    return tuple(source[name] for name in AXES)


def patient_of(document: dict[str, Any], source: Exact) -> Exact | None:
    """LPS mm of a source index; None without patient geometry."""
    if document["coordinate_system"] is None:
        return None
    column, row, along = source
    planes = document["source"]["planes"]
    if len(planes) == 1:
        return _on_plane(document, 0, column, row)
    below = min(max(floor(along), 0), len(planes) - 2)
    lower, upper = (_on_plane(document, k, column, row) for k in (below, below + 1))
    part = along - below
    return tuple((1 - part) * a + part * b for a, b in zip(lower, upper, strict=True))


def _on_plane(document: dict[str, Any], plane: int, column: Fraction, row: Fraction) -> Exact:
    """PS3.3 C.7.6.2.1.1; the first number of Pixel Spacing is the distance between rows."""
    source = document["source"]
    between_rows, between_columns = map(Fraction, source["pixel_spacing"])
    position = source["planes"][plane]["position"]
    cosines = source["planes"][plane]["orientation"] or source["orientation"]
    return tuple(
        Fraction(position[i])
        + column * between_columns * Fraction(cosines[i])
        + row * between_rows * Fraction(cosines[3 + i])
        for i in range(3)
    )


def point(document: dict[str, Any], pixel: Sequence[float]) -> dict[str, Any]:
    """All that a pixel maps to; no instance beyond the outer halves of the first and last slice."""
    source, planes = source_of(document, pixel), document["source"]["planes"]
    off_halfway = abs(source[2] - floor(source[2]) - Fraction(1, 2))
    assert off_halfway == 0 or off_halfway > 1e-3, "rounding decides which slice is nearest"
    patient = patient_of(document, source)
    inside = Fraction(-1, 2) <= source[2] <= len(planes) - Fraction(1, 2)
    plane = planes[min(max(nearest(source[2]), 0), len(planes) - 1)] if inside else None
    return {
        "pixel": [float(at) for at in pixel],
        "source": [float(at) for at in source],
        "patient": None if patient is None else [float(at) for at in patient],
        "sop_instance_uid": None if plane is None else plane["sop_instance_uid"],
        "frame_number": None if plane is None else plane["frame_number"],
    }


def stride(start: int, step: int, size: int) -> dict[str, Any]:
    """Every step-th sample."""
    return {"factor": float(step), "offset": float(start), "size": size, "method": "stride"}


def blocks(start: int, step: int, size: int, method: str = "mean") -> dict[str, Any]:
    """One pixel for each block of so many samples, in its middle."""
    offset = start + (step - 1) / 2
    return {"factor": float(step), "offset": offset, "size": size, "method": method}


def resize(start: int, stop: int, size: int) -> dict[str, Any]:
    """The samples from start to stop edge to edge on other pixels."""
    factor = (stop - start) / size
    offset = start + (factor - 1) / 2
    return {"factor": factor, "offset": offset, "size": size, "method": "resize"}


def mirrored(axis: dict[str, Any]) -> dict[str, Any]:
    """Its first pixel where the last one was."""
    last = axis["factor"] * (axis["size"] - 1) + axis["offset"]
    return {**axis, "factor": -axis["factor"], "offset": last}


def miniature(
    size: tuple[int, int, int],
    columns: dict[str, Any],
    rows: dict[str, Any],
    slices: dict[str, Any],
    *,
    order: str = "columns rows slices",
    spacing: tuple[float, float] = (0.5, 0.5),
    orientation: Sequence[float] = AXIAL,
    other_orientations: dict[int, Sequence[float]] | None = None,
    positions: Iterable[Sequence[float]] | None = None,
    multi_frame: bool = False,
) -> dict[str, Any]:
    """What of a document decides where pixels are; without positions it has no patient geometry."""
    places = None if positions is None else [list(position) for position in positions]
    assert places is None or len(places) == size[2]
    planes = [
        {
            "sop_instance_uid": ROOT if multi_frame else f"{ROOT}.{k + 1}",
            "frame_number": k + 1 if multi_frame else None,
            "position": None if places is None else places[k],
            "orientation": list((other_orientations or {})[k])
            if k in (other_orientations or {})
            else None,
        }
        for k in range(size[2])
    ]
    return {
        "coordinate_system": None if places is None else "LPS",
        "units": "pixel" if places is None else "mm",
        "pixel_origin": "center",
        "source": {
            "size": list(size),
            "pixel_spacing": None if places is None else list(spacing),
            "orientation": None if places is None else list(orientation),
            "planes": planes,
        },
        "decimation": {
            "columns": columns,
            "rows": rows,
            "slices": slices,
            "order": order.split(),
        },
    }


def along(
    heights: Iterable[float],
    step: Sequence[float] = (0.0, 0.0, 1.0),
    drift: Sequence[float] = (0.0, 0.0, 0.0),
) -> list[list[float]]:
    """Positions at these heights along a normal; ``drift`` mm more for every plane."""
    return [
        [ORIGIN[i] + height * step[i] + k * drift[i] for i in range(3)]
        for k, height in enumerate(heights)
    ]


def cases() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every document in miniature by its name, with what it is there for."""
    even = along(1.25 * k for k in range(9))
    uneven = along((0, 0.5, 1, 3, 3.5, 4, 4.5, 7, 7.5))
    normal = (0.48, -0.096, 0.872)
    oblique = along((0.75 * k for k in range(9)), normal)
    tilted = along((0.75 * k for k in range(9)), normal, (-0.24, 0.108, 0.144))
    fine = [(1e4 + 0.0011 * k, -2e4, 1.5e4) for k in range(9)]
    half, third = blocks(0, 2, 32), stride(0, 3, 3)
    whole = stride(0, 1, 64)
    size = (64, 64, 9)
    return {
        "as stored": (
            "Pixels are voxels. Rows are 0.8 mm apart and columns 0.25 mm.",
            miniature(
                (96, 40, 9),
                stride(0, 1, 96),
                stride(0, 1, 40),
                stride(0, 1, 9),
                spacing=(0.8, 0.25),
                positions=even,
            ),
        ),
        "means of blocks": (
            "Half size: the middle of a pixel lies between two voxels. Every third slice.",
            miniature(size, half, half, third, positions=even),
        ),
        "resized": (
            "The factor comes from sizes, 64 to 27, and is no round number.",
            miniature(
                size,
                resize(0, 64, 27),
                resize(0, 64, 27),
                stride(0, 1, 9),
                orientation=OBLIQUE,
                positions=oblique,
            ),
        ),
        "cropped": (
            "Offsets hold where the crop begins: maxima of 3 columns from 7, rows 5 to 60 resized.",
            miniature(
                size,
                blocks(7, 3, 18, "max"),
                resize(5, 60, 23),
                stride(2, 1, 6),
                positions=even,
            ),
        ),
        "means of slices": (
            "Each PNG lies halfway between two slices: its instance is that of the lower one.",
            miniature(size, whole, whole, blocks(0, 2, 4), positions=uneven),
        ),
        "uneven": (
            "Gaps between slices differ, and one slice is missing: no affine maps this.",
            miniature(size, half, whole, stride(1, 3, 3), positions=uneven),
        ),
        "tilted": (
            "Gantry tilt: positions drift along the columns from slice to slice.",
            miniature(size, half, half, stride(0, 2, 5), orientation=OBLIQUE, positions=tilted),
        ),
        "nearly parallel": (
            "Two planes have an orientation of their own, as rounded headers do.",
            miniature(
                size,
                whole,
                whole,
                stride(0, 1, 9),
                positions=even,
                other_orientations={
                    3: (0.99999996, 0.0002, 0.0002, -0.0002, 0.99999998, 0.0),
                    4: (1.0, 0.0, 0.0, 0.0, 0.99999995, -0.0003),
                },
            ),
        ),
        "turned": (
            "Coronal: PNG x runs along columns, y along slices, and PNG numbers along rows.",
            miniature(
                size,
                half,
                stride(3, 7, 9),
                stride(0, 1, 9),
                order="columns slices rows",
                positions=tilted,
                orientation=OBLIQUE,
            ),
        ),
        "mirrored": (
            "Negative factors: all three axes run the other way.",
            miniature(
                size,
                mirrored(blocks(0, 2, 31)),
                mirrored(resize(0, 64, 27)),
                mirrored(stride(1, 2, 4)),
                positions=uneven,
            ),
        ),
        "turned and mirrored": (
            "Sagittal, x backwards and numbers backwards.",
            miniature(
                size,
                mirrored(resize(0, 64, 50)),
                mirrored(blocks(2, 3, 20)),
                stride(0, 1, 9),
                order="rows slices columns",
                positions=uneven,
            ),
        ),
        "one slice": (
            "No spacing along the normal: only PNG number 0 has millimetres.",
            miniature(
                (64, 64, 1), half, half, stride(0, 1, 1), positions=[ORIGIN], orientation=OBLIQUE
            ),
        ),
        "no geometry": (
            "Photographs or ultrasound: pixels map to voxels and instances, not to millimetres.",
            miniature((64, 48, 9), half, resize(0, 48, 31), third),
        ),
        "no geometry, turned": (
            "PNG numbers run along the columns of images without millimetres.",
            miniature(
                (64, 48, 9),
                stride(0, 4, 16),
                stride(0, 1, 48),
                mirrored(stride(0, 1, 9)),
                order="slices rows columns",
            ),
        ),
        "many frames": (
            "One file with all slices: frame numbers count from 1.",
            miniature(size, half, half, stride(0, 2, 5), positions=even, multi_frame=True),
        ),
        "far away": (
            "Micrometres, metres from the origin: no digit is to spare.",
            miniature(
                size,
                half,
                half,
                stride(0, 2, 5),
                spacing=(0.0011, 0.0011),
                orientation=(0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
                positions=fine,
            ),
        ),
    }


def pixels_on(document: dict[str, Any]) -> list[tuple[float, ...]]:
    """Corners, edges, between pixels, halfway between PNGs and beyond the last one."""
    axes = [document["decimation"][name] for name in document["decimation"]["order"]]
    x, y, number = (axis["size"] - 1 for axis in axes)
    found: list[tuple[float, ...]] = [
        (0, 0, 0),
        (x, 0, 0),
        (0, y, 0),
        (x, y, number),
        (x / 2, y / 2, number // 2),
        (-0.5, y + 0.5, number),
        (x / 3, 2 * y / 3, number // 3),
        (7.25, 5.125, min(1, number)),
    ]
    slices_are_pngs = document["decimation"]["order"][2] == "slices"
    if len(document["source"]["planes"]) == 1 and document["coordinate_system"]:
        return found if slices_are_pngs else []
    found += [(3.5, 2.25, k + 0.5) for k in range(min(number, 3))]
    found += [(2.0, 6.0, k + part) for k in range(min(number, 2)) for part in (0.25, 0.75)]
    found += [(1.0, 4.0, number + 0.5), (1.0, 4.0, -0.5), (1.0, 4.0, number + 3.0)]
    return found


def vectors() -> dict[str, Any]:
    """All that the file holds."""
    halves = [Fraction(k, 4) for k in range(-2, 15)]
    return {
        "about": "Where the pixels of sidecar documents are; README.md tells the fields.",
        "tolerance": {"source": 1e-9, "pixel": 1e-6, "patient": 1e-6},
        "nearest": [{"place": float(place), "sample": nearest(place)} for place in halves],
        "cases": [
            {
                "name": name,
                "about": about,
                "document": document,
                "points": [point(document, pixel) for pixel in dict.fromkeys(pixels_on(document))],
            }
            for name, (about, document) in cases().items()
        ],
    }


def as_text(content: Any, indent: str = "") -> str:
    """JSON in lines that people can read: whatever fits on one is not broken."""
    line = json.dumps(content)
    if len(indent) + len(line) <= LINE or not isinstance(content, dict | list):
        return line
    deeper = indent + " "
    if isinstance(content, list):
        parts = [as_text(part, deeper) for part in content]
    else:
        parts = [f"{json.dumps(key)}: {as_text(part, deeper)}" for key, part in content.items()]
    opening, closing = "[]" if isinstance(content, list) else "{}"
    inside = ",".join(f"\n{deeper}{part}" for part in parts)
    return f"{opening}{inside}\n{indent}{closing}"


if __name__ == "__main__":
    FILE.write_text(as_text(vectors()) + "\n", encoding="utf-8")
