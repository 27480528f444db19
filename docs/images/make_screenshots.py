"""Screenshots for the README and the pages of documentation, of the made-up scan of `sidecar demo`:
python docs/images/make_screenshots.py (from the repository's root).

Needs the test extra and Chromium with its driver.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = ["tests"]

from kit.browser import Browser
from kit.served_page import served
from kit.tables import rows
from kit.zoomed import on_screen, stacks
from PIL import Image
from typer.testing import CliRunner

import sidecar
from sidecar.cli.program import program

HERE = Path(__file__).parent
COLOURS = 96
LANDMARK = "left eye"
#: Parts of the stage along the outline of the weevil.
CURVE = (
    (0.126, 0.47),
    (0.176, 0.385),
    (0.269, 0.342),
    (0.361, 0.339),
    (0.445, 0.362),
    (0.504, 0.431),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder, "demo")
        _run("demo", demo)
        browser = Browser(Path(folder))
        try:
            page = demo / "png" / "viewer.html"
            browser.resize()
            browser.open(page)
            browser.driver.find_element("css selector", "input[type=file]").send_keys(
                str(demo / "labels.csv")
            )
            time.sleep(2)
            browser.driver.find_element("xpath", f"//*[contains(text(), '{LANDMARK}')]").click()
            time.sleep(1)
            _keep(browser, Path(folder), "viewer.png")
            _keep_three_planes(browser, demo, Path(folder))
            _keep_specimens(browser, demo, Path(folder))
            _keep_curves(browser, demo, Path(folder))
            _keep_zooms(browser, demo, Path(folder))
            _run("report", *_labels_of(demo), "-o", demo / "report.html")
            browser.driver.get((demo / "report.html").as_uri())
            time.sleep(1)
            _keep(browser, Path(folder), "report.png")
        finally:
            browser.close()


def _keep_three_planes(browser: Browser, demo: Path, folder: Path) -> None:
    """The page as a server gives it, with the magnifier, and in a narrow window."""
    with served(demo / "png") as url:
        browser.open(url)
        while browser.all(".planes .note"):
            time.sleep(0.1)
        browser.give(demo / "labels.csv")
        browser.find("#message button").click()
        browser.driver.find_element("xpath", f"//*[contains(text(), '{LANDMARK}')]").click()
        browser.press("a")
        time.sleep(1)
        _keep(browser, folder, "planes.png")
        browser.resize(500, 1000)
        time.sleep(1)
        _keep(browser, folder, "narrow.png")
        browser.resize()
        browser.press("g")
        x, y = browser.at(0.72, 0.55)
        browser.move((x, y))
        time.sleep(1)
        _keep(browser, folder, "magnifier.png")


def _keep_specimens(browser: Browser, demo: Path, folder: Path) -> None:
    """The list of specimens, two of them labelled, one in part."""
    lines = (demo / "labels.csv").read_text().splitlines(keepends=True)
    names = folder / "names.txt"
    names.write_text("".join(f"{row['label']}\n" for row in rows(demo / "labels.csv")))
    for name, placed in (("weevil-1", len(lines)), ("weevil-2", 3), ("weevil-3", 0)):
        ours = shutil.ignore_patterns("labels.csv", ".labels")
        shutil.copytree(demo / "png", folder / "specimens" / name, ignore=ours)
        if placed:
            (folder / "specimens" / name / "labels.csv").write_text("".join(lines[:placed]))
    with sidecar.label(folder / "specimens", names=names) as server:
        browser.driver.get(server.url)
        time.sleep(1)
        browser.resize(1280, 420)
        time.sleep(1)
        _keep(browser, folder, "specimens.png")
        browser.resize()


def _keep_curves(browser: Browser, demo: Path, folder: Path) -> None:
    """A curve along the back, chosen."""
    with served(demo / "png") as url:
        browser.open(url)
        while browser.all(".planes .note"):
            time.sleep(0.1)
        browser.press("a", "c")
        for at in CURVE:
            browser.click(browser.at(*at))
        browser.press("f")
        browser.type("#curve-points", "12")
        browser.js("document.activeElement.blur()")
        time.sleep(1)
        _keep(browser, folder, "curves.png")
        browser.forget()
        browser.leave()


def _keep_zooms(browser: Browser, demo: Path, folder: Path) -> None:
    """The page of all zooms, with two landmarks refined and the third to be."""
    zooms = demo / "zooms"
    _run("zoom", *_labels_of(demo), "--size", "1mm", "-o", zooms)
    with served(zooms) as url:
        browser.open(url)
        for png, (right, down) in zip(stacks(zooms), ((1, -1), (-2, 1)), strict=False):
            zoom = png.document.zoom
            assert zoom is not None
            ((x, y),), _ = png.from_source([zoom.source])
            browser.click(on_screen(browser, x + right, y + down))
            browser.press("n")
            browser.shown()
        while browser.all(".planes .note"):
            time.sleep(0.1)
        browser.press("a")
        time.sleep(1)
        _keep(browser, folder, "zooms.png")
        browser.forget()
        browser.leave()


def _labels_of(demo: Path) -> list[str | Path]:
    return [demo / "labels.csv", "--sidecar", demo / "png", "--source", demo / "scan"]


def _run(*arguments: str | Path) -> None:
    done = CliRunner().invoke(program(), list(map(str, arguments)))
    assert done.exit_code == 0, done.output


def _keep(browser: Browser, folder: Path, name: str) -> None:
    """What the browser shows, in few colours."""
    shot = folder / name
    browser.driver.save_screenshot(str(shot))
    with Image.open(shot) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
        few.save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
