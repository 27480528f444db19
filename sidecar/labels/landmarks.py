"""The landmarks and curves of specimens, in the form that the formats of geometric morphometrics
share. The specimens may be on any scans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Landmarks:
    """n specimens with p landmarks each.

    ``mm`` (n, p, 3); NaN where a specimen lacks a landmark. ``axes``: the axes of each specimen's
    millimetres: LPS, RAS, or a description in words. ``names``: p, in order of first appearance;
    "1", "2", ... where the labels have no names. ``notes``: notes for the user on how specimens
    were told apart.
    """

    specimens: tuple[str, ...]
    names: tuple[str, ...]
    mm: NDArray[np.float64]
    axes: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of n specimens, ``count`` points each: ``mm`` (n, count, 3); NaN where a specimen
    lacks it. The first point of a ``closed`` one is not repeated.
    """

    name: str
    closed: bool
    mm: NDArray[np.float64]

    @property
    def count(self) -> int:
        return int(self.mm.shape[1])


@dataclass(frozen=True, slots=True)
class Configurations:
    """Landmarks, and curves of the same specimens in the order of their first appearance."""

    landmarks: Landmarks
    curves: tuple[Curve, ...] = ()
