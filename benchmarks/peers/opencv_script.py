"""pydicom and OpenCV, as most people write it: ``opencv_script IN OUT 8|16 0|1``, to half size or
what the environment calls SCALE.
"""

from __future__ import annotations

import os

import cv2
import pydicom

from benchmarks.peers.halves import half

cv2.setNumThreads(1)  # two processes are enough for two processors
scale = float(os.environ.get("SCALE", "0.5"))
for file, png, bits in half():
    dataset = pydicom.dcmread(file)
    small = cv2.resize(dataset.pixel_array, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if bits == 8:
        gain = 255 / float(dataset.WindowWidth)
        small = cv2.convertScaleAbs(
            small,
            alpha=gain,
            beta=gain * (float(dataset.WindowWidth) / 2 - float(dataset.WindowCenter)),
        )
    cv2.imwrite(str(png), small)
