"""Real scans as others convert them: dcmtk, ImageMagick, GDCM, SimpleITK, OpenCV and Pillow; and
never one scan for another.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import gdcm
import numpy as np
import pytest
import SimpleITK as sitk
from kit.adopted_images import Truth, Volume, autoscaled, corners, truth_of, windowed, write_images
from kit.needs import installed
from PIL import Image

from sidecar import adopt
from sidecar.dicom.source import Source
from sidecar.errors import ImageError

pytestmark = pytest.mark.slow

#: A gantry tilt with real pixels, an oblique MR whose positions wander, and a small double-oblique
#: MR.
CT, MR, SMALL = (
    "ct_philips_tilt16",
    "mr_ge_oblique_rounded",
    "mr_philips_classic_vs_enhanced/classic",
)
BOUND = 0.05


def files_of(scan: Path) -> list[Path]:
    """In position order."""
    source = Source.open(scan)
    (series,) = source.choose("1")
    return [scan / frame.file for frame in series.frames]


def by_gdcm(file: Path) -> Volume:
    """Stored values by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(file))
    assert reader.Read()
    image = reader.GetImage()
    kind = np.int16 if image.GetPixelFormat().GetPixelRepresentation() else np.uint16
    columns, rows = image.GetDimension(0), image.GetDimension(1)
    return np.frombuffer(image.GetBuffer().encode("utf-8", errors="surrogateescape"), kind).reshape(
        rows, columns
    )


def by_itk(file: Path) -> Volume:
    """Modality values by SimpleITK."""
    return sitk.GetArrayFromImage(sitk.ReadImage(str(file)))[0]


def agrees(scan: Path, images: Path, truth: Truth, bound: float = BOUND) -> None:
    png = adopt(scan, images, series="1")
    pixels = corners(png.size)
    error = np.abs(png.to_source(pixels[:, :2], pixels[:, 2]) - truth.source(pixels)).max(axis=0)
    assert error.max() <= bound, (error, png.document.evidence)


@pytest.mark.parametrize(
    ("scan", "options", "factor"),
    [(CT, "+Wm", 1.0), (MR, "+Wm +Sxf 0.5 +i 1", 2.0), (SMALL, "+Wm", 1.0)],
)
def test_dcmtk(
    scan: str,
    options: str,
    factor: float,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    files = files_of(shared_data / scan)
    for k, file in enumerate(files):
        subprocess.run(
            [
                installed("dcm2img", "dcmj2pnm"),
                "+on",
                *options.split(),
                file,
                tmp_path / f"{k}.png",
            ],
            check=True,
            capture_output=True,
        )
    line = (factor, (factor - 1) / 2)
    agrees(shared_data / scan, tmp_path, Truth(line, line, (1, 0)))


@pytest.mark.parametrize("options", ["-resize 50%", "-flop -scale 37%", "-rotate 90"])
def test_imagemagick(options: str, shared_data: Path, tmp_path: Path) -> None:
    magick = installed("convert-im6.q16", "magick", "convert")

    def run(source: Path, target: Path) -> None:
        subprocess.run([magick, source, *options.split(), target], check=True, capture_output=True)

    def program(ramp: Volume) -> Volume:
        Image.fromarray((ramp * 64).astype(np.uint16)).save(tmp_path / "ramp.png")
        run(tmp_path / "ramp.png", tmp_path / "made.png")
        return np.asarray(Image.open(tmp_path / "made.png"), dtype=np.float64) / 64

    files = files_of(shared_data / MR)
    (tmp_path / "pngs").mkdir()
    for k, file in enumerate(files):
        Image.fromarray(autoscaled(by_itk(file))).save(tmp_path / "slice.png")
        run(tmp_path / "slice.png", tmp_path / "pngs" / f"{k}.png")
    rows, columns = by_itk(files[0]).shape
    agrees(shared_data / MR, tmp_path / "pngs", truth_of(program, columns, rows))


def test_gdcm(shared_data: Path, tmp_path: Path) -> None:
    """Every second sample of every third slice, the last first."""
    stored = [by_gdcm(file) for file in files_of(shared_data / CT)][::-3]
    lowest, highest = np.percentile(stored, [1, 99.5])
    images = write_images(
        tmp_path, [windowed(plane[::2, ::2], lowest, highest) for plane in stored]
    )
    agrees(shared_data / CT, images, Truth((2, 0), (2, 0), (-3, 11)))


def test_simpleitk(shared_data: Path, tmp_path: Path) -> None:
    planes = [by_itk(file) for file in files_of(shared_data / SMALL)]
    made = sitk.GetArrayFromImage(
        sitk.BinShrink(sitk.GetImageFromArray(np.stack(planes).astype(np.float32)), [2, 2, 1])
    )
    images = write_images(tmp_path, [autoscaled(plane) for plane in made])
    agrees(shared_data / SMALL, images, Truth((2, 0.5), (2, 0.5), (1, 0)))


def test_opencv(shared_data: Path, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")

    def program(plane: Volume) -> Volume:
        return np.asarray(
            cv2.resize(
                np.ascontiguousarray(plane), None, fx=0.37, fy=0.37, interpolation=cv2.INTER_AREA
            )
        )

    planes = [autoscaled(by_itk(file)) for file in files_of(shared_data / MR)]
    images = write_images(tmp_path, [program(plane) for plane in planes[1::2]])
    agrees(
        shared_data / MR, images, truth_of(program, planes[0].shape[1], planes[0].shape[0], (2, 1))
    )


def test_pillow_and_jpeg(shared_data: Path, tmp_path: Path) -> None:
    def program(plane: Volume) -> Volume:
        part = np.ascontiguousarray(plane[40:500, 60:460])
        return np.asarray(Image.fromarray(part).resize((200, 230), Image.Resampling.LANCZOS))

    planes = [autoscaled(by_itk(file)) for file in files_of(shared_data / CT)]
    images = write_images(tmp_path, [program(plane) for plane in planes], "jpg", quality=85)
    agrees(shared_data / CT, images, truth_of(program, 512, 512))


WRONG: list[tuple[str, str]] = [
    (MR, CT),
    (CT, "ct_phantom_classic_vs_multiframe"),
    (SMALL, MR),
    (CT, "ct_philips_plain"),
    (SMALL, "mr_codec_stack"),
]


@pytest.mark.parametrize(("made_of", "held_against"), WRONG)
def test_another_scan(made_of: str, held_against: str, shared_data: Path, tmp_path: Path) -> None:
    def half(plane: Volume) -> Volume:
        return np.asarray(
            Image.fromarray(plane).resize(
                (plane.shape[1] // 2, plane.shape[0] // 2), Image.Resampling.BOX
            )
        )

    images = write_images(
        tmp_path, [half(autoscaled(by_itk(file))) for file in files_of(shared_data / made_of)]
    )
    number = "2" if held_against == "ct_philips_plain" else "1"
    with pytest.raises(ImageError, match="not found in this scan"):
        adopt(shared_data / held_against, images, series=number)
