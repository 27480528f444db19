"""Label exported PNGs as a person does: look near a landmark, and mark the middle of the bright
spot there.

This module does not know the true landmarks. Places come only from the pixels of the PNGs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.grid.axis import nearest
from sidecar.mapping import Sidecar
from sidecar.storage.whole_file import whole_file

Floats = NDArray[np.float64]

#: Where to look for each landmark, as parts of the width, the height and the number of slices of
#: the PNG stack.
WHERE_TO_LOOK: dict[str, tuple[float, float, float]] = {
    "rostrum tip": (0.90, 0.55, 0.40),
    "left eye": (0.75, 0.60, 0.55),
    "right eye": (0.75, 0.45, 0.55),
    "pronotum": (0.60, 0.50, 0.75),
    "scutellum": (0.50, 0.50, 0.80),
    "left humerus": (0.45, 0.65, 0.60),
    "right humerus": (0.50, 0.30, 0.60),
    "elytral apex": (0.10, 0.45, 0.40),
}
#: How far around this place to look, as part of the PNG stack.
LOOK_AROUND = 0.07
#: Standard deviation of the window that weights the centroid of a spot, in PNG pixels and slices.
SPOT = 1.0
#: The centroid of a spot uses pixels up to this many pixels and slices from the brightest pixel.
SPOT_RADIUS = 4
#: The surroundings of a spot lie between these distances from its brightest pixel.
SURROUNDINGS = (2.0, 2.6)


@dataclass(frozen=True)
class DrawnLabel:
    """A named point on the PNG stack, *center* convention, to a thousandth of a pixel. ``slice``
    may be fractional.
    """

    name: str
    x: float
    y: float
    slice: float

    def __post_init__(self) -> None:
        for field in ("x", "y", "slice"):
            object.__setattr__(self, field, round(getattr(self, field), 3))


def read_pngs(folder: Path, names: Sequence[str]) -> Floats:
    """Gray values (slices, rows, columns) of PNGs. Colour channels are added up."""
    planes = []
    for name in names:
        with Image.open(folder / name) as image:
            plane = np.asarray(image).astype(np.float64)
        planes.append(plane if plane.ndim == 2 else plane.sum(axis=2))
    return np.stack(planes)


def find_landmarks(folder: Path, sidecar: Sidecar) -> list[DrawnLabel]:
    """The landmarks of the made-up specimen on its PNGs."""
    stack = read_pngs(folder, [file.name for file in sidecar.document.images.files])
    labels = []
    for name, place in WHERE_TO_LOOK.items():
        window = tuple(
            slice(max(0, int((part - LOOK_AROUND) * n)), int((part + LOOK_AROUND) * n) + 1)
            for part, n in zip(reversed(place), stack.shape, strict=True)
        )
        brightest = np.unravel_index(int(np.argmax(stack[window])), stack[window].shape)
        near = np.array(
            [int(at) + (w.start or 0) for at, w in zip(brightest, window, strict=True)],
            dtype=np.float64,
        )
        slice_, y, x = middle_of_spot(stack, near)
        labels.append(DrawnLabel(name, x, y, slice_))
    return labels


def known_places(folder: Path, sidecar: Sidecar) -> list[DrawnLabel]:
    """Places on the PNGs of any scan: two opposite corners, the middle, and the brightest spot of
    up to three slices.
    """
    columns, rows, slices = sidecar.size
    files = sidecar.document.images.files
    labels = [
        DrawnLabel("first pixel", 0, 0, 0),
        DrawnLabel("last pixel", columns - 1, rows - 1, slices - 1),
        DrawnLabel("middle", (columns - 1) / 2, (rows - 1) / 2, (slices - 1) // 2),
    ]
    for i, k in enumerate(dict.fromkeys((slices * part) // 4 for part in (1, 2, 3))):
        plane = read_pngs(folder, [files[k].name])
        brightest = np.unravel_index(int(np.argmax(plane)), plane.shape)
        _, y, x = middle_of_spot(plane, np.array(brightest, dtype=np.float64))
        labels.append(DrawnLabel(f"bright spot {i + 1}", x, y, k))
    return labels


def middle_of_spot(stack: Floats, near: Floats) -> tuple[float, ...]:
    """The middle of the bright spot with the brightest pixel ``near``, both (slice, row, column),
    to a small part of a pixel.

    It is the centroid of everything brighter than the surroundings, weighted by a Gaussian window.
    The window moves with the centroid until both settle. A symmetric spot settles at its middle,
    and things farther away have no influence. If the window runs away, there is no spot, and the
    result is the brightest pixel.
    """
    low = np.maximum(near - SPOT_RADIUS, 0).astype(int)
    high = np.minimum(near + SPOT_RADIUS + 1, stack.shape).astype(int)
    block = stack[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    at = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=-1)
    distance = np.linalg.norm(at - near, axis=-1)
    around = block[(distance >= SURROUNDINGS[0]) & (distance <= SURROUNDINGS[1])]
    above = np.clip(block - (np.median(around) if around.size else block.max()), 0, None)
    middle = near
    for _ in range(100):
        weight = above * np.exp(-((at - middle) ** 2).sum(axis=-1) / (2 * SPOT**2))
        if not weight.sum() > 0:
            break
        # The window shortens the step of the centroid; twice the step makes up for that.
        step = 2 * ((at - middle) * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
        middle = middle + step
        if np.abs(middle - near).max() > SPOT_RADIUS / 2:
            break
        if np.abs(step).max() < 1e-6:
            return tuple(middle.tolist())
    return tuple(near.tolist())


def write_labels(
    path: Path, labels: Iterable[DrawnLabel], png_folder: str, sidecar: Sidecar
) -> None:
    """Write a generic label CSV that names the PNGs in ``png_folder`` beside it.

    OutputError where it cannot be written.
    """
    files = sidecar.document.images.files
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["label", "image", "slice", "x", "y"])
        for label in labels:
            image = files[int(nearest(label.slice))].name
            rows.writerow(
                [
                    label.name,
                    f"{png_folder}/{image}",
                    *(f"{v:.3f}" for v in (label.slice, label.x, label.y)),
                ]
            )
