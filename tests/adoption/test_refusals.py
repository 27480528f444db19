"""Stacks that no one answer explains are refused, with a reason; those of other scans always."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
from kit.adopted_images import (
    COLUMNS,
    ROWS,
    SLICES,
    Volume,
    autoscaled,
    texture,
    windowed,
    write_images,
    write_scan,
)
from PIL import Image

import sidecar
from sidecar import adopt
from sidecar.errors import AmbiguousSeriesError, ImageError, OutputError, SourceError, UsageError

pytestmark = pytest.mark.slow


def images_of(folder: Path, planes: Sequence[Volume]) -> Path:
    return write_images(folder / "images", [autoscaled(plane) for plane in planes])


def refused(scan: Path, images: Path, says: str, **pins: object) -> str:
    """ImageError that says it, and no document."""
    with pytest.raises(ImageError, match=re.escape(says)) as caught:
        adopt(scan, images, **pins)
    assert not (images / "sidecar.json").exists()
    return str(caught.value)


@pytest.mark.parametrize("value", [0, 77])
def test_blank_images(value: int, scan: Path, tmp_path: Path) -> None:
    refused(
        scan,
        write_images(tmp_path / "images", [np.full((ROWS, COLUMNS), value, np.uint8)] * 5),
        "blank",
    )


def test_some_blank_images_follow_from_the_others(
    scan: Path, volume: Volume, tmp_path: Path
) -> None:
    planes = [
        np.zeros((ROWS, COLUMNS), np.uint8) if k < 3 or k > 26 else autoscaled(plane)
        for k, plane in enumerate(volume)
    ]
    png = adopt(scan, write_images(tmp_path / "images", planes))
    assert png.document.decimation.slices.factor == 1
    assert png.document.decimation.slices.offset == 0
    evidence = png.document.evidence
    assert evidence is not None
    assert [k for k, c in enumerate(evidence.image_correlation) if c == 0] == [0, 1, 2, 27, 28, 29]
    assert any(
        "nothing can be recognised on 6 images" in warning for warning in png.document.warnings
    )


@pytest.mark.parametrize("seed", range(2, 6))
def test_images_of_another_scan(seed: int, scan: Path, tmp_path: Path) -> None:
    """The same kind of thing, the same size, the same values: only what is on it differs."""
    message = refused(
        scan,
        images_of(tmp_path, texture(COLUMNS, ROWS, SLICES, seed)[::3]),
        "not found in this scan",
    )
    assert (
        "The most similar places, none similar enough:\n" in message
        and message.count(" per image") >= 1
    ), "the candidates are told"
    assert "say what you know with factor=" in message


def test_noise(scan: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (6, ROWS, COLUMNS), np.uint8)
    refused(scan, write_images(tmp_path / "images", list(noise)), "not found in this scan")


def test_cut_along_another_axis(scan: Path, volume: Volume, tmp_path: Path) -> None:
    """Coronal images of the very scan are no source slices."""
    refused(scan, images_of(tmp_path, volume.swapaxes(0, 1)[::10]), "not found in this scan")


def test_slices_that_are_all_alike(volume: Volume, tmp_path: Path) -> None:
    prism = np.repeat(volume[:1], 20, axis=0)
    scan = write_scan(tmp_path / "scan", prism).folder
    with pytest.raises(
        ImageError, match=r"slices that look alike|it cannot be known which slice an image shows"
    ):
        adopt(scan, images_of(tmp_path, prism[3:12]))


def mirrored(volume: Volume) -> Volume:
    """The same to the left and to the right."""
    return np.maximum(volume, volume[:, :, ::-1])


def test_a_mirror_symmetric_stack_is_refused_with_both_answers(
    volume: Volume, tmp_path: Path
) -> None:
    symmetric = mirrored(volume)
    scan = write_scan(tmp_path / "scan", symmetric).folder
    images = images_of(tmp_path, symmetric[::2])
    message = refused(scan, images, "can have been made in two ways")
    assert "as the source" in message
    assert "columns flipped" in message
    for flip, factor in (("none", 1), ("x", -1)):
        png = adopt(scan, images, flip=flip, output=tmp_path / f"{flip}.json")
        assert png.document.decimation.columns.factor == factor
        assert png.document.decimation.slices.factor == 2


def test_a_scan_that_is_the_same_upwards_and_downwards(volume: Volume, tmp_path: Path) -> None:
    palindrome = np.concatenate([volume[:15], volume[14::-1]])
    scan = write_scan(tmp_path / "scan", palindrome).folder
    refused(scan, images_of(tmp_path, palindrome[::3]), "can have been made in two ways")


def swapped(planes: list[Volume]) -> list[Volume]:
    planes[7], planes[8] = planes[8], planes[7]
    return planes


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda planes: planes[:9] + planes[10:], "missing, doubled or out of order"),
        (lambda planes: planes[:20] + planes[21:], "missing, doubled or out of order"),
        (
            lambda planes: [*planes[:9], planes[8], *planes[9:-1]],
            "missing, doubled or out of order",
        ),
        (swapped, "missing, doubled or out of order"),
        (lambda planes: planes[:15] + planes[20:], "equal steps; the first jump is between"),
        (
            lambda planes: [*planes[:12], texture(COLUMNS, ROWS, 1, seed=9)[0], *planes[13:]],
            "frame_13",
        ),
        (lambda planes: sorted(planes, key=lambda plane: float(plane.std())), "images"),
    ],
    ids=[
        "one missing",
        "one missing near the end",
        "one doubled",
        "two swapped",
        "five missing",
        "a stranger",
        "shuffled",
    ],
)
def test_stacks_out_of_order(
    spoil: object, says: str, scan: Path, volume: Volume, tmp_path: Path
) -> None:
    refused(scan, images_of(tmp_path, spoil(list(volume))), says)  # type: ignore[operator]


def test_images_exchanged_with_some_farther_away(
    scan: Path, volume: Volume, tmp_path: Path
) -> None:
    """Neither is like the slices next to its place, so that these do not give it away."""
    planes = list(volume)
    planes[15], planes[18] = planes[18], planes[15]
    refused(scan, images_of(tmp_path, planes), "frame_16")


@pytest.mark.parametrize("degrees", [0.5, 1.0, -1.5])
def test_images_turned_by_an_odd_angle(
    degrees: float, scan: Path, volume: Volume, tmp_path: Path
) -> None:
    turned = [
        scipy.ndimage.rotate(
            plane.astype(np.float32), degrees, reshape=False, order=1, mode="nearest"
        )
        for plane in volume
    ]
    refused(
        scan,
        images_of(tmp_path, turned),
        "not parallel to those of the scan" if abs(degrees) <= 1 else "turned by an odd angle",
    )


def test_sheared_images(scan: Path, volume: Volume, tmp_path: Path) -> None:
    sheared = [
        scipy.ndimage.affine_transform(
            plane.astype(np.float32), [[1, 0], [0.02, 1]], order=1, mode="nearest"
        )
        for plane in volume
    ]
    refused(scan, images_of(tmp_path, sheared), "not parallel to those of the scan")


@pytest.mark.parametrize("extreme", [np.max, np.min])
def test_projections_of_slices(
    extreme: Callable[..., Volume], scan: Path, volume: Volume, tmp_path: Path
) -> None:
    slabs = [extreme(volume[k : k + 3], axis=0) for k in range(0, SLICES - 2, 3)]
    refused(scan, images_of(tmp_path, slabs), "brightest, or darkest")


def test_a_name_with_a_digit_that_is_no_number(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, list(volume))
    for path in images.iterdir():
        path.rename(path.with_name(f"a²_{path.name}"))
    assert adopt(scan, images).document.decimation.slices.factor == 1


def test_pins_that_contradict_the_pixels(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, volume[::2, ::2, ::2])
    with pytest.raises(ImageError, match=r"not found in this scan|factor=3 does not fit"):
        adopt(scan, images, factor=3)
    with pytest.raises(ImageError):
        adopt(scan, images, z_step=1)
    with pytest.raises(ImageError, match="what was given with flip=… wrong"):
        adopt(scan, images, flip="x")
    assert (
        adopt(scan, images, factor=2, z_step=2, flip="none").document.decimation.slices.offset == 0
    )


@pytest.mark.parametrize(
    ("pins", "says"),
    [
        ({"factor": 0}, "factor: "),
        ({"factor": -2}, "factor: "),
        ({"factor": float("nan")}, "factor: "),
        ({"z_step": 0}, "z_step: "),
        ({"flip": "q"}, "flip: "),
        ({"series": "all"}, "series='all'"),
    ],
)
def test_options_that_mean_nothing(
    pins: dict[str, object], says: str, scan: Path, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        adopt(scan, images_of(tmp_path, volume[:3]), **pins)


def test_a_document_that_is_there_already_stays(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, volume[:3])
    (images / "sidecar.json").write_text("mine")
    with pytest.raises(OutputError, match=r"there is a sidecar\.json already"):
        adopt(scan, images)
    assert (images / "sidecar.json").read_text() == "mine"


def test_folders_without_a_stack_of_images(scan: Path, volume: Volume, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(scan, tmp_path / "empty", "holds no PNG, JPEG or TIFF images")
    with pytest.raises(ImageError, match="is not a folder"):
        adopt(scan, tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nnothing", b"II*\0\xff\xff\xff\xff"])
def test_files_that_are_no_images(
    content: bytes, scan: Path, volume: Volume, tmp_path: Path
) -> None:
    images = images_of(tmp_path, volume[:4])
    (images / "frame_3.png").write_bytes(content)
    refused(scan, images, "frame_3.png: it is not an image that can be read")


def test_an_image_cut_short(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, volume[:4])
    whole = (images / "frame_2.png").read_bytes()
    (images / "frame_2.png").write_bytes(whole[: len(whole) // 2])
    refused(scan, images, "frame_2.png: it cannot be read to its end")


def test_images_of_several_sizes(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, volume[:4])
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(images / "thumbnail.png")
    refused(scan, images, "thumbnail.png: it has 9 × 9 pixels, but the first image has 150 × 120")


def test_an_image_too_large_to_be_a_slice(scan: Path, volume: Volume, tmp_path: Path) -> None:
    """A bomb: 60,000 × 60,000 pixels in a few hundred bytes."""
    images = images_of(tmp_path, volume[:4])
    png = bytearray((images / "frame_1.png").read_bytes())
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    (images / "frame_1.png").write_bytes(png)
    refused(
        scan,
        images,
        "frame_1.png: it is not an image that can be read (it is larger than any slice)",
    )


def test_several_images_in_one_file(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    pages = [Image.fromarray(autoscaled(plane)) for plane in volume]
    pages[0].save(images / "stack.tif", save_all=True, append_images=pages[1:])
    refused(scan, images, "stack.tif: it holds several images")


def test_floating_point_images(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(volume[0].astype(np.float32)).save(images / "a.tif")
    refused(scan, images, "a.tif: its pixels are floating-point numbers")


def test_links_are_not_followed(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = images_of(tmp_path, volume)
    (tmp_path / "elsewhere.png").write_bytes((images / "frame_30.png").read_bytes())
    (images / "frame_30.png").unlink()
    (images / "frame_30.png").symlink_to(tmp_path / "elsewhere.png")
    assert adopt(scan, images).size[2] == SLICES - 1


def test_a_source_of_several_stacks(scan: Path, volume: Volume, tmp_path: Path) -> None:
    both = tmp_path / "both"
    write_scan(both / "one", volume)
    write_scan(both / "two", texture(COLUMNS, ROWS, SLICES, seed=2), seed=2)
    images = images_of(tmp_path, volume[::5])
    with pytest.raises(AmbiguousSeriesError):
        adopt(both, images)
    found = [number for number in ("1", "2") if _adopted(both, images, number)]
    assert len(found) == 1


def _adopted(scan: Path, images: Path, series: str) -> bool:
    try:
        adopt(scan, images, series=series, output=images.parent / f"{series}.json")
    except ImageError:
        return False
    return True


def test_a_source_too_small_to_tell_anything(volume: Volume, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "scan", volume[:5, :12, :12]).folder
    with pytest.raises(SourceError, match="too small"):
        adopt(scan, images_of(tmp_path, volume[:5, :12, :12]))


def test_a_small_thing_on_a_large_image_is_exact_or_refused(volume: Volume, tmp_path: Path) -> None:
    """What covers a tenth of the image says little about its edges; what is not sure about half a
    pixel there must not be told.
    """
    large = np.full((8, 260, 300), -1000, np.int16)
    large[:, 120:146, 140:170] = volume[:8, :26, :30]
    scan = write_scan(tmp_path / "scan", large).folder
    halves = [
        np.asarray(
            Image.fromarray(windowed(plane, -1000, 2000)).resize(
                (150, 130), Image.Resampling.LANCZOS
            )
        )
        for plane in large
    ]
    images = write_images(tmp_path / "images", halves, "jpg", quality=70)
    try:
        png = adopt(scan, images)
    except ImageError:
        return
    ends = np.array([[0.0, 0.0], [149.0, 129.0]])
    assert np.abs(png.to_source(ends, 0)[:, :2] - (2 * ends + 0.5)).max() <= 0.05
    assert sidecar.open(images).document == png.document
