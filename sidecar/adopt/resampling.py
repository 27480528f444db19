"""The resampling that explains the images best: kernel and exact lines are tried together, as each shows only with the other right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sidecar.adopt.explain import ROUNDING, Depth, Sample, unexplained
from sidecar.adopt.forward import KERNELS, Kernel, Kind
from sidecar.adopt.placement import Placement
from sidecar.adopt.snap import Measured, Snapped, as_measured, hypotheses

T = TypeVar("T")

#: Answers that leave parts unexplained whose ratio is less are equal, and the plainest is taken.
SAME = 1.03
#: An exact line within the uncertainty of the measured one may leave that much more than it; one beyond must leave that much less.
NO_WORSE, MUCH_BETTER = 1.1, 0.7


@dataclass(frozen=True, slots=True)
class Resampling:
    """Lines of columns and rows, the kernel, and what they leave ``unexplained`` of the images looked at."""

    columns: Snapped
    rows: Snapped
    kernel: Kernel
    unexplained: float


def resampling_of(samples: Sequence[Sample], columns: Measured, rows: Measured, transposed: bool) -> Resampling:
    """The best of all kernels with the lines that each of them can go with."""

    def left(across: Snapped, down: Snapped, kernel: Kernel) -> float:
        return unexplained(samples, Placement(across.axis, down.axis, transposed), kernel)

    found = []
    for kernel in KERNELS:
        across = _settled(columns, {kernel.kind}, lambda line, k=kernel: left(line, as_measured(rows), k))
        down = _settled(rows, {kernel.kind}, lambda line, k=kernel, a=across: left(a, line, k))
        across = _settled(columns, {kernel.kind}, lambda line, k=kernel, d=down: left(line, d, k))
        found.append(Resampling(across, down, kernel, left(across, down, kernel)))
    return _plainest(found, lambda r: (r.unexplained + ROUNDING) * _handicap(r.columns, columns) * _handicap(r.rows, rows))


def slices_line(measured: Measured, depth: Depth) -> Snapped:
    """The line of slices: of single slices, or of means when that is what the images are."""
    kinds: set[Kind] = {"averaged"} if depth.width > 1 else {"point", "interpolated"}
    return _settled(measured, kinds, lambda line: depth.unexplained(line.axis.factor, line.axis.offset))


def _settled(measured: Measured, kinds: set[Kind], left: Callable[[Snapped], float]) -> Snapped:
    lines = [line for line in hypotheses(measured) if line.kinds & kinds]
    return _plainest([*lines, as_measured(measured)], lambda line: (left(line) + ROUNDING) * _handicap(line, measured))


def _handicap(line: Snapped, measured: Measured) -> float:
    if not line.exact:
        return 1.0
    return 1 / NO_WORSE if line.distance <= measured.tolerance else 1 / MUCH_BETTER


def _plainest(found: Iterable[T], cost: Callable[[T], float]) -> T:
    """The first whose cost is the least, or as good as that."""
    costs = [(one, cost(one)) for one in found]
    least = min(value for _, value in costs)
    return next(one for one, value in costs if value <= SAME * least)


