"""The attributes that all phantoms share, whatever their layout.

Also traps that real headers hold.
"""

from __future__ import annotations

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID
from pydicom.valuerep import format_number_as_ds

from .identity import IDENTITY
from .spec import Spec
from .truth import Phantom, uid

#: SliceThickness of every phantom, mm: not the distance between slices, which only positions tell.
SLICE_THICKNESS = 2.75


def decimals(*numbers: float) -> list[str]:
    """Numbers as DICOM decimal strings."""
    return [format_number_as_ds(float(number)) for number in numbers]


def item(**attributes: object) -> Dataset:
    """A dataset, or a sequence's item, of attributes by keyword."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def raw_element(keyword: str, value: bytes) -> RawDataElement:
    """An element whose value is any bytes, right or wrong."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    return RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


def general_header(
    phantom: Phantom, sop_class: str, sop_instance_uid: str, modality: str
) -> Dataset:
    """Patient, study, series and SOP common modules, with the file meta information."""
    header = item(
        SpecificCharacterSet="ISO_IR 192",
        SOPClassUID=sop_class,
        SOPInstanceUID=sop_instance_uid,
        StudyInstanceUID=phantom.study_uid,
        SeriesInstanceUID=phantom.series_uid,
        StudyID="1",
        SeriesNumber="3",
        SeriesDescription="phantom",
        Modality=modality,
        Manufacturer="phantoms",
        StudyDate="20240229",
        StudyTime="101112",
        PatientSex="O",
        **IDENTITY,
    )
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = UID(phantom.spec.transfer_syntax)
    header.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    header.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    if phantom.spec.frame_of_reference:
        header.FrameOfReferenceUID = phantom.frame_of_reference_uid
        header.PositionReferenceIndicator = ""
    return header


def pixel_header(spec: Spec) -> Dataset:
    """Image pixel and VOI LUT modules, without the pixels."""
    header = item(
        SamplesPerPixel=spec.samples,
        PhotometricInterpretation=spec.photometric,
        Rows=spec.rows,
        Columns=spec.columns,
        BitsAllocated=spec.bits_allocated,
        BitsStored=spec.bits_stored,
        HighBit=spec.bits_stored - 1,
        PixelRepresentation=int(spec.signed),
    )
    if spec.samples == 3:
        header.PlanarConfiguration = int(spec.planar)
    if spec.photometric == "PALETTE COLOR":
        ramp = (np.arange(256) * 257).astype("<u2")
        for colour, table in {"Red": ramp, "Green": ramp, "Blue": ramp[::-1]}.items():
            setattr(header, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            big_endian = not UID(spec.transfer_syntax).is_little_endian
            setattr(
                header,
                f"{colour}PaletteColorLookupTableData",
                table.astype(">u2" if big_endian else "<u2").tobytes(),
            )
    return header


def window(spec: Spec) -> Dataset:
    """WindowCenter and WindowWidth over all that the stored bits can hold."""
    low, high = spec.stored_range
    slope, intercept = spec.rescale or (1.0, 0.0)
    return item(
        WindowCenter=decimals(slope * (low + high + 1) / 2 + intercept),
        WindowWidth=decimals(slope * (high - low + 1)),
    )


#: Pixels of the icon in every classic file, uint8: what a reader finds that takes the wrong
#: PixelData.
GARBAGE_ICON = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3


def add_traps(header: Dataset, phantom: Phantom) -> None:
    """What real files also hold, and a hasty scan takes for the image's own: an icon with Rows,
    Columns and PixelData of its own, a nested position and orientation in a sequence of undefined
    length, private elements, and a SliceLocation that runs the other way.
    """
    icon = item(
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=8,
        Columns=8,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
    )
    icon.add_new(
        "PixelData",
        "OW" if UID(phantom.spec.transfer_syntax).is_implicit_VR else "OB",
        GARBAGE_ICON.tobytes(),
    )
    header.IconImageSequence = [icon]
    elsewhere = item(
        ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2",
        ReferencedSOPInstanceUID=uid("elsewhere"),
        ImagePositionPatient=decimals(999, 999, 999),
        ImageOrientationPatient=decimals(0, 0, 1, 0, 1, 0),
        Rows=3,
        Columns=5,
    )
    elsewhere.is_undefined_length_sequence_item = True
    header.SourceImageSequence = Sequence([elsewhere])
    header["SourceImageSequence"].is_undefined_length = True
    block = header.private_block(0x0029, "PHANTOM TRAPS", create=True)
    block.add_new(0x01, "LO", "private")
    block.add_new(0x02, "UN", b"\xe0\x7f\x10\x00OW\x00\x00")  # the bytes of a PixelData tag
