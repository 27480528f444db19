"""The list of landmarks: the names to be placed, and which is next. No napari."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


def names_in(text: str) -> tuple[str, ...]:
    """The names of a template, one a line; empty lines and repeated names count once."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


@dataclass(frozen=True)
class Landmarks:
    """``names``: those of the template, in order. ``placed``: those on the layer, in its order.
    ``chosen``: the one that the user took out of turn, or None.
    """

    names: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    chosen: str | None = None

    @property
    def next(self) -> str:
        """The name that the next click gets: the chosen one, or the first that is not placed; ""
        when all are.
        """
        if self.chosen is not None:
            return self.chosen
        return next((name for name in self.names if name not in self.placed), "")

    @property
    def rows(self) -> Sequence[tuple[str, int]]:
        """Every name and how often it is placed: those of the template, then others."""
        counts = Counter(name for name in self.placed if name)
        return [(name, counts[name]) for name in dict.fromkeys((*self.names, *counts))]

    def with_names(self, names: Iterable[str]) -> Landmarks:
        """More names at the end of the list."""
        return replace(self, names=tuple(dict.fromkeys((*self.names, *names))))

    def with_placed(self, placed: Iterable[str]) -> Landmarks:
        """As the layer has them now; a choice holds until it is placed."""
        now = tuple(placed)
        is_done = self.chosen is not None and now.count(self.chosen) > self.placed.count(
            self.chosen
        )
        return replace(self, placed=now, chosen=None if is_done else self.chosen)

    def choose(self, name: str) -> Landmarks:
        """Take a name out of turn."""
        return replace(self, chosen=name)
