"""The common placement of several images, and how much they disagree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.fine.register import Registration
from sidecar.adoption.model.placement import Placement
from sidecar.grid.axis import Axis

Floats = NDArray[np.float64]

#: Smallest deviation, in source pixels, that a registration is trusted to have. A value that is
#: ``OUTLYING`` deviations off the median does not count.
FLOOR = 0.005
#: Systematic error, as part of an image pixel. Blocks of JPEG and kernels that are not symmetric
#: shift all images alike. Edges shift more, by the length of their levers. More images do not
#: reduce this error.
SYSTEMATIC = 0.01
OUTLYING = 4.0
#: The deviation that registration claims holds for independent noise. With JPEG blocks and kernels
#: it is larger by this factor.
CLAIM = 2.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """The common placement, and the standard deviation of the ends of its columns and of its
    rows, in source pixels.
    """

    placement: Placement
    columns_deviation: float
    rows_deviation: float


def pool(fits: Sequence[Registration]) -> Pooled:
    """The mean placement of several fits of images that lie at one place."""
    first = fits[0].placement
    found = np.array([[*f.placement.columns.ends, *f.placement.rows.ends] for f in fits])
    deviations = np.array([f.deviations for f in fits])
    pooled = [mean(found[:, i], deviations[:, i]) for i in range(4)]
    places = [p[0] for p in pooled]
    common = (
        SYSTEMATIC
        * np.abs([first.columns.factor] * 2 + [first.rows.factor] * 2)
        * np.median([f.levers for f in fits], axis=0)
    )
    spreads = np.hypot([p[1] for p in pooled], common)
    columns, rows = (
        _between(first.columns, places[0], places[1]),
        _between(first.rows, places[2], places[3]),
    )
    return Pooled(
        replace(first, columns=columns, rows=rows),
        float(spreads[:2].max()),
        float(spreads[2:].max()),
    )


def _between(axis: Axis, first: float, last: float) -> Axis:
    factor = (last - first) / axis.size
    return replace(axis, factor=factor, offset=first + factor / 2)


def mean(values: Floats, deviations: Floats) -> tuple[float, float]:
    """Weighted mean without outliers, and its standard deviation: the larger one of what the
    deviations claim and what the scatter shows.
    """
    claimed = np.hypot(CLAIM * np.where(np.isfinite(deviations), deviations, 1e3), FLOOR)
    off = np.abs(values - np.median(values))
    kept = off <= OUTLYING * np.maximum(claimed, 1.4826 * np.median(off))
    v, weight = values[kept], 1 / claimed[kept] ** 2
    average = float((v * weight).sum() / weight.sum())
    count = len(v)
    scatter = (
        float((weight * (v - average) ** 2).sum() / weight.sum())
        / (count - 1)
        * (1 + 4 / (count - 1))
        if count > 1
        else 0.0
    )
    return average, float(np.sqrt(max(1 / weight.sum(), scatter)))
