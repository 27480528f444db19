"""Every other file of a folder: what one of two processes gets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

PROCESSES = 2


def convert_half(convert: Callable[[Path, Path, int], None]) -> None:
    """``convert(file, png, bits)`` for a half of the files: ``script IN OUT 8|16 0|1``."""
    source, output, bits, half = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    output.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir())[half::PROCESSES]:
        convert(file, output / f"{file.stem}.png", bits)
