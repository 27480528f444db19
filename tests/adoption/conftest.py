"""One scan with something on it everywhere, for all tests of adoption; and programs that others
wrote.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.adopted_images import Volume, texture, write_scan

COLUMNS, ROWS, SLICES = 150, 120, 30


@pytest.fixture(scope="session")
def volume() -> Volume:
    return texture(COLUMNS, ROWS, SLICES)


@pytest.fixture(scope="session")
def scan(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scan(tmp_path_factory.mktemp("scan") / "dicom", volume)


@pytest.fixture(scope="session")
def peer() -> Callable[..., str]:
    """The first of some programs that is installed;
    `.ci/run` sets SIDECAR_REQUIRE_VALIDATORS, so that there none can be missing.
    """

    def find(*names: str) -> str:
        for name in names:
            if (found := shutil.which(name)) is not None:
                return found
        message = f"none of these programs is installed: {', '.join(names)}"
        if os.environ.get("SIDECAR_REQUIRE_VALIDATORS"):
            pytest.fail(message)
        pytest.skip(message)

    return find
