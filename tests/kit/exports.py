"""The PNGs of an export, by their numbers: names carry the tag of the export."""

from __future__ import annotations

import json
import re
from pathlib import Path


def png_names(folder: Path) -> list[str]:
    """The names in the folder's sidecar.json, in slice order."""
    document = json.loads((folder / "sidecar.json").read_text(encoding="utf-8"))
    return [file["name"] for file in document["images"]["files"]]


def tagged(text: str, folder: Path) -> str:
    """A text with the names of the PNGs of an export, where it has them without their tag."""
    names = {Path(name).stem.rpartition("_")[0]: Path(name).stem for name in png_names(folder)}
    return re.sub(
        r"slice_\d{4}(?![\d_])",
        lambda found: names.get(found[0].lower(), found[0]),
        text,
        flags=re.IGNORECASE,
    )


def png_path(folder: Path, number: int) -> Path:
    """The PNG of a slice."""
    return folder / png_names(folder)[number]
