"""Reads that give less than was asked for, as sockets do: what follows is never put too early."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sidecar.storage.ranges import StreamRanges, filled

DATA = bytes(range(64))


class Short(io.BytesIO):
    """Gives two bytes at the most."""

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:2])


@pytest.mark.parametrize("how", ["stream", "by reading"])
def test_a_view_that_is_not_full_is_the_last(how: str) -> None:
    first, second = bytearray(4), bytearray(8)
    views = memoryview(first), memoryview(second)
    if how == "stream":
        done = StreamRanges(Short(DATA)).fill(8, *views)
    else:
        done = filled(lambda at, count: DATA[at : at + min(count, 2)], 8, views)
    assert done == 2
    assert (first, second) == (bytearray([8, 9, 0, 0]), bytearray(8))
