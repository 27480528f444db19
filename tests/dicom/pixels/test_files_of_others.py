"""Files that other people made, against independent decoders: real scans, and pydicom's samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from kit.pixel_files import (
    BASELINE,
    BIG,
    DEFLATED,
    EXTENDED,
    IMPLICIT,
    J2K,
    J2K_LOSSY,
    JPEG_LS,
    LITTLE,
    LOSSLESS,
    LOSSLESS_1,
    NEAR_LOSSLESS,
    RLE,
    Array,
    oracle,
    pixels_of,
    read,
)

from sidecar.dicom.pixels import read_frame
from sidecar.errors import PixelError
from sidecar.storage.local import Local

#: For a compressed transfer syntax: a decoder that is not the one used here, and the module that
#: brings it.
INDEPENDENT = {
    RLE: ("pydicom", "pydicom"),
    BASELINE: ("gdcm", "gdcm"),
    EXTENDED: ("pylibjpeg", "libjpeg"),
    **dict.fromkeys(
        (LOSSLESS, LOSSLESS_1, JPEG_LS, NEAR_LOSSLESS, J2K, J2K_LOSSY), ("gdcm", "gdcm")
    ),
}
NATIVE = (IMPLICIT, LITTLE, BIG, DEFLATED)
SAMPLES = """
    693_J2KI CT_small ExplVR_BigEnd GDCMJ2K_TextGBR J2K_pixelrep_mismatch JPEG2000 JPEGLSNearLossless_08 JPEGLSNearLossless_16
    JPGExtended MR_small_RLE MR_small_bigendian MR_small_jp2klossless MR_small_jpeg_ls_lossless MR_small_padded
    SC_jpeg_no_color_transform SC_jpeg_no_color_transform_2 SC_rgb_dcmtk_+eb+cr SC_rgb_dcmtk_+eb+cy+n1 SC_rgb_dcmtk_+eb+cy+np
    SC_rgb_dcmtk_+eb+cy+s2 SC_rgb_dcmtk_+eb+cy+s4 SC_rgb_gdcm_KY SC_rgb_jls_lossy_line SC_rgb_jls_lossy_sample SC_rgb_jpeg
    SC_rgb_jpeg_gdcm SC_rgb_jpeg_lossy_gdcm SC_rgb_rle SC_rgb_rle_16bit_2frame SC_rgb_small_odd SC_rgb_small_odd_big_endian
    SC_rgb_small_odd_jpeg SC_ybr_full_422_uncompressed examples_jpeg2k examples_overlay examples_palette examples_ybr_color
    image_dfl liver_1frame rtdose rtdose_expb rtdose_rle
"""


def by_pydicom(path: Path, syntax: str, frame: int) -> Array:
    if syntax in NATIVE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, force=True)
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
            array = pydicom.pixels.pixel_array(dataset, index=frame)
    else:
        array = oracle(path, *INDEPENDENT[syntax][:1], frame, INDEPENDENT[syntax][1])
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = pydicom.pixels.apply_color_lut(array, dataset)
        return array if array.dtype == np.uint8 else (array >> 8).astype(np.uint8)
    return array


def check_against_pydicom(path: Path) -> int:
    """Compare first, middle and last frame; how many there were."""
    pixels = pixels_of(path)
    numbers = sorted({0, pixels.frames // 2, pixels.frames - 1})
    for number in numbers:
        expected = by_pydicom(path, pixels.layout.transfer_syntax, number)
        frame = read_frame(Local.at(path.parent), replace(pixels, index=number))
        assert frame.shape == expected.shape, path.name
        assert frame.dtype == expected.dtype.newbyteorder("="), path.name
        # lossy 12-bit JPEG: inverse cosine transforms may differ by one in rounding
        most = int(np.abs(frame.astype(float) - expected).max())
        assert most <= (1 if pixels.layout.transfer_syntax == EXTENDED else 0), path.name
    return len(numbers)


def images_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            except (ValueError, TypeError):  # a text file
                continue
            if "Rows" in dataset and "BitsAllocated" in dataset:
                yield path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_every_real_scan_against_independent_decoders(shared_data: Path) -> None:
    frames, refused = 0, []
    for path in images_in(shared_data):
        try:
            frames += check_against_pydicom(path)
        except KeyError as error:
            assert "1.2.840.10008.1.2.4.5" in str(error)
            with pytest.raises(PixelError, match="no decoder for the transfer syntax JPEG"):
                read(path)
            refused.append(path.name)
    assert len(refused) == 2  # the retired processes 1.2.840.10008.1.2.4.53 and .55
    assert frames > 300


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("name", SAMPLES.split())
def test_the_sample_files_of_pydicom(name: str) -> None:
    path = pydicom.data.get_testdata_file(f"{name}.dcm", download=False)
    if path is None:
        pytest.skip("not shipped with this pydicom")
    assert check_against_pydicom(Path(str(path)))
