"""The targets of `fuzz/`, a few inputs each: whole files are taken, changed ones taken or refused, and
files from the field too. `python -m fuzz --minutes N` tries millions.
"""

from __future__ import annotations

import shlex
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

sys.path.append(str(Path(__file__).resolve().parents[1]))  # fuzz/ is no part of the package
pytest.importorskip("resource", reason="memory cannot be bounded here")

from fuzz.__main__ import arguments
from fuzz.inputs import changed
from fuzz.shared import shared_inputs
from fuzz.tally import Tally
from fuzz.target import RefusedError, Target
from fuzz.targets import TARGETS
from fuzz.targets.decoders import SYNTAXES
from sidecar.dicom.pixels import codecs
from sidecar.labels.readers import READERS
from sidecar.masks.readers import PAINTED, tool_masks

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)


def attempt(target: Target, data: bytes, folder: Path) -> bool:
    """Whether it is taken; no fault may come of it."""
    folder.mkdir(exist_ok=True)
    tally = Tally(target, folder)
    tally.attempt(data)
    assert tally.faults == {}
    return tally.taken == 1


@cache
def seeds(target: str) -> list[bytes]:
    return TARGETS[target].seeds()


def test_there_is_a_target_for_everything_that_reads_files() -> None:
    assert {f"labels {name}" for name in READERS} <= set(TARGETS)
    assert {f"masks {name}" for name in PAINTED} <= set(TARGETS)
    assert {f"bitmaps {name}" for name in tool_masks._READERS} <= set(TARGETS)
    decoders = {codecs._DECODERS[syntax] for syntax in SYNTAXES}
    assert decoders == set(codecs._DECODERS.values())


@pytest.mark.slow
@every_target
def test_whole_files_are_taken(target: Target, tmp_path: Path) -> None:
    assert seeds(target.name)
    for seed in seeds(target.name):
        assert attempt(target, seed, tmp_path)


@pytest.mark.slow
@every_target
def test_changed_files_are_taken_or_refused(target: Target, tmp_path: Path) -> None:
    tally = Tally(target, tmp_path)

    @settings(
        max_examples=15, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(changed(seeds(target.name)))
    def some(data: bytes) -> None:
        tally.attempt(data)

    some()
    assert tally.inputs >= 10 and tally.faults == {}


@pytest.mark.slow
def test_files_from_the_field(shared_cases: Path, tmp_path: Path) -> None:
    tried = set()
    for name, path in shared_inputs(shared_cases):
        attempt(TARGETS[name], path.read_bytes(), tmp_path)
        tried.add(name)
    assert {"headers", "pixels", "sidecar.json", "zip", "labels cvat", "masks png"} <= tried


def test_the_commands_of_the_page_are_understood() -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
    lines = [shlex.split(line, comments=True) for line in page.read_text().splitlines()
             if line.startswith(("python -m fuzz", "nox -s fuzz"))]  # fmt: skip
    for words in lines:
        arguments(words[words.index("--") + 1 :] if "--" in words else words[3:])
    assert len(lines) == 4


def faulty(data: bytes, folder: Path) -> None:
    if data == b"refused":
        raise RefusedError("no")
    if data == b"slow":
        while True:
            pass
    if data != b"taken":
        raise ZeroDivisionError(data)


def test_faults_are_counted_by_kind_and_the_first_input_of_each_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.tally._SECONDS", 0.05)
    target = Target("faulty", list, faulty)
    tally = Tally(target, tmp_path)
    for data in (b"taken", b"refused", b"first", b"second", b"slow"):
        tally.attempt(data)
    assert (tally.inputs, tally.taken, len(tally.faults)) == (5, 1, 2)
    kept = {kind.split()[0]: (tmp_path / name).read_bytes() for kind, name in tally.faults.items()}
    assert kept == {"ZeroDivisionError": b"first", "TooSlowError": b"slow"}
    tally.save()
    after = Tally.read(target, tmp_path)
    after.note_crash("killed by SIGSEGV")
    assert (
        after.inputs == 5 and (tmp_path / after.faults["killed by SIGSEGV"]).read_bytes() == b"slow"
    )
