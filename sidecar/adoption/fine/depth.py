"""The place of an image between the source slices, and the number of slices that it averages. Pure.

With d the detail of the image and m_z that of the model on slice z, any weighted mean of slices
leaves the part

    E = 1 − (Σ w_z ⟨d, m_z⟩)² / (⟨d, d⟩ · Σ w_y w_z ⟨m_y, m_z⟩)

of the image unexplained. So the products alone give E for means of every width at every place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.adoption.fine.register import detail
from sidecar.adoption.model.resampling_kernels import AREA, matrix
from sidecar.adoption.model.stacks import GrayImage

Floats = NDArray[np.float64]

#: Step between the places that are tried between slices.
FINENESS = 0.02
#: A place between slices must leave less than this part of what the best slice leaves.
FAR_SMALLER = 0.75
#: Part that rounding to 8 bits alone leaves unexplained. Ratios of smaller parts mean nothing.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Products:
    """⟨d, d⟩, ⟨d, m_z⟩ (n,) and ⟨m_y, m_z⟩ (n, n) for n neighbouring slices from ``first`` on."""

    first: int
    image: float
    with_image: Floats
    between: Floats

    @classmethod
    def of(
        cls, seen: GrayImage, models: Sequence[GrayImage], first: int, where: NDArray[np.bool_]
    ) -> Products:
        d = detail(seen)[where].astype(np.float64)
        m = np.stack([detail(model)[where] for model in models]).astype(np.float64)
        return cls(first, float(d @ d), m @ d, m @ m.T)

    @property
    def slices(self) -> int:
        return len(self.with_image)

    def unexplained(self, places: Floats, width: float) -> Floats:
        """(len(places),) E of means over ``width`` slices around each place. A width of 1
        interpolates between the two nearest slices.
        """
        weights = matrix(self.slices, places - self.first, width, AREA).toarray().astype(np.float64)
        fit = weights @ self.with_image
        own = np.einsum("pi,ij,pj->p", weights, self.between, weights)
        explained = np.divide(
            fit * np.abs(fit), own * self.image, out=np.zeros_like(fit), where=own * self.image > 0
        )
        return np.asarray(1 - explained)

    def best(self, width: float) -> tuple[float, float]:
        """The place with the smallest E, and that E. It is on a slice, unless E is far smaller
        between slices.

        A mean of neighbours has less noise and is smoother. This alone makes it somewhat more
        similar to an image that was filtered.
        """
        found = []
        for step in (1.0, FINENESS):
            places = np.arange(self.first, self.first + self.slices - 1 + step / 2, step)
            left = self.unexplained(places, width)
            found.append((float(places[np.argmin(left)]), float(left.min())))
        on, between = found
        return between if between[1] + ROUNDING < FAR_SMALLER * (on[1] + ROUNDING) else on
