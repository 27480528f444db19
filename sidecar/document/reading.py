"""Reading of sidecar.json: a strictly validated `Document`, and the JSON Schema of documents.

pydantic validates against the types and the metadata of the models. It is loaded only to read a
document. An export, which only writes one, starts sooner without it.
"""

from __future__ import annotations

import codecs
import contextlib
import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from sidecar.document.model import JOURNAL, SIDECAR_NAME, VERSION, Document
from sidecar.document.writing import digest_of
from sidecar.errors import DocumentError
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation
from sidecar.storage.names import PLAIN_NAME, RELATIVE_NAME

if TYPE_CHECKING:
    from pydantic import TypeAdapter

#: Most bytes of a document. 100,000 slices take about 60 MB.
MAX_BYTES = 512 * 1024 * 1024

#: Where the files are, for each pattern of file names.
_WHERE_NAMES_LEAD = {
    PLAIN_NAME: "in the folder of the document",
    RELATIVE_NAME: "in the folder of the source",
}


def parse(text: str | bytes, name: str = SIDECAR_NAME) -> Document:
    """The document in ``text``.

    DocumentError states what is wrong with it, or that it has a newer major version.
    """
    stated(text, name)
    return _validated(text, name)


def stated(text: str | bytes, name: str = SIDECAR_NAME) -> dict[str, Any]:
    """The JSON of a document, unchanged except that all numbers are floats.

    DocumentError where the text is not a document of this major version.
    """
    try:
        raw = json.loads(
            text, parse_int=float, parse_constant=_no_number, object_pairs_hook=_each_once
        )
    except RecursionError:
        raise DocumentError(f"{name} is nested too deeply to be a sidecar document") from None
    except ValueError as error:
        raise DocumentError(
            f"{name} is not complete JSON ({error}); export again, or restore it from a copy"
        ) from None
    version = raw.get("version") if isinstance(raw, dict) else None
    if not isinstance(version, str):
        raise DocumentError(f"{name} is not a sidecar document: it has no version")
    if version.split(".")[0] != VERSION.split(".")[0]:
        raise DocumentError(
            f"{name} is of version {version[:20]}; this program reads version 1: update"
            " dicom-sidecar"
        )
    assert isinstance(raw, dict)
    return raw


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields two readers cannot read differently."""
    read = dict(pairs)
    if len(read) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"it states {counts.most_common(1)[0][0][:40]!r} twice")
    return read


@cache
def _adapter() -> TypeAdapter[Document]:
    from pydantic import TypeAdapter

    return TypeAdapter(Document)


def _validated(text: str | bytes, name: str) -> Document:
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = _WHERE_NAMES_LEAD.get(first.get("ctx", {}).get("pattern", ""))
        if where is not None:
            raise DocumentError(
                f"{name} names {str(first['input'])[:80]!r} at {place}, which is not the name of a"
                f" file {where}: no program writes such a document, so nothing is done with it"
            ) from None
        raise DocumentError(
            f"{name} is damaged at {place}: {first['msg']}; export again, or restore it from a copy"
        ) from None


def load(place: Place) -> Document:
    """Read a document from a sidecar.json, or from a folder that holds one. DocumentError."""
    path = file = locate(place)
    try:
        if path.is_folder():
            file = path / SIDECAR_NAME
        elif path.exists() and not path.is_file():
            raise DocumentError(f"{file.name} is neither a file nor a folder")
        if file.stamp()[0] > MAX_BYTES:
            raise DocumentError(f"{file.name} is larger than any sidecar document")
        text = file.read_bytes()
    except FileNotFoundError:
        folder = path.name or path.resolved().name
        where = f"{file.name} in folder {folder}" if file != path else path.name
        raise DocumentError(f"there is no {where}{_why_missing(file)}") from None
    except OSError as error:
        raise DocumentError(f"{file.name} cannot be read: {error.strerror}") from None
    text = text.removeprefix(codecs.BOM_UTF8)
    raw = stated(text, file.name)
    document = _validated(text, file.name)
    if document.digest is not None and document.digest != digest_of(raw):
        raise DocumentError(
            f"{file.name} was changed after it was written; export again, restore it from a copy,"
            " or, if the change is intended, remove its digest"
        )
    return document


def _why_missing(file: WritableLocation) -> str:
    """The end of the message that there is no such file: the reason, or what to give instead."""
    if file.name != SIDECAR_NAME:
        return ", neither a file nor a folder"
    with contextlib.suppress(OSError):
        if (file.parent / JOURNAL).exists():
            return ": its export was interrupted; run the same command again to finish it"
    return ": give the folder of an export, which `sidecar export` makes"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document, as kept in ``schemas/sidecar-1.1.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_adapter().json_schema(mode="validation"),
    }
