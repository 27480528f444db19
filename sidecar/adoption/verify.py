"""Verification: every image is compared with its own slice and those of its neighbours, by
thumbnails. This finds images that are swapped, doubled or foreign.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice

import numpy as np

from sidecar.adoption.coarse.candidates import BLANK
from sidecar.adoption.coarse.thumbs import ThumbGrid, features
from sidecar.adoption.fine.full_resolution import clipped, likeness
from sidecar.adoption.match import StackMatch
from sidecar.adoption.model.placement import positions
from sidecar.adoption.model.resampling_kernels import matrix
from sidecar.adoption.model.stacks import GrayImage, ImageStack, Slices
from sidecar.errors import ImageError
from sidecar.grid.axis import nearest
from sidecar.parallel import in_order
from sidecar.progress import Progress

#: An image must reach this part of the typical correlation with its slice.
FOREIGN = 0.5
#: Neighbours on either side whose slices an image is compared with.
NEIGHBOURS = 32
#: So many of these slices are kept: the ones that explain the image best.
KEPT = 4
#: An image is foreign where its own slice explains it no better than a neighbour's slice does, and
#: where more than `STRANGE` of it is unexplained, and more than `STRANGER` times as much as in a
#: typical image. It is accepted all the same where, at full resolution, its own slice leaves less
#: than `OWN_BETTER` of what the slices beside it leave.
STRANGE, STRANGER, OWN_BETTER = 0.1, 8.0, 0.9
#: An image is misplaced where the slice of a neighbour leaves less than `MISPLACED` of what its own
#: slice leaves. `NEGLIGIBLE` is added to both.
MISPLACED, NEGLIGIBLE = 0.67, 2e-3


@dataclass(frozen=True, slots=True)
class Verified:
    """The result for every image.

    ``correlation``: of its thumbnail with its slice. ``confidence``: by what part the slices of its
    neighbours explain it worse; 1 is sure, 0 is a guess. Both are 0 for the ``blank`` images, on
    which nothing can be recognised.
    """

    correlation: tuple[float, ...]
    confidence: tuple[float, ...]
    blank: int


def verify(slices: Slices, images: ImageStack, found: StackMatch, progress: Progress) -> Verified:
    """Compare every image with its slice, reading each once.

    ImageError names the first image that does not belong where the line puts it.
    """
    progress.start("checking every image", len(images))
    numbers = np.clip(
        nearest(found.slices.axis.to_source(np.arange(len(images), dtype=np.float64))),
        0,
        len(slices) - 1,
    ).astype(int)
    model = _Thumbs(slices, images, found)
    pairs = in_order(
        lambda pair: (model.of_image(pair[0]), model.of_slice(pair[1])),
        list(enumerate(numbers.tolist())),
    )
    rows = list(_compared(pairs, numbers.tolist(), progress))
    _check(rows, numbers.tolist(), slices, images, found)
    told = np.array([row[0] is not None for row in rows])
    own = np.array([row[0] or 0.0 for row in rows])
    others = np.array([max((c for _, c in row[1]), default=0.0) for row in rows])
    confidence = np.clip(1 - (1 - own**2 + NEGLIGIBLE) / (1 - others**2 + NEGLIGIBLE), 0, 1) * told
    return Verified(
        tuple(float(round(c, 4)) for c in own),
        tuple(float(round(c, 4)) for c in confidence),
        int(len(told) - np.count_nonzero(told)),
    )


class _Thumbs:
    """Features of images, and of slices reduced as the images were."""

    def __init__(self, slices: Slices, images: ImageStack, found: StackMatch) -> None:
        self._sign = np.float32(-1 if found.inverted else 1)
        self._slices, self._images, self._placement, self._window = (
            slices,
            images,
            found.placement,
            found.window,
        )
        size = found.placement.along_source.pick((images.width, images.height))
        inner = ThumbGrid.of(*size)
        columns, rows = found.placement.columns, found.placement.rows
        self._grid = inner
        self._across = matrix(size[0], positions(inner.columns), inner.columns.factor) @ matrix(
            slices.columns, positions(columns), columns.factor, found.kernel
        )
        self._down = matrix(size[1], positions(inner.rows), inner.rows.factor) @ matrix(
            slices.rows, positions(rows), rows.factor, found.kernel
        )

    def of_image(self, number: int) -> GrayImage:
        return self._sign * features(
            self._grid.thumb(self._placement.along_source.apply(self._images.image(number)))
        )

    def of_slice(self, number: int) -> GrayImage:
        plane = clipped(self._slices.plane(number), self._window)
        return features(np.asarray((self._across @ (self._down @ plane).T).T))


#: Correlation of an image with its own slice (None for a blank image), and (image, correlation) for
#: the slices of its neighbours, best first.
Row = tuple[float | None, list[tuple[int, float]]]


def _compared(
    pairs: Iterator[tuple[GrayImage, GrayImage]], numbers: Sequence[int], progress: Progress
) -> Iterator[Row]:
    """For each image the correlation with its own slice, and (image, correlation) for the best
    of its neighbours that have another slice.
    """
    # (image, its features, the features of its slice), from NEIGHBOURS before to NEIGHBOURS after
    near = deque[tuple[int, GrayImage, GrayImage]]()
    ahead = ((j, *pair) for j, pair in enumerate(pairs))
    for k in range(len(numbers)):
        near.extend(islice(ahead, max(0, k + NEIGHBOURS - near[-1][0]) if near else NEIGHBOURS + 1))
        while near[0][0] < k - NEIGHBOURS:
            near.popleft()
        image, model = next((image, model) for j, image, model in near if j == k)
        beside = [(j, other) for j, _, other in near if numbers[j] != numbers[k]]
        if float((image**2).mean()) > BLANK:
            others = ((j, _correlation(image, other)) for j, other in beside)
            yield _correlation(image, model), nlargest(KEPT, others, key=lambda found: found[1])
        else:
            yield None, []
        progress.advance(1, 0)


def _correlation(one: GrayImage, other: GrayImage) -> float:
    scale = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return max(0.0, float((one * other).sum()) / scale) if scale > 0 else 0.0


def _check(
    rows: Sequence[Row],
    numbers: Sequence[int],
    slices: Slices,
    images: ImageStack,
    found: StackMatch,
) -> None:
    """Refuse images with suspicious thumbnails, where full resolution confirms the suspicion."""

    def left(image: int, slice: int) -> float:
        plane = clipped(slices.plane(slice), found.window)
        seen = found.placement.along_source.apply(images.image(image))
        full = likeness(plane, seen, found.placement)
        return 1 - max(0.0, full) ** 2 + NEGLIGIBLE

    typical = float(np.median([own for own, _ in rows if own is not None]))
    most = STRANGER * (1 - typical**2 + NEGLIGIBLE)
    for k, (own, neighbours) in enumerate(rows):
        if own is None:
            continue
        if own < FOREIGN * typical and left(k, numbers[k]) > 1 - (FOREIGN * found.correlation) ** 2:
            raise ImageError(
                f"its place among the images is that of slice {numbers[k]} of the scan, but it does"
                f" not show that slice (correlation {own:.2f}, others {typical:.2f}); move it away"
                " if it is not a slice, and number the images in the order of the slices",
                images.names[k],
            )
        for j, other in neighbours:
            suspicious = 1 - other**2 + NEGLIGIBLE < MISPLACED * (1 - own**2 + NEGLIGIBLE)
            if suspicious and left(k, numbers[j]) < MISPLACED * left(k, numbers[k]):
                raise ImageError(
                    f"it shows slice {numbers[j]} of the scan, which is the place of"
                    f" {images.names[j]}, and not slice {numbers[k]}, which is its own place: are"
                    " images missing, doubled or out of order here?",
                    images.names[k],
                )
        unexplained = 1 - own**2 + NEGLIGIBLE
        if unexplained > max(STRANGE, most) and max((c for _, c in neighbours), default=0.0) >= own:
            beside = [n for n in (numbers[k] - 1, numbers[k] + 1) if 0 <= n < len(slices)]
            if left(k, numbers[k]) > OWN_BETTER * min((left(k, n) for n in beside), default=np.inf):
                raise ImageError(
                    f"its place among the images is that of slice {numbers[k]} of the scan, but it"
                    f" is not like that slice, nor like those beside it (correlation {own:.2f},"
                    f" others {typical:.2f}); move it away if it is not a slice of this scan",
                    images.names[k],
                )
