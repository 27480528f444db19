"""The name and version of this program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The version that is installed; "unknown" where the program is run without being installed."""
    try:
        return version("dicom-sidecar")
    except PackageNotFoundError:
        return "unknown"


def generator() -> str:
    """Name and version of this program, as documents carry them; the name alone where the version
    is not known.
    """
    found = installed_version()
    return "dicom-sidecar" if found == "unknown" else f"dicom-sidecar {found}"
