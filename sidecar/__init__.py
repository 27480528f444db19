"""sidecar turns a DICOM scan into small PNG slices, and brings the labels that you make on them
back to the exact place in the scan.

    import sidecar

    png = sidecar.export("scan/", "png/", scale=0.5, z_step=2)  # or: png = sidecar.open("png/")
    mm = png.to_patient([[120.0, 88.5]], slice=7)               # PNG pixel, center → mm, LPS
    xy, k = png.from_patient(mm)                                # and back
    points = sidecar.map_points("labels.csv", png)              # label files of any tool
    old = sidecar.adopt("scan/", "old_pngs/")                   # PNGs that another program made

The names in `sidecar.__all__` are public. Everything else may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sidecar.document.generator import PROGRAM_VERSION
from sidecar.errors import (
    AmbiguousSeriesError,
    BatchError,
    ColumnError,
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
    from sidecar.api import (
        adopt,
        align,
        align_group,
        check,
        export,
        inspect,
        integrations,
        label,
        map_file,
        map_mask,
        map_points,
        measure,
        measure_repeats,
        open,
        prepare,
        project,
        project_file,
        report,
        view,
        zoom,
    )
    from sidecar.api.labels import MappedMask
    from sidecar.api.measures import Aligned, AlignedGroup
    from sidecar.api.points import Points
    from sidecar.checks.finding import Finding
    from sidecar.exporting.inspect import Inspection
    from sidecar.labels.load import Mapping
    from sidecar.labels.project import Projection
    from sidecar.mapping import Sidecar
    from sidecar.morphometrics.measured import Measured
    from sidecar.morphometrics.repeats import RepeatedLandmark, Repeats
    from sidecar.progress import Progress
    from sidecar.viewer.serving.server import LabelServer

__version__ = PROGRAM_VERSION

__all__ = [
    "Aligned",
    "AlignedGroup",
    "AmbiguousSeriesError",
    "BatchError",
    "ColumnError",
    "DocumentError",
    "Finding",
    "GeometryError",
    "ImageError",
    "Inspection",
    "LabelError",
    "LabelServer",
    "MappedMask",
    "Mapping",
    "Measured",
    "MissingExtraError",
    "OutputError",
    "PixelError",
    "Points",
    "Progress",
    "Projection",
    "RepeatedLandmark",
    "Repeats",
    "Sidecar",
    "SidecarError",
    "SourceError",
    "UsageError",
    "WorkersLostError",
    "__version__",
    "adopt",
    "align",
    "align_group",
    "check",
    "export",
    "inspect",
    "integrations",
    "label",
    "map_file",
    "map_mask",
    "map_points",
    "measure",
    "measure_repeats",
    "open",
    "prepare",
    "project",
    "project_file",
    "report",
    "view",
    "zoom",
]

_FUNCTIONS = (
    "adopt align align_group check export inspect integrations label map_file map_mask map_points"
    " measure measure_repeats open prepare project project_file report view zoom"
)
#: Names that are loaded when they are first used, and their modules. So mapping points never loads
#: pydicom.
_LAZY = dict.fromkeys(_FUNCTIONS.split(), "sidecar.api") | {
    "Aligned": "sidecar.api.measures",
    "AlignedGroup": "sidecar.api.measures",
    "Finding": "sidecar.checks.finding",
    "Inspection": "sidecar.exporting.inspect",
    "LabelServer": "sidecar.viewer.serving.server",
    "MappedMask": "sidecar.api.labels",
    "Mapping": "sidecar.labels.load",
    "Measured": "sidecar.morphometrics.measured",
    "Points": "sidecar.api.points",
    "Progress": "sidecar.progress",
    "Projection": "sidecar.labels.project",
    "RepeatedLandmark": "sidecar.morphometrics.repeats",
    "Repeats": "sidecar.morphometrics.repeats",
    "Sidecar": "sidecar.mapping",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'sidecar' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
