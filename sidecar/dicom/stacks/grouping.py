"""Frames → groups that can each be one stack, and the differences between the groups, with values.
Pure.

A DICOM series is not a stack: it may hold a localizer, several orientations, time points or echoes.
Groups are separated step by step. Each step states the differences between the groups that it
makes. Some differences do not matter: rounding of spacing and orientation, and a new Frame of
Reference UID in every file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TypeVar

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.differences import (
    Aspect,
    Difference,
    apart,
    class_name,
    in_order,
    numbered,
    plain,
    short_uid,
)
from sidecar.dicom.stacks.ordering import heights_of, is_even, places_of
from sidecar.grid.stack import PARALLEL_TOLERANCE

#: Pixel Spacings are the same, except for rounding, where they move the far corner of an image by
#: no more than this part of a pixel.
SPACING_TOLERANCE = 0.1
_FEWEST_DIGITS = 3
#: Attributes whose every value means a separate volume, even of a single slice.
_VOLUMES = frozenset(
    {
        "TemporalPositionIdentifier", "TemporalPositionIndex", "EchoNumbers", "EchoTime",
        "EffectiveEchoTime", "InversionTime", "DiffusionBValue", "DiffusionGradientOrientation",
        "TriggerTime", "NominalCardiacTriggerDelayTime", "NominalPercentageOfCardiacPhase",
        "NominalPercentageOfRespiratoryPhase", "TemporalPositionTimeOffset", "InversionTimes",
        "VelocityEncodingDirection", "TransferSyntaxUID", "EnergyWindowVector",
        "DetectorVector", "PhaseVector", "RRIntervalVector", "TimeSlotVector", "TimeSliceVector",
    }
)  # fmt: skip
#: How values of some attributes are told. Others are told as they are.
_SAYING = {"TransferSyntaxUID": class_name, "SeriesDescription": numbered}
#: Everyday names of some attributes.
_WORDS = {
    "TemporalPositionIdentifier": "time point",
    "TemporalPositionIndex": "time point",
    "EchoNumbers": "echo",
    "EchoTime": "echo time",
    "EffectiveEchoTime": "echo time",
    "InversionTime": "inversion time",
    "DiffusionBValue": "b-value",
    "DiffusionGradientOrientation": "gradient",
    "TriggerTime": "trigger time",
    "NominalCardiacTriggerDelayTime": "cardiac delay",
    "NominalPercentageOfCardiacPhase": "cardiac phase",
    "NominalPercentageOfRespiratoryPhase": "respiratory phase",
    "TemporalPositionTimeOffset": "time point",
    "InversionTimes": "inversion time",
    "AcquisitionNumber": "acquisition",
    "ConvolutionKernel": "kernel",
    "StackID": "stack",
    "EnergyWindowVector": "energy window",
    "DetectorVector": "detector",
    "PhaseVector": "phase",
    "RRIntervalVector": "R-R interval",
    "TimeSlotVector": "time slot",
    "TimeSliceVector": "time slice",
}
#: Most passes through one volume.
_MOST_PASSES = 8

_Frames = Sequence[Frame]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Group:
    """Frames that can be one stack. ``apart``: their differences from other groups."""

    frames: tuple[Frame, ...]
    apart: tuple[Difference, ...] = ()


def groups_of(frames: _Frames) -> list[Group]:
    """The groups in ``frames``. Frames keep their order."""
    groups = [Group(tuple(frames))] if frames else []
    for step in _STEPS:
        groups = [
            Group(part.frames, (*group.apart, *part.apart))
            for group in groups
            for part in step(group.frames)
        ]
    return groups


def unlike(frames: _Frames) -> list[Group]:
    """Parts of frames that contradict each other in a property that all slices of a stack share.
    Empty where the frames can be one stack.

    A position, orientation or spacing that some frames lack is no contradiction.
    """
    placed = [frame for frame in frames if frame.orientation is not None]
    spaced = [frame for frame in frames if frame.common.pixel_spacing is not None]
    for step, among in ((_by_likeness, frames), (_by_spacing, spaced), (_by_orientation, placed)):
        parts = step(among) if among else []
        if len(parts) > 1:
            return parts
    return []


def _parted(frames: _Frames, aspects: Sequence[Aspect]) -> list[Group]:
    """Groups that agree in all aspects, with the aspects in which they differ from each other."""
    groups = _gathered((tuple(a.of(frame) for a in aspects), frame) for frame in frames)
    return [
        Group(tuple(group), differences)
        for group, differences in zip(groups, apart(aspects, groups), strict=True)
    ]


# --- what frames of one stack never differ in ---

_SERIES = (
    Aspect("StudyInstanceUID", lambda f: f.common.study_instance_uid, short_uid),
    Aspect("SeriesInstanceUID", lambda f: f.common.series_instance_uid, short_uid),
)


def _by_series(frames: _Frames) -> list[Group]:
    return _parted(frames, _SERIES)


def _by_folder(frames: _Frames) -> list[Group]:
    """One group per folder, where no SeriesInstanceUID says that files belong together."""
    if frames[0].common.series_instance_uid:
        return [Group(tuple(frames))]
    return _parted(frames, [_key("folder")])


def _object_of(frame: Frame) -> str | None:
    """The object that a multi-frame frame belongs to: its concatenation, which may have several
    files, else its file.
    """
    return (frame.common.concatenation or frame.file) if frame.common.multiframe else None


def _presence(name: str, get: Callable[[Frame], object]) -> Aspect:
    return Aspect(name, lambda f: "absent" if get(f) is None else "present")


#: Without a position the other two do not matter.
_PLACES = (
    _presence("Image Position (Patient)", lambda f: f.position),
    _presence("Image Orientation (Patient)", lambda f: () if f.position is None else f.orientation),
    _presence("Pixel Spacing", lambda f: () if f.position is None else f.common.pixel_spacing),
)
_OBJECT = Aspect("multi-frame object", _object_of)
_LIKENESS = (
    Aspect("SOP Class", lambda f: f.common.sop_class_uid, class_name),
    Aspect("Rows", lambda f: f.common.layout.rows),
    Aspect("Columns", lambda f: f.common.layout.columns),
    Aspect("Photometric Interpretation", lambda f: f.common.layout.photometric),
    Aspect("Samples per Pixel", lambda f: f.common.layout.samples),
    Aspect("Bits Allocated", lambda f: f.common.layout.bits_allocated),
    Aspect("Bits Stored", lambda f: f.common.layout.bits_stored),
    Aspect("Pixel Representation", lambda f: int(f.common.layout.signed)),
    Aspect("pixel data", lambda f: f.common.layout.keyword),
    Aspect("layout of frames", lambda f: f.common.tiled or "one slice each"),
)


def _by_kind(frames: _Frames) -> list[Group]:
    return _parted(frames, [*_LIKENESS, *_PLACES, _OBJECT])


def _by_likeness(frames: _Frames) -> list[Group]:
    return _parted(frames, _LIKENESS)


# --- what may differ by rounding ---


def _by_spacing(frames: _Frames) -> list[Group]:
    """Groups with one Pixel Spacing, except for rounding."""
    layout = frames[0].common.layout
    far = max(layout.rows, layout.columns)

    def same(one: Sequence[float], other: Sequence[float]) -> bool:
        return all(
            abs(a - b) * far <= SPACING_TOLERANCE * min(abs(a), abs(b)) or _is_rounded(a, b)
            for a, b in zip(one, other, strict=True)
        )

    return _clustered(frames, "Pixel Spacing", lambda f: f.common.pixel_spacing, same)


def _is_rounded(one: float, other: float) -> bool:
    """Whether one of two numbers is the other one, rounded to three digits or more."""
    return any(
        f"{a:.{digits}g}" == f"{b:.{digits}g}"
        for a, b in ((one, other), (other, one))
        if (digits := len(f"{a:.15g}".replace(".", "").lstrip("0"))) >= _FEWEST_DIGITS
    )


def _by_orientation(frames: _Frames) -> list[Group]:
    """Groups with parallel planes."""

    def same(one: Sequence[float], other: Sequence[float]) -> bool:
        return all(abs(a - b) <= PARALLEL_TOLERANCE for a, b in zip(one, other, strict=True))

    return _clustered(frames, "Image Orientation (Patient)", lambda f: f.orientation, same)


def _clustered(
    frames: _Frames,
    name: str,
    get: Callable[[Frame], tuple[float, ...] | None],
    same: Callable[[Sequence[float], Sequence[float]], bool],
) -> list[Group]:
    """Groups of similar values. Each value belongs to the most frequent value that is the same."""
    heads: dict[tuple[float, ...] | None, tuple[float, ...] | None] = {}
    for value, _ in Counter(map(get, frames)).most_common():
        known = (head for head in heads.values() if head and value and same(head, value))
        heads[value] = next(known, value)
    return _parted(frames, [Aspect(name, lambda f: heads[get(f)])])


def _by_space(frames: _Frames) -> list[Group]:
    """Groups with one Frame of Reference UID.

    There is only one group where fewer than two UIDs occur, where each of more than two files has
    another UID (it then says nothing about these slices), or where frames have no position.
    """
    files: dict[str, set[str]] = defaultdict(set)
    for frame in frames:
        if frame.common.frame_of_reference_uid is not None:
            files[frame.common.frame_of_reference_uid].add(frame.file)
    anew = len(files) > 2 and all(len(names) == 1 for names in files.values())
    if len(files) < 2 or anew or frames[0].position is None:
        return [Group(tuple(frames))]
    return _parted(
        frames,
        [Aspect("FrameOfReferenceUID", lambda f: f.common.frame_of_reference_uid, short_uid)],
    )


# --- several volumes at one place ---


def _by_volume(frames: _Frames) -> list[Group]:
    """Groups in which no position is repeated, by the fewest attributes that separate them, and
    the fewest groups. Also passes that overlap.
    """
    places = places_of(frames)
    if places is None:
        return [Group(tuple(frames))]
    most = max(Counter(places).values())
    telling = _telling(frames)
    if most == 1:
        return _by_pass(frames, telling)
    numbers = range(len(frames))
    for count in (1, 2, 3):
        candidates = []
        for chosen in combinations(telling, count):
            values = zip(*(telling[name] for name in chosen), strict=True)
            parts = _gathered(zip(values, numbers, strict=True))
            if _are_volumes(parts, most, chosen) and all(
                len({places[i] for i in part}) == len(part) for part in parts
            ):
                candidates.append((len(parts), chosen))
        if candidates:
            _, chosen = min(candidates, key=lambda candidate: candidate[0])
            return _in_order(_parted(frames, [_key(name) for name in chosen]), chosen)
    return [Group(tuple(frames))]


def _are_volumes(parts: Sequence[Sequence[int]], most: int, chosen: Iterable[str]) -> bool:
    """Whether so many groups can be volumes. Times and numbers that differ from slice to slice
    make no volumes.
    """
    count = sum(map(len, parts))
    if len(parts) > max(2 * most, count // 3):
        return False
    are_single = len(parts) == count > 2
    return not are_single or any(name in _VOLUMES for name in chosen)


def _by_pass(frames: _Frames, telling: Iterable[str]) -> list[Group]:
    """Passes that overlap. Together they are uneven, or Instance Numbers occur twice. One
    attribute separates them into passes that are even and have their own numbers.
    """
    if _repeats_numbers(frames) or not is_even(frames):
        for name in telling:
            parts = _parted(frames, [_key(name)])
            if 1 < len(parts) <= _MOST_PASSES and _overlap(parts):
                return _in_order(parts, [name])
    return [Group(tuple(frames))]


def _overlap(parts: Sequence[Group]) -> bool:
    for part in parts:
        if len(part.frames) < 3 or not is_even(part.frames) or _repeats_numbers(part.frames):
            return False
    ranges = sorted((min(h), max(h)) for h in (heights_of(part.frames) for part in parts))
    return any(high > low for (_, high), (low, _) in pairwise(ranges))


def _repeats_numbers(frames: _Frames) -> bool:
    """Whether single-frame files share an Instance Number."""
    numbers = [f.instance_number for f in frames if not f.common.multiframe]
    known = [number for number in numbers if number is not None]
    return len(set(known)) < len(known)


def _telling(frames: _Frames) -> dict[str, list[Hashable]]:
    """The attributes in which frames differ, with the value of each frame. Preferred attributes
    come first, the folder last.
    """
    keys = [dict(_keys(frame)) for frame in frames]
    names = dict.fromkeys(name for own in keys for name in own)
    values = {name: [own.get(name) for own in keys] for name in names}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def _keys(frame: Frame) -> Iterator[tuple[str, Hashable]]:
    yield from frame.keys
    yield "SeriesNumber", frame.common.series_number
    yield "SeriesDescription", frame.common.description
    yield "folder", frame.folder or "."


def _key(name: str) -> Aspect:
    say = _SAYING.get(name, plain)
    return Aspect(name, lambda frame: dict(_keys(frame)).get(name), say, _WORDS.get(name, ""))


def _in_order(parts: list[Group], names: Sequence[str]) -> list[Group]:
    """The groups in the order of the values of these attributes."""
    aspects = [_key(name) for name in names]
    return sorted(
        parts, key=lambda part: [in_order(aspect.of(part.frames[0])) for aspect in aspects]
    )


def _gathered(pairs: Iterable[tuple[Hashable, _T]]) -> list[list[_T]]:
    """The items of each value, in the order in which the values first occur."""
    groups: dict[Hashable, list[_T]] = defaultdict(list)
    for value, one in pairs:
        groups[value].append(one)
    return list(groups.values())


_STEPS = (
    _by_series,
    _by_folder,
    _by_kind,
    _by_spacing,
    _by_space,
    _by_orientation,
    _by_volume,
)
