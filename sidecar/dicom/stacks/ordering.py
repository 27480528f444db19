"""A group of frames → a stack: slices in their order, or the reason why they make none. Pure.

Positions decide where frames have them; numbers and names do not. Without positions, slices are in
the order of Instance Number where it orders them, else in the natural order of their file names. A
warning states which order was used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.headers.header_values import shown
from sidecar.dicom.stacks.irregularities import irregularities, is_uneven
from sidecar.errors import GeometryError, printable
from sidecar.formats.natural_order import apart_from_numbers, natural_order
from sidecar.grid.stack import Stack, check_orientation, median, plane_normal

#: Two slices are at the same position where they are nearer than this part of a pixel, along the
#: normal.
SAME_POSITION = 0.01
#: SOP classes that must have an Image Plane or functional groups (PS3.3 A.3, A.4, A.21, A.36, A.38,
#: A.56, A.70). If these are missing, something is wrong with the file, and pixel units would hide
#: that.
PLANE_IS_MANDATORY = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "Legacy Converted Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.130": "Enhanced PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "Legacy Converted Enhanced PET",
}
POSITION = "Image Position (Patient)"
#: The attributes that place a slice, and their values in a frame.
_PLACING: dict[str, Callable[[Frame], tuple[float, ...] | None]] = {
    POSITION: lambda frame: frame.position,
    "Image Orientation (Patient)": lambda frame: frame.orientation,
    "Pixel Spacing": lambda frame: frame.common.pixel_spacing,
}
_AGAIN = (
    "have them exported again from the scanner, archive or reconstruction program, as DICOM with"
    " Image Position (Patient), Image Orientation (Patient) and Pixel Spacing"
)
_TILED = {
    "mosaic": (
        "this is a Siemens mosaic (Image Type MOSAIC): many slices tiled into one image, whose"
        " position is not that of any tile; convert it to one image per slice first (for instance"
        " with dcm2niix or the scanner's export)"
    ),
    "slide": (
        "these are tiles of a slide from a microscope (Total Pixel Matrix, or Dimension"
        " Organization Type TILED). They lie beside each other and are not slices of a stack; label"
        " them in a program for slides, such as QuPath"
    ),
}

_Frames = Sequence[Frame]


@dataclass(frozen=True)
class Ordered:
    """Frames in slice order. ``stack`` is None where they have no geometry."""

    frames: tuple[Frame, ...]
    stack: Stack | None
    warnings: tuple[str, ...]


#: A function that makes a stack of the frames of one group. Raises GeometryError, with what was
#: found, where they make none.
Arrange = Callable[[_Frames], Ordered]


def in_slice_order(frames: _Frames) -> Ordered:
    """Frames of one group (`sidecar.dicom.stacks.grouping`) as a stack.

    Raises GeometryError, with what was found, where they make none.
    """
    refuse_tiles(frames)
    _refuse_partly_placed(frames)
    found = Geometry(frames)
    kind = PLANE_IS_MANDATORY.get(frames[0].common.sop_class_uid)
    if found.absent and (frames[0].position is not None or (kind and not found.elsewhere)):
        raise GeometryError(_incomplete(frames, found, kind))
    ordered = _in_file_order(frames, found) if found.absent else in_plane_order(frames)
    return Ordered(ordered.frames, ordered.stack, (*remarks_on(frames), *ordered.warnings))


def refuse_tiles(frames: _Frames) -> None:
    """GeometryError for images that are not slices."""
    tiled = frames[0].common.tiled
    if tiled is not None:
        raise GeometryError(_TILED[tiled])


def _refuse_partly_placed(frames: _Frames) -> None:
    """GeometryError where some frames have an attribute that places a slice, and others do not."""
    for name, get in _PLACING.items():
        without = [frame for frame in frames if get(frame) is None]
        if name != POSITION and frames[0].position is None:
            return
        if 0 < len(without) < len(frames):
            spacing = next(filter(None, (f.common.pixel_spacing for f in frames)), None)
            raise GeometryError(
                f"{name} is absent in {len(without)} of {len(frames)} slices"
                f" ({files_of(without)}). The way out: {_ways_out(spacing)}"
            )


def remarks_on(frames: _Frames) -> tuple[str, ...]:
    """Remarks on the headers of frames that do not depend on their order."""
    return (*_remarks(frames), *_unreliable_uids(frames))


# --- what a header says of places ---


class Geometry:
    """The attributes that place a slice, as far as the frames of a group have them.

    ``absent``: those that not all frames have. ``found``: those that frames have, with a value.
    ``elsewhere``: whether there is a position where it does not place these frames.
    """

    def __init__(self, frames: _Frames) -> None:
        values = {name: list(filter(None, map(get, frames))) for name, get in _PLACING.items()}
        self.absent = [name for name, found in values.items() if len(found) < len(frames)]
        self.found = [
            f"{name} {shown(found[0])}"
            + f" in {len(found)} of {len(frames)} slices" * (len(found) < len(frames))
            for name, found in values.items()
            if found
        ]
        unused = dict.fromkeys(text for f in frames for text in f.common.unused)
        self.elsewhere = any(text.startswith(POSITION) for text in unused)
        self.found += unused
        locations = [f.slice_location for f in frames if f.slice_location is not None]
        if locations:
            self.found.append(f"Slice Location {_range(locations)}")

    def __str__(self) -> str:
        """What is missing, and what the headers have instead."""
        there = f"; there is {_listed(self.found)}" if self.found else ""
        return f"no {_listed(self.absent, 'or')}{there}"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"


def _listed(texts: Sequence[str], last: str = "and") -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def _incomplete(frames: _Frames, found: Geometry, kind: str | None) -> str:
    there = f" There is {_listed(found.found)}." if found.found else ""
    private = " Geometry in private attributes cannot be trusted." if kind else ""
    spacing = frames[0].common.pixel_spacing
    return (
        f"{kind + ' images' if kind else 'images'} without {_listed(found.absent, 'or')}"
        f" ({files_of(frames)}), so the place of their pixels is not certain.{there}{private}"
        f" The way out: {_ways_out(spacing)}"
    )


def _ways_out(spacing: tuple[float, float] | None) -> str:
    """What the user can do where a header does not say where its slices are.

    ``spacing``: the Pixel Spacing, if it can be trusted.
    """
    voxel = "X,Y,Z" if spacing is None else f"{spacing[1]:.10g},{spacing[0]:.10g},Z"
    return f"{_AGAIN}; or, if you know the voxel size, give it in mm with --voxel {voxel}"


def files_of(frames: Iterable[Frame]) -> str:
    """Files for a message: the names of up to three, else their number and the first."""
    files = [printable(f) for f in sorted({frame.file for frame in frames}, key=natural_order)]
    return ", ".join(files) if len(files) <= 3 else f"{len(files)} files, such as {files[0]}"


def _remarks(frames: _Frames) -> Iterator[str]:
    """What the standard forbids in these headers, and in which files."""
    for text in dict.fromkeys(text for frame in frames for text in frame.common.remarks):
        yield f"{text} ({files_of(f for f in frames if text in f.common.remarks)})"


def _unreliable_uids(frames: _Frames) -> Iterator[str]:
    """UIDs that do not identify these slices as they should."""
    uids = Counter(frame.sop_instance_uid for frame in frames if not frame.common.multiframe)
    shared = [f for f in frames if f.sop_instance_uid and uids[f.sop_instance_uid] > 1]
    if shared:
        yield (
            "different slices have the same SOPInstanceUID, which cannot tell them apart"
            f" ({files_of(shared)})"
        )
    nameless = [frame for frame in frames if not frame.sop_instance_uid]
    if nameless:
        yield f"SOPInstanceUID is absent ({files_of(nameless)}): nothing can refer to these slices"
    spaces = {frame.common.frame_of_reference_uid for frame in frames}
    if len(spaces) > 1 and frames[0].position is not None:
        values = len(spaces - {None})
        how = f"has {values} values" if values > 1 else "is absent in some files"
        if len(spaces) == len({frame.file for frame in frames}):
            how = "differs in every file"
        yield (
            f"FrameOfReferenceUID {how} ({files_of(frames)}), though orientation and positions"
            " agree: the slices are one stack, which has no Frame of Reference UID"
        )


# --- without positions ---


def _in_file_order(frames: _Frames, found: Geometry) -> Ordered:
    ordered, order = in_file_order(frames)
    advice = "; if you know the voxel size, --voxel gives millimetres" if len(frames) > 1 else ""
    return Ordered(
        tuple(ordered),
        None,
        (f"no patient geometry ({found}): exported in pixel units, {order}{advice}",),
    )


def in_file_order(frames: _Frames) -> tuple[list[Frame], str]:
    """Frames in the order of numbers or names, and a text that says which.

    GeometryError where neither orders them.
    """
    if len({frame.file for frame in frames}) == 1:
        order = "in the order of frames" if len(frames) > 1 else "as one slice"
        return sorted(frames, key=lambda f: f.frame), order
    why = numbers_fault(frames)
    if why is None:
        return by_number(frames), "in the order of InstanceNumber"
    fault = names_fault(frames)
    if fault is not None:
        raise GeometryError(f"nothing orders these slices ({files_of(frames)}): {why}, and {fault}")
    return by_name(frames), f"in the natural order of file names: {why}"


def by_number(frames: _Frames) -> list[Frame]:
    """Frames by the Instance Number of their files. `numbers_fault` must have found no fault."""
    return sorted(frames, key=lambda f: (f.instance_number or 0, f.frame))


def by_name(frames: _Frames) -> list[Frame]:
    """Frames by the natural order of their file names."""
    return sorted(frames, key=lambda f: (natural_order(f.file), f.frame))


def numbers_fault(frames: _Frames) -> str | None:
    """Why Instance Number does not order files; None where it does."""
    numbers = {frame.file: frame.instance_number for frame in frames}
    without = sum(number is None for number in numbers.values())
    if without:
        some = f"{without} of " if without < len(numbers) else "all "
        return f"InstanceNumber is absent in {some}{len(numbers)} files"
    number, times = Counter(numbers.values()).most_common(1)[0]
    return f"InstanceNumber {number} is in {times} files" if times > 1 else None


def names_fault(frames: _Frames) -> str | None:
    """Why file names do not order files, and what to do; None where they do."""
    if any(f.sop_instance_uid and f.sop_instance_uid in f.file for f in frames):
        return (
            "the file names are UIDs, which say nothing about the order; rename the files so that"
            " numbers in their names count slices"
        )
    if len({apart_from_numbers(frame.file) for frame in frames}) > 1:
        return (
            "the file names differ in more than a number; rename the files so that numbers in their"
            " names count slices, or move files that are not of the scan into another folder"
        )
    return None


# --- by position ---


def heights_of(frames: _Frames) -> NDArray[np.float64]:
    """mm of each frame along the normal of the first; all have a position and an orientation."""
    positions = np.array([f.position for f in frames], dtype=np.float64)
    return np.asarray(positions @ plane_normal(frames[0].orientation or ()))


def is_even(frames: _Frames) -> bool:
    """Whether the gaps between frames are equal. Each frame has its own position."""
    gaps = np.diff(np.sort(heights_of(frames)))
    return len(gaps) < 2 or not is_uneven(gaps).any()


def places_of(frames: _Frames) -> list[int] | None:
    """For each frame, the number of its position along the normal.

    None where there are no frames, or where the first has no position, orientation or spacing, or
    no valid orientation.
    """
    if not frames:
        return None
    first = frames[0]
    spacing = first.common.pixel_spacing
    if first.position is None or first.orientation is None or spacing is None:
        return None
    try:
        check_orientation(first.orientation)
    except GeometryError:
        return None
    heights = heights_of(frames)
    order = np.argsort(heights, kind="stable")
    steps = np.diff(heights[order]) > SAME_POSITION * min(spacing)
    places = np.empty(len(frames), dtype=np.intp)
    places[order] = np.concatenate([[0], np.cumsum(steps)])
    return [int(place) for place in places]


def in_plane_order(frames: _Frames) -> Ordered:
    """Frames along the normal of their planes. All must have position, orientation and spacing.

    GeometryError where they do not make a stack.
    """
    for frame in {f.orientation: f for f in reversed(frames)}.values():
        try:
            check_orientation(frame.orientation or ())
        except GeometryError as error:
            raise GeometryError(
                f"{files_of([frame])}: {error}. The way out:"
                f" {_ways_out(frame.common.pixel_spacing)}"
            ) from None
    places = places_of(frames)
    assert places is not None
    if len(set(places)) < len(frames):
        raise GeometryError(_coinciding(frames, places))
    ordered = [frame for _, frame in sorted(zip(places, frames, strict=True), key=lambda p: p[0])]
    spacing, written = _spacing(ordered)
    layout = ordered[0].common.layout
    stack = Stack(
        columns=layout.columns,
        rows=layout.rows,
        pixel_spacing=spacing,
        positions=np.array([f.position for f in ordered], dtype=np.float64),
        orientations=np.array([f.orientation for f in ordered], dtype=np.float64),
    )
    return Ordered(tuple(ordered), stack, (*written, *irregularities(stack)))


def _spacing(frames: _Frames) -> tuple[tuple[float, float], list[str]]:
    """The Pixel Spacing that most slices have, and a warning where other slices round it
    differently.
    """
    spacings = Counter(f.common.pixel_spacing for f in frames)
    (most, _), *others = spacings.most_common()
    assert most is not None
    if not others:
        return most, []
    return most, [
        f"Pixel Spacing is written in {len(spacings)} ways that differ by rounding, such as"
        f" {shown(most)} and {shown(others[0][0] or ())}: taken as {shown(most)}"
    ]


def _coinciding(frames: _Frames, places: Sequence[int]) -> str:
    """Why positions do not tell slices apart."""
    counts = Counter(places)
    place, most = counts.most_common(1)[0]
    same = [frame for frame, p in zip(frames, places, strict=True) if p == place]
    heights = np.sort(heights_of(same))
    pixel = min(frames[0].common.pixel_spacing or (0.0, 0.0))
    apart = median(np.diff(heights))
    if len(set(heights.tolist())) == len(frames) > 2 and apart > 0:
        return (
            f"the slices lie {apart:.4g} mm apart, 1/{pixel / apart:,.0f} of a pixel"
            f" ({pixel:.4g} mm): Pixel Spacing {shown(frames[0].common.pixel_spacing or ())} and"
            " Image Position (Patient) contradict each other, as if one of them were in another"
            f" unit ({files_of(frames)}). The way out: correct the one that is wrong, or"
            f" {_ways_out(None)}"
        )
    where = f"{POSITION} {shown(same[0].position or ())}"
    if len(counts) > len(frames) - len(frames) // 4:
        return (
            f"{most} slices lie at one position ({where}) and no attribute tells them apart"
            f" ({files_of(same)}): move those that do not belong to the scan out of the source; or,"
            " if all belong to it and their positions are wrong,"
            f" {_ways_out(frames[0].common.pixel_spacing)}"
        )
    seems = (
        "all slices have this position"
        if len(counts) == 1
        else f"{len(frames)} slices share {len(counts)} positions, as if they had been rounded"
    )
    several = ""
    if len(set(counts.values())) == 1 < len(counts) and not frames[0].common.multiframe:
        seems += f", or as if these were {most} scans of one place"
        several = "put the files of each scan into a folder of its own; or, where it is one scan, "
    return (
        f"{most} slices lie at one position ({where}) and no attribute tells them apart"
        f" ({files_of(same)}): {seems}. The way out:"
        f" {several}{_ways_out(frames[0].common.pixel_spacing)}"
    )
