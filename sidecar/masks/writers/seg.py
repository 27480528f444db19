"""DICOM Segmentation (PS3.3 A.51), type BINARY: one bit a pixel, one frame for every segment on
every slice that it may be on, written frame by frame.

highdicom describes the segments. Each frame has the position of its plane, so that uneven gaps and
gantry tilt need no affine. It names the source instances that it lies on. The file contains the
patient's identity: see `sidecar.labels.writers.source_headers`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from sidecar.document.model import Plane
from sidecar.errors import GeometryError, LabelError, OutputError, UsageError, counted
from sidecar.grid.space import not_in_the_patient
from sidecar.grid.stack import Stack
from sidecar.labels.writers.source_headers import (
    HeaderSource,
    headers_of,
    require_one_series,
    without_frame_of_reference,
)
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import Code
from sidecar.masks.writers.dicom_stream import MAX_PIXEL_BYTES, DicomStream
from sidecar.masks.writers.model import MaskWriter, size_text
from sidecar.masks.writers.seg_header import coded, decimals, highdicom, item, segmentation_of
from sidecar.progress import Progress

#: Longest value of VR LO (PS3.5 6.2).
LONGEST_NAME = 64
_PER_FRAME = 0x52009230
#: Dimension Index Values as they stand in a file, two UL, and some that stand for any.
_INDEX, _ANY_INDEX = struct.Struct("<II"), (0xA5A5A5A5, 0x5A5A5A5A)
_SEGMENTATION = Code("DCM", "113076", "Segmentation")
_SOURCE_IMAGE = Code("DCM", "121322", "Source image for image processing operation")


def check(mask: MappedMask, headers: HeaderSource | None) -> tuple[str, ...]:
    highdicom()
    require_space(mask, "DICOM SEG")
    require_names(mask, "Segment Label")
    require_headers(headers, "dicom-seg")
    parts = _Parts(mask)
    columns, rows, _ = mask.size
    pixel_bytes = parts.frames * columns * rows // 8
    if pixel_bytes > MAX_PIXEL_BYTES:
        raise OutputError(
            f"its {parts.frames} frames take {size_text(pixel_bytes)}, but the pixels of a DICOM"
            " SEG can take 4.3 GB at most. Write seg.nrrd, write at the size of the PNGs (--grid"
            " png), or write one segment at a time"
        )
    notes = [
        (
            f"{counted(parts.frames, 'frame')} of {columns} × {rows} bits,"
            f" {size_text(pixel_bytes)}, written one by one"
        ),
    ]
    uncoded = [segment.name for segment in mask.segments if segment.type is None]
    if uncoded:
        notes.append(
            f"segments without codes were given the code Tissue: {', '.join(uncoded[:5])}; give"
            " other codes in a --config"
        )
    return tuple(notes)


def write(mask: MappedMask, path: Path, headers: HeaderSource | None, progress: Progress) -> None:
    required = require_headers(headers, "dicom-seg")
    parts = _Parts(mask)
    first = mask.sidecar.document.source.planes[0].sop_instance_uid
    source = headers_of([mask.sidecar], [first], required)[first]
    dataset = segmentation_of(mask, parts.frames, source)
    dataset.SharedFunctionalGroupsSequence = [_shared_groups(mask)]
    progress.start("writing frames", mask.size[2])
    with path.open("wb") as file:
        stream = DicomStream(file, dataset)
        stream.head(before=_PER_FRAME)
        stream.sequence(_PER_FRAME, _frame_groups(mask, parts, source, stream))
        stream.bits(_frame_bits(mask, parts, progress), parts.frames, mask.size[0] * mask.size[1])


def require_space(mask: MappedMask, format: str) -> Stack:
    """The geometry of the scan.

    GeometryError where it has no geometry that a DICOM object can refer to.
    """
    stack = mask.sidecar.stack
    why = not_in_the_patient(mask.sidecar.geometry, format)
    if why is not None or stack is None:
        raise GeometryError(f"{why}; write png instead")
    if mask.sidecar.document.source.frame_of_reference_uid is None:
        why = without_frame_of_reference(mask.sidecar, format)
        raise GeometryError(f"{why}; write png instead")
    require_one_series(mask.sidecar, format)
    return stack


def require_names(mask: MappedMask, attribute: str) -> None:
    """LabelError unless the segments' names fit an attribute of VR LO."""
    for segment in mask.segments:
        if (
            len(segment.name) > LONGEST_NAME
            or "\\" in segment.name
            or not segment.name.isprintable()
        ):
            raise LabelError(
                f"the name {segment.name[:80]!r} cannot be used as {attribute}, which has"
                f" {LONGEST_NAME} characters at most and no backslash; rename the segment"
            )


def require_headers(headers: HeaderSource | None, name: str) -> HeaderSource:
    """The headers of the source. UsageError where none were given."""
    if headers is None:
        raise UsageError(
            f"--to {name} copies patient and study from the headers of the scan; give the folder"
            " of its DICOM files with --dicom DIR"
        )
    return headers


class _Parts:
    """The segments that have a frame on each output slice.

    Segments are numbered from 1 in their order. In the file, frames are ordered by slice.
    """

    def __init__(self, mask: MappedMask) -> None:
        self.number = {segment.value: n for n, segment in enumerate(mask.segments, 1)}
        self.value = {n: value for value, n in self.number.items()}
        self.on_slice = [sorted(self.number[value] for value in values) for values in mask.present]

    @cached_property
    def frames(self) -> int:
        return sum(map(len, self.on_slice))


def _shared_groups(mask: MappedMask) -> Dataset:
    stack = require_space(mask, "DICOM SEG")
    (across, down, along), (between_rows, between_columns) = mask.axes, stack.pixel_spacing
    gap = float(np.mean(stack.gaps)) * along.factor if stack.slices > 1 else None
    measures = item(
        PixelSpacing=decimals(between_rows * down.factor, between_columns * across.factor)
    )
    if gap is not None:
        (measures.SliceThickness,) = decimals(gap)
        if stack.affine_is_exact:
            (measures.SpacingBetweenSlices,) = decimals(gap)
    shared = item(PixelMeasuresSequence=[measures])
    if _one_orientation(stack):
        shared.PlaneOrientationSequence = [
            item(ImageOrientationPatient=decimals(*stack.orientations[0]))
        ]
    return shared


def _frame_groups(
    mask: MappedMask, parts: _Parts, source: Dataset, stream: DicomStream
) -> Iterator[bytes]:
    """The functional groups of every frame, encoded, in the order of their tags.

    pydicom encodes what the frames of a slice have in common once for each slice, and what those
    of a segment have once for each segment.
    """
    planes = mask.sidecar.document.source.planes
    segment = {
        number: stream.encoded(
            item(SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)])
        )
        for number in parts.value
    }
    content = stream.encoded(
        item(FrameContentSequence=[item(DimensionIndexValues=list(_ANY_INDEX))])
    )
    before, after = content.split(_INDEX.pack(*_ANY_INDEX))
    for index, numbers in enumerate(parts.on_slice):
        if not numbers:
            continue
        images = [_source_image(mask, source, planes[s]) for s in mask.source_slices(index)]
        derivation = item(DerivationCodeSequence=[coded(_SEGMENTATION)], SourceImageSequence=images)
        derived = stream.encoded(item(DerivationImageSequence=[derivation]))
        place = stream.encoded(_place(mask, index))
        for number in numbers:
            indexed = before + _INDEX.pack(number, index + 1) + after
            yield derived + indexed + place + segment[number]


def _place(mask: MappedMask, index: int) -> Dataset:
    """Where the frames of an output slice lie."""
    stack = require_space(mask, "DICOM SEG")
    corner = mask.axes[0].offset, mask.axes[1].offset
    position = stack.to_patient([(*corner, mask.source_slice(index))])[0]
    place = item(PlanePositionSequence=[item(ImagePositionPatient=decimals(*position))])
    if not _one_orientation(stack):
        first = mask.source_slices(index)[0]
        place.PlaneOrientationSequence = [
            item(ImageOrientationPatient=decimals(*stack.orientations[first]))
        ]
    return place


def _source_image(mask: MappedMask, source: Dataset, plane: Plane) -> Dataset:
    """A source image of a frame, and whether its pixel (r, c) is pixel (r, c) of the frame."""
    same_pixels = all((axis.factor, axis.offset) == (1, 0) for axis in mask.axes[:2])
    image = item(
        ReferencedSOPClassUID=source.SOPClassUID,
        ReferencedSOPInstanceUID=plane.sop_instance_uid,
        PurposeOfReferenceCodeSequence=[coded(_SOURCE_IMAGE)],
        SpatialLocationsPreserved="YES" if same_pixels else "NO",
    )
    if plane.frame_number is not None:
        image.ReferencedFrameNumber = plane.frame_number
    return image


def _frame_bits(mask: MappedMask, parts: _Parts, progress: Progress) -> Iterator[NDArray[np.bool_]]:
    columns, rows, _ = mask.size
    for plane, numbers in zip(mask.watched(progress), parts.on_slice, strict=True):
        for number in numbers:
            yield (
                np.zeros((rows, columns), dtype=bool)
                if plane is None
                else plane == parts.value[number]
            )


def _one_orientation(stack: Stack) -> bool:
    return bool((stack.orientations == stack.orientations[0]).all())


WRITER = MaskWriter("dicom-seg", (".dcm",), check, write, names_patient=True)
