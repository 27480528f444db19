"""What `sidecar label` counts: landmarks and curves once each, and those that are to be placed."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.made_exports import Export

import sidecar
from sidecar.cli.label import _summary
from sidecar.viewer.serving.desks import desks_in
from sidecar.viewer.serving.label_file import Placed, placed_in

HEADER = "image,slice,label,x,y,shape_type,shape_id,vertex,curve_points\r\n"


def landmark(name: str) -> str:
    return f"slice_0002.png,2,{name},3,4,point,,,\r\n"


def curve(name: str, number: int, vertices: int) -> str:
    return "".join(
        f"slice_0002.png,2,{name},{v},{v * v},polyline,curve {number},{v},10\r\n"
        for v in range(vertices)
    )


def test_a_curve_counts_once_however_many_vertices_it_has() -> None:
    text = HEADER + landmark("a") + curve("jaw", 1, 4) + curve("jaw", 1, 3) + curve("rim", 2, 2)
    placed = placed_in(text + "\r\n" + landmark("b"))
    assert placed == Placed(("a", "b"), ("jaw", "jaw", "rim"))
    assert placed.count() == 5
    assert placed_in("") == placed_in(HEADER) == Placed()
    assert placed_in("x;y;label\n1;2; a \n\n").landmarks == ("a",)


def test_with_a_list_its_names_are_counted(tmp_path: Path) -> None:
    """Other landmarks and curves leave a name open that has no place."""
    Export().write(tmp_path)
    (tmp_path / "labels.csv").write_text(
        HEADER + landmark("nasion") + landmark("L1") + landmark("L2") + curve("jaw", 1, 4)
    )
    (listed,) = desks_in(tmp_path, ("nasion", "bregma"))
    assert listed.facts()["placed"] == 1
    (free,) = desks_in(tmp_path)
    assert free.facts()["placed"] == 4
    with sidecar.label(tmp_path) as server:
        assert server.placed() == {tmp_path.name: 4}


def test_stacks_around_landmarks_may_share_a_name_or_have_none() -> None:
    placed = Placed(("tip", "tip", "L1"))
    assert placed.count(("tip", "tip", "", "base")) == 3
    assert placed.count(("tip", "", "")) == 3
    assert Placed(("tip",)).count(("tip", "tip", "")) == 1


@pytest.mark.parametrize(
    ("placed", "told"),
    [
        ({"a": Placed(("x",))}, "a: 1 landmark in labels.csv"),
        ({"a": Placed(("x", "y"), ("z",))}, "a: 2 landmarks and 1 curve in labels.csv"),
        (
            {"a": Placed((), ("z", "z")), "b": Placed()},
            "2 specimens, 1 of them with labels: 0 landmarks and 2 curves in labels.csv",
        ),
    ],
)
def test_the_terminal_tells_curves_apart(placed: dict[str, Placed], told: str) -> None:
    assert _summary(placed) == told
