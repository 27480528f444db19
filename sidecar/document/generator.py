"""The name and version of this program."""

from __future__ import annotations

#: Also in pyproject.toml; here it is read without asking what is installed.
PROGRAM_VERSION = "0.1.0"


def generator() -> str:
    """Name and version of this program, as documents carry them."""
    return f"dicom-sidecar {PROGRAM_VERSION}"
