"""The one way in for labels: which files, which export, and nothing without its notes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kit.phantoms import Spec, write

import sidecar
from sidecar.errors import DocumentError, LabelError, UsageError
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions, load, map_file
from sidecar.mapping import Sidecar

POINTS = "label,x,y,slice\ntip,4,3,1\n"


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("load")
    write(Spec(junk=False), folder / "scan")
    sidecar.export(folder / "scan", folder / "png", scale=0.5)
    return folder / "png"


def test_files_and_folders_each_with_the_sidecar_beside_it(
    png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(png / "sidecar.json", tmp_path / name)
        for file in ("a.csv", "b.csv"):
            (tmp_path / name / file).write_text(POINTS)
    opened: list[Path] = []
    true_open = Sidecar.open
    monkeypatch.setattr(
        Sidecar, "open", lambda place: opened.append(Path(place)) or true_open(place)
    )
    loaded = load([tmp_path / "one", tmp_path / "two" / "b.csv"])
    assert loaded.paths == [
        tmp_path / "one" / "a.csv",
        tmp_path / "one" / "b.csv",
        tmp_path / "two" / "b.csv",
    ]
    assert [file.export.name for file in loaded.files] == ["one", "one", "two"]
    assert opened == [tmp_path / name / "sidecar.json" for name in ("one", "two")], "each once"
    with pytest.raises(
        UsageError, match=r"more than one export \(one, two\), but a thing takes those of one"
    ):
        loaded.only_export("a thing")
    again = load([tmp_path / "one"])
    assert again.only_export("a thing") is again.files[0].export
    given = load([tmp_path / "one", tmp_path / "two"], [Export(true_open(png))])
    assert len(given.exports) == 1 and len(given.points) == 4


def test_a_file_that_is_given_twice_counts_once(png: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(POINTS)
    loaded = load([tmp_path, tmp_path / "a.csv"], [Export(Sidecar.open(png))])
    assert loaded.paths == [tmp_path / "a.csv"] and len(loaded.points) == 1


def test_two_files_of_one_name_are_told_apart(png: Path, tmp_path: Path) -> None:
    """As of two people who labelled the same PNGs."""
    for name in ("anna", "ben"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.csv").write_text(POINTS)
    first, second = load([tmp_path / "anna", tmp_path / "ben"], [Export(Sidecar.open(png))]).files
    assert not any("labels in" in note for note in first.notes)
    assert any("PNGs have labels in anna/labels.csv" in note for note in second.notes)


def test_points_and_notes_come_together(png: Path, tmp_path: Path) -> None:
    labels = tmp_path / "Points.csv"
    labels.write_text("index,axis-0,axis-1,axis-2\n0,1,3,4\n")
    export = sidecar.open(png)
    (file,) = load([labels], [Export(export)]).files
    assert (file.format, file.labels.tool, file.labels.pixel_origin) == ("napari",) * 2 + (
        "center",
    )
    assert any("scale" in note for note in file.notes)
    np.testing.assert_array_equal(file.points.png, [[4, 3, 1]])
    single = map_file(labels, export)
    assert single.notes == file.notes
    np.testing.assert_array_equal(single.points.source, file.points.source)


def test_one_bad_file_of_many_is_the_error_of_all(png: Path, tmp_path: Path) -> None:
    export = sidecar.open(png)
    (tmp_path / "a.csv").write_text(POINTS)
    (tmp_path / "b.csv").write_text(POINTS + "base,4,3,99\n")
    with pytest.raises(LabelError, match=r"^b\.csv, row 3: .*--allow-outside"):
        load([tmp_path], [Export(export)])
    assert len(load([tmp_path], [Export(export)], LoadOptions(allow_outside=True)).files) == 2
    (tmp_path / "b.csv").write_text(POINTS + "=1+1,4,3,1\n")
    with pytest.raises(LabelError, match=r"^b\.csv, row 3: label '=1\+1' begins like a formula"):
        load([tmp_path], [Export(export)])
    with pytest.raises(DocumentError, match=r"no sidecar\.json beside a\.csv"):
        load([tmp_path / "a.csv"])
    with pytest.raises(UsageError, match="--from word: there is no such format"):
        load([tmp_path / "a.csv"], [Export(export)], LoadOptions("word"))
    (tmp_path / "none").mkdir()
    with pytest.raises(LabelError, match="none: holds no label files"):
        load([tmp_path / "none"], [Export(export)])
