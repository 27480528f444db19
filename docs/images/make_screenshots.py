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

from PIL import Image
from typer.testing import CliRunner
from viewer.browser import Browser

from sidecar.cli import app

HERE = Path(__file__).parent
COLOURS = 96
LANDMARK = "left eye"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder, "demo")
        assert CliRunner().invoke(app, ["demo", str(demo)]).exit_code == 0
        browser = Browser(Path(folder))
        try:
            page = demo / "png" / "viewer.html"
            browser.resize()
            browser.open(page)
            browser.driver.find_element("css selector", "input[type=file]").send_keys(
                str(_without_images(demo / "labels.csv"))
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
            assert CliRunner().invoke(app, ["report", *told]).exit_code == 0
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
        image.convert("RGB").quantize(COLOURS).save(HERE / name, optimize=True)


def _without_images(labels: Path) -> Path:
    """The demo's labels by slice number alone: they lie between PNGs, where the page takes no image
    name.
    """
    rows = [line.split(",") for line in labels.read_text().splitlines()]
    kept = [i for i, name in enumerate(rows[0]) if name != "image"]
    plain = labels.with_name("plain.csv")
    plain.write_text("\n".join(",".join(row[i] for i in kept) for row in rows))
    return plain


if __name__ == "__main__":
    main()
