"""The irregularities of a stack, in words. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.stack import GAP_TOLERANCE, TILT_TOLERANCE_DEGREES, Stack, median

#: A gap of so many pixels, or a pixel of so many gaps, is doubtful.
MANY_PIXELS, MANY_GAPS = 100, 50


def is_uneven(gaps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which gaps differ from the median gap."""
    usual = median(gaps)
    return np.asarray(np.abs(gaps - usual) > GAP_TOLERANCE * usual)


def irregularities(stack: Stack) -> list[str]:
    """Warnings about tilt, planes shifted sideways, uneven gaps, missing slices, planes off a
    straight line, and gaps that do not fit the size of the pixels.
    """
    if stack.slices < 2:
        return []
    found = []
    if stack.tilt_degrees > TILT_TOLERANCE_DEGREES:
        found.append(
            f"gantry tilt: the stack axis is {stack.tilt_degrees:.2f}° off the slice normal; every"
            " plane keeps its own position"
        )
    found += _shifted(stack)
    gaps, usual = stack.gaps, stack.median_gap
    uneven = is_uneven(gaps)
    multiples = np.rint(gaps / usual)
    missing = uneven & (multiples > 1) & (np.abs(gaps - multiples * usual) <= 0.05 * usual)
    if missing.any():
        after = ", ".join(str(int(i)) for i in np.flatnonzero(missing)[:5])
        count = int((multiples[missing] - 1).sum())
        seem = "slice seems" if count == 1 else "slices seem"
        found.append(f"{count} {seem} to be missing, after slice {after} (0-based)")
    if (uneven & ~missing).any():
        found.append(
            f"uneven slice gaps: {gaps.min():.4g} to {gaps.max():.4g} mm; every plane keeps its own"
            " position"
        )
    if not stack.affine_is_exact and stack.affine is not None:
        found.append(
            f"no single affine describes these planes: the best is {stack.affine.residual_mm:.3g}"
            " mm off at its worst"
        )
    return found + _doubtful_units(usual, min(stack.pixel_spacing))


def _shifted(stack: Stack) -> list[str]:
    """A warning where two neighbouring planes do not lie above each other: the patient or the table
    moved, or two scans were joined.
    """
    jumps = np.flatnonzero(stack.shifted)
    if not len(jumps):
        return []
    largest = int(jumps[np.argmax(stack.sideways[jumps])])
    more = f", and {len(jumps) - 1} more times by less" if len(jumps) > 1 else ""
    return [
        f"slices are shifted sideways: by {stack.sideways[largest]:.4g} mm after slice {largest}"
        f" (0-based){more}; every plane keeps its own position"
    ]


def _doubtful_units(gap: float, pixel: float) -> list[str]:
    gaps = f"the gaps between slices ({gap:.4g} mm, by Image Position (Patient))"
    one_pixel = f"a pixel ({pixel:.4g} mm, by Pixel Spacing)"
    so = (
        "one of the two may be in another unit. Then millimetres are wrong: give the true voxel"
        " size with --voxel X,Y,Z, in mm"
    )
    if gap >= MANY_PIXELS * pixel:
        return [f"{gaps} are {gap / pixel:,.0f} times {one_pixel}: {so}"]
    if pixel >= MANY_GAPS * gap:
        return [f"{gaps} are 1/{pixel / gap:,.0f} of {one_pixel}: {so}"]
    return []
