"""The PNGs that a document names: their place, their head, and their pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.errors import DocumentError, UsageError, counted
from sidecar.storage.location import Location

#: Bytes at the start of a PNG that contain everything before its pixels.
HEAD = 1 << 16
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_CHANNELS = {0: 1, 2: 3}


@dataclass(frozen=True, slots=True)
class Png:
    """The facts that a PNG states before its pixels.

    ``size``: columns, rows. ``channels``: None for a colour type that is never exported. ``whole``:
    whether the end of the file is there.
    """

    size: tuple[int, int]
    bits: int
    channels: int | None
    text: dict[str, str]
    whole: bool


def image_path(folder: Location, name: str) -> Location:
    """The place of an image of a document.

    DocumentError where there is no such file.
    """
    if not (folder / name).is_file():
        where = folder.name or folder.resolved().name
        raise DocumentError(f"{name} is missing from {where}, the folder of its {SIDECAR_NAME}")
    return folder / name


def read_head(path: Location) -> Png | None:
    """The facts before the pixels of a PNG; None for a file that is no PNG, or is damaged there."""
    with path.open(HEAD) as file:
        head = file.read(HEAD)
        file.seek(max(0, path.stamp()[0] - len(_END)))
        whole = file.read() == _END
    if not head.startswith(_SIGNATURE):
        return None
    chunks = list(_chunks(head))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        return None
    columns, rows, bits, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    pairs = (data.decode("latin-1").partition("\0") for name, data in chunks if name == b"tEXt")
    return Png(
        (columns, rows),
        bits,
        _CHANNELS.get(kind),
        {keyword: text for keyword, _, text in pairs},
        whole,
    )


def _chunks(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each chunk before the pixels (PNG specification, 5.3)."""
    at = len(_SIGNATURE)
    while at + 8 <= len(head):
        length, name = struct.unpack_from(">I4s", head, at)
        if name == b"IDAT" or at + 12 + length > len(head):
            return
        yield name, head[at + 8 : at + 8 + length]
        at += 12 + length


def wrong_size(png: Png | None, document: Document) -> Iterator[str]:
    """Where the head of a PNG differs from the document, in words."""
    images = document.images
    if png is None:
        yield "is not a PNG"
    elif png.size != images.size[:2]:
        yield (
            f"is {png.size[0]} × {png.size[1]} pixels, but the sidecar says {images.size[0]} ×"
            f" {images.size[1]}"
        )
    elif png.bits != images.bits or png.channels != images.channels:
        yield f"does not have {images.bits} bits and {counted(images.channels, 'channel')}"


def read_pixels(
    document: Document, folder: Location, name: str, digest: str | None = None
) -> NDArray[Any]:
    """The pixels (rows, columns[, 3]), uint8 or uint16, of one PNG.

    DocumentError where the PNG differs from the document in size or depth. With ``digest``, its
    SHA-256, DocumentError where any byte differs.
    """
    import imagecodecs  # loaded only to read pixels

    path = image_path(folder, name)
    try:
        # the size is checked before the decoder runs, which allocates what the file asks for
        problem = next(wrong_size(read_head(path), document), None)
        if (
            problem is None
            and path.stamp()[0]
            > HEAD + 2 * int(np.prod(document.images.size[:2])) * document.images.channels * 2
        ):
            problem = "is larger than such a PNG can be"
        if problem is None:
            data = path.read_bytes()
            if digest is None or sha256(data).hexdigest() == digest:
                return np.asarray(imagecodecs.png_decode(data))
            problem = "was changed after the export"
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"cannot be read ({error.strerror if isinstance(error, OSError) else error})"
    raise DocumentError(f"{name} {problem}; {document.remedy}")


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of a stack of PNGs: (slices, rows, columns), with 3 channels last for colours;
    uint8 or uint16. A PNG is read when its pixels are asked for.

    ``pixels[7]`` reads one PNG. ``pixels[3:8]`` is a part of the stack, which is not read yet. A
    loop reads one PNG after the other. ``numpy.asarray(pixels)`` reads all.
    """

    document: Document
    folder: Location
    slices: range

    def __repr__(self) -> str:
        return f"<Pixels {' × '.join(map(str, self.shape))}, {self.dtype}, not read yet>"

    def __len__(self) -> int:
        return len(self.slices)

    @property
    def shape(self) -> tuple[int, ...]:
        """Slices, rows, columns, and 3 for colours."""
        columns, rows, _ = self.document.images.size
        return (len(self.slices), rows, columns, 3)[: 4 if self.document.images.channels > 1 else 3]

    @property
    def ndim(self) -> int:
        """3, or 4 for colours."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return np.dtype(np.uint8 if self.document.images.bits == 8 else np.uint16)

    def __getitem__(self, key: Any) -> Any:
        """A PNG (rows, columns[, 3]) by its number, or the `Pixels` of a slice of numbers.

        UsageError for any other index. IndexError for a number without a PNG. DocumentError where a
        PNG is not as the export wrote it.
        """
        if isinstance(key, slice):
            return Pixels(self.document, self.folder, self.slices[key])
        if not hasattr(key, "__index__"):
            raise UsageError(
                "pixels are read slice by slice: give the number of one, or numbers as in"
                " pixels[3:8]; numpy.asarray(pixels) takes any index"
            )
        image = self.document.images.files[self.slices[key]]
        return read_pixels(self.document, self.folder, image.name, image.sha256)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[k] for k in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.empty(self.shape, self.dtype)
        for k in range(len(self)):
            whole[k] = self[k]
        return whole if dtype is None else whole.astype(dtype, copy=False)
