"""Are the PNGs of a folder those that its document names? Digests, sizes, depths and texts; no
pixel is decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from sidecar.checks.finding import Finding, finding
from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.document.tag import png_stem
from sidecar.errors import DocumentError
from sidecar.progress import Progress
from sidecar.storage.digest import file_digest
from sidecar.storage.location import Location

#: Bytes at the start of a PNG in which everything before its pixels lies.
HEAD = 1 << 16
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"
_CHANNELS = {0: 1, 2: 3}


@dataclass(frozen=True, slots=True)
class Png:
    """What a PNG says before its pixels.

    ``channels``: None for a kind that is never exported. ``whole``: its end is there.
    """

    size: tuple[int, int]
    bits: int
    channels: int | None
    text: dict[str, str]
    whole: bool


def check_images(document: Document, folder: Location, progress: Progress) -> list[Finding]:
    """Findings on the PNGs in ``folder``. Reads every one of them once."""
    names = [image.name for image in document.images.files]
    progress.start("reading PNGs", len(names))
    missing, digests, sizes, texts, silent = [], [], [], [], 0
    for k, image in enumerate(document.images.files):
        try:
            png, digest = _read(folder, image.name)
        except DocumentError as error:
            missing.append(str(error))
            continue
        if digest != image.sha256:
            digests.append(f"{image.name} {_changed(image.name, png, k)}")
        sizes += [f"{image.name} {problem}" for problem in _wrong_size(png, document)]
        texts += [f"{image.name} {problem}" for problem in _wrong_text(png, document, k)]
        silent += png is None or not png.text
        progress.advance(1, 0)
    unread = len(missing)
    missing += [
        f"{name} is there, but is none of this export" for name in _strangers(folder, names)
    ]
    columns, rows, count = document.images.size
    read = count - unread
    said = (
        f"{read} PNGs of {columns} × {rows}, {document.images.bits} bits,"
        f" {document.images.channels} per pixel"
    )
    files = finding("files", missing, f"{count} PNGs, none missing and none too many")
    if read == 0:
        return [
            files,
            *(Finding(name, None, "no PNG to look at") for name in ("digests", "sizes", "texts")),
        ]
    found = [files, finding("digests", digests, f"{read} SHA-256 digests")]
    if (
        document.evidence is not None
    ):  # images of another program are of any kind, and say nothing of us
        return found
    return [
        *found,
        finding("sizes", sizes, said),
        (
            Finding("texts", None, "these images carry no text of an export")
            if silent == read
            else finding("texts", texts, f"each of {read} PNGs names its slice and its series")
        ),
    ]


def _strangers(folder: Location, names: Sequence[str]) -> list[str]:
    """PNGs named as an export names them, that a label tool would show among the others."""
    stem = png_stem(names[0])
    try:
        there = folder.names()
    except OSError as error:
        raise DocumentError(
            f"folder {folder.name or folder.resolved().name} cannot be read: {error.strerror}"
        ) from None
    return sorted(
        name for name in set(there).difference(names) if stem is not None and png_stem(name) == stem
    )


def _read(folder: Location, name: str) -> tuple[Png | None, str]:
    """Head and digest of an image.

    DocumentError where there is no such file, or none that can be read.
    """
    path = image_path(folder, name)
    try:
        return read_head(path), file_digest(path)
    except OSError as error:
        raise DocumentError(f"{name} cannot be read: {error.strerror}") from None


def image_path(folder: Location, name: str) -> Location:
    """Where an image of a document lies.

    DocumentError where there is no such file.
    """
    if not (folder / name).is_file():
        raise DocumentError(f"{name} is not there, beside its {SIDECAR_NAME}")
    return folder / name


def read_head(path: Location) -> Png | None:
    """What a PNG says before its pixels; None for a file that is no PNG, or is damaged there."""
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


def _changed(name: str, png: Png | None, k: int) -> str:
    if png is None:
        return (
            "is no longer a PNG"
            if name.lower().endswith(".png")
            else "was changed after it was adopted"
        )
    if not png.whole:
        return "is cut short"
    said = png.text.get("Slice", "")
    return f"holds slice {said[:9]}" if said not in ("", str(k)) else "was changed after the export"


def _wrong_size(png: Png | None, document: Document) -> Iterator[str]:
    images = document.images
    if png is None:
        yield "is not a PNG"
    elif png.size != images.size[:2]:
        yield (
            f"is {png.size[0]} × {png.size[1]} pixels, the sidecar says {images.size[0]} ×"
            f" {images.size[1]}"
        )
    elif png.bits != images.bits or png.channels != images.channels:
        yield f"is not of {images.bits} bits and {images.channels} per pixel"


def _wrong_text(png: Png | None, document: Document, k: int) -> Iterator[str]:
    series = document.source.series_instance_uid.encode("latin-1", "replace").decode("latin-1")
    wanted = {"Slice": str(k), "SeriesInstanceUID": series, "Sidecar": SIDECAR_NAME}
    if document.images.tag is not None:
        wanted["Tag"] = document.images.tag
    text = {} if png is None else png.text
    if not text:
        yield "carries no text of an export"
        return
    for keyword, value in wanted.items():
        if text.get(keyword) != value:
            yield (
                f"says {keyword} {text[keyword][:70]!r}, which is {value!r}"
                if keyword in text
                else f"says no {keyword}"
            )


def read_pixels(document: Document, folder: Location, name: str) -> NDArray[Any]:
    """The pixels (rows, columns[, 3]), uint8 or uint16, of one PNG.

    DocumentError where it is not what the document says.
    """
    path = image_path(folder, name)
    try:
        problem = next(
            _wrong_size(read_head(path), document), None
        )  # before the decoder, which allocates what the file asks for
        if (
            problem is None
            and path.stamp()[0]
            > HEAD + 2 * int(np.prod(document.images.size[:2])) * document.images.channels * 2
        ):
            problem = "is larger than such a PNG can be"
        if problem is None:
            return np.asarray(imagecodecs.png_decode(path.read_bytes()))
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"cannot be read ({error.strerror if isinstance(error, OSError) else error})"
    raise DocumentError(f"{name} {problem}; {document.remedy}")
