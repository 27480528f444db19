"""A browser or a file manager renames a second file of one name. The second ``slice_0004.png`` may
be a copy of the first, or the PNG of another export, and only a tag tells which.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.adopted_images import texture
from kit.made_exports import Export
from kit.phantoms import Spec, write
from kit.tool_files import labelme
from PIL import Image

import sidecar
from sidecar.errors import LabelError
from sidecar.labels.copies import original_of
from sidecar.labels.identity.exports import given_exports
from sidecar.labels.load import LoadOptions, load
from sidecar.labels.references import bare_key

SECOND = [
    "{} (1)",
    "{}(1)",
    "{} (12)",
    "{} (1) (2)",
    "{} - Copy",
    "{} - Copy (2)",
    "{} copy",
    "{} copy 2",
    "{} 2",
    "{} (copy)",
    "{} (another copy)",
    "{} (3rd copy)",
    "Copy of {}",
    "Copy (2) of {}",
    "{} - Kopie",
    "Kopie von {}",
    "Copia de {}",
    "{} - C\u00f3pia",
]
PLAIN = "slice_0004"

Write = Callable[[Path, str], Path]


def table(folder: Path, name: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(f"image,x,y\nC:\\png\\{name}.png,3,4\n", encoding="utf-8")
    return path


def coco(folder: Path, name: str) -> Path:
    path = folder / "coco.json"
    document = {
        "images": [{"id": 1, "file_name": f"{name}.png"}],
        "categories": [{"id": 1, "name": "tip"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 4, 5, 6]}],
    }
    path.write_text(json.dumps(document))
    return path


def via(folder: Path, name: str) -> Path:
    path = folder / "via.json"
    shape = {"name": "point", "cx": 3, "cy": 4}
    regions = [{"shape_attributes": shape, "region_attributes": {}}]
    image = {"filename": f"{name}.png", "size": -1, "regions": regions, "file_attributes": {}}
    path.write_text(json.dumps({f"{name}.png-1": image}))
    return path


def voc(folder: Path, name: str) -> Path:
    path = folder / "voc.xml"
    path.write_text(
        f"<annotation><filename>{name}.png</filename><object><name>tip</name><bndbox><xmin>3</xmin>"
        "<ymin>4</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>",
        encoding="utf-8",
    )
    return path


def labelme_of(path: Path, image: str, data: bytes | None = None) -> Path:
    document = labelme.document([labelme.shape("tip", [[3, 4]], "point")])
    size = {"imageHeight": None, "imageWidth": None}
    carried = None if data is None else base64.b64encode(data).decode()
    path.write_text(
        json.dumps({**document, **size, "imagePath": f"{image}.png", "imageData": carried})
    )
    return path


def labelme_inside(folder: Path, name: str) -> Path:
    return labelme_of(folder / "labels.json", name)


def results(folder: Path, name: str) -> Path:
    """Of a PNG that was opened alone, with Stack position among the measurements."""
    path = folder / "Results.csv"
    path.write_text(f" ,Label,Area,X,Y,Slice\n1,{name}.png,0,3,4,1\n", encoding="utf-8")
    return path


def named(text: str, ending: str = "csv", more: str = "") -> Write:
    def write(folder: Path, name: str) -> Path:
        path = folder / f"{name}{more}.{ending}"
        path.write_text(text)
        return path

    return write


INSIDE = {
    "csv": table,
    "coco": coco,
    "via": via,
    "voc": voc,
    "labelme": labelme_inside,
    "imagej": results,
}
BY_NAME = {
    "csv": named("label,x,y\ntip,3,4\n"),
    "csv tips": named("label,x,y\ntip,3,4\n", more="_tips"),
    "csv .png": named("label,x,y\ntip,3,4\n", more=".png"),
    "napari": named("index,axis-0,axis-1\n0,4,3\n"),
    "imagej": named(" ,Area,X,Y\n1,0,3,4\n"),
    "imagej slice": named(" ,Area,X,Y,Slice\n1,0,3,4,1\n"),
    "yolo": named("0 0.5 0.5 0.1 0.1\n", "txt"),
}
WRITERS = {
    **{f"in {k}": w for k, w in INSIDE.items()},
    **{f"name of {k}": BY_NAME[k] for k in BY_NAME},
}
every_file = pytest.mark.parametrize("file", WRITERS.values(), ids=WRITERS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export whose PNGs have a tag, one whose PNGs have none, and a folder for labels."""
    home = tmp_path_factory.mktemp("home")
    spec = Spec(columns=40, rows=36, slices=9, markers=False, junk=False)
    sidecar.export(write(spec, home / "scan").folder, home / "tagged")
    (home / "plain").mkdir()
    planes = texture(64, 64, 9, seed=3, noise=0.3)
    grey = np.clip((planes + 1000) / 8, 0, 255).astype(np.uint8)
    Export().write(home / "plain", lambda k, _: grey[k])
    return home


def slices(path: Path, export: Path, trust_names: bool = False) -> list[float]:
    options = LoadOptions(trust_names=trust_names)
    try:
        (file,) = load([path], given_exports([export]), options).files
    finally:
        path.unlink()
    return [float(k) for k in np.unique(file.points.png[:, 2])]


def tagged_name(home: Path) -> str:
    return next(path.stem for path in (home / "tagged").iterdir() if "_0004_" in path.name)


@pytest.mark.parametrize("second", SECOND)
@every_file
def test_a_tag_proves_a_second_file(home: Path, tmp_path: Path, file: Write, second: str) -> None:
    name = second.format(tagged_name(home))
    assert slices(file(tmp_path, name), home / "tagged") == [4]


@pytest.mark.parametrize("second", SECOND)
@every_file
def test_a_second_file_without_a_tag_is_refused(
    home: Path, tmp_path: Path, file: Write, second: str
) -> None:
    """On images without a tag, and on tagged ones, which also need --trust-names."""
    name = second.format(PLAIN)
    with pytest.raises(LabelError, match=r"(?i)second file of one name.*give it the name of th"):
        slices(file(tmp_path, name), home / "plain")
    with pytest.raises(LabelError):
        slices(file(tmp_path, name), home / "tagged")


@every_file
def test_a_tag_of_another_export_is_refused(home: Path, tmp_path: Path, file: Write) -> None:
    with pytest.raises(LabelError, match="belongs to another export: its tag is bcdfgh"):
        slices(file(tmp_path, f"{PLAIN}_bcdfgh (1)"), home / "tagged")


@every_file
def test_files_that_are_not_second_are_taken(home: Path, tmp_path: Path, file: Write) -> None:
    assert slices(file(tmp_path, PLAIN), home / "plain") == [4]
    assert slices(file(tmp_path, PLAIN), home / "tagged", trust_names=True) == [4]
    assert slices(file(tmp_path, tagged_name(home)), home / "tagged") == [4]


@pytest.mark.parametrize(
    "more", ["_tips", "-2", " tips", ".png - path", "_2024-11-27", "_copyright", " Otsu", "_v2 (x)"]
)
def test_other_ends_of_a_name_say_nothing(home: Path, tmp_path: Path, more: str) -> None:
    assert slices(BY_NAME["csv"](tmp_path, f"{PLAIN}{more}"), home / "plain") == [4]


@pytest.mark.parametrize("second", SECOND)
def test_a_second_label_file_of_one_image(home: Path, tmp_path: Path, second: str) -> None:
    """It names its image without a tag, and so may be of another scan, like the first one."""
    path = tmp_path / f"{second.format(PLAIN)}.json"
    with pytest.raises(LabelError, match=r"second file of one name.*rename the file"):
        slices(labelme_of(path, PLAIN), home / "plain")
    assert slices(labelme_of(path, tagged_name(home)), home / "tagged") == [4]
    with pytest.raises(LabelError, match="gives it two names"):
        slices(labelme_of(path, "slice_0003"), home / "plain")


def test_the_image_in_a_second_label_file_proves_it(home: Path, tmp_path: Path) -> None:
    data = (home / "plain" / f"{PLAIN}.png").read_bytes()
    assert slices(labelme_of(tmp_path / f"{PLAIN} (1).json", PLAIN, data), home / "plain") == [4]


def test_a_second_label_file_of_several_images_is_taken(home: Path, tmp_path: Path) -> None:
    """Its name is not that of an image."""
    path = tmp_path / "labels (1).csv"
    path.write_text(f"image,x,y\n{PLAIN}.png,3,4\nslice_0005.png,3,4\n")
    assert slices(path, home / "plain") == [4, 5]


def test_a_second_file_that_counts_slices_is_taken(home: Path, tmp_path: Path) -> None:
    """Programs name a whole stack after its first PNG."""
    path = tmp_path / "slice_0000 (1).csv"
    path.write_text("index,axis-0,axis-1,axis-2\n0,4,4,3\n")
    assert slices(path, home / "plain") == [4]
    path = tmp_path / "slice_0003 (1).csv"
    path.write_text("index,axis-0,axis-1,axis-2\n0,4,4,3\n")
    with pytest.raises(LabelError, match="which is not the first PNG"):
        slices(path, home / "plain")


@pytest.mark.parametrize("cell", ["slice_0004 (1).png", "Copy of slice_0004.png"])
def test_a_cell_that_names_a_second_file_is_refused(home: Path, tmp_path: Path, cell: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"slice,x,y,file\n4,3,4,{cell}\n")
    with pytest.raises(LabelError, match="names a copy of a PNG, which may be of another export"):
        slices(path, home / "plain")


def test_adopted_images_may_be_called_so(tmp_path: Path) -> None:
    names = (
        "IM.png",
        "IM (1).png",
        "IM - Copy.png",
        "Copy of IM.png",
        *(f"{k}.png" for k in range(5)),
    )
    folder = tmp_path / "png"
    folder.mkdir()
    Export(names=names).write(folder)
    for k, name in enumerate(names):
        stem = name.removesuffix(".png")
        assert slices(table(tmp_path, stem), folder) == [k]
        assert slices(BY_NAME["csv"](tmp_path, stem), folder) == [k]
        assert slices(labelme_of(tmp_path / f"{stem}.json", stem), folder) == [k]
    path = tmp_path / "labels.csv"
    path.write_text("label,slice,x,y\n1 (2),0,3,4\n2 (1),0,3,4\n")
    assert slices(path, folder) == [0]


def test_an_unknown_single_image_is_not_the_first_png(home: Path, tmp_path: Path) -> None:
    """ImageJ calls a duplicate, which may be cropped, slice_0004-1.png."""
    for name in ("slice_0004-1", "Result of slice_0004", "overview"):
        with pytest.raises(LabelError, match="no PNG of this export is named"):
            slices(results(tmp_path, name), home / "plain")


def test_the_image_of_a_second_file_beside_it_is_not_the_png(home: Path, tmp_path: Path) -> None:
    Image.new("L", (64, 64)).save(tmp_path / f"{PLAIN} (1).png")
    with pytest.raises(LabelError, match="second file of one name"):
        slices(table(tmp_path, f"{PLAIN} (1)"), home / "plain")


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("name", ["slice_0004", "slice_0004_gjgbtf", "beetle-7_0010"])
def test_the_name_before_it_was_taken(name: str, second: str) -> None:
    assert original_of(second.format(name)) == original_of(name) == name
    assert bare_key(second.format(name) + ".png") == (
        name if name.endswith("gjgbtf") else second.format(name).lower()
    )


@pytest.mark.parametrize(
    "name",
    ["copy", "im 12", "slice_0004-2", "a (b)", "of copies", "(1)x", "scan copy5x", "photocopy"],
)
def test_names_without_such_a_mark(name: str) -> None:
    assert original_of(name) == name


def test_a_hostile_name_is_read_in_linear_time() -> None:
    name = "slice_0004" + " copy (1)" * 50_000
    assert original_of(f"{name}x") == f"{name}x"
    assert original_of("copy of " * 50_000 + "x") == "x"


@pytest.mark.parametrize("second", SECOND)
@every_file
def test_the_user_may_trust_the_name(home: Path, tmp_path: Path, file: Write, second: str) -> None:
    for export in ("plain", "tagged"):
        path = file(tmp_path, second.format(PLAIN))
        assert slices(path, home / export, trust_names=True) == [4]


def test_the_pixels_prove_a_second_file(home: Path, tmp_path: Path) -> None:
    data = (home / "plain" / f"{PLAIN}.png").read_bytes()
    path = labelme_of(tmp_path / "labels.json", f"{PLAIN} (1)", data)
    assert slices(path, home / "plain") == [4]
    other = (home / "plain" / "slice_0005.png").read_bytes()
    with pytest.raises(LabelError, match="other pixels"):
        slices(labelme_of(path, f"{PLAIN} (1)", other), home / "plain")
