"""The JSON Schemas that come with the package, generated from the models.

``python -m sidecar.schemas`` writes them anew. The schemas of earlier versions stay beside them
unchanged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sidecar.document.reading import schema
from sidecar.exporting.config import config_schema
from sidecar.masks.segments import mask_config_schema

#: The folder of the schemas in a checkout. An installed package has them in its own folder
#: ``schemas``.
FOLDER = Path(__file__).parents[1] / "schemas"


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema of this version, by its file name."""
    made = {
        "sidecar-1.1.schema.json": schema(),
        "config-1.1.schema.json": config_schema(),
        "mask-config-1.0.schema.json": mask_config_schema(),
    }
    return {name: _unwrapped(content) for name, content in made.items()}


def _unwrapped(content: Any) -> Any:
    """The schema with each text on one line. Docstrings are wrapped for readers of the code."""
    if isinstance(content, dict):
        return {key: _unwrapped(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_unwrapped(value) for value in content]
    return " ".join(content.split()) if isinstance(content, str) else content


def as_text(content: dict[str, Any]) -> str:
    """The text of the file of a schema."""
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    for name, content in schemas().items():
        (FOLDER / name).write_text(as_text(content), encoding="utf-8")
