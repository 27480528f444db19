"""Voxels and volumes of segments against those of other programs and against the truth, and that
the truth lies within the bounds.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from kit.map_masks import map_mask
from kit.painted_masks import CASES, Case, as_cut, ellipsoid, exported, paint, reduced
from kit.phantoms import Spec, write_flat_series
from kit.refusals import refuses
from numpy.typing import NDArray

from sidecar import export
from sidecar.errors import LabelError, OutputError, UsageError


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("grid", ["source", "png"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_voxels_and_volumes_are_those_of_what_is_written(
    case: Case, grid: str, tmp_path: Path
) -> None:
    """A voxel's volume is the determinant of the axes, which tilted ones are not at right angles
    for. Segments without a voxel are there too.
    """
    scan = exported(case, tmp_path)
    labels = reduced(ellipsoid(scan.phantom, (28.3, 22.6, 6.2), (5.1, 7.3, 4.4)), case)
    painted = labels.astype(np.uint8)
    painted[1, 2, 3] = 7
    masks = paint(tmp_path / "masks", as_cut(painted, case.plane), scan.sidecar)
    names = tmp_path / "names.yaml"
    names.write_text(
        "segments: [{name: 'bone, left'}, {name: tooth, value: 7}, {name: none, value: 9}]"
    )
    image = sitk.ReadImage(
        map_mask(masks, tmp_path / "out.nrrd", scan.sidecar, grid=grid, config=names, statistics=tmp_path / "sizes.csv")
    )  # fmt: skip
    axes = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    back, voxel = sitk.GetArrayFromImage(image), abs(np.linalg.det(axes))
    rows = table(tmp_path / "sizes.csv")
    assert list(rows[0]) == ["segment", "value", "voxels", "volume_mm3", "least_mm3", "most_mm3"]
    assert [(row["segment"], row["value"]) for row in rows] == [
        ("bone, left", "1"),
        ("tooth", "7"),
        ("none", "9"),
    ]
    for row in rows:
        voxels = int((back == int(row["value"])).sum())
        assert int(row["voxels"]) == voxels
        # SimpleITK has what the header rounds, the sidecar the planes themselves.
        assert float(row["volume_mm3"]) == pytest.approx(voxels * voxel, rel=1e-4)
        assert float(row["least_mm3"]) <= float(row["volume_mm3"]) <= float(row["most_mm3"])
    box = voxel if grid == "png" else voxel * np.prod(case.step)
    assert float(rows[1]["least_mm3"]) == 0
    assert float(rows[1]["most_mm3"]) == pytest.approx(8 * box, rel=1e-4)
    assert float(rows[2]["most_mm3"]) == 0


def test_slices_at_uneven_distances_are_as_thick_as_they_are(tmp_path: Path) -> None:
    spec = Spec(columns=20, rows=16, slices=5, slice_gaps=(1.0, 3.0, 0.5, 2.0), pixel_spacing=(0.7, 0.4), markers=False, junk=False)  # fmt: skip
    scan = exported(Case("uneven", spec, {}, (0, 0, 0), (1, 1, 1)), tmp_path)
    painted = np.zeros((5, 16, 20), np.uint8)
    painted[1:3, 4:9, 5:12] = 1
    painted[4, 4:9, 5:12] = 2
    masks = paint(tmp_path / "masks", painted, scan.sidecar)
    map_mask(masks, tmp_path / "out", scan.sidecar, statistics=tmp_path / "sizes.csv")
    first, second = table(tmp_path / "sizes.csv")
    area = 5 * 7 * 0.7 * 0.4
    assert float(first["volume_mm3"]) == pytest.approx(area * ((1 + 3) / 2 + (3 + 0.5) / 2))
    assert float(first["least_mm3"]) == pytest.approx(4 * 6 * 0.7 * 0.4 * 3)
    assert float(first["most_mm3"]) == pytest.approx(6 * 8 * 0.7 * 0.4 * (1 + 3 + 0.5))
    assert float(second["volume_mm3"]) == pytest.approx(area * 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"z_step": 2},
        {"scale": 0.5, "z_step": 3},
        {"scale": 2 / 3, "z_step": 2},
        {"scale": 0.25, "z_step": 4, "z_filter": "mean"},
    ],
    ids=str,
)
def test_the_true_volume_lies_within_the_bounds(options: dict[str, float], tmp_path: Path) -> None:
    """Balls and a box of known volume, painted where the middle of a PNG pixel lies inside."""
    write_flat_series(tmp_path / "scan", 48, (120, 96))
    sidecar = export(tmp_path / "scan", tmp_path / "png", **options)
    assert sidecar.stack is not None
    between_rows, between_columns = sidecar.stack.pixel_spacing
    voxel = between_rows * between_columns * float(sidecar.stack.gaps.mean())
    columns, rows, pngs = sidecar.size
    z, y, x = np.indices((pngs, rows, columns)).reshape(3, -1)
    at = sidecar.decimation.to_source(np.column_stack([x, y, z])).T.reshape(3, pngs, rows, columns)
    rng = np.random.default_rng(5)
    painted = np.zeros((pngs, rows, columns), np.uint8)
    true: list[float] = []

    def add(inside: NDArray[np.bool_], volume: float) -> None:
        true.append(volume * voxel)
        painted[inside] = len(true)

    for across in (20, 60):
        for down in (20, 50):
            middle = np.array([across, down, 24]) + rng.uniform(-2, 2, 3)
            radius = rng.uniform(7, 16)
            away = sum((at[i] - middle[i]) ** 2 for i in range(3))
            add(np.asarray(away <= radius**2), 4 / 3 * np.pi * radius**3)
    low, high = np.array([85.3, 20.4, 9.6]), np.array([112.7, 71.2, 33.3])
    add(
        np.all([(at[i] >= low[i]) & (at[i] <= high[i]) for i in range(3)], axis=0),
        float(np.prod(high - low)),
    )
    masks = paint(tmp_path / "masks", painted, sidecar)
    map_mask(masks, tmp_path / "out.nrrd", sidecar, statistics=tmp_path / "sizes.csv")
    for row, volume in zip(table(tmp_path / "sizes.csv"), true, strict=True):
        assert float(row["least_mm3"]) < volume < float(row["most_mm3"])


def test_what_cannot_be_stated_is_refused_or_left_empty(tmp_path: Path) -> None:
    spec = Spec(columns=40, rows=30, slices=1, slice_gaps=1.0, photometric="RGB", bits_stored=8, rescale=None, markers=False, junk=False)  # fmt: skip
    scan = exported(Case("single", spec, {"scale": 0.5}, (0, 0, 0), (2, 2, 1)), tmp_path / "scan")
    labels = np.zeros((1, 15, 20), np.uint8)
    labels[0, 3:6, 4:9] = 1
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    sizes = tmp_path / "sizes.csv"
    map_mask(masks, tmp_path / "out", scan.sidecar, statistics=sizes)
    assert sizes.read_text().splitlines()[1] == "label 1,1,60,,,"
    before = sizes.read_bytes()

    def write(output: str, **options: object) -> None:
        map_mask(masks, tmp_path / output, scan.sidecar, **{"statistics": sizes} | options)

    refuses(lambda: write("again", fill="none"), UsageError, "fill='none'", "a part of each volume")
    refuses(lambda: write("sizes.csv", to="nifti"), UsageError, "are the same file")
    refuses(lambda: write("again", statistics=tmp_path / "sidecar.json"), UsageError, "statistics=")  # fmt: skip
    refuses(lambda: write("again", statistics=tmp_path / "out"), OutputError, "out is a folder")
    names = tmp_path / "names.yaml"
    names.write_text("segments: [{name: '=cmd()', value: 1}]")
    refuses(lambda: write("again", config=names), LabelError, "'=cmd()'", "formula")
    refuses(lambda: write("nowhere/out"), OutputError, "cannot be written")
    assert sizes.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["masks", "names.yaml", "out", "scan", "sizes.csv"]  # fmt: skip
