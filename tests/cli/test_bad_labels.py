"""Labels and points that cannot be right: one message that names file and row, exit code 1, no
output. And odd files that are right.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.exports import png_names, tagged
from kit.phantoms import Spec, write
from kit.tables import rows

RIGHT = "image,x,y,label\nslice_0001,1.5,2.25,a\nslice_0003,10,3,b\n"


@pytest.fixture
def run(run: CommandLine, half_size: Path) -> CommandLine:
    copytree(half_size, run.folder / "png")
    return run


def labels(run: CommandLine, content: str | bytes, name: str = "labels.csv") -> Path:
    path = run.folder / "png" / name
    encoding = (
        "utf-16"
        if len(content) % 2 == 0 and content[:2] in (b"\xff\xfe", b"\xfe\xff")
        else "latin-1"
    )
    text = content if isinstance(content, str) else content.decode(encoding)
    named = tagged(text, run.folder / "png")
    path.write_bytes(named.encode() if isinstance(content, str) else named.encode(encoding))
    return Path("png", name)


# --- what stands where a number or an image belongs ---

NOT_NUMBERS = [
    "",
    " ",
    "abc",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "1e999",
    "1_000",
    "0x10",
    "1.2.3",
    "1,5",
    "--1",
    "1e",
    "½",
    "NULL",
    "#N/A",
    "1 2",
    "−1",
]


@pytest.mark.parametrize("column", ["x", "y", "slice"])
@pytest.mark.parametrize("cell", NOT_NUMBERS)
def test_a_cell_that_is_no_number_names_its_row(cell: str, column: str, run: CommandLine) -> None:
    good = {"slice": "1", "x": "2", "y": "3"}
    lines = [good, good, {**good, column: f'"{cell}"'}, good, {**good, column: "junk"}]
    path = labels(run, "slice,x,y\n" + "".join(",".join(line.values()) + "\n" for line in lines))
    told = run.refuses("map-points", path, says=("labels.csv", "row 4"))
    assert ("number" in told or "decimal comma" in told) if cell.strip() else "is empty" in told
    run.refuses("map-points", path, "-o", "mapped.csv", says="row 4")


OUTSIDE = [
    ("slice_0001", "-0.6", "3"), ("slice_0001", "19.6", "3"), ("slice_0001", "3", "-0.51"),
    ("slice_0001", "3", "17.51"), ("slice_0001", "1e300", "3"), ("slice_0001", "3", "-1e308"),
    ("slice_0001", "40", "3"),
]  # fmt: skip


@pytest.mark.parametrize("row", OUTSIDE, ids=" ".join)
def test_a_label_outside_names_its_row_and_the_way_out(
    row: tuple[str, str, str], run: CommandLine
) -> None:
    path = labels(
        run, RIGHT.replace(",label", "").replace(",a", "").replace(",b", "") + ",".join(row) + "\n"
    )
    run.refuses("map-points", path, says=("labels.csv", "row 4", "outside", "--allow-outside"))


@pytest.mark.parametrize("number", ["-0.51", "4.51", "5", "-1", "1e300", "1000000"])
def test_a_slice_outside_names_its_row(number: str, run: CommandLine) -> None:
    path = labels(run, f"slice,x,y\n0,1,1\n{number},1,1\n")
    run.refuses("map-points", path, says=("labels.csv", "row 3", "outside"))


def test_the_outer_edges_of_the_first_and_last_pixel_are_inside(run: CommandLine) -> None:
    path = labels(run, "slice,x,y\n-0.5,-0.5,-0.5\n4.5,19.5,17.5\n0,19.5,-0.5\n")
    assert len(rows(run.done("map-points", path).out)) == 3


@pytest.mark.parametrize("cell", ["1e300", "-1e308", "1.7e308"])
@pytest.mark.parametrize("column", ["x", "slice"])
def test_a_label_that_no_number_can_hold_is_refused_even_if_it_may_lie_outside(
    cell: str, column: str, run: CommandLine
) -> None:
    good = {"slice": "1", "x": "2", "y": "3"}
    path = labels(run, "slice,x,y\n" + ",".join({**good, column: cell}.values()) + "\n")
    outcome = run("map-points", path, "--allow-outside")
    if outcome.code == 0:
        assert all(
            np.isfinite(float(rows(outcome.out)[0][name]))
            for name in ("source_column", "x_mm", "y_mm", "z_mm")
        )
    else:
        assert outcome.code == 1
        assert "row 2" in outcome.err
        assert outcome.out == ""


IMAGES = [
    "slice_0005",
    "slice_1",
    "slice_0001.dcm",
    "other",
    "../slice_0009.png",
    "/etc/passwd",
    "\x1b[31mred",
    "sidecar.json",
]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_that_is_not_of_the_export_is_named(image: str, run: CommandLine) -> None:
    path = labels(run, RIGHT + f"{image},1,1,c\n")
    first, *_, last = png_names(run.folder / "png")
    told = run.refuses(
        "map-points",
        path,
        says=("labels.csv", "row 4", "no PNG of this export", f"{first} … {last}"),
    )
    assert "\x1b" not in told


def test_an_image_and_a_slice_that_disagree_are_refused(run: CommandLine) -> None:
    path = labels(
        run, "image,slice,x,y\nslice_0001,1,1,1\nslice_0001.png,1.4,1,1\nslice_0002,1,1,1\n"
    )
    says = (
        "labels.csv, row 4: says slice 1, but its image 'slice_0002",
        "is slice 2 (both counted",
    )
    run.refuses("map-points", path, says=says)


def test_a_row_with_neither_image_nor_slice_is_refused(run: CommandLine) -> None:
    run.refuses(
        "map-points",
        labels(run, "image,slice,x,y\nslice_0001,1,1,1\n,,1,1\n"),
        says=("row 3", "neither the name of an image nor a slice number"),
    )
    run.refuses(
        "map-points",
        labels(run, "image,x,y\nslice_0001,1,1\n  ,1,1\n"),
        says=("row 3", "neither the name of an image nor a slice number"),
    )


# --- tables ---

TABLES = {
    "empty": ("", "labels.csv"),
    "blank": (" \n\n", "labels.csv"),
    "BOM only": ("\ufeff", "labels.csv"),
    "no header": ("slice_0001,1,2\n", "labels.csv"),
    "text": ("Dear all,\nplease find\n", "labels.csv"),
    "no x": ("image,y\nslice_0001,2\n", "labels.csv"),
    "no y": ("image,x\nslice_0001,2\n", "labels.csv"),
    "no image and no slice": ("x,y\n1,2\n", "row 1"),
    "column twice": ("image,x,y,x\nslice_0001,1,2,3\n", "row 1"),
    "column twice in other case": ("image,x,y,X\nslice_0001,1,2,3\n", "row 1"),
    "image twice": ("image,image,x,y\nslice_0001,slice_0002,1,2\n", "row 1"),
    "row too short": ("image,x,y\nslice_0001,1,2\nslice_0001,1\n", "row 3"),
    "row too long": ("image,x,y\nslice_0001,1,2\nslice_0001,1,2,3\n", "row 3"),
    "two rows wrong that make up for each other": (
        "image,x,y\nslice_0001,1\nslice_0001,1,2,3\n",
        "row 2",
    ),
    "ragged after blank lines": ("image,x,y\n\n\nslice_0001,1,2\n\nslice_0001\n", "row 6"),
    "decimal comma without quotes": ("image,x,y\nslice_0001,1,5,2,5\n", "row 2"),
    "decimal comma behind tabs": ("image\tx\ty\nslice_0001\t1,5\t2\n", "row 2"),
    "thousands behind semicolons": ("image;x;y\nslice_0001;1.234,5;2\n", "row 2"),
    "open quote": ('image,x,y,label\nslice_0001,1,2,"a\nslice_0001,1,2,b\n', "labels.csv, line 3"),
    "misplaced quote": ('image,x,y,label\nslice_0001,1,2,"a"b\n', "labels.csv, line 2"),
    "quoted newline then an error": (
        'image,x,y,label\nslice_0001,1,2,"a\nb"\nslice_0001,1,oops,c\n',
        "row 3",
    ),
    "header of semicolons, rows of commas": ("image;x;y\nslice_0001,1,2\n", "row 2"),
    "output of map-points": ("image,x,y,x_mm\nslice_0001,1,2,3\n", "x_mm"),
    "a column that map-points adds": (
        "image,x,y,sop_instance_uid\nslice_0001,1,2,3\n",
        "sop_instance_uid",
    ),
    "a long cell": ("image,x,y,label\nslice_0001,1,2," + "a" * (1 << 21) + "\n", "labels.csv"),
    "control characters for columns": ("\x1b[31mimage,x,y\nslice_0001,1,2\n", "labels.csv"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_none_is_refused(name: str, run: CommandLine) -> None:
    content, says = TABLES[name]
    path = labels(run, content)
    told = run.refuses("map-points", path, says=says)
    assert len(told) < 1000
    run.refuses(
        "map-points", path, "--sidecar", "png", "--from", "csv", "-o", "mapped.csv", says=says
    )


ENCODINGS = {
    "Latin-1": "image,x,y,label\nslice_0001,1,2,Größe\n".encode("latin-1"),
    "UTF-16 without a mark": RIGHT.encode("utf-16-le"),
    "half a UTF-16": RIGHT.encode("utf-16")[:-1],
    "UTF-32": RIGHT.encode("utf-32"),
    "cut in a character": "image,x,y,label\nslice_0001,1,2,ö".encode()[:-1],
    "binary": bytes(range(256)) * 10,
    "NUL": RIGHT.encode() + b"\0\0\0",
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a workbook": b"PK\x03\x04" + bytes(100),
    "surrogates": b"image,x,y,label\nslice_0001,1,2,\xed\xa0\x80\n",
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_another_encoding_is_named(name: str, run: CommandLine) -> None:
    path = labels(run, ENCODINGS[name])
    run.refuses("map-points", path, says="labels.csv")
    run.refuses("map-points", path, "--from", "csv", says=("labels.csv", "UTF-8"))


READ = {
    "BOM": RIGHT.encode("utf-8-sig"),
    "UTF-16": RIGHT.encode("utf-16"),
    "CRLF": RIGHT.replace("\n", "\r\n").encode(),
    "CR": RIGHT.replace("\n", "\r").encode(),
    "no last newline": RIGHT.rstrip().encode(),
    "blank lines": RIGHT.replace("\n", "\n\n").encode() + b"\r\n\r\n",
    "semicolon": RIGHT.replace(",", ";").encode(),
    "semicolon, decimal comma": RIGHT.replace(",", ";").replace("1.5;2.25", "1,5;2,25").encode(),
    "as Excel writes it in Germany": (
        b"\xef\xbb\xbfimage;x;y;label\r\nslice_0001;1,5;2,25;a\r\nslice_0003;10;3;b\r\n"
    ),
    "tab": RIGHT.replace(",", "\t").encode(),
    "capitals": RIGHT.replace("image,x,y,label", "IMAGE,X,Y,LABEL").encode(),
    "spaces in the header": RIGHT.replace("image,x,y,label", "image , x, y ,label").encode(),
    "quotes": (
        b'"image","x","y","label"\n"slice_0001","1.5","2.25","a"\n"slice_0003","10","3","b"\n'
    ),
    "extensions and folders": (
        b"image,x,y,label\nC:\\scans\\png\\slice_0001.PNG,1.5,2.25,a\npng/slice_0003.jpg,10,3,b\n"
    ),
    "spaces around numbers": RIGHT.replace("1.5,2.25", " 1.5 , +2.25 ").encode(),
    "exponents": RIGHT.replace("1.5,2.25", "15e-1,.225E1").encode(),
}


@pytest.mark.parametrize("name", READ)
def test_what_spreadsheets_write_is_read(name: str, run: CommandLine) -> None:
    right = rows(run.done("map-points", labels(run, RIGHT)).out)
    mapped = rows(run.done("map-points", labels(run, READ[name])).out)
    assert len(mapped) == 2
    for line, expected in zip(mapped, right, strict=True):
        assert list(line.values())[-10:] == list(expected.values())[-10:]
        assert list(line.values())[3] == expected["label"]


def test_quoted_newlines_commas_and_quotes_come_back_as_they_were(run: CommandLine) -> None:
    text = (
        'image,x,y,label\r\nslice_0001,1,2,"two\nlines, ""quoted"""\r\nslice_0001,1,2,"a=cmd()"\r\n'
    )
    mapped = rows(run.done("map-points", labels(run, text)).out)
    assert [line["label"] for line in mapped] == ['two\nlines, "quoted"', "a=cmd()"]
    run.done("map-points", labels(run, text), "-o", "mapped.csv")
    assert (
        rows((run.folder / "mapped.csv").read_text(encoding="utf-8"))[0]["label"]
        == 'two\nlines, "quoted"'
    )


def test_a_table_of_nothing_but_a_header_maps_to_one(run: CommandLine) -> None:
    for text in ("image,x,y,label\n", "slice,x,y\r\n\r\n", '"image","x","y"'):
        outcome = run.done("map-points", labels(run, text))
        assert rows(outcome.out) == []
        assert outcome.out.endswith(",frame_number,space\n")
        assert "0 points" in outcome.err
    run.done("project", labels(run, "x_mm,y_mm,z_mm\n"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "text"),
    [("map-points", RIGHT), ("project", "x_mm,y_mm,z_mm,name\n-31,18,-407,a\n-30,19,-406,b\n")],
)
def test_any_bytes_changed_are_read_or_refused(command: str, text: str, run: CommandLine) -> None:
    rng = random.Random(command)
    for _ in range(300):
        data = bytearray(text.encode())
        for _ in range(rng.choice([1, 1, 2, 6])):
            at = rng.randrange(len(data))
            data[at : at + rng.choice([0, 1, 1, 3])] = rng.choice(
                [b"", b",", b'"', b"\n", b"\r", b";", b"\t", b"e", b"-", b"\xff", b"9" * 20]
            )
        outcome = run(command, labels(run, bytes(data)), "--sidecar", "png")
        assert outcome.code in (0, 1)
        assert outcome.code == 0 or ("labels.csv" in outcome.err and outcome.out == "")


def test_a_label_between_slices_of_a_single_one_names_its_row(run: CommandLine) -> None:
    write(Spec(columns=40, rows=36, slices=1, markers=False, junk=False), run.folder / "one")
    run.done("export", "one", "png1", "--scale=1")
    (run.folder / "png1" / "labels.csv").write_text("slice,x,y\n0,1,1\n0.25,1,1\n")
    run.refuses("map-points", "png1/labels.csv", says=("labels.csv, row 3", "single slice"))
    (run.folder / "points.csv").write_text("x_mm,y_mm,z_mm\n-31,18,-407\n0,0,0\n")
    run.refuses(
        "project", "points.csv", "--sidecar", "png1", says=("points.csv, row 3", "only slice")
    )
    placed = rows(run.done("project", "points.csv", "--sidecar", "png1", "--allow-outside").out)
    assert [(line["image"], line["slice"]) for line in placed] == [
        (png_names(run.folder / "png1")[0], "0.0"),
        ("", ""),
    ]


# --- files ---


def test_files_that_are_not_there_or_not_files_are_named(run: CommandLine) -> None:
    (run.folder / "png" / "folder").mkdir()
    run.refuses("map-points", "png/none.csv", says="none.csv")
    run.refuses("map-points", run.folder / "none.csv", says="none.csv")
    run.refuses("map-points", "none.csv", "--sidecar", "png", says="none.csv")
    run.refuses("map-points", "png/folder", says=("folder", "no label files"))
    run.refuses("project", "png/none.csv", says="none.csv")
    run.refuses("project", "none.csv", says="none.csv")
    run.refuses("project", "png/folder", says="folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(run: CommandLine) -> None:
    os.mkfifo(run.folder / "png" / "labels.csv")
    run.refuses("map-points", "png/labels.csv", says="labels.csv")
    run.refuses("map-points", "png/labels.csv", "--sidecar", "png", says="labels.csv")
    run.refuses("project", "png/labels.csv", says="labels.csv")


@pytest.mark.parametrize("content", [RIGHT.encode(), b""], ids=["table", "zeros"])
def test_a_huge_file_is_refused_in_little_memory(content: bytes, run: CommandLine) -> None:
    with (run.folder / "png" / "labels.csv").open("wb") as file:
        file.write(content)
        file.truncate(1 << 34)
    tracemalloc.start()
    run.refuses("map-points", "png/labels.csv", says="labels.csv")
    run.refuses("map-points", "png/labels.csv", "--from", "csv", says=("labels.csv", "too large"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600 * 2**20


def test_one_wrong_file_of_several_stops_all(run: CommandLine) -> None:
    labels(run, RIGHT, "a.csv")
    labels(run, RIGHT.replace("10,3", "10,oops"), "b.csv")
    run.refuses("map-points", "png/a.csv", "png/b.csv", "-o", "mapped.csv", says=("b.csv", "row 3"))
    run.refuses("map-points", "png", "-o", "mapped.csv", says=("b.csv", "row 3"))


# --- output ---


def test_an_input_is_never_overwritten(run: CommandLine) -> None:
    path = labels(run, RIGHT)
    labels(run, RIGHT, "more.csv")
    (run.folder / "link.csv").symlink_to(run.folder / path)
    for output in (path, "png/../png/labels.csv", run.folder / path, "link.csv"):
        run.refuses("map-points", path, "-o", output, code=2, says=("-o", "overwrite an input"))
    run.refuses(
        "map-points", "png", "-o", "png/more.csv", code=2, says=("more.csv", "overwrite an input")
    )
    run.refuses(
        "map-points",
        path,
        "-o",
        "png/sidecar.json",
        "--to",
        "csv",
        code=2,
        says="overwrite an input",
    )
    (run.folder / "png" / "sidecar.json").rename(run.folder / "other.json")
    run.refuses(
        "map-points",
        path,
        "--sidecar",
        "other.json",
        "-o",
        "other.json",
        "--to",
        "csv",
        code=2,
        says="overwrite an input",
    )


def test_a_place_that_is_no_file_is_refused(run: CommandLine) -> None:
    path = labels(run, RIGHT)
    (run.folder / "folder.csv").mkdir()
    (run.folder / "mine").write_text("mine")
    run.refuses("map-points", path, "-o", "folder.csv", says="folder.csv is not a file")
    run.refuses(
        "map-points",
        path,
        "-o",
        "nowhere/mapped.csv",
        says=("mapped.csv cannot be written", "No such"),
    )
    run.refuses("map-points", path, "-o", "mine/mapped.csv", says="mapped.csv cannot be written")
    run.refuses("map-points", path, "-o", "", code=2, says="--to")
    if hasattr(os, "mkfifo"):
        os.mkfifo(run.folder / "pipe.csv")
        run.refuses("map-points", path, "-o", "pipe.csv", says="pipe.csv is not a file")
    if Path("/dev/full").exists():
        before = Path("/dev/full").stat()
        run.refuses("map-points", path, "-o", "/dev/full", "--to", "csv", says="full is not a file")
        assert Path("/dev/full").stat().st_mode == before.st_mode


@pytest.mark.slow
@pytest.mark.parametrize("link", [False, True])
def test_a_file_of_the_user_with_the_name_of_a_partial_one_stays(
    run: CommandLine, link: bool
) -> None:
    path, part = labels(run, RIGHT), run.folder / "mapped.csv.part"
    if link:
        part.symlink_to(run.folder / "gone.csv")
    else:
        part.write_text("mine")
    command = [sys.executable, "-m", "sidecar", "map-points", str(path), "-o", "mapped.csv"]
    code = "import sys; from sidecar.cli import main; sys.argv[0] = 'sidecar'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:]], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "mapped.csv.part is in the way" in done.stderr
    assert part.is_symlink() if link else part.read_text() == "mine"
    assert not (run.folder / "mapped.csv").exists() and not (run.folder / "gone.csv").exists()


def test_a_refusal_leaves_an_earlier_result_as_it_was(run: CommandLine) -> None:
    run.done("map-points", labels(run, RIGHT), "-o", "mapped.csv")
    run.refuses(
        "map-points", labels(run, RIGHT.replace("10,3", "99,3")), "-o", "mapped.csv", says="row 3"
    )
    before = (run.folder / "mapped.csv").read_bytes()
    run.done("map-points", labels(run, RIGHT.replace("10,3", "9,3")), "-o", "mapped.csv")
    assert (run.folder / "mapped.csv").read_bytes() != before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize(
    "command",
    [
        ("map-points", "png/labels.csv"),
        ("project", "points.csv", "--sidecar", "png"),
        ("inspect", "scan"),
    ],
)
def test_a_full_device_behind_stdout_is_told(
    command: tuple[str, ...], run: CommandLine, half_size: Path
) -> None:
    copytree(half_size.parent / "scan", run.folder / "scan")
    labels(run, RIGHT)
    run.done("map-points", "png/labels.csv", "-o", "points.csv")
    code = "import sys; from sidecar.__main__ import entry; entry()"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=buffered,
        )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 1
    assert "sidecar: " in done.stderr


# --- there and back ---


def test_mapped_labels_are_not_mapped_again_in_silence(run: CommandLine) -> None:
    run.done("map-points", labels(run, RIGHT), "-o", "png/mapped.csv")
    run.refuses("map-points", "png/mapped.csv", says="source_column")
    told = run.done("project", "png/mapped.csv", "-o", "png/back.csv").err
    assert "columns that map-points computes again were left out: source_column" in told
    run.done("map-points", "png/back.csv")


POINTS = {
    "no columns": ("a,b\n1,2\n", "row 1"),
    "two of three": ("x_mm,y_mm\n1,2\n", "row 1"),
    "text": ("x_mm,y_mm,z_mm\n1,2,3\n1,two,3\n", "row 3"),
    "not a number": ("source_column,source_row,source_slice\n1,2,3\nnan,2,3\n", "row 3"),
    "infinite": ("source_column,source_row,source_slice\n1,2,3\n1,inf,3\n", "row 3"),
    "half empty": ("source_column,source_row,source_slice\n1,2,3\n1,,\n", "row 3"),
    "outside": ("source_column,source_row,source_slice\n1,2,3\n100,2,3\n", "row 3"),
    "far outside": ("source_column,source_row,source_slice\n1,2,3\n1e300,2,3\n", "row 3"),
    "in another scan": ("x_mm,y_mm,z_mm\n10000,0,0\n", "row 2"),
    "in another universe": ("x_mm,y_mm,z_mm\n1e300,0,0\n", "points.csv"),
    "other axes": ("x_mm,y_mm,z_mm,space\n1,2,3,MNI\n", "row 2"),
    "voxels and millimetres of two scans": (
        "source_column,source_row,source_slice,x_mm,y_mm,z_mm\n1,2,3,4,5,6\n",
        "row 2",
    ),
    "empty": ("", "points.csv"),
    "ragged": ("x_mm,y_mm,z_mm\n1,2\n", "row 2"),
    "column twice": ("x_mm,y_mm,z_mm,X_MM\n1,2,3,4\n", "row 1"),
}


@pytest.mark.parametrize("name", POINTS)
def test_points_that_cannot_be_placed_name_their_row(name: str, run: CommandLine) -> None:
    content, says = POINTS[name]
    path = labels(run, content, "points.csv")
    run.refuses("project", path, says=("points.csv", says))
    run.refuses("project", path, "-o", "placed.csv", says=("points.csv", says))


def test_half_a_character_in_a_label_is_refused(run: CommandLine) -> None:
    """JSON can hold what no text file can."""
    shape: dict[str, Any] = {
        "label": "\ud800",
        "points": [[1.5, 2.5]],
        "shape_type": "point",
        "group_id": None,
        "flags": {},
    }
    image = {"imagePath": "slice_0001.png", "imageData": None, "imageHeight": 18, "imageWidth": 20}
    document: dict[str, Any] = {"version": "5.0", "flags": {}, "shapes": [shape], **image}
    path = labels(run, json.dumps(document), "slice_0001.json")
    run.refuses("map-points", path, says="sidecar")
    run.refuses("map-points", path, "-o", "mapped.csv", says="sidecar")


def test_labels_never_reach_outside_of_their_folder_for_a_sidecar(run: CommandLine) -> None:
    (run.folder / "labels").mkdir()
    for image in (
        "../png/slice_0001.png",
        str(run.folder / "png" / "slice_0001.png"),
        "..\\png\\slice_0001.png",
    ):
        (run.folder / "labels" / "labels.csv").write_text(f"image,x,y\n{image},1,2\n")
        run.refuses("map-points", "labels/labels.csv", says=("labels.csv", "--sidecar"))
    (run.folder / "labels.csv").write_text(
        tagged("image,x,y\npng/slice_0001.png,1,2\n", run.folder / "png")
    )
    run.done("map-points", "labels.csv")
