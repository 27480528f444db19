"""The page as people use it who see little of it or have no mouse: axe-core's rules (WCAG A and AA,
and its own advice), and what keys reach.

axe-core is the file that SIDECAR_AXE names: `npm install axe-core`, then
node_modules/axe-core/axe.min.js.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from kit import needs
from kit.browser import DOWN, ENTER, LEFT, RIGHT, SHIFT, TAB, UP, Browser
from kit.made_exports import GEOMETRIES, Export
from kit.served_page import served
from kit.tables import rows
from kit.zoomed import make_zooms

from sidecar.viewer.page import write_viewer


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    path = Path(os.environ.get("SIDECAR_AXE", ""))
    if not path.is_file():
        needs.missing("BROWSER", "SIDECAR_AXE names no axe.min.js")
    return path.read_text(encoding="utf-8")


def violations(browser: Browser, axe: str, tried: str = "button-name") -> list[str]:
    """The rule, and the element that breaks it. ``tried``: a rule that there is something for."""
    browser.cdp("Runtime.evaluate", expression=axe)
    passed, broken = browser.driver.execute_async_script(
        "axe.run(document).then((found) => arguments[0]([found.passes, found.violations]))"
    )
    assert {tried, "color-contrast"} <= {one["id"] for one in passed}
    return [f"{one['id']}: {node['html'][:200]}" for one in broken for node in one["nodes"]]


def check(browser: Browser, axe: str, names: Path) -> None:
    """Empty, with landmarks and names to place, and with the help open."""
    assert violations(browser, axe) == []
    browser.give(names)
    browser.click(browser.at(0.45, 0.4))
    browser.click(browser.at(0.55, 0.6))
    browser.js("document.querySelector('.facts').open = true")
    assert violations(browser, axe) == []
    browser.press("?")
    assert violations(browser, axe) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("planes", [1, 3])
def test_no_rule_is_broken(
    browser: Browser, tmp_path: Path, axe: str, scheme: str, width: int, planes: int
) -> None:
    browser.scheme(scheme)
    browser.resize(width)
    export = GEOMETRIES["oblique"].write(tmp_path)
    names = tmp_path / "names.txt"
    names.write_text("nasion\nbregma\ninion\n")
    if planes == 1:
        browser.open(write_viewer(export, tmp_path))
        check(browser, axe, names)
    else:
        with served(tmp_path) as url:
            browser.open(url)
            browser.until(lambda: not browser.all(".planes .note"), "all voxels")
            check(browser, axe, names)
            browser.leave()


def write_two(home: Path) -> None:
    for name in ("beetle-7", "beetle-8"):
        (home / name).mkdir()
        Export().write(home / name)


@pytest.fixture(params=["light", "dark"])
def scheme(browser: Browser, request: pytest.FixtureRequest) -> str:
    browser.scheme(request.param)
    return str(request.param)


@pytest.mark.slow
@pytest.mark.usefixtures("scheme")
def test_the_list_of_specimens(browser: Browser, tmp_path: Path, axe: str) -> None:
    """With a specimen whose labels.csv became one that cannot be read, and with no server."""
    write_two(tmp_path)
    with served(tmp_path) as url:
        browser.driver.get(url)
        browser.until(lambda: len(browser.all(".specimens a")) == 2, "the list")
        assert violations(browser, axe, "link-name") == []
        assert browser.driver.switch_to.active_element.text == "beetle-7"
        (tmp_path / "beetle-8" / "labels.csv").write_bytes(b"\xff")
        browser.js("document.dispatchEvent(new Event('visibilitychange'))")
        browser.until(lambda: any(cell.text for cell in browser.all("td.fault")), "the fault")
        assert violations(browser, axe, "link-name") == []
    browser.js("document.dispatchEvent(new Event('visibilitychange'))")
    browser.until(lambda: browser.all("p.fault"), "the page to notice")
    browser.complaints()  # of the server that is gone
    assert violations(browser, axe, "link-name") == []
    browser.forget()
    browser.leave()


@pytest.mark.slow
@pytest.mark.usefixtures("scheme")
@pytest.mark.parametrize("is_served", [True, False])
def test_the_page_of_all_zooms(browser: Browser, tmp_path: Path, axe: str, is_served: bool) -> None:
    zooms = make_zooms(tmp_path, bits=8)
    with ExitStack() as stack:
        browser.open(stack.enter_context(served(zooms)) if is_served else zooms / "zooms.html")
        browser.until(lambda: not browser.all(".planes .note"), "all voxels")
        browser.click(browser.at(0.45, 0.4))
        browser.press("n")
        browser.shown()
        assert violations(browser, axe) == []
        browser.press("?")
        assert violations(browser, axe) == []
        browser.forget()
        browser.leave()


@pytest.mark.slow
@pytest.mark.usefixtures("scheme")
def test_a_page_with_curves(browser: Browser, tmp_path: Path, axe: str) -> None:
    """While one is drawn, and when it is chosen."""
    Export().write(tmp_path)
    with served(tmp_path) as url:
        browser.open(url)
        browser.until(lambda: not browser.all(".planes .note"), "all voxels")
        browser.press("c")
        for at in ((0.4, 0.4), (0.5, 0.45), (0.55, 0.6)):
            browser.click(browser.at(*at))
        assert violations(browser, axe) == []
        browser.press("f")
        assert browser.all("#curve-points") and violations(browser, axe) == []
        browser.forget()
        browser.leave()


@pytest.mark.slow
def test_specimens_are_labelled_by_keys_alone(browser: Browser, tmp_path: Path) -> None:
    """From the list: a landmark, a curve over two slices, the next specimen, and one there."""
    write_two(tmp_path)

    def saved(name: str) -> list[tuple[str, str]]:
        file = tmp_path / name / "labels.csv"
        table = rows(file) if file.exists() else []
        return [(row["label"], row["slice"]) for row in table]

    with served(tmp_path) as url:
        browser.driver.get(url)
        browser.until(lambda: browser.all(".specimens a"), "the list")
        browser.press(ENTER)
        browser.shown()
        browser.until(lambda: not browser.all(".planes .note"), "all voxels")
        first = browser.slice()
        browser.press(LEFT, UP, UP, hold=(SHIFT,))
        browser.press(ENTER)
        assert browser.names() == ["L1"]
        browser.press("c")
        browser.press(RIGHT, RIGHT, RIGHT, hold=(SHIFT,))
        browser.press(ENTER)
        browser.press(DOWN)
        browser.shown()
        browser.press(DOWN, DOWN, hold=(SHIFT,))
        browser.press(ENTER)
        browser.press("f")
        assert browser.names() == ["L1", "curve 1"]
        browser.press(".")
        browser.until(lambda: browser.driver.current_url.endswith("/2/"), "the next specimen")
        expected = [("L1", first), ("curve 1", first), ("curve 1", first + 1)]
        assert saved("beetle-7") == [(name, str(k)) for name, k in expected]
        browser.shown()
        browser.until(lambda: not browser.all(".planes .note"), "all voxels")
        browser.press(RIGHT, hold=(SHIFT,))
        browser.press(ENTER)
        browser.until(lambda: saved("beetle-8"), "its labels.csv")
        browser.press("s")
        browser.until(lambda: browser.all("td.count"), "the list")
        assert [cell.text for cell in browser.all("td.count")] == ["2", "1"]
        browser.forget()
        browser.leave()


def test_tab_reaches_every_control(browser: Browser, tmp_path: Path) -> None:
    """Each in turn, the planes too: nothing keeps the focus."""
    Export().write(tmp_path)
    with served(tmp_path) as url:
        browser.open(url)
        browser.click(browser.at(0.45, 0.4))
        browser.js("document.activeElement.blur()")
        wanted = browser.js(
            """const all = 'button:enabled, input:enabled:not([hidden]), summary, [tabindex="0"]';
            return [...document.querySelectorAll(all)].filter((e) => e.offsetParent).length;"""
        )
        seen = set()
        for _ in range(2 * wanted):
            browser.press(TAB)
            seen.add(browser.driver.switch_to.active_element.id)
        assert len(seen) >= wanted
        browser.leave()
