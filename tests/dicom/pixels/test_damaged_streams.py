"""Streams cut short, damaged, or of another image than their header says."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from kit.pixel_files import (
    BASELINE,
    ENCODERS,
    END,
    EXTENDED,
    RLE,
    Array,
    encoder,
    item,
    noise,
    read,
    rle,
    smooth,
    write,
    write_encoded,
)

from sidecar.errors import PixelError


def damaged(stream: bytes, seed: int, times: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(times):
        broken = bytearray(stream)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(len(broken) if chance.random() < 0.5 else min(len(broken), 150))
            broken[at] = chance.choice((0, 255, broken[at] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.2:
            at = chance.randrange(len(broken))
            del broken[at : at + chance.randrange(60)]
        yield bytes(broken)


LOSSY: dict[str, tuple[str, Callable[[Array, int], bytes]]] = {
    "JPEG baseline": (
        BASELINE,
        lambda image, bits: encoder("jpeg8_encode")((image >> 8).astype(np.uint8), 90),
    ),
    "JPEG 12 bit": (
        EXTENDED,
        lambda image, bits: encoder("jpeg8_encode")(image >> 4, 90, bitspersample=12),
    ),
}
STREAMS = {name: ENCODERS[name] for name in ENCODERS if name[-1] not in "234567y"} | LOSSY


@pytest.mark.parametrize("codec", STREAMS)
def test_a_stream_cut_anywhere_is_refused_and_never_padded(tmp_path: Path, codec: str) -> None:
    syntax, encode = STREAMS[codec]
    image = smooth(16, (40, 40))
    stream = encode(image, 16)
    bits = {"JPEG baseline": 8, "JPEG 12 bit": 12}.get(codec, 16)
    whole = write_encoded(tmp_path, [stream], image, syntax, BitsStored=bits)
    assert read(whole).shape == image.shape
    for cut in sorted(
        {
            0,
            2,
            20,
            64,
            len(stream) // 3,
            len(stream) // 2,
            len(stream) * 9 // 10,
            len(stream) - 20,
            len(stream) - 4,
        }
    ):
        value = item(b"") + item(stream[:cut] + b"\0" * (cut % 2)) + END
        path = write(
            tmp_path,
            value,
            image.shape,
            syntax,
            "OB",
            BitsAllocated=8 if bits == 8 else 16,
            BitsStored=bits,
        )
        with pytest.raises(PixelError, match=f"{path.name}, frame 1 of 1: "):
            read(path)


@pytest.mark.slow
@pytest.mark.parametrize("codec", STREAMS)
def test_a_damaged_stream_is_an_error_or_an_image_but_never_a_crash(
    tmp_path: Path, codec: str
) -> None:
    """No codec here has a checksum, so damage may go unseen; an image must then have the right
    shape.
    """
    syntax, encode = STREAMS[codec]
    image = smooth(16, (40, 40))
    refused = 0
    for stream in damaged(encode(image, 16), 3, 60):
        path = write_encoded(tmp_path, [stream], image, syntax)
        try:
            assert read(path).shape == image.shape
        except PixelError:
            refused += 1
    assert refused


def test_a_stream_that_contradicts_its_header_is_refused_before_it_is_decoded(
    tmp_path: Path,
) -> None:
    image = smooth(16)
    for name in ("JPEG Lossless SV1", "JPEG-LS", "JPEG 2000", "HTJ2K"):
        syntax, encode = ENCODERS[name]
        for other in (image[:-1], image[:, :-1], image.T.copy()):
            path = write_encoded(tmp_path, [encode(other.copy(), 16)], image, syntax)
            with pytest.raises(
                PixelError, match=r"is \d+ x \d+ x 1 .*, but the header says 80 x 64 x 1"
            ):
                read(path)
        path = write_encoded(tmp_path, [encode(image, 16)], image.astype(np.uint8), syntax)
        with pytest.raises(PixelError, match=r"has 16 bits, but BitsAllocated is 8"):
            read(path)


def test_rle_segments_that_are_too_few_or_too_short(tmp_path: Path) -> None:
    image = noise("u2")
    with pytest.raises(PixelError, match=r"has 1 segment, but .* ask for 2"):
        read(write_encoded(tmp_path, [rle(noise("u1"))], image, RLE))
    with pytest.raises(PixelError, match="cut short"):
        read(write_encoded(tmp_path, [rle(image[:-1])], image, RLE))


def test_rle_of_a_writer_that_encodes_the_padding_byte_too(tmp_path: Path) -> None:
    image = noise("u1", (3, 5))
    padded = np.append(image.ravel(), np.uint8(0)).reshape(2, 8)
    np.testing.assert_array_equal(read(write_encoded(tmp_path, [rle(padded)], image, RLE)), image)
