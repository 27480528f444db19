"""DICOM files whose largest parts are written one after the other: sequences item by item, pixels
frame by frame.

pydicom encodes every dataset. This module writes the few bytes around them: headers of elements and
items, of undefined or known length, in Explicit or Implicit VR Little Endian (PS3.5 7.1, 7.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.uid import ImplicitVRLittleEndian

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
#: Native pixel data has a length of 32 bits, and the highest value means an undefined length (PS3.5
#: 7.1.2).
MAX_PIXEL_BYTES = 2**32 - 2


class DicomStream:
    """A file that is written in the order of tags: `head`, then `sequence` and `bits`, or
    `elements`.

    ``dataset``: all elements except those that are streamed, and the file meta information.
    """

    def __init__(self, file: IO[bytes], dataset: Dataset) -> None:
        self._file, self._dataset = file, dataset
        self._implicit = dataset.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian

    def head(self, before: int) -> None:
        """Write the preamble, the file meta information, and the elements before a tag."""
        head = self._dataset[:before]
        head.file_meta = self._dataset.file_meta
        dcmwrite(self._file, head, enforce_file_format=True)

    def elements(self, after: int) -> None:
        """Write the elements of the dataset after a tag."""
        self._file.write(self.encoded(self._dataset[after + 1 :]))

    def sequence(self, tag: int, items: Iterable[bytes | Iterator[bytes]]) -> None:
        """A sequence of items whose elements are encoded already, whole or in pieces."""
        self._file.writelines(self.sequence_bytes(tag, map(_whole_or_pieces, items)))

    def sequence_bytes(self, tag: int, items: Iterable[bytes | Iterable[bytes]]) -> Iterator[bytes]:
        """A sequence of undefined length, in pieces: whole items, or items in pieces."""
        yield self._header(tag, b"SQ", _UNDEFINED)
        for item in items:
            if isinstance(item, bytes):
                yield item
            else:
                yield from item
        yield _delimiter(_SEQUENCE_END, 0)

    def encoded(self, dataset: Dataset) -> bytes:
        """The elements of a dataset as bytes."""
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, self._implicit
        write_dataset(buffer, dataset)
        return buffer.getvalue()

    def bits(self, planes: Iterable[NDArray[np.bool_]], frames: int, pixels: int) -> None:
        """Write Pixel Data of ``frames`` frames of ``pixels`` bits. The first pixel is in the
        lowest bit, and there are no gaps between frames (PS3.5 8.1.1).
        """
        length = -(-frames * pixels // 8)
        self._file.write(self._header(_PIXEL_DATA, b"OW", length + length % 2))
        rest = np.empty(0, dtype=bool)
        for plane in planes:
            bits = np.concatenate([rest, plane.ravel()]) if len(rest) else plane.ravel()
            whole = len(bits) // 8 * 8
            self._file.write(np.packbits(bits[:whole], bitorder="little").tobytes())
            rest = bits[whole:].copy()
        self._file.write(np.packbits(rest, bitorder="little").tobytes() + bytes(length % 2))

    def _header(self, tag: int, vr: bytes, length: int) -> bytes:
        if self._implicit:
            return _delimiter(tag, length)
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length)


def item(elements: bytes) -> bytes:
    """An item of a sequence, with its header, of elements that are encoded already."""
    return _delimiter(_ITEM, len(elements)) + elements


def implicit_element(tag: int, value: bytes) -> bytes:
    """An element in Implicit VR Little Endian; ``value`` has an even length."""
    return _delimiter(tag, len(value)) + value


def _whole_or_pieces(elements: bytes | Iterator[bytes]) -> bytes | Iterator[bytes]:
    return item(elements) if isinstance(elements, bytes) else _in_pieces(elements)


def _in_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """An item of undefined length."""
    yield _delimiter(_ITEM, _UNDEFINED)
    yield from pieces
    yield _delimiter(_ITEM_END, 0)


def _delimiter(tag: int, length: int) -> bytes:
    """A header without VR, of an item or delimiter, or of any element in Implicit VR."""
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)
