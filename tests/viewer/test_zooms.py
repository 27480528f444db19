"""All stacks around landmarks in one page: one after the other, one labels.csv, how far each
landmark was moved.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kit.browser import Browser
from kit.command_line import invoked
from kit.phantoms import Spec, write
from kit.tables import rows
from kit.zoomed import NAMES, make_zooms, on_screen, stacks

import sidecar
from sidecar.mapping import Sidecar


@pytest.fixture
def zooms(tmp_path: Path) -> Path:
    return make_zooms(tmp_path)


def test_all_are_refined_one_after_the_other_and_come_back_in_one_file(
    browser: Browser, zooms: Path
) -> None:
    browser.open(zooms / "zooms.html")
    documents = [png.document for png in stacks(zooms)]
    assert browser.text("header h1") == f"{NAMES[0]} · zooms"
    listed = browser.js(
        "return [...document.querySelectorAll('.refined tbody bdi')].map((e) => e.textContent)"
    )
    assert listed == list(NAMES) and browser.text(".refined .tally") == "0 of 3"
    moves = [(2.0, -3.0, 0), (-4.0, 1.0, 1), (0.5, 0.5, 0)]
    expected = {}
    for png, name, (right, down, further) in zip(stacks(zooms), NAMES, moves, strict=True):
        zoom = png.document.zoom
        assert zoom is not None and zoom.label == name and browser.names() == [name]
        (xy,), (k,) = png.from_source([zoom.source])
        assert browser.slice() == round(k)  # it opens on the slice of the coarse landmark
        for _ in range(further):
            browser.wheel(1)
        browser.shown()
        spot = on_screen(browser, xy[0] + right, xy[1] + down)
        browser.click(spot)
        expected[name] = (xy + np.array([right, down]), round(k) + further)
        browser.press("n")
        browser.shown()
    assert browser.text(".refined .tally") == "3 of 3"
    assert browser.text("header h1") == f"{NAMES[0]} · zooms"  # round again
    told = np.array(browser.numbers(".refined td")).reshape(3, 2)

    saved = browser.download("#save-csv")
    assert saved.name == "zooms_labels.csv"
    shutil.copy(saved, zooms)
    by_name = {row["label"]: row for row in rows((zooms / saved.name).read_text())}
    for png, name in zip(stacks(zooms), NAMES, strict=True):
        (x, y), k = expected[name]
        row = by_name[name]
        assert (float(row["x"]), float(row["y"])) == pytest.approx((x, y), abs=0.26)
        assert int(row["slice"]) == k and row["image"] == png.document.images.files[k].name
        assert row["tag"] == png.tag

    done = invoked("map-points", zooms / saved.name)
    mapped = rows(done.stdout)
    assert [row["label"] for row in mapped] == list(NAMES)
    shifts = [[float(row["shift_mm"]), float(row["shift_voxels"])] for row in mapped]
    assert np.abs(np.array(shifts) - told).max() < 1e-6  # the table has six decimals
    for document, row in zip(documents, mapped, strict=True):
        zoom = document.zoom
        assert zoom is not None and zoom.patient is not None
        mm = [float(row[axis]) for axis in ("x_mm", "y_mm", "z_mm")]
        assert float(row["shift_mm"]) == pytest.approx(
            np.linalg.norm(np.subtract(mm, zoom.patient))
        )
    assert "3 points on 3 stacks around landmarks of zooms" in done.stderr
    table = done.stderr[done.stderr.index("landmark ") :].splitlines()
    assert [line.rsplit(maxsplit=2)[0].strip() for line in table[1:4]] == list(NAMES)
    assert invoked("map-points", zooms).stdout == done.stdout
    assert invoked("map-points", zooms / saved.name, "--sidecar", zooms).stdout == done.stdout


def test_the_work_is_kept_and_files_of_all_stacks_are_read_back(
    browser: Browser, zooms: Path, tmp_path: Path
) -> None:
    first, second, _ = stacks(zooms)
    files = [png.document.images.files for png in (first, second)]
    given = tmp_path / "given.csv"
    given.write_text(
        "label,image,x,y,slice\n"
        f'"{NAMES[1]}",{files[1][2].name},7.5,8.25,\n'
        f'"{NAMES[0]}",{files[0][3].name},3,4,3.25\n'
    )
    browser.open(zooms / "zooms.html")
    assert "landmarks read: 2, on stacks: 2." in browser.give(given)
    saved = [(row["label"], row["image"], row["slice"], row["x"]) for row in browser.saved()]
    assert saved == [
        (NAMES[0], files[0][3].name, "3.25", "3"),
        (NAMES[1], files[1][2].name, "2", "7.5"),
    ]
    browser.reload()
    assert browser.text(".refined .tally") == "2 of 3"
    assert browser.text("header h1") == f"{NAMES[2]} · zooms"  # the first that is open
    given.write_text("label,image,x,y\na,slice_0000_bcdfgh.png,7,8\n")
    assert "row 2: it belongs to none of these stacks" in browser.give(given)


def test_two_landmarks_in_one_box_are_told_apart_by_the_names_of_their_images(
    tmp_path: Path,
) -> None:
    """Their stacks have one tag, as they show the same voxels; how far each moved differs."""
    phantom = write(Spec(slices=5, seed=4), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png")
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,10,9,2\nb,10.1,9.1,2\n")
    invoked(
        "zoom", labels, "--source", tmp_path / "scan", "-o", tmp_path / "zooms", "--size", "9mm"
    )
    one, two = stacks(tmp_path / "zooms")
    assert one.tag == two.tag and one.size == two.size
    table = tmp_path / "zooms" / "labels.csv"
    name = two.document.images.files[1].name
    table.write_text(f"label,image,x,y,slice,tag\nb,{name},3,3,1,{two.tag}\n")
    (row,) = rows(invoked("map-points", table).stdout)
    near = _coarse(two)
    mm = [float(row[axis]) for axis in ("x_mm", "y_mm", "z_mm")]
    assert float(row["shift_mm"]) == pytest.approx(np.linalg.norm(np.subtract(mm, near)))
    table.write_text(f"label,x,y,slice,tag\nb,3,3,1,{two.tag}\n")
    told = str(invoked("map-points", table, code=1).exception)
    assert "could belong to any of these exports: 001_a, 002_b" in told
    assert phantom.markers and png.tag != one.tag


def _coarse(png: Sidecar) -> tuple[float, float, float]:
    zoom = png.document.zoom
    assert zoom is not None and zoom.patient is not None
    return zoom.patient


def test_a_page_that_is_not_ours_stays_and_ours_is_replaced(zooms: Path, tmp_path: Path) -> None:
    again = (tmp_path / "png" / "labels.csv", "--source", tmp_path / "scan", "--size", "14mm")
    first = (zooms / "zooms.html").read_bytes()
    invoked("zoom", *again, "-o", zooms)
    assert (zooms / "zooms.html").read_bytes() == first
    other = tmp_path / "other"
    other.mkdir()
    (other / "zooms.html").write_text("mine")
    told = invoked("zoom", *again, "-o", other, code=1)
    assert "zooms.html that `sidecar zoom` did not write" in str(told.exception)
    assert (other / "zooms.html").read_text() == "mine" and len(list(other.iterdir())) == 1


def test_a_damaged_list_is_refused(zooms: Path) -> None:
    table = zooms / "labels.csv"
    table.write_text("label,x,y,slice,tag\nb,3,3,1,bcdfgh\n")
    text = (zooms / "zooms.json").read_text()
    for wrong in ("{", "[]", text.replace('"001_', '"../001_')):
        (zooms / "zooms.json").write_text(wrong)
        assert "zooms.json is damaged" in str(invoked("map-points", table, code=1).exception)


def test_labels_in_each_folder_go_on_working(zooms: Path) -> None:
    for number, png in enumerate(stacks(zooms)):
        folder = png.folder
        assert folder is not None and folder.local is not None and png.document.zoom is not None
        text = f'label,x,y,slice\n"{png.document.zoom.label}",{number},3,1\n'
        (folder.local / "labels.csv").write_text(text)
    mapped = rows(invoked("map-points", *sorted(zooms.glob("*/labels.csv"))).stdout)
    assert [row["label"] for row in mapped] == list(NAMES)
    assert all(float(row["shift_mm"]) > 0 for row in mapped)


def test_labels_are_called_after_the_folder_of_the_zooms_whatever_the_specimen_is(
    browser: Browser, tmp_path: Path
) -> None:
    write(Spec(slices=5, seed=4), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", specimen="beetle-7")
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,10,9,2\n")
    folder = tmp_path / "finer"
    invoked("zoom", labels, "--source", tmp_path / "scan", "-o", folder, "--size", "9mm")
    browser.open(folder / "zooms.html")
    assert browser.text("header h1") == "a · beetle-7"
    browser.click(browser.at(0.5, 0.5))
    assert browser.download("#save-csv").name == "finer_labels.csv"
    assert browser.download("#save-markups").name == "finer_labels.mrk.json"
    (row,) = browser.saved()
    assert row["specimen"] == "beetle-7"
