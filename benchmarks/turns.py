"""Several checkouts of this program in turns, the first one before a change: whole exports, the
start, and map-points.

Processor seconds count, and their lower quartile most: others on the machine only ever add to it.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import labels, scan
from benchmarks.dicom import Kind
from benchmarks.measure import Contender, Result, in_turns, one_processor, run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import BITS, export_options

#: The command line of the checkout that is named first.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from sidecar.__main__ import entry; entry()"
)
#: Edge of the slice whose export is all start.
_SMALL = 64

Command = list[str | Path]


def of_code(code: Path, *arguments: str | Path) -> Command:
    """The command line of a checkout, by the Python that runs this."""
    return [sys.executable, "-c", _PROGRAM, code, *arguments]


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Medians and lower quartiles of seconds, and peaks, by job and checkout."""
    jobs: dict[str, dict[str, Any]] = {}

    def measured(job: str, commands: dict[str, Callable[[Path], Command]]) -> None:
        tell(job)
        contenders: list[Contender] = list(commands.items())
        results = in_turns(contenders, settings.runs, settings.work, tell)
        jobs[job] = {name: _summary(result) for name, result in results.items()}

    codes = {_called(code, settings.codes): code.resolve() for code in settings.codes}
    for slices, size in ((1, _SMALL), *((slices, settings.size) for slices in settings.slices)):
        folder = settings.work / f"native_{size}_{slices}"
        source = scan.write_scan(folder, Kind(size), slices)
        for bits in BITS if slices > 1 else BITS[:1]:
            exports = {name: _export(code, source, bits) for name, code in codes.items()}
            measured(f"export of {slices:,} slices of {size}², {bits} bits", exports)
    source, maps = labels.source(settings), {}
    for name, code in codes.items():
        png = settings.work / f"labels_png_{len(maps)}"
        table = labels.prepared(png, partial(_made, code, source))
        maps[name] = _mapping(code, table, png)
    with one_processor():
        measured(f"map-points of {labels.LABELS:,} labels", maps)
    return {"runs": settings.runs, "jobs": jobs}


def _called(code: Path, codes: tuple[Path, ...]) -> str:
    """The name of a checkout: that of its folder, or where others have the same its path."""
    alike = [one for one in codes if one.resolve().name == code.resolve().name]
    return code.resolve().name if len(alike) == 1 else str(code)


def _export(code: Path, source: Path, bits: int) -> Callable[[Path], Command]:
    return lambda output: of_code(code, "export", source, output, *export_options(bits))


def _made(code: Path, source: Path, png: Path) -> None:
    run(of_code(code, "export", source, png, *export_options(8)))


def _mapping(code: Path, table: Path, png: Path) -> Callable[[Path], Command]:
    mapped = table.with_suffix(".mapped.csv")
    return lambda _: of_code(code, "map-points", table, "--sidecar", png, "-o", mapped)


def _summary(result: Result) -> dict[str, Any]:
    def quartile(name: str) -> float:
        values = [getattr(one, name) for one in result.runs]
        return statistics.quantiles(values, n=4, method="inclusive")[0] if values[1:] else values[0]

    lows = {f"{name} low": quartile(name) for name in ("wall", "cpu")}
    peaks = statistics.median(one.peak for one in result.runs)
    return {"wall": result.wall, "cpu": result.cpu, **lows, "peak": peaks}
