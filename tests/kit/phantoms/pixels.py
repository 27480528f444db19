"""Stored integers → PixelData, in the transfer syntax asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from .spec import Spec

#: What `Dataset.compress` can write: transfer syntax → plug-in and its options. The other
#: compressed ones need imagecodecs. RLE by pydicom itself, as GDCM 3.2.6 aborts the process on
#: 8-bit frames of an odd number of pixels.
BY_PYDICOM: dict[str, dict[str, Any]] = {
    RLELossless: {"encoding_plugin": "pydicom"},
    JPEGLSLossless: {"encoding_plugin": "pyjpegls"},
    JPEGLSNearLossless: {"encoding_plugin": "pyjpegls", "jls_error": 2},
    JPEG2000Lossless: {"encoding_plugin": "pylibjpeg"},
    JPEG2000: {"encoding_plugin": "pylibjpeg", "j2k_cr": [4]},
}


def samples(spec: Spec, stored: NDArray[np.int64]) -> NDArray[np.int64]:
    """(…, rows, columns) indices → what is stored for them: the same, or (…, rows, columns, 3) for
    RGB and YBR.

    The colours are those of the palette: red and green rise with the index, blue falls.
    """
    if spec.samples == 1:
        return stored
    rgb = np.stack([stored, stored, 255 - stored], axis=-1)
    if spec.photometric == "RGB":
        return rgb
    # PS3.3 C.7.6.3.1.2, YBR_FULL
    to_ybr = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    )
    ybr: NDArray[np.int64] = np.rint(rgb @ to_ybr.T + (0, 128, 128)).clip(0, 255).astype(np.int64)
    return ybr


def set_pixels(dataset: Dataset, spec: Spec, stored: NDArray[np.int64]) -> None:
    """Put (frames, rows, columns) stored values into the dataset, encoded.

    RuntimeError where an encoder is not installed.
    """
    syntax = UID(spec.transfer_syntax)
    frames = samples(spec, stored)
    if spec.planar:
        frames = np.moveaxis(frames, -1, 1)
    letter = "i" if spec.signed else "u"
    array = frames.astype(f"<{letter}{spec.bits_allocated // 8}")
    if syntax.is_compressed and not syntax.is_deflated:
        if syntax in BY_PYDICOM:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            put(dataset, array)
            dataset.compress(syntax, generate_instance_uid=False, **BY_PYDICOM[syntax])
        else:
            put(dataset, encapsulate([encode(syntax, spec, frame) for frame in array]))
            dataset["PixelData"].is_undefined_length = True
    else:
        put(dataset, array if syntax.is_little_endian else array.byteswap())


def put(dataset: Dataset, pixels: NDArray[np.integer] | bytes) -> None:
    """PixelData with the VR that PS3.5 8.1 asks for, of even length."""
    data = pixels if isinstance(pixels, bytes) else pixels.tobytes()
    wide = dataset.file_meta.TransferSyntaxUID.is_implicit_VR or dataset.BitsAllocated > 8
    compressed = isinstance(pixels, bytes)
    dataset.add_new(
        "PixelData", "OB" if compressed or not wide else "OW", data + b"\0" * (len(data) % 2)
    )


def encode(syntax: UID, spec: Spec, frame: NDArray[np.integer]) -> bytes:
    """One frame as a JPEG or HTJ2K bitstream, by imagecodecs.

    ValueError for what the syntax cannot hold.
    """
    import imagecodecs

    if spec.signed or spec.samples == 3:
        raise ValueError(f"signed or colour pixels are not written as {syntax.name}")
    if syntax == HTJ2KLossless:
        return bytes(imagecodecs.htj2k_encode(frame, reversible=True))
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        predictor = 1 if syntax == JPEGLosslessSV1 else 6
        return bytes(
            imagecodecs.jpeg8_encode(
                frame, lossless=True, predictor=predictor, bitspersample=spec.bits_stored
            )
        )
    if (syntax, spec.bits_stored) in ((JPEGBaseline8Bit, 8), (JPEGExtended12Bit, 12)):
        return bytes(imagecodecs.jpeg8_encode(frame, level=98, bitspersample=spec.bits_stored))
    raise ValueError(f"{spec.bits_stored} bits are not written as {syntax.name}")
