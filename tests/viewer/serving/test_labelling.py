"""`sidecar label` in a real browser: what is placed is in labels.csv, and nothing gets lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.browser import CONTROL, DELETE, DOWN, ENTER, Browser
from kit.phantoms import Spec, write
from kit.served_page import leave, saved, serving, status
from kit.tables import rows

import sidecar
from sidecar.viewer.names import version_number

pytestmark = pytest.mark.slow


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A beetle of nine PNGs."""
    return make_export(tmp_path, "beetle-7", 0)


def make_export(home: Path, name: str, seed: int) -> Path:
    scan = write(Spec(seed=seed), home / "scans" / name).folder
    sidecar.export(scan, home / "exports" / name, scale=0.5, specimen=name)
    return home / "exports" / name


def placed(folder: Path) -> list[str]:
    """The names in labels.csv."""
    file = folder / "labels.csv"
    return [row["label"] for row in rows(file)] if file.exists() else []


@contextmanager
def second_tab(browser: Browser, url: str) -> Iterator[Callable[[int], None]]:
    """A tab beside the first one, which is left open; gives a function that goes to tab 0 or 1."""
    driver = browser.driver
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    browser.resize()
    second = driver.current_window_handle
    try:
        browser.open(url)
        yield lambda which: driver.switch_to.window((first, second)[which])
    finally:
        driver.switch_to.window(second)
        browser.forget()
        driver.close()
        driver.switch_to.window(first)


def test_labels_grow_as_one_works_and_are_mapped(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.opening_url)
        assert browser.driver.current_url.startswith(server.url)
        assert browser.text("header h1") == "beetle-7"
        assert placed(export) == []
        for count, at in enumerate(((0.45, 0.4), (0.5, 0.55), (0.55, 0.6)), 1):
            browser.click(browser.at(*at))
            saved(browser)
            assert placed(export) == ["L1", "L2", "L3"][:count]
            browser.press(DOWN)
            browser.shown()
        content = (export / "labels.csv").read_bytes()
        assert browser.download("#save-csv").read_bytes() == content
        shown = browser.js(
            "return [...document.querySelectorAll('#landmarks .where')].map((e) => e.textContent)"
        )
        mapping = sidecar.map_file(export / "labels.csv")
        assert shown == [f"slice {int(k)}" for k in mapping.points.png[:, 2]]
        browser.press("z", hold=(CONTROL,))
        saved(browser)
        assert placed(export) == ["L1", "L2"]
        browser.press("p", DELETE)
        browser.press("p", DELETE)
        saved(browser)
        assert not (export / "labels.csv").exists()


def test_a_reload_reads_what_is_there(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        browser.click(browser.at(0.45, 0.4))
        saved(browser)
        browser.reload()
        assert browser.names() == ["L1"]
        browser.js("localStorage.clear()")
        browser.reload()
        assert browser.names() == ["L1"]
        assert status(browser) == "saved"
        assert not browser.all("#message bdi")


def test_a_file_that_others_wrote_stays_as_it_is_until_something_changes(
    browser: Browser, export: Path
) -> None:
    image, tag = sidecar.open(export).document.images.files[2].name, sidecar.open(export).tag
    text = f"tag;label;image;x;y\n{tag};nasion;{image};3,5;4,25\n"
    (export / "labels.csv").write_text(text)
    with serving(browser, export) as server:
        browser.open(server.url)
        assert browser.names() == ["nasion"]
        saved(browser)
        browser.reload()
        assert (export / "labels.csv").read_text() == text
        browser.click(browser.at(0.45, 0.4))
        saved(browser)
        assert placed(export) == ["nasion", "L2"]
        first = sidecar.map_file(export / "labels.csv").points.png[0].tolist()
        assert first == [3.5, 4.25, 2.0]


def test_a_page_from_disk_says_how_to_get_more(browser: Browser, export: Path) -> None:
    browser.open(export / "viewer.html")
    assert not browser.all("#saving")
    browser.press("?")
    assert "sidecar label FOLDER" in browser.text("dialog .served-instead")


def test_a_list_of_names(browser: Browser, export: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("nasion\n\nbregma, left\n")
    with serving(browser, export, names=names) as server:
        browser.open(server.url)
        assert browser.names() == ["nasion", "bregma, left"]
        browser.click(browser.at(0.45, 0.4))
        saved(browser)
        browser.reload()
        assert browser.text(".tally") == "1 of 2 placed"
    browser.forget()
    with serving(browser, export, names=names) as server:
        browser.open(server.url)
        assert browser.text(".tally") == "1 of 2 placed"
        assert browser.text(".hint b") == "bregma, left"


def test_two_tabs_of_one_browser(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        with second_tab(browser, server.url) as go:
            browser.click(browser.at(0.45, 0.4))
            go(0)
            browser.until(lambda: browser.names() == ["L1"], "the landmark of the other tab")
            browser.click(browser.at(0.55, 0.6))
            saved(browser)
            go(1)
            browser.until(lambda: browser.names() == ["L1", "L2"], "that of the first")
            browser.click(browser.at(0.5, 0.5))
            saved(browser)
            assert placed(export) == ["L1", "L2", "L3"]


def test_two_tabs_that_share_nothing_are_brought_together_and_told(
    browser: Browser, export: Path
) -> None:
    """localhost and 127.0.0.1 are two origins, as two browsers are."""
    with serving(browser, export) as server:
        browser.open(server.url)
        browser.click(browser.at(0.45, 0.4))
        saved(browser)
        other = server.url.replace("127.0.0.1", "localhost")
        with second_tab(browser, other) as go:
            assert browser.names() == ["L1"]
            browser.click(browser.at(0.5, 0.5))
            saved(browser)
            go(0)  # it asks what is new when it comes to sight
            browser.until(lambda: browser.names() == ["L1", "L2"], "that of the other tab")
            assert "changed labels.csv. Added to the list: 1." in browser.message()
            browser.click(browser.at(0.55, 0.6))
            saved(browser)
            go(1)
            browser.until(lambda: browser.names() == ["L1", "L2", "L3"], "that of the first")
            assert placed(export) == ["L1", "L2", "L3"]


def test_a_landmark_that_another_tab_took_away_is_gone_here_too(
    browser: Browser, export: Path
) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        browser.click(browser.at(0.45, 0.4))
        browser.click(browser.at(0.5, 0.5))
        saved(browser)
        lines = (export / "labels.csv").read_text().splitlines()
        (export / "labels.csv").write_text("\n".join([*lines[:2], ""]))
        browser.click(browser.at(0.55, 0.6))
        saved(browser)
        assert browser.names() == ["L1", "L3"]
        assert "Removed from it: 1." in browser.message()
        assert placed(export) == ["L1", "L3"]


# A server that goes, and comes back


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """`sidecar label` as a program of its own, and its address."""
    code = "import sys; from sidecar.__main__ import entry; sys.exit(entry())"
    command = [sys.executable, "-c", code, "label", "--no-browser", *arguments]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    for line in program.stderr:
        if "http://" in line:
            return program, line.split(": ", 1)[1].strip()
    raise AssertionError("it tells no address")


def kill(program: subprocess.Popen[str]) -> None:
    program.kill()
    program.wait()
    assert program.stderr is not None
    program.stderr.close()


def test_work_outlives_a_killed_server(browser: Browser, export: Path) -> None:
    program, url = start(str(export))
    browser.open(url)
    browser.click(browser.at(0.45, 0.4))
    saved(browser)
    kill(program)
    browser.click(browser.at(0.5, 0.5))
    browser.until(lambda: status(browser) == "not saved", "the page to notice")
    assert "Run sidecar label again" in browser.message()
    assert placed(export) == ["L1"]
    browser.complaints()  # of the connection that was refused
    program, anew = start(str(export))
    try:
        assert anew != url
        with second_tab(browser, anew) as go:
            assert browser.names() == ["L1", "L2"]
            saved(browser)
            assert placed(export) == ["L1", "L2"]
            go(0)
            browser.js("document.dispatchEvent(new Event('visibilitychange'))")
            browser.until(lambda: browser.driver.current_url.startswith(anew), "the new address")
            browser.shown()
            saved(browser)
            browser.complaints()  # of the address that was no longer one
            go(1)
    finally:
        leave(browser)
        kill(program)


def test_a_server_killed_while_it_saves_leaves_a_whole_file(browser: Browser, export: Path) -> None:
    names = [f"L{i}" for i in range(1, 200)]
    for k, pause in enumerate((0.05, 0.35, 0.4, 0.45)):
        program, url = start(str(export))
        browser.open(url)
        browser.click(browser.at(0.4 + k / 20, 0.4))
        time.sleep(pause)
        kill(program)
        browser.complaints()
        there = placed(export)
        assert there == names[: len(there)]
        if there:
            sidecar.map_file(export / "labels.csv")
    with serving(browser, export) as server:
        browser.open(server.url)
        saved(browser)
        assert placed(export) == browser.names() == ["L1", "L2", "L3", "L4"]
    assert [entry.name for entry in export.iterdir() if entry.name.endswith(".part")] == []


def test_ctrl_c_stops_it(export: Path) -> None:
    program, _ = start(str(export))
    os.kill(program.pid, signal.SIGINT)
    assert program.stderr is not None
    assert "Stopped. beetle-7: 0 landmarks" in program.stderr.read()
    assert program.wait() == 0
    program.stderr.close()


# Several


def test_a_folder_of_exports(browser: Browser, export: Path, tmp_path: Path) -> None:
    make_export(tmp_path, "beetle-8", 1)
    names = tmp_path / "names.txt"
    names.write_text("nasion\nbregma\n")
    with serving(browser, export.parent, names=names) as server:
        browser.driver.get(server.url)
        browser.until(lambda: browser.all(".specimens a"), "the list")
        assert [link.text for link in browser.all(".specimens a")] == ["beetle-7", "beetle-8"]
        assert [cell.text for cell in browser.all("td.count")] == ["0 of 2", "0 of 2"]
        browser.press(ENTER)
        browser.shown()
        browser.click(browser.at(0.45, 0.4))
        browser.press(".")  # before it is saved
        browser.until(lambda: browser.driver.current_url.endswith("/2/"), "the next specimen")
        browser.shown()
        assert browser.text("header h1") == "beetle-8"
        assert browser.text(".tally") == "0 of 2 placed"
        assert placed(export) == ["nasion"]
        browser.press("s")
        browser.until(lambda: browser.all(".specimens a"), "the list")
        assert [cell.text for cell in browser.all("td.count")] == ["1 of 2", "0 of 2"]
        browser.press(DOWN, ENTER)
        browser.shown()
        assert browser.text("header h1") == "beetle-8"
        browser.press(",")
        browser.until(lambda: browser.driver.current_url.endswith("/1/"), "the one before")
        browser.shown()
        assert browser.names() == ["nasion", "bregma"]


def test_versions_are_kept(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        for k in range(12):
            browser.click(browser.at(0.4 + k / 60, 0.4 + k / 60))
            saved(browser)
    numbers = sorted(version_number(e.name) or 0 for e in (export / ".labels").iterdir())
    assert [n for n in numbers if n] == list(range(2, 12))
    assert len(sidecar.map_points(export)) == 12


# What the page may do


def test_the_page_asks_nobody_else(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        browser.click(browser.at(0.45, 0.4))
        saved(browser)
        home = f"http://127.0.0.1:{server.port}/"
        asked = set(browser.requests()) - {f"{home}favicon.ico"}
        made_by_the_page = {url for url in asked if url.startswith(f"blob:{home}")}
        assert len(made_by_the_page) == 1, (
            "the program of its workers, which no server is asked for"
        )
        assert asked - made_by_the_page
        assert all(url.startswith(server.url) for url in asked - made_by_the_page)


def test_a_png_can_be_fetched(browser: Browser, export: Path) -> None:
    with serving(browser, export) as server:
        browser.open(server.url)
        name = sidecar.open(export).document.images.files[0].name
        size = browser.driver.execute_async_script(
            "fetch(arguments[0]).then((r) => r.arrayBuffer()).then((b) =>"
            " arguments[1](b.byteLength))",
            name,
        )
        assert size == (export / name).stat().st_size


def test_another_site_reaches_nothing(browser: Browser, export: Path, tmp_path: Path) -> None:
    """A page of another origin, even one that knows the address: it neither reads nor writes."""
    with (
        serving(browser, export) as server,
        serving(browser, make_export(tmp_path, "other", 1)) as evil,
    ):
        browser.open(evil.url)
        target = server.url + "1/api/labels"
        body = json.dumps({"text": "", "revision": ""})
        outcome = browser.driver.execute_async_script(
            """const [url, body, done] = arguments;
            const frame = (src) => new Promise((resolve) => { const image = new Image();
              image.onload = () => resolve('shown'); image.onerror = () => resolve('refused'); image.src = src; });
            Promise.all([
              fetch(url, {method: 'POST', mode: 'no-cors', body}).then(() => 'sent', () => 'refused'),
              fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'}, body}).then(() => 'sent', () => 'refused'),
            ]).then(done);""",
            target,
            body,
        )
        assert outcome == ["refused", "refused"]
        browser.complaints()


# Curves


def test_a_curve_is_saved_read_back_and_mapped(browser: Browser, export: Path) -> None:
    """Vertex by vertex, dragged, in a browser that kept nothing of it, and as semilandmarks."""
    with serving(browser, export) as server:
        browser.open(server.url)
        browser.click(browser.at(0.3, 0.3))
        browser.press("c")
        browser.click(browser.at(0.4, 0.4))
        saved(browser)
        assert placed(export) == ["L1"], "one vertex is no curve"
        browser.click(browser.at(0.5, 0.45))
        browser.press(DOWN)
        browser.shown()
        browser.click(browser.at(0.55, 0.6))
        browser.press("f")
        browser.type("#curve-points", "6")
        saved(browser)
        assert placed(export) == ["L1", *["curve 1"] * 3]
        browser.drag(browser.at(0.55, 0.6), browser.at(0.6, 0.5))
        saved(browser)
        text = (export / "labels.csv").read_text()
        browser.js("localStorage.clear()")
        browser.reload()
        assert browser.names() == ["L1", "curve 1"] and status(browser) == "saved"
        assert server.placed() == {"beetle-7": 2}
        assert browser.find("#save-csv").is_enabled()
        assert (
            browser.download("#save-csv").read_text() == text == (export / "labels.csv").read_text()
        )
    table = [row for row in rows(export / "labels.csv") if row["shape_type"] == "polyline"]
    assert len({row["slice"] for row in table}) == 2
    points = sidecar.map_points(export)
    assert points.names == ["L1", *["curve 1"] * 6]
    png = sidecar.open(export)
    drawn = [[float(row["x"]), float(row["y"])] for row in (table[0], table[-1])]
    ends = png.to_patient(drawn, [float(row["slice"]) for row in (table[0], table[-1])])
    assert points.patient[[1, 6]] == pytest.approx(ends, abs=1e-6)
