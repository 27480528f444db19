"""Is a stack of slices the scan that a document knows, with the same geometry? Pure: no files.

All commands use `closest` to answer this. A scan is recognised by the SOP instances of its slices,
in their order, and by the geometry of every slice. File names, folders and times of copies do not
matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import counted
from sidecar.grid.stack import Floats, Stack

if TYPE_CHECKING:
    from sidecar.dicom.stacks.series import Series

#: Largest difference between numbers that are copied, or computed again, perhaps on another
#: machine: relative, or in their unit.
SAME_NUMBER = 1e-9

#: A message lists up to so many slices.
LISTED = 5

#: SOP Instance UID, and 1-based frame number, which is None in a single-frame instance.
Key = tuple[str, int | None]


@dataclass(frozen=True, eq=False)
class KnownScan:
    """A scan as a document knows it.

    ``planes``: the instance of every slice, in order. ``files``: the file of each, relative to the
    source at that time. ``columns, rows``: pixels of each slice. ``stack``: the geometry, None
    where the source had none.
    """

    planes: tuple[Key, ...]
    files: tuple[str, ...]
    columns: int
    rows: int
    stack: Stack | None

    def __repr__(self) -> str:
        return f"<KnownScan: {len(self.planes)} slices of {self.columns} × {self.rows}>"

    @property
    def has_own_uids(self) -> bool:
        """Whether every slice has its own instance UID. If not, the UIDs prove nothing: any
        other scan without UIDs agrees with them.
        """
        return len(set(self.planes)) == len(self.planes) and all(uid for uid, _ in self.planes)


@dataclass(frozen=True, slots=True)
class ScanDifference:
    """How a stack differs from the known scan, in words, and what to do.

    ``about``: *instances*, it has others; *copies*, there are several copies of it; *stack*, its
    instances make another stack, or none; *images*, they have another size; *planes*, they lie
    elsewhere in the patient.
    """

    about: Literal["instances", "copies", "stack", "images", "planes"]
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ScanMatch:
    """The stack that is the known scan, or the most similar one, and how it differs. ``series``
    is None where no stack shares an instance with the scan.
    """

    series: Series | None
    difference: ScanDifference | None


#: What to do where the slices are the same, but were changed.
_AS_IT_WAS = "give the scan as it was then, or export it again as it is now"


def closest(known: KnownScan, found: Sequence[Series]) -> ScanMatch:
    """The stack among ``found`` that is the known scan. Of several copies it is the one in the
    files that the document names.

    Otherwise the stack that shares most instances with the scan, and how it differs.
    """
    whole = [series for series in found if len(series.frames) == len(known.planes)]
    same = [series for series in whole if difference(known, series) is None]
    if same:
        at_home = [_at_home(known, series) for series in same]
        copies = [s for s, files in zip(same, at_home, strict=True) if files == max(at_home)]
        return ScanMatch(copies[0], None if len(copies) == 1 else _several(copies))
    wanted = set(known.planes)

    def shared(series: Series) -> tuple[int, int, int]:
        keys = keys_of(series)
        return sum(key in wanted for key in keys), -len(keys), _at_home(known, series)

    best = max(found, key=shared, default=None)
    if best is None or not shared(best)[0]:
        count = len(known.planes)
        return ScanMatch(
            None,
            ScanDifference(
                "instances",
                f"none of its {counted(count, 'slice')} is there (they are known by their SOP"
                " Instance UIDs)",
                "give the folder of that scan",
            ),
        )
    return ScanMatch(best, difference(known, best))


def keys_of(series: Series) -> tuple[Key, ...]:
    """The keys by which its slices are recognised, in order."""
    return tuple((frame.sop_instance_uid, frame.frame_number) for frame in series.frames)


def _at_home(known: KnownScan, series: Series) -> int:
    """The number of frames that are in the files that the document names."""
    home = dict(zip(known.planes, known.files, strict=True))
    return sum(
        home.get(key) == frame.file
        for key, frame in zip(keys_of(series), series.frames, strict=True)
    )


def _several(copies: Sequence[Series]) -> ScanDifference:
    files = ", ".join(series.frames[0].file for series in copies[:3])
    return ScanDifference(
        "copies",
        f"{len(copies)} stacks have the same slices and geometry but other pixels, in {files}",
        "move the copies that the sidecar was not made from into another folder",
    )


def difference(known: KnownScan, series: Series) -> ScanDifference | None:
    """The first difference between a stack and the known scan; None where there is none."""
    missing = _instances(known.planes, keys_of(series))
    if missing is not None:
        return missing
    if series.problem is not None:
        return ScanDifference(
            "stack", f"its slices no longer make a stack: {series.problem}", _AS_IT_WAS
        )
    if keys_of(series) != known.planes:
        return ScanDifference(
            "stack", "its slices are in another order: their positions were changed", _AS_IT_WAS
        )
    layout = series.common.layout
    if (layout.columns, layout.rows) != (known.columns, known.rows):
        return ScanDifference(
            "images",
            f"its images have {layout.columns} × {layout.rows} pixels, but had"
            f" {known.columns} × {known.rows}",
            _AS_IT_WAS,
        )
    moved = _moved(known.stack, series.stack)
    return None if moved is None else ScanDifference("planes", moved, _AS_IT_WAS)


def _instances(wanted: Sequence[Key], there: Sequence[Key]) -> ScanDifference | None:
    here, known = set(there), set(wanted)
    missing = [k for k, key in enumerate(wanted) if key not in here]
    more = len(here - known)
    if not missing and not more:
        return None
    found = []
    if len(missing) == 1:
        found.append(f"slice {missing[0]} (0-based) of {len(wanted)} is missing")
    elif missing:
        first = ", ".join(map(str, missing[:LISTED])) + " …" * (len(missing) > LISTED)
        found.append(f"{len(missing)} of {len(wanted)} slices are missing: {first} (0-based)")
    if more:
        found.append("1 more slice is there" if more == 1 else f"{more} more slices are there")
    return ScanDifference(
        "instances",
        ", and ".join(found),
        "copy what is missing, or give the folder of the whole scan"
        if missing
        else "move the slices that do not belong to it to another folder",
    )


def _moved(was: Stack | None, now: Stack | None) -> str | None:
    """How the planes of two stacks of the same slices differ, in words."""
    if was is None or now is None:
        if was is now:
            return None
        return (
            "its slices have a patient position, but had none"
            if was is None
            else "its slices no longer have a patient position"
        )
    found = [_spacing(was, now), _turned(was, now), _shifted(was, now)]
    return "; ".join(words for words in found if words) or None


def _spacing(was: Stack, now: Stack) -> str | None:
    if not _differ(np.array(was.pixel_spacing), np.array(now.pixel_spacing)).any():
        return None
    (rows, columns), (rows_then, columns_then) = now.pixel_spacing, was.pixel_spacing
    return (
        f"its Pixel Spacing is {rows:.12g} × {columns:.12g} mm, but was {rows_then:.12g} ×"
        f" {columns_then:.12g} mm"
    )


def _turned(was: Stack, now: Stack) -> str | None:
    changed = np.any(_differ(was.orientations, now.orientations), axis=1)
    if not changed.any():
        return None
    apart = np.linalg.norm((now.orientations - was.orientations).reshape(-1, 2, 3), axis=2)
    degrees = np.degrees(2 * np.arcsin(np.minimum(apart.max(axis=1) / 2, 1)))
    alike = bool(np.ptp(degrees) <= SAME_NUMBER)
    return f"{_which(changed, degrees, alike)} turned by {degrees.max():.3g}°"


def _shifted(was: Stack, now: Stack) -> str | None:
    changed = np.any(_differ(was.positions, now.positions), axis=1)
    if not changed.any():
        return None
    shifts = now.positions - was.positions
    mm = np.linalg.norm(shifts, axis=1)
    alike = bool(np.ptp(shifts, axis=0).max() <= SAME_NUMBER)
    worst = int(np.argmax(mm))
    x, y, z = (f"{round(shift, 6) + 0.0:g}" for shift in shifts[worst].tolist())
    return f"{_which(changed, mm, alike)} {mm[worst]:.3g} mm from where it was, by ({x}, {y}, {z})"


def _which(changed: NDArray[np.bool_], by: Floats, alike: bool) -> str:
    """Which slices changed. Where they changed differently, also which one changed most."""
    worst, count = int(np.argmax(by)), int(np.count_nonzero(changed))
    if count == 1:
        return f"slice {worst} (0-based) is"
    if alike:
        return "every slice is"
    return f"{count} of {len(changed)} slices differ, slice {worst} (0-based) most: it is"


def _differ(one: Floats, other: Floats) -> NDArray[np.bool_]:
    largest = np.maximum(1, np.maximum(np.abs(one), np.abs(other)))
    return np.asarray(np.abs(one - other) > SAME_NUMBER * largest)
