"""Scans with something on them everywhere, stacks that other programs make of them, and the truth
about each, told by ramps.

A ramp is a slice whose values are its own columns, or rows. What a program makes of it says where
every pixel comes from, without any knowledge of the program: the best straight line through that is
the truth an adopted map is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .phantoms import Phantom, Spec, write_values

Volume = NDArray[Any]
#: Makes an image (y, x) of a slice (rows, columns).
Program = Callable[[Volume], Volume]

COLUMN_MM, ROW_MM, SLICE_MM = 0.4, 0.6, 0.9
ORIGIN = (-31.5, 18.25, -407.0)
#: Columns, rows and slices of the scan that most tests share.
COLUMNS, ROWS, SLICES = 150, 120, 30


def texture(
    columns: int = COLUMNS,
    rows: int = ROWS,
    slices: int = SLICES,
    seed: int = 1,
    noise: float = 0.06,
) -> Volume:
    """(slices, rows, columns) int16 modality values, −1000 to 2000: coarse and fine structures, and
    some noise, different everywhere.
    """
    rng = np.random.default_rng(seed)
    shape = (slices, rows, columns)
    waves = np.fft.rfftn(rng.standard_normal(shape))
    frequency = np.sqrt(
        np.fft.fftfreq(slices)[:, None, None] ** 2
        + np.fft.fftfreq(rows)[:, None] ** 2
        + np.fft.rfftfreq(columns) ** 2
    )
    values = np.fft.irfftn(waves / (frequency + 0.015) ** 2, shape, axes=(0, 1, 2))
    values = values / values.std() + noise * rng.standard_normal(shape)
    return np.asarray(np.clip(np.rint(500 + 400 * values), -1000, 2000), np.int16)


def write_scan(folder: Path, volume: Volume, seed: int = 1) -> Phantom:
    """A CT series of single files whose names and instance numbers say nothing about their order;
    another seed is another series.
    """
    slices, rows, columns = volume.shape
    spec = Spec(
        columns=columns,
        rows=rows,
        slices=slices,
        pixel_spacing=(ROW_MM, COLUMN_MM),
        slice_gaps=SLICE_MM,
        origin=ORIGIN,
        markers=False,
        junk=False,
        seed=seed,
    )
    return write_values(spec, folder, volume)


def patient(source: NDArray[np.float64]) -> NDArray[np.float64]:
    """mm (N, 3) of source indices (N, 3) of `write_scan`, by the equation of PS3.3 C.7.6.2.1.1."""
    return np.asarray(ORIGIN) + source * [COLUMN_MM, ROW_MM, SLICE_MM]


def write_images(
    folder: Path, stack: Sequence[Volume], ending: str = "png", **options: Any
) -> Path:
    """Images named frame_1, frame_2, … frame_10: their order is that of the numbers, not of the
    letters.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for k, image in enumerate(stack):
        values = np.ascontiguousarray(image)
        Image.fromarray(values if values.dtype == np.uint16 else values.astype(np.uint8)).save(
            folder / f"frame_{k + 1}.{ending}", **options
        )
    return folder


def autoscaled(plane: Volume) -> Volume:
    """8 bits from the least to the largest value of this very slice."""
    lowest, highest = float(plane.min()), float(plane.max())
    return np.floor((plane.astype(np.float64) - lowest) / (highest - lowest) * 255 + 0.5).astype(
        np.uint8
    )


def windowed(plane: Volume, lower: float, upper: float) -> Volume:
    """8 bits of a window, clipped beyond."""
    return np.floor(
        np.clip((plane.astype(np.float64) - lower) / (upper - lower), 0, 1) * 255 + 0.5
    ).astype(np.uint8)


@dataclass(frozen=True)
class Truth:
    """source = factor · pixel + offset along PNG x, PNG y and number;
    ``turned``: PNG x runs along source rows.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    number: tuple[float, float]
    turned: bool = False

    def source(self, pixel: NDArray[np.float64]) -> NDArray[np.float64]:
        """(column, row, slice) of PNG (x, y, number), (N, 3)."""
        along = np.column_stack(
            [f * pixel[:, i] + o for i, (f, o) in enumerate((self.x, self.y, self.number))]
        )
        return along[:, [1, 0, 2]] if self.turned else along


def truth_of(
    program: Program, columns: int, rows: int, number: tuple[float, float] = (1.0, 0.0)
) -> Truth:
    """What ``program`` does to places, by ramps; pixels within a sixteenth of the edge of an image
    are not asked.
    """
    across, down = np.meshgrid(
        np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
    )
    column, row = (np.asarray(program(ramp), dtype=np.float64) for ramp in (across, down))
    turned = np.ptp(column[:, column.shape[1] // 2]) > np.ptp(column[column.shape[0] // 2])
    along_x, along_y = (row, column) if turned else (column, row)
    return Truth(_line(along_x.mean(axis=0)), _line(along_y.mean(axis=1)), number, bool(turned))


def _line(places: NDArray[np.float64]) -> tuple[float, float]:
    border = len(places) // 16
    inner = slice(border, len(places) - border)
    slope, level = np.polyfit(np.arange(len(places))[inner], places[inner], 1)
    return float(slope), float(level)


def corners(size: tuple[int, int, int]) -> NDArray[np.float64]:
    """The corners of the middle seven eighths of a PNG stack in its plane, of its first and last
    image.
    """
    ends = [((n - 1) / 16, (n - 1) * 15 / 16) for n in size[:2]] + [(0.0, size[2] - 1.0)]
    return np.array(np.meshgrid(*ends)).reshape(3, -1).T
