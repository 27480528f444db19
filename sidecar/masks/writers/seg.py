"""DICOM Segmentation (PS3.3 A.51), type BINARY: one bit a pixel, one frame for every segment and slice that has any, frames streamed.

Segments are described by highdicom. Each frame has the position of its plane, so uneven gaps and gantry tilt need no affine, and names
the source instances it lies on. The file carries the patient's identity: see `points.source_headers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid
from pydicom.valuerep import DS

from sidecar.errors import GeometryError, MissingExtraError, OutputError, UsageError
from sidecar.geometry import Stack
from sidecar.masks.mask import TISSUE, Code, MappedMask, Segment
from sidecar.masks.writers.dicom_stream import MAX_PIXEL_BYTES, DicomStream
from sidecar.masks.writers.table import MaskWriter, size_text
from sidecar.points.source_headers import NOTICE, headers_of, patient_and_study
from sidecar.progress import Progress
from sidecar.record import generator

_PER_FRAME = 0x52009230
_SEGMENT_NUMBER, _SEGMENT_IDENTIFICATION = 0x0062000B, 0x0062000A
_POSITION, _PLANE_POSITION = 0x00200032, 0x00209113
_SEGMENTATION = Code("DCM", "113076", "Segmentation")
_SOURCE_IMAGE = Code("DCM", "121322", "Source image for image processing operation")


def check(mask: MappedMask, dicom: Path | None) -> tuple[str, ...]:
    _highdicom()
    require_space(mask, "DICOM SEG")
    require_headers(dicom, "seg")
    parts = _Parts(mask)
    columns, rows, _ = mask.size
    pixel_bytes = parts.frames * columns * rows // 8
    if pixel_bytes > MAX_PIXEL_BYTES:
        raise OutputError(
            f"its {parts.frames} frames take {size_text(pixel_bytes)}, and the pixels of a DICOM SEG end at 4.3 GB: write seg.nrrd, "
            "write it at the size of the PNGs (--grid png), or one segment at a time"
        )
    notes = [f"{parts.frames} frames of {columns} × {rows} bits, {size_text(pixel_bytes)}, written one by one", NOTICE]
    uncoded = [segment.name for segment in mask.mask.segments if segment.type is None]
    if uncoded:
        notes.append(f"no codes for {', '.join(uncoded[:5])}: written as Tissue; name others in a --config")
    return tuple(notes)


def write(mask: MappedMask, path: Path, dicom: Path | None, progress: Progress) -> None:
    folder = require_headers(dicom, "seg")
    parts = _Parts(mask)
    first = mask.mask.sidecar.document.source.planes[0].sop_instance_uid
    source = headers_of(mask.mask.sidecar, [first], folder)[first]
    dataset = _dataset(mask, parts, source)
    progress.start("writing frames", mask.size[2])
    with path.open("wb") as file:
        stream = DicomStream(file, dataset)
        stream.head(before=_PER_FRAME)
        stream.sequence(_PER_FRAME, _frame_groups(mask, parts, source))
        stream.bits(_frame_bits(mask, parts, progress), parts.frames, mask.size[0] * mask.size[1])


def require_space(mask: MappedMask, format: str) -> Stack:
    """The geometry of the scan. GeometryError where it has none that a DICOM object can refer to."""
    stack = mask.mask.sidecar.stack
    if stack is None or mask.mask.sidecar.document.source.frame_of_reference_uid is None:
        raise GeometryError(f"the scan has no patient geometry or no Frame of Reference UID, which {format} needs: write png instead")
    return stack


def require_headers(dicom: Path | None, name: str) -> Path:
    """The folder of the source files. UsageError where none was given."""
    if dicom is None:
        raise UsageError(f"--to {name} repeats patient and study as the scan has them: give the folder of its files with --dicom")
    return dicom


class _Parts:
    """Which segments have a frame on which output slice. Segments are numbered from 1 in their order; slice by slice in the file."""

    def __init__(self, mask: MappedMask) -> None:
        self.number = {segment.value: n for n, segment in enumerate(mask.mask.segments, 1)}
        self.value = {n: value for value, n in self.number.items()}
        self.on_slice = [sorted(self.number[value] for value in values) for values in mask.present]

    @cached_property
    def frames(self) -> int:
        return sum(map(len, self.on_slice))


def _dataset(mask: MappedMask, parts: _Parts, source: Dataset) -> Dataset:
    """Everything but the per-frame functional groups and the pixels."""
    stack = require_space(mask, "DICOM SEG")
    now = datetime.now().astimezone()
    dataset = patient_and_study(source)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = now.strftime("%H%M%S")
    dataset.Modality = "SEG"
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.SeriesNumber = "1"
    dataset.SeriesDescription = "Masks mapped by sidecar"
    dataset.InstanceNumber = "1"
    dataset.Manufacturer = "dicom-sidecar"
    dataset.ManufacturerModelName = "sidecar map-mask"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = generator()
    dataset.FrameOfReferenceUID = mask.mask.sidecar.document.source.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.ContentLabel = "MASKS"
    dataset.ContentDescription = None
    dataset.ContentCreatorName = None
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    _add_pixel_description(dataset, mask, parts)
    _add_dimensions(dataset)
    dataset.SegmentSequence = _segment_items(mask)
    dataset.ReferencedSeriesSequence = [
        _item(SeriesInstanceUID=source.SeriesInstanceUID, ReferencedInstanceSequence=_instances(mask, source))
    ]
    dataset.SharedFunctionalGroupsSequence = [_shared_groups(mask, stack)]
    return dataset


def _add_pixel_description(dataset: Dataset, mask: MappedMask, parts: _Parts) -> None:
    dataset.SegmentationType = "BINARY"
    dataset.SegmentsOverlap = "NO"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Columns, dataset.Rows = mask.size[:2]
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.NumberOfFrames = str(parts.frames)


def _add_dimensions(dataset: Dataset) -> None:
    """Frames are counted by segment, then by position."""
    organization = generate_uid(prefix=None)
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organization)]
    dataset.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=group,
            DimensionDescriptionLabel=label,
        )
        for pointer, group, label in (
            (_SEGMENT_NUMBER, _SEGMENT_IDENTIFICATION, "Segment Number"),
            (_POSITION, _PLANE_POSITION, "Image Position Patient"),
        )
    ]


def _segment_items(mask: MappedMask) -> list[Dataset]:
    highdicom = _highdicom()

    def described(number: int, segment: Segment) -> Dataset:
        description: Dataset = highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=segment.name[:64],
            segmented_property_category=highdicom.sr.CodedConcept(*_value_scheme_meaning(segment.category or TISSUE)),
            segmented_property_type=highdicom.sr.CodedConcept(*_value_scheme_meaning(segment.type or TISSUE)),
            algorithm_type="MANUAL",
            tracking_uid=generate_uid(prefix=None),
            tracking_id=segment.name[:64],
            display_color=highdicom.color.CIELabColor.from_rgb(*segment.color),
        )
        return description

    return [described(n, segment) for n, segment in enumerate(mask.mask.segments, 1)]


def _instances(mask: MappedMask, source: Dataset) -> list[Dataset]:
    """The whole series that the masks lie on. The planes of a series are of one SOP class."""
    uids = dict.fromkeys(plane.sop_instance_uid for plane in mask.mask.sidecar.document.source.planes)
    return [_item(ReferencedSOPClassUID=source.SOPClassUID, ReferencedSOPInstanceUID=uid) for uid in uids]


def _shared_groups(mask: MappedMask, stack: Stack) -> Dataset:
    between_rows, between_columns = stack.pixel_spacing
    gap = float(np.mean(stack.gaps)) * mask.axes.slices.factor if stack.slices > 1 else None
    measures = _item(PixelSpacing=_decimals(between_rows * mask.axes.rows.factor, between_columns * mask.axes.columns.factor))
    if gap is not None:
        (measures.SliceThickness,) = _decimals(gap)
        if stack.affine_is_exact:
            (measures.SpacingBetweenSlices,) = _decimals(gap)
    shared = _item(PixelMeasuresSequence=[measures])
    if _one_orientation(stack):
        shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=_decimals(*stack.orientations[0]))]
    return shared


def _frame_groups(mask: MappedMask, parts: _Parts, source: Dataset) -> Iterator[Dataset]:
    stack = require_space(mask, "DICOM SEG")
    planes = mask.mask.sidecar.document.source.planes
    corner = mask.axes.columns.offset, mask.axes.rows.offset
    for index, numbers in enumerate(parts.on_slice):
        if not numbers:
            continue
        slices = mask.source_slices(index)
        position = stack.to_patient([(*corner, mask.source_slice(index))])[0]
        images = [_source_image(source, planes[s].sop_instance_uid, planes[s].frame_number) for s in slices]
        derivation = _item(DerivationCodeSequence=[_coded(_SEGMENTATION)], SourceImageSequence=images)
        for number in numbers:
            group = _item(
                FrameContentSequence=[_item(DimensionIndexValues=[number, index + 1])],
                PlanePositionSequence=[_item(ImagePositionPatient=_decimals(*position))],
                SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=number)],
                DerivationImageSequence=[derivation],
            )
            if not _one_orientation(stack):
                group.PlaneOrientationSequence = [_item(ImageOrientationPatient=_decimals(*stack.orientations[slices[0]]))]
            yield group


def _source_image(source: Dataset, uid: str, frame: int | None) -> Dataset:
    image = _item(
        ReferencedSOPClassUID=source.SOPClassUID,
        ReferencedSOPInstanceUID=uid,
        PurposeOfReferenceCodeSequence=[_coded(_SOURCE_IMAGE)],
        SpatialLocationsPreserved="YES",
    )
    if frame is not None:
        image.ReferencedFrameNumber = frame
    return image


def _frame_bits(mask: MappedMask, parts: _Parts, progress: Progress) -> Iterator[NDArray[np.bool_]]:
    columns, rows, _ = mask.size
    for plane, numbers in zip(mask.watched(progress), parts.on_slice, strict=True):
        for number in numbers:
            yield np.zeros((rows, columns), dtype=bool) if plane is None else plane == parts.value[number]


def _one_orientation(stack: Stack) -> bool:
    return bool((stack.orientations == stack.orientations[0]).all())


def _value_scheme_meaning(code: Code) -> tuple[str, str, str]:
    return code.value, code.scheme, code.meaning


def _coded(code: Code) -> Dataset:
    return _item(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)


def _decimals(*values: float) -> list[Any]:
    return [DS(float(value) + 0.0, auto_format=True) for value in values]


def _item(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def _highdicom() -> ModuleType:
    try:
        import highdicom
    except ImportError:
        raise MissingExtraError("DICOM SEG", "dicom") from None
    return highdicom


WRITER = MaskWriter("seg", (".dcm",), check, write)
