"""Whether an image shows what a PNG shows, in whatever window, bits or file each is. Pure.

Two PNGs of one source slice and one decimation differ by window and bits only, that is by a
straight line from gray value to gray value. That proves nothing where a neighbour of the PNG, or
the PNG itself a pixel further, would do as well: smooth images are like what is beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: ``same``: it is this PNG. ``other``: it is another one. ``unknown``: it does not tell.
Verdict = Literal["same", "other", "unknown"]

#: Part of the variance of one image that a curve of the other explains; less than that makes two
#: images. What lies above and is no straight line (a lossy copy) tells nothing. Of what is no PNG,
#: and may be lossy itself, less is asked.
_ALIKE, _LOSSY = 0.9, 0.3
#: How far a PNG must be from its neighbours, and from itself a pixel further, to be known by its
#: pixels: in units of the error that rounding to whole gray values makes.
_CLEARLY = 8.0
#: Fewer pixels than this that neither image clips tell nothing.
_FEWEST_PIXELS = 64
_LEVELS = 256


def compared(
    image: NDArray[Any], png: NDArray[Any], neighbours: Sequence[NDArray[Any]], lossless: bool
) -> Verdict:
    """What an image says of a PNG of its size.

    ``neighbours``: the PNGs before and after it. ``lossless``: whether the image kept its pixels.
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


def _alternatives(
    png: NDArray[Any], neighbours: Sequence[NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """What an image could be of instead of a PNG: a slice beside it, or a crop that begins a pixel
    further.
    """
    for other in neighbours:
        yield other, png
    yield png[1:], png[:-1]
    yield png[:, 1:], png[:, :-1]


def _free(
    one: NDArray[Any], other: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The gray values of two images of one size, without the pixels that either clips, since
    windows differ; None where they tell nothing, or are in colour and gray.
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
    """The slope of the straight line of ``b`` over ``a``, and what it leaves of ``b``."""
    from_mean = a - a.mean()
    slope = float(from_mean @ (b - b.mean()) / (from_mean @ from_mean))
    return slope, b - b.mean() - slope * from_mean


def _is_line(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether ``b`` is a straight line of ``a``, up to the rounding of both to whole numbers."""
    slope, left = _line(a, b)
    rounding = 0.5 + 0.5 * abs(slope)
    is_near = np.abs(left).max() <= 1.5 * rounding
    return bool(is_near and np.mean(left**2) <= (1 - _ALIKE) * b.var())


def _is_apart(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two images are clearly no straight line of each other."""
    pair = _free(one, other)
    if pair is None:
        return False
    slope, left = _line(*pair)
    rounding = ((1 + slope**2) / 12) ** 0.5
    return bool(np.mean(left**2) ** 0.5 >= _CLEARLY * rounding)


def _explained(given: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """The correlation ratio: the variance of the means of ``values`` at each level of ``given``,
    over all of it.
    """
    total = float(values.var())
    if total == 0:
        return 0.0
    low, span = float(given.min()), max(float(np.ptp(given)), 1.0)
    levels = ((given - low) * ((_LEVELS - 1) / span)).astype(np.intp)
    counts = np.bincount(levels, minlength=_LEVELS)
    means = np.bincount(levels, values, minlength=_LEVELS) / np.maximum(counts, 1)
    return float((counts * (means - values.mean()) ** 2).sum() / len(values) / total)
