"""Every other file of a folder: what one of two processes gets.

The scripts beside this loop at their top, as most scripts do, and not in a function, whose arrays
would be given back after every slice: a page fault for each 4 KiB of the next makes the OpenCV
script half as slow again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

PROCESSES = 2


def half() -> Iterator[tuple[Path, Path, int]]:
    """Source file, PNG and bits for a half of the files: ``script IN OUT 8|16 0|1``."""
    source, output, bits, number = (
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
    )
    output.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir())[number::PROCESSES]:
        yield file, output / f"{file.stem}.png", bits
