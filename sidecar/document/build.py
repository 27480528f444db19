"""Parts of a sidecar document: the source, its grid, the axes, the images. Pure, and independent
of the plan of an export.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sidecar.dicom.stacks.real_world import real_world_values
from sidecar.dicom.stacks.series import Series
from sidecar.document.model import (
    GEOMETRIES,
    Image,
    LookupTableModel,
    Plane,
    RealWorldValue,
    Source,
)
from sidecar.document.tag import planes_json, tag_of
from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import Stack, geometry_of
from sidecar.values.lookup_table import LookupTable


def source_model(series: Series) -> Source:
    """The planes of a stack, in order, and their common attributes.

    Where the user gave the voxel size, Frame of Reference UID is left out: it names a space of the
    patient. Pixel Spacing is kept for a source without a stack in millimetres.
    """
    stack, common = series.stack, series.common
    places = _places(stack) if stack is not None else [(None, None)] * len(series.frames)
    first = places[0][1]
    planes = [
        Plane(
            sop_instance_uid=frame.sop_instance_uid,
            frame_number=frame.frame_number,
            instance_number=frame.instance_number,
            file=frame.file,
            position=position,
            orientation=orientation if orientation != first else None,
            series_instance_uid=(
                frame.common.series_instance_uid
                if frame.common.series_instance_uid != common.series_instance_uid
                else None
            ),
        )
        for frame, (position, orientation) in zip(series.frames, places, strict=True)
    ]
    return Source(
        size=(common.layout.columns, common.layout.rows, len(series.frames)),
        **grid(stack),
        study_instance_uid=common.study_instance_uid,
        series_instance_uid=common.series_instance_uid,
        frame_of_reference_uid=(
            None if geometry_of(stack) == "given" else series.frame_of_reference_uid
        ),
        modality=common.modality,
        pixel_spacing=common.pixel_spacing if stack is None else stack.pixel_spacing,
        orientation=first,
        real_world_values=[
            RealWorldValue(**{**found._asdict(), "entries": list(found.entries)})
            for found in real_world_values(series.frames)
        ],
        planes=planes,
    )


def _places(stack: Stack) -> list[Any]:
    """Position and orientation of every plane."""
    rows = zip(stack.positions.tolist(), stack.orientations.tolist(), strict=True)
    return [(tuple(position), tuple(orientation)) for position, orientation in rows]


def lookup_table(table: LookupTable, unit: str | None) -> LookupTableModel:
    """A table of PNG values."""
    return LookupTableModel(first=table.first, entries=table.entries.tolist(), unit=unit)


def series_tag(series: Series, decimation: Decimation) -> str:
    """The tag of PNGs that this decimation makes of a stack."""
    planes = ((frame.sop_instance_uid, frame.frame_number) for frame in series.frames)
    return tag_of(series.common.series_instance_uid, planes_json(planes), decimation)


def space(stack: Stack | None) -> dict[str, Any]:
    """The fields coordinate_system, units and geometry of a source. ``stack`` is None where it
    has no millimetres.
    """
    geometry = geometry_of(stack)
    system, units = next(stated for stated, means in GEOMETRIES.items() if means == geometry)
    return {"coordinate_system": system, "units": units, "geometry": geometry}


_WHOLE = Decimation.whole(1, 1, 1)


def grid(stack: Stack | None, decimation: Decimation = _WHOLE) -> dict[str, Any]:
    """The fields origin, spacing, direction and affine of a stack, or of its decimation.

    A single plane has no spacing along the slices.
    """
    if stack is None:
        return {}
    affine, mean_axes = stack.affine, stack.axes.mean(axis=0)
    source_axes = np.column_stack(
        [mean_axes, stack.normal if affine is None else affine.matrix[:3, 2]]
    )
    png_axes = source_axes @ decimation.matrix[:3, :3]
    lengths = np.linalg.norm(png_axes, axis=0)
    spacing = [
        None if affine is None and i == 2 else float(length)
        for i, length in zip(decimation.along, lengths, strict=True)
    ]
    made: dict[str, Any] = {
        "origin": tuple(stack.to_patient(decimation.to_source((0, 0, 0)))[0].tolist()),
        "spacing": tuple(spacing),
        "direction": tuple(map(tuple, (png_axes / lengths).tolist())),
        "affine_residual_mm": None if affine is None else affine.residual_mm,
    }
    if affine is not None and stack.affine_is_exact:
        made["affine"] = tuple(map(tuple, (affine.matrix @ decimation.matrix).tolist()))
    return made


def image_files(
    stack: Stack | None,
    decimation: Decimation,
    names: Sequence[str],
    source_slices: Sequence[list[int]],
    digests: Sequence[str],
) -> list[Image]:
    """The facts of every image: its source slices, the patient position of its pixel (0, 0), its
    digest.
    """
    corners = np.column_stack([np.zeros((len(names), 2)), np.arange(len(names))])
    positions = (
        [None] * len(names)
        if stack is None
        else [tuple(p) for p in stack.to_patient(decimation.to_source(corners)).tolist()]
    )
    return [
        Image(name=name, source_slices=slices, position=position, sha256=digest)
        for name, slices, position, digest in zip(
            names, source_slices, positions, digests, strict=True
        )
    ]
