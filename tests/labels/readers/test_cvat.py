"""CVAT XML 1.1, written as CVAT writes it: two decimals, images by name, tracks by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, Landmark, check, check_columns, stated_sizes

from sidecar.errors import LabelError
from sidecar.labels.readers.cvat import READER


def annotations(body: str, mode: str = "annotation", size: int = 12, original: str = "") -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>4</id>
      <name>skull</name>
      <size>{size}</size>
      <mode>{mode}</mode>
      <labels><label><name>nasion</name><type>points</type><attributes></attributes></label></labels>
      <segments><segment><id>4</id><start>0</start><stop>11</stop></segment></segments>
      {original}
    </task>
    <dumped>2026-09-25 11:38:28.799808+03:00</dumped>
  </meta>
{body}
</annotations>
"""


def image(name: str, *elements: str) -> str:
    return (
        f'  <image id="0" name="{name}" width="203" height="151">\n    '
        + "\n    ".join(elements)
        + "\n  </image>"
    )


def point(m: Landmark, more: str = "") -> str:
    return (
        f'<points label="{m.name}" source="manual" occluded="0" {more}'
        f' points="{m.corner[0]:.2f},{m.corner[1]:.2f}" z_order="0">\n</points>'
    )


def of_images(landmarks: Sequence[Landmark]) -> str:
    return annotations("\n".join(image(f"png/{m.image}", point(m)) for m in landmarks))


def of_video(landmarks: Sequence[Landmark]) -> str:
    """CVAT ends a shape by a keyframe that is outside, on the next frame."""
    tracks = [
        f'<track id="{n}" label="{m.name}" source="manual">'
        + point(m, f'frame="{m.slice}" keyframe="1" outside="0"')
        + point(m, f'frame="{m.slice + 1}" keyframe="1" outside="1"')
        + "</track>"
        for n, m in enumerate(landmarks)
    ]
    size = "<original_size><width>203</width><height>151</height></original_size>"
    return annotations("\n".join(tracks), mode="interpolation", original=size)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "annotations.xml"
    path.write_text(text)
    return path


def one(tmp_path: Path, element: str) -> Path:
    return write(tmp_path, annotations(image("slice_0003.png", element)))


@pytest.mark.parametrize("form", [of_images, of_video])
def test_landmarks_come_back(tmp_path: Path, form) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path, form(LANDMARKS))
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK, None)
    check(labels, LANDMARKS)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("corner", ("point",))


def test_sizes_are_those_that_the_file_states(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, of_images(LANDMARKS[:2])), STACK, None)
    assert stated_sizes(labels) == {
        "png/slice_0000.png": (203, 151),
        "png/slice_0003.png": (203, 151),
    }


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = one(tmp_path, '<points label="a" occluded="0" points="12.00,40.00"></points>')
    assert READER.read(path, STACK, "center").xy.tolist() == [[12, 40]]


@pytest.mark.parametrize(
    ("element", "vertices", "ours"),
    [
        ('<points label="a" points="1.50,2.50;3.00,4.00"/>', [[1, 2], [2.5, 3.5]], "point"),
        ('<polyline label="a" points="1.50,2.50;3.00,4.00"/>', [[1, 2], [2.5, 3.5]], "polyline"),
        (
            '<polygon label="a" points="1.5,2.5;3.0,4.0;5.5,6.5"/>',
            [[1, 2], [2.5, 3.5], [5, 6]],
            "polygon",
        ),
        (
            '<box label="a" xtl="1.5" ytl="2.5" xbr="5.5" ybr="4.5"/>',
            [[1, 2], [5, 2], [5, 4], [1, 4]],
            "box",
        ),
        # a quarter turn clockwise about the centre (3.5, 3.5): the top-left corner becomes the
        # top-right one
        (
            '<box label="a" xtl="1.5" ytl="2.5" xbr="5.5" ybr="4.5" rotation="90.00"/>',
            [[4, 1], [4, 5], [2, 5], [2, 1]],
            "box",
        ),
        (
            '<ellipse label="a" cx="3.5" cy="4.5" rx="2.0" ry="1.0"/>',
            [[3, 4], [5, 4], [3, 5]],
            "ellipse",
        ),
        (
            '<ellipse label="a" cx="3.5" cy="4.5" rx="2.0" ry="1.0" rotation="90.0"/>',
            [[3, 4], [3, 6], [2, 4]],
            "ellipse",
        ),
    ],
)
def test_shapes(tmp_path: Path, element: str, vertices: list[list[float]], ours: str) -> None:
    labels = READER.read(one(tmp_path, element), STACK, None)
    np.testing.assert_allclose(labels.xy, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert labels.columns["vertex"] == [str(n) for n in range(len(vertices))]
    check_columns(labels)


SKELETON = """<skeleton label="skull" source="manual" z_order="0">
  <points label="1" occluded="0" outside="0" points="54.50,94.50"><attribute name="side">left</attribute></points>
  <points label="2" occluded="0" outside="1" points="68.00,62.00"></points>
  <points label="3" occluded="1" outside="0" points="125.50,62.50"></points>
  <attribute name="age">old</attribute>
</skeleton>"""


def test_a_skeleton_is_its_points_without_those_that_are_outside(tmp_path: Path) -> None:
    labels = READER.read(one(tmp_path, SKELETON), STACK, None)
    np.testing.assert_allclose(labels.xy, [[54, 94], [125, 62]], rtol=0, atol=1e-9)
    columns = {
        name: labels.columns[name]
        for name in ("label", "vertex", "shape_id", "skeleton", "age", "side", "occluded")
    }
    assert columns == {
        "label": ["1", "3"],
        "vertex": ["0", "2"],
        "shape_id": ["1", "1"],
        "skeleton": ["skull", "skull"],
        "age": ["old", "old"],
        "side": ["left", ""],
        "occluded": ["0", "1"],
    }


def test_of_a_track_only_keyframes_that_are_not_outside_are_read(tmp_path: Path) -> None:
    frames = [(0, 1, 0), (1, 0, 0), (2, 1, 0), (3, 0, 0), (4, 1, 1)]
    boxes = [
        f'<box frame="{f}" keyframe="{k}" outside="{o}" occluded="0" xtl="{f}.50" ytl="2.50"'
        ' xbr="9.50" ybr="9.50" z_order="0"></box>'
        for f, k, o in frames
    ]
    path = write(
        tmp_path,
        annotations(f'<track id="7" label="a">{"".join(boxes)}</track>', mode="interpolation"),
    )
    labels = READER.read(path, STACK, None)
    assert labels.slice.tolist() == [0] * 4 + [2] * 4
    assert set(labels.columns["shape_id"]) == {"7"}
    assert labels.xy[4].tolist() == [2, 2]
    assert labels.where(4) == "track 7, frame 2, vertex 0"
    assert any("keyframes" in note for note in labels.notes)


def test_a_skeleton_track(tmp_path: Path) -> None:
    skeletons = "".join(
        f'<skeleton frame="{f}" keyframe="{k}" z_order="0"><points label="1" keyframe="{k}"'
        f' outside="0" occluded="0" points="{f}.50,2.50"></points><points label="2" keyframe="{k}"'
        ' outside="1" occluded="0" points="3.50,4.50"></points></skeleton>'
        for f, k in [(5, 1), (6, 0)]
    )
    path = write(
        tmp_path, annotations(f'<track id="0" label="s">{skeletons}</track>', mode="interpolation")
    )
    labels = READER.read(path, STACK, None)
    assert (labels.xy.tolist(), labels.slice.tolist(), labels.columns["label"]) == (
        [[5, 2]],
        [5],
        ["1"],
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("<size>12</size>", "<size>6</size>"),
            "made on 6 frames, there are 12 PNGs.*CVAT for images 1.1",
        ),
        (
            ("<width>203</width>", "<width>406</width>"),
            "frames of 406 x 151 pixels, the PNGs have 203 x 151",
        ),
        (('<track id="1"', '<track task_id="9" id="1"'), "several tasks"),
        (('frame="0"', 'frame="first"'), "frame 'first' is not a number"),
    ],
)
def test_tracks_that_may_not_be_on_these_pngs_are_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    text = of_video(LANDMARKS)
    assert change[0] in text
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, text.replace(*change)), STACK, None)


def test_masks_and_cuboids_are_left_out_and_said(tmp_path: Path) -> None:
    mask = (
        '<mask label="m" source="manual" occluded="0" rle="3, 5" left="7" top="8" width="4"'
        ' height="2" z_order="0"></mask>'
    )
    cuboid = '<cuboid label="c" xtl1="1" ytl1="1"></cuboid>'
    labels = READER.read(
        write(tmp_path, annotations(image("slice_0001.png", mask, cuboid, point(LANDMARKS[0])))),
        STACK,
        None,
    )
    assert len(labels) == 1
    assert any("1 mask(s) left out" in note and "map-mask" in note for note in labels.notes)
    assert any("1 cuboid(s) left out" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (
            '<points label="a" points="1.5,nan"/>',
            "slice_0003.png, shape 1: coordinate 'nan' is not a number",
        ),
        ('<points label="a" points="1.5"/>', "the points of <points> are not x,y;x,y"),
        ('<points label="a"/>', "the points of <points> are not x,y;x,y"),
        ('<box label="a" xtl="1" ytl="2" xbr="3"/>', "ybr None is not a number"),
        ('<ellipse label="a" cx="1" cy="2" rx="3" ry="wide"/>', "ry 'wide' is not a number"),
        (
            '<skeleton label="a"><points label="1" points="1,2;3,4"/></skeleton>',
            "point '1': the points of",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, element: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(one(tmp_path, element), STACK, None)


def test_an_image_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has no name"):
        READER.read(
            write(tmp_path, annotations('<image id="0"><points label="a" points="1,2"/></image>')),
            STACK,
            None,
        )


def test_billion_laughs(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = (
        "<!DOCTYPE annotations [<!ENTITY e0"
        f' "ha">{entities}]><annotations><version>&e9;</version></annotations>'
    )
    with pytest.raises(LabelError, match="entity"):
        READER.read(write(tmp_path, text), STACK, None)


def test_deep_xml(tmp_path: Path) -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    labels = READER.read(write(tmp_path, annotations(deep)), STACK, None)
    assert len(labels) == 0


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<annotation><folder>x</folder></annotation>",
        b"<html/>",
        b'{"annotations": []}',
        b"<annotations/>",
    ],
)
def test_other_files_are_not_recognised(tmp_path: Path, head: bytes) -> None:
    assert not READER.recognises(tmp_path, head)


def test_other_xml_that_is_forced_upon_the_reader(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="not CVAT XML"):
        READER.read(write(tmp_path, "<annotation/>"), STACK, None)
