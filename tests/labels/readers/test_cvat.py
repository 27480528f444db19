"""CVAT XML 1.1, written as CVAT writes it: two decimals, images by name, tracks by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check, check_columns, entries, stated_sizes
from kit.tool_files.cvat import SKELETON, document, image, of_images, of_video, point

from sidecar.errors import LabelError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.cvat import READER


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "annotations.xml"
    path.write_text(text)
    return path


def one(tmp_path: Path, element: str) -> Path:
    return write(tmp_path, document(image("slice_0003.png", element)))


@pytest.mark.parametrize("form", [of_images, of_video])
def test_landmarks_come_back(tmp_path: Path, form) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path, form(LANDMARKS))
    assert READER.recognises(path, path.read_bytes())
    labels = READER.read(path, STACK)
    check(labels, LANDMARKS)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("corner", ("point",))


def test_sizes_are_those_that_the_file_states(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path, of_images(LANDMARKS[:2])), STACK)
    assert stated_sizes(labels) == {
        "png/slice_0000.png": (203, 151),
        "png/slice_0003.png": (203, 151),
    }


def test_two_images_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """As in files that were put together."""
    two = image("slice_0003.png", point(LANDMARKS[1])) + image(
        "slice_0003.png", point(LANDMARKS[2])
    )
    two = two.replace('id="0"', 'id="7"', 1)
    assert entries(READER.read(write(tmp_path, document(two)), STACK)) == ["image 7", "image 0"]


def test_an_area_at_the_edge_is_cut_there(tmp_path: Path) -> None:
    box = '<box label="a" xtl="-0.01" ytl="5.00" xbr="203.01" ybr="9.00"/>'
    labels = READER.read(one(tmp_path, box), STACK)
    assert labels.xy[:, 0].tolist() == [-0.5, 202.5, 202.5, -0.5]
    assert any("1 area reached beyond the edge" in note for note in labels.notes)


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = one(tmp_path, '<points label="a" occluded="0" points="12.00,40.00"></points>')
    assert READER.read(path, STACK, ReadOptions("center")).xy.tolist() == [[12, 40]]


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
    labels = READER.read(one(tmp_path, element), STACK)
    np.testing.assert_allclose(labels.xy, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert labels.columns["vertex"] == [str(n) for n in range(len(vertices))]
    check_columns(labels)


def test_a_skeleton_is_its_points_without_those_that_are_outside(tmp_path: Path) -> None:
    labels = READER.read(one(tmp_path, SKELETON), STACK)
    np.testing.assert_allclose(labels.xy, [[54, 94], [125, 62]], rtol=0, atol=1e-9)
    assert labels.left_out == ("1 skeleton point left out: not set (outside)",)
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
        document(f'<track id="7" label="a">{"".join(boxes)}</track>', mode="interpolation"),
    )
    labels = READER.read(path, STACK)
    assert labels.slice.tolist() == [0] * 4 + [2] * 4
    assert set(labels.columns["shape_id"]) == {"7"}
    assert labels.xy[4].tolist() == [2, 2]
    assert labels.where(4) == "track 7, frame 2, vertex 0"
    assert labels.left_out == (
        "2 interpolated shapes left out: computed by CVAT between keyframes, not set by a person",
    )


def test_a_skeleton_track(tmp_path: Path) -> None:
    skeletons = "".join(
        f'<skeleton frame="{f}" keyframe="{k}" z_order="0"><points label="1" keyframe="{k}"'
        f' outside="0" occluded="0" points="{f}.50,2.50"></points><points label="2" keyframe="{k}"'
        ' outside="1" occluded="0" points="3.50,4.50"></points></skeleton>'
        for f, k in [(5, 1), (6, 0)]
    )
    path = write(
        tmp_path, document(f'<track id="0" label="s">{skeletons}</track>', mode="interpolation")
    )
    labels = READER.read(path, STACK)
    assert (labels.xy.tolist(), labels.slice.tolist(), labels.columns["label"]) == (
        [[5, 2]],
        [5],
        ["1"],
    )
    assert "1 skeleton point left out: not set (outside)" in labels.left_out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("<size>12</size>", "<size>6</size>"),
            "made on 6 frames, but the stack has 12 PNGs.*CVAT for images 1.1",
        ),
        (
            ("<width>203</width>", "<width>406</width>"),
            "frames of 406 x 151 pixels, but the PNGs have 203 x 151",
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
        READER.read(write(tmp_path, text.replace(*change)), STACK)


def of_part(start: int, stop: int, step: int, frame: int) -> str:
    """A task that takes part of what was uploaded; a point on one of its frames."""
    size = len(range(start, stop + 1, step))
    part = (
        f"<start_frame>{start}</start_frame><stop_frame>{stop}</stop_frame>"
        f"<frame_filter>{f'step={step}' if step > 1 else ''}</frame_filter>"
    )
    track = f'<track id="0" label="a">{point(LANDMARKS[0], f"""frame="{frame}" keyframe="1" """)}</track>'
    return document(track, mode="interpolation", size=size, original=part)


@pytest.mark.parametrize(
    ("start", "stop", "step", "frame", "slice_"),
    [
        (0, 23, 2, 6, 3),  # every second of 24 uploaded: as many as there are PNGs
        (10, 43, 3, 16, 2),
        (10, 21, 1, 12, 2),
        (0, 11, 2, 6, 6),  # every second of the 12 PNGs themselves
        (3, 11, 4, 7, 7),
        (0, 11, 1, 6, 6),
    ],
)
def test_frames_of_a_part_of_the_upload(
    tmp_path: Path, start: int, stop: int, step: int, frame: int, slice_: int
) -> None:
    labels = READER.read(write(tmp_path, of_part(start, stop, step, frame)), STACK)
    assert labels.slice.tolist() == [slice_]
    is_plain = slice_ == frame
    assert any("taken as the PNGs, in order" in note for note in labels.notes) is not is_plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (of_part(0, 23, 3, 6), "made on 8 frames, but the stack has 12 PNGs"),
        (
            of_part(0, 23, 2, 7),
            "track 0, frame 7: the task has no frame 7; its frames are 0 to 22 in steps of 2",
        ),
        (of_part(0, 23, 2, 24), "the task has no frame 24"),
        (of_part(0, 23, 2, 6).replace("step=2", "every=2"), "frame_filter 'every=2' is not known"),
        (of_part(0, 23, 2, 6).replace("step=2", "step=0"), "frame_filter 'step=0' is not known"),
        (of_part(0, 23, 2, 6).replace("<stop_frame>23<", "<stop_frame>21<"), "do not agree"),
    ],
)
def test_frames_that_may_not_be_these_pngs(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        READER.read(write(tmp_path, text), STACK)


def test_the_task_of_an_image_is_handed_over(tmp_path: Path) -> None:
    """A project's tasks may all have a slice_0003.png."""
    project = (
        "<annotations><version>1.1</version><meta><project><tasks><task><id>39</id><name>weevil"
        "</name></task></tasks></project></meta>"
    )
    images = [image("slice_0003.png", point(m)) for m in LANDMARKS[1:3]]
    text = "".join(
        body.replace("<image ", f'<image task_id="{task}" ')
        for task, body in zip((39, 40), images, strict=True)
    )
    labels = READER.read(write(tmp_path, f"{project}{text}</annotations>"), STACK)
    assert entries(labels) == ["task 39 (weevil)", "task 40"]


def test_recognising_takes_no_longer_than_the_file_is_long(tmp_path: Path) -> None:
    comments = b"<!-- a -->" * 6000
    assert READER.recognises(
        tmp_path, b'<?xml version="1.0"?>' + comments + b"<annotations><version>"
    )
    assert not READER.recognises(tmp_path, comments + b"<html>")


def test_masks_and_cuboids_are_left_out_and_said(tmp_path: Path) -> None:
    mask = (
        '<mask label="m" source="manual" occluded="0" rle="3, 5" left="7" top="8" width="4"'
        ' height="2" z_order="0"></mask>'
    )
    cuboid = '<cuboid label="c" xtl1="1" ytl1="1"></cuboid>'
    labels = READER.read(
        write(tmp_path, document(image("slice_0001.png", mask, cuboid, point(LANDMARKS[0])))),
        STACK,
    )
    assert len(labels) == 1
    assert any("1 mask left out" in note and "map-mask" in note for note in labels.notes)
    assert any("1 cuboid left out" in note for note in labels.notes)


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
        READER.read(one(tmp_path, element), STACK)


def test_an_image_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has no name"):
        READER.read(
            write(tmp_path, document('<image id="0"><points label="a" points="1,2"/></image>')),
            STACK,
        )


def test_billion_laughs(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = (
        "<!DOCTYPE annotations [<!ENTITY e0"
        f' "ha">{entities}]><annotations><version>&e9;</version></annotations>'
    )
    with pytest.raises(LabelError, match="entity"):
        READER.read(write(tmp_path, text), STACK)


def test_deep_xml(tmp_path: Path) -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    labels = READER.read(write(tmp_path, document(deep)), STACK)
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
        READER.read(write(tmp_path, "<annotation/>"), STACK)
