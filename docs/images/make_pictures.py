"""Makes the picture of the README, round_trip.png, from a run of `sidecar demo`: every number in it
is measured, none is typed in.

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
OVER = 4
WIDTH, HEIGHT = 1200, 496
PANEL = (340, 306)
TOP = 92
LEFTS = (28, 430, 832)
#: Source voxels of the close-up, columns and rows, in the panel's own proportion; modality values
#: that are black and white.
CLOSE_UP = (10, 9)
BLACK, WHITE = -1100, 2750

GROUND, CARD, INK, DIM, EDGE = "#10151c", "#1b2530", "#eef3f8", "#9fb0c0", "#3a4856"
TRUE, BACK, DOUBLED = "#ffc53d", "#2fd980", "#ff5757"

Gray = NDArray[np.uint8]


@cache
def font(size: int, bold: bool = False, mono: bool = False) -> ImageFont.FreeTypeFont:
    family = "LiberationMono" if mono else "LiberationSans"
    return ImageFont.truetype(f"{family}-{'Bold' if bold else 'Regular'}.ttf", size * OVER)


@dataclass(frozen=True)
class Story:
    """What the picture shows: one landmark of a tour.

    Positions are (column, row) in their own pixels.
    """

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
    relation: list[str]

    @classmethod
    def of(cls, tour: Tour) -> Story:
        check = tour.check
        i = [label.name for label in check.labels].index(LANDMARK)
        label = check.labels[i]
        true, back, doubled = (
            tour.sidecar.stack.to_index(p[i])[0]
            for p in (check.expected, check.mapped, check.doubled)
        )
        files = tour.sidecar.document.images.files
        k = round(label.slice)
        dataset = pydicom.dcmread(sorted(tour.places.scan.iterdir())[round(true[2])])
        values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        return cls(
            scan=(np.clip((values - BLACK) / (WHITE - BLACK), 0, 1) * 255).astype(np.uint8),
            pngs=[
                np.asarray(Image.open(tour.places.png / files[k + step].name)) for step in (7, 4, 0)
            ],
            png_name=files[k].name,
            true_voxel=(true[0], true[1]),
            label=(label.x, label.y),
            back=(back[0], back[1]),
            doubled=(doubled[0], doubled[1]),
            true_mm=" ".join(f"{v:.4f}" for v in check.expected[i]),
            back_mm=" ".join(f"{v:.4f}" for v in check.mapped[i]),
            error=check.errors[i] * 1000,
            doubled_error=check.doubled_errors[i] * 1000,
            relation=[
                f"{name:<6} = {axis.factor:g}{pixel}"
                + (f" + {axis.offset:g}" if axis.offset else "")
                for name, pixel, axis in zip(
                    ("column", "row", "slice"), "xyk", tour.sidecar.decimation.axes, strict=True
                )
            ],
        )


class Canvas:
    """Drawing in final pixels on a ground that is OVER times larger."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * OVER, HEIGHT * OVER), GROUND)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        color: str = INK,
        anchor: str = "la",
        **style: bool,
    ) -> None:
        self.draw.text((x * OVER, y * OVER), text, color, font(size, **style), anchor)

    def line(self, *points: tuple[float, float], color: str, width: float = 2) -> None:
        self.draw.line([(x * OVER, y * OVER) for x, y in points], color, round(width * OVER))

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        color: str,
        line: float = 2,
        fill: str | None = None,
    ) -> None:
        self.draw.rectangle(
            [v * OVER for v in (x, y, x + width, y + height)], fill, color, round(line * OVER)
        )

    def ring(self, x: float, y: float, radius: float, color: str, width: float) -> None:
        self.draw.ellipse(
            [v * OVER for v in (x - radius, y - radius, x + radius, y + radius)],
            outline=color,
            width=round(width * OVER),
        )

    def cross(self, x: float, y: float, arm: float, color: str, width: float) -> None:
        """A cross with a dark rim, seen on any ground."""
        for fill, rim in ((GROUND, 1.5), (color, 0.0)):
            for across, along in ((arm + rim, width / 2 + rim), (width / 2 + rim, arm + rim)):
                self.draw.rectangle(
                    [v * OVER for v in (x - across, y - along, x + across, y + along)], fill
                )

    def pixels(self, gray: Gray, x: float, y: float, width: float, height: float) -> None:
        """An image with its pixels as the squares they are."""
        size = (round(width * OVER), round(height * OVER))
        self.image.paste(
            Image.fromarray(gray).resize(size, Image.Resampling.NEAREST).convert("RGB"),
            (round(x * OVER), round(y * OVER)),
        )


def make(story: Story) -> Image.Image:
    canvas = Canvas()
    for left, title, subtitle in zip(
        LEFTS,
        ("The scan", "Small PNGs", "Back in the scan"),
        (
            "DICOM, 12 µm voxels, oblique",
            "half size, every second slice",
            "close-up, one square = one voxel",
        ),
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
    wide, high = (side * scale for side in CLOSE_UP)
    canvas.box(x - wide / 2, y - high / 2, wide, high, TRUE)
    for i, word in enumerate(LANDMARK.split()):
        canvas.text(left + width - 10, y + high / 2 + 8 + 22 * i, word, 20, TRUE, "ra", bold=True)


def _pngs(canvas: Canvas, story: Story, left: int) -> None:
    """A deck of PNGs, each at half the size the scan is shown at, the labelled one in front; and
    what the sidecar says.
    """
    width, height = (side / 2 for side in PANEL)
    for i, png in enumerate(story.pngs):
        x, y = left + PANEL[0] - width - 85 * i, TOP + 20 * i
        canvas.pixels(png, x, y, width, height)
        canvas.box(x, y, width, height, DIM if i == len(story.pngs) - 1 else EDGE, 1.5)
    scale = width / story.pngs[-1].shape[1]
    canvas.cross(x + (story.label[0] + 0.5) * scale, y + (story.label[1] + 0.5) * scale, 8, BACK, 3)
    top = TOP + PANEL[1] - 92
    canvas.box(left, top, PANEL[0], 92, EDGE, 1.5, CARD)
    canvas.text(left + 14, top + 12, "sidecar.json", 19, INK, bold=True)
    for i, relation in enumerate(story.relation):
        canvas.text(left + 146, top + 13 + 24 * i, relation, 17, INK, mono=True)


def _close_up(canvas: Canvas, story: Story, left: int) -> None:
    columns, rows = CLOSE_UP
    scale = PANEL[0] / columns
    first = (round(story.true_voxel[0]) - columns // 2, round(story.true_voxel[1]) - rows // 2)
    part = story.scan[first[1] : first[1] + rows, first[0] : first[0] + columns]
    canvas.pixels(part, left, TOP, *PANEL)
    canvas.box(left, TOP, *PANEL, EDGE)

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return left + (place[0] - first[0] + 0.5) * scale, TOP + (place[1] - first[1] + 0.5) * scale

    canvas.ring(*at(story.true_voxel), 19, TRUE, 4)
    canvas.cross(*at(story.doubled), 11, DOUBLED, 4)
    canvas.cross(*at(story.back), 11, BACK, 4)


def _arrow(canvas: Canvas, start: float, end: float) -> None:
    y, tip = TOP + PANEL[1] / 2, end - 14
    canvas.line((start + 14, y), (tip, y), color=INK, width=3)
    canvas.line((tip - 9, y - 8), (tip, y), (tip - 9, y + 8), color=INK, width=3)


def _captions(canvas: Canvas, story: Story) -> None:
    y = TOP + PANEL[1] + 22
    captions = (
        (((TRUE, f"truly at {story.true_mm} mm"),), ((DIM, "known, as the specimen is made up"),)),
        (
            ((BACK, f"labelled at x {story.label[0]:.2f}, y {story.label[1]:.2f}"),),
            ((DIM, f"on {story.png_name}, in any tool"),),
        ),
        (
            ((BACK, f"back at {story.back_mm} mm"),),
            (
                (BACK, f"{story.error:.1f} µm off"),
                (DIM, "  PNG pixel × 2: "),
                (DOUBLED, f"{story.doubled_error:.1f} µm off"),
            ),
        ),
    )
    for left, lines in zip(LEFTS, captions, strict=True):
        for i, pieces in enumerate(lines):
            x: float = left
            for color, text in pieces:
                canvas.text(x, y + 29 * i, text, 20, color, bold=color != DIM)
                x += font(20, bold=color != DIM).getlength(text) / OVER


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        picture = make(Story.of(tour_of_specimen(Path(folder, "demo"), Silent())))
    colors = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    colors.save(HERE / "round_trip.png", optimize=True)


if __name__ == "__main__":
    main()
