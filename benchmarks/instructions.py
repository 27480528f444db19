"""Instructions of the hot loop, by callgrind: a figure that a busy machine does not change, to hold
a later version against.

Counted are those of user space, with the instruction sets that valgrind knows (AVX2, not AVX-512);
system calls are not in it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import BITS, sidecar

#: Slices of the short and of the long run, whose difference is the loop.
FEW, MANY = 2, 12


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Millions of instructions per slice, and of everything else, by bits; {} where valgrind is not
    installed.
    """
    if shutil.which("valgrind") is None:
        tell("  valgrind is not installed: no instructions counted")
        return {}
    source = scan.write_scan(
        settings.work / f"native_{settings.size}_{MANY}", Kind(settings.size), MANY
    )
    figures: dict[str, Any] = {"size": settings.size, "slices": MANY, "bits": {}}
    for bits in BITS:
        few, many = (
            _instructions(source, settings.work / "output", bits, slices) for slices in (FEW, MANY)
        )
        loop = (many - few) / (MANY - FEW)
        figures["bits"][str(bits)] = {"slice": loop / 1e6, "rest": (few - FEW * loop) / 1e6}
        tell(f"  {bits} bits: {loop / 1e6:.2f} million instructions per slice")
    return figures


def _instructions(source: Path, output: Path, bits: int, slices: int) -> int:
    """All instructions of an export of the first ``slices`` slices by one worker; the window is
    given, so that only they are read.
    """
    shutil.rmtree(output, ignore_errors=True)
    window = ["--window", "dicom"] if bits == 8 else []
    options = [
        "--scale",
        "1/2",
        "--bits",
        str(bits),
        *window,
        "--crop",
        f":,:,0:{slices}",
        "--jobs",
        "1",
        "--no-viewer",
        "--quiet",
    ]
    command = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        *map(str, sidecar("export", source, output, *options)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    shutil.rmtree(output)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError("callgrind told no count")
    return int(found[1])
