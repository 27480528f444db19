"""Masks on the scan, where a test asks only for the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sidecar


def map_mask(masks: Any, output: Path, export: Any = None, **options: Any) -> Path:
    """The file that `sidecar.map_mask` wrote."""
    return sidecar.map_mask(masks, output, export, **options).path
