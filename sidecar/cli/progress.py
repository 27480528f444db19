"""Show the progress of long work on stderr with rich, and nothing where stderr is no terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sidecar.progress import Progress, Silent

if TYPE_CHECKING:
    import rich.progress


class _Bar:
    """A rich bar with slices, MB/s of source pixels, and time left."""

    def __init__(self, bar: rich.progress.Progress) -> None:
        self._bar = bar
        self._task: rich.progress.TaskID | None = None
        self._bytes = 0
        self._began = time.monotonic()

    def start(self, what: str, total: int | None) -> None:
        if self._task is not None:
            self._bar.refresh()  # shows how far the last task came
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total, rate="")
        self._bytes, self._began = 0, time.monotonic()

    def advance(self, slices: int, source_bytes: int) -> None:
        if self._task is None:
            return
        self._bytes += source_bytes
        seconds = max(time.monotonic() - self._began, 1e-3)
        rate = f"{self._bytes / seconds / 1e6:,.0f} MB/s" if self._bytes else ""
        self._bar.update(self._task, advance=slices, rate=rate)


@contextlib.contextmanager
def watched(quiet: bool) -> Iterator[Progress]:
    """Show progress while the block runs; nothing if ``quiet``, or if stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)
