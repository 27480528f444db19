"""The resampling that explains the images best: kernel and exact lines are tried together, as each
shows only with the other right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sidecar.adoption.fine.depth import ROUNDING
from sidecar.adoption.fine.explain import Depth, Sample, unexplained
from sidecar.adoption.model.exact_lines import Measured, Snapped, as_measured, distance, hypotheses
from sidecar.adoption.model.placement import Along, Placement
from sidecar.adoption.model.resampling_kernels import KERNELS, Kernel, Kind

T = TypeVar("T")

#: Answers that leave parts unexplained whose ratio is less are equal, and the plainest is taken.
SAME = 1.03
#: What an answer may leave to be taken without trying further kernels.
NOTHING = 1e-3
#: An exact line that costs less than this many times the one taken, and is farther from it than
#: this part of a source pixel, is a rival; lines that differ by less cost are the same, and the
#: plainest is taken.
RIVAL, ELSEWHERE, SAME_LINE = 1.2, 0.25, 1.1
#: A line whose ends are free is always near: it must be that much better than one of the whole
#: source.
FREE = 1.5
#: An exact line within the uncertainty of the measured one may leave that much more than it; one
#: beyond must leave that much less.
NO_WORSE, MUCH_BETTER = 1.1, 0.7


@dataclass(frozen=True, slots=True)
class Resampling:
    """Lines of columns and rows, the kernel, and what they leave ``unexplained`` of the images
    looked at.
    """

    columns: Snapped
    rows: Snapped
    kernel: Kernel
    unexplained: float

    @property
    def is_exact(self) -> bool:
        return self.columns.exact and self.rows.exact


@dataclass(frozen=True, slots=True)
class Rival:
    """Another exact line of an axis, ``name``, that explains the images about as well as the one
    taken.
    """

    name: str
    taken: Snapped
    other: Snapped

    @property
    def apart(self) -> float:
        """Part of a pixel of the images, or of the source where those are finer, between the
        two.
        """
        return distance(self.taken.axis, self.other.axis) / max(1.0, abs(self.taken.axis.factor))


def resampling_of(
    samples: Sequence[Sample], columns: Measured, rows: Measured, along: Along
) -> Resampling:
    """The best of all kernels with the lines that each of them can go with."""

    def left(across: Snapped, down: Snapped, kernel: Kernel) -> float:
        return unexplained(samples, Placement(across.axis, down.axis, along), kernel)

    def with_kernel(kernel: Kernel) -> Resampling:
        across = _settled(
            columns, {kernel.kind}, lambda line: left(line, as_measured(rows), kernel)
        )
        down = _settled(rows, {kernel.kind}, lambda line: left(across, line, kernel))
        again = _settled(columns, {kernel.kind}, lambda line: left(line, down, kernel))
        return Resampling(again, down, kernel, left(again, down, kernel))

    found = []
    for kernel in KERNELS:
        found.append(with_kernel(kernel))
        if found[-1].is_exact and found[-1].unexplained < NOTHING:
            break
    return _plainest(
        found,
        lambda r: (
            (r.unexplained + ROUNDING)
            * _handicap(r.columns, columns, r.kernel.kind)
            * _handicap(r.rows, rows, r.kernel.kind)
        ),
    )


def rivals_of(
    samples: Sequence[Sample],
    columns: Measured,
    rows: Measured,
    along: Along,
    taken: Resampling,
) -> list[Rival]:
    """Exact lines, with any kernel, that cannot be told from the one taken although they are
    somewhere else.
    """
    cost = taken.unexplained + ROUNDING
    found = []
    for name, own, measured in (("columns", taken.columns, columns), ("rows", taken.rows, rows)):
        for line in hypotheses(measured) if own.exact else ():
            if distance(line.axis, own.axis) <= ELSEWHERE:
                continue
            pair = (line, taken.rows) if name == "columns" else (taken.columns, line)
            placement = Placement(pair[0].axis, pair[1].axis, along)
            likely = _handicap(own, measured, taken.kernel.kind) / _handicap(
                line, measured, taken.kernel.kind
            )
            ratio = RIVAL * likely if line.free == own.free else FREE
            if any(
                unexplained(samples, placement, k) + ROUNDING < ratio * cost
                for k in KERNELS
                if k.kind in line.kinds
            ):
                found.append(Rival(name, own, line))
    return found


def with_leeway(line: Snapped, rivals: Sequence[Rival]) -> Snapped:
    """The line taken, no longer called exact where others explain the images about as well: it may
    be as far off as they are.
    """
    others = [rival.other for rival in rivals if rival.taken is line]
    if not others:
        return line
    return replace(
        line,
        words=f"{line.words}, or {others[0].words}",
        exact=False,
        leeway=max(distance(o.axis, line.axis) for o in others),
    )


def slices_line(measured: Measured, depth: Depth) -> Snapped:
    """The line of slices: of single slices, or of means when that is what the images are."""
    kinds: set[Kind] = {"averaged"} if depth.width > 1 else {"point", "interpolated"}
    return _settled(
        measured, kinds, lambda line: depth.unexplained(line.axis.factor, line.axis.offset)
    )


def _settled(measured: Measured, kinds: set[Kind], left: Callable[[Snapped], float]) -> Snapped:
    lines = [line for line in hypotheses(measured) if line.kinds & kinds]
    kind: Kind = "point" if kinds == {"point"} else "averaged"
    remains = [(left(line) + ROUNDING, line) for line in (*lines, as_measured(measured))]
    least = min(one * _handicap(line, measured, kind) for one, line in remains)
    remaining, best = next(
        (one, line)
        for one, line in remains
        if one * _handicap(line, measured, kind) <= SAME_LINE * least
    )
    natural = (
        line for one, line in remains if one <= FREE * remaining and line.exact and not line.free
    )
    return next(natural, best) if best.free else best


def _handicap(line: Snapped, measured: Measured, kind: Kind) -> float:
    """Of single samples the measured line is one of many that take the same: an exact one within
    reach is as likely.
    """
    if not line.exact:
        return 1.0
    return (
        1 / NO_WORSE
        if line.distance <= (measured.reach if kind == "point" else measured.tolerance)
        else 1 / MUCH_BETTER
    )


def _plainest(found: Iterable[T], cost: Callable[[T], float]) -> T:
    """The first whose cost is the least, or as good as that."""
    costs = [(one, cost(one)) for one in found]
    least = min(value for _, value in costs)
    return next(one for one, value in costs if value <= SAME * least)
