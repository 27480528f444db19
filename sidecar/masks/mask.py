"""What was painted, on the PNG grid, and the same on the grid it is written on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidecar import document
from sidecar.mapping import Decimation, Sidecar
from sidecar.masks.grid import Blend, Fill, Lookup, blended, expand, pixel_edges, pixels_of_samples, slices_of_samples
from sidecar.progress import Progress
from sidecar.sampling import Axis
from sidecar.volume import require_affine
from sidecar.volume_files import Volume

Labels = NDArray[Any]
Rgb = tuple[int, int, int]


class Code(NamedTuple):
    """A coded concept: SCT, 71341001, Femur."""

    scheme: str
    value: str
    meaning: str


#: What a segment is said to be where nobody says anything: the same as in 3D Slicer.
TISSUE = Code("SCT", "85756007", "Tissue")

#: Colours of segments that have none of their own.
COLORS: tuple[Rgb, ...] = (
    (220, 60, 50),
    (60, 150, 220),
    (80, 180, 80),
    (240, 190, 40),
    (160, 90, 200),
    (240, 130, 40),
    (60, 190, 180),
    (220, 110, 170),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """One class of labels. ``value``: the label it has in arrays, 1 … 65535. ``category, type``: codes, None where none were given."""

    value: int
    name: str
    color: Rgb
    category: Code | None = None
    type: Code | None = None


@dataclass(frozen=True)
class Mask:
    """Labels on the PNG stack.

    ``planes()``   begins a pass: for every PNG in order its (rows, columns) uint8 or uint16 labels, or None where it is empty.
    ``present``    for every PNG the values on it, ascending.
    ``segments``   what the values mean, in the order they are written in; those without a pixel are among them.
    ``tool, notes``  are told to the user.
    """

    sidecar: Sidecar
    segments: tuple[Segment, ...]
    planes: Callable[[], Iterator[Labels | None]]
    present: tuple[tuple[int, ...], ...]
    tool: str
    notes: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds all values."""
        return np.dtype(np.uint8 if max((s.value for s in self.segments), default=0) < 256 else np.uint16)


@dataclass(frozen=True)
class MappedMask:
    """A mask on the grid of an output, one plane after the other.

    ``axes``           from index on the output grid to source index.
    ``columns, rows``  PNG column and row of each output column and row, -1 where there is none.
    ``slices``         what each output slice shows.
    ``stated``         the output grid's geometry in the sidecar.
    """

    mask: Mask
    axes: Decimation
    columns: Lookup
    rows: Lookup
    slices: tuple[Blend | None, ...]
    stated: document.Grid

    @classmethod
    def on_source(cls, mask: Mask, fill: Fill = "repeat") -> MappedMask:
        """At full resolution; ``fill`` says what becomes of source slices that have no PNG."""
        source, painted = mask.sidecar.document.source, mask.sidecar.decimation
        return cls(
            mask,
            Decimation(*(Axis.stride(0, length, 1) for length in source.size)),
            pixels_of_samples(painted.columns, source.size[0]),
            pixels_of_samples(painted.rows, source.size[1]),
            slices_of_samples(painted.slices, source.size[2], fill),
            source,
        )

    @classmethod
    def on_pngs(cls, mask: Mask) -> MappedMask:
        """As it was painted, one slice for every PNG."""
        columns, rows, slices = mask.sidecar.size
        lookups = np.arange(columns), np.arange(rows)
        blends = tuple(Blend(k, k) for k in range(slices))
        return cls(mask, mask.sidecar.decimation, *lookups, blends, mask.sidecar.document.images)

    @property
    def size(self) -> tuple[int, int, int]:
        return len(self.columns), len(self.rows), len(self.slices)

    @cached_property
    def present(self) -> tuple[tuple[int, ...], ...]:
        """For every output slice the values that may be on it: those of the PNG slices it shows."""
        of = self.mask.present
        return tuple(() if b is None else tuple(sorted({*of[b.lower], *of[b.upper]})) for b in self.slices)

    def png_planes(self) -> Iterator[Labels | None]:
        """For every output slice its labels still at the size of a PNG. A plane that is repeated is the same object again."""
        between = self._interpolation() if any(b is not None and b.part for b in self.slices) else _nothing_between
        return blended(self.mask.planes(), self.slices, between)

    def planes(self) -> Iterator[Labels | None]:
        """For every output slice its (rows, columns) labels, None where it is empty."""
        last: Labels | None = None
        expanded: Labels | None = None
        for plane in self.png_planes():
            if plane is not None and plane is not last:
                last, expanded = plane, expand(plane, self.rows, self.columns)
            yield None if plane is None else expanded

    def watched(self, progress: Progress) -> Iterator[Labels | None]:
        """`planes`, told to ``progress`` as they are done with."""
        for plane in self.planes():
            yield plane
            progress.advance(1, 0)

    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Source columns and rows, *center*, of the edges between PNG pixels on the output: one more than there are pixels."""
        columns, rows, _ = self.mask.sidecar.size
        return (
            self.axes.columns.to_source(pixel_edges(self.columns, columns)),
            self.axes.rows.to_source(pixel_edges(self.rows, rows)),
        )

    def source_slice(self, index: int) -> float:
        """Source index, along the slices, of the middle of an output slice."""
        return self.axes.slices.factor * index + self.axes.slices.offset

    def source_slices(self, index: int) -> range:
        """The source slices that an output slice stands for."""
        return self.axes.slices.samples(index)

    def volume(self, format: str) -> Volume:
        """The header of a volume of it. GeometryError where one origin, spacing and direction do not describe the planes."""
        return Volume(self.size, self.mask.dtype, require_affine(self.mask.sidecar, self.stated.affine, format))

    def _interpolation(self) -> Callable[[Labels | None, Labels | None, float], Labels | None]:
        from sidecar.masks.interpolate import ShapeInterpolation

        decimation, stack = self.mask.sidecar.decimation, self.mask.sidecar.stack
        between_rows, between_columns = (1.0, 1.0) if stack is None else stack.pixel_spacing
        return ShapeInterpolation((between_rows * decimation.rows.factor, between_columns * decimation.columns.factor))


def _nothing_between(lower: Labels | None, upper: Labels | None, part: float) -> Labels | None:
    raise AssertionError("no slice lies between two others")
