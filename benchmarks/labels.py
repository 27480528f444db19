"""map-points on a million labels, CSV in and CSV out: seconds of one processor."""

from __future__ import annotations

import os
import shutil
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import export, sidecar
from sidecar.document.reading import load

LABELS = 1_000_000
_SLICES, _SIZE = 500, 512


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Medians over all runs.

    Everything runs on one processor where the system lets a process choose it.
    """
    source = scan.write_sparse_scan(
        settings.work / f"sparse_{_SIZE}_{_SLICES}", Kind(_SIZE), _SLICES
    )
    png, labels, mapped = (
        settings.work / name for name in ("labels_png", "labels.csv", "mapped.csv")
    )
    shutil.rmtree(png, ignore_errors=True)
    run(export(source, png, 8))
    _write_labels(labels, png)
    all_processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if all_processors:
        os.sched_setaffinity(0, {max(all_processors)})
    try:
        runs = [
            run(sidecar("map-points", labels, "--sidecar", png, "-o", mapped))
            for _ in range(settings.runs)
        ]
    finally:
        if all_processors:
            os.sched_setaffinity(0, all_processors)
    figures: dict[str, Any] = {"labels": LABELS, "runs": [asdict(taken) for taken in runs]}
    figures |= {
        name: statistics.median(getattr(taken, name) for taken in runs)
        for name in ("wall", "cpu", "peak")
    }
    tell(
        f"  {LABELS:,} labels: {figures['cpu']:.2f} s of processor, {figures['peak'] / 1e6:.0f} MB"
    )
    return figures


def _write_labels(path: Path, png: Path) -> None:
    names = [file.name for file in load(png).images.files]
    numbers = np.random.default_rng(1)
    xy = numbers.uniform(0, _SIZE / 2 - 1, (LABELS, 2)).round(2).tolist()
    slices = numbers.integers(0, _SLICES, LABELS).tolist()
    rows = (
        f"{names[k]},{x},{y},landmark {i % 50}"
        for i, ((x, y), k) in enumerate(zip(xy, slices, strict=True))
    )
    path.write_text("\n".join(["image,x,y,label", *rows, ""]), encoding="utf-8")
