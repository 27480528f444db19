"""The attributes of one file → its frames, from functional groups or the top level. This module
reads no files: ``get`` returns attributes.

Faults are SourceErrors, PixelErrors, or the built-in errors of damaged values. `sidecar.dicom.scan`
turns them into words.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from sidecar.dicom.header_scanner import PlainHeader
from sidecar.dicom.headers.frame import Common, Frame, Keys, Tiled
from sidecar.dicom.headers.frame_places import NO_PLACES, FramePlaces, frame_places
from sidecar.dicom.headers.frame_values import (
    implied_unit_of,
    padding_of,
    real_world_of,
    rescale_of,
    table_of,
    unit_of,
)
from sidecar.dicom.headers.functional_groups import Groups
from sidecar.dicom.headers.header_values import (
    NOTHING,
    Attributes,
    description_of,
    first_number,
    name_of,
    parts_of,
    plain_value,
    remark,
    shown,
    text_of,
    value_of,
    whole,
)
from sidecar.dicom.headers.remembered import Remembered
from sidecar.dicom.pixels import layout_of
from sidecar.errors import SourceError, counted
from sidecar.storage.location import Stamp
from sidecar.values.real_world import RealWorldMap

#: Attributes that `Common` is made from in a classic object. Files that agree in all of them share
#: one `Common`.
_COMMON_ATTRIBUTES = (
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID",
    "Modality",
    "SeriesDescription", "SeriesNumber", "PixelSpacing", "TransferSyntaxUID", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleType", "Units",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ImageType", "SpacingBetweenSlices",
    "ImagerPixelSpacing", "DimensionOrganizationType", "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows", "DoseUnits",
)  # fmt: skip

#: Attributes that tell images at one position apart, in order of preference.
_KEYS = (
    "TemporalPositionIdentifier", "EchoNumbers", "EchoTime", "InversionTime", "DiffusionBValue",
    "DiffusionGradientOrientation", "NominalPercentageOfCardiacPhase", "TriggerTime", "KVP",
    "FrameReferenceTime",
    "AcquisitionNumber", "ConvolutionKernel", "SliceThickness", "ImageType", "AcquisitionDate",
    "AcquisitionTime", "ContentTime",
)  # the transfer syntax comes last: copies that differ in their compression only  # fmt: skip
#: The same attributes within functional groups: sequence and attribute.
_FRAME_KEYS = (
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("MREchoSequence", "EffectiveEchoTime"),
    ("MRDiffusionSequence", "DiffusionBValue"),
    ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("RespiratorySynchronizationSequence", "NominalPercentageOfRespiratoryPhase"),
    ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
    ("MRModifierSequence", "InversionTimes"),
    ("MRVelocityEncodingSequence", "VelocityEncodingDirection"),
    ("CTXRayDetailsSequence", "KVP"),
    ("CTReconstructionSequence", "ConvolutionKernel"),
    ("MRImageFrameTypeSequence", "FrameType"),
    ("CTImageFrameTypeSequence", "FrameType"),
    ("FrameContentSequence", "StackID"),
    ("FrameContentSequence", "FrameAcquisitionNumber"),
)

#: Attributes that `_Repeated` is made from in a classic object.
_REPEATED_ATTRIBUTES = (
    "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth",
    "SOPClassUID", "DoseGridScaling", "TransferSyntaxUID", *_KEYS,
)  # fmt: skip
#: Most `_Repeated` objects that are kept. Acquisition times can make one for each slice.
_MOST_REPEATED = 64

#: Attributes that place a frame: keyword, number of values, and functional group (PS3.3
#: C.7.6.16.2).
_GEOMETRY = (
    ("ImagePositionPatient", 3, "PlanePositionSequence"),
    ("ImageOrientationPatient", 6, "PlaneOrientationSequence"),
    ("PixelSpacing", 2, "PixelMeasuresSequence"),
)
_RESCALE = (
    ("RescaleSlope", 1, "PixelValueTransformationSequence"),
    ("RescaleIntercept", 1, "PixelValueTransformationSequence"),
)
_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True, slots=True)
class _Repeated:
    """Facts that most frames share with the frame before. `Frame` explains them."""

    orientation: tuple[float, float, float, float, float, float] | None
    rescale: tuple[float, float]
    window: tuple[float, float] | None
    keys: Keys


class Commons:
    """Facts that several frames share, stored once for all of them.

    A plain header with the same bytes as an earlier one gets the same facts. Its attributes are not
    parsed again.
    """

    def __init__(self) -> None:
        self._by_value: dict[Common, Common] = {}
        self._by_bytes: dict[Hashable, Common] = {}
        self._repeated: dict[Hashable, _Repeated] = {}
        self._maps: dict[tuple[RealWorldMap, ...], tuple[RealWorldMap, ...]] = {}

    def of(self, dataset: Attributes, groups: Groups, facts: _FileFacts) -> Common:
        if facts.multiframe or not isinstance(dataset, PlainHeader):
            common = _common(dataset, groups, facts)
            return self._by_value.setdefault(common, common)
        key = (facts, *dataset.raw(_COMMON_ATTRIBUTES))
        if key not in self._by_bytes:
            common = _common(dataset, groups, facts)
            self._by_bytes[key] = self._by_value.setdefault(common, common)
        return self._by_bytes[key]

    def maps(self, maps: tuple[RealWorldMap, ...]) -> tuple[RealWorldMap, ...]:
        """The same maps of real world values, as one object for equal maps."""
        return self._maps.setdefault(maps, maps)

    def repeated(self, dataset: Attributes, groups: Groups) -> _Repeated:
        if not isinstance(dataset, PlainHeader):
            return _repeated(dataset, groups)
        key = (groups.frames > 1, *dataset.raw(_REPEATED_ATTRIBUTES))
        if key not in self._repeated:
            if len(self._repeated) == _MOST_REPEATED:
                self._repeated.clear()
            self._repeated[key] = _repeated(dataset, groups)
        return self._repeated[key]


@dataclass(frozen=True, slots=True)
class _FileFacts:
    """Facts of a file besides its attributes: the element of its pixels, its number of frames,
    and a remark on its encoding.
    """

    keyword: str
    frames: int
    multiframe: bool
    remark: str | None


def frames_of(
    dataset: Attributes,
    name: str,
    keyword: str,
    offset: int | None,
    commons: Commons,
    stamp: Stamp,
    encoding: str | None = None,
) -> list[Frame]:
    """The frames of one file.

    ``name``: the name of the file in documents. ``keyword, offset``: its pixel data element, and
    where the native value starts (None when compressed). ``stamp``: that of the file, from before
    it was read. ``encoding``: a remark on how the file is written.
    """
    count = frame_count(dataset)
    per_frame: Sequence[Attributes] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if not isinstance(dataset, PlainHeader):
        dataset = Remembered(dataset)
    if per_frame and len(per_frame) != count:
        there = counted(len(per_frame), "per-frame functional group")
        raise SourceError(f"Number of Frames is {count}, but the file has {there}")
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [NOTHING])[0]
    number, instance = whole(dataset, "InstanceNumber"), text_of(dataset, "SOPInstanceUID")
    location = first_number(dataset, "SliceLocation")
    facts = _FileFacts(keyword, count, count > 1 or bool(per_frame), encoding)
    is_classic = not per_frame and not len(shared)
    places = frame_places(dataset, count) if is_classic else NO_PLACES
    made = []
    for i, own in enumerate(per_frame or [NOTHING]):
        groups = Groups(Remembered(own), shared, dataset, count, places)
        repeated = commons.repeated(dataset, groups)
        common = commons.of(dataset, groups, facts)
        frame = Frame(
            common=common,
            file=name,
            frame=i,
            frames=count,
            offset=offset,
            sop_instance_uid=instance,
            instance_number=number,
            position=groups.numbers("PlanePositionSequence", "ImagePositionPatient", 3),  # type: ignore[arg-type]
            orientation=repeated.orientation,
            slice_location=location,
            rescale=repeated.rescale,
            window=repeated.window,
            keys=repeated.keys,
            stamp=stamp,
            real_world=commons.maps(real_world_of(groups, common.layout)),
        )
        made.append(frame)
    if len(made) < count:
        made = [replace(made[0], frame=i) for i in range(count)]
    return _placed(made, places) if places.places else made


def _placed(frames: Sequence[Frame], places: FramePlaces) -> list[Frame]:
    """The frames of an object whose geometry stands outside functional groups, each with its
    place.
    """
    return [
        replace(
            frame,
            position=place.position,
            orientation=place.orientation,
            keys=(*place.keys, *frame.keys),
        )
        for frame, place in zip(frames, places.places, strict=True)
    ]


def frame_count(dataset: Attributes) -> int:
    """Number of Frames; 1 where the attribute is absent. SourceError where it is below 1."""
    count = whole(dataset, "NumberOfFrames")
    if count is not None and count < 1:
        raise SourceError(f"Number of Frames is {count}, but must be 1 or more")
    return count or 1


def _common(dataset: Attributes, groups: Groups, facts: _FileFacts) -> Common:
    layout = layout_of(dataset, facts.keyword)
    modality = text_of(dataset, "Modality") or "OT"
    series_number = first_number(dataset, "SeriesNumber")
    return Common(
        patient=hash(str(dataset.get("PatientID") or "").strip()),
        study_instance_uid=text_of(dataset, "StudyInstanceUID"),
        series_instance_uid=text_of(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=text_of(dataset, "FrameOfReferenceUID") or None,
        sop_class_uid=text_of(dataset, "SOPClassUID"),
        modality=modality,
        description=description_of(dataset),
        series_number=None if series_number is None else int(series_number),
        pixel_spacing=_spacing(groups),
        layout=layout,
        rescale_unit=unit_of(dataset, groups),
        implied_unit=implied_unit_of(dataset, groups, modality),
        table=table_of(dataset, layout),
        padding=padding_of(dataset, layout),
        multiframe=facts.multiframe,
        concatenation=text_of(dataset, "ConcatenationUID") or None if facts.multiframe else None,
        part=_part(dataset) if facts.multiframe else None,
        tiled=_tiled(dataset, layout.rows, layout.columns, facts.frames),
        unused=tuple(_unused(dataset, groups)),
        remarks=tuple(_remarks(groups, facts)),
    )


def _part(dataset: Attributes) -> tuple[int, int] | None:
    number, count = (whole(dataset, f"InConcatenation{part}Number") for part in ("", "Total"))
    return (number, count) if number is not None and count is not None else None


def _spacing(groups: Groups) -> tuple[float, float] | None:
    """Pixel Spacing. None where one of its two values is not positive."""
    found = groups.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    return (found[0], found[1]) if found and min(found) > 0 else None


def _repeated(dataset: Attributes, groups: Groups) -> _Repeated:
    window = groups.holder("FrameVOILUTSequence")
    center, width = first_number(window, "WindowCenter"), first_number(window, "WindowWidth")
    return _Repeated(
        orientation=groups.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6),  # type: ignore[arg-type]
        rescale=rescale_of(dataset, groups),
        window=(center, width) if center is not None and width is not None and width > 0 else None,
        keys=_keys(dataset, groups),
    )


def _tiled(dataset: Attributes, rows: int, columns: int, frames: int) -> Tiled | None:
    """Whether frames are Siemens mosaics, or tiles of a slide (PS3.3 C.8.12.4, TILED_FULL or
    TILED_SPARSE). A whole slide in one frame is an image.
    """
    image_type = [str(part).upper() for part in parts_of(dataset.get("ImageType"))]
    if "MOSAIC" in image_type:
        return "mosaic"
    organisation = str(dataset.get("DimensionOrganizationType") or "").strip().upper()
    matrix = [first_number(dataset, f"TotalPixelMatrix{axis}") or 0 for axis in ("Rows", "Columns")]
    is_slide = frames > 1 and dataset.get("SOPClassUID") == _WHOLE_SLIDE
    if not (organisation.startswith("TILED") or any(matrix) or is_slide):
        return None
    is_whole = frames == 1 and matrix[0] <= rows and matrix[1] <= columns
    return None if is_whole else "slide"


def _unused(dataset: Attributes, groups: Groups) -> Iterator[str]:
    """Geometry at a place where it does not place this frame, and the reason."""
    if not groups.places.places:
        found = list(_elsewhere(dataset, groups))
        yield from found
        if found and groups.places.reason:
            yield groups.places.reason
    if _spacing(groups) is None:
        measures = groups.holder("PixelMeasuresSequence")
        yield from _values(measures, "PixelSpacing", "(which is not a distance)")
    yield from _values(dataset, "ImagerPixelSpacing")


def _elsewhere(dataset: Attributes, groups: Groups) -> Iterator[str]:
    where = "at the top level and not in the functional groups of the frames"
    if groups.is_classic:
        where = f"at the top level, which does not place {groups.frames} frames"
    for keyword, count, sequence in _GEOMETRY:
        if groups.numbers(sequence, keyword, count) is not None:
            continue
        if groups.frames > 1 or not groups.is_classic:
            yield from _values(dataset, keyword, where)
        for item in (dataset.get("DetectorInformationSequence") or [])[:1]:
            yield from _values(item, keyword, "in Detector Information Sequence, which is not used")
    if groups.frames > 1:
        yield from _values(dataset, "SpacingBetweenSlices")
        yield from _values(dataset, "GridFrameOffsetVector")


def _values(attributes: Attributes, keyword: str, where: str = "") -> Iterator[str]:
    value = shown(parts_of(attributes.get(keyword)))
    if value:
        yield f"{name_of(keyword)} {value} {where}".rstrip()


def _remarks(groups: Groups, facts: _FileFacts) -> Iterator[str]:
    if facts.remark is not None:
        yield facts.remark
    for keyword, count, sequence in (*_GEOMETRY, *_RESCALE):
        if groups.numbers(sequence, keyword, count) is not None:
            said = remark(groups.holder(sequence), keyword, count)
            if said is not None:
                yield said


def _keys(dataset: Attributes, groups: Groups) -> Keys:
    if groups.is_classic:
        pairs = [(keyword, value_of(dataset, keyword)) for keyword in _KEYS]
    else:
        pairs = [
            (keyword, value_of(groups.holder(sequence), keyword))
            for sequence, keyword in _FRAME_KEYS
        ]
        for diffusion in (
            groups.get("MRDiffusionSequence", "DiffusionGradientDirectionSequence") or []
        )[:1]:
            keyword = "DiffusionGradientOrientation"
            pairs.append((keyword, diffusion.get(keyword)))
        for i, value in enumerate(
            parts_of(groups.get("FrameContentSequence", "DimensionIndexValues"))
        ):
            pairs.append((f"DimensionIndexValues[{i + 1}]", value))
    pairs.append(("TransferSyntaxUID", dataset.file_meta.get("TransferSyntaxUID")))
    return tuple(
        (keyword, plain_value(value, keyword))
        for keyword, value in pairs
        if value not in (None, "")
    )
