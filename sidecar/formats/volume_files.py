"""Volumes in one file, NRRD, NIfTI-1 and MetaImage, written plane by plane with little memory.

A file is a header, made from a `Volume`, followed by the planes in order. No more than one plane is
in memory. NRRD: Teem, "Definition of NRRD File Format" version 5. NIfTI-1: nifti1.h (NIMH), by
nibabel. MetaImage: ITK, MetaIO documentation.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError, MissingExtraError, OutputError, counted

#: From LPS to RAS, the axes of NIfTI.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
#: Largest cosine between two axes, and largest difference of an axis' length from 1, for which ITK
#: and NIfTI's qform take directions as orthonormal.
ORTHONORMAL_TOLERANCE = 1e-4
#: NIfTI-1 counts voxels along an axis in 16 bits.
_NIFTI_LONGEST = 32767

_NRRD_TYPES = {"uint8": "uint8", "uint16": "uint16"}
_META_TYPES = {"uint8": "MET_UCHAR", "uint16": "MET_USHORT"}


@dataclass(frozen=True)
class Volume:
    """The facts of a header.

    ``size``: columns, rows, slices. ``dtype``: uint8 or uint16. ``channels``: 1, or 3 for RGB.
    ``affine`` (4, 4): (column, row, slice, 1) → LPS mm, 0 = centre of the first voxel. Its axes may
    be sheared (gantry tilt).
    """

    size: tuple[int, int, int]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    channels: int = 1

    @property
    def spacing(self) -> NDArray[np.float64]:
        """(3,) mm between voxels along columns, rows and slices."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def direction(self) -> NDArray[np.float64]:
        """(3, 3) unit vectors of the axes, in columns."""
        return np.asarray(self.affine[:3, :3] / self.spacing)

    @property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles, as with a tilted gantry."""
        return bool(
            np.abs(self.direction.T @ self.direction - np.eye(3)).max() > ORTHONORMAL_TOLERANCE
        )

    @property
    def bytes(self) -> int:
        """Size of the voxels before compression."""
        return int(np.prod(self.size)) * self.channels * self.dtype.itemsize


def nrrd_header(volume: Volume, compressed: bool, fields: Mapping[str, str] | None = None) -> bytes:
    """A NRRD header, including the empty line that ends it. ``fields``: further key/value pairs,
    in order.
    """
    color = volume.channels > 1
    axes = [_vector(axis) for axis in volume.affine[:3, :3].T]
    sizes = [*([volume.channels] * color), *volume.size]
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at http://teem.sourceforge.net/nrrd/format.html",
        f"type: {_NRRD_TYPES[volume.dtype.name]}",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {' '.join(['none'] * color + axes)}",
        f"kinds: {' '.join(['RGB-color'] * color + ['domain'] * 3)}",
        "endian: little",
        f"encoding: {'gzip' if compressed else 'raw'}",
        f"space origin: {_vector(volume.affine[:3, 3])}",
    ]
    lines += [f"{key}:={_escaped(value)}" for key, value in (fields or {}).items()]
    return ("\n".join(lines) + "\n\n").encode()


def meta_header(volume: Volume) -> bytes:
    """A MetaImage header. The voxels follow it in the same file.

    TransformMatrix lists the direction of each axis, one after the other.
    """
    numbers = {
        "TransformMatrix": volume.direction.T.ravel(),
        "Offset": volume.affine[:3, 3],
        "CenterOfRotation": np.zeros(3),
        "ElementSpacing": volume.spacing,
    }
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = False",
    ]
    lines += [
        f"{key} = {' '.join(_number(value) for value in values)}" for key, values in numbers.items()
    ]
    lines += [f"DimSize = {' '.join(map(str, volume.size))}"]
    lines += [f"ElementNumberOfChannels = {volume.channels}"] * (volume.channels > 1)
    lines += [f"ElementType = {_META_TYPES[volume.dtype.name]}", "ElementDataFile = LOCAL"]
    return ("\n".join(lines) + "\n").encode()


def nifti_header(volume: Volume) -> bytes:
    """A NIfTI-1 header and its empty extension.

    The RAS affine is written as sform. It is written as qform too, unless it is sheared: a qform
    cannot hold shear.

    Raises MissingExtraError without nibabel, OutputError for a volume that NIfTI-1 cannot hold.
    """
    try:
        import nibabel
    except ImportError:
        raise MissingExtraError("NIfTI", "masks") from None
    if max(volume.size) > _NIFTI_LONGEST:
        raise OutputError(
            f"NIfTI-1 holds no more than {_NIFTI_LONGEST} voxels along an axis: write nrrd instead"
        )
    if volume.channels > 1 and volume.dtype.itemsize > 1:
        raise OutputError("NIfTI-1 has no colour of 16 bits: write nrrd or mha instead")
    header: Any = nibabel.Nifti1Header()
    header.set_data_shape(volume.size)
    header.set_data_dtype("RGB" if volume.channels > 1 else volume.dtype)
    affine = LPS_TO_RAS @ volume.affine
    header.set_qform(affine, code="unknown" if volume.is_sheared else "scanner", strip_shears=True)
    header.set_sform(affine, code="scanner")
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    return cast(bytes, header.binaryblock) + bytes(4)


def write_planes(file: IO[bytes], planes: Iterable[NDArray[Any] | None], volume: Volume) -> None:
    """Write (rows, columns[, channels]) planes in order, little-endian. None is a plane of zeros.

    GeometryError where there is not exactly one plane per slice.
    """
    columns, rows, slices = volume.size
    dtype = volume.dtype.newbyteorder("<")
    empty = bytes(columns * rows * volume.channels * dtype.itemsize)
    written = 0
    for plane in planes:
        file.write(
            empty if plane is None else np.ascontiguousarray(plane, dtype=dtype).data.cast("B")
        )
        written += 1
    if written != slices:
        raise GeometryError(f"{counted(written, 'plane')} came, but the volume has {slices}")


def gzipped(file: IO[bytes]) -> IO[bytes]:
    """A gzip stream into ``file``, which stays open. It is fast, and gives the same bytes for
    the same voxels.
    """
    try:
        from isal import igzip
    except ImportError:
        return cast(
            IO[bytes], gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)
        )
    open_stream: Any = igzip.IGzipFile
    return cast(
        IO[bytes], open_stream(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0)
    )


def write_nrrd(
    file: IO[bytes],
    planes: Iterable[NDArray[Any] | None],
    volume: Volume,
    fields: Mapping[str, str],
) -> None:
    """Write a NRRD with gzip data, the form in which masks are written."""
    file.write(nrrd_header(volume, compressed=True, fields=fields))
    with gzipped(file) as stream:
        write_planes(stream, planes, volume)


def write_nifti(file: IO[bytes], planes: Iterable[NDArray[Any] | None], volume: Volume) -> None:
    """Write a NIfTI-1 file, uncompressed. For .nii.gz give a `gzipped` file."""
    file.write(nifti_header(volume))
    write_planes(file, planes, volume)


#: For each format of uncompressed volumes: its file extension, and the function that makes its
#: header.
RAW_HEADERS: dict[str, tuple[str, Callable[[Volume], bytes]]] = {
    "nrrd": (".nrrd", lambda volume: nrrd_header(volume, compressed=False)),
    "nifti": (".nii", nifti_header),
    "mha": (".mha", meta_header),
}


def _number(value: float) -> str:
    return repr(float(value) + 0.0)  # no minus zero


def _vector(values: NDArray[np.float64]) -> str:
    return f"({','.join(_number(value) for value in values)})"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\r", " ").replace("\n", "\\n")


#: ITK refuses such files; nibabel, FSL and others read them.
SHEARED_NIFTI = "a sheared NIfTI does not open in 3D Slicer and ITK-SNAP; nrrd does"
