"""Is a DICOM source the one that an export was made of? Its headers give the document once more,
which is compared with the one on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from sidecar.checks.document import untwisted
from sidecar.checks.finding import Finding, finding
from sidecar.dicom.series import Frame, Series
from sidecar.document.build import source_model
from sidecar.document.model import Document
from sidecar.errors import SidecarError
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.plan import Plan
from sidecar.exporting.window_choice import choose_values, mode_of
from sidecar.mapping import Sidecar
from sidecar.values.value_maps import Line, Linear, Stored

#: Numbers worked out again, perhaps on another machine, may differ by so much, relative or in mm.
AGAIN = 1e-9
#: What tells whose images these are.
IDENTIFIERS = frozenset(
    f"source.{name}"
    for name in ("study_instance_uid", "series_instance_uid", "frame_of_reference_uid", "modality")
)


@dataclass(frozen=True, slots=True)
class Recorded(Linear):
    """A window by the line on record, to the last bit: the ends of a window, which were rounded,
    need not give it back.
    """

    recorded: Line

    @property
    def line(self) -> Line:
        return self.recorded


def same_stack(document: Document, found: Sequence[Series]) -> Series | None:
    """The stack that shares most instances with a document, of several copies the one in the files
    it names; None where none shares any.
    """
    frames = {(p.sop_instance_uid, p.frame_number) for p in document.source.planes}
    files = {(p.sop_instance_uid, p.frame_number, p.file) for p in document.source.planes}

    def shared(series: Series) -> tuple[int, int, int]:
        keys = [_key(frame) for frame in series.frames]
        at_home = sum(
            (*key, frame.file) in files for key, frame in zip(keys, series.frames, strict=True)
        )
        return sum(key in frames for key in keys), -len(keys), at_home

    best = max(found, key=shared, default=None)
    return best if best is not None and shared(best)[0] else None


def _key(frame: Frame) -> tuple[str, int | None]:
    return frame.sop_instance_uid, frame.frame_number


def plan_again(sidecar: Sidecar, series: Series) -> Plan:
    """The plan of a finished export, with its source as it is now."""
    images = sidecar.document.images
    mode = images.window.mode if images.window else None
    window: Any = (
        mode if mode in ("auto", "dicom", "full") else (0.0, 1.0) if mode == "given" else None
    )
    reduction, turn = untwisted(sidecar.decimation)
    return Plan(series, ExportOptions(bits=images.bits, window=window), reduction, (), turn)


def values_again(plan: Plan, document: Document) -> Stored | Linear | None:
    """The map from stored to PNG values: for stored values that of the headers, for a window the
    one on record. None for colours.
    """
    value = document.images.value
    if plan.channels == 3 or value is None:
        return None
    if mode_of(plan) == "stored":
        return choose_values(plan, Path())  # reads no pixels
    line, bits = Line(value.slope, value.intercept), document.images.bits
    ends = sorted((line.value(0), line.value(2**bits - 1)))
    return Recorded(ends[0], ends[1], bits, line.slope < 0, line)


def check_headers(sidecar: Sidecar, series: Series | None) -> list[Finding]:
    """Findings on the headers of a stack: its instances in their order, whose they are, their
    geometry and their values.
    """
    rest = ("identifiers", "planes", "stored values")
    problem = next(_other_instances(sidecar, series), None)
    if series is None or problem is not None:
        return [
            Finding("instances", False, problem or ""),
            *(Finding(name, None, "of another stack") for name in rest),
        ]
    if sidecar.document.evidence is not None:
        again = sidecar.document.model_copy(update={"source": source_model(series)})
        return [
            *_of_the_source(sidecar.document, again),
            Finding("stored values", None, "another program made the images"),
        ]
    plan = plan_again(sidecar, series)
    try:
        values = values_again(plan, sidecar.document)
        digests = [image.sha256 for image in sidecar.document.images.files]
        again = make_sidecar(plan, values, digests, sidecar.document.zoom).document
    except SidecarError as error:
        return [
            Finding("instances", True, _all_there(len(series.frames))),
            Finding("planes", False, str(error)),
        ]
    problems = list(_other_values(sidecar.document, again))
    return [
        *_of_the_source(sidecar.document, again),
        finding("stored values", problems, "the rescale of the headers gives the line on record"),
    ]


def _of_the_source(stated: Document, again: Document) -> list[Finding]:
    """What two documents say of one source, the second by its headers; what the first says nothing
    of, as documents of earlier versions do of later fields, is not compared.
    """
    one = stated.model_dump(exclude=_NOT_OF_THE_SOURCE, exclude_unset=True)
    other = again.model_dump(exclude=_NOT_OF_THE_SOURCE)
    found = list(differences(one, other))
    whose = [text for path, text in found if path in IDENTIFIERS]
    where = [text for path, text in found if path not in IDENTIFIERS]
    count = len(again.source.planes)
    return [
        Finding("instances", True, _all_there(count)),
        finding("identifiers", whose, "study, series and frame of reference UIDs, modality"),
        finding("planes", where, f"position, orientation, spacing and size of {count} planes"),
    ]


_NOT_OF_THE_SOURCE: Any = {
    "version": True,
    "generator": True,
    "specimen": True,
    "warnings": True,
    "made_from": True,
    "digest": True,
    "control_points": True,
    "source": {"planes": {"__all__": {"file"}}},  # relative to the folder that was given then
    "images": {"tag": True, "value": True, "window": True, "files": {"__all__": {"name"}}},
}


def _all_there(count: int) -> str:
    return f"{count} SOP instances or frames, in the same order"


def _other_instances(sidecar: Sidecar, series: Series | None) -> Iterator[str]:
    document = sidecar.document
    wanted = [(p.sop_instance_uid, p.frame_number) for p in document.source.planes]
    if series is None:
        yield f"none of its {len(wanted)} SOP instances is in this source: it is another scan"
        return
    if series.problem is not None:
        yield f"the source cannot be read as a stack: {series.problem}"
    there = [_key(frame) for frame in series.frames]
    missing, more = len(set(wanted) - set(there)), len(set(there) - set(wanted))
    if missing or more:
        yield (
            f"of {len(wanted)} SOP instances or frames {missing} are missing in the source, and it"
            f" holds {more} more"
        )
    elif there != wanted:
        yield "the SOP instances are in another order in the source: their positions were changed"
    layout, (columns, rows, _) = series.common.layout, document.source.size
    if (layout.columns, layout.rows) != (columns, rows):
        yield (
            f"the images of the source are {layout.columns} × {layout.rows}, the sidecar says"
            f" {columns} × {rows}"
        )
    if (
        document.evidence is None
        and plan_again(sidecar, series).channels != document.images.channels
    ):
        yield "the images of the source are gray, or coloured, where the PNGs are not"


def differences(stated: Any, found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, words) of every leaf in which two documents, as plain types, differ."""
    if isinstance(stated, dict) and isinstance(found, dict):
        for name in stated:
            yield from differences(stated[name], found.get(name), f"{path}.{name}".lstrip("."))
    elif (
        isinstance(stated, list | tuple)
        and isinstance(found, list | tuple)
        and len(stated) == len(found)
    ):
        for i, (one, other) in enumerate(zip(stated, found, strict=True)):
            yield from differences(one, other, f"{path}.{i}")
    elif isinstance(stated, float | int) and isinstance(found, float | int):
        if not isclose(stated, found, rel_tol=AGAIN, abs_tol=AGAIN):
            yield path, f"{path} is {stated!r} in the sidecar, {found!r} in the source"
    elif stated != found:
        yield path, f"{path} is {_short(stated)} in the sidecar, {_short(found)} in the source"


def _short(value: Any) -> str:
    return "not there" if value is None else repr(value)[:80]


def _other_values(stated: Document, again: Document) -> Iterator[str]:
    one, other = stated.images.value, again.images.value
    if one is None or other is None:
        if one is not other:
            yield "images.value: gray in one, colour in the other"
        return
    if one.unit != other.unit:
        yield (
            f"images.value.unit is {_short(one.unit)} in the sidecar, {_short(other.unit)} in the"
            " source"
        )
    modes = [document.images.window.mode for document in (stated, again) if document.images.window]
    same = all(
        isclose(a, b, rel_tol=AGAIN)
        for a, b in ((one.slope, other.slope), (one.intercept, other.intercept))
    )
    if len(set(modes)) > 1 or not same:
        yield (
            f"value = {one.slope:g} · PNG + {one.intercept:g} in the sidecar, {other.slope:g} · PNG"
            f" + {other.intercept:g} by the source's bits and rescale"
        )
