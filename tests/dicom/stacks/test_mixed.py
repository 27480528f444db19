"""Slices that positions put into one stack, though their headers tell them apart: one stack, and
told. Where positions coincide, the same attributes tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kit.numbered_slices import COUNT, GAP, one_stack, order_of, stacks, write_slices
from kit.phantoms import Spec, write
from pydicom import dcmread
from pydicom.dataset import Dataset

import sidecar

Change = Callable[[Dataset, int], None]


def alternating(keyword: str, *values: object) -> Change:
    return lambda dataset, k: setattr(dataset, keyword, values[k % len(values)])


def in_halves(keyword: str, *values: object) -> Change:
    """Two volumes of six slices at the same places."""

    def change(dataset: Dataset, k: int) -> None:
        setattr(dataset, keyword, values[k // 6])
        dataset.ImagePositionPatient = [0, 0, round(GAP * (k % 6), 6)]

    return change


@pytest.mark.parametrize(
    ("keyword", "values", "says"),
    [
        ("EchoTime", (5, 10), "EchoTime 5 or 10"),
        ("KVP", (80, 140), "KVP 80 or 140"),
        ("ConvolutionKernel", ("B30f", "B70f"), "ConvolutionKernel B30f or B70f"),
        ("ImageType", (["ORIGINAL", "PRIMARY"], ["DERIVED", "PRIMARY"]), "ImageType DERIVED"),
        ("SeriesNumber", (3, 4), "Series Number 3 or 4"),
        ("SeriesDescription", ("head", "tail"), "Series Description text 1 or text 2"),
    ],
)
def test_slices_that_lie_between_each_other_are_one_stack_and_told(
    keyword: str, values: tuple[object, ...], says: str, tmp_path: Path
) -> None:
    series = one_stack(write_slices(tmp_path / "scan", alternating(keyword, *values)))
    assert order_of(tmp_path / "scan", series) == list(range(COUNT))
    (told,) = series.warnings
    assert says in told and "into a folder" in told
    assert (
        one_stack(write_slices(tmp_path / "same", alternating(keyword, values[0]))).warnings == ()
    )


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("KVP", (80, 140)),
        ("FrameReferenceTime", (1000, 2000)),
        ("NominalPercentageOfCardiacPhase", (30.5, 70.5)),
        ("SeriesNumber", (3, 4)),
        ("SeriesDescription", ("0 %", "50 %")),
    ],
)
def test_volumes_at_one_place_are_apart(
    keyword: str, values: tuple[object, ...], tmp_path: Path
) -> None:
    found = stacks(write_slices(tmp_path / "scan", in_halves(keyword, *values)))
    assert [order_of(tmp_path / "scan", series) for series in found] == [
        list(range(6)),
        list(range(6, 12)),
    ]


@pytest.mark.parametrize("placed", [alternating, in_halves])
def test_a_description_may_name_somebody_and_is_not_told(
    placed: Callable[..., Change], tmp_path: Path
) -> None:
    folder = write_slices(tmp_path / "scan", placed("SeriesDescription", "Doe knee", "Roe knee"))
    for series in stacks(folder):
        sidecar.export(folder, tmp_path / str(series.number), series=str(series.number))
        text = (tmp_path / str(series.number) / "sidecar.json").read_text(encoding="utf-8")
        assert "knee" not in text
        assert "knee" not in " ".join(map(str, series.split))


def test_volumes_that_nothing_tells_apart_go_into_folders(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", in_halves("StationName", "A", "B"))
    (series,) = stacks(folder)
    assert (
        series.problem is not None and "put the files of each scan into a folder" in series.problem
    )
    (folder / "second").mkdir()
    for path in sorted(folder.glob("*.dcm"))[6:]:
        path.rename(folder / "second" / path.name)
    assert [len(series.frames) for series in stacks(folder)] == [6, 6]


@pytest.mark.parametrize(
    ("sequence", "keyword", "values"),
    [
        ("TemporalPositionSequence", "TemporalPositionTimeOffset", (0.0, 1.5)),
        ("MRVelocityEncodingSequence", "VelocityEncodingDirection", ([1.0, 0, 0], [0, 1.0, 0])),
        ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase", (30.0, 70.0)),
        ("MRModifierSequence", "InversionTimes", ([100.0], [200.0])),
    ],
)
def test_volumes_of_one_file_are_apart(
    sequence: str, keyword: str, values: tuple[object, ...], tmp_path: Path
) -> None:
    phantom = write(Spec(slices=6, layout="enhanced", junk=False), tmp_path / "scan")
    path = phantom.files()[0]
    dataset = dcmread(path)
    for k, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        setattr(item, keyword, values[k // 3])
        setattr(groups, sequence, [item])
        position = [0, 0, k % 3]
        groups.PlanePositionSequence[0].ImagePositionPatient = position
        del groups.FrameContentSequence[0].DimensionIndexValues
    dataset.save_as(path)
    assert sorted([f.frame for f in series.frames] for series in stacks(tmp_path / "scan")) == [
        [0, 1, 2],
        [3, 4, 5],
    ]


def test_several_patients_are_told_and_not_named(tmp_path: Path) -> None:
    change = alternating("PatientID", "Secret-1", "Secret-2")
    (told,) = one_stack(write_slices(tmp_path / "scan", change)).warnings
    assert "2 different Patient IDs" in told and "Secret" not in told


def test_a_unit_that_not_all_slices_have_is_not_stated(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
        dataset.RescaleType = "HU" if k != 3 else "US"

    folder = write_slices(tmp_path / "scan", change)
    (told,) = one_stack(folder).warnings
    assert "HU or US" in told
    value = sidecar.export(folder, tmp_path / "png").document.images.value
    assert value is not None and value.unit is None


def test_a_concatenation_that_is_not_whole_is_told(tmp_path: Path) -> None:
    path = write(Spec(slices=6, layout="enhanced", junk=False), tmp_path / "scan").files()[0]
    dataset = dcmread(path)
    dataset.ConcatenationUID = "2.25.7"
    dataset.InConcatenationNumber, dataset.InConcatenationTotalNumber = 1, 3
    dataset.save_as(path)
    (told,) = one_stack(tmp_path / "scan").warnings
    assert told.startswith("a concatenation of 3 files lacks 2 of them")
    dataset.InConcatenationTotalNumber = 1
    dataset.save_as(path)
    assert one_stack(tmp_path / "scan").warnings == ()
