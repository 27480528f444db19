"""Map labels on the PNG stack to source voxels, patient millimetres and DICOM instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import GeometryError
from sidecar.grid.points import onto_edge
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import Identified
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import MIDDLE_OF_FIRST_PIXEL, Labels
from sidecar.mapping import Sidecar

#: Largest absolute value of a pixel, voxel or millimetre of a label. Much larger numbers would
#: break the arithmetic.
FARTHEST = 1e7
#: Arithmetic alone, such as scaling back a resize, moves a label by less than this, in pixels.
ROUNDING = 1e-6


def png_pixels(labels: Labels, found: Sequence[Identified]) -> NDArray[np.float64]:
    """(N, 3) PNG pixel x, y, slice of labels, *center*. ``found``: the PNGs of their images.

    A LabelError names file and row where slice and image contradict each other, or both are
    missing.
    """
    used = labels.labelled  # of many exports, each has a few of the images
    of_image = np.full(len(found), np.nan)
    of_image[used] = [np.nan if (k := found[i].slice) is None else k for i in used]
    named = of_image[labels.reference]
    slices = np.where(np.isnan(labels.slice), named, labels.slice)
    _refuse(
        labels,
        np.abs(slices - named) > 0.5,
        lambda i: (
            f"says slice {labels.slice[i]:g}, but its image {labels.image[i]!r} is slice"
            f" {named[i]:g} (both counted from 0); correct one of them"
        ),
    )
    _refuse(
        labels,
        np.isnan(slices),
        lambda _: "has neither the name of an image nor a slice number; add one of them",
    )
    return np.column_stack([_unscaled(labels, found), slices])


def _refuse(labels: Labels, bad: NDArray[np.bool_], message: Callable[[int], str]) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        raise labels.error(first, message(first))


def _unscaled(labels: Labels, found: Sequence[Identified]) -> NDArray[np.float64]:
    """PNG coordinates of labels made on a resized copy. A resize scales from the outer corner of
    the image, not from the middle of a pixel.
    """
    used = labels.labelled
    scales = np.ones((len(found), 2))
    scales[used] = np.array([found[i].scale for i in used]).reshape(-1, 2)
    if np.all(scales == 1):
        return labels.xy
    half = MIDDLE_OF_FIRST_PIXEL["corner"]
    return (labels.xy + half) * scales[labels.reference] - half


def map_points(
    labels: Labels, png: NDArray[np.float64], export: Export, allow_outside: bool = False
) -> MappedPoints:
    """Labels at PNG pixels (N, 3), with their source voxels, patient mm and instances.

    A LabelError names the first label outside the PNG stack, unless ``allow_outside``.
    """
    sidecar = export.sidecar
    png = onto_edge(png, sidecar.size, ROUNDING)
    if not allow_outside:
        _refuse_outside(labels, png, sidecar)
    if not (png.min(initial=0) >= -FARTHEST and png.max(initial=0) <= FARTHEST):
        first = int(np.argmin(np.all(np.abs(png) <= FARTHEST, axis=1)))
        raise labels.error(
            first, "its coordinates are too large to be a place on any image; correct it"
        )
    source = sidecar.decimation.to_source(png)
    if sidecar.stack is None:
        patient = np.full_like(source, np.nan)
    else:
        try:
            patient = sidecar.stack.to_patient(source)
        except GeometryError as error:
            raise labels.error(int(np.argmax(source[:, 2] != 0)), str(error)) from None
    return MappedPoints(
        sidecar=sidecar,
        specimen=export.name,
        labels=labels,
        png=png,
        source=source,
        patient=patient,
        uncertainty_mm=sidecar.uncertainty_mm(source),
        instances=sidecar.instances(source),
    )


def _refuse_outside(labels: Labels, png: NDArray[np.float64], sidecar: Sidecar) -> None:
    inside = sidecar.contains(png[:, :2], png[:, 2])
    if inside.all():
        return
    first = int(np.argmin(inside))
    x, y, k = png[first]
    columns, rows, slices = sidecar.size
    on_margin = bool(np.all((png[first] >= -0.5) & (png[first] <= np.array(sidecar.size) - 0.5)))
    where = (
        "on the margin of the PNGs, outside the scan"
        if on_margin
        else f"outside the PNGs ({columns} × {rows} × {slices})"
    )
    raise labels.error(
        first,
        f"({x:g}, {y:g}) on slice {k:g} lies {where}; correct it, or add --allow-outside to map it"
        " anyway",
    )
