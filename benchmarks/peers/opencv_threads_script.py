"""The same with two threads in one process, and PNGs of level 1:

``opencv_threads_script IN OUT 8|16``.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pydicom


def convert(file: Path, png: Path, bits: int) -> None:
    dataset = pydicom.dcmread(file)
    small = cv2.resize(dataset.pixel_array, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if bits == 8:
        gain = 255 / float(dataset.WindowWidth)
        small = cv2.convertScaleAbs(
            small,
            alpha=gain,
            beta=gain * (float(dataset.WindowWidth) / 2 - float(dataset.WindowCenter)),
        )
    cv2.imwrite(str(png), small, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def main() -> None:
    source, output, bits = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    output.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)  # the threads below are enough for two processors
    with ThreadPoolExecutor(2) as threads:
        for done in [
            threads.submit(convert, file, output / f"{file.stem}.png", bits)
            for file in sorted(source.iterdir())
        ]:
            done.result()


if __name__ == "__main__":
    main()
