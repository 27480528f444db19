"""Sub-pixel registration of one image to one source slice by least squares. Pure.

The method is Gauss-Newton on shift and stretch of each axis, from coarse to fine. Between steps the
tone curve is computed again, and pixels that do not fit at all (burned-in text, scale bars) lose
their weight. As long as image and slice are not registered, the curve matches their distributions.
The last steps use the curve through the means, which noise does not make steeper. The model
averages the area of each image pixel. Its kernel is symmetric, so that another symmetric kernel in
the program that made the image does not move the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from sidecar.adoption.model.placement import Placement, edges, from_middle, positions
from sidecar.adoption.model.resampling_kernels import AREA, Kernel, matrix
from sidecar.adoption.model.stacks import GrayImage
from sidecar.adoption.model.tone import Tone, fit_tone, matched_tone
from sidecar.grid.axis import Axis, AxisMap

Floats = NDArray[np.float64]
Curve = Callable[[GrayImage, GrayImage], Tone]

#: `COARSEST`: least length of the shorter side of the coarsest image, in pixels. `MOST_PIXELS`:
#: about how many pixels of an image are compared. `BAND`: rows of a band of them. `STEPS`: most
#: steps at one level.
COARSEST = 48
MOST_PIXELS = 1 << 20
BAND, FEWEST_BANDS = 32, 4
STEPS = 12
#: A level is done when no edge moves by more than this part of one of its pixels. Coarse levels
#: only need to lead to the next level.
SETTLED, SETTLED_COARSE = 2e-3, 0.1
#: A pixel that misses by so many times the typical error has half its weight.
OUTLYING = 3.0
#: An angle counts where it is larger than so many standard deviations.
CERTAIN = 3.0
#: The detail of an image is the image less this blur, in image pixels.
DETAIL_SIGMA = 2.0


@dataclass(frozen=True, slots=True)
class ImageBands:
    """The part of an image that is compared: some bands of its rows at one block size, with the
    axes of the blocks.

    ``values``: (bands, rows of a band, columns). ``rows_used``: the numbers of these rows.
    """

    values: GrayImage
    rows_used: NDArray[np.intp]
    columns: Axis
    rows: Axis

    @classmethod
    def of(
        cls, image: GrayImage, placement: Placement, block: int = 1, most: int = MOST_PIXELS
    ) -> ImageBands:
        height, width = (n // block for n in image.shape)
        bands = max(1, min(height // BAND, max(FEWEST_BANDS, most // (BAND * width))))
        deep = height if bands * BAND >= height - BAND else BAND
        first = np.linspace(0, height - deep, 1 if deep == height else bands).astype(np.intp)
        used = first[:, None] + np.arange(deep)
        if block == 1:
            values = image[used]
        else:
            values = (
                image[: height * block, : width * block]
                .reshape(height, block, width, block)
                .mean(axis=(1, 3))[used]
            )
        return cls(
            values,
            used,
            placement.columns @ Axis.blocks(0, width * block, block, "mean"),
            placement.rows @ Axis.blocks(0, height * block, block, "mean"),
        )

    def predicted(
        self, plane: GrayImage, kernel: Kernel = AREA, rows_kernel: Kernel | None = None
    ) -> GrayImage:
        """The model of ``values`` on a slice."""
        across = matrix(plane.shape[1], positions(self.columns), self.columns.factor, kernel)
        down = matrix(
            plane.shape[0],
            positions(self.rows)[self.rows_used.ravel()],
            self.rows.factor,
            rows_kernel or kernel,
        )
        return np.asarray((across @ (down @ plane).T).T.reshape(self.values.shape))

    def inside(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Which pixels lie on the slice. Pixels so near to a margin that it changes their detail
        are left out.
        """
        across, down = (
            _inside(*facts) for facts in ((self.columns, shape[1]), (self.rows, shape[0]))
        )
        return np.asarray(down[self.rows_used][:, :, None] & across)


def _inside(axis: Axis, length: int) -> NDArray[np.bool_]:
    places = positions(axis)
    outside = (places <= -0.5) | (places >= length - 0.5)
    return (
        ~scipy.ndimage.binary_dilation(outside, iterations=round(3 * DETAIL_SIGMA))
        if outside.any()
        else ~outside
    )


def detail(values: GrayImage) -> GrayImage:
    """(bands, rows, columns) values minus their blur."""
    return np.asarray(
        values
        - scipy.ndimage.gaussian_filter(values, (0, DETAIL_SIGMA, DETAIL_SIGMA), mode="nearest")
    )


def correlation(one: GrayImage, other: GrayImage, where: NDArray[np.bool_]) -> float:
    """Correlation of the detail of two images, over the pixels ``where``; 0 where either has no
    detail.
    """
    a, b = (detail(v)[where].astype(np.float64) for v in (one, other))
    scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0


@dataclass(frozen=True)
class Registration:
    """The fit of one image to one slice.

    ``correlation``: of detail between image and model.
    ``deviations`` (4,): standard deviations of the outer edges, in the order of `Axis.ends`.
    ``levers`` (4,): these deviations over the deviation at the best known place of the image. Edges
    far beyond everything that can be recognised have long levers.
    """

    placement: Placement
    correlation: float
    tone: Tone
    deviations: Floats
    levers: Floats


def refine(plane: GrayImage, image: GrayImage, start: Placement, finest: int = 1) -> Registration:
    """Fit an image (v, u) to a source slice (rows, columns), starting from a placement that is
    right to about a pixel of the coarsest level.
    """
    block, placement = _coarsest_block(image.shape), start
    while block > finest:
        placement = _settle(plane, image, placement, block, SETTLED_COARSE).placement
        block //= 2
    return polish(
        plane, image, _settle(plane, image, placement, finest, SETTLED_COARSE).placement, finest
    )


def polish(plane: GrayImage, image: GrayImage, start: Placement, finest: int = 1) -> Registration:
    """The last level of `refine` alone, starting from a placement that is right to a pixel or
    better.
    """
    return _settle(plane, image, start, finest, SETTLED, fit_tone)


def _coarsest_block(shape: tuple[int, ...]) -> int:
    block = 1
    while min(shape) // (2 * block) >= COARSEST:
        block *= 2
    return block


def _settle(
    plane: GrayImage,
    image: GrayImage,
    placement: Placement,
    block: int,
    settled: float,
    curve: Curve = matched_tone,
) -> Registration:
    """Gauss-Newton at one block size until nothing moves."""
    (deviations, levers), last = np.full((2, 4), np.inf), np.zeros(4)
    for _ in range(STEPS):
        seen = ImageBands.of(image, placement, block)
        part, origin, coarse = _part(plane, seen)
        step, deviations, levers = _step(part, _on_part(seen, origin, coarse), coarse, curve)
        limit = 2.0 * np.array([seen.columns.factor] * 2 + [seen.rows.factor] * 2)
        step = np.clip(step, -np.abs(limit), np.abs(limit))
        step = np.where(step * last < 0, step / 2, step)  # do not oscillate
        last = step
        placement = placement.moved((step[0], step[1]), (step[2], step[3]))
        if np.abs(step / limit).max() * 2 < settled:
            break
    seen = ImageBands.of(image, placement, block)
    model = seen.predicted(plane)
    tone = fit_tone(model, seen.values)
    return Registration(
        placement,
        correlation(seen.values, tone.apply(model), seen.inside(plane.shape)),
        tone,
        deviations,
        levers,
    )


def twist(plane: GrayImage, image: GrayImage, placement: Placement, block: int = 1) -> float:
    """Source pixels by which the edges of an image (v, u) run askew to the axes of the source,
    because the image was turned or sheared.

    This is one step of least squares with terms that a placement does not have: columns that shift
    along v, and rows that shift along u. Small angles are measured correctly, large ones as too
    small. The result is 0 where noise alone could cause it.
    """
    seen = ImageBands.of(image, placement, block)
    part, origin, coarse = _part(plane, seen)
    slope_x, slope_y, left, weight, u, v = _linearised(
        part, _on_part(seen, origin, coarse), coarse, fit_tone
    )
    terms = slope_x, slope_x * u, slope_x * v, slope_y, slope_y * v, slope_y * u
    step, covariance = _least_squares(terms, left, weight)
    askew, deviation = np.abs(step[[2, 5]]), np.sqrt(np.clip(np.diag(covariance)[[2, 5]], 0, None))
    return float(np.where(askew > CERTAIN * deviation, askew, 0).max())


def _step(
    plane: GrayImage, seen: ImageBands, coarse: int, curve: Curve
) -> tuple[Floats, Floats, Floats]:
    """Shift and stretch of columns, then of rows, in source pixels. Also deviations and levers
    of the edges that they move, as in `Registration`.
    """
    slope_x, slope_y, left, weight, u, v = _linearised(plane, seen, coarse, curve)
    step, covariance = _least_squares((slope_x, slope_x * u, slope_y, slope_y * v), left, weight)
    return (step, *_at_edges(covariance))


def _linearised(
    plane: GrayImage, seen: ImageBands, coarse: int, curve: Curve
) -> tuple[GrayImage, GrayImage, GrayImage, GrayImage, Floats, Floats]:
    """The change of the model with columns and with rows, its remainder, the weight of the
    remainder, and u and v from −1 to 1.
    """
    x, y = positions(seen.columns), positions(seen.rows)[seen.rows_used.ravel()]
    shape = seen.values.shape
    fx, fy = seen.columns.factor, seen.rows.factor
    half = 0.5 / coarse

    across = matrix(plane.shape[1], x, fx)
    steep_across = matrix(plane.shape[1], x + half, fx) - matrix(plane.shape[1], x - half, fx)
    down = matrix(plane.shape[0], y, fy)
    steep_down = matrix(plane.shape[0], y + half, fy) - matrix(plane.shape[0], y - half, fy)
    low = (down @ plane).T
    model = (across @ low).T.reshape(shape)
    slope_x = (steep_across @ low).T.reshape(shape)
    slope_y = (across @ (steep_down @ plane).T).T.reshape(shape)

    where = seen.inside(plane.shape)
    tone = curve(model[where], seen.values[where])
    left = np.where(where, seen.values - tone.apply(model), 0)
    slope_x, slope_y = (
        tone.apply(model + s / 2) - tone.apply(model - s / 2) for s in (slope_x, slope_y)
    )
    weight = where * _weight(left, slope_x**2 + slope_y**2)
    u, v = from_middle(seen.columns), from_middle(seen.rows)[seen.rows_used][:, :, None]
    return slope_x, slope_y, left, weight, u, v


def _least_squares(
    terms: Sequence[NDArray[Any]], left: GrayImage, weight: GrayImage
) -> tuple[Floats, NDArray[Any]]:
    """The amount of each term that explains the remainder best, and the covariance of these
    amounts.
    """
    jacobian = np.stack([(term * weight).ravel() for term in terms]).astype(np.float64)
    normal = jacobian @ np.stack([term.ravel() for term in terms]).T.astype(np.float64)
    pull = jacobian @ left.ravel().astype(np.float64)
    inverse = np.linalg.pinv(normal, hermitian=True)
    noise = float((weight * left**2).sum() / max(float(weight.sum()), 1.0))
    return inverse @ pull, inverse * noise


def _at_edges(covariance: NDArray[Any]) -> tuple[Floats, Floats]:
    """Standard deviations and levers of the edges, from the covariance of shift and stretch of
    columns and rows.
    """
    edge = np.kron(np.eye(2), [[1, -1], [1, 1]])
    deviations = np.sqrt(np.clip(np.diag(edge @ covariance @ edge.T), 0, None))
    known_best = []
    for shift, stretch in ((0, 1), (2, 3)):
        common = (
            covariance[shift, stretch] ** 2 / covariance[stretch, stretch]
            if covariance[stretch, stretch] > 0
            else 0.0
        )
        known_best += [np.sqrt(max(covariance[shift, shift] - common, 0.0))] * 2
    return deviations, np.divide(
        deviations, known_best, out=np.full(4, np.inf), where=np.array(known_best) > 0
    )


def _weight(left: GrayImage, steepness: GrayImage) -> GrayImage:
    """The weight of each pixel. It is near 1 where the pixel fits as well as typical pixels with
    slopes, and less where it fits worse.
    """
    total = float(steepness.sum())
    typical = float((steepness * left**2).sum()) / total if total > 0 else 0.0
    return np.asarray(
        1 / (1 + left**2 / (OUTLYING**2 * typical)) if typical > 0 else np.ones_like(left),
        dtype=np.float32,
    )


def _part(plane: GrayImage, seen: ImageBands) -> tuple[GrayImage, tuple[int, int], int]:
    """The part of a slice that an image and its surroundings cover. Where the image is much
    coarser, it is reduced to block means.
    """
    coarse = 1
    while coarse * 4 <= min(abs(seen.columns.factor), abs(seen.rows.factor)):
        coarse *= 2
    ranges = []
    for axis, length in ((seen.rows, plane.shape[0]), (seen.columns, plane.shape[1])):
        lower, upper = edges(axis)
        margin = 4 * abs(axis.factor) + 4
        start = int(np.clip(lower - margin, 0, length - 1))
        stop = int(np.clip(upper + margin, start + 1, length))
        ranges.append((start, max(start + coarse, start + (stop - start) // coarse * coarse)))
    (top, bottom), (left, right) = ranges
    part = plane[top:bottom, left:right]
    if coarse > 1:
        rows, columns = (n // coarse for n in part.shape)
        part = (
            part[: rows * coarse, : columns * coarse]
            .reshape(rows, coarse, columns, coarse)
            .mean(axis=(1, 3))
        )
    return part, (left, top), coarse


def _on_part(seen: ImageBands, origin: tuple[int, int], coarse: int) -> ImageBands:
    left, top = (AxisMap(1.0, float(start)) for start in origin)
    blocks = AxisMap(float(coarse), (coarse - 1) / 2)
    return replace(
        seen, columns=~blocks @ (~left @ seen.columns), rows=~blocks @ (~top @ seen.rows)
    )
