"""From a measured line, source = factor · pixel + offset, to the exact lines that a program can
have meant. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace

import numpy as np

from sidecar.adoption.model.placement import edges
from sidecar.adoption.model.resampling_kernels import Kind
from sidecar.grid.axis import Axis

ANY: Set[Kind] = frozenset({"point", "interpolated", "averaged"})
SMOOTH: Set[Kind] = frozenset({"interpolated", "averaged"})
POINT: Set[Kind] = frozenset({"point"})

#: A line agrees with the measured one within so many standard deviations, or within this part of a
#: pixel's extent in source samples.
DEVIATIONS, LEAST = 3.0, 0.05
#: Lines are tried within this part of a pixel. Registration may be that far off where a program
#: took single samples.
TRIED = 0.25
#: Most decimals of a factor, its inverse or a spacing that somebody may have typed. A number counts
#: as typed only if a number with as few digits is that near by chance in fewer than this part of
#: all cases.
TYPED_DECIMALS, CHANCE = 3, 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """A line as registration found it, with the standard deviation of its ends.

    ``length``: samples of the source axis. ``spacing``: mm.
    """

    axis: Axis
    deviation: float
    length: int
    spacing: float | None

    @property
    def tolerance(self) -> float:
        """Distance in source samples within which another line agrees at both ends."""
        return max(DEVIATIONS * self.deviation, LEAST * max(1.0, abs(self.axis.factor)))

    @property
    def reach(self) -> float:
        """Distance in source samples within which lines are tried."""
        return max(self.tolerance, TRIED * max(1.0, abs(self.axis.factor)))


@dataclass(frozen=True, slots=True)
class Snapped:
    """The line taken.

    ``words``: how it is made. ``distance``: from its ends to those of the measured line. ``kinds``:
    the kernels that fit it.
    ``leeway``: source samples to the farthest of other lines that explain as much.
    ``free``: both of its ends were chosen to fit best, so that such a line is always near a
    measured one.
    """

    axis: Axis
    words: str
    distance: float
    kinds: Set[Kind]
    exact: bool = True
    leeway: float = 0.0
    free: bool = False


def as_measured(measured: Measured) -> Snapped:
    """The measured line itself, where no better one is known."""
    return Snapped(measured.axis, "as measured", 0.0, ANY, exact=False)


def hypotheses(measured: Measured) -> list[Snapped]:
    """Every exact line near a measured one, each once, simple lines first."""
    flipped = measured.axis.factor < 0
    forward = measured.axis.upright
    found: list[Snapped] = []
    lines = [(False, *line) for line in _lines(replace(measured, axis=forward))]
    lines += [(True, *line) for line in _free_lines(replace(measured, axis=forward))]
    for free, axis, words, kinds in lines:
        off = distance(axis, forward)
        if off <= measured.reach and not any(
            axis == other.axis and kinds <= other.kinds for other in found
        ):
            found.append(Snapped(axis, words, off, kinds, free=free))
    return (
        [replace(line, axis=line.axis.reversed(), words=f"{line.words}, flipped") for line in found]
        if flipped
        else found
    )


def distance(one: Axis, other: Axis) -> float:
    """The larger distance, in source samples, between two lines at the first pixel and at the
    last.
    """
    last = one.size - 1
    return max(
        abs(one.offset - other.offset),
        abs(one.offset + one.factor * last - other.offset - other.factor * last),
    )


ExactLine = tuple[Axis, str, Set[Kind]]


def _lines(measured: Measured) -> Iterator[ExactLine]:
    """Lines that a program may have meant, near a measured one of positive factor, each with the
    kinds of kernel that fit it.
    """
    axis, n, m, f = measured.axis, measured.length, measured.axis.size, measured.axis.factor

    def line(factor: float, offset: float) -> Axis:
        return replace(axis, factor=float(factor), offset=float(offset))

    if m == 1:
        start = round(axis.offset)
        yield line(f, start), f"sample {start}", ANY
        return
    yield from _whole_steps(measured, line)
    yield line(n / m, (n / m - 1) / 2), f"{n} resized to {m}", SMOOTH
    yield (
        line((n - 1) / (m - 1), 0),
        f"{n} resized to {m}, the first and last samples kept in place",
        ANY,
    )
    yield from _single_samples(measured, line)
    for factor, words in _typed(f, measured):
        yield line(factor, 0), words, ANY
        start = round(axis.offset - (factor - 1) / 2)
        yield (
            line(factor, start + (factor - 1) / 2),
            f"{words}, from the edge of sample {start}",
            SMOOTH,
        )
    whole = round(n / f)
    if whole > 0:
        factor = n / whole
        margin = round(((factor - 1) / 2 - axis.offset) / factor)
        words = f"{n} resized to {whole}, " + (
            f"after {margin} pixels of margin" if margin > 0 else f"its pixels from {-margin} on"
        )
        yield line(factor, (factor - 1) / 2 - margin * factor), words, SMOOTH


def _free_lines(measured: Measured) -> Iterator[ExactLine]:
    """Any part of the source, resized."""
    axis, n, m, f = measured.axis, measured.length, measured.axis.size, measured.axis.factor
    if m == 1:
        return
    start, stop = round(axis.offset - f / 2 + 0.5), round(axis.offset + f * (m - 0.5) + 0.5)
    if 0 <= start < stop <= n:
        factor = (stop - start) / m
        yield (
            replace(axis, factor=factor, offset=start + (factor - 1) / 2),
            f"{start}:{stop} resized to {m}",
            SMOOTH,
        )
    start, stop = round(axis.offset), round(axis.offset + f * (m - 1))
    if 0 <= start < stop < n:
        kept = f"{start}:{stop + 1} resized to {m}, the first and last samples kept in place"
        yield replace(axis, factor=(stop - start) / (m - 1), offset=float(start)), kept, ANY


def _whole_steps(measured: Measured, line: Callable[[float, float], Axis]) -> Iterator[ExactLine]:
    """Every n-th sample, and means of n samples."""
    axis, step = measured.axis, round(measured.axis.factor)
    if step < 1:
        return
    start = round(axis.offset)
    yield line(step, start), f"{_every(step)}{_from(start)}", ANY if step == 1 else POINT
    if step > 1:
        start = round(axis.offset - (step - 1) / 2)
        if start < 0:
            # no program takes means of samples that do not exist; for scans with margins there is
            # another line
            return
        kinds: Set[Kind] = SMOOTH if step == 2 else frozenset({"averaged"})
        yield line(step, start + (step - 1) / 2), f"means of {step}{_from(start)}", kinds


def _single_samples(
    measured: Measured, line: Callable[[float, float], Axis]
) -> Iterator[ExactLine]:
    """Lines through the samples that nearest-neighbour programs take, ⌊factor · p + start⌋. They
    differ from the line that was meant.
    """
    axis, n, m = measured.axis, measured.length, measured.axis.size
    lower, upper = edges(axis)
    has_margins = lower < -0.5 - measured.reach or upper > n - 0.5 + measured.reach
    lengths = dict.fromkeys((n, round(axis.factor * m)))
    meant = [
        *((length / m, f"{length} reduced to {m}") for length in lengths),
        *_typed(axis.factor, measured),
    ]
    pixels = np.arange(m)
    for factor, words in meant:
        for first, how in ((0.0, "rounded down"), (factor / 2, "nearest to the middle")):
            taken = np.floor(factor * pixels + first + 1e-9)
            slope, level = np.polyfit(pixels, taken, 1)
            start = round(axis.offset - level)
            if has_margins or 0 <= start + taken[0] <= start + taken[-1] < n:
                yield (
                    line(slope, start + level),
                    f"single samples, {words}{_from(start)}, {how}",
                    POINT,
                )


def _typed(factor: float, measured: Measured) -> list[tuple[float, str]]:
    """Factors near the measured one that a number with few digits gives: the factor itself, its
    inverse, or the spacing that it makes.
    """
    reach = 2 * measured.reach / max(1, measured.axis.size - 1)
    found: dict[float, str] = {}
    for words, unit, power in (
        ("every {:g} samples", 1.0, 1),
        ("scale {:g}", 1.0, -1),
        ("spacing {:g} mm", measured.spacing or 0.0, 1),
    ):
        for decimals in range(1, TYPED_DECIMALS + 1) if unit else ():
            value = float((factor * unit) ** power)
            number = round(value, decimals)
            rare = 2 * reach / factor * value <= CHANCE * 10.0**-decimals
            if number > 0 and rare and abs(number**power / unit - factor) <= reach:
                found.setdefault(number**power / unit, words.format(number))
    return list(found.items())


def _every(step: int) -> str:
    return (
        "every sample"
        if step == 1
        else f"every {({2: 'second', 3: 'third'}).get(step, f'{step}th')} sample"
    )


def _from(start: int) -> str:
    return f" from {start}" if start else ""
