"""Copies of slices. A duplicate is a frame with the pixels and the geometry of another frame. Pure.

The same UID alone proves nothing. The code that reads pixels sets `Frame.content`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from sidecar.dicom.headers.frame import Frame

_Key = Callable[[Frame], Hashable]


@dataclass(frozen=True)
class Duplicate:
    """A frame that is left out, and the frame that is kept instead."""

    frame: Frame
    original: Frame


def possible_copies(frames: Iterable[Frame]) -> list[Frame]:
    """The frames whose pixels must be compared: another frame has the same attributes.

    Attributes tell time points, echoes and the like apart. Their pixels are not read.
    """
    frames = list(frames)
    by_identity = [frame for frame in frames if frame.sop_instance_uid]
    placed = [frame for frame in frames if frame.position is not None]
    found = {
        (frame.file, frame.frame): frame
        for group in (
            *_alike(by_identity, lambda f: (f.sop_instance_uid, _place(f))),
            *_alike(placed, lambda f: (f.keys, _place(f))),
        )
        for frame in group
    }
    return list(found.values())


def without_duplicates(frames: Sequence[Frame]) -> tuple[list[Frame], list[Duplicate]]:
    """The frames that are kept, and the copies that are left out. The first of several copies is
    kept.

    A frame with a position is a copy where place and pixels are the same. Without positions, only a
    UID can tell a copy from a slice that looks the same, and only a UID that no other pixels have.
    A multi-frame file is a copy as a whole or not at all.
    """
    meaningless = _uids_of_many(frames)
    first: dict[Hashable, Frame] = {}
    copies: dict[tuple[str, int], Duplicate] = {}
    for frame in frames:
        known = [key for key in _proofs(frame, meaningless) if key in first]
        if known:
            copies[frame.file, frame.frame] = Duplicate(frame, first[known[0]])
            continue
        for key in _proofs(frame, meaningless):
            first[key] = frame
    whole = {
        file
        for file, group in _grouped(frames, lambda f: f.file).items()
        if all((frame.file, frame.frame) in copies for frame in group)
    }
    kept = [frame for frame in frames if frame.file not in whole]
    return kept, [copy for copy in copies.values() if copy.frame.file in whole]


def _proofs(frame: Frame, meaningless: set[Hashable]) -> list[Hashable]:
    """Keys of a frame. Two frames share a key only if one is a copy of the other."""
    if frame.content is None:
        return []
    same = (_place(frame), frame.content)
    proofs: list[Hashable] = []
    if frame.sop_instance_uid and _uid(frame) not in meaningless:
        proofs.append(("uid", frame.sop_instance_uid, same))
    if frame.position is not None:
        proofs.append(("attributes", frame.keys, same))
    return proofs


def _uids_of_many(frames: Sequence[Frame]) -> set[Hashable]:
    """UIDs that several frames without a position share, although their pixels differ."""
    unplaced = [frame for frame in frames if frame.position is None and frame.sop_instance_uid]
    return {
        uid
        for uid, group in _grouped(unplaced, _uid).items()
        if len(group) > 1 and len({frame.content for frame in group} | {None}) > 2
    }


def _uid(frame: Frame) -> Hashable:
    return _series(frame), frame.sop_instance_uid, frame.frame


def _series(frame: Frame) -> Hashable:
    return frame.common.study_instance_uid, frame.common.series_instance_uid


def _place(frame: Frame) -> Hashable:
    """The attributes of a frame that a copy must share, besides its UID and its times."""
    return (
        _series(frame),
        frame.frame,
        frame.frames,
        frame.position,
        frame.orientation,
        frame.common.pixel_spacing,
        frame.rescale,
        frame.instance_number,
    )


def _alike(frames: Iterable[Frame], key: _Key) -> list[list[Frame]]:
    """Groups of frames that agree and come from more than one file."""
    groups = _grouped(frames, key).values()
    return [group for group in groups if len({frame.file for frame in group}) > 1]


def _grouped(frames: Iterable[Frame], key: _Key) -> dict[Hashable, list[Frame]]:
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return groups
