"""DICOM scans as small PNG slices, and labels made on those PNGs back exactly where they belong in
the scan.

    import sidecar

    png = sidecar.export("scan/", "png/", scale=0.5, z_step=2)  # or: png = sidecar.open("png/")
    mm = png.to_patient([[120.0, 88.5]], slice=7)               # PNG pixel, center → mm, LPS
    xy, k = png.from_patient(mm)                                # and back
    points = sidecar.map_file("labels.csv", png).points         # a label file of any tool
    old = sidecar.adopt("scan/", "old_pngs/")                   # PNGs that another program made
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sidecar.errors import (
    AmbiguousSeriesError,
    BatchError,
    DocumentError,
    GeometryError,
    ImageError,
    LabelError,
    MissingExtraError,
    OutputError,
    PixelError,
    SidecarError,
    SourceError,
    UsageError,
    WorkersLostError,
)

if TYPE_CHECKING:
    from sidecar.api import adopt, export, inspect, map_file, open, project_file
    from sidecar.mapping import Sidecar

__all__ = [
    "AmbiguousSeriesError",
    "BatchError",
    "DocumentError",
    "GeometryError",
    "ImageError",
    "LabelError",
    "MissingExtraError",
    "OutputError",
    "PixelError",
    "Sidecar",
    "SidecarError",
    "SourceError",
    "UsageError",
    "WorkersLostError",
    "adopt",
    "export",
    "inspect",
    "map_file",
    "open",
    "project_file",
]

#: Loaded when they are first used, so that mapping points never loads pydicom.
_LAZY = dict.fromkeys(
    ("adopt", "export", "inspect", "map_file", "open", "project_file"), "sidecar.api"
) | {"Sidecar": "sidecar.mapping"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'sidecar' has no attribute {name!r}")
