"""Our macro in the real ImageJ: it opens an export, and what is selected there comes back.

ImageJ finds the bright things itself, by Find Maxima and the wand; where they are is known from the
voxels that the scan was made of.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit import reader_vectors
from kit.imagej import MACRO, ImageJ, click, seen
from kit.marked_scan import (
    BLOCK,
    BLOCK_SLICE,
    DISC,
    DISC_RADIUS,
    DISC_SLICE,
    DOTS,
    DOTS_SLICE,
    SPEC,
)
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import sidecar
from sidecar.labels.load import map_file
from sidecar.storage.names import is_plain

pytestmark = [pytest.mark.tools, pytest.mark.slow]

LEFT, TOP, RIGHT, BOTTOM = BLOCK
CORNERS = {(x, y) for x in (LEFT, RIGHT) for y in (TOP, BOTTOM)}

#: One selection of every kind, each named, made from what ImageJ sees.
SELECT = """
function add(name) { run("Add to Manager"); last = RoiManager.size - 1;
    roiManager("select", last); roiManager("rename", name); }
function selectAll() {
    setSlice(2);
    run("Find Maxima...", "prominence=10 output=[Point Selection]");
    getSelectionCoordinates(x, y);
    add("dots, both");
    makePoint(x[0], y[0]); add("a \\"dot\\"");
    makeLine(x[0], y[0], x[1], y[1]); add("line");
    makeSelection("polyline", newArray(x[0], x[1], x[0]), newArray(y[0], y[1], y[0])); add("polyline");
    setSlice(3);
    doWand(15, 10);
    getSelectionCoordinates(x, y);
    add("wand");
    makePolygon(x[0], y[0], x[1], y[1], x[2], y[2], x[3], y[3]); add("polygon");
    makeSelection("freehand", x, y); add("freehand");
    makeSelection("angle", newArray(x[0], x[1], x[2]), newArray(y[0], y[1], y[2])); add("angle");
    getSelectionBounds(left, top, width, height);
    makeRectangle(left, top, width, height); add("rectangle");
    setSlice(4);
    doWand(20, 15);
    getSelectionBounds(left, top, width, height);
    makeOval(left, top, width, height); add("oval");
    run("Select None");
    setSlice(1);
}
"""
KINDS = {
    "dots, both": "point",
    'a "dot"': "point",
    "line": "line",
    "polyline": "polyline",
    "wand": "polygon",
    "polygon": "polygon",
    "freehand": "polygon",
    "angle": "polyline",
    "rectangle": "box",
    "oval": "ellipse",
}
#: How the image is calibrated when the labels are saved.
CALIBRATIONS = {
    "as opened": "",
    "in other units, with an origin, y upwards": """
        run("Set Measurements...", "area centroid stack display invert redirect=None decimal=3");
        run("Properties...", "channels=1 slices=4 frames=1 unit=um pixel_width=0.3 pixel_height=7"
            + " voxel_depth=2 origin=5,7,1");
    """,
    "not at all": 'run("Properties...", "unit=pixel pixel_width=1 pixel_height=1 voxel_depth=1");',
}


def test_an_export_opens_in_order_with_names_and_pixel_size(imagej: ImageJ, marked: Path) -> None:
    told = imagej.run(
        f"""
        openExport("{marked}/sidecar.json");
        getVoxelSize(width, height, depth, unit);
        say(d2s(width, 9) + " " + d2s(height, 9) + " " + d2s(depth, 9) + " " + unit);
        say("" + getWidth() + " " + getHeight() + " " + nSlices + " " + is("Virtual Stack"));
        for (k = 1; k <= nSlices; k++) {{ setSlice(k); getStatistics(area, mean, min, max); say("" + pngName(k) + " " + max); }}
        """
    )
    between_rows, between_columns = SPEC.pixel_spacing
    *size, unit = told[0].split()
    assert unit == "mm"
    np.testing.assert_allclose(
        [float(n) for n in size],
        [2 * between_columns, 2 * between_rows, 2 * float(SPEC.slice_gaps)],
        atol=1e-8,
    )
    assert told[1] == "40 30 4 1"
    files = json.loads((marked / "sidecar.json").read_text())["images"]["files"]
    brightest = ["0", "255", "255", "255"]
    assert told[2:] == [f"{f['name']} {n}" for f, n in zip(files, brightest, strict=True)]


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_every_kind_of_selection_comes_back(
    imagej: ImageJ, marked: Path, png: sidecar.Sidecar, tmp_path: Path, calibration: str
) -> None:
    path = tmp_path / "labels.csv"
    imagej.run(
        f"""
        openExport("{marked}/sidecar.json");
        selectAll();
        {CALIBRATIONS[calibration]}
        saveLabels("{path}");
        """
        + SELECT
    )
    points = map_file(path, png).points
    found: dict[str, list[tuple[float, ...]]] = {}
    kinds: dict[str, str] = {}
    for row, source in enumerate(points.source.tolist()):
        name = points.columns["label"][row]
        found.setdefault(name, []).append(tuple(source))
        kinds[name] = points.columns["shape_type"][row]
    assert kinds == KINDS
    first, second = sorted((*dot, float(DOTS_SLICE)) for dot in DOTS)
    assert sorted(found["dots, both"]) == [first, second]
    assert found['a "dot"'][0] in (first, second)
    assert sorted(found["line"]) == [first, second]
    assert found["polyline"] in ([first, second, first], [second, first, second])
    block = {(*corner, float(BLOCK_SLICE)) for corner in CORNERS}
    for name in ("wand", "polygon", "freehand", "rectangle"):
        assert len(found[name]) == 4 and set(found[name]) == block, name
    assert len(found["angle"]) == 3 and set(found["angle"]) < block
    (x, y), r, k = DISC, DISC_RADIUS, float(DISC_SLICE)
    assert found["oval"] == [(x, y, k), (x + r, y, k), (x, y + r, k)]


#: Part of the screen that is within the image, as the macro below places it: rows, columns.
CANVAS = slice(220, 455), slice(20, 330)
#: A hand clicks with an error of this many voxels: a tenth of a PNG pixel.
HAND = 0.2


def middles(screenshot: NDArray[np.uint8]) -> list[tuple[float, float]]:
    """The middle of every white thing in the image, from the corner of the screen, from the top."""
    things, _ = ndimage.label((screenshot[CANVAS] == 255).all(axis=2))
    found = ndimage.center_of_mass(things > 0, things, np.unique(things[things > 0]))
    return [(x + CANVAS[1].start + 0.5, y + CANVAS[0].start + 0.5) for y, x in found]


@pytest.mark.parametrize("tool", ["point", "multipoint"])
def test_clicks_on_what_the_screen_shows_come_back(
    imagej: ImageJ, display: str, marked: Path, png: sidecar.Sidecar, tmp_path: Path, tool: str
) -> None:
    """A hand clicks on the middle of both dots, and of the block on another slice. One point is a
    selection of its own each, many are one selection over the slices.
    """
    path = tmp_path / "labels.csv"
    add = 'run("Add to Manager");' if tool == "point" else ""
    run = imagej.start(
        f"""
        openExport("{marked}/sidecar.json");
        setLocation(10, 200, 700, 500);
        run("Set... ", "zoom=800 x=20 y=15");
        setTool("{tool}");
        setSlice(2); hold("first"); {add} hold("second"); {add}
        setSlice(3); hold("third"); {add}
        saveLabels("{path}");
        """
    )
    run.wait_for("first")
    dots = middles(seen(display))
    assert len(dots) == 2
    click(display, *dots[0])
    run.go_on("first")
    run.wait_for("second")
    click(display, *dots[1])
    run.go_on("second")
    run.wait_for("third")
    (block,) = middles(seen(display))
    click(display, *block)
    run.go_on("third")
    run.finish()
    found = map_file(path, png).points.source
    middle = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, BLOCK_SLICE)
    expected = [(*DOTS[0], DOTS_SLICE), (*DOTS[1], DOTS_SLICE), middle]
    np.testing.assert_allclose(found, expected, rtol=0, atol=HAND)
    np.testing.assert_array_equal(found[:, 2], [point[2] for point in expected])


def test_the_buttons_of_the_toolset(
    imagej: ImageJ, display: str, marked: Path, tmp_path: Path
) -> None:
    """The one that saves, orange on the toolbar, writes labels.csv into the folder of the export;
    the one that opens, blue, asks for a file.
    """
    folder = shutil.copytree(marked, tmp_path / "png")
    run = imagej.start(
        f"""
        run("Install...", "install=[{MACRO}]");
        openExport("{folder}/sidecar.json");
        setSlice(2); makePoint(15, 10); run("Add to Manager");
        hold("save");
        """
    )
    run.wait_for("save")
    red, green, blue = np.moveaxis(seen(display)[:76].astype(int), 2, 0)
    for button in ((red > green + 40) & (green > blue + 30), (blue > red + 60) & (red < 30)):
        rows, columns = np.nonzero(button)
        assert np.ptp(columns) < 30, "one button of that colour"
    rows, columns = np.nonzero((red > green + 40) & (green > blue + 30))
    click(display, columns.mean(), rows.mean())
    for _ in range(50):
        if (folder / "labels.csv").exists():
            break
        time.sleep(0.2)
    run.go_on("save")
    run.finish()
    (mapped,) = map_file(folder / "labels.csv").points.source.tolist()
    assert mapped == [*DOTS[0], DOTS_SLICE]


def test_names_are_written_as_utf_8_or_not_at_all(
    imagej: ImageJ, marked: Path, png: sidecar.Sidecar, tmp_path: Path
) -> None:
    """What was saved before stays where an ImageJ of another encoding is refused."""
    path = tmp_path / "labels.csv"
    driver = f"""
        openExport("{marked}/sidecar.json");
        makePoint(15, 10); run("Add to Manager");
        roiManager("select", 0); roiManager("rename", "Sch" + fromCharCode(228) + "del");
        saveLabels("{path}");
        """
    imagej.run(driver)
    assert list(map_file(path, png).points.columns["label"]) == ["Schädel"]
    before = path.read_bytes()
    told = imagej.run(driver, locale="C")
    assert told[0].startswith("refused: A name holds letters")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"labels.csv": before}


def test_an_overlay_comes_back_where_there_is_no_roi_manager(
    imagej: ImageJ, marked: Path, png: sidecar.Sidecar, tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    imagej.run(
        f"""
        openExport("{marked}/sidecar.json");
        setSlice(3); doWand(15, 10); Roi.setName("block"); Roi.setPosition(3); Overlay.addSelection;
        setSlice(2); makePoint(15, 10); Roi.setPosition(2); Overlay.addSelection;
        run("Select None");
        saveLabels("{path}");
        """
    )
    points = map_file(path, png).points
    assert points.columns["label"][0] == "block"
    *corners, dot = [tuple(source) for source in points.source.tolist()]
    assert set(corners) == {(*corner, BLOCK_SLICE) for corner in CORNERS}
    assert dot == (*DOTS[0], DOTS_SLICE)


def test_a_single_png_needs_no_slice(imagej: ImageJ, marked: Path, tmp_path: Path) -> None:
    one = sidecar.export(marked.parent / "scan", tmp_path / "one", scale=0.5, crop=":,:,2:3")
    imagej.run(
        f"""
        openExport("{tmp_path}/one/sidecar.json");
        run("Find Maxima...", "prominence=10 output=[Point Selection]");
        saveLabels("{tmp_path}/one/labels.csv");
        """
    )
    found = map_file(tmp_path / "one" / "labels.csv", one).points.source.tolist()
    assert sorted(found) == sorted([*dot, DOTS_SLICE] for dot in DOTS)


#: What a person may have done, and what the refusal says of it.
REFUSED = {
    "no selection": ("", "no selection to save"),
    "on no slice": ("makeRectangle(1, 2, 3, 4);", "is on no slice"),
    "with a hole": (
        'setKeyDown("shift"); makeRectangle(1, 2, 3, 4); setKeyDown("shift"); makeRectangle(9, 2, 3, 4);',
        "several parts",
    ),
    "two places": (
        'makeRectangle(1, 2, 3, 4); run("Add to Manager"); Overlay.addSelection;',
        "Both the ROI Manager and the overlay",
    ),
    "not added": (
        'makeRectangle(1, 2, 3, 4); run("Add to Manager"); makeOval(5, 6, 7, 8);',
        "neither in the ROI Manager nor",
    ),
    "text": ('makeText("see here", 3, 4); run("Add to Manager");', "cannot be a label"),
    "cropped": ('makeRectangle(1, 2, 30, 4); run("Crop");', "is 30 x 4 and the PNGs are 40x30"),
    "another image": ('newImage("other", "8-bit", 40, 30, 4);', "not opened with the button O"),
    "a copy that was turned": (
        'run("Duplicate...", "duplicate"); run("Flip Horizontally", "stack"); makePoint(3, 4);',
        "is a copy of the PNGs",
    ),
    "closed": ("close();", "No image is open"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_saved_rightly_is_refused(
    imagej: ImageJ, marked: Path, tmp_path: Path, case: str
) -> None:
    done, says = REFUSED[case]
    told = imagej.run(
        f'openExport("{marked}/sidecar.json"); {done} saveLabels("{tmp_path}/labels.csv");'
    )
    assert told[0].startswith("refused: ") and says in " ".join(told)
    assert list(tmp_path.iterdir()) == []


DAMAGES = {
    "cut short": (lambda text: text[: len(text) // 2], "is cut short"),
    "of the future": (lambda text: text.replace('"1.1"', '"2.0"', 1), "is of version 2.0"),
    "a PNG that is not there": (
        lambda text: text.replace("slice_0003", "other"),
        "not in its folder",
    ),
    "a PNG in the place of another": (
        lambda text: text.replace("slice_0003", "slice_0009"),
        "has slice_0009_wlfjtm.png in the place of another PNG",
    ),
    "another size": (lambda text: text.replace("[40, 30, 4]", "[41, 30, 4]"), "41 x 30 x 4"),
    "a PNG too many": (
        lambda text: text.replace("[40, 30, 4]", "[40, 30, 3]"),
        "more images.files than",
    ),
    "no JSON": (lambda text: text.replace('"version":', '"version"', 1), "no :"),
    "twice": (
        lambda text: text.replace('"version"', '"version": "1.0", "version"', 1),
        "has version twice",
    ),
    "counted from a corner": (
        lambda text: text.replace('"center"', '"corner"', 1),
        "counts pixels",
    ),
    "a name elsewhere": (
        lambda text: text.replace('"slice_0002', '"../slice_0002'),
        "outside of its folder",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_document_that_is_not_understood_is_refused(
    imagej: ImageJ, marked: Path, tmp_path: Path, damage: str
) -> None:
    change, says = DAMAGES[damage]
    folder = shutil.copytree(marked, tmp_path / "png")
    document = (folder / "sidecar.json").read_text(encoding="utf-8")
    changed = change(document)
    assert changed != document
    (folder / "sidecar.json").write_text(changed, encoding="utf-8")
    told = imagej.run(f'openExport("{folder}/sidecar.json");')
    assert told[0].startswith("refused: This sidecar.json ") and says in told[0]


# The vectors of documents.

READER = json.loads(reader_vectors.FILE.read_text(encoding="utf-8"))
#: Of these rules, what is wrong in fields that the macro does not read.
NOT_READ = {
    "json": {"NaN", "infinity in a field that is not known", "a factor twice"},
    "version": set[str](),
    "pixel_origin": set[str](),
    "type": {
        vector["name"]
        for vector in READER["vectors"]
        if not any(
            edit["path"].startswith(
                ("/units", "/images/size", "/images/tag", "/images/files/1/name")
            )
            or edit["path"] in ("/source", "/source/series_instance_uid")
            for edit in vector.get("edits", [])
        )
    },
    "name": {v["name"] for v in READER["vectors"] if v["name"].startswith("a source file")},
    "sizes": {"an axis twice", "a plane too few", "more slices than planes"},
    "image_names": {"one name twice but for an accent written apart"},
}


def written(vector: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The document of a vector with PNGs of the size that its document had before any edit; what it
    states, where it is whole.
    """
    folder.mkdir()
    text = reader_vectors.text_of(vector, READER["documents"])
    (folder / "sidecar.json").write_text(text, encoding="utf-8")
    whole = READER["documents"][vector.get("document", "example")]
    try:
        stated: dict[str, Any] = json.loads(text)
        names = [file.get("name", "none") for file in stated["images"]["files"]]
    except (ValueError, TypeError):
        stated, names = whole, [file["name"] for file in whole["images"]["files"]]
    for name in names:
        if is_plain(name):
            columns, rows, _ = whole["images"]["size"]
            Image.new("L", (columns, rows)).save(folder / name, format="PNG")
    return stated


def test_the_macro_refuses_the_documents_of_the_vectors(imagej: ImageJ, tmp_path: Path) -> None:
    """Of the rules that it checks, for the fields that it reads; docs/sidecar-format.md says so."""
    refused = [
        vector
        for vector in READER["vectors"]
        if vector["verdict"] == "refuse"
        and vector["rule"] in NOT_READ
        and vector["name"] not in NOT_READ[vector["rule"]]
    ]
    assert len(refused) > 35
    for k, vector in enumerate(refused):
        written(vector, tmp_path / f"{k}")
    drivers = [f'openExport("{tmp_path}/{k}/sidecar.json");' for k in range(len(refused))]
    for vector, told in zip(refused, imagej.each(drivers), strict=True):
        assert len(told) == 1, vector["name"]
        assert told[0].startswith("refused: This sidecar.json "), vector["name"]
        assert "not in its folder" not in told[0], vector["name"]


def test_the_macro_opens_the_documents_of_the_vectors(imagej: ImageJ, tmp_path: Path) -> None:
    accepted = [vector for vector in READER["vectors"] if vector["verdict"] == "accept"]
    stated = [written(vector, tmp_path / f"{k}") for k, vector in enumerate(accepted)]
    drivers = [
        f"""
        openExport("{tmp_path}/{k}/sidecar.json");
        getVoxelSize(width, height, depth, unit);
        say("" + getWidth() + " " + getHeight() + " " + nSlices + " " + unit);
        say(d2s(width, 9) + " " + d2s(height, 9) + " " + d2s(depth, 9));
        say("tag " + Property.get("Sidecar tag"));
        say("" + Property.get("Sidecar series"));
        for (k = 1; k <= nSlices; k++) say("" + pngName(k));
        """
        for k in range(len(accepted))
    ]
    for vector, document, told in zip(accepted, stated, imagej.each(drivers), strict=True):
        images = document["images"]
        spacing = images.get("spacing") if document["units"] == "mm" else None
        unit = "pixels" if spacing is None else "mm"
        size, steps, tag, series, *names, done = told
        assert done == "done", vector["name"]
        assert size == " ".join(map(str, images["size"])) + f" {unit}", vector["name"]
        expected = [1 if step is None else step for step in spacing or (1, 1, 1)]
        assert [float(step) for step in steps.split()] == expected, vector["name"]
        assert tag == f"tag {images.get('tag') or ''}"
        assert series == document["source"]["series_instance_uid"]
        assert names == [file["name"] for file in images["files"]], vector["name"]
