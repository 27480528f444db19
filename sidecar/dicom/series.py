"""Frames of many files → stacks: group, tell repeated positions apart, order along the normal,
validate. Pure: no files, no pydicom.

A DICOM series is not a stack: it may hold a localizer, several orientations, time points or echoes,
the same slice twice, or the whole scan once as single files and once as a multi-frame file. Nothing
is guessed: every stack found is listed, and where there is more than one the user chooses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from sidecar.dicom.pixels import FrameLocator, PixelLayout
from sidecar.errors import (
    AmbiguousSeriesError,
    GeometryError,
    SidecarError,
    SourceError,
    UsageError,
)
from sidecar.grid.stack import (
    GAP_TOLERANCE,
    PARALLEL_TOLERANCE,
    TILT_TOLERANCE_DEGREES,
    Stack,
    check_orientation,
    plane_normal,
)

#: Two slices nearer than this part of a pixel along the normal are at the same position.
SAME_POSITION = 0.01
#: More stacks than this in one source are not all listed in a message.
LISTED_STACKS = 12

type_of_key = tuple[tuple[str, Hashable], ...]


@dataclass(frozen=True, slots=True)
class Common:
    """What all frames of a series usually share; one object for all of them, so that 10,000 slices
    stay small.
    """

    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None
    sop_class_uid: str
    modality: str
    description: str
    series_number: int | None
    pixel_spacing: tuple[float, float] | None
    layout: PixelLayout
    rescale_unit: str | None
    padding: tuple[int, int] | None
    multiframe: str | None  # what keeps the frames of one multi-frame object together
    geometry_problem: str | None  # why this kind of image cannot be used at all


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of one frame. ``frame`` is 0-based, ``frames`` the number in its file, ``offset``
    as in `FrameLocator`.

    ``keys``: attributes that tell frames at one position apart (time, echo, b-value …), in order of
    preference.
    """

    common: Common
    file: str
    frame: int
    frames: int
    offset: int | None
    sop_instance_uid: str
    instance_number: int | None
    position: tuple[float, float, float] | None
    orientation: tuple[float, float, float, float, float, float] | None
    rescale: tuple[float, float]
    window: tuple[float, float] | None
    keys: type_of_key

    @property
    def frame_number(self) -> int | None:
        """1-based Frame Number, None in a single-frame object."""
        return self.frame + 1 if self.common.multiframe else None

    @property
    def locator(self) -> FrameLocator:
        """Where its pixels are."""
        layout = self.common.layout
        return FrameLocator(self.file, layout, self.frame, self.frames, self.offset, self.rescale)


@dataclass(frozen=True)
class Series:
    """One stack that could be exported: frames in position order.

    ``split`` says what set it apart within its DICOM series.
    """

    number: int
    frames: tuple[Frame, ...]
    stack: Stack | None
    split: tuple[str, ...]
    warnings: tuple[str, ...]
    problem: str | None

    @property
    def common(self) -> Common:
        return self.frames[0].common

    @property
    def name(self) -> str:
        """One line for a message: number, size, and what set it apart."""
        layout = self.common.layout
        parts = [
            self.common.modality,
            f"{layout.columns} × {layout.rows} × {len(self.frames)}",
            *self.split,
        ]
        return f"{self.number}: " + ", ".join(parts)


def find_series(frames: Iterable[Frame]) -> list[Series]:
    """Every stack in ``frames``, numbered from 1 in an order that does not depend on file names or
    the order of ``frames``.
    """
    by_object: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in sorted(frames, key=_frame_order):
        by_object[_object_key(frame)].append(frame)
    found: list[Series] = []
    for group in by_object.values():
        unique, warnings = _without_duplicates(group)
        for part, split in _split(unique):
            found.append(_make_series(part, split, warnings))
    found.sort(
        key=lambda s: (
            s.common.series_number is None,
            s.common.series_number or 0,
            s.common.series_instance_uid,
            -len(s.frames),
        )
    )
    return [replace(series, number=i + 1) for i, series in enumerate(found)]


def choose(series: Sequence[Series], wanted: str | None) -> list[Series]:
    """The stacks that ``--series`` means: a number of the inspect table, a Series Instance UID,
    "all", or None for the only one.

    Raises AmbiguousSeriesError that names the choices where more than one fits, UsageError where
    none does.
    """
    if not series:
        raise SourceError("no DICOM images found here")
    if wanted == "all":
        usable = [s for s in series if s.problem is None]
        if not usable:
            raise SourceError(
                f"none of the stacks here can be exported; the first: {series[0].problem}"
            )
        return usable
    fitting = (
        list(series)
        if wanted is None
        else [s for s in series if wanted in (str(s.number), s.common.series_instance_uid)]
    )
    if not fitting:
        raise UsageError(f"--series {wanted}: there is no such stack; there are\n{_listed(series)}")
    if len(fitting) > 1:
        raise AmbiguousSeriesError(
            f"there are {len(fitting)} stacks of slices here; choose one with --series NUMBER, or"
            " all with --series all:\n" + _listed(fitting)
        )
    if fitting[0].problem is not None:
        raise GeometryError(fitting[0].problem)
    return fitting


def _listed(series: Sequence[Series]) -> str:
    lines = [f"  {s.name}" for s in series[:LISTED_STACKS]]
    return "\n".join(
        lines + [f"  … and {len(series) - LISTED_STACKS} more"] * (len(series) > LISTED_STACKS)
    )


def _frame_order(frame: Frame) -> tuple[Hashable, ...]:
    c = frame.common
    return (
        c.series_instance_uid,
        frame.sop_instance_uid,
        frame.frame,
        _lossy(c.layout.transfer_syntax),
        c.layout.transfer_syntax,
        frame.file,
    )


def _object_key(frame: Frame) -> Hashable:
    """Frames that differ here can never be slices of one stack."""
    c, p = frame.common, frame.common.layout
    pixels = (
        p.rows,
        p.columns,
        p.samples,
        p.photometric,
        p.bits_allocated,
        p.bits_stored,
        p.signed,
        p.keyword,
    )
    return (
        c.series_instance_uid,
        c.frame_of_reference_uid,
        c.sop_class_uid,
        c.multiframe,
        c.pixel_spacing,
        pixels,
        c.geometry_problem,
    )


_LOSSY = frozenset(
    {"1.2.840.10008.1.2.4." + end for end in ("50", "51", "53", "55", "81", "91", "93", "203")}
)


def _lossy(transfer_syntax: str) -> bool:
    return transfer_syntax in _LOSSY


def _without_duplicates(frames: Sequence[Frame]) -> tuple[list[Frame], list[str]]:
    """One frame of each SOP instance, lossless before lossy.

    Copies that differ in position or rescale are not duplicates.
    """
    kept: dict[Hashable, Frame] = {}
    dropped = Counter[str]()
    for frame in frames:
        key = (frame.sop_instance_uid, frame.frame, frame.position, frame.rescale)
        if key in kept:
            dropped[frame.file] += 1
        kept.setdefault(key, frame)
    if not dropped:
        return list(frames), []
    files = sorted(dropped)
    shown = ", ".join(files[:3]) + (" …" if len(files) > 3 else "")
    return list(kept.values()), [
        f"{len(files)} duplicate files of the same SOP instances left out: {shown}"
    ]


def _split(frames: Sequence[Frame]) -> list[tuple[list[Frame], tuple[str, ...]]]:
    """Parts with one orientation, then parts in which every position occurs once, each with what
    set it apart.
    """
    by_orientation = _by_orientation(frames)
    parts: list[tuple[list[Frame], tuple[str, ...]]] = []
    for i, group in enumerate(by_orientation):
        name = (f"orientation {i + 1} of {len(by_orientation)}",) if len(by_orientation) > 1 else ()
        parts += [(part, name + split) for part, split in _by_attribute(group)]
    return parts


def _by_orientation(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            first = group[0].orientation
            if first == frame.orientation or (
                first and frame.orientation and _parallel(first, frame.orientation)
            ):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _parallel(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= PARALLEL_TOLERANCE for a, b in zip(one, other, strict=True))


def _by_attribute(frames: list[Frame]) -> list[tuple[list[Frame], tuple[str, ...]]]:
    """Parts in which no position is repeated, by the fewest attributes and the fewest parts that
    achieve it.
    """
    places = _places(frames)
    if places is None:
        return [(frames, ())]
    most = max(Counter(places).values())
    if most == 1:
        return [(frames, ())]
    values = [dict(frame.keys) for frame in frames]
    names = [name for name, _ in frames[0].keys if len({v.get(name) for v in values}) > 1]
    for count in (1, 2, 3):
        candidates = []
        for chosen in combinations(names, count):
            groups: dict[Hashable, list[int]] = defaultdict(list)
            for i, value in enumerate(values):
                groups[tuple(value.get(name) for name in chosen)].append(i)
            if len(groups) <= 2 * most and all(
                len({places[i] for i in g}) == len(g) for g in groups.values()
            ):
                candidates.append((len(groups), chosen, groups))
        if candidates:
            _, chosen, groups = min(candidates, key=lambda c: c[0])
            ordered = sorted(groups.items(), key=lambda item: [_sortable(v) for v in item[0]])  # type: ignore[attr-defined]
            return [
                (
                    [frames[i] for i in group],
                    tuple(
                        f"{name} {value}"
                        for name, value in zip(chosen, key, strict=True)  # type: ignore[call-overload]
                    ),
                )
                for key, group in ordered
            ]
    return [(frames, (f"positions repeated up to {most} times",))]


def _sortable(value: Hashable) -> tuple[bool, float, str]:
    number = isinstance(value, int | float)
    return (not number, float(value) if isinstance(value, int | float) else 0.0, str(value))


def _places(frames: Sequence[Frame]) -> list[int] | None:
    """For each frame the number of its position along the normal;
    None where frames have no position or no normal.
    """
    first = frames[0]
    if (
        first.orientation is None
        or first.common.pixel_spacing is None
        or any(f.position is None for f in frames)
    ):
        return None
    if not _is_sound(first.orientation):
        return None
    heights = np.array([f.position for f in frames], dtype=np.float64) @ plane_normal(
        first.orientation
    )
    order = np.argsort(heights, kind="stable")
    steps = np.diff(heights[order]) > SAME_POSITION * min(first.common.pixel_spacing)
    places = np.empty(len(frames), dtype=np.intp)
    places[order] = np.concatenate([[0], np.cumsum(steps)])
    return [int(p) for p in places]


def _is_sound(orientation: tuple[float, ...]) -> bool:
    try:
        check_orientation(orientation)
    except GeometryError:
        return False
    return True


def _make_series(frames: list[Frame], split: tuple[str, ...], warnings: list[str]) -> Series:
    """The stack in position order; without patient geometry in the order of instance and frame
    numbers.
    """
    make = (
        _in_plane_order
        if frames[0].common.pixel_spacing and frames[0].orientation and frames[0].position
        else _in_file_order
    )
    try:
        problem = frames[0].common.geometry_problem
        if problem is not None:
            raise GeometryError(problem)
        ordered, stack, found = make(frames)
    except SidecarError as error:
        return Series(0, tuple(frames), None, split, tuple(warnings), str(error))
    return Series(0, tuple(ordered), stack, split, (*warnings, *found), None)


def _in_file_order(frames: list[Frame]) -> tuple[list[Frame], None, list[str]]:
    if any(f.position is not None for f in frames):
        raise GeometryError(
            "some slices have a patient position and others have none: repair the headers, or move"
            " the odd ones away"
        )
    ordered = sorted(
        frames,
        key=lambda f: (
            f.instance_number is None,
            f.instance_number or 0,
            f.sop_instance_uid,
            f.frame,
        ),
    )
    return (
        ordered,
        None,
        [
            "no patient geometry (no plane position, orientation or spacing): exported in pixel"
            " units, in the order of numbers"
        ],
    )


def _in_plane_order(frames: list[Frame]) -> tuple[list[Frame], Stack, list[str]]:
    for orientation in dict.fromkeys(f.orientation for f in frames):
        if orientation is not None:
            check_orientation(orientation)
    places = _places(frames)
    if places is None:
        raise GeometryError(
            "some slices have no patient position: repair the headers, or move the odd ones away"
        )
    counts = Counter(places)
    if max(counts.values()) > 1:
        place = max(counts, key=lambda p: counts[p])
        same = sorted(f.file for f, p in zip(frames, places, strict=True) if p == place)
        raise GeometryError(
            f"{counts[place]} slices lie at one position and no attribute tells them apart"
            f" ({', '.join(same[:3])}): move those that do not belong to another folder"
        )
    ordered = [
        frame for _, frame in sorted(zip(places, frames, strict=True), key=lambda pair: pair[0])
    ]
    orientations = [f.orientation for f in ordered]
    layout, spacing = ordered[0].common.layout, ordered[0].common.pixel_spacing
    assert spacing is not None
    stack = Stack(
        columns=layout.columns,
        rows=layout.rows,
        pixel_spacing=spacing,
        positions=np.array([f.position for f in ordered], dtype=np.float64),
        orientations=np.array(orientations, dtype=np.float64),
    )
    return ordered, stack, irregularities(stack)


def irregularities(stack: Stack) -> list[str]:
    """What is unusual about a stack, in words: tilt, uneven gaps, missing slices, planes off a
    straight line.
    """
    if stack.slices < 2:
        return []
    found = []
    if stack.tilt_degrees > TILT_TOLERANCE_DEGREES:
        found.append(
            f"gantry tilt: the stack axis is {stack.tilt_degrees:.2f}° off the slice normal; every"
            " plane keeps its own position"
        )
    gaps, median = stack.gaps, stack.median_gap
    uneven = np.abs(gaps - median) > GAP_TOLERANCE * median
    multiples = np.rint(gaps / median)
    missing = uneven & (multiples > 1) & (np.abs(gaps - multiples * median) <= 0.05 * median)
    if missing.any():
        after = ", ".join(str(int(i)) for i in np.flatnonzero(missing)[:5])
        found.append(
            f"{int((multiples[missing] - 1).sum())} slices seem to be missing, after slice {after}"
            " (0-based)"
        )
    if (uneven & ~missing).any():
        found.append(
            f"uneven slice gaps: {gaps.min():.4g} to {gaps.max():.4g} mm; every plane keeps its own"
            " position"
        )
    if not stack.affine_is_exact and stack.affine is not None:
        found.append(
            f"no single affine describes these planes: the best is {stack.affine.residual_mm:.3g}"
            " mm off at its worst"
        )
    return found
