"""From image values back to source values, where a line describes this: one line for all images,
or one for each. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.fine.explain import SAMPLE_PIXELS, Sample
from sidecar.adoption.fine.register import ImageBands
from sidecar.adoption.model.placement import Placement
from sidecar.adoption.model.resampling_kernels import Kernel
from sidecar.adoption.model.tone import fit_tone

Floats = NDArray[np.float64]

#: In gray levels of 8 bits: how much more a line may miss than the curve, and how much the lines of
#: several images may differ.
STRAIGHT, AGREED = 0.5, 1.5
#: Part of the range at either end in which an image may have been clipped.
ENDS = 0.02


@dataclass(frozen=True, slots=True)
class Intensity:
    """value = slope · pixel + intercept. Both are None where no single line fits all images;
    ``kind`` says why.
    """

    kind: Literal["line", "line for each image", "curve"]
    slope: float | None = None
    intercept: float | None = None


@dataclass(frozen=True, slots=True)
class _ValueLine:
    slope: float
    intercept: float
    straight: bool


def intensity_of(samples: Sequence[Sample], placement: Placement, kernel: Kernel) -> Intensity:
    """How the values of some images come from the values of their slices."""
    found = [line for sample in samples if (line := _line(sample, placement, kernel)) is not None]
    if not found or not all(line.straight for line in found):
        return Intensity("curve")
    top = max(float(sample.image.max()) for sample in samples)
    slope, intercept = (
        float(np.median([getattr(line, name) for line in found])) for name in ("slope", "intercept")
    )
    level = abs(slope) * max(1.0, top / 255)
    apart = max(
        abs(line.slope * p + line.intercept - slope * p - intercept)
        for line in found
        for p in (0.0, top)
    )
    if apart > AGREED * level:
        return Intensity("line for each image")
    return Intensity("line", slope, intercept)


def _line(sample: Sample, placement: Placement, kernel: Kernel) -> _ValueLine | None:
    """The line through the pixels that were not clipped; None where there are too few of them."""
    seen = ImageBands.of(sample.image, placement, most=SAMPLE_PIXELS)
    model = seen.predicted(sample.plane, kernel)
    lowest, highest = float(sample.image.min()), float(sample.image.max())
    margin = ENDS * (highest - lowest)
    where = (
        seen.inside(sample.plane.shape)
        & (seen.values > lowest + margin)
        & (seen.values < highest - margin)
    )
    pixels, values = seen.values[where].astype(np.float64), model[where].astype(np.float64)
    if pixels.size < 100 or pixels.std() == 0 or values.std() == 0:
        return None
    slope, intercept = _robust_line(pixels, values)
    if slope == 0:
        return None
    curve = fit_tone(values, pixels)
    miss = np.abs(curve.apply(values) - (values - intercept) / slope)
    return _ValueLine(
        slope,
        intercept,
        float(np.quantile(miss, 0.9))
        <= STRAIGHT * max(1.0, highest / 255) + 0.01 * (highest - lowest),
    )


def _robust_line(pixels: Floats, values: Floats) -> tuple[float, float]:
    """value = slope · pixel + intercept. It is fitted as pixel on value, because the image has
    the rounding. Then it is fitted again without the pixels that miss most.
    """
    kept = np.ones(len(pixels), bool)
    gain = bias = 0.0
    for _ in range(3):
        gain, bias = (float(c) for c in np.polyfit(values[kept], pixels[kept], 1))
        miss = np.abs(gain * values + bias - pixels)
        kept = miss <= 3 * max(float(np.median(miss)), 0.3)
    return (1 / gain, -bias / gain) if gain else (0.0, 0.0)
