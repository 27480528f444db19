"""Place equidistant points along a polyline. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Between:
    """The places of M points on a polyline of N vertices. A point lies at ``part`` (M,) of the way
    from vertex ``before`` (M,) to vertex ``after`` (M,).
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    part: Floats

    def of(self, values: Floats) -> Floats:
        """Interpolate values (N, ...) of the vertices linearly at the points: (M, ...)."""
        part = self.part.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values[self.before] * (1 - part) + values[self.after] * part)

    @property
    def nearest(self) -> NDArray[np.intp]:
        """(M,) the nearer vertex of each point; the first one where both are equally near."""
        return np.where(self.part <= 0.5, self.before, self.after)


def equidistant(vertices: Floats, count: int, closed: bool) -> Between:
    """``count`` points at equal distances along the straight lines through ``vertices`` (N, 3).

    On an open line, the first and last points are the first and last vertices. A closed line goes
    back from its last vertex to its first, which is the first point; no point is repeated.

    geomorph's `digit.curves` counts neither start nor end: its nPoints is ``count`` - 2 for an open
    curve, and ``count`` - 1 for a closed one. GeometryError if all vertices are in one place.
    """
    number = np.arange(len(vertices))
    after = np.roll(number, -1) if closed else np.minimum(number + 1, len(vertices) - 1)
    lengths = np.linalg.norm(vertices[after] - vertices, axis=1)
    ends = np.cumsum(lengths if closed else lengths[:-1])
    if not len(ends) or not ends[-1] > 0:
        raise GeometryError(
            "all its vertices lie in one place, so this curve has no length; place its vertices"
            " apart"
        )
    along = np.linspace(0, ends[-1], count, endpoint=not closed)
    segment = np.minimum(np.searchsorted(ends, along, side="right"), len(ends) - 1)
    starts = ends - lengths[: len(ends)]
    part = np.clip((along - starts[segment]) / np.where(lengths > 0, lengths, 1)[segment], 0, 1)
    if not closed:
        segment[-1], part[-1] = len(ends) - 1, 1.0  # the last vertex, to the last bit
    return Between(segment.astype(np.intp), after[segment], part)
