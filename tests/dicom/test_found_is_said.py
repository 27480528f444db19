"""Every reason says what was found: which attribute, its value, in which file; values that the
standard forbids are read where they mean one thing only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.numbered_slices import (
    CT,
    PIXEL,
    SECONDARY_CAPTURE,
    one_stack,
    order_of,
    pixels_of,
    refusal,
    unusable,
    write_slices,
)
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sidecar.dicom.scan import scan

IN_ORDER = list(range(12))
pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of what it is made to write


def raw(keyword: str, vr: str, value: bytes) -> Callable[[Dataset, int], None]:
    """An element of any VR with any bytes."""
    tag = Tag(pydicom.datadict.tag_for_keyword(keyword) or 0)
    value += b" " * (len(value) % 2)

    def change(dataset: Dataset, k: int) -> None:
        dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)

    return change


# --- numbers ---


@pytest.mark.parametrize(
    ("vr", "value", "remark"),
    [
        ("UT", b"0.02\\0.02", "Pixel Spacing is written as UT instead of DS"),
        ("LO", b"0.02\\0.02", "Pixel Spacing is written as LO instead of DS"),
        ("FD", struct.pack("<2d", 0.02, 0.02), "Pixel Spacing is written as FD instead of DS"),
        ("DS", b"0.02", "Pixel Spacing is one number for both directions"),
        ("DS", b"0.02 0.02", "Pixel Spacing has blanks that do not belong there"),
        ("DS", b"0.02\\0.02\\ ", "Pixel Spacing has blanks that do not belong there"),
        ("DS", b" 0.02 \\ 0.02 ", None),
        ("UN", b"0.02\\0.02", None),
    ],
)
def test_a_spacing_that_means_one_thing_only_is_read(
    vr: str, value: bytes, remark: str | None, tmp_path: Path
) -> None:
    folder = write_slices(tmp_path / "scan", raw("PixelSpacing", vr, value))
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert series.stack is not None and series.stack.pixel_spacing == (PIXEL, PIXEL)
    told = [warning for warning in series.warnings if "Pixel Spacing" in warning]
    assert bool(told) == (remark is not None)
    if remark is not None:
        assert told[0].startswith(f"{remark}: read as 0.02\\0.02 (12 files")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("ImagePositionPatient", b"0\\0\\0"), ("ImageOrientationPatient", b"1\\0\\0\\0\\1\\0"),
     ("RescaleSlope", b"1.5"), ("RescaleIntercept", b"-1000")],
)  # fmt: skip
def test_any_number_that_places_or_scales_may_have_another_vr(
    keyword: str, value: bytes, tmp_path: Path
) -> None:
    folder = write_slices(tmp_path / "scan", raw(keyword, "LT", value), numbers=range(1))
    series = one_stack(folder)
    assert any("is written as LT instead of DS" in warning for warning in series.warnings)
    assert series.frames[0].rescale == (
        1.5 if keyword == "RescaleSlope" else 1.0, -1000 if keyword == "RescaleIntercept" else 0.0
    )  # fmt: skip


def test_what_one_file_has_is_told_of_that_file(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan")
    write_slices(folder, raw("PixelSpacing", "UT", b"0.02\\0.02"), numbers=range(3, 4))
    assert one_stack(folder).warnings == (
        "Pixel Spacing is written as UT instead of DS: read as 0.02\\0.02 (slice_0004.dcm)",
    )


@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        (
            "PixelSpacing",
            b"0,02\\0,02",
            "Pixel Spacing is 0,02: DICOM writes decimals with a point",
        ),
        ("ImagePositionPatient", b"0\\0\\1,5", "Image Position (Patient) is 1,5: DICOM writes"),
        ("RescaleSlope", b"1,5", "Rescale Slope is 1,5: DICOM writes decimals with a point"),
        ("PixelSpacing", b"0.1\\0.1\\0.1", "is 0.1\\0.1\\0.1: 3 values instead of 2"),
        ("ImageOrientationPatient", b"1\\0\\0", "is 1\\0\\0: 3 values instead of 6"),
        (
            "ImagePositionPatient",
            b"0\\ \\1",
            "one of the values of Image Position (Patient) is blank",
        ),
        ("ImagePositionPatient", b"0\\0\\nan", "Image Position (Patient) is nan, which makes no"),
        ("PixelSpacing", b"1e99\\1", "Pixel Spacing is 1e+99, which makes no sense"),
        ("InstanceNumber", b"1.5", "Instance Number is 1.5, which is not a whole number"),
        ("PixelSpacing", b"0.1mm\\0.1mm", "Pixel Spacing holds text that is not a number"),
    ],
)
def test_what_could_mean_something_else_is_refused_by_name_and_value(
    keyword: str, value: bytes, told: str, tmp_path: Path
) -> None:
    why = unusable(write_slices(tmp_path / "scan", raw(keyword, "DS", value)))
    assert told in why
    assert not any(word in why for word in ("damaged", "cut short", "copy"))


@pytest.mark.parametrize("value", [b"0\\0", b"0.02\\0", b"-0.02\\0.02"])
def test_a_spacing_that_is_no_distance_is_none(value: bytes, tmp_path: Path) -> None:
    why = refusal(write_slices(tmp_path / "scan", raw("PixelSpacing", "DS", value)))
    assert "CT images without Pixel Spacing (12 files, such as slice_0001.dcm)" in why
    assert f"Pixel Spacing {value.decode()} (which is not a distance)" in why
    assert "--voxel X,Y,Z" in why


def test_text_in_the_place_of_numbers_is_quoted_to_nobody(tmp_path: Path) -> None:
    for value in (b"Anna^Secret", b"12\\Secret"):
        folder = write_slices(tmp_path / "scan", raw("ImagePositionPatient", "DS", value))
        assert "ecret" not in unusable(folder)


@pytest.mark.parametrize("value", [b"", b"    ", b" \\ \\ \\ \\ \\ "])
def test_a_blank_orientation_is_no_orientation(value: bytes, tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", raw("ImageOrientationPatient", "DS", value))
    assert refusal(folder).startswith("CT images without Image Orientation (Patient) (12 files")


def test_attributes_that_only_tell_volumes_apart_need_make_no_sense(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", raw("EchoTime", "DS", b"1,5"))
    assert order_of(folder, one_stack(folder)) == IN_ORDER


# --- encodings ---


def write_as(folder: Path, declared: str, implicit: bool, kind: str = CT) -> Path:
    """Slices whose meta information declares one encoding, in one of implicit or explicit VRs."""
    write_slices(folder, kind=kind)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = UID(declared)
        whole = path.read_bytes()
        meta_length = int.from_bytes(whole[140:144], "little")
        meta = DicomBytesIO()
        meta.is_implicit_VR, meta.is_little_endian = False, True
        write_dataset(meta, dataset.file_meta)
        body = DicomBytesIO()
        body.is_implicit_VR, body.is_little_endian = implicit, True
        plain = Dataset()
        plain.update({element.tag: element for element in dataset})
        write_dataset(body, plain)
        length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta.getvalue()) - 12)
        assert meta_length
        path.write_bytes(whole[:132] + length + meta.getvalue()[12:] + body.getvalue())
    return folder


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("declared", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_is_read_as_it_is_written(
    declared: str, implicit: bool, kind: str, tmp_path: Path
) -> None:
    folder = write_as(tmp_path / "scan", declared, implicit, kind)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    lies = implicit != (declared == ImplicitVRLittleEndian)
    told = [warning for warning in series.warnings if "Transfer Syntax UID says" in warning]
    assert bool(told) == lies
    assert not told or f"written with {'implicit' if implicit else 'explicit'} VRs" in told[0]


@pytest.mark.parametrize("implicit", [True, False])
def test_an_unknown_transfer_syntax_is_named(implicit: bool, tmp_path: Path) -> None:
    folder = write_as(tmp_path / "scan", "1.2.3.4.5", implicit)
    assert "Transfer Syntax UID 1.2.3.4.5 is not in the standard" in unusable(folder)


def test_fewer_pixels_than_the_header_says_are_not_cut_short(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.Rows = 4000

    why = unusable(write_slices(tmp_path / "scan", change))
    assert "holds 3,840 bytes, but Rows, Columns" in why and "384,000" in why
    assert "cut short" not in why and "copy" not in why


def test_a_file_that_was_cut_is_cut_short(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan")
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    why = unusable(folder)
    assert "cut short" in why and "copy it again" in why


def test_an_image_without_pixels_is_named_with_its_size(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", lambda dataset, k: dataset.pop("PixelData"))
    size = (folder / "slice_0001.dcm").stat().st_size
    why = scan(folder).damaged[0].reason
    assert (
        "its SOP Class (CT Image Storage) is one of images, but its"
        f" {size:,} bytes contain no pixel data"
    ) in why


def test_control_characters_are_not_called_damage(tmp_path: Path) -> None:
    why = unusable(write_slices(tmp_path / "scan", raw("Modality", "CS", b"C\x01")))
    assert why.startswith("Modality holds control characters, which are not allowed in it")
    assert "damaged" not in why


def acr_nema(k: int) -> bytes:
    def element(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value

    numbers = {0x00280005: 2, 0x00280010: 40, 0x00280011: 48, 0x00280100: 16, 0x00280101: 16}
    body = element(0x00080010, b"ACR-NEMA 2.0") + element(0x00080060, b"CT")
    body += element(0x00200013, b"%2d" % k)
    for tag, value in {**numbers, 0x00280102: 15, 0x00280103: 0}.items():
        body += element(tag, struct.pack("<H", value))
    body += element(0x7FE00010, pixels_of(k).tobytes())
    return element(0x00080000, struct.pack("<I", len(body))) + body


def test_what_was_before_dicom_is_called_so(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.ima").write_bytes(acr_nema(k))
    why = unusable(tmp_path)
    assert "ACR-NEMA" in why and "gdcmconv" in why


@pytest.mark.parametrize(
    ("values", "told", "false"),
    [
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "gdcmconv --raw --force", "dcmdjpeg"),
        (
            {
                "BitsAllocated": 32, "BitsStored": 32, "HighBit": 31, "SamplesPerPixel": 3,
                "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0,
            },
            "8 or 16 bits a sample",
            "gdcmconv",
        ),
        (
            {
                "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "SamplesPerPixel": 4,
                "PhotometricInterpretation": "ARGB", "PlanarConfiguration": 0,
            },
            "ARGB is not supported; no converter helps",
            "gdcmconv",
        ),
    ],
)  # fmt: skip
def test_pixels_that_cannot_be_read_come_with_true_advice(
    values: dict[str, Any], told: str, false: str, tmp_path: Path
) -> None:
    def change(dataset: Dataset, k: int) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        size = 48 * 40 * dataset.SamplesPerPixel * dataset.BitsAllocated // 8
        dataset.PixelData = bytes(size)

    why = unusable(write_slices(tmp_path / "scan", change))
    assert told in why and false not in why


# --- geometry that is there, but not where it places a frame ---


def many_frames(dataset: Dataset) -> None:
    dataset.NumberOfFrames = 12
    dataset.PixelData = b"".join(pixels_of(k).tobytes() for k in range(12))


def test_geometry_at_the_top_of_many_frames_is_named(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        many_frames(dataset)
        dataset.SpacingBetweenSlices = 0.5

    folder = write_slices(tmp_path / "scan", change, numbers=range(1))
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    (told,) = series.warnings
    assert "Image Position (Patient) 0\\0\\0 at the top level, which does not place 12" in told
    assert "Pixel Spacing 0.02\\0.02" in told and "Spacing Between Slices 0.5" in told


def test_geometry_of_a_detector_is_named(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        many_frames(dataset)
        detector = Dataset()
        detector.ImagePositionPatient = [1, 2, 3]
        detector.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.DetectorInformationSequence = Sequence([detector])

    folder = write_slices(tmp_path / "scan", change, SECONDARY_CAPTURE, numbers=range(1))
    (told,) = one_stack(folder).warnings
    assert "Position (Patient) 1\\2\\3 in Detector Information Sequence" in told


def test_measures_at_the_top_of_functional_groups_are_named(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        many_frames(dataset)
        shared, orientation = Dataset(), Dataset()
        orientation.ImageOrientationPatient = dataset.ImageOrientationPatient
        shared.PlaneOrientationSequence = Sequence([orientation])
        frames = []
        for n in range(12):
            place, own = Dataset(), Dataset()
            place.ImagePositionPatient = [0, 0, n]
            own.PlanePositionSequence = Sequence([place])
            frames.append(own)
        dataset.SharedFunctionalGroupsSequence = Sequence([shared])
        dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)

    why = refusal(write_slices(tmp_path / "scan", change, numbers=range(1)))
    assert why.startswith("CT images without Pixel Spacing (slice_0001.dcm)")
    assert "Pixel Spacing 0.02\\0.02 at the top level and not in the functional groups" in why


@pytest.mark.parametrize("whole", [True, False])
def test_tiles_of_a_slide_are_refused_by_name(whole: bool, tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.DimensionOrganizationType = "TILED_FULL"
        dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows = 48, 40
        if not whole:
            many_frames(dataset)
            dataset.TotalPixelMatrixColumns, dataset.TotalPixelMatrixRows = 48 * 4, 40 * 3

    folder = write_slices(tmp_path / "scan", change, SECONDARY_CAPTURE, numbers=range(1))
    series = one_stack(folder)
    if whole:
        assert series.problem is None and np.array_equal(order_of(folder, series), [0])
    else:
        assert series.problem is not None and "tiles of a slide" in series.problem
