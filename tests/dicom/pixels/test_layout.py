"""Headers of pixel data that make no sense, and what is too large, are refused before a pixel is
read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from kit.pixel_files import (
    RLE,
    noise,
    pixels_of,
    read,
    rle,
    write,
    write_encoded,
)

from sidecar.dicom.pixels import layout_of, read_frame
from sidecar.errors import PixelError
from sidecar.storage.local import Local


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Rows": None}, "Rows is missing"),
        ({"Rows": 0}, "leave no image"),
        ({"BitsAllocated": None}, "BitsAllocated is missing"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "packed pixels, retired"),
        ({"BitsAllocated": 24}, "BitsAllocated 24 is not supported"),
        ({"BitsStored": 17, "HighBit": 16}, "contradict"),
        ({"BitsStored": 12, "HighBit": 7}, "contradict"),
        ({"PixelRepresentation": None}, "PixelRepresentation is missing"),
        ({"PixelRepresentation": 2}, "must be 0 or 1"),
        ({"PhotometricInterpretation": "CMYK"}, "CMYK is not supported"),
        ({"PhotometricInterpretation": None}, "PhotometricInterpretation is missing"),
        ({"PhotometricInterpretation": "RGB"}, "does not fit RGB"),
        (
            {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
            "PlanarConfiguration is missing",
        ),
        (
            {
                "SamplesPerPixel": 3,
                "PhotometricInterpretation": "YBR_RCT",
                "PlanarConfiguration": 0,
            },
            "belongs to JPEG 2000",
        ),
        (
            {
                "SamplesPerPixel": 3,
                "PhotometricInterpretation": "YBR_FULL_422",
                "PlanarConfiguration": 0,
            },
            "YBR_FULL_422 of 16",
        ),
    ],
)
def test_headers_that_make_no_sense(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    dataset = pydicom.dcmread(write(tmp_path, bytes(800), (20, 20)))
    for name, attribute in change.items():
        if attribute is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, attribute)
    with pytest.raises(PixelError, match=message):
        layout_of(dataset)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection"),
        ("1.2.840.10008.1.2.4.55", "JPEG Full Progression"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4"),
        ("1.2.3.4.5", "1.2.3.4.5"),
    ],
)
def test_a_transfer_syntax_without_decoder_is_named_with_the_way_out(
    tmp_path: Path, syntax: str, name: str
) -> None:
    path = write_encoded(tmp_path, [b"\xff\xd8\xff\xd9"], noise("u2"), syntax)
    with pytest.raises(PixelError, match=rf"no decoder for the transfer syntax {name}.*dcmdjpeg"):
        read(path)


def test_memory_is_bounded_by_what_a_frame_can_be(tmp_path: Path) -> None:
    image = noise("u2")
    with pytest.raises(PixelError, match="compressed bytes are too many for one frame"):
        read(write_encoded(tmp_path, [bytes(2 << 20)], image, RLE))
    path = write_encoded(tmp_path, [rle(image)], image, RLE)
    pixels = pixels_of(path)
    with pytest.raises(PixelError, match="a frame of 65535 x 65535 pixels is too large"):
        read_frame(
            Local.at(path.parent),
            replace(pixels, layout=replace(pixels.layout, rows=65535, columns=65535)),
        )
