"""The size of segments: voxels and mm³, with the bounds that decimation allows.

The volume of a voxel is the area of its pixel times half the distance, along the normal, between
the planes on either side of it. So uneven slices and gantry tilt need no affine. Beyond the first
and the last plane, the spacing of the outermost two planes continues.

Nobody saw the scan between the centres of neighbouring PNG voxels. An outline can be anywhere
between a labelled centre and one that is not. Eight neighbouring centres span a box of one PNG
voxel. A segment certainly contains the boxes whose eight corners all have its label: this is its
least volume. It may contain every box with at least one such corner: this is its largest volume. No
bound covers parts that are smaller than a PNG voxel and contain no centre.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.axis import Axis
from sidecar.grid.stack import Stack
from sidecar.labels.tables.number_texts import shortest
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import LabelArray, Segment
from sidecar.progress import Progress

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """The size of one segment.

    ``voxels``: on the grid that was asked for. ``volume_mm3, least_mm3, most_mm3``: mm³ as mapped,
    at least, and at most. None where the scan has no millimetres, or only one slice.
    """

    segment: Segment
    voxels: int
    volume_mm3: float | None
    least_mm3: float | None
    most_mm3: float | None

    def __str__(self) -> str:
        text = f"{self.segment.name}: {self.voxels:,} {'voxel' if self.voxels == 1 else 'voxels'}"
        if self.volume_mm3 is None or self.least_mm3 is None or self.most_mm3 is None:
            return text
        volume, least, most = map(_in_words, (self.volume_mm3, self.least_mm3, self.most_mm3))
        return f"{text}, {volume} mm³, from {least} to {most}"


def segment_sizes(mask: MappedMask, progress: Progress) -> tuple[SegmentSize, ...]:
    """The sizes of all segments, in their order, including those without a voxel.

    The labels are read twice, as mapped and as painted. Only a few planes are in memory.
    """
    labels = 1 + max((segment.value for segment in mask.segments), default=0)
    progress.start("measuring segments", mask.size[2])
    stack = mask.sidecar.stack
    steps = None if stack is None else _steps(stack, mask.axes[2], mask.size[2])
    voxels, volume = np.zeros((2, labels))
    for k, counts in enumerate(_counts(mask, labels)):
        voxels += counts
        volume += 0 if steps is None else counts * (steps[k] + steps[k + 1]) / 2
        progress.advance(1, 0)
    values = [segment.value for segment in mask.segments]
    mm3: list[list[float | None]] = [[None] * 3] * len(values)
    if stack is not None and steps is not None:
        volume *= _pixel_area(stack, mask.axes)
        mm3 = np.transpose([volume, *_bounds(mask, stack, labels)])[values].tolist()
    return tuple(
        SegmentSize(segment, int(voxels[segment.value]), *three)
        for segment, three in zip(mask.segments, mm3, strict=True)
    )


def columns_of(sizes: Sequence[SegmentSize]) -> dict[str, Sequence[str]]:
    """The columns of the CSV.

    LabelError for a segment's name that a spreadsheet would run as a formula.
    """
    names = [size.segment.name for size in sizes]
    refuse_unfit_texts({"segment": names}, lambda row, message: LabelError(message))
    return {
        "segment": names,
        "value": [str(size.segment.value) for size in sizes],
        "voxels": [str(size.voxels) for size in sizes],
        "volume_mm3": [_text(size.volume_mm3) for size in sizes],
        "least_mm3": [_text(size.least_mm3) for size in sizes],
        "most_mm3": [_text(size.most_mm3) for size in sizes],
    }


def _in_words(mm3: float) -> str:
    return f"{mm3:,.0f}" if mm3 >= 1000 else f"{mm3:.4g}"


def _text(value: float | None) -> str:
    return "" if value is None else shortest(value)


def _counts(mask: MappedMask, labels: int) -> Iterator[Floats]:
    """For every slice of the grid, (labels,) the number of voxels of each label."""
    across, down = (
        np.bincount(cells.lookup[cells.lookup >= 0], minlength=len(cells.shown))
        for cells in (mask.columns, mask.rows)
    )
    voxels = np.outer(down, across).ravel().astype(np.float64)
    last: LabelArray | None = None
    counts: Floats = np.zeros(labels)
    for plane in mask.small_planes():
        if plane is not None and plane is not last:
            last, counts = plane, np.bincount(plane.ravel(), voxels, labels).astype(float)
        yield np.zeros(labels) if plane is None else counts


def _steps(stack: Stack, slices: Axis, size: int) -> Floats | None:
    """(size + 1,) mm along the normal from each plane of a grid to the next. The first is measured
    from the plane that would come before the grid, the last to the plane that would come after it.

    None for a single plane, whose thickness is not known.
    """
    if stack.slices == 1:
        return None
    along = slices.to_source(np.arange(-1.0, size + 1))
    corners = np.column_stack([np.zeros((size + 2, 2)), along])
    return np.diff(stack.to_patient(corners) @ stack.normal)


def _pixel_area(stack: Stack, axes: Sequence[Axis]) -> float:
    """The area of a pixel of a grid in mm²."""
    between_rows, between_columns = stack.pixel_spacing
    return between_columns * axes[0].factor * between_rows * axes[1].factor


def _bounds(mask: MappedMask, stack: Stack, labels: int) -> Floats:
    """(2, labels) least and largest volume of each label in mm³."""
    decimated = mask.sidecar.decimation.upright
    steps = _steps(stack, decimated.slices, decimated.slices.size)
    assert steps is not None
    bounds = np.zeros((2, labels))
    lower: LabelArray | None = None
    for step, upper in zip(steps, itertools.chain(mask.mask.planes(), [None]), strict=True):
        bounds += _boxes(lower, upper, labels) * step
        lower = upper
    return bounds * _pixel_area(stack, decimated.axes)


def _boxes(lower: LabelArray | None, upper: LabelArray | None, labels: int) -> Floats:
    """(2, labels) the number of boxes between two planes that have each label at all corners, and
    at any corner.

    None is an empty plane. Beyond the edges of the planes nothing is labelled.
    """
    if lower is None and upper is None:
        return np.zeros((2, labels))
    some = lower if upper is None else upper
    assert some is not None
    planes = [np.pad(np.zeros_like(some) if p is None else p, 1) for p in (lower, upper)]
    smallest, largest = (_over_corners(of, planes) for of in (np.minimum, np.maximum))
    least = np.bincount(smallest[smallest == largest], minlength=labels)
    y, x = np.nonzero(smallest != largest)
    corners = np.sort([p[y + i, x + j] for p in planes for i in (0, 1) for j in (0, 1)], axis=0)
    another = np.ones(corners.shape, dtype=bool)
    another[1:] = corners[1:] != corners[:-1]
    return np.array([least, least + np.bincount(corners[another], minlength=labels)], float)


def _over_corners(of: np.ufunc, planes: Sequence[LabelArray]) -> LabelArray:
    """The smallest or largest of the eight corners of each box."""
    both = of(*planes)
    in_rows = of(both[1:], both[:-1])
    return np.asarray(of(in_rows[:, 1:], in_rows[:, :-1]))
