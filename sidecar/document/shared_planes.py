"""Documents of one source, written quickly: the text of its planes is made once and put into
each document.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from sidecar.document.model import Document
from sidecar.document.writing import as_text, planes_text

#: No string in JSON contains this text: its quotes would be escaped.
_NONE, _NONE_COMPACT = '"planes": []', '"planes":[]'


class SharedPlanes:
    """The planes of the source of ``document``, as text.

    Every document that is sealed or written with them must have the same planes.
    """

    def __init__(self, document: Document) -> None:
        text = planes_text(document)
        self._planes = text.encode()
        self._compact = _compact(json.loads(text, parse_int=float)).encode()

    def sealed(self, document: Document) -> Document:
        """The document with its digest, as `sidecar.document.writing.sealed` returns it."""
        stated: dict[str, Any] = json.loads(_without_planes(document), parse_int=float)
        stated.pop("digest", None)
        before, after = _compact(stated).split(_NONE_COMPACT)
        digest = hashlib.sha256(f'{before}"planes":'.encode())
        digest.update(self._compact)
        digest.update(after.encode())
        return replace(document, digest=digest.hexdigest())

    def encoded(self, document: Document) -> bytes:
        """The document as JSON that people can read, as `as_text` returns it."""
        before, after = _without_planes(document).split(_NONE)
        return b"".join([f'{before}"planes": '.encode(), self._planes, after.encode()])


def _without_planes(document: Document) -> str:
    return as_text(replace(document, source=replace(document.source, planes=[])))


def _compact(stated: Any) -> str:
    """The text whose digest is taken."""
    return json.dumps(stated, sort_keys=True, separators=(",", ":"))
