"""Values that no program should write, in every kind of file that is read: one message, no traceback."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write

from sidecar.labels.tables.csv_table import Table

LONG = "9" * 4500


@pytest.fixture
def png(tmp_path: Path, run: CommandLine) -> Path:
    write(Spec(), tmp_path / "scan")
    run.done("export", "scan", "png", "--scale=1")
    return tmp_path / "png"


def labelme(path: Path, label: object, png: Path, **more: object) -> str:
    name = sorted(png.glob("*.png"))[1].name
    shape = {"label": label, "points": [[1, 2]], "shape_type": "point", "flags": {}, **more}
    path.write_text(json.dumps({"version": "5", "shapes": [shape], "imagePath": name}))
    return path.name


@pytest.mark.parametrize(
    ("file", "arguments", "says"),
    [
        ("timestamp.yaml", ("export", "--config"), r"tags \(!!name\) are not allowed"),
        (
            "x1e.csv",
            ("map-points", "--sidecar", "sidecar.json"),
            r"row 2: coordinate '2\x1e' is not",
        ),
        (
            "negative-size.nii",
            ("map-mask", "--sidecar", "sidecar.json", "--to", "nifti", "-o", "out.nii"),
            "states an impossible size, or an impossible place of its voxels",
        ),
    ],
)
def test_the_field_cases(
    shared_cases: Path,
    run: CommandLine,
    file: str,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    for name in (file, "sidecar.json"):
        data = (shared_cases / "reliability/05-tracebacks" / name).read_bytes()
        (run.folder / name).write_bytes(data)
    code = 2 if file.endswith("yaml") else 1
    run.refuses(*arguments, file, code=code, says=says.replace("\\(", "(").replace("\\)", ")"))


@pytest.mark.parametrize(
    "value",
    [
        "!!timestamp xx",
        "!!int x",
        "!!binary '*'",
        "!!python/object:os.system x",
        "!!set {a}",
        "!x y",
    ],
)
def test_tags_of_yaml_make_nothing(run: CommandLine, value: str) -> None:
    (run.folder / "config.yaml").write_text(f"source: a\noutput: b\nwindow: {value}\n")
    run.refuses(
        "export", "--config", "config.yaml", code=2, says=("config.yaml is not valid YAML",)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "value", [LONG, "0x_", "1:99999999999999999999", "2026-13-45", "[" * 5000, "."]
)
def test_numbers_of_yaml(run: CommandLine, value: str) -> None:
    (run.folder / "config.yaml").write_text(f"source: a\noutput: b\nscale: {value}\n")
    outcome = run("export", "--config", "config.yaml")
    assert outcome.code == 2 and len(outcome.err) < 600


@pytest.mark.parametrize("label", ["a\0b", "\ud800", "a\udfffb"])
def test_labels_that_no_text_file_can_hold(png: Path, run: CommandLine, label: str) -> None:
    name = labelme(run.folder / "labels.json", label, png)
    run.refuses("map-points", name, "--sidecar", png, says="shape 1: label")


@pytest.mark.slow
@pytest.mark.parametrize(
    "label",
    ["a\x1eb", "a\x85b", "a\u2028b", "a\rb", "a\nb", 'a"b', "\ufeffa", "a,b;c\td", " a ", "é"],
)
def test_what_we_write_we_can_read(png: Path, run: CommandLine, label: str) -> None:
    name = labelme(run.folder / "labels.json", label, png)
    run.done("map-points", name, "--sidecar", png, "-o", "mapped.csv")
    run.done("project", "mapped.csv", "--sidecar", png, "-o", "pixels.csv")
    run.done("measure", "mapped.csv")
    tables = [Table(run.folder / name).columns["label"][0] for name in ("mapped.csv", "pixels.csv")]
    assert tables[0].strip() == tables[1].strip() == label.strip()


FORMULAS = ["=1+1", "@x", "+cmd|'/C calc'!A0", "-2+3+cmd|' /C'!A0", " =1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_refused_in_cells_and_headers_by_every_command(
    png: Path, run: CommandLine, formula: str
) -> None:
    (run.folder / "cells.csv").write_text(f'x,y,slice,label\n1,2,0,"{formula}"\n')
    (run.folder / "header.csv").write_text(f'x,y,slice,"{formula}"\n1,2,0,a\n')
    for name in ("cells.csv", "header.csv"):
        run.refuses("map-points", name, "--sidecar", png, says="begins like a formula")
    header = "label,x_mm,y_mm,z_mm,uncertainty_mm,space"
    places = "0,0,0,1,LPS\nb,1,1,1,1,LPS\n"
    (run.folder / "mapped.csv").write_text(f'{header}\n"{formula}",{places}')
    run.refuses("measure", "mapped.csv", says="row 2: label")
    source = "source_column,source_row,source_slice"
    (run.folder / "columns.csv").write_text(f'label,{source},"{formula}"\na,1,1,1,x\n')
    run.refuses("project", "columns.csv", "--sidecar", png, says="begins like a formula")


@pytest.mark.parametrize(
    "field", ["sizes: {0} 3 3", "sizes: 0 0 0", "sizes: -1 3 3", "sizes: nan 1 1"]
)
def test_sizes_of_nrrd(png: Path, run: CommandLine, field: str) -> None:
    head = f"NRRD0004\ntype: uint8\ndimension: 3\n{field.format(LONG)}\nencoding: raw\n\n"
    (run.folder / "mask.nrrd").write_bytes(head.encode() + bytes(27))
    run.refuses(
        "map-mask",
        "mask.nrrd",
        "--sidecar",
        png,
        "--to",
        "seg.nrrd",
        "-o",
        "out.seg.nrrd",
        says="mask.nrrd",
    )


@pytest.mark.parametrize("value", [LONG, "²", "-1", "0", "1.5"])
def test_label_values_of_nrrd(png: Path, run: CommandLine, value: str) -> None:
    head = (
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 61 47 9\nencoding: raw\n"
        f"Segment0_ID:=a\nSegment0_LabelValue:={value}\n\n"
    )
    (run.folder / "mask.nrrd").write_bytes(head.encode() + bytes(61 * 47 * 9))
    run.refuses(
        "map-mask", "mask.nrrd", "--sidecar", png, "--to", "seg.nrrd", "-o", "out.seg.nrrd",
        says="has no valid label value of its own, or lies on another layer",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("offset", [-352.0, -1e30, 1e30, float("nan"), float("inf")])
@pytest.mark.parametrize("shape", [(61, 47, 9), (61, -47, 9), (0, 47, 9), (-1, -1, -1)])
def test_headers_of_nifti(
    png: Path, run: CommandLine, offset: float, shape: tuple[int, int, int]
) -> None:
    nibabel = pytest.importorskip("nibabel")
    volume = nibabel.Nifti1Image(np.zeros((61, 47, 9), np.uint8), np.eye(4))
    nibabel.save(volume, run.folder / "mask.nii")
    data = bytearray((run.folder / "mask.nii").read_bytes())
    struct.pack_into("<3h", data, 42, *shape)
    struct.pack_into("<f", data, 108, offset)
    (run.folder / "mask.nii").write_bytes(data)
    run.refuses(
        "map-mask", "mask.nii", "--sidecar", png, "--to", "seg.nrrd", "-o", "out.seg.nrrd",
        says="mask.nii",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [LONG, "-" + LONG, "1e999", "1" * 400, "-0", "NaN"])
def test_numbers_of_a_document(png: Path, run: CommandLine, number: str) -> None:
    (run.folder / "labels.csv").write_text("x,y,slice\n1,2,0\n")
    text = (png / "sidecar.json").read_text()
    for key in ('"factor"', '"offset"', '"size"', '"frame_number"', '"slope"', '"pixel"'):
        at = text.index(key) + len(key) + 2
        (png / "sidecar.json").write_text(text[:at] + number + "," + text[at:])
        outcome = run("map-points", "labels.csv", "--sidecar", png)
        assert outcome.code == 1 and len(outcome.err) < 400, outcome.err
        replaced = text[:at] + number + text[at:].lstrip("-0123456789.enul")
        (png / "sidecar.json").write_text(replaced)
        outcome = run("map-points", "labels.csv", "--sidecar", png)
        assert outcome.code in (0, 1) and len(outcome.err) < 400, outcome.err
