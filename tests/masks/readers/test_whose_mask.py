"""Which export a mask is of: what names no image is known by its place and its own name, and pixels
that tools keep in label files go the way of their outlines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.made_exports import Export as Made
from PIL import Image

from sidecar.errors import LabelError, UsageError
from sidecar.labels.identity.exports import given_exports
from sidecar.labels.load import LoadOptions
from sidecar.masks.model import Mask
from sidecar.masks.readers import read_mask

SIZE = (64, 64, 9)
Make = Callable[[Path], Path]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder of two exports, a and b, of version 1.0, whose PNGs are called alike."""
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        Made(series=f"1.2.826.0.1.3680043.8.498.{k + 1}").write(tmp_path / name)
    return tmp_path


def read(paths: list[Path], *exports: Path, images: str | None = None) -> Mask:
    return read_mask(paths, given_exports(exports), options=LoadOptions(images=images))


def painted(mask: Mask) -> list[int]:
    return [k for k, plane in enumerate(mask.planes()) if plane is not None and plane.any()]


def volume(path: Path) -> Path:
    """A NRRD without a place, as of a program that opened the PNGs as a plain stack."""
    header = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {SIZE[0]} {SIZE[1]} {SIZE[2]}\nencoding: raw\n\n"
    voxels = np.zeros(SIZE[::-1], np.uint8)
    voxels[3, 4, 5] = 1
    path.write_bytes(header.encode() + voxels.tobytes())
    return path


def tiff(path: Path) -> Path:
    pages = [Image.fromarray(np.full(SIZE[:2], k == 3, np.uint8)) for k in range(SIZE[2])]
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:])
    return path


@pytest.mark.parametrize("make", [volume, tiff])
def test_a_stack_of_masks_is_of_the_export_it_lies_in(old: Path, make: Make) -> None:
    path = make(old / "b" / "bones.mask")
    with pytest.raises(LabelError, match="lies in the folder of the export b"):
        read([path], old / "a")
    mask = read([path], old / "a", old / "b")
    assert mask.sidecar.document.source.series_instance_uid.endswith(".2")
    assert painted(mask) == [3]


@pytest.mark.parametrize("make", [volume, tiff])
def test_a_stack_of_masks_whose_name_has_the_tag_of_another(old: Path, make: Make) -> None:
    path = make(old / "bones_slice_0000_bcdfgh.mask")
    with pytest.raises(LabelError, match="belongs to another export: its tag is bcdfgh"):
        read([path], old / "a")


def test_two_masks_of_one_name(old: Path) -> None:
    """Those of two folders: none of them is dropped without a word."""
    for name in ("one", "two"):
        (old / name).mkdir()
        Image.fromarray(np.ones(SIZE[:2], np.uint8)).save(old / name / "slice_0003.png")
    with pytest.raises(LabelError, match=r"second mask with the name slice_0003\.png"):
        read([old / "one", old / "two"], old / "a")


def coco(path: Path, *images: str) -> Path:
    runs = {"size": [64, 64], "counts": [10, 5, 64 * 64 - 15]}
    document = {
        "images": [{"id": k, "file_name": name, "width": 64, "height": 64} for k, name in enumerate(images)],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "iscrowd": 1, "segmentation": runs}
            for k in range(len(images))
        ],
        "categories": [{"id": 1, "name": "bone"}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    return path


def test_images_chooses_among_masks_in_label_files(old: Path) -> None:
    path = coco(old / "labels.json", "x/slice_0003.png", "y/slice_0004.png")
    mask = read([path], old / "a", images="x/*")
    assert painted(mask) == [3]
    assert any("1 mask on other images left out" in note for note in mask.notes)


def test_masks_in_label_files_are_of_the_export_that_their_images_tell(old: Path) -> None:
    one = read([coco(old / "labels.json", "b/slice_0003.png")], old / "a", old / "b")
    assert one.sidecar.document.source.series_instance_uid.endswith(".2")
    both = coco(old / "labels.json", "a/slice_0003.png", "b/slice_0004.png")
    with pytest.raises(UsageError, match="more than one export"):
        read([both], old / "a", old / "b")


@pytest.mark.parametrize("orientation", [2, 3, 6])
def test_a_png_that_programs_show_in_different_directions_is_refused(
    old: Path, tmp_path: Path, orientation: int
) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = Image.fromarray(np.eye(*SIZE[:2], dtype=np.uint8))
    exif = Image.Exif()
    exif[274] = 1
    mask.save(folder / "slice_0003.png", exif=exif)
    assert painted(read([folder], old / "a")) == [3]
    exif[274] = orientation
    mask.save(folder / "slice_0003.png", exif=exif)
    with pytest.raises(LabelError, match=r"slice_0003\.png: has an Orientation"):
        painted(read([folder], old / "a"))
