"""Stacks that the user says are one: joined in order and told, known again, or refused with what
keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.numbered_slices import ROOT, Change, order_of, stacks, write_slices
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from typer.testing import CliRunner

import sidecar
from sidecar.checks import check_export
from sidecar.cli.program import program
from sidecar.dicom.source import Source
from sidecar.dicom.stacks.given_voxel import GivenVoxel, arrangement
from sidecar.dicom.stacks.joining import choose_joined, joined
from sidecar.dicom.stacks.series import choose, ways_to_choose
from sidecar.errors import AmbiguousSeriesError, GeometryError, UsageError


def own_series(dataset: Dataset, k: int) -> None:
    dataset.SeriesInstanceUID = f"{ROOT}.2.{k + 1}"


def studies(dataset: Dataset, k: int) -> None:
    dataset.StudyInstanceUID = f"{ROOT}.1.{k % 2 + 1}"


def test_a_series_of_each_file_is_joined_mapped_and_known_again(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", own_series)
    png = sidecar.export(folder, tmp_path / "png", join=True)
    source = png.document.source
    assert [plane.sop_instance_uid for plane in source.planes] == [
        f"{ROOT}.3.{k + 1}" for k in range(12)
    ]
    assert [plane.series_instance_uid for plane in source.planes] == [
        None, *(f"{ROOT}.2.{k + 1}" for k in range(1, 12))
    ]  # fmt: skip
    assert png.document.warnings == [
        "12 stacks were joined (--join); their differences: SeriesInstanceUID differs in every file"
    ]
    assert np.allclose(png.to_patient([[10.0, 8.0]], 7), [[0.2, 0.16, 0.14]])
    assert all(finding.passed is not False for finding in check_export(tmp_path / "png", folder))
    series = Source.open(folder).matching(png.known_scan)
    assert order_of(folder, series) == list(range(12))


def test_what_refers_to_one_series_is_refused_for_joined_stacks(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", own_series)
    png = sidecar.export(folder, tmp_path / "png", join=True)
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,3,4,5\na,9,4,5\na,9,9,5\n")
    masks = tmp_path / "masks"
    masks.mkdir()
    for image in png.document.images.files:
        Image.fromarray(np.ones((40, 48), np.uint8)).save(masks / image.name)
    for arguments in (
        ["map-points", labels, "--to", "dicom-rtstruct", "-o", tmp_path / "a.dcm"],
        ["map-mask", masks, "--sidecar", tmp_path / "png", "-o", tmp_path / "b.dcm"],
    ):
        outcome = CliRunner().invoke(program(), [*map(str, arguments), "--dicom", str(folder)])
        assert "come from several DICOM series that were joined" in str(outcome.exception)
    outcome = CliRunner().invoke(
        program(), ["map-points", str(labels), "--to", "dicom-sr", "-o", str(tmp_path / "c.dcm"),
              "--dicom", str(folder)]
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.exception
    (study,) = dcmread(tmp_path / "c.dcm").CurrentRequestedProcedureEvidenceSequence
    assert [one.SeriesInstanceUID for one in study.ReferencedSeriesSequence] == [f"{ROOT}.2.6"]


def test_no_dicom_object_belongs_to_two_studies(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", studies)
    sidecar.export(folder, tmp_path / "png", join=True)
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,3,4,5\na,9,4,5\na,9,9,5\n")
    for format in ("dicom-sr", "dicom-rtstruct"):
        outcome = CliRunner().invoke(
            program(), ["map-points", str(labels), "--to", format, "-o", str(tmp_path / "a.dcm"),
                  "--dicom", str(folder)]
        )  # fmt: skip
        assert "come from several studies that were joined" in str(outcome.exception)


def test_some_stacks_are_joined_by_their_numbers(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", own_series)
    series = choose_joined(stacks(folder), "2-4, 7")
    assert order_of(folder, series) == [1, 2, 3, 6]


def test_stacks_of_one_series_are_joined_by_its_uid(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", studies)
    first, second = stacks(folder)
    series = choose_joined([first, second], first.common.series_instance_uid)
    assert order_of(folder, series) == list(range(12))
    assert "their differences: StudyInstanceUID ….1 or ….2" in series.warnings[0]


@pytest.mark.parametrize("asked", ["1", "1,99", "first", "", "1-", "3-1"])
def test_numbers_that_name_no_two_stacks_are_refused(asked: str, tmp_path: Path) -> None:
    found = stacks(write_slices(tmp_path / "scan", own_series))
    with pytest.raises(UsageError, match=r"1,3-5"):
        choose_joined(found, asked)


def test_what_all_leaves_out_is_said(tmp_path: Path) -> None:
    def unplaced(dataset: Dataset, k: int) -> None:
        if k == 4:
            del dataset.ImagePositionPatient

    source = Source.open(write_slices(tmp_path / "scan", unplaced))
    (series,) = source.choose("all")
    told = "\n".join(series.warnings)
    assert "not exported with the others: stack 2: CT, 48 × 40 × 1, 1 file, slice_0005.dcm" in told
    (series,) = source.choose("1")
    assert "not exported" not in "\n".join(series.warnings)


def test_one_stack_is_joined_with_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one stack here"):
        choose_joined(stacks(write_slices(tmp_path / "scan")), None)


def twelve_bits(dataset: Dataset, k: int) -> None:
    dataset.BitsStored, dataset.HighBit = (12, 11) if k % 2 else (16, 15)


def turned(dataset: Dataset, k: int) -> None:
    if k < 3:
        dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]


def one_place(dataset: Dataset, k: int) -> None:
    own_series(dataset, k)
    dataset.ImagePositionPatient = [0, 0, 0.02 * (k % 6)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (twelve_bits, "cannot be one: Bits Stored 12 or 16"),
        (turned, "cannot be one: Image Orientation (Patient) 0\\1\\0\\0\\0\\1 or 1\\0\\0\\0\\1\\0"),
        (one_place, "cannot be one: 2 slices lie at one position"),
    ],
)
def test_stacks_that_cannot_be_one_say_why(change: object, why: str, tmp_path: Path) -> None:
    found = stacks(write_slices(tmp_path / "scan", change))
    with pytest.raises(GeometryError) as caught:
        joined(found)
    assert why in str(caught.value)


def test_a_localizer_beside_slices_of_a_series_each_is_left_out_by_the_numbers_that_are_named(
    tmp_path: Path,
) -> None:
    def localizer_first(dataset: Dataset, k: int) -> None:
        own_series(dataset, k)
        if k == 0:
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]

    folder = write_slices(tmp_path / "scan", localizer_first)
    found = stacks(folder)
    with pytest.raises(AmbiguousSeriesError, match="join some of them with --series 1,3-5 --join"):
        choose(found, None)
    with pytest.raises(GeometryError, match=r"Some of them may be one: --series 2-12 --join$"):
        joined(found)
    assert order_of(folder, choose_joined(found, "2-12")) == list(range(1, 12))


def test_time_points_are_not_offered_to_be_joined(tmp_path: Path) -> None:
    """They lie at one place."""

    def time_points(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID = f"{ROOT}.2.{k % 2}"
        dataset.ImagePositionPatient = [0, 0, 0.02 * (k // 2)]

    found = stacks(write_slices(tmp_path / "scan", time_points))
    assert ways_to_choose(found) == "choose one with --series NUMBER, or all with --series all"


def some_unplaced(numbers: Callable[[int], int]) -> Change:
    def change(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber = numbers(k)
        if k in (0, 5, 6):
            del dataset.ImagePositionPatient

    return change


def test_the_positions_that_there_are_speak_for_slices_that_have_none(tmp_path: Path) -> None:
    """They tell which way numbers run, and contradict numbers that order nothing."""
    arrange = arrangement(GivenVoxel((0.02, 0.02, 0.02)))
    for name, numbers in (("forwards", lambda k: k), ("backwards", lambda k: 20 - k)):
        folder = write_slices(tmp_path / name, some_unplaced(numbers))
        series = joined(stacks(folder), arrange)
        assert order_of(folder, series) == list(range(12))
        told = "\n".join(series.warnings)
        assert ("reversed because Image Position (Patient) runs backwards" in told) == (
            name == "backwards"
        )
    folder = write_slices(tmp_path / "mixed", some_unplaced(lambda k: (5 * k) % 12))
    with pytest.raises(GeometryError, match=r"Image Position \(Patient\) goes back and forth"):
        joined(stacks(folder), arrange)


def test_joined_slices_have_the_voxel_size_that_is_given(tmp_path: Path) -> None:
    def copied(dataset: Dataset, k: int) -> None:
        own_series(dataset, k)
        dataset.ImagePositionPatient = [1, 2, 3]

    folder = write_slices(tmp_path / "scan", copied)
    with pytest.raises(GeometryError, match=r"join=True: these 12 stacks cannot be one: .*voxel="):
        sidecar.export(folder, tmp_path / "png", join=True)
    png = sidecar.export(folder, tmp_path / "png", join=True, voxel=(0.03, 0.02, 0.05))
    assert np.allclose(png.to_mm([[10.0, 8.0]], 7), [[0.3, 0.16, 0.35]])
    series = Source.open(folder).matching(png.known_scan)
    assert order_of(folder, series) == list(range(12))
    assert series.warnings[0].startswith("12 stacks were joined")
    assert all(finding.passed is not False for finding in check_export(tmp_path / "png", folder))
