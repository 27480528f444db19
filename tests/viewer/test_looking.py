"""What the page shows in a real browser: slices, sides, scale, contrast, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.browser import (
    DOWN,
    END,
    HOME,
    RIGHT,
    UP,
    Browser,
)
from kit.made_exports import GEOMETRIES, Export, Opened
from kit.numbered_slices import SECONDARY_CAPTURE, write_slices
from numpy.typing import NDArray

import sidecar
from sidecar.grid.axis import Axis

# Slices


def test_slices_by_wheel_keys_slider_and_number(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    assert browser.slice() == 4
    browser.wheel(2)
    browser.shown()
    assert browser.slice() == 6
    browser.wheel(-3)
    browser.shown()
    assert browser.slice() == 3
    browser.press(DOWN, DOWN, UP)
    browser.shown()
    assert browser.slice() == 4
    browser.find("#slice").send_keys(RIGHT)
    browser.shown()
    assert browser.slice() == 5
    browser.type(".count input", "7")
    browser.shown()
    assert browser.slice() == 7
    assert browser.text(".corner.upper.left") == "slice_0007.png"


@pytest.mark.slow
def test_each_slice_shows_its_own_image(browser: Browser, opened: Opened) -> None:
    """The grey of every slice is its number's: what is named is what is seen."""
    opened(GEOMETRIES["axial"])
    x, y = (round(edge) for edge in browser.at(0.5, 0.5))
    for slice, key in enumerate([HOME, *[DOWN] * 8]):
        browser.press(key)
        browser.shown()
        assert browser.slice() == slice
        assert abs(int(browser.screenshot()[y, x, 0]) - (40 + 12 * slice)) <= 1


#: Images arrive when they are let in: let_in('slice_0005.png'). The first to be asked for is let in
#: at once.
GATES = """
    const decode = HTMLImageElement.prototype.decode;
    const gates = new Map();
    let first = null;
    const gate = (name) => {
        if (!gates.has(name)) { const g = {}; g.open = new Promise((open) => { g.let_in = open; }); gates.set(name, g); }
        return gates.get(name);
    };
    window.let_in = (name) => gate(name).let_in();
    HTMLImageElement.prototype.decode = function () {
        const name = this.src.split('/').pop();
        first ??= name;
        return decode.call(this).then(() => (name === first ? null : gate(name).open));
    };
"""


def test_a_landmark_belongs_to_the_image_that_is_seen_also_while_others_are_on_their_way(
    browser: Browser, opened: Opened
) -> None:
    added = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=GATES)
    try:
        opened(GEOMETRIES["axial"])
        x, y = (round(edge) for edge in browser.at(0.5, 0.52))

        def seen() -> int:
            return round((int(browser.screenshot()[y, x, 0]) - 40) / 12)

        browser.press(DOWN, DOWN)  # 6 is wanted, 4 is on the screen
        assert (browser.slice(), seen()) == (4, 4)
        assert browser.text(".loading") == "loading 6…"
        browser.click(browser.at(0.45, 0.4))
        browser.hold(
            browser.at(0.6, 0.3)
        )  # pressed on one image, let go on the next: meant for neither
        browser.js("let_in('slice_0005.png')")
        browser.until(lambda: browser.slice() == 5, "slice 5")
        browser.let_go(browser.at(0.6, 0.3))
        assert (browser.slice(), seen()) == (5, 5)
        browser.click(browser.at(0.55, 0.6))
        browser.js("let_in('slice_0006.png')")
        browser.shown()
        assert (browser.slice(), seen()) == (6, 6)
        browser.click(browser.at(0.5, 0.7))
        assert [(row["image"], row["slice"]) for row in browser.saved()] == [
            ("slice_0004.png", "4"),
            ("slice_0005.png", "5"),
            ("slice_0006.png", "6"),
        ]
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


@pytest.mark.slow
def test_two_thousand_slices_load_as_needed(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    count = 2000
    export = Export(
        source_size=(16, 16, count),
        columns=Axis.stride(0, 16, 1),
        rows=Axis.stride(0, 16, 1),
        slices=Axis.stride(0, count, 1),
    )
    opened(export)
    images = [url for url in browser.requests() if url.endswith(".png")]
    assert 1 <= len(images) <= 20
    browser.wheel(30)
    browser.press(*[DOWN] * 70)
    browser.shown()
    assert browser.slice() == 1099
    browser.press(END)
    browser.shown()
    assert browser.slice() == count - 1
    images = [url for url in browser.requests() if url.endswith(".png")]
    assert len(images) < 300
    frames = browser.driver.execute_async_script("""const done = arguments[0];
        const slider = document.getElementById('slice');
        const times = [];
        let slice = 0;
        const frame = (time) => {
            times.push(time);
            slice += 13;
            if (slice >= 1990) return done(times);
            slider.value = slice;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);""")
    # Sliding through all of it: the page answers in every frame. The limit is loose, for a busy
    # machine.
    assert np.median(np.diff(frames)) < 50


def test_the_place_is_found_again(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    browser.press(END)
    browser.shown()
    browser.reload()
    assert browser.slice() == 8


# How it looks


def test_letters_name_the_sides_of_the_patient(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["cropped"])  # turned a quarter about y: rows run to the head
    assert [browser.text(f".letters.{side}") for side in ("left", "right", "top", "bottom")] == [
        "F",
        "H",
        "A",
        "P",
    ]
    opened(GEOMETRIES["flipped"])
    assert [browser.text(f".letters.{side}") for side in ("left", "right", "top", "bottom")] == [
        "R",
        "L",
        "P",
        "A",
    ]
    opened(GEOMETRIES["coronal"])  # PNG y runs against the slices
    assert [browser.text(f".letters.{side}") for side in ("left", "right", "top", "bottom")] == [
        "R",
        "L",
        "H",
        "F",
    ]
    opened(GEOMETRIES["one slice"])
    assert [browser.text(f".letters.{side}")[0] for side in ("left", "right", "top", "bottom")] == [
        "R",
        "L",
        "A",
        "P",
    ]


def test_a_specimen_lies_along_the_axes_of_the_scanner(browser: Browser, opened: Opened) -> None:
    """It has no patient's head, left or right; RAS turns x and y round, also at the edges."""
    opened(replace(GEOMETRIES["cropped"], specimen="beetle-7"))  # rows run along z, columns along y
    sides = ("left", "right", "top", "bottom")
    assert [browser.text(f".letters.{side}") for side in sides] == ["−z", "+z", "−y", "+y"]
    assert "Specimen mm, scanner axes" in browser.text("#patient")
    assert [name.text for name in browser.all("#patient i")] == ["x", "y", "z"]
    browser.press("l")
    assert [browser.text(f".letters.{side}") for side in sides] == ["−z", "+z", "+y", "−y"]
    assert "atient" not in browser.text("#app")


def test_buttons_say_what_they_do(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    told = {b.text: b.get_attribute("title") for b in browser.all(".contrast button")}
    assert told == {
        "Automatic": "Fit black and white to the values that nearly all pixels have (A)",
        "All": "Show all possible values, from the lowest to the highest",
        "Inverted": "Exchange black and white (I)",
        "Reset": "The contrast that the page opened with (R)",
    }
    for control in browser.all("header button, .slices button, .contrast label"):
        assert control.get_attribute("title") or control.get_attribute("aria-label")
    assert browser.all("[aria-label='Redo (Ctrl+Y)']")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["not square", "tilted", "cropped", "sagittal", "turned over"])
def test_the_scale_bar_is_as_long_as_it_says(browser: Browser, opened: Opened, name: str) -> None:
    sidecar = opened(GEOMETRIES[name])
    length = float(browser.find(".scale").get_attribute("data-length"))
    width = browser.box(".scale")[2]
    left, top, _, _ = browser.box(".scale")
    ends = []
    for x in (left, left + width):
        browser.move((x, top - 60))
        pixel = browser.numbers("#png")
        ends.append(sidecar.to_patient([pixel[:2]], pixel[2])[0])
    assert abs(np.linalg.norm(ends[1] - ends[0]) - length) < 1e-3 * length


def test_pixels_that_are_not_square_are_shown_as_they_lie_in_the_patient(
    browser: Browser, opened: Opened
) -> None:
    """A block of 16 × 5 pixels of 0.25 × 0.8 mm is a square of 4 mm."""

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.zeros(shape, np.uint8)
        pixels[18:23, 40:56] = 255
        return pixels

    opened(GEOMETRIES["not square"], draw)
    left, top, width, height = (round(edge) for edge in browser.box())
    white = (
        browser.screenshot()[top + 40 : top + height - 40, left + 40 : left + width - 40].min(
            axis=2
        )
        > 250
    )
    across, down = white.any(axis=0).sum(), white.any(axis=1).sum()
    assert across > 50
    assert abs(across - down) <= 2


def grey_ramp(highest: int) -> Callable[[int, tuple[int, int]], NDArray[np.uint16]]:
    """Columns from 0 to ``highest`` in even steps."""

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint16]:
        return np.tile(np.linspace(0, highest, shape[1]).round().astype(np.uint16), (shape[0], 1))

    return draw


WIDE = Export(
    source_size=(256, 64, 3),
    columns=Axis.stride(0, 256, 1),
    rows=Axis.stride(0, 64, 1),
    slices=Axis.stride(0, 3, 1),
    bits=16,
)


def middle_row(browser: Browser, columns: int) -> NDArray[np.int64]:
    """The grey of each PNG column in the middle of the stage, zoomed so that the whole width is
    shown.
    """
    left, top, width, height = browser.box()
    zoom = float(
        browser.js("return parseFloat(document.querySelector('.zooms output').textContent)")
    )
    edge = left + width / 2 - columns / 2 * zoom
    middles = np.floor(edge + (np.arange(columns) + 0.5) * zoom).astype(int)
    return browser.screenshot()[round(top + height * 0.4), middles, 0].astype(np.int64)


@pytest.mark.parametrize("highest", [4095, 65535, 700])
def test_a_16_bit_stack_is_seen_well(browser: Browser, opened: Opened, highest: int) -> None:
    """Every grey of a ramp, whatever part of the 16 bits it fills: browsers alone would show 12
    bits in 16 greys.
    """
    opened(WIDE, grey_ramp(highest))
    browser.press("0")
    seen = middle_row(browser, 256)
    values = np.linspace(0, highest, 256).round()
    lower, upper = (np.sort(values)[k] for k in (1, 254))
    expected = np.clip((values - lower) / (upper - lower), 0, 1) * 255
    assert np.abs(seen - expected).max() <= 3
    assert len(np.unique(seen)) > 230


def test_a_narrow_window_of_16_bits_shows_what_8_bits_would_lose(
    browser: Browser, opened: Opened
) -> None:
    """A window of 1/32 of the range: each of its 8 columns has a grey of its own, to one level of
    what arithmetic says.
    """
    opened(WIDE, grey_ramp(4095))
    browser.js("""for (const [id, value] of [['width', Math.log(128)], ['level', 2048]]) {
            const slider = document.getElementById(id);
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
        }""")
    seen = middle_row(browser, 256)
    values = np.linspace(0, 4095, 256).round()
    [level, width] = browser.js(
        "return ['level', 'width'].map((id) => Number(document.getElementById(id).value))"
    )
    assert (level, round(np.exp(width))) == (2048, 128)
    lower, upper = level - np.exp(width) / 2, level + np.exp(width) / 2
    expected = np.clip((values - lower) / (upper - lower), 0, 1) * 255
    assert np.abs(seen - expected).max() <= 2
    assert len(np.unique(seen)) >= 8


def test_window_and_level(browser: Browser, opened: Opened) -> None:
    opened(Export())
    x, y = (round(edge) for edge in browser.at(0.4, 0.4))

    def grey() -> int:
        return int(browser.screenshot()[y, x, 0])

    assert abs(grey() - 88) <= 1  # slice 4 is 40 + 12 · 4, shown as it is
    browser.press("i")
    assert abs(grey() - 167) <= 1
    browser.press("i")
    start = browser.at(0.6, 0.6)
    browser.drag(start, (start[0], start[1] - 80), button="right")
    brighter_level = grey()
    assert brighter_level < 80  # dragging up raises the level: the picture gets darker
    browser.press("r")
    assert abs(grey() - 88) <= 1
    browser.drag(start, (start[0] - 100, start[1]), button="right")
    assert grey() < 75  # a narrower window: what is below its middle gets darker
    assert browser.names() == []


def test_light_and_dark(browser: Browser, opened: Opened) -> None:
    opened(Export())
    light = browser.screenshot()[3, 500].mean()
    browser.scheme("dark")
    dark = browser.screenshot()[3, 500].mean()
    assert light > 230
    assert dark < 60


def test_pixels_along_the_slices_are_as_high_as_the_slices_are_apart(
    browser: Browser, opened: Opened
) -> None:
    """64 columns of 0.5 mm by 9 slices, 1 mm apart along the normal and 0.1 mm along the
    columns.
    """

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        return np.full(shape, 255, np.uint8)

    opened(GEOMETRIES["coronal"], draw)
    left, top, width, height = (round(edge) for edge in browser.box())
    white = (
        browser.screenshot()[top + 24 : top + height - 50, left + 24 : left + width - 24].min(
            axis=2
        )
        > 250
    )
    across, down = white.any(axis=0).sum(), white.any(axis=1).sum()
    assert abs(across / down - 64 * 0.5 / (9 * np.hypot(1, 0.1))) < 0.02


@pytest.mark.parametrize("height", [1000, 720, 560, 430])
def test_a_narrow_page_gives_the_image_half_of_its_height(
    browser: Browser, opened: Opened, height: int
) -> None:
    browser.resize(500, height, touch=True)
    opened(GEOMETRIES["oblique"])
    _, _, across, down = browser.box()
    assert across == 500
    assert down >= height / 2
    browser.click(browser.at(0.5, 0.5))
    browser.js("document.querySelector('#landmarks .chosen').scrollIntoView()")
    _, top, _, row = browser.box("#landmarks .chosen .name")
    assert top + row <= height


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height"), [(1280, 800), (1024, 768), (834, 1112), (780, 437), (400, 780)]
)
def test_nothing_is_cut_off(browser: Browser, opened: Opened, width: int, height: int) -> None:
    browser.resize(width, height, touch=width < 1280)
    opened(GEOMETRIES["oblique"])
    browser.click(browser.at(0.5, 0.5))
    assert browser.js("return document.documentElement.scrollWidth") <= width
    for selector in ("header button", ".slices", "#readout dd", "#patient"):
        for element in range(len(browser.all(selector))):
            code = (
                "const b ="
                " document.querySelectorAll(arguments[0])[arguments[1]].getBoundingClientRect();"
            )
            left, right, bottom = browser.js(
                f"{code} return [b.left, b.right, b.bottom]", selector, element
            )
            assert left >= 0
            assert right <= width
            assert bottom <= height
    _, _, across, down = browser.box()
    assert across >= 300
    assert down >= 180


# When images are not what they should be


def test_a_missing_image_is_told_and_takes_no_landmark(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(GEOMETRIES["axial"])
    (tmp_path / "slice_0008.png").unlink()
    (tmp_path / "slice_0007.png").write_bytes(b"this was a PNG")
    browser.reload()
    for key, name in ((END, "slice_0008.png"), (UP, "slice_0007.png")):
        browser.press(key)
        browser.shown()
        assert browser.text(".failure") == f"{name} cannot be shown: is it still beside this page?"
        browser.click(browser.at(0.4, 0.4))
        assert browser.names() == []
    browser.press(UP)
    browser.shown()
    assert browser.all(".failure") == []
    browser.complaints()  # the browser's own word on the missing file


def test_an_image_of_another_size_is_refused(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    from PIL import Image

    opened(GEOMETRIES["axial"])
    Image.new("L", (32, 64)).save(tmp_path / "slice_0004.png")
    browser.reload()
    assert "32 × 64 pixels, not 64 × 64" in browser.text(".failure")
    browser.click(browser.at(0.4, 0.4))
    assert browser.names() == []


def test_a_page_whose_document_was_changed_says_so(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(GEOMETRIES["axial"])
    page = tmp_path / "viewer.html"
    text = page.read_text(encoding="utf-8")
    decimation = json.dumps({"factor": 1.0, "offset": 0.0}, separators=(",", ":"))[1:-1]
    assert decimation in text
    page.write_text(text.replace(decimation, decimation.replace("0.0", "0.5"), 1), encoding="utf-8")
    browser.driver.get(page.as_uri())
    assert "control point 0 of the sidecar does not map to its place" in browser.text("#app")


def test_a_name_with_signs_that_mean_something_in_an_address(
    browser: Browser, opened: Opened
) -> None:
    names = ("100%.png", "a#b?c.png", "köpfe & ' \" <i>.png")
    opened(Export(source_size=(64, 64, 3), slices=Axis.stride(0, 3, 1), names=names))
    for i, key in enumerate((HOME, DOWN, DOWN)):
        browser.press(key)
        browser.shown()
        assert browser.all(".failure") == []
        assert browser.text(".corner.upper.left") == names[i]


def test_a_voxel_size_given_by_hand_makes_millimetres_without_sides(
    browser: Browser, tmp_path: Path
) -> None:
    write_slices(tmp_path / "scan", kind=SECONDARY_CAPTURE)
    made = sidecar.export(tmp_path / "scan", tmp_path / "png", voxel=(0.03, 0.02, 0.05), scale=0.5)
    browser.open(tmp_path / "png" / "viewer.html")
    browser.click(browser.at(0.45, 0.4))
    browser.press(DOWN)
    browser.shown()
    pixel = browser.numbers("#png")
    mm = made.to_mm([pixel[:2]], pixel[2])[0]
    assert np.abs(mm - browser.numbers("#patient")).max() < 1e-9
    assert browser.all(".letters") == [] and browser.all(".spaces") == []
    assert browser.text(".scale").endswith("mm")
    assert not browser.find("#save-markups").is_enabled()
    assert "LPS" not in browser.text("body")
