"""Compressed sources: our export against every peer that can read them, 16-bit slices to 8-bit PNGs
of half size; and what a zip costs, against the folder that is in it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import in_turns
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import contenders, export, summary

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


def measure_zips(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Results of our export of a plain folder and of zips of it."""
    folder = settings.work / f"native_{settings.size}_{SLICES}"
    scan.write_scan(folder, Kind(settings.size), SLICES)
    sources = {
        "folder": folder,
        "zip, stored": _zipped(folder, zipfile.ZIP_STORED),
        "zip, deflated": _zipped(folder, zipfile.ZIP_DEFLATED),
    }
    tell(f"zips, {SLICES} slices")
    results = in_turns(
        [(name, partial(_export, source)) for name, source in sources.items()],
        settings.runs,
        settings.work,
        tell,
    )
    return {"slices": SLICES, "sources": {name: summary(one) for name, one in results.items()}}


def _export(source: Path, output: Path) -> Sequence[str | Path]:
    return export(source, output, 8)


def _zipped(folder: Path, method: int) -> Path:
    path = folder.with_name(f"{folder.name}_{method}.zip")
    if not path.exists():
        part = path.with_suffix(".part")
        with zipfile.ZipFile(part, "w", method) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
        part.rename(path)
    return path
