"""Where images could lie in the source: orientation, scale and shift, by correlation of thumbnails.
Pure.

For each scale and each of the eight orientations, the features of some images are correlated with
those of many source slices, at every shift. An image may come from any slice, but all images lie at
one place of their slices. So at each shift every image counts with its best slice, and the images
are summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from sidecar.adoption.coarse.thumbs import ThumbGrid, features, sampled
from sidecar.adoption.model.placement import (
    ALONG,
    ORIENTATIONS,
    Along,
    Placement,
    along_source,
    edges,
)
from sidecar.adoption.model.stacks import GrayImage
from sidecar.grid.axis import Axis
from sidecar.grid.axis_order import AxisOrder
from sidecar.parallel import available_processors

Scale = tuple[float, float]

#: Least part of an image that lies on the source; smallest side, in thumbnail pixels, of an image
#: that can be found.
OVERLAP = 0.6
SMALLEST = 6
#: The blur of the features makes one independent pixel of so many thumbnail pixels.
BLOB = 6.0
#: Ratio of neighbouring scales, where nothing is known of the scale.
SCALE_STEP = 1.04
#: Most places for one scale and orientation, and their least distance in thumbnail pixels.
PLACES = 2
APART = 3.0
#: Most candidates that are examined further.
MOST = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A placement that fits the thumbnails.

    ``score``: mean correlation at this placement. ``pixels``: number of independent pixels that it
    is based on. ``inverted``: bright source pixels are dark in the images.
    """

    placement: Placement
    score: float
    pixels: float
    inverted: bool

    @property
    def weight(self) -> float:
        """Log-likelihood ratio against chance. A small image correlates well in many places, a
        large one only in its own.
        """
        return -self.pixels * float(np.log(1 - min(self.score, 0.9999) ** 2))


def likely_scales(
    source: tuple[int, int], image: tuple[int, int], spacing: tuple[float, float] | None
) -> list[tuple[Along, Scale]]:
    """(along, (column factor, row factor)) for images that show whole slices, or that were cropped
    and reduced by a whole number.

    ``source``: columns and rows. ``image``: width and height. ``spacing``: mm between columns and
    between rows.
    """
    found: list[tuple[Along, Scale]] = []
    for along in ALONG:
        width, height = along_source(along).pick(image)
        whole = (source[0] / width, source[1] / height)
        found.append((along, whole))
        # letterboxed, or cropped to the aspect ratio of the image
        if abs(np.log(whole[0] / whole[1])) > 0.02:
            found += [(along, (f, f * aspect)) for f in whole for aspect in _aspects(spacing)]
        found += [(along, (float(f), float(f))) for f in range(1, 9) if f < 0.99 * min(whole)]
    return found


def all_scales(
    source: tuple[int, int], image: tuple[int, int], spacing: tuple[float, float] | None, side: int
) -> list[tuple[Along, Scale]]:
    """Every scale at which an image lies inside the source and is not too small on its
    thumbnail.
    """
    found: list[tuple[Along, Scale]] = []
    for along, aspect in product(ALONG, _aspects(spacing)):
        width, height = along_source(along).pick(image)
        largest = min(source[0] / width, source[1] / (height * aspect))
        smallest = SMALLEST * max(source) / side / min(image)
        steps = max(0, int(np.log(largest / smallest) / np.log(SCALE_STEP)))
        found += [
            (along, (f, f * aspect))
            for f in (largest * SCALE_STEP ** -np.arange(-1.0, steps)).tolist()
        ]
    return found


def _aspects(spacing: tuple[float, float] | None) -> list[float]:
    """Row factor over column factor: for square source pixels, and for square output pixels."""
    if spacing is None or abs(np.log(spacing[0] / spacing[1])) < 0.01:
        return [1.0]
    return [1.0, spacing[0] / spacing[1]]


class Searcher:
    """The thumbnails of some source slices, prepared for the search for images."""

    def __init__(self, thumbs: GrayImage, grid: ThumbGrid) -> None:
        self._grid = grid
        source = features(thumbs)
        self._shape = source.shape[1:]
        self._padded = tuple(
            scipy.fft.next_fast_len(int(2.3 * n) + 2, real=True) for n in self._shape
        )
        self._source = scipy.fft.rfft2(source, self._padded)
        self._power = scipy.fft.rfft2(source**2, self._padded)
        self._typical = float((source**2).mean())

    def candidates(
        self,
        thumbs: GrayImage,
        size: tuple[int, int],
        scales: Iterable[tuple[Along, Scale]],
        orientations: Sequence[AxisOrder] = ORIENTATIONS,
    ) -> list[Candidate]:
        """Placements of images, best first, without similar ones.

        ``thumbs``: thumbnails (n, y, x) of the images, from edge to edge. ``size``: width and
        height of the images.
        """
        found: list[Candidate] = []
        for along, scale in scales:
            order = along_source(along)
            flipped = [o for o in orientations if o.along == along]
            if flipped:
                turned = [order.apply(thumb) for thumb in thumbs]
                found += self._at_scale(turned, order.pick(size), scale, flipped)
        return distinct(found, APART * max(self._grid.columns.factor, self._grid.rows.factor))

    def _at_scale(
        self,
        thumbs: Sequence[GrayImage],
        size: tuple[int, ...],
        scale: Scale,
        orientations: Sequence[AxisOrder],
    ) -> list[Candidate]:
        """Candidates at one scale. ``thumbs`` (v, u) and ``size`` (along u, along v) are already
        exchanged where the orientations say so.
        """
        width, height = size
        blocks = self._grid.columns.factor, self._grid.rows.factor
        columns, rows = (
            _reduced(t, f * n / t, block)
            for t, n, f, block in zip(thumbs[0].shape[::-1], size, scale, blocks, strict=True)
        )
        fits = all(
            SMALLEST <= axis.size <= padded - n
            for axis, padded, n in zip((rows, columns), self._padded, self._shape, strict=True)
        )
        if not fits:
            return []
        templates = features(np.stack([sampled(thumb, columns, rows) for thumb in thumbs]))
        window = scipy.fft.rfft2(np.ones((rows.size, columns.size), np.float32), self._padded)
        beneath = self._correlated(self._power, window)
        floor = 0.1 * self._typical * rows.size * columns.size
        scale_of = 1 / np.sqrt(np.maximum(beneath, floor))
        found = []
        for orientation in orientations:
            flips = (~orientation).mirrored
            order = AxisOrder(ALONG[0], flips)
            totals = np.zeros((2, *self._padded), np.float32)
            for template in map(order.apply, templates):
                norm = float(np.linalg.norm(template))
                if norm > 0:
                    like = (
                        self._correlated(self._source, scipy.fft.rfft2(template, self._padded))
                        * scale_of
                    )
                    totals += np.stack([like.max(axis=0), -like.min(axis=0)]) / (
                        norm * len(templates)
                    )
            peaks = [_peaks(total, (rows.size, columns.size), self._shape) for total in totals]
            for inverted, (shift, score) in [(i, peak) for i in (0, 1) for peak in peaks[i]]:
                starts = [block * s - 0.5 for block, s in zip(blocks, shift, strict=True)]
                cut = [
                    f * n - block * axis.size
                    for f, n, block, axis in zip(scale, size, blocks, (columns, rows), strict=True)
                ]
                starts = [
                    start - rest * flip
                    for start, rest, flip in zip(starts, cut, flips, strict=True)
                ]
                placement = Placement.make(
                    orientation, scale, (starts[0], starts[1]), (width, height)
                )
                found.append(
                    Candidate(placement, score, rows.size * columns.size / BLOB, bool(inverted))
                )
        return found

    def _correlated(
        self, source: NDArray[np.complex64], template: NDArray[np.complex64]
    ) -> GrayImage:
        return np.asarray(
            scipy.fft.irfft2(
                source * np.conj(template), self._padded, workers=available_processors()
            ),
            dtype=np.float32,
        )


def distinct(candidates: Iterable[Candidate], apart: float) -> list[Candidate]:
    """Candidates, best first. One is left out if a better one has the same orientation and edges
    within ``apart`` source pixels.
    """
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.weight)[:MOST]:
        if not any(_alike(candidate.placement, other.placement, apart) for other in kept):
            kept.append(candidate)
    return kept


def _alike(one: Placement, other: Placement, apart: float) -> bool:
    if one.orientation != other.orientation:
        return False
    ends = [np.array([*edges(p.columns), *edges(p.rows)]) for p in (one, other)]
    return bool(np.abs(ends[0] - ends[1]).max() < apart)


def _reduced(size: int, factor: float, block: float) -> Axis:
    """An axis of an image, from its edge on, with pixels of ``block`` source pixels each."""
    step = block / factor
    return Axis(step, (step - 1) / 2, max(1, int(size / step + 1e-6)), "resize")


def _peaks(
    total: GrayImage, template: tuple[int, int], source: tuple[int, ...]
) -> list[tuple[tuple[float, float], float]]:
    """((column shift, row shift), score) of the highest places at which enough of the image lies
    on the source.
    """
    shifts = [scipy.fft.fftfreq(n, 1 / n) for n in total.shape]
    on = [
        np.clip(np.minimum(s + q, n) - np.maximum(s, 0), 0, None) / q
        for s, q, n in zip(shifts, template, source, strict=True)
    ]
    left = np.where(np.outer(*on) >= OVERLAP, total, -np.inf)
    found = []
    for _ in range(PLACES):
        row, column = np.unravel_index(int(np.argmax(left)), left.shape)
        score = float(left[row, column])
        if not score > 0:
            break
        place = (
            shifts[1][column] + _vertex(total, row, column, 1),
            shifts[0][row] + _vertex(total, row, column, 0),
        )
        found.append(((float(place[0]), float(place[1])), score))
        near = [
            np.abs(scipy.fft.fftfreq(n, 1 / n) - s[i]) <= APART
            for n, s, i in zip(total.shape, shifts, (row, column), strict=True)
        ]
        left[np.outer(*near)] = -np.inf
    return found


def _vertex(total: GrayImage, row: np.intp, column: np.intp, axis: int) -> float:
    """The distance of the vertex of a parabola, through three neighbouring values, from the
    middle one.
    """
    place = [row, column]
    before, here, after = (
        float(
            total[
                tuple(
                    (p + step * (i == axis)) % n
                    for i, (p, n) in enumerate(zip(place, total.shape, strict=True))
                )
            ]
        )
        for step in (-1, 0, 1)
    )
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
