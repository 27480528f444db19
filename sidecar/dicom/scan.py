"""Files → frame headers. Pixels are read only for frames that may be copies of each other.

A file that is no DICOM image is counted and named. Nothing is guessed.
"""

from __future__ import annotations

import hashlib
import io
import math
import posixpath
import warnings
from collections import defaultdict
from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace
from typing import Literal

from sidecar.dicom.deflated import inflated
from sidecar.dicom.headers.file_header import (
    COPY_IT_AGAIN,
    FileHeader,
    by_pydicom,
    file_header,
    in_words,
    parse_errors,
)
from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.headers.frame_headers import Commons, frame_count, frames_of
from sidecar.dicom.headers.header_values import parts_of, text_of
from sidecar.dicom.pixels import PixelLayout, layout_of, read_frame
from sidecar.dicom.pixels.pixel_file import refuse_out_of_proportion
from sidecar.dicom.stacks.duplicates import possible_copies
from sidecar.dicom.transfer_syntaxes import DEFLATED, EXPLICIT_BIG
from sidecar.errors import PixelError, SidecarError, SourceError, counted
from sidecar.storage.archive import LINK, ZIP, Archive, archive_kind
from sidecar.storage.local import Local
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Listing, Location
from sidecar.storage.names import is_relative
from sidecar.storage.walk import FORBIDDEN, NOT_FETCHED, NOWHERE

_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

#: Endings of archive names. Documents of office programs are zips too, but hold no slices.
_ARCHIVES = (
    ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar",
)  # fmt: skip
_PACKED_VOLUME = ".nii.gz"
_ARCHIVE = "archive, to be unpacked first"
_ZIP = "zip, to be unpacked first or given by itself"
_READ_ALREADY = "link that git wrote as text, to a file that is read already"
_LINK_AS_TEXT = "link that git wrote as text (git config core.symlinks true makes it a link)"
_NOT_PULLED = "git-lfs file whose content is not here (git lfs pull fetches it)"
_MISNAMED = "file with the name of a DICOM image that is none"
_EMPTY = "empty file with the name of a DICOM image"
#: Endings of the names of DICOM images.
_DICOM_NAMES = (".dcm", ".dicom", ".dic", ".ima")
#: Prefix of files that macOS writes on other disks: "._scan.dcm" has what the Finder knows of
#: scan.dcm.
_OF_MACOS = "._"
#: Kinds of files that are passed by, but may be or contain slices.
MAY_BE_SLICES = (
    LINK, NOWHERE, FORBIDDEN, NOT_FETCHED, _NOT_PULLED, _LINK_AS_TEXT, _MISNAMED, _EMPTY, _ZIP,
    _ARCHIVE,
)  # fmt: skip
#: Most bytes of a file that only points to content elsewhere.
_LONGEST_POINTER = 1 << 10
#: Limits of the number of frames. A file of any size may have `_ALWAYS_TAKEN` frames. Beyond that,
#: each frame needs at least `_LEAST_FRAME` bytes. A compressed frame always needs at least
#: `_LEAST_ITEM`: item tag, length and two bytes (PS3.5 A.4).
_ALWAYS_TAKEN, _LEAST_FRAME, _LEAST_ITEM = 1 << 16, 64, 10
#: Most bytes that one deflated byte can become (RFC 1951: 258 bytes from 2 bits).
_MOST_DEFLATED = 1032
#: Attributes that exist in ACR-NEMA only (PS3.6, retired).
_ACR_NEMA = ("RecognitionCode", "ImageDimensions")
#: SOP classes of objects that accompany images and refer to them. They are no stacks to export.
_BESIDE_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.5": "surface segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "segmentation",
    "1.2.840.10008.5.1.4.1.1.66.8": "segmentation",
    "1.2.840.10008.5.1.4.1.1.481.3": "structure set",
    "1.2.840.10008.5.1.4.1.1.11": "presentation state",
    "1.2.840.10008.5.1.4.1.1.88": "report",
}


@dataclass(frozen=True, slots=True)
class Unusable:
    """A DICOM file that cannot be used: its name in the source, and the reason."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


@dataclass
class Scan:
    """The content of a source: frames of images, and the other files.

    ``root``: the folder that ``Frame.file`` is relative to. ``passed_by``: names of files that are
    no images, by kind. ``damaged``: DICOM files that cannot be used.
    """

    root: Location
    frames: list[Frame] = field(default_factory=list)
    passed_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    damaged: list[Unusable] = field(default_factory=list)


def scan(source: Place | Archive, on_file: Callable[[], object] = lambda: None) -> Scan:
    """Read the headers of every DICOM image under ``source``.

    ``source``: the path or URL of a folder (searched recursively), of one file, of a DICOMDIR, or
    of a zip of any of these. ``on_file`` is called after each file.

    Raises SourceError where there is no such place, where a DICOMDIR names files that do not exist,
    or where an archive cannot be read in place.
    """
    commons = Commons()
    with warnings.catch_warnings():
        # pydicom warns of odd values; this package checks those that matter
        warnings.simplefilter("ignore")
        root, listing = _listing(source if isinstance(source, Archive) else locate(source))
        found = Scan(root)
        found.passed_by.update(listing.passed_by)
        listed = frozenset(listing.files)
        for name in listing.files:
            _scan_file(name, listed, found, commons)
            on_file()
        found.frames = _with_content(root, found.frames)
    return found


def _with_content(root: Location, frames: list[Frame]) -> list[Frame]:
    """The frames. Those that may be copies of others get a digest of their pixels."""
    digests = {(f.file, f.frame): _content(root, f) for f in possible_copies(frames)}
    if not digests:
        return frames
    return [
        replace(frame, content=digests[frame.file, frame.frame])
        if (frame.file, frame.frame) in digests
        else frame
        for frame in frames
    ]


def _content(root: Location, frame: Frame) -> bytes | None:
    """A digest of the pixels. None where they cannot be read; the export will report that."""
    try:
        pixels = read_frame(root, frame.locator)
    except SidecarError:
        return None
    digest = hashlib.blake2b(f"{pixels.dtype} {pixels.shape}".encode(), digest_size=16)
    digest.update(pixels.tobytes())
    return digest.digest()


def _listing(source: Location) -> tuple[Location, Listing]:
    """A folder, and the files in it that may be DICOM."""
    try:
        is_folder = _is_folder(source)
        is_file = not is_folder and source.is_file()
        packed = archive_kind(source) if is_file else None
        if packed == ZIP:
            archive = Archive(source)
            return archive, archive.listing()
    except OSError as error:
        raise SourceError(f"{source.name} cannot be read: {error.strerror}") from None
    if packed is not None:
        raise SourceError(
            f"{source.name} is a {packed} file. Only a zip can be read without unpacking; unpack"
            " the file, and give the folder"
        )
    if is_folder:
        return source, source.listing()
    if not is_file:
        raise SourceError(
            f"{source.name}: there is no such"
            f" {'folder or regular file' if source.exists() else 'file or folder'}"
        )
    if not isinstance(source, Local) and source.parent / source.name != source:
        raise SourceError(
            f"{source.name}: its address has a query, which only the address of a zip may have;"
            " download the file, and give that"
        )
    is_directory = source.name.upper() == "DICOMDIR"
    return source.parent, Listing(_referenced_files(source) if is_directory else (source.name,))


def _is_folder(source: Location) -> bool:
    """Whether the source is a folder. The name ending in .zip is checked first: a web server may
    send all of a zip to answer whether it is a folder.
    """
    is_zip = source.name.lower().endswith(".zip") and source.is_file()
    return not is_zip and source.is_folder()


def _referenced_files(dicomdir: Location) -> tuple[str, ...]:
    """The files that a DICOMDIR names, under the names that it gives. Links are not resolved."""
    try:
        header = by_pydicom(dicomdir)
        if header is None:
            raise SourceError("it is not DICOM")
        records = header.attributes.get("DirectoryRecordSequence") or []
        referenced = [
            [str(part) for part in parts_of(record.ReferencedFileID)]
            for record in records
            if "ReferencedFileID" in record
        ]
    except parse_errors() as error:
        raise SourceError(
            f"{dicomdir.name} is not a readable DICOMDIR ({in_words(error)}); give the folder"
            " instead"
        ) from None
    if any(part in ("", ".", "..") or "/" in part for parts in referenced for part in parts):
        raise SourceError(
            f"{dicomdir.name} names a file outside of its folder; give the folder instead"
        )
    names = ["/".join(parts) for parts in sorted(referenced)]
    missing = [name for name in names if not (dicomdir.parent / name).is_file()]
    if missing:
        raise SourceError(
            f"{dicomdir.name} names {counted(len(missing), 'missing file')}, such as"
            f" {missing[0]!r}; give the folder instead"
        )
    return tuple(dict.fromkeys(names))


def _scan_file(name: str, listed: Set[str], found: Scan, commons: Commons) -> None:
    path = found.root / name
    printed = name.encode("utf-8", "replace").decode()
    try:
        stamp = path.stamp()
        header = file_header(path)
        kind = _no_dicom(path, name, listed) if header is None else _passed_by(header)
        if kind is not None:
            found.passed_by[kind].append(printed)
            return
        assert header is not None
        keyword = _checked(header, path, stamp[0])
        found.frames += frames_of(
            header.attributes,
            _require_text(name),
            keyword,
            header.offset,
            commons,
            stamp,
            header.encoding,
        )
    except Exception as error:
        if not isinstance(error, (SidecarError, *parse_errors())):
            raise
        found.damaged.append(Unusable(printed, in_words(error)))


def _no_dicom(path: Location, name: str, listed: Set[str]) -> str:
    """The kind of a file that is not DICOM. An archive may hold slices, and a pointer file of
    git may stand for one.
    """
    if name.lower().endswith(_ARCHIVES) and not name.lower().endswith(_PACKED_VOLUME):
        return _ZIP if archive_kind(path) == ZIP else _ARCHIVE
    if path.stamp()[0] <= _LONGEST_POINTER:
        text = path.read_bytes().decode("utf-8", "replace").strip()
        if text.startswith("version https://git-lfs.github.com/"):
            return _NOT_PULLED
        if "\0" not in text and "annex/objects/" in text:
            if posixpath.normpath(f"{posixpath.dirname(name)}/{text}") in listed:
                return _READ_ALREADY
            return _LINK_AS_TEXT if (path.parent / text).exists() else NOT_FETCHED
    if name.lower().endswith(_DICOM_NAMES) and not path.name.startswith(_OF_MACOS):
        return _MISNAMED if path.stamp()[0] else _EMPTY
    return "not DICOM"


def _passed_by(header: FileHeader) -> str | None:
    """The kind of a DICOM file that is not an image; None for an image."""
    if header.sop_class == _MEDIA_STORAGE_DIRECTORY:
        return "DICOMDIR"
    for uid, kind in _BESIDE_IMAGES.items():
        if f"{header.sop_class}.".startswith(f"{uid}."):
            return kind
    if header.keyword is None and not _needs_pixels(header):
        return f"{text_of(header.attributes, 'Modality') or 'DICOM'} without an image"
    return None


def _class_name(header: FileHeader) -> str:
    """The name of its SOP class."""
    from pydicom.uid import UID

    return UID(header.sop_class).name


def _needs_pixels(header: FileHeader) -> bool:
    """Whether a file must hold an image. Its SOP class is one of images, or it has Rows and is no
    spectroscopy.

    The SOP class shows this even where the header ends too early.
    """
    kind = _class_name(header)
    return "Image Storage" in kind or ("Rows" in header.attributes and "Spectroscopy" not in kind)


def _checked(header: FileHeader, path: Location, size: int) -> str:
    """The keyword of the pixels.

    First the size of the file is compared with what the header promises, before any frame is made.
    """
    if header.keyword is None:
        raise PixelError(
            f"its SOP Class ({_class_name(header)}) is one of images, but its"
            f" {path.stamp()[0]:,} bytes contain no pixel data; if the file is longer where it"
            " came from, copy it again"
        )
    if not header.sop_class and any(name in header.attributes for name in _ACR_NEMA):
        raise SourceError(
            "it is written in ACR-NEMA, the standard before DICOM, and has no SOP Class UID;"
            " convert it to DICOM first. The archive that it is from does this best, because it"
            " knows where the slices are (gdcmconv --raw of GDCM converts it without their places)"
        )
    count = frame_count(header.attributes)
    layout = layout_of(header.attributes, header.keyword)
    _require_room(count, size, layout)
    promised = math.ceil(count * layout.frame_bits / 8)
    if header.offset is not None:
        needed = header.offset + promised
    else:
        needed = 0 if layout.transfer_syntax == DEFLATED else _LEAST_ITEM * count
    if needed > size:
        held = _bytes_held(path, size, header.offset, layout)
        if held is not None and held < promised:
            raise PixelError(
                f"its pixel data element holds {held:,} bytes, but Rows, Columns, Number of Frames"
                f" and Bits Allocated ask for {promised:,}: the header does not belong to these"
                " pixels"
            )
        raise PixelError(
            f"the file is cut short: it has {size:,} bytes, but its header promises at least"
            f" {needed:,}; {COPY_IT_AGAIN}"
        )
    if path.is_packed():
        refuse_out_of_proportion(size, layout, count)
    # deflated data longer than what the header promises: find out what they are
    if layout.transfer_syntax == DEFLATED and size > promised:
        with io.BytesIO(path.read_bytes()) if path.is_packed() else path.open() as file:
            inflated(file)
    return header.keyword


def _require_room(count: int, size: int, layout: PixelLayout) -> None:
    """PixelError for more frames than a file of this size can hold. Each frame takes memory
    before any pixel is read.
    """
    held = size * _MOST_DEFLATED if layout.transfer_syntax == DEFLATED else size
    if count > max(_ALWAYS_TAKEN, held // _LEAST_FRAME):
        raise PixelError(
            f"Number of Frames is {count:,}, which is more than a file of {size:,} bytes can hold;"
            " correct it"
        )


def _bytes_held(path: Location, size: int, offset: int | None, layout: PixelLayout) -> int | None:
    """The length of the native pixel data element whose value begins at ``offset``; None where the
    file does not hold all of it.

    The four bytes before the value state the length (PS3.5 7.1).
    """
    if offset is None:
        return None
    with path.open() as file:
        file.seek(offset - 4)
        order: Literal["big", "little"] = (
            "big" if layout.transfer_syntax == EXPLICIT_BIG else "little"
        )
        length = int.from_bytes(file.read(4), order)
    return length if offset + length <= size else None


def _require_text(name: str) -> str:
    """A file name as documents hold it.

    SourceError where it is not valid text, or would lead out of its folder on another system.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError("its name is not valid text (UTF-8); rename it") from None
    if not is_relative(name):
        raise SourceError(
            "its name leads out of its folder on other systems (it has a drive such as C:, or a"
            " part that is empty, . or ..); rename it"
        )
    return name
