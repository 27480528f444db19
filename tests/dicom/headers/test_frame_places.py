"""Geometry outside functional groups: nuclear medicine, dose grids and volumes in one file, held
against SimpleITK where it answers, and against the standard by hand everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.numbered_slices import SECONDARY_CAPTURE, one_stack, order_of, pixels_of, slice_of, stacks
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import sidecar
from sidecar.checks import check_export
from sidecar.dicom.stacks.series import Series

NM, DOSE = "1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.481.2"
GRAYSCALE_WORD = "1.2.840.10008.5.1.4.1.1.7.3"
SLICE_VECTOR, TIME_SLOTS, RR_INTERVALS = 0x00540080, 0x00540070, 0x00540060
GRID_OFFSETS, SPACING, FRAME_TIME, SLICE_LOCATIONS = 0x3004000C, 0x00180088, 0x00181063, 0x00182005
COUNT = 12
FIRST = [-100.0, -80.0, 50.0]
#: Rows to the left and down the back, and planes that are turned about two axes.
TRANSVERSE = [1, 0, 0, 0, 1, 0]
OBLIQUE = [0.8, 0.6, 0.0, -0.36, 0.48, 0.8]
ORIENTATIONS = [TRANSVERSE, [1, 0, 0, 0, -1, 0], [0, 1, 0, 0, 0, -1], OBLIQUE]

Change = Callable[[Dataset], None]


def frames_of(kind: str, frames: int = COUNT, **values: Any) -> Dataset:
    """One object of so many frames, frame k as slice k of `kit.numbered_slices`."""
    dataset = slice_of(0, kind)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
        dataset.pop(keyword, None)
    dataset.NumberOfFrames = frames
    dataset.PixelSpacing = [4, 3]
    dataset.PixelData = b"".join(pixels_of(k % COUNT).tobytes() for k in range(frames))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def spect(orientation: list[float], spacing: float, **values: Any) -> Dataset:
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = FIRST, orientation
    return frames_of(
        NM,
        **{
            "Modality": "NM",
            "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
            "DetectorInformationSequence": Sequence([detector]),
            "SpacingBetweenSlices": spacing,
            "FrameIncrementPointer": SLICE_VECTOR,
            "SliceVector": list(range(1, COUNT + 1)),
            **values,
        },
    )


def dose(orientation: list[float], offsets: list[float], **values: Any) -> Dataset:
    return frames_of(
        DOSE,
        **{
            "Modality": "RTDOSE",
            "ImagePositionPatient": FIRST,
            "ImageOrientationPatient": orientation,
            "FrameIncrementPointer": GRID_OFFSETS,
            "GridFrameOffsetVector": offsets,
            "DoseGridScaling": "0.0005",
            "DoseUnits": "GY",
            **values,
        },
    )


def volume(kind: str = GRAYSCALE_WORD, **values: Any) -> Dataset:
    return frames_of(
        kind,
        **{
            "ImagePositionPatient": FIRST,
            "ImageOrientationPatient": TRANSVERSE,
            "SpacingBetweenSlices": 0.5,
            "FrameIncrementPointer": SPACING,
            **values,
        },
    )


def written(folder: Path, dataset: Dataset) -> Path:
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / "volume.dcm", enforce_file_format=True)
    return folder


def places(series: Series, folder: Path) -> dict[int, Any]:
    """Where the first pixel of each slice is, by what the pixels of the slice say."""
    assert series.stack is not None
    return dict(zip(order_of(folder, series), series.stack.positions, strict=True))


def by_hand(orientation: list[float], steps: list[float]) -> dict[int, Any]:
    """The first frame, and so many mm along row × column."""
    x, y = np.array(orientation[:3]), np.array(orientation[3:])
    return {k: np.array(FIRST) + step * np.cross(x, y) for k, step in enumerate(steps)}


def by_simpleitk(folder: Path) -> dict[int, Any]:
    SimpleITK = pytest.importorskip("SimpleITK")
    image = SimpleITK.ReadImage(str(folder / "volume.dcm"))
    values = SimpleITK.GetArrayFromImage(image)[:, 0, 0]
    return {
        int(value - 1000) // 100: np.array(image.TransformIndexToPhysicalPoint((0, 0, k)))
        for k, value in enumerate(values)
    }


def same(one: dict[int, Any], other: dict[int, Any]) -> bool:
    return one.keys() == other.keys() and all(
        np.allclose(one[k], other[k], rtol=0, atol=1e-9) for k in one
    )


def told(folder: Path) -> str:
    """What is said of a volume that nothing places."""
    series = one_stack(folder)
    assert series.stack is None
    return "\n".join([series.problem or "", *series.warnings])


# --- nuclear medicine (PS3.3 C.8.4.15) ---


@pytest.mark.parametrize("spacing", [4.0, -4.0])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_reconstructions_lie_where_the_sign_of_their_spacing_says(
    orientation: list[float], spacing: float, tmp_path: Path
) -> None:
    folder = written(tmp_path / "nm", spect(orientation, spacing))
    series = one_stack(folder)
    assert series.problem is None and series.warnings == ()
    found = places(series, folder)
    assert same(found, by_hand(orientation, [spacing * k for k in range(COUNT)]))
    assert same(found, by_simpleitk(folder))


def test_time_slots_of_a_gated_reconstruction_are_volumes_of_their_own(tmp_path: Path) -> None:
    slots = [1 + k // 6 for k in range(COUNT)]
    gated = spect(
        OBLIQUE,
        -2.5,
        ImageType=["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"],
        FrameIncrementPointer=[RR_INTERVALS, TIME_SLOTS, SLICE_VECTOR],
        RRIntervalVector=[1] * COUNT,
        TimeSlotVector=slots,
        SliceVector=[1 + k % 6 for k in range(COUNT)],
    )
    folder = written(tmp_path / "nm", gated)
    found = stacks(folder)
    assert [len(series.frames) for series in found] == [6, 6]
    steps = [-2.5 * (k % 6) for k in range(COUNT)]
    for n, series in enumerate(found):
        assert f"time slot {n + 1} (TimeSlotVector 1 or 2)" in map(str, series.split)
        there = places(series, folder)
        assert same(there, {k: p for k, p in by_hand(OBLIQUE, steps).items() if slots[k] == n + 1})


def test_one_slice_of_a_reconstruction_is_where_its_detector_is(tmp_path: Path) -> None:
    one = spect(OBLIQUE, 4.0, SliceVector=[1])
    one.NumberOfFrames, one.PixelData = 1, pixels_of(0).tobytes()
    series = one_stack(written(tmp_path / "nm", one))
    assert series.stack is not None
    assert np.allclose(series.stack.positions, [FIRST])
    assert np.allclose(series.stack.orientations, [OBLIQUE])


def two_detectors(dataset: Dataset) -> None:
    other = Dataset()
    other.ImagePositionPatient, other.ImageOrientationPatient = [0, 0, 0], TRANSVERSE
    dataset.DetectorInformationSequence.append(other)


def at_no_place(dataset: Dataset) -> None:
    del dataset.DetectorInformationSequence[0].ImagePositionPatient


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]}, "no Image Type RECON TOMO"),
        ({"SpacingBetweenSlices": None}, "no Spacing Between Slices"),
        ({"SpacingBetweenSlices": 0}, "Spacing Between Slices 0, which is not a distance"),
        ({"FrameIncrementPointer": None}, "no Frame Increment Pointer that names Slice Vector"),
        ({"SliceVector": None}, "no Slice Vector, which Frame Increment Pointer names"),
        ({"SliceVector": list(range(12, 0, -1))}, "which does not count from 1"),
        ({"SliceVector": list(range(12))}, "Slice Vector 0\\1\\2\\3"),
        (two_detectors, "2 detectors at different places"),
        (at_no_place, "no Image Position (Patient) in Detector Information Sequence"),
    ],
)
def test_what_a_reconstruction_leaves_open_is_not_guessed(
    change: dict[str, Any] | Change, words: str, tmp_path: Path
) -> None:
    dataset = spect(TRANSVERSE, 4.0)
    if callable(change):
        change(dataset)
    else:
        for keyword, value in change.items():
            setattr(dataset, keyword, value)
    said = told(written(tmp_path / "nm", dataset))
    assert words in said and "in Detector Information Sequence" in said


def test_a_vector_of_another_length_is_refused_by_name_and_value(tmp_path: Path) -> None:
    folder = written(tmp_path / "nm", spect(TRANSVERSE, 4.0, SliceVector=[1, 2, 3]))
    with pytest.raises(sidecar.SidecarError, match=r"Slice Vector is 1\\2\\3: 3 values instead"):
        sidecar.export(folder, tmp_path / "png")


# --- dose (PS3.3 C.8.8.3) ---


RISING, FALLING = [2.5 * k for k in range(COUNT)], [-2.5 * k for k in range(COUNT)]


@pytest.mark.parametrize("offsets", [RISING, FALLING])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_offsets_from_the_first_plane_go_along_its_normal(
    orientation: list[float], offsets: list[float], tmp_path: Path
) -> None:
    folder = written(tmp_path / "dose", dose(orientation, offsets))
    series = one_stack(folder)
    assert series.problem is None and series.warnings == ()
    found = places(series, folder)
    assert same(found, by_hand(orientation, offsets))
    assert same(found, by_simpleitk(folder))


@pytest.mark.parametrize("offsets", [RISING, FALLING])
def test_offsets_may_be_the_z_of_transverse_planes(offsets: list[float], tmp_path: Path) -> None:
    folder = written(tmp_path / "dose", dose(TRANSVERSE, [FIRST[2] + z for z in offsets]))
    found = places(one_stack(folder), folder)
    assert same(found, by_hand(TRANSVERSE, offsets))
    assert same(found, by_simpleitk(folder))


@settings(deadline=None, max_examples=30)
@given(gaps=st.lists(st.floats(0.5, 20), min_size=COUNT - 1, max_size=COUNT - 1))
def test_planes_of_a_dose_may_lie_unevenly(
    gaps: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    offsets = [0.0, *np.round(np.cumsum(gaps), 3).tolist()]
    folder = written(tmp_path_factory.mktemp("dose"), dose(OBLIQUE, offsets))
    assert same(places(one_stack(folder), folder), by_hand(OBLIQUE, offsets))


@pytest.mark.parametrize(
    ("orientation", "offsets", "words"),
    [
        (
            TRANSVERSE,
            [3.0 + z for z in RISING],
            "must begin with 0 (or, if the planes are transverse",
        ),
        (OBLIQUE, [FIRST[2] + z for z in RISING], "must begin with 0"),
        (TRANSVERSE, [0.0, *FALLING[1:6], *RISING[6:]], "which neither rises nor falls"),
        (TRANSVERSE, [0.0] * COUNT, "which neither rises nor falls"),
        ([1, 0, 0, 1, 0, 0], RISING, "which is not two orthogonal unit vectors"),
    ],
)
def test_what_offsets_leave_open_is_not_guessed(
    orientation: list[float], offsets: list[float], words: str, tmp_path: Path
) -> None:
    said = told(written(tmp_path / "dose", dose(orientation, offsets)))
    assert words in said and "Grid Frame Offset Vector" in said


@pytest.mark.parametrize("frames", [1, COUNT])
def test_values_of_a_dose_are_what_its_scaling_makes_them(frames: int, tmp_path: Path) -> None:
    grid = dose(TRANSVERSE, RISING)
    if frames == 1:
        grid.NumberOfFrames, grid.PixelData = 1, pixels_of(0).tobytes()
        del grid.GridFrameOffsetVector, grid.FrameIncrementPointer
    document = sidecar.export(written(tmp_path / "dose", grid), tmp_path / "png", bits=16).document
    assert document.images.value is not None
    assert document.images.value.unit == "GY"
    assert (document.images.value.slope, document.images.value.intercept) == (0.0005, 0.0)
    findings = check_export(tmp_path / "png", tmp_path / "dose")
    assert all(finding.passed for finding in findings), findings


# --- volumes with their geometry at the top level ---


@pytest.mark.parametrize("kind", [GRAYSCALE_WORD, SECONDARY_CAPTURE, "1.2.840.10008.5.1.4.1.1.2"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    "pointer",
    [
        {"FrameIncrementPointer": SPACING},
        {"FrameIncrementPointer": 0x00200032},
        {"FrameIncrementPointer": SLICE_VECTOR, "SliceVector": list(range(1, COUNT + 1))},
        {
            "FrameIncrementPointer": SLICE_LOCATIONS,
            "SliceLocationVector": [7 + 0.5 * k for k in range(COUNT)],
        },
    ],
)
def test_frames_that_are_slices_go_along_the_normal(
    kind: str, orientation: list[float], pointer: dict[str, Any], tmp_path: Path
) -> None:
    dataset = volume(kind, ImageOrientationPatient=orientation, **pointer)
    folder = written(tmp_path / "cbct", dataset)
    series = one_stack(folder)
    assert series.problem is None and series.warnings == ()
    found = places(series, folder)
    assert same(found, by_hand(orientation, [0.5 * k for k in range(COUNT)]))
    if kind != GRAYSCALE_WORD:  # of which SimpleITK takes no geometry outside functional groups
        assert same(found, by_simpleitk(folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"FrameIncrementPointer": None}, "no Frame Increment Pointer, which would say"),
        (
            {"FrameIncrementPointer": FRAME_TIME, "FrameTime": 40},
            "Frame Increment Pointer (0018,1063), which does not say that frames are slices",
        ),
        ({"SpacingBetweenSlices": -0.5}, "Spacing Between Slices -0.5, which must not be negative"),
        ({"SpacingBetweenSlices": None, "SliceThickness": 0.5}, "no Spacing Between Slices"),
        ({"ImageOrientationPatient": None}, "no Image Orientation (Patient) at the top level"),
        (
            {"FrameIncrementPointer": SLICE_VECTOR, "SliceVector": list(range(12, 0, -1))},
            "which does not count from 1",
        ),
        (
            {
                "FrameIncrementPointer": SLICE_LOCATIONS,
                "SliceLocationVector": [-0.5 * k for k in range(COUNT)],
            },
            "which contradicts Spacing Between Slices 0.5",
        ),
    ],
)
def test_what_a_volume_leaves_open_is_not_guessed(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    said = told(written(tmp_path / "cbct", volume(**change)))
    assert words in said and "Image Position (Patient) -100\\-80\\50 at the top level" in said


def test_a_clip_without_geometry_is_told_nothing_of_pointers(tmp_path: Path) -> None:
    clip = frames_of(SECONDARY_CAPTURE, FrameIncrementPointer=FRAME_TIME, FrameTime=40)
    assert "Pointer" not in told(written(tmp_path / "clip", clip))


def test_places_come_back_from_labels(tmp_path: Path) -> None:
    """From the pixel of a marker to millimetres, against the equation by hand."""
    folder = written(tmp_path / "nm", spect(OBLIQUE, -4.0))
    made = sidecar.export(folder, tmp_path / "png", bits=16)
    x, y = np.array(OBLIQUE[:3]), np.array(OBLIQUE[3:])
    for number, slice_index in enumerate(range(COUNT - 1, -1, -1)):
        column, row = 10 + 2 * slice_index, 8 + slice_index
        true = np.array(FIRST) + 3 * column * x + 4 * row * y - 4.0 * slice_index * np.cross(x, y)
        assert np.allclose(made.to_patient([(column, row)], number), true, rtol=0, atol=1e-9)
