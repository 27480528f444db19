"""Digests of files."""

from __future__ import annotations

import hashlib

from sidecar.storage.location import Location

#: Bytes of a remote file fetched at a time: most PNGs at once.
_BLOCK = 1 << 22


def file_digest(file: Location) -> str:
    """SHA-256 of a file, read in pieces."""
    with file.open(_BLOCK) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
