"""Labels on many exports take as much work each as labels on few: what is looked up and made is
counted, never the clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from kit.exports import png_names
from kit.phantoms import write_flat_series

import sidecar
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import load
from sidecar.labels.model import Reader
from sidecar.labels.tables.columns import Made

FEW, MANY = 4, 16


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Exports of parts of one scan: each has a tag of its own."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "scan").mkdir()
    pixels = np.arange(40 * 36, dtype=np.uint16).reshape(36, 40)
    write_flat_series(folder / "scan", FEW + 1, (40, 36), pixels)
    for k in range(MANY):
        sidecar.export(
            folder / "scan", folder / f"png{k}", crop=f"{k}:{k + 20},:,:", scale=1, jobs=1
        )
    return [folder / f"png{k}" for k in range(MANY)]


@pytest.fixture(scope="module")
def different(exports: list[Path]) -> list[Path]:
    """Exports of different sizes."""
    folder = exports[0].parent
    for k in range(FEW):
        crop = f":,{2 * k}:,{k}:"
        sidecar.export(folder / "scan", folder / f"part{k}", crop=crop, scale=1, jobs=1)
    return [folder / f"part{k}" for k in range(FEW)]


def csv_file(folder: Path, exports: Sequence[Path]) -> Path:
    rows = (f"{png_names(export)[1]},5,6,tip\n" for export in exports)
    path = folder / "labels.csv"
    path.write_text("image,x,y,label\n" + "".join(rows))
    return path


def tps_file(folder: Path, exports: Sequence[Path]) -> Path:
    path = folder / "labels.tps"
    path.write_text("".join(f"LM=1\n5 6\nIMAGE={png_names(one)[1]}\n" for one in exports))
    return path


def imagej_file(folder: Path, exports: Sequence[Path]) -> Path:
    names = [png_names(export)[1] for export in exports]
    rows = (f"{k + 1},{name}:0007-0006,0,5,6,1,a/{name}\n" for k, name in enumerate(names))
    path = folder / "Results.csv"
    path.write_text(" ,Label,Area,X,Y,Slice,File\n" + "".join(rows))
    return path


def csv_files(folder: Path, exports: Sequence[Path]) -> Iterator[Path]:
    for k, export in enumerate(exports):
        path = folder / f"labels {k}.csv"
        path.write_text(f"image,x,y,label\n{png_names(export)[1]},5,6,tip\n")
        yield path


def coco_file(folder: Path, exports: Sequence[Path]) -> Path:
    names = [png_names(export)[1] for export in exports]
    document = {
        "images": [{"id": k, "file_name": name} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "tip", "keypoints": ["tip"]}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "keypoints": [5.5, 6.5, 2]}
            for k in range(len(names))
        ],
    }
    path = folder / "coco.json"
    path.write_text(json.dumps(document))
    return path


def test_tags_are_looked_up_as_often_as_there_are_files_and_exports(
    exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count()
    tag = Export.tag.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Export, "tag", property(lambda self: (next(asked), tag(self))[1]))
    often = []
    for number in (FEW, MANY):
        files, before = csv_files(tmp_path, exports[:number]), next(asked)
        assert len(load(files, [Export.open(one) for one in exports[:number]]).exports) == number
        often.append(next(asked) - before)
    few, many = often
    assert many <= MANY // FEW * few


def test_columns_are_made_once_for_all_exports_of_a_file(
    exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells: list[int] = []
    column = Made.__getitem__

    def counted(self: Made, name: str) -> Sequence[str]:
        made = column(self, name)
        cells.append(len(made))
        return made

    monkeypatch.setattr(Made, "__getitem__", counted)
    often = []
    for number in (FEW, MANY):
        file, opened = coco_file(tmp_path, exports[:number]), map(Export.open, exports[:number])
        cells.clear()
        for part in load([file], list(opened)).points:
            assert {name: list(part.columns[name]) for name in part.columns}["label"] == ["tip"]
        often.append(sum(cells))
    few, many = often
    assert many <= MANY // FEW * few


@pytest.mark.parametrize("write", [coco_file, csv_file, imagej_file])
def test_a_file_is_read_once_for_exports_of_any_size_where_its_reader_does_not_ask_for_it(
    write: Callable[[Path, Sequence[Path]], Path],
    different: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = count()
    once = Reader.read
    monkeypatch.setattr(Reader, "read", lambda *given: (next(read), once(*given))[1])
    loaded = load([write(tmp_path, different)], [Export.open(one) for one in different])
    assert len(loaded.exports) == FEW
    assert next(read) == 1


def test_a_file_is_read_for_each_size_where_its_reader_asks_for_it(
    different: list[Path], tmp_path: Path
) -> None:
    """TPS counts rows from the bottom, also in a second file."""
    exports = [Export.open(one) for one in different]
    for _ in range(2):
        loaded = load([tps_file(tmp_path, different)], exports)
        assert [part.png[0, :2].tolist() for part in loaded.points] == [
            [4.5, 36 - 2 * k - 6 - 0.5] for k in range(FEW)
        ]
