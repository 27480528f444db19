"""Points as landmarks of specimens, the table that the formats of geometric morphometrics share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.points.shapes import Shape, require_patient, require_points, shapes_of
from sidecar.points.table import TO_SPACE, MappedPoints, Space


@dataclass(frozen=True, slots=True)
class Landmarks:
    """n specimens with p landmarks each.

    ``mm`` (n, p, 3), in the space asked for; NaN where a specimen lacks a landmark. ``names``: p, in order of first appearance;
    "1", "2", ... where the labels have no names.
    """

    specimens: tuple[str, ...]
    names: tuple[str, ...]
    mm: NDArray[np.float64]


def landmarks_of(points: MappedPoints, space: Space, format: str) -> Landmarks:
    """The landmarks of each specimen: the column ``specimen``, or the whole series as one, named by its Series Instance UID.

    Raises LabelError for shapes other than points, for two landmarks of one name in a specimen, for names that only some have,
    and for specimens with different numbers of nameless landmarks.
    """
    require_patient(points, format)
    shapes = shapes_of(points.columns, len(points))
    if not shapes:
        raise LabelError(f"there are no points, and {format} cannot be empty")
    require_points(shapes, format)
    by_specimen: dict[str, list[Shape]] = {}
    for shape in shapes:
        by_specimen.setdefault(shape.specimen, []).append(shape)
    if "" in by_specimen and len(by_specimen) > 1:
        raise LabelError("has no specimen, but others have: fill the column in", where=by_specimen[""][0].where)
    named = _named(by_specimen)
    names = tuple(dict.fromkeys(name for landmarks in named.values() for name in landmarks))
    patient = points.patient * TO_SPACE[space]
    mm = np.array([[patient[rows[name]] if name in rows else [np.nan] * 3 for name in names] for rows in named.values()])
    series = points.sidecar.document.source.series_instance_uid
    return Landmarks(tuple(specimen or series for specimen in named), names, mm)


def _named(by_specimen: dict[str, list[Shape]]) -> dict[str, dict[str, int]]:
    """Specimen → landmark name → row."""
    if not any(shape.label for shapes in by_specimen.values() for shape in shapes):
        return _numbered(by_specimen)
    named: dict[str, dict[str, int]] = {}
    for specimen, shapes in by_specimen.items():
        rows = named.setdefault(specimen, {})
        for shape in shapes:
            if not shape.label:
                raise LabelError("has no name, but other landmarks have: name it, or leave it out", where=shape.where)
            if shape.label in rows:
                problem = f"landmark {shape.label!r} is there already (label {rows[shape.label] + 1})"
                raise LabelError(f"{problem}; name them apart, or tell specimens apart by a column specimen", where=shape.where)
            rows[shape.label] = shape.rows[0]
    return named


def _numbered(by_specimen: dict[str, list[Shape]]) -> dict[str, dict[str, int]]:
    counts = {len(shapes) for shapes in by_specimen.values()}
    if len(counts) > 1:
        raise LabelError(
            f"specimens have different numbers of landmarks ({min(counts)} to {max(counts)}) without names: name them"
        )
    return {specimen: {str(i + 1): s.rows[0] for i, s in enumerate(shapes)} for specimen, shapes in by_specimen.items()}


def decimals(values: NDArray[np.float64]) -> list[str]:
    """Numbers with nine decimals and no exponent, which every reader understands; NA for NaN."""
    clean = np.round(values, 9) + 0.0  # no minus zero
    return ["NA" if np.isnan(value) else f"{value:.9f}" for value in clean.ravel().tolist()]


def refuse_marks(texts: tuple[str, ...], marks: str, format: str) -> None:
    """Raise LabelError for a name holding one of ``marks`` or a line break, which would break the lines of ``format``."""
    for text in texts:
        found = next((mark for mark in text if mark in marks + "\r\n"), None)
        if found is not None:
            raise LabelError(
                f"the name {text!r} holds {found!r}, which {format} cannot: rename it, or write mrk.json, json or csv"
            )
