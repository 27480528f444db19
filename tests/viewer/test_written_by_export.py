"""The page comes with an export of 8 bits, by a command for 16 bits, and goes when the export is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from phantoms import Spec, write
from typer.testing import CliRunner

import sidecar
from sidecar.cli import app
from sidecar.errors import OutputError


def test_export_writes_the_page(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    page = (tmp_path / "png" / "viewer.html").read_text(encoding="utf-8")
    assert png.document.source.series_instance_uid in page
    sidecar.export(tmp_path / "scan", tmp_path / "bare", viewer=False)
    assert not (tmp_path / "bare" / "viewer.html").exists()


def test_view_writes_the_page_for_16_bits_and_overwrite_removes_it(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", bits=16)
    assert not (tmp_path / "png" / "viewer.html").exists()
    result = CliRunner().invoke(app, ["view", str(tmp_path / "png")])
    assert result.exit_code == 0 and (tmp_path / "png" / "viewer.html").is_file()
    assert len(list((tmp_path / "png" / "viewer_images").iterdir())) == 9
    sidecar.export(tmp_path / "scan", tmp_path / "png", bits=16, scale=0.5, overwrite=True)
    assert not (tmp_path / "png" / "viewer_images").exists() and not (tmp_path / "png" / "viewer.html").exists()
    (tmp_path / "png" / "viewer_images").mkdir()
    (tmp_path / "png" / "viewer_images" / "mine.txt").write_text("x")
    with pytest.raises(OutputError, match="viewer_images"):
        sidecar.export(tmp_path / "scan", tmp_path / "png", overwrite=True)
    assert (tmp_path / "png" / "viewer_images" / "mine.txt").exists()
