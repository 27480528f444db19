"""What the kernel gains: exports with and without it, and the OpenCV script, at scales that are
whole factors and at others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers, scan
from benchmarks.dicom import Kind
from benchmarks.measure import in_turns
from benchmarks.settings import WORKERS, Settings, Tell
from benchmarks.throughput import BITS, sidecar, summary
from sidecar.exporting.images.one_pass import way

SCALES = (0.5, 0.75, 0.4)


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Results by slices, scale, bits and contender; {} where the kernel was not built."""
    if way() != "the compiled kernel":
        tell(f"  slices are made by {way()}: nothing to compare")
        return {}
    figures: dict[str, Any] = {"runs": settings.runs, "size": settings.size, "cases": []}
    for slices in settings.slices:
        source = scan.write_scan(
            settings.work / f"native_{settings.size}_{slices}", Kind(settings.size), slices
        )
        for scale in SCALES:
            for bits in BITS:
                tell(f"{slices} slices, scale {scale:g}, {bits} bits")
                contenders = [
                    ("kernel", _export(source, scale, bits)),
                    ("numpy", _export(source, scale, bits, "SIDECAR_PURE=1")),
                ]
                if "OpenCV script" in peers.installed(Kind(settings.size).syntax):
                    contenders.append(("OpenCV script", _opencv(source, scale, bits)))
                results = in_turns(contenders, settings.runs, settings.work, tell)
                found = {name: summary(result) for name, result in results.items()}
                case = {"slices": slices, "scale": scale, "bits": bits, "results": found}
                figures["cases"].append(case)
    return figures


_Command = Callable[[Path], Sequence[str | Path]]


def _export(source: Path, scale: float, bits: int, *environment: str) -> _Command:
    options = ["--scale", f"{scale:g}", "--bits", str(bits), "--jobs", str(WORKERS), "--quiet"]
    return lambda output: ["env", *environment, *sidecar("export", source, output, *options)]


def _opencv(source: Path, scale: float, bits: int) -> _Command:
    command = peers.opencv_at(scale)
    return lambda output: command(source, output, bits)
