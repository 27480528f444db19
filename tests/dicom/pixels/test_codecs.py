"""Compressed frames against what was encoded here, and against decoders that are not the package's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from kit.pixel_files import (
    BASELINE,
    ENCODERS,
    EXTENDED,
    HTJ2K,
    HTJ2K_LOSSY,
    HTJ2K_RPCL,
    J2K,
    J2K_LOSSY,
    JPEG_LS,
    LOSSLESS,
    NEAR_LOSSLESS,
    RLE,
    Array,
    colours,
    encoder,
    noise,
    oracle,
    read,
    smooth,
    write,
    write_encoded,
)


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "make",
    [smooth, lambda bits: noise("u1" if bits <= 8 else "u2", bits=bits)],
    ids=["smooth", "noise"],
)
def test_lossless_is_lossless(
    tmp_path: Path, codec: str, bits: int, make: Callable[[int], Array]
) -> None:
    syntax, encode = ENCODERS[codec]
    image = make(bits)
    frame = read(write_encoded(tmp_path, [encode(image, bits)], image, syntax, BitsStored=bits))
    assert frame.dtype == image.dtype
    np.testing.assert_array_equal(frame, image)


@pytest.mark.parametrize("codec", [name for name in ENCODERS if "predictor" not in name])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_signed_pixels_behind_a_codec_that_was_not_told(
    tmp_path: Path, codec: str, bits: int
) -> None:
    """The stream holds the two's complement bits as unsigned samples; only the DICOM header knows
    that they are signed.
    """
    syntax, encode = ENCODERS[codec]
    image = noise("i1" if bits <= 8 else "i2", bits=bits)
    coded = image.view(f"u{image.itemsize}") & np.array((1 << bits) - 1, f"u{image.itemsize}")
    if bits == 12 and syntax in (JPEG_LS, J2K, HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY):
        coded = image.view(
            "u2"
        )  # these encoders write 16 bits whatever is asked: sign-extended words, as scanners do
    path = write_encoded(
        tmp_path, [encode(coded, bits)], image, syntax, BitsStored=bits, PixelRepresentation=1
    )
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("stored", [12, 13])
def test_a_jpeg_2000_stream_of_few_bits_and_the_wrong_sign(tmp_path: Path, stored: int) -> None:
    encode, image = encoder("jpeg2k_encode"), noise("i2", bits=stored)
    coded = encode(
        image.view("u2") & np.uint16((1 << stored) - 1),
        0,
        codecformat="J2K",
        reversible=True,
        bitspersample=stored,
    )
    assert coded[42] == stored - 1  # Ssiz: unsigned, this many bits
    np.testing.assert_array_equal(
        read(
            write_encoded(tmp_path, [coded], image, J2K, BitsStored=stored, PixelRepresentation=1)
        ),
        image,
    )
    as_it_should_be = encode(image, 0, codecformat="J2K", reversible=True)
    path = write_encoded(
        tmp_path, [as_it_should_be], image, J2K, BitsStored=stored, PixelRepresentation=1
    )
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, J2K])
@pytest.mark.parametrize("dtype", ["u2", "i2"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_streams_of_the_encoders_that_pydicom_uses(
    tmp_path: Path, syntax: str, dtype: str, bits: int
) -> None:
    """Unlike the encoders above, these tell the stream how many bits are stored."""
    plugin, module = {
        RLE: ("pydicom", "pydicom"),
        JPEG_LS: ("pyjpegls", "jpeg_ls"),
        J2K: ("pylibjpeg", "openjpeg"),
    }[syntax]
    pytest.importorskip(module)
    image = noise(dtype, (40, 48), bits)
    path = write(
        tmp_path,
        image.tobytes(),
        image.shape,
        BitsStored=bits,
        PixelRepresentation=int(dtype == "i2"),
    )
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, encoding_plugin=plugin)
    dataset.save_as(tmp_path / "compressed.dcm")
    frame = read(tmp_path / "compressed.dcm")
    assert frame.dtype == image.dtype
    np.testing.assert_array_equal(frame, image)


def test_lossy_white_that_overshoots_the_stored_bits_stays_white(tmp_path: Path) -> None:
    checks = np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((5, 5)))
    unsigned, signed = (checks * 1023).astype(np.uint16), (checks * 1023 - 512).astype(np.int16)
    jpeg = encoder("jpeg8_encode")(unsigned, 70, bitspersample=12)
    wavelets = [
        encoder("jpeg2k_encode")(image, 70, codecformat="J2K") for image in (unsigned, signed)
    ]
    for syntax, stream, image in (
        (EXTENDED, jpeg, unsigned),
        (J2K_LOSSY, wavelets[0], unsigned),
        (J2K_LOSSY, wavelets[1], signed),
    ):
        header = {"BitsStored": 10, "PixelRepresentation": int(image is signed)}
        frame = read(write_encoded(tmp_path, [stream], image, syntax, **header)).astype(int)
        assert (frame.min(), frame.max()) == (image.min(), image.max())
        assert np.abs(frame - image).max() < 300
        beyond = read(
            write_encoded(tmp_path, [stream], image, syntax, **header | {"BitsStored": 12})
        )
        assert beyond.max() > image.max()  # what the encoder made of it


@pytest.mark.parametrize("codec", ["RLE", "JPEG Lossless SV1", "JPEG-LS", "JPEG 2000", "HTJ2K"])
def test_overlay_bits_do_not_leak_out_of_lossless_streams(tmp_path: Path, codec: str) -> None:
    image, overlay = noise("u2", bits=12), noise("u2") & np.uint16(0xF000)
    syntax, encode = ENCODERS[codec]
    path = write_encoded(tmp_path, [encode(image | overlay, 16)], image, syntax, BitsStored=12)
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("codec", ENCODERS)
def test_lossless_colour(tmp_path: Path, codec: str) -> None:
    syntax, encode = ENCODERS[codec]
    image = colours()
    if "JPEG Lossless" in codec:
        stream = encoder("jpeg8_encode")(
            image, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"
        )
    else:
        stream = encode(image, 8)
    frame = read(write_encoded(tmp_path, [stream], image, syntax))
    np.testing.assert_array_equal(frame, image)


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, J2K])
def test_lossless_streams_as_gdcm_decodes_them(tmp_path: Path, syntax: str) -> None:
    encode = dict(ENCODERS.values())[syntax]
    for image in (smooth(16), noise("u2"), smooth(8)):
        path = write_encoded(tmp_path, [encode(image, 8 * image.itemsize)], image, syntax)
        np.testing.assert_array_equal(read(path), oracle(path, "gdcm"))


def test_near_lossless_is_near(tmp_path: Path) -> None:
    image = smooth(16)
    path = write_encoded(tmp_path, [encoder("jpegls_encode")(image, 3)], image, NEAR_LOSSLESS)
    frame = read(path)
    assert 0 < np.abs(frame.astype(int) - image).max() <= 3
    np.testing.assert_array_equal(frame, oracle(path, "pyjpegls", module="jpeg_ls"))


@pytest.mark.parametrize("syntax", [J2K_LOSSY, HTJ2K_LOSSY])
def test_lossy_wavelets(tmp_path: Path, syntax: str) -> None:
    image = smooth(16)
    if syntax == HTJ2K_LOSSY:
        stream = encoder("htj2k_encode")(image, 0.0005, reversible=False)
    else:
        stream = encoder("jpeg2k_encode")(image, 80, codecformat="J2K")
    path = write_encoded(tmp_path, [stream], image, syntax)
    frame = read(path)
    assert 0 < np.abs(frame.astype(int) - image).max() < 2000
    assert np.abs(frame.astype(int) - oracle(path, "pylibjpeg", module="openjpeg")).max() <= 1


@pytest.mark.parametrize("bits", [8, 12])
def test_lossy_jpeg(tmp_path: Path, bits: int) -> None:
    """Inverse cosine transforms may differ by one in rounding (ISO/IEC 10918-2)."""
    image = smooth(bits)
    stream = encoder("jpeg8_encode")(image, 97, bitspersample=bits)
    path = write_encoded(
        tmp_path, [stream], image, BASELINE if bits == 8 else EXTENDED, BitsStored=bits
    )
    frame = read(path)
    assert np.abs(frame.astype(int) - image).max() <= 1 << bits - 5
    assert np.abs(frame.astype(int) - oracle(path, "pylibjpeg", module="libjpeg")).max() <= 1


def test_importing_the_module_loads_neither_pydicom_nor_codecs() -> None:
    code = (
        "import sys, sidecar.dicom.pixels; print([name for name in ('pydicom', 'imagecodecs', 'PIL') if"
        " name in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
