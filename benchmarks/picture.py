"""The figures as one picture: how much longer peers take, where the time of a slice goes, memory
against slices.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from benchmarks.throughput import OURS

#: Everything is drawn this many times larger and then reduced.
OVER = 3
WIDTH, HEIGHT = 1200, 430
TOP, BOTTOM = 100, 380
GROUND, INK, DIM, EDGE = "#10151c", "#eef3f8", "#9fb0c0", "#3a4856"
BITS_COLOURS = {"8": "#2fd980", "16": "#4aa8ff"}
STAGE_COLOURS = (
    "#4aa8ff",
    "#2fd980",
    "#ffc53d",
    "#c48bff",
    "#ff5757",
    "#6fe0e0",
    "#ff9d4a",
    "#9fb0c0",
    "#5d6f80",
)
#: What writes something else, or is there twice, stands in the table alone.
_NOT_SHOWN = frozenset({OURS, "dcm2niix", "SimpleITK, a thread each"})


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(
            f"LiberationSans-{'Bold' if bold else 'Regular'}.ttf", size * OVER
        )
    except OSError:
        return ImageFont.load_default(size * OVER)


class Canvas:
    """Drawing in final pixels on a ground that is OVER times larger."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * OVER, HEIGHT * OVER), GROUND)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        color: str = INK,
        anchor: str = "la",
        bold: bool = False,
    ) -> None:
        self._draw.text((x * OVER, y * OVER), text, color, font(size, bold), anchor)

    def box(self, x: float, y: float, width: float, height: float, color: str) -> None:
        self._draw.rectangle([v * OVER for v in (x, y, x + width, y + height)], color)

    def line(self, *points: tuple[float, float], color: str, width: float = 2) -> None:
        self._draw.line(
            [(x * OVER, y * OVER) for x, y in points], color, round(width * OVER), joint="curve"
        )

    def dot(self, x: float, y: float, radius: float, color: str) -> None:
        self._draw.ellipse(
            [v * OVER for v in (x - radius, y - radius, x + radius, y + radius)], color
        )

    def title(self, x: float, title: str, subtitle: str) -> None:
        self.text(x, 24, title, 24, bold=True)
        self.text(x, 56, subtitle, 16, DIM)


def draw(results: dict[str, Any]) -> Image.Image:
    """The panels of all parts that there are results for."""
    canvas = Canvas()
    for part, panel, left in (
        ("throughput", _peers, 28),
        ("stages", _stages, 450),
        ("memory", _memory, 860),
    ):
        if part in results:
            panel(canvas, results[part]["figures"], left)
    return canvas.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _peers(canvas: Canvas, figures: dict[str, Any], left: float) -> None:
    slices = max(next(iter(figures["bits"].values())), key=int)
    canvas.title(
        left,
        "Times as long as sidecar",
        f"{int(slices):,} slices of {figures['size']}² to half size, processor time",
    )
    bars = [
        (name, bits, result["cpu"] / by_slices[slices][OURS]["cpu"])
        for bits, by_slices in figures["bits"].items()
        for name, result in by_slices[slices].items()
        if name not in _NOT_SHOWN
    ]
    names = list(dict.fromkeys(name for name, _, _ in bars))
    step, scale = (
        (BOTTOM - TOP) / max(1, len(names)),
        300 / max((ratio for _, _, ratio in bars), default=1),
    )
    for row, name in enumerate(names):
        canvas.text(left, TOP + row * step, name, 16)
        for k, (_, bits, ratio) in enumerate(bar for bar in bars if bar[0] == name):
            y = TOP + row * step + 21 + 19 * k
            canvas.box(left, y, ratio * scale, 15, BITS_COLOURS[bits])
            canvas.text(left + ratio * scale + 6, y + 8, f"{ratio:.1f} ×", 14, INK, "lm")
    for k, (bits, colour) in enumerate(BITS_COLOURS.items()):
        canvas.box(left + 110 * k, BOTTOM + 22, 12, 12, colour)
        canvas.text(left + 18 + 110 * k, BOTTOM + 28, f"{bits}-bit PNGs", 14, DIM, "lm")


def _stages(canvas: Canvas, figures: dict[str, Any], left: float) -> None:
    canvas.title(
        left, "Where a slice spends its time", "ms of processor, ours beside the least possible"
    )
    columns = [
        (f"{bits} bits {key}", stages, key)
        for bits, stages in figures["bits"].items()
        for key in ("ours", "least")
    ]
    highest = max(sum(stage[key] for stage in stages) for _, stages, key in columns)
    scale, legend = (BOTTOM - TOP) / highest, columns[0][1]
    for k, (_, stages, key) in enumerate(columns):
        x, y = left + 52 * k + 14 * (k // 2), float(BOTTOM)
        for stage, colour in zip(stages, STAGE_COLOURS, strict=True):
            height = stage[key] * scale
            canvas.box(x, y - height, 42, height, colour)
            y -= height
        canvas.text(x + 21, y - 6, f"{sum(s[key] for s in stages):.1f}", 14, INK, "mb")
        canvas.text(x + 21, BOTTOM + 8, key, 14, DIM, "ma")
    for k, bits in enumerate(figures["bits"]):
        canvas.text(left + 47 + 118 * k, BOTTOM + 26, f"{bits} bits", 14, DIM, "ma")
    for k, (stage, colour) in enumerate(zip(legend, STAGE_COLOURS, strict=True)):
        y = BOTTOM - 16 - 22 * k
        canvas.box(left + 236, y, 12, 12, colour)
        canvas.text(left + 254, y + 6, stage["name"].partition(",")[0], 14, DIM, "lm")


def _memory(canvas: Canvas, figures: dict[str, Any], left: float) -> None:
    canvas.title(left, "Peak memory against slices", "MB of all processes, two workers")
    width, counts = (
        250,
        sorted({int(count) for by_count in figures["peaks"].values() for count in by_count}),
    )
    highest = 50 * math.ceil(
        max(max(by_count.values()) for by_count in figures["peaks"].values()) / 50e6
    )
    x0 = left + 40

    def at(count: int, peak: float) -> tuple[float, float]:
        along = math.log(count / counts[0]) / math.log(counts[-1] / counts[0])
        return x0 + 10 + along * (width - 20), BOTTOM - peak / 1e6 / highest * (BOTTOM - TOP)

    for peak in range(0, highest + 1, 50):
        _, y = at(counts[0], peak * 1e6)
        canvas.line((x0, y), (x0 + width, y), color=EDGE, width=1)
        canvas.text(x0 - 8, y, f"{peak}", 14, DIM, "rm")
    for count in counts:
        canvas.text(at(count, 0)[0], BOTTOM + 8, f"{count:,}", 14, DIM, "ma")
    for (size, by_count), colour in zip(
        figures["peaks"].items(), BITS_COLOURS.values(), strict=False
    ):
        points = [at(int(count), peak) for count, peak in by_count.items()]
        canvas.line(*points, color=colour, width=3)
        for point in points:
            canvas.dot(*point, 5, colour)
        canvas.text(points[-1][0] - 4, points[-1][1] - 12, f"{size}²", 15, colour, "rb", bold=True)
