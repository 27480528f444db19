"""Compare the pixels of an image and a PNG, independent of window, bits and file format. Pure.

Two PNGs of the same source slice and decimation differ only by window and bits. So the gray values
of one follow from those of the other by a straight line. This proves nothing if a neighbour of the
PNG, or the PNG shifted by a pixel, fits as well, because smooth images resemble their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: ``same``: it is this PNG. ``other``: it is another image. ``unknown``: the pixels do not tell.
Verdict = Literal["same", "other", "unknown"]

#: If a curve of one image explains less than this part of the variance of the other, they are
#: different images. If it explains more, but is no straight line (a lossy copy), nothing is known.
#: The second number is for images that are no PNGs, which may be lossy themselves.
_ALIKE, _LOSSY = 0.9, 0.3
#: How much a PNG must differ from its neighbours, and from itself shifted by a pixel, to be
#: recognised by its pixels: in units of the error of rounding to whole gray values.
_CLEARLY = 8.0
#: If neither image clips fewer pixels than this, clipped pixels are compared too.
_FEWEST_PIXELS = 64
_LEVELS = 256


def compared(
    image: NDArray[Any], png: NDArray[Any], neighbours: Sequence[NDArray[Any]], lossless: bool
) -> Verdict:
    """Whether an image is a PNG of the same size.

    ``neighbours``: the PNGs before and after it. ``lossless``: whether the format of the image
    keeps pixels exactly.
    """
    image, png, *neighbours = (_gray(each) for each in (image, png, *neighbours))
    pair = _free(image, png)
    if pair is None:
        return "unknown"
    if _is_line(*pair):
        is_known = all(_is_apart(*both) for both in _alternatives(png, neighbours))
        return "same" if is_known else "unknown"
    pairs = [_free(image, other) for other in neighbours]
    if lossless and any(both is not None and _is_line(*both) for both in pairs):
        return "other"
    least = _ALIKE if lossless else _LOSSY
    return "other" if max(_explained(*pair), _explained(*pair[::-1])) < least else "unknown"


def is_surely_another(
    image: NDArray[Any], png: NDArray[Any], neighbours: Sequence[NDArray[Any]]
) -> bool:
    """Whether an image is no copy of a PNG of the same size, but surely one of its ``neighbours``,
    or the PNG itself, turned or mirrored.

    An image that was changed in any other way, such as by a filter or a drawing, is not.
    """
    image, png, *neighbours = (_gray(each) for each in (image, png, *neighbours))

    def shows(other: NDArray[Any]) -> bool:
        pair = _free(image, other)
        return pair is not None and _is_line(*pair)

    return not shows(png) and any(map(shows, chain(neighbours, _turned(png))))


def _turned(png: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An image in the seven other directions that it can be seen in."""
    for one in (png, png[::-1]):
        for quarters in range(4):
            if one is not png or quarters:
                yield np.rot90(one, quarters)


def _alternatives(
    png: NDArray[Any], neighbours: Sequence[NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Other images that could be meant instead of a PNG: a slice beside it, or a crop that begins a
    pixel later.
    """
    for other in neighbours:
        yield other, png
    yield png[1:], png[:-1]
    yield png[:, 1:], png[:, :-1]


def _free(
    one: NDArray[Any], other: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The gray values of two images of one size, without the pixels that one of them clips, because
    windows differ.

    If fewer than `_FEWEST_PIXELS` are left, all pixels. None where an image has only one value, or
    where one image is in colour and the other in gray.
    """
    if one.shape != other.shape:
        return None
    a, b = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    if a.size == 0:
        return None
    free = (a > a.min()) & (a < a.max()) & (b > b.min()) & (b < b.max())
    if np.count_nonzero(free) < _FEWEST_PIXELS:
        free = np.ones(a.shape, dtype=np.bool_)
    a, b = a[free], b[free]
    return None if np.ptp(a) == 0 or np.ptp(b) == 0 else (a, b)


def _gray(image: NDArray[Any]) -> NDArray[Any]:
    """A gray image that was saved in colour has three equal channels."""
    equal = image.ndim == 3 and bool(np.all(image == image[..., :1]))
    return image[..., 0] if equal else image


def _line(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The slope of the straight line of ``b`` over ``a``, and the residuals of ``b``."""
    from_mean = a - a.mean()
    slope = float(from_mean @ (b - b.mean()) / (from_mean @ from_mean))
    return slope, b - b.mean() - slope * from_mean


def _is_line(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether ``b`` follows from ``a`` by a straight line, up to the rounding of both to whole
    numbers.
    """
    slope, left = _line(a, b)
    rounding = 0.5 + 0.5 * abs(slope)
    is_near = np.abs(left).max() <= 1.5 * rounding
    return bool(is_near and np.mean(left**2) <= (1 - _ALIKE) * b.var())


def _is_apart(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two images clearly do not follow from each other by a straight line."""
    pair = _free(one, other)
    if pair is None:
        return False
    slope, left = _line(*pair)
    rounding = ((1 + slope**2) / 12) ** 0.5
    return bool(np.mean(left**2) ** 0.5 >= _CLEARLY * rounding)


def _explained(given: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The correlation ratio: the variance of the means of ``values`` at each level of ``given``,
    divided by the whole variance.
    """
    total = float(values.var())
    if total == 0:
        return 0.0
    low, span = float(given.min()), max(float(np.ptp(given)), 1.0)
    levels = ((given - low) * ((_LEVELS - 1) / span)).astype(np.intp)
    counts = np.bincount(levels, minlength=_LEVELS)
    means = np.bincount(levels, values, minlength=_LEVELS) / np.maximum(counts, 1)
    return float((counts * (means - values.mean()) ** 2).sum() / len(values) / total)
