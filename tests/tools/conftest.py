"""Other programs, as they are: run where they are installed, skipped elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import marked_scan
from kit.imagej import ImageJ, screen

import sidecar


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with screen() as name:
        yield name


@pytest.fixture(scope="session")
def imagej(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageJ]:
    started = ImageJ(display, tmp_path_factory.mktemp("imagej"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an export of `marked_scan`; its name has a space."""
    folder = tmp_path_factory.mktemp("marked")
    marked_scan.write(folder)
    return folder / "my export"


@pytest.fixture
def png(marked: Path) -> sidecar.Sidecar:
    return sidecar.open(marked)
