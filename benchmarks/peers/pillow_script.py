"""pydicom, numpy and Pillow, as most people write it: ``pillow_script IN OUT 8|16 0|1``."""

from __future__ import annotations

import numpy as np
import pydicom
from PIL import Image

from benchmarks.peers.halves import half

for file, png, bits in half():
    dataset = pydicom.dcmread(file)
    values = dataset.pixel_array.astype(np.float32) * float(dataset.RescaleSlope) + float(
        dataset.RescaleIntercept
    )
    halved = (dataset.Columns // 2, dataset.Rows // 2)
    if bits == 8:
        lowest = float(dataset.WindowCenter) - float(dataset.WindowWidth) / 2
        gray = ((values - lowest) / float(dataset.WindowWidth) * 255).clip(0, 255).astype(np.uint8)
        Image.fromarray(gray).resize(halved, Image.Resampling.LANCZOS).save(png)
    else:
        small = Image.fromarray(values).resize(halved, Image.Resampling.BOX)
        Image.fromarray(np.rint(np.asarray(small)).astype(np.uint16)).save(png)
