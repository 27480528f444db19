"""Documents of 1.0 are read for ever; documents of a later 1.x are read as far as they are known.

``documents_1.0`` holds documents that version 0.1.0 of this program wrote of phantoms, and the
points below are what it made of two labels then. They never change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pydicom
import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write

import sidecar
from sidecar.document.reading import parse
from sidecar.document.writing import as_text, sealed
from sidecar.errors import DocumentError
from sidecar.labels.load import map_file
from sidecar.mapping import Sidecar
from sidecar.schemas import FOLDER

OLD = Path(__file__).parent / "documents_1.0"
LABELS = "label,image,x,y\na,slice_0001.png,2.5,1.25\nb,slice_0002,10,4.75\n"
#: Source index, millimetres, SOP Instance UID and frame number of the two labels.
THEN: dict[str, list[tuple[Any, ...]]] = {
    "tilted": [
        ((8.5, 4.75, 2.0), (-32.147728111184996, 22.5526597014623, -403.25326996947996),
         "2.25.45047830146797260017471094834558795550", 0),
        ((31.0, 15.25, 4.0), (-33.726592876242, 33.483970838046105, -397.25467185146),
         "2.25.222482959044477288362809985666058416906", 0),
    ],
    "multiframe_coronal": [
        ((5.5, 32.5, 3.75), (-29.3, 41.0, -402.125),
         "2.25.37260137678962172883111016073505987749", 5),
        ((20.5, 34.5, 0.25), (-23.299999999999997, 42.4, -406.675),
         "2.25.37260137678962172883111016073505987749", 6),
    ],
    "adopted": [
        ((5.5, 3.0, 1.0), (-29.3, 20.35, -405.7),
         "2.25.234429670883739900529374602102171633196", 0),
        ((20.5, 10.0, 2.0), (-23.299999999999997, 25.25, -404.4),
         "2.25.45047830146797260017471094834558795550", 0),
    ],
}  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    text = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.parametrize("name", THEN)
def test_labels_on_exports_of_1_0_map_as_they_did_then(name: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(LABELS)
    points = map_file(tmp_path / "labels.csv", sidecar.open(OLD / f"{name}.json")).points
    source, mm, uid, frame = zip(*THEN[name], strict=True)
    np.testing.assert_allclose(points.source, source, rtol=0, atol=1e-9)
    np.testing.assert_allclose(points.patient, mm, rtol=0, atol=1e-9)
    assert tuple(points.instances.sop_instance_uid) == uid
    assert tuple(points.instances.frame_number) == frame


@pytest.mark.parametrize("name", THEN)
def test_a_document_of_1_0_says_nothing_of_what_came_later(name: str) -> None:
    document = sidecar.open(OLD / f"{name}.json").document
    assert document.version == "1.0"
    assert document.images.tag is document.specimen is document.geometry is None
    assert document.made_from is None
    assert all(plane.instance_number is None for plane in document.source.planes)


@pytest.mark.parametrize("name", THEN)
def test_documents_of_1_0_follow_both_schemas(name: str) -> None:
    document = json.loads((OLD / f"{name}.json").read_text(encoding="utf-8"))
    for version in ("1.0", "1.1"):
        jsonschema.validate(document, schema(f"sidecar-{version}"))


def test_schemas_of_1_0_stay_as_they_were() -> None:
    digests = {
        name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        for name in ("sidecar-1.0.schema.json", "config-1.0.schema.json")
    }
    assert digests == {
        "sidecar-1.0.schema.json": (
            "5e317d17692e58c30f29394ad4e55220f1157f7a73669ae2653fdec4f81cf0ac"
        ),
        "config-1.0.schema.json": (
            "402194be794621a93c2e00eb675c5434c24afe12c6e61bf15b4db8ad10c1fc56"
        ),
    }


@pytest.fixture
def png(tmp_path: Path) -> Sidecar:
    write(Spec(), tmp_path / "scan")
    return sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5, specimen="beetle-7")


def test_readers_of_1_0_find_all_they_know_in_1_1(png: Sidecar) -> None:
    """Whoever follows the schema of 1.0 can read what is written now."""
    document = json.loads(as_text(png.document))
    assert document["version"] == "1.1"
    jsonschema.validate(document, schema("sidecar-1.0"))


def test_a_later_minor_version_is_read_and_what_is_new_in_it_passed_by(png: Sidecar) -> None:
    raw = json.loads(as_text(png.document))
    raw |= {"version": "1.7", "digest": None, "later": [1]}
    raw["images"]["later"] = {"a": 1}
    assert Sidecar.of(parse(json.dumps(raw))).to_patient([[1, 2]], 3).tolist() == (
        png.to_patient([[1, 2]], 3).tolist()
    )
    with pytest.raises(DocumentError, match=r"version 2\.0.*reads version 1"):
        parse(json.dumps(raw | {"version": "2.0"}))


def test_what_1_1_records(png: Sidecar, tmp_path: Path) -> None:
    document = png.document
    assert document.specimen == "beetle-7" and document.geometry == "patient"
    numbers = [plane.instance_number or 0 for plane in document.source.planes]
    assert sorted(numbers) == list(range(1, len(numbers) + 1)) != numbers, (
        "the phantom's numbers say nothing of places"
    )


def test_geometry_is_held_against_coordinate_system_and_units(png: Sidecar) -> None:
    raw = json.loads(as_text(png.document)) | {"digest": None}
    for geometry in ("given", "none"):
        with pytest.raises(DocumentError, match=f"geometry is {geometry}, .* say patient"):
            Sidecar.of(parse(json.dumps(raw | {"geometry": geometry})))


def test_a_source_without_geometry_says_so(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "no_geometry" / "cxr.dcm"
    document = sidecar.export(source, tmp_path / "png", scale=0.5).document
    assert (document.coordinate_system, document.units, document.geometry) == (
        None,
        "pixel",
        "none",
    )


# What a document was made from.


def test_made_from_is_the_same_wherever_and_whenever_the_scan_lies(tmp_path: Path) -> None:
    import os
    import shutil

    write(Spec(), tmp_path / "scan")
    one = sidecar.export(tmp_path / "scan", tmp_path / "one", scale=0.5)
    shutil.copytree(tmp_path / "scan", tmp_path / "elsewhere" / "copy")
    for path in (tmp_path / "elsewhere").rglob("*"):
        os.utime(path, (1, 1))
    other = sidecar.export(tmp_path / "elsewhere" / "copy", tmp_path / "two", scale=0.5, jobs=1)
    assert one.document == other.document
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_made_from_tells_other_options_and_other_headers(tmp_path: Path) -> None:
    phantom = write(Spec(), tmp_path / "scan")
    options: list[dict[str, Any]] = [
        {"scale": 0.5},
        {"scale": 0.25},
        {"scale": 0.5, "window": "full"},
        {"scale": 0.5, "bits": 16},
        {"scale": 0.5, "compression": "small"},
        {"scale": 0.5, "specimen": "beetle-7"},
        {"scale": 0.5, "specimen": "beetle-8"},
    ]
    made = [
        sidecar.export(tmp_path / "scan", tmp_path / f"{i}", **given).document.made_from
        for i, given in enumerate(options)
    ]
    for path in phantom.files():  # a spacing corrected in place, in as many bytes
        header = pydicom.dcmread(path)
        if "PixelSpacing" in header:
            header.PixelSpacing = [0.6, 0.4]
            header.save_as(path)
    made.append(sidecar.export(tmp_path / "scan", tmp_path / "n", scale=0.5).document.made_from)
    assert len(set(made)) == len(options) + 1
    again = sidecar.export(
        tmp_path / "scan", tmp_path / "m", scale=0.5, viewer=False, jobs=1, volume=None
    )
    assert again.document.made_from == made[-1], "what does not change PNGs does not count"


def test_made_from_tells_which_slice_has_which_header(tmp_path: Path) -> None:
    """What most slices share is stated once, and still it is known of each slice."""
    phantom = write(Spec(), tmp_path / "scan")
    files = [path for path in phantom.files() if "PixelSpacing" in pydicom.dcmread(path)]
    made = set()
    for other in (2, 3):  # files of the same names and sizes
        for k, path in enumerate(files):
            header = pydicom.dcmread(path)
            header.add_new("PixelPaddingValue", "US", 7 if k >= other else 9)
            header.save_as(path)
        exported = sidecar.export(tmp_path / "scan", tmp_path / str(other), scale=0.5)
        made.add(exported.document.made_from)
    assert len(made) == 2


def test_check_holds_the_tag_against_the_planes(
    png: Sidecar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    folder, tag = tmp_path / "png", png.document.images.tag
    assert f"ok      tag             {tag}" in run.done("check", folder).out
    path = folder / "sidecar.json"
    raw = json.loads(path.read_text())
    raw["images"]["tag"] = "bcdfgh"
    path.write_text(as_text(sealed(parse(json.dumps(raw)))))
    said = f"images.tag is bcdfgh, but planes and decimation give the tag {tag}"
    assert said in run("check", folder).out
    (folder / "labels.csv").write_text("x,y,slice\n1,2,3\n")
    run.refuses("map-points", folder / "labels.csv", says=said)
