"""A shape painted on the PNGs comes back on the right voxels of the right instances, seen by
SimpleITK, nibabel and highdicom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from kit.map_masks import map_mask
from kit.painted_masks import (
    CASES,
    NEAR_MM,
    Case,
    Exported,
    as_cut,
    dice,
    ellipsoid,
    expanded,
    exported,
    middles,
    paint,
    places,
    reduced,
)
from kit.phantoms import Spec
from nibabel.affines import apply_affine
from numpy.typing import NDArray


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def scan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(request.param, tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def true(scan: Exported) -> NDArray[np.bool_]:
    """An ellipsoid in patient space, off the middle of the grid in every direction."""
    return ellipsoid(scan.phantom, (28.3, 22.6, 6.2), (5.1, 7.3, 4.4))


@pytest.fixture(scope="module")
def labels(scan: Exported, true: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """What is painted: the shape, and one single pixel of another label, on the decimated grid of
    the scan.
    """
    painted = reduced(true, scan.case).astype(np.uint8)
    painted[1, 2, 3] = 7
    return painted


@pytest.fixture(scope="module")
def masks(scan: Exported, labels: NDArray[np.uint8]) -> Path:
    return paint(scan.png.parent / "masks", as_cut(labels, scan.case.plane), scan.sidecar)


@pytest.fixture(scope="module")
def expected(
    scan: Exported, labels: NDArray[np.uint8], true: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """On the source grid, by an implementation that knows nothing of the package."""
    return expanded(labels, true.shape, scan.case)


def some(array: NDArray[Any], count: int = 40) -> NDArray[np.int64]:
    """(N, 3) indices column, row, slice of some labelled voxels."""
    voxels = np.argwhere(array)[:, ::-1]
    return voxels[np.linspace(0, len(voxels) - 1, count).astype(int)]


@pytest.mark.slow
def test_simpleitk_finds_the_labels_of_a_seg_nrrd_in_their_place(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    image = sitk.ReadImage(map_mask(masks, tmp_path / "out.seg.nrrd", scan.sidecar))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), expected)
    voxels = some(expected)
    found = np.array([image.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in voxels])
    np.testing.assert_allclose(found, places(scan, voxels), atol=NEAR_MM)


def test_nibabel_finds_the_labels_of_a_nifti_in_their_place(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    image = nibabel.load(map_mask(masks, tmp_path / "out.nii.gz", scan.sidecar))
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).transpose(2, 1, 0), expected)
    assert nibabel.aff2axcodes(np.eye(4)) == ("R", "A", "S")
    voxels = some(expected)
    found = apply_affine(image.affine, voxels) * (-1, -1, 1)
    np.testing.assert_allclose(found, places(scan, voxels), atol=NEAR_MM)


def test_simpleitk_reads_a_nifti_unless_it_is_sheared(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = map_mask(masks, tmp_path / "out.nii", scan.sidecar)
    if scan.case.spec.tilt_degrees:
        with pytest.raises(RuntimeError, match="orthonormal"):
            sitk.ReadImage(path)
        return
    image = sitk.ReadImage(path)
    voxels = some(expected)
    found = np.array([image.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in voxels])
    np.testing.assert_allclose(found, places(scan, voxels), atol=NEAR_MM)


@pytest.mark.slow
def test_highdicom_finds_the_labels_of_a_seg_on_their_instances(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    seg = highdicom.seg.segread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, dicom=scan.scan)
    )
    planes, numbers = scan.phantom.planes, {1: 1, 2: 7}
    if scan.case.spec.layout == "enhanced":
        frames = seg.get_pixels_by_source_frame(
            planes[0].sop_instance_uid,
            [plane.frame_number or 0 for plane in planes],
            assert_missing_frames_are_empty=True,
        )
    else:
        frames = seg.get_pixels_by_source_instance(
            [plane.sop_instance_uid for plane in planes], assert_missing_frames_are_empty=True
        )
    for number, value in numbers.items():
        np.testing.assert_array_equal(frames[..., number - 1].astype(bool), expected == value)


def test_every_frame_of_a_seg_states_its_plane(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    seg = pydicom.dcmread(map_mask(masks, tmp_path / "out.dcm", scan.sidecar, dicom=scan.scan))
    occupied = [int(s) for s in np.flatnonzero(expected.any(axis=(1, 2)))]
    positions = {
        tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))
        for group in seg.PerFrameFunctionalGroupsSequence
    }
    np.testing.assert_allclose(
        sorted(positions), sorted(scan.phantom.planes[s].position for s in occupied), atol=1e-6
    )
    shared = seg.SharedFunctionalGroupsSequence[0]
    assert tuple(map(float, shared.PixelMeasuresSequence[0].PixelSpacing)) == pytest.approx(
        scan.phantom.pixel_spacing
    )
    assert list(
        map(float, shared.PlaneOrientationSequence[0].ImageOrientationPatient)
    ) == pytest.approx(scan.phantom.planes[0].orientation, abs=1e-9)
    assert seg.FrameOfReferenceUID == scan.phantom.frame_of_reference_uid


def test_an_rtstruct_encloses_the_voxels_and_no_others(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Every voxel middle in patient space is tried against every contour of its plane, by winding
    number.
    """
    structures = pydicom.dcmread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, to="dicom-rtstruct", dicom=scan.scan)
    )
    names = {roi.ROINumber: roi.ROIName for roi in structures.StructureSetROISequence}
    found = np.zeros_like(expected)
    slices = {
        (plane.sop_instance_uid, plane.frame_number): s
        for s, plane in enumerate(scan.phantom.planes)
    }
    for roi in structures.ROIContourSequence:
        value = {"label 1": 1, "label 7": 7}[names[roi.ReferencedROINumber]]
        for contour in roi.ContourSequence:
            image = contour.ContourImageSequence[0]
            frame = image.get("ReferencedFrameNumber")
            s = slices[image.ReferencedSOPInstanceUID, None if frame is None else int(frame)]
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            assert contour.NumberOfContourPoints == len(points)
            found[s][within(scan, s, points)] = value
    np.testing.assert_array_equal(found, expected)


def within(scan: Exported, s: int, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(rows, columns) voxel middles of a plane inside a polygon of patient mm, which must lie in
    that plane.
    """
    columns, rows, _ = scan.phantom.size
    corner, right, down = (
        np.array(scan.phantom.patient(*index)) for index in ((0, 0, s), (1, 0, s), (0, 1, s))
    )
    axes = np.column_stack([right - corner, down - corner])
    on_plane, *_ = np.linalg.lstsq(axes, (points - corner).T, rcond=None)
    np.testing.assert_allclose(axes @ on_plane, (points - corner).T, atol=1e-6)
    y, x = np.mgrid[:rows, :columns].astype(float)
    turns = np.zeros((rows, columns))
    for (x0, y0), (x1, y1) in zip(on_plane.T, np.roll(on_plane.T, -1, axis=0), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        turns += np.where(((y0 <= y) != (y1 <= y)) & (x < crossing), np.sign(y1 - y0), 0)
    return turns != 0


@pytest.mark.slow
def test_an_rtstruct_encloses_what_lies_halfway_too(tmp_path: Path) -> None:
    """Three source columns for two PNG pixels, three rows, and every other slice: along each axis
    some voxels lie halfway, and the contours agree with the label PNGs there.
    """
    case = Case("two thirds", Spec(columns=60, rows=48, slices=9, junk=False), {"scale": 2 / 3, "z_step": 2},
                (0, 0, 0), (1, 1, 2))  # fmt: skip
    scan = exported(case, tmp_path)
    y, x = np.indices((32, 40))
    labels = np.array(
        [(y - 16 + k) ** 2 + (x - 18) ** 2 < (13 - 2 * k) ** 2 for k in range(5)]
    ).astype(np.uint8)
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    folder = map_mask(masks, tmp_path / "out", scan.sidecar)
    path = map_mask(masks, tmp_path / "out.dcm", scan.sidecar, to="dicom-rtstruct", dicom=scan.scan)
    (roi,) = pydicom.dcmread(path).ROIContourSequence
    numbers = {plane.sop_instance_uid: s for s, plane in enumerate(scan.phantom.planes)}
    found = np.zeros((9, 48, 60), np.uint8)
    for contour in roi.ContourSequence:
        s = numbers[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        found[s][within(scan, s, points)] = 1
    for s in range(9):
        image = sitk.GetArrayFromImage(sitk.ReadImage(folder / f"source_{s:04d}.png"))
        np.testing.assert_array_equal(found[s], image)


def test_contours_run_along_pixel_edges(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    structures = pydicom.dcmread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, to="dicom-rtstruct", dicom=scan.scan)
    )
    pixel = structures.ROIContourSequence[1].ContourSequence[0]
    points = np.array(pixel.ContourData, float).reshape(-1, 3)
    s, y, x = np.argwhere(expected == 7)[0]
    fx, fy, _ = scan.case.step
    corners = [
        (x - 0.5, y - 0.5, s),
        (x + fx - 0.5, y - 0.5, s),
        (x + fx - 0.5, y + fy - 0.5, s),
        (x - 0.5, y + fy - 0.5, s),
    ]
    np.testing.assert_allclose(
        points, [scan.phantom.patient(*map(float, corner)) for corner in corners], atol=1e-6
    )


def test_label_pngs_at_source_size(
    scan: Exported, masks: Path, expected: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = map_mask(masks, tmp_path / "out", scan.sidecar)
    for s in range(len(expected)):
        image = sitk.GetArrayFromImage(sitk.ReadImage(folder / f"source_{s:04d}.png"))
        np.testing.assert_array_equal(image, expected[s])


def test_the_painted_grid_has_its_own_true_geometry(
    scan: Exported, masks: Path, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The centre of a PNG pixel is the mean of the centres of the voxels it stands for."""
    image = sitk.ReadImage(map_mask(masks, tmp_path / "out.seg.nrrd", scan.sidecar, grid="png"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labels)
    voxels = some(labels)
    found = np.array([image.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in voxels])
    np.testing.assert_allclose(found, places(scan, middles(scan.case, voxels)), atol=NEAR_MM)


def test_a_seg_of_the_painted_grid_has_its_own_true_geometry(
    scan: Exported, masks: Path, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    seg = pydicom.dcmread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, grid="png", dicom=scan.scan)
    )
    fx, fy, fz = scan.case.step
    assert (seg.Rows, seg.Columns) == labels.shape[1:]
    between_rows, between_columns = scan.phantom.pixel_spacing
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert tuple(map(float, measures.PixelSpacing)) == pytest.approx(
        (between_rows * fy, between_columns * fx)
    )
    frames = {(g.SegmentIdentificationSequence[0].ReferencedSegmentNumber, g.FrameContentSequence[0].DimensionIndexValues[1] - 1): g
              for g in seg.PerFrameFunctionalGroupsSequence}  # fmt: skip
    for n, (number, k) in enumerate(frames):
        np.testing.assert_array_equal(
            seg.pixel_array.reshape(-1, *labels.shape[1:])[n].astype(bool),
            labels[k] == {1: 1, 2: 7}[number],
        )
        first = middles(scan.case, np.array([[0, 0, k]]))
        position = frames[number, k].PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(np.array(position, float), places(scan, first)[0], atol=1e-6)
        sources = frames[number, k].DerivationImageSequence[0].SourceImageSequence
        assert len(sources) == (fz if scan.case.z_is_blocks else 1)


def test_the_dice_is_the_best_that_the_decimation_allows(
    scan: Exported,
    masks: Path,
    expected: NDArray[np.uint8],
    true: NDArray[np.bool_],
    tmp_path: Path,
) -> None:
    """No other place for the same labels, one voxel aside along any axis, agrees better with the
    true shape.
    """
    image = sitk.ReadImage(map_mask(masks, tmp_path / "out.seg.nrrd", scan.sidecar))
    back = sitk.GetArrayFromImage(image) == 1
    assert dice(back, true) == dice(expected == 1, true)
    _, _, z0 = scan.case.start
    assert (
        scan.case.z_is_blocks
        or dice(back[z0 :: scan.case.step[2]], true[z0 :: scan.case.step[2]]) > 0.9
    )
    for axis in (1, 2):
        for shift in (-1, 1):
            assert dice(np.roll(back, shift, axis), true) < dice(back, true)


@pytest.mark.slow
def test_interpolated_slices_agree_better_than_repeated_ones(tmp_path: Path) -> None:
    case = Case("deep", Spec(columns=62, rows=48, slices=25, sigma=(2.0, 0.6), junk=False, slice_gaps=0.6), {"scale": 1, "z_step": 5},
                (0, 0, 0), (1, 1, 5))  # fmt: skip
    scan = exported(case, tmp_path)
    true = ellipsoid(scan.phantom, (30.2, 22.6, 12), (9, 8, 6.5))
    masks = paint(tmp_path / "masks", reduced(true, case).astype(np.uint8), scan.sidecar)

    def agreement(fill: str) -> float:
        path = map_mask(masks, tmp_path / f"{fill}.seg.nrrd", scan.sidecar, fill=fill)
        between = slice(5, 21)  # the shape's ends, which no PNG shows, are lost whatever is done
        return dice(sitk.GetArrayFromImage(sitk.ReadImage(path))[between] == 1, true[between])

    assert agreement("none") < agreement("repeat") - 0.5
    assert 1 - agreement("interpolate") < 0.6 * (1 - agreement("repeat"))


@pytest.mark.slow
def test_the_volume_of_painted_spheres_is_unbiased(tmp_path: Path) -> None:
    """A pixel is painted when its middle is inside. One sphere is wrong by what the coarse grid
    makes of it, many are not on the mean.

    An outline that grew or shrank by half a source pixel would change the volume by some 7 %.
    """
    case = Case("sphere", Spec(columns=60, rows=60, slices=60, slice_gaps=0.5, pixel_spacing=(0.5, 0.5), markers=False, junk=False),
                {"scale": 0.5, "z_step": 2, "z_filter": "mean"}, (0, 0, 0), (2, 2, 2), z_is_blocks=True)  # fmt: skip
    scan = exported(case, tmp_path)
    radius, voxel, rng = 10.7, 0.5**3, np.random.default_rng(7)
    ratios = []
    for n in range(12):
        centre = rng.uniform(24, 36, 3)
        z, y, x = np.mgrid[:30, :30, :30] * 2 + 0.5
        painted = ((np.stack([x, y, z], axis=-1) - centre) ** 2).sum(axis=-1) * 0.25 <= radius**2
        masks = paint(tmp_path / f"masks {n}", painted.astype(np.uint8), scan.sidecar)
        image = sitk.ReadImage(map_mask(masks, tmp_path / f"{n}.seg.nrrd", scan.sidecar))
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(image)
        assert shape.GetPhysicalSize(1) == pytest.approx(voxel * 8 * painted.sum())
        ratios.append(shape.GetPhysicalSize(1) / (4 / 3 * np.pi * radius**3))
        mm = np.array(shape.GetCentroid(1))
        np.testing.assert_allclose(mm, scan.phantom.patient(*centre), atol=0.05)
    assert np.abs(np.array(ratios) - 1).max() < 0.01
    assert abs(np.mean(ratios) - 1) < 0.003
