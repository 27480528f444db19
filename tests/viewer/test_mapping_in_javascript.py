"""The page's own mapping, run in a browser, against the Python one."""

from __future__ import annotations

import base64
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.browser import Browser
from kit.made_exports import GEOMETRIES, Export
from kit.mapping_vectors import FILE
from kit.reader_vectors import FILE as READER_FILE
from kit.reader_vectors import text_of

from sidecar.document.writing import facts
from sidecar.errors import GeometryError
from sidecar.grid.stack import anatomical_letters

TOLERANCE_MM = 1e-6
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}


def run(browser: Browser, module: str, code: str, *arguments: Any) -> Any:
    """``code`` with the exports of a module of the page as ``m``, on an empty page."""
    if browser.driver.current_url != "about:blank":
        browser.driver.get("about:blank")
    text = files("sidecar.viewer").joinpath("web", module).read_text(encoding="utf-8")
    url = "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()
    wrapped = f"""
        const [url, args, done] = arguments;
        import(url).then((m) => {{ {code} }}).then(
            (value) => done({{ value }}), (error) => done({{ error: String(error.message) }}));
    """
    answer = browser.driver.execute_async_script(wrapped, url, list(arguments))
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["value"]


def points_on(
    export: Export, size: tuple[int, int, int], count: int = 400
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Points all over a stack and beyond its ends, whole and fractional slices."""
    rng = np.random.default_rng(17)
    points = rng.uniform([-3, -3, -2], np.array(size) + 2, (count, 3))
    points[::2, 2] = np.round(points[::2, 2])
    if export.source_size[2] == 1:
        points[:, 2] = 0
    return points


@pytest.mark.parametrize("name", CASES)
def test_the_vectors_map_and_come_back(browser: Browser, name: str) -> None:
    """The points of each are its control points too, as the page checks these before it maps."""
    case, tolerance = CASES[name], VECTORS["tolerance"]
    document = {**case["document"], "control_points": case["points"]}
    code = """
        const map = m.mappingOf(args[0]);
        return args[0].control_points.map(({ pixel, source, patient }) => ({
            source: map.toSource(pixel),
            patient: map.toPatient && map.toPatient(pixel),
            pixels: [map.toPixel(source), map.fromPatient ? map.fromPatient(patient) : pixel],
            instance: map.instanceOf(pixel[2]),
        }));
    """
    for point, found in zip(
        case["points"], run(browser, "geometry/mapping.js", code, document), strict=True
    ):
        assert np.abs(np.subtract(found["source"], point["source"])).max() < tolerance["source"]
        if point["patient"] is None:
            assert found["patient"] is None
        else:
            off = np.subtract(found["patient"], point["patient"])
            assert np.abs(off).max() < tolerance["patient"]
        assert np.abs(np.subtract(found["pixels"], [point["pixel"]] * 2)).max() < tolerance["pixel"]
        if document["decimation"]["order"][2] != "slices":  # one PNG lies across all instances
            assert found["instance"] is None
        elif point["sop_instance_uid"] is not None:  # the page asks of PNGs, which are on the scan
            for key in ("sop_instance_uid", "frame_number"):
                assert found["instance"][key] == point[key]


def test_the_nearest_sample_is_that_of_the_vectors(browser: Browser) -> None:
    places = [pair["place"] for pair in VECTORS["nearest"]]
    found = run(browser, "geometry/mapping.js", "return args[0].map(m.nearest);", places)
    assert found == [pair["sample"] for pair in VECTORS["nearest"]]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_patient_and_source_agree_with_python(browser: Browser, tmp_path: Path, name: str) -> None:
    sidecar = GEOMETRIES[name].write(tmp_path)
    points = points_on(GEOMETRIES[name], sidecar.size)
    patient, source, back = run(
        browser,
        "geometry/mapping.js",
        """
        const map = m.mappingOf(args[0]);
        const patient = args[1].map(map.toPatient);
        return [patient, args[1].map(map.toSource), patient.map(map.fromPatient)];
        """,
        facts(sidecar.document),
        points.tolist(),
    )
    expected = sidecar.to_patient(points[:, :2], points[:, 2])
    assert np.abs(np.array(patient) - expected).max() < TOLERANCE_MM
    assert np.abs(np.array(source) - sidecar.to_source(points[:, :2], points[:, 2])).max() < 1e-9
    assert np.abs(np.array(back) - points).max() < 1e-6
    xy, slices = sidecar.from_patient(expected)
    assert np.abs(np.array(back) - np.column_stack([xy, slices])).max() < 1e-6


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_nearest_instance_is_the_one_python_names(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    sidecar = GEOMETRIES[name].write(tmp_path)
    count = sidecar.size[2]
    code = (
        "const map = m.mappingOf(args[0]); return args[1].map((slice) =>"
        " map.instanceOf(slice)?.sop_instance_uid ?? null);"
    )
    shown = run(browser, "geometry/mapping.js", code, facts(sidecar.document), list(range(count)))
    if sidecar.decimation.along[2] != 2:  # one PNG lies across all instances
        assert shown == [None] * count
        return
    assert (
        shown
        == sidecar.instances(
            sidecar.to_source(np.zeros((count, 2)), np.arange(count))
        ).sop_instance_uid
    )


def test_letters_are_those_of_python(browser: Browser) -> None:
    directions = [
        *np.random.default_rng(3).normal(size=(300, 3)).tolist(),
        [1, 0, 0],
        [0, -1, 0],
        [0, 0, -2],
        [0, 0.9, -0.4],
    ]
    letters = run(
        browser, "geometry/mapping.js", "return args[0].map(m.anatomicalLetters);", directions
    )
    assert letters == [anatomical_letters(direction) for direction in directions]


def test_a_point_off_the_only_slice_is_refused(browser: Browser, tmp_path: Path) -> None:
    sidecar = GEOMETRIES["one slice"].write(tmp_path)
    assert sidecar.stack is not None
    off = sidecar.stack.positions[0] + 0.6 * sidecar.stack.normal * min(sidecar.stack.pixel_spacing)
    code = "return m.mappingOf(args[0]).fromPatient(args[1]);"
    with pytest.raises(RuntimeError, match="off the only slice"):
        run(browser, "geometry/mapping.js", code, facts(sidecar.document), off.tolist())
    assert np.isnan(sidecar.stack.to_index(off)).any()
    with pytest.raises(RuntimeError, match="no spacing along its normal"):
        code = "return m.mappingOf(args[0]).toPatient([0, 0, 1]);"
        run(browser, "geometry/mapping.js", code, facts(sidecar.document))
    with pytest.raises(GeometryError):
        sidecar.to_patient([0, 0], 1)


def test_a_document_that_was_changed_by_hand_is_refused(browser: Browser, tmp_path: Path) -> None:
    document = facts(GEOMETRIES["oblique"].write(tmp_path).document)
    document["decimation"]["columns"]["offset"] += 0.5
    with pytest.raises(
        RuntimeError, match="control point 0 of the sidecar does not map to its place"
    ):
        run(browser, "geometry/mapping.js", "m.mappingOf(args[0]);", document)


def test_the_page_takes_the_documents_of_the_vectors_and_checks_what_is_its_duty(
    browser: Browser,
) -> None:
    """A page embeds a document that Python has checked. That its own mapping meets the control
    points of that document is what it checks itself.
    """
    whole = json.loads(READER_FILE.read_text(encoding="utf-8"))
    chosen = [
        vector
        for vector in whole["vectors"]
        if vector["verdict"] == "accept" or vector["rule"] == "control_points"
    ]
    texts = [text_of(vector, whole["documents"]) for vector in chosen]
    code = """
        return args[0].map((text) => {
            try { m.mappingOf(JSON.parse(text)); } catch (error) { return String(error.message); }
            return "accept";
        });
    """
    for vector, said in zip(chosen, run(browser, "geometry/mapping.js", code, texts), strict=True):
        if vector["verdict"] == "accept":
            assert said == "accept", vector["name"]
        else:
            expected = ("control point", "a single slice has no spacing along its normal")
            assert said.startswith(expected), vector["name"]


def test_zooming_leaves_the_point_under_the_pointer_where_it_is(browser: Browser) -> None:
    rng = np.random.default_rng(5)
    cases = [
        [*rng.uniform(0, 1, 2), float(rng.uniform(0.3, 4)), float(rng.uniform(0.4, 2.5))]
        for _ in range(200)
    ]
    code = """
        const [stage, size] = [{ width: 901.5, height: 633 }, [300, 200]];
        return args[0].map(([right, down, aspect, factor]) => {
            const view = { ...m.fitView(aspect, stage, size), scale: 12 };
            const at = [450 + 100 * (right - 0.5), 300 + 100 * (down - 0.5)];
            const before = m.toImage(view, aspect, stage, at);
            return [before, m.toImage(m.zoomAbout(view, aspect, stage, size, at, factor), aspect, stage, at)];
        });
    """
    before, after = np.moveaxis(np.array(run(browser, "geometry/view.js", code, cases)), 1, 0)
    assert np.abs(before - after).max() < 1e-9
