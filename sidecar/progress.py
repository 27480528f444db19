"""The reports of long work while it runs."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives reports of long work. Its methods are called only from the thread that keeps the
    order of the work.
    """

    def start(self, what: str, total: int | None) -> None:
        """A new stage begins, of ``total`` slices where the number is known."""

    def advance(self, slices: int, source_bytes: int) -> None:
        """So many more slices are done, made of so many bytes of source pixels."""


class Silent:
    """A receiver that ignores all reports."""

    def start(self, what: str, total: int | None) -> None:
        pass

    def advance(self, slices: int, source_bytes: int) -> None:
        pass
