"""RoiSet.zip, read back by roifile."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.mapped_points import (
    BOX,
    CIRCLE,
    CLASSIC,
    LANDMARKS,
    LINE,
    PATH,
    PATH_ACROSS,
    POLYGON,
    Scan,
    every_shape,
    mapped,
    point,
    shape,
    truth_source,
    write_to,
)

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.writers import imagej_rois

roifile = pytest.importorskip("roifile")
KINDS = roifile.ROI_TYPE


def rois(tmp_path: Path, rows: list[dict], scan: Scan = CLASSIC) -> list:
    path = write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(rows, scan))
    with zipfile.ZipFile(path) as archive:
        return [roifile.ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()]


def xy(roi: Any) -> np.ndarray:
    return (
        np.array([[roi.x1, roi.y1], [roi.x2, roi.y2]])
        if roi.roitype == KINDS.LINE
        else roi.subpixel_coordinates
    )


@pytest.mark.parametrize("scan", [Scan(), Scan(geometry=False)], ids=["geometry", "no geometry"])
def test_points_and_lines_by_the_middle_of_a_pixel_and_areas_by_its_corner(
    tmp_path: Path, scan: Scan
) -> None:
    got = rois(tmp_path, every_shape(), scan)
    assert [r.roitype for r in got] == [KINDS.POINT] * 3 + [KINDS.LINE, KINDS.POLYLINE] + [
        KINDS.POLYGON
    ] * 4
    for roi, vertices in zip(got[3:7], (LINE, PATH, POLYGON, BOX), strict=True):
        half = 0.5 if roi.roitype == KINDS.POLYGON else 0.0
        np.testing.assert_allclose(xy(roi), truth_source(vertices)[:, :2] + half, atol=1e-5)
    for roi, row in zip(got[:3], LANDMARKS, strict=True):
        np.testing.assert_allclose(xy(roi)[0], truth_source(row["at"])[:2], atol=1e-5)
    centre = truth_source(CIRCLE[0])[:2] + 0.5
    np.testing.assert_allclose(np.linalg.norm(xy(got[7]) - centre, axis=1), 6.0, atol=1e-5)


def test_names_slices_and_the_version_that_settles_the_convention(tmp_path: Path) -> None:
    got = rois(tmp_path, every_shape())
    assert [r.name for r in got][:5] == ["nose", "left ear", "tail", "crack", "nerve"]
    assert [r.position for r in got] == [3, 7, 10, 1, 5, 7, 5, 5, 3]  # tail: slice 9, from 1
    assert {r.version >= 228 for r in got} == {True}
    assert {bool(r.options & roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION) for r in got} == {True}


def test_halfway_between_two_slices_is_the_lower_one_as_for_instances(tmp_path: Path) -> None:
    assert [
        r.position for r in rois(tmp_path, [point((1, 1, 0.25), "a"), point((1, 1, 0.26), "b")])
    ] == [1, 2]


def test_names_that_repeat_or_hold_slashes_stay_apart_and_inside(tmp_path: Path) -> None:
    rows = [point((1, 1, 0), "../a/b"), point((2, 2, 0), "../a/b"), point((3, 3, 0))]
    path = write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(rows))
    names = zipfile.ZipFile(path).namelist()
    assert len(set(names)) == 3 and not any("/" in name or name.startswith(".") for name in names)
    assert [r.name for r in rois(tmp_path, rows)] == ["../a/b", "../a/b", "point 1"]


def test_our_own_reader_takes_them_back(tmp_path: Path) -> None:
    from sidecar.labels.model import PngStack
    from sidecar.labels.readers import imagej_roi

    path = write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(every_shape()))
    labels = imagej_roi.READER.read(path, PngStack(40, 30, 12))
    expected = truth_source([row["at"] for row in every_shape()])
    np.testing.assert_allclose(labels.xy[:16], expected[:16, :2], atol=1e-5)
    np.testing.assert_allclose(labels.slice[:16], np.ceil(expected[:16, 2] - 0.5))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (shape("polyline", PATH_ACROSS), "runs from source slice 3 to 9"),
        ([point((1, 1, -0.5))], "beyond the first or last source slice"),
        ([point((1, 1, 5.8))], "beyond the first or last source slice"),
    ],
    ids=["across", "below", "above"],
)
def test_what_lies_on_no_one_slice_is_refused(tmp_path: Path, rows: list[dict], says: str) -> None:
    with pytest.raises(LabelError, match=says):
        write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(rows))


def test_without_roifile_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(MissingExtraError, match=r"dicom-sidecar\[imagej\]"):
        write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(LANDMARKS))
