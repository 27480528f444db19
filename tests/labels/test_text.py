"""Reading label files at all: encodings, sizes, and documents made to do harm."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import LabelError
from sidecar.labels import text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.json"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_every_encoding_that_says_what_it_is(file: Path, encoding: str) -> None:
    file.write_bytes("Schädel,µ".encode(encoding))
    assert text.read_text(file) == "Schädel,µ"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-32"])
def test_text_in_other_encodings_is_refused_with_the_way_out(file: Path, encoding: str) -> None:
    file.write_bytes("Schädel,µ".encode(encoding))
    with pytest.raises(LabelError, match=r"labels\.json: .*save it again with the encoding UTF-8"):
        text.read_text(file)


def test_a_file_that_is_too_large_is_refused_before_it_is_decoded(file: Path) -> None:
    file.write_bytes(b"\xff" * 101)
    with pytest.raises(LabelError, match="larger than"):
        text.read_text(file, limit_bytes=100)


def test_a_file_that_cannot_be_opened(file: Path) -> None:
    with pytest.raises(LabelError, match=r"labels\.json: cannot be read: No such file") as caught:
        text.read_text(file)
    assert str(file.parent) not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"x": NaN}', "NaN"),
        ('{"x": -Infinity}', "-Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"x": ' + "9" * 5000 + "}", "too long"),
        ('{"x": 1,}', "not valid JSON"),
        ("", "not valid JSON"),
    ],
)
def test_json_that_is_not_json_or_means_harm(file: Path, document: str, message: str) -> None:
    file.write_text(document)
    with pytest.raises(LabelError, match=message):
        text.load_json(file)


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>',
    ],
)
def test_xml_with_entities_or_document_types_is_refused(file: Path, document: str) -> None:
    file.write_text(document)
    with pytest.raises(LabelError, match="document type or an entity"):
        text.load_xml(file)


@pytest.mark.parametrize(
    "document",
    [
        b"<a>",
        b"",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="utf-8"?><a>\xe9</a>',
    ],
)
def test_xml_that_is_not_xml(file: Path, document: bytes) -> None:
    file.write_bytes(document)
    with pytest.raises(LabelError, match="not valid XML"):
        text.load_xml(file)


def test_an_open_quote_does_not_swallow_the_rows_after_it(file: Path) -> None:
    with pytest.raises(LabelError, match="not a valid table"):
        text.table('label,x\n"a,1\nb,2\n', file)


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3.0), (3.5, 3.5), ("3.5", 3.5), (" -.5 ", -0.5), ("1e2", 100.0)]
)
def test_numbers(file: Path, value: object, expected: float) -> None:
    assert text.number(value, file) == expected


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        "inf",
        "",
        "twelve",
        "1_000",
        "0x10",
        "１２",
        True,
        None,
        [1],
        {},
        math.nan,
        math.inf,
        10**400,
        "1e999",
        1e16,
    ],
)
def test_what_is_not_a_finite_number(file: Path, value: object) -> None:
    with pytest.raises(LabelError, match=r"labels\.json, row 7: .*number"):
        text.number(value, file, "row 7")


def test_a_decimal_comma_is_named(file: Path) -> None:
    with pytest.raises(LabelError, match="'12,5' has a decimal comma; write a decimal point"):
        text.number("12,5", file, "row 7")


@given(st.floats(-1e15, 1e15))
def test_every_number_survives_as_text(value: float) -> None:
    assert text.number(repr(value), Path("labels.csv")) == value


@pytest.mark.parametrize("value", [2.5, "2.5"])
def test_what_is_not_a_whole_number(file: Path, value: object) -> None:
    assert text.whole("3.0", file) == 3
    with pytest.raises(LabelError, match="not a whole number"):
        text.whole(value, file)


@pytest.mark.parametrize("value", [None, 3, {"x": 1}, [1, 2], [[1, 2, 3]], [[1, "a"]]])
def test_what_is_not_a_list_of_pairs(file: Path, value: object) -> None:
    assert text.pairs([[1, 2.5]], file) == [(1.0, 2.5)]
    with pytest.raises(LabelError):
        text.pairs(value, file)


DOCUMENT = {"a": {"b": [{"c": 'quote " and { brace'}]}, "d": "e: [", 'f"': 1}


def test_keys_by_depth() -> None:
    keys = text.json_keys(json.dumps(DOCUMENT).encode())
    assert keys == {(1, "a"), (2, "b"), (4, "c"), (1, "d"), (1, r"f\"")}


@given(st.integers(0, len(json.dumps(DOCUMENT))))
def test_keys_of_a_document_cut_anywhere_are_some_of_its_keys(cut: int) -> None:
    whole = json.dumps(DOCUMENT).encode()
    assert text.json_keys(whole[:cut]) <= text.json_keys(whole)


@pytest.mark.parametrize("head", [b"", b"x,y\n", b'\x00\x01{"a":1}', b'"a": {"b": 1}'])
def test_keys_of_what_is_not_json(head: bytes) -> None:
    assert text.json_keys(head) == set()


def test_keys_of_a_long_open_string_take_no_longer_than_its_length() -> None:
    assert text.json_keys(b'{"a": "' + b'\\"' * 32_000) == {(1, "a")}
