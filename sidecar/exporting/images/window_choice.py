"""Choose the straight line from stored values to PNG values: one for the whole series, never one
per slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.pixels import read_plane
from sidecar.errors import SourceError
from sidecar.exporting.plan import Plan
from sidecar.grid.axis import spread
from sidecar.parallel import available_processors
from sidecar.storage.location import Location
from sidecar.values.lookup_table import LookupTable
from sidecar.values.value_maps import Linear, Stored, dicom_window, robust_range

#: Slices to sample for `--window auto`, and pixels to take from all of them together.
SAMPLE_SLICES = 16
SAMPLE_PIXELS = 1 << 18

Mode = Literal["auto", "dicom", "full", "given", "stored"]


def mode_of(plan: Plan) -> Mode | None:
    """How PNG values are made from stored values; None for colour."""
    if plan.channels == 3:
        return None
    window = plan.options.window
    if window is None:
        if plan.keeps_stored:
            return "stored"
        return "auto" if plan.bits == 8 else "full"
    return window if isinstance(window, str) else "given"


def choose_values(
    plan: Plan, source: Location, on_frame: Callable[[], object] = lambda: None
) -> Stored | Linear | None:
    """The map from stored to PNG values.

    It reads pixels only for ``auto`` (a sample) and ``full`` (all exported pixels).
    """
    mode = mode_of(plan)
    if mode is None:
        return None
    frames = plan.series.frames
    layout = frames[0].common.layout
    inverted = layout.photometric == "MONOCHROME1"
    if mode == "stored":
        lowest = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
        highest = lowest + (1 << layout.bits_stored) - 1
        return Stored(lowest, highest, plan.options.bits, inverted, frames[0].rescale)
    if mode == "given":
        assert isinstance(plan.options.window, tuple)
        lower, upper = dicom_window(*plan.options.window)
    elif mode == "dicom":
        lower, upper = _header_window(frames)
    elif mode == "auto":
        lower, upper = _sampled_range(plan, source)
    else:
        lower, upper = _full_range(plan.frames_read(), source, on_frame)
    return Linear(lower, upper, plan.options.bits, inverted)


def table_before(plan: Plan, values: Stored | Linear | None) -> LookupTable | None:
    """The lookup table for stored values before any other step: that of the source if a window is
    used, None if stored values are kept.
    """
    return plan.series.common.table if isinstance(values, Linear) else None


def _header_window(frames: Iterable[Frame]) -> tuple[float, float]:
    """One range for the series, which covers the window of every slice."""
    windows = [dicom_window(*frame.window) for frame in frames if frame.window is not None]
    if not windows or not all(lower < upper < np.inf for lower, upper in windows):
        raise SourceError(
            "--window dicom: the headers hold no usable Window Center and Width; use --window auto,"
            " full or CENTER,WIDTH"
        )
    return min(w[0] for w in windows), max(w[1] for w in windows)


def _values(frame: Frame, source: Location) -> NDArray[Any]:
    """Stored values of a frame without its padding, after its lookup table, if any; flat.

    They are valid until the next `read_plane`.
    """
    stored = read_plane(source, frame.locator).ravel()
    if frame.common.padding is not None:
        lowest, highest = frame.common.padding
        stored = stored[(stored < lowest) | (stored > highest)]
    if frame.common.table is not None:
        return frame.common.table.apply(stored)
    return stored[np.isfinite(stored)] if np.issubdtype(stored.dtype, np.floating) else stored


def _sampled_range(plan: Plan, source: Location) -> tuple[float, float]:
    frames = list(plan.frames_read())
    chosen = [frames[i] for i in spread(len(frames), SAMPLE_SLICES)]
    with ThreadPoolExecutor(
        plan.options.jobs or available_processors()
    ) as threads:  # decoding the frames one by one would take seconds
        values = np.concatenate(
            list(
                threads.map(
                    lambda frame: _sample(frame, source, SAMPLE_PIXELS // len(chosen)), chosen
                )
            )
        )
    return robust_range(values) if values.size else (0.0, 1.0)


def _sample(frame: Frame, source: Location, wanted: int) -> NDArray[np.float64]:
    """Modality values of about ``wanted`` pixels of a frame."""
    stored = _values(frame, source)
    slope, intercept = frame.rescale
    step = (
        stored.size // wanted | 1
    )  # odd, because a step that divides the width would sample the same columns in every row
    return np.asarray(stored[::step].astype(np.float64) * slope + intercept)


def _full_range(
    frames: Iterable[Frame], source: Location, on_frame: Callable[[], object]
) -> tuple[float, float]:
    lower, upper = np.inf, -np.inf
    for frame in frames:
        stored = _values(frame, source)
        if stored.size:
            slope, intercept = frame.rescale
            ends = sorted(float(end) * slope + intercept for end in (stored.min(), stored.max()))
            lower, upper = min(lower, ends[0]), max(upper, ends[1])
        on_frame()
    if not lower < upper:
        lower, upper = (float(lower), float(lower) + 1) if np.isfinite(lower) else (0.0, 1.0)
    return float(lower), float(upper)
