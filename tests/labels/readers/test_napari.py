"""napari: points and shapes layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.label_truth import STACK, check, check_columns
from kit.tool_files import napari

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions
from sidecar.labels.readers.napari import READER

LINE = [("line", [(3.0, 4.0, 5.0), (6.0, 7.0, 8.0)])]


def read(
    tmp_path: Path, text: str, stack: PngStack = STACK, origin: PixelOrigin | None = None
) -> Labels:
    path = tmp_path / "layer.csv"
    path.write_text(text, newline="")
    assert READER.recognises(path, text.encode()[: 1 << 16])
    return READER.read(path, stack, ReadOptions(origin))


def test_landmarks_come_back(tmp_path: Path) -> None:
    labels = read(tmp_path, napari.points())
    check(labels)
    assert labels.pixel_origin == "center"
    assert set(labels.columns["shape_type"]) == {"point"}


def test_the_first_pixel_is_at_zero_and_a_forced_corner_moves_x_and_y_only(tmp_path: Path) -> None:
    labels = read(tmp_path, "index,axis-0,axis-1,axis-2\n0.0,3.0,10.0,20.0\n", origin="corner")
    assert labels.xy.tolist() == [[19.5, 9.5]]
    assert labels.slice.tolist() == [3.0]
    assert labels.pixel_origin == "corner"


def test_properties_pass_through_also_under_names_of_ours(tmp_path: Path) -> None:
    labels = read(tmp_path, "index,axis-0,axis-1,axis-2,confidence,x\n0,3.0,1.0,2.0,high,east\n")
    assert labels.columns["confidence"] == ["high"]
    assert labels.columns["x"] == ["2.0"]
    assert "east" in [value for column in labels.columns.values() for value in column]


def test_the_name_of_the_layer_is_a_clue(tmp_path: Path) -> None:
    """napari calls a stack, and what is saved of it, like the image it was given first."""
    for name, text in (("points", napari.points()), ("shapes", napari.shapes(LINE))):
        path = tmp_path / f"slice_0011_{name}.csv"
        path.write_text(text)
        with pytest.raises(
            LabelError,
            match=r"the name of the file is that of slice_0011\.png, which is not the first",
        ):
            READER.read(path, STACK)
        path = tmp_path / f"slice_0000_{name}.csv"
        path.write_text(text)
        assert len(READER.read(path, STACK))


def test_one_png_is_named_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "slice_0003_gjgbtf.csv"
    path.write_text("index,axis-0,axis-1\n0,3.0,4.0\n")
    labels = READER.read(path, STACK)
    assert labels.image == ["slice_0003_gjgbtf"] and np.isnan(labels.slice).all()
    assert labels.xy.tolist() == [[4, 3]]


def test_shapes_keep_identity_and_the_slice_of_each_vertex(tmp_path: Path) -> None:
    text = napari.shapes(
        [
            ("polygon", [(3.0, 1.0, 2.0), (3.0, 1.0, 9.0), (3.0, 8.0, 9.0)]),
            ("line", [(3.0, 4.0, 5.0), (6.0, 7.0, 8.0)]),
            ("path", [(2.5, 0.0, 0.0), (2.5, 1.0, 1.0), (2.5, 2.0, 0.0)]),
            (
                "rectangle",
                [(1.0, 10.0, 20.0), (1.0, 10.0, 40.0), (1.0, 30.0, 40.0), (1.0, 30.0, 20.0)],
            ),
        ]
    )
    labels = read(tmp_path, text)
    check_columns(labels)
    assert list(labels.columns["shape_id"]) == ["0"] * 3 + ["1"] * 2 + ["2"] * 3 + ["3"] * 4
    assert (
        list(labels.columns["shape_type"])
        == ["polygon"] * 3 + ["line"] * 2 + ["polyline"] * 3 + ["box"] * 4
    )
    assert list(labels.columns["vertex"]) == list("012010120123")
    assert labels.slice.tolist() == [3, 3, 3, 3, 6, 2.5, 2.5, 2.5, 1, 1, 1, 1]
    assert labels.xy[3:5].tolist() == [[5.0, 4.0], [8.0, 7.0]]
    assert any("no label" in note for note in labels.notes)


def test_an_ellipse_is_its_centre_and_the_ends_of_its_axes(tmp_path: Path) -> None:
    """napari writes the box around it; a turned one has its axes along the sides of that box."""
    turn = np.deg2rad(30)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    centre = np.array([50.0, 40.0])
    corners = [
        centre + i * 20 * along + j * 10 * across for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    labels = read(
        tmp_path, napari.shapes([("ellipse", [(4.0, float(y), float(x)) for x, y in corners])])
    )
    np.testing.assert_allclose(
        labels.xy, [centre, centre + 20 * along, centre + 10 * across], atol=1e-9
    )
    assert labels.slice.tolist() == [4.0] * 3


def test_two_axes_need_a_single_picture(tmp_path: Path) -> None:
    text = "index,axis-0,axis-1\n0.0,10.5,20.25\n"
    with pytest.raises(LabelError, match=r"names no image.*12 slices.*Open the whole stack"):
        read(tmp_path, text)
    labels = read(tmp_path, text, replace(STACK, slices=1, names=STACK.names[:1]))
    assert labels.xy.tolist() == [[20.25, 10.5]]
    assert labels.slice.tolist() == [0.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,axis-0,axis-1,axis-2,axis-3\n0,1,2,3,4\n", "has 4 axes"),
        ("index,axis-0,axis-1,axis-2\n0,1,2\n", "row 2: has 3 cells"),
        ("index,axis-0,axis-1,axis-2\n0,1,2,nan\n", "row 2: .*not a number"),
        ('index,axis-0,axis-1,axis-2\n0,1,2,"3,5"\n', "row 2: .*decimal comma"),
        ("index,axis-0,axis-1,axis-2\n0,1,2,1e999\n", "row 2: .*not a finite number"),
        ('index,axis-0,axis-1,axis-2,label\n0,1,2,3,"open\n', "not a valid table"),
        (
            "index,shape-type,vertex-index,axis-0,axis-1,axis-2\n0,star,0,1,2,3\n",
            "shape type 'star'",
        ),
        (
            "index,shape-type,vertex-index,axis-0,axis-1,axis-2\n0,polygon,1,1,2,3\n0,polygon,0,1,2,3\n",
            "not in the order",
        ),
        (
            "index,shape-type,vertex-index,axis-0,axis-1,axis-2\n0,rectangle,0,1,2,3\n",
            "1 corner instead of 4",
        ),
        (
            napari.shapes(
                [("ellipse", [(1.0, 0.0, 0.0), (1.0, 0.0, 9.0), (2.0, 9.0, 9.0), (2.0, 9.0, 0.0)])]
            ),
            "across several slices",
        ),
    ],
)
def test_faults_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, text)


def test_another_table_is_not_napari(tmp_path: Path) -> None:
    for text in ("label,x,y,slice\n", "index,x,y\n", "axis-0,axis-1\n", ""):
        assert not READER.recognises(tmp_path / "layer.csv", text.encode())
    path = tmp_path / "layer.csv"
    path.write_text("")
    with pytest.raises(LabelError, match="row 1: is not the header"):
        READER.read(path, STACK)


def test_an_empty_layer_has_no_labels(tmp_path: Path) -> None:
    assert len(read(tmp_path, "index,axis-0,axis-1,axis-2\n")) == 0


AXES = "axis-0,axis-1,axis-2"


def test_columns_behind_the_vertices_of_shapes_are_no_coordinates(tmp_path: Path) -> None:
    """napari writes none there, but a spreadsheet may have added them."""
    text = (
        f"index,shape-type,vertex-index,{AXES},label,rater\n"
        "0,line,0,3,4,5,suture,7\n0,line,1,3,6,7,suture,7\n"
    )
    labels = read(tmp_path, text)
    assert labels.xy.tolist() == [[5, 4], [7, 6]]
    assert labels.columns["label"] == ["suture"] * 2
    assert labels.columns["rater"] == ["7"] * 2
    assert not any("no label" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "layer.csv",
            f"index,{AXES},File\n0,3,4,5,slice_0003.png\n1,3,4,5,png/Slice_0004.PNG\n",
            r"row 3: axis-0 says PNG 3 \(counted from 0\), but File '.*' names PNG 4; correct one",
        ),
        (
            "layer.csv",
            f"index,shape-type,vertex-index,{AXES},File\n0,line,0,3,4,5,slice_0004.png\n"
            "0,line,1,3,6,7,slice_0004.png\n",
            "row 2: axis-0 says PNG 3 .* names PNG 4",
        ),
        (
            "slice_0003.csv",
            "index,axis-0,axis-1,File\n0,4,5,slice_0004.png\n",
            r"row 2: the name of the file says PNG 3 \(counted from 0\), but File '.*' names PNG 4",
        ),
        (
            "slice_0003.csv",
            "index,axis-0,axis-1,image\n0,4,5,slice_0003_gjgbtf.png\n",
            r"row 2: image '.*' names a PNG of another export.*with --sidecar",
        ),
        (
            "layer.csv",
            f"index,{AXES},File\n0,3,4,5,a/slice_0003.png\n1,3,4,5,b/slice_0003.png\n",
            "row 3: File .* are two images, but both would be the same PNG",
        ),
    ],
)
def test_a_property_that_names_another_png_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(LabelError, match=message):
        READER.read(path, STACK)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("layer.csv", f"index,{AXES},File,note\n0,2.6,4,5,slice_0003.png,see 4\n"),
        ("slice_0003 tips.csv", "index,axis-0,axis-1,File\n0,4,5,C:\\png\\slice_0003.png\n"),
        ("slice_0003.csv", "index,axis-0,axis-1,File\n0,4,5,\n1,4,5,overview.png\n"),
    ],
)
def test_a_property_that_names_the_same_png_or_none_is_kept(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert READER.read(path, STACK).columns["File"][0] in text
