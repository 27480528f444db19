"""Real world values: the meaning, in a unit, of modality values or stored values (PS3.3
C.7.6.16.2.11). Pure.
"""

from __future__ import annotations

from typing import NamedTuple

#: Two computed numbers are the same when they differ by less than this, relative to the largest.
_SAME = 1e-9


class RealWorldMap(NamedTuple):
    """Real world value = slope · value + intercept, for values from ``first`` to ``last``.

    Where there is no line, ``entries`` holds the real world values, evenly spaced from ``first`` to
    ``last``.

    ``unit``: a UCUM code, such as "{SUVbw}g/ml". ``label``: tells several maps of one image apart.
    """

    first: float
    last: float
    slope: float | None
    intercept: float | None
    entries: tuple[float, ...]
    unit: str | None
    label: str | None

    def after(self, slope: float, intercept: float) -> RealWorldMap:
        """The same map for other values, where value = slope · other + intercept. ``slope`` is
        not 0.
        """
        ends = (slope * self.first + intercept, slope * self.last + intercept)
        forward = ends[0] <= ends[1]
        line: tuple[float | None, float | None] = (None, None)
        if self.slope is not None and self.intercept is not None:
            steep = self.slope / slope
            line = (steep, self.intercept - steep * intercept)
        entries = self.entries if forward else self.entries[::-1]
        return RealWorldMap(min(ends), max(ends), *line, entries, self.unit, self.label)

    @property
    def is_known(self) -> bool:
        """Whether there is a line or entries."""
        return (self.slope is not None and self.intercept is not None) or bool(self.entries)

    def agrees(self, other: RealWorldMap) -> bool:
        """Whether two maps give the same real world values, except for rounding.

        Two lines may reach from other first to other last values and still agree.
        """
        if self.slope is None or other.slope is None:
            return self == other
        ends = (self.first, self.last)
        largest = max(abs(self._at(value)) for value in ends)
        return (self.unit, self.label) == (other.unit, other.label) and all(
            abs(self._at(value) - other._at(value)) <= _SAME * largest for value in ends
        )

    def _at(self, value: float) -> float:
        return (self.slope or 0.0) * value + (self.intercept or 0.0)
