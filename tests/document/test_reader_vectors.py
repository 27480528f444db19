"""What a reader must accept and refuse, and where pixels are: this program, and a second reader that
was written by the words of docs/sidecar-format.md alone, against ``schemas/vectors``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from kit import mapping_vectors, stranger
from kit.mapping_vectors import as_text
from kit.reader_vectors import FILE, PAGE, text_of, vectors
from kit.stranger_fields import Refused
from kit.tag_by_the_words import tag_by_the_words

import sidecar
from sidecar.errors import DocumentError
from sidecar.schemas import FOLDER

WHOLE = json.loads(FILE.read_text(encoding="utf-8"))
VECTORS = {vector["name"]: vector for vector in WHOLE["vectors"]}
MAPPING = json.loads(mapping_vectors.FILE.read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in MAPPING["cases"]}

#: What this program says of a document that breaks a rule.
SAYS = {
    "json": "is not complete JSON|it has no version",
    "version": "is of version|damaged at version|it has no version",
    "pixel_origin": "damaged at pixel_origin",
    "type": "damaged at",
    "name": "which is not the name of a file in the folder of the (document|source)",
    "space": "coordinate_system|units are pixels|a source in mm needs",
    "sizes": "do not agree with the sizes|names an axis twice",
    "planes": "Pixel Spacing positive|orthogonal unit vectors|must be parallel|must be in order",
    "axes": r"reads beyond the \d+ (columns|rows|slices) of the source",
    "control_points": "control point \\d is|control point 0 has no|the slice of a point on it must",
    "positions": r"slice_000\d_mvszrk.png (is \d+ away|has no patient position)",
    "grid": r"(source|images)\.(origin|affine)",
    "tag": "images.tag is",
    "image_names": "two images have the same name|stands where PNG",
    "digest": "was changed after it was written",
}


def rules() -> list[str]:
    """In the order of the page."""
    section = PAGE.read_text(encoding="utf-8").split("\n## What a reader must refuse\n")[1]
    return re.findall(r"^\| `(\w+)` \|", section.split("\n## ")[0], re.MULTILINE)


def test_the_file_is_what_its_program_writes() -> None:
    """`python tests/kit/reader_vectors.py` writes it."""
    assert FILE.read_text(encoding="utf-8") == as_text(vectors()) + "\n"
    assert len(VECTORS) == len(WHOLE["vectors"]), "every vector has a name of its own"


def test_every_rule_of_the_page_has_vectors_and_the_other_way_round() -> None:
    refused = [v["rule"] for v in VECTORS.values() if v["verdict"] == "refuse"]
    assert rules() == list(SAYS)
    assert set(refused) == set(rules())
    assert all(v["verdict"] == "accept" or refused.count(v["rule"]) >= 2 for v in VECTORS.values())


@pytest.mark.parametrize("name", VECTORS)
def test_this_program_reads_as_the_vectors_say(name: str, tmp_path: Path) -> None:
    vector = VECTORS[name]
    (tmp_path / "sidecar.json").write_text(text_of(vector, WHOLE["documents"]), encoding="utf-8")
    if vector["verdict"] == "accept":
        sidecar.open(tmp_path)
        return
    with pytest.raises(DocumentError, match=SAYS[vector["rule"]]):
        sidecar.open(tmp_path)


@pytest.mark.parametrize("name", VECTORS)
def test_a_stranger_reads_as_the_vectors_say(name: str) -> None:
    vector = VECTORS[name]
    content = text_of(vector, WHOLE["documents"]).encode()
    if vector["verdict"] == "accept":
        assert stranger.read(content) == json.loads(content)
        return
    with pytest.raises(Refused) as refused:
        stranger.read(content)
    assert refused.value.rule == vector["rule"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [v["name"] for v in VECTORS.values() if v["verdict"] == "accept"])
def test_what_a_reader_accepts_follows_the_schema(name: str) -> None:
    document = json.loads(text_of(VECTORS[name], WHOLE["documents"]))
    schema = json.loads((FOLDER / "sidecar-1.1.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


@pytest.mark.parametrize("name", CASES)
def test_a_stranger_maps_as_the_vectors_say(name: str) -> None:
    document, tolerance = CASES[name]["document"], MAPPING["tolerance"]
    for point in CASES[name]["points"]:
        pixel, source = point["pixel"], point["source"]
        _near(stranger.to_source(document, pixel), source, tolerance["source"])
        _near(stranger.from_source(document, source), pixel, tolerance["pixel"])
        if point["patient"] is not None:
            _near(stranger.to_patient(document, pixel), point["patient"], tolerance["patient"])
            _near(stranger.from_patient(document, point["patient"]), pixel, tolerance["pixel"])
        found = stranger.instance_of(document, pixel) or {}
        for field in ("sop_instance_uid", "frame_number"):
            assert found.get(field) == point[field]


def _near(found: Any, expected: list[float], tolerance: float) -> None:
    assert np.abs(np.subtract(found, expected)).max() < tolerance


@pytest.mark.parametrize("name", WHOLE["documents"])
def test_a_stranger_and_this_program_make_one_tag_and_one_digest(name: str, tmp_path: Path) -> None:
    document = WHOLE["documents"][name]
    (tmp_path / "sidecar.json").write_text(json.dumps(document), encoding="utf-8")
    opened = sidecar.open(tmp_path)
    assert tag_by_the_words(document)[1] == opened.tag
    sealed = {**document, "digest": stranger.digest_of(document)}
    (tmp_path / "sidecar.json").write_text(json.dumps(sealed), encoding="utf-8")
    assert sidecar.open(tmp_path).tag == opened.tag
