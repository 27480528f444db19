"""Run a command and tell what it took: ``python -I -S launch.py COMMAND …`` prints one line of JSON
on stderr when it has ended.

A process of its own, and a small one: Linux counts the memory of the process that starts a command
as the command's own peak.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

#: Seconds between two looks at the processes.
LOOK = 0.02


def descendants(process: int) -> Iterator[int]:
    """A process and all that it started, as far as they can be seen (Linux)."""
    yield process
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from descendants(int(child))
    except OSError:
        return


def peak_bytes(process: int) -> int:
    """The most memory one process ever had; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def watch(process: int, peaks: list[int]) -> None:
    """The most that the peaks of all processes that run at a time come to."""
    while Path(f"/proc/{process}").is_dir():
        peaks[0] = max(peaks[0], sum(map(peak_bytes, descendants(process))))
        time.sleep(LOOK)


def main() -> None:
    began = time.perf_counter()
    process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    peaks = [0]
    threading.Thread(target=watch, args=(process, peaks), daemon=True).start()
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - began
    taken = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": max(peaks[0], usage.ru_maxrss * 1024),
        "exit": os.waitstatus_to_exitcode(status),
    }
    print("\n" + json.dumps(taken), file=sys.stderr)


main()
