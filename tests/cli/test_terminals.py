"""What a terminal shows: no escape of a file's name or text reaches it, no name looks like a message
of its own, and no message fills the screen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write

from sidecar.cli.telling import LONGEST, MOST, as_told

ODD = "a\x1b[31m\nsidecar: all is well\x9b1A\u202e"
ESCAPED = r"a\x1b[31m\nsidecar: all is well\x9b1A\u202e"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


@pytest.fixture
def png(tmp_path: Path, run: CommandLine) -> Path:
    write(Spec(), tmp_path / "scan")
    run.done("export", "scan", "png", "--scale=1")
    return tmp_path / "png"


def test_names_of_files_in_every_message(png: Path, run: CommandLine) -> None:
    folder = run.folder
    (folder / f"{ODD}.csv").write_text("x,y,slice,label\n1,2,0,a\nx,2,0,b\n")
    (folder / "mapped.csv").write_text("label,x_mm\n")
    shutil.copy(folder / "mapped.csv", folder / f"{ODD}m.csv")
    shutil.copytree(folder / "scan", folder / ODD)
    files = sorted(path for path in (folder / ODD).rglob("*") if path.is_file())
    victim = next(path for path in files if path.read_bytes()[128:132] == b"DICM")
    victim.rename(victim.with_name(f"{ODD}.dcm"))
    victim.with_name(f"{ODD}.dcm").write_bytes(victim.with_name(f"{ODD}.dcm").read_bytes()[:-99])
    for command in (
        ("map-points", f"{ODD}.csv", "--sidecar", png),
        ("map-mask", f"{ODD}.csv", "--sidecar", png, "--to", "png", "-o", "out"),
        ("map-points", f"{ODD}none.csv", "--sidecar", png),
        ("project", f"{ODD}m.csv", "--sidecar", png),
        ("measure", f"{ODD}m.csv"),
        ("align", f"{ODD}m.csv", "--frame", "a;b;c"),
        ("inspect", ODD),
        ("export", ODD, "out", "--scale=1"),
        ("export", f"{ODD}none", "out", "--scale=1"),
        ("check", png, "--source", ODD),
        ("view", f"{ODD}none"),
        ("export", "--config", f"{ODD}.yaml"),
    ):
        outcome = run(*command)
        assert outcome.code in (1, 2) or command[0] == "inspect", command
        told = outcome.out + outcome.err
        assert r"a\x1b[31m" in told or ESCAPED.split("\\n", maxsplit=1)[0] in told, (command, told)
        assert not any(line.startswith("sidecar: all is well") for line in told.splitlines())


def test_a_message_is_a_few_lines_whatever_it_is_about(png: Path, run: CommandLine) -> None:
    columns = ",".join(f"column_{i}" for i in range(5000))
    (run.folder / "wide.csv").write_text(f"{columns}\n{'1,' * 4999}1\n")
    outcome = run("map-points", "wide.csv", "--from", "csv", "--sidecar", png)
    assert outcome.code == 1 and len(outcome.err) <= 2 * LONGEST
    long = {"version": "1." + "1" * 100_000, "specimen": "x" * 100_000}
    (png / "sidecar.json").write_text(json.dumps(long))
    outcome = run("map-points", "wide.csv", "--sidecar", png)
    assert outcome.code == 1 and len(outcome.err) <= 2 * LONGEST


def test_lines_of_ours_stay_and_others_are_escaped() -> None:
    assert as_told("sidecar: two:\n  one\n  other") == "sidecar: two:\n  one\n  other"
    assert as_told("sidecar: a\nsidecar: b\x1b") == r"sidecar: a\nsidecar: b\x1b"
    many = as_told("sidecar:" + "".join(f"\n  line {i}" for i in range(10_000)))
    assert len(many.splitlines()) <= MOST and many.endswith("line 9999")
    assert "more lines" in many
    long = as_told("sidecar: " + "x" * 10_000 + "; do this")
    assert len(long) < LONGEST + 10 and long.endswith("; do this")


@pytest.mark.slow
@pytest.mark.parametrize(("options", "seen"), [((), False), (("--debug",), True)])
def test_what_libraries_in_c_print_does_not_reach_the_terminal(
    png: Path, run: CommandLine, options: tuple[str, ...], seen: bool
) -> None:
    code = (
        "import sys, os, sidecar.faults, sidecar.mapping as m; from sidecar.__main__ import entry\n"
        "def noisy(*_): os.write(2, b'TIFFReadDirectory: Warning'); raise ZeroDivisionError\n"
        "m.Sidecar.open = noisy\n"
        f"sys.argv = {['sidecar', *options, 'map-points', 'a.csv', '--sidecar', 'png']!r}\n"
        "entry()"
    )
    (run.folder / "a.csv").write_text("x,y,slice\n1,2,0\n")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=run.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3 and "sidecar: this is a fault of sidecar itself" in done.stderr
    assert ("TIFFReadDirectory" in done.stderr) == seen
