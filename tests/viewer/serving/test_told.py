"""What `sidecar label` tells in the terminal: the address before all, and the way out of a slip."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.command_line import invoked
from kit.made_exports import Export

from sidecar.viewer.serving import server as serving


@pytest.fixture
def export(tmp_path: Path) -> Path:
    Export().write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_address_is_told_first_and_ssh_only_as_one_way(
    export: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    monkeypatch.setattr(serving, "is_elsewhere", lambda: elsewhere)
    monkeypatch.setattr(serving.LabelServer, "wait", lambda self: None)
    told = invoked("label", export, "--no-browser").stderr.splitlines()
    assert told[1].startswith("Open in a browser: http://127.0.0.1:")
    of_ssh = [line for line in told if "ssh -L" in line]
    assert of_ssh == ([told[2]] if elsewhere else [])
    assert all(line.startswith("If your browser is on another machine") for line in of_ssh)


def test_a_file_in_the_place_of_the_folder_is_told_with_the_way_out(export: Path) -> None:
    labels = export / "hand.csv"
    labels.write_text("label,x,y,slice\na,3,4,1\n")
    told = str(invoked("label", labels, code=1).exception)
    assert "hand.csv is a file; name the folder of the export" in told
    assert "Open in the page" in told and str(export) not in told
