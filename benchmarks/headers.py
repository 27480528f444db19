"""Headers read per second: 10,000 plain files, warm; and pydicom on some of the same files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.settings import Settings, Tell

FILES = 10_000
BY_PYDICOM = 1_000


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Files per second of processor and of wall clock."""
    import pydicom

    from sidecar.dicom.scan import scan as scan_headers

    source = scan.write_sparse_scan(
        settings.work / f"sparse_{settings.size}_{FILES}", Kind(settings.size), FILES
    )
    files = sorted(source.iterdir())[:BY_PYDICOM]
    figures: dict[str, float] = {"files": FILES}
    figures |= _rates("ours", FILES, lambda: scan_headers(source))
    figures |= _rates(
        "pydicom",
        BY_PYDICOM,
        lambda: [pydicom.dcmread(path, stop_before_pixels=True) for path in files],
    )
    tell("  " + ", ".join(f"{name} {value:,.0f}" for name, value in figures.items()))
    return figures


def _rates(name: str, files: int, read: Callable[[], Any]) -> dict[str, float]:
    """Of the better of two times: the first one fills the page cache."""
    best_wall = best_cpu = float("inf")
    for _ in range(2):
        wall, cpu = time.perf_counter(), time.process_time()
        read()
        best_wall, best_cpu = (
            min(best_wall, time.perf_counter() - wall),
            min(best_cpu, time.process_time() - cpu),
        )
    return {
        f"{name}, files/s": files / best_wall,
        f"{name}, files/s of processor": files / best_cpu,
    }
