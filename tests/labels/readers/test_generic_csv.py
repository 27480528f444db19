"""Generic CSV of more rows than are cut at a time: the same cells, numbers and errors as row by
row.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

from sidecar.errors import LabelError
from sidecar.labels.model import PngStack
from sidecar.labels.readers import read_labels
from sidecar.labels.tables.columns import PIECE, Rows
from sidecar.labels.tables.csv_table import plain_numbers

STACK = PngStack(columns=256, rows=256, slices=500)


def table(count: int) -> list[list[str]]:
    numbers = random.Random(count)
    return [
        [
            f"slice_{numbers.randrange(500):04d}.png",
            repr(numbers.uniform(0, 255)),
            str(numbers.randrange(255)),
            f"ü {i % 7}",
        ]
        for i in range(count)
    ]


def written(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    path.write_text(
        "\n".join(map(delimiter.join, [["image", "x", "y", "label"], *rows])) + "\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_are_those_of_the_csv_module(tmp_path: Path, count: int, delimiter: str) -> None:
    path = written(tmp_path / "labels.csv", table(count), delimiter)
    labels = read_labels(path, STACK, "csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=delimiter)
    assert isinstance(labels.columns, Rows) and labels.columns.keys() == set(header)
    for name, column in zip(header, zip(*rows, strict=True) if rows else [()] * 4, strict=True):
        assert labels.columns[name] == list(column)
    assert labels.image == [row[0] for row in rows]
    assert labels.xy.tolist() == [[float(row[1]), float(row[2])] for row in rows]
    assert [line for piece in labels.columns.pieces() for line in piece.csv_lines() or ()] == [
        ",".join(row) for row in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, PIECE - 1, PIECE, 2 * PIECE + 4])
@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (1, "1_0", "coordinate '1_0' is not a number"),
        (1, "1,5", "has 5 cells, but the header has 4"),
        (2, "true", "coordinate 'true' is not a number"),
        (2, "", "its cell in the column y is empty.*delete the row"),
        (2, "1e999", "is not a finite number"),
    ],
)
def test_the_row_at_fault_is_named(
    tmp_path: Path, at: int, column: int, cell: str, message: str
) -> None:
    rows = table(2 * PIECE + 5)
    rows[at][column] = cell
    with pytest.raises(LabelError, match=message) as caught:
        read_labels(written(tmp_path / "labels.csv", rows), STACK, "csv")
    assert f"row {at + 2}" in str(caught.value)


@pytest.mark.parametrize("cell", ["", " ", "\t"])
@pytest.mark.parametrize("column", ["x", "y", "slice"])
def test_a_landmark_that_was_not_placed_has_no_row(tmp_path: Path, column: str, cell: str) -> None:
    path, good = tmp_path / "labels.csv", {"slice": "1", "x": "2", "y": "3"}
    lines = [good, {**good, column: cell}, {**good, column: "junk"}]
    text = "".join(f"a,{','.join(line.values())}\n" for line in lines)
    path.write_text(f"label,slice,x,y\n{text}", encoding="utf-8")
    says = rf"row 3: its cell in the column {column} is empty; .* placed, delete the row$"
    with pytest.raises(LabelError, match=says):
        read_labels(path, STACK, "csv")


def test_a_bad_x_is_told_before_a_bad_y_above_it(tmp_path: Path) -> None:
    rows = table(2 * PIECE)
    rows[3][2], rows[PIECE + 3][1] = "why", "ex"
    with pytest.raises(LabelError, match="'ex'"):
        read_labels(written(tmp_path / "labels.csv", rows), STACK, "csv")


def test_numbers_are_those_of_float() -> None:
    numbers = np.random.default_rng(3)
    values = numbers.integers(0, 1 << 64, 50_000, dtype=np.uint64).view(np.float64)
    cells = [repr(value) for value in values[np.isfinite(values)].tolist()] + [
        str(k) for k in range(1000)
    ]
    cells += [
        "-0",
        "-0.0",
        "1.",
        "+5",
        ".5",
        " 5 ",
        "05",
        "1E+2",
        "12345678901234567890",
        "9007199254740993",
        "2.2250738585072011e-308",
        "0.1",
    ]
    found = plain_numbers(cells)
    assert found is not None and found.tobytes() == np.array(list(map(float, cells))).tobytes()
    for row in range(len(cells) - 12, len(cells)):
        one = plain_numbers([cells[row]])
        assert one is not None and one.tobytes() == np.array([float(cells[row])]).tobytes()


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "x",
        "nan",
        "inf",
        "1e400",
        "1_0",
        "0x1",
        "true",
        "null",
        "[1]",
        '"1"',
        "1,2",
        "1 2",
        "--1",
        "9" * 400,
    ],
)
def test_what_is_not_a_number_is_left_to_the_careful_reader(cell: str) -> None:
    assert plain_numbers([cell]) is None and plain_numbers(["1.5", cell]) is None
