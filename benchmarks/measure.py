"""Whole programs, measured from outside: wall clock, processor time and peak memory of all their
processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Taken:
    """What one run of a command took: seconds, seconds of processor, and bytes at the peak."""

    wall: float
    cpu: float
    peak: int


#: What pip installs is compiled once; a checkout is so by its first start, if it may be.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def run(command: Sequence[str | Path]) -> Taken:
    """Run a command to its end. RuntimeError with its last words where it fails."""
    launch = [sys.executable, "-I", "-S", str(_LAUNCH), *map(str, command)]
    done = subprocess.run(
        launch,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    words, _, figures = done.stderr.rstrip().rpartition("\n")
    taken = json.loads(figures)
    if taken.pop("exit"):
        raise RuntimeError(f"{command[0]}: {words.strip()[-600:]}")
    return Taken(**taken)


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Everything runs on one processor where the system lets a process choose it."""
    processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if processors:
        os.sched_setaffinity(0, {max(processors)})
    try:
        yield
    finally:
        if processors:
            os.sched_setaffinity(0, processors)


#: Name and command of a program, the latter by the folder that it is to fill.
Contender = tuple[str, Callable[[Path], Sequence[str | Path]]]


@dataclass(frozen=True)
class Result:
    """All runs of one contender, and the bytes that it wrote."""

    runs: list[Taken]
    written: int

    @property
    def wall(self) -> float:
        return statistics.median(taken.wall for taken in self.runs)

    @property
    def cpu(self) -> float:
        return statistics.median(taken.cpu for taken in self.runs)

    @property
    def peak(self) -> int:
        return max(taken.peak for taken in self.runs)


def in_turns(
    contenders: Sequence[Contender], runs: int, work: Path, tell: Callable[[str], None]
) -> dict[str, Result]:
    """A B C, B C A …, so that a slow minute of the machine falls on all alike, and none always
    comes after the same one.

    One that fails is left out, and that is told.
    """
    taken: dict[str, list[Taken]] = {}
    written: dict[str, int] = {}
    failed: set[str] = set()
    for number in range(runs):
        first = number % len(contenders)
        for name, command in [*contenders[first:], *contenders[:first]]:
            if name in failed:
                continue
            output = work / "output"
            shutil.rmtree(output, ignore_errors=True)
            try:
                once = run(command(output))
            except RuntimeError as error:
                failed.add(name)
                tell(f"  {name} failed and is left out: {error}")
                continue
            taken.setdefault(name, []).append(once)
            written[name] = sum(path.stat().st_size for path in output.glob("*.png"))
            tell(f"  {number + 1}/{runs} {name}: {once.wall:.2f} s, {once.cpu:.2f} s of processor")
    shutil.rmtree(work / "output", ignore_errors=True)
    return {
        name: Result(all_runs, written[name])
        for name, all_runs in taken.items()
        if name not in failed
    }
