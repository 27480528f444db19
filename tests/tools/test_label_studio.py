"""The real Label Studio: what it exports comes back, what a hand draws on its page comes back, and
what `prepare` writes is what it imports.

Annotations are set where an eye sees the bright things in the PNGs; where they belong is known from
the voxels of the scan.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicerio
from kit.browser import Browser, Point
from kit.environments import REQUIREMENTS, python_of
from kit.exports import png_names
from kit.label_studio import EMAIL, PASSWORD, LabelStudio, Project, running
from kit.marked_scan import (
    BLOCK,
    BLOCK_SLICE,
    DISC,
    DISC_RADIUS,
    DISC_SLICE,
    DOTS,
    DOTS_SLICE,
    values,
)
from kit.pages import DOCS
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import sidecar

pytestmark = [pytest.mark.tools, pytest.mark.slow]

SETUP = """
<View>
  <Image name="image" value="$image"/>
  <KeyPointLabels name="points" toName="image">
    <Label value="dot 1" model_index="0"/><Label value="dot 2" model_index="1"/>
  </KeyPointLabels>
  <RectangleLabels name="boxes" toName="image"><Label value="block"/></RectangleLabels>
  <PolygonLabels name="polygons" toName="image"><Label value="outline"/></PolygonLabels>
  <EllipseLabels name="ellipses" toName="image"><Label value="disc"/></EllipseLabels>
  <BrushLabels name="brushes" toName="image"><Label value="paint"/></BrushLabels>
</View>
"""
LEFT, TOP, RIGHT, BOTTOM = BLOCK
CORNERS = [
    (x, y, BLOCK_SLICE) for x, y in ((LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM))
]
#: Where the vertices of each label belong in the scan.
TRUTH = {
    "dot 1": [(*DOTS[0], DOTS_SLICE)],
    "dot 2": [(*DOTS[1], DOTS_SLICE)],
    "block": CORNERS,
    "outline": CORNERS,
    "disc": [
        (DISC[0] + right * DISC_RADIUS, DISC[1] + down * DISC_RADIUS, DISC_SLICE)
        for right, down in ((0, 0), (1, 0), (0, 1))
    ],
}
EXACT = dict.fromkeys(TRUTH, 1e-6)
#: How far labels are from there, in source voxels, in each export that it offers; two voxels are a
#: PNG pixel. Labels that are not named are not in the export.
EXPORTS: dict[str, dict[str, float]] = {
    "JSON": EXACT,
    "JSON_MIN": EXACT,
    "CSV": EXACT,
    "TSV": EXACT,
    # keypoints are rounded to the nearest corner of a pixel
    "COCO": {"dot 1": 1, "dot 2": 1, "block": 1e-6, "outline": 1e-6},
    "COCO_WITH_IMAGES": {"dot 1": 1, "dot 2": 1, "block": 1e-6, "outline": 1e-6},
    # cut to whole numbers, twice
    "VOC": {"block": 4},
    # lines like those of polygons could be of keypoints, which its set-up has as well
    "YOLO": {},
    "YOLO_WITH_IMAGES": {},
    "YOLO_OBB": {},
    "YOLO_OBB_WITH_IMAGES": {},
    "BRUSH_TO_NUMPY": {},
    "BRUSH_TO_PNG": {},
    # polygons are taken for traced ones, half a PNG pixel further left and up
    "BRUSH_TO_COCO": {"block": 1e-6, "outline": 1 + 1e-6},
}
#: What is told of exports that are not exact, and of those that cannot be mapped.
TOLD = {
    "COCO": "rounded keypoints",
    "COCO_WITH_IMAGES": "rounded keypoints",
    "VOC": "cut fractions off twice",
    "BRUSH_TO_COCO": "through the middles",
    "BRUSH_TO_NUMPY": "Export JSON from Label Studio",
    "BRUSH_TO_PNG": "Export JSON from Label Studio",
    **{name: "data.yaml of the data set beside it" for name in EXPORTS if name.startswith("YOLO")},
}


@pytest.fixture(scope="module")
def server(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    with running(tmp_path_factory.mktemp("label-studio"), marked.parent) as started:
        yield started


def test_the_page_says_which_version_is_run() -> None:
    pinned = (REQUIREMENTS / "label-studio.txt").read_text(encoding="utf-8")
    version = re.search(r"^label-studio==(.+)$", pinned, re.MULTILINE)
    page = (DOCS / "tools" / "label-studio.md").read_text(encoding="utf-8")
    assert version is not None
    assert f"version {version[1]}," in page


def project_of(server: LabelStudio, marked: Path, folder: Path, setup: str | None) -> Project:
    """A project as `prepare` writes it; with another set-up than that of its landmarks, if given."""
    tasks, own = sidecar.prepare("label-studio", marked, NAMES, folder)
    text = setup or own.read_text(encoding="utf-8")
    return server.project(text, marked, json.loads(tasks.read_text(encoding="utf-8")))


def bright(marked: Path, slice_: int) -> NDArray[np.bool_]:
    """What is seen in a PNG."""
    return np.asarray(Image.open(marked / png_names(marked)[slice_])) > 0


def region(kind: str, name: str, label: str, shape: NDArray[Any], **value: Any) -> dict[str, Any]:
    rows, columns = shape.shape
    return {
        "id": label.replace(" ", ""),
        "type": f"{kind}labels",
        "from_name": name,
        "to_name": "image",
        "original_width": columns,
        "original_height": rows,
        "image_rotation": 0,
        "value": {**value, f"{kind}labels": [label]},
    }


def regions(marked: Path) -> dict[int, list[dict[str, Any]]]:
    """By their PNG: positions are percent of the image, from its corner."""
    dots, block, disc = (bright(marked, k) for k in (1, 2, 3))
    rows, columns = dots.shape
    points = [
        region(
            "keypoint",
            "points",
            f"dot {n}",
            dots,
            x=(x + 0.5) / columns * 100,
            y=(y + 0.5) / rows * 100,
            width=1,
        )
        for n, (y, x) in enumerate(np.argwhere(dots), 1)
    ]
    left, top, right, bottom = percent_box(block)
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    outlines = [
        region("rectangle", "boxes", "block", block, **box),
        region("polygon", "polygons", "outline", block, points=corners, closed=True),
    ]
    left, top, right, bottom = percent_box(disc)
    ellipse = {"x": (left + right) / 2, "y": (top + bottom) / 2, "rotation": 0}
    radii = {"radiusX": (right - left) / 2, "radiusY": (bottom - top) / 2}
    painted = [
        region("ellipse", "ellipses", "disc", disc, **ellipse, **radii),
        region("brush", "brushes", "paint", disc, format="rle", rle=brush_strokes(disc)),
    ]
    return {1: points, 2: outlines, 3: painted}


def percent_box(seen: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edges of what is seen."""
    (top, left), (bottom, right) = np.argwhere(seen).min(0), np.argwhere(seen).max(0) + 1
    height, width = seen.shape
    return left / width * 100, top / height * 100, right / width * 100, bottom / height * 100


def brush_strokes(mask: NDArray[np.bool_]) -> Any:
    """Its own run lengths, by its own code."""
    code = (
        "import json, sys, numpy as np; from label_studio_sdk.converter.brush import mask2rle;"
        "print(json.dumps(mask2rle(np.array(json.load(sys.stdin), np.uint8))))"
    )
    done = subprocess.run(
        [python_of("label-studio"), "-c", code],
        input=json.dumps((mask * 255).tolist()),
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def annotated(
    server: LabelStudio, marked: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    made = project_of(server, marked, tmp_path_factory.mktemp("prepared"), SETUP)
    for slice_, results in regions(marked).items():
        made.annotate(slice_, results)
    return made


def unpacked(data: bytes, format_: str, folder: Path) -> Path:
    """An export as it lies on a disk: a folder where it came as a zip."""
    if data.startswith(b"PK"):
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(folder)
        inner = folder / "Annotations"
        return inner if inner.is_dir() else folder
    ending = {"JSON": "json", "JSON_MIN": "json", "BRUSH_TO_NUMPY": "npy", "BRUSH_TO_PNG": "png"}
    name = "task-3-annotation-3-by-1-brushes-paint-0" if "BRUSH" in format_ else "project-1"
    path = folder / f"{name}.{ending.get(format_, format_.lower())}"
    path.write_bytes(data)
    return path


def test_it_offers_no_other_exports(annotated: Project) -> None:
    assert set(annotated.formats()) == set(EXPORTS)


@pytest.mark.parametrize("format_", [name for name, labels in EXPORTS.items() if labels])
def test_what_it_exports_comes_back(
    annotated: Project, marked: Path, tmp_path: Path, format_: str
) -> None:
    path = unpacked(annotated.export(format_), format_, tmp_path)
    points = sidecar.map_points(path, marked)
    assert TOLD.get(format_, "") in " ".join(points.notes)
    found: dict[str, list[tuple[float, ...]]] = {}
    for label, place in zip(points["label"], points.source.tolist(), strict=True):
        if label != "paint":
            found.setdefault(label, []).append(tuple(place))
    assert set(found) == set(EXPORTS[format_])
    for label, tolerance in EXPORTS[format_].items():
        away = np.abs(np.array(sorted(found[label])) - np.array(sorted(TRUTH[label])))
        assert away.max() <= tolerance, label


@pytest.mark.parametrize("format_", [name for name, labels in EXPORTS.items() if not labels])
def test_what_names_no_image_is_refused_with_the_way_out(
    annotated: Project, marked: Path, tmp_path: Path, format_: str
) -> None:
    path = unpacked(annotated.export(format_), format_, tmp_path)
    for work in (
        lambda: sidecar.map_points(path, marked),
        lambda: sidecar.map_mask(path, tmp_path / "made.seg.nrrd", marked),
    ):
        with pytest.raises(sidecar.LabelError, match=TOLD[format_]):
            work()


@pytest.mark.parametrize("format_", ["JSON", "JSON_MIN", "COCO"])
def test_images_that_were_uploaded_come_back(
    server: LabelStudio, marked: Path, tmp_path: Path, format_: str
) -> None:
    """It calls them otherwise: something stands before their names."""
    project = server.uploaded(SETUP, [marked / name for name in png_names(marked)])
    project.annotate(1, regions(marked)[1])
    points = sidecar.map_points(unpacked(project.export(format_), format_, tmp_path), marked)
    expected = [(*dot, DOTS_SLICE) for dot in DOTS]
    tolerance = EXPORTS[format_]["dot 1"]
    np.testing.assert_allclose(points.source, expected, atol=tolerance)
    assert all(image.endswith(f"-{png_names(marked)[1]}") for image in points["image"])


@pytest.mark.parametrize("format_", [name for name in EXPORTS if name.startswith("YOLO")])
def test_boxes_and_polygons_of_a_set_up_without_keypoints_come_back(
    server: LabelStudio, marked: Path, tmp_path: Path, format_: str
) -> None:
    setup = "".join(line for line in SETUP.splitlines() if not re.search("KeyPoint|dot", line))
    project = project_of(server, marked, tmp_path, setup)
    project.annotate(2, regions(marked)[2])
    path = unpacked(project.export(format_), format_, tmp_path / "export")
    found = sidecar.map_points(path, marked)
    assert set(found["label"]) == {"block", "outline"}
    expected = sorted(CORNERS * 2)
    np.testing.assert_allclose(sorted(map(tuple, found.source)), expected, atol=1e-6)


def painted(format_: str, project: Project, marked: Path, folder: Path) -> dict[str, Any]:
    """The voxels of each label, (columns, rows, slices), in a segmentation that slicerio reads."""
    path = unpacked(project.export(format_), format_, folder)
    sidecar.map_mask(path, folder / "made.seg.nrrd", marked)
    read = slicerio.read_segmentation(str(folder / "made.seg.nrrd"))
    return {one["name"]: read["voxels"] == one["labelValue"] for one in read["segments"]}


def test_what_was_painted_comes_back(annotated: Project, marked: Path, tmp_path: Path) -> None:
    found = painted("JSON", annotated, marked, tmp_path)
    scan = values().transpose(2, 1, 0) > 0
    np.testing.assert_array_equal(found["paint"][..., DISC_SLICE], scan[..., DISC_SLICE])
    np.testing.assert_array_equal(found["outline"][..., BLOCK_SLICE], scan[..., BLOCK_SLICE])


def test_what_its_converter_traces_lacks_edges_at_most(
    annotated: Project, marked: Path, tmp_path: Path
) -> None:
    found = painted("BRUSH_TO_COCO", annotated, marked, tmp_path)["paint"][..., DISC_SLICE]
    disc = values().transpose(2, 1, 0)[..., DISC_SLICE] > 0
    assert not (found & ~disc).any()
    assert not (ndimage.binary_erosion(disc, iterations=2) & ~found).any(), "one PNG pixel"


# By hand.

NAMES = ['first "dot"', "the 2nd; of <two> & last'"]


@pytest.fixture
def page(server: LabelStudio, chromium: Browser) -> Browser:
    chromium.resize(1280, 900)
    chromium.driver.get(server.url + "/user/login/")
    if chromium.all("#email"):
        chromium.find("#email").send_keys(EMAIL)
        chromium.find("#password").send_keys(PASSWORD + "\n")
        chromium.until(lambda: not chromium.all("#email"), "the projects")
    return chromium


def labelled_by_hand(page: Browser, project: Project, task: int, steps: Any) -> None:
    """Open a task, let ``steps`` label what they see, and save it."""
    url = f"{project.server.url}/projects/{project.id}/data?task={project.tasks[task]['id']}"
    page.driver.get(url)
    page.until(lambda: page.all("canvas"), "the labelling page")
    page.until(lambda: page.all('img[alt="image"][src^="blob:"]'), "the image")
    stage = ".konvajs-content"  # it goes and comes while the image is loaded
    page.until(lambda: page.all(stage) and things_seen(page), "what is bright in it")
    steps(things_seen(page))
    page.driver.find_element("xpath", "//button[normalize-space()='Submit']").click()
    page.until(lambda: json.loads(project.export("JSON")), "the annotation")


def things_seen(page: Browser) -> list[tuple[slice, slice]]:
    """Where on the screen bright things lie in the image, from left to right."""
    left, top, width, height = page.box(".konvajs-content")
    shot = page.screenshot()[int(top) : int(top + height), int(left) : int(left + width)]
    number, count = ndimage.label(shot.min(axis=2) > 127)
    boxes = ndimage.find_objects(number)[:count]
    moved = [
        (
            slice(y.start + int(top), y.stop + int(top)),
            slice(x.start + int(left), x.stop + int(left)),
        )
        for y, x in boxes
    ]
    return sorted(moved, key=lambda box: box[1].start)


def choose(page: Browser, label: str) -> None:
    """Click on the button of a label."""
    (button,) = [e for e in page.all(".lsf-label") if e.text.startswith(label)]
    button.click()
    page.drawn()


def test_landmarks_of_a_prepared_project_that_are_clicked_come_back(
    server: LabelStudio, page: Browser, marked: Path, tmp_path: Path
) -> None:
    project = project_of(server, marked, tmp_path, None)

    def click(seen: list[tuple[slice, slice]]) -> None:
        shown = [e.text.partition("\n")[0] for e in page.all(".lsf-label")]
        assert shown == NAMES, "in order"
        for name, (y, x) in zip(NAMES, seen, strict=True):
            choose(page, name)
            page.click(((x.start + x.stop) / 2, (y.start + y.stop) / 2))

    labelled_by_hand(page, project, 1, click)
    (tmp_path / "done.json").write_bytes(project.export("JSON"))
    points = sidecar.map_points(tmp_path / "done.json", marked)
    assert points["label"].tolist() == NAMES
    expected = [(*dot, DOTS_SLICE) for dot in DOTS]
    np.testing.assert_allclose(points.source, expected, atol=0.2, err_msg="0.1 PNG pixel")


def test_a_box_that_is_drawn_comes_back(
    server: LabelStudio, page: Browser, marked: Path, tmp_path: Path
) -> None:
    project = project_of(server, marked, tmp_path, SETUP)

    def draw(seen: list[tuple[slice, slice]]) -> None:
        ((y, x),) = seen
        choose(page, "block")
        start: Point = (x.start, y.start)
        page.drag(start, (x.stop, y.stop))

    labelled_by_hand(page, project, 2, draw)
    (tmp_path / "done.json").write_bytes(project.export("JSON"))
    points = sidecar.map_points(tmp_path / "done.json", marked)
    assert set(points["label"]) == {"block"}
    np.testing.assert_allclose(points.source, CORNERS, atol=0.2, err_msg="0.1 PNG pixel")
