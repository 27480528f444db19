"""A headless Chromium on one page: real mouse, keyboard and finger events, downloads, screenshots, and what it complained of."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
)
PATIENCE_SECONDS = 10.0

T = TypeVar("T")


def programs() -> tuple[str, str] | None:
    """Where Chromium and its driver are, or None."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


class Browser:
    """One Chromium with its own profile and download folder."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1280, 800)) -> None:
        found = programs()
        assert found is not None
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        options = ChromeOptions()
        options.binary_location = found[0]
        for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options, Service(found[1]))
        self.resize(*size)

    def close(self) -> None:
        self.driver.quit()

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def resize(self, width: int, height: int, ratio: float = 1.0, touch: bool = False) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=ratio, mobile=False)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)

    def scheme(self, name: str) -> None:
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    # Pages

    def open(self, page: Path) -> None:
        """Open a page from disk with nothing in storage, and wait until it shows an image."""
        self.driver.get(page.as_uri())
        self.js("localStorage.clear()")
        self.complaints()
        self.reload()

    def reload(self) -> None:
        self.driver.refresh()
        self.shown()

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def complaints(self) -> list[str]:
        """What the browser has written to its console since it was last asked: errors, and what its policy refused."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address the page has asked for since it was last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def until(self, done: Callable[[], T], what: str = "") -> T:
        """The first true answer of ``done``."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = done()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"waited in vain: {what or done}"
            time.sleep(0.02)

    def shown(self) -> None:
        """Wait until the slice that was asked for is on the screen and drawn."""
        self.until(lambda: self.js("return !!document.querySelector('#stage canvas, #stage .failure')"), "stage")
        self.until(lambda: not self.js("return !!document.querySelector('.loading')"), "image")
        self.drawn()

    def drawn(self) -> None:
        self.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")

    # What is on it

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def numbers(self, selector: str) -> list[float]:
        """The exact values of the numbers shown in an element."""
        values = self.js("return [...document.querySelectorAll(arguments[0] + ' data')].map((data) => data.value)", selector)
        return [float(value) for value in values]

    def names(self) -> list[str]:
        return self.js("return [...document.querySelectorAll('#landmarks li .name bdi')].map((name) => name.textContent)")

    def message(self) -> str:
        return self.until(lambda: self.text("#message bdi") if self.all("#message bdi") else "", "a message")

    def screenshot(self, path: Path | None = None) -> NDArray[np.uint8]:
        """(height, width, 3) of the window."""
        self.drawn()
        png = self.driver.get_screenshot_as_png()
        if path:
            path.write_bytes(png)
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def stage(self) -> tuple[float, float, float, float]:
        """left, top, width, height of the stage."""
        box = self.js("const b = document.getElementById('stage').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]")
        return tuple(box)

    # Hands

    def move(self, x: float, y: float) -> None:
        self._mouse("mouseMoved", x, y)
        self.drawn()

    def click(self, x: float, y: float) -> None:
        """A click of the mouse in the window at x, y, fractions of pixels included."""
        self._mouse("mouseMoved", x, y)
        self._mouse("mousePressed", x, y, button="left", clickCount=1)
        self._mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.drawn()

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: str = "left", shift: bool = False) -> None:
        held = {"left": 1, "right": 2}[button]
        modifiers = 8 if shift else 0
        self._mouse("mouseMoved", *start)
        self._mouse("mousePressed", *start, button=button, clickCount=1, modifiers=modifiers)
        for part in (0.25, 0.5, 0.75, 1.0):
            at = (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
            self._mouse("mouseMoved", *at, button=button, buttons=held, modifiers=modifiers)
        self._mouse("mouseReleased", *end, button=button, clickCount=1, modifiers=modifiers)
        self.drawn()

    def wheel(self, notches: int, control: bool = False, at: tuple[float, float] | None = None) -> None:
        left, top, width, height = self.stage()
        x, y = at or (left + width / 2, top + height / 2)
        for _ in range(abs(notches)):
            self._mouse("mouseWheel", x, y, deltaX=0, deltaY=100 if notches > 0 else -100, modifiers=2 if control else 0)
        self.drawn()

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def touch(self, *paths: list[tuple[float, float]]) -> None:
        """Fingers that go down together, follow their paths step by step, and go up."""
        for i, step in enumerate(zip(*paths, strict=True)):
            points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
            self.cdp("Input.dispatchTouchEvent", type="touchMove" if i else "touchStart", touchPoints=points)
        self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.drawn()

    def press(self, *keys: str, hold: str | None = None) -> None:
        """Keys one after the other, with ``hold`` (Keys.SHIFT and so on) held down."""
        actions = ActionChains(self.driver, duration=0)
        if hold:
            actions.key_down(hold)
        for key in keys:
            actions.send_keys(key)
        if hold:
            actions.key_up(hold)
        actions.perform()
        self.drawn()

    def give(self, file: Path) -> None:
        """Choose a file in the page's Open dialog."""
        self.find("#file").send_keys(str(file))
        self.drawn()

    def download(self, selector: str, name: str) -> Path:
        """Press a button that saves a file, and wait for the file."""
        path = self.downloads / name
        path.unlink(missing_ok=True)
        self.find(selector).click()
        self.until(path.exists, f"download of {name}")
        return path


__all__ = ["Browser", "Keys", "programs"]
