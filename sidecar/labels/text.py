"""Read label files as text, JSON, XML and tables, with size limits and strict decoding.

Every fault is a LabelError with its place.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from xml.etree.ElementTree import Element, ParseError

from sidecar.errors import LabelError

#: Size limit of a label file, enough for about five million labels. A larger file is refused before
#: it is read into memory.
LIMIT_BYTES = 128 * 2**20

#: Limit of numbers in a label file. Up to here, sums and products of two numbers are finite, and
#: whole numbers are exact.
LARGEST = 1e15

_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: Characters that may stand around a number. Python also strips control characters, but here they
#: are a sign of damage.
_BLANKS = " \t\r\n\xa0"
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_JSON_TOKEN = re.compile(r'"(?P<key>(?:[^"\\]|\\.)*+)"\s*:|"(?:[^"\\]|\\.)*+"?|[{}\[\]]', re.DOTALL)
#: The starts and ends of parts that may stand before the root element of an XML file.
_BEFORE_ROOT = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"))
_SEP_LINE = re.compile(r"\ufeff?\"?sep=([,;\t])\"?[,;\t]*\r?\n", re.IGNORECASE)
_KINDS: dict[type, str] = {dict: "object", list: "list", str: "text"}

T = TypeVar("T")


def read_bytes(path: Path, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """The whole file.

    Raises LabelError when it cannot be read or is larger than ``limit_bytes``.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            data = file.read(limit_bytes + 1) if size <= limit_bytes else b""
    except OSError as error:
        raise LabelError(
            f"cannot be read: {error.strerror or 'input/output error'}", path
        ) from error
    if max(size, len(data)) > limit_bytes:
        raise LabelError(
            f"is larger than {limit_bytes // 2**20} MiB, which is too large for a label file;"
            " split it",
            path,
        )
    return data


def read_text(path: Path, limit_bytes: int = LIMIT_BYTES) -> str:
    """The file as text: UTF-8 with or without BOM, or UTF-16 with BOM.

    Any other encoding raises LabelError; nothing is guessed.
    """
    data = read_bytes(path, limit_bytes)
    encoding = _BOMS.get(data[:2], "utf-8-sig")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        problem = (
            f"is not {encoding.removesuffix('-sig').upper()} text (byte {error.start} cannot be"
            " decoded)"
        )
        raise LabelError(f"{problem}; save it again with the encoding UTF-8", path) from error
    if "\0" in text:
        problem = "holds NUL characters, so it is a binary file, or UTF-16 text without a BOM"
        raise LabelError(f"{problem}; save it again with the encoding UTF-8", path)
    return text


def head_text(head: bytes) -> str:
    """The start of a file as text, for recognition only. Bytes that cannot be decoded, or that were
    cut in the middle, are replaced.
    """
    return head.decode(_BOMS.get(head[:2], "utf-8-sig"), errors="replace")


def xml_start(head: bytes) -> str:
    """The start of an XML file from its root element on; "" where there is no root element.

    For recognition only: nothing is validated.
    """
    text = head_text(head).lstrip()
    while text.startswith(("<?", "<!")):
        end = next((end for start, end in _BEFORE_ROOT if text.startswith(start)), None)
        text = text.partition(end)[2].lstrip() if end else ""
    return text


def json_keys(head: bytes) -> set[tuple[int, str]]:
    """(depth, key) of the object keys in the start of a JSON file. The outermost depth is 1.

    The start may be cut anywhere. Empty for text that does not begin as JSON. For recognition only:
    nothing is validated.
    """
    text = head_text(head).lstrip()
    keys: set[tuple[int, str]] = set()
    depth = 0
    for token in _JSON_TOKEN.finditer(text) if text.startswith(("{", "[")) else ():
        if token["key"] is not None:
            keys.add((depth, token["key"]))
        elif not token[0].startswith('"'):
            depth += 1 if token[0] in "{[" else -1
    return keys


def load_json(path: Path) -> Any:
    """The JSON document in the file.

    NaN and Infinity, which are not JSON, and too deep nesting raise LabelError.
    """
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path, where: str | None = None) -> Any:
    """JSON in a part of the file, such as a table cell. Errors are those of `load_json`."""

    def refuse(constant: str) -> NoReturn:
        raise LabelError(
            f"holds {constant}, which is not a number; delete or correct that entry", path, where
        )

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise LabelError(
            f"is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            path,
            where,
        ) from error
    except RecursionError as error:
        raise LabelError("is nested too deeply for a label file", path, where) from error
    except LabelError:
        raise
    except ValueError as error:  # an integer with thousands of digits
        raise LabelError("holds a number that is too long", path, where) from error


def load_xml(path: Path, has_doctype: bool = False) -> Element:
    """The root of the XML document in the file.

    Entities, and document types except where a tool writes one (``has_doctype``), raise LabelError.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(read_bytes(path), forbid_dtd=not has_doctype)
    except DefusedXmlException as error:
        raise LabelError(
            "holds a document type or an entity declaration; label files do not need these, so"
            " remove it",
            path,
        ) from error
    except (
        ParseError,
        LookupError,
        ValueError,
    ) as error:  # LookupError, ValueError: the encoding does not exist or does not fit
        raise LabelError(f"is not valid XML: {error}", path) from error
    return root


def after_sep_line(text: str) -> tuple[str | None, str, int]:
    """The delimiter in a first line such as ``sep=;``, the text after that line, and the row number
    at which that text starts.

    None, the whole text and 1 where there is no such line.
    """
    found = _SEP_LINE.match(text)
    return (found[1], text[found.end() :], 2) if found else (None, text, 1)


def first_filled_line(text: str) -> str:
    """The first line of a table that holds more than delimiters; "" where there is none."""
    return next(filter(_is_filled, text.splitlines()), "")


def _is_filled(line: str) -> bool:
    return bool(line.strip(" ,;\t"))


def first_row(head: bytes, delimiter_of: Callable[[str], str]) -> list[str]:
    """The cells of the first row with any cells, with quotes resolved; [] where quotes are wrong.

    For recognition only.
    """
    return next(iter(first_rows(head, delimiter_of, 1)), [])


def first_rows(head: bytes, delimiter_of: Callable[[str], str], count: int) -> list[list[str]]:
    """The first ``count`` rows with any cells, or as many as there are, as `first_row` has them."""
    delimiter, text, _ = after_sep_line(head_text(head))
    filled = list(islice(filter(_is_filled, text.splitlines()), count))
    try:
        return list(csv.reader(filled, delimiter=delimiter or delimiter_of("".join(filled[:1]))))
    except csv.Error:
        return []


def table(text: str, path: Path, delimiter: str = ",") -> list[list[str]]:
    """The records of a delimited table, with quotes resolved.

    An open or misplaced quote raises LabelError, because it would hide rows.
    """
    csv.field_size_limit(LIMIT_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise LabelError(
            f"is not a valid table: {error}", path, f"line {reader.line_num}"
        ) from error


def number(value: object, path: Path, where: str | None = None, name: str = "coordinate") -> float:
    """A finite number from JSON, or from text with a decimal point.

    Raises LabelError for anything else, and for numbers beyond ±LARGEST.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip(_BLANKS)):
        result = float(value.strip(_BLANKS))
    elif isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value.strip(_BLANKS)):
        raise LabelError(
            f"{name} {value!r} has a decimal comma; write a decimal point", path, where
        )
    else:
        raise LabelError(f"{name} {_shown(value)} is not a number", path, where)
    if not math.isfinite(result):
        raise LabelError(f"{name} {_shown(value)} is not a finite number", path, where)
    if abs(result) > LARGEST:
        raise LabelError(
            f"{name} {_shown(value)} is a number larger than any image; correct it", path, where
        )
    return result


def whole(value: object, path: Path, where: str | None = None, name: str = "number") -> int:
    """A whole number, which may be written as 3.0. Raises LabelError for anything else."""
    result = number(value, path, where, name)
    if not result.is_integer():
        raise LabelError(f"{name} {_shown(value)} is not a whole number", path, where)
    return int(result)


def text_of(value: object) -> str:
    """A JSON value as the text of a table cell: "" for null, text as it is, the rest as JSON."""
    if value is None or value == {} or value == []:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def member(parent: object, key: str, kind: type[T], path: Path, where: str | None = None) -> T:
    """``parent[key]`` of a JSON object. LabelError unless it is of ``kind`` (dict, list or str)."""
    value = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(value, kind):
        raise LabelError(f"has no {_KINDS[kind]} {key!r}", path, where)
    return value


def pairs(value: object, path: Path, where: str | None = None) -> list[tuple[float, float]]:
    """A JSON list of [x, y] as pairs of finite numbers. Raises LabelError otherwise."""
    if not isinstance(value, list) or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    ):
        raise LabelError("coordinates are not a list of [x, y] pairs", path, where)
    return [(number(x, path, where), number(y, path, where)) for x, y in value]


def _shown(value: object) -> str:
    """A value from the file, shortened for a message."""
    text = (
        repr(value) if isinstance(value, (str, float, bool, type(None))) else type(value).__name__
    )
    return text if len(text) <= 40 else f"{text[:37]}..."
