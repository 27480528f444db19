"""What two tabs did from one beginning, brought together by the page's own code."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest
from kit.browser import Browser


def module(name: str, imported: Mapping[str, str]) -> str:
    """A module of the page as a URL, with the URLs of what it imports."""
    text = files("sidecar.viewer").joinpath("web", name).read_text(encoding="utf-8")
    for other, url in imported.items():
        text = text.replace(json.dumps(other), json.dumps(url))
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def merged(browser: Browser, mine: list[Any], base: list[Any], theirs: list[Any]) -> Any:
    if browser.driver.current_url != "about:blank":
        browser.driver.get("about:blank")
    code = """
        const [url, mine, base, theirs, done] = arguments;
        import(url).then((m) => done(m.merged(mine, base, theirs)), (error) => done(String(error)));
    """
    imported = {
        "./curves.js": module("labels/curves.js", {}),
        "../geometry/mapping.js": module("geometry/mapping.js", {}),
    }
    work = module("labels/work.js", imported)
    return browser.driver.execute_async_script(code, work, mine, base, theirs)


def point(label: str, x: float) -> dict[str, Any]:
    return {"label": label, "x": x, "y": 2.0, "slice": 3}


def item(number: int, label: str, x: float | None, listed: bool = False) -> dict[str, Any]:
    place = {"x": None, "y": None, "slice": None} if x is None else point(label, x)
    return {"id": number, "listed": listed, **place, "label": label}


@pytest.mark.parametrize(
    ("mine", "base", "theirs", "together"),
    [
        # nobody did anything; one placed, the other, both the same, both another
        ([("A", 1)], [("A", 1)], [("A", 1)], [("A", 1)]),
        ([("A", 1), ("B", 2)], [("A", 1)], [("A", 1)], [("A", 1), ("B", 2)]),
        ([("A", 1)], [("A", 1)], [("A", 1), ("B", 2)], [("A", 1), ("B", 2)]),
        ([("A", 1)], [], [("A", 1)], [("A", 1)]),
        ([("A", 1), ("B", 2)], [("A", 1)], [("A", 1), ("C", 2)], [("A", 1), ("B", 2), ("C", 2)]),
        # taken away by one, by the other, by both
        ([], [("A", 1)], [("A", 1)], []),
        ([("A", 1)], [("A", 1)], [], []),
        ([], [("A", 1)], [], []),
        # moved or renamed by one, by the other in its place, by both: none is lost
        ([("A", 5), ("B", 2)], [("A", 1), ("B", 2)], [("A", 1), ("B", 2)], [("A", 5), ("B", 2)]),
        ([("A", 1), ("B", 2)], [("A", 1), ("B", 2)], [("B", 2), ("A", 5)], [("A", 5), ("B", 2)]),
        ([("A", 5)], [("A", 1)], [("A", 6)], [("A", 5), ("A", 6)]),
        ([("C", 1)], [("A", 1)], [("B", 1)], [("C", 1), ("B", 1)]),
        # moved by one, taken away by the other
        ([("A", 5)], [("A", 1)], [], [("A", 5)]),
        ([], [("A", 1)], [("A", 5)], [("A", 5)]),
        # nothing is known of the beginning
        ([("A", 1), ("B", 2)], [], [("B", 2), ("C", 3)], [("A", 1), ("B", 2), ("C", 3)]),
    ],
)
def test_what_either_did_is_there(
    browser: Browser, mine: Any, base: Any, theirs: Any, together: Any
) -> None:
    items = [item(number, *facts) for number, facts in enumerate(mine, 1)]
    found, _, _ = merged(browser, items, [point(*p) for p in base], [point(*p) for p in theirs])
    assert [(i["label"], i["x"]) for i in found] == together
    assert len({i["id"] for i in found}) == len(found)


def test_a_name_of_the_list_stays_in_it(browser: Browser) -> None:
    items = [item(1, "A", 1.0, listed=True), item(2, "B", None, listed=True)]
    found, came, went = merged(browser, items, [point("A", 1.0)], [point("B", 2.0)])
    assert [(i["label"], i["x"], i["listed"]) for i in found] == [
        ("A", None, True),
        ("B", 2.0, True),
    ]
    assert (came, went) == (1, 1)
