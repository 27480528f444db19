"""TPS, MorphoJ, geomorph and Amira: each read back by the rules of the program that reads it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.mapped_points import (
    LANDMARKS,
    LINE,
    SERIES,
    Scan,
    mapped,
    point,
    shape,
    truth_mm,
    write_to,
)

from sidecar.errors import LabelError
from sidecar.labels.writers import (
    csv_points,
    geomorph,
    json_points,
    landmark_ascii,
    morphoj,
    tps,
)

ALL = [tps.WRITER, morphoj.WRITER, geomorph.WRITER, landmark_ascii.WRITER]
NAMES = ["nose", "ear", "tail"]
MOUSE_1 = {"nose": (3.25, 4.5, 1.0), "ear": (12.0, 7.75, 3.0), "tail": (17.5, 2.0, 4.5)}
MOUSE_2 = {"tail": (7.5, 12.0, 1.5), "nose": (2.0, 1.0, 0.0), "ear": (11.0, 6.5, 2.0)}


def mice(second: dict[str, tuple[float, float, float]] = MOUSE_2) -> Any:
    rows = [point(at, name, specimen="mouse 1") for name, at in MOUSE_1.items()]
    return mapped(rows + [point(at, name, specimen="mouse 2") for name, at in second.items()])


def truth(*animals: dict[str, tuple[float, float, float]]) -> np.ndarray:
    """Specimens × landmarks in the order of NAMES × 3."""
    return np.array([truth_mm([animal[name] for name in NAMES]) for animal in animals])


def read_tps(path: Path) -> tuple[list[str], np.ndarray]:
    """As geomorph's readland.tps: comments out, LM3= for the count, every line without = is a row
    of coordinates.
    """
    lines = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and "COMMENT=" not in line.upper()
    ]
    assert not any(re.search("SCALE|CURVES=|LM=", line) for line in lines)
    (count,) = {int(line[4:]) for line in lines if line.startswith("LM3=")}
    cells = [cell for line in lines if "=" not in line for cell in line.split()]
    numbers = np.array([np.nan if cell == "NA" else float(cell) for cell in cells]).reshape(
        -1, count, 3
    )
    return [line[3:] for line in lines if line.startswith("ID=")], numbers


def read_morphoj(path: Path) -> tuple[list[str], np.ndarray]:
    """As MorphoJ's guide has it: the first line is passed over when an entry after the first is no
    number.
    """
    rows = [re.split("[\t,;]", line) for line in path.read_text(encoding="utf-8").splitlines()]
    with pytest.raises(ValueError, match="could not convert"):
        list(map(float, rows[0][1:]))
    return [row[0].strip() for row in rows[1:]], np.array(
        [list(map(float, row[1:])) for row in rows[1:]]
    ).reshape(len(rows) - 1, -1, 3)


def read_geomorph(path: Path) -> tuple[list[str], np.ndarray]:
    """As read.csv(row.names = 1) and arrayspecs(sep = "."), which splits names at dots and
    spaces.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    parts = [re.split("[ .]", name) for name in header[1:]]
    assert [len(part) for part in parts] == [2] * len(parts)
    assert [part[1] for part in parts] == ["X", "Y", "Z"] * (len(parts) // 3)
    numbers = np.array(
        [[np.nan if cell == "NA" else float(cell) for cell in row[1:]] for row in rows]
    )
    return [row[0] for row in rows], numbers.reshape(len(rows), -1, 3)


def read_landmark_ascii(path: Path) -> tuple[list[str], np.ndarray]:
    """As nat's read.landmarks: NumSets and the count from the header, the rows after @1."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n@1\n")
    assert head.startswith("# AmiraMesh 3D ASCII 2.0\n") and 'ContentType "LandmarkSet"' in head
    assert re.search(r"NumSets\s+1\b", head) and re.search(
        r"Markers \{ float\[3\] Coordinates \} @1", head
    )
    numbers = np.array([list(map(float, line.split())) for line in body.splitlines()])
    assert re.findall(r"define Markers (\d+)", head)[:1] == [str(len(numbers))]
    return [], numbers[None]


@pytest.mark.parametrize("space", ["lps", "ras"])
@pytest.mark.parametrize(
    ("writer", "read"),
    [(tps.WRITER, read_tps), (morphoj.WRITER, read_morphoj), (geomorph.WRITER, read_geomorph)],
    ids=["tps", "morphoj", "geomorph"],
)
def test_landmarks_of_two_specimens(tmp_path: Path, writer: Any, read: Any, space: str) -> None:
    """The second has them in another order: they go by name."""
    specimens, mm = read(write_to(tmp_path / "part", writer, mice(), space))
    assert specimens == ["mouse 1", "mouse 2"]
    signs = [-1, -1, 1] if space == "ras" else [1, 1, 1]
    np.testing.assert_allclose(mm * signs, truth(MOUSE_1, MOUSE_2), atol=1e-9)


def test_amira_holds_one_specimen(tmp_path: Path) -> None:
    _, mm = read_landmark_ascii(
        write_to(tmp_path / "part", landmark_ascii.WRITER, mapped(LANDMARKS))
    )
    np.testing.assert_allclose(mm[0], truth_mm([p["at"] for p in LANDMARKS]), atol=1e-9)
    with pytest.raises(LabelError, match="2 specimens, but landmarkAscii holds one"):
        write_to(tmp_path / "part", landmark_ascii.WRITER, mice())


def test_names_of_landmarks_are_told_where_the_format_has_room(tmp_path: Path) -> None:
    text = write_to(tmp_path / "part", tps.WRITER, mice(), "ras").read_text(encoding="utf-8")
    assert text.count("COMMENT=millimetres, RAS; landmarks in order: nose, ear, tail\n") == 2
    assert (
        write_to(tmp_path / "part", morphoj.WRITER, mice())
        .read_text(encoding="utf-8")
        .startswith("ID\tx_nose\ty_nose\tz_nose\tx_ear")
    )
    assert (
        write_to(tmp_path / "part", geomorph.WRITER, mice())
        .read_text(encoding="utf-8")
        .startswith("specimen,nose.X,nose.Y,nose.Z,ear.X")
    )


def in_another_scan(**more: Any) -> Any:
    return mapped([point(MOUSE_2[n], n) for n in NAMES], Scan(series="1.2.3"), **more)


@pytest.mark.parametrize(
    ("writer", "read"),
    [(tps.WRITER, read_tps), (morphoj.WRITER, read_morphoj), (geomorph.WRITER, read_geomorph)],
    ids=["tps", "morphoj", "geomorph"],
)
def test_a_scan_is_a_specimen_of_its_own_by_the_name_of_its_export(
    tmp_path: Path, writer: Any, read: Any
) -> None:
    """Several label files of one export, as LabelMe writes one per image, are one specimen; another
    series is another.
    """
    parts = [mapped([point(MOUSE_1[name], name)]) for name in NAMES]
    parts.append(in_another_scan(specimen="weevil 2"))
    specimens, mm = read(write_to(tmp_path / "part", writer, parts))
    assert specimens == ["beetle", "weevil 2"]
    np.testing.assert_allclose(mm, truth(MOUSE_1, MOUSE_2), atol=1e-9)


def test_the_column_of_the_labels_goes_before_the_name_of_the_export(tmp_path: Path) -> None:
    rows = [point(MOUSE_1[name], name, specimen="beetle") for name in NAMES[:2]]
    parts = [mapped(rows), mapped([point(MOUSE_1["tail"], "tail")], file="without.csv")]
    specimens, mm = read_tps(write_to(tmp_path / "part", tps.WRITER, parts))
    assert specimens == ["beetle"]
    np.testing.assert_allclose(mm, truth(MOUSE_1), atol=1e-9)


def test_two_exports_of_one_scan_are_two_specimens_where_they_are_called_so(tmp_path: Path) -> None:
    parts = [mapped([point(MOUSE_1[n], n) for n in NAMES], specimen=name) for name in "ab"]
    for writer in (tps.WRITER, morphoj.WRITER, geomorph.WRITER):
        (told,) = writer.write(parts, tmp_path / "part", "lps")
        assert told.startswith("a and b are exports of one scan, but were taken as 2 specimens")
    assert tps.WRITER.write(parts[:1], tmp_path / "part", "lps") == ()


@pytest.mark.parametrize(
    "writer",
    [
        tps.WRITER,
        morphoj.WRITER,
        geomorph.WRITER,
        landmark_ascii.WRITER,
        csv_points.WRITER,
        json_points.WRITER,
    ],
    ids=lambda w: w.name,
)
def test_two_specimens_of_one_name_are_refused(tmp_path: Path, writer: Any) -> None:
    parts = [mapped(LANDMARKS), in_another_scan(file="more.csv")]
    says = (
        rf"called 'beetle': labels\.csv is of series {SERIES}, and more\.csv is of series 1\.2\.3"
    )
    with pytest.raises(LabelError, match=says):
        write_to(tmp_path / "part", writer, parts)


def test_landmarks_without_names_go_by_number(tmp_path: Path) -> None:
    specimens, mm = read_geomorph(
        write_to(tmp_path / "part", geomorph.WRITER, mapped([point(MOUSE_1[n]) for n in NAMES]))
    )
    assert specimens == ["beetle"]
    np.testing.assert_allclose(mm, truth(MOUSE_1), atol=1e-9)


def test_a_missing_landmark_is_na_and_keeps_its_place(tmp_path: Path) -> None:
    parts = mice({name: at for name, at in MOUSE_2.items() if name != "ear"})
    expected = truth(MOUSE_1, MOUSE_2)
    expected[1, 1] = np.nan
    for writer, read in ((tps.WRITER, read_tps), (geomorph.WRITER, read_geomorph)):
        np.testing.assert_allclose(
            read(write_to(tmp_path / "part", writer, parts))[1], expected, atol=1e-9
        )
    with pytest.raises(
        LabelError,
        match="specimen mouse 2 has no landmark 'ear', and MorphoJ has no sign for a missing landmark",
    ):
        write_to(tmp_path / "part", morphoj.WRITER, parts)


def labelled(*rows: tuple[str, str]) -> Any:
    return mapped(
        [
            point((1.0 + n, 1, 0), label, specimen=specimen)
            for n, (label, specimen) in enumerate(rows)
        ]
    )


@pytest.mark.parametrize("writer", ALL, ids=lambda w: w.name)
@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            labelled(("nose", ""), ("nose", "")),
            "labels.csv, row 3: there is a landmark 'nose' already, in labels.csv, row 2",
        ),
        (labelled(("nose", ""), ("", "")), "row 3: has no name"),
        (labelled(("nose", "a"), ("nose", "")), "row 3: has no specimen"),
        (labelled(("", "a"), ("", "b"), ("", "b")), "have 1 to 2 landmarks without names"),
        (
            mapped(shape("line", LINE, "crack")),
            "row 2 to row 3: .* cannot hold a line",
        ),
        (mapped(LANDMARKS, Scan(geometry=False)), "no patient geometry"),
        (mapped([]), "there are no points"),
    ],
    ids=[
        "twice",
        "some unnamed",
        "some of no specimen",
        "different numbers",
        "a line",
        "no geometry",
        "nothing",
    ],
)
def test_what_is_no_set_of_landmarks_is_refused(
    tmp_path: Path, writer: Any, parts: Any, says: str
) -> None:
    if writer.name == "tps" and "cannot hold a line" in says:
        pytest.skip("TPS has curves")
    with pytest.raises(LabelError, match=says):
        write_to(tmp_path / "part", writer, parts)


def test_a_specimen_in_two_scans_has_no_one_space(tmp_path: Path) -> None:
    parts = [
        mapped([point((1, 1, 0), "a", specimen="m")]),
        mapped([point((1, 1, 0), "b", specimen="m")], Scan(series="1.2.3"), "more.csv"),
    ]
    with pytest.raises(
        LabelError, match=r"two specimens are called 'm': labels\.csv is of .*more\.csv"
    ):
        write_to(tmp_path / "part", tps.WRITER, parts)


@pytest.mark.parametrize(
    ("writer", "label"),
    [
        (tps.WRITER, "a=b"),
        (tps.WRITER, "a\nb"),
        (morphoj.WRITER, "a\tb"),
        (morphoj.WRITER, "a,b"),
        (geomorph.WRITER, "M1.2"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_names_that_the_reader_would_tear_apart_are_refused(
    tmp_path: Path, writer: Any, label: str
) -> None:
    with pytest.raises(LabelError, match="allows none in a name; rename it"):
        write_to(tmp_path / "part", writer, mapped([point((1, 1, 0), label)]))


def test_spaces_become_underscores_for_geomorph_and_it_is_told(tmp_path: Path) -> None:
    part = mapped([point((n, 1, 0), name) for n, name in enumerate(["left ear", "tip", "a b c"])])
    (told,) = geomorph.WRITER.write([part], tmp_path / "part", "lps")
    assert told.endswith("'left ear' is left_ear, 'a b c' is a_b_c")
    assert (
        (tmp_path / "part")
        .read_text()
        .startswith("specimen,left_ear.X,left_ear.Y,left_ear.Z,tip.X")
    )
    assert read_geomorph(tmp_path / "part")[1].shape == (1, 3, 3)


def test_names_that_underscores_would_make_one_are_refused(tmp_path: Path) -> None:
    part = mapped([point((1, 1, 0), "left ear"), point((2, 1, 0), "left_ear")])
    with pytest.raises(LabelError, match="'left ear' and 'left_ear' would both become 'left_ear'"):
        write_to(tmp_path / "part", geomorph.WRITER, part)


def test_numbers_have_no_exponent_and_no_minus_zero() -> None:
    from sidecar.labels.writers.specimens import decimals

    assert decimals(np.array([[1e-12, -1e-12, 12345.678901234]])) == [
        "0.000000000",
        "0.000000000",
        "12345.678901234",
    ]
