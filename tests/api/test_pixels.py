"""The pixels of an export, and the stack in its place for other toolkits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from kit.phantoms import Spec, write
from PIL import Image

import sidecar


def test_pixels_are_those_of_the_files(work: Path) -> None:
    """By Pillow, and one by one only when they are asked for."""
    png = sidecar.open("png")
    pixels = png.read()
    assert pixels.shape == (12, 151, 203) and pixels.dtype == np.dtype(np.uint8)
    for k, file in enumerate(png.document.images.files):
        expected = np.asarray(Image.open(work / "png" / file.name))
        np.testing.assert_array_equal(png.read(k), expected)
        np.testing.assert_array_equal(pixels[k], expected)
    whole = np.asarray(pixels)
    np.testing.assert_array_equal(whole[3:7], np.asarray(pixels[3:7]))
    np.testing.assert_array_equal(np.stack([*pixels]), whole)
    np.testing.assert_array_equal(pixels[-1], whole[-1])
    assert np.asarray(pixels, np.float32).dtype == np.float32


def test_nothing_is_read_before_it_is_asked_for(work: Path) -> None:
    png = sidecar.open("png")
    names = [file.name for file in png.document.images.files]
    for name in names[1:]:
        (work / "png" / name).unlink()
    pixels = png.read()
    assert pixels[0].shape == (151, 203)
    with pytest.raises(sidecar.DocumentError, match=names[5]):
        pixels[5]


def test_pixels_that_were_changed_are_refused(work: Path) -> None:
    png = sidecar.open("png")
    name = png.document.images.files[3].name
    painted = np.asarray(Image.open(work / "png" / name)).copy()
    painted[0, 0] ^= 255
    Image.fromarray(painted).save(work / "png" / name)
    with pytest.raises(sidecar.DocumentError, match=f"{name} was changed after the export"):
        png.read(3)


def test_a_mapping_without_a_folder_says_why_it_reads_nothing(library_folder: Path) -> None:
    png = sidecar.Sidecar.of(sidecar.open(library_folder / "png").document)
    for read in (png.read, lambda: png.read(0)):
        with pytest.raises(sidecar.UsageError, match=r"made from a document alone.*sidecar\.open"):
            read()


@pytest.mark.slow
def test_exports_and_adoptions_know_their_folder(work: Path) -> None:
    """Also where the export was there already."""
    for _ in range(2):
        png = sidecar.export("scan", "again", scale=0.25)
        assert png.folder is not None and png.read(0).shape == png.size[1::-1]
    old = sidecar.adopt("beetle", "old_pngs")
    assert old.folder is not None and old.folder.name == "old_pngs"


@pytest.mark.parametrize("number", [12, -1, 1000])
def test_a_png_that_there_is_not_is_refused(number: int, library_folder: Path) -> None:
    png = sidecar.open(library_folder / "png")
    with pytest.raises(sidecar.UsageError, match="the PNGs are 0 to 11"):
        png.read(number)
    with pytest.raises(sidecar.UsageError, match="slice by slice"):
        png.read()[0, 5]


def test_the_affine_is_the_mapping(library_folder: Path) -> None:
    png = sidecar.open(library_folder / "png")
    at = np.array([[3.5, 7.25, 4.0], [150, 100, 11], [0, 0, 0]])
    whole = np.column_stack([at, np.ones(3)])
    mm = png.to_patient(at[:, :2], at[:, 2])
    np.testing.assert_allclose((whole @ png.affine("LPS").T)[:, :3], mm, atol=1e-9)
    np.testing.assert_allclose((whole @ png.affine("RAS").T)[:, :3], mm * [-1, -1, 1], atol=1e-9)
    with pytest.raises(sidecar.UsageError, match="'LPS' or 'RAS'"):
        png.affine("lps")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (Spec(slices=6, slice_gaps=(1.0, 1.0, 3.0, 1.0, 1.0)), "not evenly spaced"),
        (Spec(slices=1), "one slice"),
    ],
    ids=["uneven", "single"],
)
def test_no_affine_where_none_is_true(spec: Spec, why: str, tmp_path: Path) -> None:
    write(spec, tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5, z_step=1)
    for ask in (lambda: png.affine("LPS"), png.to_sitk, png.to_nibabel):
        with pytest.raises(sidecar.GeometryError, match=why):
            ask()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("tilt", [0.0, 12.0])
def test_toolkits_have_the_stack_in_its_place(bits: int, tilt: float, tmp_path: Path) -> None:
    """A pixel is where they say it is, and has its value there; tilted gantries too."""
    sitk, nibabel = pytest.importorskip("SimpleITK"), pytest.importorskip("nibabel")
    write(Spec(columns=60, rows=50, slices=8, tilt_degrees=tilt), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5, z_step=2, bits=bits)
    x, y, k = 5, 3, 2
    (mm,) = png.to_patient([[x, y]], k)
    image = png.to_sitk()
    assert image.GetSize() == png.size
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((x, y, k)), mm, atol=1e-6)
    assert image.GetPixel(x, y, k) == png.read(k)[y, x]
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), np.asarray(png.read()))
    nifti = png.to_nibabel()
    assert nifti.shape == png.size
    np.testing.assert_allclose(
        nibabel.affines.apply_affine(nifti.affine, (x, y, k)), mm * [-1, -1, 1], atol=1e-4
    )
    assert int(nifti.dataobj[x, y, k]) == png.read(k)[y, x]
    np.testing.assert_array_equal(np.asarray(nifti.dataobj).T, np.asarray(png.read()))


@pytest.mark.parametrize(
    ("package", "ask"), [("SimpleITK", "to_sitk"), ("nibabel", "to_nibabel"), ("pandas", "frame")]
)
def test_what_is_not_installed_is_named(
    package: str, ask: str, library_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    png = sidecar.open(library_folder / "png")
    points = sidecar.map_points(library_folder / "png" / "labels.csv", png)
    with pytest.raises(sidecar.MissingExtraError, match=r"pip install 'dicom-sidecar\["):
        points.to_dataframe() if ask == "frame" else getattr(png, ask)()
