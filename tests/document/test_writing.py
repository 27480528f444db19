"""sidecar.json as it is written: the bytes that pydantic would write, which read as what was
written.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.made_exports import GEOMETRIES, Export
from kit.needs import NEW_PYDANTIC
from kit.phantoms import Spec, write

import sidecar
from sidecar.document.reading import parse
from sidecar.document.writing import as_text, facts, number, sealed

finite = st.floats(allow_nan=False, allow_infinity=False)


@NEW_PYDANTIC
@given(finite | st.floats(-1e-3, 1e-3) | st.integers(-(2**60), 2**60).map(float))
def test_numbers_are_written_as_pydantic_writes_them(value: float) -> None:
    assert number(value) == pydantic_core.to_json(value).decode()
    assert float(number(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        number(value)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_what_is_written_reads_as_what_it_was(name: str) -> None:
    document = GEOMETRIES[name].sidecar().document
    read = parse(as_text(document))
    assert read == document
    assert as_text(read) == as_text(document)
    assert sealed(read) == sealed(document)


@pytest.mark.parametrize(
    "options", [{"scale": 0.4}, {"bits": 16, "z_step": 2}, {"window": "40,400", "specimen": "a-1"}]
)
def test_exports_write_what_reads_as_it_was_to_the_byte(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    scan = write(Spec(columns=40, rows=32, slices=6), tmp_path / "scan").folder
    made = sidecar.export(scan, tmp_path / "png", viewer=False, **options).document
    text = (tmp_path / "png" / "sidecar.json").read_text(encoding="utf-8")
    assert parse(text) == made
    assert as_text(parse(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_written_as_pydantic_writes_it(text: str) -> None:
    document = replace(Export().sidecar().document, warnings=[text])
    assert pydantic_core.to_json(text).decode() in as_text(document)
    assert parse(as_text(document)).warnings == [text]


def test_an_empty_list_is_one(tmp_path: Path) -> None:
    document = Export().write(tmp_path).document
    assert '"warnings": [],' in as_text(replace(document, warnings=[]))


def test_parts_can_be_left_out() -> None:
    document = Export().sidecar().document
    some = facts(document, {"generator": None, "source": {"planes": {"file": None}}})
    assert "generator" not in some and "version" in some
    assert all("file" not in plane and "position" in plane for plane in some["source"]["planes"])
    assert facts(document)["source"]["planes"][0]["file"] == document.source.planes[0].file
