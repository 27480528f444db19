"""Reduction of source planes to PNG pixels, so that the line of each axis is true. Pure.

source = factor · pixel + offset          both *center*: 0 is the middle of the first sample

every f-th sample from s        factor f      offset s
mean or maximum over f samples  factor f      offset s + (f − 1)/2
resize of n samples to m        factor n/m    offset s + (n/m − 1)/2
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis import Axis


def reduce_plane(plane: NDArray[Any], columns: Axis, rows: Axis) -> NDArray[Any]:
    """One source plane (rows, columns[, channels]) reduced to (rows.size, columns.size[,
    channels]), of the same type.

    Block means of integers are exact, rounded half up. Resizing keeps constants. It also keeps the
    centroid of any feature away from the border (see `tent_weights`). Resized integers are rounded
    half up.
    """
    cropped = plane[rows.start : rows.stop, columns.start : columns.stop]
    if rows.method == columns.method == "stride":
        return cropped[:: round(rows.factor), :: round(columns.factor)]
    if "resize" not in (rows.method, columns.method):
        return block_mean(cropped, round(rows.factor), round(columns.factor))
    smooth = np.asarray(cropped, dtype=np.float64)
    smooth = _weigh(smooth, cropped.shape[0], rows.size, axis=0)
    smooth = _weigh(smooth, cropped.shape[1], columns.size, axis=1)
    if np.issubdtype(plane.dtype, np.floating):
        return smooth.astype(plane.dtype)
    limits = np.iinfo(plane.dtype)
    return np.clip(np.floor(smooth + 0.5), limits.min, limits.max).astype(plane.dtype)


def block_mean(plane: NDArray[Any], by_rows: int, by_columns: int) -> NDArray[Any]:
    """Mean over blocks of by_rows × by_columns pixels. Both must divide the shape.

    Integers: exact, rounded half up.
    """
    if (
        by_rows == by_columns == 2
        and plane.dtype in _PAIRS
        and plane.ndim == 2
        and plane.flags.c_contiguous
    ):
        return _mean_of_packed_pairs(plane, _PAIRS[plane.dtype])
    total = _sum_dtype(plane.dtype, by_rows * by_columns)
    summed = plane[0::by_rows].astype(total)
    for i in range(1, by_rows):
        summed += plane[i::by_rows]
    blocks = summed[:, 0::by_columns].copy()
    for j in range(1, by_columns):
        blocks += summed[:, j::by_columns]
    count = by_rows * by_columns
    if np.issubdtype(total, np.floating):
        return (blocks / count).astype(plane.dtype)
    return ((blocks + count // 2) // count).astype(plane.dtype)


def _sum_dtype(dtype: np.dtype[Any], count: int) -> type[np.generic]:
    if np.issubdtype(dtype, np.floating):
        return np.float64
    if dtype.itemsize <= 2 and count < 2**14:
        return np.int32 if np.issubdtype(dtype, np.signedinteger) else np.uint32
    return np.int64


#: Pixels per pass of the packed mean. Memory stays bounded, and there are few passes: threads wait
#: for the interpreter lock after each step.
_PASS_PIXELS = 1 << 19


#: For each pixel type, the integer type that holds two neighbouring pixels as its halves.
_PAIRS = {
    np.dtype(one): pair
    for one, pair in (
        (np.uint8, np.uint16),
        (np.int8, np.int16),
        (np.uint16, np.uint32),
        (np.int16, np.int32),
    )
}


def _mean_of_packed_pairs(plane: NDArray[Any], pair: type[np.generic]) -> NDArray[Any]:
    """2 × 2 mean of integers. Two neighbouring pixels are read as the halves of one ``pair``, so
    that memory is read without strides.
    """
    rows, columns = plane.shape
    pairs, half = plane.view(pair), pair(8 * plane.itemsize)
    out = np.empty((rows // 2, columns // 2), plane.dtype)
    rows_per_pass = min(rows, max(2, _PASS_PIXELS // columns & ~1))
    memory = np.empty((2, rows_per_pass, columns // 2), pair)
    for top in range(0, rows, rows_per_pass):
        part = pairs[top : top + rows_per_pass]
        sums, other = memory[:, : len(part)]
        if plane.dtype.kind == "u":
            np.bitwise_and(part, pair(2 ** int(half) - 1), out=sums)
        else:  # shifting left and back right keeps the sign
            np.left_shift(part, half, out=sums)
            sums >>= half
        np.right_shift(part, half, out=other)
        sums += other
        quads = np.add(sums[0::2], sums[1::2], out=other[: len(part) // 2])
        quads += pair(2)
        quads >>= pair(2)
        out[top // 2 : (top + len(part)) // 2] = quads
    return out


def tent_weights(source_size: int, size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which source samples make each output sample, and their weights: both (size, taps).

    With F = source_size/size, c_p = F·p + (F − 1)/2 and the tent t(u) = max(0, 1 − |u|/F)/F, sample
    x weighs

        w_p(x) = ∫ t(u − c_p) du  over the extent [x − ½, x + ½] of sample x.

    At every u, neighbouring tents add up to 1/F, and tents weighted by their centres add up to u/F.
    So Σ_x w_p(x) = 1: a constant stays constant. And Σ_p w_p(x)·c_p = x/F: every sample, and so
    every feature, keeps its centroid exactly. The weight of a tent beyond the border goes to the
    sample at the border.
    """
    factor = source_size / size
    centres = factor * np.arange(size) + (factor - 1) / 2
    first = np.floor(centres - factor).astype(np.intp)
    samples = first[:, None] + np.arange(int(2 * factor) + 3)

    def tent_integral(u: NDArray[np.float64]) -> NDArray[np.float64]:
        v = np.clip(u / factor, -1, 1)
        return v - np.sign(v) * v * v / 2

    distance = samples - centres[:, None]
    weights = tent_integral(distance + 0.5) - tent_integral(distance - 0.5)
    return np.clip(samples, 0, source_size - 1), weights


def _weigh(
    array: NDArray[np.float64], source_size: int, size: int, axis: int
) -> NDArray[np.float64]:
    if source_size == size:
        return array
    samples, weights = tent_weights(source_size, size)
    shape = [1] * array.ndim
    shape[axis] = size
    out = np.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]))
    for tap in range(samples.shape[1]):
        out += array.take(samples[:, tap], axis=axis) * weights[:, tap].reshape(shape)
    return out
