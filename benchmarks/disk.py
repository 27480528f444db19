"""Whole programs on a scan that lies on a disk and is not in memory: ours beside `cat`, which does
nothing but read.

Only files that were written here are asked out of the system's memory, by `posix_fadvise`: nothing
of others is dropped. They are removed in the end, also after Ctrl-C.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import sidecar

#: Edge of the slices, in pixels of 16 bits.
SIZE = 2048
#: What is measured, beside `cat`, with the options of our export.
OURS: dict[str, Sequence[str]] = {
    "--scale 1/2 --z-step 2": ("--z-step", "2"),
    "--scale 1/2 --z-step 2 --z-filter mean": ("--z-step", "2", "--z-filter", "mean"),
}
#: As a user runs it: it takes as many workers as it likes.
AS_IT_IS = ("--scale", "1/2", "--bits", "8", "--quiet")
#: Room for the PNGs, as a part of the scan.
_PNGS = 0.3


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Bytes of the scan, and all runs by name: `cat` first, in turns with ours."""
    if not hasattr(os, "posix_fadvise"):
        raise SystemExit("this system does not let a program drop its own files from memory")
    slices = max(2, round(settings.gigabytes * 1e9 / (2 * SIZE**2)))
    room = shutil.disk_usage(settings.work).free
    if room < (1 + _PNGS) * slices * 2 * SIZE**2:
        raise SystemExit(
            f"{settings.gigabytes:g} GB and their PNGs do not fit: {room / 1e9:.0f} GB are free in"
            f" {settings.work}"
        )
    runs: dict[str, list[Any]] = {}
    with tempfile.TemporaryDirectory(prefix="disk-", dir=settings.work) as folder:
        source = scan.write_scan(Path(folder, "scan"), Kind(SIZE), slices)
        output = Path(folder, "png")
        files = sorted(source.iterdir())
        commands = {"cat": ["sh", "-c", 'cat "$0"/* > /dev/null', source]} | {
            name: list(sidecar("export", source, output, *AS_IT_IS, *options))
            for name, options in OURS.items()
        }
        for number in range(settings.runs):
            for name, command in commands.items():
                forget(files)
                taken = run(command)
                shutil.rmtree(output, ignore_errors=True)
                runs.setdefault(name, []).append(asdict(taken))
                tell(
                    f"  {number + 1}/{settings.runs} {name}: {taken.wall:.1f} s,"
                    f" {taken.cpu:.1f} s of processor, {taken.peak / 1e6:.0f} MB"
                )
    return {"bytes": sum(2 * SIZE**2 for _ in files), "slices": slices, "runs": runs}


def forget(files: Sequence[Path]) -> None:
    """Have the system drop these files from its memory, once the disk has them."""
    for path in files:
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(number)
