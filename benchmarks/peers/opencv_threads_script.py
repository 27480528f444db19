"""The same with two threads in one process, and PNGs of level 1: ``opencv_threads_script IN OUT 8|16``."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from benchmarks.peers.opencv_script import convert


def main() -> None:
    source, output, bits = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    output.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # the threads below are enough for two processors
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(convert, file, output / f"{file.stem}.png", bits, fast) for file in sorted(source.iterdir())]:
            done.result()


if __name__ == "__main__":
    main()
