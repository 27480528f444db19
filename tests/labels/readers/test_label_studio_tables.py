"""Label Studio's JSON-MIN and CSV, written as Label Studio 1.23 writes them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, Landmark, check_columns, entries, stated_sizes
from labels.readers.test_label_studio import SIZE, percent

from sidecar.errors import LabelError
from sidecar.labels.model import Labels
from sidecar.labels.readers import READERS
from sidecar.labels.readers.label_studio_tables import READER

ELLIPSE = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20, "rotation": 0, "ellipselabels": ["oval"]}
BOX = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["rbox"]}
POLYGON = {"points": [[10, 20], [30, 40], [50, 5]], "closed": True, "polygonlabels": ["pgon"]}
BRUSH = {"format": "rle", "rle": [0, 1, 2], "brushlabels": ["paint"]}


def point(m: Landmark) -> dict[str, Any]:
    return percent(*m.corner) | {"width": 0.5, "keypointlabels": [m.name]} | SIZE


def row(task: int, image: str, **controls: Any) -> dict[str, Any]:
    return {
        "image": f"/data/upload/1/4ac13f39-{image}",
        "id": task,
        **controls,
        "annotator": 7,
        "annotation_id": 100 + task,
        "created_at": "2026-11-27T08:36:52.160580Z",
        "updated_at": "2026-11-27T08:36:52.160616Z",
        "lead_time": 12.257,
    }


ROWS = [row(n, m.image, landmark=[point(m)]) for n, m in enumerate(LANDMARKS, 2)]


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    """Lists as JSON in a cell; columns in the order of the alphabet."""
    out = io.StringIO()
    names = sorted({name for row in rows for name in row})
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    for entry in rows:
        writer.writerow(
            {k: json.dumps(v) if isinstance(v, (list, dict)) else v for k, v in entry.items()}
        )
    return out.getvalue()


FORMS = {
    "json": lambda rows: json.dumps(rows, indent=2).replace("/", "\\/"),
    "csv": as_csv,
    "tsv": lambda rows: as_csv(rows, "\t"),
}


def read(tmp_path: Path, rows: list[dict[str, Any]], form: str = "json") -> Labels:
    path = tmp_path / f"project-1.{form}"
    path.write_text(FORMS[form](rows))
    head = path.read_bytes()[:65536]
    assert [r.name for r in READERS.values() if r.recognises(path, head)] == ["label-studio-min"]
    return READER.read(path, STACK)


@pytest.mark.parametrize("form", FORMS)
def test_landmarks_come_back(tmp_path: Path, form: str) -> None:
    labels = read(tmp_path, ROWS, form)
    assert labels.columns["label"] == [m.name for m in LANDMARKS]
    assert list(labels.image) == [f"/data/upload/1/4ac13f39-{m.image}" for m in LANDMARKS]
    np.testing.assert_allclose(labels.xy, [(m.x, m.y) for m in LANDMARKS], rtol=0, atol=1e-9)
    assert set(stated_sizes(labels).values()) == {(203, 151)}
    assert labels.pixel_origin == "corner"
    assert labels.columns["annotation"] == [str(100 + n) for n in range(2, 2 + len(LANDMARKS))]
    assert entries(labels) == [f"task {n}" for n in range(2, 2 + len(LANDMARKS))]
    assert any("rotated" in note for note in labels.notes)
    check_columns(labels)


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_region(tmp_path: Path, form: str) -> None:
    controls = {
        "rect": [BOX | SIZE],
        "poly": [POLYGON | SIZE],
        "ell": [ELLIPSE | SIZE],
        "brush": [BRUSH | SIZE],
        "quality": "good",
    }
    labels = read(tmp_path, [row(3, "slice_0002.png", **controls)], form)
    by_type = dict(zip(labels.columns["shape_type"], labels.columns["label"], strict=True))
    assert by_type == {"box": "rbox", "polygon": "pgon", "ellipse": "oval"}
    assert len(set(labels.columns["shape_id"])) == 3
    assert labels.left_out == (
        "1 brush region left out: map-mask reads it from the export called JSON",
    )


def test_regions_without_labels_are_told_by_what_they_have(tmp_path: Path) -> None:
    bare = [
        {k: v for k, v in r.items() if not k.endswith("labels")} for r in (BOX, POLYGON, ELLIPSE)
    ]
    bare.append(percent(10, 20) | {"width": 0.5})
    labels = read(tmp_path, [row(1, "slice_0002.png", tag=[r | SIZE for r in bare])])
    assert list(dict.fromkeys(labels.columns["shape_type"])) == [
        "box",
        "polygon",
        "ellipse",
        "point",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([row(1, "a.png", kp=[percent(1, 2) | {"width": 1}])], "original_width None is not"),
        ([row(1, "a.png", kp=[{"x": "a", "y": 1} | SIZE])], "annotation 1, kp 1: .*'a' is not"),
        (
            [row(1, "a.png", other="b.png", kp=[point(LANDMARKS[0])])],
            "names two images.*a.png.*b.png",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: list[Any], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path, content)


def test_a_ragged_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(as_csv(ROWS).rstrip() + ",more\n")
    with pytest.raises(LabelError, match=r"row 8: has 9 cells, but the header has 8"):
        READER.read(path, STACK)


@pytest.mark.parametrize("text", ["{}", "[1]", "[", ""])
def test_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert not READER.recognises(path, text.encode())
    if text:
        with pytest.raises(LabelError):
            READER.read(path, STACK)
