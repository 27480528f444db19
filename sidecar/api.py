"""Every command as a function;
`sidecar` names them. What a function needs is loaded when it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sidecar.exporting.inspect import Inspection
    from sidecar.labels.load import Mapping
    from sidecar.labels.model import PixelOrigin, SliceOrigin
    from sidecar.labels.project import Projection
    from sidecar.mapping import Sidecar
    from sidecar.progress import Progress
    from sidecar.storage.locate import Place


def inspect(source: Place) -> Inspection:
    """Read the headers of everything under ``source``: a folder, a zip, a file or a DICOMDIR,
    or their URL.

    SourceError where there is no such place.
    """
    from sidecar.exporting import inspect as inspecting

    return inspecting.inspect(source)


def export(
    source: Place, output: Place, progress: Progress | None = None, **options: Any
) -> Sidecar:
    """Export one stack and return its mapping.

    ``options`` are those of the command line: ``scale=0.5, z_step=2, bits=16, voxel=(0.01, 0.01,
    0.02)`` … Either place may be a URL that fsspec knows, such as ``s3://bucket/scan``.

    An export of the same source and options that is finished already is left as it is.

    Raises UsageError, SourceError (AmbiguousSeriesError where there are several stacks) and
    OutputError.
    """
    from sidecar.exporting import run

    return run.export(source, output, progress, **options)


def open(path: Place) -> Sidecar:
    """The mapping of a finished export: ``sidecar.json``, or the folder that holds it.

    DocumentError where it cannot be trusted.
    """
    from sidecar.mapping import Sidecar

    return Sidecar.open(path)


def map_file(
    path: str | Path,
    sidecar: Sidecar | None = None,
    *,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    trust_names: bool = False,
    allow_outside: bool = False,
) -> Mapping:
    """Read one label file and map it.

    Without ``sidecar`` the one beside the labels, or beside the images they name, is taken. Names
    of images without a tag are enough with ``trust_names`` only.

    Raises LabelError naming file and row for anything that cannot be mapped, DocumentError for the
    sidecar.
    """
    from sidecar.labels import load

    return load.map_file(
        path,
        sidecar,
        format=format,
        pixel_origin=pixel_origin,
        slice_origin=slice_origin,
        trust_names=trust_names,
        allow_outside=allow_outside,
    )


def project_file(path: str | Path, sidecar: Sidecar, allow_outside: bool = False) -> Projection:
    """PNG pixels of the points of a CSV, or of markups of 3D Slicer: the inverse of `map_file`.

    LabelError names file and row.
    """
    from sidecar.labels import project

    return project.project_file(path, sidecar, allow_outside)


def adopt(
    source: Place,
    images: str | Path,
    *,
    output: str | Path | None = None,
    series: str | None = None,
    join: bool = False,
    factor: float | tuple[float, float] | None = None,
    z_step: float | None = None,
    flip: str | None = None,
    voxel: tuple[float, ...] | str | None = None,
    order: str | None = None,
    progress: Progress | None = None,
) -> Sidecar:
    """Find how images were made from a DICOM stack, and write ``sidecar.json`` for them.

    The options are those of `sidecar.adoption.adopt`, as are the errors.
    """
    from sidecar import adoption

    return adoption.adopt(
        source,
        images,
        output=output,
        series=series,
        join=join,
        factor=factor,
        z_step=z_step,
        flip=flip,
        voxel=voxel,
        order=order,
        progress=progress,
    )
