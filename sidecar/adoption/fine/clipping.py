"""Windows that were applied before an image was reduced. Pure.

At the edge of a clipped area, the mean of clipped values is not the clipped mean. So a program that
applies a window first and resizes then makes bright objects larger or smaller by a part of a pixel.
A model that clips in the same order does not mistake this for a change of scale.
"""

from __future__ import annotations

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from sidecar.adoption.fine.register import ImageBands, Registration, correlation
from sidecar.adoption.model.placement import Placement, positions
from sidecar.adoption.model.resampling_kernels import matrix
from sidecar.adoption.model.stacks import GrayImage
from sidecar.adoption.model.tone import Tone, fit_tone

Floats = NDArray[np.float64]
Range = tuple[float, float]

#: A window is searched for where this part of an image has its lowest or highest value; number of
#: pixels that are compared.
SATURATED = 0.005
PIXELS = 1 << 15
#: Most trials of the search. A window is believed if it lowers the unexplained part by this ratio;
#: NEGLIGIBLE is added to both parts.
TRIES = 60
BETTER, NEGLIGIBLE = 1.2, 1e-3
#: First step of the search, in parts of the window: from the window of another image, and from a
#: guess by the tone curve.
NEAR, FAR = 0.02, 0.25
#: The search starts where the tone curve is so far from the ends of the image's range, in parts of
#: the range.
STARTS = (0.02, 0.2)


def window_of(
    plane: GrayImage, image: GrayImage, fit: Registration, guess: Range | None
) -> Range | None:
    """The source values below and above which an image (v, u) was clipped before it was reduced.
    None where a window explains nothing.

    ``guess``: may be the window of another image.
    """
    placement = fit.placement
    if max(abs(placement.columns.factor), abs(placement.rows.factor)) <= 1:
        return None
    lowest, highest = float(image.min()), float(image.max())
    dark, bright = (float((image == end).mean()) > SATURATED for end in (lowest, highest))
    if not (dark or bright) or lowest == highest:
        return None
    if fit.tone.image[0] > fit.tone.image[-1]:
        dark, bright = bright, dark
    left = _Left(plane, image, placement)

    def clip(ends: Floats) -> Range:
        lower, upper = sorted(float(end) for end in ends)
        return (lower if dark else left.range[0]), (upper if bright else left.range[1])

    starts = [
        r
        for r in (guess, *(_range(fit.tone, part, lowest, highest) for part in STARTS))
        if r is not None
    ]
    if not starts:
        return None
    nearest = min(starts, key=lambda r: left(clip(np.array(r))))
    start, first = np.array(nearest), NEAR if nearest is guess else FAR
    search = {
        "maxfev": TRIES,
        "initial_simplex": _simplex(start, first),
        "fatol": 1e-5,
        "xatol": 1e-3 * abs(start[1] - start[0]),
    }
    best = scipy.optimize.minimize(
        lambda ends: left(clip(ends)), start, method="Nelder-Mead", options=search
    )
    if (best.fun + NEGLIGIBLE) * BETTER > left(left.range) + NEGLIGIBLE:
        return None
    return clip(best.x)


class _Left:
    """The unexplained part of some bands of an image, for a model that clips a slice first and
    then reduces it.
    """

    def __init__(self, plane: GrayImage, image: GrayImage, placement: Placement) -> None:
        seen = ImageBands.of(image, placement, most=PIXELS)
        self._seen, self._where = seen.values, seen.inside(plane.shape)
        self._across = matrix(plane.shape[1], positions(seen.columns), seen.columns.factor)
        down = matrix(
            plane.shape[0], positions(seen.rows)[seen.rows_used.ravel()], seen.rows.factor
        )
        looked_at = np.unique(down.indices)
        self._down, self._plane = down[:, looked_at], plane[looked_at]
        self.range = float(self._plane.min()), float(self._plane.max())

    def __call__(self, window: Range) -> float:
        low = self._down @ np.clip(self._plane, *window)
        model = (self._across @ low.T).T.reshape(self._seen.shape)
        curve = fit_tone(model[self._where], self._seen[self._where])
        return 1 - max(0.0, correlation(self._seen, curve.apply(model), self._where)) ** 2


def _range(tone: Tone, part: float, lowest: float, highest: float) -> Range | None:
    """Source values for which the curve is at least ``part`` of the range away from either end."""
    height = (tone.image - lowest) / (highest - lowest)
    inside = tone.source[(height > part) & (height < 1 - part)]
    return (float(inside.min()), float(inside.max())) if len(inside) > 1 else None


def _simplex(start: Floats, first: float) -> Floats:
    width = first * (start[1] - start[0])
    return np.array([start, (start[0] + width, start[1]), (start[0], start[1] - width)])
