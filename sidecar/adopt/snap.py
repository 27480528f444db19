"""From a measured line, source = factor · pixel + offset, to the exact one that a program can have meant. Pure.

A hypothesis is taken only where it lies within what the measurement leaves open; otherwise the measured line stays, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from sidecar.adopt.forward import Kind
from sidecar.sampling import Axis

ANY: Set[Kind] = frozenset({"point", "interpolated", "averaged"})
SMOOTH: Set[Kind] = frozenset({"interpolated", "averaged"})

#: Standard deviations, and least part of a source sample covered by one pixel, within which a line agrees with the measured one.
DEVIATIONS, LEAST = 3.0, 0.05
#: Parts of a pixel within which lines are tried at all: registration may be that far off where a program took single samples.
TRIED = 0.25
#: Decimals of a factor, its inverse or a spacing that somebody may have typed.
TYPED_DECIMALS = 3
#: A number with few digits counts as typed only where one would be that near by chance in fewer than this part of all cases.
CHANCE = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """A line as registration found it, with the standard deviation of its ends; ``length`` of the source axis, ``spacing`` in mm."""

    axis: Axis
    deviation: float
    length: int
    spacing: float | None

    @property
    def tolerance(self) -> float:
        """Distance in source samples within which a line agrees at both ends."""
        return max(DEVIATIONS * self.deviation, LEAST * max(1.0, abs(self.axis.factor)))

    @property
    def reach(self) -> float:
        """Distance within which lines are tried at all."""
        return max(self.tolerance, TRIED * max(1.0, abs(self.axis.factor)))


@dataclass(frozen=True, slots=True)
class Snapped:
    """The line taken, the words for how it comes about, and how far the measured one is from it at its ends."""

    axis: Axis
    words: str
    distance: float
    kinds: Set[Kind]
    exact: bool = True


def as_measured(measured: Measured) -> Snapped:
    """The line as it was found, for want of a better one."""
    return Snapped(measured.axis, "as measured", 0.0, ANY, exact=False)


def hypotheses(measured: Measured) -> list[Snapped]:
    """Every exact line near a measured one, plain ones first."""
    flipped = measured.axis.factor < 0
    forward = _reversed(measured.axis) if flipped else measured.axis
    found = []
    for axis, words, kinds in _lines(replace(measured, axis=forward)):
        distance = _distance(axis, forward)
        if distance <= measured.reach:
            line = (_reversed(axis), f"{words}, flipped") if flipped else (axis, words)
            found.append(Snapped(*line, distance, kinds))
    return found


def _reversed(axis: Axis) -> Axis:
    """The same line from the other end of the image."""
    return replace(axis, factor=-axis.factor, offset=axis.offset + axis.factor * (axis.size - 1))


def _distance(one: Axis, other: Axis) -> float:
    last = one.size - 1
    return max(abs(one.offset - other.offset), abs(one.offset + one.factor * last - other.offset - other.factor * last))


def _lines(measured: Measured) -> Iterator[tuple[Axis, str, Set[Kind]]]:
    """Every line a program may have meant near a measured one of positive factor, plain ones first, and the kinds of kernel it goes with."""
    axis, n = measured.axis, measured.length
    m, f = axis.size, axis.factor

    def line(factor: float, offset: float) -> Axis:
        return replace(axis, factor=float(factor), offset=float(offset))

    whole = round(f)
    if m == 1:
        start = round(axis.offset)
        yield line(f, start), f"sample {start}", ANY
    elif whole >= 1:
        start = round(axis.offset)
        step = "every sample" if whole == 1 else f"every {_ordinal(whole)} sample"
        yield line(whole, start), step + _from(start), ANY if whole == 1 else {"point"}
        if whole > 1:
            start = round(axis.offset - (whole - 1) / 2)
            words = f"means of {whole}{_from(start)}"
            yield line(whole, start + (whole - 1) / 2), words, {"averaged"} if whole > 2 else {"averaged", "interpolated"}
    yield line(n / m, (n / m - 1) / 2), f"{n} resized to {m}", SMOOTH
    if m > 1:
        yield line((n - 1) / (m - 1), 0), f"{n} resized to {m}, the first and last samples kept in place", ANY
    yield from _single_samples(measured, line)
    for factor in _typed(f, measured):
        yield line(factor, 0), f"every {factor:.9g} samples", ANY
        yield line(factor, (factor - 1) / 2), f"resized by 1/{factor:.9g}", SMOOTH
        start = round(axis.offset - (factor - 1) / 2)
        yield line(factor, start + (factor - 1) / 2), f"resized by 1/{factor:.9g} from {start}", SMOOTH
    start, stop = round(axis.offset - f / 2 + 0.5), round(axis.offset + f * (m - 0.5) + 0.5)
    if stop > start:
        factor = (stop - start) / m
        yield line(factor, start + (factor - 1) / 2), f"{start}:{stop} resized to {m}", SMOOTH
    start, stop = round(axis.offset), round(axis.offset + f * (m - 1))
    if m > 1 and stop > start:
        yield line((stop - start) / (m - 1), start), f"{start}:{stop + 1} resized to {m}, the first and last samples kept in place", ANY


def _single_samples(measured: Measured, line: Callable[[float, float], Axis]) -> Iterator[tuple[Axis, str, Set[Kind]]]:
    """Lines through the samples that nearest-neighbour programs take, ⌊factor · p + start⌋: they are not on the line they were meant for."""
    axis, m = measured.axis, measured.axis.size
    lengths = {measured.length, round(axis.factor * m)}
    meant = [*((length / m, f"{length} reduced to {m}") for length in lengths), *((f, f"every {f:.9g} samples") for f in _typed(axis.factor, measured))]
    pixels = np.arange(m)
    for factor, words in meant:
        for first, how in ((0.0, "rounded down"), (factor / 2, "nearest to the middle")):
            taken = np.floor(factor * pixels + first + 1e-9)
            slope, level = np.polyfit(pixels, taken, 1) if m > 1 else (factor, taken[0])
            start = round(axis.offset - level)
            yield line(slope, start + level), f"{words}{_from(start)}, {how}", {"point"}


def _from(start: int) -> str:
    return f" from {start}" if start else ""


def _typed(factor: float, measured: Measured) -> list[float]:
    """Factors near the measured one that a number with few digits gives: the factor itself, its inverse, or the spacing it makes."""
    reach = 2 * measured.reach / max(1, measured.axis.size - 1)
    found = []
    for decimals in range(1, TYPED_DECIMALS + 1):
        unit = Fraction(1, 10**decimals)
        written = [(factor, lambda number: number), (1 / factor, lambda number: 1 / number)]
        if measured.spacing:
            mm = measured.spacing
            written.append((factor * mm, lambda number, mm=mm: number / mm))
        for value, back in written:
            number = float(round(value / unit) * unit)
            rare = 2 * reach / factor * value <= CHANCE * float(unit)
            if number > 0 and rare and abs(back(number) - factor) <= reach:
                found.append(back(number))
    return list(dict.fromkeys(found))


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
