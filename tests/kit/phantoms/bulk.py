"""Big and cheap: files for measuring time and memory, written without ever holding them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID

from .classic import slice_header
from .enhanced import enhanced_header
from .spec import Spec
from .truth import Phantom, plan

#: PixelData (7FE0,0010) OW in Explicit VR Little Endian, up to its 32-bit length.
PIXEL_DATA = b"\xe0\x7f\x10\x00OW\x00\x00"
ENCAPSULATED_UNCOMPRESSED = UID("1.2.840.10008.1.2.1.98")
#: The tag of an item (FFFE,E000), and the Sequence Delimitation Item (PS3.5 A.4).
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)


def write_flat_series(
    folder: Path, slices: int, size: tuple[int, int], pixels: NDArray[np.uint16] | None = None
) -> Phantom:
    """One plain Explicit VR Little Endian CT file of 16 bits per slice, in order, named
    image_0000.dcm and so on.

    ``size``: (columns, rows). ``pixels``: (rows, columns) uint16, the same in every slice; None
    leaves a hole in each file, which reads as zeros and takes no room where the file system knows
    sparse files. There are no markers.
    """
    columns, rows = size
    phantom = _planned(folder, "classic", slices, size)
    data = (
        None if pixels is None else np.broadcast_to(pixels, (rows, columns)).astype("<u2").tobytes()
    )
    for plane, path in zip(phantom.planes, phantom.files(), strict=True):
        slice_header(phantom, plane).save_as(path, enforce_file_format=True, overwrite=False)
        append_pixels(path, 2 * columns * rows, data)
    return phantom


def write_sparse_multiframe(folder: Path, frames: int, size: tuple[int, int]) -> Phantom:
    """An Enhanced CT of 16 bits whose pixels are one hole: it reads as zeros, and costs only its
    header on the disk.

    ``size``: (columns, rows). Raises ValueError above 4 GiB, where the length no longer fits its 32
    bits (PS3.5 7.1.2).
    """
    columns, rows = size
    phantom = _planned(folder, "enhanced", frames, size)
    if 2 * columns * rows * frames >= 2**32 - 1:
        raise ValueError("native pixel data ends at 4 GiB: fewer or smaller frames")
    (path,) = set(phantom.files())
    enhanced_header(phantom).save_as(path, enforce_file_format=True, overwrite=False)
    append_pixels(path, 2 * columns * rows * frames, None)
    return phantom


def write_sparse_fragments(folder: Path, frames: int, size: tuple[int, int]) -> Phantom:
    """The same of any length: encapsulated but uncompressed (PS3.5 A.4.11), each frame a hole in a
    fragment of its own, no offset table.
    """
    columns, rows = size
    phantom = _planned(folder, "enhanced", frames, size)
    (path,) = set(phantom.files())
    dataset = enhanced_header(phantom)
    dataset.file_meta.TransferSyntaxUID = ENCAPSULATED_UNCOMPRESSED
    dataset.save_as(path, enforce_file_format=True, overwrite=False)
    with path.open("r+b") as file:
        file.seek(0, io.SEEK_END)
        file.write(PIXEL_DATA.replace(b"OW", b"OB") + b"\xff\xff\xff\xff" + ITEM + bytes(4))
        for _ in range(frames):
            file.write(ITEM + (2 * columns * rows).to_bytes(4, "little"))
            file.seek(2 * columns * rows, 1)
        file.write(SEQUENCE_END)
    return phantom


def _planned(
    folder: Path, layout: Literal["classic", "enhanced"], slices: int, size: tuple[int, int]
) -> Phantom:
    spec = Spec(
        columns=size[0],
        rows=size[1],
        slices=slices,
        layout=layout,
        order="ascending",
        shuffled_names=False,
        markers=False,
        junk=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return plan(spec, folder)


def append_pixels(path: Path, length: int, data: bytes | None) -> None:
    """Put a PixelData element at the end of a file that holds a header;
    None: a hole of that length.
    """
    with path.open("ab") as file:
        file.write(PIXEL_DATA + length.to_bytes(4, "little"))
        if data is None:
            file.truncate(file.tell() + length)
        else:
            file.write(data)
