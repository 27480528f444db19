"""YOLO: boxes, keypoints and polygons, one file per PNG."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.label_truth import LANDMARKS, STACK, check_columns
from kit.tool_files import yolo

from sidecar.errors import LabelError
from sidecar.formats import yaml_file
from sidecar.labels.files import label_files
from sidecar.labels.model import Labels, PixelOrigin, ReadOptions
from sidecar.labels.readers.yolo import READER

ON_SLICE_3 = [m for m in LANDMARKS if m.slice == 3]


def read(tmp_path: Path, text: str, origin: PixelOrigin | None = None, **beside: str) -> Labels:
    """Reads the labels of PNG 3; ``beside`` are further files of the folder, "_" for the dot."""
    for name, content in beside.items():
        (tmp_path / name.replace("_", ".")).write_text(content)
    path = tmp_path / "slice_0003.txt"
    path.write_text(text)
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, STACK, ReadOptions(origin))


def pose(size: int, flags: str = "22") -> str:
    """A box and the two landmarks of PNG 3 as its keypoints."""
    words = [yolo.box(0, 60, 50, 100, 60)]
    words += [
        yolo.fractions([m.corner]) + (f" {flag}" if size == 3 else "")
        for m, flag in zip(ON_SLICE_3, flags, strict=True)
    ]
    return " ".join(words) + "\n"


@pytest.mark.parametrize("size", [2, 3])
def test_keypoints_come_back(tmp_path: Path, size: int) -> None:
    labels = read(tmp_path, pose(size), data_yaml=f"names: [skull]\nkpt_shape: [2, {size}]\n")
    check_columns(labels)
    assert labels.columns["shape_type"] == ["box"] * 4 + ["point"] * 2
    assert list(labels.columns["vertex"]) == list("012301")
    assert labels.columns["label"] == ["skull"] * 4 + ["skull_0", "skull_1"]
    assert list(labels.image) == ["slice_0003"] * 6
    np.testing.assert_allclose(labels.xy[4:], [(m.x, m.y) for m in ON_SLICE_3], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        labels.xy[:4],
        [(59.5, 49.5), (159.5, 49.5), (159.5, 109.5), (59.5, 109.5)],
        rtol=0,
        atol=1e-9,
    )
    assert labels.pixel_origin == "corner"


@pytest.mark.parametrize(("origin", "shift"), [(None, 0.5), ("corner", 0.5), ("center", 0.0)])
def test_forced_origin(tmp_path: Path, origin: PixelOrigin | None, shift: float) -> None:
    labels = read(tmp_path, yolo.box(0, 60, 50, 100, 60), origin)
    np.testing.assert_allclose(labels.xy[0], [60 - shift, 50 - shift], rtol=0, atol=1e-9)


@given(x=st.floats(0, 100), y=st.floats(0, 75), width=st.floats(0, 100), height=st.floats(0, 75))
def test_six_decimals_cost_no_more_than_is_told(
    tmp_path_factory: pytest.TempPathFactory, x: float, y: float, width: float, height: float
) -> None:
    """Centre and size are rounded each: an edge is off by up to 0.75e-6 of the image, here 0.00015
    pixels.
    """
    labels = read(tmp_path_factory.mktemp("yolo"), yolo.box(0, x, y, width, height, decimals=6))
    expected = [
        (x - 0.5, y - 0.5),
        (x + width - 0.5, y - 0.5),
        (x + width - 0.5, y + height - 0.5),
        (x - 0.5, y + height - 0.5),
    ]
    np.testing.assert_allclose(labels.xy, expected, rtol=0, atol=0.76e-6 * STACK.columns)


def test_polygons(tmp_path: Path) -> None:
    corners = [(150.0, 20.0), (190.5, 100.0), (180.0, 140.25)]
    labels = read(
        tmp_path, f"1 {yolo.fractions(corners)}\n0 {yolo.fractions([*corners, (160.0, 130.0)])}\n"
    )
    assert labels.columns["shape_type"] == ["polygon"] * 7
    assert labels.columns["shape_id"] == ["1"] * 3 + ["2"] * 4
    np.testing.assert_allclose(labels.xy[:3], np.array(corners) - 0.5, rtol=0, atol=1e-9)


def test_what_could_be_polygon_or_pose_is_refused_until_something_tells(tmp_path: Path) -> None:
    text = f"0 {yolo.fractions([(100, 75), (20, 20), (95, 70), (105, 80)])}\n"
    with pytest.raises(
        LabelError,
        match=r"slice_0003\.txt, row 1: .*a polygon, or a box with keypoints.*data\.yaml.*kpt_shape",
    ):
        read(tmp_path, text)
    assert set(read(tmp_path, text, data_yaml="names: [a]\n").columns["shape_type"]) == {"polygon"}
    posed = read(tmp_path, text, data_yaml="names: [a]\nkpt_shape: [2, 2]\n")
    assert posed.columns["shape_type"] == ["box"] * 4 + ["point"] * 2


def test_polygons_whose_first_corners_would_be_no_box_need_no_further_file(tmp_path: Path) -> None:
    labels = read(tmp_path, f"0 {yolo.fractions([(180, 20), (190, 20), (190, 140)])}\n")
    assert set(labels.columns["shape_type"]) == {"polygon"}
    assert any("taken as polygons, because as a box with keypoints" in n for n in labels.notes)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_keypoints_in_a_box_that_leaves_the_image_are_no_polygon(
    tmp_path: Path, size: int, count: int
) -> None:
    """Ultralytics checks that the keypoints of a pose lie in the image, and not its box. A box with
    a margin around keypoints near the edge leaves it.
    """
    flag = " 2" if size == 3 else ""
    spots = [(185.0 + 4 * k, 70.0 + 5 * k) for k in range(count)]
    line = yolo.box(0, 150, 50, 80, 60) + "".join(f" {yolo.fractions([s])}{flag}" for s in spots)
    says = "a polygon, or a box with keypoints"
    for text in (f"{line}\n", f"{line}\n{line}\n", f"{yolo.box(0, 60, 50, 100, 60)}\n{line}\n"):
        with pytest.raises(LabelError, match=rf"row [12]: .*{says}.*data\.yaml.*kpt_shape"):
            read(tmp_path, text)
    posed = read(tmp_path, f"{line}\n", data_yaml=f"kpt_shape: [{count}, {size}]\n")
    assert posed.columns["shape_type"] == ["box"] * 4 + ["point"] * count
    np.testing.assert_allclose(posed.xy[4:], np.array(spots) - 0.5, rtol=0, atol=1e-9)


def test_lines_of_different_lengths_with_a_visibility_for_each_keypoint_are_no_polygons(
    tmp_path: Path,
) -> None:
    line = yolo.box(0, 60, 50, 100, 60)
    spots = [f"{yolo.fractions([(90.0 + 9 * k, 70.0)])} {k % 3}" for k in range(4)]
    with pytest.raises(LabelError, match=r"row 1: .*a polygon, or a box with keypoints"):
        read(tmp_path, f"{line} {' '.join(spots[:2])}\n{line} {' '.join(spots)}\n")


def test_what_was_taken_for_polygons_by_its_lengths_is_told(tmp_path: Path) -> None:
    corners = [(150.0, 20.0), (190.5, 100.0), (180.0, 140.25)]
    text = f"1 {yolo.fractions(corners)}\n0 {yolo.fractions([*corners, (160.0, 130.0)])}\n"
    told = "Lines were taken as polygons, because they have different lengths"
    assert any(told in note for note in read(tmp_path, text).notes)
    described = read(tmp_path, text, data_yaml="names: [a, b]\n")
    assert not any("taken as polygons" in note for note in described.notes)


def test_the_visibilities_of_a_pose_are_not_removed_as_confidences(tmp_path: Path) -> None:
    """A data.yaml without kpt_shape that lies beside poses with an odd number of values."""
    line = f"{yolo.box(0, 60, 50, 100, 60)} {yolo.fractions([(90, 70)])} 2\n"
    with pytest.raises(LabelError, match=r"row 1: .*odd number.*add kpt_shape to the data\.yaml"):
        read(tmp_path, line, data_yaml="names: [skull]\n")


@pytest.mark.parametrize("flags", ["20", "02"])
def test_keypoints_that_are_not_labelled_are_left_out_and_the_others_keep_their_number(
    tmp_path: Path, flags: str
) -> None:
    labels = read(tmp_path, pose(3, flags), data_yaml="kpt_shape: [2, 3]\n")
    seen = flags.index("2")
    assert labels.columns["vertex"][4:] == [str(seen)]
    np.testing.assert_allclose(
        labels.xy[4:], [(ON_SLICE_3[seen].x, ON_SLICE_3[seen].y)], rtol=0, atol=1e-9
    )
    assert any("left out" in note for note in labels.notes)


def test_negative_keypoints_are_missing(tmp_path: Path) -> None:
    text = f"{yolo.box(0, 60, 50, 100, 60)} -1 -1 {yolo.fractions([ON_SLICE_3[1].corner])}\n"
    labels = read(tmp_path, text, data_yaml="kpt_shape: [2, 2]\n")
    assert labels.columns["vertex"][4:] == ["1"]


def test_keypoints_at_0_0_without_visibility_are_missing(tmp_path: Path) -> None:
    text = f"{yolo.box(0, 60, 50, 100, 60)} 0 0.0 {yolo.fractions([ON_SLICE_3[1].corner])}\n"
    labels = read(tmp_path, text, data_yaml="kpt_shape: [2, 2]\n")
    assert labels.columns["vertex"][4:] == ["1"]
    assert any(note.startswith("1 keypoint left out: at 0 0") for note in labels.notes)


def test_class_names_from_either_file(tmp_path: Path) -> None:
    line = yolo.box(1, 60, 50, 100, 60)
    assert read(tmp_path, line).columns["label"] == ["1"] * 4
    assert (
        read(tmp_path, line, classes_txt="skull\nfirst molar\n").columns["label"]
        == ["first molar"] * 4
    )
    assert (
        read(tmp_path, line, data_yaml="names:\n  0: skull\n  1: first molar\n").columns["label"]
        == ["first molar"] * 4
    )
    with pytest.raises(LabelError, match=r"classes\.txt: names other classes than data\.yaml"):
        read(tmp_path, line, classes_txt="skull\nsecond molar\n")


def test_a_data_set_is_parsed_once_for_all_its_label_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And again where it has changed."""
    parsed = []
    parse = yaml_file.parse_yaml
    monkeypatch.setattr(yaml_file, "parse_yaml", lambda text: (parsed.append(text), parse(text))[1])
    line = yolo.box(0, 60, 50, 100, 60)
    described = {"data_yaml": "names: [skull]\n"}
    for _ in range(3):
        assert read(tmp_path, line, **described).columns["label"] == ["skull"] * 4
    assert len(parsed) == 1
    described = {"data_yaml": "names: [molar]\n"}
    assert read(tmp_path, line, **described).columns["label"] == ["molar"] * 4
    assert len(parsed) == 2


def test_a_data_set_as_label_studio_lays_it_out(tmp_path: Path) -> None:
    """Classes lie one folder above `labels/`; an image without labels has an empty file."""
    folder = tmp_path / "labels"
    folder.mkdir()
    categories = [{"id": 0, "name": "skull"}, {"id": 1, "name": "molar"}]
    notes = {"categories": categories, "info": {"contributor": "Label Studio"}}
    (tmp_path / "notes.json").write_text(json.dumps(notes))
    line = yolo.box(1, 60, 50, 100, 60)
    assert read(folder, line).columns["label"] == ["molar"] * 4
    (tmp_path / "classes.txt").write_text("skull\nmolar\n")
    assert read(folder, line).columns["label"] == ["molar"] * 4
    quad = yolo.fractions([(100, 75), (20, 20), (95, 70), (105, 80)])
    assert set(read(folder, f"0 {quad}\n").columns["shape_type"]) == {"polygon"}
    empty = read(folder, "")
    assert len(empty) == 0 and empty.left_out == ()
    assert label_files([tmp_path]) == [folder / "slice_0003.txt"]
    train = folder / "train"
    train.mkdir()
    assert read(train, line).columns["label"] == ["molar"] * 4
    (tmp_path / "classes.txt").write_text("skull\nincisor\n")
    with pytest.raises(LabelError, match=r"notes\.json: names other classes than classes\.txt"):
        read(folder, line)


def test_classes_without_names_are_told(tmp_path: Path) -> None:
    line = yolo.box(1, 60, 50, 100, 60)
    assert any("labels are numbers" in note for note in read(tmp_path, line).notes)
    named = read(tmp_path, line, classes_txt="skull\nmolar\n")
    assert not any("labels are numbers" in note for note in named.notes)


def test_a_data_set_as_roboflow_lays_it_out(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "labels"
    folder.mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnames: [skull, molar]\n")
    assert read(folder, yolo.box(1, 60, 50, 100, 60)).columns["label"] == ["molar"] * 4


def test_what_a_mac_writes_beside_a_label_file_is_none(tmp_path: Path) -> None:
    for name in ("slice_0003.txt", "._slice_0003.txt"):
        (tmp_path / name).write_text("")
    assert label_files([tmp_path]) == [tmp_path / "slice_0003.txt"]


def test_confidence_of_a_prediction_is_carried(tmp_path: Path) -> None:
    labels = read(tmp_path, yolo.box(0, 60, 50, 100, 60) + " 0.875\n")
    assert labels.columns["confidence"] == ["0.875"] * 4


def test_a_tracker_ends_boxes_with_confidence_and_number(tmp_path: Path) -> None:
    """Three pairs of numbers: as a polygon, whose last vertex would lie on the bottom edge, the
    first line would be valid too.
    """
    box = yolo.box(0, 60, 50, 100, 60)
    for text in (f"{box} 0.87 1\n", f"{box} 0.87 1\n{box} 0.5 12\n{box}\n"):
        labels = read(tmp_path, text, data_yaml="names: [a]\n")
        assert set(labels.columns["shape_type"]) == {"box"}
        np.testing.assert_allclose(labels.xy[0], [59.5, 49.5], rtol=0, atol=1e-9)
        assert labels.columns["confidence"][0] == "0.87"
        assert labels.columns["track"][:5:4] in (["1"], ["1", "12"])
        may_be_triangle = "12" not in labels.columns["track"]
        assert any("write 1.0 instead of 1" in n for n in labels.notes) is may_be_triangle


def test_a_tracker_that_writes_no_confidence(tmp_path: Path) -> None:
    box = yolo.box(0, 60, 50, 100, 60)
    labels = read(tmp_path, f"{box} 1\n{box} 2\n")
    assert labels.columns["track"] == ["1"] * 4 + ["2"] * 4
    assert "confidence" not in labels.columns


def test_triangles_stay_triangles(tmp_path: Path) -> None:
    """Fractions are written with a decimal point, or the lines beside have other lengths."""
    corners = [(100.0, 20.0), (20.0, 100.0), (150.0, 151.0)]
    written = read(tmp_path, f"0 {yolo.fractions(corners)}\n", data_yaml="names: [a]\n")
    assert set(written.columns["shape_type"]) == {"polygon"}
    beside = read(
        tmp_path,
        f"0 0.5 0.1 0.1 0.6 0.7 1\n0 {yolo.fractions([*corners, (160.0, 130.0)])}\n",
        data_yaml="names: [a]\n",
    )
    assert beside.columns["shape_type"] == ["polygon"] * 7


def test_tracked_polygons(tmp_path: Path) -> None:
    corners = yolo.fractions([(100.0, 20.0), (20.0, 100.0), (150.0, 120.0)])
    tracked = read(tmp_path, f"0 {corners} 0.9 1\n0 {corners} 0.8 2\n", data_yaml="names: [a]\n")
    assert tracked.columns["shape_type"] == ["polygon"] * 6
    assert tracked.columns["track"] == ["1"] * 3 + ["2"] * 3
    with pytest.raises(
        LabelError, match=r"row 1: .*vertex on the bottom edge.*otherwise remove them"
    ):
        read(tmp_path, f"0 {corners} 0.9 1\n", data_yaml="names: [a]\n")


def test_tracked_keypoints(tmp_path: Path) -> None:
    yaml = "names: [skull]\nkpt_shape: [2, 3]\n"
    line = pose(3).rstrip()
    labels = read(tmp_path, f"{line} 0.9 3\n", data_yaml=yaml)
    assert set(labels.columns["track"]) == {"3"} and set(labels.columns["confidence"]) == {"0.9"}
    np.testing.assert_allclose(labels.xy[4:], [(m.x, m.y) for m in ON_SLICE_3], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("0 0.250000 0.250000 0.500001 0.500001", False),  # right to six decimals
        ("0 0.3 0.4 0.6 0.8004", True),  # larger than that, but not by half a pixel
    ],
)
def test_a_box_over_the_edge_is_cut_there(tmp_path: Path, line: str, is_told: bool) -> None:
    labels = read(tmp_path, f"{line}\n")
    assert (labels.xy >= -0.5).all()
    assert (labels.xy <= [STACK.columns - 0.5, STACK.rows - 0.5]).all()
    assert any("the part outside was cut off" in note for note in labels.notes) is is_told


def test_paths_in_data_yaml_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "classes.txt").write_text("secret\n")
    folder = tmp_path / "labels"
    folder.mkdir()
    labels = read(
        folder,
        yolo.box(0, 60, 50, 100, 60),
        data_yaml="path: ../outside\ntrain: ../outside\nnames: [skull]\n",
    )
    assert set(labels.columns["label"]) == {"skull"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: !!python/object/apply:os.getcwd []\n", r"data\.yaml: is not valid YAML"),
        ("names: [a\n", "not valid YAML"),
        ("names: !!timestamp xx\n", r"not valid YAML: tags \(!!name\) are not allowed"),
        ("names: [a]\nnames: [b]\n", "not valid YAML: the key 'names' is given twice"),
        ("- a\n- b\n", "not a YAML mapping"),
        ("names: classes.names\n", "'names' is not a list"),
        ("names: [[a]]\n", "'names' is not a list"),
        ("kpt_shape: [17, 4]\n", "'kpt_shape' is not"),
        ("kpt_shape: 17\n", "'kpt_shape' is not"),
        ("[" * 2_000, "not valid YAML"),
        (
            "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nnames: [*c, *c]\n",
            r"not valid YAML: aliases \(\*name\) are not allowed",
        ),
        ("#" * (2**20 + 1), "larger than 1 MiB"),
    ],
    ids=lambda value: value[:20],
)
def test_a_hostile_data_yaml(tmp_path: Path, yaml: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, yolo.box(0, 60, 50, 100, 60), data_yaml=yaml)


@pytest.mark.parametrize(
    ("text", "beside", "message"),
    [
        (
            "0 0.5 0.5 0.1 0.1\n7 0.5 0.5 0.1 0.1\n",
            {"classes_txt": "skull\n"},
            "row 2: class 7 has no name",
        ),
        ("0 0.9 0.1 0.9 0.1 0.9 0.9 0.5\n", {"data_yaml": "names: [a]"}, "row 1: .*odd number"),
        (
            pose(3),
            {"data_yaml": "kpt_shape: [2, 2]"},
            r"row 1: has 6 numbers after the box, but kpt_shape \[2, 2\] needs 4",
        ),
        (
            "0 0.5 0.5 0.1 0.1 0.5 0.5 0.5 1.7\n",
            {"data_yaml": "names: [a]"},
            "row 1: .*outside 0 to 1, but YOLO writes fractions",
        ),
        (
            "0 0.5 0.5 0.1 0.1 12.5\n",
            {},
            "row 1: ends with 12.5, but the place is for a confidence",
        ),
        ("0 0.5 0.5 0.1 0.1 0.5 0.5 .5 .\n", {"data_yaml": "names: [a]"}, "row 1: .*not a number"),
    ],
)
def test_faults_name_the_row(
    tmp_path: Path, text: str, beside: dict[str, str], message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text, None, **beside)


@pytest.mark.parametrize(
    "text",
    [
        "0 120 80 40 20\n",
        "0 0.5 0.5\n",
        "0.5 0.5 0.1 0.1 0.1\n",
        "0 0.5 nan 0.1 0.1\n",
        "-1 0.5 0.5 0.1 0.1\n",
    ],
)
def test_what_is_no_yolo_is_neither_recognised_nor_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "slice_0003.txt"
    path.write_text(text)
    assert not READER.recognises(path, text.encode())
    with pytest.raises(LabelError):
        READER.read(path, STACK)


def test_recognised_although_the_head_is_cut_in_a_number(tmp_path: Path) -> None:
    head = ("0 0.5 0.5 0.1 0.1\n" * 4000).encode()[: 1 << 16]
    assert head.endswith(b"\n0 0.5 0.5 0.1 0.")
    assert READER.recognises(tmp_path / "a.txt", head)


def test_an_image_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "slice_0003.txt"
    path.write_text("")
    labels = READER.read(path, STACK)
    assert len(labels) == 0
    assert labels.pixel_origin == "corner"
