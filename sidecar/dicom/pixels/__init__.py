"""Decoding of one frame at a time: stored values as the header defines them, or RGB; never a whole
multi-frame file.

`layout`: how pixels lie in a file, and where a frame is. `unchanged`: whether the file is still the
one whose header was read. `pixel_file`: where its pixels are. `sidecar.dicom.deflated`: inflates
within a bound. `native`: reads uncompressed values. `encapsulated`: collects compressed fragments.
`codestream` and `codecs`: decode them. `colour`: converts other colours to RGB. Standard: PS3.5
section 8 and annex A (encodings), PS3.3 C.7.6.3 (Image Pixel module).
"""

from __future__ import annotations

import mmap
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels.layout import FrameLocator, PixelLayout, layout_of
from sidecar.dicom.pixels.native import native_frame
from sidecar.dicom.pixels.pixel_file import PixelFile
from sidecar.dicom.pixels.unchanged import require_unchanged
from sidecar.dicom.transfer_syntaxes import NATIVE
from sidecar.errors import PixelError
from sidecar.storage.location import Location

__all__ = [
    "FrameLocator",
    "PixelLayout",
    "frame_buffer",
    "layout_of",
    "read_frame",
    "read_plane",
]

#: Bytes of a block that is freed once per thread. After that, glibc keeps smaller blocks that are
#: freed. Otherwise every array of every slice would cost a page fault for each of its 4 KiB.
_KEPT_BYTES = 1 << 23

_memory = threading.local()


def read_plane(root: Location, frame: FrameLocator) -> NDArray[Any]:
    """The pixels of a frame, as `read_frame` returns them, in memory that this thread keeps.

    The result may be a view of that memory. It is then valid until the next call in the same
    thread.
    """
    if getattr(_memory, "layout", None) != frame.layout:
        _memory.layout, _memory.buffer = frame.layout, frame_buffer(frame.layout)
        np.empty(_KEPT_BYTES, np.uint8)  # given back at once
    return read_frame(root, frame, _memory.buffer)


def frame_buffer(layout: PixelLayout) -> mmap.mmap:
    """Page-aligned memory for one native frame of this layout. `read_frame` can use it again and
    again.
    """
    # packed bits may begin and end within a byte, and bytes within a word
    return mmap.mmap(-1, layout.frame_bits // 8 + 4)


def read_frame(root: Location, frame: FrameLocator, out: mmap.mmap | None = None) -> NDArray[Any]:
    """One frame of a source at ``root``: (rows, columns) stored values of type ``layout.dtype``, or
    (rows, columns, 3) RGB, uint8 or uint16.

    Stored values are before any rescale and, for MONOCHROME1, not inverted. Only the BitsStored
    bits that end at HighBit are kept; older files have overlays in the others. PALETTE COLOR and
    YBR become RGB.

    ``out``: memory from `frame_buffer`. A native frame is read into it. The result may be a view of
    it, valid until the next call with the same memory. Compressed frames do not use it.

    Raises PixelError, with file and frame, where the data are cut short, damaged or in an
    unsupported encoding, and where the file is not the one whose header was read.
    """
    path = root / frame.file
    try:
        if not 0 <= frame.index < frame.frames:
            raise PixelError("there is no such frame")
        require_unchanged(path, frame)
        return _read(path, frame, out)
    except (OSError, PixelError) as error:
        why = (
            f"the file cannot be read: {error.strerror or error}"
            if isinstance(error, OSError)
            else str(error)
        )
        raise PixelError(
            f"{path.name}, frame {frame.index + 1} of {frame.frames}: {why}"
        ) from error


def _read(path: Location, frame: FrameLocator, out: mmap.mmap | None) -> NDArray[Any]:
    layout, photometric = frame.layout, frame.layout.photometric
    if layout.transfer_syntax in NATIVE:
        stored = native_frame(path, frame, out)
    else:
        from sidecar.dicom.pixels.codecs import decompress  # native pixels do not need it
        from sidecar.dicom.pixels.encapsulated import encoded_frame

        stored, photometric = decompress(
            encoded_frame(PixelFile.of(path, frame), frame.index), layout
        )
    if photometric == "PALETTE COLOR":
        from sidecar.dicom.pixels.colour import palette

        first, table = palette(PixelFile.of(path, frame))
        # values outside the table take its first or last entry (PS3.3 C.7.6.3.1.5)
        return table[np.clip(stored.astype(np.int64) - first, 0, len(table) - 1)]
    if photometric.startswith("YBR_FULL"):
        from sidecar.dicom.pixels.colour import rgb_of_ybr

        return rgb_of_ybr(stored)
    return stored
