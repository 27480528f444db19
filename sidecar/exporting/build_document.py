"""Build the sidecar document of a finished export from its plan and its PNGs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.document.axes import decimation_model
from sidecar.document.build import grid, image_files, lookup_table, space
from sidecar.document.control_points import control_points
from sidecar.document.generator import generator
from sidecar.document.model import VERSION, Document, Images, Value, Window, Zoom
from sidecar.exporting.images.window_choice import mode_of
from sidecar.exporting.plan import Plan
from sidecar.mapping import Sidecar
from sidecar.values.value_maps import Linear, Stored


def make_sidecar(
    plan: Plan,
    values: Stored | Linear | None,
    digests: Sequence[str],
    zoom: Zoom | None = None,
    made_from: str | None = None,
) -> Sidecar:
    """The mapping and document of an export.

    ``digests``: SHA-256 of the PNGs in slice order. ``made_from``: see `Plan.made_from`.
    """
    stack, decimation = plan.series.stack, plan.decimation
    document = Document(
        version=VERSION,
        generator=generator(),
        **space(stack),
        pixel_origin="center",
        specimen=plan.options.specimen,
        source=plan.facts.model,
        decimation=decimation_model(decimation),
        images=_images(plan, values, digests),
        control_points=control_points(decimation, stack),
        zoom=zoom,
        warnings=list(plan.warnings),
        made_from=made_from,
    )
    return plan.facts.sidecar(document)


def _unit(plan: Plan) -> str | None:
    """The unit of the values. Values of a specimen are HU only where the header says so."""
    series = plan.series
    return series.rescale_unit or (series.implied_unit if plan.options.specimen is None else None)


def _images(plan: Plan, values: Stored | Linear | None, digests: Sequence[str]) -> Images:
    stack, decimation = plan.series.stack, plan.decimation
    source_slices = [list(plan.samples_of(k)) for k in range(len(plan.names))]
    value, window, table = None, None, None
    mode, by_table = mode_of(plan), plan.series.common.table
    if isinstance(values, Stored) and by_table is not None:
        table = lookup_table(values.table(by_table), plan.series.rescale_unit)
    elif values is not None and mode is not None:
        line = values.line
        ends = sorted((line.value(0), line.value(2**plan.bits - 1)))
        value = Value(slope=line.slope, intercept=line.intercept, unit=_unit(plan))
        window = Window(mode=mode, lower=ends[0], upper=ends[1])
    return Images(
        size=decimation.size,
        **grid(stack, decimation),
        tag=plan.tag,
        bits=plan.bits,
        channels=plan.channels,
        value=value,
        window=window,
        lookup_table=table,
        files=image_files(stack, decimation, plan.names, source_slices, digests),
    )
