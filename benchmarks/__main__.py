"""``python -m benchmarks``: write the input, measure, print, and on request write
docs/performance.md and its picture anew.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    compressed,
    disk,
    growth,
    headers,
    instructions,
    kernel,
    labels,
    memory,
    page,
    peers,
    report,
    stages,
    throughput,
    turns,
)
from benchmarks.dicom import NATIVE
from benchmarks.settings import Settings, Tell, machine

PARTS: dict[str, Callable[[Settings, Tell], dict[str, Any]]] = {
    "throughput": throughput.measure,
    "stages": stages.measure,
    "memory": memory.measure,
    "headers": headers.measure,
    "compressed": compressed.measure,
    "zips": compressed.measure_zips,
    "labels": labels.measure,
    "instructions": instructions.measure,
    "page": page.measure,
    "kernel": kernel.measure,
    "turns": turns.measure,
    "growth": growth.measure,
    "disk": disk.measure,
}
#: Not without being asked for: one needs checkouts, one room on a disk.
_ASKED_FOR = frozenset({"turns", "disk"})
_DOCS = Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    asked = _arguments()
    chosen = None if asked.peers is None else frozenset(asked.peers)
    settings = Settings(
        tuple(sorted(asked.slices)),
        asked.size,
        chosen,
        asked.runs,
        asked.work,
        tuple(asked.code),
        asked.gigabytes,
    )
    settings.work.mkdir(parents=True, exist_ok=True)
    saved = settings.work / "results.json"
    results: dict[str, Any] = json.loads(saved.read_text()) if saved.exists() else {}
    for part in asked.parts:
        print(f"== {part}", flush=True)
        before = machine()
        figures = PARTS[part](settings, lambda line: print(line, flush=True))
        results[part] = {"machine": before, "figures": figures}
        saved.write_text(json.dumps(results, indent=1))
        print(f"\n{report.section(part, results[part])}\n", flush=True)
    if asked.write:
        from benchmarks.picture import draw

        report.write_page(_DOCS / "performance.md", results)
        draw(results).save(_DOCS / "images" / "performance.png", optimize=True)


def _arguments() -> argparse.Namespace:
    found = ", ".join(peers.installed(NATIVE)) or "none"
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=f"Measures sidecar and its peers; installed are: {found}.",
    )
    parser.add_argument(
        "parts",
        nargs="*",
        default=[part for part in PARTS if part not in _ASKED_FOR],
        metavar="PART",
        help=f"one or more of: {', '.join(PARTS)} (default: all but turns and disk)",
    )
    parser.add_argument(
        "--slices",
        type=int,
        nargs="+",
        default=[400, 1000],
        metavar="N",
        help="slices of the throughput runs",
    )
    parser.add_argument(
        "--size", type=int, default=1024, metavar="N", help="edge of the slices in pixels"
    )
    parser.add_argument(
        "--code",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="with turns: a checkout of this program; more than once, the oldest first",
    )
    parser.add_argument("--peers", nargs="*", metavar="NAME", help="these peers only")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each, in turns")
    parser.add_argument(
        "--gigabytes",
        type=float,
        default=20.0,
        metavar="N",
        help="size of the scan of the part disk, which is written, read without the system's memory"
        " of it, and removed",
    )
    work = Path(tempfile.gettempdir(), "sidecar-benchmarks")
    parser.add_argument(
        "--work",
        type=Path,
        default=work,
        metavar="DIR",
        help="where input, output and results.json are kept; some 10 GB",
    )
    parser.add_argument(
        "--write", action="store_true", help="write tables and picture of all results into docs/"
    )
    asked = parser.parse_args()
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    if ("turns" in asked.parts) != bool(asked.code):
        parser.error("turns and --code DIR go together")
    return asked


if __name__ == "__main__":
    main()
