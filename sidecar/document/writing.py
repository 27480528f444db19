"""Writing of a `Document` as sidecar.json: JSON that people can read, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from json.encoder import encode_basestring
from types import NoneType
from typing import Any

from sidecar.document.model import Document, Model
from sidecar.storage.locate import Place, locate


def sealed(document: Document) -> Document:
    """The document with its digest, by which `sidecar.document.reading.load` notices any later
    change.
    """
    return replace(document, digest=digest_of(json.loads(as_text(document), parse_int=float)))


def digest_of(stated: dict[str, Any]) -> str:
    """The digest of the JSON of a document, with all numbers as floats, without its own digest."""
    rest = {key: value for key, value in stated.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


#: Fields to leave out, by name. The value is None for the whole field, or what to leave out within
#: it, or within each of its items.
Needless = Mapping[str, "Needless | None"]


def facts(value: Any, needless: Needless | None = None) -> Any:
    """A document, or a part of one, in the types of JSON: dictionaries, lists, text and numbers."""
    needless = needless or {}
    if isinstance(value, Model):
        return {
            name: one if type(one) in _PLAIN else facts(one, needless.get(name))
            for name, one in vars(value).items()
            if needless.get(name, needless) is not None
        }
    if isinstance(value, list | tuple):
        return [one if type(one) in _PLAIN else facts(one, needless) for one in value]
    return value


def as_text(document: Document) -> str:
    """The document as JSON that people can read, with each list of numbers on one line.

    ValueError for a number that is not finite.
    """
    return _text(document, "\n") + "\n"


def planes_text(document: Document) -> str:
    """The list of source planes as it stands in `as_text`, without what is around it."""
    return _text(document.source.planes, "\n  ")


def _text(value: Any, line: str) -> str:
    """JSON of a value. ``line`` is a line break with the indentation of its closing bracket."""
    plain = _PLAIN.get(type(value))
    if plain is not None:
        return plain(value)
    if isinstance(value, float):
        return number(float(value))  # floats of numpy have another repr
    inner, plain_of = line + " ", _PLAIN.get
    if isinstance(value, Model):
        items = [
            f'"{name}": {plain(one) if (plain := plain_of(type(one))) else _text(one, inner)}'
            for name, one in vars(value).items()
        ]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}"
    items = [plain(one) if (plain := plain_of(type(one))) else _text(one, inner) for one in value]
    if any(item[0] in '[{"' for item in items):
        return f"[{inner}{f',{inner}'.join(items)}{line}]"
    return f"[{', '.join(items)}]"


def number(value: float) -> str:
    """The shortest text that reads as the same number.

    It is the text of JavaScript, except that whole numbers end in ".0", and that numbers from 1e16
    on have an exponent.

    ValueError for a number that is not finite.
    """
    text = repr(value)
    if "e-" not in text:
        if "n" in text:  # nan and inf
            raise ValueError("a sidecar document holds finite numbers only")
        return text
    digits, _, power = text.partition("e-")
    if power != "05":
        return f"{digits}e-{power.lstrip('0')}"
    sign, digits = ("-", digits[1:]) if value < 0 else ("", digits)
    return f"{sign}0.0000{digits.replace('.', '')}"


#: Functions that make the JSON of values without parts, by type.
_PLAIN: dict[type, Callable[[Any], str]] = {
    float: number,
    str: encode_basestring,
    NoneType: lambda _: "null",
    int: str,
    bool: lambda value: "true" if value else "false",
}


def save(document: Document, path: Place) -> None:
    """Write the document, whole or not at all. OutputError where it cannot be written."""
    locate(path).put(as_text(document).encode())
