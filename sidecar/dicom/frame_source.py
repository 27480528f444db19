"""One source frame: where it is, and its pixels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.frame import Frame
from sidecar.dicom.pixels import FramePixels, frame_buffer, read_frame


@dataclass(frozen=True, slots=True)
class FrameSource:
    """One source frame: its file relative to the source, where its pixels are, and its Rescale
    Slope and Intercept.
    """

    file: str
    pixels: FramePixels
    rescale: tuple[float, float]

    @classmethod
    def of(cls, frame: Frame) -> FrameSource:
        return cls(
            frame.file,
            FramePixels(frame.common.layout, frame.frame, frame.frames, frame.offset),
            frame.rescale,
        )

    @property
    def bytes(self) -> int:
        """Uncompressed size of the frame."""
        layout = self.pixels.layout
        return layout.rows * layout.columns * layout.samples * layout.bits_allocated // 8


_memory = threading.local()


#: Once a block of this size was given back, glibc keeps smaller ones that are freed instead of
#: giving them back too: otherwise every array of every slice costs a page fault for each 4 KiB of
#: it.
_KEPT_BYTES = 1 << 23


def source_plane(source: Path, frame: FrameSource) -> NDArray[Any]:
    """A source plane; it may be a view of this thread's frame memory, valid until the next call in
    the same thread.
    """
    layout = frame.pixels.layout
    if getattr(_memory, "layout", None) != layout:
        _memory.layout, _memory.buffer = layout, frame_buffer(layout)
        np.empty(_KEPT_BYTES, np.uint8)  # given back at once
    return read_frame(source / frame.file, frame.pixels, _memory.buffer)
