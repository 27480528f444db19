"""The sidecar document of an adopted stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from sidecar.adoption.fine.explain import Depth
from sidecar.adoption.fine.value_line import Intensity
from sidecar.adoption.match import StackMatch
from sidecar.adoption.model.resampling_kernels import AREA, Kernel, matrix
from sidecar.adoption.stacks import PngImages
from sidecar.adoption.verify import Verified
from sidecar.dicom.stacks.series import Series
from sidecar.document.axes import decimation_model
from sidecar.document.build import grid, image_files, series_tag, source_model, space
from sidecar.document.control_points import control_points
from sidecar.document.generator import generator
from sidecar.document.model import (
    VERSION,
    Document,
    Evidence,
    EvidenceAxis,
    EvidenceRunnerUp,
    Images,
    Value,
    Window,
)
from sidecar.document.writing import sealed
from sidecar.errors import counted
from sidecar.grid.axis import Axis, Method
from sidecar.grid.decimation import Decimation
from sidecar.mapping import Sidecar

#: A number that is nearer to a whole number than this counts as whole.
WHOLE = 1e-9
#: The user is told of an uncertainty from this on, in source pixels or slices.
TELL = 0.05


def make_document(
    series: Series,
    images: PngImages,
    found: StackMatch,
    verified: Verified,
    intensity: Intensity,
    digests: Sequence[str],
) -> Sidecar:
    """The mapping and the document of a stack that another program made.

    DocumentError where the document would contradict itself.
    """
    stack = series.stack
    columns, rows = (
        with_method(line.axis, found.kernel.kind == "point") for line in (found.columns, found.rows)
    )
    slices = with_method(found.slices.axis, found.depth.width <= 1)
    decimation = Decimation(columns, rows, slices, (*found.along, 2))
    taken = [source_slices(slices, k, found.depth, len(series.frames)) for k in range(len(images))]
    unit = series.rescale_unit or series.implied_unit
    value, window = _value(intensity, images.bits, unit)
    document = Document(
        version=VERSION,
        generator=generator(),
        **space(stack),
        pixel_origin="center",
        source=source_model(series),
        decimation=decimation_model(decimation),
        images=Images(
            size=decimation.size,
            **grid(stack, decimation),
            tag=series_tag(series, decimation),
            bits=images.bits,
            channels=images.channels,
            value=value,
            window=window,
            files=image_files(stack, decimation, images.names, taken, digests),
        ),
        control_points=control_points(decimation, stack),
        evidence=_evidence(found, verified, intensity),
        warnings=[*series.warnings, *notes(found, verified)],
    )
    return Sidecar.of(sealed(document))


def with_method(axis: Axis, samples: bool) -> Axis:
    """The axis with the method that describes it: stride or mean where it is exactly that, else
    resize.

    ``samples``: whether each pixel is a single sample.
    """
    step, first = axis.upright.factor, axis.upright.offset
    method: Method = "resize"
    if _whole(step):
        if _whole(first) and (samples or step == 1):
            method = "stride"
        # a sample halfway between two is their mean
        elif _whole(first - (step - 1) / 2) and (not samples or step == 2):
            method = "mean"
    return replace(axis, method=method)


def source_slices(axis: Axis, image: int, depth: Depth, count: int) -> list[int]:
    """The slices that one image was made from."""
    place = float(np.clip(axis.to_source(float(image)), 0, count - 1))
    taken = matrix(count, np.array([place]), depth.width, AREA).tocoo()
    heavy = taken.coords[1][taken.data > 1e-3 * taken.data.max()]
    return sorted(int(n) for n in heavy)


def notes(found: StackMatch, verified: Verified) -> list[str]:
    """The warnings for the user."""
    lines = [
        "adopted: another program made these images, and their pixels show how (correlation"
        f" {found.correlation:.3f})"
    ]
    for name, line, deviation in zip(
        ("columns", "rows", "slices"),
        (found.columns, found.rows, found.slices),
        found.deviations,
        strict=True,
    ):
        if not line.exact and deviation > TELL:
            why = (
                "other lines explain the images equally well"
                if line.leeway
                else "no exact way of making them fits better than what was measured"
            )
            lines.append(f"the {name} are known to ±{deviation:.2g} only: {why}")
    if verified.blank:
        lines.append(
            f"nothing can be recognised on {counted(verified.blank, 'image')}; the slices follow"
            " from the other images"
        )
    return lines


def _value(
    intensity: Intensity, bits: Literal[8, 16], unit: str | None
) -> tuple[Value | None, Window | None]:
    if intensity.slope is None or intensity.intercept is None:
        return None, None
    ends = sorted((intensity.intercept, intensity.intercept + intensity.slope * (2**bits - 1)))
    value = Value(slope=intensity.slope, intercept=intensity.intercept, unit=unit)
    return value, Window(mode="measured", lower=ends[0], upper=ends[1])


def _evidence(found: StackMatch, verified: Verified, intensity: Intensity) -> Evidence:
    second = found.runner_up
    columns, rows, slices = (
        EvidenceAxis(
            made_by=line.words, exact=line.exact, residual_shift=line.distance, deviation=deviation
        )
        for line, deviation in zip(
            (found.columns, found.rows, found.slices), found.deviations, strict=True
        )
    )
    return Evidence(
        columns=columns,
        rows=rows,
        slices=slices,
        kernel=_kernel(found.columns.axis, found.rows.axis, found.kernel),
        intensity=intensity.kind,
        correlation=found.correlation,
        images_looked_at=[closeup.number for closeup in found.closeups],
        image_correlation=list(verified.correlation),
        image_confidence=list(verified.confidence),
        runner_up=(
            None
            if second is None
            else EvidenceRunnerUp(
                made_by=second.words,
                unexplained=second.unexplained,
                unexplained_by_answer=second.best,
            )
        ),
    )


def _kernel(columns: Axis, rows: Axis, kernel: Kernel) -> str:
    return (
        "none"
        if abs(columns.factor) == abs(rows.factor) == 1
        and _whole(columns.offset)
        and _whole(rows.offset)
        else kernel.name
    )


def _whole(number: float) -> bool:
    return abs(number - round(number)) < WHOLE
