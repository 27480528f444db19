"""Which export a page shows: what it is called, what its label files say of it, and that those of
another export are refused.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from kit.browser import Browser
from kit.made_exports import Export, Opened
from kit.phantoms import Spec, write
from kit.tables import rows

import sidecar
from sidecar.mapping import Sidecar


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two beetles as two people would export them; of the first also a coarser stack, and one that
    was named later.
    """
    home = tmp_path_factory.mktemp("exports")
    for seed, name in enumerate(("beetle-7", "beetle-8")):
        scan = write(Spec(seed=seed), home / "scans" / name).folder
        sidecar.export(scan, home / name, scale=0.5, specimen=name)
    first = home / "scans" / "beetle-7"
    sidecar.export(first, home / "coarse", scale=0.25, specimen="beetle-7")
    sidecar.export(first, home / "no name", scale=0.5)
    return home


def document_of(folder: Path) -> tuple[Sidecar, str, str]:
    """The export, its tag and its series."""
    png = sidecar.open(folder)
    assert png.document.images.tag is not None
    return png, png.document.images.tag, png.document.source.series_instance_uid


def placed(browser: Browser, folder: Path) -> tuple[Path, Path]:
    """The labels.csv and the .mrk.json of a page on which one landmark was placed."""
    browser.open(folder / "viewer.html")
    browser.forget()
    browser.reload()
    browser.click(browser.at(0.45, 0.4))
    return browser.download("#save-csv"), browser.download("#save-markups")


def test_tab_header_and_files_tell_the_export(browser: Browser, exports: Path) -> None:
    table, markups = placed(browser, exports / "beetle-7")
    _, tag, series = document_of(exports / "beetle-7")
    facts = f"tag {tag} · CT · 30 × 23 × 9 PNG pixels · scale 1/2 × 1/2 × 1 · 0.8 × 1.4 × 1.3 mm"
    assert browser.text("header h1") == "beetle-7"
    assert browser.text(".summary") == facts
    assert browser.js("return document.title") == f"beetle-7 · {facts} – sidecar"
    assert (table.name, markups.name) == ("beetle-7_labels.csv", "beetle-7_labels.mrk.json")
    header, row = table.read_text().splitlines()
    assert header == "image,slice,label,x,y,specimen,series_uid,tag"
    assert row.endswith(f",beetle-7,{series},{tag}")
    [markup] = json.loads(markups.read_text())["markups"]
    [point] = markup["controlPoints"]
    assert point["description"] == f"sidecar tag {tag} series {series} specimen beetle-7"


def test_without_a_specimen_the_folder_is_the_name(browser: Browser, exports: Path) -> None:
    table, markups = placed(browser, exports / "no name")
    _, tag, series = document_of(exports / "no name")
    assert browser.text("header h1") == "no name"
    assert browser.js("return document.title").startswith(f"no name · tag {tag} · ")
    assert (table.name, markups.name) == ("no name_labels.csv", "no name_labels.mrk.json")
    assert table.read_text().splitlines()[1].endswith(f",no name,{series},{tag}")
    [point] = json.loads(markups.read_text())["markups"][0]["controlPoints"]
    assert point["description"] == f"sidecar tag {tag} series {series} specimen no name"


def test_a_document_without_tag_states_none(browser: Browser, opened: Opened) -> None:
    png = opened(Export())
    browser.click(browser.at(0.45, 0.4))
    [row] = browser.saved()
    assert (row["series_uid"], row["tag"]) == (png.document.source.series_instance_uid, "")
    assert "tag" not in browser.text(".summary")
    assert "scale 1 ·" in browser.text(".summary")


def test_files_of_another_scan_are_refused_and_both_named(browser: Browser, exports: Path) -> None:
    (one, one_tag, one_series), (_, tag, series) = map(
        document_of, (exports / "beetle-7", exports / "beetle-8")
    )
    files = placed(browser, exports / "beetle-7")
    browser.open(exports / "beetle-8" / "viewer.html")
    for file, what in zip(files, ("row 2", "point 1"), strict=True):
        assert browser.give(file) == (
            f"{file.name}: {what} belongs to another export (beetle-7, tag {one_tag}, series"
            f" {one_series}); this page shows beetle-8, tag {tag}, series {series}"
        )
        assert browser.names() == []
    assert one.size == sidecar.open(exports / "beetle-8").size, "nothing but names tells them apart"


def test_map_points_holds_the_files_of_the_page_against_the_export(
    browser: Browser, exports: Path
) -> None:
    """The page and the readers have the same columns and the same description."""
    table, markups = placed(browser, exports / "beetle-7")
    one, other = (sidecar.open(exports / name) for name in ("beetle-7", "beetle-8"))
    [row] = rows(table)
    points = sidecar.map_file(table, one).points
    assert points.png.tolist() == [[float(row[name]) for name in ("x", "y", "slice")]]
    with pytest.raises(
        sidecar.LabelError, match=r"row 2: .* belongs to another export: its tag is"
    ):
        sidecar.map_file(table, other)
    with pytest.raises(sidecar.LabelError, match="in millimetres of the scan"):
        sidecar.map_file(markups, one)
    coarse = sidecar.open(exports / "coarse")
    xy, slices = coarse.from_source(points.source)
    expected = [[*xy[0].tolist(), float(slices[0])]]
    np.testing.assert_allclose(sidecar.project_file(markups, coarse).png, expected, atol=1e-6)
    with pytest.raises(sidecar.LabelError, match="control point 1: is of series"):
        sidecar.project_file(markups, other)


def test_files_of_another_export_of_the_scan_are_refused_with_a_way_out(
    browser: Browser, exports: Path
) -> None:
    files = placed(browser, exports / "beetle-7")
    browser.open(exports / "coarse" / "viewer.html")
    for file in files:
        said = browser.give(file)
        assert "belongs to another export (beetle-7, tag " in said
        assert "sidecar map-points and then sidecar project bring landmarks" in said
        assert browser.names() == []


@pytest.mark.parametrize(
    ("columns", "cells", "said"),
    [
        ("tag", "BCDFGH", "row 2 belongs to another export (tag bcdfgh)"),
        ("series_uid", "1.2.3", "row 2 belongs to another export (series 1.2.3)"),
    ],
)
def test_each_column_alone_contradicts(
    browser: Browser, exports: Path, tmp_path: Path, columns: str, cells: str, said: str
) -> None:
    browser.open(exports / "beetle-7" / "viewer.html")
    file = tmp_path / "own.csv"
    file.write_text(f"slice,x,y,{columns}\n1,2,3,{cells}\n")
    assert said.lower() in browser.give(file).lower()
    assert browser.names() == []


def test_one_tag_is_one_mapping_whatever_the_specimen_was_called(
    browser: Browser, exports: Path
) -> None:
    files = placed(browser, exports / "beetle-7")
    browser.open(exports / "no name" / "viewer.html")
    said = browser.give(files[0])
    assert "new landmarks: 1 of 1; columns not kept: specimen." in said
    browser.press("z", hold=("\ue009",))
    assert "new landmarks: 1 of 1" in browser.give(files[1])


def test_columns_of_these_names_that_are_somebody_elses_are_told(
    browser: Browser, exports: Path, tmp_path: Path
) -> None:
    browser.open(exports / "no name" / "viewer.html")
    file = tmp_path / "own.csv"
    file.write_text(
        "slice,x,y,specimen,series_uid,tag,constructor\n1,2,3,ZMB 12,,male,\n2,2,3,,,,\n"
    )
    said = browser.give(file)
    assert "new landmarks: 2 of 2; no tag says" in said
    assert "columns not kept: specimen, tag, constructor" in said


def test_points_added_in_slicer_say_nothing_and_are_taken(
    browser: Browser, exports: Path, tmp_path: Path
) -> None:
    _, markups = placed(browser, exports / "beetle-7")
    document = json.loads(markups.read_text())
    [point] = document["markups"][0]["controlPoints"]
    described = [{**point, "label": f"+{text}", "description": text} for text in ("", "the left")]
    document["markups"][0]["controlPoints"] += described
    edited = tmp_path / "edited.mrk.json"
    edited.write_text(json.dumps(document))
    assert "new landmarks: 2 of 3" in browser.give(edited)


def test_what_a_folder_is_called_stays_text(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "100% <b>müde & 'so' #1?"
    folder.mkdir()
    opened(Export(), folder=folder)
    assert browser.text("header h1") == folder.name
    assert browser.js("return document.title").startswith(folder.name)
    assert browser.all("h1 b") == []
    browser.click(browser.at(0.45, 0.4))
    saved = browser.download("#save-csv")
    assert saved.name.endswith("_labels.csv")
    assert "müde" in saved.name
    shutil.copy(saved, folder)
    assert len(sidecar.map_file(folder / saved.name).points) == 1
