"""The resampling that explains the images best: kernel and exact lines are tried together, as each shows only with the other right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sidecar.adopt.explain import ROUNDING, Depth, Sample, unexplained
from sidecar.adopt.forward import KERNELS, NEAREST, Kernel
from sidecar.adopt.placement import Placement
from sidecar.adopt.snap import Measured, Snapped, as_measured, hypotheses
from sidecar.sampling import Axis

#: Parts left unexplained whose ratio is less are equal, and the plainest line is taken. A line within the uncertainty of the measured one
#: may leave this much more than it; one beyond must leave that much less.
SAME, NO_WORSE, MUCH_BETTER = 1.03, 1.1, 0.7


@dataclass(frozen=True, slots=True)
class Resampling:
    """Lines of columns and rows, the kernel, and what they leave ``unexplained`` of the images looked at."""

    columns: Snapped
    rows: Snapped
    kernel: Kernel
    unexplained: float


def resampling_of(samples: Sequence[Sample], columns: Measured, rows: Measured, transposed: bool) -> Resampling:
    """The best of all kernels with the lines each of them can go with."""

    def left(across: Snapped, down: Snapped, kernel: Kernel) -> float:
        return unexplained(samples, Placement(across.axis, down.axis, transposed), kernel) + ROUNDING

    measured = as_measured(columns), as_measured(rows)
    across, down = hypotheses(columns), hypotheses(rows)
    found = []
    for kernel in KERNELS:
        plain = left(*measured, kernel)
        best_across = _best(across, kernel, lambda line, k=kernel: left(line, measured[1], k)) or measured[0]
        best_down = _best(down, kernel, lambda line, k=kernel, a=best_across: left(a, line, k)) or measured[1]
        pairs = {(a, d) for a in (best_across, measured[0]) for d in (best_down, measured[1])} - {measured}
        found += [(plain, *measured, kernel), *((left(a, d, kernel), a, d, kernel) for a, d in pairs)]
    limit = min(value for value, a, d, _ in found if not (a.exact or d.exact))
    allowed = [entry for entry in found if entry[0] <= limit * max(_allowance(entry[1], columns), 0) and entry[0] <= limit * _allowance(entry[2], rows)]
    least = min(entry[0] for entry in allowed)
    equals = [entry for entry in allowed if entry[0] <= max(SAME * least, limit * NO_WORSE if _is_near(entry, columns, rows) else 0)]
    value, a, d, kernel = max(equals, key=lambda entry: (entry[1].exact + entry[2].exact, -entry[0]))
    return Resampling(a, d, kernel, value - ROUNDING)
