"""Makes the picture of the README, round_trip.png, from a run of `sidecar demo`: every number in it is measured, none is typed in.

    python docs/images/make_pictures.py
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sidecar.demo.tour import Tour, tour_of_specimen
from sidecar.progress import Silent

HERE = Path(__file__).parent
LANDMARK = "rostrum tip"

#: Everything is drawn this many times larger and then reduced.
OVER = 2
WIDTH, HEIGHT = 1200, 540
PANEL = (340, 306)
TOP = 92
LEFTS = (28, 430, 832)
#: Source voxels across the close-up, and modality values that are black and white.
CLOSE_UP, BLACK, WHITE = 16, -1100, 2750

GROUND, INK, DIM, EDGE = "#10151c", "#eef3f8", "#9fb0c0", "#33404d"
TRUE, BACK, DOUBLED = "#ffcf5c", "#45d98b", "#ff6f6f"

Gray = NDArray[np.uint8]


@cache
def font(size: int, bold: bool = False, mono: bool = False) -> ImageFont.FreeTypeFont:
    family = "LiberationMono" if mono else "LiberationSans"
    return ImageFont.truetype(f"{family}-{'Bold' if bold else 'Regular'}.ttf", size * OVER)


@dataclass(frozen=True)
class Story:
    """What the picture shows: one landmark of a tour. Positions are (column, row) in their own pixels."""

    scan: Gray
    pngs: list[Gray]
    png_name: str
    true_voxel: tuple[float, float]
    label: tuple[float, float]
    back: tuple[float, float]
    doubled: tuple[float, float]
    true_mm: str
    back_mm: str
    error: float
    doubled_error: float

    @classmethod
    def of(cls, tour: Tour) -> Story:
        check = tour.check
        i = [label.name for label in check.labels].index(LANDMARK)
        label = check.labels[i]
        true, back, doubled = (tour.sidecar.stack.to_index(p[i])[0] for p in (check.expected, check.mapped, check.doubled))
        files = tour.sidecar.document.images.files
        k = round(label.slice)
        dataset = pydicom.dcmread(sorted(tour.places.scan.iterdir())[round(true[2])])
        values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        return cls(
            scan=(np.clip((values - BLACK) / (WHITE - BLACK), 0, 1) * 255).astype(np.uint8),
            pngs=[np.asarray(Image.open(tour.places.png / files[k + step].name)) for step in (12, 8, 4, 0)],
            png_name=files[k].name,
            true_voxel=(true[0], true[1]),
            label=(label.x, label.y),
            back=(back[0], back[1]),
            doubled=(doubled[0], doubled[1]),
            true_mm=" ".join(f"{v:.4f}" for v in check.expected[i]),
            back_mm=" ".join(f"{v:.4f}" for v in check.mapped[i]),
            error=check.errors[i] * 1000,
            doubled_error=check.doubled_errors[i] * 1000,
        )


class Canvas:
    """Drawing in final pixels on a ground that is OVER times larger."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * OVER, HEIGHT * OVER), GROUND)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, text: str, size: int, color: str = INK, anchor: str = "la", **style: bool) -> None:
        self.draw.text((x * OVER, y * OVER), text, color, font(size, **style), anchor)

    def line(self, *points: tuple[float, float], color: str, width: float = 2) -> None:
        self.draw.line([(x * OVER, y * OVER) for x, y in points], color, round(width * OVER))

    def box(self, x: float, y: float, width: float, height: float, color: str, line: float = 2) -> None:
        self.draw.rectangle([v * OVER for v in (x, y, x + width, y + height)], outline=color, width=round(line * OVER))

    def ring(self, x: float, y: float, radius: float, color: str, width: float = 2.5) -> None:
        self.draw.ellipse([v * OVER for v in (x - radius, y - radius, x + radius, y + radius)], outline=color, width=round(width * OVER))

    def cross(self, x: float, y: float, arm: float, color: str, width: float = 2.5) -> None:
        for color_, width_ in ((GROUND, width + 2.5), (color, width)):
            self.line((x - arm, y), (x + arm, y), color=color_, width=width_)
            self.line((x, y - arm), (x, y + arm), color=color_, width=width_)

    def pixels(self, gray: Gray, x: float, y: float, width: float, height: float) -> None:
        """An image with its pixels as the squares they are."""
        size = (round(width * OVER), round(height * OVER))
        self.image.paste(Image.fromarray(gray).resize(size, Image.Resampling.NEAREST).convert("RGB"), (round(x * OVER), round(y * OVER)))


def make(story: Story) -> Image.Image:
    canvas = Canvas()
    for left, title, subtitle in zip(
        LEFTS,
        ("The scan", "Small PNGs", "Back in the scan"),
        ("DICOM, 12 µm voxels, oblique", "half size, every second slice", "close-up, one square = one voxel"),
        strict=True,
    ):
        canvas.text(left, 22, title, 27, bold=True)
        canvas.text(left, 57, subtitle, 19, DIM)
    _scan(canvas, story, LEFTS[0])
    _pngs(canvas, story, LEFTS[1])
    _close_up(canvas, story, LEFTS[2])
    _arrow(canvas, LEFTS[0] + PANEL[0], LEFTS[1])
    _arrow(canvas, LEFTS[1] + PANEL[0], LEFTS[2])
    _captions(canvas, story)
    return canvas.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _scan(canvas: Canvas, story: Story, left: int) -> None:
    width, height = PANEL
    scale = width / story.scan.shape[1]
    canvas.pixels(story.scan, left, TOP, width, height)
    canvas.box(left, TOP, width, height, EDGE)
    x, y = (left + (story.true_voxel[0] + 0.5) * scale, TOP + (story.true_voxel[1] + 0.5) * scale)
    side = CLOSE_UP * scale
    canvas.box(x - side / 2, y - side * height / width / 2, side, side * height / width, TRUE)
    canvas.text(x + side / 2, y - side / 2 - 6, LANDMARK, 19, TRUE, "rs", bold=True)


def _pngs(canvas: Canvas, story: Story, left: int) -> None:
    """A deck of PNGs, each at half the size the scan is shown at, the labelled one in front."""
    width, height = (side / 2 for side in PANEL)
    for i, png in enumerate(story.pngs):
        x, y = left + 170 - 56 * i, TOP + 6 + 30 * i
        canvas.pixels(png, x, y, width, height)
        canvas.box(x, y, width, height, DIM if i == len(story.pngs) - 1 else EDGE, 1.5)
    scale = width / story.pngs[-1].shape[1]
    canvas.cross(x + (story.label[0] + 0.5) * scale, y + (story.label[1] + 0.5) * scale, 9, BACK)
    canvas.text(left + 2, TOP + PANEL[1] - 34, "+ sidecar.json", 19, INK, mono=True)
    canvas.text(left + 2, TOP + PANEL[1] - 8, "how PNG pixels relate to the scan", 17, DIM, "lm")


def _close_up(canvas: Canvas, story: Story, left: int) -> None:
    width, height = PANEL
    rows = round(CLOSE_UP * height / width)
    scale = width / CLOSE_UP
    first = [round(story.true_voxel[0]) - CLOSE_UP // 2, round(story.true_voxel[1]) - rows // 2]
    part = story.scan[first[1] : first[1] + rows, first[0] : first[0] + CLOSE_UP]
    canvas.pixels(part, left, TOP, width, rows * scale)
    canvas.box(left, TOP, width, rows * scale, EDGE)

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return left + (place[0] - first[0] + 0.5) * scale, TOP + (place[1] - first[1] + 0.5) * scale

    canvas.cross(*at(story.doubled), 12, DOUBLED)
    canvas.ring(*at(story.true_voxel), 16, TRUE)
    canvas.cross(*at(story.back), 12, BACK)


def _arrow(canvas: Canvas, start: float, end: float) -> None:
    y, tip = TOP + PANEL[1] / 2, end - 14
    canvas.line((start + 14, y), (tip, y), color=INK, width=3)
    canvas.line((tip - 9, y - 8), (tip, y), (tip - 9, y + 8), color=INK, width=3)


def _captions(canvas: Canvas, story: Story) -> None:
    y = TOP + PANEL[1] + 22
    captions = (
        ((TRUE, f"true: {story.true_mm} mm"),),
        ((BACK, f"label: x {story.label[0]:.2f}, y {story.label[1]:.2f}"), (DIM, story.png_name)),
        ((BACK, f"{story.back_mm} mm: {story.error:.1f} µm off"), (DOUBLED, f"PNG pixel × 2 instead: {story.doubled_error:.1f} µm off")),
    )
    for left, lines in zip(LEFTS, captions, strict=True):
        for i, (color, text) in enumerate(lines):
            canvas.text(left, y + 30 * i, text, 20, color)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        picture = make(Story.of(tour_of_specimen(Path(folder, "demo"), Silent())))
    colors = picture.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colors.save(HERE / "round_trip.png", optimize=True)


if __name__ == "__main__":
    main()
