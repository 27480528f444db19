"""One PNG: decode its source frames, reduce, map to PNG values, encode, write beside and rename.

`Recipe` and `Task` are plain picklable facts, so that the same `render` runs in a thread, a process or on another machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import OutputError, reason
from sidecar.pixels import FramePixels, frame_buffer, read_frame
from sidecar.pixels.layout import NATIVE
from sidecar.places import open_read, remote
from sidecar.png import Compression, encode
from sidecar.sampling import Axis, reduce_plane
from sidecar.series import Frame
from sidecar.window import Linear, Stored

if TYPE_CHECKING:
    from sidecar.remote import Remote

PART_SUFFIX = ".part"
#: A native frame of 2 MiB takes two milliseconds, a compressed one from five to two hundred.
_DECODING, _LEAST_EFFORT = 16, 1 << 20
#: Pixels counted at a time: NumPy makes eight bytes of each.
_COUNTED_PIXELS = 1 << 20
#: Bytes of a remote file fetched at a time for its digest: most PNGs at once.
_DIGEST_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all PNGs of one export share. ``values`` is None for colour; ``counted``: the PNGs whose values are counted on the way."""

    source: Path
    output: Path
    columns: Axis
    rows: Axis
    combine: str
    values: Stored | Linear | None
    text: tuple[tuple[str, str], ...]
    pixel_mm: tuple[float, float] | None
    compression: Compression = "fast"
    counted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class FrameSource:
    """One source frame: its file relative to the source, where its pixels are, and its Rescale Slope and Intercept."""

    file: str
    pixels: FramePixels
    rescale: tuple[float, float]

    @classmethod
    def of(cls, frame: Frame) -> FrameSource:
        return cls(frame.file, FramePixels(frame.common.layout, frame.frame, frame.frames, frame.offset), frame.rescale)

    @property
    def bytes(self) -> int:
        """Uncompressed size of the frame."""
        layout = self.pixels.layout
        return layout.rows * layout.columns * layout.samples * layout.bits_allocated // 8


@dataclass(frozen=True, slots=True)
class Task:
    """One PNG to make: its number, its name, and the frames it is made of."""

    index: int
    name: str
    frames: tuple[FrameSource, ...]

    @property
    def effort(self) -> int:
        """Bytes to work through, as far as it can be told; those that must be decoded first count `_DECODING` times."""
        frames = sum(frame.bytes * (1 if frame.pixels.layout.transfer_syntax in NATIVE else _DECODING) for frame in self.frames)
        return max(frames, _LEAST_EFFORT)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One PNG made: its digest, what it took, and where they were to be counted how many pixels have each value."""

    index: int
    sha256: str
    bytes_read: int
    bytes_written: int
    counts: NDArray[np.intp] | None = None


def render(recipe: Recipe, task: Task) -> Rendered:
    """Make one PNG. Raises PixelError for its source, OutputError for its place."""
    return written(recipe, task, png_values(recipe, task))


def written(recipe: Recipe, task: Task, pixels: NDArray[Any]) -> Rendered:
    """Write the PNG of a task."""
    png = encode(pixels, {**dict(recipe.text), "Slice": str(task.index)}, recipe.pixel_mm, recipe.compression)
    write_whole(recipe.output / task.name, png)
    counts = value_counts(pixels) if task.index in recipe.counted else None
    return Rendered(task.index, hashlib.sha256(png).hexdigest(), sum(f.bytes for f in task.frames), len(png), counts)


def value_counts(pixels: NDArray[Any]) -> NDArray[np.intp]:
    """How many of the pixels, uint8 or uint16, have each value that there can be."""
    flat, values = pixels.ravel(), 1 << 8 * pixels.itemsize
    counts = np.zeros(values, np.intp)
    for start in range(0, flat.size, _COUNTED_PIXELS):
        counts += np.bincount(flat[start : start + _COUNTED_PIXELS], minlength=values)
    return counts


def png_values(recipe: Recipe, task: Task) -> NDArray[Any]:
    """The pixels of one PNG, uint8 or uint16."""
    if len(task.frames) == 1:
        frame = task.frames[0]
        reduced = _reduced(recipe, frame)
        return reduced if recipe.values is None else recipe.values.apply(reduced, frame.rescale)
    rescales = {frame.rescale for frame in task.frames}
    planes = (_reduced(recipe, frame) for frame in task.frames)
    if len(rescales) == 1:
        rescale = rescales.pop()
        combined = _combined(planes, recipe.combine, len(task.frames))
    else:
        rescale = (1.0, 0.0)
        values = (plane * f.rescale[0] + f.rescale[1] for plane, f in zip(planes, task.frames, strict=True))
        combined = _combined(values, recipe.combine, len(task.frames))
    return combined if recipe.values is None else recipe.values.apply(combined, rescale)


_memory = threading.local()
#: Once a block of this size was given back, glibc keeps smaller ones that are freed instead of giving them back too: otherwise every
#: array of every slice costs a page fault for each 4 KiB of it.
_KEPT_BYTES = 1 << 23


def source_plane(source: Path, frame: FrameSource) -> NDArray[Any]:
    """A source plane; it may be a view of this thread's frame memory, valid until the next call in the same thread."""
    layout = frame.pixels.layout
    if getattr(_memory, "layout", None) != layout:
        _memory.layout, _memory.buffer = layout, frame_buffer(layout)
        np.empty(_KEPT_BYTES, np.uint8)  # given back at once
    return read_frame(source / frame.file, frame.pixels, _memory.buffer)


def _reduced(recipe: Recipe, frame: FrameSource) -> NDArray[Any]:
    """A reduced source plane, valid as long as a `source_plane`."""
    return reduce_plane(source_plane(recipe.source, frame), recipe.columns, recipe.rows)


def _combined(planes: Iterator[NDArray[Any]], combine: str, count: int) -> NDArray[Any]:
    """Mean (integers rounded half up) or maximum of planes, holding one accumulator."""
    first = next(planes)
    if combine == "max":
        total = first.copy()
        for plane in planes:
            np.maximum(total, plane, out=total)
        return total
    floating = np.issubdtype(first.dtype, np.floating)
    total = first.astype(np.float64 if floating else np.int64)
    for plane in planes:
        total += plane
    return total / count if floating else ((total + count // 2) // count).astype(first.dtype)


#: The kernel makes names in a folder one after the other, and threads that wait for it there keep their processors busy.
_naming = threading.Lock()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that it is there whole or not at all; what is remote is so by itself."""
    far = remote(path)
    if far is not None:
        return _put(far, data)
    part = f"{path}.{os.urandom(4).hex()}{PART_SUFFIX}"  # two workers may be at the same PNG when one seemed lost
    try:
        with _naming:
            _write_new(part, data)
            os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108
        raise OutputError(f"{path.name} cannot be written: {reason(error)}") from None


def _write_new(name: str, data: bytes) -> None:
    """Without a Path, which takes as long to make as the file, or a file object, which asks the system more than it has to."""
    number = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
    finally:
        os.close(number)


def _put(far: Remote, data: bytes) -> None:
    try:
        far.put(data)
    except OSError as error:
        raise OutputError(f"{far.name} cannot be written: {reason(error)}") from None


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with open_read(path, _DIGEST_BLOCK) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def available_processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
