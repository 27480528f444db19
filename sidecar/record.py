"""The sidecar document of a finished export, from its plan and what was written. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from sidecar.document import VERSION, AxisModel, Document, Image, Images, Plane, Source, Value, Window
from sidecar.document import Decimation as DecimationModel
from sidecar.geometry import Stack
from sidecar.intensity import mode_of
from sidecar.mapping import Decimation, Sidecar
from sidecar.plan import Plan
from sidecar.window import Linear, Stored


def generator() -> str:
    """Name and version of this program, as documents carry them."""
    try:
        return f"dicom-sidecar {version('dicom-sidecar')}"
    except PackageNotFoundError:
        return "dicom-sidecar"


def make_sidecar(plan: Plan, values: Stored | Linear | None, digests: Sequence[str]) -> Sidecar:
    """The mapping and document of an export whose PNGs have these SHA-256 digests, in slice order."""
    stack, decimation = plan.series.stack, plan.decimation
    document = Document(
        version=VERSION,
        generator=generator(),
        coordinate_system=None if stack is None else "LPS",
        units="pixel" if stack is None else "mm",
        pixel_origin="center",
        source=_source(plan),
        decimation=_decimation(decimation),
        images=_images(plan, values, digests),
        control_points=decimation.control_points(stack),
        warnings=list(plan.warnings),
    )
    return Sidecar.of(document)


def _source(plan: Plan) -> Source:
    series, stack = plan.series, plan.series.stack
    common = series.common
    first = series.frames[0].orientation
    planes = [
        Plane(
            sop_instance_uid=frame.sop_instance_uid,
            frame_number=frame.frame_number,
            file=frame.file,
            position=frame.position if stack is not None else None,
            orientation=frame.orientation if stack is not None and frame.orientation != first else None,
        )
        for frame in series.frames
    ]
    return Source(
        size=(common.layout.columns, common.layout.rows, len(series.frames)),
        **_grid(stack),
        study_instance_uid=common.study_instance_uid,
        series_instance_uid=common.series_instance_uid,
        frame_of_reference_uid=common.frame_of_reference_uid,
        modality=common.modality,
        pixel_spacing=None if stack is None else stack.pixel_spacing,
        orientation=None if stack is None else first,
        planes=planes,
    )


def _grid(stack: Stack | None, decimation: Decimation | None = None) -> dict[str, Any]:
    """origin, spacing, direction and affine of a stack, or of its decimation."""
    if stack is None:
        return {}
    affine = stack.affine
    axes = [stack.axes.mean(axis=0)[:, 0], stack.axes.mean(axis=0)[:, 1]]
    axes.append(stack.normal if affine is None else affine.matrix[:3, 2])
    factors, origin = np.ones(3), stack.positions[0]
    if decimation is not None:
        factors = np.array([axis.factor for axis in decimation.axes])
        origin = stack.to_patient(decimation.to_source((0, 0, 0)))[0]
    lengths = [float(np.linalg.norm(axis)) for axis in axes]
    spacing = [length * factor for length, factor in zip(lengths, factors, strict=True)]
    grid: dict[str, Any] = {
        "origin": tuple(float(v) for v in origin),
        "spacing": (spacing[0], spacing[1], None if affine is None else spacing[2]),
        "direction": tuple(tuple(float(axes[j][i] / lengths[j]) for j in range(3)) for i in range(3)),
        "affine_residual_mm": None if affine is None else affine.residual_mm,
    }
    if affine is not None and stack.affine_is_exact:
        matrix = affine.matrix @ _pixel_to_index(decimation)
        grid["affine"] = tuple(tuple(float(v) for v in row) for row in matrix)
    return grid


def _pixel_to_index(decimation: Decimation | None) -> Any:
    matrix = np.eye(4)
    if decimation is not None:
        for i, axis in enumerate(decimation.axes):
            matrix[i, i], matrix[i, 3] = axis.factor, axis.offset
    return matrix


def _decimation(decimation: Decimation) -> DecimationModel:
    columns, rows, slices = (AxisModel(factor=a.factor, offset=a.offset, size=a.size, method=a.method) for a in decimation.axes)
    return DecimationModel(columns=columns, rows=rows, slices=slices)


def _images(plan: Plan, values: Stored | Linear | None, digests: Sequence[str]) -> Images:
    stack, decimation = plan.series.stack, plan.decimation
    corners = np.column_stack([np.zeros((len(digests), 2)), np.arange(len(digests))])
    positions = None if stack is None else stack.to_patient(decimation.to_source(corners))
    files = [
        Image(
            name=name,
            source_slices=list(decimation.slices.samples(k)),
            position=None if positions is None else tuple(positions[k].tolist()),
            sha256=digest,
        )
        for k, (name, digest) in enumerate(zip(plan.names, digests, strict=True))
    ]
    value, window = None, None
    mode = mode_of(plan)
    if values is not None and mode is not None:
        line = values.line
        ends = sorted((line.value(0), line.value(2**plan.bits - 1)))
        value = Value(slope=line.slope, intercept=line.intercept, unit=plan.series.common.rescale_unit)
        window = Window(mode=mode, lower=ends[0], upper=ends[1])
    return Images(
        size=decimation.size,
        **_grid(stack, decimation),
        bits=plan.bits,
        channels=plan.channels,
        value=value,
        window=window,
        files=files,
    )
