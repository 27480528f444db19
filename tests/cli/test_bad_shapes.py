"""Rows that make no shape are told in the same words, with file and row, whatever is to be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit.exports import png_names
from kit.phantoms import Spec, write
from typer.testing import CliRunner

import sidecar
from sidecar.cli.program import program
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS

HEAD = "label,x,y,slice,shape_type,shape_id,vertex\n"
TIP = "tip,4,3,1,point,1,0\n"

#: What follows two good points, in rows 2 and 3; and what is said of it.
FAULTS = {
    "no such type": (
        "a,5,5,1,blob,2,0\n",
        "labels.csv, row 4: shape type 'blob' is not known; the types are",
    ),
    "too few vertices": (
        "a,5,5,1,polygon,2,0\na,6,5,1,polygon,2,1\n",
        "labels.csv, row 4 to row 5: a polygon needs at least 3 vertices, not 2",
    ),
    "out of turn": (
        "a,5,5,1,line,2,1\na,6,5,1,line,2,0\n",
        "labels.csv, row 4: vertex 1 is out of order",
    ),
    "no number": ("a,5,5,1,line,2,first\n", "labels.csv, row 4: vertex 'first' is not a whole"),
}


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    write(Spec(junk=False), folder / "scan")
    sidecar.export(folder / "scan", folder / "png", scale=0.5)
    return folder / "png"


def refusals(labels: Path, png: Path, out: Path) -> set[str]:
    """What map-points says of a label file, by every writer."""
    told = set()
    for name in (*WRITERS, *SOURCE_WRITERS):
        command = ["map-points", str(labels), "--sidecar", str(png), "--to", name]
        dicom = ["--dicom", str(png.parent / "scan")] if name in SOURCE_WRITERS else []
        result = CliRunner().invoke(program(), [*command, *dicom, "-o", str(out / name)])
        assert result.exception is not None and not (out / name).exists(), name
        told.add(str(result.exception))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_shape_is_told_with_file_and_row_by_every_writer(
    fault: str, png: Path, tmp_path: Path
) -> None:
    rows, says = FAULTS[fault]
    labels = tmp_path / "labels.csv"
    labels.write_text(HEAD + TIP + TIP.replace("tip", "base") + rows)
    (told,) = refusals(labels, png, tmp_path)
    assert told.startswith(says)


def test_so_is_one_that_a_tool_wrote(png: Path, tmp_path: Path) -> None:
    shapes = [
        {"label": label, "points": points, "shape_type": type_, "group_id": None, "flags": {}}
        for label, type_, points in [
            ("tip", "point", [[4, 3]]),
            ("bone", "polygon", [[4, 3], [6, 7]]),
        ]
    ]
    labels = tmp_path / "slice_0001.json"
    head = {"version": "5.5.0", "flags": {}, "imagePath": png_names(png)[1], "imageData": None}
    size = dict(zip(("imageWidth", "imageHeight"), sidecar.open(png).size, strict=False))
    labels.write_text(json.dumps({**head, **size, "shapes": shapes}))
    assert refusals(labels, png, tmp_path) == {
        "slice_0001.json, shape 2: a polygon needs at least 3 vertices, not 2"
    }


def test_a_shape_that_a_format_cannot_hold_is_told_by_file_and_row(
    png: Path, tmp_path: Path
) -> None:
    """One that csv and json can hold: a line across two slices."""
    labels = tmp_path / "labels.csv"
    labels.write_text(HEAD + TIP + "a,5,5,1,line,2,0\na,6,5,4,line,2,1\n")
    for name in ("imagej", "fcsv", "morphoj", "geomorph", "amira"):
        command = ["map-points", str(labels), "--sidecar", str(png), "--to", name, "-o"]
        told = CliRunner().invoke(program(), [*command, str(tmp_path / "out")]).exception
        assert str(told).startswith("labels.csv, row 3 to row 4: "), name


def test_a_curve_that_lacks_a_point_is_written_where_vertices_have_numbers(
    png: Path, tmp_path: Path
) -> None:
    """The others would draw a curve that nobody placed; they say which and where."""
    labels = tmp_path / "curve.tps"
    labels.write_text(f"LM=0\nCURVES=1\nPOINTS=3\n4 3\nNA NA\n6 7\nIMAGE={png_names(png)[1]}\n")
    command = ["map-points", str(labels), "--sidecar", str(png), "--to"]
    written = CliRunner().invoke(program(), [*command, "csv"]).stdout.splitlines()
    vertex = written[0].split(",").index("vertex")
    assert [row.split(",")[vertex] for row in written[1:]] == ["0", "2"]
    for name in ("slicer", "imagej"):
        told = (
            CliRunner().invoke(program(), [*command, name, "-o", str(tmp_path / "out")]).exception
        )
        assert str(told).startswith(
            "curve.tps, specimen 1, curve 1: vertex 1 of this polyline is marked as missing;"
        )
