"""The planes across the slice: what is clicked in any of the three is where it is in the patient."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.browser import CONTROL, DOWN, ENTER, ESCAPE, RIGHT, SHIFT, UP, Browser
from kit.command_line import invoked
from kit.made_exports import GEOMETRIES, Draw, Export
from kit.phantoms import Phantom, Spec, write_values
from kit.served_page import served, with_modules
from kit.tables import rows
from numpy.typing import NDArray

import sidecar
from sidecar.document.writing import facts
from sidecar.grid.axis import Axis
from sidecar.mapping import Sidecar
from sidecar.viewer.display import measured_images
from sidecar.viewer.page import write_viewer

#: Opens the page of an export as a server gives it, and waits until all voxels are held.
Serve = Callable[[Path], None]

#: What frames the pictures, in the way of who looks for bright pixels.
HIDE = """document.querySelectorAll('.marks, .letters, .corner').forEach((e) => { e.style.visibility = 'hidden'; })"""
SHOW = """document.querySelectorAll('.marks, .letters, .corner').forEach((e) => { e.style.visibility = ''; })"""


@pytest.fixture
def serve(browser: Browser) -> Iterator[Serve]:
    with ExitStack() as servers:

        def open_page(folder: Path) -> None:
            browser.open(servers.enter_context(served(folder)))
            browser.until(lambda: not browser.all(".planes .note"), "all voxels")

        yield open_page
        browser.leave()


@pytest.fixture
def made(serve: Serve, tmp_path: Path) -> Callable[..., Sidecar]:
    """Writes an export and opens its page as served."""

    def make(export: Export, draw: Draw | None = None) -> Sidecar:
        made_sidecar = export.write(tmp_path, draw)
        serve(tmp_path)
        return made_sidecar

    return make


def picture_of(browser: Browser, selector: str) -> NDArray[np.uint8]:
    """The grey of a surface, its dark ground black, with nothing over it."""
    browser.js(HIDE)
    left, top, width, height = (round(edge) for edge in browser.box(selector))
    picture = browser.screenshot()[top : top + height, left : left + width].min(axis=2)
    browser.js(SHOW)
    return np.where(picture >= 30, picture, 0)


def bright(browser: Browser, selector: str) -> tuple[float, float]:
    """Where, in the window, the middle of what is bright on a surface is."""
    left, top, _, _ = (round(edge) for edge in browser.box(selector))
    weight = picture_of(browser, selector).astype(float)
    assert weight.sum() > 0, f"nothing is bright in {selector}"
    down, right = (indices + 0.5 for indices in np.indices(weight.shape))
    middle = (right * weight).sum(), (down * weight).sum()
    return left + float(middle[0] / weight.sum()), top + float(middle[1] / weight.sum())


SURFACES = ("#stage", '[data-plane="0"]', '[data-plane="1"]')


# Bytes


def test_the_voxels_held_are_the_bytes_of_the_pngs(browser: Browser, tmp_path: Path) -> None:
    """Every grey there is, in images that are no whole number of squares wide or high; each byte is
    read in the plane of its x and in that of its y.
    """
    noise = np.random.default_rng(4).integers(0, 256, (9, 45, 61)).astype(np.uint8)
    noise[0].flat[:256] = np.arange(256)
    noise[1] = 128
    columns, rows = Axis.stride(0, 61, 1), Axis.stride(0, 45, 1)
    export = Export(columns=columns, rows=rows, source_size=(61, 45, 9))
    export.write(tmp_path, lambda slice, shape: noise[slice])
    code = """
        const done = arguments[0];
        import("./pixels/voxels.js").then(({ Voxels }) => {
            const names = [...Array(9).keys()].map((i) => `slice_000${i}.png`);
            const urls = names.map((name) => new URL(name, location.href).href);
            const size = [61, 45, 9];
            const voxels = new Voxels({ urls, names, size, changed() {
                if (voxels.answered < 9) return;
                const table = Uint32Array.from({ length: 256 }, (_, byte) => byte);
                const cut = (axis, index) => {
                    const pixels = new Uint32Array(size[1 - axis] * 9);
                    voxels.cut(axis, index, table, pixels);
                    return [...pixels];
                };
                done([voxels.failure, [0, 1].map((axis) => [...Array(size[axis]).keys()].map((index) => cut(axis, index)))]);
            } });
            voxels.load(4);
        });
    """
    with with_modules(tmp_path) as url:
        browser.driver.get(url)
        failure, (by_x, by_y) = browser.driver.execute_async_script(code)
    assert failure is None
    assert (np.array(by_x).reshape(61, 9, 45).transpose(1, 2, 0) == noise).all()
    assert (np.array(by_y).reshape(45, 9, 61).transpose(1, 0, 2) == noise).all()


# Where a click goes


@dataclass(frozen=True)
class Case:
    """A scan, how it is exported, and the source voxel that is bright."""

    spec: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    marker: tuple[int, int, int] = (23, 31, 14)


#: Slices 11 to 14 are 1 mm apart, so that the voxel is as thick above its middle as below.
UNEVEN = (*([1.0] * 9), 2.5, 0.7, *([1.0] * 3), 3.1, *([1.0] * 8))
CASES = {
    "unequal spacing": Case(),
    "tilted": Case({"tilt_degrees": 18.0}),
    "sagittal": Case({}, {"plane": "sagittal"}),
    "sagittal, tilted": Case({"tilt_degrees": -14.0}, {"plane": "sagittal"}),
    "coronal, its slices turned round": Case({"orientation": "oblique"}, {"plane": "coronal"}),
    "every second": Case({}, {"z_step": 2}),
    "every second, tilted, uneven": Case(
        {"tilt_degrees": 18.0, "slice_gaps": UNEVEN}, {"z_step": 2}, (23, 31, 12)
    ),
    "head first, rows to the feet": Case({"orientation": "coronal", "order": "descending"}),
    "uneven, tilted": Case({"slice_gaps": UNEVEN, "tilt_degrees": 12.0}, {}, (23, 31, 12)),
    "16 bits": Case({}, {"bits": 16}),
}


def marked(case: Case, folder: Path) -> tuple[Phantom, Sidecar]:
    """A black scan with one bright voxel, and its export."""
    grid = {"columns": 56, "rows": 50, "slices": 24, "bits_stored": 12, **case.spec}
    spec = Spec(**grid, markers=False, junk=False)
    values = np.zeros((spec.slices, spec.rows, spec.columns), np.int32)
    column, row, slice = case.marker
    values[slice, row, column] = 1000
    phantom = write_values(spec, folder / "scan", values)
    options = {"scale": 1, "window": (500.0, 1000.0), **case.options}
    if options.get("bits") == 16:
        del options["window"]
    return phantom, sidecar.export(folder / "scan", folder / "png", **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_click_on_a_voxel_in_any_plane_is_that_voxel(
    browser: Browser, serve: Serve, tmp_path: Path, name: str
) -> None:
    """The picture is the judge, and the truth that of the phantom: within half a pixel where all
    of the stack is shown, and a tenth where it is zoomed.
    """
    case = CASES[name]
    phantom, png = marked(case, tmp_path)
    xy, along = png.from_source([case.marker])
    serve(tmp_path / "png")
    browser.type(".count input", str(round(along[0])))
    browser.shown()
    if case.options.get("bits") == 16:
        browser.push(".contrast .actions button", 1)  # All: values from the lowest to the highest
    browser.click(bright(browser, "#stage"), control=True)  # the planes across go through it
    assert browser.names() == []
    saved = []
    for zoom in (0, 7):
        for surface in SURFACES:
            browser.wheel(zoom and -zoom, at=bright(browser, surface), control=True)
            browser.click(bright(browser, surface))
            browser.shown()
            saved.append(browser.download("#save-csv").read_bytes().splitlines(keepends=True))
            browser.press("z", hold=(CONTROL,))  # its mark would be hit by the next click
    (tmp_path / "labels.csv").write_bytes(b"".join([saved[0][0], *(row for _, row in saved)]))
    invoked("map-points", tmp_path / "labels.csv", "--sidecar", tmp_path / "png", "-o", tmp_path / "mapped.csv")  # fmt: skip
    factors = np.abs([axis.factor for axis in png.decimation.png_axes])
    reach = np.linalg.norm(np.array(phantom.patient(1, 1, 1)) - phantom.patient(0, 0, 0))
    for i, row in enumerate(rows(tmp_path / "mapped.csv")):
        bound = 0.1 if i >= 3 else 0.5
        off = [
            float(row["x"]) - xy[0][0],
            float(row["y"]) - xy[0][1],
            float(row["slice"]) - along[0],
        ]
        assert np.abs(off).max() <= bound, f"label {i + 1} is {off} PNG pixels off"
        source = [float(row[f"source_{axis}"]) for axis in ("column", "row", "slice")]
        assert np.abs(np.subtract(source, case.marker)).max() <= bound * factors.max()
        patient = [float(row[f"{axis}_mm"]) for axis in "xyz"]
        away = np.linalg.norm(np.subtract(patient, phantom.patient(*case.marker)))
        assert away <= bound * reach * factors.max()


def crossing(browser: Browser, selector: str) -> tuple[float, float]:
    """Where, in the window, the cross of a surface is."""
    left, top, _, _ = browser.box(selector)
    path = browser.find(f"{selector} .cross path").get_attribute("d")
    numbers = [float(part) for part in re.findall(r"-?[\d.]+(?:e-?\d+)?", path)]
    return left + numbers[6], top + numbers[1]


def test_the_cross_joins_the_planes(browser: Browser, made: Callable[..., Sidecar]) -> None:
    """A click in one plane moves the cross in all of them, and what it has in common stays."""
    made(GEOMETRIES["oblique"])
    before = {surface: crossing(browser, surface) for surface in SURFACES}
    x, y = before[SURFACES[2]]
    browser.click((x + 40, y - 30), control=True)  # x to the right, slices up
    browser.shown()
    after = {surface: crossing(browser, surface) for surface in SURFACES}
    assert after[SURFACES[2]] == pytest.approx((x + 40, y - 30), abs=0.01)
    assert after["#stage"][0] > before["#stage"][0]
    assert after["#stage"][1] == pytest.approx(before["#stage"][1])
    assert after[SURFACES[1]][0] < before[SURFACES[1]][0]
    assert after[SURFACES[1]][1] == pytest.approx(before[SURFACES[1]][1])
    assert browser.names() == []
    browser.wheel(1)  # another slice: the cross goes along, to its middle
    browser.shown()
    assert crossing(browser, SURFACES[2])[0] == pytest.approx(x + 40, abs=0.01)
    assert crossing(browser, SURFACES[2])[1] > y - 30


@pytest.mark.parametrize("name", ["not square", "uneven", "tilted", "sagittal", "coronal"])
def test_planes_have_the_proportions_of_the_patient(
    browser: Browser, made: Callable[..., Sidecar], name: str
) -> None:
    """Three clicks in a plane: the sides and angles on the screen are those between the labels."""
    export = made(GEOMETRIES[name])
    for surface in SURFACES[1:]:
        rows, columns = np.nonzero(picture_of(browser, surface))
        left, top, _, _ = browser.box(surface)
        middle = np.array([left + np.median(columns), top + np.median(rows)])
        reach = np.array([np.ptp(columns), np.ptp(rows)])
        parts = ((0, 0), (0.3, 0), (0, 0.2), (-0.3, -0.15))
        clicked = [middle + reach * part for part in parts]
        labels = []
        for at in clicked:
            browser.click((float(at[0]), float(at[1])))
            browser.shown()
            [row] = browser.saved()
            labels.append([float(row[axis]) for axis in ("x", "y", "slice")])
            browser.press("z", hold=(CONTROL,))
        patient = export.to_patient([label[:2] for label in labels], [p[2] for p in labels])
        screen = [np.linalg.norm(a - b) for a, b in combinations(clicked, 2)]
        lengths = [np.linalg.norm(a - b) for a, b in combinations(patient, 2)]
        scale = np.divide(lengths, screen)
        assert np.abs(scale / scale.mean() - 1).max() < 0.01


ROUNDED = Export(heights=tuple(round(i / 3, 3) for i in range(9)))


@pytest.mark.parametrize("name", [*sorted(set(GEOMETRIES) - {"one slice"}), "rounded"])
def test_sheets_agree_with_python(browser: Browser, tmp_path: Path, name: str) -> None:
    """Distances on a sheet are those between the same points in the patient, and it has an inverse;
    uneven gaps cut it into pieces, rounded positions do not.
    """
    export = GEOMETRIES.get(name, ROUNDED).write(tmp_path)
    document = facts(export.document)
    rng = np.random.default_rng(3)
    code = """
        const [doc, axes, points, done] = arguments;
        Promise.all([import("./geometry/mapping.js"), import("./geometry/cross.js")]).then(([{ mappingOf }, { sheetOf }]) => {
            const sheet = sheetOf(mappingOf(doc), ...axes);
            const places = points.map(sheet.toSheet);
            done([places, places.map(sheet.toPixel), sheet.pieces.length]);
        });
    """
    with with_modules(tmp_path) as url:
        browser.driver.get(url)
        for axes in ((2, 1), (0, 2)):
            size = [export.size[axis] for axis in axes]
            points = rng.uniform(-0.5, np.array(size) - 0.5, (40, 2))
            spots = np.tile((np.array(export.size) - 1) / 2, (40, 1))
            spots[:, axes] = points
            patient = export.to_patient(spots[:, :2], spots[:, 2])
            places, back, pieces = browser.driver.execute_async_script(
                code, document, axes, points.tolist()
            )
            off = np.linalg.norm(np.diff(places, axis=0), axis=1)
            true = np.linalg.norm(np.diff(patient, axis=0), axis=1)
            bound = 1e-2 if name == "nearly parallel" else 1e-9 * np.abs(patient).max()
            assert np.abs(off - true).max() < bound
            assert np.abs(np.subtract(back, points)).max() < 1e-8
            is_bent = name == "uneven" or (name == "sagittal" and axes == (2, 1))
            assert pieces == (5 if is_bent else 1)


def test_a_landmark_is_dragged_in_any_plane(browser: Browser, made: Callable[..., Sidecar]) -> None:
    made(GEOMETRIES["axial"])
    browser.click(crossing(browser, "#stage"))
    [before] = browser.saved()
    x, y = crossing(browser, SURFACES[2])
    browser.drag((x, y), (x + 30, y + 20))
    browser.shown()
    [after] = browser.saved()
    assert float(after["x"]) > float(before["x"]) + 1
    assert float(after["slice"]) > float(before["slice"]) + 1
    assert float(after["slice"]) % 1 != 0
    nearest = round(float(after["slice"]))
    assert (after["image"], after["y"]) == (f"slice_{nearest:04}.png", before["y"])
    assert crossing(browser, SURFACES[2]) == pytest.approx((x + 30, y + 20), abs=0.05)


def test_a_drag_leaves_what_it_does_not_move_as_it_was(
    browser: Browser, made: Callable[..., Sidecar], tmp_path: Path
) -> None:
    """To the last digit: a landmark from between two slices, dragged in its slice and in a plane."""
    made(GEOMETRIES["axial"])
    (tmp_path / "labels.csv").write_text("x,y,slice,label\n20.1234567,30.7654321,4.3456789,a\n")
    browser.give(tmp_path / "labels.csv")
    browser.press("n")
    for surface in ("#stage", SURFACES[1]):
        x, y = crossing(browser, surface)
        [before] = browser.saved()
        browser.drag((x, y), (x + 15, y + 10))
        browser.shown()
        [after] = browser.saved()
        kept = "slice" if surface == "#stage" else "x"
        assert after[kept] == before[kept]
        assert after["y"] != before["y"]


def test_by_keys_alone(browser: Browser, made: Callable[..., Sidecar]) -> None:
    """Each plane has the focus in turn; the cross is nudged in it by a few screen pixels."""
    made(GEOMETRIES["not square"])
    for plane, (right, down) in enumerate([(2, 1), (0, 2)]):
        browser.js(f"document.querySelector('[data-plane=\"{plane}\"]').focus()")
        for key, axis in ((RIGHT, right), (DOWN, down)):
            browser.press("+", "+")
            before, seen = browser.numbers("#png"), crossing(browser, SURFACES[1 + plane])
            browser.press(key, hold=(SHIFT,))
            browser.press(key, hold=(SHIFT,))
            browser.shown()
            moved = np.subtract(browser.numbers("#png"), before)
            assert moved[axis] > 0
            assert np.count_nonzero(np.abs(moved) > 1e-9) == 1
            steps = np.subtract(crossing(browser, SURFACES[1 + plane]), seen) / 2
            assert 2 - 1e-3 <= np.linalg.norm(steps) <= 5 + 1e-3
    before = browser.numbers("#png")
    browser.press(ENTER)
    assert browser.numbers("#landmarks .chosen .pixel") == before
    browser.press(UP, hold=(SHIFT,))
    browser.press("m")
    [row] = browser.saved()
    assert [float(row[axis]) for axis in ("x", "y", "slice")] == browser.numbers("#png")
    assert 0 < before[2] - float(row["slice"]) < 1
    assert float(row["slice"]) % 1 != 0


@pytest.mark.parametrize("surface", SURFACES)
def test_enter_places_where_the_cross_was_put_with_the_pointer(
    browser: Browser, made: Callable[..., Sidecar], surface: str
) -> None:
    """By Ctrl and a click, and with Shift as the pointer goes; also when it has gone on since."""
    made(GEOMETRIES["axial"])
    x, y = crossing(browser, surface)
    browser.click((x + 20, y - 15), control=True)
    browser.shown()
    put = browser.numbers("#png")
    browser.move((x - 40, y + 20))
    browser.press(ENTER)
    assert browser.numbers("#landmarks .chosen .pixel") == pytest.approx(put, abs=1e-3)
    browser.move((x + 35, y + 10), shift=True)
    browser.shown()
    put = browser.numbers("#png")
    browser.press(ENTER)
    assert browser.numbers("#landmarks .chosen .pixel") == pytest.approx(put, abs=1e-3)
    browser.move((x + 25, y + 25), shift=True)
    browser.shown()
    put = browser.numbers("#png")
    browser.move((x + 5, y + 5))
    browser.press("m")
    assert browser.numbers("#landmarks .chosen .pixel") == pytest.approx(put, abs=1e-3)
    assert browser.names() == ["L1", "L2"]


def test_every_control_has_a_name(browser: Browser, made: Callable[..., Sidecar]) -> None:
    made(GEOMETRIES["axial"])
    for control in browser.all("button, input:not([hidden]), [tabindex='0'], progress"):
        assert control.accessible_name, control.get_attribute("outerHTML")
    names = {plane.accessible_name.split(":")[0] for plane in browser.all(".pane")}
    assert names == {"Plane across the slice at x 31", "Plane across the slice at y 31"}


# The magnifier


@pytest.mark.parametrize("surface", SURFACES)
def test_the_magnifier_shows_what_is_under_the_pointer(
    browser: Browser, made: Callable[..., Sidecar], surface: str
) -> None:
    """A bright voxel under the pointer is in its middle, twice as large or larger."""

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.zeros(shape, np.uint8)
        pixels[31, 31] = 255 if slice == 4 else 0
        return pixels

    made(GEOMETRIES["axial"], draw)
    x, y = bright(browser, surface)
    assert browser.all(".magnifier") == []
    browser.press("g")
    browser.move((x, y))
    left, top, width, height = (round(edge) for edge in browser.box(f"{surface} .magnifier"))
    assert not left <= x <= left + width or not top <= y <= top + height
    browser.js("document.querySelector('.magnifier svg').style.visibility = 'hidden'")
    seen = browser.screenshot()[top + 20 : top + height - 20, left + 20 : left + width - 20]
    rows, columns = np.nonzero(seen.min(axis=2) > 128)
    assert abs(rows.mean() + 0.5 - seen.shape[0] / 2) < 3
    assert abs(columns.mean() + 0.5 - seen.shape[1] / 2) < 3
    assert len(np.unique(columns)) >= 12
    browser.press("g")
    assert browser.all(".magnifier") == []


def test_the_magnifier_needs_no_server(browser: Browser, tmp_path: Path) -> None:
    browser.open(write_viewer(Export().write(tmp_path), tmp_path))
    browser.push("#magnify")
    browser.move(browser.at(0.5, 0.5))
    assert browser.find("#stage .magnifier").is_displayed()


# Why there is one plane


def test_a_page_from_disk_says_how_to_get_three_planes(browser: Browser, tmp_path: Path) -> None:
    browser.open(write_viewer(Export().write(tmp_path), tmp_path))
    assert browser.all(".planes") == []
    browser.push("#three")
    assert "sidecar label FOLDER" in browser.message()
    browser.press("?")
    assert "sidecar label FOLDER" in browser.text(".served-instead")
    assert browser.find("#three").get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (Export(channels=3), "this stack has colours"),
        (GEOMETRIES["one slice"], "One image has no planes across it"),
    ],
)
def test_a_stack_without_planes_across_says_why(
    browser: Browser, tmp_path: Path, export: Export, reason: str
) -> None:
    export.write(tmp_path)
    with served(tmp_path) as url:
        browser.open(url)
        browser.press("t")
        assert reason in browser.message()
        browser.press("?")
        assert reason in browser.text("#one-plane")
        browser.press(ESCAPE)
        browser.until(lambda: not browser.all("dialog"), "the help to close")
        browser.click(browser.at(0.45, 0.4))
        assert len(browser.names()) == 1
        browser.leave()


def test_more_voxels_than_a_page_holds_are_left_where_they_are(browser: Browser) -> None:
    """1 GB is held, a slice more is not."""
    code = """import(arguments[0]).then(({ whyNoVoxels }) => [1024, 1025].map((slices) =>
        whyNoVoxels({ images: { channels: 1 }, size: [1024, 1024, slices], isServed: true })
    )).then(arguments[1])"""
    text = (
        files("sidecar.viewer").joinpath("web", "pixels", "voxels.js").read_text(encoding="utf-8")
    )
    body = text.replace('import { startDecoders } from "./decoder.js";\n', "")
    module = "data:text/javascript;base64," + base64.b64encode(body.encode()).decode()
    browser.driver.get("about:blank")
    held, larger = browser.driver.execute_async_script(code, module)
    assert held is None
    assert "1.1 GB of voxels, but a page holds 1 GB at most" in larger


def test_a_png_that_cannot_be_read_is_named_and_takes_no_landmark(
    browser: Browser, tmp_path: Path
) -> None:
    Export(source_size=(64, 64, 20), slices=Axis.stride(0, 20, 1)).write(tmp_path)
    gone = next(slice for slice in range(11, 20) if slice not in measured_images(20))
    with served(tmp_path) as url:
        (tmp_path / f"slice_{gone:04}.png").write_bytes(b"this was a PNG")
        browser.open(url)
        browser.until(lambda: browser.all(".planes [role=alert]"), "the failure")
        assert f"slice_{gone:04}.png cannot be read" in browser.text(".planes [role=alert]")
        browser.until(lambda: browser.names() == [], "the list")
        browser.js("document.querySelector('.planes [role=alert]').style.visibility = 'hidden'")
        x, y = crossing(browser, SURFACES[2])  # slice 9, and 1 mm further down the next one
        pixels = (browser.box(SURFACES[2])[2] - 44) / 32
        browser.click((x, y + (gone - 9) * pixels))
        assert browser.names() == []
        browser.click((x, y + (gone - 8) * pixels))
        assert browser.names() == ["L1"]
        browser.leave()
    browser.complaints()  # the browser's own word on the missing file


def test_a_narrow_page_has_the_planes_below_and_cuts_nothing_off(
    browser: Browser, made: Callable[..., Sidecar]
) -> None:
    browser.resize(500, 1000, touch=True)
    made(GEOMETRIES["oblique"])
    assert browser.box()[3] >= 500
    _, top, _, height = browser.box("#readout")
    lowest = max(
        element.rect["y"] + element.rect["height"] for element in browser.all("#readout dd")
    )
    assert lowest <= top + height
    for surface in SURFACES[1:]:
        assert browser.box(surface)[1] >= top + height
        assert browser.box(surface)[3] > 300
