"""From thumbnails to ideas worth a trial. An idea is a placement in the plane with a line of
slices. Likely ones come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.coarse.order import SliceLine, lines
from sidecar.adoption.coarse.search import (
    SMALLEST,
    Candidate,
    Scale,
    Searcher,
    all_scales,
    likely_scales,
)
from sidecar.adoption.coarse.thumbs import ThumbGrid, features, likeness, sampled
from sidecar.adoption.model.placement import ALONG, ORIENTATIONS, Placement
from sidecar.adoption.model.stacks import GrayImage, ImageStack, Slices
from sidecar.errors import UsageError
from sidecar.grid.axis import Axis, spread
from sidecar.grid.axis_order import AxisOrder
from sidecar.parallel import in_order

#: Most source slices and most images with thumbnails; number of images that are searched for in the
#: plane; longer side of the thumbnails of images.
MOST_SLICES, MOST_IMAGES, SEARCHED = 160, 12, 3
IMAGE_SIDE = 256
#: Number of slices when every scale must be tried.
FEW_SLICES = 24
#: Most candidates, and most lines of slices per candidate, that become ideas. A candidate must have
#: this part of the weight of the best one.
CANDIDATES, LINES, WEIGHT = 6, 2, 0.2
#: A factor or step above this is a typing error.
LARGEST_FACTOR = 1e4
#: Mean square of the features of an image in which nothing can be recognised.
BLANK = 1e-6


@dataclass(frozen=True, slots=True)
class Pins:
    """What the user knows; None where nothing is known.

    ``factor``: (columns, rows), without sign. ``flips``: letters of "xyzt": source columns, rows
    and slices that run backwards, and t where rows and columns are exchanged.
    """

    factor: Scale | None = None
    z_step: float | None = None
    flips: frozenset[str] | None = None

    @classmethod
    def make(
        cls,
        factor: float | Scale | None = None,
        z_step: float | None = None,
        flip: str | None = None,
    ) -> Pins:
        """``factor``: one number for columns and rows, or (columns, rows). ``flip``: letters of
        "xyzt", or "none".

        UsageError for other values.
        """
        factors = (factor, factor) if isinstance(factor, int | float) else factor
        if factors is not None and not all(0 < number < LARGEST_FACTOR for number in factors):
            raise UsageError(
                "--factor: give the number of source pixels that one image pixel covers, such as 2,"
                " or 2,2.5 for columns and rows"
            )
        if z_step is not None and not 0 < z_step < LARGEST_FACTOR:
            raise UsageError(
                "--z-step: give a positive number of source slices; if they run backwards, give"
                " --flip z, too"
            )
        axes = (
            None
            if flip is None
            else frozenset("" if flip.lower() == "none" else flip.lower().replace(",", ""))
        )
        if axes is not None and not axes <= set("xyzt"):
            raise UsageError(
                "--flip: give none, or one or more of the letters x, y, z and t, such as y or xz"
            )
        return cls(factors, z_step, axes)

    @property
    def orientations(self) -> tuple[AxisOrder, ...]:
        if self.flips is None:
            return ORIENTATIONS
        along = ALONG["t" in self.flips]
        return (AxisOrder.of(along, ("x" in self.flips, "y" in self.flips)),)

    def allows(self, line: SliceLine) -> bool:
        return self.flips is None or ("z" in self.flips) == (line.step < 0)


@dataclass(frozen=True, slots=True)
class Idea:
    """A way in which the images may have been made, according to the thumbnails."""

    placement: Placement
    line: SliceLine
    inverted: bool


@dataclass(frozen=True)
class Overview:
    """Thumbnails of slices and images spread over both stacks."""

    grid: ThumbGrid
    slices: NDArray[np.intp]
    slice_thumbs: GrayImage
    images: NDArray[np.intp]
    image_thumbs: GrayImage
    columns: int
    rows: int
    width: int
    height: int
    stacks: tuple[int, int]
    spacing: Scale | None

    @classmethod
    def of(
        cls,
        slices: Slices,
        images: ImageStack,
        spacing: Scale | None,
        on_slice: Callable[[], object],
    ) -> Overview:
        """Read up to `MOST_SLICES` slices and `MOST_IMAGES` images. Only their thumbnails are
        kept.
        """
        grid = ThumbGrid.of(slices.columns, slices.rows)
        numbers, chosen = (
            np.array(spread(len(stack), most), np.intp)
            for stack, most in ((slices, MOST_SLICES), (images, MOST_IMAGES))
        )
        thumbs = []
        for thumb in in_order(lambda number: grid.thumb(slices.plane(number)), numbers.tolist()):
            thumbs.append(thumb)
            on_slice()
        small = ThumbGrid.of(images.width, images.height, IMAGE_SIDE)
        seen = np.stack([small.thumb(images.image(int(number))) for number in chosen])
        sizes = (
            slices.columns,
            slices.rows,
            images.width,
            images.height,
            (len(images), len(slices)),
        )
        return cls(grid, numbers, np.stack(thumbs), chosen, seen, *sizes, spacing)

    @cached_property
    def content(self) -> NDArray[np.float64]:
        """(images,) how much can be recognised on each image. It is 0 for a blank one."""
        return np.asarray((features(self.image_thumbs) ** 2).mean(axis=(1, 2)), dtype=np.float64)

    def ideas(self, pins: Pins, everywhere: bool) -> list[Idea]:
        """Ideas at the likely scales, or at all scales (``everywhere``), best first."""
        sizes = (self.columns, self.rows), (self.width, self.height)
        if pins.factor is not None:
            scales = [(along, pins.factor) for along in ALONG]
        elif everywhere:
            scales = all_scales(
                *sizes, self.spacing, max(self.grid.columns.size, self.grid.rows.size)
            )
        else:
            scales = likely_scales(*sizes, self.spacing)
        few = spread(len(self.slices), FEW_SLICES if everywhere else MOST_SLICES)
        searcher = Searcher(self.slice_thumbs[few], self.grid)
        candidates = searcher.candidates(
            self.image_thumbs[self._telling()], (self.width, self.height), scales, pins.orientations
        )
        strong = [c for c in candidates[:CANDIDATES] if c.weight >= WEIGHT * candidates[0].weight]
        return [
            Idea(c.placement, line, c.inverted) for c in strong for line in self._lines(c, pins)
        ]

    def _telling(self) -> list[int]:
        """The image with the most content in each third of the images."""
        parts = np.array_split(np.arange(len(self.images)), min(SEARCHED, len(self.images)))
        return [
            int(part[np.argmax(self.content[part])])
            for part in parts
            if self.content[part].max() > BLANK
        ]

    def _lines(self, candidate: Candidate, pins: Pins) -> list[SliceLine]:
        placement = candidate.placement
        inner = [
            self._image_axis(size, axis)
            for size, axis in zip(
                placement.along_source.pick((self.width, self.height)),
                (placement.columns, placement.rows),
                strict=True,
            )
        ]
        outer = [
            ~block @ (axis @ i)  # from thumbnail to thumbnail
            for axis, i, block in zip(
                (placement.columns, placement.rows),
                inner,
                (self.grid.columns, self.grid.rows),
                strict=True,
            )
        ]
        seen = features(
            np.stack(
                [
                    self._reduced(placement.along_source.apply(thumb), inner)
                    for thumb in self.image_thumbs
                ]
            )
        )
        models = features(
            np.stack([sampled(thumb, outer[0], outer[1]) for thumb in self.slice_thumbs])
        )
        telling = np.flatnonzero(self.content > BLANK)
        sign = -1 if candidate.inverted else 1
        found = lines(
            likeness(sign * seen[telling], models),
            self.images[telling],
            self.slices,
            self.stacks,
            pins.z_step,
        )
        return list(islice((line for line in found if pins.allows(line)), LINES))

    def _image_axis(self, size: int, axis: Axis) -> Axis:
        """An axis of an image, from edge to edge, with pixels about as large as those of the
        thumbnails of slices.
        """
        block = max(self.grid.columns.factor, self.grid.rows.factor) / abs(axis.factor)
        return Axis.resize(0, size, int(np.clip(round(size / block), min(size, SMALLEST), size)))

    def _reduced(self, thumb: GrayImage, inner: Sequence[Axis]) -> GrayImage:
        on_thumb = [
            replace(axis, factor=n / axis.size, offset=(n / axis.size - 1) / 2)
            for axis, n in zip(inner, thumb.shape[::-1], strict=True)
        ]
        return sampled(thumb, on_thumb[0], on_thumb[1])
