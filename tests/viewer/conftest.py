"""The page of an export, opened in a browser that complains of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.browser import Browser
from kit.made_exports import Draw, Export, Opened

from sidecar.mapping import Sidecar
from sidecar.viewer.page import write_viewer


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
def opened(browser: Browser, tmp_path: Path) -> Opened:
    """Writes an export and its page, opens the page, and returns the sidecar."""

    def open_page(export: Export, draw: Draw | None = None, folder: Path = tmp_path) -> Sidecar:
        sidecar = export.write(folder, draw)
        browser.open(write_viewer(sidecar, folder))
        return sidecar

    return open_page
