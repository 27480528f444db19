"""One file → its header as written, read by the header scanner where the file is plain, else by
pydicom.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sidecar.dicom.deflated import read_header, read_plain_deflated
from sidecar.dicom.header_scanner import ATTRIBUTES, PIXEL_DATA, read_plain
from sidecar.dicom.headers import frame_places, frame_values
from sidecar.dicom.headers.header_values import Attributes, is_printable, text_of
from sidecar.dicom.transfer_syntaxes import IMPLICIT_LITTLE
from sidecar.errors import PixelError, SidecarError, printable
from sidecar.storage.location import Location

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TAGS = [
    *ATTRIBUTES,
    "RecognitionCode",
    "ImageDimensions",
    *frame_places.TAGS,
    *frame_values.TAGS,
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DirectoryRecordSequence",
]
COPY_IT_AGAIN = "copy it again from where it came from"
_BEYOND_THE_END = (
    "its header goes on beyond the end of the file: the file is cut short, or a length in the"
    f" header is damaged; {COPY_IT_AGAIN}"
)
#: VRs that a pixel data element can have. An implicit element has its length in their place. That
#: length is even, while the first letter of each of these VRs is odd.
_PIXEL_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")


@dataclass(frozen=True)
class FileHeader:
    """The facts that one DICOM file states before its pixels.

    ``keyword``: the pixel data element. ``offset``: where its native value begins, None for
    compressed pixels. ``encoding``: a remark on how the file is written.
    """

    attributes: Attributes
    sop_class: str
    keyword: str | None
    offset: int | None
    encoding: str | None = None


def file_header(path: Location) -> FileHeader | None:
    """The header of a file; None for one that is not DICOM.

    Raises SidecarError, or one of `parse_errors`, for a header that cannot be read.
    """
    plain = read_plain(path) or read_plain_deflated(path)
    if plain is None:
        return by_pydicom(path)
    return FileHeader(
        plain, str(plain.get("SOPClassUID") or ""), plain.pixel_keyword, plain.pixel_offset
    )


def by_pydicom(path: Location) -> FileHeader | None:
    """The header of any file, read by pydicom; None for a file that is not DICOM."""
    with path.open() as file:
        if not _looks_like_dicom(file):
            return None
        try:
            dataset = read_header(file, _TAGS)
        except parse_errors() as error:
            if file.read(1) or isinstance(error, SidecarError):
                raise
            raise PixelError(_BEYOND_THE_END) from error
        keyword, offset, encoding = _pixel_data(file, dataset)
    sop_class = text_of(dataset.file_meta, "MediaStorageSOPClassUID") or text_of(
        dataset, "SOPClassUID"
    )
    return FileHeader(dataset, sop_class, keyword, offset, encoding)


def parse_errors() -> tuple[type[Exception], ...]:
    """Errors that damaged content causes in pydicom. A length that does not fit in memory causes
    MemoryError.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    built_in = (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        EOFError,
        OverflowError,
        NotImplementedError,
        OSError,
        RecursionError,
        MemoryError,
    )
    return (*built_in, struct.error, zlib.error, InvalidDicomError, BytesLengthException)


def in_words(error: Exception) -> str:
    """What is wrong, in our words. Messages of other programs may contain parts of the header,
    or the whole path.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read ({error.strerror})"
    if isinstance(error, SidecarError) and is_printable(str(error)):
        return str(error)
    return (
        "its header cannot be read: its elements are not laid out as DICOM requires"
        f" ({type(error).__name__})"
    )


def _looks_like_dicom(file: BinaryIO) -> bool:
    """Whether a file begins with the DICM prefix (PS3.10 7.1). Without a preamble, whether its
    first element is of group 0002 or 0008 and has a plausible length.
    """
    head = file.read(132)
    file.seek(0)
    if head[128:] == b"DICM":
        return True
    if len(head) < 132:
        return False
    for order in "<>":
        group, element, length = struct.unpack(order + "HHI", head[:8])
        explicit = head[4:6].isalpha() and head[4:6].isupper()
        if group in (0x0002, 0x0008) and element <= 0x0100 and (explicit or length <= 1024):
            return True
    return False


def _pixel_data(file: BinaryIO, dataset: Dataset) -> tuple[str | None, int | None, str | None]:
    """Keyword of the pixel data element, where its native value begins, and a remark on the
    encoding.

    VRs are taken as explicit or implicit as they are written, whatever the transfer syntax says.
    The file stands at that element.
    """
    from pydicom.uid import UID

    declared = dataset.file_meta.get("TransferSyntaxUID")
    syntax = None if declared is None else UID(declared)
    is_known = syntax is None or syntax.is_transfer_syntax
    if syntax is not None and is_known and syntax.is_deflated:
        return ("PixelData" if "Rows" in dataset else None), None, None
    start, head = file.tell(), file.read(12)
    if len(head) < 8:
        return None, None, None
    group, element = struct.unpack("<HH" if dataset.original_encoding[1] else ">HH", head[:4])
    keyword, implicit = PIXEL_DATA.get(group << 16 | element), head[4:6] not in _PIXEL_VRS
    value = start + (8 if implicit else 12)
    if keyword is None or syntax is None:
        return keyword, value, None
    if not is_known:
        raise PixelError(
            f"Transfer Syntax UID {printable(syntax)[:64]} is not in the standard; write the file"
            " as Explicit VR Little Endian in the program that made it"
        )
    remark = None
    if implicit != (syntax == IMPLICIT_LITTLE):
        remark = (
            f"Transfer Syntax UID says {syntax.name}, but the file is written with"
            f" {'implicit' if implicit else 'explicit'} VRs: read as it is written"
        )
    return keyword, None if syntax.is_compressed else value, remark
