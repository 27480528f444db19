"""Overlays in TIFFs of ImageJ, written by tifffile, which writes them as ImageJ does."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check, check_columns, slices, stated_sizes
from labels.readers.test_imagej_roi import point, roi, rounded

from sidecar.errors import LabelError
from sidecar.labels.readers import READERS
from sidecar.labels.readers.imagej_tiff import READER

pytest.importorskip("roifile")
tifffile = pytest.importorskip("tifffile")

ONE = dataclasses.replace(STACK, slices=1, names=STACK.names[:1])
STEMS = [Path(name).stem for name in STACK.names]


def write(
    path: Path,
    overlay: Sequence[Any],
    *,
    images: int = STACK.slices,
    size: tuple[int, int] = (STACK.rows, STACK.columns),
    order: str = ">",
    **metadata: Any,
) -> Path:
    """Big-endian, as ImageJ writes, unless told otherwise."""
    pixels = np.zeros((images, *size)[images == 1 :], f"{order}u2")
    more = {"Overlays": [r.tobytes() for r in overlay], **metadata}
    tifffile.imwrite(path, pixels, imagej=True, byteorder=order, metadata=more)
    return path


@pytest.mark.parametrize("order", [">", "<"])
def test_landmarks_come_back(tmp_path: Path, order: str) -> None:
    path = write(tmp_path / "stack.tif", [point(m) for m in LANDMARKS], order=order)
    head = path.read_bytes()[:65536]
    assert [r.name for r in READERS.values() if r.recognises(path, head)] == ["imagej-tiff"]
    labels = READER.read(path, STACK)
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "center"
    assert any("Pixels were not read" in note for note in labels.notes)


def test_the_selection_that_was_active_is_one_of_them(tmp_path: Path) -> None:
    active = point(LANDMARKS[0]).tobytes()
    alone = write(tmp_path / "a.tif", [], ROI=active)
    check(READER.read(alone, STACK), LANDMARKS[:1])
    twice = write(tmp_path / "b.tif", [point(m) for m in LANDMARKS[:2]], ROI=active)
    check(READER.read(twice, STACK), LANDMARKS[:2])


@pytest.mark.parametrize("order", [">", "<"])
def test_labels_of_slices_name_the_pngs_where_only_some_were_opened(
    tmp_path: Path, order: str
) -> None:
    opened = STEMS[1::3]
    rois = [roi("POINT", [(1, 2)], position=n) for n in (1, 3)]
    path = write(tmp_path / "a.tif", rois, images=4, order=order, Labels=opened)
    labels = READER.read(path, STACK)
    assert list(labels.image) == [opened[0], opened[2]] == ["slice_0001", "slice_0007"]
    assert slices(labels) == [1, 7]
    assert {image.size for image in labels.images} == {(203, 151)}
    check_columns(labels)


def test_labels_of_another_stack_are_handed_over_for_what_they_are(tmp_path: Path) -> None:
    names = [f"slice_{n:04d}_gjgbtf" for n in range(STACK.slices)]
    labels = READER.read(write(tmp_path / "a.tif", [point(LANDMARKS[0])], Labels=names), STACK)
    assert list(labels.image) == [names[LANDMARKS[0].slice]]
    assert np.isnan(labels.slice).all()


def test_a_single_png_is_named_by_the_file(tmp_path: Path) -> None:
    rois = [roi("POINT", [(1, 2)])]
    labels = READER.read(write(tmp_path / "slice_0003.tif", rois, images=1), STACK)
    assert list(labels.image) == ["slice_0003.tif"] and slices(labels) == [3]
    assert stated_sizes(labels) == {"slice_0003.tif": (203, 151)}
    unnamed = write(tmp_path / "a.tif", rois, images=1)
    with pytest.raises(LabelError, match="has no position"):
        READER.read(unnamed, STACK)
    assert slices(READER.read(unnamed, ONE)) == [0]


def test_other_stacks_are_refused(tmp_path: Path) -> None:
    rois = [point(LANDMARKS[0])]
    with pytest.raises(LabelError, match=r"a\.tif: has 6 images, but the stack has 12 PNGs"):
        READER.read(write(tmp_path / "a.tif", rois, images=6), STACK)
    with pytest.raises(
        LabelError, match="has images of 101 × 75 pixels, but the PNGs have 203 × 151"
    ):
        READER.read(write(tmp_path / "b.tif", rois, size=(75, 101)), STACK)
    labelled = write(tmp_path / "c.tif", rois, images=2, Labels=["x", "y"])
    with pytest.raises(LabelError, match="labels of the images do not say"):
        READER.read(labelled, STACK)


def test_areas_are_corner(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path / "a.tif", [rounded(20, 16, 0)]), STACK)
    assert labels.xy[0].tolist() == [3.5, 5.5]
    assert (labels.shapes.kinds, labels.pixel_origin) == (("box",), "corner")


def test_a_tiff_without_selections_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((2, 3, 4), np.uint8), imagej=True)
    assert not READER.recognises(path, path.read_bytes())
    labelled = write(tmp_path / "b.tif", [], images=2, Labels=["x", "y"])
    with pytest.raises(LabelError, match="holds neither an overlay"):
        READER.read(labelled, STACK)


def test_a_directory_behind_the_start_of_the_file_is_found(tmp_path: Path) -> None:
    """Other programs write it last; what its tags point to may lie anywhere."""
    data = bytearray(write(tmp_path / "a.tif", [point(m) for m in LANDMARKS]).read_bytes())
    start = int.from_bytes(data[4:8], "big")
    count = int.from_bytes(data[start : start + 2], "big")
    directory = data[start : start + 6 + 12 * count]
    data[4:8] = len(data).to_bytes(4, "big")
    assert len(data) > 65536
    (tmp_path / "a.tif").write_bytes(data + directory)
    assert READER.recognises(tmp_path / "a.tif", bytes(data[:65536]))
    check(READER.read(tmp_path / "a.tif", STACK), LANDMARKS)


def test_damaged_files_are_label_errors(tmp_path: Path) -> None:
    """Bytes changed at random, and files cut short: read, or refused with a LabelError; nothing
    else comes out.
    """
    rng = random.Random(20261127)
    whole = write(tmp_path / "a.tif", [point(m) for m in LANDMARKS[:2]], images=1).read_bytes()
    start = whole.find(b"Iout")
    assert start > 0
    path, refused = tmp_path / "slice_0003.tif", 0
    for n in range(300):
        data = bytearray(whole[: rng.randrange(4, start + 200)] if n % 4 == 0 else whole)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(4, min(len(data), 3000))] = rng.randrange(256)
        path.write_bytes(bytes(data))
        READER.recognises(path, bytes(data[:65536]))
        try:
            READER.read(path, STACK)
        except LabelError as error:
            assert str(tmp_path) not in str(error)
            refused += 1
    assert refused > 30
