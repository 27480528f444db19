"""What is measured of mapped points, and how specimens are laid onto each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sidecar.api.spelling import in_python
from sidecar.errors import UsageError

if TYPE_CHECKING:
    from sidecar.api.points import Points
    from sidecar.labels.mapped_file import PointTable
    from sidecar.morphometrics.align import Fit
    from sidecar.morphometrics.measured import Kind, Measured

#: The names of points, in order.
Names = Sequence[str]


@in_python
def measure(
    mapped: Points | str | Path,
    *,
    distance: Sequence[Names] = (),
    path: Sequence[Names] = (),
    angle: Sequence[Names] = (),
    area: Sequence[Names] = (),
) -> list[Measured]:
    """Distances, path lengths, angles and areas of mapped points, each with the most that
    decimation can have changed it; specimens each on their own. Where nothing is asked for: the
    distance of every two named points, the length of every line, the area of every polygon.

    Args:
        mapped: mapped points, or the CSV that `Points.write` makes.
        distance: pairs of names: [("left eye", "right eye")].
        path: names of points along a path.
        angle: three names each; the angle is at the second.
        area: names of the vertices of a flat polygon, in order.

    Returns:
        The measures of each specimen, in this order.

    Raises:
        LabelError: a name that no point has, or more than one; points that make no such measure; a
            scan without millimetres.
        UsageError: everything would be more than 200 distances.

    Examples:
        >>> (found,) = sidecar.measure("mapped.csv", distance=[("bregma", "lambda")])
        >>> f"{found.value:.4f} ± {found.uncertainty:.4f} {found.unit}"
        '2.1794 ± 0.0693 mm'
    """
    from sidecar.morphometrics.measured import measure_table

    asked: dict[Kind, Sequence[Names]] = {
        "distance": distance,
        "path": path,
        "angle": angle,
        "area": area,
    }
    for keyword, several in asked.items():
        _refuse_one(keyword, several)
    with _table(mapped) as table:
        return measure_table(table, asked)


@dataclass(frozen=True, eq=False)
class Aligned:
    """Points in another frame.

    ``names``   of the N points, "" where they have none.
    ``mm``      (N, 3) where they are in the new frame.
    ``matrix``  (4, 4): new = matrix · (x, y, z, 1), from LPS mm, or from mm along columns, rows and
                slices where the voxel size was given by hand.
    ``fit``     what is left of each landmark, where they were laid onto another specimen.
    """

    names: tuple[str, ...]
    mm: NDArray[np.float64]
    matrix: NDArray[np.float64]
    fit: Fit | None

    def __repr__(self) -> str:
        left = "" if self.fit is None else f", {self.fit.rms_mm:.4g} mm left (rms)"
        return f"<Aligned: {len(self.names)} points{left}>"


@in_python
def align(
    mapped: Points | str | Path,
    *,
    onto: Points | str | Path | None = None,
    similarity: bool = False,
    frame: tuple[str | Names, str | Names, str | Names] | None = None,
) -> Aligned:
    """Move mapped points into an anatomical frame made of landmarks, or onto the landmarks of
    another specimen. A mirror image is never taken: where one would fit much better, that is an
    error.

    Args:
        mapped: mapped points, or the CSV that `Points.write` makes.
        onto: those of the specimen to fit to, by common names.
        similarity: with ``onto``: let one scale for all directions vary too.
        frame: landmarks for 0, for the x axis, and beside it: a name each, or several whose middle
            is meant.

    Returns:
        The points where they are now, and the matrix.

    Raises:
        UsageError: neither or both of ``onto`` and ``frame``.
        LabelError: several specimens, unknown or ambiguous names, fewer than three landmarks,
            landmarks on a line, or a mirror image that fits much better.
        MissingExtraError: scipy is not installed, for ``onto``.

    Examples:
        >>> moved = sidecar.align("mapped.csv", frame=("bregma", "lambda", "nasion"))
        >>> moved.mm[0].round(9).tolist(), moved.mm[1, 1:].round(9).tolist()
        ([0.0, 0.0, 0.0], [0.0, 0.0])
    """
    from sidecar.morphometrics.align import anatomical_frame, fit_rigid, fit_similarity

    if (onto is None) == (frame is None):
        raise UsageError("give one of onto and frame")
    if similarity and onto is None:
        raise UsageError("similarity=True goes with onto")
    with _table(mapped) as table:
        table.only_specimen("align")
        fit = None
        if onto is not None:
            with _table(onto) as fixed:
                fixed.only_specimen("align")
                fit_onto = fit_similarity if similarity else fit_rigid
                fit = fit_onto(table.positions(), fixed.positions())
            matrix = fit.matrix
        else:
            matrix = anatomical_frame(table.positions(), *_places(frame))
        mm = table.mm @ matrix[:3, :3].T + matrix[:3, 3]
        return Aligned(table.names, mm, matrix, fit)


def _places(frame: object) -> list[list[str]]:
    places = (
        [[x] if isinstance(x, str) else list(x) for x in frame]
        if isinstance(frame, Sequence)
        else []
    )
    if isinstance(frame, str) or len(places) != 3 or not all(places):
        raise UsageError(
            "frame: three places are expected, such as ('nasion', 'inion', ('left ear',"
            " 'right ear'))"
        )
    return places


def _refuse_one(keyword: str, several: Sequence[Names]) -> None:
    """UsageError for one measure where several are expected: its names would be taken for
    letters.
    """
    if any(isinstance(names, str) for names in (several, *several)):
        raise UsageError(
            f"{keyword}: a list of measures is expected, each with the names of its points, such as"
            f" {keyword}=[('left eye', 'right eye')]"
        )


@contextmanager
def _table(mapped: Points | str | Path) -> Iterator[PointTable]:
    """The points as the CSV that they are written to has them, where every number is the same to
    its last bit: what is measured of both is the same.
    """
    from sidecar.labels.mapped_file import read_points

    if isinstance(mapped, (str, Path)):
        yield read_points(Path(mapped))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "points.csv")
        mapped.write(path)
        yield read_points(path)
