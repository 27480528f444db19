"""Paths of GIMP, exported as SVG in the form GIMP 2.10 writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, ONE, STACK, check, check_columns, stated_sizes
from kit.tool_files.gimp import Point, straight, svg

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, ReadOptions
from sidecar.labels.readers.gimp_svg import READER

ON_SLICE_3 = [m for m in LANDMARKS if m.slice == 3]


def read(
    tmp_path: Path, text: str, name: str = "slice_0003.svg", stack: PngStack = STACK
) -> Labels:
    path = tmp_path / name
    path.write_text(text)
    head = path.read_bytes()[:65536]
    assert READER.recognises(path, head)
    return READER.read(path, stack)


def test_landmarks_come_back(tmp_path: Path) -> None:
    """A path with a single anchor is a landmark, and its name is the landmark's."""
    labels = read(tmp_path, svg((m.name, straight([m.corner])) for m in ON_SLICE_3))
    check(labels, ON_SLICE_3)
    assert labels.pixel_origin == "corner"
    assert stated_sizes(labels) == {"slice_0003.png": (203, 151)}
    assert any("by the name of the file" in note for note in labels.notes)


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "slice_0003.svg"
    path.write_text(svg([("a", straight([(12.5, 40.5)]))]))
    assert READER.read(path, STACK, ReadOptions("center")).xy.tolist() == [[12.5, 40.5]]


CORNERS = [(25.5, 19.5), (21.0, 11.0), (10.0, 15.0)]


@pytest.mark.parametrize(
    ("data", "type_", "vertices"),
    [
        (straight(CORNERS), "polyline", CORNERS),
        (straight(CORNERS[:2]), "line", CORNERS[:2]),
        (straight(CORNERS, closed=True), "polygon", CORNERS),
        ("M 25.5,19.5 L 21,11 10,15 Z", "polygon", CORNERS),
        ("M25.5 19.5L21 11L10 15", "polyline", CORNERS),
        ("M 25.5,19.5 21,11", "line", CORNERS[:2]),
    ],
)
def test_shapes(tmp_path: Path, data: str, type_: str, vertices: Sequence[Point]) -> None:
    labels = read(tmp_path, svg([("a", data)]))
    np.testing.assert_array_equal(labels.xy + 0.5, vertices)
    assert labels.shapes.kinds == (type_,)
    check_columns(labels)


def test_strokes_of_one_path_are_shapes_of_one_name(tmp_path: Path) -> None:
    labels = read(tmp_path, svg([("a", f"{straight(CORNERS)} {straight(CORNERS, closed=True)}")]))
    assert labels.columns["shape_id"] == ["1.1"] * 3 + ["1.2"] * 3
    assert labels.columns["shape_type"] == ["polyline"] * 3 + ["polygon"] * 3


def test_an_area_at_the_edge_is_cut_there(tmp_path: Path) -> None:
    area = straight([(203.01, 5.0), (-0.01, 9.0), (40.0, 151.01)], closed=True)
    labels = read(tmp_path, svg([("a", area)]))
    assert labels.xy.tolist() == [[202.5, 4.5], [-0.5, 8.5], [39.5, 150.5]]
    assert any("1 area reached beyond the edge" in note for note in labels.notes)


def test_a_path_without_points_is_counted(tmp_path: Path) -> None:
    labels = read(tmp_path, svg([("a", "")]))
    assert (len(labels), labels.left_out) == (0, ("1 path left out: no points",))


def test_a_curve_is_followed(tmp_path: Path) -> None:
    """Four cubic segments that make a circle, as every drawing program approximates it."""
    k, (x, y), r = 0.5522847, (50.0, 40.0), 20.0
    ends = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)]
    segments = [
        (
            *(x + r * (a[0] + k * b[0]), y + r * (a[1] + k * b[1])),
            *(x + r * (b[0] + k * a[0]), y + r * (b[1] + k * a[1])),
            *(x + r * b[0], y + r * b[1]),
        )
        for a, b in pairwise(ends)
    ]
    data = f"M {x + r},{y} C " + " ".join(" ".join(map(str, s)) for s in segments) + " Z"
    labels = read(tmp_path, svg([("a", data)]))
    assert labels.shapes.kinds == ("polygon",) and len(labels) == 64
    np.testing.assert_allclose(np.hypot(*(labels.xy + 0.5 - [x, y]).T), r, rtol=0, atol=0.01)
    assert any("straight pieces" in note for note in labels.notes)


def test_which_png(tmp_path: Path) -> None:
    text = svg([("a", straight([(1, 2)]))])
    assert read(tmp_path, text, "slice_0003_path.svg").image == ["slice_0003.png"]
    of_another = read(tmp_path, text, "slice_0003_gjgbtf.svg")
    assert of_another.image == ["slice_0003_gjgbtf"], "which is for identity to refuse"
    alone = read(tmp_path, text, "Unnamed.svg", ONE)
    assert (alone.image, alone.slice.tolist()) == ([""], [0])
    assert any("the only PNG" in note for note in alone.notes)
    with pytest.raises(LabelError, match=r"Unnamed\.svg: names no image"):
        read(tmp_path, text, "Unnamed.svg")


def test_what_is_no_path_is_left_out_and_said(tmp_path: Path) -> None:
    labels = read(
        tmp_path, svg([("a", straight([(1, 2)]))], more="<rect/><g><path d='M 1,2'/></g><!-- b -->")
    )
    assert len(labels) == 1
    assert labels.left_out == (
        "1 <rect> element left out: only <path> elements are read",
        "1 <g> element left out: only <path> elements are read",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (svg([("a", "M 1,2 c 1 1 2 2 3 3")]), "path 'a': holds 'c 1 1 2 2 ', but GIMP writes only"),
        (svg([("a", "M 1,2 C 1,1 2,2")]), "path 'a': has 4 numbers after 'C'"),
        (svg([("a", "M 1,nan")]), "path 'a': holds 'nan'"),
        (svg([("a", "L 1,2")]), "path 'a': does not begin with the command M"),
        (svg([("a", "1,2")]), "has 2 numbers after 'nothing'"),
        (svg([("a", "M 1,2 Z 3")]), "has 1 numbers after 'Z'"),
        (svg([("a", "M 1,2")], size="0 0 203"), "no viewBox of four numbers"),
        (svg([("a", "M 1,2")], size="5 0 203 151"), "does not begin at 0 0"),
        (svg([("a", "M 1,2")], size="0 0 203.5 151"), "not a whole number"),
        (svg([("a", "M 1,2")]).replace(" d=", ' transform="scale(2)" d='), "has a transform"),
    ],
)
def test_faults_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=rf"slice_0003\.svg.*{message}"):
        read(tmp_path, text)


def test_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "slice_0003.svg"
    text = svg([("&e;", straight([(1, 2)]))])
    start = text.index("<!DOCTYPE")
    end = text.index(">", start) + 1
    for attack in (
        '<!DOCTYPE svg [<!ENTITY e "a">]>',
        '<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    ):
        path.write_text(text[:start] + attack + text[end:])
        with pytest.raises(LabelError, match="entity"):
            READER.read(path, STACK)


def test_other_drawings_are_not_recognised(tmp_path: Path) -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1"/></svg>'
    for text in (drawn, "<html/>", "", drawn.replace("<path", '<path fill="none" stroke="red"')):
        assert not READER.recognises(tmp_path / "a.svg", text.encode())
