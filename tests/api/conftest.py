"""A folder with a scan and what has come of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kit.library import write_library_folder


@pytest.fixture(scope="session")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be read."""
    folder = tmp_path_factory.mktemp("library")
    write_library_folder(folder)
    return folder


@pytest.fixture
def work(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, and the folder one is in."""
    shutil.copytree(library_folder, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"
