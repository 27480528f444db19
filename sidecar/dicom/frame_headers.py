"""One file's attributes → the frames in it, from functional groups or the top level. Knows no
files: attributes come by ``get``.

Every fault is a SourceError, PixelError or one of the built-in errors that a damaged value gives;
`sidecar.dicom.scan` turns them into words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from sidecar.dicom.header_scanner import PlainHeader
from sidecar.dicom.pixels import layout_of
from sidecar.dicom.series import Common, Frame, type_of_key
from sidecar.errors import SourceError

#: SOP classes whose Image Plane or functional groups are mandatory (PS3.3 A.3, A.4, A.21, A.36,
#: A.38, A.56, A.70): without them something is wrong with the file, and pixel units would hide it.
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

#: No position, spacing or rescale of an image is larger; far larger ones could not be reckoned
#: with.
LARGEST = 1e12

#: What `Common` is made of in a classic object: files that agree in these share one.
_COMMON_ATTRIBUTES = (
    "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID", "Modality",
    "SeriesDescription", "SeriesNumber", "PixelSpacing", "TransferSyntaxUID", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleType", "Units",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ImageType",
)  # fmt: skip

#: Attributes that tell images at one position apart, in order of preference, with the words a user
#: knows them by.
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

#: What `_Repeated` is made of in a classic object.
_REPEATED_ATTRIBUTES = (
    "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth",
    "TransferSyntaxUID", *(keyword for _, keyword in _KEYS),
)  # fmt: skip
#: Of these so many are remembered: acquisition times can make one for each slice.
_MOST_REPEATED = 64

_CONTROL = re.compile(r"[\0-\x1f\x7f]")


class Attributes(Protocol):
    """What is asked of a header: a pydicom Dataset, or a `PlainHeader`."""

    file_meta: Any

    def get(self, keyword: str, default: Any = None, /) -> Any: ...
    def __contains__(self, keyword: Any) -> bool: ...
    def __len__(self) -> int: ...


def text_of(dataset: Attributes, keyword: str) -> str:
    """A text attribute, "" where there is none.

    A damaged length makes it swallow what follows, identity too: such text goes nowhere.
    """
    value = dataset.get(keyword) or ""
    if not isinstance(value, str) or not is_printable(value):
        raise SourceError(f"{keyword} is damaged")
    return str(value)


def description_of(dataset: Attributes) -> str:
    """For people to read only, so that a damaged one is no reason to refuse the file."""
    text = "\\".join(map(str, parts_of(dataset.get("SeriesDescription"))))
    return text if is_printable(text) else ""


def is_printable(text: str) -> bool:
    """Without control characters, of which every tag that was taken for text has some."""
    return _CONTROL.search(text) is None


class _Nothing:
    """No attributes: the functional groups of a classic object."""

    file_meta: Any = None

    def get(self, keyword: str, default: Any = None, /) -> Any:
        return default

    def __contains__(self, keyword: Any) -> bool:
        return False

    def __len__(self) -> int:
        return 0


NOTHING: Attributes = _Nothing()


@dataclass(frozen=True, slots=True)
class _Repeated:
    """What most frames have like the one before: `Frame` tells what it is."""

    orientation: tuple[float, float, float, float, float, float] | None
    rescale: tuple[float, float]
    window: tuple[float, float] | None
    keys: type_of_key


class Commons:
    """What frames agree in, kept once for all of them; plain headers whose bytes agree find theirs
    without being parsed again.
    """

    def __init__(self) -> None:
        self._by_value: dict[Common, Common] = {}
        self._by_bytes: dict[Hashable, Common] = {}
        self._repeated: dict[Hashable, _Repeated] = {}

    def of(self, dataset: Attributes, groups: _Groups, keyword: str, multiframe: bool) -> Common:
        if multiframe or not isinstance(dataset, PlainHeader):
            common = _common(dataset, groups, keyword, multiframe)
            return self._by_value.setdefault(common, common)
        placed = [
            bool(dataset.get(name)) for name in ("ImagePositionPatient", "ImageOrientationPatient")
        ]
        key = (keyword, *placed, *dataset.raw(_COMMON_ATTRIBUTES))
        if key not in self._by_bytes:
            common = _common(dataset, groups, keyword, multiframe)
            self._by_bytes[key] = self._by_value.setdefault(common, common)
        return self._by_bytes[key]

    def repeated(self, dataset: Attributes, groups: _Groups, placed: bool) -> _Repeated:
        if not isinstance(dataset, PlainHeader):
            return _repeated(dataset, groups, placed)
        key = (placed, *dataset.raw(_REPEATED_ATTRIBUTES))
        if key not in self._repeated:
            if len(self._repeated) == _MOST_REPEATED:
                self._repeated.clear()
            self._repeated[key] = _repeated(dataset, groups, placed)
        return self._repeated[key]


def frames_of(
    dataset: Attributes, name: str, keyword: str, offset: int | None, commons: Commons
) -> list[Frame]:
    """The frames of one file, whose name in documents is ``name``; ``keyword, offset``: its pixel
    data element and where the native value starts (None when compressed).
    """
    count = int(dataset.get("NumberOfFrames") or 1)
    per_frame: Sequence[Attributes] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if per_frame and len(per_frame) != count:
        raise SourceError(f"{count} frames but {len(per_frame)} per-frame functional groups")
    if count < 1:
        raise SourceError(f"NumberOfFrames is {count}")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [NOTHING])[0]
    number, instance = dataset.get("InstanceNumber"), text_of(dataset, "SOPInstanceUID")
    made = []
    for i, own in enumerate(per_frame or [NOTHING]):
        groups = _Groups(own, shared, dataset)
        common = commons.of(dataset, groups, keyword, count > 1 or bool(per_frame))
        position = _position(groups, count)
        repeated = commons.repeated(dataset, groups, placed=position is not None)
        frame = Frame(
            common=common,
            file=name,
            frame=i,
            frames=count,
            offset=offset,
            sop_instance_uid=instance,
            instance_number=None if number in (None, "") else int(number),
            position=position,  # type: ignore[arg-type]
            orientation=repeated.orientation,
            rescale=repeated.rescale,
            window=repeated.window,
            keys=repeated.keys,
        )
        made.append(frame)
    return made if len(made) == count else [replace(frame, frame=i) for i in range(count)]


@dataclass(frozen=True)
class _Groups:
    """Attributes of one frame: from its functional groups, the shared ones, and in classic objects
    the top level (PS3.3 C.7.6.16).
    """

    frame: Attributes
    shared: Attributes
    top: Attributes

    def get(self, sequence: str, keyword: str) -> Any:
        if self.is_classic:
            return self.top.get(keyword)
        for groups in (self.frame, self.shared):
            items = groups.get(sequence)
            if items:
                return items[0].get(keyword)
        return None

    @cached_property
    def is_classic(self) -> bool:
        return not len(self.frame) and not len(self.shared)


def _common(dataset: Attributes, groups: _Groups, keyword: str, multiframe: bool) -> Common:
    spacing = _floats(groups.get("PixelMeasuresSequence", "PixelSpacing"), 2)
    layout = layout_of(dataset, keyword)
    unit = str(
        _plain(
            groups.get("PixelValueTransformationSequence", "RescaleType")
            or dataset.get("Units")
            or ""
        )
    )
    modality = text_of(dataset, "Modality") or "OT"
    number = dataset.get("SeriesNumber")
    return Common(
        study_instance_uid=text_of(dataset, "StudyInstanceUID"),
        series_instance_uid=text_of(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=text_of(dataset, "FrameOfReferenceUID") or None,
        sop_class_uid=text_of(dataset, "SOPClassUID"),
        modality=modality,
        description=description_of(dataset),
        series_number=None if number in (None, "") else int(number),
        pixel_spacing=spacing,  # type: ignore[arg-type]
        layout=layout,
        rescale_unit=unit or ("HU" if modality == "CT" and _rescaled(groups) else None),
        padding=_padding(dataset, layout.signed, layout.bits_allocated),
        multiframe=(
            (text_of(dataset, "ConcatenationUID") or text_of(dataset, "SOPInstanceUID"))
            if multiframe
            else None
        ),
        geometry_problem=_geometry_problem(dataset, groups, spacing),
    )


def _repeated(dataset: Attributes, groups: _Groups, placed: bool) -> _Repeated:
    orientation = (
        _floats(groups.get("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
        if placed
        else None
    )
    slope = _float(groups.get("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = _float(groups.get("PixelValueTransformationSequence", "RescaleIntercept"))
    if slope == 0:
        raise SourceError("Rescale Slope is 0")
    center = _first(groups.get("FrameVOILUTSequence", "WindowCenter"))
    width = _first(groups.get("FrameVOILUTSequence", "WindowWidth"))
    return _Repeated(
        orientation=orientation,  # type: ignore[arg-type]
        rescale=(1.0 if slope is None else slope, 0.0 if intercept is None else intercept),
        window=(center, width) if center is not None and width is not None and width > 0 else None,
        keys=_keys(dataset, groups),
    )


def _position(groups: _Groups, count: int) -> tuple[float, ...] | None:
    """The plane position; in a classic multi-frame object the one at the top level can hold for its
    only frame.
    """
    if groups.is_classic and count > 1:
        return None
    return _floats(groups.get("PlanePositionSequence", "ImagePositionPatient"), 3)


def _geometry_problem(
    dataset: Attributes, groups: _Groups, spacing: tuple[float, ...] | None
) -> str | None:
    image_type = [str(part).upper() for part in parts_of(dataset.get("ImageType"))]
    if "MOSAIC" in image_type:
        return (
            "this is a Siemens mosaic: many slices tiled into one image, whose position is not that"
            " of any tile; convert it to one image per slice first (for instance with dcm2niix or"
            " the scanner's export)"
        )
    kind = PLANE_IS_MANDATORY.get(str(dataset.get("SOPClassUID") or ""))
    if kind is None:
        return None
    present = {
        "Image Position (Patient)": groups.get("PlanePositionSequence", "ImagePositionPatient"),
        "Image Orientation (Patient)": groups.get(
            "PlaneOrientationSequence", "ImageOrientationPatient"
        ),
        "Pixel Spacing": spacing,
    }
    absent = [name for name, value in present.items() if not value]
    if not absent:
        return None
    return (
        f"{kind} images without {', '.join(absent)}: their geometry may be in private attributes,"
        " which cannot be trusted; export them from the scanner or archive as standard DICOM"
    )


def _rescaled(groups: _Groups) -> bool:
    return groups.get("PixelValueTransformationSequence", "RescaleSlope") is not None


def _padding(dataset: Attributes, signed: bool, bits: int) -> tuple[int, int] | None:
    """Lowest and highest stored value of pixel padding (PS3.3 C.7.5.1.1.2), read with the sign of
    the pixels.
    """
    value = dataset.get("PixelPaddingValue")
    if value in (None, ""):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [int(v) for v in (value, value if limit in (None, "") else limit)]
    if signed:
        ends = [v - (1 << bits) if v >= 1 << (bits - 1) else v for v in ends]
    return min(ends), max(ends)


def _keys(dataset: Attributes, groups: _Groups) -> tuple[tuple[str, Any], ...]:
    if groups.is_classic:
        pairs = [(word, dataset.get(keyword)) for word, keyword in _KEYS]
    else:
        pairs = [(word, groups.get(sequence, keyword)) for word, sequence, keyword in _FRAME_KEYS]
        for diffusion in (
            groups.get("MRDiffusionSequence", "DiffusionGradientDirectionSequence") or []
        )[:1]:
            pairs.append(("gradient", diffusion.get("DiffusionGradientOrientation")))
        for i, value in enumerate(
            parts_of(groups.get("FrameContentSequence", "DimensionIndexValues"))
        ):
            pairs.append((f"dimension {i + 1}", value))
    pairs.append(("transfer syntax", dataset.file_meta.get("TransferSyntaxUID")))
    return tuple((word, _plain(value)) for word, value in pairs if value not in (None, ""))


def _plain(value: Any) -> int | float | str:
    """An attribute as a small hashable value."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    text = "\\".join(str(part) for part in parts_of(value))
    if not is_printable(text):
        raise SourceError("its header is damaged")
    return text


def parts_of(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float) else list(value)


def _first(value: Any) -> float | None:
    """The first of several numbers;
    None also for one that makes no sense, in attributes that can be done without.
    """
    values = parts_of(value)
    number = float(values[0]) if values and values[0] not in (None, "") else math.nan
    return number if abs(number) <= LARGEST else None


def _float(value: Any) -> float | None:
    return None if value in (None, "") else _sensible(value)


def _floats(value: Any, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` numbers, or None when the attribute is absent or empty."""
    values = parts_of(value)
    if not values:
        return None
    if len(values) != count:
        raise SourceError(f"{count} numbers expected, found {len(values)}")
    return tuple(map(_sensible, values))


def _sensible(value: Any) -> float:
    number = float(value)
    if not abs(number) <= LARGEST:
        raise SourceError(f"its header holds the number {number:g}, which makes no sense")
    return number
