"""The tone curve from source values to image values, through the means of bins, for any window,
gamma or inversion. Pure.

Half of the bins hold equally many values, for the values that most of the image has. The other half
are equally wide, for the few brightest and darkest values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.model.stacks import GrayImage

Floats = NDArray[np.float64]

#: Most bins of a curve, fewest pixels in a bin, and number of pixels that decide where bins begin.
BINS = 96
PIXELS_PER_BIN = 24
EDGE_SAMPLE = 1 << 13


@dataclass(frozen=True, slots=True)
class Tone:
    """image value = the polyline through (``source``, ``image``), constant beyond its ends."""

    source: Floats
    image: Floats

    def apply(self, values: NDArray[Any]) -> GrayImage:
        return np.asarray(np.interp(values, self.source, self.image), dtype=np.float32)


#: The curve of an image without a pixel on the source.
_NOTHING = Tone(np.zeros(1), np.zeros(1))


def fit_tone(source: NDArray[Any], image: NDArray[Any], weight: NDArray[Any] | None = None) -> Tone:
    """The curve of the mean image value over bins of source values. All arguments have one
    shape.
    """
    x, y = source.ravel(), image.ravel()
    if not x.size:
        return _NOTHING
    w = np.ones_like(y) if weight is None else weight.ravel()
    bins = int(np.clip(x.size // PIXELS_PER_BIN, 2, BINS))
    sample = x[:: max(1, x.size // EDGE_SAMPLE)]
    lowest, highest = float(x.min(initial=np.inf)), float(x.max(initial=-np.inf))
    evenly = np.linspace(lowest, highest, bins // 2 + 1) if highest > lowest else np.array([lowest])
    limits = np.unique(
        np.concatenate([np.quantile(sample, np.linspace(0, 1, bins // 2 + 1)), evenly])
    )[1:-1]
    slot = np.searchsorted(limits, x, side="right")
    total = np.bincount(slot, w, len(limits) + 1)
    used = total > 0
    mean_x, mean_y = (np.bincount(slot, w * v, len(limits) + 1)[used] / total[used] for v in (x, y))
    rising = np.concatenate([[True], np.diff(mean_x) > 0])
    return Tone(mean_x[rising], mean_y[rising])


def matched_tone(source: NDArray[Any], image: NDArray[Any]) -> Tone:
    """The monotone curve that gives source values the distribution of the image's values. It is
    right even while image and slice are not registered.

    It falls where bright source pixels are dark in the image.
    """
    if not source.size:
        return _NOTHING
    x, y = (v.ravel()[:: max(1, v.size // EDGE_SAMPLE)] for v in (source, image))
    falls = float(((x - x.mean()) * (y - y.mean())).sum()) < 0
    ordered, values = np.sort(x), np.sort(y)
    knots = np.unique(
        np.concatenate(
            [
                np.quantile(ordered, np.linspace(0, 1, BINS)),
                np.linspace(ordered[0], ordered[-1], BINS),
            ]
        )
    )
    rank = (np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")) / 2
    at = np.interp(rank, np.arange(len(values)) + 0.5, values[::-1] if falls else values)
    return Tone(knots.astype(np.float64), at.astype(np.float64))
