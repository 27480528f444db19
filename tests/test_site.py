"""The site, as a reader has it on a disk: it asks nobody for anything, and its search works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit.browser import Browser
from kit.pages import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with every warning an error: a link that leads nowhere, a page that no menu has."""
    pytest.importorskip("mkdocs", reason="MkDocs is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_search_finds_a_page_without_a_network(site: Path, chromium: Browser) -> None:
    chromium.requests()
    chromium.driver.get((site / "tools" / "csv.html").as_uri())
    chromium.js("document.querySelector('[data-md-toggle=search]').click()")
    chromium.js(
        "const box = document.querySelector('input.md-search__input');"
        "box.value = 'shape-based interpolation'; box.dispatchEvent(new Event('keyup'))"
    )

    def found() -> list[str]:
        return [
            link.get_attribute("href") or ""
            for link in chromium.driver.find_elements("css selector", "a.md-search-result__link")
        ]

    links = chromium.until(found, "the search finds something")
    assert any("masks.html" in link for link in links)
    asked = {url.partition(":")[0] for url in chromium.requests()}
    assert asked <= {"file", "data", "blob"}


@pytest.mark.slow
def test_every_public_name_has_its_place(site: Path) -> None:
    import sidecar

    page = (site / "api.html").read_text(encoding="utf-8")
    names = set(sidecar.__all__) - {"__version__"}
    assert {name for name in names if f'id="sidecar.{name}"' not in page} == set()
