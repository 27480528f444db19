"""`sidecar label` for the stacks around landmarks: one page, and one labels.csv for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kit.browser import CONTROL, Browser
from kit.command_line import invoked
from kit.served_client import Client
from kit.served_page import saved, serving
from kit.tables import rows
from kit.zoomed import NAMES, make_zooms, on_screen, stacks

import sidecar
from sidecar.errors import BatchError, DocumentError, LabelError, UsageError
from sidecar.viewer.serving.server import LabelServer

pytestmark = pytest.mark.slow


@pytest.fixture
def zooms(tmp_path: Path) -> Path:
    return make_zooms(tmp_path)


@pytest.fixture
def server(zooms: Path) -> Iterator[LabelServer]:
    with sidecar.label(zooms) as started:
        yield started


@pytest.fixture
def client(server: LabelServer) -> Client:
    return Client(server)


def test_landmarks_that_are_refined_come_back_shifted(browser: Browser, zooms: Path) -> None:
    """Two of three, by clicks, in one file that grows; what map-points says of it is how far the
    clicks were from the coarse marks.
    """
    moves = {NAMES[0]: (2.0, -3.0), NAMES[1]: (-4.0, 1.0)}
    with serving(browser, zooms) as server:
        browser.open(server.url)
        assert not (zooms / "labels.csv").exists()
        wanted = {}
        for count, (png, (name, move)) in enumerate(
            zip(stacks(zooms)[:2], moves.items(), strict=True), 1
        ):
            zoom = png.document.zoom
            assert zoom is not None and browser.text("header h1") == f"{name} · zooms"
            browser.until(lambda: not browser.all(".planes .note"), "voxels of this stack")
            (xy,), (k,) = png.from_source([zoom.source])
            assert browser.slice() == round(k)
            spot = xy + np.array(move)
            browser.click(on_screen(browser, *spot))
            saved(browser)
            wanted[name] = png.to_source([spot], [round(k)])[0] - zoom.source
            assert [row["label"] for row in rows(zooms / "labels.csv")] == list(NAMES[:count])
            browser.press("n")
            browser.shown()
        assert browser.text(".refined .tally") == "2 of 3"
        told = np.array(browser.numbers(".refined td")).reshape(2, 2)
        assert server.placed() == {"zooms": 2}

    done = invoked("map-points", zooms)
    mapped = rows(done.stdout)
    assert [row["label"] for row in mapped] == list(moves)
    shifts = np.array([[float(row["shift_mm"]), float(row["shift_voxels"])] for row in mapped])
    assert np.abs(shifts - told).max() < 1e-6
    lengths = [np.linalg.norm(wanted[name]) for name in moves]
    assert shifts[:, 1] == pytest.approx(lengths, abs=0.4)  # a click is on a whole screen pixel
    assert invoked("map-points", zooms / "labels.csv").stdout == done.stdout


def test_work_is_read_back_and_changes_of_others_are_brought_together(
    browser: Browser, zooms: Path
) -> None:
    with serving(browser, zooms) as server:
        browser.open(server.url)
        browser.click(browser.at(0.5, 0.5))
        saved(browser)
        browser.js("localStorage.clear()")
        browser.reload()
        assert browser.text(".refined .tally") == "1 of 3"
        assert browser.text("header h1") == f"{NAMES[1]} · zooms", "the first that is open"
        second = stacks(zooms)[2]
        image = second.document.images.files[1].name
        line = f"{image},1,{NAMES[2]},3,4,zooms,,{second.tag}\n"
        with (zooms / "labels.csv").open("a") as file:
            file.write(line)
        browser.click(browser.at(0.45, 0.5))
        saved(browser)
        assert "Added to the list: 1." in browser.message()
        assert browser.text(".refined .tally") == "3 of 3"
        assert [row["label"] for row in rows(zooms / "labels.csv")] == list(NAMES)
        browser.press("n")
        assert "Added to the list: 1." in browser.message(), "bad news goes along"
        browser.press("z", hold=(CONTROL,))
        saved(browser)
        assert [row["label"] for row in rows(zooms / "labels.csv")] == list(NAMES[:2])


def test_curves_of_two_stacks_stay_apart(browser: Browser, zooms: Path) -> None:
    """They have one number and one name, and no landmark is between them."""
    with serving(browser, zooms) as server:
        browser.open(server.url)
        for _ in range(2):
            browser.press("c")
            for at in ((0.3, 0.3), (0.4, 0.4), (0.5, 0.3)):
                browser.click(browser.at(*at))
            browser.press("f")
            saved(browser)
            browser.press("n")
            browser.shown()
        assert server.placed() == {"zooms": 2}
        browser.reload()
        assert server.placed() == {"zooms": 2}
    mapped = rows(invoked("map-points", zooms).stdout)
    assert [row["label"] for row in mapped] == ["curve 1"] * 20
    assert len({row["image"].rsplit("_", 2)[0] for row in mapped}) == 2


def test_the_page_and_the_files_that_it_names(client: Client, zooms: Path) -> None:
    page = client.get("1/")
    assert page.status == 200 and b"connect-src 'self'" in page.body.replace(b"&#39;", b"'")
    for png in stacks(zooms):
        assert png.folder is not None
        for file in png.document.images.files:
            copy = f"{png.folder.name}/viewer_images/{file.name}"
            assert client.get(f"1/{copy}").body == (zooms / copy).read_bytes()
    folder = stacks(zooms)[0].folder
    assert folder is not None and folder.local is not None
    first = folder.name
    (folder.local / "private.png").write_bytes(b"no")
    for name in (
        "zooms.json", "zooms.html", "labels.csv", first, f"{first}/", f"{first}/sidecar.json",
        f"{first}/private.png", f"{first}/../zooms.json", f"{first}%2f..%2fzooms.json",
        f"{first}/viewer_images/../sidecar.json", f"../{first}/sidecar.json",
    ):  # fmt: skip
        assert client.get(f"1/{name}").status == 404, name


def test_links_are_refused(client: Client, zooms: Path, tmp_path: Path) -> None:
    png = stacks(zooms)[0]
    assert png.folder is not None
    name = png.document.images.files[0].name
    assert client.get("1/").status == 200
    copies = zooms / png.folder.name / "viewer_images"
    copies.rename(tmp_path / "elsewhere")
    copies.symlink_to(tmp_path / "elsewhere")
    assert client.get(f"1/{png.folder.name}/viewer_images/{name}").status == 422
    original = zooms / png.folder.name / name
    original.rename(tmp_path / "original.png")
    original.symlink_to(tmp_path / "original.png")
    refused = client.get("1/")
    assert refused.status == 422 and b"is a link" in refused.body


def test_folders_that_lead_elsewhere_are_refused(zooms: Path, tmp_path: Path) -> None:
    png = stacks(zooms)[0]
    assert png.folder is not None
    folder = zooms / png.folder.name
    document = folder / "sidecar.json"
    document.rename(tmp_path / "sidecar.json")
    document.symlink_to(tmp_path / "sidecar.json")
    with pytest.raises(DocumentError, match=r"is not the stack that zooms\.json lists"):
        sidecar.label(zooms)
    document.unlink()
    (tmp_path / "sidecar.json").rename(document)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    with pytest.raises(DocumentError, match="is a link"):
        sidecar.label(zooms)


def test_what_is_not_of_these_stacks_is_not_saved(client: Client, zooms: Path) -> None:
    png = stacks(zooms)[0]
    image = png.document.images.files[1].name
    header = "image,slice,label,x,y,specimen,series_uid,tag\r\n"
    good = f"{header}{image},1,a,3,4,zooms,,{png.tag}\r\n"
    other = image.replace(png.tag, "bcdfgh")
    for wrong, told in (
        (f"{header}{other},1,a,3,4,zooms,,bcdfgh\r\n", "bcdfgh"),
        (f"{header}{image},1,a,300,4,zooms,,{png.tag}\r\n", "row 2"),
        ("image,label,x,y,colour\r\n", "colour"),
    ):
        refused = client.save(wrong, client.revision())
        assert refused.status == 422 and told in refused.said["error"]
        assert not (zooms / "labels.csv").exists()
    assert client.save(good, client.revision()).said["saved"]
    assert (zooms / "labels.csv").read_bytes() == good.encode()
    assert not client.save(good.replace(",3,", ",5,"), "0").said["saved"], "it was another one"


def test_a_stack_that_was_replaced_gets_no_labels_of_the_old_one(
    client: Client, zooms: Path
) -> None:
    revision = client.revision()
    png = stacks(zooms)[1]
    assert png.folder is not None
    document = zooms / png.folder.name / "sidecar.json"
    text = document.read_bytes()
    document.unlink()
    document.write_bytes(text + b"\n")
    gone = client.save("", revision)
    assert gone.status == 410 and "was replaced" in gone.said["error"]


def test_a_list_that_is_not_what_lies_there_is_refused(zooms: Path) -> None:
    listed = zooms / "zooms.json"
    good = listed.read_text()
    tag = stacks(zooms)[0].tag
    for text, told in (
        (good.replace(tag, "bcdfgh"), "is not the stack"),
        (good.replace("001_", "../001_"), "damaged"),
        (good.replace("001_", "009_"), "sidecar.json"),
    ):
        listed.write_text(text)
        with pytest.raises(DocumentError, match=told):
            sidecar.label(zooms)
    listed.write_text(good)
    (zooms / "labels.csv").write_text("label,x,y,slice,tag\nb,3,3,1,bcdfgh\n")
    with pytest.raises(LabelError, match="bcdfgh"):
        sidecar.label(zooms)


def test_zooms_of_several_specimens(zooms: Path, tmp_path: Path) -> None:
    """Beside an export that is to have as many landmarks as the names say; zooms have theirs."""
    names = tmp_path / "names.txt"
    names.write_text("a\nb\n")
    with pytest.raises(UsageError, match="leave out names="):
        sidecar.label(zooms, names=names)
    with pytest.raises(BatchError, match="leave out names="):
        sidecar.label(tmp_path, names=names)
    (tmp_path / "png" / "labels.csv").unlink()
    with sidecar.label(tmp_path) as server:
        listed = Client(server).post("api/alive", {"tab": "a"}).said["specimens"]
    assert [(one["name"], one["wanted"]) for one in listed] == [("png", 0), ("zooms", 3)]
    assert json.loads((zooms / "zooms.json").read_text())["page"] == "zooms.html"
