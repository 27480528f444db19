"""Labels on many adopted stacks, whose images all have the same names: each label comes back on its
own stack, and takes as much work as on few stacks. Work is counted, never the clock.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from kit.adopted_images import texture, write_scan
from kit.counted_calls import calls_since
from PIL import Image

import sidecar
from sidecar.labels.identity import evidence, resolver
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import Loaded, load

FEW, MANY = 3, 12
NAMES = ("a.png", "b.png", "c.png")
#: Columns and rows of the images of the first stack; the others have a row less each.
SIZE = (56, 48)

Write = Callable[[Sequence[Path]], list[Path]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stacks of crops: stack k begins k rows further down."""
    folder = tmp_path_factory.mktemp("stacks")
    volume = texture(SIZE[0], SIZE[1] + MANY, len(NAMES))
    scan = write_scan(folder / "scan", volume).folder
    for k in range(MANY):
        (folder / f"beetle{k}").mkdir()
        for plane, name in zip(volume, NAMES, strict=True):
            shown = np.rint((plane[k : k + SIZE[1]] + 1000) * (255 / 3000)).astype(np.uint8)
            Image.fromarray(shown).save(folder / f"beetle{k}" / name)
        sidecar.adopt(scan, folder / f"beetle{k}", flip="none", z_step=1)
    return [folder / f"beetle{k}" for k in range(MANY)]


@pytest.fixture
def stacks(made: list[Path]) -> Iterator[list[Path]]:
    """The same, cleared of label files in the end."""
    yield made
    for folder in (made[0].parent, *made):
        for path in (*folder.glob("*.csv"), *folder.glob("[abc].json")):
            path.unlink()


def table_above(stacks: Sequence[Path]) -> list[Path]:
    """One table in the folder of the stacks."""
    path = stacks[0].parent / "labels.csv"
    path.write_text("image,x,y\n" + "".join(f"{one.name}/b.png,5,6\n" for one in stacks))
    return [path]


def table_elsewhere(stacks: Sequence[Path]) -> list[Path]:
    """One table in a folder without images."""
    (stacks[0].parent / "labels").mkdir(exist_ok=True)
    return [path.replace(path.parent / "labels" / path.name) for path in table_above(stacks)]


def tables_beside(stacks: Sequence[Path]) -> list[Path]:
    """A table in each stack."""
    for one in stacks:
        (one / "labels.csv").write_text("image,x,y\nb.png,5,6\n")
    return [one / "labels.csv" for one in stacks]


def labelme_beside(stacks: Sequence[Path]) -> list[Path]:
    """A LabelMe file in each stack, with the image in it."""
    return [labelme(one / "b.json", "b.png", one / "b.png") for one in stacks]


def labelme(path: Path, name: str, image: Path, size: tuple[int, int] = SIZE) -> Path:
    document = {
        "version": "5.5.0",
        "shapes": [{"label": "tip", "points": [[5.5, 6.5]], "shape_type": "point"}],
        "imagePath": name,
        "imageData": base64.b64encode(image.read_bytes()).decode(),
        "imageWidth": size[0],
        "imageHeight": size[1],
    }
    path.write_text(json.dumps(document))
    return path


def rows_of(loaded: Loaded) -> dict[str, list[float]]:
    """The source voxel of the label on each stack."""
    return {
        file.export.folder_name: file.points.source[0].round(3).tolist() for file in loaded.files
    }


@pytest.mark.parametrize("write", [table_above, table_elsewhere, tables_beside, labelme_beside])
def test_each_label_is_sought_in_its_own_stack(
    write: Write, stacks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = calls_since(monkeypatch, resolver, "slice_of")
    pixels = calls_since(monkeypatch, evidence, "_pixels")
    often = []
    for number in (FEW, MANY):
        exports = [Export.open(one) for one in stacks[:number]]
        found = rows_of(load(write(stacks[:number]), exports))
        assert found == {f"beetle{k}": [5, 6 + k, 1] for k in range(number)}
        often.append((names(), pixels()))
    few, many = often
    assert all(now <= MANY // FEW * before for before, now in zip(few, many, strict=True))


def test_an_image_proves_another_stack_than_the_one_it_lies_in(stacks: list[Path]) -> None:
    path = labelme(stacks[1] / "b.json", "b.png", stacks[2] / "b.png")
    assert rows_of(load([path], [Export.open(one) for one in stacks])) == {"beetle2": [5, 8, 1]}


def test_of_two_equal_images_the_one_in_the_folder_of_the_labels_is_meant(tmp_path: Path) -> None:
    """Two series of equal pixels, such as a scan and its anonymized copy."""
    volume = texture(*SIZE, len(NAMES))
    for seed, name in enumerate(("own", "copy")):
        scan = write_scan(tmp_path / f"scan of {name}", volume, seed).folder
        (tmp_path / name).mkdir()
        for plane, image in zip(volume, NAMES, strict=True):
            shown = np.rint((plane + 1000) * (255 / 3000)).astype(np.uint8)
            Image.fromarray(shown).save(tmp_path / name / image)
        sidecar.adopt(scan, tmp_path / name, flip="none", z_step=1)
    exports = [Export.open(tmp_path / name) for name in ("own", "copy")]
    for name in ("own", "copy"):
        path = labelme(tmp_path / name / "b.json", "b.png", tmp_path / name / "b.png")
        assert list(rows_of(load([path], exports))) == [name]
    path = labelme(tmp_path / "b.json", "b.png", tmp_path / "own" / "b.png")
    with pytest.raises(sidecar.LabelError, match="could belong to own or copy"):
        load([path], exports)


def test_a_folder_of_an_unknown_name_leaves_the_choice_to_the_user(stacks: list[Path]) -> None:
    (stacks[0].parent / "labels").mkdir(exist_ok=True)
    path = stacks[0].parent / "labels" / "labels.csv"
    path.write_text("image,x,y\nother/b.png,5,6\n")
    with pytest.raises(sidecar.LabelError, match="could belong to beetle0 or beetle1"):
        load([path], [Export.open(one) for one in stacks])


def test_stacks_around_are_opened_once_for_all_label_files(
    stacks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label on a resized image may belong to a stack nearby that has this size."""
    opened, half = count(), (SIZE[0] // 2, SIZE[1] // 2)
    open_ = Export.open
    monkeypatch.setattr(Export, "open", lambda place: (next(opened), open_(place))[1])
    small = tmp_path / "small.png"
    with Image.open(stacks[0] / "b.png") as image:
        image.resize(half).save(small)
    often = []
    for number in (FEW, MANY):
        files = [labelme(tmp_path / f"{k}.json", "b.png", small, half) for k in range(number)]
        before = next(opened)
        loaded = load(files, [open_(stacks[0])])
        assert [file.points.png[0, :2].tolist() for file in loaded.files] == [[10.5, 12.5]] * number
        often.append(next(opened) - before)
    assert often[0] == often[1]
