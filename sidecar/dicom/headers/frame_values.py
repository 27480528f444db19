"""The meaning of the stored values of one frame: line or table to modality values, unit, padding,
and real world values. This module reads no files.

PS3.3 C.11.1, C.8.8.3, C.7.5.1.1.2, C.7.6.16.2.11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.headers.functional_groups import Groups
from sidecar.dicom.headers.header_values import (
    Attributes,
    is_printable,
    name_of,
    number,
    parts_of,
    plain_value,
    whole,
)
from sidecar.dicom.pixels import PixelLayout
from sidecar.dicom.transfer_syntaxes import EXPLICIT_BIG, READ_ERRORS
from sidecar.errors import SourceError, counted
from sidecar.values.lookup_table import LookupTable
from sidecar.values.real_world import RealWorldMap

#: Attributes that pydicom reads for this, besides those of every header.
TAGS = ("ModalityLUTSequence", "RealWorldValueMappingSequence")
_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
_TRANSFORMATION = "PixelValueTransformationSequence"
_UNSPECIFIED = "US"
_MOST_LABEL = 16


def unit_of(dataset: Attributes, groups: Groups) -> str | None:
    """The unit of modality values, as the header states it."""
    found = (
        groups.get(_TRANSFORMATION, "RescaleType")
        or dataset.get("Units")
        or (_is_dose(dataset) and dataset.get("DoseUnits"))
        or ""
    )
    for item in (dataset.get("ModalityLUTSequence") or [])[:1]:
        kind = item.get("ModalityLUTType")
        found = "" if kind in (None, _UNSPECIFIED) else kind
    return str(plain_value(found, "Rescale Type")) or None


def implied_unit_of(dataset: Attributes, groups: Groups, modality: str) -> str | None:
    """HU where a CT image is rescaled and states no unit (PS3.3 C.8.2.1)."""
    rescaled = groups.get(_TRANSFORMATION, "RescaleSlope") is not None
    implied = modality == "CT" and rescaled and unit_of(dataset, groups) is None
    return "HU" if implied else None


def rescale_of(dataset: Attributes, groups: Groups) -> tuple[float, float]:
    """Slope and intercept of modality values: Rescale Slope and Intercept, or Dose Grid Scaling
    of a dose, which has no intercept.
    """
    keyword, values = "RescaleSlope", groups.holder(_TRANSFORMATION)
    if _is_dose(dataset):
        keyword, values = "DoseGridScaling", dataset
    slope, intercept = number(values, keyword), number(values, "RescaleIntercept")
    if slope == 0:
        raise SourceError(f"{name_of(keyword)} is 0")
    line = 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
    if line != (1.0, 0.0) and dataset.get("ModalityLUTSequence"):
        raise SourceError(
            f"there is a Modality LUT Sequence, and also Rescale Slope {line[0]:g} and Rescale"
            f" Intercept {line[1]:g}. The standard allows only one of the two, so it is not certain"
            " which of them makes the values; remove the wrong one in the program that wrote the"
            " file"
        )
    return line


def _is_dose(dataset: Attributes) -> bool:
    return bool(dataset.get("SOPClassUID") == _DOSE)


def padding_of(dataset: Attributes, layout: PixelLayout) -> tuple[int, int] | None:
    """Lowest and highest stored value of pixel padding, read with the sign of the pixels."""
    value = whole(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = whole(dataset, "PixelPaddingRangeLimit")
    ends = [_signed(v, layout) for v in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _signed(value: int, layout: PixelLayout) -> int:
    """A stored value with the sign of the pixels, even where its own VR is unsigned."""
    size = 1 << layout.bits_allocated
    return value - size if layout.signed and value >= size // 2 else value


# --- tables ---


def table_of(dataset: Attributes, layout: PixelLayout) -> LookupTable | None:
    """The Modality LUT, which replaces the line; only of gray images.

    Raises SourceError, with name and value, for a table that cannot be used.
    """
    items: Sequence[Attributes] = dataset.get("ModalityLUTSequence") or []
    if not items or not layout.photometric.startswith("MONOCHROME"):
        return None
    try:
        count, first, bits = _words(items[0].get("LUTDescriptor"), layout)
        data = items[0].get("LUTData")
    except READ_ERRORS:
        raise SourceError("LUT Descriptor of Modality LUT Sequence is not three numbers") from None
    count = int(count) or 1 << 16
    entries = _entries(data, count, layout)
    if len(entries) < count or not 1 <= bits <= 16 or layout.keyword != "PixelData":
        raise SourceError(
            f"Modality LUT Sequence cannot be used: LUT Descriptor is {count}\\{first}\\{bits}, LUT"
            f" Data has {counted(len(entries), 'entry', 'entries')}, and the pixels are in"
            f" {layout.keyword}"
        )
    return LookupTable(_signed(int(first), layout), entries[:count].astype("<u2").tobytes())


def _words(value: Any, layout: PixelLayout) -> list[int]:
    """Three numbers. pydicom may return them as bytes, where the VR is not certain."""
    if isinstance(value, bytes):
        value = np.frombuffer(value, _word(layout)).tolist()
    first, second, third = value
    return [int(first), int(second), int(third)]


def _entries(data: Any, count: int, layout: PixelLayout) -> NDArray[Any]:
    """Entries of one word each. Where there are fewer words than entries, entries are bytes, two
    in a word (C.11.1.1.1).
    """
    if not isinstance(data, bytes):
        return np.array(parts_of(data), np.uint16)
    words = np.frombuffer(data[: len(data) // 2 * 2], _word(layout)).astype("<u2")
    return words if len(words) >= count else np.frombuffer(words.tobytes(), np.uint8)


def _word(layout: PixelLayout) -> str:
    return ">u2" if layout.transfer_syntax == EXPLICIT_BIG else "<u2"


# --- real world values ---


def real_world_of(groups: Groups, layout: PixelLayout) -> tuple[RealWorldMap, ...]:
    """The maps from stored values to real world values of a frame.

    A map that cannot be read has neither line nor entries. The frame can be used without it.
    """
    found = []
    for item in groups.items("RealWorldValueMappingSequence"):
        try:
            found.append(_real_world_map(item, layout))
        except (SourceError, *READ_ERRORS):
            found.append(RealWorldMap(0, 0, None, None, (), None, None))
    return tuple(found)


def _real_world_map(item: Attributes, layout: PixelLayout) -> RealWorldMap:
    first, last = (_end(item, which, layout) for which in ("First", "Last"))
    slope, intercept = (number(item, f"RealWorldValue{part}") for part in ("Slope", "Intercept"))
    entries = tuple(float(v) for v in parts_of(item.get("RealWorldValueLUTData")))
    if slope is not None and intercept is not None:
        entries = ()
    elif len(entries) == last - first + 1:
        slope = intercept = None
    else:
        raise SourceError("it has neither Slope and Intercept nor a whole table")
    units: Sequence[Attributes] = item.get("MeasurementUnitsCodeSequence") or []
    unit = _short_text(units[0], "CodeValue") if units else None
    return RealWorldMap(first, last, slope, intercept, entries, unit, _short_text(item, "LUTLabel"))


def _end(item: Attributes, which: str, layout: PixelLayout) -> float:
    """The first or last stored value that is mapped."""
    keyword = f"RealWorldValue{which}ValueMapped"
    value = whole(item, keyword)
    if value is not None:
        return float(_signed(value, layout))
    end = number(item, f"DoubleFloat{keyword}")
    if end is None:
        raise SourceError(f"it has no {name_of(keyword)}")
    return end


def _short_text(attributes: Attributes, keyword: str) -> str | None:
    text = str(attributes.get(keyword) or "")[:_MOST_LABEL]
    return text if text and is_printable(text) else None
