"""The name and version of this program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def generator() -> str:
    """Name and version of this program, as documents carry them."""
    try:
        return f"dicom-sidecar {version('dicom-sidecar')}"
    except PackageNotFoundError:
        return "dicom-sidecar"
