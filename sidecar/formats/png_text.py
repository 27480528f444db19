"""The size and the texts that a PNG file states before its pixels.

PNG specification (W3C, third edition): chunks in section 5, IHDR in 11.2.1, tEXt in 11.3.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Most chunks that are read before the pixels, and most bytes of one text. Our PNGs have six chunks
#: and about a hundred bytes.
_MOST_CHUNKS, _LONGEST_TEXT = 64, 4096


@dataclass(frozen=True, slots=True)
class PngHead:
    """``size``: columns and rows. ``texts``: the tEXt chunks before the pixels, by keyword."""

    size: tuple[int, int]
    texts: dict[str, str] = field(default_factory=dict)


def read_head(file: BinaryIO) -> PngHead | None:
    """The head of the PNG that ``file`` stands at the beginning of; None where it is no PNG.

    Damage ends the reading; what was read before it is returned. No pixel is decoded.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return None
    head: PngHead | None = None
    for _ in range(_MOST_CHUNKS):
        start = file.read(8)
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if len(start) < 8 or kind in (b"IDAT", b"IEND"):
            break
        if length > _LONGEST_TEXT:
            file.seek(length + 4, 1)
            continue
        data = file.read(length)
        file.seek(4, 1)
        if head is None:
            if kind != b"IHDR" or len(data) < 8:
                return None
            head = PngHead((int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")))
        elif kind == b"tEXt":
            keyword, _, text = data.partition(b"\0")
            head.texts.setdefault(keyword.decode("latin-1"), text.decode("latin-1"))
    return head
