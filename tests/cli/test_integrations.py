"""Files for other programs are copied as they are shipped, and over nothing of the user's."""

from __future__ import annotations

import pytest
from kit.command_line import CommandLine

from sidecar.shipped import PROGRAMS, shipped

FILES = {
    "fiji": ["Sidecar.ijm"],
    "slicer": ["SidecarFolder.py", "SidecarFolderLib/__init__.py"],
    "r": ["read_sidecar.R"],
}


def test_every_program_has_its_files() -> None:
    assert {name: sorted(shipped(name)) for name in PROGRAMS} == FILES


@pytest.mark.parametrize("program", FILES)
def test_they_are_copied_as_they_are(run: CommandLine, program: str) -> None:
    told = run.done("integrations", program, "-o", "there/plugins").err
    assert told.splitlines() == [f"copied {name}" for name in FILES[program]]
    for name, data in shipped(program).items():
        assert (run.folder / "there/plugins" / name).read_bytes() == data
    run.done("integrations", program, "-o", "there/plugins")


def test_nothing_of_the_users_is_replaced_without_a_word(run: CommandLine) -> None:
    (run.folder / "Sidecar.ijm").write_text("// mine", encoding="utf-8")
    run.refuses(
        "integrations", "fiji", "-o", ".", says=("Sidecar.ijm is there already", "--overwrite")
    )
    run.done("integrations", "fiji", "-o", ".", "--overwrite")
    assert (run.folder / "Sidecar.ijm").read_bytes() == shipped("fiji")["Sidecar.ijm"]


def test_a_file_in_place_of_the_folder_is_named(run: CommandLine) -> None:
    (run.folder / "there").write_text("", encoding="utf-8")
    run.refuses("integrations", "r", "-o", "there", says="there cannot be written")


def test_another_program_is_refused(run: CommandLine) -> None:
    run.refuses("integrations", "gimp", "-o", ".", code=2, says="one of fiji, slicer, r")
