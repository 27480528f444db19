"""Are the PNGs what their source makes? A few slices are made again as the document says, and
compared with the PNGs pixel by pixel.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.checks.finding import LISTED, Finding, finding, listed
from sidecar.checks.source import plan_again, values_again
from sidecar.dicom.stacks.series import Series
from sidecar.document.images import read_pixels
from sidecar.errors import SidecarError
from sidecar.exporting.images.make_png import Recipe, Task, png_values
from sidecar.exporting.images.window_choice import table_before
from sidecar.exporting.plan import Plan
from sidecar.mapping import Sidecar
from sidecar.progress import Progress
from sidecar.storage.location import Location, WritableLocation

#: Most bytes of slices in memory, where every PNG has one line of each slice.
HELD = 1 << 28


def check_pixels(
    sidecar: Sidecar,
    series: Series,
    root: Location,
    folder: WritableLocation,
    slices: int | None,
    progress: Progress,
) -> Finding:
    """Make ``slices`` of the decimated slices again, or all, and compare them with the PNGs.
    Each call takes other slices at random.
    """
    plan = plan_again(sidecar, series)
    count = plan.reduction.slices.size
    chosen = np.array(_sample(count, count if slices is None else slices), np.intp)
    progress.start("making slices again", len(chosen))
    values, most, images = 0, 0, []
    try:
        for block in _blocks(plan, chosen):
            stack = _made(plan, sidecar, root, folder, block, progress)
            for name, there, made in _pairs(plan, sidecar, folder, block, stack):
                apart = np.abs(there.astype(np.int64) - made)
                if apart.any():
                    values, most = (
                        values + int(np.count_nonzero(apart)),
                        max(most, int(apart.max())),
                    )
                    images.append(name)
    except SidecarError as error:
        return Finding("pixels", False, str(error))
    problems = (
        [f"values that differ: {values}, by up to {most}, on {listed(list(dict.fromkeys(images)))}"]
        if images
        else []
    )
    return finding("pixels", problems, _told(chosen, count))


def _sample(count: int, wanted: int) -> list[int]:
    """One number at random out of each of ``wanted`` equal parts of 0 … count − 1."""
    parts = min(wanted, count)
    edges = [i * count // parts for i in range(parts + 1)]
    return [start + secrets.randbelow(stop - start) for start, stop in pairwise(edges)]


def _told(chosen: NDArray[np.intp], count: int) -> str:
    """How many slices were checked, and how many were not."""
    if len(chosen) == count:
        every = "the only slice" if count == 1 else f"all {count} slices"
        return f"{every} made again: every pixel is the same"
    which = f" ({', '.join(map(str, chosen))})" if len(chosen) <= LISTED else ""
    return (
        f"{len(chosen)} of {count} slices, taken at random{which}, made again: every pixel is the"
        f" same; the other {count - len(chosen)} were not made again"
    )


def _blocks(plan: Plan, chosen: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The chosen slices in blocks. Where each slice is a PNG, a block is one slice.

    Where PNGs are cut across the slices, every block reads all PNGs. A block then has as many
    slices as memory holds.
    """
    if plan.order.along[2] == 2:
        return np.split(chosen, len(chosen))
    at_once = max(1, HELD * plan.reduction.slices.size // plan.png_bytes)
    return np.split(chosen, range(at_once, len(chosen), at_once))


def _made(
    plan: Plan,
    sidecar: Sidecar,
    root: Location,
    folder: WritableLocation,
    block: NDArray[np.intp],
    progress: Progress,
) -> NDArray[Any]:
    """(len(block), rows, columns[, 3]) PNG values of decimated slices, made from the source."""
    reduction = plan.reduction
    values = values_again(plan, sidecar.document)
    recipe = Recipe(
        root,
        folder,
        reduction.columns,
        reduction.rows,
        reduction.slices.method,
        values,
        (),
        None,
        table_before(plan, values),
    )
    channels = (3,) if plan.channels == 3 else ()
    stack = np.empty(
        (len(block), reduction.rows.size, reduction.columns.size, *channels), f"uint{plan.bits}"
    )
    for i, k in enumerate(block.tolist()):
        frames = tuple(frame.locator for frame in plan.frames_of(k))
        stack[i] = png_values(recipe, Task(k, "", frames))
        progress.advance(1, sum(frame.bytes for frame in frames))
    return stack


def _pairs(
    plan: Plan,
    sidecar: Sidecar,
    folder: WritableLocation,
    block: NDArray[np.intp],
    stack: NDArray[Any],
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """The name of each PNG that shows these slices, its pixels there, and the same pixels made
    again.

    These are whole PNGs, or rows or columns of every PNG.
    """
    along = plan.order.along.index(2)
    # in their order on the PNGs
    slices = plan.order.apply(block[:, np.newaxis, np.newaxis]).ravel()
    corners = np.column_stack([np.zeros((len(slices), 2), np.intp), slices])
    at = (~plan.order).map(corners, plan.decimation.size)[:, along]
    document = sidecar.document
    for i, made in enumerate(plan.order.apply(stack)):
        name = document.images.files[int(at[i]) if along == 2 else i].name
        there = read_pixels(document, folder, name)
        yield name, there if along == 2 else there.take(at, axis=1 - along), made
