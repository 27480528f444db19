"""The pixels of phantoms in every transfer syntax and colour, as pydicom decodes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pydicom
import pydicom.uid
import pytest
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.pixels.utils import pixel_array

from .phantoms import (
    Spec,
    centroid,
    write,
)
from .phantoms.seen import frames

S = pydicom.uid
LOSSLESS = [
    S.ImplicitVRLittleEndian,
    S.ExplicitVRBigEndian,
    S.DeflatedExplicitVRLittleEndian,
    S.RLELossless,
    S.JPEGLSLossless,
    S.JPEG2000Lossless,
    S.HTJ2KLossless,
    S.JPEGLossless,
    S.JPEGLosslessSV1,
]
#: The codec's package, where pydicom and numpy are not enough.
NEEDS = {
    S.JPEGLSLossless: ("jpeg_ls",),
    S.JPEGLSNearLossless: ("jpeg_ls",),
    S.JPEG2000Lossless: ("openjpeg",),
    S.JPEG2000: ("openjpeg",),
    S.HTJ2KLossless: ("imagecodecs", "openjpeg"),
    S.JPEGLossless: ("imagecodecs", "libjpeg"),
    S.JPEGLosslessSV1: ("imagecodecs", "libjpeg"),
    S.JPEGBaseline8Bit: ("imagecodecs", "libjpeg"),
    S.JPEGExtended12Bit: ("imagecodecs", "libjpeg"),
}


def need_codec(syntax: pydicom.uid.UID) -> None:
    for package in NEEDS.get(syntax, ()):
        pytest.importorskip(package)


@pytest.mark.parametrize("layout", ["classic", "enhanced"])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
def test_lossless_transfer_syntaxes_hold_the_same_pixels(
    syntax: pydicom.uid.UID, bits: int, layout: Literal["classic", "enhanced"], tmp_path: Path
) -> None:
    need_codec(syntax)
    spec = Spec(
        transfer_syntax=syntax, bits_stored=bits, layout=layout, slices=2, columns=63, junk=False
    )
    phantom = write(spec, tmp_path)
    for slice, (dataset, _, stored) in enumerate(frames(phantom)):
        assert dataset.file_meta.TransferSyntaxUID == syntax
        np.testing.assert_array_equal(stored, phantom.stored(slice))
        assert dataset.SOPInstanceUID == phantom.planes[slice].sop_instance_uid


@pytest.mark.parametrize(
    "syntax", [S.ImplicitVRLittleEndian, S.ExplicitVRBigEndian, S.RLELossless, S.JPEGLSLossless]
)
def test_signed_pixels_in_other_transfer_syntaxes(syntax: pydicom.uid.UID, tmp_path: Path) -> None:
    need_codec(syntax)
    phantom = write(Spec(transfer_syntax=syntax, signed=True, bits_stored=12, slices=2), tmp_path)
    for slice, (_, _, stored) in enumerate(frames(phantom)):
        assert stored.min() < 0 < stored.max()
        np.testing.assert_array_equal(stored, phantom.stored(slice))


@pytest.mark.parametrize(
    ("syntax", "bits", "error"),
    [
        (S.JPEGBaseline8Bit, 8, 4),
        (S.JPEGExtended12Bit, 12, 16),
        (S.JPEG2000, 16, 400),
        (S.JPEGLSNearLossless, 16, 2),
    ],
    ids=lambda value: getattr(value, "keyword", None),
)
def test_lossy_transfer_syntaxes_keep_the_markers(
    syntax: pydicom.uid.UID, bits: int, error: int, tmp_path: Path
) -> None:
    need_codec(syntax)
    phantom = write(Spec(transfer_syntax=syntax, bits_stored=bits, slices=2), tmp_path)
    found = frames(phantom)
    for slice, (_, _, stored) in enumerate(found):
        assert abs(stored.astype(int) - phantom.stored(slice)).max() <= error
    for marker in phantom.markers:
        spot = centroid(found[int(marker.source[2])][2], marker.source[:2], 10)
        assert spot == pytest.approx(marker.source[:2], abs=0.05)


COLOUR = Spec(photometric="RGB", bits_stored=8, rescale=None, slices=2)


@pytest.mark.parametrize(
    ("photometric", "planar"),
    [
        ("RGB", False),
        ("RGB", True),
        ("YBR_FULL", False),
        ("YBR_FULL", True),
        ("PALETTE COLOR", False),
    ],
)
def test_colours_are_the_same_in_every_encoding(
    photometric: str, planar: bool, tmp_path: Path
) -> None:
    phantom = write(replace(COLOUR, photometric=photometric, planar=planar), tmp_path)  # type: ignore[arg-type]
    for slice, (dataset, _, stored) in enumerate(frames(phantom)):
        assert dataset.PhotometricInterpretation == photometric
        is_palette = photometric == "PALETTE COLOR"
        rgb = (
            apply_color_lut(stored, dataset) // 257
            if is_palette
            else convert_color_space(pixel_array(dataset, raw=True), photometric, "RGB")
        )
        index = phantom.stored(slice)
        assert abs(rgb.astype(int) - np.stack([index, index, 255 - index], axis=-1)).max() <= (
            photometric == "YBR_FULL"
        )
    for marker in phantom.markers:
        if marker.source[2] == slice:
            for channel in range(3):
                spot = centroid(rgb[..., channel], marker.source[:2], 12.5)
                assert spot == pytest.approx(marker.source[:2], abs=0.03)
