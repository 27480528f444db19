"""The PNGs of an export, by their numbers: names carry the tag of the export."""

from __future__ import annotations

import json
from pathlib import Path


def png_names(folder: Path) -> list[str]:
    """The names in the folder's sidecar.json, in slice order."""
    document = json.loads((folder / "sidecar.json").read_text(encoding="utf-8"))
    return [file["name"] for file in document["images"]["files"]]


def png_path(folder: Path, number: int) -> Path:
    """The PNG of a slice."""
    return folder / png_names(folder)[number]
