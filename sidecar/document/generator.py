"""The name and version of this program."""

from __future__ import annotations

#: The version also stands in pyproject.toml. Here it can be read without asking for installed
#: packages.
PROGRAM_VERSION = "0.2.0"


def generator() -> str:
    """Name and version of this program, as documents state them."""
    return f"dicom-sidecar {PROGRAM_VERSION}"
