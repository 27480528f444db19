"""The commands on points, as a user runs them: map-points to every format, measure, align; and what
they never load.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import CommandLine, invoked
from kit.phantoms import Phantom, Spec, write
from kit.tables import rows

import sidecar
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS

LANDMARKS = "label,x,y,slice\ntip,4.5,3.25,1\nbase,20,9.5,2\neye,11,18.75,4\near,25,17,3\n"


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    return write(Spec(orientation="oblique", junk=False), tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def png(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "png"
    sidecar.export(phantom.folder, folder, scale=0.5)
    (folder / "labels.csv").write_text(LANDMARKS)
    return folder


def test_every_format_is_written_by_name_and_by_ending(
    png: Path, phantom: Phantom, tmp_path: Path
) -> None:
    for name, writer in WRITERS.items():
        by_name = tmp_path / f"by_name_{name}"
        invoked("map-points", png / "labels.csv", "--to", name, "-o", by_name)
        for ending in writer.endings:
            by_ending = tmp_path / f"{name}{ending}"
            invoked("map-points", png / "labels.csv", "-o", by_ending)
            if name != "imagej":  # a zip holds the time
                assert by_ending.read_bytes() == by_name.read_bytes()
    for name in SOURCE_WRITERS:
        result = invoked(
            "map-points",
            png / "labels.csv",
            "--to",
            name,
            "-o",
            tmp_path / name,
            "--dicom",
            phantom.folder,
        )
        assert "names the patient" in result.stderr and (tmp_path / name).stat().st_size > 500
        assert (
            invoked(
                "map-points", png / "labels.csv", "--to", name, "-o", tmp_path / "x", code=1
            ).exception
            is not None
        )


def test_what_is_not_there_or_lies_deeper_is_said(png: Path, tmp_path: Path) -> None:
    told = invoked("map-points", png / "labels.csv", "--sidecar", tmp_path / "nothere", code=1)
    assert str(told.exception) == "there is no nothere, neither a file nor a folder"
    for name in ("a", "b"):
        shutil.copytree(png, tmp_path / "all" / name)
    told = invoked("map-points", tmp_path / "all", code=1)
    assert "folders inside it are not searched, so name them" in str(told.exception)
    told = invoked("map-points", *(tmp_path / "all" / name / "labels.csv" for name in ("a", "b")))
    assert [line.split(":")[0] for line in told.stderr.splitlines() if ", read as " in line] == [
        "a/labels.csv",
        "b/labels.csv",
    ]


def test_several_exports_in_one_table(png: Path, phantom: Phantom, tmp_path: Path) -> None:
    other = tmp_path / "other"
    sidecar.export(phantom.folder, other, scale="1/3")
    (other / "labels.csv").write_text("x,y,slice,note\n1,2,3,second\n")
    table = rows(invoked("map-points", png / "labels.csv", other / "labels.csv").stdout)
    assert [row["label"] for row in table] == ["tip", "base", "eye", "ear", ""]
    assert table[-1]["note"] == "second" and float(table[-1]["source_column"]) == 4.0


def test_measure_and_align_close_the_loop(png: Path, tmp_path: Path) -> None:
    mapped = tmp_path / "mapped.csv"
    invoked("map-points", png / "labels.csv", "-o", mapped)
    mm = {
        row["label"]: np.array([float(row[name]) for name in ("x_mm", "y_mm", "z_mm")])
        for row in rows(mapped.read_text())
    }
    (measured,) = rows(invoked("measure", mapped, "--distance", "tip,eye").stdout)
    assert float(measured["value"]) == pytest.approx(
        np.linalg.norm(mm["tip"] - mm["eye"]), abs=1e-12
    )
    assert len(rows(invoked("measure", mapped).stdout)) == 6
    turned = tmp_path / "turned.csv"
    text = rows(invoked("align", mapped, "--frame", "tip;base;eye,ear").stdout)
    turned.write_text("label,x_mm,y_mm,z_mm,space,uncertainty_mm\n" + "".join(
        f"{row['label']},{row['x_aligned']},{row['y_aligned']},{row['z_aligned']},LPS,0.1\n" for row in text
    ))  # fmt: skip
    tip = next(row for row in text if row["label"] == "tip")
    assert max(abs(float(tip[f"{axis}_aligned"])) for axis in "xyz") < 1e-12
    back = rows(invoked("align", turned, "--onto", mapped).stdout)
    for row in back:
        assert [float(row[f"{axis}_aligned"]) for axis in "xyz"] == pytest.approx(
            mm[row["label"]].tolist(), abs=1e-9
        )


@pytest.mark.slow
def test_a_million_labels(png: Path, tmp_path: Path) -> None:
    """Columns, not rows: a table this long is read, mapped and written whole; what it brings comes
    out as it was, to the last zero.
    """
    labels, mapped = tmp_path / "many.csv", tmp_path / "mapped.csv"
    some = [f"p{i},{i % 199 / 10:.3f},{i % 97 / 5:.2f}0,{i % 9}" for i in range(10_000)]
    labels.write_text("\n".join(["label,x,y,slice", *some * 100]) + "\n")
    invoked("map-points", labels, "--sidecar", png, "-o", mapped)
    with labels.open() as before, mapped.open() as after:
        for row, carried in zip(after, before, strict=True):
            assert row.startswith(carried.rstrip("\n") + ",")
    assert labels.read_bytes().count(b"\n") == 1_000_001


def test_labels_of_every_tool_that_is_recognised_state_what_was_read(
    png: Path, tmp_path: Path
) -> None:
    document = json.loads((png / "sidecar.json").read_text())
    width, height, _ = document["images"]["size"]
    shape = {
        "label": "a",
        "points": [[10.5, 7.5]],
        "group_id": None,
        "shape_type": "point",
        "flags": {},
    }
    labelme = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [shape],
        "imagePath": document["images"]["files"][2]["name"],
        "imageData": None,
    }
    (tmp_path / "a.json").write_text(
        json.dumps({**labelme, "imageHeight": height, "imageWidth": width})
    )
    result = invoked("map-points", tmp_path / "a.json", "--sidecar", png)
    assert (
        "LabelMe" in result.stderr
        and "pixel origin corner" in result.stderr
        and "point" in result.stderr
    )
    (row,) = rows(result.stdout)
    assert (row["source_column"], row["source_row"], row["source_slice"]) == ("20.5", "14.5", "2.0")


#: What reads command lines and documents, and what reads which packages are installed: each takes
#: longer to import than all headers of a scan to read.
TYPER = {"typer", "click", "pydantic", "pydantic_core"}
METADATA = {"importlib.metadata", "importlib_metadata"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "absent"),
    [
        (
            "map-points labels.csv",
            {"pydicom", "imagecodecs", "PIL", "highdicom", "scipy", "rich.progress", "roifile"},
        ),
        ("export --help", {"pydicom", "numpy", "imagecodecs", "PIL"}),
        ("--help", {"pydicom", "numpy", "pydantic", "imagecodecs", "PIL", *METADATA}),
        ("--version", {*TYPER, *METADATA, "numpy", "sidecar.cli.export", "sidecar.grid"}),
    ],
)
def test_commands_load_only_what_they_need(png: Path, command: str, absent: set[str]) -> None:
    assert not absent & loaded(png, *command.split())


def test_an_export_of_plain_files_loads_only_what_it_needs(
    phantom: Phantom, tmp_path: Path
) -> None:
    absent = {
        *TYPER,
        *METADATA,
        "pydicom",
        "imagecodecs",
        "PIL",
        "jinja2",
        "yaml",
        "rich",
        "sidecar.dicom.pixels.codecs",
        "sidecar.exporting.images.reslice",
        "sidecar.exporting.config",
    }
    command = ["export", str(phantom.folder), "png", "--scale", "1/2", "--quiet"]
    assert not absent & loaded(tmp_path, *command)
    command[2] = "other"
    others = {"sidecar.cli.zoom", "sidecar.labels", "sidecar.masks", "sidecar.viewer.page"}
    assert not (absent | others) & loaded(tmp_path, *command, "--no-viewer")


def test_what_headers_say_is_told_without_a_library(phantom: Phantom, tmp_path: Path) -> None:
    absent = {*TYPER, *METADATA, "pydicom", "imagecodecs", "PIL", "rich"}
    assert not absent & loaded(tmp_path, "inspect", str(phantom.folder))


def loaded(folder: Path, *command: str) -> set[str]:
    """The modules that a command has loaded in the end."""
    script = (
        "import sys, contextlib\n"
        f"sys.argv = ['sidecar', *{command!r}]\n"
        "from sidecar.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "print('LOADED', *sys.modules, file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    ).stderr
    modules = set(told[told.index("LOADED") :].split())
    assert "sidecar.cli" in modules
    return modules


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(1)", "@SUM(1)", " =1+1", "+cmd|' /C calc'!A0", "-2+3+cmd(1)"]
)
def test_formulas_in_names_are_refused(png: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "labels.csv").write_text(f'label,x,y,slice\nfine,1,1,1\n"{name}",1,1,1\n')
    told = invoked(
        "map-points", tmp_path / "labels.csv", "--sidecar", png, "-o", tmp_path / "out.csv", code=1
    )
    assert isinstance(told.exception, sidecar.LabelError)
    assert (
        "row 3" in str(told.exception)
        and "formula" in str(told.exception)
        and not (tmp_path / "out.csv").exists()
    )
    (tmp_path / "voxels.csv").write_text(
        f'label,source_column,source_row,source_slice\nfine,1,1,1\n"{name}",1,1,1\n'
    )
    told = invoked("project", tmp_path / "voxels.csv", "--sidecar", png, code=1)
    assert str(told.exception).startswith("voxels.csv, row 3: label ")


def test_names_that_only_look_odd_are_fine(png: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("label,x,y,slice,note\n-left,1,1,1,-3.5\na=b,1,1,1,+\n")
    assert [
        row["label"]
        for row in rows(invoked("map-points", tmp_path / "labels.csv", "--sidecar", png).stdout)
    ] == ["-left", "a=b"]


def test_a_huge_label_file_is_refused_unread(png: Path, tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("wb") as file:
        file.write(b"label,x,y,slice\n")
        file.truncate(200_000_000)
    told = invoked("map-points", tmp_path / "labels.csv", "--sidecar", png, code=1)
    assert "too large for a label file" in str(told.exception)


def test_an_ending_that_means_two_formats_or_another_one_is_refused(
    png: Path, run: CommandLine
) -> None:
    labels = png / "labels.csv"
    run.refuses("map-points", labels, "-o", "out.DCM", code=2, says=("dicom-sr", "dicom-rtstruct"))
    run.done("map-points", labels, "-o", "mapped.csv")
    for command in (("project", "mapped.csv", "--sidecar", png), ("measure", "mapped.csv")):
        run.refuses(*command, "-o", "out.tps", code=2, says="writes CSV")
    assert not Path("out.DCM").exists() and not Path("out.tps").exists()
