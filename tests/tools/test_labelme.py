"""labelme 5 and 6 as they are: a hand clicks on the bright things that the program shows, and what
it saved is mapped. Where those things are is known from the voxels that the scan was made of.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.environments import python_of
from kit.marked_scan import BLOCK, BLOCK_SLICE, DISC, DISC_RADIUS, DISC_SLICE, DOTS, DOTS_SLICE
from kit.tables import rows

import sidecar

pytestmark = [pytest.mark.tools, pytest.mark.slow]

HAND = Path(__file__).parent / "drivers" / "labelme_hand.py"
#: A hand clicks with an error of this many voxels: a tenth of a PNG pixel.
ERROR = 0.2
PATIENCE = 120

#: What each edition calls its shapes in its menu Edit.
MENUS = {
    "labelme-5": {
        "point": "Create Point",
        "line": "Create Line",
        "linestrip": "Create LineStrip",
        "rectangle": "Create Rectangle",
        "polygon": "Create Polygons",
        "circle": "Create Circle",
    },
    "labelme-6": {
        "point": "Point",
        "line": "Line",
        "linestrip": "LineStrip",
        "rectangle": "Rectangle",
        "polygon": "Polygon",
        "circle": "Circle",
        "oriented": "Oriented Rectangle",
    },
}
#: How shapes end that do not end by themselves.
ENDS = {"linestrip": "control", "polygon": "enter"}

#: By PNG: name, shape, and where the hand clicks: the number of a bright thing and where on it.
DOT, OTHER_DOT = "0 middle", "1 middle"
CORNERS = ["0 left top", "0 right top", "0 right bottom", "0 left bottom"]
DRAWN: list[list[tuple[str, str, list[str]]]] = [
    [],
    [
        ("first", "point", [DOT]),
        ("second", "point", [OTHER_DOT]),
        ("from dot to dot", "line", [DOT, OTHER_DOT]),
        ("and on", "linestrip", [DOT, OTHER_DOT, "1 right"]),
    ],
    [
        ("box", "rectangle", ["0 left top", "0 right bottom"]),
        ("outline", "polygon", CORNERS),
        ("by three clicks", "oriented", CORNERS[:3]),
    ],
    [("disc", "circle", ["0 middle", "0 right"])],
]


def on(places: list[tuple[float, float]], k: int) -> list[tuple[float, float, float]]:
    return [(x, y, float(k)) for x, y in places]


LEFT, TOP, RIGHT, BOTTOM = BLOCK
BLOCK_CORNERS = on([(LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)], BLOCK_SLICE)
#: Source voxels that each name must come back on.
EXPECTED = {
    "first": on([DOTS[0]], DOTS_SLICE),
    "second": on([DOTS[1]], DOTS_SLICE),
    "from dot to dot": on([*DOTS], DOTS_SLICE),
    "and on": on([*DOTS, (DOTS[1][0] + 1, DOTS[1][1])], DOTS_SLICE),
    "box": BLOCK_CORNERS,
    "outline": BLOCK_CORNERS,
    "by three clicks": BLOCK_CORNERS,
    "disc": on([DISC, (DISC[0] + DISC_RADIUS, DISC[1])], DISC_SLICE),
}

Labelled = Callable[[str, Path, list[Any]], dict[str, Any]]


@pytest.fixture
def labelme(tmp_path: Path) -> Labelled:
    """Starts an edition with a folder, and draws what a plan says for each image."""

    def start(edition: str, folder: Path, images: list[Any]) -> dict[str, Any]:
        plan = tmp_path / "plan.json"
        picture = str(tmp_path / "seen.png")
        plan.write_text(json.dumps({"folder": str(folder), "picture": picture, "images": images}))
        home = tmp_path / "home"
        home.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "QT_QPA_PLATFORM": "offscreen",
        }
        command = [str(python_of(edition)), str(HAND), str(plan)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr[-2000:]
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    return start


@pytest.mark.parametrize("edition", MENUS)
def test_clicks_on_what_the_screen_shows_come_back(
    labelme: Labelled, run: CommandLine, marked: Path, edition: str
) -> None:
    folder = shutil.copytree(marked, run.folder / "png")
    menus = MENUS[edition]
    images = [
        [
            {"label": name, "menu": menus[shape], "at": at, "ends": ENDS.get(shape)}
            for name, shape, at in shapes
            if shape in menus
        ]
        for shapes in DRAWN
    ]
    assert labelme(edition, folder, images) == {"things": [0, 2, 1, 1], "messages": []}
    outcome = run.done("map-points", "png", "-o", "mapped.csv")
    assert "LabelMe, pixel origin corner" in outcome.err
    found: dict[str, list[tuple[float, ...]]] = {}
    for row in rows(run.folder / "mapped.csv"):
        place = tuple(float(row[f"source_{axis}"]) for axis in ("column", "row", "slice"))
        found.setdefault(row["label"], []).append(place)
    drawn = {name for shapes in DRAWN for name, shape, _ in shapes if shape in menus}
    assert set(found) == drawn
    for name, places in found.items():
        np.testing.assert_allclose(places, EXPECTED[name], rtol=0, atol=ERROR, err_msg=name)


@pytest.mark.parametrize(("edition", "refused"), [("labelme-5", 0), ("labelme-6", 4)])
def test_what_the_page_says_of_16_bits(
    labelme: Labelled, marked: Path, tmp_path: Path, edition: str, refused: int
) -> None:
    """Neither shows anything of such PNGs; labelme 6 says of each that it cannot be opened."""
    folder = tmp_path / "png"
    sidecar.export(marked.parent / "scan", folder, scale=0.5, z_step=2, bits=16)
    said = labelme(edition, folder, [[], [], [], []])
    assert said["things"] == [0, 0, 0, 0]
    assert len(said["messages"]) == refused
    assert all("could not be opened" in message for message in said["messages"])
