"""Write matrices of alignments to files that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import UsageError
from sidecar.grid.space import not_in_the_patient

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transform:
    """A matrix between two frames.

    ``matrix`` (4, 4): new = matrix · (x, y, z, 1), mm. ``source``: the axes of x, y and z, in
    words. ``target``: the new axes, in words. ``is_given``: whether the voxel size was given by
    hand; then the position in the patient is unknown.
    """

    matrix: Floats
    source: str
    target: str
    is_given: bool


def transform_text(transform: Transform, name: str) -> str:
    """The text of the file ``name``. Its ending decides the format: plain text, JSON, or an ITK
    transform, which 3D Slicer opens.

    UsageError for another ending. UsageError also for an ITK transform where the voxel size was
    given by hand, because an ITK transform maps places in the patient.
    """
    for ending, write in _BY_ENDING.items():
        if name.lower().endswith(ending):
            return write(transform)
    raise UsageError(
        f"{name}: a matrix is written as {', '.join(_BY_ENDING)}; give the file one of these"
        " endings"
    )


def _text(transform: Transform) -> str:
    rows = [" ".join(repr(value) for value in row) for row in (transform.matrix + 0.0).tolist()]
    about = f"# new = matrix * (x, y, z, 1), mm, from {transform.source} to {transform.target}"
    return "\n".join([_one_line(about), *rows]) + "\n"


def _json(transform: Transform) -> str:
    document = {
        "units": "mm",
        "from": transform.source,
        "to": transform.target,
        "matrix": (transform.matrix + 0.0).tolist(),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _itk(transform: Transform) -> str:
    """The matrix as an ITK transform.

    ITK's transforms resample images: they map the place of a voxel in the new image to its place in
    the old image, in LPS. So the file holds the inverse matrix. A program that applies the
    transform to points inverts it again; 3D Slicer does so when it loads the file.
    """
    if transform.is_given:
        raise UsageError(
            f"{not_in_the_patient('given', 'an ITK transform')}; write the matrix as .txt or .json"
        )
    inverse = np.linalg.inv(transform.matrix) + 0.0
    numbers = [*inverse[:3, :3].ravel().tolist(), *inverse[:3, 3].tolist()]
    return "\n".join(
        [
            "#Insight Transform File V1.0",
            "#Transform 0",
            "Transform: AffineTransform_double_3_3",
            f"Parameters: {' '.join(map(repr, numbers))}",
            "FixedParameters: 0 0 0",
            "",
        ]
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


_BY_ENDING: dict[str, Callable[[Transform], str]] = {
    ".tfm": _itk,
    ".json": _json,
    ".txt": _text,
}
