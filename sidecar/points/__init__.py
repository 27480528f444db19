"""Writers of mapped points, one small file per format; `WRITERS` is the whole extension mechanism."""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import UsageError
from sidecar.points import csv_points
from sidecar.points.table import Writer

#: Every point format by the name ``--to`` has for it.
WRITERS: dict[str, Writer] = {writer.name: writer for writer in (csv_points.WRITER,)}


def writer_for(path: Path | None, name: str | None = None) -> Writer:
    """The writer named, or the one that the ending of ``path`` means; CSV where there is no path."""
    if name is not None:
        if name not in WRITERS:
            raise UsageError(f"--to {name}: there is no such format; there are {', '.join(sorted(WRITERS))}")
        return WRITERS[name]
    if path is None:
        return csv_points.WRITER
    lower = path.name.lower()
    fitting = [w for w in WRITERS.values() if any(lower.endswith(ending) for ending in w.endings)]
    if not fitting:
        raise UsageError(f"{path.name}: no format is written by this ending; say which with --to {'|'.join(sorted(WRITERS))}")
    return fitting[0]
