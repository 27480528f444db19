"""SimpleITK slice by slice: ``simpleitk_script IN OUT 8|16 0|1``."""

from __future__ import annotations

from typing import Any

import SimpleITK

from benchmarks.peers.halves import half

sitk: Any = SimpleITK  # it tells no types

for file, png, bits in half():
    image = sitk.ReadImage(str(file))
    small = sitk.BinShrink(image, [2, 2, 1])[:, :, 0]
    if bits == 8:
        center, width = (float(image.GetMetaData(tag)) for tag in ("0028|1050", "0028|1051"))
        small = sitk.IntensityWindowing(small, center - width / 2, center + width / 2, 0, 255)
    sitk.WriteImage(sitk.Cast(small, sitk.sitkUInt8 if bits == 8 else sitk.sitkUInt16), str(png))
