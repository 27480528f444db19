"""Sidecars cut short, changed by hand, from a newer version, or made to do harm: refused by name,
or still exact.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.exports import tagged

import sidecar
from sidecar import DocumentError
from sidecar.document.model import JOURNAL
from sidecar.document.reading import parse

LABELS = "image,x,y,label\nslice_0000,1.5,2.25,a\nslice_0002,10,3,b\nslice_0004,0,0,c\n"

Json = dict[str, Any]


@pytest.fixture
def run(run: CommandLine, half_size: Path) -> CommandLine:
    copytree(half_size, run.folder / "png")
    (run.folder / "png" / "labels.csv").write_text(tagged(LABELS, run.folder / "png"))
    return run


def changed(run: CommandLine, change: Callable[[Json], object], keep_digest: bool = False) -> None:
    """Change the sidecar as a person with an editor would; without its digest, as other programs
    may write it.
    """
    path = run.folder / "png" / "sidecar.json"
    document = json.loads(path.read_text())
    change(document)
    if not keep_digest:
        del document["digest"]
    path.write_text(json.dumps(document))


def refused(run: CommandLine, says: str | tuple[str, ...]) -> str:
    run.refuses("project", "png/labels.csv", "--sidecar", "png", says=says)
    return run.refuses("map-points", "png/labels.csv", "-o", "mapped.csv", says=says)


# --- not a sidecar at all ---


def test_a_sidecar_cut_short_anywhere_is_refused(half_size: Path) -> None:
    data = (half_size / "sidecar.json").read_bytes().rstrip()
    for length in (0, 1, len(data) - 1, *random.Random(1).sample(range(len(data)), 150)):
        with pytest.raises(DocumentError, match=r"sidecar\.json") as refusal:
            parse(data[:length])
        assert "\n" not in str(refusal.value)


NOT_ONE = {
    "empty": (b"", "not complete JSON"),
    "blank": (b" \n", "not complete JSON"),
    "text": (b"hello", "not complete JSON"),
    "binary": (bytes(range(256)), "sidecar.json"),
    "zeros": (bytes(1000), "sidecar.json"),
    "list": (b"[]", "no version"),
    "number": (b"1", "no version"),
    "null": (b"null", "no version"),
    "object": (b"{}", "no version"),
    "BIDS": (b'{"Modality": "MR", "EchoTime": 0.01}', "no version"),
    "version only": (b'{"version": "1.0"}', "damaged at"),
    "version of another kind": (b'{"version": 1.0}', "no version"),
    "deep": (b"[" * 100_000, "sidecar.json"),
    "deep in a field": (
        b'{"version": "1.0", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "sidecar.json",
    ),
    "deep objects": (b'{"a":' * 100_000, "sidecar.json"),
    "number without end": (
        b'{"version": "1.0", "generator": ' + b"9" * 100_000 + b"}",
        "sidecar.json",
    ),
    "not UTF-8": (b'{"version": "1.0", "generator": "\xff"}', "sidecar.json"),
    "lone surrogate": (b'{"version": "1.0", "generator": "\\ud800"}', "sidecar.json"),
    "key twice": (b'{"version": "1.0", "version": "1.0"}', "states 'version' twice"),
    "two documents": (b'{"version": "1.0"}{"version": "1.0"}', "not complete JSON"),
    "UTF-16": ('{"version": "1.0"}'.encode("utf-16"), "sidecar.json"),
}


@pytest.mark.parametrize("name", NOT_ONE)
def test_what_is_no_sidecar_is_refused(name: str, run: CommandLine) -> None:
    content, says = NOT_ONE[name]
    (run.folder / "png" / "sidecar.json").write_bytes(content)
    assert len(refused(run, says=("sidecar.json", says))) < 600


def test_a_huge_sidecar_is_refused_unread(run: CommandLine) -> None:
    with (run.folder / "png" / "sidecar.json").open("wb") as file:
        file.truncate(1 << 36)
    refused(run, says="larger than any sidecar document")


def test_a_missing_sidecar_is_named_with_the_way_out(run: CommandLine) -> None:
    (run.folder / "png" / "sidecar.json").unlink()
    run.refuses(
        "map-points", "png/labels.csv", says=("no sidecar.json beside labels.csv", "--sidecar")
    )
    run.refuses(
        "map-points", "png/labels.csv", "--sidecar", "png", says="no sidecar.json in folder png"
    )
    run.refuses(
        "map-points",
        "png/labels.csv",
        "--sidecar",
        ".",
        says=f"no sidecar.json in folder {run.folder.name}",
    )
    run.refuses(
        "map-points", "png/labels.csv", "--sidecar", "png/sidecar.json", says="no sidecar.json"
    )
    run.refuses(
        "map-points", "png/labels.csv", "--sidecar", run.folder / "nowhere", says="no nowhere"
    )
    png = min((run.folder / "png").glob("*.png"))
    run.refuses("map-points", "png/labels.csv", "--sidecar", png, says=png.name)
    says = "no sidecar.json beside labels.csv; give the folder of the export with --sidecar"
    run.refuses("project", "png/labels.csv", says=says)


def test_a_folder_that_is_no_export_is_not_taken_for_an_interrupted_one(
    scan: Path, run: CommandLine
) -> None:
    none = "there is no sidecar.json in folder scan: "
    to = ("png/labels.csv", "--sidecar", "scan")
    says = f"{none}give the folder of an export, which `sidecar export` makes\n"
    run.refuses("project", *to, says=says)
    run.refuses("map-points", *to, says=f"{none}give the folder of an export with --sidecar\n")
    with pytest.raises(DocumentError, match=r"give the folder of an export with exports=…$"):
        sidecar.map_points(run.folder / "png" / "labels.csv", exports=run.folder / "scan")
    (scan / JOURNAL).write_text("{}")
    for command in ("project", "map-points"):
        run.refuses(command, *to, says=f"{none}its export was interrupted; run the same command")


# --- versions ---


@pytest.mark.parametrize("version", ["1.1", "1.9", "1.10", "1.123"])
def test_a_newer_minor_version_is_read_whatever_it_adds(version: str, run: CommandLine) -> None:
    before = run.done("map-points", "png/labels.csv").out

    def newer(document: Json) -> None:
        document.update(version=version, extra={"deep": [1, {"x": None}]})
        document["source"]["planes"][3]["exposure"] = 5
        document["images"]["files"][0]["thumbnail"] = "x.png"

    changed(run, newer)
    assert run.done("map-points", "png/labels.csv").out == before


OTHERS = [
    "2.0",
    "10.0",
    "11",
    "0.9",
    "",
    "x",
    "one",
    "1",
    "1.",
    "1.x",
    "1.0.0",
    "-1.0",
    " 1.0",
    "1.0\n",
    "２.0",
]


@pytest.mark.parametrize("version", OTHERS)
def test_other_versions_are_refused_by_name(version: str, run: CommandLine) -> None:
    changed(run, lambda document: document.update(version=version))
    told = refused(run, says="sidecar.json")
    assert "version" in told
    if version[:1] in ("2", "0") or version == "10.0":
        assert f"of version {version}" in told
        assert "update" in told


# --- changed by hand ---


def in_planes(index: int, key: str, value: Any) -> Callable[[Json], object]:
    return lambda document: document["source"]["planes"][index].update({key: value})


def in_axis(axis: str, **values: Any) -> Callable[[Json], object]:
    return lambda document: document["decimation"][axis].update(values)


def swapped(items: list[Any], one: int, other: int) -> None:
    items[one], items[other] = items[other], items[one]


def named(document: dict[str, Any], number: int) -> str:
    return str(document["images"]["files"][number]["name"])


def moved(position: list[float], by: float = 0.01) -> list[float]:
    return [position[0], position[1] + by, position[2]]


def move_plane(index: int) -> Callable[[Json], object]:
    return lambda document: document["source"]["planes"][index].update(
        position=moved(document["source"]["planes"][index]["position"])
    )


TAMPERED: dict[str, Callable[[Json], object]] = {
    "factor of columns": in_axis("columns", factor=2.001),
    "factor of rows": in_axis("rows", factor=1.0),
    "factor of slices": in_axis("slices", factor=1.0),
    "factor zero": in_axis("columns", factor=0),
    "factor negative": in_axis("columns", factor=-2.0),
    "factor text": in_axis("columns", factor="two"),
    "factor null": in_axis("columns", factor=None),
    "factor huge": in_axis("columns", factor=1e308),
    "factor of slices huge": in_axis("slices", factor=1e308),
    "factor tiny": in_axis("columns", factor=1e-320),
    "offset of columns": in_axis("columns", offset=0.0),
    "offset of rows": in_axis("rows", offset=0.50001),
    "offset of slices": in_axis("slices", offset=0.5),
    "offset huge": in_axis("rows", offset=1e308),
    "offset negative": in_axis("rows", offset=-1e308),
    "size of columns": in_axis("columns", size=19),
    "size of slices": in_axis("slices", size=4),
    "size zero": in_axis("rows", size=0),
    "size huge": in_axis("rows", size=10**30),
    "size fraction": in_axis("rows", size=17.5),
    "method": in_axis("rows", method="nearest"),
    "method mean for stride": in_axis("slices", method="mean"),
    "size of images": lambda d: d["images"].update(size=[19, 18, 5]),
    "size of source": lambda d: d["source"].update(size=[40, 36, 8]),
    "columns of source": lambda d: d["source"].update(size=[39, 36, 9]),
    "rows of source": lambda d: d["source"].update(size=[40, 35, 9]),
    "a plane moved": move_plane(4),
    "the first plane moved": move_plane(0),
    "a plane between two PNGs moved": move_plane(3),
    "a position missing": in_planes(2, "position", None),
    "a position of two": in_planes(2, "position", [1.0, 2.0]),
    "a position of text": in_planes(2, "position", ["a", "b", "c"]),
    "a position huge": in_planes(2, "position", [1e308, 1e308, 1e308]),
    "an orientation of its own": in_planes(2, "orientation", [1, 0, 0, 0, 1, 0]),
    "an orientation of nothing": in_planes(2, "orientation", [0, 0, 0, 0, 0, 0]),
    "two planes swapped": lambda d: swapped(d["source"]["planes"], 3, 5),
    "two positions swapped": lambda d: (
        d["source"]["planes"][1].update(position=d["source"]["planes"][2]["position"]),
        d["source"]["planes"][2].update(position=d["source"]["planes"][1]["position"]),
    ),
    "a plane left out": lambda d: d["source"]["planes"].pop(3),
    "a plane twice": lambda d: d["source"]["planes"].append(d["source"]["planes"][-1]),
    "no planes": lambda d: d["source"].update(planes=[]),
    "a UID of another plane": lambda d: d["source"]["planes"][3].update(sop_instance_uid=d["source"]["planes"][4]["sop_instance_uid"]),
    "a UID empty": in_planes(3, "sop_instance_uid", None),
    "orientation": lambda d: d["source"].update(orientation=[1, 0, 0, 0, 1, 0]),
    "orientation skew": lambda d: d["source"].update(orientation=[1, 0, 0, 1, 0, 0]),
    "orientation missing": lambda d: d["source"].update(orientation=None),
    "spacing": lambda d: d["source"].update(pixel_spacing=[0.4, 0.7]),
    "spacing zero": lambda d: d["source"].update(pixel_spacing=[0, 0.4]),
    "spacing negative": lambda d: d["source"].update(pixel_spacing=[-0.7, 0.4]),
    "spacing missing": lambda d: d["source"].update(pixel_spacing=None),
    "no millimetres": lambda d: d.update(coordinate_system=None),
    "another coordinate system": lambda d: d.update(coordinate_system="RAS"),
    "another pixel origin": lambda d: d.update(pixel_origin="corner"),
    "units": lambda d: d.update(units="inch"),
    "units of pixels": lambda d: d.update(units="pixel"),
    "an image left out": lambda d: d["images"]["files"].pop(1),
    "two images swapped": lambda d: swapped(d["images"]["files"], 1, 2),
    "two names swapped": lambda d: (
        d["images"]["files"][1].update(name=named(d, 2)), d["images"]["files"][2].update(name=named(d, 1))
    ),
    "an image's position": lambda d: d["images"]["files"][1].update(position=moved(d["images"]["files"][1]["position"])),
    "an image without position": lambda d: d["images"]["files"][1].update(position=None),
    "an image's slices": lambda d: d["images"]["files"][1].update(source_slices=[3]),
    "an image's name twice": lambda d: d["images"]["files"][1].update(name=named(d, 2).upper()),
    "a digest": lambda d: d["images"]["files"][1].update(sha256="x"),
    "a control point": lambda d: d["control_points"][2].update(source=moved(d["control_points"][2]["source"])),
    "a control point's patient": lambda d: d["control_points"][2].update(patient=moved(d["control_points"][2]["patient"])),
    "a control point without patient": lambda d: d["control_points"][2].update(patient=None),
    "no control points": lambda d: d.update(control_points=[]),
    "origin": lambda d: d["source"].update(origin=moved(d["source"]["origin"])),
    "affine": lambda d: d["images"]["affine"][1].__setitem__(3, d["images"]["affine"][1][3] + 0.01),
    "affine of the source": lambda d: d["source"]["affine"][0].__setitem__(0, d["source"]["affine"][0][0] * 1.01),
    "two UIDs swapped": lambda d: (
        d["source"]["planes"][1].update(sop_instance_uid=d["source"]["planes"][2]["sop_instance_uid"]),
        d["source"]["planes"][2].update(sop_instance_uid=d["source"]["planes"][1]["sop_instance_uid"]),
    ),
    "a warning": lambda d: d.update(warnings=[]),
    "a file": in_planes(3, "file", "elsewhere.dcm"),
    "a file outside": in_planes(3, "file", "../elsewhere.dcm"),
    "a file at the root": in_planes(3, "file", "/elsewhere.dcm"),
    "a file on a drive": in_planes(3, "file", "C:/elsewhere.dcm"),
    "an image outside": lambda d: d["images"]["files"][1].update(name="../" + named(d, 1)),
    "an instance number": in_planes(3, "instance_number", 99),
    "the tag": lambda d: d["images"].update(tag="bcdfgh"),
    "the tag left out": lambda d: d["images"].update(tag=None),
    "a tag that is none": lambda d: d["images"].update(tag="aeiouy"),
    "a tag in capitals": lambda d: d["images"].update(tag=d["images"]["tag"].upper()),
    "a name of another tag": lambda d: d["images"]["files"][1].update(name="slice_0001_bcdfgh.png"),
    "a UID of the series": lambda d: d["source"].update(series_instance_uid="1.2.3"),
    "a frame number": in_planes(3, "frame_number", 3),
    "the specimen": lambda d: d.update(specimen="beetle-7"),
    "a specimen that no file can be named after": lambda d: d.update(specimen="../beetle"),
    "the geometry": lambda d: d.update(geometry="given"),
    "the geometry left out": lambda d: d.update(geometry=None),
    "what it was made from": lambda d: d.update(made_from="0" * 64),
    "the digest": lambda d: d.update(digest="0" * 64),
    "not a number": lambda d: d["decimation"]["rows"].update(offset=float("nan")),
    "infinite": in_planes(2, "position", [float("inf"), 0, 0]),
}  # fmt: skip


#: Changes that the rest of the document does not contradict.
ONLY_THE_DIGEST_TELLS = {
    "method mean for stride", "columns of source", "rows of source",
    "a plane between two PNGs moved", "an image's slices", "origin", "affine",
    "affine of the source", "a warning", "a file", "an instance number", "the specimen",
    "the tag left out", "the geometry left out", "what it was made from",
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_change_by_hand_is_noticed(name: str, run: CommandLine) -> None:
    changed(run, TAMPERED[name], keep_digest=True)
    refused(run, says="sidecar")


@pytest.mark.parametrize("name", sorted(set(TAMPERED) - ONLY_THE_DIGEST_TELLS - {"the digest"}))
def test_a_contradiction_is_noticed_without_a_digest(name: str, run: CommandLine) -> None:
    changed(run, TAMPERED[name])
    assert "changed after" not in refused(run, says="sidecar")


def test_another_program_may_write_the_same_document_in_its_own_way(run: CommandLine) -> None:
    """Key order, spaces, escapes, and whole numbers with or without a point: the same document."""
    before = run.done("map-points", "png/labels.csv").out
    path = run.folder / "png" / "sidecar.json"
    document = json.loads(
        path.read_text(),
        parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text),
    )
    path.write_text(json.dumps(dict(reversed(document.items())), indent=7))
    assert run.done("map-points", "png/labels.csv").out == before


def test_a_text_editor_that_adds_a_byte_order_mark_or_other_line_ends_does_no_harm(
    run: CommandLine,
) -> None:
    before = run.done("map-points", "png/labels.csv").out
    path = run.folder / "png" / "sidecar.json"
    text = path.read_text()
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert run.done("map-points", "png/labels.csv").out == before
    path.write_bytes(text.encode("utf-8-sig"))
    assert run.done("map-points", "png/labels.csv").out == before


def test_any_one_number_changed_is_noticed_or_does_not_matter(half_size: Path) -> None:
    """Every number but those of planes between two PNGs, in a sidecar without digest, one at a
    time: either refused, or every label still lands where it did.
    """
    text = (half_size / "sidecar.json").read_text()
    points = np.random.default_rng(1).uniform(0, (19, 17), (40, 2))
    slices = np.arange(40) % 5
    right = sidecar.open(half_size).to_patient(points, slices)
    for path in paths_of_numbers(json.loads(text)):
        document = json.loads(text)
        *parents, last = path
        holder = document
        for key in parents:
            holder = holder[key]
        holder[last] = holder[last] + (1 if isinstance(holder[last], int) else 0.013)
        try:
            changed_one = sidecar.Sidecar.of(parse(json.dumps(document)))
        except DocumentError:
            continue
        assert np.array_equal(changed_one.to_patient(points, slices), right), path


@pytest.mark.parametrize(
    "value", [None, "x", "", -1, 0, 1e308, -1e308, 10**30, True, [], {}, [1], [[0]]], ids=str
)
def test_anything_anywhere_is_read_or_refused(value: Any, half_size: Path) -> None:
    text = (half_size / "sidecar.json").read_text()
    for path in paths_of_all(json.loads(text))[:: 1 if value is None else 7]:
        document = json.loads(text)
        *parents, last = path
        holder = document
        for key in parents:
            holder = holder[key]
        holder[last] = value
        with contextlib.suppress(DocumentError):
            sidecar.Sidecar.of(parse(json.dumps(document))).to_source([[1, 2]], 3)


def paths_of_all(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [
        found for key, item in items for found in ((*path, key), *paths_of_all(item, (*path, key)))
    ]


def paths_of_numbers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [
            found for key, item in value.items() for found in paths_of_numbers(item, (*path, key))
        ]
    if isinstance(value, list):
        return [
            found for i, item in enumerate(value) for found in paths_of_numbers(item, (*path, i))
        ]
    return [path] if isinstance(value, int | float) and not isinstance(value, bool) else []
