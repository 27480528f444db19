"""Scans exported and painted for the tests of masks, and the same worked out a second time, by
numpy alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar import export
from sidecar.mapping import Sidecar

from .phantoms import Phantom, Spec, write
from .shapes_between import halfway

Labels = NDArray[Any]

#: Millimetres between what a program computes and the equation of the standard: the headers' own
#: rounding.
NEAR_MM = 1e-3


@dataclass(frozen=True)
class Case:
    """A phantom and how it is exported;
    ``start`` and ``step`` of each axis (columns, rows, slices) are what the options come to.
    """

    name: str
    spec: Spec
    options: Mapping[str, Any]
    start: tuple[int, int, int]
    step: tuple[int, int, int]
    z_is_blocks: bool = False
    plane: str = "xyz"


_GRID: dict[str, Any] = {
    "columns": 62,
    "rows": 48,
    "slices": 13,
    "sigma": (2.0, 0.6),
    "pixel_spacing": (0.7, 0.4),
    "junk": False,
}
#: Every geometry that can go wrong in its own way.
CASES = (
    Case("plain", Spec(**_GRID), {"scale": 0.5, "z_step": 3}, (0, 0, 0), (2, 2, 3)),
    Case(
        "oblique",
        Spec(**_GRID, orientation="oblique", order="descending"),
        {"scale": 0.5, "z_step": 3},
        (0, 0, 0),
        (2, 2, 3),
    ),
    Case(
        "tilted",
        Spec(**_GRID, orientation="coronal", tilt_degrees=17),
        {"scale": 0.5, "z_step": 2},
        (0, 0, 0),
        (2, 2, 2),
    ),
    Case(
        "cropped",
        Spec(**_GRID, orientation="sagittal"),
        {"scale": 1 / 3, "z_step": 3, "crop": "5:59,4:47,2:12"},
        (5, 4, 2),
        (3, 3, 3),
    ),
    Case(
        "mean of slices",
        Spec(**_GRID, orientation="oblique", layout="enhanced"),
        {"scale": 0.5, "z_step": 3, "z_filter": "mean"},
        (0, 0, 0),
        (2, 2, 3),
        z_is_blocks=True,
    ),
    Case("full size", Spec(**_GRID), {"scale": 1, "z_step": 1}, (0, 0, 0), (1, 1, 1)),
    Case(
        "cut across",
        Spec(**_GRID, orientation="oblique"),
        {"scale": 0.5, "z_step": 2, "crop": "4:60,2:48,1:13", "plane": "y-zx"},
        (4, 2, 1),
        (2, 2, 2),
        plane="y-zx",
    ),
    Case(
        "mirrored",
        Spec(**_GRID, tilt_degrees=9),
        {"scale": 0.5, "z_step": 3, "plane": "-xy-z"},
        (0, 0, 0),
        (2, 2, 3),
        plane="-xy-z",
    ),
)


@dataclass(frozen=True)
class Exported:
    """A scan and its export."""

    case: Case
    phantom: Phantom
    scan: Path
    png: Path
    sidecar: Sidecar

    @property
    def names(self) -> list[str]:
        """Of its PNGs."""
        return [file.name for file in self.sidecar.document.images.files]


def exported(case: Case, folder: Path) -> Exported:
    phantom = write(case.spec, folder / "scan")
    sidecar = export(folder / "scan", folder / "png", **case.options)
    return Exported(case, phantom, folder / "scan", folder / "png", sidecar)


def as_cut(stack: Labels, plane: str) -> Labels:
    """A stack along source slices, rows and columns as PNGs show it:

    ``plane`` is x, y, z in the order of PNG x, y, number; - mirrors.
    """
    axes = re.findall("-?[xyz]", plane)[::-1]
    turned = stack.transpose(["zyx".index(axis[-1]) for axis in axes])
    return np.ascontiguousarray(
        turned[tuple(slice(None, None, -1 if axis.startswith("-") else 1) for axis in axes)]
    )


def paint(folder: Path, stack: Labels, sidecar: Sidecar, leave_out: tuple[int, ...] = ()) -> Path:
    """A (PNGs, rows, columns) stack as gray label PNGs, named after those of the export."""
    folder.mkdir()
    for k, file in enumerate(sidecar.document.images.files):
        if k not in leave_out:
            Image.fromarray(stack[k]).save(folder / file.name)
    return folder


def ellipsoid(
    phantom: Phantom, centre: tuple[float, float, float], radii_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """(slices, rows, columns) voxels of the scan whose centres lie in an ellipsoid of patient space
    around a source index.
    """
    middle = np.array(phantom.patient(*centre))
    columns, rows, slices = phantom.size
    inside = np.zeros((slices, rows, columns), dtype=bool)
    for s in range(slices):
        corner, right, down = (
            np.array(phantom.patient(*index)) for index in ((0, 0, s), (1, 0, s), (0, 1, s))
        )
        x = np.arange(columns)[None, :, None] * (right - corner)
        y = np.arange(rows)[:, None, None] * (down - corner)
        inside[s] = ((((corner + x + y) - middle) / radii_mm) ** 2).sum(axis=-1) <= 1
    return inside


def reduced(true: NDArray[np.bool_], case: Case) -> NDArray[np.bool_]:
    """What one would paint on the PNGs: blocks that are at least half full, of the slices there
    are. By numpy alone.
    """
    (x0, y0, z0), (fx, fy, fz) = case.start, case.step
    slices = _kept(true.shape[0], case)
    if case.z_is_blocks:
        count = (slices - z0) // fz
        part = true[z0 : z0 + count * fz].reshape(count, fz, *true.shape[1:]).mean(axis=1)
    else:
        part = true[z0:slices:fz].astype(float)
    rows, columns = (
        (_end(true.shape[1], case, 1) - y0) // fy,
        (_end(true.shape[2], case, 0) - x0) // fx,
    )
    part = part[:, y0 : y0 + rows * fy, x0 : x0 + columns * fx]
    return np.asarray(part.reshape(len(part), rows, fy, columns, fx).mean(axis=(2, 4)) >= 0.5)


def expanded(
    painted: Labels, shape: tuple[int, ...], case: Case, *, fill: str = "repeat"
) -> Labels:
    """A painted stack on the source grid: every block whole, a slice given to its nearest PNG,
    halfway the shapes between. By numpy and SciPy alone.
    """
    (x0, y0, z0), (fx, fy, fz) = case.start, case.step
    spacing = case.spec.pixel_spacing[0] * fy, case.spec.pixel_spacing[1] * fx
    out = np.zeros(shape, painted.dtype)
    for s in range(shape[0]):
        if case.z_is_blocks:
            nearest = [(s - z0) // fz]
        else:
            away = [abs(s - (z0 + k * fz)) for k in range(len(painted))]
            nearest = [k for k, distance in enumerate(away) if distance == min(away)]
            if 2 * min(away) > fz or s < z0 or (fill == "none" and min(away)):
                continue
        if 0 <= nearest[0] < len(painted):
            small = painted[nearest[0]]
            if len(nearest) == 2:
                small = halfway(small, painted[nearest[1]], spacing)
            big = np.kron(small, np.ones((fy, fx), painted.dtype))
            out[s, y0 : y0 + big.shape[0], x0 : x0 + big.shape[1]] = big
    return out


def _end(length: int, case: Case, axis: int) -> int:
    crop = case.options.get("crop")
    return int(crop.split(",")[axis].split(":")[1]) if crop else length


def _kept(length: int, case: Case) -> int:
    return _end(length, case, 2)


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def rle_pack(values: NDArray[np.uint8], sizes: tuple[int, int, int, int] = (3, 4, 8, 16)) -> bytes:
    """As Label Studio packs a brush (thi.ng/rle-pack): runs of equal values by the smallest size
    that holds them, single values in groups.
    """
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    at = 0
    while at < len(values):
        run = 1
        while at + run < len(values) and values[at + run] == values[at] and run < 1 << 16:
            run += 1
        which = next(i for i, size in enumerate(sizes) if run <= 1 << size)
        if run > 1:
            bits += f"1{which:02b}{run - 1:0{sizes[which]}b}{values[at]:08b}"
        else:
            single = 1
            while (
                single < 4
                and at + single + 1 < len(values)
                and values[at + single] != values[at + single + 1]
            ):
                single += 1
            bits += f"000{single - 1:0{sizes[0]}b}" + "".join(
                f"{value:08b}" for value in values[at : at + single]
            )
            run = single
        at += run
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def places(scan: Exported, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Patient mm of (N, 3) source indices, by the phantom's own equation."""
    return np.array([scan.phantom.patient(*voxel) for voxel in voxels.tolist()])


def middles(case: Case, pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Source index of the middle of PNG pixels."""
    step = np.array(case.step)
    within_block = (step - 1) / 2 * (1, 1, case.z_is_blocks)
    return np.asarray(case.start + pixels * step + within_block)
