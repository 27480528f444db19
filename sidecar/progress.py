"""What long work tells while it runs."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Every method is called from the thread that does the work's book-keeping only."""

    def start(self, what: str, total: int | None) -> None:
        """A new stage, of ``total`` slices where that is known."""

    def advance(self, slices: int, source_bytes: int) -> None:
        """So many slices more are done, made of so many bytes of source pixels."""


class Silent:
    """Progress that nobody watches."""

    def start(self, what: str, total: int | None) -> None:
        pass

    def advance(self, slices: int, source_bytes: int) -> None:
        pass
