"""What else tells whose an image is, where a name without a tag does not: folders, hosts, the place
of the label file, and images in it or beside it.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from kit.made_exports import Draw
from kit.made_exports import Export as Made
from kit.phantoms import Spec, write
from labels.test_which_image import labelme
from numpy.typing import NDArray
from PIL import Image

import sidecar
from sidecar.errors import LabelError
from sidecar.labels.identity.exports import given_exports
from sidecar.labels.identity.likeness import compared
from sidecar.labels.load import Loaded, LoadOptions, load


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (64, 64)).astype(np.uint8)


def noises(first: int) -> Draw:
    return lambda n, _: noise(first + n)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder of two exports, a and b, of version 1.0, whose PNGs are called alike."""
    for k, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        made = Made(series=f"1.2.826.0.1.3680043.8.498.{k + 1}")
        made.write(tmp_path / name, noises(100 * k))
    return tmp_path


def mapped(path: Path, text: str, *exports: Path, trust_names: bool = False) -> Loaded:
    path.write_text(text)
    return load([path], given_exports(exports), LoadOptions(trust_names=trust_names))


def table(*images: str) -> str:
    return "label,image,x,y\n" + "".join(f"p,{image},3,4\n" for image in images)


@pytest.mark.parametrize(
    "images",
    [
        ("s3://one/png/slice_0003.png", "s3://two/png/slice_0003.png"),
        ("https://one/slice_0003.png", "https://two/slice_0003.png"),
        ("https://host/slice_0003.png?scan=1", "https://host/slice_0003.png?scan=2"),
        ("Beetle/slice_0003.png", "beetle/slice_0003.png"),
        ("a/slice_0003.png", "c/slice_0004.png"),
    ],
)
def test_two_scans_in_one_file(old: Path, images: tuple[str, str]) -> None:
    """Two buckets, hosts or folders; also on two slices, where one folder is that of the export."""
    with pytest.raises(
        LabelError, match=r"row 3: (this file names two images|images .* two folders).*--images"
    ):
        mapped(old / "labels.csv", table(*images), old / "a")


def test_the_path_of_a_url_names_the_image_and_not_its_query(old: Path) -> None:
    url = "https://host/slice_0003.png?next=/slice_0004.png"
    (file,) = mapped(old / "labels.csv", table(url), old / "a").files
    assert file.points.png[0, 2] == 3


@pytest.mark.parametrize("trust_names", [False, True])
def test_a_folder_called_like_another_export(old: Path, trust_names: bool) -> None:
    text = table("C:\\work\\b\\slice_0003.png")
    with pytest.raises(LabelError, match="to the folder b, which holds another export than a"):
        mapped(old / "labels.csv", text, old / "a", trust_names=trust_names)
    (file,) = mapped(old / "labels.csv", text, old / "a", old / "b").files
    assert file.export.name == "b"


LAYER = "index,axis-0,axis-1,axis-2\n0,3,3,4\n"


@pytest.mark.parametrize("text", [LAYER, table("slice_0003")])
def test_a_label_file_in_the_folder_of_another_export(old: Path, text: str) -> None:
    with pytest.raises(LabelError, match=r"folder of the export b|beside the label file has other"):
        mapped(old / "b" / "labels.csv", text, old / "a")
    (file,) = mapped(old / "b" / "labels.csv", text, old / "a", old / "b").files
    assert file.export.name == "b"


def test_exports_of_one_tag_are_one(old: Path) -> None:
    """As with 8 and 16 bits, or a copy."""
    shutil.copytree(old / "a", old / "copy")
    (file,) = mapped(old / "labels.csv", table("slice_0003"), old / "a", old / "copy").files
    assert file.points.png[0].tolist() == [3, 4, 3]


def enlarged(pixels: NDArray[np.uint8], form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.kron(pixels, np.ones((2, 2), np.uint8))).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_an_image_beside_the_file_tells_its_size(old: Path, ending: str) -> None:
    """Where the file states none."""
    (old / f"slice_0003.{ending}").write_bytes(
        enlarged(noise(3), "PNG" if ending == "png" else "JPEG")
    )
    (file,) = mapped(old / "labels.csv", table(f"slice_0003.{ending}"), old / "a").files
    assert file.points.png[0].tolist() == [1.25, 1.75, 3]
    assert any("128 × 128 (resized by 2)" in note for note in file.notes)


#: Files whose numbers depend on the height of the image: the label is at corner (3, 100) of an
#: image of 128 × 128, and (1.5, 50) of the PNG.
BY_SIZE = {
    "slice_0003.txt": f"0 {3 / 128} {100 / 128} 0.01 0.01\n",
    "skull.tps": "LM=1\n3 28\nIMAGE=slice_0003.png\n",
}


@pytest.mark.parametrize("name", BY_SIZE)
def test_numbers_that_depend_on_the_size_of_an_enlarged_image_beside_the_file(
    old: Path, name: str
) -> None:
    """Fractions of the size, and rows counted from the bottom."""
    (old / "slice_0003.png").write_bytes(enlarged(noise(3)))
    (file,) = mapped(old / name, BY_SIZE[name], old / "a").files
    np.testing.assert_allclose(file.points.png.mean(axis=0), [1, 49.5, 3], rtol=0, atol=1e-9)
    assert any("128 × 128 (resized by 2)" in note for note in file.notes)


#: A box from corner (10, 10) to (64.25, 40) of an image of 128 × 128.
WIDE = {
    "via.json": {
        "a": {"filename": "slice_0003.png", "size": -1, "file_attributes": {}, "regions": [
            {"shape_attributes": {"name": "rect", "x": 10, "y": 10, "width": 54.25, "height": 30},
             "region_attributes": {}}
        ]}
    },
    "slice_0003.geojson": {
        "type": "Feature",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[10, 10], [64.25, 10], [64.25, 40], [10, 40], [10, 10]]],
        },
        "properties": {"objectType": "annotation"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WIDE)
def test_an_area_is_cut_at_the_edge_of_the_image_it_was_drawn_on(old: Path, name: str) -> None:
    """And not at the width of the smaller PNG."""
    (old / "slice_0003.png").write_bytes(enlarged(noise(3)))
    (file,) = mapped(old / name, json.dumps(WIDE[name]), old / "a").files
    assert file.points.png[:, 0].max() == 64.25 / 2 - 0.5
    assert not any("beyond the edge" in note for note in file.notes)


def test_a_file_states_the_size_of_the_image_in_it(old: Path) -> None:
    path = labelme(old, "slice_0003.png", enlarged(noise(3)), (64, 64))
    with pytest.raises(
        LabelError, match=r"has 64 × 64 pixels in this file, but the image in .* has 128 × 128"
    ):
        load([path], given_exports([old / "a"]))


@pytest.mark.parametrize(("shown", "right"), [(3, True), (103, False)])
def test_a_resized_image_in_the_file_tells_too(old: Path, shown: int, right: bool) -> None:
    path = labelme(old, "slice_0003.png", enlarged(noise(shown)), (128, 128))
    if right:
        (file,) = load([path], given_exports([old / "a"])).files
        assert any("128 × 128 (resized by 2)" in note for note in file.notes)
    else:
        with pytest.raises(LabelError, match=r"has other pixels than slice_0003\.png"):
            load([path], given_exports([old / "a"]))


def test_one_image_has_one_size_however_late_it_is_stated(old: Path) -> None:
    entries = [
        f'{{"id": {k}, "file_name": "slice_0003.png"{more}}}'
        for k, more in enumerate(["", ', "width": 128, "height": 128'])
    ]
    boxes = [
        f'{{"id": {k}, "image_id": {k}, "category_id": 1, "bbox": [1, 2, 3, 4]}}' for k in (0, 1)
    ]
    text = (
        f'{{"images": [{",".join(entries)}], "annotations": [{",".join(boxes)}],'
        ' "categories": [{"id": 1, "name": "a"}]}'
    )
    with pytest.raises(LabelError):
        mapped(old / "labels.json", text, old / "a")


def test_a_tag_does_not_outweigh_an_image_of_another_export(tmp_path: Path) -> None:
    """A neighbour whose texts say otherwise was put in the place of the image."""
    folder = write(
        Spec(columns=40, rows=36, slices=9, markers=False, junk=False), tmp_path / "scan"
    ).folder
    half = sidecar.export(folder, tmp_path / "half", scale=0.5)
    quarter = sidecar.export(folder, tmp_path / "quarter", scale=0.25)
    own, other = (png.document.images.files[3].name for png in (half, quarter))
    (tmp_path / "labels").mkdir()
    shutil.copy(tmp_path / "quarter" / other, tmp_path / "labels" / own)
    with pytest.raises(LabelError, match="beside the label file is of an export with tag"):
        mapped(tmp_path / "labels" / "labels.csv", table(own), tmp_path / "half")


def test_a_tagged_label_file_is_not_of_an_export_without_tags(old: Path) -> None:
    path = labelme(old, "slice_0003.png", b"", (64, 64)).rename(old / "slice_0003_bcdfgh.json")
    with pytest.raises(LabelError, match="gives it two names"):
        load([path], given_exports([old / "a"]))


ROWS, COLUMNS = np.mgrid[:64, :64]


def smooth(k: float) -> NDArray[np.uint8]:
    """A slice whose neighbours differ by a gray value or two."""
    shade = 120 + 60 * np.sin(COLUMNS / 17 + k / 60) + 40 * np.cos(ROWS / 23)
    return np.asarray(np.rint(shade), np.uint8)


@pytest.mark.parametrize("shown", [3, 3.5, 4, 5])
def test_slices_that_look_alike_prove_nothing(shown: float) -> None:
    beside = [smooth(2), smooth(4)]
    assert compared(smooth(shown), smooth(3), beside, lossless=True) != "same"


def test_a_ramp_proves_nothing() -> None:
    """A crop that begins elsewhere shows the same, but for the window."""
    ramp = np.asarray(2 * COLUMNS, np.uint8)
    beside = [noise(2), noise(4)]
    assert compared(ramp + np.uint8(2), ramp, beside, lossless=True) == "unknown"


@pytest.mark.parametrize(("shown", "verdict"), [(3, "same"), (4, "other"), (7, "unknown")])
def test_pixels_of_slices_that_differ_tell(shown: int, verdict: str) -> None:
    """Also where slices are like their neighbours by nine tenths."""
    base = noise(0).astype(float)
    planes = [np.rint(0.9 * base + 0.1 * noise(k)).astype(np.uint8) for k in range(9)]
    image = np.rint(planes[shown] * 0.7 + 20).astype(np.uint8)
    assert compared(image, planes[3], [planes[2], planes[4]], lossless=True) == verdict
