"""Help as people read it, and completion as their shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from kit.command_line import CommandLine

from sidecar.cli.commands import COMMANDS


def test_the_program_lists_each_command_with_a_whole_sentence(run: CommandLine) -> None:
    shown = run.done("--help").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown
    listed = shown.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines() if line[2:3].strip()] == list(COMMANDS)


def test_the_version_says_what_makes_slices_where_that_is_asked(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sidecar.exporting.images import one_pass

    (version,) = run.done("--version").out.splitlines()
    for kernel, way in ((None, "numpy"), (object(), "the compiled kernel")):
        monkeypatch.setattr(one_pass, "_kernel", kernel)
        shown = run.done("--version", "--verbose").out
        assert shown == f"{version}\nslices are made by {way}\n"


def test_options_stand_in_groups(run: CommandLine) -> None:
    shown = run.done("map-points", "--help").out
    groups = [line for line in shown.splitlines() if line.endswith(":") and line[0] != " "]
    assert groups == [
        "Arguments:", "Which export the labels are of:", "Output:", "How labels are read:",
        "Options:", "Examples:",
    ]  # fmt: skip
    assert shown.startswith("Usage: sidecar map-points [OPTIONS] LABELS...\n")
    assert "<" not in shown and "{" not in shown


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("sidecar map-", {"map-points", "map-mask"}),
        ("sidecar export --sc", {"--scale", "--scheduler"}),
    ],
)
def test_a_shell_is_offered_what_can_follow(words: str, offered: set[str]) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'sidecar'; from sidecar.__main__ import entry; entry()",
        ],
        env={**os.environ, "_SIDECAR_COMPLETE": "complete_bash", **asked},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert set(done.stdout.split()) == offered
