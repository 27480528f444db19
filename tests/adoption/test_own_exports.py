"""The PNGs of our own exports, without their document: adopting them gives the axes that the
document had.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

import sidecar
from sidecar import adopt
from sidecar.errors import AmbiguousSeriesError, ImageError

EXPORTS: dict[str, dict[str, Any]] = {
    "as it is": {"scale": 1.0},
    "half, every second slice": {"scale": 0.5, "z_step": 2},
    "a third, means of three slices": {"scale": 1 / 3, "z_step": 3, "z_filter": "mean"},
    "another factor": {"scale": 0.61},
    "cropped": {"scale": 0.5, "crop": "20:140,10:100,3:25"},
    "16 bits": {"scale": 0.5, "bits": 16},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTS)
def test_adopted_as_exported(name: str, scan: Path, tmp_path: Path) -> None:
    exported = sidecar.export(scan, tmp_path / "png", viewer=False, **EXPORTS[name]).document
    (tmp_path / "png" / "sidecar.json").unlink()
    found = adopt(scan, tmp_path / "png").document
    for axis, truth in (
        (getattr(found.decimation, name), getattr(exported.decimation, name))
        for name in ("columns", "rows", "slices")
    ):
        assert axis.factor == pytest.approx(truth.factor, abs=1e-9)
        assert axis.offset == pytest.approx(truth.offset, abs=1e-9)
        assert axis.method == truth.method
    assert found.source == exported.source
    assert found.images.origin == pytest.approx(exported.images.origin)
    assert [image.source_slices for image in found.images.files] == [
        image.source_slices for image in exported.images.files
    ]
    assert found.images.value is not None
    assert exported.images.value is not None
    assert found.images.value.slope == pytest.approx(exported.images.value.slope, rel=0.02)


@pytest.mark.slow
def test_slices_of_a_series_each_are_joined(scan: Path, tmp_path: Path) -> None:
    source = tmp_path / "scan"
    shutil.copytree(scan, source)
    for k, path in enumerate(sorted(source.rglob("*.dcm"))):
        dataset = dcmread(path)
        dataset.SeriesInstanceUID += f".{k}"
        dataset.save_as(path)
    exported = sidecar.export(source, tmp_path / "png", join=True, scale=0.5, viewer=False).document
    (tmp_path / "png" / "sidecar.json").unlink()
    with pytest.raises(AmbiguousSeriesError, match="join=True"):
        adopt(source, tmp_path / "png")
    found = adopt(source, tmp_path / "png", join=True).document
    assert found.source == exported.source
    assert "stacks were joined (--join)" in found.warnings[0]


@pytest.mark.slow
def test_an_export_along_another_axis_is_refused(scan: Path, tmp_path: Path) -> None:
    sidecar.export(scan, tmp_path / "png", plane="coronal", scale=0.5, viewer=False)
    (tmp_path / "png" / "sidecar.json").unlink()
    with pytest.raises(ImageError, match="not found in this scan"):
        adopt(scan, tmp_path / "png")
