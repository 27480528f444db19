"""A mask on the grid of the scan, or on its decimated grid, plane by plane, as writers take it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.formats.volume_files import Volume
from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import require_affine
from sidecar.mapping import Sidecar
from sidecar.masks.model import LabelArray, Mask, Segment
from sidecar.masks.source_order import in_source_order
from sidecar.masks.upsample import (
    Blend,
    Cells,
    Fill,
    blended,
    blends_of_samples,
    expand,
)
from sidecar.progress import Progress


@dataclass(frozen=True)
class MappedMask:
    """A mask on a grid along the columns, rows and slices of the source, one plane after the other.

    ``painted``        the mask as it was painted, in the order of the PNGs.
    ``mask``           the same in the order of the source, decimated (see
                       `sidecar.masks.source_order`).
    ``axes``           from index on this grid to source index.
    ``columns, rows``  what each column and row of this grid shows.
    ``slices``         what each slice of this grid shows.
    ``is_decimated``   whether the grid is the decimated one.
    """

    painted: Mask
    mask: Mask
    axes: tuple[Axis, Axis, Axis]
    columns: Cells
    rows: Cells
    slices: tuple[Blend | None, ...]
    is_decimated: bool = False

    @classmethod
    def on_source(cls, painted: Mask, fill: Fill = "repeat") -> MappedMask:
        """The mask at full resolution. ``fill`` decides about source slices that are not on the
        PNGs.
        """
        columns, rows, slices = painted.sidecar.document.source.size
        across, down, along = painted.sidecar.decimation.upright.axes
        return cls(
            painted,
            in_source_order(painted),
            Decimation.whole(columns, rows, slices).axes,
            Cells.of_samples(across, columns),
            Cells.of_samples(down, rows),
            blends_of_samples(along, slices, fill),
        )

    @classmethod
    def on_decimated(cls, painted: Mask) -> MappedMask:
        """The mask at the resolution at which it was painted."""
        across, down, along = painted.sidecar.decimation.upright.axes
        slices = tuple(Blend(k, k) for k in range(along.size))
        return cls(
            painted,
            in_source_order(painted),
            (across, down, along),
            Cells.of_pixels(across.size),
            Cells.of_pixels(down.size),
            slices,
            True,
        )

    @property
    def sidecar(self) -> Sidecar:
        return self.painted.sidecar

    @property
    def segments(self) -> tuple[Segment, ...]:
        return self.painted.segments

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.painted.dtype

    @property
    def size(self) -> tuple[int, int, int]:
        return len(self.columns.lookup), len(self.rows.lookup), len(self.slices)

    @cached_property
    def present(self) -> tuple[tuple[int, ...], ...]:
        """For every slice, the values that may be on it: the values of the decimated slices that
        it shows.
        """
        of = self.mask.present
        return tuple(
            () if b is None else tuple(sorted({*of[b.lower], *of[b.upper]})) for b in self.slices
        )

    def small_planes(self) -> Iterator[LabelArray | None]:
        """For every slice the labels of its cells, (row cells, column cells); None where it is
        empty.

        A repeated plane is the same object again.
        """
        last: LabelArray | None = None
        cells: LabelArray | None = None
        for plane in blended(self.mask.planes(), self.slices, self._decimated_spacing):
            if plane is not None and plane is not last:
                last, cells = plane, self.rows.down(self.columns.across(plane))
            yield None if plane is None else cells

    def planes(self) -> Iterator[LabelArray | None]:
        """For every slice its (rows, columns) labels, None where it is empty."""
        last: LabelArray | None = None
        expanded: LabelArray | None = None
        for plane in self.small_planes():
            if plane is not None and plane is not last:
                last, expanded = plane, expand(plane, self.rows.lookup, self.columns.lookup)
            yield None if plane is None else expanded

    def watched(self, progress: Progress) -> Iterator[LabelArray | None]:
        """`planes`, which reports each plane to ``progress`` when the caller is done with it."""
        for plane in self.planes():
            yield plane
            progress.advance(1, 0)

    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Source columns and rows, *center*, of the edges between the cells of `small_planes`.
        There is one more edge than cells.
        """
        across, down, _ = self.axes
        return across.to_source(self.columns.edges), down.to_source(self.rows.edges)

    def source_slice(self, index: int) -> float:
        """Source index along the slices of the centre of a slice of this grid."""
        return self.axes[2].to_source(float(index))

    def source_slices(self, index: int) -> range:
        """The source slices that a slice of this grid stands for."""
        return self.axes[2].extent(index)

    def volume(self, format: str) -> Volume:
        """The header of a volume with this mask.

        GeometryError where one origin, spacing and direction do not describe the planes.
        """
        affine = require_affine(self.sidecar.stack, self.sidecar.document.source.affine, format)
        return Volume(self.size, self.dtype, affine @ Decimation(*self.axes).matrix)

    @property
    def _decimated_spacing(self) -> tuple[float, float]:
        """Distance between decimated rows and between decimated columns: mm, or source pixels
        without geometry.
        """
        axes, stack = self.sidecar.decimation.upright, self.sidecar.stack
        between_rows, between_columns = (1.0, 1.0) if stack is None else stack.pixel_spacing
        return between_rows * axes.rows.factor, between_columns * axes.columns.factor
