"""A headless Chromium on one page: real mouse, finger and key events, downloads, screenshots, and
what it complained of.

Selenium is imported only where it is used, so that the tests can be collected, and skipped, without
it.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .tables import rows

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PATIENCE_SECONDS = 15.0

# Keys by their WebDriver code points.
SHIFT, CONTROL, ALT = "\ue008", "\ue009", "\ue00a"
ENTER, ESCAPE, DELETE, TAB = "\ue007", "\ue00c", "\ue017", "\ue004"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
PAGE_UP, PAGE_DOWN, HOME, END = "\ue00e", "\ue00f", "\ue011", "\ue010"

T = TypeVar("T")
Point = tuple[float, float]


def missing() -> str | None:
    """What the browser tests need and this machine does not have."""
    if importlib.util.find_spec("selenium") is None:
        return "Selenium is not installed"
    if not _chromium() or not shutil.which("chromedriver"):
        return "Chromium or its driver is not installed"
    return None


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


class Browser:
    """One Chromium with a profile and a download folder of its own."""

    def __init__(self, folder: Path) -> None:
        from selenium.webdriver import Chrome, ChromeOptions
        from selenium.webdriver.chrome.service import Service

        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        options = ChromeOptions()
        options.binary_location = _chromium() or ""
        for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options, Service(shutil.which("chromedriver")))

    def close(self) -> None:
        self.driver.quit()

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def resize(
        self, width: int = 1280, height: int = 800, ratio: float = 1.0, touch: bool = False
    ) -> None:
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=ratio,
            mobile=False,
        )
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch)

    def scheme(self, name: str) -> None:
        self.cdp(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}]
        )

    # Pages

    def open(self, page: os.PathLike[str] | str) -> None:
        """Open a page from disk, or from a server by its URL, and wait until it shows an image."""
        self.requests()
        self.driver.get(page if isinstance(page, str) else Path(page).as_uri())
        self.shown()

    def forget(self) -> None:
        """Leave nothing in the storage of the page that is open."""
        if self.driver.current_url.startswith(("file:", "http:")):
            self.js("localStorage.clear()")

    def leave(self) -> None:
        """Leave the page, before the server that gave it stops: it would complain of that."""
        self.driver.get("about:blank")

    def reload(self) -> None:
        self.driver.refresh()
        self.shown()

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since it was last asked: errors, and what its
        policy refused.
        """
        return [entry["message"] for entry in self._log("browser")]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return list(self.driver.get_log(kind))  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Every address that was asked for since this was last called."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def until(self, done: Callable[[], T], what: str) -> T:
        """The first true answer of ``done``."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (answer := done()):
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.02)
        return answer

    def shown(self) -> None:
        """Wait until the slice that was asked for is on the screen, or why it is not."""
        self.until(lambda: self.js("return !!document.querySelector('#stage canvas')"), "the stage")
        self.until(lambda: not self.all(".loading"), "the image")
        self.drawn()

    def drawn(self) -> None:
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() =>"
            " done()))"
        )

    # What is on the page

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    def numbers(self, selector: str) -> list[float]:
        """The exact values of the numbers that an element shows."""
        values = self.js(
            "return [...document.querySelectorAll(arguments[0] + ' data')].map((data) =>"
            " data.value)",
            selector,
        )
        return [float(value) for value in values]

    def names(self) -> list[str]:
        return list(
            self.js(
                "return [...document.querySelectorAll('#landmarks .name bdi')].map((name) =>"
                " name.textContent)"
            )
        )

    def message(self) -> str:
        return self.until(
            lambda: self.text("#message bdi") if self.all("#message bdi") else "", "a message"
        )

    def slice(self) -> int:
        return int(self.numbers("#png")[2])

    def screenshot(self, path: Path | None = None) -> NDArray[np.uint8]:
        """(height, width, 3) of the window."""
        self.drawn()
        png = self.driver.get_screenshot_as_png()
        if path:
            path.write_bytes(png)
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def box(self, selector: str = "#stage") -> tuple[float, float, float, float]:
        """left, top, width, height of an element in the window."""
        code = (
            "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return"
            " [b.left, b.top, b.width, b.height]"
        )
        left, top, width, height = self.js(code, selector)
        return left, top, width, height

    def at(self, right: float, down: float) -> Point:
        """A point of the stage in the window: 0, 0 is its upper left corner and 1, 1 the lower
        right one.
        """
        left, top, width, height = self.box()
        return left + width * right, top + height * down

    # Mouse: positions are those of the window, fractions of pixels included

    def move(self, point: Point, shift: bool = False) -> None:
        self._mouse("mouseMoved", point, modifiers=8 if shift else 0)
        self.drawn()

    def click(self, point: Point, control: bool = False) -> None:
        held = 2 if control else 0
        self._mouse("mouseMoved", point, modifiers=held)
        self._mouse("mousePressed", point, button="left", clickCount=1, modifiers=held)
        self._mouse("mouseReleased", point, button="left", clickCount=1, modifiers=held)
        self.drawn()

    def drag(self, start: Point, end: Point, button: str = "left") -> None:
        self.hold(start, button)
        for part in (0.25, 0.5, 0.75, 1.0):
            self.haul(
                (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part),
                button,
            )
        self.let_go(end, button)

    def hold(self, point: Point, button: str = "left") -> None:
        self._mouse("mouseMoved", point)
        self._mouse("mousePressed", point, button=button, clickCount=1)

    def haul(self, point: Point, button: str = "left") -> None:
        self._mouse("mouseMoved", point, button=button, buttons={"left": 1, "right": 2}[button])
        self.drawn()

    def let_go(self, point: Point, button: str = "left") -> None:
        self._mouse("mouseReleased", point, button=button, clickCount=1)
        self.drawn()

    def wheel(self, notches: int, at: Point | None = None, control: bool = False) -> None:
        for _ in range(abs(notches)):
            delta = 100 if notches > 0 else -100
            self._mouse(
                "mouseWheel",
                at or self.at(0.5, 0.5),
                deltaX=0,
                deltaY=delta,
                modifiers=2 if control else 0,
            )
        self.drawn()

    def _mouse(self, kind: str, point: Point, **more: Any) -> None:
        self.cdp("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], **more)

    # Fingers, keys, files

    def touch(self, *paths: list[Point]) -> None:
        """Fingers that go down together, follow their paths step by step, and go up."""
        for i, step in enumerate(zip(*paths, strict=True)):
            points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
            self.cdp(
                "Input.dispatchTouchEvent",
                type="touchMove" if i else "touchStart",
                touchPoints=points,
            )
        self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.drawn()

    def push(self, selector: str, which: int = 0) -> None:
        """Press a button of the page."""
        self.all(selector)[which].click()
        self.drawn()

    def type(self, selector: str, text: str) -> None:
        """Put a text in the place of what is in a field, and press Enter."""
        field = self.find(selector)
        field.click()
        self.press("a", hold=(CONTROL,))
        field.send_keys(text, ENTER)
        self.drawn()

    def press(self, *keys: str, hold: tuple[str, ...] = ()) -> None:
        """Keys one after the other, with those in ``hold`` held down."""
        from selenium.webdriver import ActionChains

        actions = ActionChains(self.driver, duration=0)
        for key in hold:
            actions.key_down(key)
        for key in keys:
            actions.key_down(key).key_up(key)
        for key in hold:
            actions.key_up(key)
        actions.perform()
        self.drawn()

    def give(self, file: Path) -> str:
        """Choose a file in the page's Open dialog; returns what the page says of it."""
        self.js("document.querySelector('#message button')?.click()")
        self.find("#file").send_keys(str(file))
        return self.message()

    def download(self, selector: str) -> Path:
        """Press a button that saves a file, and wait for the file, in a folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.downloads))
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.find(selector).click()

        def whole() -> list[Path]:
            """Chromium puts an empty file in the place first, and what it writes beside it."""
            there = [path for path in folder.iterdir() if path.suffix != ".crdownload"]
            return [path for path in there if path.name[0] != "." and path.stat().st_size > 0]

        (path,) = self.until(whole, f"what {selector} saves")
        return path

    def saved(self) -> list[dict[str, str]]:
        """The rows of labels.csv as the page saves it."""
        return rows(self.download("#save-csv"))
