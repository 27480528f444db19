"""Scans whose voxel size the user gives, because their headers have none, or a wrong one. Pure.

The slices lie one behind the other, at equal distances. Their order is the one that the user names,
or is found as for any scan. Millimetres run along columns, rows and slices from the first voxel.
Nothing is known of the patient. A warning says that the places in the headers are not used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.irregularities import MANY_PIXELS
from sidecar.dicom.stacks.ordering import (
    POSITION,
    Arrange,
    Geometry,
    Ordered,
    by_name,
    by_number,
    files_of,
    in_file_order,
    in_plane_order,
    in_slice_order,
    names_fault,
    numbers_fault,
    refuse_tiles,
    remarks_on,
)
from sidecar.dicom.stacks.same_scan import KnownScan, keys_of
from sidecar.dicom.stacks.series import Series
from sidecar.errors import GeometryError, printable
from sidecar.grid.stack import Stack, check_orientation, given_stack, plane_normal

Order = Literal["name", "number"]
Voxel = tuple[float, float, float]

_Frames = Sequence[Frame]


@dataclass(frozen=True)
class GivenVoxel:
    """``voxel``: mm between columns, rows and slices.

    ``order``: by file names or by Instance Number. None: by the headers, where they order all
    slices.
    """

    voxel: Voxel
    order: Order | None = None


def arrangement(given: GivenVoxel | None) -> Arrange:
    """How frames become a stack. ``given`` is None where the user gave no voxel size."""
    return in_slice_order if given is None else partial(_arranged, given)


def _arranged(given: GivenVoxel, frames: _Frames) -> Ordered:
    refuse_tiles(frames)
    ordered, how = _as_asked(given.order, frames) if given.order else _as_found(frames)
    doubts = () if given.order is None else tuple(_doubts(ordered))
    return Ordered(
        tuple(ordered),
        _stack(given.voxel, frames),
        (*remarks_on(frames), *_notes(given.voxel, ordered, how), *doubts),
    )


def arrangement_of(known: KnownScan) -> Arrange:
    """How frames become the stack that a document knows.

    Where its voxel size was given, they get the order in the document, whatever the headers say
    now.
    """
    if known.stack is None or known.stack.geometry != "given":
        return in_slice_order
    return partial(_as_known, known, known.stack)


def as_given(known: KnownScan, found: Sequence[Series]) -> Sequence[Series]:
    """The stacks of a source.

    If the voxel size of the known scan was given, the stack of its slices gets the order and the
    voxel size of its document.
    """
    if known.stack is None or known.stack.geometry != "given":
        return found
    wanted, arrange = Counter(known.planes), arrangement_of(known)
    return [
        _arranged_anew(series, arrange) if Counter(keys_of(series)) == wanted else series
        for series in found
    ]


def _arranged_anew(series: Series, arrange: Arrange) -> Series:
    ordered = arrange(series.frames)
    warnings = (*series.standing, *ordered.warnings)
    return replace(
        series, frames=ordered.frames, stack=ordered.stack, warnings=warnings, problem=None
    )


def _as_known(known: KnownScan, stack: Stack, frames: _Frames) -> Ordered:
    """The slices of a known scan in its order. Files tell slices with the same UID apart.

    GeometryError where there are other slices.
    """
    place = {key: k for k, key in enumerate(known.planes)}
    at_home = {pair: k for k, pair in enumerate(zip(known.planes, known.files, strict=True))}

    def place_of(frame: Frame) -> int:
        key = (frame.sop_instance_uid, frame.frame_number)
        return at_home.get((key, frame.file), place[key])

    try:
        ordered = sorted(frames, key=place_of)
    except KeyError:
        raise GeometryError("there are slices that the sidecar does not know") from None
    voxel = (stack.pixel_spacing[1], stack.pixel_spacing[0], stack.median_gap)
    notes = _notes(voxel, ordered, "in the order of the sidecar")
    return Ordered(tuple(ordered), stack, (*remarks_on(ordered), *notes))


def _stack(voxel: Voxel, frames: _Frames) -> Stack:
    layout = frames[0].common.layout
    return given_stack((layout.columns, layout.rows, len(frames)), voxel)


def _notes(voxel: Voxel, frames: _Frames, how: str) -> Iterator[str]:
    """Warnings about a voxel size that was given, and about what it replaces."""
    size = " × ".join(f"{edge:.10g}" for edge in voxel)
    yield (
        f"the voxel size was given by hand: {size} mm between columns, rows and slices, {how}."
        " Millimetres run along columns, rows and slices, and not along axes of the patient."
        " Slices in reverse order would make a mirror image"
    )
    if max(voxel) >= MANY_PIXELS * min(voxel):
        yield (
            f"a voxel of {size} mm is far longer in one direction than in another: are all three"
            " numbers in mm?"
        )
    found = Geometry(frames).found
    if found:
        yield f"places in the headers are not used: {', '.join(found)}"


# --- the order ---


def _as_asked(order: Order, frames: _Frames) -> tuple[list[Frame], str]:
    if len({frame.file for frame in frames}) == 1:
        return in_file_order(frames)
    fault, sort, how = _ORDERS[order]
    why = fault(frames)
    if why is not None:
        raise GeometryError(
            f"--order {order} does not order these slices ({files_of(frames)}): {why}"
        )
    return sort(frames), how


_ORDERS: dict[
    Order, tuple[Callable[[_Frames], str | None], Callable[[_Frames], list[Frame]], str]
] = {
    "name": (names_fault, by_name, "in the natural order of file names, as asked"),
    "number": (numbers_fault, by_number, "in the order of InstanceNumber, as asked"),
}


def _as_found(frames: _Frames) -> tuple[list[Frame], str]:
    """Frames by position, where that orders all of them. Else by number or name: reversed where
    positions run backwards, and refused where positions contradict the order.
    """
    if not Geometry(frames).absent:
        try:
            return list(in_plane_order(frames).frames), f"in the order of {POSITION}"
        except GeometryError:
            # positions are rounded, copied or in another unit: number or name must order the frames
            pass
    ordered, how = in_file_order(frames)
    name, steps = _steps(ordered)
    if _turns(steps):
        raise GeometryError(
            f"slices {how}: {_back_and_forth(name, steps, ordered)}. Give the right order with"
            " --order name or --order number"
        )
    if name == POSITION and steps.min(initial=0) < 0:
        return ordered[::-1], f"{how}, reversed because {POSITION} runs backwards"
    return ordered, how


def _doubts(frames: _Frames) -> Iterator[str]:
    """Warnings where the places in the headers contradict the order that the user asked for."""
    name, steps = _steps(frames)
    if _turns(steps):
        yield _back_and_forth(name, steps, frames)
    elif name == POSITION and steps.min(initial=0) < 0:
        yield (
            f"{name} runs backwards in this order, so the stack is a mirror image; without --order,"
            " the slices are put into the right order"
        )


def _turns(steps: NDArray[np.float64]) -> bool:
    return bool((steps > 0).any() and (steps < 0).any())


def _back_and_forth(name: str, steps: NDArray[np.float64], frames: _Frames) -> str:
    forwards = steps[steps != 0][0] > 0
    turn = int(np.argmax(steps < 0 if forwards else steps > 0)) + 1
    return (
        f"{name} goes back and forth in this order, first at slice {turn} (0-based,"
        f" {printable(frames[turn].file)})"
    )


def _steps(frames: _Frames) -> tuple[str, NDArray[np.float64]]:
    """The attribute that places frames, and mm from each frame to the next. There are no steps
    where no attribute places at least two frames. A frame without the attribute is assumed to lie
    at the place of the frame before it.

    With `POSITION`, the steps are along the normal. Without an orientation, they are along the axis
    on which positions vary most, which does not tell forwards from backwards.
    """
    placed = [k for k, frame in enumerate(frames) if frame.position is not None]
    if len(placed) > 1:
        positions = np.array([frames[k].position for k in placed], dtype=np.float64)
        sound = (f.orientation for f in frames if f.orientation and _sound(f.orientation))
        orientation = next(sound, None)
        if orientation is not None:
            return POSITION, _steps_of(positions @ plane_normal(orientation), placed, frames)
        along = positions[:, np.ptp(positions, axis=0).argmax()]
        return f"one axis of {POSITION}", _steps_of(along, placed, frames)
    located = [k for k, frame in enumerate(frames) if frame.slice_location is not None]
    locations = np.array([frames[k].slice_location for k in located], dtype=np.float64)
    return "Slice Location", _steps_of(locations, located, frames)


def _steps_of(
    heights: NDArray[np.float64], known: Sequence[int], frames: _Frames
) -> NDArray[np.float64]:
    """The steps between all frames. ``heights``: of the frames whose numbers are ``known``."""
    if len(known) < 2:
        return np.zeros(0)
    before = np.searchsorted(known, np.arange(len(frames)), side="right") - 1
    return np.diff(heights[np.maximum(before, 0)])


def _sound(orientation: tuple[float, ...]) -> bool:
    try:
        check_orientation(orientation)
    except GeometryError:
        return False
    return True
