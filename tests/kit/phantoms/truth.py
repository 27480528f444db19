"""The truth of a phantom, worked out before any file is written: which planes there are and where
the markers lie.

Numbers are rounded to what a DICOM decimal string can hold first, so that the truth is what the
file says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.valuerep import format_number_as_ds

from .scene import marker_sources, modality_values
from .spec import Orientation, Spec

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """One slice of one volume, as its file or frame states it.

    ``slope``: of its rescale, 1 where there is none.
    """

    position: Vector
    orientation: Orientation
    sop_instance_uid: str
    file: str
    frame_number: int | None
    instance_number: int
    time_point: int
    echo: int
    slope: float


@dataclass(frozen=True, slots=True)
class Marker:
    """A Gaussian spot and where it truly is.

    ``source``: (column, row, slice), 0 = the centre of the first voxel, slices in position order.
    ``patient``: mm LPS. A "plane" marker lies on one slice only, a "volume" marker is Gaussian
    along the slices as well; ``sop_instance_uid`` and ``frame_number`` (from 1, None in classic
    files) are those of the nearest plane of the first volume.
    """

    name: str
    kind: Literal["plane", "volume"]
    source: Vector
    patient: Vector
    sop_instance_uid: str
    frame_number: int | None


@dataclass(frozen=True, slots=True)
class Phantom:
    """A written scan.

    ``volumes``: per time point and echo, the planes in position order (along the slice normal).
    """

    spec: Spec
    folder: Path
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    volumes: tuple[tuple[Plane, ...], ...]
    markers: tuple[Marker, ...]

    @property
    def planes(self) -> tuple[Plane, ...]:
        """The planes of the first volume, in position order."""
        return self.volumes[0]

    @property
    def pixel_spacing(self) -> tuple[float, float]:
        """Mm between rows, mm between columns."""
        return self.spec.pixel_spacing

    @property
    def size(self) -> tuple[int, int, int]:
        """Columns, rows and slices that were written."""
        return self.spec.columns, self.spec.rows, len(self.planes)

    def files(self) -> list[Path]:
        """The files of the planes of the first volume, in position order; one and the same for an
        enhanced file.
        """
        return [self.folder / plane.file for plane in self.planes]

    def patient(self, column: float, row: float, slice: float) -> Vector:
        """Where a source index is: mm LPS.

        Between two planes, on the straight line between them.
        """
        return patient(self.planes, self.pixel_spacing, (column, row, slice))

    def stored(self, slice: int, volume: int = 0) -> NDArray[np.int64]:
        """(rows, columns) integers as stored, before rescale; for colour, indices, which
        `pixels.samples` turns into colours.
        """
        values = modality_values(
            self.spec, [(marker.kind, marker.source) for marker in self.markers], slice, volume
        )
        return stored_values(self.spec, values, self.volumes[volume][slice].slope)

    def values(self, slice: int, volume: int = 0) -> NDArray[np.float64]:
        """(rows, columns) modality values (HU for CT): slope · stored + intercept."""
        intercept = self.spec.rescale[1] if self.spec.rescale else 0.0
        return (
            np.float64(self.volumes[volume][slice].slope) * self.stored(slice, volume) + intercept
        )


def uid(*parts: object) -> str:
    """A UID that only depends on the parts (PS3.5 B.2: 2.25. and a 128-bit number)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16])}"


def decimal(number: float) -> float:
    """The number as a DICOM decimal string of 16 characters keeps it."""
    return float(format_number_as_ds(float(number)))


def positions(spec: Spec) -> list[Vector]:
    """ImagePositionPatient of every slice of the whole stack, in position order."""
    row, column = np.reshape(spec.cosines, (2, 3))
    tilt = np.radians(spec.tilt_degrees)
    axis = np.cos(tilt) * np.cross(row, column) + np.sin(tilt) * column
    along = np.concatenate([[0.0], np.cumsum(spec.gaps)])
    exact = np.asarray(spec.origin) + along[:, np.newaxis] * axis
    if spec.position_decimals is not None:
        exact = exact.round(spec.position_decimals)
    return [(decimal(x), decimal(y), decimal(z)) for x, y, z in exact]


def patient(
    planes: tuple[Plane, ...], pixel_spacing: tuple[float, float], source: Vector
) -> Vector:
    """The equation of PS3.3 C.7.6.2.1.1 on the plane of the slice: mm LPS."""
    column, row, slice = source
    below = min(int(slice), len(planes) - 1)
    above = min(below + 1, len(planes) - 1)

    def on(plane: Plane) -> NDArray[np.float64]:
        iop = np.asarray(plane.orientation)
        between_rows, between_columns = pixel_spacing
        return (
            np.asarray(plane.position)
            + column * between_columns * iop[:3]
            + row * between_rows * iop[3:]
        )

    x, y, z = on(planes[below]) + (slice - below) * (on(planes[above]) - on(planes[below]))
    return float(x), float(y), float(z)


def slope_of(spec: Spec, slice: int) -> float:
    """RescaleSlope of a slice; with ``per_slice_rescale`` one of eleven, between 1 and 1.5 times
    the common one.
    """
    if spec.rescale is None:
        return 1.0
    return decimal(spec.rescale[0] * (1 + (slice * 5 % 11) / 20 if spec.per_slice_rescale else 1))


def stored_values(spec: Spec, values: NDArray[np.float64], slope: float) -> NDArray[np.int64]:
    intercept = spec.rescale[1] if spec.rescale else 0.0
    return np.rint((values - intercept) / slope).astype(np.int64)


def file_names(spec: Spec, count: int) -> list[str]:
    """Relative names with forward slashes, one per classic image in position order, volume after
    volume.
    """
    if not spec.shuffled_names:
        return [f"image_{number:04d}.dcm" for number in range(count)]
    rng = np.random.default_rng([spec.seed, 1])
    folders, endings = ["", "A/", "b c/", "b c/Größe/"], ["", ".dcm", ".DCM", ".0001", ".ima"]
    return [
        f"{rng.choice(folders)}{token:08X}{rng.choice(endings)}"
        for token in rng.choice(1 << 32, count, replace=False)
    ]


def instance_numbers(spec: Spec, count: int) -> list[int]:
    """From 1, one per image in position order, volume after volume:

    InstanceNumber, or the frame's number.
    """
    numbers = np.arange(1, count + 1)
    if spec.order == "descending":
        numbers = numbers[::-1]
    elif spec.order == "shuffled":
        numbers = np.random.default_rng([spec.seed, 2]).permutation(numbers)
    return [int(number) for number in numbers]


def plan(spec: Spec, folder: Path) -> Phantom:
    """The whole truth of the phantom that ``spec`` describes; writes nothing."""
    kept = [number for number in range(spec.slices) if number not in spec.missing]
    stack = positions(spec)
    enhanced = spec.layout == "enhanced"
    count = spec.time_points * spec.echoes * len(kept)
    numbers = iter(instance_numbers(spec, count))
    names = iter(file_names(spec, 1) * count if enhanced else file_names(spec, count))
    rx, ry, rz, cx, cy, cz = map(decimal, spec.cosines)

    def plane(slice: int, number: int, time_point: int, echo: int) -> Plane:
        instance = next(numbers)
        return Plane(
            position=stack[number],
            orientation=(rx, ry, rz, cx, cy, cz),
            sop_instance_uid=(
                uid(spec.seed, "enhanced")
                if enhanced
                else uid(spec.seed, "image", time_point, echo, number)
            ),
            file=next(names),
            frame_number=instance if enhanced else None,
            instance_number=instance,
            time_point=time_point,
            echo=echo,
            slope=slope_of(spec, slice),
        )

    volumes = tuple(
        tuple(plane(slice, number, time_point, echo) for slice, number in enumerate(kept))
        for time_point in range(spec.time_points)
        for echo in range(spec.echoes)
    )

    def marker(kind: Literal["plane", "volume"], source: Vector) -> Marker:
        nearest = volumes[0][round(source[2])]
        where = patient(volumes[0], spec.pixel_spacing, source)
        name = f"{kind}-{source[0]:.0f}-{source[1]:.0f}-{source[2]:.1f}"
        return Marker(name, kind, source, where, nearest.sop_instance_uid, nearest.frame_number)

    return Phantom(
        spec=spec,
        folder=folder,
        study_uid=uid(spec.seed, "study"),
        series_uid=spec.series_uid or uid(spec.seed, "series"),
        frame_of_reference_uid=uid(spec.seed, "frame of reference"),
        volumes=volumes,
        markers=tuple(marker(kind, source) for kind, source in marker_sources(spec)),
    )
