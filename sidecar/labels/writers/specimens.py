"""Points as landmarks of specimens, the table that the formats of geometric morphometrics share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import TO_SPACE, Axes, Space, axes_of
from sidecar.labels.curves import CURVES
from sidecar.labels.landmarks import Configurations, Curve, Landmarks
from sidecar.labels.mapped import MappedPoints, Notes
from sidecar.labels.mapped_shapes import MappedShape, require_mm, require_points, shapes_of

#: What millimetres are along, in files that have no column for it.
_IN_WORDS: dict[Axes, str] = {
    "LPS": "LPS",
    "RAS": "RAS",
    "given": "along columns, rows and slices",
}
#: Shapes by the name of their specimen.
_Members = dict[str, list[MappedShape]]


def landmarks_of(parts: Sequence[MappedPoints], space: Space, format: str) -> Landmarks:
    """The landmarks of each specimen: the column ``specimen``, or without it what the export is
    called.

    Raises LabelError for shapes other than points, for two landmarks of one name in a specimen, for
    names that only some have, for specimens with different numbers of nameless landmarks, and for
    two specimens of one name.
    """
    shapes = _shapes_of(parts, format)
    require_points(shapes, format)
    return _landmarks(parts, shapes, _by_specimen(shapes), space)


def configurations_of(parts: Sequence[MappedPoints], space: Space, format: str) -> Configurations:
    """The landmarks and the curves of each specimen. A line or polyline is an open curve, a polygon
    a closed one.

    Raises LabelError as `landmarks_of`; for curves of one name that have different numbers of
    points or are open and closed, for two in one specimen, and for one without a name.
    """
    shapes = _shapes_of(parts, format)
    curves = [one for one in shapes if one.type in CURVES]
    require_points([one for one in shapes if one.type not in CURVES], format)
    members = _by_specimen(shapes)
    points = {
        specimen: [one for one in some if one.type == "point"] for specimen, some in members.items()
    }
    return Configurations(
        _landmarks(parts, shapes, points, space), tuple(_curves(list(members), curves, space))
    )


def _curves(
    specimens: Sequence[str], shapes: Sequence[MappedShape], space: Space
) -> Iterator[Curve]:
    first: dict[str, MappedShape] = {}
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for one in shapes:
        if not one.label:
            raise one.error("this curve has no name; name it, or leave it out")
        like = first.setdefault(one.label, one)
        closed = one.type == "polygon"
        if len(one.rows) != len(like.rows) or closed != (like.type == "polygon"):
            raise one.error(
                f"curve {one.label!r} is {_described(one)} here, but {_described(like)} in"
                f" {like.place}. It must be the same in all specimens; --curve-points N gives each"
                " curve N points"
            )
        of_curve = found.setdefault(one.label, {})
        specimen = one.specimen.strip() or one.points.specimen
        if specimen in of_curve:
            raise one.error(f"specimen {specimen} has two curves named {one.label!r}; rename one")
        of_curve[specimen] = one.outline().patient * TO_SPACE[space]
    for name, of_curve in found.items():
        missing = np.full((len(first[name].rows), 3), np.nan)
        mm = np.array([of_curve.get(specimen, missing) for specimen in specimens])
        yield Curve(name, first[name].type == "polygon", mm)


def _described(one: MappedShape) -> str:
    return f"{'closed' if one.type == 'polygon' else 'open'} with {len(one.rows)} points"


def _shapes_of(parts: Sequence[MappedPoints], format: str) -> list[MappedShape]:
    require_mm(parts, format)
    shapes = shapes_of(parts)
    if not shapes:
        raise LabelError(f"there are no points, but {format} cannot be empty")
    return shapes


def _landmarks(
    parts: Sequence[MappedPoints], shapes: Sequence[MappedShape], members: _Members, space: Space
) -> Landmarks:
    axes = _axes_of_series(parts, space)
    named = _named(members)
    names = tuple(dict.fromkeys(name for landmarks in named.values() for name in landmarks))
    number_of = {name: k for k, name in enumerate(names)}
    mm = np.full((len(named), len(names), 3), np.nan)
    for i, landmarks in enumerate(named.values()):
        for name, one in landmarks.items():
            mm[i, number_of[name]] = one.outline().patient[0] * TO_SPACE[space]
    series = {one.specimen.strip() or one.points.specimen: one.series for one in shapes}
    axes_of_each = tuple(_IN_WORDS[axes[series[specimen]]] for specimen in members)
    return Landmarks(tuple(members), names, mm, axes_of_each, _notes(shapes))


def refuse_two_of_one_name(named: Iterable[tuple[str, MappedPoints]]) -> None:
    """LabelError where labels of two scans are told to be of specimens of one name.

    ``named``: names of specimens, and labels of each.
    """
    first: dict[str, MappedPoints] = {}
    for name, part in named:
        other = first.setdefault(name, part)
        if other.series_uid != part.series_uid:
            raise LabelError(
                f"two specimens are called {name!r}: {_told(other)}, and {_told(part)}. Give them"
                " different names: with --specimen at export, by renaming their folders, or in the"
                " column specimen of the labels"
            )


def _told(part: MappedPoints) -> str:
    """Which export labels are of, for messages."""
    folder = part.sidecar.folder
    scan = f"series {part.series_uid}"
    if folder is None:
        return f"{part.labels.path.name} is of {scan}"
    place = folder.resolved()
    return f"{part.labels.path.name} is of export {place.parent.name}/{place.name} ({scan})"


def _axes_of_series(parts: Sequence[MappedPoints], space: Space) -> dict[str, Axes]:
    """The axes of each series' millimetres. LabelError where two exports of one give it other
    ones.
    """
    found: dict[str, Axes] = {}
    voxels: dict[str, object] = {}
    for part in parts:
        series, axes = part.series_uid, axes_of(part.sidecar.geometry, space)
        voxel = (axes, axes == "given" and part.sidecar.document.source.spacing)
        if voxels.setdefault(series, voxel) != voxel:
            raise LabelError(
                "two exports of one scan have millimetres of different origin, or different voxel"
                " sizes given by hand; write the labels of each export separately"
            )
        found[series] = axes
    return found


def _by_specimen(shapes: Sequence[MappedShape]) -> _Members:
    members: _Members = {}
    for one in shapes:
        members.setdefault(one.specimen.strip() or one.points.specimen, []).append(one)
    refuse_two_of_one_name((name, one.points) for name, some in members.items() for one in some)
    named = {
        _export_of(one) for one in shapes if one.specimen.strip() not in ("", one.points.specimen)
    }
    for one in shapes:
        if not one.specimen.strip() and _export_of(one) in named:
            raise one.error(
                "has no specimen, but other labels of its scan have one; fill in the column"
                " specimen"
            )
    return members


def _export_of(one: MappedShape) -> tuple[str, str]:
    return one.series, one.points.specimen


def _notes(shapes: Sequence[MappedShape]) -> Notes:
    """A note for each scan whose exports are called differently, and so count as specimens."""
    found: dict[str, dict[str, None]] = {}
    for one in shapes:
        if not one.specimen.strip():
            found.setdefault(one.series, {})[one.points.specimen] = None
    return tuple(
        f"{' and '.join(names)} are exports of one scan, but were taken as {len(names)} specimens;"
        " if they are one specimen, give them one name with --specimen or a column specimen"
        for names in found.values()
        if len(names) > 1
    )


def _named(members: _Members) -> dict[str, dict[str, MappedShape]]:
    """Landmarks by name; numbered where none has a name."""
    if not any(one.label for shapes in members.values() for one in shapes):
        counts = {len(shapes) for shapes in members.values()}
        if len(counts) > 1:
            raise LabelError(
                f"specimens have {min(counts)} to {max(counts)} landmarks without names, so it is"
                " not known which are missing; name the landmarks"
            )
        return {
            specimen: {str(n): one for n, one in enumerate(shapes, start=1)}
            for specimen, shapes in members.items()
        }
    named: dict[str, dict[str, MappedShape]] = {specimen: {} for specimen in members}
    for specimen, shapes in members.items():
        for one in shapes:
            if not one.label:
                raise one.error(
                    "has no name, but other landmarks have one; name it, or leave it out"
                )
            if (other := named[specimen].setdefault(one.label, one)) is not one:
                problem = f"there is a landmark {one.label!r} already, in {other.place}"
                raise one.error(
                    f"{problem}; rename one, or, if they belong to different specimens, add a"
                    " column specimen"
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
                f"the name {text!r} holds {found!r}, but {format} allows none in a name; rename"
                " it, or write slicer, json or csv"
            )
