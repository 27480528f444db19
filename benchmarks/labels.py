"""map-points on a million labels, CSV in and CSV out: seconds of one processor."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import one_processor, run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import export, sidecar
from sidecar.document.reading import load

LABELS = 1_000_000
_SLICES, _SIZE = 500, 512


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Medians over all runs, on one processor."""
    scanned, png, mapped = (
        source(settings),
        settings.work / "labels_png",
        settings.work / "mapped.csv",
    )
    labels = prepared(png, lambda output: run(export(scanned, output, 8)))
    with one_processor():
        runs = [
            run(sidecar("map-points", labels, "--sidecar", png, "-o", mapped))
            for _ in range(settings.runs)
        ]
    figures: dict[str, Any] = {"labels": LABELS, "runs": [asdict(taken) for taken in runs]}
    figures |= {
        name: statistics.median(getattr(taken, name) for taken in runs)
        for name in ("wall", "cpu", "peak")
    }
    tell(
        f"  {LABELS:,} labels: {figures['cpu']:.2f} s of processor, {figures['peak'] / 1e6:.0f} MB"
    )
    return figures


def source(settings: Settings) -> Path:
    """The scan that is labelled."""
    folder = settings.work / f"sparse_{_SIZE}_{_SLICES}"
    return scan.write_sparse_scan(folder, Kind(_SIZE), _SLICES)


def prepared(png: Path, make: Callable[[Path], object]) -> Path:
    """A table of labels beside an export, which ``make`` writes into the folder ``png``."""
    shutil.rmtree(png, ignore_errors=True)
    make(png)
    labels = png.with_suffix(".csv")
    _write_labels(labels, png)
    return labels


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
