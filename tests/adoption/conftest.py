"""One scan with something on it everywhere, for all tests of adoption."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.adopted_images import Volume, texture, write_scan
from kit.phantoms import Phantom


@pytest.fixture(scope="session")
def volume() -> Volume:
    return texture()


@pytest.fixture(scope="session")
def phantom(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    return write_scan(tmp_path_factory.mktemp("scan") / "dicom", volume)


@pytest.fixture(scope="session")
def scan(phantom: Phantom) -> Path:
    return phantom.folder
