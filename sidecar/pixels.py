"""One decoded frame at a time: stored values as the header means them, or RGB; never a whole multi-frame file.

Every compressed transfer syntax is decoded by imagecodecs: BSD licence, one abi3 wheel for each platform, and its decoders
release the GIL, so threads scale. Milliseconds for a noisy 1024 x 1024 slice of 16 bits (8 and 12 for JPEG .50 and .51):

    transfer syntax (1.2.840.10008.1.2…)    decoder                        ms   others measured
    .5       RLE Lossless                   packbits, segment by segment    1   pylibjpeg-rle 2, pydicom 8
    .4.50    JPEG Baseline                  libjpeg-turbo                   2   Pillow 3, GDCM 13, pylibjpeg 12
    .4.51    JPEG Extended, 8 and 12 bit    libjpeg-turbo                   9   pylibjpeg 34
    .4.57    JPEG Lossless, any predictor   libjpeg-turbo                   7   liblj92 16, jpegsof3 18, GDCM 45, pylibjpeg 52
    .4.70    JPEG Lossless, predictor 1     libjpeg-turbo                   7   the same
    .4.80    JPEG-LS, .81 near-lossless     CharLS                         21   pyjpegls 32, GDCM 66, pylibjpeg 93
    .4.90    JPEG 2000, .91 lossy           OpenJPEG                      170   GDCM 139, Pillow 198, pylibjpeg 217
    .4.201   HTJ2K, .202, .203              OpenJPEG                       15   OpenJPH 7, pylibjpeg 16

OpenJPH is not used although it is faster: its binding swallows decoding errors and returns a half-filled array.

JPEG and JPEG 2000 carry no checksum: a stream cut short is refused, a flipped bit inside the entropy-coded data cannot be seen.
Standard: PS3.5 section 8 and annex A (encodings), PS3.3 C.7.6.3 (Image Pixel module).
"""

from __future__ import annotations

import io
import math
import mmap
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import PixelError

if TYPE_CHECKING:
    import pydicom

IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED, ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98"
NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})

_SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1}
_SAMPLES |= dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"), 3)
_JPEG_2000, _JPEG_2000_COLOUR = ("1.2.840.10008.1.2.4.9", "1.2.840.10008.1.2.4.20"), ("YBR_RCT", "YBR_ICT")
_ELEMENT = {"PixelData": 0x7FE00010, "FloatPixelData": 0x7FE00008, "DoubleFloatPixelData": 0x7FE00009}
_BITS_ALLOCATED = {"PixelData": (1, 8, 16, 32), "FloatPixelData": (32,), "DoubleFloatPixelData": (64,)}
_COPY_AGAIN = "copy the file again from where it came from"
_CONVERT = "convert the file to Explicit VR Little Endian first, for example with dcmdjpeg (DCMTK) or gdcmconv --raw (GDCM)"
_UNDEFINED_LENGTH = 0xFFFFFFFF
_END_OF_IMAGE = b"\xff\xd9"
_INFLATED_LIMIT = 1 << 29  # bytes of one inflated file: it has to be held whole
_DECODED_LIMIT = 1 << 30  # bytes of one decompressed frame
_HEADER_ALLOWANCE = 1 << 26  # bytes a header may take in an inflated file


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How pixel data lies in one file; shared by all slices of a series. Fields as in the Image Pixel module (PS3.3 C.7.6.3)."""

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    keyword: str  # "PixelData" | "FloatPixelData" | "DoubleFloatPixelData"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values, in native byte order."""
        kind = "f" if self.keyword != "PixelData" else "i" if self.signed else "u"
        return np.dtype(f"{kind}{max(self.bits_allocated, 8) // 8}")

    @property
    def frame_bits(self) -> int:
        """Length of one native frame in bits; frames of 1-bit data need not start on a byte."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


@dataclass(frozen=True, slots=True)
class FramePixels:
    """Where one frame is: its 0-based number among the frames of its file, and where their native value starts.

    ``offset`` counts bytes from the start of the file to the value of the pixel data element; None when the data are
    compressed or deflated, or when it is not known (it is then looked up).
    """

    layout: PixelLayout
    frame: int
    frames: int
    offset: int | None


def layout_of(dataset: Any, keyword: str | None = None) -> PixelLayout:
    """Pixel layout of a header, which may have been read with ``stop_before_pixels=True``.

    ``keyword`` names the pixel data element when it is known; otherwise an Image Pixel module without BitsStored and
    PixelRepresentation is taken for the Floating Point one (PS3.3 C.7.6.24), which has neither.
    Raises PixelError for attributes that are missing, contradict each other, or describe what cannot be decoded.
    """
    rows, columns, bits, samples = (_count(dataset, name) for name in ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel"))
    if keyword is None:
        keyword = next((name for name in _BITS_ALLOCATED if name in dataset), None) or _keyword_by_module(dataset, bits)
    if keyword == "PixelData":
        stored, signed = _count(dataset, "BitsStored"), _count(dataset, "PixelRepresentation")
        high = _count(dataset, "HighBit", stored - 1)
    else:
        stored, signed, high = bits, 1, bits - 1
    photometric = str(dataset.get("PhotometricInterpretation") or "").strip().upper()
    planar = _count(dataset, "PlanarConfiguration") if samples > 1 else 0
    syntax = _transfer_syntax(dataset)
    native, in_place = syntax in NATIVE, high + 1 == stored
    for right, complaint in (
        (rows and columns, f"Rows {rows} and Columns {columns} leave no image"),
        (photometric in _SAMPLES, f"PhotometricInterpretation {photometric or 'none'} is not supported; {_CONVERT}"),
        (samples == _SAMPLES.get(photometric), f"SamplesPerPixel is {samples}, which does not fit {photometric}"),
        (bits != 12, f"BitsAllocated is 12 (packed pixels, retired); {_CONVERT}"),
        (bits in _BITS_ALLOCATED[keyword], f"BitsAllocated {bits} is not supported for {keyword}"),
        (0 < stored <= high + 1 <= bits, f"BitsAllocated {bits}, BitsStored {stored} and HighBit {high} contradict each other"),
        (signed in (0, 1) and planar in (0, 1), "PixelRepresentation and PlanarConfiguration must be 0 or 1"),
        (native or keyword == "PixelData", f"compressed {keyword} is not supported; {_CONVERT}"),
        (native or (bits > 1 and in_place), f"compressed pixels of 1 bit, or left-justified, are not supported; {_CONVERT}"),
        (samples == 1 or (bits in (8, 16) and not signed), f"signed colour, or of {bits} bits, is not supported; {_CONVERT}"),
        (bits == 8 or photometric != "YBR_FULL_422", f"YBR_FULL_422 of {bits} bits is not supported; {_CONVERT}"),
        (not native or photometric != "YBR_FULL_422" or columns % 2 == 0, "YBR_FULL_422 needs an even number of Columns"),
        (photometric not in _JPEG_2000_COLOUR or syntax.startswith(_JPEG_2000), f"{photometric} belongs to JPEG 2000 only"),
    ):
        if not right:
            raise PixelError(complaint)
    return PixelLayout(syntax, rows, columns, samples, photometric, planar, bits, stored, high, bool(signed), keyword)


def frame_buffer(layout: PixelLayout) -> mmap.mmap:
    """Page-aligned memory for one native frame of this layout, to be given to `read_frame` again and again."""
    return mmap.mmap(-1, layout.frame_bits // 8 + 2)


def read_frame(path: Path, pixels: FramePixels, out: mmap.mmap | None = None) -> NDArray[Any]:
    """One frame: (rows, columns) stored values of type ``layout.dtype``, or (rows, columns, 3) RGB, uint8 or uint16.

    Stored values are before any rescale and, for MONOCHROME1, not inverted. Bits outside the BitsStored bits below HighBit
    (overlays of old) are gone. PALETTE COLOR and YBR come back as RGB.
    ``out``: memory from `frame_buffer`. A native frame is read into it and the result may be a view of it, valid until
    the next call with the same memory; compressed frames do not use it.
    Raises PixelError, with file and frame, when the data are cut short, damaged or in an encoding that is not supported.
    """
    place = f"{path.name}, frame {pixels.frame + 1} of {pixels.frames}"
    if not 0 <= pixels.frame < pixels.frames:
        raise PixelError(f"{place}: there is no such frame")
    try:
        return _read(path, pixels, out)
    except OSError as error:
        raise PixelError(f"{place}: the file cannot be read: {error.strerror or error}") from error
    except PixelError as error:
        raise PixelError(f"{place}: {error}") from error


def _read(path: Path, pixels: FramePixels, out: mmap.mmap | None) -> NDArray[Any]:
    layout, photometric = pixels.layout, pixels.layout.photometric
    if layout.transfer_syntax in NATIVE:
        stored = _native_frame(path, pixels, out)
    else:
        stored, photometric = _decompress(_encoded_frame(_Source.of(path, pixels), pixels.frame), layout)
    if photometric == "PALETTE COLOR":
        first, table = _palette(_Source.of(path, pixels))
        # values outside the table take its ends (PS3.3 C.7.6.3.1.5)
        return table[np.clip(stored.astype(np.int64) - first, 0, len(table) - 1)]
    if photometric.startswith("YBR_FULL"):
        return _rgb_of_ybr(stored)
    return stored


# --- the header ---

_READ_ERRORS = (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, OverflowError, NotImplementedError, RecursionError, struct.error)  # fmt: skip # noqa: E501


def _count(dataset: Any, keyword: str, default: int | None = None) -> int:
    try:
        value = dataset.get(keyword, default)
    except _READ_ERRORS as error:
        raise PixelError(f"{keyword} cannot be read") from error
    if not isinstance(value, int) or value < 0:
        state = "is missing" if value is None else f"is {str(value)[:20]!r}, not a count"
        raise PixelError(f"{keyword} {state}; without it the pixels cannot be understood")
    return int(value)


def _keyword_by_module(dataset: Any, bits: int) -> str:
    if "BitsStored" in dataset or "PixelRepresentation" in dataset:
        return "PixelData"
    return {32: "FloatPixelData", 64: "DoubleFloatPixelData"}.get(bits, "PixelData")


def _transfer_syntax(dataset: Any) -> str:
    declared = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if declared:
        return str(declared)
    implicit, little = dataset.original_encoding  # no meta information: as pydicom found it to be written
    if not little:
        return EXPLICIT_BIG
    return IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE


# --- the file ---


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as it is now: the key under which facts about it are remembered."""

    path: Path
    modified: int
    size: int
    layout: PixelLayout
    frames: int

    @classmethod
    def of(cls, path: Path, pixels: FramePixels) -> _Source:
        stat = path.stat()
        return cls(path, stat.st_mtime_ns, stat.st_size, pixels.layout, pixels.frames)

    def open(self) -> BinaryIO:
        if self.layout.transfer_syntax == DEFLATED:
            return io.BytesIO(_inflated(self))
        return self.path.open("rb")


@dataclass(frozen=True, slots=True)
class _Element:
    """The pixel data element: where its value starts, its VR (empty when implicit), and the Extended Offset Table if any."""

    offset: int
    vr: bytes
    extended_offsets: tuple[int, ...]


@lru_cache(maxsize=4)
def _element(source: _Source) -> _Element:
    with source.open() as file:
        dataset = _header(file, "ExtendedOffsetTable")
        start = file.tell()  # pydicom stops where the element begins
        head = file.read(12)
    group, number = struct.unpack(">HH" if source.layout.transfer_syntax == EXPLICIT_BIG else "<HH", head[:4].ljust(4))
    if len(head) < 8 or group << 16 | number != _ELEMENT[source.layout.keyword]:
        raise PixelError(f"the file holds no {source.layout.keyword}; {_COPY_AGAIN}")
    # An implicit element has its length here, and an even one, while the first letter of each of these VRs is odd.
    explicit = head[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN")
    table = dataset.get("ExtendedOffsetTable") or b""
    offsets = struct.unpack_from(f"<{len(table) // 8}Q", table)
    return _Element(start + (12 if explicit else 8), head[4:6] if explicit else b"", offsets)


def _header(file: BinaryIO, *keywords: str) -> pydicom.Dataset:
    from pydicom import dcmread

    try:
        return dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(keywords))
    except _READ_ERRORS as error:
        raise PixelError(f"the header cannot be read ({type(error).__name__}); {_COPY_AGAIN}") from error


@lru_cache(maxsize=1)
def _inflated(source: _Source) -> bytes:
    """The data set of a deflated file (PS3.5 A.5): the only way in is from its start. Bounded: small files can inflate vastly."""
    limit = min(_pixel_bytes(source.layout, source.frames) + _HEADER_ALLOWANCE, _INFLATED_LIMIT)
    inflater, parts, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    with source.path.open("rb") as file:
        head = file.read(144)  # preamble, "DICM", and the group length of the meta information
        if head[128:138] != b"DICM\x02\x00\x00\x00UL":
            raise PixelError(f"the meta information of this deflated file has no group length; {_CONVERT}")
        file.seek(144 + int.from_bytes(head[140:144], "little"))
        while not inflater.eof and (chunk := file.read(1 << 20)):
            try:
                part = inflater.decompress(chunk, limit - size + 1)
            except zlib.error as error:
                raise PixelError(f"the deflated data are damaged; {_COPY_AGAIN}") from error
            parts.append(part)
            size += len(part)
            if size > limit:
                raise PixelError(
                    f"it inflates to more than {limit >> 20} MiB, the most that its pixels need or that is allowed; {_CONVERT}"
                )
    if not inflater.eof:
        raise PixelError(f"the deflated data end early; {_COPY_AGAIN}")
    return b"".join(parts)


def _pixel_bytes(layout: PixelLayout, frames: int) -> int:
    return math.ceil(frames * layout.frame_bits / 8)


# --- native frames (PS3.5 section 8.1 and annex A.1 to A.3) ---


def _native_frame(path: Path, pixels: FramePixels, out: mmap.mmap | None) -> NDArray[Any]:
    layout, offset, in_words = pixels.layout, pixels.offset, False
    could_be_words = layout.transfer_syntax == EXPLICIT_BIG and layout.bits_allocated <= 8
    if offset is None or could_be_words:
        element = _element(_Source.of(path, pixels))
        offset = element.offset
        in_words = could_be_words and element.vr == b"OW"  # then bytes are swapped in pairs
    start, stop = pixels.frame * layout.frame_bits, (pixels.frame + 1) * layout.frame_bits
    first, last = start // 8, math.ceil(stop / 8)
    lead, trail = (first % 2, last % 2) if in_words else (0, 0)
    with _unbuffered(path, pixels) as file:
        _check_length(file, offset, last, pixels)
        raw = _fill(file, offset + first - lead, lead + last - first + trail, out)
    if in_words:
        raw = raw.view(np.uint16).byteswap(inplace=True).view(np.uint8)[lead : lead + last - first]
    return _native_values(raw, layout, start % 8)


def _unbuffered(path: Path, pixels: FramePixels) -> BinaryIO:
    """The file, such that reading into memory is one system call straight into it."""
    if pixels.layout.transfer_syntax == DEFLATED:
        return _Source.of(path, pixels).open()
    return cast("BinaryIO", io.FileIO(path))


def _check_length(file: BinaryIO, offset: int, needed: int, pixels: FramePixels) -> None:
    """Hold the element's length, the four bytes before its value, against what the header promises."""
    file.seek(offset - 4)
    length = int.from_bytes(file.read(4), "big" if pixels.layout.transfer_syntax == EXPLICIT_BIG else "little")
    promised = _pixel_bytes(pixels.layout, pixels.frames)
    if length == _UNDEFINED_LENGTH:
        raise PixelError("the pixel data are encapsulated although the transfer syntax is a native one; correct either")
    if length < needed:
        raise PixelError(f"the pixel data are cut short: {length} bytes where the header promises {promised}; {_COPY_AGAIN}")
    # Padding is common. Half a frame of it means that the header describes something else (such as 4:4:4 called 4:2:2),
    # and any of it among packed bits that every frame may have been padded.
    padding = 1 if pixels.layout.bits_allocated == 1 else max(1, promised // pixels.frames // 2 - 1)
    if length - promised > padding:
        raise PixelError(
            f"the pixel data are {length} bytes where the header promises {promised}; correct Rows, Columns, BitsAllocated, "
            "NumberOfFrames or PhotometricInterpretation"
        )


def _fill(file: BinaryIO, start: int, count: int, out: mmap.mmap | None) -> NDArray[np.uint8]:
    missing = start + count - file.seek(0, io.SEEK_END)
    if missing > 0:
        raise PixelError(f"the file ends {missing} bytes too early; {_COPY_AGAIN}")
    view = (np.empty(count, np.uint8).data if out is None else memoryview(out))[:count]
    if len(view) < count:
        raise ValueError(f"out holds {len(view)} bytes, a frame takes {count}")
    file.seek(start)
    done = 0
    while done < count and (n := file.readinto(view[done:])):  # type: ignore[attr-defined]
        done += n
    if done < count:
        raise PixelError(f"the file became shorter while it was read; {_COPY_AGAIN}")
    return np.frombuffer(view, np.uint8)


def _native_values(raw: NDArray[np.uint8], layout: PixelLayout, skip: int = 0) -> NDArray[Any]:
    """The values in the bytes of one frame, which starts ``skip`` bits into the first of them; changes ``raw``."""
    shape = (layout.rows, layout.columns)
    if layout.bits_allocated == 1:
        return np.unpackbits(raw, bitorder="little")[skip : skip + layout.frame_bits].reshape(shape)
    if layout.photometric == "YBR_FULL_422":
        return _upsampled(raw).reshape(*shape, 3)
    values = raw.view(layout.dtype.newbyteorder(">" if layout.transfer_syntax == EXPLICIT_BIG else "<"))
    if not values.dtype.isnative:
        values = values.byteswap(inplace=True).view(layout.dtype)
    values = _within_bits(values, layout.bits_stored, layout.high_bit)
    if layout.samples == 1:
        return values.reshape(shape)
    if layout.planar:
        return np.ascontiguousarray(values.reshape(layout.samples, *shape).transpose(1, 2, 0))
    return values.reshape(*shape, layout.samples)


def _within_bits(values: NDArray[Any], bits: int, high: int) -> NDArray[Any]:
    """The ``bits`` bits whose highest is bit ``high``, sign-extended when the type is signed; in place (PS3.5 8.1.1)."""
    width = 8 * values.dtype.itemsize
    if bits < width:
        np.left_shift(values, width - 1 - high, out=values)
        np.right_shift(values, width - bits, out=values)
    return values


def _upsampled(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Y1 Y2 Cb Cr, for two pixels each, as Y Cb Cr for every pixel (PS3.3 C.7.6.3.1.2)."""
    pairs = raw.reshape(-1, 4)
    ybr = np.empty((len(pairs), 2, 3), np.uint8)
    ybr[:, :, 0] = pairs[:, :2]
    ybr[:, :, 1:] = pairs[:, np.newaxis, 2:]
    return ybr


# --- encapsulated frames (PS3.5 annex A.4) ---


def _encoded_frame(source: _Source, frame: int) -> bytes:
    """The compressed bytes of one frame, its fragments joined."""
    start, stop = _frame_starts(source)[frame : frame + 2]
    parts, size, limit = [], 0, 4 * _pixel_bytes(source.layout, 1) + (1 << 20)
    with source.open() as file:
        file.seek(start)
        while file.tell() < stop and (length := _item_length(file)) is not None:
            size += length
            if size > limit:
                raise PixelError(f"{size} compressed bytes are more than one frame can be; the file is damaged; {_COPY_AGAIN}")
            parts.append(file.read(length))
            if len(parts[-1]) < length:
                raise PixelError(f"the file ends {length - len(parts[-1])} bytes too early; {_COPY_AGAIN}")
        if file.tell() > stop:
            raise PixelError(f"the offset table does not fit the fragments; {_CONVERT}")
    return b"".join(parts)


@lru_cache(maxsize=4)
def _frame_starts(source: _Source) -> tuple[int, ...]:
    """Where in the file the first item of every frame begins, and where the last frame ends at the latest."""
    element = _element(source)
    with source.open() as file:
        file.seek(element.offset)
        length = _item_length(file)
        if length is None:
            raise PixelError(f"there are no compressed frames; {_COPY_AGAIN}")
        first = element.offset + 8 + length
        table = file.read(length) if length == 4 * source.frames else b""
        basic = struct.unpack_from(f"<{len(table) // 4}L", table)
        for offsets in (element.extended_offsets, basic):
            # A table that cannot be right (32 bits overflow beyond 4 GiB) is passed over: the items themselves tell.
            rising = all(a < b for a, b in pairwise((-1, *offsets, source.size - first)))
            if len(offsets) == source.frames and offsets[0] == 0 and rising:
                return (*(first + offset for offset in offsets), source.size)
        file.seek(first)
        return _starts_by_items(file, source)


def _starts_by_items(file: BinaryIO, source: _Source) -> tuple[int, ...]:
    starts, ended, at = [], [], file.tell()
    while (length := _item_length(file)) is not None:
        starts.append(at)
        at += 8 + length
        file.seek(max(at - 16, at - length))
        ended.append(_END_OF_IMAGE in file.read(min(16, length)))
    if source.frames == 1:
        starts = starts[:1]
    elif len(starts) > source.frames:  # several fragments to a frame: the last one holds the end-of-image marker
        starts = [start for start, after_end in zip(starts, [True, *ended], strict=False) if after_end]
    if len(starts) != source.frames:
        raise PixelError(f"the header promises {source.frames} frames, the compressed data hold {len(starts)}; {_COPY_AGAIN}")
    return (*starts, at)


def _item_length(file: BinaryIO) -> int | None:
    """Length of the item that begins here; None at the sequence delimiter or the end of the file."""
    head = file.read(8)
    if head[:4] == b"\xfe\xff\xdd\xe0" or not head:
        return None
    length = int.from_bytes(head[4:], "little")
    if len(head) < 8 or head[:4] != b"\xfe\xff\x00\xe0" or length == _UNDEFINED_LENGTH:
        raise PixelError(f"the sequence of compressed fragments is damaged; {_COPY_AGAIN}")
    return length


# --- decoders ---


@dataclass(frozen=True, slots=True)
class _Codestream:
    """What a JPEG, JPEG-LS or JPEG 2000 stream says of itself; ``photometric`` where it overrules the DICOM header."""

    rows: int
    columns: int
    samples: int
    precision: int
    photometric: str | None = None


def _decompress(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """The stored values of a compressed frame, and their photometric interpretation."""
    decode = _DECODERS.get(layout.transfer_syntax)
    if decode is None:
        from pydicom.uid import UID

        raise PixelError(f"there is no decoder for the transfer syntax {UID(layout.transfer_syntax).name}; {_CONVERT}")
    if layout.rows * layout.columns * layout.samples * layout.dtype.itemsize > _DECODED_LIMIT:
        raise PixelError(f"a frame of {layout.columns} x {layout.rows} pixels is too large to decompress in memory")
    try:
        return decode(stream, layout)
    except PixelError:
        raise
    except (RuntimeError, *_READ_ERRORS) as error:  # the codecs' own errors are RuntimeErrors
        raise PixelError(f"the compressed image is damaged ({error}); {_COPY_AGAIN}") from error


def _jpeg(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    from imagecodecs import jpeg8_decode

    image = _jpeg_header(stream, b"\xc0\xc1\xc2\xc3")
    _check_agreement(image, layout)
    space = "YCBCR" if image.samples == 3 else None  # the same in and out: components as they are coded
    decoded = jpeg8_decode(stream, colorspace=space, outcolorspace=space)
    bits = image.precision if layout.transfer_syntax in _LOSSY and not layout.signed else layout.bits_stored
    return _as_stored(decoded, layout, bits), image.photometric or layout.photometric


def _jpeg_ls(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    from imagecodecs import jpegls_decode

    image = _jpeg_header(stream, b"\xf7")
    _check_agreement(image, layout)
    values = _as_stored(jpegls_decode(stream), layout, _bits_that_count(image, layout))
    return values, image.photometric or layout.photometric


def _jpeg_2000(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """JPEG 2000 and HTJ2K. The decoder undoes the component transform, so YBR_RCT and YBR_ICT come out as RGB."""
    from imagecodecs import jpeg2k_decode

    image = _jpeg_2000_header(stream)
    _check_agreement(image, layout)
    photometric = "RGB" if layout.photometric in _JPEG_2000_COLOUR else layout.photometric
    return _as_stored(jpeg2k_decode(stream, planar=False), layout, _bits_that_count(image, layout)), photometric


def _rle(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    """One PackBits segment for each byte of each sample, most significant first (PS3.5 annex G)."""
    from imagecodecs import packbits_decode

    count, *starts = struct.unpack_from("<16L", stream)
    pixels, size = layout.rows * layout.columns, layout.dtype.itemsize
    bounds = [*starts[:count], len(stream)]
    if count != layout.samples * size or bounds != sorted(bounds):
        raise PixelError(f"the compressed image has {count} segments where {layout.samples * size} are due; {_COPY_AGAIN}")
    raw = np.empty((pixels, layout.samples, size), np.uint8)
    for number, (start, stop) in enumerate(pairwise(bounds)):
        segment = packbits_decode(stream[start:stop], out=pixels + 256)  # some writers encode their padding too
        if len(segment) < pixels:
            raise PixelError(f"the compressed image is cut short; {_COPY_AGAIN}")
        raw[:, number // size, size - 1 - number % size] = np.frombuffer(segment, np.uint8, pixels)
    return _native_values(raw.reshape(-1), replace(layout, planar=0)), layout.photometric


def _uncompressed(stream: bytes, layout: PixelLayout) -> tuple[NDArray[Any], str]:
    raw = np.frombuffer(stream, np.uint8, _pixel_bytes(layout, 1))
    return _native_values(raw.copy(), layout), layout.photometric


_JPEG = "1.2.840.10008.1.2.4."
_LOSSY = frozenset(_JPEG + process for process in ("50", "51", "81", "91", "203"))
_DECODERS: dict[str, Callable[[bytes, PixelLayout], tuple[NDArray[Any], str]]] = {
    ENCAPSULATED_UNCOMPRESSED: _uncompressed,
    "1.2.840.10008.1.2.5": _rle,
    **{_JPEG + process: _jpeg for process in ("50", "51", "57", "70")},
    **{_JPEG + process: _jpeg_ls for process in ("80", "81")},
    **{_JPEG + process: _jpeg_2000 for process in ("90", "91", "201", "202", "203")},
}


def _bits_that_count(image: _Codestream, layout: PixelLayout) -> int:
    """Of a lossless stream those of BitsStored, the others may be an overlay; of a lossy one all, for its values overshoot."""
    return image.precision if layout.transfer_syntax in _LOSSY else min(image.precision, layout.bits_stored)


def _as_stored(decoded: NDArray[Any], layout: PixelLayout, bits: int) -> NDArray[Any]:
    """Decoded samples, of which ``bits`` bits count, with the sign that the DICOM header gives them.

    Streams disagree with the header: JPEG knows no sign, and JPEG 2000 is often declared unsigned around signed data.
    """
    shape = (layout.rows, layout.columns, layout.samples)[: 2 if layout.samples == 1 else 3]
    if decoded.shape != shape:
        raise PixelError(f"the compressed image decodes to {decoded.shape}, the header says {shape}")
    values = _within_bits(np.ascontiguousarray(decoded.astype(layout.dtype, copy=False)), bits, bits - 1)
    if bits > layout.bits_stored:  # cutting bits off what overshoots would turn white into black
        lowest = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
        np.clip(values, lowest, lowest + (1 << layout.bits_stored) - 1, out=values)
    return values


def _check_agreement(image: _Codestream, layout: PixelLayout) -> None:
    """Before a decoder sees the stream: it would allocate what the stream asks for."""
    if (image.columns, image.rows, image.samples) != (layout.columns, layout.rows, layout.samples):
        raise PixelError(
            f"the compressed image is {image.columns} x {image.rows} x {image.samples} (columns, rows, samples), "
            f"the header says {layout.columns} x {layout.rows} x {layout.samples}; one of them is wrong"
        )
    if not 0 < image.precision <= layout.bits_allocated:
        raise PixelError(f"the compressed image has {image.precision} bits, BitsAllocated is {layout.bits_allocated}; one is wrong")


def _jpeg_header(stream: bytes, frame_markers: bytes) -> _Codestream:
    """Walk the marker segments up to the frame header (ISO/IEC 10918-1 B.2.2; JPEG-LS: ISO/IEC 14495-1 C.2.2)."""
    photometric, at = None, 2
    if stream[:2] != b"\xff\xd8":
        raise PixelError(f"the compressed data are no JPEG image; {_COPY_AGAIN}")
    if _END_OF_IMAGE not in stream[-16:]:  # libjpeg would fill the rest with grey, CharLS takes seconds to give up
        raise PixelError(f"the compressed image is cut short; {_COPY_AGAIN}")
    while True:
        while stream[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        prefix, marker, length = struct.unpack_from(">BBH", stream, at)
        body = stream[at + 4 : at + 2 + length]
        if prefix != 0xFF or length < 2 or marker == 0xDA:
            raise PixelError(f"the compressed image has no frame header; {_COPY_AGAIN}")
        if marker in frame_markers:
            break
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            raise PixelError(f"the compressed image is a JPEG of type SOF{marker & 0x3F}, not of its transfer syntax; {_CONVERT}")
        if (marker == 0xE0 and body[:4] == b"JFIF") or (marker == 0xEE and body[:5] == b"Adobe" and body[11:12] == b"\x01"):
            photometric = "YBR_FULL"
        at += 2 + length
    precision, rows, columns, samples = struct.unpack_from(">BHHB", body)
    if body[6::3] in (b"RGB", b"rgb"):  # component identifiers
        photometric = "RGB"
    return _Codestream(rows, columns, samples, precision, photometric if samples == 3 else None)


def _jpeg_2000_header(stream: bytes) -> _Codestream:
    """The SIZ marker segment (ISO/IEC 15444-1 A.5.1), also when a JP2 box is wrapped around the codestream."""
    at = stream.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at < 0:
        raise PixelError(f"the compressed data are no JPEG 2000 image; {_COPY_AGAIN}")
    right, bottom, left, top, *_, samples, depth = struct.unpack_from(">8LHB", stream, at + 8)
    return _Codestream(bottom - top, right - left, samples, (depth & 0x7F) + 1)


# --- colour ---


def _rgb_of_ybr(ybr: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import convert_color_space

    if ybr.dtype != np.uint8:
        raise PixelError(f"YBR colour of {ybr.dtype.itemsize * 8} bits is not supported; {_CONVERT}")
    rgb: NDArray[np.uint8] = convert_color_space(ybr, "YBR_FULL", "RGB")
    return rgb


@lru_cache(maxsize=4)
def _palette(source: _Source) -> tuple[int, NDArray[np.uint8]]:
    """The stored value of the first entry, and the entries as (n, 3) RGB (PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6)."""
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    segmented = [f"Segmented{name}Data" for name in names]
    keywords = [f"{name}{part}" for name in names for part in ("Descriptor", "Data")]
    with source.open() as file:
        dataset = _header(file, "PixelRepresentation", *keywords, *segmented)
    try:
        count, first, _ = (int(value) for value in dataset[f"{names[0]}Descriptor"].value)
        count = count or 1 << 16
        first = (first + 0x8000) % 0x10000 - 0x8000 if source.layout.signed else first % 0x10000
        if segmented[0] in dataset:
            table = _segmented_palette(dataset, first, count)
        else:
            table = np.stack([_palette_entries(dataset[f"{name}Data"].value, count, source.layout) for name in names], axis=-1)
    except _READ_ERRORS as error:
        raise PixelError(f"the palette cannot be read ({error}); {_CONVERT}") from error
    # Entries of 16 bits fill their range, save in files that put 8-bit values into them.
    return first, (table >> 8 if table.max() > 0xFF else table).astype(np.uint8)


def _palette_entries(data: bytes, count: int, layout: PixelLayout) -> NDArray[Any]:
    if layout.transfer_syntax == EXPLICIT_BIG:  # always words (OW), whatever the size of an entry
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    return np.frombuffer(data, "<u2" if len(data) >= 2 * count else "u1", count)


def _segmented_palette(dataset: pydicom.Dataset, first: int, count: int) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut

    table: NDArray[Any] = apply_color_lut(np.arange(first, first + count), dataset)
    if table.dtype == np.uint8 and count > 256:  # pydicom counts entries in their own type
        raise PixelError("a segmented palette of more than 256 8-bit colours is not supported")
    return table[:, :3]
