"""Whole programs side by side: our export and every peer, uncompressed sources of 16 bits to half
size.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import peers, scan
from benchmarks.dicom import NATIVE, Kind
from benchmarks.measure import Contender, Result, in_turns, run
from benchmarks.settings import WORKERS, Settings, Tell

OURS = "sidecar"
BITS = (8, 16)
_PNGS_COMPARED = 24


def sidecar(*arguments: str | Path) -> list[str | Path]:
    """The command line, by the Python that runs this."""
    return [sys.executable, "-c", "from sidecar.__main__ import entry; entry()", *arguments]


def export(source: Path, output: Path, bits: int, *more: str) -> Sequence[str | Path]:
    """Our export to half size as a user runs it: with checks, digests, the window of the whole
    stack, viewer and sidecar.
    """
    return sidecar("export", source, output, *export_options(bits), *more)


def export_options(bits: int) -> list[str]:
    """To half size, with as many workers as everyone gets."""
    return ["--scale", "1/2", "--bits", str(bits), "--jobs", str(WORKERS), "--quiet"]


def contenders(
    source: Path, bits: int, chosen: frozenset[str] | None, syntax: str = NATIVE
) -> list[Contender]:
    """Ours first, then the peers that are installed and wanted."""

    def contender(name: str, command: peers.Command) -> Contender:
        return name, lambda output: command(source, output, bits)

    found = peers.installed(syntax)
    wanted = {name: command for name, command in found.items() if chosen is None or name in chosen}
    return [contender(name, command) for name, command in {OURS: export, **wanted}.items()]


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Results by bits and slices, and the size of our PNGs over that of the same by Pillow at level
    1.
    """
    figures: dict[str, Any] = {"runs": settings.runs, "size": settings.size, "bits": {}}
    for slices in settings.slices:
        source = scan.write_scan(
            settings.work / f"native_{settings.size}_{slices}", Kind(settings.size), slices
        )
        for bits in BITS:
            tell(f"{slices} slices, {bits} bits")
            results = in_turns(
                contenders(source, bits, settings.peers), settings.runs, settings.work, tell
            )
            figures["bits"].setdefault(str(bits), {})[str(slices)] = {
                name: summary(result) for name, result in results.items()
            }
    source = scan.write_scan(
        settings.work / f"native_{settings.size}_{_PNGS_COMPARED}",
        Kind(settings.size),
        _PNGS_COMPARED,
    )
    figures["bytes"] = {
        f"{bits} bits, {c}": _against_pillow(source, settings.work, bits, c)
        for bits in BITS
        for c in ("fast", "small")
    }
    return figures


def summary(result: Result) -> dict[str, Any]:
    """Medians of a result, and every run of it."""
    taken = {"wall": result.wall, "cpu": result.cpu, "peak": result.peak, "written": result.written}
    return taken | {"runs": [asdict(taken) for taken in result.runs]}


def _against_pillow(source: Path, work: Path, bits: int, compression: str) -> float:
    """Bytes of our PNGs over bytes of the same pixels written by Pillow at level 1."""
    from PIL import Image

    output = work / "output"
    run(export(source, output, bits, "--compression", compression, "--overwrite"))
    ours = theirs = 0
    for path in sorted(output.glob("*.png")):
        again = io.BytesIO()
        with Image.open(path) as image:
            image.save(again, "PNG", compress_level=1)
        ours, theirs = ours + path.stat().st_size, theirs + len(again.getvalue())
    return ours / theirs
