"""The JSON Schemas that travel with the package, generated from the models:

``python -m sidecar.schemas`` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sidecar.document.model import schema
from sidecar.exporting.config import config_schema
from sidecar.masks.segments import mask_config_schema

#: In a checkout; an installed package has them in its own folder ``schemas``.
FOLDER = Path(__file__).parents[1] / "schemas"


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its file name."""
    return {
        "sidecar-1.0.schema.json": schema(),
        "config-1.0.schema.json": config_schema(),
        "mask-config-1.0.schema.json": mask_config_schema(),
    }


def as_text(content: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    for name, content in schemas().items():
        (FOLDER / name).write_text(as_text(content), encoding="utf-8")
