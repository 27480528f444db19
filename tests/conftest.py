"""Where real DICOM lies, and how tests that need it say that it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans beside the repository;
    `.ci/run` sets SIDECAR_REQUIRE_DATA, so that there it cannot be skipped.
    """
    if not SHARED_DATA.is_dir():
        message = "the real scans are not beside this checkout"
        if os.environ.get("SIDECAR_REQUIRE_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return SHARED_DATA
