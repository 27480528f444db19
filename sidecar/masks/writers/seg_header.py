"""The header of a DICOM Segmentation, without its frames: patient, series, segments, dimensions,
references (PS3.3 A.51).
"""

from __future__ import annotations

from datetime import datetime
from types import ModuleType
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid
from pydicom.valuerep import DS

from sidecar.document.generator import generator
from sidecar.errors import MissingExtraError
from sidecar.labels.writers.source_headers import patient_and_study
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import TISSUE, Code, Segment

_SEGMENT_NUMBER, _SEGMENT_IDENTIFICATION = 0x0062000B, 0x0062000A
_POSITION, _PLANE_POSITION = 0x00200032, 0x00209113


def segmentation_of(mask: MappedMask, frames: int, source: Dataset) -> Dataset:
    """Everything except the functional groups and the pixels.

    ``source``: the header of one of the source instances.
    """
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
    dataset.FrameOfReferenceUID = mask.sidecar.document.source.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.ContentLabel = "MASKS"
    dataset.ContentDescription = None
    dataset.ContentCreatorName = None
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    _add_pixel_description(dataset, mask, frames)
    _add_dimensions(dataset)
    dataset.SegmentSequence = _segment_items(mask)
    dataset.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=source.SeriesInstanceUID,
            ReferencedInstanceSequence=_instances(mask, source),
        )
    ]
    return dataset


def _add_pixel_description(dataset: Dataset, mask: MappedMask, frames: int) -> None:
    dataset.SegmentationType = "BINARY"
    dataset.SegmentsOverlap = "NO"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Columns, dataset.Rows = mask.size[:2]
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.NumberOfFrames = str(frames)


def _add_dimensions(dataset: Dataset) -> None:
    """Frames are counted by segment, then by position."""
    organization = generate_uid(prefix=None)
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=organization)]
    dataset.DimensionIndexSequence = [
        item(
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
    package = highdicom()

    def described(number: int, segment: Segment) -> Dataset:
        description: Dataset = package.seg.SegmentDescription(
            segment_number=number,
            segment_label=segment.name,
            segmented_property_category=package.sr.CodedConcept(
                *_value_scheme_meaning(segment.category or TISSUE)
            ),
            segmented_property_type=package.sr.CodedConcept(
                *_value_scheme_meaning(segment.type or TISSUE)
            ),
            algorithm_type="MANUAL",
            tracking_uid=generate_uid(prefix=None),
            tracking_id=segment.name,
            display_color=package.color.CIELabColor.from_rgb(*segment.color),
        )
        return description

    return [described(n, segment) for n, segment in enumerate(mask.segments, 1)]


def _instances(mask: MappedMask, source: Dataset) -> list[Dataset]:
    """The whole series that the masks lie on. All planes of a series have one SOP class."""
    uids = dict.fromkeys(plane.sop_instance_uid for plane in mask.sidecar.document.source.planes)
    return [
        item(ReferencedSOPClassUID=source.SOPClassUID, ReferencedSOPInstanceUID=uid) for uid in uids
    ]


def _value_scheme_meaning(code: Code) -> tuple[str, str, str]:
    return code.value, code.scheme, code.meaning


def coded(code: Code) -> Dataset:
    """An item of a code sequence (PS3.3 8.8)."""
    return item(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)


def decimals(*values: float) -> list[Any]:
    """Numbers as decimal strings of up to 16 characters."""
    return [DS(float(value) + 0.0, auto_format=True) for value in values]


def item(**attributes: Any) -> Dataset:
    """A dataset of attributes by keyword."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def highdicom() -> ModuleType:
    """The package highdicom. MissingExtraError without it."""
    try:
        import highdicom as package
    except ImportError:
        raise MissingExtraError("DICOM SEG", "dicom") from None
    return package
