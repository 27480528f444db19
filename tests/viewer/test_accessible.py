"""The page as people use it who see little of it or have no mouse: axe-core's rules (WCAG A and AA,
and its own advice), and what keys reach.

axe-core is the file that SIDECAR_AXE names: `npm install axe-core`, then
node_modules/axe-core/axe.min.js.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kit import needs
from kit.browser import TAB, Browser
from kit.made_exports import GEOMETRIES, Export
from kit.served_page import served

from sidecar.viewer.page import write_viewer


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    path = Path(os.environ.get("SIDECAR_AXE", ""))
    if not path.is_file():
        needs.missing("BROWSER", "SIDECAR_AXE names no axe.min.js")
    return path.read_text(encoding="utf-8")


def violations(browser: Browser, axe: str) -> list[str]:
    """The rule, and the element that breaks it."""
    browser.cdp("Runtime.evaluate", expression=axe)
    passed, broken = browser.driver.execute_async_script(
        "axe.run(document).then((found) => arguments[0]([found.passes, found.violations]))"
    )
    assert {"button-name", "color-contrast"} <= {one["id"] for one in passed}
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
