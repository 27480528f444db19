"""Shapes painted on the PNGs come back as large as they are and where they are: on the mean over
many places, nothing is grown, shrunk or shifted, along any axis of any export.

What is held against the true voxels is all of the way: a PNG pixel is painted when its middle lies
inside, and what comes back is read by SimpleITK.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from kit.map_masks import map_mask
from kit.painted_masks import as_cut, paint
from kit.phantoms import write_flat_series
from numpy.typing import NDArray

from sidecar import export

#: Source voxels (slices, rows, columns), in 5 × 5 × 4 boxes of one shape each.
SIZE = (150, 150, 120)
BOXES, BOX = (5, 5, 4), 30
KINDS = ("sphere", "ellipsoid", "cone")

#: Multiples of these, without their whole parts, fill a cube evenly: powers of the root of
#: x⁴ = x + 1.
SPREAD = 1.2207440846057596 ** -np.arange(1.0, 4.0)

#: Bounds on the mean over all places of a shape: of the volume, and of the shift along any axis in
#: source voxels. Tips and edges of a leaning cone are rounded: at four PNG pixels of radius most of
#: the volume, and where all slices are between, most of the shift. docs/masks.md has the numbers.
GROWN = {"sphere": 0.02, "ellipsoid": 0.02, "cone": 0.07}
SHIFT = {"sphere": 0.03, "ellipsoid": 0.03, "cone": 0.15}
SHIFT_INTERPOLATED = SHIFT | {"cone": 0.3}


@dataclass(frozen=True)
class Way:
    """An export: source samples for each PNG pixel in the plane, every how many slices are on the
    PNGs, whether those are means, and how it was cut.
    """

    factor: float
    step: int
    mean: bool
    plane: str = "xyz"
    fill: str = "repeat"

    def __str__(self) -> str:
        method = "mean" if self.mean else "stride"
        return f"1/{self.factor:g}, {method} {self.step}, {self.plane}, {self.fill}"

    def centres(self) -> tuple[NDArray[np.floating], ...]:
        """Source indices of the PNG pixels' middles along slices, rows and columns."""
        slices, rows, columns = SIZE
        count = slices // self.step if self.mean else -(-slices // self.step)
        along = np.arange(count) * self.step + (self.step - 1) / 2 * self.mean
        across, down = (
            np.arange(round(n / self.factor)) * self.factor + (self.factor - 1) / 2
            for n in (columns, rows)
        )
        return along, down, across


WAYS = [
    *(Way(1, step, mean) for step in (2, 3, 4) for mean in (False, True)),
    *(Way(factor, 2, False) for factor in (1.5, 2, 2.5)),
    *(Way(1.5, 2, False, plane) for plane in ("-xy-z", "x-zy", "y-zx", "zx-y", "-z-y-x")),
    Way(2, 3, True, "zxy"),
    Way(1, 4, False, fill="interpolate"),
    Way(1.5, 3, False, "-z-y-x", "interpolate"),
]


def places(way: Way) -> list[tuple[str, NDArray[np.float64]]]:
    """Kind and middle (slice, row, column) of every shape: over the thirty-three of a kind, the middle
    takes all places between two PNG pixels alike, along each axis in another order.
    """
    period = np.array([way.step, way.factor, way.factor])
    made = []
    for number, box in enumerate(np.ndindex(BOXES)):
        nth, kind = divmod(number, len(KINDS))
        phase = nth * SPREAD % 1 - 0.5
        made.append((KINDS[kind], (np.array(box) + 0.5) * BOX - 0.5 + phase * period))
    return made


def inside(
    kind: str, middle: NDArray[np.float64], at: tuple[NDArray[np.float64], ...]
) -> NDArray[np.bool_]:
    """Which places of a grid lie in a shape that is not alike from any two sides."""
    z, y, x = (
        values.reshape([-1 if i == j else 1 for j in range(3)]) - middle[i]
        for i, values in enumerate(at)
    )
    if kind == "sphere":
        return np.asarray(z**2 + y**2 + x**2 <= 12.3**2)
    if kind == "ellipsoid":
        return np.asarray(
            (z + 0.3 * y) ** 2 / 12**2 + (y - 0.5 * x) ** 2 / 8**2 + x**2 / 10**2 <= 1
        )
    height = (z + 0.3 * y + 0.2 * x + 11) / 22  # a cone that leans, on a base that is not level
    across = (y - 0.3 * z) ** 2 + (x - 0.2 * z) ** 2
    return np.asarray((height >= 0) & (height <= 1) & (across <= (11 * height) ** 2))


def labelled(way: Way, at: tuple[NDArray[np.float64], ...]) -> NDArray[np.uint8]:
    """(slices, rows, columns) labels 1 … 100 of a grid: those of the shape its middles lie in."""
    out = np.zeros([len(values) for values in at], np.uint8)
    for number, (kind, middle) in enumerate(places(way), start=1):
        box = [np.flatnonzero(np.abs(v - m) < BOX / 2) for v, m in zip(at, middle, strict=True)]
        part = tuple(values[some] for values, some in zip(at, box, strict=True))
        view = out[tuple(slice(some[0], some[-1] + 1) for some in box)]
        view[inside(kind, middle, part)] = number
    return out


def sizes_and_middles(labels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(100,) voxels and (100, 3) centroids of all labels."""
    flat = labels.ravel()
    count = np.bincount(flat, minlength=101)[1:]
    sums = [
        np.bincount(flat, np.broadcast_to(index, labels.shape).ravel(), minlength=101)[1:]
        for index in np.ogrid[tuple(map(slice, labels.shape))]
    ]
    return count.astype(float), np.column_stack(sums) / count[:, None]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan") / "dicom"
    write_flat_series(folder, SIZE[0], (SIZE[2], SIZE[1]))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_nothing_is_grown_shrunk_or_shifted(way: Way, scan: Path, tmp_path: Path) -> None:
    sidecar = export(
        scan,
        tmp_path / "png",
        scale=1 / way.factor,
        z_step=way.step,
        z_filter="mean" if way.mean else "stride",
        plane=way.plane,
    )
    painted = labelled(way, way.centres())
    masks = paint(tmp_path / "masks", as_cut(painted, way.plane), sidecar)
    image = sitk.ReadImage(map_mask(masks, tmp_path / "out.nrrd", sidecar, fill=way.fill))
    back = sitk.GetArrayFromImage(image)
    true = labelled(way, tuple(np.arange(n, dtype=float) for n in SIZE))
    (size, middle), (true_size, true_middle) = sizes_and_middles(back), sizes_and_middles(true)
    bounds = SHIFT if way.fill == "repeat" else SHIFT_INTERPOLATED
    for number, kind in enumerate(KINDS):
        of_kind = slice(number, None, len(KINDS))
        grown = (size[of_kind] / true_size[of_kind] - 1).mean()
        shift = (middle[of_kind] - true_middle[of_kind]).mean(axis=0)
        assert abs(grown) < GROWN[kind], kind
        assert np.abs(shift).max() < bounds[kind], kind
