"""The list of landmarks: the names to place, and the next one. It does not need napari."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


def names_in(text: str) -> tuple[str, ...]:
    """The names of a template with one name per line. Empty lines are ignored, and repeated names
    count once.
    """
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


@dataclass(frozen=True)
class Landmarks:
    """The names and their state.

    ``names``: the names of the template, in order. ``placed``: the names on the layer, in its
    order. ``chosen``: the name that the user chose out of order, or None.
    """

    names: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    chosen: str | None = None

    @property
    def next(self) -> str:
        """The name for the next click: the chosen name, or the first one that is not placed; "" if
        all are placed.
        """
        if self.chosen is not None:
            return self.chosen
        return next((name for name in self.names if name not in self.placed), "")

    @property
    def rows(self) -> Sequence[tuple[str, int]]:
        """Every name, and how often it is placed: first the names of the template, then others."""
        counts = Counter(name for name in self.placed if name)
        return [(name, counts[name]) for name in dict.fromkeys((*self.names, *counts))]

    def with_names(self, names: Iterable[str]) -> Landmarks:
        """The list with more names at its end."""
        return replace(self, names=tuple(dict.fromkeys((*self.names, *names))))

    def with_placed(self, placed: Iterable[str]) -> Landmarks:
        """The list with the names that the layer has now. A choice holds until it is placed."""
        now = tuple(placed)
        is_done = self.chosen is not None and now.count(self.chosen) > self.placed.count(
            self.chosen
        )
        return replace(self, placed=now, chosen=None if is_done else self.chosen)

    def choose(self, name: str) -> Landmarks:
        """The list with a name chosen out of order."""
        return replace(self, chosen=name)
