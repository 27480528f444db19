"""Windows applied before an image was reduced: at the edge of what is clipped, the mean of clipped values is not the clipped mean. Pure.

A program that windows first and resizes then makes bright things larger or smaller by a part of a pixel. A model that clips in the
same order does not take that for a change of scale.
"""

from __future__ import annotations

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from sidecar.adopt.placement import Placement
from sidecar.adopt.register import Seen, correlation
from sidecar.adopt.tone import Tone, fit_tone

Plane = NDArray[np.float32]
Range = tuple[float, float]

#: Part of an image that has its lowest or highest value before a window is looked for, and pixels looked at.
SATURATED = 0.005
PIXELS = 1 << 16
#: Tries of the search, and the ratio by which it must lower what is unexplained to be believed.
TRIES = 60
BETTER = 1.1
#: Where the tone curve leaves the ends of the image's range, in parts of it, to start from.
STARTS = (0.02, 0.2)


def window_of(plane: Plane, image: Plane, placement: Placement, tone: Tone) -> Range | None:
    """The source values below and above which an image (v, u) was clipped before it was reduced; None where that explains nothing."""
    if max(abs(placement.columns.factor), abs(placement.rows.factor)) <= 1:
        return None
    lowest, highest = float(image.min()), float(image.max())
    saturated = [float((image == end).mean()) > SATURATED for end in (lowest, highest)]
    if not any(saturated) or lowest == highest:
        return None
    seen = Seen.of(image, placement, most=PIXELS)
    where = seen.inside(plane.shape)
    bottom, top = float(plane.min()), float(plane.max())

    def clip(ends: NDArray[np.float64]) -> Range:
        lower, upper = min(ends), max(ends)
        return (lower if saturated[0] else bottom), (upper if saturated[1] else top)

    def left(ends: NDArray[np.float64]) -> float:
        model = seen.predicted(np.clip(plane, *clip(ends)))
        curve = fit_tone(model[where], seen.values[where])
        return 1 - max(0.0, correlation(seen.values, curve.apply(model), where)) ** 2

    plain = left(np.array([bottom, top]))
    starts = [_range(tone, part, lowest, highest) for part in STARTS]
    found = [
        scipy.optimize.minimize(left, start, method="Nelder-Mead", options={"maxfev": TRIES, "initial_simplex": _simplex(start)})
        for start in starts
        if start[0] != start[1]
    ]
    best = min(found, key=lambda f: f.fun, default=None)
    if best is None or best.fun * BETTER > plain:
        return None
    return clip(best.x)


def _range(tone: Tone, part: float, lowest: float, highest: float) -> NDArray[np.float64]:
    """Source values where the curve is ``part`` of its range away from either end."""
    height = (tone.image - lowest) / (highest - lowest)
    inside = tone.source[(height > part) & (height < 1 - part)]
    return np.array([inside.min(), inside.max()]) if inside.size else np.zeros(2)


def _simplex(start: NDArray[np.float64]) -> NDArray[np.float64]:
    width = start[1] - start[0]
    return np.array([start, start + [0.25 * width, 0], start - [0, 0.25 * width]])
