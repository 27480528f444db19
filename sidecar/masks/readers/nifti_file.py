"""Headers of NIfTI label volumes, read by nibabel."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from sidecar.errors import LabelError, MissingExtraError
from sidecar.formats.volume_files import LPS_TO_RAS
from sidecar.masks.readers.voxels import VoxelFile, is_gzip

#: Errors of nibabel for damaged files, besides its own.
_UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
)
#: The voxels of a volume begin before this byte of the file.
_FARTHEST = 1 << 40
ENDINGS = (".nii", ".nii.gz")


def read_nifti(path: Path) -> VoxelFile:
    """The header of a label volume. LabelError for another file, MissingExtraError without
    nibabel.
    """
    try:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.imageglobals import logger
        from nibabel.spatialimages import HeaderDataError
    except ImportError:
        raise MissingExtraError("NIfTI", "masks") from None
    try:
        with path.open("rb") as file:
            packed = is_gzip(file.read(2))
        logger.disabled = True  # it would write to stderr what it corrects
        image: Any = nibabel.load(path)
        header, proxy = image.header, image.dataobj
        shape = (*image.shape, 1)[:3] if all(n == 1 for n in image.shape[3:]) else ()
        dtype, offset, scale = (
            np.dtype(proxy.dtype),
            int(proxy.offset),
            (float(proxy.slope), float(proxy.inter)),
        )
        coded = bool(header["sform_code"] or header["qform_code"])
        affine = LPS_TO_RAS @ image.affine
    except (*_UNREADABLE, ImageFileError, HeaderDataError) as error:
        raise LabelError("is not a complete NIfTI file; copy or save it again", path) from error
    if min(image.shape, default=1) < 1 or not 0 <= offset < _FARTHEST:
        raise LabelError(
            "states an impossible size, or an impossible place of its voxels; save it again", path
        )
    if len(shape) != 3 or dtype.kind not in "iuf":
        raise LabelError(
            "is not one volume of three dimensions with one value for each voxel; save the labels"
            " as such a volume",
            path,
        )
    if (
        not np.isfinite(affine).all()
        or not np.isfinite(scale).all()
        or abs(np.linalg.det(affine)) == 0
    ):
        raise LabelError(
            "has an affine or a scale that is not a number or that no volume can have; save it"
            " again",
            path,
        )
    return VoxelFile(
        path=path,
        tool="NIfTI volume",
        size=(int(shape[0]), int(shape[1]), int(shape[2])),
        dtype=dtype,
        affine=affine if coded else None,
        offset=offset,
        gzip_whole=packed,
        scale=scale,
    )
