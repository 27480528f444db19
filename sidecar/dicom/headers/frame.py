"""The header of one frame as plain values. Pure: no files, no pydicom."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from sidecar.dicom.pixels import FrameLocator, PixelLayout
from sidecar.storage.location import Stamp
from sidecar.values.lookup_table import LookupTable
from sidecar.values.real_world import RealWorldMap

#: Keyword and value of every attribute that can tell frames apart.
Keys = tuple[tuple[str, Hashable], ...]
#: Kinds of images whose frames are not slices: many slices tiled into one image, and tiles of one
#: slide.
Tiled = Literal["mosaic", "slide"]


@dataclass(frozen=True, slots=True)
class Common:
    """Facts that all frames of a series usually share. They are one object, so that 10,000 slices
    take little memory.

    ``patient``: a number that stands for the Patient ID, which is not kept. It is another one in
    every run of the program.
    ``pixel_spacing``: mm between rows, then between columns.
    ``table``: from stored values to modality values, where the header has a table instead of a
    line.
    ``rescale_unit``: as the header states it.
    ``implied_unit``: HU where a CT image is rescaled and states no unit (PS3.3 C.8.2.1). This holds
    for patients: scanners of specimens have no such scale.
    ``concatenation``: the UID that joins multi-frame files into one object (PS3.3 C.7.6.16.2.2.4).
    ``part``: number of the file in it, and of how many, where the header states both.
    ``unused``: geometry found at a place where it does not place this frame, in words.
    ``remarks``: what the standard forbids, but was read.
    """

    patient: int
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None
    sop_class_uid: str
    modality: str
    description: str
    series_number: int | None
    pixel_spacing: tuple[float, float] | None
    layout: PixelLayout
    table: LookupTable | None
    rescale_unit: str | None
    implied_unit: str | None
    padding: tuple[int, int] | None
    multiframe: bool
    concatenation: str | None
    part: tuple[int, int] | None
    tiled: Tiled | None
    unused: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of one frame.

    ``frame``: 0-based number in its file. ``frames``: number of frames in the file. ``offset``: as
    in `FrameLocator`.
    ``keys``: attributes that tell frames at one position apart (time, echo, b-value …), in order of
    preference.
    ``stamp``: that of the file, from before its header was read.
    ``real_world``: from stored values to real world values.
    ``content``: a digest of the pixels, for frames that may be copies of each other (see
    `sidecar.dicom.stacks.duplicates`). It is None for other frames, and where the pixels cannot be
    read.
    """

    common: Common
    file: str
    frame: int
    frames: int
    offset: int | None
    sop_instance_uid: str
    instance_number: int | None
    position: tuple[float, float, float] | None
    orientation: tuple[float, float, float, float, float, float] | None
    slice_location: float | None
    rescale: tuple[float, float]
    window: tuple[float, float] | None
    keys: Keys
    stamp: Stamp
    real_world: tuple[RealWorldMap, ...] = ()
    content: bytes | None = None

    @property
    def frame_number(self) -> int | None:
        """1-based Frame Number, None in a single-frame object."""
        return self.frame + 1 if self.common.multiframe else None

    @property
    def locator(self) -> FrameLocator:
        """Where its pixels are."""
        layout = self.common.layout
        return FrameLocator(
            self.file,
            layout,
            self.frame,
            self.frames,
            self.offset,
            self.rescale,
            self.stamp,
            self.sop_instance_uid,
        )

    @property
    def folder(self) -> str:
        """The folder of its file, "" at the root of the source."""
        return self.file.rpartition("/")[0]
