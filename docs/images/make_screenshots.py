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


def _keep(browser: Browser, folder: Path, name: str) -> None:
    """What the browser shows, in few colours."""
    shot = folder / name
    browser.driver.save_screenshot(str(shot))
    with Image.open(shot) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
        few.save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
