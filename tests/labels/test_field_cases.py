"""Label files from the field: rebuilt from public reports, or made by real clicks in the real
programs. Each is read into its right place, or refused with the way out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.errors import LabelError
from sidecar.labels.files import label_files
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import Mapping, map_file
from sidecar.labels.model import PngStack, ReadOptions
from sidecar.labels.readers import READERS
from sidecar.mapping import Sidecar
from sidecar.masks.readers import read_mask

#: The mark that cases/labels are about: PNG pixel and slice, *center*.
BREGMA = (101.5, 75.5, 3)


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("the cases from the field are not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def scan_a(cases: Path) -> Sidecar:
    return Sidecar.open(cases / "labels" / "common" / "A.sidecar.json")


def points(mapping: Mapping) -> list[tuple[float, float, float]]:
    """PNG pixels and slices, rounded to what a person could click."""
    return [(round(x, 3), round(y, 3), round(k, 3)) for x, y, k in mapping.points.png.tolist()]


def notes(mapping: Mapping) -> str:
    return " ".join(mapping.notes)


# cases/labels


@pytest.mark.parametrize("name", ["ij_doc.csv", "ij_doc_norownumbers.csv"])
def test_a_table_without_row_numbers(cases: Path, scan_a: Sidecar, name: str) -> None:
    path = cases / "labels" / "03-imagej-table-without-row-numbers" / name
    mapping = map_file(path, scan_a)
    assert points(mapping) == [BREGMA]
    assert mapping.points.names == ["bregma"]


def test_a_table_of_areas_without_row_numbers(cases: Path, scan_a: Sidecar) -> None:
    path = cases / "labels" / "03-imagej-table-without-row-numbers" / "ij_area_xyslice.csv"
    assert points(map_file(path, scan_a)) == [(101, 75, 3)]


def test_the_channel_is_not_the_slice(cases: Path, scan_a: Sidecar) -> None:
    pytest.importorskip("roifile")
    mapping = map_file(cases / "labels" / "04-roi-channel-taken-as-slice" / "roi_c2z1.zip", scan_a)
    assert points(mapping) == [(101.5, 75.5, 0), (50.5, 40.5, 4)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("01-two-scans-one-file/coco_folders.json", "specimenA/.*specimenB/.*two scans"),
        ("01-two-scans-one-file/cvat_folders.xml", "specimenA/.*specimenB/.*two scans"),
        ("01-two-scans-one-file/cvat_project.xml", r"task 39 \(specimenA\).*task 40 .*two scans"),
        ("01-two-scans-one-file/mixed.csv", "row 3: .*specimenA/.*specimenB/.*two scans"),
        ("07-labels-of-another-export/lm_embedded_specimenB.json", "of series .* of series"),
        ("02-size-of-another-entry/coco_dup.json", "203 × 151 and 406 × 302"),
        ("05-ls-two-image-tags/ls_two_images.json", "image .*slice_0003.* image2 .*slice_0004"),
        ("06-label-file-name-contradicts/voccopy/slice_0004.xml", "slice_0004.*slice_0003"),
        (
            "13-label-studio-left-out-silently/ls_video.json",
            r"1 videorectangle region left out",
        ),
        ("14-cvat-frame-step/real_for_video.xml", "frames of 25 x 20 pixels"),
    ],
)
def test_refused(cases: Path, scan_a: Sidecar, name: str, message: str) -> None:
    path = cases / "labels" / name
    with pytest.raises(LabelError, match=message):
        map_file(path, scan_a)


def test_a_name_that_qupath_did_not_give(cases: Path, scan_a: Sidecar) -> None:
    folder = cases / "labels" / "08-qupath-unknown-name-to-slice-0"
    assert points(map_file(folder / "slice_0003_annotations.geojson", scan_a)) == [BREGMA]


@pytest.mark.parametrize("name", ["yolo129", "yolo5014"])
def test_boxes_at_the_edge(cases: Path, scan_a: Sidecar, name: str) -> None:
    path = cases / "labels" / "09-yolo-box-at-the-edge" / name / "slice_0003.txt"
    png = map_file(path, scan_a).points.png
    assert (png[:, :2] >= -0.5).all() and (png[:, :2] <= [202.5, 150.5]).all()
    x, y, width, height = map(float, path.read_text().split()[1:])
    written = np.array([x - width / 2, y - height / 2]) * [203, 151] - 0.5
    np.testing.assert_allclose(png[0, :2], written, rtol=0, atol=0.1)


def test_a_tracked_box(cases: Path, scan_a: Sidecar) -> None:
    path = cases / "labels" / "10-yolo-track-as-polygon" / "yolo2" / "slice_0003.txt"
    mapping = map_file(path, scan_a)
    assert mapping.points.columns["shape_type"] == ["box"] * 4
    np.testing.assert_allclose(mapping.points.png[:, :2].mean(0), [101, 75], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["ls_jpg.json", "ls_local_enc.json"])
def test_names_of_label_studio(cases: Path, scan_a: Sidecar, name: str) -> None:
    assert points(map_file(cases / "labels" / "11-label-studio-names" / name, scan_a)) == [BREGMA]


def test_rectangles_of_four_corners(cases: Path) -> None:
    path = cases / "labels" / "12-xanylabeling-rectangle" / "human-pose.json"
    document = json.loads(path.read_text())
    labels = READERS["labelme"].read(
        path, PngStack(document["imageWidth"], document["imageHeight"], 1), ReadOptions()
    )
    given = [xy for shape in document["shapes"] for xy in shape["points"]]
    np.testing.assert_allclose(labels.xy + 0.5, given, rtol=0, atol=1e-9)
    assert set(labels.shapes.kinds) == {"box", "point"}


def test_frames_of_a_stepped_task(cases: Path, scan_a: Sidecar) -> None:
    path = cases / "labels" / "14-cvat-frame-step" / "cvat_step.xml"
    assert points(map_file(path, scan_a)) == [BREGMA]


# cases/tools/imagej: markers of 2 × 2 source voxels, clicked on PNGs of half the size


@pytest.fixture(scope="module")
def imagej(cases: Path) -> Path:
    return cases / "tools" / "imagej"


@pytest.fixture(scope="module")
def half(imagej: Path) -> Sidecar:
    return Sidecar.open(imagej / "p2z2")


@pytest.fixture(scope="module")
def marks(imagej: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((imagej / "truth.json").read_text())["marks"]
    return found


ORDER = ("beta", "gamma", "delta", "epsilon", "alpha")


@pytest.mark.parametrize("name", ["A_Results", "B_mgrclick_all_Results", "C_mgr_default_Results"])
def test_points_measured_in_imagej(
    imagej: Path, half: Sidecar, marks: dict[str, list[float]], name: str
) -> None:
    mapping = map_file(imagej / f"{name}.csv", half)
    truth = [marks[mark] for mark in ORDER]
    np.testing.assert_allclose(
        mapping.points.source, np.add(truth, [0.5, 0.5, 0]), rtol=0, atol=1e-9
    )
    if name.startswith("B"):
        assert mapping.points.names == list(ORDER)
        assert "on display" in notes(mapping)
    assert ("calibrated" in notes(mapping)) is not name.startswith("A")


@pytest.mark.parametrize("name", ["I_mp_mm_Results", "I_rect_mm_Results"])
def test_calibrated_tables(imagej: Path, half: Sidecar, name: str) -> None:
    with pytest.raises(LabelError, match="calibrated"):
        map_file(imagej / f"{name}.csv", half)


def test_an_inverted_table_leaves_no_mark(imagej: Path, half: Sidecar) -> None:
    assert "Invert Y" in notes(map_file(imagej / "I_point_invert_Results.csv", half))


def test_a_part_of_the_stack_leaves_no_mark(imagej: Path, half: Sidecar) -> None:
    told = notes(map_file(imagej / "O_part_Results.csv", half))
    assert "whole stack of 5 PNGs, opened in order" in told


def test_selections_of_imagej(imagej: Path, half: Sidecar) -> None:
    pytest.importorskip("roifile")
    mapping = map_file(imagej / "G_RoiSet.zip", half)
    box, line, angle = (mapping.points.png[s] for s in (slice(0, 4), slice(4, 6), slice(6, 9)))
    assert box[0].tolist() == [9.5, 4.5, 3]
    assert line.tolist() == [[5, 4, 1], [30, 10, 1]]
    assert angle.tolist() == [[5, 4, 4], [20, 4, 4], [20, 15, 4]]


@pytest.mark.parametrize(("name", "origin"), [("E_line_xy", "center"), ("E_angle_xy", "corner")])
def test_xy_coordinates_of_imagej(imagej: Path, name: str, origin: Any) -> None:
    path = imagej / f"{name}.txt"
    single = PngStack(40, 30, 1)
    with pytest.raises(LabelError, match="corner if it was an area or an angle"):
        READERS["imagej-xy"].read(path, single)
    labels = READERS["imagej-xy"].read(path, single, ReadOptions(origin))
    assert labels.xy[0].tolist() == [5, 4]


def test_a_rounded_rectangle_covers_what_imagej_says(imagej: Path, half: Sidecar) -> None:
    pytest.importorskip("roifile")
    mask = read_mask([imagej / "K_round.roi"], [Export(half)])
    expected = np.asarray(Image.open(imagej / "K_mask_round.png")) > 0
    np.testing.assert_array_equal(next(iter(mask.planes())), expected)


# cases/tools: the other programs


def test_labelme(cases: Path) -> None:
    """Markers of scan.json, clicked on PNGs of full size, to 0.05 pixels."""
    folder = cases / "tools" / "labelme"
    truth = json.loads((folder / "00-input" / "scan.json").read_text())
    stack = PngStack(64, 48, 12, names=tuple(f"slice_{n:04d}.png" for n in range(12)))
    for name, mark in (("labelme5/slice_0006.json", "A"), ("labelme6-slice_0006.json", "Apoint")):
        labels = READERS["labelme"].read(folder / name, stack)
        place = labels.xy[list(labels.columns["label"]).index(mark)]
        np.testing.assert_allclose(place, [truth["A"]["column"], truth["A"]["row"]], atol=0.051)


def test_a_stack_that_napari_opened_in_reverse(cases: Path, tmp_path: Path) -> None:
    """It leaves no mark but the name of the layer, if the file has that."""
    sidecar = Sidecar.open(cases / "tools" / "labelme" / "00-input" / "png2")
    path = cases / "tools" / "napari" / "PointsReversed.csv"
    assert "whole stack of 6 PNGs, opened in order" in notes(map_file(path, sidecar))
    shutil.copy(path, tmp_path / "slice_0005.csv")
    with pytest.raises(LabelError, match="not the first PNG"):
        map_file(tmp_path / "slice_0005.csv", sidecar)


@pytest.mark.parametrize(
    ("name", "rounding"), [("a.json", 0.5), ("b.min.json", 0.5), ("coco_keypoints.json", 1.0)]
)
def test_keypoints_of_label_studio(
    cases: Path, half: Sidecar, marks: dict[str, list[float]], name: str, rounding: float
) -> None:
    """bregma was clicked on the marker beta; COCO rounds to whole pixels."""
    mapping = map_file(cases / "tools" / "label-studio" / name, half)
    row = mapping.points.names.index("bregma")
    np.testing.assert_allclose(
        mapping.points.source[row], np.add(marks["beta"], [0.5, 0.5, 0]), rtol=0, atol=2 * rounding
    )


def test_json_min_holds_what_json_holds(cases: Path, half: Sidecar) -> None:
    folder = cases / "tools" / "label-studio"
    full, least = (map_file(folder / name, half) for name in ("b.json", "b.min.json"))
    np.testing.assert_array_equal(full.points.png, least.points.png)
    assert full.points.names == least.points.names
    assert "1 brush region left out" in notes(least)


def test_polygons_traced_from_a_brush(cases: Path, half: Sidecar) -> None:
    mapping = map_file(cases / "tools" / "label-studio" / "brush_to_coco.json", half)
    paint = mapping.points.png[[n == "paint" for n in mapping.points.names]]
    assert paint[:, :2].min(0).tolist() == [5, 21] and paint[:, :2].max(0).tolist() == [15, 22]


@pytest.mark.parametrize("folder", ["yolo", "yolo/labels"])
def test_a_yolo_export_of_label_studio(cases: Path, half: Sidecar, folder: str) -> None:
    files = label_files([cases / "tools" / "label-studio" / folder])
    mappings = [map_file(path, half) for path in files]
    assert [len(mapping.labels) for mapping in mappings] == [0, 4]
    assert mappings[1].points.names == ["rbox"] * 4
    assert set(mappings[1].points.png[:, 2].tolist()) == {2}


def test_a_path_of_gimp(cases: Path, tmp_path: Path) -> None:
    """Clicked on the pixel (25, 19), on its corners and on others'."""
    sidecar = Sidecar.open(cases / "tools" / "labelme" / "00-input" / "png2")
    path = cases / "tools" / "gimp" / "path.svg"
    with pytest.raises(LabelError, match="names no image"):
        map_file(path, sidecar)
    shutil.copy(path, tmp_path / "slice_0003.svg")
    mapping = map_file(tmp_path / "slice_0003.svg", sidecar)
    assert points(mapping) == [(25, 19, 3), (20.5, 10.5, 3), (9.5, 14.5, 3)]
