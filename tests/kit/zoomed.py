"""Stacks around landmarks, as `sidecar zoom` makes them, and places on their page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import sidecar
from sidecar.mapping import Sidecar

from .browser import Browser, Point
from .command_line import invoked
from .phantoms import Spec, write

NAMES = ("left <i>eye</i>", "tip, of it", "base")


def make_zooms(home: Path, bits: Literal[8, 16] = 16, names: Sequence[str] = NAMES) -> Path:
    """Three stacks around landmarks of a half-size export, in the folder zooms."""
    write(
        Spec(columns=131, rows=117, slices=12, orientation="oblique", tilt_degrees=12.0, seed=3),
        home / "scan",
    )
    png = sidecar.export(home / "scan", home / "png", scale=0.5, bits=bits)
    places = [(14.25, 21.5, 4), (44, 31, 7), (30, 50, 2)]
    lines = [f'"{name}",{x},{y},{k}' for name, (x, y, k) in zip(names, places, strict=True)]
    labels = home / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\n" + "\n".join(lines) + "\n")
    folder = home / "zooms"
    invoked("zoom", labels, "--source", home / "scan", "--size", "14mm", "-o", folder)
    assert png.document.zoom is None
    return folder


def stacks(zooms: Path) -> list[Sidecar]:
    listed = json.loads((zooms / "zooms.json").read_text())["zooms"]
    return [sidecar.open(zooms / zoom["folder"]) for zoom in listed]


def on_screen(browser: Browser, x: float, y: float) -> Point:
    """The window point at a PNG pixel, by what the page says of two points of the stage."""
    seen = []
    for at in ((0.3, 0.3), (0.7, 0.7)):
        browser.move(browser.at(*at))
        seen.append((browser.at(*at), browser.numbers("#png")[:2]))
    (one, png_one), (two, png_two) = seen
    left, top = (
        a + (b - a) * (wanted - p) / (q - p)
        for a, b, p, q, wanted in zip(one, two, png_one, png_two, (x, y), strict=True)
    )
    return left, top
