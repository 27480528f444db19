"""Does a document agree with itself? Facts that it repeats are computed again from its planes and
axes. Pure.

`Sidecar.of` checks every document, also one that is about to be written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import AXIS_NAMES, GEOMETRIES, Document, Grid
from sidecar.document.tag import image_key, planes_json, split_name, tag_of
from sidecar.errors import GeometryError
from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import Stack

#: Largest difference between a recomputed control point or image position and the stated one, in mm
#: and in pixels.
CONTROL_TOLERANCE = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SourcePlanes:
    """What follows from the planes of a source, and serves all documents of this source.

    ``stack``: None where the source has no millimetres. ``listed``: the planes as in the text of a
    tag.
    """

    stack: Stack | None
    listed: str

    @classmethod
    def of(cls, document: Document) -> SourcePlanes:
        """GeometryError: see `stack_of`."""
        return cls(stack_of(document), _listed(document))


def stack_of(document: Document) -> Stack | None:
    """The planes of the source as a stack; None where the source has no millimetres.

    GeometryError where the facts about geometry, units and planes do not go together.
    """
    source = document.source
    geometry = GEOMETRIES.get((document.coordinate_system, document.units))
    if document.geometry not in (None, geometry):
        raise GeometryError(
            f"geometry is {document.geometry}, but coordinate_system and units say {geometry}"
        )
    if geometry is None:
        raise GeometryError("coordinate_system and units do not go together")
    if geometry == "given" and document.geometry is None:
        raise GeometryError(
            "units are mm and coordinate_system is null, so geometry must be 'given'"
        )
    if geometry == "none":
        _require_no_millimetres(document)
        return None
    if (
        source.pixel_spacing is None
        or source.orientation is None
        or any(p.position is None for p in source.planes)
    ):
        raise GeometryError(
            "a source in mm needs pixel_spacing, orientation and a position for every plane"
        )
    return Stack(
        columns=source.size[0],
        rows=source.size[1],
        pixel_spacing=source.pixel_spacing,
        positions=np.array([p.position for p in source.planes], dtype=np.float64),
        orientations=np.array(
            [p.orientation or source.orientation for p in source.planes], dtype=np.float64
        ),
        geometry=geometry,
    )


def _require_no_millimetres(document: Document) -> None:
    stated = {
        "planes": [plane.position for plane in document.source.planes],
        "images": [file.position for file in document.images.files],
        "control points": [point.patient for point in document.control_points],
    }
    for what, places in stated.items():
        if any(place is not None for place in places):
            raise GeometryError(f"units are pixels, but {what} have a position in mm")


def tag_by_planes(document: Document, decimation: Decimation) -> str:
    """The tag of a mapping, computed from its planes. A document of version 1.0 does not state
    it.
    """
    return tag_of(document.source.series_instance_uid, _listed(document), decimation)


def _listed(document: Document) -> str:
    return planes_json((p.sop_instance_uid, p.frame_number) for p in document.source.planes)


def require_agreement(doc: Document, decimation: Decimation, planes: SourcePlanes) -> None:
    """Recompute the facts that a document repeats. GeometryError names the first that does not
    agree.
    """
    stack = planes.stack
    count = decimation.size[2]
    for name, axis, length in zip(AXIS_NAMES, decimation.axes, doc.source.size, strict=True):
        ends = axis.to_source(np.array([0.0, axis.size - 1.0]))
        within = ends.min() >= -0.5 and ends.max() <= length - 0.5
        overlaps = ends.max() >= -0.5 and ends.min() <= length - 0.5
        # other programs may have put margins around the scan
        margins = doc.evidence is not None and name != "slices"
        if axis.factor == 0 or not (overlaps if margins else within):
            raise GeometryError(f"decimation.{name} reads beyond the {length} {name} of the source")
    if sorted(decimation.along) != [0, 1, 2]:
        raise GeometryError("decimation.order names an axis twice")
    if (
        doc.images.size != decimation.size
        or len(doc.images.files) != count
        or len(doc.source.planes) != doc.source.size[2]
    ):
        raise GeometryError("the numbers of images and planes do not agree with the sizes")
    if len({image_key(file.name) for file in doc.images.files}) != count:
        raise GeometryError("two images have the same name")
    named = [
        (p.pixel, p.source, p.patient, f"control point {i}")
        for i, p in enumerate(doc.control_points)
    ]
    pixels = np.array([p[0] for p in named])
    _agree(decimation.to_source(pixels), [p[1] for p in named], [p[3] for p in named])
    if stack is not None:
        patient = stack.to_patient(decimation.to_source(pixels))
        _agree(patient, [p[2] for p in named], [p[3] for p in named])
        corners = np.column_stack([np.zeros((count, 2)), np.arange(count)])
        positions = stack.to_patient(decimation.to_source(corners))
        _agree(
            positions,
            [f.position for f in doc.images.files],
            [f.name for f in doc.images.files],
        )
        _check_grid("source", doc.source, stack, Decimation.whole(*doc.source.size))
        _check_grid("images", doc.images, stack, decimation)
    _check_tag(doc, decimation, planes.listed)


def _check_grid(name: str, grid: Grid, stack: Stack, axes: Decimation) -> None:
    """Compare the corners, by each way in which a grid states them, with the planes. Programs that
    know nothing of planes use these statements, and so does `Sidecar.affine`.

    An affine can be off by its residual at either end. A statement that is null is not checked.
    """
    residual = stack.affine.residual_mm if stack.affine is not None else 0.0
    stated = grid.affine_residual_mm
    if stated is not None and abs(stated - residual) > CONTROL_TOLERANCE:
        raise GeometryError(
            f"{name}.affine_residual_mm is {stated:.3g}, but the planes give {residual:.3g}"
        )
    corners = np.array([(0, 0, 0), *np.diag(np.array(axes.size) - 1.0)])
    truth = stack.to_patient(axes.to_source(corners))
    places: dict[str, Floats] = {}
    if grid.origin is not None:
        _agree(truth[:1], [grid.origin], [f"{name}.origin"])
        if grid.spacing is not None and grid.direction is not None:
            steps = np.array(grid.direction) * [spacing or 0.0 for spacing in grid.spacing]
            places["origin, spacing and direction"] = corners @ steps.T + grid.origin
    if grid.affine is not None:
        if not stack.affine_is_exact:
            raise GeometryError(f"{name}.affine is stated, but no affine describes these planes")
        if grid.affine[3] != (0, 0, 0, 1):
            raise GeometryError(f"the last row of {name}.affine is not 0, 0, 0, 1")
        matrix = np.array(grid.affine)
        places["affine"] = corners @ matrix[:3, :3].T + matrix[:3, 3]
    for way, found in places.items():
        off = float(np.linalg.norm(found - truth, axis=1).max())
        if not off <= 2 * residual + CONTROL_TOLERANCE:
            raise GeometryError(f"{name}.{way}: a corner is {off:.3g} mm from where its plane is")


def _check_tag(document: Document, decimation: Decimation, planes: str) -> None:
    """Compare the tag with its planes and decimation, and the names of exported PNGs with the
    tag.
    """
    images = document.images
    if images.tag is None:
        return
    tag = tag_of(document.source.series_instance_uid, planes, decimation)
    if images.tag != tag:
        raise GeometryError(
            f"images.tag is {images.tag}, but planes and decimation give the tag {tag}"
        )
    if document.evidence is not None:
        return  # images of other programs may have any names
    for k, file in enumerate(images.files):
        name = split_name(image_key(file.name))
        if name is not None and name.tag is not None and name[1:] != (k, tag):
            raise GeometryError(f"{file.name} stands where PNG {k} with tag {tag} belongs")


def _agree(
    computed: Floats, stated: list[tuple[float, float, float] | None], names: list[str]
) -> None:
    for row, name in zip(stated, names, strict=True):
        if row is None:
            raise GeometryError(f"{name} has no patient position")
    difference = np.abs(computed - np.array(stated, dtype=np.float64)).max(axis=1)
    if not np.all(difference <= CONTROL_TOLERANCE):
        worst = int(np.argmax(difference))
        raise GeometryError(
            f"{names[worst]} is {difference[worst]:.3g} away from where its planes and decimation"
            " put it"
        )
