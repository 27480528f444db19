"""Real world values: what modality values, or stored ones, stand for, in a unit (PS3.3
C.7.6.16.2.11). Pure.
"""

from __future__ import annotations

from typing import NamedTuple

#: Ends and lines that are worked out in different ways agree within it, relative to the largest.
_SAME = 1e-9


class RealWorldMap(NamedTuple):
    """Real world value = slope · value + intercept, for values from ``first`` to ``last``; or one
    of ``entries``, which lie evenly from ``first`` to ``last``.

    ``unit``: a code of UCUM, such as "{SUVbw}g/ml"; ``label``: what tells several maps apart.
    """

    first: float
    last: float
    slope: float | None
    intercept: float | None
    entries: tuple[float, ...]
    unit: str | None
    label: str | None

    def after(self, slope: float, intercept: float) -> RealWorldMap:
        """The same map for values = slope · these + intercept; ``slope`` is not 0."""
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
        """Whether two maps of values give the same, but for rounding; how far they reach is another
        matter where they are lines.
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
