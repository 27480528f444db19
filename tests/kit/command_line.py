"""The command line as a user meets it, run inside the test's process, and what a refusal owes the
user.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner, Result

from sidecar import cli
from sidecar.cli.program import program

from .folders import contents
from .phantoms import SECRETS

#: What the command line is made of, made once: it takes longer than most commands.
APP = program()


class Outcome(NamedTuple):
    """Exit code, stdout and stderr."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs `sidecar ARGUMENTS` with ``folder`` as all that it may touch, and as the place that no
    message may tell.
    """

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        """Whatever the outcome: no traceback, no path, no identity, nothing half-written."""
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["sidecar", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            assert end.code is None or isinstance(end.code, int)
            code = end.code or 0
        outcome = Outcome(code, *self._capsys.readouterr())
        self._check_discretion(outcome)
        return outcome

    def done(self, *arguments: object) -> Outcome:
        """It must succeed."""
        outcome = self(*arguments)
        assert outcome.code == 0, outcome.err
        return outcome

    def refuses(self, *arguments: object, code: int = 1, says: str | tuple[str, ...]) -> str:
        """It must refuse with one message that holds all of ``says``, and leave every file as it
        was. Returns the message.
        """
        before = contents(self.folder)
        outcome = self(*arguments)
        assert outcome.code == code, outcome
        assert outcome.out == ""
        told = [
            line for line in outcome.err.splitlines() if line.startswith(("sidecar: ", "Error: "))
        ]
        assert len(told) == 1, outcome.err
        message = outcome.err[outcome.err.index(told[0]) :]
        for part in (says,) if isinstance(says, str) else says:
            assert part in message, outcome.err
        assert contents(self.folder) == before
        return message

    def _check_discretion(self, outcome: Outcome) -> None:
        told = outcome.out + outcome.err
        assert "Traceback" not in told
        assert "Warning:" not in told
        assert str(self.folder) not in told
        assert str(Path.home()) + "/" not in told
        assert all(c.isprintable() or c in "\n\t" for c in told), told
        assert not any(secret in told.lower() for secret in SECRETS)
        assert [p.name for p in self.folder.rglob("*.part")] == []


def invoked(*arguments: object, code: int = 0) -> Result:
    """What a command wrote, by Typer's own runner: for what is asked is only what it does."""
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments])
    shown = result.output if result.exception is None else f"{result.output}\n{result.exception!r}"
    assert result.exit_code == code, shown
    return result
