"""Points as landmarks of specimens, the table that the formats of geometric morphometrics share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import TO_SPACE, Axes, Space, axes_of
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.mapped_shapes import MappedShape, require_mm, require_points, shapes_of


@dataclass(frozen=True, slots=True)
class Landmarks:
    """n specimens with p landmarks each.

    ``mm`` (n, p, 3), in the space asked for; NaN where a specimen lacks a landmark. ``axes``: those
    of each specimen's millimetres. ``names``: p, in order of first appearance; "1", "2", ... where
    the labels have no names.
    """

    specimens: tuple[str, ...]
    names: tuple[str, ...]
    mm: NDArray[np.float64]
    axes: tuple[Axes, ...]


#: A series, and a specimen in it; "" where the input names none.
_Key = tuple[str, str]


def landmarks_of(parts: Sequence[MappedPoints], space: Space, format: str) -> Landmarks:
    """The landmarks of each specimen: the column ``specimen``, or a whole series as one, named by
    its Series Instance UID.

    Raises LabelError for shapes other than points, for two landmarks of one name in a specimen, for
    names that only some have, for specimens with different numbers of nameless landmarks, and for a
    specimen in two scans.
    """
    require_mm(parts, format)
    axes = _axes_of_series(parts, space)
    shapes = shapes_of(parts)
    if not shapes:
        raise LabelError(f"there are no points, and {format} cannot be empty")
    require_points(shapes, format)
    named = _named(_by_specimen(shapes))
    names = tuple(dict.fromkeys(name for landmarks in named.values() for name in landmarks))
    mm = np.full((len(named), len(names), 3), np.nan)
    for i, landmarks in enumerate(named.values()):
        for name, one in landmarks.items():
            mm[i, names.index(name)] = one.outline().patient[0] * TO_SPACE[space]
    specimens = tuple(specimen or series for series, specimen in named)
    return Landmarks(specimens, names, mm, tuple(axes[series] for series, _ in named))


def _axes_of_series(parts: Sequence[MappedPoints], space: Space) -> dict[str, Axes]:
    """The axes of each series' millimetres. LabelError where two exports of one give it other
    ones.
    """
    found: dict[str, Axes] = {}
    voxels: dict[str, object] = {}
    for part in parts:
        source, axes = part.sidecar.document.source, axes_of(part.sidecar.geometry, space)
        series, voxel = source.series_instance_uid, (axes, axes == "given" and source.spacing)
        if voxels.setdefault(series, voxel) != voxel:
            raise LabelError(
                "two exports of one scan do not agree on where its millimetres come from, or on the"
                " voxel size that was given by hand: write the labels of each on their own"
            )
        found[series] = axes
    return found


def _by_specimen(shapes: list[MappedShape]) -> dict[_Key, list[MappedShape]]:
    members: dict[_Key, list[MappedShape]] = {}
    scan_of: dict[str, str] = {}
    for one in shapes:
        specimen = one.specimen.strip()
        members.setdefault((one.series, specimen), []).append(one)
        if specimen and scan_of.setdefault(specimen, one.series) != one.series:
            raise one.error(
                f"specimen {specimen!r} is in two scans, whose millimetres are not of one space:"
                " name them apart"
            )
    for series, specimen in members:
        if specimen and (series, "") in members:
            raise members[series, ""][0].error(
                "has no specimen, but others of its scan have: fill the column in"
            )
    return members


def _named(members: dict[_Key, list[MappedShape]]) -> dict[_Key, dict[str, MappedShape]]:
    """Landmarks by name; numbered where none has a name."""
    if not any(one.label for shapes in members.values() for one in shapes):
        counts = {len(shapes) for shapes in members.values()}
        if len(counts) > 1:
            raise LabelError(
                f"specimens have {min(counts)} to {max(counts)} landmarks without names: name them,"
                " to tell which are missing"
            )
        return {
            key: {str(n): one for n, one in enumerate(shapes, start=1)}
            for key, shapes in members.items()
        }
    named: dict[_Key, dict[str, MappedShape]] = {key: {} for key in members}
    for key, shapes in members.items():
        for one in shapes:
            if not one.label:
                raise one.error("has no name, but other landmarks have: name it, or leave it out")
            if (other := named[key].setdefault(one.label, one)) is not one:
                problem = f"there is a landmark {one.label!r} already ({other.place})"
                raise one.error(
                    f"{problem}: name them apart, or tell specimens apart by a column specimen"
                )
    return named


def decimals(values: NDArray[np.float64]) -> list[str]:
    """Numbers with nine decimals and no exponent, which every reader understands; NA for NaN."""
    clean = np.round(values, 9) + 0.0  # no minus zero
    return ["NA" if np.isnan(value) else f"{value:.9f}" for value in clean.ravel().tolist()]


def refuse_marks(texts: tuple[str, ...], marks: str, format: str) -> None:
    """Raise LabelError for a name holding one of ``marks`` or a line break, which would break the
    lines of ``format``.
    """
    for text in texts:
        found = next((mark for mark in text if mark in marks + "\r\n"), None)
        if found is not None:
            raise LabelError(
                f"the name {text!r} holds {found!r}, which {format} cannot: rename it, or write"
                " slicer, json or csv"
            )
