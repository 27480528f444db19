"""Make one PNG: decode its source frames, reduce them, map them to PNG values, encode, and write.

The file is written under another name and then renamed. `Recipe` and `Task` can be pickled, so
`render` runs in a thread, in a process or on another machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels import FrameLocator, read_plane
from sidecar.dicom.transfer_syntaxes import NATIVE
from sidecar.exporting.images import one_pass
from sidecar.formats.png import Compression, Shape, encode, encode_scanlines
from sidecar.grid.axis import Axis
from sidecar.storage.location import Location, WritableLocation
from sidecar.values.histogram import value_counts
from sidecar.values.lookup_table import LookupTable
from sidecar.values.value_maps import Linear, Stored

#: How many times more work a compressed frame is, and the least effort of a task in bytes. A native
#: frame of 2 MiB takes two milliseconds, a compressed one from five to two hundred.
_DECODING, _LEAST_EFFORT = 16, 1 << 20
#: So many values of 16 bits have a sum of 31 bits, with what rounds it.
_FEW_PLANES = 1 << 14


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings that all PNGs of one export share.

    ``values``: None for colour. ``table``: the lookup table for stored values before they are
    reduced; the mean of looked-up values is not the looked-up value of the mean. ``counted``: the
    PNGs whose values are counted while they are made.
    """

    source: Location
    output: WritableLocation
    columns: Axis
    rows: Axis
    combine: str
    values: Stored | Linear | None
    text: tuple[tuple[str, str], ...]
    pixel_mm: tuple[float, float] | None
    table: LookupTable | None = None
    compression: Compression = "fast"
    counted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Task:
    """One PNG to make: its number, its name, and its source frames."""

    index: int
    name: str
    frames: tuple[FrameLocator, ...]

    @property
    def effort(self) -> int:
        """Estimate of the bytes to process. Bytes that must be decoded count `_DECODING` times."""
        frames = sum(
            frame.bytes * (1 if frame.layout.transfer_syntax in NATIVE else _DECODING)
            for frame in self.frames
        )
        return max(frames, _LEAST_EFFORT)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One finished PNG: its digest, the work it took, and, if asked for, how many pixels have each
    value.
    """

    index: int
    sha256: str
    bytes_read: int
    counts: NDArray[np.intp] | None = None


def render(recipe: Recipe, task: Task) -> Rendered:
    """Make one PNG. PixelError for faults of the source, OutputError for faults of writing."""
    if len(task.frames) > 1 or recipe.values is None or task.index in recipe.counted:
        return write_png(recipe, task, png_values(recipe, task))
    frame, columns, rows = task.frames[0], recipe.columns, recipe.rows
    lines = one_pass.scanlines(
        _stored(recipe, frame), columns, rows, recipe.values, frame.rescale, recipe.compression
    )
    shape = Shape(columns.size, rows.size, recipe.values.bits)
    png = encode_scanlines(lines, shape, _text(recipe, task), recipe.pixel_mm, recipe.compression)
    return _written(recipe, task, png)


def write_png(recipe: Recipe, task: Task, pixels: NDArray[Any]) -> Rendered:
    """Write the PNG of a task. The caller still has to sync it to the disk."""
    png = encode(pixels, _text(recipe, task), recipe.pixel_mm, recipe.compression)
    counts = value_counts(pixels) if task.index in recipe.counted else None
    return _written(recipe, task, png, counts)


def _text(recipe: Recipe, task: Task) -> dict[str, str]:
    return {**dict(recipe.text), "Slice": str(task.index)}


def _written(
    recipe: Recipe, task: Task, png: bytes, counts: NDArray[np.intp] | None = None
) -> Rendered:
    (recipe.output / task.name).put_unsynced(png)
    return Rendered(
        task.index,
        hashlib.sha256(png).hexdigest(),
        sum(frame.bytes for frame in task.frames),
        counts,
    )


def png_values(recipe: Recipe, task: Task) -> NDArray[Any]:
    """The pixels of one PNG, uint8 or uint16."""
    values = recipe.values
    if len(task.frames) == 1:
        frame = task.frames[0]
        if values is None:
            return _reduced(recipe, frame)
        plane = _stored(recipe, frame)
        return one_pass.png_values(plane, recipe.columns, recipe.rows, values, frame.rescale)
    rescales = {frame.rescale for frame in task.frames}
    planes = (_reduced(recipe, frame) for frame in task.frames)
    if len(rescales) == 1:
        rescale = rescales.pop()
        combined = _combined(planes, recipe.combine, len(task.frames))
    else:
        rescale = (1.0, 0.0)
        modality = (
            plane * f.rescale[0] + f.rescale[1]
            for plane, f in zip(planes, task.frames, strict=True)
        )
        combined = _combined(modality, recipe.combine, len(task.frames))
    return combined if values is None else values.apply(combined, rescale)


def _stored(recipe: Recipe, frame: FrameLocator) -> NDArray[Any]:
    """A source plane after its lookup table, if any. It is valid until the next `read_plane`."""
    plane = read_plane(recipe.source, frame)
    return plane if recipe.table is None else recipe.table.apply(plane)


def _reduced(recipe: Recipe, frame: FrameLocator) -> NDArray[Any]:
    """A reduced source plane. It is valid until the next `read_plane`."""
    return one_pass.reduced(_stored(recipe, frame), recipe.columns, recipe.rows)


def _combined(planes: Iterator[NDArray[Any]], combine: str, count: int) -> NDArray[Any]:
    """Mean (integers rounded half up) or maximum of planes. Only one accumulator is in memory."""
    first = next(planes)
    if combine == "max":
        total = first.copy()
        for plane in planes:
            np.maximum(total, plane, out=total)
        return total
    if np.issubdtype(first.dtype, np.floating):
        total = first.astype(np.float64)
        for plane in planes:
            total += plane
        return total / count
    # Half the bytes where they hold the sum: large blocks are asked of the system, and given back
    # to it, for every PNG.
    is_small = first.dtype.itemsize <= 2 and count <= _FEW_PLANES
    total = first.astype(np.int32 if is_small else np.int64)
    for plane in planes:
        total += plane
    total += count // 2
    total //= count
    return total.astype(first.dtype)
