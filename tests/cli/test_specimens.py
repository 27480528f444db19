"""Specimens by name, from the export to what is made of labels on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write
from kit.tables import rows

import sidecar

LABELS = "label,x,y,slice\nleft tip,4.5,3.25,1\nbase,20,9.5,2\neye,11,18.75,4\near,25,17,3\n"


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scans: beetle-7 by --specimen, in the folder "first", weevil and moth by the names of
    their folders. All have labels.csv.
    """
    home = tmp_path_factory.mktemp("three") / "exports"
    for name, specimen in (("first", "beetle-7"), ("weevil", None), ("moth", None)):
        spec = Spec(orientation="oblique", junk=False, seed=len(name))
        scan = write(spec, tmp_path_factory.mktemp("scan")).folder
        sidecar.export(scan, home / name, scale=0.5, specimen=specimen)
        (home / name / "labels.csv").write_text(LABELS)
    return home


@pytest.fixture
def folder(exports: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exports, tmp_path / "exports"))


def test_formats_of_specimens_call_them_by_name(
    run: CommandLine, folder: Path, tmp_path: Path
) -> None:
    labels = [folder / name / "labels.csv" for name in ("first", "weevil")]
    for ending in ("tps", "morphoj.txt", "geomorph.csv"):
        run.done("map-points", *labels, "-o", tmp_path / f"all.{ending}")
    tps = (tmp_path / "all.tps").read_text()
    assert [line for line in tps.splitlines() if line.startswith("ID=")] == [
        "ID=beetle-7",
        "ID=weevil",
    ]
    for ending, mark in (("morphoj.txt", "\t"), ("geomorph.csv", ",")):
        lines = (tmp_path / f"all.{ending}").read_text().splitlines()
        assert [line.split(mark)[0] for line in lines[1:]] == ["beetle-7", "weevil"]


def test_what_geomorph_cannot_have_is_told(run: CommandLine, folder: Path, tmp_path: Path) -> None:
    told = run.done(
        "map-points", folder / "first" / "labels.csv", "-o", tmp_path / "a.geomorph.csv"
    ).err
    assert (
        "a.geomorph.csv\n  note: geomorph has no spaces in names, so they became underscores:"
        " 'left tip' is left_tip\n" in told
    )


def test_two_folders_of_one_name_are_refused_and_named(
    run: CommandLine, folder: Path, tmp_path: Path
) -> None:
    for name in ("moth", "weevil"):
        (tmp_path / name).mkdir()
        (folder / name).rename(tmp_path / name / "png")
    labels = [tmp_path / name / "png" / "labels.csv" for name in ("moth", "weevil")]
    for format in ("tps", "csv", "json", "morphoj", "geomorph"):
        run.refuses(
            "map-points", *labels, "--to", format, "-o", tmp_path / "all",
            says=(
                "two specimens are called 'png': labels.csv is of export moth/png (series ",
                "labels.csv is of export weevil/png (series ",
                "Give them different names: with --specimen",
            ),
        )  # fmt: skip


def test_specimens_are_measured_each_on_its_own(
    run: CommandLine, folder: Path, tmp_path: Path
) -> None:
    labels = [folder / name / "labels.csv" for name in ("first", "weevil")]
    mapped = tmp_path / "mapped.csv"
    run.done("map-points", *labels, "-o", mapped)
    measured = run.done("measure", mapped, "--distance", "base,eye")
    assert "beetle-7: 1 measurement\nweevil: 1 measurement\n" in measured.err
    together = rows(measured.out)
    assert [row["specimen"] for row in together] == ["beetle-7", "weevil"]
    assert len(rows(run.done("measure", mapped).out)) == 2 * 6
    for name, row in zip(("first", "weevil"), together, strict=True):
        run.done("map-points", folder / name / "labels.csv", "-o", tmp_path / "one.csv")
        told = run.done("measure", tmp_path / "one.csv", "--distance", "base,eye")
        (alone,) = rows(told.out)
        assert "one.csv: 1 measurement" in told.err and "specimen" not in alone
        assert alone == {key: cell for key, cell in row.items() if key != "specimen"}


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["tip", "tip"], "all 2 points with a name are called 'tip', and there is no line"),
        (["tip", ""], "only one point has a name, 'tip', and there is no line"),
        (["", ""], "no single point has a name, and there is no line"),
        ([], "there is no point, and there is no line"),
    ],
)
def test_why_nothing_was_measured(
    run: CommandLine, tmp_path: Path, names: list[str], why: str
) -> None:
    lines = [f"{name},{k},2,3,0,LPS" for k, name in enumerate(names)]
    table = "\n".join(["label,x_mm,y_mm,z_mm,uncertainty_mm,space", *lines, ""])
    (tmp_path / "m.csv").write_text(table)
    told = run.done("measure", tmp_path / "m.csv").err
    assert f"m.csv: 0 measurements\n  note: nothing was measured, because {why}" in told


def test_align_is_of_one_specimen_and_names_it(
    run: CommandLine, folder: Path, tmp_path: Path
) -> None:
    both, one = tmp_path / "both.csv", tmp_path / "one.csv"
    labels = [folder / name / "labels.csv" for name in ("first", "weevil")]
    run.done("map-points", *labels, "-o", both)
    run.done("map-points", labels[0], "-o", one)
    says = "both.csv: holds 2 specimens ('beetle-7', 'weevil'), but align takes one"
    run.refuses("align", both, "--frame", "base;eye;ear", says=says)
    run.refuses("align", one, "--onto", both, says=says)
    lines = both.read_text().splitlines()
    only = tmp_path / "only.csv"
    only.write_text("\n".join([lines[0], *(line for line in lines if "weevil" in line)]) + "\n")
    assert "one.csv onto weevil:" in run.done("align", one, "--onto", only).err
    assert "weevil in its own frame:" in run.done("align", only, "--frame", "base;eye;ear").err


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("a,b,,1\na,a,,1\n", None),
        ("a,b,1,1\na,,1,1\n", "t.csv, row 3: has no specimen, but other rows have one"),
        (
            "a,b,1,1\nb,b,2,1\n",
            "row 3: is of specimen 'b' in series '2', like row 2 in series '1'",
        ),
        ("a,,1,1\nb,,2,1\n", "row 3: has no specimen in series '2', like row 2 in series '1'"),
    ],
    ids=["two", "some unnamed", "two of one name", "two without a name"],
)
def test_a_table_tells_its_specimens_apart_or_is_refused(
    run: CommandLine, tmp_path: Path, cells: str, says: str | None
) -> None:
    path = tmp_path / "t.csv"
    head = "label,specimen,series_uid,x_mm,y_mm,z_mm,uncertainty_mm,space\n"
    path.write_text(head + cells.replace(",1\n", ",1,1,1,1,LPS\n"))
    if says is None:
        run.done("measure", path)
    else:
        run.refuses("measure", path, says=says)
