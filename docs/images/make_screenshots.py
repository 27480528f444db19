"""Screenshots for the README, of the made-up scan of `sidecar demo`: python
docs/images/make_screenshots.py (from the repository's root).

Needs the test extra and Chromium with its driver.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = ["tests"]

from kit.browser import Browser
from kit.served_page import served
from PIL import Image
from typer.testing import CliRunner

from sidecar.cli.program import program

HERE = Path(__file__).parent
COLOURS = 96
LANDMARK = "left eye"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder, "demo")
        assert CliRunner().invoke(program(), ["demo", str(demo)]).exit_code == 0
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
            told = [
                str(demo / "labels.csv"),
                "--sidecar",
                str(demo / "png"),
                "--source",
                str(demo / "scan"),
                "-o",
                str(demo / "report.html"),
            ]
            assert CliRunner().invoke(program(), ["report", *told]).exit_code == 0
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
        x, y = browser.at(0.4, 0.45)
        browser.move((x, y))
        time.sleep(1)
        _keep(browser, folder, "magnifier.png")


def _keep(browser: Browser, folder: Path, name: str) -> None:
    """What the browser shows, in few colours."""
    shot = folder / name
    browser.driver.save_screenshot(str(shot))
    with Image.open(shot) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
        few.save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
