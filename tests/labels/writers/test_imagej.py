"""RoiSet.zip, read back by roifile: over the PNGs, and over the DICOM files of the source."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.command_line import invoked
from kit.made_exports import oblique_sidecar
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
from kit.phantoms import Spec, write
from PIL import Image

import sidecar
from sidecar.errors import LabelError, MissingExtraError
from sidecar.grid.axis import Axis
from sidecar.labels.imagej_stamp import Over
from sidecar.labels.writers import imagej_rois
from sidecar.labels.writers.imagej_order import png_numbers

roifile = pytest.importorskip("roifile")
KINDS = roifile.ROI_TYPE


def numbered(scan: Scan = CLASSIC, numbers: Sequence[int | None] | None = None) -> Scan:
    """A scan whose Instance Numbers run against its places, from 40 down; or those given."""
    return replace(scan, instance_numbers=tuple(numbers or range(40, 40 - scan.slices, -1)))


def rois(tmp_path: Path, rows: list[dict], scan: Scan = CLASSIC, over: Over = "png") -> list:
    path = write_to(tmp_path / "points.zip", imagej_rois.OVER[over], mapped(rows, scan))
    with zipfile.ZipFile(path) as archive:
        return [roifile.ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()]


def xy(roi: Any) -> np.ndarray:
    return (
        np.array([[roi.x1, roi.y1], [roi.x2, roi.y2]])
        if roi.roitype == KINDS.LINE
        else roi.subpixel_coordinates
    )


def on_png(vertices: Any) -> np.ndarray:
    return np.asarray(vertices, dtype=np.float64)


#: Where the labels are on either stack, by the words.
PIXELS = {"png": on_png, "source": truth_source}
Overs = pytest.mark.parametrize("over", ["png", "source"])


@Overs
@pytest.mark.parametrize("scan", [Scan(), Scan(geometry=False)], ids=["geometry", "no geometry"])
def test_points_and_lines_by_the_middle_of_a_pixel_and_areas_by_its_corner(
    tmp_path: Path, scan: Scan, over: Over
) -> None:
    got, pixels = rois(tmp_path, every_shape(), numbered(scan), over), PIXELS[over]
    assert [r.roitype for r in got] == [KINDS.POINT] * 3 + [KINDS.LINE, KINDS.POLYLINE] + [
        KINDS.POLYGON
    ] * 4
    for roi, vertices in zip(got[3:7], (LINE, PATH, POLYGON, BOX), strict=True):
        half = 0.5 if roi.roitype == KINDS.POLYGON else 0.0
        np.testing.assert_allclose(xy(roi), pixels(vertices)[:, :2] + half, atol=1e-5)
    for roi, row in zip(got[:3], LANDMARKS, strict=True):
        np.testing.assert_allclose(xy(roi)[0], pixels(row["at"])[:2], atol=1e-5)
    centre, edge = (pixels(at)[:2] + 0.5 for at in CIRCLE)
    radius = float(np.linalg.norm(edge - centre))
    np.testing.assert_allclose(np.linalg.norm(xy(got[7]) - centre, axis=1), radius, atol=1e-5)


def test_names_slices_and_the_version_that_settles_the_convention(tmp_path: Path) -> None:
    got = rois(tmp_path, every_shape())
    assert [r.name for r in got][:5] == ["nose", "left ear", "tail", "crack", "nerve"]
    assert [r.position for r in got] == [2, 4, 5, 1, 3, 4, 3, 3, 2]  # tail: 4.5, the lower one
    assert {r.version >= 228 for r in got} == {True}
    assert {bool(r.options & roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION) for r in got} == {True}


def test_source_slices_are_counted_as_imagej_opens_them(tmp_path: Path) -> None:
    """By Instance Number, which runs against the places here: source slice 0 is the last of 12."""
    on_slices = [2, 6, 9, 0, 4, 6, 4, 4, 2]
    got = rois(tmp_path, every_shape(), numbered(), "source")
    assert [r.position for r in got] == [12 - k for k in on_slices]
    shuffled = (7, 100, 3, 90, 12, 11, 5, 4, 60, 1, 2, 80)
    got = rois(tmp_path, every_shape(), numbered(numbers=shuffled), "source")
    assert [r.position for r in got] == [sorted(shuffled).index(shuffled[k]) + 1 for k in on_slices]


def test_frames_of_one_file_are_counted_as_they_are_in_it(tmp_path: Path) -> None:
    got = rois(tmp_path, LANDMARKS, Scan(multiframe=True), "source")
    assert [r.position for r in got] == [3, 7, 10]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (None, "no Instance Number for slices/000.dcm .documents before version 1.1"),
        ([*range(11), None], "no Instance Number for slices/011.dcm"),
        ([*range(11), 3], "2 slices have the Instance Number 3"),
        (
            [*range(11), 100_000],
            "has the Instance Number 100000, but ImageJ sorts by numbers from 0 to 99999",
        ),
    ],
    ids=["none", "not all", "twice", "beyond what it sorts by"],
)
def test_where_the_order_of_the_source_is_not_known_it_is_refused(
    tmp_path: Path, numbers: list[int | None] | None, says: str
) -> None:
    scan = CLASSIC if numbers is None else numbered(numbers=numbers)
    with pytest.raises(LabelError, match=says + r".*\(--over png\)"):
        rois(tmp_path, LANDMARKS, scan, "source")
    assert len(rois(tmp_path, LANDMARKS, scan)) == 3


def test_selections_on_the_scan_of_the_field_case(shared_cases: Path, tmp_path: Path) -> None:
    """Its Instance Numbers run against its places, so that a set which counted by places (that of
    the case) showed none of its marks. Each mark is a bright block around a voxel.
    """
    case = shared_cases / "tools" / "imagej"
    marks = json.loads((case / "truth.json").read_text())["marks"]
    sidecar.export(case / "scan", tmp_path / "png", z_step=2, bits=16)
    lines = [f"{name},{x},{y},{k // 2}" for name, (x, y, k) in marks.items()]
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("\n".join(["label,x,y,slice", *lines]) + "\n")
    stacks = {
        "source": _by_instance_number(case / "scan"),
        "png": [_pixels(path) for path in sorted((tmp_path / "png").glob("slice_*.png"))],
    }
    for over, stack in stacks.items():
        told = invoked("map-points", labels, "--over", over, "-o", tmp_path / "set.zip")
        assert "  note: the selections are for the" in told.stderr
        for roi in roifile.roiread(tmp_path / "set.zip"):
            assert _on_a_mark(stack[roi.position - 1], xy(roi)[0]), (over, roi.name)
    before = roifile.roiread(case / "src_RoiSet.zip")
    assert not any(_on_a_mark(stacks["source"][r.position - 1], xy(r)[0]) for r in before)


def _by_instance_number(folder: Path) -> list[np.ndarray]:
    datasets = [pydicom.dcmread(path) for path in folder.iterdir()]
    return [d.pixel_array for d in sorted(datasets, key=lambda d: int(d.InstanceNumber))]


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def _on_a_mark(pixels: np.ndarray, at: np.ndarray) -> bool:
    column, row = np.round(at).astype(int)
    return bool(pixels[row, column] > 3 * np.median(pixels))


def test_pngs_are_counted_as_their_names_are_ordered() -> None:
    """Adopted images have names of their own: ImageJ goes by the value of numbers in them."""
    names = ("s2b.png", "s10a.png", "s1z.png", "S3.png")
    adopted = oblique_sidecar(names=names, slices=Axis.stride(0, 8, 2))
    assert png_numbers(adopted) == [3, 4, 2, 1]
    assert png_numbers(oblique_sidecar()) == list(range(1, 10))


@Overs
def test_a_set_is_for_one_stack(tmp_path: Path, over: Over) -> None:
    parts = [mapped(LANDMARKS, numbered()), mapped(LANDMARKS, numbered(Scan(series="1.2.3")))]
    with pytest.raises(
        LabelError, match=r"the labels are on 2 stacks of .* write each stack separately"
    ):
        write_to(tmp_path / "points.zip", imagej_rois.OVER[over], parts)


@Overs
def test_how_the_stack_has_to_be_opened_is_told(tmp_path: Path, over: Over) -> None:
    writer = imagej_rois.OVER[over]
    (told,) = writer.write([mapped(LANDMARKS, numbered())], tmp_path / "points.zip", "lps")
    assert ("PNGs" in told) == (over == "png") and ("Instance Number" in told) == (over != "png")


@Overs
def test_halfway_between_two_slices_is_the_lower_one_as_for_instances(
    tmp_path: Path, over: Over
) -> None:
    half = 0.5 if over == "png" else 0.25
    rows = [point((1, 1, half), "a"), point((1, 1, half + 0.01), "b")]
    scan = numbered(numbers=range(12))
    assert [r.position for r in rois(tmp_path, rows, scan, over)] == [1, 2]


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
    expected = on_png([row["at"] for row in every_shape()])
    np.testing.assert_allclose(labels.xy[:16], expected[:16, :2], atol=1e-5)
    np.testing.assert_allclose(labels.slice[:16], np.ceil(expected[:16, 2] - 0.5))


@pytest.mark.slow
def test_a_set_is_read_on_its_own_export_only(tmp_path: Path) -> None:
    """It says which PNGs it is for, also for what is added to it by hand; over the DICOM files it is
    for none.
    """
    scan = write(Spec(junk=False), tmp_path / "scan").folder
    png = {
        name: sidecar.export(scan, tmp_path / name, scale=scale)
        for name, scale in (("half", 0.5), ("whole", 1))
    }
    labels, half = tmp_path / "labels.csv", ("--sidecar", tmp_path / "half")
    labels.write_text("label,x,y,slice\na,4.5,3.25,1\nb,20,9.5,2\n")
    sets = {over: tmp_path / f"{over}.zip" for over in ("png", "source")}
    for over, path in sets.items():
        invoked("map-points", labels, *half, "--over", over, "-o", path)
    mapped_again = sidecar.map_file(sets["png"], png["half"]).points
    np.testing.assert_allclose(mapped_again.png, [[4.5, 3.25, 1], [20, 9.5, 2]], atol=1e-5)
    with pytest.raises(LabelError, match=r"selection 'a': .*belongs to another export"):
        sidecar.map_file(sets["png"], png["whole"])
    for export in png.values():
        with pytest.raises(
            LabelError, match=r"selection 'a': is a selection for the DICOM files .map-points"
        ):
            sidecar.map_file(sets["source"], export)

    added = roifile.ImagejRoi.frompoints([[5, 6]], name="by hand", position=2)
    added.roitype, added.version = KINDS.POINT, 229
    roifile.roiwrite(tmp_path / "more.zip", [*roifile.roiread(sets["png"]), added])
    assert len(sidecar.map_file(tmp_path / "more.zip", png["half"]).points) == 3
    with pytest.raises(LabelError, match="belongs to another export"):
        sidecar.map_file(tmp_path / "more.zip", png["whole"])
    invoked("map-points", labels, "--sidecar", tmp_path / "whole", "-o", tmp_path / "whole.zip")
    both = [roifile.roiread(tmp_path / f"{name}.zip")[k] for k, name in enumerate(("png", "whole"))]
    roifile.roiwrite(tmp_path / "both.zip", both)
    with pytest.raises(LabelError, match="another selection in this file is for the PNGs with tag"):
        sidecar.map_file(tmp_path / "both.zip", png["half"])


@pytest.mark.parametrize(
    ("over", "rows", "says"),
    [
        (
            "source",
            shape("polyline", PATH_ACROSS),
            "runs from source slice 2 to 8.* tps, dicom-sr or dicom-rtstruct",
        ),
        ("source", [point((1, 1, -0.5))], "beyond the first or last source slice"),
        ("source", [point((1, 1, 5.8))], "beyond the first or last source slice"),
        ("png", shape("polyline", PATH_ACROSS), "runs from PNG 1 to 4"),
        ("png", [point((1, 1, -0.6))], "beyond the first or last PNG"),
        ("png", [point((1, 1, 5.6))], "beyond the first or last PNG"),
    ],
    ids=["across", "below", "above"] * 2,
)
def test_what_lies_on_no_one_slice_is_refused(
    tmp_path: Path, over: Over, rows: list[dict], says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        rois(tmp_path, rows, numbered(), over)


def test_without_roifile_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(MissingExtraError, match=r"dicom-sidecar\[imagej\]"):
        write_to(tmp_path / "points.zip", imagej_rois.WRITER, mapped(LANDMARKS))
