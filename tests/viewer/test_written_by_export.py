"""The page comes with an export of 8 bits, by a command for 16 bits, and goes when the export is
replaced.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kit.browser import Browser
from kit.command_line import invoked
from kit.phantoms import Spec, write

import sidecar
from sidecar import map_file
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
    invoked("view", tmp_path / "png")
    assert (tmp_path / "png" / "viewer.html").is_file()
    assert len(list((tmp_path / "png" / "viewer_images").iterdir())) == 9
    sidecar.export(tmp_path / "scan", tmp_path / "png", bits=16, scale=0.5, overwrite=True)
    assert (
        not (tmp_path / "png" / "viewer_images").exists()
        and not (tmp_path / "png" / "viewer.html").exists()
    )
    (tmp_path / "png" / "viewer_images").mkdir()
    (tmp_path / "png" / "viewer_images" / "mine.txt").write_text("x")
    with pytest.raises(OutputError, match="viewer_images"):
        sidecar.export(tmp_path / "scan", tmp_path / "png", overwrite=True)
    assert (tmp_path / "png" / "viewer_images" / "mine.txt").exists()


@pytest.mark.slow
def test_the_page_of_a_zoom_asks_for_its_landmark_and_saves_it_by_name(
    browser: Browser, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,slice,x,y\nleft <i>eye</i>,4,14,11\n")
    zooms = tmp_path / "zooms"
    invoked("zoom", labels, "--source", tmp_path / "scan", "--size", "9mm", "-o", zooms)
    (folder,) = (path for path in zooms.iterdir() if path.is_dir())
    invoked("view", folder)
    browser.open(folder / "viewer.html")
    assert browser.js("return document.title").startswith("left <i>eye</i> · zooms · tag ")
    assert browser.text("header h1") == "left <i>eye</i> · zooms"
    assert browser.names() == ["left <i>eye</i>"] and "left <i>eye</i>" in browser.text(".hint")
    browser.click(browser.at(0.5, 0.4))
    saved = browser.download("#save-csv")
    assert saved.name == f"{folder.name}_labels.csv"
    shutil.copy(saved, folder)
    points = map_file(folder / saved.name).points
    assert points.names == ["left <i>eye</i>"] and len(points) == 1
    browser.reload()
    assert browser.names() == ["left <i>eye</i>"], "kept, not asked for again"


@pytest.mark.slow
def test_labels_name_images_with_the_tag_of_the_export_or_without(
    browser: Browser, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    names = [
        file.name
        for file in sidecar.export(
            tmp_path / "scan", tmp_path / "png", scale=0.5
        ).document.images.files
    ]
    browser.open(tmp_path / "png" / "viewer.html")
    other = tmp_path / "other.csv"
    other.write_text("image,label,x,y\nslice_0004_bcdfgh.png,a,1,2\n")
    assert "image slice_0004_bcdfgh.png belongs to another export" in browser.give(other)
    given = tmp_path / "given.csv"
    given.write_text(f"image,label,x,y\n{names[4].upper()},a,1,2\nslice_0006,b,3,4\n")
    said = browser.give(given)
    assert "new landmarks: 2 of 2; no tag says which export they belong to" in said
    saved = [(row["image"], row["slice"], row["label"]) for row in browser.saved()]
    assert saved == [(names[4], "4", "a"), (names[6], "6", "b")]
