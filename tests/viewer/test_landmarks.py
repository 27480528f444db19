"""Landmarks placed, moved and taken away in a real browser: every number is the one that Python
computes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.browser import (
    ALT,
    CONTROL,
    DELETE,
    DOWN,
    END,
    ENTER,
    ESCAPE,
    HOME,
    LEFT,
    PAGE_DOWN,
    RIGHT,
    SHIFT,
    UP,
    Browser,
)
from kit.made_exports import GEOMETRIES, Export, Opened
from numpy.typing import NDArray

from sidecar.grid.axis import Axis
from sidecar.mapping import Sidecar

TOLERANCE_MM = 1e-6


def mapped(sidecar: Sidecar, rows: list[dict[str, str]]) -> NDArray[np.float64]:
    xy = [(float(row["x"]), float(row["y"])) for row in rows]
    return sidecar.to_patient(xy, [float(row["slice"]) for row in rows])


def spot(x: int, y: int) -> Callable[[int, tuple[int, int]], NDArray[np.uint8]]:
    """Black slices with one white pixel."""

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.zeros(shape, np.uint8)
        pixels[y, x] = 255
        return pixels

    return draw


def white_spot(browser: Browser, ratio: float = 1.0) -> tuple[float, float]:
    """Where, in the window, the middle of what is bright on the stage is, leaving out what frames
    it.

    A screenshot has ``ratio`` pixels for each of the window's.
    """
    left, top, width, height = browser.box()
    picture = browser.screenshot().min(axis=2).astype(float)
    rows, columns = (indices + 0.5 for indices in np.indices(picture.shape))
    inside = (columns > (left + 40) * ratio) & (columns < (left + width - 40) * ratio)
    inside &= (rows > (top + 40) * ratio) & (rows < (top + height - 40) * ratio)
    weight = np.where(inside & (picture >= 30), picture, 0)
    return float((columns * weight).sum() / weight.sum() / ratio), float(
        (rows * weight).sum() / weight.sum() / ratio
    )


# Placing, and the numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", GEOMETRIES)
def test_landmarks_come_back_where_the_page_showed_them(
    browser: Browser, opened: Opened, name: str
) -> None:
    sidecar = opened(GEOMETRIES[name])
    shown = []
    last = sidecar.size[2] - 1
    for step, (slice, key) in enumerate(((last >> 1, ESCAPE), (0, HOME), (last, END))):
        browser.press(key)
        browser.shown()
        assert browser.slice() == slice
        for right, down in ((0.42, 0.48), (0.54, 0.53)):
            browser.click(browser.at(right + 0.03 * step, down))
            shown.append(browser.numbers("#landmarks .chosen .patient"))
            pixel, source = browser.numbers("#png"), browser.numbers("#source")
            assert np.abs(sidecar.to_source([pixel[:2]], pixel[2]) - source).max() < 1e-9
            assert (
                np.abs(
                    sidecar.to_patient([pixel[:2]], pixel[2]) - browser.numbers("#patient")
                ).max()
                < TOLERANCE_MM
            )
    rows = browser.saved()
    assert [row["label"] for row in rows] == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert [row["image"] for row in rows] == [
        sidecar.document.images.files[int(row["slice"])].name for row in rows
    ]
    assert np.abs(mapped(sidecar, rows) - shown).max() < TOLERANCE_MM


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "x", "y", "notches", "ratio"),
    [
        ("axial", 41, 17, 0, 1.0),
        ("axial", 12, 50, -6, 1.25),
        ("not square", 70, 22, 0, 1.25),
        ("not square", 31, 12, -4, 1.0),
        ("cropped", 12, 5, -3, 2.0),
        ("tilted", 9, 20, 2, 1.0),
    ],
)
def test_a_click_on_a_pixel_is_a_label_on_that_pixel(
    browser: Browser, opened: Opened, name: str, x: int, y: int, notches: int, ratio: float
) -> None:
    """The picture is the judge: the white pixel is found in a screenshot, clicked on, and read in
    the CSV.
    """
    browser.resize(1281, 803, ratio=ratio)
    opened(GEOMETRIES[name], spot(x, y))
    right, down = white_spot(browser, ratio)
    browser.wheel(notches, at=(right, down), control=True)
    browser.click(white_spot(browser, ratio))
    [row] = browser.saved()
    assert abs(float(row["x"]) - x) < 0.12
    assert abs(float(row["y"]) - y) < 0.12


def test_a_large_image_zoomed_out_is_still_right_to_a_fraction_of_a_pixel(
    browser: Browser, opened: Opened
) -> None:
    """Below one screen pixel per PNG pixel the image is smoothed: its features must not move."""
    size = 1500
    export = Export(
        source_size=(size, size, 1),
        columns=Axis.stride(0, size, 1),
        rows=Axis.stride(0, size, 1),
        slices=Axis.stride(0, 1, 1),
    )

    def draw(slice: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        rows, columns = np.indices(shape)
        return (255 * np.exp(-((columns - 404) ** 2 + (rows - 904) ** 2) / 50)).astype(np.uint8)

    opened(export, draw)
    browser.click(white_spot(browser))
    [row] = browser.saved()
    assert abs(float(row["x"]) - 404) < 0.2
    assert abs(float(row["y"]) - 904) < 0.2


def test_distances_are_those_of_the_patient(browser: Browser, opened: Opened) -> None:
    sidecar = opened(GEOMETRIES["uneven"])
    browser.click(browser.at(0.4, 0.4))
    browser.press(DOWN)
    browser.shown()
    browser.click(browser.at(0.6, 0.65))
    browser.press("p")
    browser.push("#landmarks .chosen .actions button")
    browser.press("n")
    browser.push("#landmarks .chosen .actions button", 1)
    [shown] = browser.numbers("#distance")
    first, second = mapped(sidecar, browser.saved())
    assert abs(shown - np.linalg.norm(first - second)) < TOLERANCE_MM
    assert browser.text("#distance").endswith("mm")


def test_ras_turns_the_first_two_axes(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["oblique"])
    browser.click(browser.at(0.4, 0.4))
    lps = browser.numbers("#landmarks .chosen .patient")
    browser.press("l")
    assert browser.numbers("#landmarks .chosen .patient") == [-lps[0], -lps[1], lps[2]]
    assert [name.text for name in browser.all("#patient i")] == ["R", "A", "S"]
    browser.reload()
    assert [name.text for name in browser.all("#patient i")] == ["R", "A", "S"]


def test_without_geometry_everything_is_in_pixels(browser: Browser, opened: Opened) -> None:
    sidecar = opened(
        Export(
            geometry=False,
            columns=Axis.blocks(0, 64, 2, "mean"),
            rows=Axis.blocks(0, 64, 2, "mean"),
        )
    )
    browser.click(browser.at(0.45, 0.4))
    browser.click(browser.at(0.55, 0.6))
    assert "no geometry in millimetres" in browser.text("#patient")
    assert browser.all(".letters") == []
    assert browser.text(".scale").endswith("px")
    assert not browser.find("#save-markups").is_enabled()
    rows = browser.saved()
    source = sidecar.to_source(
        [(float(row["x"]), float(row["y"])) for row in rows], [float(row["slice"]) for row in rows]
    )
    assert np.abs(source[1] - browser.numbers("#landmarks .chosen .source")).max() < 1e-9
    browser.js(
        """for (const [i, select] of [...document.querySelectorAll('.ends select')].entries()) {
            select.selectedIndex = i + 1;
            select.dispatchEvent(new Event('change'));
        }"""
    )
    browser.drawn()
    assert abs(browser.numbers("#distance")[0] - np.linalg.norm(source[0] - source[1])) < 1e-9
    assert browser.text("#distance").endswith("px")


# Moving, deleting, undoing


def test_drag_moves_and_undo_brings_back(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    start = browser.at(0.45, 0.4)
    browser.click(start)
    [before] = browser.saved()
    # Taken hold of five pixels from its middle, it moves as far as the pointer does.
    browser.drag((start[0] + 5, start[1] - 3), (start[0] + 105, start[1] + 47))
    [after] = browser.saved()
    zoom = float(browser.text(".zooms output").rstrip("×"))
    assert abs(float(after["x"]) - float(before["x"]) - 100 / zoom) < 0.05
    assert abs(float(after["y"]) - float(before["y"]) - 50 / zoom) < 0.05
    browser.press("z", hold=(CONTROL,))
    assert browser.saved() == [before]
    browser.press("y", hold=(CONTROL,))
    assert browser.saved() == [after]
    browser.press("z", "z", hold=(CONTROL,))
    assert browser.names() == []


def test_escape_lets_go_of_a_landmark_that_is_dragged(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    x, y = browser.at(0.45, 0.4)
    browser.click((x, y))
    before = browser.saved()
    browser.hold((x, y))
    browser.haul((x + 50, y))
    assert browser.js("return document.querySelectorAll('.mark.carried').length") == 1
    browser.press(ESCAPE)
    browser.haul((x + 60, y + 30))
    browser.let_go((x + 60, y + 30))
    assert browser.saved() == before


def test_a_drag_of_the_image_moves_the_view_and_places_nothing(
    browser: Browser, opened: Opened
) -> None:
    opened(GEOMETRIES["axial"], spot(30, 30))
    before = white_spot(browser)
    browser.drag(browser.at(0.3, 0.3), (browser.at(0.3, 0.3)[0] + 60, browser.at(0.3, 0.3)[1] - 25))
    after = white_spot(browser)
    assert abs(after[0] - before[0] - 60) < 0.6
    assert abs(after[1] - before[1] + 25) < 0.6
    assert browser.names() == []


def test_a_click_beside_the_image_places_nothing(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    browser.click(browser.at(0.02, 0.5))
    assert browser.names() == []
    assert browser.message() == "This place is outside the image."


def test_a_click_on_a_landmark_chooses_it_and_delete_takes_it_away(
    browser: Browser, opened: Opened
) -> None:
    opened(GEOMETRIES["axial"])
    for at in ((0.45, 0.4), (0.55, 0.6)):
        browser.click(browser.at(*at))
    browser.click(browser.at(0.45, 0.4))
    assert browser.text("#landmarks .chosen .name bdi") == "L1"
    browser.press(DELETE)
    assert browser.names() == ["L2"]
    browser.press("z", hold=(CONTROL,))
    assert browser.names() == ["L1", "L2"]


def test_a_landmark_can_be_renamed_with_any_text(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    browser.click(browser.at(0.45, 0.4))
    browser.type("#landmarks .label", 'a "quoted", <b>name</b>; l')
    assert browser.names() == ['a "quoted", <b>name</b>; l']
    assert [row["label"] for row in browser.saved()] == ['a "quoted", <b>name</b>; l']


# By keys alone, with fingers


def test_keyboard_alone(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    sidecar = opened(GEOMETRIES["oblique"])
    browser.press(HOME, DOWN, DOWN)
    browser.shown()
    browser.press(LEFT, hold=(SHIFT,))  # the cross appears beside the middle, half a pixel is 5
    x, y, slice = browser.numbers("#png")
    assert (x, y, slice) == (31, 31.5, 2)
    browser.press(RIGHT, RIGHT, UP, hold=(SHIFT,))
    browser.press(DOWN, hold=(SHIFT, ALT))
    assert browser.numbers("#png") == [x + 1, y + 4.5, 2]
    browser.press(ENTER)
    assert browser.numbers("#landmarks .chosen .pixel")[:2] == [x + 1, y + 4.5]
    browser.press(LEFT, hold=(SHIFT,))
    browser.press("m")
    assert browser.numbers("#landmarks .chosen .pixel")[:2] == [x + 0.5, y + 4.5]
    browser.press(PAGE_DOWN, ENTER)
    browser.shown()
    assert browser.slice() == 8
    browser.press(ENTER)
    rows = browser.saved()
    expected = sidecar.to_patient([(x + 0.5, y + 4.5), (x + 0.5, y + 4.5)], [2, 8])
    assert len(rows) >= 2
    assert np.abs(mapped(sidecar, rows)[[0, -1]] - expected).max() < TOLERANCE_MM
    browser.press("p", "p", DELETE)
    browser.press("?")
    assert browser.find("dialog").is_displayed()
    browser.press(ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the help to close")


def test_ctrl_click_puts_the_cross_where_enter_places(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    browser.click(browser.at(0.4, 0.45), control=True)
    put = browser.numbers("#png")
    assert browser.all("#stage .cross") and browser.names() == []
    browser.press(ENTER)
    assert browser.numbers("#landmarks .chosen .pixel") == pytest.approx(put, abs=1e-3)


def test_what_is_told_of_a_landmark_is_gone_when_it_is_undone(
    browser: Browser, opened: Opened
) -> None:
    opened(GEOMETRIES["axial"])
    for key, hold, told in (("z", (CONTROL,), "Undone"), (DELETE, (), "")):
        browser.click(browser.at(0.4, 0.45))
        assert browser.text(".spoken") == "L1 placed on slice 4"
        browser.press(key, hold=hold)
        assert browser.text(".spoken") == told


@pytest.mark.parametrize("name", ["axial", "not square"])
def test_a_nudge_is_two_to_five_screen_pixels_long_at_any_zoom(
    browser: Browser, opened: Opened, name: str
) -> None:
    opened(GEOMETRIES[name])

    def cross() -> list[float]:
        """Where the cross is on the stage, by the path it is drawn with."""
        path = browser.find(".cross path").get_attribute("d")
        numbers = [float(part) for part in re.findall(r"-?[\d.]+(?:e-?\d+)?", path)]
        return [numbers[6], numbers[1]]

    for zooms in ("", "------", "+++++++++++++++++++", "+++++"):
        browser.press(*zooms)
        browser.press(RIGHT, hold=(SHIFT,))
        before = cross()
        for key, axis in ((RIGHT, 0), (LEFT, 0), (DOWN, 1), (UP, 1)):
            browser.press(key, hold=(SHIFT,))
            after = cross()
            assert 2 - 1e-6 <= abs(after[axis] - before[axis]) <= 5 + 1e-6
            assert abs(after[1 - axis] - before[1 - axis]) < 1e-6
            before = after


def test_keys_typed_into_a_name_do_nothing_else(browser: Browser, opened: Opened) -> None:
    opened(GEOMETRIES["axial"])
    browser.click(browser.at(0.45, 0.4))
    slice = browser.slice()
    browser.find("#landmarks .label").send_keys("m n p i a", LEFT, DELETE, ENTER)
    browser.drawn()
    assert len(browser.names()) == 1
    assert browser.slice() == slice


def test_fingers_tap_pinch_and_drag(browser: Browser, opened: Opened) -> None:
    browser.resize(834, 1112, touch=True)
    opened(GEOMETRIES["axial"], spot(30, 30))
    zoom = float(browser.text(".zooms output").rstrip("×"))
    x, y = white_spot(browser)
    steps = range(6)
    browser.touch([(x - 40 - 8 * i, y) for i in steps], [(x + 40 + 8 * i, y) for i in steps])
    assert abs(float(browser.text(".zooms output").rstrip("×")) / zoom - 2) < 0.02
    assert browser.names() == []
    assert np.hypot(*np.subtract(white_spot(browser), (x, y))) < 1
    browser.touch([(x, y)])
    assert np.abs(np.array(browser.numbers("#landmarks .chosen .pixel")[:2]) - 30).max() < 0.1
    browser.touch([(x + 10 + 6 * i, y + 4) for i in steps])
    moved = browser.numbers("#landmarks .chosen .pixel")[:2]
    assert abs(moved[0] - 30 - 30 / (2 * zoom)) < 0.1
    assert abs(moved[1] - 30) < 0.1
