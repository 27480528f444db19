"""Write the companion volume: the PNG stack as one NRRD, NIfTI or MetaImage file that opens at its
true position in the patient.

It is made from the PNGs on the disk, one after the other, in constant memory. Its voxels are the
pixels of the PNGs. Origin, spacing and direction are those of ``images`` in the sidecar, sheared
where the gantry was tilted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import imagecodecs
from numpy.typing import NDArray

from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import OutputError, UsageError
from sidecar.formats.volume_files import RAW_HEADERS, SHEARED_NIFTI, Volume, write_planes
from sidecar.mapping import Sidecar, volume_of
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Location, WritableLocation

#: A note is written if the affine differs from the planes by more than this part of the smallest
#: voxel edge.
_WORTH_MENTIONING = 1e-3


def volume_name(format: str) -> str:
    """The name of the file of a companion volume, in the folder of the export.

    UsageError for an unknown format.
    """
    if format not in RAW_HEADERS:
        raise UsageError(f"--volume {format}: it is one of {', '.join(RAW_HEADERS)}")
    return "volume" + RAW_HEADERS[format][0]


def write_volume(folder: Place, format: str, sidecar: Sidecar | None = None) -> WritableLocation:
    """Write the volume of an export beside its PNGs, and return its place.

    ``format``: nrrd, nifti or mha. ``sidecar``: the document, if it is not in the folder yet.

    Raises UsageError for another format, GeometryError where one origin, spacing and direction do
    not describe the slices, OutputError where the format cannot hold the volume or it cannot be
    written, DocumentError without a sidecar.
    """
    folder = locate(folder)
    path = folder / volume_name(format)
    sidecar = sidecar or Sidecar.open(folder)
    volume = volume_of(sidecar, format)
    header = RAW_HEADERS[format][1](volume)
    with path.whole() as part, part.open("wb") as file:
        file.write(header)
        write_planes(file, _planes(folder, sidecar, volume), volume)
    return path


def volume_notes(sidecar: Sidecar, format: str) -> tuple[str, ...]:
    """Notes for the user on what the volume does not show exactly."""
    volume, residual = volume_of(sidecar, format), sidecar.document.images.affine_residual_mm
    notes = []
    if residual is not None and residual > _WORTH_MENTIONING * volume.spacing.min():
        notes.append(
            "the volume has one origin and one spacing, which put slices up to"
            f" {residual:.3g} mm away from where they are; sidecar.json has the place of each slice"
        )
    if volume.is_sheared:
        notes.append(
            "the stack is tilted, so the axes of the volume are not at right angles; some programs"
            " do not show that"
        )
        if format == "nifti":
            notes.append(SHEARED_NIFTI)
    return tuple(notes)


def _planes(folder: Location, sidecar: Sidecar, volume: Volume) -> Iterator[NDArray[Any]]:
    columns, rows, _ = volume.size
    shape = (rows, columns, volume.channels)[: 3 if volume.channels > 1 else 2]
    for image in sidecar.document.images.files:
        try:
            pixels = imagecodecs.png_decode((folder / image.name).read_bytes())
        except (OSError, RuntimeError, ValueError) as error:
            raise OutputError(
                f"{image.name}, which {SIDECAR_NAME} names, cannot be read ({error}); export again"
            ) from None
        if pixels.shape != shape or pixels.dtype != volume.dtype:
            raise OutputError(
                f"{image.name} is not the PNG that {SIDECAR_NAME} describes; export again"
            )
        yield pixels
