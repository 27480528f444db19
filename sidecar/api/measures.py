"""Measure mapped points, and align specimens with each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sidecar.api.spelling import as_keywords, in_python
from sidecar.api.writing import write_folder, write_output
from sidecar.errors import UsageError, counted
from sidecar.storage.names import is_plain

if TYPE_CHECKING:
    from sidecar.api.points import Points
    from sidecar.labels.mapped_file import PointTable
    from sidecar.morphometrics.align import Fit
    from sidecar.morphometrics.aligned import Alignment, Group
    from sidecar.morphometrics.measured import Kind, Measured
    from sidecar.morphometrics.repeats import Repeats

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
    """Measure distances, path lengths, angles and areas of mapped points.

    Each value has an uncertainty: the most that decimation can have changed it. Each specimen is
    measured separately. Without any of ``distance``, ``path``, ``angle`` and ``area``: the distance
    between every two named points, the length of every line, and the area of every polygon.

    Args:
        mapped: mapped points, or the CSV that `Points.write` makes.
        distance: pairs of names: [("left eye", "right eye")].
        path: for each path, the names of its points in order.
        angle: three names each; the angle is at the second.
        area: for each flat polygon, the names of its vertices in order.

    Returns:
        The measures of each specimen, in this order.

    Raises:
        LabelError: no point has this name, or several have it; the points do not allow this
            measure; or the scan has no millimetres.
        UsageError: nothing is asked for, and there would be more than 200 distances.

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


@in_python
def measure_repeats(
    sessions: Sequence[Points | str | Path], *, observers: Names | None = None
) -> Repeats:
    """Measure the error of labelling: how far apart each landmark lies in several labelling
    sessions of one scan.

    The error is given within and between observers, before and after superimposing the sessions.

    Args:
        sessions: mapped points, or the CSVs that `Points.write` makes; two or more, one for each
            session.
        observers: who labelled, in the order of the sessions. Without it, the column observer
            decides.

    Returns:
        The errors of each landmark, those of all landmarks together, and notes on what is unknown.

    Raises:
        LabelError: sessions are on different scans, or nothing shows that they are on the same
            scan; two sessions are identical; or one session has several observers.
        UsageError: there are fewer than two sessions, or another number of observers.
        MissingExtraError: scipy, which superimposing needs, is not installed.

    Examples:
        >>> found = sidecar.measure_repeats(["mapped.csv", "again.csv"], observers=["anna", "anna"])
        >>> [(one.landmark, one.sessions) for one in found.landmarks][:2]
        [('bregma', 2), ('lambda', 2)]
        >>> f"{found.intra_observer_mm:.4f} mm"
        '0.0071 mm'
    """
    from sidecar.morphometrics.repeats import repeats_of
    from sidecar.morphometrics.sessions import read_sessions

    if isinstance(sessions, (str, Path)) or isinstance(observers, str):
        raise UsageError("sessions and observers must be lists, with one entry for each session")
    if observers is not None and len(observers) != len(sessions):
        raise UsageError(
            f"there are {len(sessions)} sessions and {counted(len(observers), 'observer')}; give"
            " one observer for each session"
        )
    with _files(sessions) as paths:
        return repeats_of(read_sessions(paths, observers or ()))


@dataclass(frozen=True, eq=False)
class Aligned:
    """Points in another frame.

    ``names``   the names of the N points, "" where a point has none.
    ``mm``      (N, 3) their positions in the new frame.
    ``matrix``  (4, 4): new = matrix · (x, y, z, 1), from LPS mm. Where the voxel size was given by
                hand, from mm along columns, rows and slices.
    ``fit``     the residual of each landmark, if the points were fitted to another specimen.
    """

    names: tuple[str, ...]
    mm: NDArray[np.float64]
    matrix: NDArray[np.float64]
    fit: Fit | None
    _alignment: Alignment = field(repr=False)
    _inputs: tuple[Path, ...] = field(repr=False)

    def __repr__(self) -> str:
        residual = "" if self.fit is None else f", residual {self.fit.rms_mm:.4g} mm (rms)"
        return f"<Aligned: {counted(len(self.names), 'point')}{residual}>"

    @in_python
    def write(self, output: str | Path, *, to: str | None = None) -> tuple[str, ...]:
        """Write the points as ``sidecar align -o`` does, whole or not at all.

        A CSV holds all columns of the mapped points. Other formats of map-points hold the
        landmarks; formats that belong to a scan are refused.

        Args:
            output: the file.
            to: the format. Without it, the ending of the file decides.

        Returns:
            Notes on the file, a sentence each.

        Raises:
            UsageError: there is no such format, or it belongs to a scan.
            LabelError: the points do not fit the format.
            OutputError: the file cannot be written.
        """
        from sidecar.labels.writers import landmark_writer_for

        target, one = Path(output), self._alignment
        writer = landmark_writer_for(target, to, is_given=one.transform.is_given)
        notes = write_output(target, self._inputs, lambda path: one.points.write(writer, path))
        return tuple(map(as_keywords, notes))

    @in_python
    def write_matrix(self, output: str | Path) -> None:
        """Write the matrix. The ending of the file decides the format: .tfm is an ITK transform
        that 3D Slicer opens; the others are .json and .txt.

        Raises:
            UsageError: the file has another ending, or .tfm where the voxel size was given by hand.
            OutputError: the file cannot be written.
        """
        from sidecar.morphometrics.transform_files import transform_text

        target = Path(output)
        _write_text(target, self._inputs, transform_text(self._alignment.transform, target.name))

    @in_python
    def write_residuals(self, output: str | Path) -> None:
        """Write the residual of each landmark as CSV.

        Raises:
            UsageError: the points were not fitted to another specimen.
            OutputError: the file cannot be written.
        """
        from sidecar.morphometrics.aligned import table_text

        _write_text(Path(output), self._inputs, table_text(self._alignment.residual_columns()))


@in_python
def align(
    mapped: Points | str | Path,
    *,
    onto: Points | str | Path | None = None,
    similarity: bool = False,
    frame: tuple[str | Names, str | Names, str | Names] | None = None,
    mirror: bool = False,
) -> Aligned:
    """Move mapped points into an anatomical frame made of landmarks, or onto the landmarks of
    another specimen.

    It is an error if a mirror image would fit much better, unless ``mirror`` is given.

    Args:
        mapped: mapped points, or the CSV that `Points.write` makes.
        onto: the points of the specimen to fit to; landmarks of the same name are paired.
        similarity: with ``onto``: also fit one scale for all directions.
        frame: landmarks of the origin, of the x axis, and of the x-y plane. Each is one name, or
            several names whose middle is meant.
        mirror: with ``onto``: take the mirror image if it fits much better.

    Returns:
        The points at their new positions, and the matrix.

    Raises:
        UsageError: neither or both of ``onto`` and ``frame`` are given.
        LabelError: there are several specimens, unknown or ambiguous names, fewer than three
            landmarks, or landmarks on a line; or a mirror image fits much better.
        MissingExtraError: scipy, which ``onto`` needs, is not installed.

    Examples:
        >>> moved = sidecar.align("mapped.csv", frame=("bregma", "lambda", "nasion"))
        >>> (moved.mm[0].round(6) + 0).tolist(), (moved.mm[1, 1:].round(6) + 0).tolist()
        ([0.0, 0.0, 0.0], [0.0, 0.0])
        >>> moved.write("framed.mrk.json"), moved.write_matrix("framed.tfm")
        ((), None)
    """
    from sidecar.morphometrics.aligned import align_onto, align_to_frame

    if (onto is None) == (frame is None):
        raise UsageError("give either onto or frame")
    for keyword, value in (("similarity", similarity), ("mirror", mirror)):
        if value and onto is None:
            raise UsageError(f"{keyword}=True goes only with onto")
    with _table(mapped) as table:
        if onto is not None:
            with _table(onto) as fixed:
                found = align_onto(table, fixed, similarity=similarity, mirror=mirror)
        else:
            found = align_to_frame(table, _places(frame))
    inputs = tuple(Path(one) for one in (mapped, onto) if isinstance(one, (str, Path)))
    matrix = found.transform.matrix
    return Aligned(table.names, found.points.mm, matrix, found.fit, found, inputs)


@dataclass(frozen=True, eq=False)
class AlignedGroup:
    """n specimens superimposed on their mean by p landmarks.

    ``specimens``          n names.
    ``landmarks``          p names of landmarks that all specimens have.
    ``mm``                 (n, p, 3) their positions; the centroid of each specimen is 0. Where
                           scales may vary, mm at the root mean square of the centroid sizes.
    ``mean``               (p, 3) the mean shape.
    ``residual_mm``        (n, p) distances from the mean shape.
    ``centroid_size_mm``   (n,) before any scaling.
    ``shape_distance_rad`` (n,) Riemannian distance from the mean shape.
    ``matrices``           (n, 4, 4): new = matrix · (x, y, z, 1).
    ``mirrored``           (n,) whether the mirror image of the specimen was taken.
    ``notes``              what was left out or mirrored.
    """

    specimens: tuple[str, ...]
    landmarks: tuple[str, ...]
    mm: NDArray[np.float64]
    mean: NDArray[np.float64]
    residual_mm: NDArray[np.float64]
    centroid_size_mm: NDArray[np.float64]
    shape_distance_rad: NDArray[np.float64]
    matrices: NDArray[np.float64]
    mirrored: NDArray[np.bool_]
    notes: tuple[str, ...]
    _group: Group = field(repr=False)

    def __repr__(self) -> str:
        return f"<AlignedGroup: {len(self.specimens)} specimens, {len(self.landmarks)} landmarks>"

    @in_python
    def write(self, folder: str | Path, *, to: str | None = None) -> tuple[str, ...]:
        """Write a new folder as ``sidecar align`` does for a group, whole or not at all.

        It holds one file for each specimen, one for the mean, specimens.csv and residuals.csv.

        Args:
            folder: the folder. It must be empty or not exist yet.
            to: the format of the files of specimens. Without it, csv.

        Returns:
            Notes on the files, a sentence each.

        Raises:
            UsageError: there is no such format, or it belongs to a scan; or a specimen has a name
                that no file can have.
            LabelError: the points do not fit the format.
            OutputError: the folder cannot be written.
        """
        from sidecar.labels.writers import landmark_writer_for
        from sidecar.morphometrics.aligned import write_group

        group = self._group
        writer = landmark_writer_for(None, to, is_given=group.is_given)
        notes = write_folder(Path(folder), lambda part: write_group(group, writer, part))
        return tuple(map(as_keywords, notes))


@in_python
def align_group(
    specimens: Sequence[Points | str | Path],
    *,
    similarity: bool = False,
    mirror: bool = False,
    common: bool = False,
) -> AlignedGroup:
    """Generalised Procrustes superimposition: fit many specimens to their mean by the landmarks
    that all of them have.

    Args:
        specimens: mapped points, or the CSVs that `Points.write` makes; each holds one or more
            specimens.
        similarity: also fit the scale of each specimen.
        mirror: mirror each specimen whose mirror image fits the first specimen much better.
        common: leave out landmarks that some specimens lack.

    Returns:
        The specimens at their new positions, and their mean.

    Raises:
        LabelError: some specimens lack landmarks, unless ``common`` is given; two specimens have
            the same name; there are fewer than three landmarks, or landmarks on a line; or a mirror
            image fits much better, unless ``mirror`` is given.
        MissingExtraError: scipy is not installed.

    Examples:
        >>> group = sidecar.align_group(["mapped.csv", "again.csv"])
        >>> group.specimens, group.mean.shape
        (('mapped', 'again'), (3, 3))
        >>> group.write("superimposed")
        ()
    """
    from sidecar.labels.mapped_file import read_points
    from sidecar.morphometrics import aligned

    if isinstance(specimens, (str, Path)):
        raise UsageError("specimens must be a list of files or of mapped points")
    with _files(specimens) as paths:
        tables = [read_points(path) for path in paths]
        group = aligned.align_group(tables, similarity=similarity, mirror=mirror, common=common)
    found = group.superimposed
    return AlignedGroup(
        group.names,
        group.landmarks,
        found.aligned,
        found.mean,
        found.residuals,
        found.centroid_sizes,
        found.shape_distances,
        found.matrices,
        found.mirrored,
        tuple(map(as_keywords, group.notes)),
        group,
    )


def _places(frame: object) -> list[list[str]]:
    places = (
        [[x] if isinstance(x, str) else list(x) for x in frame]
        if isinstance(frame, Sequence)
        else []
    )
    if isinstance(frame, str) or len(places) != 3 or not all(places):
        raise UsageError(
            "frame: give three places, such as ('nasion', 'inion', ('left ear', 'right ear'))"
        )
    return places


def _refuse_one(keyword: str, several: Sequence[Names]) -> None:
    """UsageError for one measure where a list of measures is expected.

    Otherwise each letter of a name would be taken for a name.
    """
    if any(isinstance(names, str) for names in (several, *several)):
        raise UsageError(
            f"{keyword}: give a list of measures, each with the names of its points, such as"
            f" {keyword}=[('left eye', 'right eye')]"
        )


@contextmanager
def _table(mapped: Points | str | Path) -> Iterator[PointTable]:
    """The points as a table."""
    from sidecar.labels.mapped_file import read_points

    with _files([mapped]) as (path,):
        yield read_points(path)


@contextmanager
def _files(several: Sequence[Points | str | Path]) -> Iterator[list[Path]]:
    """The files of mapped points.

    Points that are not in a file are written to one. Every number is the same to its last bit, so
    the measures are the same.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, one in enumerate(several, 1):
            if isinstance(one, (str, Path)):
                paths.append(Path(one))
                continue
            own = Path(folder, str(number))
            own.mkdir()
            specimens = {*one["specimen"].tolist()} if len(one) else set()
            name = specimens.pop() if len(specimens) == 1 else ""
            paths.append(own / f"{name if is_plain(name) else 'points'}.csv")
            one.write(paths[-1])
        yield paths


def _write_text(target: Path, inputs: Sequence[Path], text: str) -> None:
    write_output(target, inputs, lambda part: part.write_text(text, encoding="utf-8", newline=""))
