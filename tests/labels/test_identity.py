"""Labels onto the PNG stack: names behind upload prefixes, images that were resized before
labelling, and what does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from kit.painted_masks import rle_pack
from kit.phantoms import Spec, write
from PIL import Image

import sidecar
from sidecar.errors import LabelError
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import notes_of
from sidecar.labels.identity.resolver import Resolver
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.load import map_file
from sidecar.labels.map import png_pixels
from sidecar.labels.model import ImageReference
from sidecar.labels.shapes import Shape, labels_of
from sidecar.masks.readers import read_mask


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> sidecar.Sidecar:
    folder = tmp_path_factory.mktemp("place")
    write(Spec(columns=81, rows=61, markers=False), folder / "scan")
    return sidecar.export(folder / "scan", folder / "png", scale=1.0)


TAG = "vrqvmr"


def labelme(path: Path, image: str, size: tuple[int, int], point: tuple[float, float]) -> Path:
    shape = {"label": "a", "points": [point], "group_id": None, "shape_type": "point", "flags": {}}
    path = path.parent / "labels" / path.name  # what lies beside the folder of a test is not ours
    path.parent.mkdir(exist_ok=True)
    width, height = size
    head = {"version": "5.5.0", "flags": {}, "shapes": [shape], "imageData": None}
    path.write_text(
        json.dumps({**head, "imagePath": image, "imageWidth": width, "imageHeight": height})
    )
    return path


@pytest.mark.parametrize(
    "image",
    [
        f"slice_0003_{TAG}.png",
        f"slice_0003_{TAG}",
        f"..\\png\\slice_0003_{TAG}.png",
        f"/data/png/SLICE_0003_{TAG.upper()}.PNG",
        f"slice_0003_{TAG}.jpg",
        f"beetle-7_0003_{TAG}.png",
    ],
)
def test_names_match_with_or_without_folder_and_extension(
    png: sidecar.Sidecar, tmp_path: Path, image: str
) -> None:
    mapping = map_file(labelme(tmp_path / "a.json", image, (81, 61), (10.5, 20.5)), png)
    assert np.array_equal(mapping.points.source, [[10, 20, 3]])


def test_names_match_behind_an_upload_prefix(png: sidecar.Sidecar, tmp_path: Path) -> None:
    mapping = map_file(
        labelme(
            tmp_path / "a.json",
            "/data/upload/4/624cb493-slice_0003_vrqvmr.png",
            (81, 61),
            (10.5, 20.5),
        ),
        png,
    )
    assert mapping.points.source[0, 2] == 3


@pytest.mark.parametrize(
    ("size", "factor"), [((162, 122), 2.0), ((243, 183), 3.0), ((40, 30), 40 / 81)]
)
def test_a_resized_image_is_scaled_from_its_outer_corner(
    png: sidecar.Sidecar, tmp_path: Path, size: tuple[int, int], factor: float
) -> None:
    """The middle of PNG pixel (10, 20) is at corner coordinates (10.5, 20.5) of the PNG, times the
    factor of the resize there.
    """
    point = (10.5 * size[0] / 81, 20.5 * size[1] / 61)
    mapping = map_file(labelme(tmp_path / "a.json", f"slice_0003_{TAG}.png", size, point), png)
    assert np.allclose(mapping.points.source, [[10, 20, 3]], atol=1e-9)
    assert any("resized" in note for note in mapping.notes), "it has to be said"
    assert factor != 1


@pytest.mark.parametrize("size", [(35, 26), (69, 52), (138, 104)])
def test_the_outer_edge_of_a_resized_image_is_that_of_the_png(
    png: sidecar.Sidecar, tmp_path: Path, size: tuple[int, int]
) -> None:
    """At these sizes the arithmetic alone puts it further out."""
    mapping = map_file(labelme(tmp_path / "a.json", f"slice_0003_{TAG}.png", size, size), png)
    np.testing.assert_allclose(mapping.points.png, [[80.5, 60.5, 3]], rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [(81, 122), (61, 81), (80, 55), (1, 1), (0, 61)])
def test_a_cropped_or_stretched_image_is_refused(
    png: sidecar.Sidecar, tmp_path: Path, size: tuple[int, int]
) -> None:
    says = rf"a\.json, shape 1: image 'slice_0003_vrqvmr.png' has {size[0]} × {size[1]} .*cropped"
    with pytest.raises(LabelError, match=says):
        map_file(labelme(tmp_path / "a.json", f"slice_0003_{TAG}.png", size, (0.25, 0.25)), png)


def test_an_image_of_another_export_is_refused_by_name(
    png: sidecar.Sidecar, tmp_path: Path
) -> None:
    first, *_, last = (file.name for file in png.document.images.files)
    with pytest.raises(
        LabelError,
        match=rf"no PNG of this export is named 'other_0003.png' .*{first} … {last}",
    ):
        map_file(labelme(tmp_path / "a.json", "other_0003.png", (81, 61), (1, 1)), png)


def test_image_and_slice_that_contradict_each_other_are_refused(
    png: sidecar.Sidecar, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(
        f"x,y,image,slice\n1,1,slice_0003_{TAG},3\n1,1,slice_0003_{TAG},4\n"
    )
    with pytest.raises(LabelError, match=r"row 3: says slice 4, but its image"):
        map_file(tmp_path / "a.csv", png)


def test_references_stay_whole_until_they_are_identified(png: sidecar.Sidecar) -> None:
    """Folders, sizes and entries are there for whoever decides; images without a label too, and
    each label is scaled by its own image.
    """
    shapes = [
        Shape("point", [(10.5, 20.5)], "corner", "shape 1", image="a/slice_0004.png"),
        Shape("line", [(21.0, 41.0), (23.0, 41.0)], "corner", "shape 2", image="a/slice_0003.png"),
        Shape(
            "point", [(10.5, 20.5)], "corner", "shape 3", image="b/slice_0005.png", entry="task 2"
        ),
    ]
    labels = labels_of(
        Path("labels.json"),
        shapes,
        tool="a tool",
        origin="corner",
        forced=None,
        sizes={"a/slice_0003.png": (162, 122), "b/slice_0006.png": (81, 61)},
    )
    assert labels.images == (
        ImageReference("b/slice_0006.png", (81, 61)),
        ImageReference("a/slice_0004.png"),
        ImageReference("a/slice_0003.png", (162, 122)),
        ImageReference("b/slice_0005.png", entry="task 2"),
    )
    assert labels.reference.tolist() == [1, 2, 2, 3]
    resolver = Resolver(
        Path("labels.json"), Candidates([Export(png)]), Surroundings(), trust_names=True
    )
    found = resolver.identify(labels.images)
    assert [image.slice for image in found] == [6, 4, 3, 5]
    placed = png_pixels(labels, found)
    assert placed.tolist() == [[10, 20, 4], [10, 20, 3], [11, 20, 3], [10, 20, 5]]
    (note,) = notes_of(labels.images, found)
    assert note.startswith(
        "labels on resized images were scaled back to the PNGs: 1 image, the first 'a/slice_0003.png' of 162 × 122 (resized by 2)"
    )


@pytest.fixture
def mirrored(tmp_path: Path) -> sidecar.Sidecar:
    """An export of which another program has saved PNG 3 again."""
    write(Spec(columns=81, rows=61, markers=False), tmp_path / "scan")
    made = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=1.0)
    path = tmp_path / "png" / made.document.images.files[3].name
    with Image.open(path) as image:
        turned = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turned.save(path)
    return made


TOLD = f"another program has saved 1 PNG since the export, the first 'slice_0003_{TAG}.png'"


def _told(notes: Iterable[str]) -> list[str]:
    return [note for note in notes if note.startswith("another program has saved")]


@pytest.mark.parametrize("folder", ["png", "elsewhere"])
@pytest.mark.parametrize(
    "rows",
    [
        f"image,x,y\nslice_0003_{TAG}.png,10,20\n",
        f"image,x,y\nslice_0003_{TAG}.png,10,20\nslice_0003_{TAG},11,21\nslice_0005_{TAG},1,2\n",
        "slice,x,y\n3,10,20\n5,1,2\n",
    ],
    ids=["named", "one PNG under two names", "numbered"],
)
def test_a_png_that_another_program_saved_in_its_place_is_told(
    mirrored: sidecar.Sidecar, tmp_path: Path, folder: str, rows: str
) -> None:
    path = tmp_path / folder / "a.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(rows)
    (note,) = _told(map_file(path, mirrored).notes)
    assert note.startswith(TOLD)
    assert any(f"slice_0003_{TAG}" in str(one) for one in sidecar.check(tmp_path / "png"))
    path.write_text(rows.replace("3", "4"))
    assert not _told(map_file(path, mirrored).notes)


@pytest.mark.parametrize("kind", ["PNG", "brush"])
def test_a_png_that_another_program_saved_is_told_of_masks_too(
    mirrored: sidecar.Sidecar, tmp_path: Path, kind: str
) -> None:
    for k, told in ((3, [TOLD]), (4, [])):
        mask = _mask(tmp_path / kind, kind, f"slice_{k:04d}_{TAG}.png")
        notes = _told(read_mask([mask], [Export(mirrored)]).notes)
        assert [note[: len(TOLD)] for note in notes] == told


def _mask(folder: Path, kind: str, name: str) -> Path:
    """A mask that is painted over one PNG, alone in its folder or file."""
    folder = folder / name
    folder.mkdir(parents=True)
    if kind == "PNG":
        Image.fromarray(np.eye(61, 81, dtype=np.uint8)).save(folder / name)
        return folder
    runs = list(rle_pack(np.full(61 * 81 * 4, 255, np.uint8)))
    value = {"format": "rle", "brushlabels": ["a"], "rle": runs}
    result = {"id": "x1", "type": "brushlabels", "value": value, "original_width": 81}
    result |= {"original_height": 61, "image_rotation": 0, "from_name": "t", "to_name": "i"}
    task = {"id": 7, "data": {"image": name}, "annotations": [{"id": 1, "result": [result]}]}
    (folder / "brush.json").write_text(json.dumps([task]))
    return folder / "brush.json"
