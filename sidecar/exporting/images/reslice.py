"""Make PNGs along another axis: write the decimated stack to a scratch file, then cut it the other
way.

The scratch file holds the decimated stack uncompressed. The plan states its size. It is removed at
the end, and memory use stays constant. A PNG along another axis needs a little of every page of the
scratch file, so many PNGs are cut at once.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import OutputError
from sidecar.exporting.images.make_png import Recipe, Rendered, Task, png_values, write_png
from sidecar.exporting.images.workers import Workers
from sidecar.exporting.plan import Plan
from sidecar.grid.axis_order import AxisOrder
from sidecar.storage.location import WritableLocation

SCRATCH = ".sidecar-scratch"
#: PNGs that are cut at once, and bytes of the scratch file that are in memory for it at a time.
_AT_ONCE, _PART = 32, 1 << 26
#: One thread cuts. The others wait for its result, because all need the same part.
_one_cuts = threading.Lock()


@dataclass(frozen=True, slots=True)
class Scratch:
    """The decimated stack on disk: (slices, rows, columns) or with 3 channels, uint8 or uint16.

    ``made``: the time of its making. It distinguishes the file from an earlier one at the same
    path.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: str
    made: int

    def open(self, mode: Any) -> NDArray[Any]:
        return np.memmap(self.path, self.dtype, mode, shape=self.shape)

    def parts(self) -> Iterator[tuple[range, NDArray[Any]]]:
        """The slices in order, some at a time: their numbers, and an array of them.

        The caller must not keep the array.
        """
        size = math.prod(self.shape[1:]) * np.dtype(self.dtype).itemsize
        step = max(1, _PART // size)
        for first in range(0, self.shape[0], step):
            numbers = range(first, min(first + step, self.shape[0]))
            shape = (len(numbers), *self.shape[1:])
            yield numbers, np.memmap(self.path, self.dtype, "r", first * size, shape)


def render_resliced(
    recipe: Recipe,
    plan: Plan,
    missing: list[int],
    workers: Workers,
    note: Callable[[Rendered], object],
) -> Generator[Rendered]:
    """Make the missing PNGs of a plan that cuts along another axis.

    Yields every decimated slice first (as `Rendered` of index −1), then every PNG. ``note`` is
    called for every PNG: see `Workers.results`. OutputError where the disk cannot hold the scratch
    file.
    """
    columns, rows, slices = plan.reduction.size
    channels = (3,) if plan.channels == 3 else ()
    if not missing:
        return
    with _scratch_folder(recipe.output, workers) as folder:
        yield from _resliced(
            recipe,
            plan,
            missing,
            workers,
            Scratch(
                folder / SCRATCH,
                (slices, rows, columns, *channels),
                f"uint{plan.bits}",
                time.time_ns(),
            ),
            note,
        )


@contextlib.contextmanager
def _scratch_folder(output: WritableLocation, workers: Workers) -> Iterator[Path]:
    """The folder for the scratch file: the output folder, or a temporary folder of this machine.

    A remote output cannot be written in pieces.
    """
    if output.local is not None:
        yield output.local
    elif workers.lost:
        raise OutputError(
            "cutting along another axis on a cluster needs an output folder on a file system that"
            " all its machines share"
        )
    else:
        with tempfile.TemporaryDirectory(prefix="sidecar-") as folder:
            yield Path(folder)


def _resliced(
    recipe: Recipe,
    plan: Plan,
    missing: list[int],
    workers: Workers,
    scratch: Scratch,
    note: Callable[[Rendered], object],
) -> Generator[Rendered]:
    needed, free = plan.scratch_bytes, shutil.disk_usage(scratch.path.parent).free
    if needed > free:
        raise OutputError(
            f"cutting along another axis needs {needed / 1e9:.1f} GB of scratch space, but only"
            f" {free / 1e9:.1f} GB are free; decimate more, or free some space"
        )
    try:
        scratch.open("w+")
        tasks = (
            Task(k, "", tuple(frame.locator for frame in plan.frames_of(k)))
            for k in range(scratch.shape[0])
        )
        yield from workers.results(partial(_fill, recipe, scratch), tasks)
        cuts = (Task(k, plan.names[k], ()) for k in missing)
        yield from workers.results(partial(_cut, recipe, scratch, plan.order), cuts, note)
    finally:
        scratch.path.unlink(missing_ok=True)


def _fill(recipe: Recipe, scratch: Scratch, task: Task) -> Rendered:
    """Write one decimated slice to its place in the scratch file."""
    stack = scratch.open("r+")
    stack[task.index] = png_values(recipe, task)
    return Rendered(-1, "", sum(frame.bytes for frame in task.frames))


def _cut(recipe: Recipe, scratch: Scratch, order: AxisOrder, task: Task) -> Rendered:
    """Write one PNG of the stack in another order."""
    first = task.index - task.index % _AT_ONCE
    with _one_cuts:
        planes = _planes(scratch, order, first)
    return write_png(recipe, task, planes[task.index - first])


@lru_cache(maxsize=2)
def _planes(scratch: Scratch, order: AxisOrder, first: int) -> NDArray[Any]:
    """`_AT_ONCE` PNGs, or as many as there are, from number ``first`` on: (n, rows, columns)."""
    slices, (_, rows, columns) = scratch.shape[0], order.apply(scratch.open("r")).shape[:3]
    kept = slice(first, first + _AT_ONCE)
    axis = 2 - order.along.index(2)  # the axis of the PNGs along which the slices run
    if axis == 0:
        return np.ascontiguousarray(order.apply(scratch.open("r"))[kept])
    planes: NDArray[Any] | None = None
    for numbers, part in scratch.parts():
        some = order.apply(part)[kept]
        if planes is None:
            planes = np.empty((len(some), rows, columns, *some.shape[3:]), scratch.dtype)
        start, stop = numbers.start, numbers.stop
        there = slice(start, stop)
        if order.mirrored[order.along.index(2)]:
            there = slice(slices - stop, slices - start)
        planes[(slice(None), there) if axis == 1 else (slice(None), slice(None), there)] = some
    assert planes is not None  # there is at least one slice
    return planes
