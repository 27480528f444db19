"""One browser for all tests of the page, and exports written for a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.browser import Browser, missing
from kit.viewed_exports import Draw, Export

from sidecar.mapping import Sidecar
from sidecar.viewer.page import write_viewer


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, or a skip that says why there is none; with SIDECAR_REQUIRE_BROWSER set that is a
    failure.
    """
    if reason := missing():
        if os.environ.get("SIDECAR_REQUIRE_BROWSER"):
            pytest.fail(f"{reason}, and SIDECAR_REQUIRE_BROWSER is set")
        pytest.skip(f"{reason}: the page is not tried")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser as a desktop window; a test fails where the page left a complaint in the
    console.
    """
    chromium.resize()
    chromium.scheme("light")
    chromium.complaints()
    yield chromium
    chromium.forget()
    assert chromium.complaints() == []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Callable[..., Sidecar]:
    """Writes an export and its page, opens the page, and returns the sidecar."""

    def open_page(export: Export, draw: Draw | None = None, folder: Path = tmp_path) -> Sidecar:
        sidecar = export.write(folder, draw)
        browser.open(write_viewer(sidecar, folder))
        return sidecar

    return open_page
