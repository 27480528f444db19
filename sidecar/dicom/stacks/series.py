"""Frames of many files → the stacks in them, numbered, and the choice of one. Pure: no files.

`duplicates` leaves out copies. `grouping` separates what cannot be one stack. `ordering` puts each
group in order. Nothing is guessed: every stack is listed with its differences from the others, and
where there are several, the user chooses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise

from sidecar.dicom.headers.frame import Common, Frame
from sidecar.dicom.stacks.differences import Difference
from sidecar.dicom.stacks.duplicates import Duplicate, without_duplicates
from sidecar.dicom.stacks.grouping import Group, groups_of, unlike
from sidecar.dicom.stacks.mixed import mixed
from sidecar.dicom.stacks.ordering import Arrange, in_slice_order, places_of
from sidecar.dicom.stacks.real_world import real_world_notes
from sidecar.errors import (
    AmbiguousSeriesError,
    GeometryError,
    SidecarError,
    SourceError,
    UsageError,
    counted,
    printable,
)
from sidecar.formats.natural_order import natural_order
from sidecar.grid.stack import Stack
from sidecar.storage.location import Stamp
from sidecar.values.lookup_table import LookupTable

#: A message lists up to so many stacks of one source.
LISTED_STACKS = 12


@dataclass(frozen=True)
class Series:
    """One stack that could be exported, with its frames in position order.

    ``split``: its differences from the other stacks of the source. ``problem``: why it cannot be
    exported. ``standing``: the ``warnings`` that do not depend on the order and place of its
    slices.
    """

    number: int
    frames: tuple[Frame, ...]
    stack: Stack | None
    split: tuple[Difference, ...]
    warnings: tuple[str, ...]
    problem: str | None
    standing: tuple[str, ...] = ()

    @property
    def common(self) -> Common:
        return self.frames[0].common

    @cached_property
    def frame_of_reference_uid(self) -> str | None:
        """The UID that all slices have; None where they have none, or several."""
        uids = {frame.common.frame_of_reference_uid for frame in self.frames}
        return uids.pop() if len(uids) == 1 else None

    @cached_property
    def rescale_unit(self) -> str | None:
        """The unit that the headers of all slices state; None where they differ."""
        units = {frame.common.rescale_unit for frame in self.frames}
        return units.pop() if len(units) == 1 else None

    @cached_property
    def implied_unit(self) -> str | None:
        """`Common.implied_unit`, where it is that of all slices."""
        units = {frame.common.implied_unit for frame in self.frames}
        return units.pop() if len(units) == 1 else None

    @cached_property
    def rescales(self) -> frozenset[tuple[float, float]]:
        """Rescale Slope and Intercept of all slices."""
        return frozenset(frame.rescale for frame in self.frames)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of its slices, in natural order."""
        return tuple(sorted({frame.file for frame in self.frames}, key=natural_order))

    @cached_property
    def stamps(self) -> dict[str, Stamp]:
        """The stamp of every file, from before its header was read."""
        return {frame.file: frame.stamp for frame in self.frames}

    @property
    def place(self) -> str:
        """The number of files, and their folder. A single file has its name."""
        files = self.files
        if len(files) == 1:
            return f"1 file, {printable(files[0])}"
        folders = sorted({frame.folder for frame in self.frames}, key=natural_order)
        if folders == [""]:
            return f"{len(files)} files"
        named = [printable(folder) or "." for folder in folders[:3]]
        more = f" and {len(folders) - 3} more folders" if len(folders) > 3 else ""
        return f"{len(files)} files in {', '.join(named)}{more}"

    @property
    def name(self) -> str:
        """One line for a message: number, description, size, place, and its differences from
        other stacks.
        """
        common, layout = self.common, self.common.layout
        parts = [
            " ".join(filter(None, [common.modality, printable(common.description)])),
            f"{layout.columns} × {layout.rows} × {len(self.frames)}",
            self.place,
        ]
        return f"{self.number}: " + ", ".join(parts) + "".join(f"; {text}" for text in self.split)


def find_series(frames: Iterable[Frame], arrange: Arrange = in_slice_order) -> list[Series]:
    """Every stack in ``frames``, numbered from 1. The order is by Series Number, then UID, then
    size.

    ``arrange`` makes stacks of groups of frames.
    """
    in_order = sorted(frames, key=lambda f: (natural_order(f.file), f.frame))
    kept, duplicates = without_duplicates(in_order)
    made = (_make_series(group, duplicates, arrange) for group in groups_of(kept))
    found = sorted(made, key=_numbering)
    return [replace(series, number=i + 1) for i, series in enumerate(found)]


def _numbering(series: Series) -> tuple[Hashable, ...]:
    common = series.common
    return (
        common.series_number is None,
        common.series_number or 0,
        natural_order(common.study_instance_uid),
        natural_order(common.series_instance_uid),
        -len(series.frames),
    )


def _make_series(group: Group, duplicates: Sequence[Duplicate], arrange: Arrange) -> Series:
    """The stack of a group. Where its frames make none, ``problem`` says why."""
    left_out = _left_out(group, duplicates)
    try:
        ordered = arrange(group.frames)
        _refuse_several_tables(group.frames)
    except SidecarError as error:
        return Series(0, group.frames, None, group.apart, left_out, str(error), left_out)
    notes = (*mixed(group.frames), *real_world_notes(group.frames))
    warnings = (*left_out, *ordered.warnings, *notes)
    standing = (*left_out, *notes)
    return Series(0, ordered.frames, ordered.stack, group.apart, warnings, None, standing)


def _refuse_several_tables(frames: Sequence[Frame]) -> None:
    """SourceError where slices have different lookup tables. PNGs of one stack must have one
    meaning.
    """
    files: dict[LookupTable | None, str] = {}
    for frame in frames:
        files.setdefault(frame.common.table, frame.file)
    if len(files) > 1:
        named = " and ".join(map(printable, list(files.values())[:2]))
        raise SourceError(
            f"Modality LUT Sequence differs between slices ({len(files)} kinds, such as those of"
            f" {named}). A document holds only one table; export the slices of each kind separately"
        )


def _left_out(group: Group, duplicates: Sequence[Duplicate]) -> tuple[str, ...]:
    """A warning about the copies of a group's frames."""
    here = {(frame.file, frame.frame) for frame in group.frames}
    copies = {
        copy.frame.file: copy.original.file
        for copy in duplicates
        if (copy.original.file, copy.original.frame) in here
    }
    if not copies:
        return ()
    named = ", ".join(
        printable(f"{file} (as {original})") for file, original in list(copies.items())[:3]
    )
    return (
        f"{counted(len(copies), 'duplicate file')} left out, with the same pixels and geometry as"
        f" other files: {named}" + " …" * (len(copies) > 3),
    )


def choose(series: Sequence[Series], wanted: str | None) -> list[Series]:
    """The stacks that ``--series`` means: a number of the inspect table, a Series Instance UID,
    "all", or None for the only stack.

    Raises AmbiguousSeriesError, which lists the choices, where several stacks fit. UsageError where
    none fits.
    """
    if not series:
        raise SourceError("no DICOM images found here")
    if wanted == "all":
        usable = [s for s in series if s.problem is None]
        if not usable:
            raise SourceError(
                f"none of the stacks here can be exported. The first one: {series[0].problem}"
            )
        return usable
    fitting = (
        list(series)
        if wanted is None
        else [s for s in series if wanted in (str(s.number), s.common.series_instance_uid)]
    )
    if not fitting:
        raise UsageError(
            f"--series {wanted}: there is no such stack here. The stacks are:\n{listed(series)}"
        )
    if len(fitting) > 1:
        raise AmbiguousSeriesError(
            f"there are {len(fitting)} stacks of slices here; {ways_to_choose(fitting)}:\n"
            + listed(fitting)
        )
    if fitting[0].problem is not None:
        raise GeometryError(fitting[0].problem)
    return fitting


def ways_to_choose(series: Sequence[Series]) -> str:
    """The options for several stacks. Joining them, or some of them, is offered only where
    nothing contradicts it.
    """
    one, each = "choose one with --series NUMBER", "all with --series all"
    if _may_be_one(series):
        return f"{one}, {each}, or join them to one with --join"
    if any(map(_may_be_one, pairwise(series))):
        return f"{one}, {each}, or join some of them with --series 1,3-5 --join"
    return f"{one}, or {each}"


def _may_be_one(series: Sequence[Series]) -> bool:
    """Whether stacks do not contradict each other, and share no positions if they have several
    slices. Time points, for example, share positions.
    """
    if unlike([frame for stack in series for frame in stack.frames]):
        return False
    volumes = [s for s in series if s.stack is not None and len(s.frames) > 1]
    places = iter(places_of([frame for volume in volumes for frame in volume.frames]) or ())
    own = [set(islice(places, len(volume.frames))) for volume in volumes]
    return sum(map(len, own)) == len(set[int]().union(*own))


def listed(series: Sequence[Series]) -> str:
    """Stacks for a message, one per line."""
    lines = [f"  {s.name}" for s in series[:LISTED_STACKS]]
    return "\n".join(
        lines + [f"  … and {len(series) - LISTED_STACKS} more"] * (len(series) > LISTED_STACKS)
    )
