"""Equidistant points along a polyline, by its length. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Between:
    """Where M points lie on a polyline of N vertices: ``part`` (M,) of the way from vertex
    ``before`` (M,) to vertex ``after`` (M,).
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    part: Floats

    def of(self, values: Floats) -> Floats:
        """(M, ...) of values (N, ...) of the vertices, on the straight lines between them."""
        part = self.part.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values[self.before] * (1 - part) + values[self.after] * part)

    @property
    def nearest(self) -> NDArray[np.intp]:
        """(M,) the vertex that each point is nearer to, of two the first."""
        return np.where(self.part <= 0.5, self.before, self.after)


def equidistant(vertices: Floats, count: int, closed: bool) -> Between:
    """``count`` points along straight lines through ``vertices`` (N, 3), the same length of line
    apart. An open one begins at its first vertex and ends at its last one. A closed one goes back
    from its last vertex to its first one, where it begins; no point is repeated.

    geomorph's `digit.curves` counts neither start nor end: its nPoints is ``count`` - 2 for an open
    curve, and ``count`` - 1 for a closed one. GeometryError for vertices in one place.
    """
    number = np.arange(len(vertices))
    after = np.roll(number, -1) if closed else np.minimum(number + 1, len(vertices) - 1)
    lengths = np.linalg.norm(vertices[after] - vertices, axis=1)
    ends = np.cumsum(lengths if closed else lengths[:-1])
    if not len(ends) or not ends[-1] > 0:
        raise GeometryError("all of its vertices lie in one place: there is no way along it")
    along = np.linspace(0, ends[-1], count, endpoint=not closed)
    segment = np.minimum(np.searchsorted(ends, along, side="right"), len(ends) - 1)
    starts = ends - lengths[: len(ends)]
    part = np.clip((along - starts[segment]) / np.where(lengths > 0, lengths, 1)[segment], 0, 1)
    if not closed:
        segment[-1], part[-1] = len(ends) - 1, 1.0  # the last vertex, to the last bit
    return Between(segment.astype(np.intp), after[segment], part)
