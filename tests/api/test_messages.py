"""Whoever calls a function reads keywords in its messages, never options of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.pages import ROOT

import sidecar
from sidecar.api.spelling import KEYWORDS, OTHER_NAMES, as_keywords

#: Options of other programs, and those of commands that no function has.
OTHERS = {"--raw", "--force", "--dry-run", "--debug", "--json", "--quiet", "--version", "--help"}


@pytest.mark.parametrize(
    ("told", "as_told_here"),
    [
        ("choose with --from", "choose with format=…"),
        ("say which with --to csv|fcsv", "say which with to='csv|fcsv'"),
        ("give --slice-origin 1 if slices are counted from 1, --slice-origin 0 if from 0",
         "give slice_origin=1 if slices are counted from 1, slice_origin=0 if from 0"),
        ("use --from slicer-pixels", "use format='slicer-pixels'"),
        ("give --pixel-origin center if all are points, corner if", "give pixel_origin='center' if all are points, corner if"),
        ("--pixel-origin is for outlines", "pixel_origin=… is for outlines"),
        ("or --trust-names if it is surely", "or trust_names=True if it is surely"),
        ("add --allow-outside to keep it", "add allow_outside=True to keep it"),
        ("export it with --voxel X,Y,Z, in mm", "export it with voxel=(X, Y, Z), in mm"),
        ("--voxel 0.01,0.01,0.02 says", "voxel=(0.01, 0.01, 0.02) says"),
        ("where it is with --sidecar", "where it is with exports=…"),
        ("the images to take with --images GLOB", "the images to take with images=GLOB"),
        ("--images beetle-7/* matches none", "images='beetle-7/*' matches none"),
        ("--z-step: it should be greater than 0", "z_step: it should be greater than 0"),
        ("--scale 2: it is", "scale=2: it is"),
        ("choose one with --series NUMBER, all with --series all, or join them to one with --join:",
         "choose one with series=NUMBER, all by one call for each, or join them to one with join=True:"),
        ("say what you know with --factor, --z-step or --flip", "say what you know with factor=…, z_step=… or flip=…"),
        ("or is what was given with --flip wrong? The", "or is what was given with flip=… wrong? The"),
        ("-o mapped.csv would overwrite an input", "output='mapped.csv' would overwrite an input"),
        ("or write another with -o", "or write another with output=…"),
        ("gdcmconv --raw --force (GDCM) unpacks", "gdcmconv --raw --force (GDCM) unpacks"),
        ("well-known, x--y, a -only word", "well-known, x--y, a -only word"),
    ],
)  # fmt: skip
def test_an_option_becomes_its_keyword(told: str, as_told_here: str) -> None:
    assert as_keywords(told) == as_told_here


def test_every_option_that_a_message_can_name_has_a_keyword() -> None:
    """All that the source has in its texts, outside of the command line itself."""
    named = {
        option
        for path in (ROOT / "sidecar").rglob("*.py")
        if path.relative_to(ROOT / "sidecar").parts[0] not in ("cli", "demo")
        for option in re.findall(r"(?<![\w`-])--[a-z][a-z-]*[a-z]", path.read_text(encoding="utf-8"))
    } - OTHERS  # fmt: skip
    assert callable(sidecar.Points.write)  # its keywords count when it is loaded
    keywords = {OTHER_NAMES.get(o[2:], o[2:].replace("-", "_")) for o in named}
    assert len(keywords) > 20
    assert keywords - set(KEYWORDS) == set()


FAULTS: dict[str, Callable[[], object]] = {
    "options of an export": lambda: sidecar.export("scan", "other", scale=2, z_step=0),
    "another export in the way": lambda: sidecar.export("scan", "png", scale=0.25),
    "no such stack": lambda: sidecar.export("scan", "other", series="7"),
    "a value that is none": lambda: sidecar.map_points("png/labels.csv", pixel_origin="middle"),
    "a format that is none": lambda: sidecar.map_points("png/labels.csv", format="paint"),
    "an image without a tag": lambda: sidecar.map_points("untagged.csv", "png"),
    "no image that matches": lambda: sidecar.map_points("png/labels.csv", images="weevil"),
    "an output of no format": lambda: sidecar.map_points("png/labels.csv").write("mapped.xyz"),
    "an output over an input": lambda: sidecar.map_points("png/labels.csv").write("png/labels.csv"),
    "what needs the source": lambda: sidecar.map_points("png/labels.csv").write(
        "m.dcm", to="dicom-sr"
    ),
    "a grid that is none": lambda: sidecar.map_mask("masks", "b.nrrd", "png", grid="both"),
    "masks without an export": lambda: sidecar.map_mask("masks", "b.seg.nrrd"),
    "a box that shows nothing": lambda: sidecar.zoom("png/labels.csv", "scan", size=0.01),
    "a page too large": lambda: sidecar.report("png/labels.csv", "scan", size=1e4),
    "a point elsewhere": lambda: sidecar.project("elsewhere.csv", "png"),
    "a factor that is none": lambda: sidecar.adopt("beetle", "old_pngs", factor=-1),
    "a sidecar in the way": lambda: sidecar.adopt("scan", "png"),
    "too few slices": lambda: sidecar.check("png", "scan", slices=0),
    "no frame": lambda: sidecar.align("mapped.csv"),
    "one measure for several": lambda: sidecar.measure("mapped.csv", distance=("bregma", "lambda")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_message_names_an_option(fault: str, work: Path) -> None:
    (work / "untagged.csv").write_text("image,x,y\nslice_0003.png,1,2\n", encoding="utf-8")
    (work / "elsewhere.csv").write_text("x_mm,y_mm,z_mm\n900,900,900\n", encoding="utf-8")
    with pytest.raises(sidecar.SidecarError) as caught:
        FAULTS[fault]()
    assert re.findall(r"(?<!\w)--?[a-z]", str(caught.value)) == [], str(caught.value)
    assert str(caught.value)


def test_an_error_keeps_where_it_is(work: Path) -> None:
    (work / "untagged.csv").write_text("image,x,y\nslice_0003.png,1,2\n", encoding="utf-8")
    with pytest.raises(sidecar.LabelError, match="trust_names=True") as caught:
        sidecar.map_points("untagged.csv", "png")
    assert (str(caught.value.path), caught.value.where) == ("untagged.csv", "row 2")


def test_notes_name_keywords_too(work: Path) -> None:
    points = sidecar.map_points("png/labels.csv", images="slice_0005*")
    assert len(points) == 1
    assert any("images='slice_0005*'" in note for note in points.notes), points.notes
