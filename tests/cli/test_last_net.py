"""What nobody foresaw is one message and an exit code of its own, and leaves nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.folders import contents
from kit.phantoms import Spec, write
from PIL import Image

FAILING = """
def failing(*_, **__):
    raise {error}
sys.modules["{module}"].{name} = failing
"""


def ran(folder: Path, *arguments: str, module: str, name: str, error: str) -> tuple[int, str, str]:
    """The command as a program of its own, in which one function fails."""
    fault = FAILING.format(error=error, module=module, name=name)
    code = (
        f"import sys, {module}\n{fault}\nfrom sidecar.__main__ import entry\n"
        f"sys.argv = {['sidecar', *arguments]!r}\nentry()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path, run: CommandLine) -> Path:
    write(Spec(), tmp_path / "scan")
    run.done("export", "scan", "png", "--scale=1")
    (tmp_path / "painted").mkdir()
    for path in (tmp_path / "png").glob("*.png"):
        with Image.open(path) as image:
            Image.new("L", image.size, 1).save(tmp_path / "painted" / path.name)
    (tmp_path / "labels.csv").write_text("slice,x,y\n0,1,2\n")
    (tmp_path / "old.csv").write_text("of the user\n")
    return tmp_path


FAULTS = {
    "map-points": (
        ("map-points", "labels.csv", "--sidecar", "png", "-o", "old.csv"),
        "sidecar.labels.writers.csv_points",
        "_interleaved",
    ),
    "map-mask": (
        ("map-mask", "painted", "--sidecar", "png", "--to", "png", "-o", "masks"),
        "sidecar.masks.writers.png",
        "encode",
    ),
    "export": (("export", "scan", "new"), "sidecar.exporting.run", "make_sidecar"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", FAULTS)
def test_a_fault_of_ours(folder: Path, command: str) -> None:
    arguments, module, name = FAULTS[command]
    before = contents(folder)
    fault = f"ZeroDivisionError('{folder} of Doe^Jane')"
    code, out, err = ran(folder, *arguments, module=module, name=name, error=fault)
    (told,) = (line for line in err.splitlines() if line.startswith("sidecar: "))
    assert code == 3 and out == ""
    assert told.startswith("sidecar: this is a fault of sidecar itself: ZeroDivisionError in ")
    assert str(folder) not in err and "Doe" not in err and "Traceback" not in err
    after = contents(folder)
    left = {name: data for name, data in after.items() if not name.startswith("new/")}
    assert left == before and "new/sidecar.json" not in after


def test_debug_shows_the_traceback(folder: Path) -> None:
    arguments, module, name = FAULTS["map-points"]
    fault = {"module": module, "name": name, "error": "ZeroDivisionError('why')"}
    code, _, err = ran(folder, "--debug", *arguments, **fault)
    assert code == 3 and "Traceback" in err and "ZeroDivisionError: why" in err
    assert err.splitlines()[-1].startswith("sidecar: this is a fault of sidecar itself")


@pytest.mark.slow
def test_debug_shows_where_a_refusal_comes_from(folder: Path) -> None:
    fault = {"module": "sidecar.labels.writers.csv_points", "name": "unused", "error": "KeyError"}
    code, _, err = ran(folder, "--debug", "map-points", "nowhere.csv", **fault)
    assert code == 1 and "Traceback" in err and "LabelError" in err
    code, _, err = ran(folder, "map-points", "nowhere.csv", **fault)
    assert code == 1 and "Traceback" not in err and len(err.splitlines()) == 1


def test_too_little_memory_is_one_message(
    folder: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise MemoryError

    before = contents(folder)
    monkeypatch.setattr("sidecar.exporting.run.render", failing)
    outcome = run("export", "scan", "new")
    assert outcome.code == 1 and outcome.out == ""
    assert outcome.err.splitlines()[-1].startswith("sidecar: there is not enough memory for this")
    assert not (folder / "new" / "sidecar.json").exists()
    assert {k: v for k, v in contents(folder).items() if not k.startswith("new/")} == before
