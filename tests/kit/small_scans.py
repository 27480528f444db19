"""Five slices of 40 × 36 in every encoding, to be damaged."""

from __future__ import annotations

from typing import Any

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from .phantoms import Spec

SMALL: dict[str, Any] = {
    "columns": 40,
    "rows": 36,
    "slices": 5,
    "markers": False,
    "shuffled_names": False,
    "junk": False,
    "order": "ascending",
}
ENCODINGS = {
    "explicit": Spec(**SMALL),
    "implicit": Spec(**SMALL, transfer_syntax=ImplicitVRLittleEndian),
    "big endian": Spec(**SMALL, transfer_syntax=ExplicitVRBigEndian),
    "deflated": Spec(**SMALL, transfer_syntax=DeflatedExplicitVRLittleEndian),
    "RLE": Spec(**SMALL, transfer_syntax=RLELossless),
    "JPEG-LS": Spec(**SMALL, transfer_syntax=JPEGLSLossless),
    "JPEG 2000": Spec(**SMALL, transfer_syntax=JPEG2000Lossless),
    "enhanced": Spec(**SMALL, layout="enhanced"),
    "enhanced, RLE": Spec(**SMALL, layout="enhanced", transfer_syntax=RLELossless),
}
#: Of one slice.
FRAME_BYTES = 2 * 40 * 36
#: The file that is damaged: the middle slice of those with a file for each.
VICTIM = "image_0002.dcm"
