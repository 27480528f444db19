"""Two processes, each over every other file: what a shell script with ``&`` does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing import Process
from pathlib import Path

PROCESSES = 2


def convert_all(convert: Callable[[Path, Path, int], None]) -> None:
    """``convert(file, png, bits)`` for every file of a folder: ``script IN OUT 8|16``."""
    source, output, bits = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    output.mkdir(parents=True, exist_ok=True)
    files = sorted(source.iterdir())
    workers = [Process(target=_convert, args=(convert, files[k::PROCESSES], output, bits)) for k in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(any(worker.exitcode for worker in workers))


def _convert(convert: Callable[[Path, Path, int], None], files: list[Path], output: Path, bits: int) -> None:
    for file in files:
        convert(file, output / f"{file.stem}.png", bits)
