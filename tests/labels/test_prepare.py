"""What label tools import, written: the images, and the names in order, whatever they hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import marked_scan
from kit.command_line import CommandLine
from kit.exports import png_names
from kit.tool_files import cvat, label_studio

import sidecar
from sidecar.labels.prepare import PROGRAMS
from sidecar.labels.prepare.cvat import LONGEST

NASTY = ['first "dot"', "2nd; of <two> & last'", "μ, }", ", ]", "{0}", "100%", "é", "M1, left"]
#: Names as people may write them, on one line.
names_of_people = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=LONGEST
).filter(lambda name: name.strip() == name and "$" not in name)


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> sidecar.Sidecar:
    return marked_scan.write(tmp_path_factory.mktemp("prepared"), "a & b")


@pytest.fixture
def here(run: CommandLine, png: sidecar.Sidecar) -> CommandLine:
    """The command line beside the export ``png`` and a list of names."""
    marked_scan.write(run.folder, "png")
    (run.folder / "names.txt").write_text("bregma\r\n\r\n  lambda \r\n", encoding="utf-8-sig")
    return run


def offered(setup: bytes) -> list[str]:
    """The names in a labelling set-up, in order."""
    return [label.attrib["value"] for label in ElementTree.fromstring(setup).iter("Label")]


def as_cvat_edits(text: str) -> str:
    """What its editor of labels does to the text that is pasted and saved."""
    return re.sub(r",\s*}", "}", re.sub(r'\s*"id":\s?[-{0-9}]+,?', "", text))


@settings(deadline=None)
@given(st.lists(names_of_people, min_size=1, max_size=5))
def test_every_name_comes_through(png: sidecar.Sidecar, names: list[str]) -> None:
    studio = PROGRAMS["label-studio"](png, names, None)
    assert offered(studio["labelling-setup.xml"]) == names
    text = PROGRAMS["cvat"](png, names, None)["labels.json"].decode()
    for seen in (text, as_cvat_edits(text)):
        assert [label["name"] for label in json.loads(seen)] == names


def test_files_of_label_studio(here: CommandLine) -> None:
    told = here.done("prepare", "label-studio", "png", "--names", "names.txt", "-o", "made/it").err
    assert told == "tasks.json and labelling-setup.xml: 2 landmarks on 4 PNGs\n"
    tasks = json.loads((here.folder / "made/it/tasks.json").read_bytes())
    assert [task["data"] for task in tasks] == [
        {"image": f"/data/local-files/?d=png/{name}", "slice": k}
        for k, name in enumerate(png_names(here.folder / "png"))
    ]
    setup = (here.folder / "made/it/labelling-setup.xml").read_bytes()
    assert offered(setup) == ["bregma", "lambda"]


def test_files_of_cvat(here: CommandLine) -> None:
    told = here.done("prepare", "cvat", "png", "--names", "names.txt", "-o", "made").err
    assert told == "labels.json: 2 landmarks on 4 PNGs\n"
    assert json.loads((here.folder / "made/labels.json").read_bytes()) == [
        {"name": name, "type": "points", "attributes": []} for name in ("bregma", "lambda")
    ]


@pytest.mark.parametrize("images_at", [None, "https://host/scans/", "s3://bucket/a%20b/"])
def test_images_that_are_named_come_back(
    png: sidecar.Sidecar, tmp_path: Path, images_at: str | None
) -> None:
    tasks, _ = sidecar.prepare("label-studio", png, ["dot"], tmp_path, images_at=images_at)
    region = label_studio.region("keypointlabels", {"x": 50.0, "y": 50.0, "width": 1}, "dot")
    region |= {"original_width": 40, "original_height": 30}
    done = [
        label_studio.task([region], task["data"]["image"], id=n)
        for n, task in enumerate(json.loads(tasks.read_bytes()))
    ]
    (tmp_path / "done.json").write_text(json.dumps(done), encoding="utf-8")
    points = sidecar.map_points(tmp_path / "done.json", png)
    assert points.source.tolist() == [[39.5, 29.5, 2.0 * k] for k in range(4)]


def test_what_cvat_exports_comes_back(png: sidecar.Sidecar, tmp_path: Path) -> None:
    """Its own export, written here as its documentation has it."""
    (path,) = sidecar.prepare("cvat", png, NASTY, tmp_path)
    images = ElementTree.fromstring(cvat.document(""))
    image = ElementTree.SubElement(images, "image", id="1", name=png_names_of(png)[1])
    image.attrib |= {"width": "40", "height": "30"}
    for label in json.loads(path.read_bytes()):
        ElementTree.SubElement(image, "points", label=label["name"], points="15.50,10.50")
    (tmp_path / "annotations.xml").write_bytes(ElementTree.tostring(images))
    points = sidecar.map_points(tmp_path / "annotations.xml", png)
    assert points["label"].tolist() == NASTY
    assert set(map(tuple, points.source)) == {(*marked_scan.DOTS[0], marked_scan.DOTS_SLICE)}


def png_names_of(png: sidecar.Sidecar) -> list[str]:
    return [file.name for file in png.document.images.files]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there are no names in it"),
        (" \n\n", "there are no names in it"),
        ("a\nb\n\na\n", ("names.txt, line 4", "a is in the list already, in line 1")),
        ("é\ne\u0301\n", "is in the list already, in line 1"),
        ("a\nb\tc\n", ("line 2", r"'b\tc' has characters that cannot be shown")),
        ("a\n" + "x" * 201, ("line 2", "has 201 characters", "one name per line?")),
        ("\n".join(map(str, range(20_001))), "there are 20001 names in it; the most is 20000"),
        (
            "a\nb$c\n",
            ("b$c: Label Studio replaces words with $ by fields", "choose a name without $"),
        ),
    ],
)
def test_names_that_cannot_be_are_refused(
    here: CommandLine, text: str, says: str | tuple[str, ...]
) -> None:
    (here.folder / "names.txt").write_text(text, encoding="utf-8")
    here.refuses("prepare", "label-studio", "png", "--names", "names.txt", "-o", "made", says=says)


def test_cvat_has_room_for_shorter_names(here: CommandLine) -> None:
    asked = ("prepare", "cvat", "png", "--names", "names.txt", "-o", "made")
    (here.folder / "names.txt").write_text("x" * (LONGEST + 1), encoding="utf-8")
    here.refuses(
        *asked, says=(f"has {LONGEST + 1} characters", f"of CVAT can have {LONGEST} at most")
    )
    (here.folder / "names.txt").write_text("x" * LONGEST, encoding="utf-8")
    here.done(*asked)


def test_what_makes_no_sense_is_refused(here: CommandLine) -> None:
    asked = ("png", "--names", "names.txt", "-o", "made")
    here.refuses("prepare", "gimp", *asked, code=2, says="one of label-studio, cvat")
    here.refuses("prepare", "cvat", *asked, "--images-at", "x/", code=2, says="are uploaded")
    here.done("prepare", "cvat", *asked)
    (here.folder / "made/labels.json").write_text("mine", encoding="utf-8")
    here.refuses("prepare", "cvat", *asked, says=("labels.json is there already", "--overwrite"))
    here.done("prepare", "cvat", *asked, "--overwrite")


def test_pngs_that_browsers_show_black_are_told(here: CommandLine) -> None:
    sidecar.export(here.folder / "scan", here.folder / "deep", scale=0.5, z_step=2, bits=16)
    told = here.done("prepare", "cvat", "deep", "--names", "names.txt", "-o", "made").err
    assert (
        "have 16 bits. Browsers show only the upper 8, and the images often look nearly black"
        in told
    )


def test_names_in_python(png: sidecar.Sidecar, tmp_path: Path) -> None:
    (path,) = sidecar.prepare("cvat", png, [" a ", "b"], tmp_path)
    assert [label["name"] for label in json.loads(path.read_bytes())] == ["a", "b"]
    with pytest.raises(sidecar.LabelError, match="name 2: a is in the list already, in name 1"):
        sidecar.prepare("cvat", png, ["a", "a "], tmp_path)
    with pytest.raises(sidecar.LabelError, match="name 1: the name is empty"):
        sidecar.prepare("cvat", png, [" "], tmp_path)
