"""Headers read by pydicom, and deflated files (PS3.5 A.5) inflated within a bound.

pydicom inflates a file without a bound: 1 MiB of it can inflate to 1 GiB. A deflated data set can
only be read from its start.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from sidecar.dicom.header_scanner import PIXEL_DATA, PlainHeader, read_inflated
from sidecar.dicom.transfer_syntaxes import CONVERT, COPY_AGAIN, DEFLATED, READ_ERRORS
from sidecar.errors import PixelError
from sidecar.formats.inflate import RAW, fastest
from sidecar.storage.location import Location

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset

INFLATED_LIMIT = 1 << 29  # bytes of one inflated file, which has to be in memory as a whole
#: What follows the preamble: "DICM", and the element with the length of the meta information
#: (PS3.10 7.1).
_META_BEGINS = b"DICM\x02\x00\x00\x00UL"
_META_BYTES = 1 << 12  # nearly all meta information is shorter
_HEADER_BYTES = 1 << 16  # bytes of an inflated file; nearly all headers are shorter


def read_header(file: BinaryIO, keywords: Iterable[str]) -> Dataset:
    """The named attributes of an open DICOM file, with or without preamble, and its ``file_meta``.

    Afterwards the file stands at the pixel data element, unless it is deflated. Raises PixelError
    for a deflated data set that is damaged or too large. For anything else, the errors of pydicom.
    """
    from pydicom import dcmread

    file.seek(0)
    meta = _file_meta(file)
    if meta.get("TransferSyntaxUID") == DEFLATED:
        dataset = _beginning(file, keywords) or read_data_set(io.BytesIO(inflated(file)), keywords)
        dataset.file_meta = meta
        return dataset
    file.seek(0)
    return dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(keywords))


def read_plain_deflated(path: Location) -> PlainHeader | None:
    """The header of a deflated file that is plain otherwise (see `sidecar.dicom.header_scanner`).
    Only as much of the file is inflated as a header takes.

    None where pydicom should read it. Raises PixelError as `inflated`.
    """
    with path.open() as file:
        head = file.read(_META_BYTES)
        if (
            head[128:138] != _META_BEGINS
            or DEFLATED.encode() not in head
            or _meta_ends(head) > len(head)
        ):
            return None
        return read_inflated(head[: _meta_ends(head)], inflated(file, enough=_HEADER_BYTES))


def _beginning(file: BinaryIO, keywords: Iterable[str]) -> Dataset | None:
    """The named attributes of a deflated file, with only as much inflated as a header takes.

    None where that does not reach the pixels.
    """
    start = io.BytesIO(inflated(file, enough=_HEADER_BYTES))
    try:
        dataset = read_data_set(start, keywords)
    except READ_ERRORS:
        return None
    group, element = struct.unpack("<HH", start.read(4).ljust(4, b"\0"))
    return dataset if group << 16 | element in PIXEL_DATA else None


def read_data_set(file: BinaryIO, keywords: Iterable[str]) -> Dataset:
    """The named attributes of an inflated data set. Afterwards the file stands at the pixel data
    element.

    This does not use ``dcmread``. A data set that begins like a file would be a file to it, which
    could be deflated again.
    """
    from pydicom.filereader import read_dataset
    from pydicom.tag import Tag

    tags = [Tag(keyword) for keyword in keywords]
    return read_dataset(
        file,
        False,
        True,
        stop_when=lambda tag, vr, length: tag in PIXEL_DATA,
        specific_tags=list(tags),
    )


def _file_meta(file: BinaryIO) -> FileMetaDataset:
    """The file meta information (PS3.10 7.1), as ``dcmread`` finds it."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filereader import read_dataset, read_preamble

    read_preamble(file, force=True)
    return FileMetaDataset(
        read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    )


def inflated(file: BinaryIO, most: int = INFLATED_LIMIT, enough: int | None = None) -> bytes:
    """The inflated data set of an open deflated file.

    ``most``: the data set may have so many bytes, but no more than INFLATED_LIMIT. ``enough``: stop
    after so many bytes.

    Raises PixelError where the part that was inflated is larger, damaged or cut short.
    """
    limit = min(most, INFLATED_LIMIT)
    wanted = limit + 1 if enough is None else min(enough, limit + 1)
    inflater, parts, size = fastest.decompressobj(RAW), [], 0
    file.seek(0)
    head = file.read(144)
    if head[128:138] != _META_BEGINS:
        raise PixelError(
            f"the meta information of this deflated file has no group length; {CONVERT}"
        )
    file.seek(_meta_ends(head))
    while not inflater.eof and size < wanted and (chunk := file.read(1 << 16)):
        try:
            parts.append(inflater.decompress(chunk, wanted - size))
        except fastest.error as error:
            raise PixelError(f"the deflated data are damaged; {COPY_AGAIN}") from error
        size += len(parts[-1])
    if size > limit:
        raise PixelError(
            f"it inflates to more than {limit >> 20} MiB, which is more than its pixels need or"
            f" than is allowed; {CONVERT}"
        )
    if not inflater.eof and size < wanted:
        raise PixelError(f"the deflated data end early; {COPY_AGAIN}")
    return b"".join(parts)


def _meta_ends(head: bytes) -> int:
    return 144 + int.from_bytes(head[140:144], "little")
