"""What a reader leaves out of a file: counted by kind, and said."""

from __future__ import annotations

from collections import Counter


class LeftOut:
    """Counts by kind, in the order in which the kinds were met."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, why: str = "", count: int = 1) -> None:
        """``kind`` as a singular noun; ``why`` ends the sentence, and may name the way out."""
        if count:
            self._counts[kind, why] += count

    @property
    def sentences(self) -> tuple[str, ...]:
        """For `Labels.left_out`: "2 mask(s) left out: they are areas of pixels, use map-mask"."""
        return tuple(
            f"{count} {kind}(s) left out{f': {why}' if why else ''}"
            for (kind, why), count in self._counts.items()
        )
