"""The PNG stack as an image of SimpleITK or nibabel, in its place in the patient."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from sidecar.errors import MissingExtraError
from sidecar.formats.volume_files import Volume, nifti_header

if TYPE_CHECKING:
    import nibabel
    import SimpleITK


def sitk_image(volume: Volume, pixels: ArrayLike) -> SimpleITK.Image:
    """A SimpleITK image of ``pixels`` (slices, rows, columns[, 3]).

    MissingExtraError without SimpleITK.
    """
    try:
        import SimpleITK
    except ImportError:
        raise MissingExtraError("A SimpleITK image", "notebook") from None
    image: Any = SimpleITK.GetImageFromArray(np.asarray(pixels), isVector=volume.channels > 1)
    image.SetOrigin(volume.affine[:3, 3].tolist())
    image.SetSpacing(volume.spacing.tolist())
    image.SetDirection(volume.direction.ravel().tolist())
    return cast(SimpleITK.Image, image)


def nifti_image(volume: Volume, pixels: ArrayLike) -> nibabel.Nifti1Image:
    """A NIfTI image of nibabel with ``pixels`` (slices, rows, columns[, 3]).

    MissingExtraError without nibabel. OutputError for pixels that NIfTI-1 cannot hold.
    """
    header_bytes = nifti_header(volume)
    import nibabel

    header = nibabel.Nifti1Header.from_fileobj(io.BytesIO(header_bytes))
    array = np.ascontiguousarray(pixels)
    if volume.channels > 1:
        array = array.view([(name, np.uint8) for name in "RGB"])[..., 0]
    return nibabel.Nifti1Image(array.transpose(2, 1, 0), header.get_best_affine(), header)
