"""The resampling that explains the images best. Kernel and exact lines are tried together,
because each can only be recognised if the other is right.
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

#: Answers whose unexplained parts differ by less than this ratio are equal. The simplest is taken.
SAME = 1.03
#: An answer that leaves less than this unexplained is taken without trying further kernels.
NOTHING = 1e-3
#: An exact line is a rival where it costs less than ``RIVAL`` times the line taken, and is more
#: than ``ELSEWHERE`` source pixels away from it. Lines whose cost differs by less than the ratio
#: ``SAME_LINE`` are equal, and the simplest is taken.
RIVAL, ELSEWHERE, SAME_LINE = 1.2, 0.25, 1.1
#: There is always a line with free ends near the measured one. So it must be better than a line of
#: the whole source by this ratio.
FREE = 1.5
#: An exact line within the uncertainty of the measured line may leave unexplained up to
#: ``NO_WORSE`` times as much. One beyond it may leave at most ``MUCH_BETTER`` times as much.
NO_WORSE, MUCH_BETTER = 1.1, 0.7


@dataclass(frozen=True, slots=True)
class Resampling:
    """Lines of columns and rows, and the kernel.

    ``unexplained``: the part of the examined images that they leave unexplained.
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
    """Another exact line of the axis ``name`` that explains the images about as well as the line
    taken.
    """

    name: str
    taken: Snapped
    other: Snapped

    @property
    def apart(self) -> float:
        """Distance between the two lines in image pixels, or in source pixels where those are
        larger.
        """
        return distance(self.taken.axis, self.other.axis) / max(1.0, abs(self.taken.axis.factor))


def resampling_of(
    samples: Sequence[Sample], columns: Measured, rows: Measured, along: Along
) -> Resampling:
    """The best of all kernels, each with the lines that fit it."""

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
    """Exact lines, with any kernel, that explain the images as well as the line taken, but lie
    elsewhere.
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
    """The line taken. Where rivals explain the images about as well, it is no longer called
    exact, and its leeway is the largest distance of a rival.
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
    """The line of slices: of single slices, or of means if the images are means of slices."""
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
    """The factor on what a line leaves unexplained.

    An exact line within the tolerance of the measured one (for single samples, within its reach) is
    favoured, and one beyond is penalised. For single samples, the measured line is one of many
    lines that take the same samples.
    """
    if not line.exact:
        return 1.0
    return (
        1 / NO_WORSE
        if line.distance <= (measured.reach if kind == "point" else measured.tolerance)
        else 1 / MUCH_BETTER
    )


def _plainest(found: Iterable[T], cost: Callable[[T], float]) -> T:
    """The first answer whose cost is the least, or equal to it within ``SAME``."""
    costs = [(one, cost(one)) for one in found]
    least = min(value for _, value in costs)
    return next(one for one, value in costs if value <= SAME * least)
