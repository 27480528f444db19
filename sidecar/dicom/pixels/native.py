"""Native frames: values that are not compressed (PS3.5 section 8.1 and annex A.1 to A.3)."""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels.layout import FrameLocator, PixelLayout, pixel_bytes
from sidecar.dicom.pixels.pixel_file import UNDEFINED_LENGTH, PixelFile, pixel_element
from sidecar.dicom.transfer_syntaxes import COPY_AGAIN, DEFLATED, EXPLICIT_BIG
from sidecar.errors import PixelError, counted
from sidecar.storage.location import Location
from sidecar.storage.ranges import Ranges, StreamRanges

#: Bytes of the length of an element, which stands before its value.
_LENGTH = 4


def native_frame(path: Location, frame: FrameLocator, out: mmap.mmap | None) -> NDArray[Any]:
    layout, offset, in_words = frame.layout, frame.offset, False
    could_be_words = layout.transfer_syntax == EXPLICIT_BIG and layout.bits_allocated <= 8
    if offset is None or could_be_words:
        element = pixel_element(PixelFile.of(path, frame))
        offset = element.offset
        in_words = could_be_words and element.vr == b"OW"  # then each pair of bytes is swapped
    start, stop = frame.index * layout.frame_bits, (frame.index + 1) * layout.frame_bits
    first, last = start // 8, math.ceil(stop / 8)
    lead, trail = (first % 2, last % 2) if in_words else (0, 0)
    with _opened(path, frame) as file:
        raw = _raw(file, frame, offset, first - lead, last + trail, out)
    if in_words:
        raw = raw.view(np.uint16).byteswap(inplace=True).view(np.uint8)[lead : lead + last - first]
    return native_values(raw, layout, start % 8)


def _opened(path: Location, frame: FrameLocator) -> Ranges:
    if frame.layout.transfer_syntax == DEFLATED or path.is_packed():
        return StreamRanges(PixelFile.of(path, frame).open())
    # one request to a remote file returns the length of the element and the first frame after it
    first = math.ceil(frame.layout.frame_bits / 8) if frame.index == 0 else 0
    return path.ranges(_LENGTH + first)


def _raw(
    file: Ranges,
    frame: FrameLocator,
    offset: int,
    first: int,
    last: int,
    out: mmap.mmap | None,
) -> NDArray[np.uint8]:
    """The bytes from ``first`` to ``last`` of the value at ``offset``. The length before the
    value is compared with what the header promises.
    """
    start, end, stated = offset + first, offset + last, memoryview(bytearray(_LENGTH))
    view = None if out is None else memoryview(out)[: end - start]
    together = (stated,) if view is None or first else (stated, view)
    done = file.fill(offset - _LENGTH, *together)
    _complete(file, offset - _LENGTH, stated, done, end)
    _check_length(stated, frame)
    if view is None:
        if end > file.size():  # allocate nothing that a damaged header asks for
            raise _ends_early(file, end)
        view = np.empty(end - start, np.uint8).data
    if len(view) < end - start:
        raise ValueError(f"out holds {len(view)} bytes, but a frame takes {end - start}")
    _complete(file, start, view, max(done - _LENGTH, 0), end)
    return np.frombuffer(view, np.uint8)


def _complete(file: Ranges, at: int, view: memoryview, done: int, end: int) -> None:
    """Read the bytes at ``at`` that are missing after the first ``done``. PixelError where the
    file does not reach to ``end``.
    """
    while done < len(view):
        n = file.fill(at + done, view[done:])
        if not n:
            raise _ends_early(file, end)
        done += n


def _ends_early(file: Ranges, end: int) -> PixelError:
    missing = end - file.size()
    early = f"ends {counted(missing, 'byte')} too early"
    what = early if missing > 0 else "became shorter while it was read"
    return PixelError(f"the file {what}; {COPY_AGAIN}")


def _check_length(stated: memoryview, frame: FrameLocator) -> None:
    needed = math.ceil((frame.index + 1) * frame.layout.frame_bits / 8)
    length = int.from_bytes(
        stated, "big" if frame.layout.transfer_syntax == EXPLICIT_BIG else "little"
    )
    promised = pixel_bytes(frame.layout, frame.frames)
    if length == UNDEFINED_LENGTH:
        raise PixelError(
            "the pixel data are encapsulated, but the transfer syntax is a native one; correct one"
            " of them"
        )
    if length < needed:
        raise PixelError(
            f"the pixel data element holds {length:,} bytes, but Rows, Columns, Number of Frames"
            f" and Bits Allocated ask for {promised:,}: the header does not belong to these pixels"
        )
    # Padding is common. Half a frame of padding means that the header describes something else
    # (such as 4:4:4 called 4:2:2). Any padding of packed bits means that every frame may have been
    # padded.
    padding = 1 if frame.layout.bits_allocated == 1 else max(1, promised // frame.frames // 2 - 1)
    if length - promised > padding:
        raise PixelError(
            f"the pixel data have {length} bytes, but the header promises {promised}; correct Rows,"
            " Columns, BitsAllocated, NumberOfFrames or PhotometricInterpretation"
        )


def native_values(raw: NDArray[np.uint8], layout: PixelLayout, skip: int = 0) -> NDArray[Any]:
    """The values in the bytes of one frame, which starts ``skip`` bits into the first byte.
    Changes ``raw``.
    """
    shape = (layout.rows, layout.columns)
    if layout.bits_allocated == 1:
        return np.unpackbits(raw, bitorder="little")[skip : skip + layout.frame_bits].reshape(shape)
    if layout.photometric == "YBR_FULL_422":
        return _upsampled(raw).reshape(*shape, 3)
    values = raw.view(
        layout.dtype.newbyteorder(">" if layout.transfer_syntax == EXPLICIT_BIG else "<")
    )
    if not values.dtype.isnative:
        values = values.byteswap(inplace=True).view(layout.dtype)
    values = within_bits(values, layout.bits_stored, layout.high_bit)
    if layout.samples == 1:
        return values.reshape(shape)
    if layout.planar:
        return np.ascontiguousarray(values.reshape(layout.samples, *shape).transpose(1, 2, 0))
    return values.reshape(*shape, layout.samples)


def within_bits(values: NDArray[Any], bits: int, high: int) -> NDArray[Any]:
    """The ``bits`` bits whose highest is bit ``high``, sign-extended if the type is signed
    (PS3.5 8.1.1). Changes ``values``.
    """
    width = 8 * values.dtype.itemsize
    if bits < width:
        np.left_shift(values, width - 1 - high, out=values)
        np.right_shift(values, width - bits, out=values)
    return values


def _upsampled(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Y Cb Cr for every pixel, from Y1 Y2 Cb Cr for two pixels each (PS3.3 C.7.6.3.1.2)."""
    pairs = raw.reshape(-1, 4)
    ybr = np.empty((len(pairs), 2, 3), np.uint8)
    ybr[:, :, 0] = pairs[:, :2]
    ybr[:, :, 1:] = pairs[:, np.newaxis, 2:]
    return ybr
