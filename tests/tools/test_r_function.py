"""Our R function in base R: mapped points as the array that geomorph takes. Geomorph is not run."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kit.mapping_vectors import FILE
from kit.needs import installed

pytestmark = [pytest.mark.tools, pytest.mark.slow]

FUNCTION = Path(__file__).parents[2] / "integrations" / "r" / "read_sidecar.R"
HEADER = "label,specimen,x_mm,y_mm,z_mm,space"
#: Prints every number of the array with its three names, and its dimensions.
SHOW = """
source(commandArgs(TRUE)[1])
A <- read_sidecar(commandArgs(TRUE)[-1])
cat(dim(A), "\\n")
for (n in dimnames(A)[[3]]) for (p in dimnames(A)[[1]]) for (k in dimnames(A)[[2]])
  cat(n, p, k, format(A[p, k, n], digits = 17), "\\n", sep = "\\t")
"""


def in_r(folder: Path, *tables: str) -> subprocess.CompletedProcess[str]:
    (folder / "show.R").write_text(SHOW, encoding="utf-8")
    names = [f"table {n}.csv" for n in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        (folder / name).write_text(table, encoding="utf-8")
    command = [installed("Rscript"), "--vanilla", "show.R", str(FUNCTION), *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def array(
    done: subprocess.CompletedProcess[str],
) -> tuple[list[int], dict[tuple[str, str, str], float]]:
    assert done.returncode == 0, done.stderr
    first, *rows = done.stdout.splitlines()
    cells = (row.rstrip("\t").split("\t") for row in rows)
    numbers = {
        (specimen, label, axis): float(number.replace("NA", "nan").strip())
        for specimen, label, axis, number in cells
    }
    return [int(n) for n in first.split()], numbers


def test_the_mapping_vectors_keep_every_digit(tmp_path: Path) -> None:
    """Each document of the vectors is a specimen, and its points are landmarks: all that have
    millimetres are in the array, and NA is where a document has fewer points than others.
    """
    places = {
        case["name"].replace(",", ""): [point["patient"] for point in case["points"]]
        for case in json.loads(FILE.read_text(encoding="utf-8"))["cases"]
        if case["document"]["units"] == "mm"
    }
    rows = [
        f"p{n},{name},{','.join(map(repr, patient))},LPS"
        for name, points in places.items()
        for n, patient in enumerate(points)
    ]
    shape, numbers = array(in_r(tmp_path, "\n".join([HEADER, *rows]) + "\n"))
    most = max(map(len, places.values()))
    assert shape == [most, 3, len(places)]
    for name, points in places.items():
        for n in range(most):
            found = [numbers[name, f"p{n}", axis] for axis in "XYZ"]
            np.testing.assert_equal(found, points[n] if n < len(points) else [np.nan] * 3)


def test_specimens_in_files_and_landmarks_in_any_order(tmp_path: Path) -> None:
    one = "image,label,x_mm,y_mm,z_mm,space\na.png,nasion,1,2,3,LPS\na.png,Schädel,4,5,6,LPS\n"
    two = "image,label,x_mm,y_mm,z_mm,space\na.png,Schädel,7,8,9,LPS\n"
    shape, numbers = array(in_r(tmp_path, one, two))
    assert shape == [2, 3, 2]
    expected = {
        ("table 0", "nasion"): (1, 2, 3),
        ("table 0", "Schädel"): (4, 5, 6),
        ("table 1", "nasion"): (np.nan,) * 3,
        ("table 1", "Schädel"): (7, 8, 9),
    }
    for (specimen, label), axis in itertools.product(expected, range(3)):
        np.testing.assert_equal(
            numbers[specimen, label, "XYZ"[axis]], expected[specimen, label][axis]
        )


REFUSED = {
    "not mapped": (["label,x,y\na,1,2\n"], "has no column x_mm"),
    "no millimetres": ([f"{HEADER}\na,s,,,,LPS\n"], "without millimetres"),
    "no label": ([f"{HEADER}\n,s,1,2,3,LPS\n"], "row 2 has no label"),
    "no points": ([f"{HEADER}\n"], "has no points"),
    "twice": ([f"{HEADER}\na,s,1,2,3,LPS\na,s,1,2,3,LPS\n"], "has the landmark a twice"),
    "two spaces": (
        [f"{HEADER}\na,s,1,2,3,LPS\n", f"{HEADER}\na,t,1,2,3,RAS\n"],
        "several spaces: LPS, RAS",
    ),
    "shapes": ([f"{HEADER},shape_type\na,s,1,2,3,LPS,box\n"], "shapes other than points"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_land_in_the_wrong_place_stops(tmp_path: Path, case: str) -> None:
    tables, says = REFUSED[case]
    done = in_r(tmp_path, *tables)
    assert done.returncode != 0 and says in done.stderr
    assert done.stdout == ""
