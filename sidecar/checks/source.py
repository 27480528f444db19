"""Is a DICOM source the one that an export was made from? A document is made again from its
headers and compared with the one on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from sidecar.checks.finding import Finding, finding
from sidecar.dicom.stacks.same_scan import SAME_NUMBER, ScanMatch
from sidecar.dicom.stacks.series import Series
from sidecar.document.build import source_model
from sidecar.document.model import Document
from sidecar.document.writing import Needless, facts
from sidecar.errors import SidecarError, counted
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.images.window_choice import choose_values, mode_of
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.plan import Plan
from sidecar.mapping import Sidecar
from sidecar.storage.local import Local
from sidecar.values.value_maps import Line, Linear, Stored

#: The fields that identify the study and series of the images.
IDENTIFIERS = frozenset(
    f"source.{name}"
    for name in ("study_instance_uid", "series_instance_uid", "frame_of_reference_uid", "modality")
)


@dataclass(frozen=True, slots=True)
class Recorded(Linear):
    """A window with the line on record, to the last bit. The ends of the window were rounded,
    and may not give exactly this line.
    """

    recorded: Line

    @property
    def line(self) -> Line:
        return self.recorded


def plan_again(sidecar: Sidecar, series: Series) -> Plan:
    """The plan of a finished export, with its source as it is now."""
    images = sidecar.document.images
    mode = images.window.mode if images.window else None
    window: Any = (
        mode if mode in ("auto", "dicom", "full") else (0.0, 1.0) if mode == "given" else None
    )
    reduction, order = sidecar.decimation.upright, sidecar.decimation.order
    options = ExportOptions(bits=images.bits, window=window, specimen=sidecar.document.specimen)
    return Plan(series, options, reduction, (), order)


def values_again(plan: Plan, document: Document) -> Stored | Linear | None:
    """The map from stored values to PNG values; None for colours.

    For stored values it is that of the headers. For a window it is the one on record.
    """
    value = document.images.value
    if mode_of(plan) == "stored":
        return choose_values(plan, Local("."))  # this reads no pixels
    if plan.channels == 3 or value is None:
        return None
    line, bits = Line(value.slope, value.intercept), document.images.bits
    ends = sorted((line.value(0), line.value(2**bits - 1)))
    return Recorded(ends[0], ends[1], bits, line.slope < 0, line)


def check_headers(sidecar: Sidecar, stated: Any, match: ScanMatch) -> list[Finding]:
    """Findings on the headers of the stack that is the export's scan, or the most similar one. They
    are about its instances and their order, its identifiers, its geometry and its values.

    ``stated``: the document as it stands in its file, or as `said` returns it.
    """
    series, problem = match.series, _other_images(sidecar, match)
    if series is None or problem is not None:
        return [
            Finding("instances", False, problem or ""),
            *(
                Finding(name, None, "not compared, because the stack is another one")
                for name in ("identifiers", "planes", "stored values")
            ),
        ]
    moved = None if match.difference is None else match.difference.found
    if sidecar.document.evidence is not None:
        again = replace(sidecar.document, source=source_model(series))
        return [
            _instances(sidecar),
            *_of_the_source(sidecar.document, stated, again, moved),
            Finding("stored values", None, "another program made the images"),
        ]
    plan = plan_again(sidecar, series)
    try:
        values = values_again(plan, sidecar.document)
        digests = [image.sha256 for image in sidecar.document.images.files]
        again = make_sidecar(plan, values, digests, sidecar.document.zoom).document
    except SidecarError as error:
        return [
            _instances(sidecar),
            Finding("planes", False, str(error)),
        ]
    problems = list(_other_values(sidecar.document, again))
    return [
        _instances(sidecar),
        *_of_the_source(sidecar.document, stated, again, moved),
        finding(
            "stored values", problems, "the rescale of the headers gives the line of the sidecar"
        ),
    ]


def _other_images(sidecar: Sidecar, match: ScanMatch) -> str | None:
    """Why a stack cannot be compared further: it has other slices, or images of another kind.
    None where it can be.
    """
    if match.difference is not None and match.difference.about != "planes":
        return match.difference.found
    document = sidecar.document
    if match.series is None or document.evidence is not None:
        return None
    if plan_again(sidecar, match.series).channels != document.images.channels:
        return "the source is gray and the PNGs are in colour, or the other way round"
    return None


def _of_the_source(
    document: Document, stated: Any, again: Document, moved: str | None
) -> list[Finding]:
    """Compare two documents of one source. The second was made from its headers.

    ``moved``: how its planes differ in place, where they do. A field that the first document does
    not state, as in documents of earlier versions, is not compared.
    """
    one = _as_far_as(stated, facts(document, _NOT_OF_THE_SOURCE))
    other = facts(again, _NOT_OF_THE_SOURCE)
    # earlier versions stated it only together with positions
    if document.source.pixel_spacing is None:
        one["source"].pop("pixel_spacing", None)
    found = list(differences(one, other))
    whose = [text for path, text in found if path in IDENTIFIERS]
    where = [text for path, text in found if path not in IDENTIFIERS]
    count = len(again.source.planes)
    return [
        finding("identifiers", whose, "study, series and frame of reference UIDs, modality"),
        finding(
            "planes",
            where if moved is None else [moved],
            f"position, orientation, spacing and size of {counted(count, 'plane')}",
        ),
    ]


def said(document: Document) -> Any:
    """The fields of a document that are not empty, where its file is not at hand."""
    return _without_empty(facts(document))


def _without_empty(fields: Any) -> Any:
    if isinstance(fields, dict):
        kept = {name: one for name, one in fields.items() if one is not None and one != []}
        return {name: _without_empty(one) for name, one in kept.items()}
    return [_without_empty(one) for one in fields] if isinstance(fields, list) else fields


def _as_far_as(stated: Any, found: Any) -> Any:
    """``found``, with only the fields that ``stated`` has."""
    if isinstance(found, dict):
        return {name: _as_far_as(stated[name], found[name]) for name in found if name in stated}
    if isinstance(found, list):
        return [_as_far_as(one, other) for one, other in zip(stated, found, strict=True)]
    return found


_NOT_OF_THE_SOURCE: Needless = {
    "version": None,
    "generator": None,
    "specimen": None,
    "warnings": None,
    "made_from": None,
    "digest": None,
    "control_points": None,
    "source": {"planes": {"file": None}},  # relative to the folder that the export was given
    "images": {
        **dict.fromkeys(("tag", "value", "window", "lookup_table")),
        "files": {"name": None},
    },
}


def _instances(sidecar: Sidecar) -> Finding:
    """Whether the stack has the instances of the export, where UIDs can show that."""
    known = sidecar.known_scan
    if not known.has_own_uids:
        said = "SOP Instance UIDs are absent or shared, so they prove nothing; only pixels do"
        return Finding("instances", None, said)
    said = counted(len(known.planes), "SOP instance or frame", "SOP instances or frames")
    said += ", in the same order"
    return Finding("instances", True, said)


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
        if not isclose(stated, found, rel_tol=SAME_NUMBER, abs_tol=SAME_NUMBER):
            yield path, f"{path} is {stated!r} in the sidecar, {found!r} in the source"
    elif stated != found:
        yield path, f"{path} is {_short(stated)} in the sidecar, {_short(found)} in the source"


def _short(value: Any) -> str:
    return "not there" if value is None else repr(value)[:80]


def _other_values(stated: Document, again: Document) -> Iterator[str]:
    one, other = stated.images.value, again.images.value
    if one is None or other is None:
        if one is not other:
            yield "images.value: only one of sidecar and source has a line"
        tables = (stated.images.lookup_table, again.images.lookup_table)
        if tables[0] != tables[1]:
            yield "images.lookup_table is not the one that the Modality LUT of the source gives"
        return
    if one.unit != other.unit:
        yield (
            f"images.value.unit is {_short(one.unit)} in the sidecar, {_short(other.unit)} in the"
            " source"
        )
    modes = [document.images.window.mode for document in (stated, again) if document.images.window]
    same = all(
        isclose(a, b, rel_tol=SAME_NUMBER)
        for a, b in ((one.slope, other.slope), (one.intercept, other.intercept))
    )
    if len(set(modes)) > 1 or not same:
        yield (
            f"value = {one.slope:g} · PNG + {one.intercept:g} in the sidecar, {other.slope:g} · PNG"
            f" + {other.intercept:g} by the source's bits and rescale"
        )
