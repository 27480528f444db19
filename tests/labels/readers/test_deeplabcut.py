"""DeepLabCut: CollectedData_<scorer>.csv."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.label_truth import LANDMARKS, STACK, check
from kit.tool_files import deeplabcut

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, ReadOptions
from sidecar.labels.readers.deeplabcut import READER


def read(tmp_path: Path, text: str, origin: PixelOrigin | None = None) -> Labels:
    path = tmp_path / "CollectedData_Ada.csv"
    path.write_text(text)
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, STACK, ReadOptions(origin))


@pytest.mark.parametrize("split", [True, False], ids=["three index columns", "one"])
@pytest.mark.parametrize("individual", [None, "mouse1"], ids=["single", "multi-animal"])
def test_landmarks_come_back(tmp_path: Path, split: bool, individual: str | None) -> None:
    labels = read(tmp_path, deeplabcut.table(split=split, individual=individual))
    check(labels)
    assert labels.pixel_origin == "center"
    assert labels.image[0] == "labeled-data/scan/slice_0000.png"
    assert set(labels.columns["individual"]) == {individual or ""}
    assert set(labels.columns["scorer"]) == {"Ada"}
    assert len(set(labels.columns["shape_id"])) == len(labels)


@pytest.mark.parametrize(("origin", "shift"), [(None, 0.0), ("center", 0.0), ("corner", 0.5)])
def test_forced_origin(tmp_path: Path, origin: PixelOrigin | None, shift: float) -> None:
    labels = read(tmp_path, deeplabcut.table(), origin)
    assert labels.xy.tolist() == [[m.x - shift, m.y - shift] for m in LANDMARKS]


def test_windows_paths(tmp_path: Path) -> None:
    labels = read(
        tmp_path,
        deeplabcut.table(split=False).replace("labeled-data/scan/", "labeled-data\\scan\\"),
    )
    check(labels)


def test_the_same_body_part_of_two_animals(tmp_path: Path) -> None:
    text = (
        "scorer,,,Ada,Ada,Ada,Ada\nindividuals,,,m1,m1,m2,m2\nbodyparts,,,nose,nose,nose,nose\ncoords,,,x,y,x,y\n"
        "labeled-data,scan,slice_0001.png,1.5,2.5,3.5,4.5\n"
    )
    labels = read(tmp_path, text)
    assert labels.columns["individual"] == ["m1", "m2"]
    assert labels.xy.tolist() == [[1.5, 2.5], [3.5, 4.5]]
    assert [labels.where(i) for i in range(2)] == ["row 5, m1 nose", "row 5, m2 nose"]


HEADER = "scorer,,,Ada,Ada\nbodyparts,,,nose,nose\ncoords,,,x,y\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "scorer,net,net,net\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n0,1,2,0.9\n",
            "predictions on video frames",
        ),
        ("scorer,net,net\nbodyparts,nose,nose\ncoords,x,y\n0,1,2\n", "row 4: names no image"),
        (HEADER + "labeled-data,scan,a.png,1\n", "row 4: has 4 cells, but the header has 5"),
        (HEADER + "labeled-data,scan,a.png,1,\n", "row 4, nose: y '' is not a number"),
        (HEADER + 'labeled-data,scan,a.png,"1,5",2\n', "row 4, nose: x .*decimal comma"),
        (HEADER + "labeled-data,scan,a.png,nan,nan\n", "row 4, nose: .*not a number"),
        (HEADER.replace("x,y", "y,x"), "columns 5 and 6 are not the x and y"),
        (
            HEADER.replace("nose,nose", "nose,ear"),
            "columns 4 and 5 are not the x and y of one body part",
        ),
        (HEADER.replace("Ada,Ada", "Ada"), "different lengths"),
        ("scorer,,\nbodyparts,,\ncoords,,\n", "no columns x and y"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


def test_other_tables_are_not_deeplabcut(tmp_path: Path) -> None:
    for text in ("label,x,y\n", "scorer,x,y\nbodyparts,1,2\n", ""):
        assert not READER.recognises(tmp_path / "a.csv", text.encode())
    path = tmp_path / "a.csv"
    path.write_text("label,x,y\na,1,2\n")
    with pytest.raises(LabelError, match="header rows scorer"):
        READER.read(path, STACK)
