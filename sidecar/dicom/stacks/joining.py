"""Stacks that the user joins to one. Pure.

They may differ only in a number that a program wrote: a Series Instance UID per file, or an
acquisition per part. They are joined where their slices fit together. Otherwise the join is
refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.differences import Difference
from sidecar.dicom.stacks.grouping import Group, unlike
from sidecar.dicom.stacks.ordering import Arrange, in_slice_order
from sidecar.dicom.stacks.series import Series, listed
from sidecar.errors import GeometryError, SidecarError, UsageError
from sidecar.formats.natural_order import natural_order


def choose_joined(
    series: Sequence[Series], wanted: str | None, arrange: Arrange = in_slice_order
) -> Series:
    """The stack that the stacks named by ``--series`` make together.

    ``wanted``: None or "all" for all stacks, numbers such as 1,3-5, or their Series Instance UID.

    Raises UsageError for numbers that do not exist, GeometryError where the stacks cannot be one.
    """
    if wanted in (None, "all"):
        return joined(series, arrange)
    chosen = [one for one in series if one.common.series_instance_uid == wanted]
    numbers = set() if chosen else _numbers(wanted or "")
    chosen = chosen or [one for one in series if one.number in numbers]
    if len(chosen) < max(len(numbers), 2):
        raise UsageError(
            f"--join needs two stacks or more, but --series {wanted} names {len(chosen)} of those"
            f" that are here; give their numbers, such as 1,3-5. The stacks are:\n{listed(series)}"
        )
    return joined(chosen, arrange)


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()):
            raise UsageError(f"--series {text} with --join: give numbers of stacks, such as 1,3-5")
        found.update(range(int(first), min(int(last or first), int(first) + 10_000) + 1))
    return found


def joined(stacks: Sequence[Series], arrange: Arrange = in_slice_order) -> Series:
    """One stack with all slices of ``stacks``, made by ``arrange``.

    Raises GeometryError with the reason why they cannot be one.
    """
    if len(stacks) == 1:
        raise UsageError("--join: there is only one stack here, so there is nothing to join")
    frames = [frame for one in stacks for frame in one.frames]
    frames.sort(key=lambda frame: (natural_order(frame.file), frame.frame))
    parts = unlike(frames)
    if parts:
        raise GeometryError(
            f"--join: these {len(stacks)} stacks cannot be one: {_named(parts[0].apart)}"
            + _some_that_can(stacks, max(parts, key=lambda part: len(part.frames)))
        )
    try:
        ordered = arrange(frames)
    except GeometryError as error:
        raise GeometryError(f"--join: these {len(stacks)} stacks cannot be one: {error}") from None
    parted = [one for stack in stacks for one in stack.split]
    told = f"{len(stacks)} stacks were joined (--join); their differences: {_named(parted)}"
    return Series(
        number=stacks[0].number,
        frames=ordered.frames,
        stack=ordered.stack,
        split=(),
        warnings=(told, *ordered.warnings),
        problem=None,
        standing=(told,),
    )


def _some_that_can(stacks: Sequence[Series], part: Group) -> str:
    """An option that joins the stacks whose frames are in ``part``; "" where there are fewer
    than two.
    """
    there = {(frame.file, frame.frame) for frame in part.frames}
    numbers = [one.number for one in stacks if (one.frames[0].file, one.frames[0].frame) in there]
    if len(numbers) < 2:
        return ""
    return f". Some of them may be one: --series {_ranges(numbers)} --join"


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in the form that `_numbers` reads: "1,3-5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _named(differences: Iterable[Difference]) -> str:
    return ", ".join(dict.fromkeys(one.attribute for one in differences))


def with_joined(
    series: Sequence[Series], wanted: Collection[tuple[str, int | None]], arrange: Arrange
) -> list[Series]:
    """The stacks, and one more: the join of the stacks that hold ``wanted`` SOP instances or
    frames. So the scan of a document of joined stacks is recognised.
    """

    def holds(frame: Frame) -> bool:
        return (frame.sop_instance_uid, frame.frame_number) in wanted

    parts = [one for one in series if any(map(holds, one.frames))]
    if len(parts) < 2 or len(parts) > len(wanted):
        return list(series)
    try:
        return [*series, joined(parts, arrange)]
    except SidecarError:
        return list(series)
