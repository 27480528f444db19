"""TPS: landmarks, curves and outlines, counted from the bottom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.label_truth import LANDMARKS, STACK, check, check_columns
from kit.tool_files import tps

from sidecar.errors import LabelError, counted
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions
from sidecar.labels.readers.tps import READER

#: TPS numbers landmarks, within each specimen.
NUMBERED = [
    replace(m, name=str(1 + sum(o.slice == m.slice for o in LANDMARKS[:n])))
    for n, m in enumerate(LANDMARKS)
]


def read(
    tmp_path: Path, text: str, stack: PngStack = STACK, origin: PixelOrigin | None = None
) -> Labels:
    path = tmp_path / "skulls.tps"
    path.write_text(text, newline="")
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, stack, ReadOptions(origin))


def test_landmarks_come_back(tmp_path: Path) -> None:
    labels = read(tmp_path, tps.specimens())
    check(labels, NUMBERED)
    assert labels.pixel_origin == "corner"
    assert set(labels.columns["scale"]) == {"0.020000"}
    assert any("SCALE was not applied" in note for note in labels.notes)
    assert any("half a pixel" in note and "--pixel-origin center" in note for note in labels.notes)


def test_the_outer_corners_of_the_picture(tmp_path: Path) -> None:
    """The bottom left corner is (0, 0) in the file: half a pixel left of the first column and below
    the last row.
    """
    text = f"LM=2\n0 0\n{STACK.columns} {STACK.rows}\nIMAGE=slice_0001.png\n"
    labels = read(tmp_path, text)
    assert labels.xy.tolist() == [[-0.5, STACK.rows - 0.5], [STACK.columns - 0.5, -0.5]]


@given(x=st.floats(0, 203), y=st.floats(0, 151))
def test_both_origins_keep_the_distance_from_the_bottom(
    tmp_path_factory: pytest.TempPathFactory, x: float, y: float
) -> None:
    """Forced to center, the bottom row's middle is 0: the flip is about that row, and nothing
    shifts.
    """
    folder = tmp_path_factory.mktemp("tps")
    text = f"LM=1\n{x!r} {y!r}\nIMAGE=slice_0001.png\n"
    corner, center = (read(folder, text, origin=origin).xy[0] for origin in (None, "center"))
    assert center.tolist() == pytest.approx([x, STACK.rows - 1 - y], abs=1e-9)
    assert corner.tolist() == pytest.approx([x - 0.5, STACK.rows - y - 0.5], abs=1e-9)


def test_curves_and_outlines_keep_identity(tmp_path: Path) -> None:
    a, b = [(10.5, 20.5), (30.0, 40.0), (50.0, 60.0)], [(1.0, 2.0), (3.0, 4.0)]
    lines = [
        "LM=1",
        *tps.points(a[:1]),
        "CURVES=2",
        "POINTS=3",
        *tps.points(a),
        "POINTS=2",
        *tps.points(b),
    ]
    lines += [
        "OUTLINES=1",
        "POINTS=3",
        *tps.points(a),
        "IMAGE=slice_0002.png",
        "ID=0",
        "LM=0",
        "IMAGE=slice_0004.png",
    ]
    labels = read(tmp_path, "\n".join(lines))
    check_columns(labels)
    assert labels.columns["shape_type"] == ["point"] + ["polyline"] * 5 + ["polygon"] * 3
    assert labels.columns["label"] == ["1"] + ["curve 1"] * 3 + ["curve 2"] * 2 + ["outline 1"] * 3
    assert labels.columns["vertex"] == list("001201012")
    assert len(set(labels.columns["shape_id"])) == 4
    assert labels.xy.tolist() == [[x - 0.5, y - 0.5] for x, y in [*a[:1], *a, *b, *a]]


@pytest.mark.parametrize("missing", ["-1.00000 -1.00000", "NA NA"])
def test_missing_landmarks_are_left_out_and_the_others_keep_their_number(
    tmp_path: Path, missing: str
) -> None:
    text = (
        f"LM=3\n1 2\n{missing}\n3 4\nCURVES=1\nPOINTS=3\n1 2\n{missing}\n3"
        " 4\nIMAGE=slice_0001.png\n"
    )
    labels = read(tmp_path, text)
    assert labels.columns["label"] == ["1", "3", "curve 1", "curve 1"]
    assert labels.columns["vertex"] == ["0", "0", "0", "2"]
    assert any("left out" in note for note in labels.notes)


def test_radii_are_no_points(tmp_path: Path) -> None:
    a = [(10.5, 20.5), (30.0, 40.0)]
    lines = ["LM=2", *tps.points(a), "RADII=3", "12.5", "13.0 13.5", "IMAGE=slice_0002.png"]
    lines += ["LM=1", *tps.points(a[:1]), "IMAGE=slice_0004.png", "RADII=1", "7"]
    labels = read(tmp_path, "\n".join(lines))
    assert labels.xy.tolist() == [[x - 0.5, y - 0.5] for x, y in [*a, a[0]]]
    assert labels.left_out == ("2 RADII lists left out: radii are not points",)


@pytest.mark.parametrize(
    "comment",
    [
        "# weevils, Ada",
        "Weevils of 2026",
        "COMMENT=digitised twice",
        "'made by hand",
        "----------\n// weevils",
    ],
)
def test_comments_before_the_first_specimen(tmp_path: Path, comment: str) -> None:
    labels = read(tmp_path, f"{comment}\n\n{tps.specimens()}")
    check(labels, NUMBERED)
    lines = comment.count("\n") + 1
    assert labels.left_out == (f"{counted(lines, 'comment line')} left out: before the first LM=",)


def test_images_by_id_as_geomorph_writes_them(tmp_path: Path) -> None:
    """readJPEG takes JPEGs only, so that the ID has another extension than the PNG."""
    labels = read(tmp_path, "LM=1\n12.5 40.5\nSCALE=0.02\nID=slice_0004.jpg\n\n")
    assert labels.image == ["slice_0004.jpg"]
    assert any("digitize2d" in note and "millimetres" in note for note in labels.notes)


def test_without_a_name_only_a_single_picture_is_certain(tmp_path: Path) -> None:
    text = "LM=1\n12.5 40.5\nID=0\n"
    with pytest.raises(
        LabelError, match=r"skulls\.tps, line 1: .*does not name its PNG; add a line IMAGE="
    ):
        read(tmp_path, text)
    labels = read(tmp_path, text, replace(STACK, slices=1, names=STACK.names[:1]))
    assert labels.slice.tolist() == [0.0]
    assert labels.image == [""]


def test_paths_and_case(tmp_path: Path) -> None:
    labels = read(
        tmp_path, "lm=1\n1 2\nimage=C:\\png\\slice_0001.png\ncomment=left = mirrored\nid=4\n"
    )
    assert labels.image == ["C:/png/slice_0001.png"]
    assert labels.columns["comment"] == ["left = mirrored"]
    assert labels.columns["id"] == ["4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LM3=1\n1 2 3\nID=a\n", r"line 1: LM3= holds points in space.*`sidecar project`"),
        ("LM=3\n1 2\n3 4\nIMAGE=a.png\n", "line 1: has fewer points than the 3"),
        ("LM=3\n1 2\n3 4", "line 1: has fewer points"),
        ("LM=999999999999\n1 2\n", "line 1: has fewer points"),
        ("LM=1\n1 2\n3 4\nIMAGE=a.png\n", "line 3: .*belongs to no LM="),
        ("LM=1\n1 2 3\n", "line 2: does not hold two coordinates"),
        ("LM=1\n1,5 2\n", "line 2: .*decimal comma"),
        ("LM=1\nnan 2\n", "line 2: .*not a number"),
        ("LM=0\nCURVES=2\nPOINTS=1\n1 2\nIMAGE=a.png\n", r"line 5: POINTS= is missing"),
        ("LM=0\nCURVES=1\nPOINTS=-1\n", "line 3: announces a negative number"),
        ("LM=0\nCIRCLES=1\n1 2 3\n", "line 2: keyword CIRCLES= is not known"),
        ("LM=0\nRADII=1\nPOINTS=1\n", "line 3: keyword POINTS= is not known"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


def test_other_text_is_not_tps(tmp_path: Path) -> None:
    for text in ("LM=x\n", "x LM=1\n", "ID=1\nLM=1\n", "LM=1,2\n", ""):
        assert not READER.recognises(tmp_path / "a.tps", text.encode())
    path = tmp_path / "a.tps"
    path.write_text("ID=1\nLM=1\n1 2\n")
    with pytest.raises(LabelError, match=r"line 1: comes before the first LM="):
        READER.read(path, STACK)
