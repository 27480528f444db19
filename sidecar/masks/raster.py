"""Outlines and run lengths → pixels. Pure. Coordinates are *center*: pixel (c, r) has its centre at
x = c, y = r.

A pixel is in a region if its centre is. A centre on the outline belongs to the region on the left
and top sides, and does not on the right and bottom sides. So two regions with a common edge share
no pixel and leave none out. Nothing is drawn along the outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]


def fill_rings(rings: Sequence[Floats], rows: int, columns: int) -> Bits:
    """(rows, columns) pixels that are within an odd number of rings.

    ``rings``: each (n, 2) vertices x, y; a ring closes itself. Parts outside the image are cut off.
    """
    out = np.zeros((rows, columns), dtype=bool)
    points = np.concatenate(rings)
    top, bottom = np.clip(
        [np.ceil(points[:, 1].min()), np.ceil(points[:, 1].max())], 0, rows
    ).astype(int)
    left, right = np.clip(
        [np.ceil(points[:, 0].min()), np.ceil(points[:, 0].max())], 0, columns
    ).astype(int)
    if top >= bottom or left >= right:
        return out
    height, width = bottom - top, right - left
    crossings = np.zeros(height * (width + 1), dtype=np.intp)
    for ring in rings:
        row, x = _crossings(ring, top, bottom)
        first = np.clip(np.ceil(x) - left, 0, width).astype(np.intp)
        crossings += np.bincount((row - top) * (width + 1) + first, minlength=len(crossings))
    parity = np.cumsum(crossings.reshape(height, width + 1)[:, :width], axis=1) % 2
    out[top:bottom, left:right] = parity.astype(bool)
    return out


def _crossings(ring: Floats, top: int, bottom: int) -> tuple[NDArray[np.intp], Floats]:
    """Row and x of every crossing of the ring with the centre line of a row. An edge includes
    its upper end, not its lower end.
    """
    start, end = ring, np.roll(ring, -1, axis=0)
    down = (start[:, 1] < end[:, 1])[:, None]
    upper, lower = np.where(down, start, end), np.where(down, end, start)
    first = np.clip(np.ceil(upper[:, 1]), top, bottom).astype(np.intp)
    count = np.clip(np.ceil(lower[:, 1]), top, bottom).astype(np.intp) - first
    edge = np.repeat(np.arange(len(ring)), count)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    (x, y), (dx, dy) = upper[edge].T, (lower - upper)[edge].T
    return row, x + (row - y) * dx / dy


def fill_ellipse(vertices: Floats, rows: int, columns: int) -> Bits:
    """(rows, columns) pixels of an ellipse. ``vertices`` (3, 2): its centre, and the ends of its
    two axes.
    """
    centre, axes = vertices[0], (vertices[1:] - vertices[0]).T
    if abs(np.linalg.det(axes)) == 0:
        return np.zeros((rows, columns), dtype=bool)
    to_circle = np.linalg.inv(axes)
    x, y = np.arange(columns) - centre[0], (np.arange(rows) - centre[1])[:, None]
    squared = sum((row[0] * x + row[1] * y) ** 2 for row in to_circle)
    # a centre on the outline is inside, in spite of rounding
    return np.asarray(squared <= 1 + 1e-9)


def fill_runs(counts: Sequence[int], rows: int, columns: int, by_columns: bool) -> Bits:
    """(rows, columns) pixels from run lengths of background and foreground in turn, background
    first.

    The runs go along rows, or along columns with ``by_columns``.

    Raises ValueError where they do not add up to the size.
    """
    if min(counts, default=0) < 0 or sum(counts) != rows * columns:
        raise ValueError(f"its run lengths do not add up to its {rows * columns} pixels")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(columns, rows).T if by_columns else flat.reshape(rows, columns)


def coco_counts(text: str) -> list[int]:
    """Run lengths from COCO's compressed text.

    A number is a series of characters. Each, less 48, has 5 bits of the number, lowest first, and
    bit 6 if more follow. From the fourth number on, the text holds the difference to the last but
    one. Source: pycocotools, maskApi.c, rleToString.

    Raises ValueError for text in another form.
    """
    counts: list[int] = []
    for number in _coco_numbers(text):
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    return counts


def _coco_numbers(text: str) -> Iterator[int]:
    value, shift = 0, 0
    for digit in (ord(character) - 48 for character in text):
        if not 0 <= digit < 64 or shift > 60:
            raise ValueError("its counts are not COCO run lengths")
        value |= (digit & 0x1F) << shift
        shift += 5
        if not digit & 0x20:
            yield value - (1 << shift if digit & 0x10 else 0)
            value, shift = 0, 0
    if shift:
        raise ValueError("its counts are cut short")


def unpack_runs(data: bytes, limit: int) -> NDArray[np.uint8]:
    """The bytes that thi.ng/rle-pack packed, as Label Studio keeps brush masks; at most ``limit``.

    The data are a bit stream, highest bit first. It starts with the number of values (32 bits), the
    bits of a value − 1 (5), and four sizes of run lengths − 1 (4 each). Then, for each run: 1 for a
    repeated value or 0 for different ones, which of the sizes (2), the number of values − 1, and
    the value or values. Raises ValueError for data in another form, or longer than ``limit``.
    """
    bits = _Bits(data)
    total, word = bits.read(32), bits.read(5) + 1
    sizes = [bits.read(4) + 1 for _ in range(4)]
    if total > limit or word > 8:
        raise ValueError(
            f"its run lengths stand for {total} values of {word} bits, but the image has {limit}"
            " of 8 bits"
        )
    out = np.zeros(total, np.uint8)
    at = 0
    while at < total:
        repeated = bits.read(1)
        end = min(at + 1 + bits.read(sizes[bits.read(2)]), total)
        if repeated:
            out[at:end] = bits.read(word)
        else:
            out[at:end] = [bits.read(word) for _ in range(at, end)]
        at = end
    return out


class _Bits:
    """A stream of bits, highest first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, count: int) -> int:
        end = self._at + count
        if end > 8 * len(self._data):
            raise ValueError("its run lengths are cut short")
        part = int.from_bytes(self._data[self._at // 8 : (end + 7) // 8])
        self._at = end
        return part >> (-end % 8) & ((1 << count) - 1)
