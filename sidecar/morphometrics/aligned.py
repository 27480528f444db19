"""Align the mapped points of one specimen or of a group, and write the result as tables and
landmark files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, UsageError
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import Notes, Writer
from sidecar.labels.mapped_file import PointTable
from sidecar.labels.tables.columns import picked
from sidecar.labels.tables.number_texts import numbers
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.writers import WRITERS, write_landmarks_of
from sidecar.labels.writers.csv_points import csv_text
from sidecar.morphometrics.align import Fit, anatomical_frame, fit_rigid, fit_similarity
from sidecar.morphometrics.named_points import NamedPoints, named_points
from sidecar.morphometrics.superimpose import Superimposition, superimpose
from sidecar.morphometrics.transform_files import Transform
from sidecar.storage.names import is_plain

Floats = NDArray[np.float64]
#: Columns of text by name.
TextColumns = dict[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class AlignedTable:
    """The N points of a specimen's table, and their positions in the new frame, ``mm`` (N, 3).

    ``axes``: the axes of the new frame, in words.
    """

    specimen: str
    table: PointTable
    mm: Floats
    axes: str

    def write(self, writer: Writer, path: Path) -> Notes:
        """Write a CSV with the table's columns and x_aligned, y_aligned, z_aligned, or the
        landmarks in another format.

        Another format leaves out points that are no landmarks; the notes say so. LabelError where
        two landmarks have one name.
        """
        if writer is WRITERS["csv"]:
            write_columns(self.columns(), path)
            return ()
        points = named_points(self.table)
        mm = self.mm[self.table.rows_of(*points.names)]
        landmarks = Landmarks((self.specimen,), points.names, mm[np.newaxis], (self.axes,))
        return (*points.notes, *write_landmarks_of(writer)(landmarks, path))

    def columns(self) -> TextColumns:
        carried = picked(self.table.table.columns, self.table.rows)
        taken = [name for name in carried if name.strip().lower() in _ADDED]
        if taken:
            raise LabelError(
                f"has a column {taken[0]} already, which align writes; give the CSV of map-points",
                self.table.table.path,
            )
        added = {name: numbers(self.mm[:, i]) for i, name in enumerate(_ADDED)}
        return {**carried, **added}


_ADDED = ("x_aligned", "y_aligned", "z_aligned")


def table_text(columns: Mapping[str, Sequence[str]]) -> str:
    """Columns of text as CSV. LabelError for text that a spreadsheet would run as a formula."""
    refuse_unfit_texts(columns, lambda row, message: LabelError(message))
    return "".join(csv_text(dict(columns)))


def write_columns(columns: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write columns of text as CSV. LabelError as `table_text`."""
    path.write_text(table_text(columns), encoding="utf-8", newline="")


@dataclass(frozen=True, eq=False)
class Alignment:
    """One specimen in another frame. ``fit``: the fit, if it was fitted to another specimen."""

    points: AlignedTable
    transform: Transform
    fit: Fit | None

    def residual_columns(self) -> TextColumns:
        """One row for each landmark of the fit: its distance from the fixed landmark.

        UsageError where nothing was fitted.
        """
        if self.fit is None:
            raise UsageError("a frame has no residuals; only a fit with --onto has them")
        residuals = self.fit.residual_mm
        values = numbers(np.array([*residuals.values()]))
        return {"landmark": [*residuals], "residual_mm": values}


def _landmarks(table: PointTable) -> dict[str, Floats]:
    """The landmarks of a specimen by name, (3,) mm. Curves and outlines move with them."""
    points = named_points(table)
    return dict(zip(points.names, points.mm, strict=True))


def align_onto(
    table: PointTable, fixed: PointTable, *, similarity: bool, mirror: bool
) -> Alignment:
    """Fit a specimen to another by the landmark names that both have. LabelError as `fit_rigid`."""
    table.only_specimen("align")
    fit = (fit_similarity if similarity else fit_rigid)(
        _landmarks(table), _landmarks(fixed), mirror
    )
    axes = f"{_axes(fixed)} of {fixed.only_specimen('align')}"
    return _aligned(table, fit.matrix, axes, table.is_given or fixed.is_given, fit)


def align_to_frame(table: PointTable, frame: Sequence[Sequence[str]]) -> Alignment:
    """Move a specimen into the frame of three places, each the middle of named landmarks.

    LabelError as `anatomical_frame`.
    """
    table.only_specimen("align")
    origin, axis, plane = frame
    matrix = anatomical_frame(_landmarks(table), origin, axis, plane)
    places = "; ".join(", ".join(names) for names in frame)
    return _aligned(table, matrix, f"the frame {places}", table.is_given, None)


def _aligned(
    table: PointTable, matrix: Floats, axes: str, is_given: bool, fit: Fit | None
) -> Alignment:
    mm = table.mm @ matrix[:3, :3].T + matrix[:3, 3]
    specimen = table.specimens[0] or table.table.path.stem
    points = AlignedTable(specimen, table, mm, axes)
    return Alignment(points, Transform(matrix, _axes(table), axes, is_given), fit)


def _axes(table: PointTable) -> str:
    return "mm along columns, rows and slices" if table.is_given else "mm of the scan (LPS)"


@dataclass(frozen=True, eq=False)
class Group:
    """n specimens superimposed on their mean.

    ``names``: the names of the specimens. ``landmarks``: the p landmarks that all of them have.
    ``tables``: all points of each specimen, moved. ``notes``: what was left out or mirrored.
    """

    names: tuple[str, ...]
    landmarks: tuple[str, ...]
    superimposed: Superimposition
    tables: tuple[AlignedTable, ...]
    notes: Notes

    @property
    def is_given(self) -> bool:
        """Whether voxel sizes were given by hand."""
        return any(one.table.is_given for one in self.tables)

    @property
    def axes(self) -> str:
        return self.tables[0].axes

    def specimen_columns(self) -> TextColumns:
        """One row for each specimen: its centroid size, and its distance from the mean."""
        found = self.superimposed
        return {
            "specimen": self.names,
            "landmarks": [str(len(self.landmarks))] * len(self.names),
            "centroid_size_mm": numbers(found.centroid_sizes),
            "scale": numbers(found.scales),
            "rms_residual_mm": numbers(found.rms),
            "shape_distance_rad": numbers(found.shape_distances),
            "mirrored": ["yes" if one else "no" for one in found.mirrored.tolist()],
        }

    def residual_columns(self) -> TextColumns:
        """One row for each landmark of each specimen: its distance from that of the mean."""
        return {
            "specimen": [name for name in self.names for _ in self.landmarks],
            "landmark": [*self.landmarks] * len(self.names),
            "residual_mm": numbers(self.superimposed.residuals.ravel()),
        }


def align_group(
    tables: Sequence[PointTable], *, similarity: bool, mirror: bool, common: bool
) -> Group:
    """Superimpose the specimens of all tables.

    The name of a specimen comes from the column specimen, or else from the name of the file.
    ``similarity``: fit a scale for each specimen. ``mirror``: take mirror images where they fit
    much better. ``common``: leave out landmarks that some specimens lack; without it, these are
    refused. LabelError for such landmarks, for two specimens of one name, and where specimens have
    millimetres along different axes.
    """
    specimens = _specimens(tables)
    points = {name: named_points(table) for name, table in specimens.items()}
    names = tuple(specimens)
    landmarks, left_out = _common(points, common)
    places = np.stack([own.places(landmarks) for own in points.values()])
    found = superimpose(places, [repr(name) for name in names], similarity, mirror)
    axes = (
        f"the mean of the group, oriented as {names[0]!r}"
        + ", at the size of the mean" * similarity
    )
    moved = tuple(
        AlignedTable(name, table, table.mm @ m[:3, :3].T + m[:3, 3], axes)
        for (name, table), m in zip(specimens.items(), found.matrices, strict=True)
    )
    notes = [f"{name}: {note}" for name, own in points.items() for note in own.notes]
    turned = [repr(name) for name, one in zip(names, found.mirrored, strict=True) if one]
    if turned:
        notes.append(f"specimens that were mirrored to match {names[0]!r}: {', '.join(turned)}")
    return Group(names, landmarks, found, moved, (*left_out, *notes))


def _specimens(tables: Sequence[PointTable]) -> dict[str, PointTable]:
    found: dict[str, PointTable] = {}
    first: dict[str, PointTable] = {}
    for table in tables:
        for name, own in table.by_specimen().items():
            called = name or table.table.path.stem
            like = first.get(called.casefold())
            if like is not None:
                raise LabelError(
                    f"is of specimen {called!r}, and so is {like.table.path.name}; give"
                    " them different names in a column specimen, or rename their files",
                    table.table.path,
                )
            found[called] = first[called.casefold()] = own
    given = [name for name, own in found.items() if own.is_given]
    if given and len(given) < len(found):
        other = next(name for name in found if name not in given)
        raise LabelError(
            f"millimetres of {given[0]!r} are by a voxel size given by hand, so it is not known"
            f" whether its axes are left-handed or right-handed; millimetres of {other!r} are of"
            " the patient. Align the two kinds separately"
        )
    return found


def _common(
    points: Mapping[str, NamedPoints], common: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The landmarks that all specimens have, and notes on the others."""
    every = tuple(dict.fromkeys(name for own in points.values() for name in own.names))
    lacking = {
        name: [specimen for specimen, own in points.items() if name not in own.numbers]
        for name in every
    }
    told = [f"{name!r} (not in {_some(without)})" for name, without in lacking.items() if without]
    if told and not common:
        raise LabelError(
            f"landmarks are missing: {'; '.join(told[:10])}{' …' if len(told) > 10 else ''}. Label"
            " them, or leave them out of the superimposition with --common"
        )
    notes = (
        (
            "landmarks that some specimens lack were not used for the superimposition:"
            f" {'; '.join(told)}",
        )
        if told
        else ()
    )
    return tuple(name for name in every if not lacking[name]), notes


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + " …" * (len(names) > 5)


def write_group(group: Group, writer: Writer, folder: Path) -> Notes:
    """Write the files of a new folder: one for each specimen and one for the mean in the writer's
    format, and the tables specimens.csv and residuals.csv.

    UsageError for a specimen with a name that no file can have.
    """
    notes = []
    for table in group.tables:
        path = folder / f"aligned_{_file_name(table.specimen)}{writer.endings[0]}"
        notes += [f"{path.name}: {note}" for note in table.write(writer, path)]
    mean = folder / f"mean{writer.endings[0]}"
    places = group.superimposed.mean[np.newaxis]
    means = Landmarks(("mean",), group.landmarks, places, (group.axes,))
    write_landmarks_of(writer)(means, mean)
    write_columns(group.specimen_columns(), folder / "specimens.csv")
    write_columns(group.residual_columns(), folder / "residuals.csv")
    return tuple(notes)


def _file_name(specimen: str) -> str:
    if not is_plain(specimen) or not specimen.isprintable():
        raise UsageError(
            f"specimen {specimen!r}: this cannot be the name of a file; rename it in the column"
            " specimen"
        )
    return specimen
