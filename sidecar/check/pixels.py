"""Are the PNGs what their source makes? A few slices are made again as the document says, and compared pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.check.finding import LISTED, Finding, finding
from sidecar.check.images import read_pixels
from sidecar.check.source import plan_again, values_again
from sidecar.errors import SidecarError
from sidecar.mapping import Sidecar
from sidecar.plan import Plan
from sidecar.progress import Progress
from sidecar.render import FrameSource, Recipe, Task, png_values
from sidecar.reslice import turned
from sidecar.series import Series


@dataclass(frozen=True, slots=True)
class Made:
    """A slice made again: where its pixels lie on which PNG."""

    png: int
    rows: slice
    columns: slice
    pixels: NDArray[Any]


def check_pixels(sidecar: Sidecar, series: Series, root: Path, folder: Path, slices: int | None, progress: Progress) -> Finding:
    """Make ``slices`` of the decimated slices again, spread over the stack, or all of them, and compare them with the PNGs."""
    plan = plan_again(sidecar, series)
    recipe = _recipe(plan, sidecar, root, folder)
    count = plan.reduction.slices.size
    chosen = np.unique(np.linspace(0, count - 1, count if slices is None else min(slices, count)).round().astype(int)).tolist()
    progress.start("making slices again", len(chosen))
    problems = []
    for k in chosen:
        frames = tuple(FrameSource.of(frame) for frame in plan.frames_of(k))
        try:
            found = _compared(sidecar, folder, _made(plan, k, png_values(recipe, Task(k, "", frames))))
        except SidecarError as error:
            return Finding("pixels", False, str(error))
        if found:
            problems.append(f"slice {k}: {found}")
        progress.advance(1, sum(frame.bytes for frame in frames))
    return finding("pixels", problems, f"{_told(chosen, count)} made again: every pixel is the same")


def _told(chosen: list[int], count: int) -> str:
    if len(chosen) == count:
        return f"all {count} slices"
    return f"slices {', '.join(map(str, chosen))} of {count}" if len(chosen) <= LISTED else f"{len(chosen)} of {count} slices"


def _recipe(plan: Plan, sidecar: Sidecar, root: Path, folder: Path) -> Recipe:
    """How the pixels were made; what else is in a PNG does not matter here."""
    reduction = plan.reduction
    values = values_again(plan, sidecar.document)
    return Recipe(root, folder, reduction.columns, reduction.rows, reduction.slices.method, values, (), None)


def _made(plan: Plan, k: int, values: NDArray[Any]) -> Iterator[Made]:
    """The pieces of PNGs that a decimated slice (rows, columns[, 3]) is: one whole PNG, or a row or column of every PNG."""
    view = turned(values[np.newaxis], plan.turn)
    along = plan.turn.order.index(2)
    at = plan.reduction.slices.size - 1 - k if plan.turn.mirrored[along] else k
    everything, line = slice(None), slice(at, at + 1)
    if along == 2:
        yield Made(at, everything, everything, view[0])
        return
    for png in range(len(view)):
        yield Made(png, line if along == 1 else everything, line if along == 0 else everything, view[png])


def _compared(sidecar: Sidecar, folder: Path, made: Iterator[Made]) -> str:
    """Where and by how much PNGs differ from what was made again; "" where they do not."""
    pixels, images, most = 0, [], 0
    for piece in made:
        name = sidecar.document.images.files[piece.png].name
        there = read_pixels(sidecar.document, folder, name)[piece.rows, piece.columns]
        apart = np.abs(there.astype(np.int64) - piece.pixels)
        if apart.any():
            pixels, most = pixels + int(np.count_nonzero(apart)), max(most, int(apart.max()))
            images.append(name)
    if not images:
        return ""
    where = images[0] if len(images) == 1 else f"{images[0]} … {images[-1]}"
    return f"{pixels} values differ, by {most} at most, on {where}"
