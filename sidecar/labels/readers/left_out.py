"""Count what a reader leaves out of a file, by kind, and report it."""

from __future__ import annotations

from collections import Counter, defaultdict

from sidecar.errors import counted

#: Up to this many places of one kind are named.
_TOLD = 3


class LeftOut:
    """Counts by kind, in order of first appearance."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)

    def add(self, kind: str, why: str = "", count: int = 1, where: str = "") -> None:
        """Count something that is left out.

        ``kind``: a singular noun whose plural ends in s. ``why``: the end of the sentence, for one
        and for many; it may say what to do.
        ``where``: the place, if the user may want to know it.
        """
        if count:
            self._counts[kind, why] += count
        if where:
            self._places[kind, why].append(where)

    @property
    def sentences(self) -> tuple[str, ...]:
        """For `Labels.left_out`: "2 masks left out: masks are areas of pixels, so use map-mask"."""
        return tuple(
            f"{counted(count, kind)} left out{self._told(kind, why)}{f': {why}' if why else ''}"
            for (kind, why), count in self._counts.items()
        )

    def _told(self, kind: str, why: str) -> str:
        places = self._places[kind, why]
        more = ["…"] if len(places) > _TOLD else []
        return f" ({'; '.join([*places[:_TOLD], *more])})" if places else ""
