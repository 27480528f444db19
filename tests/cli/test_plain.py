"""Command lines that are read without typer: as typer reads them, or left to it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.command_line import CommandLine
from typer.testing import CliRunner

from sidecar.cli.commands import loaded
from sidecar.cli.plain import plain_values
from sidecar.cli.program import _for_typer

WORDS = [
    *("scan", "png", "a b", "", "-", "--", "~", "s3://bucket/scan", "s3://", "8", "16", "0.5"),
    *("1/2", "-1", "1e3", " 8", "8 ", "٣", "1_0", "+8", "007", "99999999999", "nan", "inf", "x"),
    *(
        "--scale",
        "--scale=1/2",
        "--scale=",
        "--bits",
        "--bits=8",
        "--bits=x",
        "--spacing",
        "--jobs",
    ),
    *("-q", "--quiet", "--quiet=1", "-qq", "--no-quiet", "--viewer", "--no-viewer", "--overwrite"),
    *("--join", "--dry-run", "--config", "--config=c.yaml", "--help", "-h", "--json", "--js"),
    *("--spacing=0.5", "--cluster-wait", "--z-step", "--z_step", "--foo", "--plane", "--voxel"),
]


def by_typer(name: str, words: list[str]) -> dict[str, Any] | None:
    """What typer calls the command with; None where it refuses, or shows its help."""
    called: list[dict[str, Any]] = []
    run = _for_typer(loaded(name).run)

    def take(**values: Any) -> None:
        called.append(values)

    take.__annotations__, take.__signature__ = run.__annotations__, run.__signature__  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False)
    app.command(name)(take)
    CliRunner().invoke(app, words)
    return called[0] if called else None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inspect", "export"])
@settings(deadline=None)  # the first call loads typer
@given(words=st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_is_plain_is_what_typer_reads(name: str, words: list[str]) -> None:
    values = plain_values(loaded(name).run, words)
    if values is not None:
        assert _told(values) == _told(by_typer(name, words) or {}), shlex.join(words)


def _told(values: dict[str, Any]) -> dict[str, tuple[type, str]]:
    return {name: (type(value), str(value)) for name, value in values.items()}


@pytest.mark.parametrize(
    "line",
    [
        "scan png",
        "scan png --scale 1/2 --no-viewer -q",
        "--bits=16 scan --z-step 3 png --jobs 2 --overwrite",
        "--config c.yaml --dry-run",
        "scan png --window 40,400 --crop 1:2,3:4,: --plane coronal --specimen a-1 --spacing 0.25",
    ],
)
def test_what_people_write_is_plain(line: str) -> None:
    words = shlex.split(line)
    values = plain_values(loaded("export").run, words)
    assert values is not None
    assert _told(values) == _told(by_typer("export", words) or {})


@pytest.mark.parametrize(
    "line",
    [
        "scan png more",
        "scan png --scale",
        "scan png --scale -1",
        "scan png --scale 1 --scale 2",
        "scan png --bits eight",
        "scan png --help",
        "scan png -- --quiet",
        "scan png --scal 1",
    ],
)
def test_what_is_not_plain_is_left_to_typer(line: str) -> None:
    assert plain_values(loaded("export").run, shlex.split(line)) is None


@pytest.mark.parametrize("name", ["map-points", "zoom", "adopt"])
def test_commands_whose_options_are_those_of_typer_are_left_to_it(name: str) -> None:
    assert plain_values(loaded(name).run, ["a"]) is None


def test_wrong_command_lines_are_told_as_ever(run: CommandLine) -> None:
    run.refuses("export", "a", "b", "--bits", "x", code=2, says="Invalid value for '--bits'")
    for command, option, value, says in (
        ("export", "--z-step", "x", "give a whole number instead of x"),
        ("export", "--z-step", "1.5", "give a whole number instead of 1.5"),
        ("export", "--spacing", "1,5", "give a number instead of 1,5"),
        ("adopt", "--z-step", "\x1b[2J" + 99 * "x", "give a number instead of \\x1b[2J" + 36 * "x"),
    ):
        says = f"Invalid value for '{option}': {says}\n"
        run.refuses(command, "a", "b", option, value, code=2, says=says)
    run.refuses("export", "a", "b", "--bit", "8", code=2, says="No such option: --bit")
    run.refuses("inspect", code=2, says="Missing argument 'SOURCE'")
