"""The three planes of a page that a server gives, in headless Chromium: seconds until all voxels
are held, and how long frames take while the cross goes through them.

Needs the test extra, and Chromium with its driver.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.settings import Settings, Tell
from sidecar.grid.axis import Axis

SLICES, SIZE = 1000, 512
#: Frames of each run.
FRAMES = 240

#: What moves, a step a frame, as pointer and keys do it; `t` goes from 0 to 1 and back.
MOVES = {
    "cross in the slice, both planes across cut anew": (
        "hover('#stage', 0.3 + 0.4 * t, 0.3 + 0.3 * t)"
    ),
    "cross in a plane across, another slice each frame": (
        "hover('[data-plane=\"1\"]', 0.35 + 0.3 * t, 0.3 + 0.4 * t)"
    ),
    "slices by the wheel": "wheel(i % 120 < 60 ? 1 : -1)",
    "contrast": "slide('level', 90 + 60 * t)",
}
_RUN = """
    const [move, frames, done] = arguments;
    const at = (box, right, down) =>
        ({ clientX: box.left + box.width * right, clientY: box.top + box.height * down });
    const tell = (selector, Kind, type, right, down, more) => {
        const element = document.querySelector(selector);
        const where = at(element.getBoundingClientRect(), right, down);
        const how = { ...where, bubbles: true, cancelable: true, ...more };
        element.dispatchEvent(new Kind(type, how));
    };
    const hover = (selector, right, down) =>
        tell(selector, PointerEvent, 'pointermove', right, down, { shiftKey: true, pointerId: 1 });
    const wheel = (way) => tell('#stage', WheelEvent, 'wheel', 0.5, 0.5, { deltaY: 100 * way });
    const slide = (id, value) => {
        const slider = document.getElementById(id);
        slider.value = value;
        slider.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const step = new Function('hover', 'wheel', 'slide', 'i', 't', move);
    const times = [];
    const frame = (time) => {
        times.push(time);
        const i = times.length;
        if (i > frames) return done(times);
        const part = (i % 120) / 60;
        step(hover, wheel, slide, i, part < 1 ? part : 2 - part);
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
"""


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Milliseconds of the median and of the worst frame of each move, and seconds until all is
    held. ``cpu`` is what a frame takes of the processor in the page's own thread.
    """
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]
    from kit.browser import Browser
    from kit.made_exports import Export
    from kit.served_page import served

    folder = settings.work / f"page_{SIZE}_{SLICES}"
    folder.mkdir(exist_ok=True)
    whole, along = Axis.stride(0, SIZE, 1), Axis.stride(0, SLICES, 1)
    export = Export(whole, whole, along, (SIZE, SIZE, SLICES))
    export.write(folder, _draw)
    figures: dict[str, Any] = {"slices": SLICES, "size": SIZE, "frames": {}}
    with tempfile.TemporaryDirectory() as profile, served(folder) as url:
        browser = Browser(Path(profile))
        try:
            browser.resize()
            began = time.perf_counter()
            browser.open(url)
            figures["first"] = time.perf_counter() - began
            while browser.all(".planes .note"):
                time.sleep(0.1)
            figures["held"] = time.perf_counter() - began
            tell(f"  the slice after {figures['first']:.1f} s, all after {figures['held']:.1f} s")
            browser.driver.set_script_timeout(120)
            browser.cdp("Performance.enable", timeDomain="threadTicks")
            for name, move in MOVES.items():
                before = _processor(browser.cdp("Performance.getMetrics"))
                times = browser.driver.execute_async_script(_RUN, move, FRAMES)
                spent = _processor(browser.cdp("Performance.getMetrics")) - before
                taken = np.diff(times).tolist()
                figures["frames"][name] = {
                    "cpu": 1000 * spent / FRAMES,
                    "median": statistics.median(taken),
                    "worst": max(taken),
                    "late": sum(one > 25 for one in taken) / len(taken),
                }
                tell(f"  {name}: {figures['frames'][name]}")
        finally:
            browser.close()
    return figures


def _processor(metrics: dict[str, Any]) -> float:
    """Processor seconds of the page's own thread."""
    return next(one["value"] for one in metrics["metrics"] if one["name"] == "TaskDuration")


def _draw(slice: int, shape: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A ball that fills the stack, with some noise: an image that is about as large as a scan's."""
    rows, columns = np.indices(shape, np.float32) / (SIZE / 2) - 1
    away = np.sqrt(rows**2 + columns**2 + (slice / (SLICES / 2) - 1) ** 2)
    noise = np.random.default_rng(slice).integers(0, 16, shape)
    return np.clip(220 - 180 * away + noise, 0, 255).astype(np.uint8)
