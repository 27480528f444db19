"""The name and version of this program."""

from __future__ import annotations

import sidecar


def generator() -> str:
    """Name and version of this program, as documents carry them."""
    return f"dicom-sidecar {sidecar.__version__}"
