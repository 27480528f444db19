"""What a run of the benchmarks was asked for, and the machine that it runs on."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

Tell = Callable[[str], None]

#: Workers, processes or threads that everyone gets.
WORKERS = 2


@dataclass(frozen=True)
class Settings:
    """Slices of the throughput runs, their edge in pixels, the peers by name (None: all that are
    installed), runs of each, a folder, the checkouts that are run in turns, and how large the scan
    on a disk is.
    """

    slices: tuple[int, ...]
    size: int
    peers: frozenset[str] | None
    runs: int
    work: Path
    codes: tuple[Path, ...] = ()
    gigabytes: float = 20.0


def machine() -> dict[str, str]:
    """Facts of the machine, and how busy it was: what figures mean nothing without."""
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return {
        "date": date.today().isoformat(),
        "processor": f"{_processor()}, {os.cpu_count()} processors, {load} before the run",
        "system": (
            f"{platform.system()} {platform.release()}, {platform.python_implementation()}"
            f" {platform.python_version()}"
        ),
        "packages": ", ".join(
            f"{name} {version(name)}" for name in ("numpy", "pydicom", "isal", "pillow")
        ),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")),
        platform.machine(),
    )
