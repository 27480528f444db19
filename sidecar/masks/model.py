"""A mask as it was painted, on the PNG grid: labels, and their meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidecar.mapping import Sidecar

LabelArray = NDArray[Any]
Rgb = tuple[int, int, int]


class Code(NamedTuple):
    """A coded concept: SCT, 71341001, Femur."""

    scheme: str
    value: str
    meaning: str


#: The category and type of a segment where the user gave none, as in 3D Slicer.
TISSUE = Code("SCT", "85756007", "Tissue")

#: Colours of segments without a colour of their own.
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
    """One class of labels.

    ``value``: its label in arrays, 1 … 65535. ``category, type``: codes; None where none were
    given.
    """

    value: int
    name: str
    color: Rgb
    category: Code | None = None
    type: Code | None = None


@dataclass(frozen=True)
class Mask:
    """Labels on the PNG stack.

    ``planes()``   begins a pass: for every PNG in order its (rows, columns) uint8 or uint16 labels,
                   or None where it is empty.
    ``present``    for every PNG the values on it, ascending.
    ``segments``   the meaning of the values, in the order in which they are written; segments
                   without a pixel are among them.
    ``tool, notes``  are shown to the user.
    """

    sidecar: Sidecar
    segments: tuple[Segment, ...]
    planes: Callable[[], Iterator[LabelArray | None]]
    present: tuple[tuple[int, ...], ...]
    tool: str
    notes: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds all values."""
        return np.dtype(
            np.uint8 if max((s.value for s in self.segments), default=0) < 256 else np.uint16
        )
