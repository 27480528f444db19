"""Masks and regions painted on the PNGs, put back on the scan.

    mask = read_mask([Path("masks/")], sidecar)  # labels on the PNG grid, plane by plane
    mapped = MappedMask.on_source(mask)          # the same labels on the source grid
    WRITERS["seg.nrrd"].write(mapped, Path("masks.seg.nrrd"), None, Silent())

`map_mask` is all of it in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sidecar.labels.model import PixelOrigin
from sidecar.mapping import Sidecar
from sidecar.progress import Progress, Silent


def map_mask(
    masks: str | Path | Sequence[str | Path],
    output: str | Path,
    sidecar: Sidecar | None = None,
    *,
    to: str | None = None,
    grid: str = "source",
    fill: str = "repeat",
    config: str | Path | None = None,
    dicom: str | Path | None = None,
    pseudonym: str | None = None,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    trust_names: bool = False,
    statistics: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Put masks back on the scan and return what was written. Options are those of the command
    line, defaults too.

    Raises LabelError for masks that cannot be placed, GeometryError and OutputError for what the
    output cannot hold, and UsageError.
    """
    from sidecar.labels.identity.exports import Export
    from sidecar.labels.load import LoadOptions
    from sidecar.labels.model import ReadOptions
    from sidecar.masks.job import Options, plan_job

    given = [Path(masks)] if isinstance(masks, (str, Path)) else [Path(mask) for mask in masks]
    options = Options(
        to=to,
        grid=grid,
        fill=fill,
        config=None if config is None else Path(config),
        dicom=None if dicom is None else Path(dicom),
        pseudonym=pseudonym,
        loading=LoadOptions(format, ReadOptions(pixel_origin), trust_names=trust_names),
        statistics=None if statistics is None else Path(statistics),
    )
    job = plan_job(given, Path(output), [] if sidecar is None else [Export(sidecar)], options)
    job.run(progress or Silent())
    return job.output
