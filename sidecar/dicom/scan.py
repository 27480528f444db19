"""pydicom: files → frame headers, without pixels.

Whatever is not a DICOM image is counted, not guessed at.
"""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from sidecar.dicom.deflated import inflated, read_header, read_plain_deflated
from sidecar.dicom.frame_headers import (
    Attributes,
    Commons,
    frames_of,
    is_printable,
    parts_of,
    text_of,
)
from sidecar.dicom.header_scanner import ATTRIBUTES, PIXEL_DATA, read_plain
from sidecar.dicom.pixels import layout_of
from sidecar.dicom.series import Frame
from sidecar.dicom.transfer_syntaxes import DEFLATED
from sidecar.errors import PixelError, SidecarError, SourceError
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Location

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_TAGS = [
    *ATTRIBUTES,
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DirectoryRecordSequence",
]


@dataclass
class Scan:
    """What a source holds: frames of images, and what else was met.

    ``root`` is the folder that ``Frame.file`` is relative to.
    """

    root: Location
    frames: list[Frame] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)


def scan(source: Place, on_file: Callable[[], object] = lambda: None) -> Scan:
    """Read the headers of every DICOM image under ``source``: a folder (recursively), one file, or
    a DICOMDIR, by its path or URL.

    Raises SourceError when there is no such place, or when a DICOMDIR names files that are not
    there.
    """
    commons = Commons()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # pydicom's remarks on odd values; what matters is checked here
        root, names = _files(locate(source))
        found = Scan(root)
        for name in names:
            _scan_file(root / name, name, found, commons)
            on_file()
    return found


def _files(source: Location) -> tuple[Location, list[str]]:
    """A folder, and the names in it of the files that may be DICOM."""
    try:
        is_folder, is_file = source.is_folder(), source.is_file()
    except OSError as error:
        raise SourceError(f"{source.name} cannot be read: {error.strerror}") from None
    if is_folder:
        return source, source.files()
    if not is_file:
        raise SourceError(
            f"{source.name}: there is no such"
            f" {'folder or regular file' if source.exists() else 'file or folder'}"
        )
    if source.name.upper() != "DICOMDIR":
        return source.parent, [source.name]
    root = source.parent.resolved()
    return root, _referenced_files(source, root)


def _referenced_files(dicomdir: Location, root: Location) -> list[str]:
    try:
        header = _by_pydicom(dicomdir)
        if header is None:
            raise SourceError("it is not DICOM")
        records = header.attributes.get("DirectoryRecordSequence") or []
        referenced = [
            "/".join(map(str, parts_of(record.ReferencedFileID)))
            for record in records
            if "ReferencedFileID" in record
        ]
        names = [(root / name).resolved().relative_to(root) for name in referenced]
    except _parse_errors() as error:
        raise SourceError(
            f"{dicomdir.name} is not a readable DICOMDIR ({_short(error)}); give the folder instead"
        ) from None
    inside = [name for name in names if name is not None]
    if len(inside) < len(names):
        raise SourceError(
            f"{dicomdir.name} names a file outside of its folder; give the folder instead"
        )
    missing = [name for name in inside if not (root / name).is_file()]
    if missing:
        raise SourceError(
            f"{dicomdir.name} names {len(missing)} files that are not there, such as"
            f" {missing[0]!r}; give the folder instead"
        )
    return sorted(set(inside), key=lambda name: name.split("/"))


def _parse_errors() -> tuple[type[Exception], ...]:
    """What damaged content makes pydicom raise; MemoryError for a length that no memory holds."""
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


@dataclass(frozen=True)
class _Header:
    """What one DICOM file says of itself before its pixels."""

    attributes: Attributes
    sop_class: str
    keyword: str | None
    offset: int | None


def _scan_file(path: Location, name: str, found: Scan, commons: Commons) -> None:
    try:
        header = _plain(path) or _by_pydicom(path)
        if header is None:
            found.others["not DICOM"] += 1
        elif header.sop_class == _MEDIA_STORAGE_DIRECTORY:
            found.others["DICOMDIR"] += 1
        elif header.keyword is None and not _needs_pixels(header):
            found.others[
                f"{text_of(header.attributes, 'Modality') or 'DICOM'} without an image"
            ] += 1
        else:
            keyword = _checked(header, path)
            found.frames += frames_of(
                header.attributes, _require_text(name), keyword, header.offset, commons
            )
    except Exception as error:
        if not isinstance(error, (SidecarError, *_parse_errors())):
            raise
        found.damaged.append(f"{name.encode('utf-8', 'replace').decode()}: {_short(error)}")


def _plain(path: Location) -> _Header | None:
    """The header of a plain file; None where pydicom should have a look."""
    plain = read_plain(path) or read_plain_deflated(path)
    if plain is None:
        return None
    return _Header(
        plain, str(plain.get("SOPClassUID") or ""), plain.pixel_keyword, plain.pixel_offset
    )


def _by_pydicom(path: Location) -> _Header | None:
    """The header of any DICOM file; None for a file that is not DICOM."""
    with path.open() as file:
        if not _looks_like_dicom(file):
            return None
        dataset = read_header(file, _TAGS)
        keyword, offset = _pixel_data(file, dataset)
    sop_class = text_of(dataset.file_meta, "MediaStorageSOPClassUID") or text_of(
        dataset, "SOPClassUID"
    )
    return _Header(dataset, sop_class, keyword, offset)


def _needs_pixels(header: _Header) -> bool:
    """Whether a file must hold an image: by its SOP class, also where the header broke off before
    it says so itself.
    """
    from pydicom.uid import UID

    kind = UID(header.sop_class).name
    return "Image Storage" in kind or ("Rows" in header.attributes and "Spectroscopy" not in kind)


def _checked(header: _Header, path: Location) -> str:
    """The keyword of the pixels, after holding what the header promises against the size of the
    file, before anything is made of it.
    """
    if header.keyword is None:
        raise PixelError("it has image attributes but no pixel data: the file is cut short")
    size, count = path.stamp()[0], int(header.attributes.get("NumberOfFrames") or 1)
    layout = layout_of(header.attributes, header.keyword)
    promised = math.ceil(count * layout.frame_bits / 8)
    needed = count if header.offset is None else header.offset + promised
    if needed > size:
        raise PixelError(
            f"the file is cut short: {size:,} bytes, where its header promises at least {needed:,}"
        )
    if (
        layout.transfer_syntax == DEFLATED and size > promised
    ):  # it was deflated and is longer: what is in it?
        with path.open() as file:
            inflated(file)
    return header.keyword


def _require_text(name: str) -> str:
    """A file name, which documents hold as text. SourceError where it is none."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError("its name is not valid text (UTF-8); rename it") from None
    return name


def _short(error: Exception) -> str:
    """What is wrong, in our words: those of others may quote the header, or the whole path."""
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read ({error.strerror})"
    if isinstance(error, SidecarError) and is_printable(str(error)):
        return str(error)
    return "its header is damaged or cut short"


def _looks_like_dicom(file: BinaryIO) -> bool:
    """The DICM prefix (PS3.10 7.1), or without a preamble a first element of group 0002 or 0008
    with a plausible length.
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


def _pixel_data(file: BinaryIO, dataset: Dataset) -> tuple[str | None, int | None]:
    """Keyword of the pixel data element and, for native pixels, where its value begins.

    The file stands at that element.
    """
    from pydicom.uid import UID

    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is not None and UID(syntax).is_deflated:
        return ("PixelData" if "Rows" in dataset else None), None
    little, implicit = dataset.original_encoding[1], dataset.original_encoding[0]
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return None, None
    group, element = struct.unpack("<HH" if little else ">HH", head[:4])
    keyword = PIXEL_DATA.get(group << 16 | element)
    compressed = syntax is not None and UID(syntax).is_transfer_syntax and UID(syntax).is_compressed
    if keyword is None or compressed:
        return keyword, None
    return keyword, start + (8 if implicit else 12)
