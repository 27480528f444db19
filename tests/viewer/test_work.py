"""What was placed is kept, goes out to files and comes back from them, and hostile text in it stays
text.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kit.browser import CONTROL, DELETE, DOWN, END, Browser
from kit.made_exports import GEOMETRIES, Export, Opened
from kit.tables import rows

from sidecar.grid.axis import Axis
from sidecar.viewer.page import write_viewer

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"quoted\" & 'single' `tick` ${1}",
    "=HYPERLINK(\"http://example.org\")",
    "comma, semicolon; tab",
    "\u202eright to left\u202c",
    "javascript:alert(3)",
    "žluťoučký 頭蓋骨 🦴",
    "__proto__",
]  # fmt: skip


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Kept


def test_a_reload_loses_nothing(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    opened(GEOMETRIES["oblique"])
    browser.give(write(tmp_path, "names.txt", "nasion\nbregma\n"))
    browser.click(browser.at(0.45, 0.4))
    before = browser.saved()
    browser.reload()
    assert browser.names() == ["nasion", "bregma"]
    assert browser.saved() == before
    browser.click(browser.at(0.55, 0.6))
    assert [row["label"] for row in browser.saved()] == ["nasion", "bregma"]


def test_another_export_of_the_series_has_work_of_its_own(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export())
    browser.click(browser.at(0.45, 0.4))
    half = tmp_path / "half"
    half.mkdir()
    export = Export(columns=Axis.blocks(0, 64, 2, "mean"), rows=Axis.blocks(0, 64, 2, "mean"))
    page = write_viewer(export.write(half), half)
    browser.open(page)
    assert browser.names() == []
    browser.open(tmp_path / "viewer.html")
    assert browser.names() == ["L1"]


def test_the_same_export_elsewhere_has_the_same_work(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export())
    browser.click(browser.at(0.45, 0.4))
    copy = tmp_path / "stick"
    copy.mkdir()
    browser.open(write_viewer(Export().write(copy), copy))
    assert browser.names() == ["L1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"version": 2, "items": []}',
        '{"version": 1, "items": [{"id": 1, "label": "a", "listed": false, "x": "<b>"}]}',
    ],
)
def test_work_that_cannot_be_read_is_put_aside_not_overwritten(
    browser: Browser, opened: Opened, damage: str
) -> None:
    opened(Export())
    browser.click(browser.at(0.45, 0.4))
    [key] = browser.js("return Object.keys(localStorage).filter((key) => !key.endsWith(' place'))")
    browser.js("localStorage.setItem(arguments[0], arguments[1])", key, damage)
    browser.reload()
    assert "put aside" in browser.message()
    browser.click(browser.at(0.55, 0.5))
    assert browser.names() == ["L1"]
    assert browser.js("return localStorage.getItem(arguments[0])", f"{key} damaged") == damage


def test_a_browser_that_keeps_nothing_says_so(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export())
    script = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no',"
        " 'SecurityError'); } });"
    )
    added = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
    try:
        browser.reload()
        assert "Export your landmarks before you close" in browser.message()
        browser.click(browser.at(0.45, 0.4))
        assert browser.names() == ["L1"]
        assert "Export your landmarks before you close" in browser.message()
        assert len(browser.saved()) == 1
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])
        browser.reload()


@pytest.mark.slow
def test_two_tabs_share_the_work(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    opened(Export())
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.resize()
    try:
        browser.open(tmp_path / "viewer.html")
        browser.click(browser.at(0.45, 0.4))
        browser.driver.switch_to.window(first)
        browser.until(lambda: browser.names() == ["L1"], "the other tab's landmark")
        browser.click(browser.at(0.55, 0.6))
        assert browser.names() == ["L1", "L2"]
    finally:
        [other] = [handle for handle in browser.driver.window_handles if handle != first]
        browser.driver.switch_to.window(other)
        browser.driver.close()
        browser.driver.switch_to.window(first)


# Lists of names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("names.txt", "nasion\nbregma, left\n\n  lambda  \nnasion\n"),
        ("names.txt", "\ufeffnasion\r\nbregma, left\r\nlambda"),
        ("names.csv", 'number,Label\n1,nasion\n2,"bregma, left"\n3,lambda\n'),
        ("names.csv", "name;side\nnasion;\nbregma, left;l\nlambda;\n"),
        ("names.txt", "nasion\nbregma, left\nlambda\n".encode("utf-16")),
    ],
)
def test_a_list_of_names_is_worked_through(
    browser: Browser, opened: Opened, tmp_path: Path, file: str, text: str | bytes
) -> None:
    opened(Export())
    browser.give(write(tmp_path, file, text))
    names = ["nasion", "bregma, left", "lambda"]
    assert browser.names() == names
    for name, at in zip(names, ((0.4, 0.4), (0.5, 0.5), (0.6, 0.6)), strict=True):
        assert browser.text(".hint b") == name
        browser.click(browser.at(*at))
    assert [row["label"] for row in browser.saved()] == names
    assert browser.text(".tally") == "3 of 3 placed"
    browser.click(browser.at(0.4, 0.6))
    assert browser.names() == [*names, "L1"]


def test_a_name_may_be_placed_out_of_turn_and_taken_back(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export())
    browser.give(write(tmp_path, "names.txt", "a\nb\nc\n"))
    browser.push("#landmarks .name", 2)
    browser.click(browser.at(0.4, 0.4))
    assert [row["label"] for row in browser.saved()] == ["c"]
    assert browser.text(".hint b") == "a"
    browser.press(DELETE)
    assert browser.names() == ["a", "b", "c"]  # a name of the list stays in it
    assert browser.text(".tally") == "0 of 3 placed"
    browser.press("z", hold=(CONTROL,))
    assert browser.text(".tally") == "1 of 3 placed"


# labels.csv


def test_labels_saved_are_labels_read(browser: Browser, opened: Opened, tmp_path: Path) -> None:
    opened(GEOMETRIES["uneven"])
    browser.click(browser.at(0.41, 0.4))
    browser.press(END)
    browser.shown()
    browser.click(browser.at(0.52, 0.63))
    file = browser.download("#save-csv")
    content = file.read_bytes()
    assert "new landmarks: 0 of 2" in browser.give(file)
    browser.press("p", DELETE, DELETE)
    browser.press("n", DELETE)
    assert browser.names() == []
    assert "new landmarks: 2 of 2" in browser.give(file)
    assert browser.download("#save-csv").read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "image,label,x,y\nslice_0002.png,a,1.25,-0.5\nslice_0003.png,b,63.5,7\n",
        "slice;x;y;label\r\n2;1,25;-0,5;a\r\n3;63,5;7;b\r\n",
        "\ufeffx\ty\timage\tlabel\n1.25\t-.5\tsub/SLICE_0002\ta\n6.35e1\t7\tC:\\png\\slice_0003.PNG\tb\n",
        (
            'label,note,image,slice,y,x\n"a","x,'
            ' y",slice_0002.png,2,-0.5,1.25\nb,,slice_0003.png,3,7,63.5\n\n'
        ),
    ],
)
def test_csv_of_other_hands(browser: Browser, opened: Opened, tmp_path: Path, text: str) -> None:
    opened(GEOMETRIES["axial"])
    message = browser.give(write(tmp_path, "labels.csv", text))
    assert "new landmarks: 2 of 2" in message
    assert ("note" in message) == ("note" in text)  # what is not kept is named
    rows = [
        (row["image"], row["slice"], row["label"], float(row["x"]), float(row["y"]))
        for row in browser.saved()
    ]
    assert rows == [
        ("slice_0002.png", "2", "a", 1.25, -0.5),
        ("slice_0003.png", "3", "b", 63.5, 7.0),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("slice", "seen_on"), [(2.3, 2), (2.5, 2), (2.75, 3), (-0.5, 0), (8.5, 8)])
def test_a_slice_between_two_is_kept_as_it_is(
    browser: Browser, opened: Opened, tmp_path: Path, slice: float, seen_on: int
) -> None:
    sidecar = opened(GEOMETRIES["tilted"])
    browser.give(write(tmp_path, "labels.csv", f"x,y,slice,label\n3.5,4.25,{slice},between\n"))
    browser.press("n")
    browser.shown()
    assert browser.slice() == seen_on
    assert len(browser.all(".mark.between")) == 1
    assert (
        np.abs(
            sidecar.to_patient([(3.5, 4.25)], slice)[0]
            - browser.numbers("#landmarks .chosen .patient")
        ).max()
        < 1e-6
    )
    [row] = browser.saved()
    assert (row["image"], float(row["slice"])) == (f"slice_{seen_on:04}.png", slice)
    named = f"image,x,y,slice,label\nslice_{seen_on:04}.png,3.5,4.25,{slice},between\n"
    message = browser.give(write(tmp_path, "projected.csv", named))
    assert "new landmarks: 0 of 1" in message, "as sidecar project names it, the same place"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,x,y\nother.png,1,1\n", "row 2: this stack has no image other.png"),
        (
            "image,slice,x,y\nslice_0001.png,2,1,1\n",
            "row 2: image slice_0001.png is slice 1, but the column slice says 2",
        ),
        ("slice,x,y\n1,2,3\n1,12a,3\n", 'row 3: x "12a" is not a number'),
        ("slice,x,y\n1,2\n", "row 2 has 2 cells, but the header has 3"),
        ("slice,x,y,label\n1,2,3,a, b\n", "row 2 has 5 cells, but the header has 4"),
        ("slice,x,y\n1,2,\n", 'row 2: y "" is not a number'),
        ("slice,x,y,X\n1,2,3,4\n", "the header has the column x twice"),
        (
            "slice,x,y\n1,64,3\n",
            "row 2: x 64, y 3, slice 1 lies outside this stack of 64 × 64 × 9 pixels",
        ),
        ("slice,x,y\n9,6,3\n", "row 2: x 6, y 3, slice 9 lies outside"),
        ("x,y\n1,2\n", "row 2: neither image nor slice is given"),
        ('slice,x,y,label\n1,2,3,"open\n', "row 2: a quote is opened and never closed"),
        ('slice,x,y,label\n1,2,3,"a"b\n', "row 2: there is text after a closing quote"),
        ("slice,x,y\n", "there are no landmarks in it"),
        (
            "a,b,c\n1,2,3\n",
            "the header has neither columns x and y (landmarks) nor a column label or name",
        ),
        (b"slice,x,y,label\n1,2,3,\xff\xfe\xe9\n", "it is not UTF-8 text"),
        ('{"markups": 3}', "it is not a Slicer markups file"),
        ('{"markups": [', "it is not complete JSON"),
        ('{"markups": []}', "there are no points in it"),
        (
            '{"markups": [{"coordinateSystem": "IJK", "controlPoints": []}]}',
            "coordinate system IJK is neither LPS nor RAS",
        ),
        (
            '{"markups": [{"coordinateUnits": "um", "controlPoints": []}]}',
            "its units are not millimetres",
        ),
        (
            '{"markups": [{"controlPoints": [{"position": [1, 2]}]}]}',
            "point 1 has no position of three numbers",
        ),
        ('{"markups": [{"controlPoints": [{"position": [1, 2, 1e9]}]}]}', "point 1: x "),
        ("x,y,slice\n" + "[" * 100000 + ",1,2\n", 'row 2: x "[[[['),
        ("[" * 100000, "the header has neither columns x and y"),
        ('{"markups":' + "[" * 100000, "it is not complete JSON"),
    ],
)
def test_a_file_with_a_fault_is_refused_whole(
    browser: Browser, opened: Opened, tmp_path: Path, text: str | bytes, message: str
) -> None:
    opened(GEOMETRIES["axial"])
    said = browser.give(write(tmp_path, "labels.csv", text))
    assert said.startswith("labels.csv: ")
    assert message in said
    assert browser.names() == []


# Slicer markups


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "oblique",
        "tilted",
        "nearly parallel",
        "one slice",
        "z-step",
        "turned over",
        "sagittal",
        "far away",
    ],
)
def test_markups_hold_patient_millimetres_and_come_back(
    browser: Browser, opened: Opened, tmp_path: Path, name: str
) -> None:
    sidecar = opened(GEOMETRIES[name])
    browser.click(browser.at(0.41, 0.4))
    browser.press(DOWN)
    browser.shown()
    browser.click(browser.at(0.52, 0.63))
    rows = browser.saved()
    expected = sidecar.to_patient(
        [(float(r["x"]), float(r["y"])) for r in rows], [float(r["slice"]) for r in rows]
    )
    file = browser.download("#save-markups")
    [markup] = json.loads(file.read_text(encoding="utf-8"))["markups"]
    assert (markup["type"], markup["coordinateSystem"], markup["coordinateUnits"]) == (
        "Fiducial",
        "LPS",
        "mm",
    )
    assert [point["label"] for point in markup["controlPoints"]] == ["L1", "L2"]
    assert (
        np.abs(np.array([point["position"] for point in markup["controlPoints"]]) - expected).max()
        < 1e-6
    )
    ras = {**markup, "coordinateSystem": "RAS", "controlPoints": []}
    for point in markup["controlPoints"]:
        left, posterior, superior = point["position"]
        ras["controlPoints"].append({**point, "position": [-left, -posterior, superior]})
    ras["controlPoints"].append(
        {"id": "3", "label": "to do", "positionStatus": "undefined", "position": [0, 0, 0]}
    )
    for i, document in enumerate(({"markups": [markup]}, {"markups": [ras]})):
        browser.press("z", "z", "z", "z", hold=(CONTROL,))
        assert browser.names() == []
        assert "new landmarks: 2 of 2" in browser.give(
            write(tmp_path, f"points{i}.mrk.json", json.dumps(document))
        )
        back = browser.saved()
        assert [(row["label"], row["slice"], row["image"]) for row in back] == [
            (r["label"], r["slice"], r["image"]) for r in rows
        ]
        for axis in ("x", "y"):
            assert (
                np.abs(
                    np.array([float(row[axis]) for row in back])
                    - [float(row[axis]) for row in rows]
                ).max()
                < 1e-6
            )
    assert browser.names()[0] == "to do" or browser.names()[-1] == "to do"


def test_markups_are_refused_without_geometry(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export(geometry=False))
    markups = {"markups": [{"controlPoints": [{"label": "a", "position": [1, 2, 3]}]}]}
    assert "no patient geometry" in browser.give(write(tmp_path, "a.mrk.json", json.dumps(markups)))


def test_a_file_may_be_dropped_on_the_page(browser: Browser, opened: Opened) -> None:
    opened(Export())
    browser.js("""const transfer = new DataTransfer();
        transfer.items.add(new File(['slice,x,y,label\\n3,10,20,dropped\\n'], 'labels.csv'));
        const drop = new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.getElementById('stage').dispatchEvent(drop);""")
    browser.until(lambda: browser.names() == ["dropped"], "the landmark of the dropped file")


# Hostile text


@pytest.mark.slow
def test_hostile_names_stay_text_and_come_back_unchanged(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    hostile = "<img src=x onerror=alert(4)></script>\"'"
    names = ("a&b<i>.png", 'it\'s "quoted".png', "slice.png")
    opened(
        Export(
            source_size=(64, 64, 3),
            slices=Axis.stride(0, 3, 1),
            names=names,
            series=f"1.2.{hostile}",
            generator=hostile,
            modality=hostile,
            warnings=(hostile,),
        )
    )
    browser.give(write(tmp_path, "<b>names<b>.txt", "\n".join(HOSTILE)))
    assert browser.names() == HOSTILE
    for i in range(len(HOSTILE)):
        browser.click(browser.at(0.35 + 0.03 * i, 0.3 + 0.04 * i))
    assert [text.text for text in browser.all(".mark text")] == HOSTILE
    file = browser.download("#save-csv")
    assert [row["label"] for row in rows(file)] == HOSTILE
    content = file.read_bytes()
    browser.press(*["z"] * len(HOSTILE), hold=(CONTROL,))
    assert browser.text(".tally") == f"0 of {len(HOSTILE)} placed"
    assert f"new landmarks: {len(HOSTILE)} of {len(HOSTILE)}" in browser.give(file)
    assert browser.download("#save-csv").read_bytes() == content
    markups = json.loads(browser.download("#save-markups").read_text(encoding="utf-8"))
    assert [point["label"] for point in markups["markups"][0]["controlPoints"]] == HOSTILE
    browser.push("summary")
    facts = browser.text(".facts")
    assert f"1.2.{hostile}" in facts
    assert facts.count(hostile) >= 3
    assert hostile in browser.text(".summary")
    assert browser.js("return document.querySelectorAll('img, b b, i i, #app script').length") == 0
    browser.reload()
    assert browser.names() == HOSTILE


def test_the_page_loads_nothing_but_its_images(
    browser: Browser, opened: Opened, tmp_path: Path
) -> None:
    opened(Export())
    browser.press(END)
    browser.shown()
    page = (tmp_path / "viewer.html").as_uri()
    images = {(tmp_path / f"slice_{i:04d}.png").as_uri() for i in range(9)}
    asked = browser.requests()
    assert page in asked
    assert set(asked) <= {page, *images}


def test_the_policy_stops_what_should_not_be_there(browser: Browser, opened: Opened) -> None:
    """Were there a hole, a script could still neither run nor talk to anyone."""
    opened(Export())
    stopped = browser.driver.execute_async_script("""const done = arguments[0];
        const stopped = [];
        document.addEventListener('securitypolicyviolation', (event) => stopped.push(event.effectiveDirective));
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);
        const script = document.createElement('script');
        try { script.text = 'window.ran = 1'; } catch { stopped.push('trusted types'); }
        document.body.append(script);
        try { document.body.insertAdjacentHTML('beforeend', '<b onclick="1">x</b>'); } catch { stopped.push('html'); }
        fetch('http://127.0.0.1:9/').catch(() => {});
        setTimeout(() => done([stopped, window.ran ?? null]), 200);""")
    assert stopped[1] is None
    assert {"img-src", "connect-src", "trusted types", "html"} <= set(stopped[0])
    assert browser.complaints() != []
