"""Compressed sources: our export against every peer that can read them, 16-bit slices to 8-bit PNGs
of half size.
"""

from __future__ import annotations

from typing import Any

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import in_turns
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import contenders, summary

SLICES = 200


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Results by the name of the transfer syntax."""
    figures: dict[str, Any] = {}
    for name, syntax in scan.COMPRESSED.items():
        folder = settings.work / f"{name.lower().replace(' ', '_')}_{settings.size}_{SLICES}"
        source = scan.write_scan(folder, Kind(settings.size, syntax=syntax), SLICES)
        tell(f"{name}, {SLICES} slices")
        able = [
            contender
            for contender in contenders(source, 8, settings.peers, syntax)
            if contender[0] != "dcm2niix"
        ]
        results = in_turns(able, min(settings.runs, 2), settings.work, tell)
        figures[name] = {who: summary(result) for who, result in results.items()}
    return {"slices": SLICES, "syntaxes": figures}
