"""Digests of files."""

from __future__ import annotations

import hashlib

from sidecar.storage.location import Location

#: Bytes fetched at a time from a remote file. Most PNGs need one request.
_BLOCK = 1 << 22


def file_digest(file: Location) -> str:
    """SHA-256 of a file, read in pieces."""
    with file.open(_BLOCK) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
