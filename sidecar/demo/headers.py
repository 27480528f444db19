"""Compute patient mm straight from DICOM headers, to compare with the package.

This module does not use the package's geometry, headers or sampling. It applies PS3.3 C.7.6.2.1.1
to the plane itself:

    P = IPP + IOP[0:3] · PixelSpacing[1] · column + IOP[3:6] · PixelSpacing[0] · row
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from sidecar.storage.location import Location

_TAGS = [
    "SOPInstanceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip

Point = tuple[float, float, float]


@dataclass(frozen=True)
class HeaderPlane:
    """One image plane, as its header describes it.

    ``frame_number`` is 1-based, None in a single-frame file.
    """

    sop_instance_uid: str
    frame_number: int | None
    position: list[float]
    orientation: list[float]
    pixel_spacing: list[float]

    def point(self, column: float, row: float) -> Point:
        """LPS mm of a column and row of this plane, 0 being the centre of the first pixel."""
        to_columns, to_rows = self.orientation[:3], self.orientation[3:]
        between_rows, between_columns = self.pixel_spacing
        x, y, z = (
            p + c * between_columns * column + r * between_rows * row
            for p, c, r in zip(self.position, to_columns, to_rows, strict=True)
        )
        return x, y, z


def planes_in_order(
    folder: Location, members: Iterable[tuple[str, int | None]]
) -> list[HeaderPlane]:
    """The planes of ``members`` (file below ``folder``, frame number or None), in order along the
    normal of the first plane.
    """
    by_file: dict[str, list[int | None]] = {}
    for file, frame_number in members:
        by_file.setdefault(file, []).append(frame_number)
    planes: list[HeaderPlane] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns about unusual values
        for file, frame_numbers in by_file.items():
            with (folder / file).open() as opened:
                dataset = pydicom.dcmread(
                    opened, stop_before_pixels=True, specific_tags=_TAGS, force=True
                )
            planes += [_plane(dataset, frame_number) for frame_number in frame_numbers]
    (a, b, c), (d, e, f) = planes[0].orientation[:3], planes[0].orientation[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    return sorted(
        planes, key=lambda plane: sum(n * p for n, p in zip(normal, plane.position, strict=True))
    )


def _plane(dataset: Dataset, frame_number: int | None) -> HeaderPlane:
    def numbers(sequence: str, keyword: str) -> list[float]:
        return [float(number) for number in _attribute(dataset, frame_number, sequence, keyword)]

    return HeaderPlane(
        sop_instance_uid=str(dataset.SOPInstanceUID),
        frame_number=frame_number,
        position=numbers("PlanePositionSequence", "ImagePositionPatient"),
        orientation=numbers("PlaneOrientationSequence", "ImageOrientationPatient"),
        pixel_spacing=numbers("PixelMeasuresSequence", "PixelSpacing"),
    )


def _attribute(dataset: Dataset, frame_number: int | None, sequence: str, keyword: str) -> Any:
    """An attribute of one frame: from its own functional groups, then the shared ones, then the top
    level (PS3.3 C.7.6.16).
    """
    groups: list[Dataset] = list(dataset.get("SharedFunctionalGroupsSequence") or [])
    if frame_number is not None and "PerFrameFunctionalGroupsSequence" in dataset:
        groups.insert(0, dataset.PerFrameFunctionalGroupsSequence[frame_number - 1])
    for group in groups:
        if group.get(sequence):
            return group[sequence].value[0].get(keyword)
    return dataset.get(keyword)
