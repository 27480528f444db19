"""The real world values of a whole stack, from those of its frames (PS3.3 C.7.6.16.2.11). Pure.

Each frame maps its own stored values. A document states maps of modality values, which are the same
for all slices.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.dicom.headers.frame import Frame
from sidecar.values.real_world import RealWorldMap

_LEFT_OUT = "Real World Value Mapping is not in the document: "


def real_world_values(frames: Sequence[Frame]) -> tuple[RealWorldMap, ...]:
    """The maps from modality values to real world values that hold for every slice."""
    return _of_stack(frames)[0]


def real_world_notes(frames: Sequence[Frame]) -> tuple[str, ...]:
    """The maps that are left out, and why."""
    return _of_stack(frames)[1]


def _of_stack(frames: Sequence[Frame]) -> tuple[tuple[RealWorldMap, ...], tuple[str, ...]]:
    if not any(frame.real_world for frame in frames):
        return (), ()
    if frames[0].common.table is not None:
        return (), (f"{_LEFT_OUT}it maps stored values, but a Modality LUT maps them otherwise",)
    if len({len(frame.real_world) for frame in frames}) > 1:
        return (), (f"{_LEFT_OUT}some slices have more maps than others",)
    joined, notes = [], []
    for maps in zip(*map(_of_values, frames), strict=True):
        first = maps[0]
        if not first.is_known:
            notes.append(
                f"{_LEFT_OUT}it has no valid range, or it has neither slope and intercept nor a"
                " table"
            )
        elif not all(first.agrees(other) for other in maps):
            notes.append(f"{_LEFT_OUT}it differs between slices")
        else:
            joined.append(
                first._replace(
                    first=min(one.first for one in maps), last=max(one.last for one in maps)
                )
            )
    return tuple(joined), tuple(dict.fromkeys(notes))


def _of_values(frame: Frame) -> list[RealWorldMap]:
    return [found.after(*frame.rescale) for found in frame.real_world]
