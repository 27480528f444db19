"""DICOM files as somebody else's program leaves them: the same file with other attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom


def edited(path: Path, **attributes: Any) -> None:
    """Give attributes of a file other values, in place."""
    header = pydicom.dcmread(path)
    for keyword, value in attributes.items():
        setattr(header, keyword, value)
    header.save_as(path)
