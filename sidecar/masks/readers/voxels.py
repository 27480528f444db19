"""Masks painted as a volume: NRRD, .seg.nrrd and NIfTI files. They are read slice by slice, and
their geometry is compared with the sidecar's.

A volume fits where its voxels are PNG pixels: it has the affine of the PNG stack, or is a part of
the stack cut out along pixels. A volume without geometry, as programs write it that opened the PNGs
as a plain stack, is taken voxel for pixel, and a note says so.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.formats.volume_files import LPS_TO_RAS
from sidecar.mapping import Sidecar
from sidecar.masks.class_check import RawPlane
from sidecar.masks.model import Segment
from sidecar.masks.relabel import Painting

#: Largest distance of the voxels of a mask from PNG pixels, in pixels. The 32-bit numbers of a
#: header are rounded by this much.
PLACE_TOLERANCE = 0.01
_GZIP = b"\x1f\x8b"
#: The affine of spacing 1 and origin 0 in files of LPS and of RAS.
_PLAIN = (np.eye(4), LPS_TO_RAS)


@dataclass(frozen=True)
class VoxelFile:
    """The header of a volume of labels.

    ``size``: along columns, rows, slices. ``affine``: to LPS mm, None where the file has none.
    ``offset``: where the voxels begin, in the file, or in the unpacked file if ``gzip_whole``.
    ``gzip_data``: the file is packed from there on.
    ``scale``: slope and intercept, which must give whole numbers.
    """

    path: Path
    tool: str
    size: tuple[int, int, int]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64] | None
    offset: int
    gzip_whole: bool = False
    gzip_data: bool = False
    scale: tuple[float, float] = (1.0, 0.0)
    segments: Mapping[int, Segment] = field(default_factory=dict)

    def planes(self) -> Iterator[NDArray[Any]]:
        """(rows, columns) values of each slice, in order.

        LabelError where the file ends early or is damaged.
        """
        columns, rows, slices = self.size
        length = columns * rows * self.dtype.itemsize
        try:
            with self.path.open("rb") as file:
                stream = self._data(file)
                for k in range(slices):
                    data = stream.read(length)
                    if len(data) != length:
                        raise LabelError(
                            f"ends in slice {k} of {slices}; copy or save it again", self.path
                        )
                    yield np.frombuffer(data, self.dtype).reshape(rows, columns)
        except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
            if isinstance(error, LabelError):
                raise
            raise LabelError("is damaged; copy or save it again", self.path) from error

    def _data(self, file: IO[bytes]) -> IO[bytes]:
        if self.gzip_whole:
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=file))
            stream.seek(self.offset)
            return stream
        file.seek(self.offset)
        return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if self.gzip_data else file


def voxel_painting(file: VoxelFile, sidecar: Sidecar) -> Painting:
    """The labels of a volume on the PNGs. LabelError where its voxels are not PNG pixels."""
    shift, notes = _placed(file, sidecar)
    columns, rows, slices = sidecar.size
    whole = (columns, rows) == file.size[:2]

    def planes() -> Iterator[RawPlane | None]:
        values = file.planes()
        for k in range(slices):
            if not shift[2] <= k < shift[2] + file.size[2]:
                yield None
                continue
            part = _labels(next(values), file, k)
            if whole:
                yield RawPlane(part)
            else:
                keys = np.zeros((rows, columns), np.int32)
                keys[shift[1] : shift[1] + part.shape[0], shift[0] : shift[0] + part.shape[1]] = (
                    part
                )
                yield RawPlane(keys)

    return Painting(
        file.path, file.tool, planes, lambda k: f"{file.path.name}, slice {k}", file.segments, notes
    )


def _labels(values: NDArray[Any], file: VoxelFile, k: int) -> NDArray[np.int32]:
    slope, intercept = file.scale
    scaled = values if file.scale == (1.0, 0.0) else values * slope + intercept
    if np.issubdtype(scaled.dtype, np.floating):
        rounded = np.rint(scaled)
        odd = ~(np.abs(scaled - rounded) < 1e-6)
        if odd.any():
            y, x = np.unravel_index(int(np.argmax(odd)), odd.shape)
            raise LabelError(
                f"has voxels that are not whole numbers ({int(odd.sum())}, the first at ({x},"
                f" {y})), so it was resampled or smoothed, or is not a mask. Save labels; if they"
                " must be resampled, use nearest neighbour",
                file.path,
                f"slice {k}",
            )
        scaled = rounded
    if scaled.size and (scaled.min() < 0 or scaled.max() > 65535):
        raise LabelError(
            f"holds values from {scaled.min():g} to {scaled.max():g}, but labels are 1 to 65535,"
            " and 0 means no label",
            file.path,
            f"slice {k}",
        )
    return scaled.astype(np.int32)


def _placed(file: VoxelFile, sidecar: Sidecar) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """The PNG pixel of the first voxel, and notes for the user."""
    stated = sidecar.document.images.affine if sidecar.geometry == "patient" else None
    if file.affine is not None and stated is not None:
        index = np.linalg.inv(np.array(stated)) @ file.affine
        shift = np.rint(index[:3, 3])
        corners = np.array(
            [
                [x, y, z, 1]
                for x in (0, file.size[0])
                for y in (0, file.size[1])
                for z in (0, file.size[2])
            ],
            float,
        ).T
        apart = np.linalg.norm((index @ corners)[:3] - corners[:3] - shift[:, None], axis=0).max()
        if apart <= PLACE_TOLERANCE:
            note = (
                "the volume names no image; only its geometry shows that it was painted over this"
                " export"
            )
            return _within(file, sidecar, shift), (note,)
    if file.affine is None or any(
        np.allclose(_without_spacing(file.affine, sidecar), plain, atol=1e-6) for plain in _PLAIN
    ):
        if file.size != sidecar.size:
            raise LabelError(
                f"has {_times(file.size)} voxels and no position, but the PNGs have"
                f" {_times(sidecar.size)}; paint over the whole stack of PNGs",
                file.path,
            )
        note = (
            "the volume has no position in the patient: voxel (i, j, k) was taken as pixel (i, j)"
            " of PNG k"
        )
        return (0, 0, 0), (note,)
    if stated is None:
        raise LabelError(
            "has a position in the patient, but these PNGs have none, or none by one origin and"
            " one spacing; paint on the PNGs opened as a plain stack (spacing 1, origin 0)",
            file.path,
        )
    raise LabelError(
        f"its voxels lie up to {apart:.3g} PNG pixels from the pixels of this export, so it was"
        " resampled, flipped or painted over something else. Paint on the exported PNGs or on the"
        " volume of export --volume, and save in that geometry",
        file.path,
    )


def _without_spacing(affine: NDArray[np.float64], sidecar: Sidecar) -> NDArray[np.float64]:
    """The affine with spacing 1, if its spacing is that of the PNGs."""
    spacing = [edge for edge in sidecar.document.images.spacing or () if edge is not None]
    if len(spacing) < 3:
        return affine
    scaled = affine @ np.diag([*(1 / edge for edge in spacing), 1.0])
    return scaled if np.allclose(np.linalg.norm(scaled[:3, :3], axis=0), 1, rtol=1e-4) else affine


def _within(file: VoxelFile, sidecar: Sidecar, shift: NDArray[np.float64]) -> tuple[int, int, int]:
    if (shift < 0).any() or (shift + file.size > sidecar.size).any():
        raise LabelError(
            f"its {_times(file.size)} voxels reach beyond the PNGs ({_times(sidecar.size)}); save"
            " it in the geometry of the PNG stack",
            file.path,
        )
    return int(shift[0]), int(shift[1]), int(shift[2])


def _times(size: tuple[int, ...]) -> str:
    return " × ".join(map(str, size))


def is_gzip(head: bytes) -> bool:
    return head.startswith(_GZIP)
