"""List the labels of a report, and the distances between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sidecar.labels.mapped import MappedPoints
from sidecar.morphometrics.measure import Measurement, distance
from sidecar.reports.space import Floats

#: All distances are shown for up to this many points.
MEASURED = 16


@dataclass(frozen=True)
class ShownLabel:
    """One mapped label.

    ``png``: x, y, slice. ``patient`` and ``uncertainty``: mm, NaN without patient geometry.
    ``part``: the vertex and the shape, "" for a point. ``frame``: 1-based, 0 for a single-frame
    instance.
    """

    number: int
    name: str
    part: str
    png: Floats
    source: Floats
    patient: Floats
    uncertainty: float
    instance: str
    frame: int


def labels_of(parts: Sequence[MappedPoints]) -> list[ShownLabel]:
    """Every point of several label files, numbered from 1."""
    found: list[ShownLabel] = []
    for points in parts:
        names, shapes = points.names, points.labels.shapes
        for i, type_ in enumerate(shapes.type_of_label):
            part = "" if type_ == "point" else f"{type_}, vertex {shapes.vertex[i]}"
            numbers = (
                points.png[i],
                points.source[i],
                points.patient[i],
                float(points.uncertainty_mm[i]),
            )
            where = (points.instances.sop_instance_uid[i], int(points.instances.frame_number[i]))
            found.append(ShownLabel(len(found) + 1, names[i].strip(), part, *numbers, *where))
    return found


def measured(labels: Sequence[ShownLabel]) -> list[ShownLabel]:
    """The labels that have distances: points of a scan with millimetres."""
    return [label for label in labels if not label.part and np.isfinite(label.patient).all()]


def distances(labels: Sequence[ShownLabel]) -> list[list[Measurement]]:
    """Row i holds the distances of label i to the labels before it."""
    return [
        [
            distance([one.patient, other.patient], [one.uncertainty, other.uncertainty])
            for other in labels[:i]
        ]
        for i, one in enumerate(labels)
    ]
