"""Turn the stored values of a gray slice into reduced values, PNG values or scanlines of a PNG.

The kernel (`sidecar/_kernel.c`) does this in one pass without the interpreter lock, if it was
built. It takes integers of 8 and 16 bits. numpy does everything else, with results that are the
same to the bit. If the environment variable SIDECAR_PURE is set, numpy does everything.
"""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.formats.png import FILTERS, Compression
from sidecar.formats.png import scanlines as filtered
from sidecar.grid.axis import Axis
from sidecar.grid.reduce import reduce_plane, tent_weights
from sidecar.values.value_maps import Arithmetic, Linear, Stored

_kernel: Any = None
if not os.environ.get("SIDECAR_PURE"):
    with contextlib.suppress(ImportError):  # it was not built
        _kernel = import_module("sidecar._kernel")

#: Samples of a block whose sum the kernel holds in 32 bits.
_LARGEST_BLOCK = 2**14 - 1
_NO_FILTER = 0
#: An axis as the kernel takes it: the samples of a block and nothing else; or minus the number of
#: taps of tents, with samples and weights (size, taps).
_Along = tuple[int, bytes | NDArray[np.int32], bytes | NDArray[np.float64]]


def way() -> str:
    """What makes the slices on this machine, in words."""
    if _kernel is not None:
        return "the compiled kernel"
    return "numpy, because SIDECAR_PURE is set" if os.environ.get("SIDECAR_PURE") else "numpy"


def reduced(plane: NDArray[Any], columns: Axis, rows: Axis) -> NDArray[Any]:
    """As `reduce_plane`."""
    kept = Arithmetic("s", 1, 0, 8 if plane.itemsize == 1 else 16)
    made = _rendered(plane, columns, rows, kept, _NO_FILTER)
    return reduce_plane(plane, columns, rows) if made is None else made.view(plane.dtype)


def png_values(
    plane: NDArray[Any],
    columns: Axis,
    rows: Axis,
    values: Stored | Linear,
    rescale: tuple[float, float],
) -> NDArray[Any]:
    """The PNG values of a reduced plane: uint8 or uint16."""
    how = values.arithmetic(plane.dtype, rescale)
    made = _rendered(plane, columns, rows, how, _NO_FILTER)
    return values.apply(reduce_plane(plane, columns, rows), rescale) if made is None else made


def scanlines(
    plane: NDArray[Any],
    columns: Axis,
    rows: Axis,
    values: Stored | Linear,
    rescale: tuple[float, float],
    compression: Compression,
) -> NDArray[np.uint8]:
    """The PNG values of a reduced plane as scanlines: each row behind its filter type."""
    how = values.arithmetic(plane.dtype, rescale)
    made = _rendered(plane, columns, rows, how, FILTERS[compression])
    if made is not None:
        return made
    pixels = values.apply(reduce_plane(plane, columns, rows), rescale)
    return filtered(pixels, compression)


def _rendered(
    plane: NDArray[Any], columns: Axis, rows: Axis, how: Arithmetic, filter: int
) -> NDArray[Any] | None:
    """The result of the kernel, or None where numpy has to do the work."""
    if _kernel is None or not _is_taken(plane, columns, rows, how):
        return None
    cropped = plane[rows.start : rows.stop, columns.start : columns.stop]
    tents = "resize" in (rows.method, columns.method)
    along: list[_Along] = [
        _tents(length, axis.size) if tents else (round(axis.factor), b"", b"")
        for length, axis in zip(cropped.shape, (rows, columns), strict=True)
    ]
    out: NDArray[Any]
    if filter == _NO_FILTER:
        out = np.empty((rows.size, columns.size), np.uint8 if how.bits == 8 else np.uint16)
    else:
        out = np.empty((rows.size, columns.size * how.bits // 8 + 1), np.uint8)
    numbers = how.type, how.gain, how.bias, how.bits
    _kernel.render(cropped, out, *along[0], *along[1], *numbers, filter)
    return out


def _is_taken(plane: NDArray[Any], columns: Axis, rows: Axis, how: Arithmetic) -> bool:
    limit = np.finfo(np.float32).max
    return bool(
        plane.ndim == 2
        and plane.dtype.kind in "ui"
        and plane.itemsize <= 2
        and plane.dtype.isnative
        and plane.flags.aligned
        and plane.strides[1] == plane.itemsize
        and all(axis.method in ("mean", "resize") or axis.factor == 1 for axis in (columns, rows))
        and columns.factor * rows.factor <= _LARGEST_BLOCK
        and abs(how.gain) < limit
        and abs(how.bias) < limit
    )


@lru_cache(maxsize=8)
def _tents(length: int, size: int) -> _Along:
    """`tent_weights`, or every sample unchanged where there are as many samples as pixels."""
    if length == size:
        samples, weights = np.arange(size)[:, None], np.ones((size, 1))
    else:
        samples, weights = _without_zeros(*tent_weights(length, size))
    return -samples.shape[1], samples.astype(np.int32), weights


def _without_zeros(
    samples: NDArray[np.intp], weights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The same tents with as few taps as there are weights: each begins at its first weight."""
    used = weights != 0
    first = used.argmax(axis=1)
    last = used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
    taps = first[:, None] + np.arange((last - first).max() + 1)
    beyond = taps > last[:, None]
    taps = np.where(beyond, last[:, None], taps)
    rows = np.arange(len(taps))[:, None]
    return samples[rows, taps], np.where(beyond, 0.0, weights[rows, taps])
