"""Changed files: whole ones with bits, bytes, numbers, words and lines that do not belong there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

#: What programs trip over: numbers at the ends of their types, text that is no number, separators,
#: brackets that stay open, bytes of no character.
WORDS: tuple[bytes, ...] = (
    b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\x80",
    b"\x01\0\0\0\0\0\0\0", b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xff\xd9",
    b"\xff\x4f", b"0", b"-0", b"-1", b"1e308", b"1e999", b"-1e-400", b"nan", b"inf", b"NaN",
    b"Infinity", b"9" * 30, b"9" * 4500, b"18446744073709551616", b"2147483648", b"65536", b"1,5",
    b"1\x1e", b"0x10", b"1_0", b"\xd9\xa3", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xff\xfe", b"\x1b[2J", b'"', b"'", b"\\", b"\n", b"\r\n", b"\t", b";",
    b",", b"=", b"&", b"<", b">", b"&amp;", b"<!--", b"]]>", b"[", b"]", b"[[", b"{", b"}", b"{}",
    b"[]", b"null", b"true", b"!!python/name:os.system", b"*a", b"&a", b"../x", b"/etc/passwd",
    b"a" * 300, b"=1+1", b"slice_0000", b"\\ud800", b"\\u0000",
)  # fmt: skip
_VALUE = re.compile(rb"[-+.\w]+")
_Change = Callable[[st.DrawFn, bytearray, Sequence[bytes]], bytearray]


@st.composite
def changed(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """One of the whole files, changed in one to four places."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for change in draw(st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=4)):
        data = change(draw, data, seeds)
    return bytes(data)


def _place(draw: st.DrawFn, data: bytearray) -> int:
    """Headers are where most is decided: half of all changes are near the beginning."""
    last = len(data)
    return draw(st.one_of(st.integers(0, min(last, 400)), st.integers(0, last)))


def _bit(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    at = _place(draw, data)
    if at < len(data):
        data[at] ^= 1 << draw(st.integers(0, 7))
    return data


def _word(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    at, word = _place(draw, data), draw(st.sampled_from(WORDS))
    over = draw(st.sampled_from((0, len(word))))
    return data[:at] + word + data[at + over :]


def _value(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    """Another word where a number or a name stands."""
    found = _VALUE.search(data, _place(draw, data))
    if found is None:
        return data
    return data[: found.start()] + draw(st.sampled_from(WORDS)) + data[found.end() :]


def _cut(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    return data[: _place(draw, data)]


def _without(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    at = _place(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 64)) :]


def _twice(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    at = _place(draw, data)
    part = data[at : at + draw(st.integers(1, 200))]
    return data[:at] + part * draw(st.integers(2, 50)) + data[at:]


def _spliced(draw: st.DrawFn, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    other = bytearray(draw(st.sampled_from(seeds)))
    return data[: _place(draw, data)] + other[_place(draw, other) :]


_CHANGES: tuple[_Change, ...] = (_bit, _word, _value, _value, _cut, _without, _twice, _spliced)
