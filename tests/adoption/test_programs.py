"""Stacks that independent programs made are adopted to within 0.05 source pixel of what those
programs do to a ramp.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from kit.adopted_images import (
    COLUMNS,
    ROWS,
    SLICES,
    Program,
    Truth,
    Volume,
    autoscaled,
    corners,
    truth_of,
    windowed,
    write_images,
    write_scan,
)
from kit.needs import installed
from kit.phantoms import Phantom
from PIL import Image

import sidecar
from sidecar import adopt
from sidecar.mapping import Sidecar

pytestmark = pytest.mark.slow

#: The bound of the whole feature, source pixels and slices.
BOUND = 0.05


def error_of(png: Sidecar, truth: Truth) -> np.ndarray:
    """(3,) largest distance from the truth in columns, rows and slices."""
    pixels = corners(png.size)
    return np.abs(png.to_source(pixels[:, :2], pixels[:, 2]) - truth.source(pixels)).max(axis=0)


def pillow(size: tuple[int, int], filter: Image.Resampling, **options: Any) -> Program:
    return lambda plane: np.asarray(
        Image.fromarray(np.ascontiguousarray(plane)).resize(size, filter, **options)
    )


def opencv(name: str, **options: Any) -> Program:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    return lambda plane: np.asarray(
        cv2.resize(
            plane,
            options.get("dsize"),
            fx=options.get("fx", 0),
            fy=options.get("fy", 0),
            interpolation=getattr(cv2, name),
        )
    )


def itk_resampled(spacing: float) -> Program:
    """Linear interpolation on a grid that starts on the first sample, as SimpleITK's users do
    it.
    """

    def program(plane: Volume) -> Volume:
        image = sitk.GetImageFromArray(plane.astype(np.float32))
        size = [int((n - 1) / spacing) + 1 for n in image.GetSize()]
        grid = sitk.Image(size, sitk.sitkFloat32)
        grid.SetSpacing((spacing, spacing))
        return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear))

    return program


@dataclass(frozen=True)
class Case:
    """``program`` after the values are 8 bits, as most pipelines do it;
    ``values`` makes them; ``order``: slices taken, in file order.
    """

    program: Callable[[], Program]
    values: Program = autoscaled
    order: range = range(SLICES)
    ending: str = "png"
    options: tuple[tuple[str, Any], ...] = ()
    bound: float = BOUND


def same(plane: Volume) -> Volume:
    return plane


R = Image.Resampling
CASES = {
    "as it is": Case(lambda: same),
    "every second sample": Case(lambda: lambda p: p[::2, ::2]),
    "every third sample, every third slice": Case(
        lambda: lambda p: p[::3, ::3], order=range(1, SLICES, 3)
    ),
    "block mean": Case(
        lambda: lambda p: p.reshape(ROWS // 2, 2, COLUMNS // 2, 2).mean(axis=(1, 3))
    ),
    "reversed": Case(lambda: same, order=range(SLICES - 1, -1, -1)),
    "every second slice, reversed": Case(
        lambda: lambda p: p[::2, ::2], order=range(SLICES - 1, 0, -2)
    ),
    "flipped left to right": Case(lambda: lambda p: p[:, ::-1]),
    "upside down, halved": Case(lambda: lambda p: p[::-2, ::2]),
    "quarter turn": Case(lambda: np.rot90),
    "quarter turn the other way, halved, mirrored": Case(
        lambda: lambda p: np.rot90(p, -1)[::2, ::-2]
    ),
    "cropped": Case(lambda: lambda p: p[23:111, 31:127], order=range(4, 27)),
    "cropped and halved": Case(lambda: lambda p: p[23:111:2, 31:127:2], order=range(4, 27)),
    "a small crop": Case(lambda: lambda p: p[40:100, 60:124], order=range(8, 20)),
    "Pillow BOX, halved": Case(lambda: pillow((75, 60), R.BOX)),
    "Pillow BOX": Case(
        lambda: pillow((97, 78), R.BOX), bound=0.1
    ),  # it moves features by up to half a source pixel, to and fro
    "Pillow BILINEAR": Case(lambda: pillow((97, 78), R.BILINEAR)),
    "Pillow HAMMING": Case(lambda: pillow((57, 46), R.HAMMING)),
    "Pillow BICUBIC": Case(lambda: pillow((97, 78), R.BICUBIC)),
    "Pillow LANCZOS": Case(lambda: pillow((57, 46), R.LANCZOS)),
    "Pillow NEAREST": Case(lambda: pillow((97, 78), R.NEAREST)),
    "Pillow LANCZOS, larger": Case(
        lambda: pillow((225, 180), R.LANCZOS), order=range(0, SLICES, 4)
    ),
    "Pillow, cropped to a box": Case(lambda: pillow((60, 50), R.BICUBIC, box=(20, 10, 140, 110))),
    "Pillow, other aspect": Case(lambda: pillow((64, 64), R.BICUBIC)),
    "OpenCV INTER_AREA": Case(lambda: opencv("INTER_AREA", fx=0.37, fy=0.37)),
    "OpenCV INTER_AREA, halved": Case(lambda: opencv("INTER_AREA", fx=0.5, fy=0.5)),
    "OpenCV INTER_NEAREST": Case(lambda: opencv("INTER_NEAREST", fx=0.6, fy=0.6)),
    "OpenCV INTER_NEAREST, halved": Case(lambda: opencv("INTER_NEAREST", fx=0.5, fy=0.5)),
    "OpenCV INTER_LINEAR": Case(lambda: opencv("INTER_LINEAR", dsize=(97, 78))),
    "OpenCV INTER_CUBIC": Case(lambda: opencv("INTER_CUBIC", dsize=(97, 78))),
    "SimpleITK, linear": Case(lambda: itk_resampled(1.6)),
    "one window for all": Case(
        lambda: pillow((75, 60), R.BOX), values=lambda p: windowed(p, -200, 1200)
    ),
    "a narrow window, then halved": Case(
        lambda: pillow((75, 60), R.BOX), values=lambda p: windowed(p, 300, 500)
    ),
    "inverted, with a gamma": Case(
        lambda: pillow((75, 60), R.BOX),
        values=lambda p: np.rint(255 * (1 - autoscaled(p) / 255.0) ** 1.8).astype(np.uint8),
    ),
    "JPEG": Case(lambda: same, ending="jpg", options=(("quality", 80),)),
    "JPEG, halved": Case(
        lambda: pillow((75, 60), R.LANCZOS), ending="jpg", options=(("quality", 80),)
    ),
    "TIFF of 16 bits": Case(
        lambda: same, values=lambda p: (p.astype(np.int32) + 1024).astype(np.uint16), ending="tif"
    ),
    "colours": Case(lambda: lambda p: p if p.dtype != np.uint8 else np.stack([p, p, p], axis=-1)),
    "text burned in": Case(lambda: same, values=lambda p: with_text(autoscaled(p))),
    "one image": Case(lambda: lambda p: p[::2, ::2], order=range(11, 12)),
}


def with_text(plane: Volume) -> Volume:
    """A label and a scale bar drawn over an image."""
    drawn = plane.copy()
    drawn[6:14, 8:48:3] = drawn[ROWS - 10 : ROWS - 7, COLUMNS - 60 : COLUMNS - 10] = 255
    return drawn


@pytest.mark.parametrize("name", CASES)
def test_program(name: str, scan: Path, volume: Volume, tmp_path: Path) -> None:
    case = CASES[name]
    program = case.program()
    stack = [np.floor(np.asarray(program(case.values(volume[k]))) + 0.5) for k in case.order]
    kind = np.uint16 if case.ending == "tif" else np.uint8
    images = write_images(
        tmp_path / "images",
        [np.clip(i, 0, np.iinfo(kind).max).astype(kind) for i in stack],
        case.ending,
        **dict(case.options),
    )
    truth = truth_of(
        program,
        COLUMNS,
        ROWS,
        (float(case.order.step), float(case.order.start)) if len(case.order) > 1 else (1.0, 11.0),
    )

    png = adopt(scan, images)

    error = error_of(png, truth)
    assert error.max() <= case.bound, f"{error} source pixels off: {png.document.evidence}"
    again = sidecar.open(images)
    assert again.document == png.document
    assert [file.source_slices for file in again.document.images.files] == [[k] for k in case.order]
    evidence = again.document.evidence
    assert evidence is not None and evidence.correlation > 0.75
    assert min(evidence.image_confidence) > 0.2 or len(case.order) == 1


def test_means_of_slices(scan: Path, volume: Volume, tmp_path: Path) -> None:
    """SimpleITK's BinShrink: means of 2 × 2 × 2."""
    shrunk = sitk.GetArrayFromImage(
        sitk.BinShrink(sitk.GetImageFromArray(volume.astype(np.float32)), [2, 2, 2])
    )
    png = adopt(
        scan, write_images(tmp_path / "images", [windowed(plane, -700, 1700) for plane in shrunk])
    )
    assert error_of(png, Truth((2, 0.5), (2, 0.5), (2, 0.5))).max() <= BOUND
    assert png.document.decimation.slices.method == "mean"
    assert [file.source_slices for file in png.document.images.files] == [
        [2 * k, 2 * k + 1] for k in range(SLICES // 2)
    ]


def test_means_of_three_slices(scan: Path, volume: Volume, tmp_path: Path) -> None:
    shrunk = volume.reshape(SLICES // 3, 3, ROWS, COLUMNS).mean(axis=1)
    png = adopt(
        scan, write_images(tmp_path / "images", [windowed(plane, -700, 1700) for plane in shrunk])
    )
    assert error_of(png, Truth((1, 0), (1, 0), (3, 1))).max() <= BOUND
    assert png.document.decimation.slices.method == "mean"


def test_interpolated_between_slices(scan: Path, volume: Volume, tmp_path: Path) -> None:
    """Slices made anew at 1.5 times their distance, by linear interpolation."""
    places = np.arange(0, SLICES - 1, 1.5)
    below = np.floor(places).astype(int)
    part = (places - below)[:, None, None]
    made = volume[below] * (1 - part) + volume[below + 1] * part
    png = adopt(
        scan, write_images(tmp_path / "images", [windowed(plane, -700, 1700) for plane in made])
    )
    assert error_of(png, Truth((1, 0), (1, 0), (1.5, 0))).max() <= BOUND


def test_letterbox(scan: Path, volume: Volume, tmp_path: Path) -> None:
    """Scaled to fit a square, with black margins: the map goes on beyond the scan."""
    stack = []
    for plane in volume:
        square = np.zeros((96, 96), np.uint8)
        square[10:86] = np.asarray(Image.fromarray(autoscaled(plane)).resize((96, 76), R.LANCZOS))
        stack.append(square)
    png = adopt(scan, write_images(tmp_path / "images", stack))
    by_x, by_y = COLUMNS / 96, ROWS / 76
    assert (
        error_of(
            png, Truth((by_x, (by_x - 1) / 2), (by_y, (by_y - 1) / 2 - 10 * by_y), (1, 0))
        ).max()
        <= BOUND
    )


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ("+Wm", BOUND),
        ("+Ww 400 1200", BOUND),
        ("+Wm +Rl", BOUND),
        ("+Wm +Lh", BOUND),
        ("+Wm +Sxf 0.5 +i 1", BOUND),
        ("+Wm +Sxv 90", BOUND),
        (
            "+Wm -i +Sxf 0.4",
            0.1,
        ),  # single samples: what line is the best through them depends on the part one looks at
    ],
)
def test_dcmtk(options: str, bound: float, volume: Volume, tmp_path: Path) -> None:
    """dcm2img, or dcmj2pnm as it was called before 3.6.8; ramps go through it as DICOM files,
    too.
    """
    dcm2img = installed("dcm2img", "dcmj2pnm")
    planes = volume[::3]
    across, down = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    scan = write_scan(tmp_path / "scan", planes)
    ramps = write_scan(tmp_path / "ramps", np.stack([across * 16, down * 16]), seed=2)
    images, places = tmp_path / "images", tmp_path / "places"
    _dcmtk(dcm2img, scan, images, ["+on", *options.split()])
    _dcmtk(dcm2img, ramps, places, ["+on2", "+Ww", "2048", "4096", *_geometry(options.split())])
    made = [np.asarray(Image.open(path), dtype=np.float64) for path in sorted(places.iterdir())]
    top = 65535 / 4096 * 16
    truth = truth_of(lambda ramp: made[0 if ramp[0, -1] else 1] / top, COLUMNS, ROWS)

    png = adopt(scan.folder, images)

    assert error_of(png, truth).max() <= bound, (truth, png.document.evidence)


def _dcmtk(dcm2img: str, scan: Phantom, images: Path, options: list[str]) -> None:
    images.mkdir()
    for k, source in enumerate(scan.files()):
        target = images / f"{k:03d}.png"
        subprocess.run(
            [dcm2img, *options, str(source), str(target)], check=True, capture_output=True
        )


def _geometry(options: list[str]) -> list[str]:
    """Options without those about values."""
    return options[1:] if options[0] == "+Wm" else options[3:]
