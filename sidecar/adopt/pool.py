"""What several images say together of their common placement, and how far they disagree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sidecar.adopt.placement import Placement, middle
from sidecar.adopt.register import Fit
from sidecar.sampling import Axis

Floats = NDArray[np.float64]

#: No registration is trusted to better than this, in source pixels; and what is this many deviations off the median does not count.
FLOOR = 0.005
OUTLYING = 4.0


@dataclass(frozen=True, slots=True)
class Pooled:
    """The common placement, and the standard deviation of the ends of its columns and of its rows in source pixels."""

    placement: Placement
    columns_deviation: float
    rows_deviation: float


def pool(fits: Sequence[Fit]) -> Pooled:
    """The mean placement of several fits of images that lie at one place."""
    first = fits[0].placement
    columns, columns_deviation = _axis([f.placement.columns for f in fits], np.array([f.deviation[:2] for f in fits]))
    rows, rows_deviation = _axis([f.placement.rows for f in fits], np.array([f.deviation[2:] for f in fits]))
    return Pooled(replace(first, columns=columns, rows=rows), columns_deviation, rows_deviation)


def _axis(axes: Sequence[Axis], deviations: Floats) -> tuple[Axis, float]:
    size = axes[0].size
    shift, shift_deviation = mean(np.array([middle(a) for a in axes]), deviations[:, 0])
    stretch, stretch_deviation = mean(np.array([a.factor * size / 2 for a in axes]), deviations[:, 1])
    factor = 2 * stretch / size
    return replace(axes[0], factor=factor, offset=shift - factor * (size - 1) / 2), float(np.hypot(shift_deviation, stretch_deviation))


def mean(values: Floats, deviations: Floats) -> tuple[float, float]:
    """Weighted mean without outliers, and its standard deviation: the larger of what the parts claim and what their scatter shows."""
    claimed = np.hypot(np.where(np.isfinite(deviations), deviations, 1e3), FLOOR)
    off = np.abs(values - np.median(values))
    kept = off <= OUTLYING * np.maximum(claimed, 1.4826 * np.median(off))
    v, weight = values[kept], 1 / claimed[kept] ** 2
    average = float((v * weight).sum() / weight.sum())
    spread = float((weight * (v - average) ** 2).sum() / weight.sum()) / max(1, len(v) - 1)
    return average, float(np.sqrt(max(1 / weight.sum(), spread)))
