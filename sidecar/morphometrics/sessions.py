"""Read labelling sessions: the same landmarks of one scan, with one file of map-points for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from sidecar.document.model import Source
from sidecar.errors import LabelError, UsageError, counted
from sidecar.grid.axis import nearest
from sidecar.labels.mapped_file import PointTable, read_points
from sidecar.morphometrics.named_points import NamedPoints, named_points

#: SOP Instance UID and frame number of a slice, as text of the table.
Plane = tuple[str, str]
#: Relative difference between voxel sizes that rounding can cause.
_SAME_VOXEL = 1e-6


@dataclass(frozen=True, eq=False)
class Session:
    """One session, read from one file.

    ``name``: the name of the file, with its folder where two files have one name. ``observer``: who
    labelled, "" where nothing says it. ``planes``: the source slices that its points are nearest
    to, and the instance of each. ``voxel``: mm along columns, rows and slices where the voxel size
    was given by hand.
    """

    name: str
    path: Path
    observer: str
    landmarks: NamedPoints
    series: str
    specimen: str
    planes: dict[int, Plane]
    voxel: tuple[float, float, float] | None


def read_sessions(paths: Sequence[Path], observers: Sequence[str] = ()) -> list[Session]:
    """Read files as sessions, all of one scan.

    ``observers``: one for each file, or one for all. Without any, the column ``observer`` decides.

    UsageError for fewer than two files, for the same file twice, and for a wrong number of
    observers. LabelError for a file that is no CSV of map-points, or that has several scans or
    observers; for files of different scans; and for files that nothing shows to be of one scan.
    """
    if len(paths) < 2:
        raise UsageError(
            "the error of labelling needs two or more files of one scan, one for each session"
        )
    if observers and len(observers) not in (1, len(paths)):
        raise UsageError(
            f"there are {len(paths)} files and {counted(len(observers), 'observer')}; give"
            " --observer once for each file, in the order of the files, or once for all"
        )
    given = [*observers] * (len(paths) if len(observers) == 1 else 1) or [""] * len(paths)
    names = Counter(path.name for path in paths)
    sessions = []
    for path, observer in zip(paths, given, strict=True):
        name = path.name if names[path.name] == 1 else f"{path.absolute().parent.name}/{path.name}"
        sessions.append(_session(name, path, observer.strip()))
    _refuse_other_scans(sessions)
    _refuse_copies(sessions)
    _refuse_unknown_observers(sessions)
    return sessions


def _refuse_copies(sessions: Sequence[Session]) -> None:
    """LabelError for two identical sessions: a copy would count as a session without any error."""
    for one, other in combinations(sessions, 2):
        mine, theirs = one.landmarks, other.landmarks
        if mine.names == theirs.names and np.array_equal(mine.mm, theirs.mm):
            raise LabelError(
                f"has the same landmarks as {one.name}, at the same places to the last digit; give"
                " each session only once",
                other.path,
            )


def _session(name: str, path: Path, observer: str) -> Session:
    table = read_points(path)
    said = _one(
        table,
        "observer",
        "is of {} observers ({}), but a file is one session of one observer; split it",
    )
    if observer and said and observer != said:
        raise LabelError(
            f"is by {said!r} according to its column observer, but by {observer!r} according to"
            " --observer; correct one of them",
            path,
        )
    series = _one(
        table, "series_uid", "is of {} scans (series {}); put each into a file of its own"
    )
    specimens = set(table.specimens)
    if len(specimens) > 1 and not series:
        table.only_specimen("a session")
    return Session(
        name=name,
        path=path,
        observer=observer or said,
        landmarks=named_points(table),
        series=series,
        specimen=specimens.pop() if len(specimens) == 1 else "",
        planes=_planes(table),
        voxel=_voxel(table) if table.is_given else None,
    )


def _one(table: PointTable, column: str, problem: str) -> str:
    """The only value of a column, "" where it is empty. LabelError where it has several values."""
    cells = {cell.strip() for cell in table.table.texts(column) or ()}
    if len(cells) > 1:
        told = ", ".join(repr(cell) for cell in sorted(cells)[:5])
        raise LabelError(problem.format(len(cells), told), table.table.path)
    return cells.pop() if cells else ""


def _planes(table: PointTable) -> dict[int, Plane]:
    columns = table.table
    uids, frames = columns.texts("sop_instance_uid"), columns.texts("frame_number")
    if uids is None or frames is None or columns.name("source_slice") is None:
        return {}
    slices = nearest(columns.numbers("source_slice")).astype(int).tolist()
    return {
        number: (uid.strip(), frame.strip())
        for number, uid, frame in zip(slices, uids, frames, strict=True)
        if uid.strip()
    }


def _voxel(table: PointTable) -> tuple[float, float, float]:
    """Voxel size in mm of a scan whose voxel size was given by hand.

    NaN along an axis on which all points are at 0.
    """
    names = ("source_column", "source_row", "source_slice")
    source = np.column_stack([table.table.numbers(name) for name in names])
    furthest = np.abs(source).argmax(axis=0)
    steps = [
        float(table.mm[row, axis] / source[row, axis]) if source[row, axis] else np.nan
        for axis, row in enumerate(furthest.tolist())
    ]
    return steps[0], steps[1], steps[2]


def _refuse_other_scans(sessions: Sequence[Session]) -> None:
    first = sessions[0]
    for one in sessions[1:]:
        _refuse_other_millimetres(one, first)
    for other, one in combinations(sessions, 2):
        _refuse_contradiction(one, other)
    known, waiting = [first], list(sessions[1:])
    while waiting:
        proved = [one for one in waiting if any(_is_of_one_scan(one, other) for other in known)]
        if not proved:
            one = waiting[0]
            raise LabelError(
                f"nothing in it shows that it is of the same scan as {first.name}: the files have"
                " no instance and no series in common, and they do not name one specimen. If they"
                " are of one scan, add a column specimen with the same name to both",
                one.path,
            )
        known += proved
        waiting = [one for one in waiting if one not in proved]


def _refuse_other_millimetres(one: Session, first: Session) -> None:
    """LabelError where millimetres of two files come from different voxel sizes."""
    if one.voxel is None or first.voxel is None:
        if one.voxel is not first.voxel:
            raise LabelError(
                f"and {first.name}: millimetres of one file come from the headers, but those of"
                " the other come from a voxel size given by hand and run along other axes; map"
                " both files on one export",
                one.path,
            )
        return
    ratios = np.array(one.voxel) / first.voxel
    if (np.abs(ratios - 1) > _SAME_VOXEL).any():  # NaN along an axis of unknown voxel size
        raise LabelError(
            f"has voxels of {_times(one.voxel)} mm, but {first.name} has voxels of"
            f" {_times(first.voxel)} mm; map both on exports with the same --voxel",
            one.path,
        )


def refuse_sessions_off_scan(sessions: Sequence[Session], scan: Source) -> None:
    """LabelError for the first session that is on another scan, or that nothing shows to be on
    this scan.
    """
    known = {
        (plane.sop_instance_uid, str(plane.frame_number or ""), number)
        for number, plane in enumerate(scan.planes)
    }
    for one in sessions:
        if one.series and one.series != scan.series_instance_uid:
            problem = f"is of series {one.series}"
        elif apart := [k for k, plane in one.planes.items() if (*plane, k) not in known]:
            problem = f"has instance {_shown(one.planes[apart[0]])} at source slice {apart[0]}"
        elif not (one.series or one.planes):
            problem = "has neither instances nor a series"
        else:
            continue
        raise LabelError(
            f"{problem}, but the scan of the labels is series {scan.series_instance_uid}; give"
            " sessions of that scan",
            one.path,
        )


def _times(voxel: Iterable[float]) -> str:
    return " × ".join(f"{edge:.6g}" for edge in voxel)


def _refuse_contradiction(one: Session, other: Session) -> None:
    """LabelError where two files cannot be of one scan."""
    problem = _of_two_scans(one, other)
    if problem:
        raise LabelError(
            f"{problem}, so they are not of one scan, and distances between their landmarks are"
            " not errors of labelling; give sessions of one scan",
            one.path,
        )


def _of_two_scans(one: Session, other: Session) -> str:
    """The evidence that two files are of different scans; "" where there is none."""
    if one.series and other.series:
        if one.series != other.series:
            return f"is of series {one.series}, but {other.name} is of series {other.series}"
    elif one.specimen and other.specimen and one.specimen != other.specimen:
        return f"is of specimen {one.specimen!r}, but {other.name} is of {other.specimen!r}"
    for number in sorted(one.planes.keys() & other.planes.keys()):
        mine, theirs = one.planes[number], other.planes[number]
        if mine != theirs:
            return (
                f"has instance {_shown(mine)} at source slice {number}, but {other.name} has"
                f" {_shown(theirs)} there"
            )
    there = {plane: number for number, plane in other.planes.items()}
    for number, plane in sorted(one.planes.items()):
        if there.get(plane, number) != number:
            return (
                f"has instance {_shown(plane)} at source slice {number}, but {other.name} has it"
                f" at slice {there[plane]}"
            )
    return ""


def _shown(plane: Plane) -> str:
    uid, frame = plane
    return f"{uid}, frame {frame}" if frame else uid


def _is_of_one_scan(one: Session, other: Session) -> bool:
    return bool(
        (one.series and one.series == other.series)
        or (one.specimen and one.specimen == other.specimen)
        or one.planes.items() & other.planes.items()
    )


def _refuse_unknown_observers(sessions: Sequence[Session]) -> None:
    """LabelError where only some files say who labelled."""
    unknown = [one for one in sessions if not one.observer]
    if unknown and len(unknown) < len(sessions):
        raise LabelError(
            "does not say who labelled, but other files do; name the observer of each file with"
            " --observer, or in a column observer",
            unknown[0].path,
        )
