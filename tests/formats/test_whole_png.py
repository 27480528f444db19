"""PNGs that are whole are told from those that are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sidecar.formats.png import encode, is_whole

PIXELS = np.random.default_rng(3).integers(0, 4096, (40, 50), np.uint16)
OURS = encode(PIXELS, {"Slice": "7"}, (0.1, 0.1))


def by_pillow() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("png", [OURS, by_pillow()], ids=["ours", "Pillow's"])
def test_whole_ones(png: bytes) -> None:
    assert is_whole(png)


def test_others() -> None:
    assert not any(map(is_whole, (b"", bytes(len(OURS)), b"GIF89a", OURS + b"\0", OURS[:8])))


@settings(max_examples=200)
@given(at=st.integers(0, len(OURS) - 1), other=st.integers(1, 255))
def test_any_byte_that_changed_is_noticed(at: int, other: int) -> None:
    changed = bytearray(OURS)
    changed[at] ^= other
    assert not is_whole(bytes(changed))


@given(length=st.integers(0, len(OURS) - 1), fill=st.booleans())
def test_what_a_power_failure_leaves_is_noticed(length: int, fill: bool) -> None:
    """Cut short, or the rest of it zeros."""
    rest = bytes(len(OURS) - length) if fill else b""
    assert is_whole(OURS[:length] + rest) == (OURS[:length] + rest == OURS)
