"""The page as a file: what is in it, what is not, and when it is refused. No browser needed."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from html.parser import HTMLParser
from importlib.resources import as_file, files
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from kit.made_exports import GEOMETRIES, Export
from kit.phantoms import Spec, write
from PIL import Image as Pillow

from sidecar import export
from sidecar.document.writing import as_text
from sidecar.errors import DocumentError, OutputError
from sidecar.grid.axis import Axis
from sidecar.storage.locate import locate
from sidecar.storage.location import Location
from sidecar.viewer.display import Split, display_of, split_pixels
from sidecar.viewer.page import LIST_MODULES, MODULES, remove_viewer, render, write_viewer


class Elements(HTMLParser):
    """(tag, attributes, text) of every element, the text up to its first inner tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))
        self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)


def read(page: Location) -> Elements:
    return Elements(page.read_bytes().decode())


def data_of(page: Location) -> dict[str, object]:
    [text] = [text for _, attributes, text in read(page).found if attributes.get("id") == "page"]
    data: dict[str, object] = json.loads(text)
    return data


FROM_DISK = {"img-src": "'self' file:", "trusted-types": "'none'"}
#: What a server tells its page: see web/keeping/served.js.
TOLD = {"folders": ["", "png"], "names": [], "labels": {}, "around": {}}
FROM_SERVER = {
    "img-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "blob:",
    "trusted-types": "decoder",
}


@pytest.mark.parametrize(("told", "allowed"), [(None, FROM_DISK), (TOLD, FROM_SERVER)])
def test_every_script_and_style_that_runs_is_named_by_its_hash_and_nothing_else_is_allowed(
    tmp_path: Path, told: dict[str, object] | None, allowed: dict[str, str]
) -> None:
    document = Export().write(tmp_path).document
    page = Elements(render(document, display_of(document, locate(tmp_path)), told))
    [policy] = [
        a["content"] or ""
        for _, a, _ in page.found
        if a.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    running = [
        text for tag, a, text in page.found if tag == "script" and a.get("type") in (None, "module")
    ]
    style = [text for tag, _, text in page.found if tag == "style"]

    def hashes(texts: list[str]) -> str:
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in texts
        )

    assert rules == {
        "default-src": "'none'",
        **allowed,
        "script-src": hashes(running),
        "style-src": hashes(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert len(running) == 4
    assert len(style) == 1


def test_every_module_is_in_the_page_after_those_it_imports() -> None:
    with as_file(files("sidecar.viewer") / "web") as web:
        found = {path.relative_to(web).as_posix() for path in web.rglob("*.js")}
    assert {*MODULES, *LIST_MODULES} == {name for name in found if not name.startswith("vendor/")}
    for modules in (MODULES, LIST_MODULES):
        for i, name in enumerate(modules):
            text = files("sidecar.viewer").joinpath("web", name).read_text(encoding="utf-8")
            imported = re.findall(r'^import .* from "(\.\.?/.*)";$', text, re.MULTILINE)
            folder = posixpath.dirname(name)
            paths = {posixpath.normpath(posixpath.join(folder, path)) for path in imported}
            assert paths <= set(modules[:i])
            assert text.count("import ") == len(imported)


def test_folders_of_modules_import_one_way() -> None:
    """No folder of the page comes back in the order of its modules."""
    folders = [posixpath.dirname(name) for name in MODULES]
    assert [folder for folder, _ in groupby(folders)] == list(dict.fromkeys(folders))


def test_the_page_names_no_file_to_load(tmp_path: Path) -> None:
    page = read(write_viewer(Export().write(tmp_path), tmp_path))
    assert [a for _, a, _ in page.found if {"src", "href", "srcset", "data"} & a.keys()] == []
    assert not re.search(
        r"@import|url\((?!#)", "".join(text for tag, _, text in page.found if tag == "style")
    )
    assert "sourceMappingURL" not in "".join(text for _, _, text in page.found)


def test_the_licences_of_the_libraries_go_along(tmp_path: Path) -> None:
    page = read(write_viewer(Export().write(tmp_path), tmp_path))
    [licences] = [text for _, attributes, text in page.found if attributes.get("id") == "licences"]
    assert "The MIT License (MIT)" in licences
    assert "Jason Miller" in licences
    assert "Apache License" in licences


def test_source_file_names_which_may_name_a_patient_stay_out(tmp_path: Path) -> None:
    sidecar = Export().write(tmp_path)
    assert "DOE^JANE" in sidecar.document.source.planes[0].file
    assert "DOE" not in write_viewer(sidecar, tmp_path).read_bytes().decode()


def test_hostile_text_in_the_document_ends_nothing(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><!--\u2028&quot;'\""
    export = Export(series=hostile, modality=hostile, generator=hostile, warnings=(hostile,))
    page = write_viewer(export.write(tmp_path), tmp_path)
    document = data_of(page)["document"]
    assert isinstance(document, dict)
    assert (
        document["source"]["series_instance_uid"]
        == document["generator"]
        == document["warnings"][0]
        == hostile
    )
    assert not any(
        "alert(1)" in text
        for tag, a, text in read(page).found
        if tag == "script" and a.get("id") != "page"
    )
    assert [text for tag, _, text in read(page).found if tag == "title"] == ["sidecar"]


def test_the_same_export_has_the_same_page_and_another_has_another_key(tmp_path: Path) -> None:
    keys = {}
    for name in ("first", "again", "other"):
        folder = tmp_path / name
        folder.mkdir()
        export = Export(columns=Axis.blocks(0, 64, 2, "mean")) if name == "other" else Export()
        keys[name] = data_of(write_viewer(export.write(folder), folder))["digest"]
    assert keys["first"] == keys["again"] != keys["other"]
    assert (tmp_path / "first/viewer.html").read_bytes() == (
        tmp_path / "again/viewer.html"
    ).read_bytes()


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    sidecar = Export().write(tmp_path)
    (tmp_path / "slice_0000.png").unlink()
    with pytest.raises(DocumentError, match=r"slice_0000\.png is missing beside sidecar\.json"):
        write_viewer(sidecar, tmp_path)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (
            np.zeros((64, 63), np.uint8),
            r"^slice_0000\.png has 63 × 64 pixels, but the sidecar says 64 × 64",
        ),
        (np.zeros((64, 64), np.uint16), "does not have 8 bits and 1 channel, as the sidecar says"),
        (
            np.zeros((64, 64, 3), np.uint8),
            "does not have 8 bits and 1 channel, as the sidecar says",
        ),
    ],
)
def test_an_image_of_another_kind_is_refused(
    tmp_path: Path, pixels: np.ndarray, message: str
) -> None:
    sidecar = Export().write(tmp_path)
    Pillow.fromarray(pixels).save(tmp_path / "slice_0000.png")
    with pytest.raises(DocumentError, match=message):
        write_viewer(sidecar, tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_a_damaged_image_is_refused(tmp_path: Path, content: bytes) -> None:
    sidecar = Export().write(tmp_path)
    (tmp_path / "slice_0000.png").write_bytes(content)
    with pytest.raises(DocumentError, match=r"slice_0000\.png cannot be read"):
        write_viewer(sidecar, tmp_path)


def test_an_image_cut_short_is_refused(tmp_path: Path) -> None:
    sidecar = Export().write(tmp_path)
    file = tmp_path / "slice_0000.png"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(DocumentError, match=r"slice_0000\.png cannot be read"):
        write_viewer(sidecar, tmp_path)


def test_a_page_that_cannot_be_replaced_is_an_error_of_ours(tmp_path: Path) -> None:
    sidecar = Export().write(tmp_path)
    (tmp_path / "viewer.html").mkdir()
    with pytest.raises(OutputError, match=r"viewer\.html or its images cannot be removed"):
        write_viewer(sidecar, tmp_path)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [(0, 4095), (0, 65535), (31744, 35839), (7, 7), (100, 400), (65535, 65535)],
)
def test_copies_of_a_16_bit_stack_keep_every_value(
    tmp_path: Path, lowest: int, highest: int
) -> None:
    """What the page's filter computes, offset + (256 · red + green) / 2^(16 − bits), is the PNG
    value.
    """
    values = np.random.default_rng(1).integers(lowest, highest + 1, (9, 64, 64)).astype(np.uint16)
    values[4, 0, 0], values[5, 0, 0] = lowest, highest
    document = Export(bits=16).write(tmp_path, lambda i, shape: values[i]).document
    split = display_of(document, locate(tmp_path)).split
    assert split is not None
    for i, image in enumerate(document.images.files):
        colours = np.asarray(Pillow.open(tmp_path / split.folder / image.name)).astype(np.float64)
        joined = split.offset + (256 * colours[..., 0] + colours[..., 1]) / 2 ** (16 - split.bits)
        assert (joined == values[i]).all()


def test_the_coarse_half_of_a_copy_uses_all_of_its_range() -> None:
    """Red alone is an 8-bit picture of what is there: 12-bit values fill it."""
    red = split_pixels(np.arange(4096, dtype=np.uint16)[None], Split("", 0, 12))[0, :, 0]
    assert len(np.unique(red)) == 256


def test_contrast_is_measured_between_the_outermost_half_percent(tmp_path: Path) -> None:
    ramp = np.arange(1000, 1000 + 64 * 64, dtype=np.uint16).reshape(64, 64)
    display = display_of(
        Export(bits=16).write(tmp_path, lambda i, shape: ramp).document, locate(tmp_path)
    )
    assert display.measured == display.contrast
    assert abs(display.measured[0] - (1000 + 0.005 * 4096)) <= 1
    assert abs(display.measured[1] - (1000 + 0.995 * 4096)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("plane", [None, "coronal"])
@pytest.mark.parametrize(
    "spec",
    [
        Spec(slices=13),
        Spec(slices=4, signed=True),
        Spec(photometric="RGB", bits_stored=8, rescale=None),
    ],
    ids=["gray", "few", "rgb"],
)
def test_the_contrast_that_an_export_counts_on_the_way_is_that_of_its_pngs(
    tmp_path: Path, spec: Spec, plane: str | None
) -> None:
    source = write(spec, tmp_path / "scan").folder
    sidecar = export(source, tmp_path / "png", scale=1, bits=8, plane=plane)
    counted = (tmp_path / "png" / "viewer.html").read_bytes()
    assert write_viewer(sidecar, tmp_path / "png").read_bytes() == counted
    measured = display_of(sidecar.document, locate(tmp_path / "png")).measured
    assert measured[0] < measured[1]


def test_8_bits_are_shown_as_they_were_exported(tmp_path: Path) -> None:
    display = display_of(Export().write(tmp_path).document, locate(tmp_path))
    assert display.contrast == display.whole == (0, 255)
    assert display.split is None
    assert not (tmp_path / "viewer_images").exists()


def test_what_was_written_can_be_removed_and_nothing_else_is(tmp_path: Path) -> None:
    sidecar = Export(bits=16).write(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    names = [image.name for image in sidecar.document.images.files]
    write_viewer(sidecar, tmp_path)
    assert len(list((tmp_path / "viewer_images").iterdir())) == len(names)
    remove_viewer(locate(tmp_path), names)
    assert sorted(tmp_path.rglob("*")) == before
    remove_viewer(locate(tmp_path), names)
    write_viewer(sidecar, tmp_path)
    (tmp_path / "viewer_images" / "mine.txt").write_text("of the user")
    remove_viewer(locate(tmp_path), names)
    assert [path.name for path in (tmp_path / "viewer_images").iterdir()] == ["mine.txt"]


def test_copies_are_not_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "png"
    folder.mkdir()
    sidecar = Export(bits=16).write(folder)
    (folder / "viewer_images").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="link to another place"):
        write_viewer(sidecar, folder)
    remove_viewer(locate(folder), ["slice_0000.png"])
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_page_holds_the_document(tmp_path: Path, name: str) -> None:
    sidecar = GEOMETRIES[name].write(tmp_path)
    document = data_of(write_viewer(sidecar, tmp_path))["document"]
    assert isinstance(document, dict)
    stated = json.loads(as_text(sidecar.document))
    for plane in stated["source"]["planes"]:
        del plane["file"]
    for image in stated["images"]["files"]:
        del image["sha256"]
    assert document == stated
