"""pydicom: files → frame headers, without pixels. Whatever is not a DICOM image is counted, not guessed at."""

from __future__ import annotations

import math
import os
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import UID, MediaStorageDirectoryStorage

from sidecar.errors import PixelError, SidecarError, SourceError
from sidecar.pixels import layout_of
from sidecar.plain import ATTRIBUTES, PlainHeader, read_plain
from sidecar.series import Common, Frame

#: SOP classes whose Image Plane or functional groups are mandatory (PS3.3 A.3, A.4, A.21, A.36, A.38, A.56, A.70): without them
#: something is wrong with the file, and pixel units would hide it.
PLANE_IS_MANDATORY = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "Legacy Converted Enhanced MR",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.130": "Enhanced PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "Legacy Converted Enhanced PET",
}

_PIXEL_KEYWORDS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}

_TAGS = [*ATTRIBUTES, "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DirectoryRecordSequence"]
#: What `Common` is made of in a classic object: files that agree in these share one.
_COMMON_ATTRIBUTES = (
    "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID", "Modality", "SeriesDescription", "SeriesNumber", "PixelSpacing",
    "TransferSyntaxUID", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleType", "Units", "PixelPaddingValue", "PixelPaddingRangeLimit", "ImageType",
)  # fmt: skip

#: Attributes that tell images at one position apart, in order of preference, with the words a user knows them by.
_KEYS = (
    ("time point", "TemporalPositionIdentifier"),
    ("echo", "EchoNumbers"),
    ("echo time", "EchoTime"),
    ("inversion time", "InversionTime"),
    ("b-value", "DiffusionBValue"),
    ("gradient", "DiffusionGradientOrientation"),
    ("trigger time", "TriggerTime"),
    ("acquisition", "AcquisitionNumber"),
    ("image type", "ImageType"),
    ("acquisition time", "AcquisitionTime"),
    ("content time", "ContentTime"),
)  # the transfer syntax comes last: copies that differ in their compression only
#: The same within functional groups: words, sequence, attribute.
_FRAME_KEYS = (
    ("time point", "FrameContentSequence", "TemporalPositionIndex"),
    ("echo time", "MREchoSequence", "EffectiveEchoTime"),
    ("b-value", "MRDiffusionSequence", "DiffusionBValue"),
    ("cardiac delay", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("segment", "SegmentIdentificationSequence", "ReferencedSegmentNumber"),
    ("image type", "MRImageFrameTypeSequence", "FrameType"),
    ("image type", "CTImageFrameTypeSequence", "FrameType"),
    ("stack", "FrameContentSequence", "StackID"),
    ("acquisition", "FrameContentSequence", "FrameAcquisitionNumber"),
)


@dataclass
class Scan:
    """What a source holds: frames of images, and what else was met. ``root`` is the folder that ``Frame.file`` is relative to."""

    root: Path
    frames: list[Frame] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)


def scan(source: Path, on_file: Callable[[], object] = lambda: None) -> Scan:
    """Read the headers of every DICOM image under ``source``: a folder (recursively), one file, or a DICOMDIR.

    Raises SourceError when there is no such place, or when a DICOMDIR names files that are not there.
    """
    commons: dict[Common, Common] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks on odd values; what matters is checked here
        root, files = _files(source)
        found = Scan(root)
        for path in files:
            _scan_file(path, path.relative_to(root).as_posix(), found, commons)
            on_file()
    return found


def _files(source: Path) -> tuple[Path, list[Path]]:
    if source.is_dir():
        return source, sorted(_walk(source))
    if not source.is_file():
        raise SourceError(f"{source.name}: there is no such {'folder or regular file' if source.exists() else 'file or folder'}")
    if source.name.upper() != "DICOMDIR":
        return source.parent, [source]
    return source.parent.resolve(), _referenced_files(source)


def _walk(folder: Path) -> Iterator[Path]:
    """Regular files below ``folder``; links out of it are not followed."""
    for directory, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(directory, name)
            if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(folder.resolve())):
                yield path


def _referenced_files(dicomdir: Path) -> list[Path]:
    root = dicomdir.parent.resolve()
    try:
        records = pydicom.dcmread(dicomdir).get("DirectoryRecordSequence") or []
        names = [map(str, _list(record.ReferencedFileID)) for record in records if "ReferencedFileID" in record]
        paths = [root.joinpath(*parts).resolve() for parts in names]
    except (InvalidDicomError, *_PARSE_ERRORS) as error:
        raise SourceError(f"{dicomdir.name} is not a readable DICOMDIR ({_short(error)}); give the folder instead") from None
    if not all(path.is_relative_to(root) for path in paths):
        raise SourceError(f"{dicomdir.name} names a file outside of its folder; give the folder instead")
    missing = [path for path in paths if not path.is_file()]
    if missing:
        first = missing[0].relative_to(root).as_posix()
        raise SourceError(f"{dicomdir.name} names {len(missing)} files that are not there, such as {first!r}; give the folder instead")
    return sorted(set(paths))


#: What pydicom raises on damaged content, beside InvalidDicomError; MemoryError for a length that no memory holds.
_PARSE_ERRORS = (
    ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError, NotImplementedError, struct.error, zlib.error, OSError,
    RecursionError, MemoryError, BytesLengthException,
)  # fmt: skip


def _scan_file(path: Path, name: str, found: Scan, commons: dict[Common, Common]) -> None:
    try:
        with path.open("rb") as file:
            if not _looks_like_dicom(file):
                found.others["not DICOM"] += 1
                return
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_TAGS, force=True)
            keyword, offset = _pixel_data(file, dataset)
            size = os.fstat(file.fileno()).st_size
        sop_class = _text(dataset.file_meta, "MediaStorageSOPClassUID") or _text(dataset, "SOPClassUID")
        if sop_class == MediaStorageDirectoryStorage:
            found.others["DICOMDIR"] += 1
        elif keyword is None and not _needs_pixels(dataset, sop_class):
            found.others[f"{_text(dataset, 'Modality') or 'DICOM'} without an image"] += 1
        else:
            keyword = _checked(dataset, keyword, offset, size)
            found.frames += _frames(dataset, _told(name), keyword, offset, commons)
    except (InvalidDicomError, SidecarError, *_PARSE_ERRORS) as error:
        found.damaged.append(f"{name.encode('utf-8', 'replace').decode()}: {_short(error)}")


def _needs_pixels(dataset: Dataset, sop_class: str) -> bool:
    """Whether a file must hold an image: by its SOP class, also where the header broke off before it says so itself."""
    kind = UID(sop_class).name
    return "Image Storage" in kind or ("Rows" in dataset and "Spectroscopy" not in kind)


def _checked(dataset: Dataset, keyword: str | None, offset: int | None, size: int) -> str:
    """The keyword of the pixels, after holding what the header promises against the size of the file, before anything is made of it."""
    if keyword is None:
        raise PixelError("it has image attributes but no pixel data: the file is cut short")
    count = int(dataset.get("NumberOfFrames") or 1)
    needed = count if offset is None else offset + math.ceil(count * layout_of(dataset, keyword).frame_bits / 8)
    if needed > size:
        raise PixelError(f"the file is cut short: {size:,} bytes, where its header promises at least {needed:,}")
    return keyword


def _told(name: str) -> str:
    """A file name as documents hold it: text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError("its name is not valid text (UTF-8); rename it") from None
    return name


def _text(dataset: Dataset, keyword: str) -> str:
    """A text attribute, "" where there is none. A damaged length makes it swallow what follows, identity too: such text goes nowhere."""
    value = dataset.get(keyword) or ""
    if not isinstance(value, str) or not _is_plain(value):
        raise SourceError(f"{keyword} is damaged")
    return str(value)


def _description(dataset: Dataset) -> str:
    """For people to read only, so that a damaged one is no reason to refuse the file."""
    text = "\\".join(map(str, _list(dataset.get("SeriesDescription"))))
    return text if _is_plain(text) else ""


def _is_plain(text: str) -> bool:
    """Without control characters, of which every tag that was taken for text has some."""
    return all(c >= " " and c != "\x7f" for c in text)


def _short(error: Exception) -> str:
    """What is wrong, in our words: those of others may quote the header, or the whole path."""
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read ({error.strerror})"
    if isinstance(error, SidecarError) and _is_plain(str(error)):
        return str(error)
    return "its header is damaged or cut short"


def _looks_like_dicom(file: BinaryIO) -> bool:
    """The DICM prefix (PS3.10 7.1), or without a preamble a first element of group 0002 or 0008 with a plausible length."""
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
    """Keyword of the pixel data element and, for native pixels, where its value begins. The file stands at that element."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is not None and UID(syntax).is_deflated:
        return "PixelData", None
    little, implicit = dataset.original_encoding[1], dataset.original_encoding[0]
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return None, None
    group, element = struct.unpack("<HH" if little else ">HH", head[:4])
    keyword = _PIXEL_KEYWORDS.get(Tag(group, element))
    compressed = syntax is not None and UID(syntax).is_transfer_syntax and UID(syntax).is_compressed
    if keyword is None or compressed:
        return keyword, None
    return keyword, start + (8 if implicit else 12)


def _frames(dataset: Dataset, name: str, keyword: str, offset: int | None, commons: dict[Common, Common]) -> list[Frame]:
    count = int(dataset.get("NumberOfFrames") or 1)
    per_frame: Sequence[Dataset] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if per_frame and len(per_frame) != count:
        raise SourceError(f"{count} frames but {len(per_frame)} per-frame functional groups")
    if count < 1:
        raise SourceError(f"NumberOfFrames is {count}")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    made = []
    for i in range(count):
        groups = _Groups(per_frame[i] if per_frame else Dataset(), shared, dataset)
        common = _common(dataset, groups, keyword, count > 1 or bool(per_frame))
        made.append(_frame(dataset, groups, commons.setdefault(common, common), name, i, count, offset))
    return made


@dataclass(frozen=True)
class _Groups:
    """Attributes of one frame: from its functional groups, the shared ones, and in classic objects the top level (PS3.3 C.7.6.16)."""

    frame: Dataset
    shared: Dataset
    top: Dataset

    def get(self, sequence: str, keyword: str) -> Any:
        for groups in (self.frame, self.shared):
            items = groups.get(sequence)
            if items:
                return items[0].get(keyword)
        return self.top.get(keyword) if self.is_classic else None

    @property
    def is_classic(self) -> bool:
        return not len(self.frame) and not len(self.shared)


def _common(dataset: Dataset, groups: _Groups, keyword: str, multiframe: bool) -> Common:
    spacing = _floats(groups.get("PixelMeasuresSequence", "PixelSpacing"), 2)
    layout = layout_of(dataset, keyword)
    unit = str(_plain(groups.get("PixelValueTransformationSequence", "RescaleType") or dataset.get("Units") or ""))
    modality = _text(dataset, "Modality") or "OT"
    number = dataset.get("SeriesNumber")
    return Common(
        study_instance_uid=_text(dataset, "StudyInstanceUID"),
        series_instance_uid=_text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=_text(dataset, "FrameOfReferenceUID") or None,
        sop_class_uid=_text(dataset, "SOPClassUID"),
        modality=modality,
        description=_description(dataset),
        series_number=None if number in (None, "") else int(number),
        pixel_spacing=spacing,  # type: ignore[arg-type]
        layout=layout,
        rescale_unit=unit or ("HU" if modality == "CT" and _rescaled(groups) else None),
        padding=_padding(dataset, layout.signed, layout.bits_allocated),
        multiframe=(_text(dataset, "ConcatenationUID") or _text(dataset, "SOPInstanceUID")) if multiframe else None,
        geometry_problem=_geometry_problem(dataset, groups, spacing),
    )


def _frame(dataset: Dataset, groups: _Groups, common: Common, name: str, i: int, count: int, offset: int | None) -> Frame:
    position = _position(groups, count)
    orientation = _floats(groups.get("PlaneOrientationSequence", "ImageOrientationPatient"), 6) if position else None
    slope = _float(groups.get("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = _float(groups.get("PixelValueTransformationSequence", "RescaleIntercept"))
    if slope == 0:
        raise SourceError("Rescale Slope is 0")
    center = _first(groups.get("FrameVOILUTSequence", "WindowCenter"))
    width = _first(groups.get("FrameVOILUTSequence", "WindowWidth"))
    number = dataset.get("InstanceNumber")
    return Frame(
        common=common,
        file=name,
        frame=i,
        frames=count,
        offset=offset,
        sop_instance_uid=_text(dataset, "SOPInstanceUID"),
        instance_number=None if number in (None, "") else int(number),
        position=position,  # type: ignore[arg-type]
        orientation=orientation,  # type: ignore[arg-type]
        rescale=(1.0 if slope is None else slope, 0.0 if intercept is None else intercept),
        window=(center, width) if center is not None and width is not None and width > 0 else None,
        keys=_keys(dataset, groups),
    )


def _position(groups: _Groups, count: int) -> tuple[float, ...] | None:
    """The plane position; in a classic multi-frame object the one at the top level can hold for its only frame."""
    if groups.is_classic and count > 1:
        return None
    return _floats(groups.get("PlanePositionSequence", "ImagePositionPatient"), 3)


def _geometry_problem(dataset: Dataset, groups: _Groups, spacing: tuple[float, ...] | None) -> str | None:
    image_type = [str(part).upper() for part in _list(dataset.get("ImageType"))]
    if "MOSAIC" in image_type:
        return (
            "this is a Siemens mosaic: many slices tiled into one image, whose position is not that of any tile; "
            "convert it to one image per slice first (for instance with dcm2niix or the scanner's export)"
        )
    kind = PLANE_IS_MANDATORY.get(str(dataset.get("SOPClassUID") or ""))
    if kind is None:
        return None
    present = {
        "Image Position (Patient)": groups.get("PlanePositionSequence", "ImagePositionPatient"),
        "Image Orientation (Patient)": groups.get("PlaneOrientationSequence", "ImageOrientationPatient"),
        "Pixel Spacing": spacing,
    }
    absent = [name for name, value in present.items() if not value]
    if not absent:
        return None
    return (
        f"{kind} images without {', '.join(absent)}: their geometry may be in private attributes, which cannot be trusted; "
        "export them from the scanner or archive as standard DICOM"
    )


def _rescaled(groups: _Groups) -> bool:
    return groups.get("PixelValueTransformationSequence", "RescaleSlope") is not None


def _padding(dataset: Dataset, signed: bool, bits: int) -> tuple[int, int] | None:
    """Lowest and highest stored value of pixel padding (PS3.3 C.7.5.1.1.2), read with the sign of the pixels."""
    value = dataset.get("PixelPaddingValue")
    if value in (None, ""):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [int(v) for v in (value, value if limit in (None, "") else limit)]
    if signed:
        ends = [v - (1 << bits) if v >= 1 << (bits - 1) else v for v in ends]
    return min(ends), max(ends)


def _keys(dataset: Dataset, groups: _Groups) -> tuple[tuple[str, Any], ...]:
    if groups.is_classic:
        pairs = [(word, dataset.get(keyword)) for word, keyword in _KEYS]
    else:
        pairs = [(word, groups.get(sequence, keyword)) for word, sequence, keyword in _FRAME_KEYS]
        for diffusion in (groups.get("MRDiffusionSequence", "DiffusionGradientDirectionSequence") or [])[:1]:
            pairs.append(("gradient", diffusion.get("DiffusionGradientOrientation")))
        for i, value in enumerate(_list(groups.get("FrameContentSequence", "DimensionIndexValues"))):
            pairs.append((f"dimension {i + 1}", value))
    pairs.append(("transfer syntax", dataset.file_meta.get("TransferSyntaxUID")))
    return tuple((word, _plain(value)) for word, value in pairs if value not in (None, ""))


def _plain(value: Any) -> int | float | str:
    """An attribute as a small hashable value."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    text = "\\".join(str(part) for part in _list(value))
    if not _is_plain(text):
        raise SourceError("its header is damaged")
    return text


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float) else list(value)


def _first(value: Any) -> float | None:
    values = _list(value)
    return _finite(values[0]) if values and values[0] not in (None, "") else None


def _float(value: Any) -> float | None:
    return None if value in (None, "") else _finite(value)


def _floats(value: Any, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` numbers, or None when the attribute is absent or empty."""
    values = _list(value)
    if not values:
        return None
    if len(values) != count:
        raise SourceError(f"{count} numbers expected, found {len(values)}")
    return tuple(map(_finite, values))


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise SourceError(f"its header holds {number} where a number belongs")
    return number
