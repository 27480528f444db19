"""The place of the attributes of one frame in its header: functional groups, or the top level
(PS3.3 C.7.6.16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sidecar.dicom.headers.frame_places import FramePlaces
from sidecar.dicom.headers.header_values import NOTHING, Attributes, numbers

#: At the top level, these attributes hold for a single frame only.
_OF_ONE_FRAME = ("ImagePositionPatient", "ImageOrientationPatient")


@dataclass(frozen=True)
class Groups:
    """Attributes of one frame: from its own functional groups, from the shared ones, and in classic
    objects from the top level (PS3.3 C.7.6.16).

    ``frames``: number of frames in its file. ``places``: their places without functional groups.
    """

    frame: Attributes
    shared: Attributes
    top: Attributes
    frames: int
    places: FramePlaces

    def holder(self, sequence: str) -> Attributes:
        """The attributes among which those of a functional group stand."""
        if self.is_classic:
            return self.top
        return next(iter(self.items(sequence)), NOTHING)

    def items(self, sequence: str) -> Sequence[Attributes]:
        """The items of a sequence: those of the frame itself, else those of all frames of its
        object.
        """
        for attributes in (self.top,) if self.is_classic else (self.frame, self.shared):
            items: Sequence[Attributes] = attributes.get(sequence) or []
            if items:
                return items
        return []

    def get(self, sequence: str, keyword: str) -> Any:
        return self.holder(sequence).get(keyword)

    def numbers(self, sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
        """Numbers that place this frame, as `header_values.numbers`.

        At the top level of a classic object, position and orientation hold only for a single frame.
        """
        if self.is_classic and self.frames > 1 and keyword in _OF_ONE_FRAME:
            return None
        return numbers(self.holder(sequence), keyword, count)

    @cached_property
    def is_classic(self) -> bool:
        return not len(self.frame) and not len(self.shared)
