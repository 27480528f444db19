"""Landmarks are looked up by their names, and never sought among all names: comparisons of names
are counted, never the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from kit.landmark_tables import write_landmarks
from kit.mapped_points import mapped, point, write_to

from sidecar.labels.mapped_file import PointTable, read_points
from sidecar.labels.tables.columns import Made
from sidecar.labels.writers import WRITERS
from sidecar.morphometrics.aligned import align_group, align_onto
from sidecar.morphometrics.repeats import Repeats, repeats_of
from sidecar.morphometrics.sessions import read_sessions

COMPARED = count()


class Name(str):
    """A name that counts how often it is compared with another one."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        next(COMPARED)
        return str.__eq__(self, other)


def names(landmarks: int) -> tuple[Name, ...]:
    return tuple(Name(f"landmark {i}") for i in range(landmarks))


def table(folder: Path, landmarks: int, specimen: str = "a") -> PointTable:
    numbers = np.random.default_rng(landmarks)
    places = {
        f"landmark {i}": numbers.uniform(0, 9, 3) + (specimen == "b") * 0.01 * numbers.normal(0, 1)
        for i in range(landmarks)
    }
    read = read_points(write_landmarks(folder / f"{specimen}.csv", places))
    return replace(read, names=names(landmarks))


def aligned(folder: Path, landmarks: int) -> None:
    moving, fixed = (table(folder, landmarks, name) for name in "ab")
    found = align_onto(moving, fixed, similarity=False, mirror=False)
    found.points.write(WRITERS["tps"], folder / "aligned.tps")


def superimposed(folder: Path, landmarks: int) -> None:
    both = [table(folder, landmarks, name) for name in "ab"]
    align_group(both, similarity=False, mirror=False, common=False)


def written(folder: Path, landmarks: int) -> None:
    points = mapped([point((3.5, 4.5, 1), name) for name in names(landmarks)])
    blank = [""] * landmarks
    cells = {"label": names(landmarks), "shape_id": blank, "specimen": blank}
    texts = Made.of(cells, landmarks)
    shapes = replace(points.labels.shapes, texts=texts)
    points = replace(points, labels=replace(points.labels, shapes=shapes))
    write_to(folder / "points.tps", WRITERS["tps"], points)


def repeated(folder: Path, landmarks: int) -> Repeats:
    paths = [folder / f"{name}.csv" for name in "ab"]
    for name in "ab":
        table(folder, landmarks, name)
    sessions = read_sessions(paths)
    return repeats_of(
        [replace(one, landmarks=replace(one.landmarks, names=names(landmarks))) for one in sessions]
    )


@pytest.mark.parametrize("work", [aligned, superimposed, written, repeated])
def test_names_are_compared_as_often_as_there_are_landmarks(
    work: Callable[[Path, int], object], tmp_path: Path
) -> None:
    compared = []
    for landmarks in (20, 80):
        before = next(COMPARED)
        work(tmp_path, landmarks)
        compared.append(next(COMPARED) - before)
    few, many = compared
    assert many <= 4 * few + 4
