"""Curves drawn on the page, vertex by vertex and on several slices, and what is saved of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kit.browser import CONTROL, DELETE, ESCAPE, UP, Browser
from kit.made_exports import GEOMETRIES, Opened
from kit.tables import rows

import sidecar


def draw(browser: Browser, *spots: tuple[float, float, int]) -> list[list[float]]:
    """Click at these parts of the stage, so many slices further each; PNG pixels and slices that
    the page says.
    """
    places = []
    for right, down, further in spots:
        if further:
            browser.wheel(further)
            browser.shown()
        browser.click(browser.at(right, down))
        places.append([*browser.numbers("#png")[:2], browser.slice()])
    return places


def test_a_curve_comes_back_as_semilandmarks(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    png = opened(GEOMETRIES["tilted"])
    browser.click(browser.at(0.3, 0.3))
    assert browser.names() == ["L1"]
    browser.push("#new-curve")
    assert "curve 1" in browser.text(".hint")
    places = draw(browser, (0.4, 0.4, 0), (0.5, 0.45, 0), (0.55, 0.6, 1), (0.45, 0.65, 2))
    browser.press("f")
    assert "curve" not in browser.text(".hint")
    assert browser.names() == ["L1", "curve 1"]
    browser.type("#curve-points", "7")
    assert len(browser.all(".curve .edge")) == 3 and len(browser.all(".curve .vertex")) == 1
    browser.click(browser.at(0.7, 0.7))
    assert browser.names() == ["L1", "curve 1", "L2"], "clicks place landmarks again"

    saved = browser.download("#save-csv")
    table = rows(saved.read_text())
    assert [row["shape_type"] for row in table] == ["point"] + ["polyline"] * 4 + ["point"]
    of_curve = table[1:5]
    assert [row["vertex"] for row in of_curve] == ["0", "1", "2", "3"]
    assert {row["curve_points"] for row in of_curve} == {"7"}
    drawn = [[float(row[name]) for name in ("x", "y", "slice")] for row in of_curve]
    assert np.array(drawn) == pytest.approx(np.array(places), abs=1e-3)
    names = [file.name for file in png.document.images.files]
    assert [row["image"] for row in of_curve] == [names[int(row["slice"])] for row in of_curve]

    points = sidecar.map_points(saved, png)
    assert points.names == ["L1", *["curve 1"] * 7, "L2"]
    ends = png.to_patient(
        [p[:2] for p in (drawn[0], drawn[-1])], [p[2] for p in (drawn[0], drawn[-1])]
    )
    assert np.abs(points.patient[[1, 7]] - ends).max() < 1e-6

    browser.reload()
    assert browser.names() == ["L1", "curve 1", "L2"], "it is kept"
    again = browser.download("#save-csv")
    assert again.read_text() == saved.read_text()
    markups = json.loads(browser.download("#save-markups").read_text())["markups"]
    assert [one["type"] for one in markups] == ["Fiducial", "Curve"]
    at = [point["position"] for point in markups[1]["controlPoints"]]
    patient = png.to_patient([p[:2] for p in drawn], [p[2] for p in drawn])
    assert np.abs(np.array(at) - patient).max() < 1e-6


def test_closed_curves_undo_and_files(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    opened(GEOMETRIES["axial"])
    browser.press("c")
    draw(browser, (0.4, 0.4, 0), (0.6, 0.4, 0))
    browser.push("#curve-closed")
    browser.press("f")
    assert "a closed curve needs at least 3 vertices" in browser.message()
    assert browser.find("#save-csv").get_attribute("disabled")
    browser.push("#curve-draw")
    draw(browser, (0.6, 0.6, 0), (0.5, 0.7, 0))
    browser.press("z", hold=(CONTROL,))
    browser.press("f")
    assert len(browser.all(".curve .vertex")) == 3 and len(browser.all(".curve .edge")) == 3
    saved = browser.download("#save-csv")
    assert [row["shape_type"] for row in rows(saved.read_text())] == ["polygon"] * 3
    points = browser.find("#curve-points")
    browser.type("#curve-points", "1")
    assert points.get_attribute("value") == "3", "as few as a closed curve can have"
    browser.js("document.activeElement.blur()")
    for _ in range(8):
        browser.press("z", hold=(CONTROL,))
    assert browser.names() == []
    assert "new landmarks: 1 of 1" in browser.give(saved)
    assert browser.names() == ["curve 1"]
    assert "new landmarks: 0 of 1" in browser.give(saved)
    assert browser.download("#save-csv").read_text() == saved.read_text()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("label,x,y,slice,shape_type,shape_id,vertex\nb,1,1,1,box,1,0\n")
    assert "row 2: this page shows landmarks and curves only, not a box" in browser.give(wrong)
    wrong.write_text("label,x,y,slice,shape_type,shape_id,vertex\nb,1,1,1,polyline,1,1\n")
    assert "row 2: vertex 1 is out of order" in browser.give(wrong)


def test_curves_of_slicer_are_read(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    png = opened(GEOMETRIES["oblique"])
    pixels = np.array([[5.0, 6.0, 1.0], [20.0, 8.0, 3.0], [30.0, 25.0, 6.0]])
    patient = png.to_patient(pixels[:, :2], pixels[:, 2]).tolist()
    markups = [
        {"type": kind, "name": name, "coordinateSystem": "LPS",
         "controlPoints": [{"label": f"{name}-{i}", "position": at} for i, at in enumerate(patient)]}
        for kind, name in (("ClosedCurve", "orbit"), ("Curve", "jaw"), ("Fiducial", "tips"))
    ]  # fmt: skip
    given = tmp_path / "slicer.mrk.json"
    given.write_text(json.dumps({"markups": markups}))
    assert "new landmarks: 5 of 5" in browser.give(given)
    assert browser.names() == ["orbit", "jaw", "tips-0", "tips-1", "tips-2"]
    table = rows(browser.download("#save-csv").read_text())
    assert [row["shape_type"] for row in table[:6]] == ["polygon"] * 3 + ["polyline"] * 3
    found = np.array([[float(row[name]) for name in ("x", "y", "slice")] for row in table[:3]])
    assert np.abs(found - pixels).max() < 1e-6


def test_vertices_are_dragged_like_landmarks(browser: Browser, opened: Opened) -> None:
    """A click on one places a landmark there, as at the ends of a curve; undo goes back."""
    opened(GEOMETRIES["oblique"])
    browser.press("c")
    draw(browser, (0.35, 0.35, 0), (0.5, 0.4, 0), (0.6, 0.6, 1))
    browser.press("f")
    browser.press(UP)
    browser.shown()

    def vertices() -> list[list[float]]:
        table = [row for row in browser.saved() if row["shape_type"] == "polyline"]
        return [[float(row[name]) for name in ("x", "y", "slice")] for row in table]

    before = vertices()
    browser.hold(browser.at(0.5, 0.4))
    browser.haul(browser.at(0.55, 0.5))
    browser.haul(browser.at(0.45, 0.55))
    browser.press(ESCAPE)
    browser.let_go(browser.at(0.45, 0.55))
    assert vertices() == before, "it was let go"
    browser.drag(browser.at(0.5, 0.4), browser.at(0.45, 0.55))
    place = [*browser.numbers("#png")[:2], browser.slice()]
    after = vertices()
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1] == pytest.approx(place, abs=2e-3)
    browser.press("z", hold=(CONTROL,))
    assert vertices() == before
    browser.click(browser.at(0.35, 0.35))
    assert browser.names() == ["curve 1", "L1"] and vertices() == before
    browser.drag(browser.at(0.35, 0.35), browser.at(0.3, 0.5))
    assert vertices() == before, "the landmark is taken before the vertex under it"


def test_points_of_a_curve_that_a_file_holds_come_back_as_they_are(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    """Ten points of a drawn curve go to Slicer's file, through the page and back."""
    png = opened(GEOMETRIES["oblique"])
    browser.press("c")
    draw(browser, (0.4, 0.4, 0), (0.55, 0.42, 1), (0.5, 0.6, 2))
    browser.press("f")
    first = tmp_path / "first.mrk.json"
    made = sidecar.map_points(browser.download("#save-csv"), png)
    made.write(first)
    browser.press(DELETE)
    assert "new landmarks" in browser.give(first)
    browser.push("#landmarks .where")
    assert browser.find("#curve-points").get_attribute("value") == ""
    saved = browser.download("#save-csv")
    assert {row["curve_points"] for row in rows(saved.read_text())} == {""}
    again = sidecar.map_points(saved, png)
    assert len(again) == len(made) == 10
    assert np.abs(again.patient - made.patient).max() < 1e-6

    browser.type("#curve-points", "7")
    browser.js("document.activeElement.blur()")
    assert len(sidecar.map_points(browser.download("#save-csv"), png)) == 7
    browser.press("z", hold=(CONTROL,))
    assert browser.download("#save-csv").read_text() == saved.read_text()
    browser.reload()
    assert browser.download("#save-csv").read_text() == saved.read_text(), "it is kept"
