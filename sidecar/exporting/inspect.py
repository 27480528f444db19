"""Find out from headers alone what a source holds and what an export would write, for `sidecar
inspect`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sidecar.dicom.scan import Unusable
from sidecar.dicom.source import Source
from sidecar.dicom.stacks.series import Series
from sidecar.document.model import AXIS_NAMES
from sidecar.errors import SidecarError
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.plan import Plan, make_plan
from sidecar.grid.stack import Stack, anatomical_letters
from sidecar.progress import Progress
from sidecar.storage.locate import Place, locate


@dataclass(frozen=True, eq=False)
class Found:
    """One stack of a source.

    ``plan``: the plan of an export without options. It is None where ``problem`` says why an export
    is impossible.
    """

    series: Series
    plan: Plan | None
    problem: str | None

    def __repr__(self) -> str:
        layout = self.series.common.layout
        size = f"{layout.columns} × {layout.rows} × {len(self.series.frames)}"
        return f"<Found [{self.series.number}] {self.series.common.modality} {size}>"

    def facts(self) -> dict[str, Any]:
        """The facts as plain JSON types. Sizes are in pixels, distances in mm, directions are
        anatomical letters.
        """
        series, stack, common = self.series, self.series.stack, self.series.common
        gaps = None if stack is None or stack.slices < 2 else stack.gaps
        return {
            "number": series.number,
            "series_instance_uid": common.series_instance_uid,
            "series_number": common.series_number,
            "modality": common.modality,
            "description": common.description,
            "files": len(series.files),
            "place": series.place,
            "split": list(map(str, series.split)),
            "size": [common.layout.columns, common.layout.rows, len(series.frames)],
            "spacing": (
                None
                if stack is None
                else [stack.pixel_spacing[1], stack.pixel_spacing[0], _slice_spacing(stack)]
            ),
            "directions": directions(series),
            "transfer_syntaxes": sorted(
                {frame.common.layout.transfer_syntax for frame in series.frames}
            ),
            "photometric_interpretation": common.layout.photometric,
            "bits_stored": common.layout.bits_stored,
            "slice_gaps": None if gaps is None else [float(gaps.min()), float(gaps.max())],
            "tilt_degrees": None if stack is None else round(stack.tilt_degrees, 4),
            "warnings": list(self.plan.warnings if self.plan else series.warnings),
            "problem": self.problem,
            "export": None if self.plan is None else planned(self.plan),
        }


@dataclass(frozen=True, eq=False)
class Inspection:
    """Every stack of a source, the files that are not used, by kind, and the DICOM files that
    cannot be used.
    """

    found: tuple[Found, ...]
    passed_by: dict[str, list[str]]
    damaged: tuple[Unusable, ...]

    def __repr__(self) -> str:
        return f"<Inspection: {', '.join(map(repr, self.found)) or 'nothing found'}>"

    def facts(self) -> dict[str, Any]:
        return {
            "series": [f.facts() for f in self.found],
            "other_files": {kind: len(names) for kind, names in self.passed_by.items()},
            "damaged": list(map(str, self.damaged)),
        }


def inspect(source: Place, progress: Progress | None = None) -> Inspection:
    """Read the headers of everything under ``source``: a folder, a zip, a file or a DICOMDIR.

    SourceError when there is no such place.
    """
    met = Source.open(locate(source), progress)
    return Inspection(tuple(_found(series) for series in met.series), met.passed_by, met.damaged)


def _found(series: Series) -> Found:
    if series.problem is not None:
        return Found(series, None, series.problem)
    try:
        return Found(series, make_plan(series, ExportOptions()), None)
    except SidecarError as error:
        return Found(series, None, str(error))


def directions(series: Series) -> list[str] | None:
    """Anatomical letters of the directions in which columns, rows and slices increase."""
    stack = series.stack
    if stack is None:
        return None
    along = stack.normal if stack.slice_step is None else stack.slice_step
    return [anatomical_letters(axis) for axis in (stack.axes[0, :, 0], stack.axes[0, :, 1], along)]


def _slice_spacing(stack: Stack) -> float | None:
    """mm between slices as in the sidecar: along the stack axis, by least squares."""
    return None if stack.slice_step is None else float(np.linalg.norm(stack.slice_step))


def planned(plan: Plan) -> dict[str, Any]:
    """What an export writes, as plain JSON types."""
    axes = zip(("columns", "rows", "slices"), plan.reduction.axes, strict=True)
    return {
        "size": list(plan.decimation.size),
        "bits": plan.bits,
        "channels": plan.channels,
        "bytes": plan.png_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "order": list(plan.order.pick(AXIS_NAMES)),
        "decimation": {
            name: {"factor": a.factor, "offset": a.offset, "method": a.method} for name, a in axes
        },
    }
