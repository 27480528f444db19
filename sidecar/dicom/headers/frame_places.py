"""The places of the frames of an object whose geometry stands outside functional groups. This
module reads no files.

Three kinds of objects state places, each in its own way: reconstructions of nuclear medicine (PS3.3
C.8.4.15), dose grids (C.8.8.3.2), and volumes with position, orientation and spacing at the top
level, as cone beam CT writes them. An attribute that could have another meaning places nothing, and
``reason`` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sidecar.dicom.headers.frame import Keys
from sidecar.dicom.headers.header_values import (
    Attributes,
    name_of,
    number,
    numbers,
    parts_of,
    shown,
)
from sidecar.errors import GeometryError
from sidecar.grid.stack import check_orientation, plane_normal

Triple = tuple[float, float, float]
Cosines = tuple[float, float, float, float, float, float]

#: Image Type value 3 of nuclear medicine images whose frames are slices (PS3.3 C.8.4.9.1.1.3).
_RECONSTRUCTED = ("RECON TOMO", "RECON GATED TOMO")
#: Vectors that Frame Increment Pointer names in nuclear medicine. They say to which volume a frame
#: belongs.
_VOLUME_VECTORS = {
    0x00540010: "EnergyWindowVector",
    0x00540020: "DetectorVector",
    0x00540030: "PhaseVector",
    0x00540060: "RRIntervalVector",
    0x00540070: "TimeSlotVector",
    0x00540100: "TimeSliceVector",
}
_SLICE_VECTOR, _GRID_OFFSETS, _SLICE_LOCATIONS = 0x00540080, 0x3004000C, 0x00182005
#: Attributes that Frame Increment Pointer names where frames are the slices of a volume: Slice
#: Vector, Slice Location (Vector), Spacing Between Slices, Image Position (Patient).
_SLICES = frozenset({_SLICE_VECTOR, _SLICE_LOCATIONS, 0x00201041, 0x00180088, 0x00200032})
#: Attributes that pydicom reads for this, besides those of every header.
TAGS = (
    "FrameIncrementPointer", "DetectorInformationSequence", "SliceVector", "SliceLocationVector",
    "GridFrameOffsetVector", *_VOLUME_VECTORS.values(),
)  # fmt: skip
_TRANSVERSE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
#: Numbers written with few digits are the same if they differ by less than this, in mm or in parts
#: of one step.
_SAME = 1e-3


@dataclass(frozen=True, slots=True)
class FramePlace:
    """The place of one frame: position and orientation, and the vectors that assign it to a
    volume.
    """

    position: Triple
    orientation: Cosines
    keys: Keys = ()


@dataclass(frozen=True, slots=True)
class FramePlaces:
    """The place of every frame of an object. If there is none, ``reason`` says what is missing
    or not certain.
    """

    places: tuple[FramePlace, ...] = ()
    reason: str = ""


#: The places of an object with one frame, to which the position and orientation at the top level
#: apply.
NO_PLACES = FramePlaces()


class _NotCertainError(Exception):
    """Why nothing places the frames: an attribute that is there, or is missing."""


def frame_places(dataset: Attributes, frames: int) -> FramePlaces:
    """The places of ``frames`` frames of an object without functional groups.

    Raises SourceError for values that are not numbers, as `numbers` does.
    """
    try:
        if dataset.get("DetectorInformationSequence"):
            return FramePlaces(tuple(_reconstruction(dataset, frames)))
        if frames == 1:
            return NO_PLACES
        if _GRID_OFFSETS in _pointers(dataset):
            return FramePlaces(tuple(_dose_grid(dataset, frames)))
        return FramePlaces(tuple(_volume(dataset, frames)))
    except _NotCertainError as error:
        return FramePlaces(reason=str(error))


def _reconstruction(dataset: Attributes, frames: int) -> Iterator[FramePlace]:
    """Slices of nuclear medicine. They lie along the normal of the first, in the direction that
    the sign of Spacing Between Slices gives (PS3.3 C.8.4.15).
    """
    kinds = [str(part).strip().upper() for part in parts_of(dataset.get("ImageType"))]
    if not set(kinds) & set(_RECONSTRUCTED):
        raise _NotCertainError("no Image Type RECON TOMO, without which frames are not slices")
    where = "in Detector Information Sequence"
    detectors = {_placed(item, where) for item in dataset.get("DetectorInformationSequence")}
    if len(detectors) > 1:
        raise _NotCertainError(f"{len(detectors)} detectors at different places")
    ((first, orientation),) = detectors
    if frames == 1:
        yield FramePlace(first, orientation)
        return
    pointers = _pointers(dataset)
    if _SLICE_VECTOR not in pointers:
        raise _NotCertainError("no Frame Increment Pointer that names Slice Vector")
    vectors = {
        _VOLUME_VECTORS[tag]: _vector(dataset, _VOLUME_VECTORS[tag], frames)
        for tag in pointers
        if tag in _VOLUME_VECTORS
    }
    keys: list[Keys] = [
        tuple((name, int(values[i])) for name, values in vectors.items()) for i in range(frames)
    ]
    slices = _vector(dataset, "SliceVector", frames)
    for volume in dict.fromkeys(keys):
        own = [n for n, key in zip(slices, keys, strict=True) if key == volume]
        if own != list(range(1, len(own) + 1)):
            raise _NotCertainError(f"Slice Vector {shown(slices)}, which does not count from 1")
    steps = [(n - 1) * _spacing_between(dataset) for n in slices]
    for position, own_keys in zip(_along(first, orientation, steps), keys, strict=True):
        yield FramePlace(position, orientation, own_keys)


def _dose_grid(dataset: Attributes, frames: int) -> Iterator[FramePlace]:
    """Planes of a dose grid (PS3.3 C.8.8.3.2 a and b).

    Either the Grid Frame Offset Vector begins with 0 and counts from the first plane along its
    normal, or it has the z of transverse planes.
    """
    first, orientation = _placed(dataset, "at the top level")
    offsets = _vector(dataset, "GridFrameOffsetVector", frames)
    steps = np.diff(offsets)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise _NotCertainError(
            f"Grid Frame Offset Vector {shown(offsets)}, which neither rises nor falls throughout"
        )
    if offsets[0] != 0:
        transverse = np.allclose(orientation, _TRANSVERSE, rtol=0, atol=_SAME)
        if not transverse or abs(offsets[0] - first[2]) > _SAME:
            raise _NotCertainError(
                f"Grid Frame Offset Vector {shown(offsets)}, which must begin with 0 (or, if the"
                " planes are transverse, with the z of Image Position (Patient))"
            )
        for z in offsets:
            yield FramePlace((first[0], first[1], z), orientation)
        return
    for position in _along(first, orientation, offsets):
        yield FramePlace(position, orientation)


def _volume(dataset: Attributes, frames: int) -> Iterator[FramePlace]:
    """Slices of a volume whose position, orientation and spacing stand at the top level.

    They lie along the normal of the first, where Frame Increment Pointer says that frames are
    slices.
    """
    pointers = _pointers(dataset)
    if not pointers:
        raise _NotCertainError("no Frame Increment Pointer, which would say that frames are slices")
    if not _SLICES & set(pointers):
        names = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in pointers[:3])
        raise _NotCertainError(
            f"Frame Increment Pointer {names}, which does not say that frames are slices"
        )
    first, orientation = _placed(dataset, "at the top level")
    spacing = _spacing_between(dataset)
    if spacing < 0:
        raise _NotCertainError(
            f"Spacing Between Slices {spacing:g}, which must not be negative here"
        )
    steps = [i * spacing for i in range(frames)]
    counted = [i + 1.0 for i in range(frames)]
    if _SLICE_VECTOR in pointers and (v := _vector(dataset, "SliceVector", frames)) != counted:
        raise _NotCertainError(f"Slice Vector {shown(v)}, which does not count from 1")
    if _SLICE_LOCATIONS in pointers:
        found = _vector(dataset, "SliceLocationVector", frames)
        if not np.allclose(np.subtract(found, found[0]), steps, rtol=0, atol=_SAME * spacing):
            raise _NotCertainError(
                f"Slice Location Vector {shown(found)}, which contradicts Spacing Between Slices"
                f" {spacing:g}"
            )
    for position in _along(first, orientation, steps):
        yield FramePlace(position, orientation)


def _placed(attributes: Attributes, where: str) -> tuple[Triple, Cosines]:
    found = {
        keyword: numbers(attributes, keyword, count)
        for keyword, count in (("ImagePositionPatient", 3), ("ImageOrientationPatient", 6))
    }
    missing = [name_of(keyword) for keyword, value in found.items() if value is None]
    if missing:
        raise _NotCertainError(f"no {' and no '.join(missing)} {where}")
    position, orientation = found.values()
    assert orientation is not None
    try:
        check_orientation(orientation)
    except GeometryError:
        raise _NotCertainError(
            f"Image Orientation (Patient) {shown(orientation)} {where}, which is not two orthogonal"
            " unit vectors"
        ) from None
    return position, orientation  # type: ignore[return-value]


def _spacing_between(dataset: Attributes) -> float:
    spacing = number(dataset, "SpacingBetweenSlices")
    if not spacing:
        is_zero = spacing == 0
        raise _NotCertainError(
            "Spacing Between Slices 0, which is not a distance"
            if is_zero
            else "no Spacing Between Slices"
        )
    return spacing


def _pointers(dataset: Attributes) -> list[int]:
    """The tags that Frame Increment Pointer names (PS3.3 C.7.6.6.1.1)."""
    return [int(tag) for tag in parts_of(dataset.get("FrameIncrementPointer"))]


def _vector(dataset: Attributes, keyword: str, frames: int) -> list[float]:
    """One number for each frame."""
    values = numbers(dataset, keyword, frames)
    if values is None:
        raise _NotCertainError(f"no {name_of(keyword)}, which Frame Increment Pointer names")
    return list(values)


def _along(first: Triple, orientation: Cosines, steps: Sequence[float]) -> Iterator[Triple]:
    """The positions at these steps, in mm, from ``first`` along the normal of a plane."""
    normal = plane_normal(orientation)
    for position in (np.asarray(first) + np.outer(steps, normal)).tolist():
        x, y, z = position
        yield x, y, z
