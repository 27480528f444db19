"""Which slice is which: positions decide; without them numbers or names, and it is said which; a
copy is what has the same pixels at the same place.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kit.numbered_slices import (
    CT,
    GAP,
    ROOT,
    SECONDARY_CAPTURE,
    one_stack,
    order_of,
    pixels_of,
    refusal,
    stacks,
    write_slices,
)
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGLSLossless

from sidecar.dicom.headers.header_values import shown

IN_ORDER = list(range(12))


def without_number(dataset: Dataset, k: int) -> None:
    del dataset.InstanceNumber


def one_uid(dataset: Dataset, k: int) -> None:
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.3.1")


def no_uid(dataset: Dataset, k: int) -> None:
    del dataset.SOPInstanceUID


# --- order ---


def test_positions_decide_over_numbers_names_and_uids(tmp_path: Path) -> None:
    def reversed_numbers(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber = 100 - k

    folder = write_slices(tmp_path / "scan", reversed_numbers)
    for k in range(12):
        (folder / f"slice_{k + 1:04d}.dcm").rename(folder / f"{(7 * k) % 12}.dcm")
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert series.stack is not None and series.stack.median_gap == pytest.approx(GAP)


def test_without_positions_instance_numbers_order(tmp_path: Path) -> None:
    def numbered(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber = 40 - 3 * k

    folder = write_slices(tmp_path / "scan", numbered, SECONDARY_CAPTURE)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER[::-1]
    assert series.stack is None
    assert any("in the order of InstanceNumber" in warning for warning in series.warnings)


@pytest.mark.parametrize("name", ["slice_{:04d}.dcm", "{}", "IM{}", "Z{}/IM7"])
def test_without_numbers_file_names_order_as_people_count(tmp_path: Path, name: str) -> None:
    folder = write_slices(tmp_path / "scan", without_number, SECONDARY_CAPTURE, name="tmp{}.dcm")
    for k in range(12):
        target = folder / name.format(k + 1)
        target.parent.mkdir(exist_ok=True)
        (folder / f"tmp{k + 1}.dcm").rename(target)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    (told,) = series.warnings
    assert "natural order of file names: InstanceNumber is absent in all 12 files" in told


def test_a_number_that_two_files_have_does_not_order(tmp_path: Path) -> None:
    def twice(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber = max(k, 1)

    folder = write_slices(tmp_path / "scan", twice, SECONDARY_CAPTURE)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert "file names: InstanceNumber 1 is in 2 files" in series.warnings[-1]


def test_names_that_count_nothing_are_refused(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "words", without_number, SECONDARY_CAPTURE, range(3))
    for number, word in enumerate(("head", "thorax", "abdomen")):
        (folder / f"slice_{number + 1:04d}.dcm").rename(folder / f"{word}.dcm")
    assert "differ in more than a number" in refusal(folder)

    folder = write_slices(
        tmp_path / "uids", without_number, SECONDARY_CAPTURE, name=f"{ROOT}.3.{{}}.dcm"
    )
    assert "UIDs" in refusal(folder)


def test_a_multiframe_file_goes_by_its_frames(tmp_path: Path) -> None:
    def many(dataset: Dataset, k: int) -> None:
        dataset.NumberOfFrames = 12
        dataset.PixelData = b"".join(pixels_of(n).tobytes() for n in range(12))

    folder = write_slices(tmp_path / "scan", many, SECONDARY_CAPTURE, range(1))
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert "in the order of frames" in series.warnings[-1]


# --- copies ---


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
@pytest.mark.parametrize("number", [True, False])
@pytest.mark.parametrize("uid", [one_uid, no_uid])
def test_one_uid_or_none_makes_no_copies(
    tmp_path: Path, kind: str, number: bool, uid: object
) -> None:
    def change(dataset: Dataset, k: int) -> None:
        (one_uid if uid is one_uid else no_uid)(dataset, k)
        if not number:
            without_number(dataset, k)

    folder = write_slices(tmp_path / "scan", change, kind)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    how = "same SOPInstanceUID" if uid is one_uid else "SOPInstanceUID is absent (12 files"
    assert any(how in warning for warning in series.warnings)
    assert not any("duplicate" in warning for warning in series.warnings)


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
def test_blank_slices_of_one_uid_are_all_kept(tmp_path: Path, kind: str) -> None:
    """Outside of the specimen slices look alike, and only their place or number tells them."""

    def blank(dataset: Dataset, k: int) -> None:
        one_uid(dataset, k)
        without_number(dataset, k)
        if k < 5:
            dataset.PixelData = bytes(len(dataset.PixelData))

    folder = write_slices(tmp_path / "scan", blank, kind)
    assert len(one_stack(folder).frames) == 12


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
def test_copies_are_left_out_and_named(tmp_path: Path, kind: str) -> None:
    folder = write_slices(tmp_path / "scan", kind=kind)
    (folder / "again").mkdir()
    for k in (2, 3, 7):
        shutil.copy(folder / f"slice_{k:04d}.dcm", folder / "again" / f"copy {k}.dcm")
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    (told,) = [warning for warning in series.warnings if "duplicate" in warning]
    assert told.startswith("3 duplicate files left out")
    assert "again/copy 2.dcm" in told and "slice_0002.dcm" in told


def test_a_whole_scan_twice_in_another_compression_is_one_stack(tmp_path: Path) -> None:
    from imagecodecs import jpegls_encode

    folder = write_slices(tmp_path / "scan")

    def compressed(dataset: Dataset, k: int) -> None:
        dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
        dataset.PixelData = encapsulate([bytes(jpegls_encode(pixels_of(k)))])

    write_slices(folder / "small", compressed)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert series.warnings[0].startswith("12 duplicate files")


def test_a_copy_with_uids_of_its_own_is_a_copy(tmp_path: Path) -> None:
    def anew(dataset: Dataset, k: int) -> None:
        dataset.SOPInstanceUID = f"{ROOT}.4.{k}"

    folder = write_slices(tmp_path / "scan")
    write_slices(folder / "again", anew)
    assert len(one_stack(folder).frames) == 12


def test_one_uid_and_position_but_other_pixels_are_no_copy(tmp_path: Path) -> None:
    def brighter(dataset: Dataset, k: int) -> None:
        dataset.PixelData = (pixels_of(k) + 1).tobytes()

    folder = write_slices(tmp_path / "scan")
    write_slices(folder / "brighter", brighter, numbers=range(4, 5))
    assert {len(series.frames) for series in stacks(folder)} == {12, 1}
    for series in stacks(folder):
        assert any("folder" in str(one) for one in series.split)


# --- positions that make no stack ---


def test_one_position_for_all_is_refused_with_its_value(tmp_path: Path) -> None:
    def same(dataset: Dataset, k: int) -> None:
        dataset.ImagePositionPatient = [1, 2, 3]
        dataset.AcquisitionTime = f"1010{k:02d}"
        dataset.AcquisitionNumber = k + 1

    why = refusal(write_slices(tmp_path / "scan", same))
    assert "12 slices lie at one position (Image Position (Patient) 1\\2\\3)" in why
    assert "move" not in why


def test_rounded_positions_are_refused_as_rounded(tmp_path: Path) -> None:
    def rounded(dataset: Dataset, k: int) -> None:
        dataset.ImagePositionPatient = [0, 0, round(0.004 * k, 2)]
        dataset.PixelSpacing = [0.004, 0.004]

    why = refusal(write_slices(tmp_path / "scan", rounded))
    assert "12 slices share 5 positions, as if they had been rounded" in why
    assert "move" not in why


def test_a_single_foreign_slice_is_to_be_moved_away(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan")

    def foreign(dataset: Dataset, k: int) -> None:
        dataset.SOPInstanceUID, dataset.PixelData = f"{ROOT}.7", bytes(len(dataset.PixelData))

    write_slices(folder, foreign, numbers=range(4, 5), name="other.dcm")
    why = refusal(folder)
    assert "2 slices lie at one position" in why and "other.dcm, slice_0005.dcm" in why
    assert "move those that do not belong to the scan out of the source" in why
    assert "--voxel" in why


def test_gaps_that_are_no_fraction_of_a_pixel_are_a_contradiction(tmp_path: Path) -> None:
    def micrometres(dataset: Dataset, k: int) -> None:
        dataset.PixelSpacing = [20, 20]

    why = refusal(write_slices(tmp_path / "scan", micrometres))
    assert "0.02 mm apart, 1/1,000 of a pixel (20 mm)" in why
    assert "one position" not in why


def test_gaps_of_a_thousand_pixels_are_remarked_upon(tmp_path: Path) -> None:
    def micrometres(dataset: Dataset, k: int) -> None:
        dataset.ImagePositionPatient = [0, 0, 20 * k]

    folder = write_slices(tmp_path / "scan", micrometres)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert any("1,000 times a pixel" in warning for warning in series.warnings)


def test_gaps_of_a_sixtieth_of_a_pixel_are_remarked_upon(tmp_path: Path) -> None:
    def coarse(dataset: Dataset, k: int) -> None:
        dataset.PixelSpacing = [1.2, 1.2]

    series = one_stack(write_slices(tmp_path / "scan", coarse))
    assert any("1/60 of a pixel" in warning for warning in series.warnings)


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
@pytest.mark.parametrize(
    "keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
)
def test_what_is_missing_is_named_and_what_is_there(
    tmp_path: Path, keyword: str, kind: str
) -> None:
    names = {
        "ImagePositionPatient": "Image Position (Patient)",
        "ImageOrientationPatient": "Image Orientation (Patient)",
        "PixelSpacing": "Pixel Spacing",
    }

    def change(dataset: Dataset, k: int) -> None:
        dataset.SOPClassUID = kind
        del dataset[keyword]
        dataset.SliceLocation = 7 - 0.5 * k

    series = one_stack(write_slices(tmp_path / "scan", change))
    told = series.problem or series.warnings[-1]
    missing, there = told.split("here is ")
    assert names.pop(keyword) in missing
    assert all(name in there and name not in missing for name in names.values())
    assert "Slice Location 1.5 to 7" in there
    assert (series.problem is None) == (kind != CT and keyword == "ImagePositionPatient")


def test_an_orientation_that_is_none_names_its_file(tmp_path: Path) -> None:
    def skew(dataset: Dataset, k: int) -> None:
        dataset.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]

    why = refusal(write_slices(tmp_path / "scan", skew))
    assert why.startswith("slice_0001.dcm: Image Orientation")


def test_values_are_shown_as_files_have_them() -> None:
    assert shown((0.02, 1 / 3)) == "0.02\\0.333333333333"
    assert shown(["1,5", "2"]) == "1,5\\2"
    assert shown(["Anna"]) is None and shown(["12", "E"]) is None
    assert np.isfinite(float(str(shown([1e-7]))))
