"""Why stacks are apart: every split names what differs, with values; what does not matter splits
nothing; no two lines of a list are alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
from kit.numbered_slices import (
    COUNT,
    CT,
    MR,
    ROOT,
    SECONDARY_CAPTURE,
    one_stack,
    order_of,
    pixels_of,
    stacks,
    write_slices,
)
from pydicom.dataset import Dataset
from pydicom.uid import UID
from typer.testing import CliRunner

import sidecar
from sidecar.cli.program import program
from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.series import Series, choose, find_series
from sidecar.errors import AmbiguousSeriesError

IN_ORDER = list(range(COUNT))
Value = Callable[[int], Any]


def setting(**values: Value) -> Callable[[Dataset, int], None]:
    def change(dataset: Dataset, k: int) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value(k))

    return change


def said(series: Series) -> tuple[str, ...]:
    return tuple(map(str, series.split))


def eight_bits(dataset: Dataset, k: int) -> None:
    if k < 6:
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit = 7
        dataset.PixelData = (pixels_of(k) // 256).astype(np.uint8).tobytes()


def twelve_bits(dataset: Dataset, k: int) -> None:
    if k % 2:
        dataset.BitsStored, dataset.HighBit = 12, 11


def smaller(dataset: Dataset, k: int) -> None:
    if k < 2:
        dataset.Rows, dataset.PixelData = 20, dataset.PixelData[: 20 * 48 * 2]


def turned(dataset: Dataset, k: int) -> None:
    if k < 3:
        dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]


def unplaced(dataset: Dataset, k: int) -> None:
    if k == 5:
        del dataset.ImagePositionPatient


APART: dict[str, tuple[Callable[[Dataset, int], None], list[int], str]] = {
    "studies": (
        setting(StudyInstanceUID=lambda k: f"{ROOT}.1.{1 + k % 2}"),
        [6, 6],
        "StudyInstanceUID ….1 or ….2 (….1 here)",
    ),
    "series": (
        setting(SeriesInstanceUID=lambda k: f"{ROOT}.{8 + k // 6 * 4}.5"),
        [6, 6],
        "SeriesInstanceUID ….8.5 or ….12.5 (….8.5 here)",
    ),
    "series of each file": (
        setting(SeriesInstanceUID=lambda k: f"{ROOT}.2.{k + 1}"),
        [1] * 12,
        "SeriesInstanceUID differs in every file (….1 here)",
    ),
    "bits stored": (twelve_bits, [6, 6], "Bits Stored 12 or 16 (12 here)"),
    "bits allocated": (eight_bits, [6, 6], "Bits Allocated 8 or 16 (8 here)"),
    "size": (smaller, [2, 10], "Rows 20 or 40 (20 here)"),
    "orientation": (
        turned,
        [3, 9],
        "Image Orientation (Patient) 0\\1\\0\\0\\0\\1 or 1\\0\\0\\0\\1\\0 (0\\1\\0\\0\\0\\1 here)",
    ),
    "spacing": (
        setting(PixelSpacing=lambda k: [0.02 + 0.01 * (k < 4)] * 2),
        [4, 8],
        "Pixel Spacing 0.02\\0.02 or 0.03\\0.03 (0.03\\0.03 here)",
    ),
    "position": (unplaced, [1, 11], "Image Position (Patient) absent or present (absent here)"),
    "two spaces": (
        setting(FrameOfReferenceUID=lambda k: f"{ROOT}.{k // 6}"),
        [6, 6],
        "FrameOfReferenceUID ….0 or ….1 (….0 here)",
    ),
}


@pytest.mark.parametrize("name", APART)
def test_what_differs_is_named_with_its_values(name: str, tmp_path: Path) -> None:
    change, sizes, words = APART[name]
    found = stacks(write_slices(tmp_path / "scan", change))
    assert sorted(len(series.frames) for series in found) == sizes
    assert any(words in said(series) for series in found)
    assert all(series.split for series in found)


@pytest.mark.parametrize("name", APART)
def test_no_two_lines_of_a_choice_are_alike(name: str, tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", APART[name][0])
    with pytest.raises(AmbiguousSeriesError) as caught:
        choose(stacks(folder), None)
    _, *lines = str(caught.value).splitlines()
    lines = [re.sub(r"^  \d+: ", "", line) for line in lines]
    assert len(set(lines)) == len(lines) > 1
    assert all("file" in line for line in lines)


def test_the_list_has_folder_description_and_number_of_files(tmp_path: Path) -> None:
    for number, word in enumerate(("head", "tail")):
        write_slices(
            tmp_path / "scan" / word,
            setting(
                SeriesInstanceUID=lambda k, n=number: f"{ROOT}.2.{n}",  # type: ignore[misc]
                SeriesDescription=lambda k, w=word: w.upper(),  # type: ignore[misc]
            ),
        )
    one, other = (series.name for series in stacks(tmp_path / "scan"))
    assert one.startswith("1: CT HEAD, 48 × 40 × 12, 12 files in head; SeriesInstanceUID")
    assert other.startswith("2: CT TAIL, 48 × 40 × 12, 12 files in tail; SeriesInstanceUID")


# --- what does not matter ---


def test_rounding_of_spacing_is_one_stack_and_told(tmp_path: Path) -> None:
    exact, rounded = 0.0201234, 0.02012
    folder = write_slices(
        tmp_path / "scan", setting(PixelSpacing=lambda k: [rounded if k == 4 else exact] * 2)
    )
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert series.stack is not None and series.stack.pixel_spacing == (exact, exact)
    assert any("differ by rounding" in warning for warning in series.warnings)


@pytest.mark.parametrize("rounded", [0.488, 0.4883, 0.48828])
def test_rounding_to_three_digits_is_one_stack(tmp_path: Path, rounded: float) -> None:
    """On a large image 0.488 and 0.48828125 part by a quarter of a pixel, and are one number."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.Columns, dataset.PixelData = 480, dataset.PixelData * 10
        dataset.PixelSpacing = [rounded if k < 4 else 0.48828125] * 2

    assert len(one_stack(write_slices(tmp_path / "scan", change)).frames) == 12


def test_rounding_of_orientation_is_one_stack(tmp_path: Path) -> None:
    cosine = 0.70710678
    folder = write_slices(
        tmp_path / "scan",
        setting(
            ImageOrientationPatient=lambda k: (
                [round(cosine, 3 + k % 4), round(cosine, 3 + k % 4), 0, 0, 0, 1]
            ),
            ImagePositionPatient=lambda k: [0.0141421 * k, -0.0141421 * k, 0],
        ),
    )
    series = one_stack(folder)
    assert sorted(order_of(folder, series)) == IN_ORDER


@pytest.mark.parametrize("some", [False, True])
def test_a_frame_of_reference_of_each_file_is_none(tmp_path: Path, some: bool) -> None:
    """As a careless anonymiser writes it; slices that lack it altogether are no others either."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.FrameOfReferenceUID = f"{ROOT}.9.{k}"
        if some and k % 3 == 0:
            del dataset.FrameOfReferenceUID

    folder = write_slices(tmp_path / "scan", change)
    series = one_stack(folder)
    assert order_of(folder, series) == IN_ORDER
    assert series.frame_of_reference_uid is None
    how = (
        "FrameOfReferenceUID has 8 values" if some else "FrameOfReferenceUID differs in every file"
    )
    assert any(how in text for text in series.warnings)


def test_formats_that_need_a_frame_of_reference_say_why_there_is_none(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", setting(FrameOfReferenceUID=lambda k: f"{ROOT}.9.{k}"))
    png = sidecar.export(folder, tmp_path / "png")
    assert png.document.source.frame_of_reference_uid is None
    assert np.allclose(png.to_patient([[10.0, 8.0]], 5), [[0.2, 0.16, 0.1]])
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,3,4,5\n")
    outcome = CliRunner().invoke(
        program(), ["map-points", str(labels), "-o", str(tmp_path / "a.dcm"), "--to", "dicom-rtstruct",
              "--dicom", str(folder)]
    )  # fmt: skip
    why = str(outcome.exception)
    assert (
        "RTSTRUCT needs a Frame of Reference UID, but the scan has none (FrameOfReferenceUID differs"
        in why
    )


def test_a_frame_of_reference_that_one_slice_lacks_is_none(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        if k == 3:
            del dataset.FrameOfReferenceUID

    series = one_stack(write_slices(tmp_path / "scan", change))
    assert series.frame_of_reference_uid is None
    assert any("FrameOfReferenceUID is absent in some files" in text for text in series.warnings)


# --- volumes at one place ---


def passes(folder: Path, second: Callable[[int], float], **values: Value) -> Path:
    """Two passes of one series: that of the slices, and one at other heights."""
    write_slices(folder, setting(AcquisitionNumber=lambda k: 1))
    return write_slices(
        folder,
        setting(
            SOPInstanceUID=lambda k: f"{ROOT}.4.{k}",
            InstanceNumber=lambda k: 100 + k,
            ImagePositionPatient=lambda k: [0, 0, second(k)],
            **values,
        ),
        name="pass_2_{:04d}.dcm",
    )


@pytest.mark.parametrize("shift", [0, 8, 11, 8.3, 2.25])
def test_passes_that_overlap_are_apart_by_their_acquisition(tmp_path: Path, shift: float) -> None:
    folder = passes(tmp_path / "scan", lambda k: 0.02 * (k + shift), AcquisitionNumber=lambda k: 2)
    found = stacks(folder)
    assert [len(series.frames) for series in found] == [12, 12]
    assert [said(series) for series in found] == [
        ("acquisition 1 (AcquisitionNumber 1 or 2)",),
        ("acquisition 2 (AcquisitionNumber 1 or 2)",),
    ]


def test_stations_that_share_a_slice_are_apart(tmp_path: Path) -> None:
    """Five stations, each of which begins where the one before ended."""
    for station in range(5):
        write_slices(
            tmp_path / "scan",
            setting(
                SOPInstanceUID=lambda k, s=station: f"{ROOT}.5.{s}.{k}",  # type: ignore[misc]
                InstanceNumber=lambda k, s=station: 100 * s + k,  # type: ignore[misc]
                AcquisitionNumber=lambda k, s=station: s,  # type: ignore[misc]
                ImagePositionPatient=lambda k, s=station: [0, 0, 0.02 * (11 * s + k)],  # type: ignore[misc]
                ContentTime=lambda k, s=station: f"10{s:02d}{k:02d}",  # type: ignore[misc]
            ),
            name=f"{station}_{{:02d}}.dcm",
        )
    found = stacks(tmp_path / "scan")
    assert [len(series.frames) for series in found] == [12] * 5
    assert all("AcquisitionNumber has 5 values" in said(series)[0] for series in found)


def test_passes_that_follow_each_other_are_one_stack(tmp_path: Path) -> None:
    folder = passes(tmp_path / "scan", lambda k: 0.02 * (k + 12), AcquisitionNumber=lambda k: 2)
    assert len(one_stack(folder).frames) == 24


def test_packages_that_lie_between_each_other_are_one_stack(tmp_path: Path) -> None:
    """Odd and even slices in two acquisitions, as MR has them."""
    folder = write_slices(
        tmp_path / "scan", setting(AcquisitionNumber=lambda k: 1 + k % 2), kind=MR
    )
    assert order_of(folder, one_stack(folder)) == IN_ORDER


@pytest.mark.parametrize("shift", [0.5, 3.5])
def test_slices_of_two_specimens_between_each_other_are_apart(tmp_path: Path, shift: float) -> None:
    """Together they look like one scan at half the gap, but numbers occur twice."""
    folder = write_slices(tmp_path / "scan" / "A").parent
    write_slices(
        folder / "B",
        setting(
            SOPInstanceUID=lambda k: f"{ROOT}.6.{k}",
            ImagePositionPatient=lambda k: [0, 0, 0.02 * (k + shift)],
        ),
    )
    assert [said(series) for series in stacks(folder)] == [
        ("folder A or B (A here)",),
        ("folder A or B (B here)",),
    ]


def test_two_specimens_in_two_folders_under_one_series_are_apart(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan" / "A").parent
    write_slices(
        folder / "B",
        setting(
            SOPInstanceUID=lambda k: f"{ROOT}.6.{k}",
            PixelData=lambda k: (pixels_of(k) + 7).tobytes(),
        ),
    )
    assert [said(series) for series in stacks(folder)] == [
        ("folder A or B (A here)",),
        ("folder A or B (B here)",),
    ]


def nameless(dataset: Dataset, k: int) -> None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        delattr(dataset, keyword)


@pytest.mark.parametrize("kind", [CT, SECONDARY_CAPTURE])
def test_an_absent_series_uid_holds_no_two_folders_together(kind: str, tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan" / "A", nameless, kind).parent
    further = setting(ImagePositionPatient=lambda k: [0, 0, 0.02 * (k + 12)])

    def other(dataset: Dataset, k: int) -> None:
        nameless(dataset, k)
        if kind == CT:
            further(dataset, k)

    write_slices(folder / "B", other, kind)
    found = stacks(folder)
    assert [said(series) for series in found] == [
        ("folder A or B (A here)",),
        ("folder A or B (B here)",),
    ]
    assert all(order_of(folder, series) == IN_ORDER for series in found)


# --- what lies beside images ---

BESIDE = {
    "segmentation": ("1.2.840.10008.5.1.4.1.1.66.4", "SEG"),
    "structure set": ("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"),
    "report": ("1.2.840.10008.5.1.4.1.1.88.33", "SR"),
    "presentation state": ("1.2.840.10008.5.1.4.1.1.11.1", "PR"),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_what_refers_to_images_is_listed_and_no_stack(kind: str, tmp_path: Path) -> None:
    sop_class, modality = BESIDE[kind]

    def change(dataset: Dataset, k: int) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
        dataset.Modality, dataset.SeriesInstanceUID = modality, f"{ROOT}.1"
        if kind != "segmentation":
            del dataset.PixelData

    folder = write_slices(tmp_path / "scan")
    write_slices(folder / "beside", change, numbers=range(1))
    found = scan(folder)
    (series,) = find_series(found.frames)
    assert (series.number, order_of(folder, series)) == (1, IN_ORDER)
    assert found.passed_by == {kind: ["beside/slice_0001.dcm"]}


def test_stacks_are_numbered_by_uids_that_count_as_numbers(tmp_path: Path) -> None:
    """….9 comes before ….10."""
    folder = write_slices(
        tmp_path / "scan",
        setting(SeriesInstanceUID=lambda k: f"{ROOT}.{k + 1}"),
        SECONDARY_CAPTURE,
    )
    ends = [series.common.series_instance_uid.rpartition(".")[2] for series in stacks(folder)]
    assert ends == [str(k + 1) for k in range(12)]


@pytest.mark.slow
def test_a_series_of_each_of_a_thousand_files_takes_seconds(tmp_path: Path) -> None:
    """Minutes, where what sets stacks apart is worked out for each of them anew."""
    (frame,) = scan(write_slices(tmp_path / "scan", numbers=range(1))).frames
    frames = [
        replace(
            frame,
            file=f"slice_{k:04d}.dcm",
            sop_instance_uid=f"{ROOT}.3.{k}",
            position=(0.0, 0.0, 0.02 * k),
            common=replace(frame.common, series_instance_uid=f"{ROOT}.2.{k}"),
        )
        for k in range(1000)
    ]
    begin = process_time()
    found = find_series(frames)
    assert process_time() - begin < 10
    assert said(found[-1]) == ("SeriesInstanceUID differs in every file (….999 here)",)
