"""Scans and an export for all tests of what the command line refuses."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from kit.phantoms import Phantom, Spec, write
from kit.small_scans import ENCODINGS

import sidecar

OBLIQUE = Spec(
    columns=40,
    rows=36,
    slices=9,
    markers=False,
    junk=False,
    orientation="oblique",
    tilt_degrees=11.0,
)


@pytest.fixture(scope="session")
def half_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 × 18 × 5 PNGs of an oblique, tilted scan at half size, every second slice; to be copied,
    not changed.
    """
    folder = tmp_path_factory.mktemp("half size")
    sidecar.export(write(OBLIQUE, folder / "scan").folder, folder / "png", scale=0.5, z_step=2)
    return folder / "png"


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Phantom]:
    return {
        name: write(spec, tmp_path_factory.mktemp("original")) for name, spec in ENCODINGS.items()
    }


@pytest.fixture
def scan(originals: dict[str, Phantom], tmp_path: Path) -> Path:
    """A plain scan of 40 × 36 × 5, one file per slice, image_0000.dcm and so on."""
    return Path(copytree(originals["explicit"].folder, tmp_path / "scan"))
