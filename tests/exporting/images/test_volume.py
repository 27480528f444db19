"""The companion volume opens in the right place:

SimpleITK and nibabel against the equation of the standard.
"""

from __future__ import annotations

import re
import tracemalloc
from functools import partial
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from kit.exports import png_path
from kit.painted_masks import CASES, NEAR_MM, Case, Exported, as_cut, exported, middles, places
from kit.phantoms import Spec, write_flat_series
from kit.refusals import refuses
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from PIL import Image

from sidecar import export
from sidecar.errors import DocumentError, GeometryError, OutputError, UsageError
from sidecar.exporting.images.volume import volume_notes, write_volume


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def scan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(request.param, tmp_path_factory.mktemp("scan"))


def pngs(scan: Exported) -> NDArray[np.uint8]:
    return np.stack(
        [np.array(Image.open(scan.png / file.name)) for file in scan.sidecar.document.images.files]
    )


def corners(scan: Exported) -> NDArray[np.int64]:
    columns, rows, slices = scan.sidecar.size
    return np.array(
        [(x, y, z) for x in (0, columns - 1) for y in (0, rows - 1) for z in (0, slices - 1)]
    )


def where(scan: Exported) -> NDArray[np.float64]:
    """Patient mm of the corners: found by marking each pixel of the decimated grid with its number,
    and cutting that as the PNGs were.
    """
    axes = re.findall("-?[xyz]", scan.case.plane)
    size = [scan.sidecar.size[[axis[-1] for axis in axes].index(name)] for name in "xyz"]
    numbers = as_cut(np.arange(np.prod(size)).reshape(size[::-1]), scan.case.plane)
    marked = [numbers[z, y, x] for x, y, z in corners(scan)]
    return places(scan, middles(scan.case, np.array(np.unravel_index(marked, size[::-1]))[::-1].T))


@pytest.mark.parametrize("format", ["nrrd", "mha"])
def test_simpleitk_sees_the_pngs_in_their_place(format: str, scan: Exported) -> None:
    path = Path(write_volume(scan.png, format))
    assert path == scan.png / f"volume.{format}"
    image = sitk.ReadImage(path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), pngs(scan))
    found = np.array(
        [image.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in corners(scan)]
    )
    np.testing.assert_allclose(found, where(scan), atol=1e-9)


def test_pynrrd_sees_the_pngs_in_their_place(scan: Exported) -> None:
    """It keeps the axes of the file, and the words of its header."""
    data, header = nrrd.read(str(write_volume(scan.png, "nrrd")))
    np.testing.assert_array_equal(data.transpose(2, 1, 0), pngs(scan))
    assert header["space"] == "left-posterior-superior"
    found = corners(scan) @ header["space directions"] + header["space origin"]
    np.testing.assert_allclose(found, where(scan), atol=1e-9)


def test_nibabel_sees_the_pngs_in_their_place(scan: Exported) -> None:
    image = nibabel.load(write_volume(scan.png, "nifti"))
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).transpose(2, 1, 0), pngs(scan))
    found = apply_affine(image.affine, corners(scan)) * (-1, -1, 1)
    np.testing.assert_allclose(found, where(scan), atol=NEAR_MM)
    qform, code = image.header.get_qform(coded=True)
    if scan.case.spec.tilt_degrees:
        assert code == 0
    else:
        np.testing.assert_allclose(qform, image.affine, atol=NEAR_MM)


def test_a_tilt_is_told(scan: Exported) -> None:
    tilted = bool(scan.case.spec.tilt_degrees)
    assert any("3D Slicer" in note for note in volume_notes(scan.sidecar, "nifti")) == tilted
    assert bool(volume_notes(scan.sidecar, "nrrd")) == tilted


def test_16_bits_and_colour(tmp_path: Path) -> None:
    deep = exported(
        Case("deep", Spec(junk=False), {"scale": 1, "bits": 16}, (0, 0, 0), (1, 1, 1)),
        tmp_path / "deep",
    )
    rgb_spec = Spec(photometric="RGB", bits_stored=8, rescale=None, junk=False)
    rgb = exported(Case("rgb", rgb_spec, {"scale": 0.5}, (0, 0, 0), (2, 2, 1)), tmp_path / "rgb")
    for scan in (deep, rgb):
        for format in ("nrrd", "mha", "nifti"):
            image = sitk.ReadImage(str(write_volume(scan.png, format)))
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), pngs(scan))


def test_uneven_slices_single_ones_and_none_are_refused(tmp_path: Path) -> None:
    uneven = Spec(slices=5, slice_gaps=(1.0, 1.0, 5.0, 1.0), markers=False, junk=False)
    single = Spec(slices=1, slice_gaps=1.0, markers=False, junk=False)
    for name, spec, says in (
        ("uneven", uneven, "not evenly spaced"),
        ("single", single, "one slice"),
    ):
        scan = exported(Case(name, spec, {"scale": 1}, (0, 0, 0), (1, 1, 1)), tmp_path / name)
        refuses(partial(write_volume, scan.png, "nrrd"), GeometryError, says)
        assert not list(scan.png.glob("volume*"))


def test_what_is_not_a_finished_export_is_refused(tmp_path: Path) -> None:
    scan = exported(CASES[0], tmp_path)
    refuses(lambda: write_volume(scan.png, "nii"), UsageError, "--volume nii", "nrrd, nifti, mha")
    first, second = png_path(scan.png, 0), png_path(scan.png, 1)
    second.write_bytes(first.read_bytes()[:60])
    refuses(lambda: write_volume(scan.png, "nrrd"), OutputError, second.name, "export again")
    Image.new("L", (5, 5)).save(second)
    refuses(lambda: write_volume(scan.png, "nrrd"), OutputError, second.name)
    assert not list(scan.png.glob("volume*"))
    refuses(lambda: write_volume(tmp_path / "scan", "nrrd"), DocumentError, "sidecar.json")


def test_memory_does_not_grow_with_the_number_of_slices(tmp_path: Path) -> None:
    def peak(slices: int) -> int:
        folder = tmp_path / str(slices)
        write_flat_series(folder / "scan", slices, (256, 256))
        export(folder / "scan", folder / "png", scale=1, z_step=1)
        write_volume(folder / "png", "nrrd")
        tracemalloc.start()
        write_volume(folder / "png", "nrrd")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(64) < peak(8) + 256 * 256 + 64 * 4096
