"""The phantoms themselves, seen by software that knows nothing of them: pydicom, SimpleITK (GDCM)
and highdicom.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
import pydicom.uid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_rescale
from pydicom.pixels.utils import pixel_array

from .phantoms import (
    GARBAGE_ICON,
    IDENTITY,
    SECRETS,
    Marker,
    Spec,
    centroid,
    centroid3d,
    plan,
    write,
    write_flat_series,
    write_sparse_multiframe,
)
from .phantoms.junk import JUNK
from .phantoms.scene import REACH
from .phantoms.seen import frames
from .phantoms.truth import Vector

pytestmark = pytest.mark.slow

CLASSIC = {
    "plain": Spec(),
    "coronal": Spec(orientation="coronal"),
    "rows towards anterior": Spec(orientation=(1, 0, 0, 0, -1, 0), order="descending"),
    "oblique, tilted": Spec(orientation="oblique", tilt_degrees=14.5, seed=1),
    "uneven gaps": Spec(
        orientation="sagittal", slice_gaps=(1.0, 1.0, 2.5, 0.5, 1.0, 4.0), slices=7, seed=2
    ),
    "tilted, slices missing": Spec(tilt_degrees=-16, missing=(0, 3, 4), seed=3),
    "rounded positions": Spec(orientation="oblique", slice_gaps=0.777, position_decimals=1),
    "12 bits signed": Spec(bits_stored=12, signed=True, modality="MR", rescale=None),
    "16 bits signed": Spec(signed=True, rescale=(0.5, 100.0)),
    "8 bits, dark": Spec(bits_stored=8, photometric="MONOCHROME1", rescale=None),
    "PET": Spec(modality="PT", per_slice_rescale=True, rescale=(0.37, 0.0)),
    "deep": Spec(
        slices=40, columns=90, rows=60, sigma=(2.2, 1.6), shuffled_names=False, order="ascending"
    ),
    "no frame of reference": Spec(frame_of_reference=False),
}
ENHANCED = {
    "enhanced CT": Spec(layout="enhanced", orientation="oblique"),
    "enhanced CT, tilted, slices missing": Spec(layout="enhanced", tilt_degrees=10, missing=(5,)),
    "enhanced CT, uneven gaps": Spec(
        layout="enhanced", slices=4, slice_gaps=(1.0, 3.0, 2.0), order="descending"
    ),
    "enhanced MR": Spec(
        layout="enhanced", modality="MR", orientation="coronal", rescale=None, seed=4
    ),
    "enhanced MR, times and echoes": Spec(
        layout="enhanced", modality="MR", time_points=2, echoes=3
    ),
    "enhanced PET": Spec(
        layout="enhanced",
        modality="PT",
        per_slice_rescale=True,
        rescale=(0.37, 0.0),
        order="ascending",
    ),
}


def every(specs: dict[str, Spec]) -> pytest.MarkDecorator:
    """The test, once for every spec."""
    return pytest.mark.parametrize("spec", specs.values(), ids=specs.keys())


def dicom_equation(
    position: Vector, orientation: Vector, spacing: Vector, column: float, row: float
) -> list[float]:
    """PS3.3 C.7.6.2.1.1 in its longest form, one axis at a time, from the file's own numbers."""
    return [
        float(position[axis])
        + float(orientation[axis]) * float(spacing[1]) * column
        + float(orientation[axis + 3]) * float(spacing[0]) * row
        for axis in range(3)
    ]


@every(CLASSIC | ENHANCED)
def test_what_the_files_say_puts_every_marker_where_the_truth_says(
    spec: Spec, tmp_path: Path
) -> None:
    phantom = write(spec, tmp_path)
    found = frames(phantom)
    kinds = {marker.kind for marker in phantom.markers}
    assert "plane" in kinds
    assert ("volume" in kinds) == (len(set(spec.gaps)) == 1 and not spec.missing)
    for marker in phantom.markers:
        column, row, slice = marker.source
        below = int(slice)
        on = [
            np.array(
                dicom_equation(
                    groups.ImagePositionPatient,
                    groups.ImageOrientationPatient,
                    groups.PixelSpacing,
                    column,
                    row,
                )
            )
            for _, groups, _ in found[below : below + 2]
        ]
        there = on[0] if slice == below else on[0] + (slice - below) * (on[1] - on[0])
        assert marker.patient == pytest.approx(there, abs=1e-9)
        assert phantom.patient(*marker.source) == marker.patient
        nearest = phantom.planes[round(slice)]
        assert (marker.sop_instance_uid, marker.frame_number) == (
            nearest.sop_instance_uid,
            nearest.frame_number,
        )
        assert found[round(slice)][0].SOPInstanceUID == marker.sop_instance_uid


@every(CLASSIC | ENHANCED)
def test_every_marker_is_found_in_the_pixels_where_it_was_drawn(spec: Spec, tmp_path: Path) -> None:
    phantom = write(spec, tmp_path)
    stack = np.stack([apply_rescale(stored, groups) for _, groups, stored in frames(phantom)])
    in_plane, along = spec.sigma
    tolerance = 0.002 if spec.bits_stored > 8 else 0.02
    for marker in phantom.markers:
        column, row, slice = marker.source
        near = (round(column) + 0.5, round(row) - 0.5)
        if marker.kind == "plane":
            assert centroid(stack[int(slice)], near, REACH * in_plane) == pytest.approx(
                (column, row), abs=tolerance
            )
        else:
            # Apart from the markers on neighbouring slices, the alias of a sigma of 0.7 slices is
            # 0.0004 slices.
            place = centroid3d(stack, (*near, round(slice)), REACH * in_plane, REACH * along)
            assert place == pytest.approx(marker.source, abs=tolerance)


@every(CLASSIC | ENHANCED)
def test_pixels_are_the_rounded_scene(spec: Spec, tmp_path: Path) -> None:
    phantom = write(spec, tmp_path)
    low, high = spec.stored_range
    for volume in range(len(phantom.volumes)):
        for slice, (dataset, groups, stored) in enumerate(frames(phantom, volume)):
            assert (dataset.BitsStored, dataset.HighBit) == (spec.bits_stored, spec.bits_stored - 1)
            np.testing.assert_array_equal(stored, phantom.stored(slice, volume))
            np.testing.assert_array_equal(
                apply_rescale(stored, groups), phantom.values(slice, volume)
            )
            assert low < stored.min() < stored.max() < high


@every(CLASSIC | ENHANCED)
def test_planes_are_in_position_order_and_named_once(spec: Spec, tmp_path: Path) -> None:
    phantom = write(spec, tmp_path)
    normal = np.cross(spec.cosines[:3], spec.cosines[3:])
    for planes in phantom.volumes:
        assert (np.diff([normal @ plane.position for plane in planes]) > 0).all()
    images = [plane for planes in phantom.volumes for plane in planes]
    assert phantom.size == (spec.columns, spec.rows, spec.slices - len(spec.missing))
    assert len({(plane.sop_instance_uid, plane.frame_number) for plane in images}) == len(images)
    assert {plane.instance_number for plane in images} == set(range(1, len(images) + 1))
    if spec.order == "shuffled":
        order = [plane.instance_number for plane in phantom.planes]
        assert order != sorted(order)
        assert order != sorted(order, reverse=True)


@every(ENHANCED)
def test_enhanced_frames_are_counted_by_position_time_and_echo(spec: Spec, tmp_path: Path) -> None:
    phantom = write(spec, tmp_path)
    for volume, planes in enumerate(phantom.volumes):
        for slice, (plane, (dataset, groups, _)) in enumerate(
            zip(planes, frames(phantom, volume), strict=True)
        ):
            assert dataset.NumberOfFrames == len(planes) * len(phantom.volumes)
            assert (groups.InStackPositionNumber, groups.TemporalPositionIndex) == (
                slice + 1,
                plane.time_point + 1,
            )
            assert groups.get("EffectiveEchoTime", 12.5) == 12.5 * (plane.echo + 1)
            counted = [slice + 1, plane.time_point + 1, plane.echo + 1][
                : len(dataset.DimensionIndexSequence)
            ]
            assert np.atleast_1d(groups.DimensionIndexValues).tolist() == counted


def test_gaps_and_tilt_are_what_was_asked_for() -> None:
    phantom = plan(
        Spec(
            orientation="oblique", tilt_degrees=12, slice_gaps=(1.0, 2.5), slices=3, markers=False
        ),
        Path(),
    )
    steps = np.diff([plane.position for plane in phantom.planes], axis=0)
    assert np.linalg.norm(steps, axis=1) == pytest.approx([1.0, 2.5])
    row, column = np.reshape(phantom.planes[0].orientation, (2, 3))
    assert (row @ row, column @ column, row @ column) == pytest.approx((1, 1, 0), abs=1e-12)
    for step in steps / np.linalg.norm(steps, axis=1)[:, np.newaxis]:
        angle = np.degrees(np.arctan2(step @ column, step @ np.cross(row, column)))
        assert angle == pytest.approx(12)
        assert step @ row == pytest.approx(0, abs=1e-12)


@every(CLASSIC)
def test_simpleitk_puts_every_plane_marker_there_too(spec: Spec, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    phantom = write(spec, tmp_path)
    for marker in phantom.markers:
        if marker.kind == "plane":
            column, row, slice = marker.source
            image = sitk.ReadImage(str(phantom.files()[int(slice)]))
            assert image.TransformContinuousIndexToPhysicalPoint(
                (column, row, 0.0)
            ) == pytest.approx(marker.patient, abs=1e-4)
            spot = centroid(
                sitk.GetArrayViewFromImage(image)[0], (column, row), REACH * spec.sigma[0]
            )
            assert spot == pytest.approx((column, row), abs=0.002 if spec.bits_stored > 8 else 0.02)


@every(
    {
        "classic": Spec(orientation="oblique"),
        # GDCM takes frames in the order of the file, so only those in position order can be
        # compared.
        "enhanced CT": Spec(orientation="oblique", layout="enhanced", order="ascending"),
        "enhanced MR": Spec(
            orientation="oblique", layout="enhanced", order="ascending", modality="MR"
        ),
    }
)
def test_simpleitk_reads_an_even_stack_as_one_volume(spec: Spec, tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    phantom = write(spec, tmp_path)
    files = [str(path) for path in phantom.files()]
    image = sitk.ReadImage(files if spec.layout == "classic" else files[0])
    assert image.GetSize() == phantom.size
    assert len(phantom.markers) == 10
    for marker in phantom.markers:
        assert image.TransformContinuousIndexToPhysicalPoint(marker.source) == pytest.approx(
            marker.patient, abs=1e-6
        )


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
@pytest.mark.parametrize("layout", ["classic", "enhanced"])
def test_highdicom_sorts_the_stack_as_the_truth_does(
    modality: str, layout: str, tmp_path: Path
) -> None:
    highdicom = pytest.importorskip("highdicom")
    phantom = write(Spec(modality=modality, layout=layout, orientation="oblique"), tmp_path)  # type: ignore[arg-type]
    if layout == "classic":
        volume = highdicom.get_volume_from_series(
            [pydicom.dcmread(path) for path in reversed(phantom.files())]
        )
    else:
        volume = highdicom.imread(phantom.files()[0]).get_volume()
    # highdicom's own order of axes and direction along the stack is its affair: (slice, row,
    # column) by its affine.
    for marker in phantom.markers:
        slice, row, column = volume.map_reference_to_indices(np.array([marker.patient]))[0]
        assert (column, row) == pytest.approx(marker.source[:2], abs=1e-6)
        if marker.kind == "plane":
            spot = centroid(volume.array[round(slice)], (column, row), REACH * 2.5)
            assert spot == pytest.approx(marker.source[:2], abs=0.002)


def test_the_same_seed_is_the_same_scan(tmp_path: Path) -> None:
    first, again, other, enhanced = (
        write(spec, tmp_path / name)
        for name, spec in {
            "first": Spec(),
            "again": Spec(),
            "other": Spec(seed=9),
            "enhanced": Spec(layout="enhanced"),
        }.items()
    )
    assert [path.read_bytes() for path in first.files()] == [
        path.read_bytes() for path in again.files()
    ]
    assert first.files()[0].name == again.files()[0].name
    assert not {plane.sop_instance_uid for plane in first.planes} & {
        plane.sop_instance_uid for plane in other.planes
    }
    assert first.series_uid == again.series_uid != other.series_uid
    assert [marker.source for marker in first.markers] != [
        marker.source for marker in other.markers
    ]
    assert [(m.source, m.patient) for m in first.markers] == [
        (m.source, m.patient) for m in enhanced.markers
    ]
    assert first.frame_of_reference_uid == enhanced.frame_of_reference_uid
    assert all(pydicom.uid.UID(plane.sop_instance_uid).is_valid for plane in first.planes)


def test_two_phantoms_share_a_folder_and_none_is_overwritten(tmp_path: Path) -> None:
    first, second = write(Spec(slices=3), tmp_path), write(Spec(slices=3, seed=1), tmp_path)
    assert len({*first.files(), *second.files()}) == 6
    with pytest.raises(FileExistsError):
        write(Spec(slices=3), tmp_path)


def test_junk_is_no_image(tmp_path: Path) -> None:
    phantom = write(Spec(slices=2), tmp_path)
    others = {path for path in tmp_path.rglob("*") if path.is_file()} - set(phantom.files())
    assert {path.name for path in others} == {*JUNK, "plan 0"}
    for path in others:
        try:
            dataset = pydicom.dcmread(path)
        except (pydicom.errors.InvalidDicomError, EOFError):
            continue
        assert "PixelData" not in dataset
        assert path.name in ("plan 0", "stub.dcm")


@every({"classic": Spec(slices=2), "enhanced": Spec(slices=2, layout="enhanced")})
def test_identity_is_in_every_file_so_that_a_leak_would_show(spec: Spec, tmp_path: Path) -> None:
    phantom = write(spec, tmp_path)
    for path in {*phantom.files(), tmp_path / "plan 0"}:
        dataset = pydicom.dcmread(path)
        for keyword, value in IDENTITY.items():
            assert dataset[keyword].value == value
            assert any(secret in value.lower() for secret in SECRETS)


def test_traps_are_in_every_classic_file(tmp_path: Path) -> None:
    phantom = write(Spec(slices=3), tmp_path)
    normals, locations = [], []
    for path in phantom.files():
        dataset = pydicom.dcmread(path)
        icon = dataset.IconImageSequence[0]
        np.testing.assert_array_equal(
            np.frombuffer(icon.PixelData, np.uint8).reshape(8, 8), GARBAGE_ICON
        )
        assert (
            path.read_bytes().count(b"\xe0\x7f\x10\x00") == 3
        )  # the icon's, the private one's, the true one
        assert dataset["SourceImageSequence"].is_undefined_length
        assert float(dataset.SliceThickness) != phantom.spec.gaps[0]
        normals.append(float(dataset.ImagePositionPatient[2]))
        locations.append(float(dataset.SliceLocation))
    assert normals == sorted(normals)
    assert locations == sorted(locations, reverse=True)


def test_duplicates_localizer_and_further_volumes(tmp_path: Path) -> None:
    spec = Spec(
        modality="MR", slices=3, duplicates=2, localizer=True, time_points=2, echoes=2, junk=False
    )
    phantom = write(spec, tmp_path)
    headers = [pydicom.dcmread(path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(headers) == 3 * 4 + 2 + 1
    assert {header.SeriesInstanceUID for header in headers} == {phantom.series_uid}
    assert len({header.SOPInstanceUID for header in headers}) == 3 * 4 + 1
    stack = [header for header in headers if "LOCALIZER" not in header.ImageType]
    assert {(header.TemporalPositionIdentifier, float(header.EchoTime)) for header in stack} == {
        (1, 12.5), (1, 25.0), (2, 12.5), (2, 25.0)
    }  # fmt: skip
    (scout,) = (header for header in headers if "LOCALIZER" in header.ImageType)
    assert pixel_array(scout).shape == (scout.Rows, scout.Columns) != (spec.rows, spec.columns)
    of_stack, of_scout = (
        np.cross(header.ImageOrientationPatient[:3], header.ImageOrientationPatient[3:])
        for header in (stack[0], scout)
    )
    assert of_stack @ of_scout == pytest.approx(0)
    peaks = [int(phantom.stored(1, volume).max()) for volume in range(4)]
    assert peaks == sorted(set(peaks), reverse=True)


@settings(max_examples=60, deadline=None)
@given(
    columns=st.integers(12, 300),
    rows=st.integers(12, 300),
    slices=st.integers(1, 60),
    sigma=st.tuples(st.floats(0.6, 6), st.floats(0.6, 3)),
    seed=st.integers(0, 2**32),
)
def test_markers_keep_their_distance(
    columns: int, rows: int, slices: int, sigma: tuple[float, float], seed: int
) -> None:
    reach = np.array([sigma[0], sigma[0], sigma[1]]) * REACH
    spec = Spec(columns=columns, rows=rows, slices=slices, sigma=sigma, seed=seed)
    if min(columns, rows) - 1 < 2 * reach[0]:
        with pytest.raises(ValueError, match="no marker of sigma"):
            plan(spec, Path())
        return
    markers = plan(spec, Path()).markers
    assert len({marker.name for marker in markers}) == len(markers) >= slices
    far = np.array([columns, rows, slices]) - 1

    def extent(marker: Marker) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        around = reach if marker.kind == "volume" else reach * (1, 1, 0)
        return np.array(marker.source) - around + 1e-9, np.array(marker.source) + around - 1e-9

    for marker in markers:
        low, high = extent(marker)
        assert (low >= 0).all()
        assert (high - 2e-9 <= far).all()
        assert abs(marker.source[2] % 1 - 0.5) > 0.04
    for one, two in combinations(markers[:40], 2):
        (low_one, high_one), (low_two, high_two) = extent(one), extent(two)
        assert (np.maximum(low_one, low_two) > np.minimum(high_one, high_two)).any()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"slice_gaps": (1.0, 1.0)}, "slices - 1"),
        ({"slice_gaps": 0.0}, "positive"),
        ({"missing": (9,)}, "not there"),
        ({"missing": tuple(range(9))}, "not there"),
        ({"photometric": "RGB"}, "colour is unsigned"),
        (
            {"photometric": "RGB", "bits_stored": 8, "rescale": None, "layout": "enhanced"},
            "slice by slice",
        ),
        ({"per_slice_rescale": True, "rescale": None}, "needs a rescale"),
        ({"planar": True}, "three samples"),
        ({"layout": "enhanced", "duplicates": 1}, "files of their own"),
        ({"echoes": 2}, "echoes are MR"),
        ({"bits_stored": 17}, "2 to 16"),
    ],
)
def test_a_spec_refuses_what_it_could_not_write(broken: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Spec(**broken)  # type: ignore[arg-type]


def test_flat_series(tmp_path: Path) -> None:
    pixels = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    for name, given_pixels, expected in (
        ("full", pixels, pixels),
        ("sparse", None, np.zeros_like(pixels)),
    ):
        phantom = write_flat_series(tmp_path / name, 4, (50, 40), given_pixels)
        assert phantom.size == (50, 40, 4)
        for plane, path in zip(phantom.planes, phantom.files(), strict=True):
            dataset = pydicom.dcmread(path)
            assert tuple(dataset.ImagePositionPatient) == plane.position
            assert dataset.SOPInstanceUID == plane.sop_instance_uid
            np.testing.assert_array_equal(pixel_array(dataset), expected)


@pytest.mark.skipif(sys.platform == "win32", reason="the file system fills the hole: 2 GB of zeros")
def test_sparse_multiframe_is_huge_and_small(tmp_path: Path) -> None:
    phantom = write_sparse_multiframe(tmp_path, 250, (2000, 2000))
    path = phantom.files()[0]
    assert path.stat().st_size > 2 * 10**9
    assert path.stat().st_blocks * 512 < 10**7
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    last = dataset.PerFrameFunctionalGroupsSequence[249].PlanePositionSequence[0]
    assert tuple(last.ImagePositionPatient) == phantom.planes[249].position
    assert not pixel_array(path, index=249).any()
    with pytest.raises(ValueError, match="4 GiB"):
        write_sparse_multiframe(tmp_path / "more", 600, (2000, 2000))
