"""The companion volume: the PNG stack as one NRRD, NIfTI or MetaImage that opens in the right place
in the patient.

It is made of the PNGs on the disk, one after the other, in flat memory; its voxels are theirs.
Origin, spacing and direction are those of the sidecar's ``images``, sheared where the gantry was
tilted.
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

#: An affine that is further than this part of the smallest voxel edge from the planes is mentioned.
_WORTH_MENTIONING = 1e-3


def volume_name(format: str) -> str:
    """The file a companion volume is written to, in the folder of the export.

    UsageError for an unknown format.
    """
    if format not in RAW_HEADERS:
        raise UsageError(f"--volume {format}: it is one of {', '.join(RAW_HEADERS)}")
    return "volume" + RAW_HEADERS[format][0]


def write_volume(folder: Place, format: str, sidecar: Sidecar | None = None) -> WritableLocation:
    """Write the volume of an export beside its PNGs and return where it is.

    ``format``: nrrd, nifti or mha; ``sidecar``: if not there yet.

    Raises UsageError for another format, GeometryError where one origin, spacing and direction do
    not describe the slices, OutputError where the format cannot hold it or it cannot be written,
    DocumentError without a sidecar.
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
    """What to tell whoever asks for a volume: what it will not show as it is."""
    volume, residual = volume_of(sidecar, format), sidecar.document.images.affine_residual_mm
    notes = []
    if residual is not None and residual > _WORTH_MENTIONING * volume.spacing.min():
        notes.append(
            f"one origin and spacing put the slices up to {residual:.3g} mm from where they are;"
            " sidecar.json has each of them"
        )
    if volume.is_sheared:
        notes.append(
            "the stack is tilted, so the volume's axes are not at right angles: not all programs"
            " show that"
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
