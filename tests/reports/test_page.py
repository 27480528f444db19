"""The page as a file: what it allows, what it holds, and what it must not; and in a real browser,
what is seen.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kit.browser import Browser
from kit.command_line import CommandLine
from kit.phantoms import SECRETS, Phantom, Spec, centroid, write
from kit.report_page import Page
from PIL import Image

import sidecar

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    spec = Spec(
        columns=75, rows=61, slices=80, pixel_spacing=(0.5, 0.5), slice_gaps=0.55, sigma=(2.5, 2.2)
    )
    return write(spec, tmp_path_factory.mktemp("scan"))


@pytest.fixture
def page(
    phantom: Phantom,
    tmp_path: Path,
    run: CommandLine,
) -> Path:
    """A report of three markers, the first with a name that would like to be more."""
    png = sidecar.export(phantom.folder, tmp_path / "png", scale=0.5)
    markers = [marker for marker in phantom.markers if marker.kind == "volume"][:3]
    xy, slices = png.from_source([marker.source for marker in markers])
    labels = [
        {
            "label": name,
            "points": [[x + 0.5, y + 0.5]],
            "shape_type": "point",
            "image": png.document.images.files[round(k)].name,
        }
        for name, (x, y), k in zip(
            (HOSTILE, "b\u202ecba", "third"), xy.tolist(), slices.tolist(), strict=True
        )
    ]
    files = []
    for i, shape in enumerate(labels):
        size = {
            "imageWidth": png.size[0],
            "imageHeight": png.size[1],
            "imagePath": shape.pop("image"),
            "imageData": None,
        }
        files.append(tmp_path / "png" / f"{i}.json")
        files[-1].write_text(
            json.dumps(
                {
                    "version": "5.0.0",
                    "flags": {},
                    "shapes": [{**shape, "group_id": None, "flags": {}}],
                    **size,
                }
            )
        )
    run.done(
        "report",
        *files,
        "--source",
        phantom.folder,
        "-o",
        tmp_path / "report.html",
        "--size",
        "16mm",
    )
    return tmp_path / "report.html"


@pytest.mark.slow
def test_it_says_which_specimen_it_shows(page: Path) -> None:
    texts = [text.strip() for text in Page.of(page).texts if text.strip()]
    assert texts[texts.index("Specimen") + 1] == "png"


def test_the_policy_allows_this_style_and_images_within_and_nothing_else(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    elements = Page(html).elements
    [policy] = [
        a["content"] for tag, a in elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert dict(rule.split(" ", 1) for rule in policy.split("; ")) == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    tags = {tag for tag, _ in elements}
    assert tags.isdisjoint(
        {"script", "link", "iframe", "object", "embed", "img", "form", "input", "button"}
    )
    assert not any(name.startswith("on") or name == "style" for _, a in elements for name in a)
    addresses = [a[name] for _, a in elements for name in ("href", "src") if name in a]
    assert addresses
    assert all(address.startswith(("data:image/png;base64,", "#label-")) for address in addresses)
    assert not re.search(r"@import|url\(", style)


def test_hostile_names_stay_text(page: Path) -> None:
    found = Page.of(page)
    assert " ".join("".join(found.texts).split()).count(HOSTILE) == 2, (
        "in the table and at its views"
    )
    assert any(tag == "bdi" for tag, _ in found.elements)


def test_no_identity_no_path_and_no_source_file_name(page: Path, phantom: Phantom) -> None:
    html = page.read_text(encoding="utf-8")
    text = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", html)
    assert not any(secret in text.lower() for secret in SECRETS)
    assert str(page.parent) not in text
    assert str(phantom.folder) not in text
    for plane in phantom.planes:
        assert Path(plane.file).name not in text


def test_numbers_are_those_of_the_mapping(page: Path, phantom: Phantom) -> None:
    text = Page.of(page).text
    for marker in [marker for marker in phantom.markers if marker.kind == "volume"][:1]:
        assert marker.sop_instance_uid in text or str(round(marker.source[2])) in text
    png = sidecar.open(page.parent / "png")
    points = [png.to_patient([xy], k)[0] for xy, k in _labels(page.parent)]
    for place in points:
        assert "{:.3f}, {:.3f}, {:.3f} mm".format(*place) in text
    assert f"{np.linalg.norm(points[1] - points[0]):.2f} ±" in text
    assert png.document.source.series_instance_uid in text


def _labels(folder: Path) -> Iterator[tuple[tuple[float, float], int]]:
    for i in range(3):
        raw = json.loads((folder / "png" / f"{i}.json").read_text())
        x, y = raw["shapes"][0]["points"][0]
        yield (x - 0.5, y - 0.5), int(raw["imagePath"][6:10])


def test_the_same_labels_have_the_same_page(
    page: Path,
    phantom: Phantom,
    run: CommandLine,
) -> None:
    files = sorted((page.parent / "png").glob("?.json"))
    run.done(
        "report",
        *files,
        "--source",
        phantom.folder,
        "-o",
        page.parent / "again.html",
        "--size",
        "16mm",
    )
    assert (page.parent / "again.html").read_bytes() == page.read_bytes()


# In a browser.


@pytest.fixture
def browser(chromium: Browser, page: Path) -> Iterator[Browser]:
    chromium.resize(1280, 900, ratio=2)
    chromium.scheme("light")
    chromium.complaints()
    chromium.requests()
    chromium.driver.get(page.as_uri())
    yield chromium
    assert chromium.complaints() == []


@pytest.mark.slow
def test_it_loads_nothing_but_itself(browser: Browser, page: Path) -> None:
    assert {address for address in browser.requests() if not address.startswith("data:")} == {
        page.as_uri()
    }
    assert browser.js("return document.scripts.length") == 0
    assert HOSTILE in browser.js("return document.querySelector('article h3 bdi').textContent")


@pytest.mark.slow
def test_every_view_shows_its_marker_in_its_middle(browser: Browser) -> None:
    """On the screen itself: the spot is in the middle of the drawing, where the lines of the cross
    meet.
    """
    count = browser.js("return document.querySelectorAll('.panels svg').length")
    assert count == 12
    for i in range(count):
        drawing = f"document.querySelectorAll('.panels svg')[{i}]"
        browser.js(f"{drawing}.scrollIntoView({{block: 'center'}})")
        assert _on_screen(browser, drawing)[..., 0].max() > 250
        browser.js(f"{drawing}.querySelectorAll('path, text').forEach(e => e.remove())")
        shown = _on_screen(browser, drawing)[..., 0].astype(np.float64)
        middle = (shown.shape[1] - 1) / 2, (shown.shape[0] - 1) / 2
        one = shown.shape[1] / 32  # a source pixel of 0.5 mm, of 16 mm in all
        found = centroid(shown, middle, 12 * one)
        assert np.hypot(found[0] - middle[0], found[1] - middle[1]) < 0.5 * one, i


def _on_screen(browser: Browser, drawing: str) -> np.ndarray:
    box = browser.js(
        f"const b = {drawing}.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]"
    )
    with Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())) as image:
        return np.asarray(image.convert("RGB").crop([round(2 * edge) for edge in box]))


def test_marks_of_the_overview_lead_to_the_labels(browser: Browser) -> None:
    marks = browser.all(".projections a")
    assert len(marks) == 9
    targets = browser.js(
        "return [...document.querySelectorAll('.projections a')].map(a =>"
        " document.querySelector(a.getAttribute('href'))?.id)"
    )
    assert targets == ["label-1", "label-2", "label-3"] * 3


@pytest.mark.slow
def test_marks_of_the_overview_lie_on_their_markers(browser: Browser) -> None:
    """Each projection is bright where a mark is: the markers are the brightest there is."""
    for i in range(3):
        drawing = f"document.querySelectorAll('.projections svg')[{i}]"
        browser.js(f"{drawing}.scrollIntoView({{block: 'center'}})")
        box = browser.js(f"const b = {drawing}.getBoundingClientRect(); return [b.left, b.top]")
        places = browser.js(
            f"return [...{drawing}.querySelectorAll('.halo.dot')].map(e => {{ const b ="
            " e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })"
        )
        browser.js(f"{drawing}.querySelectorAll('path, text, circle').forEach(e => e.remove())")
        shown = _on_screen(browser, drawing)[..., 0]
        for x, y in places:
            assert shown[round(2 * (y - box[1])), round(2 * (x - box[0]))] > 200


def test_it_fits_a_sheet_of_paper(browser: Browser) -> None:
    browser.cdp("Emulation.setEmulatedMedia", media="print")
    try:
        browser.resize(718, 1000)  # A4 without its margins, in CSS pixels
        assert browser.js("return document.documentElement.scrollWidth") <= 718
        tops = browser.js(
            "return [...document.querySelectorAll('#label-1 .panels svg')].map(e =>"
            " e.getBoundingClientRect().top)"
        )
        assert len(set(tops)) == 1, "the four views are side by side"
    finally:
        browser.cdp("Emulation.setEmulatedMedia", media="")
