"""PNGs along another axis: the decimated stack goes into a scratch file as it is made, and is cut
the other way from there.

The scratch file holds the decimated stack uncompressed, as large as the plan says, and is removed
in the end; memory stays flat.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import OutputError
from sidecar.exporting.make_png import Recipe, Rendered, Task, png_values, write_png
from sidecar.exporting.plan import Plan
from sidecar.exporting.workers import Workers
from sidecar.grid.axis_order import AxisOrder
from sidecar.storage.location import WritableLocation

SCRATCH = ".sidecar-scratch"


@dataclass(frozen=True, slots=True)
class Scratch:
    """The decimated stack on disk: (slices, rows, columns) or with 3 channels, uint8 or uint16."""

    path: Path
    shape: tuple[int, ...]
    dtype: str

    def open(self, mode: Any) -> NDArray[Any]:
        return np.memmap(self.path, self.dtype, mode, shape=self.shape)


def render_resliced(
    recipe: Recipe,
    plan: Plan,
    missing: list[int],
    workers: Workers,
    note: Callable[[Rendered], object],
) -> Generator[Rendered]:
    """Make the missing PNGs of a plan that cuts along another axis. OutputError where the disk
    cannot hold the scratch file.

    First every decimated slice is given (as `Rendered` of index −1), then every PNG, of which also
    ``note`` is told: see `Workers.results`.
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
            Scratch(folder / SCRATCH, (slices, rows, columns, *channels), f"uint{plan.bits}"),
            note,
        )


@contextlib.contextmanager
def _scratch_folder(output: WritableLocation, workers: Workers) -> Iterator[Path]:
    """The output folder; for a remote one, which cannot be written in pieces, a temporary folder of
    this machine.
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
            f"cutting along another axis needs {needed / 1e9:.1f} GB of scratch space, and"
            f" {free / 1e9:.1f} GB are free; decimate more"
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
    """Put one decimated slice in its place."""
    stack = scratch.open("r+")
    stack[task.index] = png_values(recipe, task)
    return Rendered(-1, "", sum(frame.bytes for frame in task.frames))


def _cut(recipe: Recipe, scratch: Scratch, order: AxisOrder, task: Task) -> Rendered:
    """Write one PNG of the stack in another order."""
    plane = order.apply(scratch.open("r"))[task.index]
    return write_png(recipe, task, np.ascontiguousarray(plane))
