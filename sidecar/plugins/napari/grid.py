"""The position of a layer in napari, and the scan and the export that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.errors import UsageError
from sidecar.grid.decimation import Decimation
from sidecar.grid.stack import Stack
from sidecar.mapping import Sidecar

Floats = NDArray[np.float64]
#: The key of the `Grid` in the metadata of a layer.
KEY = "sidecar"
#: An axis is straight if its components along other axes are less than this part of its length.
STRAIGHT = 1e-9
#: The same limit for two axes at right angles.
RIGHT_ANGLE = 1e-6

NO_AFFINE = (
    "no single matrix gives the positions of these slices (uneven gaps, a tilted gantry, a single"
    " slice, or no positions). The layer is shown with its pixel size, starting at the first"
    " pixel, so its places in napari are not those of the patient. Labels are still mapped"
    " slice by slice"
)
OBLIQUE = (
    "slices of this scan are not perpendicular to z, and napari cannot show such slices in place."
    " The layer is turned, and its places in napari are millimetres along its own axes, not those"
    " of the patient. Labels are still mapped to the patient"
)
GIVEN = (
    "the voxel size of this scan was given by hand, so millimetres run along its own axes, not"
    " along those of a patient"
)


@dataclass(frozen=True, eq=False)
class Placement:
    """The position for napari: world = affine · (scale · data), z, y, x; and notes for the user."""

    scale: Floats
    affine: Floats
    notes: tuple[str, ...] = ()

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords of every layer on the same pixels."""
        return {"scale": self.scale, "affine": self.affine}


@dataclass(frozen=True, eq=False)
class Grid:
    """The pixels of a layer: their scan, and their export, which is None for the scan itself.

    ``headers``: where the DICOM files are, for a layer of the scan itself. Data coordinates are
    those of `decimation` in reverse order: slice, row, column.
    """

    name: str
    export: Sidecar | None
    series_uid: str
    stack: Stack | None
    decimation: Decimation
    affine: Floats | None
    placement: Placement
    headers: Path | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        columns, rows, slices = self.decimation.size
        return slices, rows, columns

    @property
    def keywords(self) -> dict[str, Any]:
        """The keywords of a layer that is drawn on these pixels."""
        return {**self.placement.keywords, "metadata": {KEY: self}}

    def of_source(self, index: ArrayLike) -> Floats:
        """Data coordinates (N, 3) of source indices (N, 3)."""
        return self.decimation.to_pixel(index)[:, ::-1]

    def millimetres(self, place: ArrayLike) -> Floats | None:
        """x, y, z in mm of one place in data coordinates; None where the scan has no mm."""
        if self.stack is None:
            return None
        source = self.decimation.to_source(np.asarray(place, np.float64)[None, ::-1])
        return np.asarray(self.stack.to_patient(source)[0])


def grid_of_export(export: Sidecar) -> Grid:
    """The grid of the PNGs of an export."""
    document = export.document
    name = document.specimen or ("" if export.folder is None else export.folder.resolved().name)
    affine, spacing = document.images.affine, document.images.spacing
    matrix = None if affine is None else np.array(affine, np.float64)
    placement = placed(matrix, spacing, GIVEN if export.geometry == "given" else None)
    series = document.source.series_instance_uid
    return Grid(name, export, series, export.stack, export.decimation, matrix, placement)


def grid_of_scan(
    name: str, series_uid: str, size: tuple[int, int, int], stack: Stack, headers: Path
) -> Grid:
    """The grid of the voxels of a scan."""
    affine = stack.affine
    matrix = affine.matrix if affine is not None and stack.affine_is_exact else None
    step = np.linalg.norm(stack.slice_step) if stack.slice_step is not None else None
    spacing = (*stack.pixel_spacing[::-1], None if step is None else float(step))
    placement = placed(matrix, spacing)
    decimation = Decimation.whole(*size)
    return Grid(name, None, series_uid, stack, decimation, matrix, placement, headers)


def placed(
    affine: Floats | None,
    spacing: tuple[float | None, ...] | None,
    note: str | None = None,
) -> Placement:
    """The placement of pixels, from an affine (column, row, slice, 1) → LPS mm where napari can
    show slices with it; otherwise from the ``spacing`` of columns, rows and slices.

    Slices stay in their true place if the axis of slices runs along z and the other axes do not.
    Other axes at right angles are rotated until they do.
    """
    notes = () if note is None else (note,)
    if affine is None:
        scale = np.array([number or 1.0 for number in (spacing or (1.0, 1.0, 1.0))][::-1])
        return Placement(scale, np.eye(4), (*notes, NO_AFFINE))
    matrix = np.eye(4)
    matrix[:3, :3] = affine[:3, :3][::-1, ::-1]
    matrix[:3, 3] = affine[:3, 3][::-1]
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    axes = matrix[:3, :3] / scale
    leaning = max(np.abs(axes[0, 1:]).max(), np.abs(axes[1:, 0]).max())
    if leaning <= STRAIGHT:
        matrix[:3, :3] = axes
        return Placement(scale, matrix, notes)
    if np.abs(axes.T @ axes - np.eye(3)).max() > RIGHT_ANGLE:
        return Placement(scale, np.eye(4), (*notes, NO_AFFINE))
    turned = np.eye(4)
    turned[:3, 3] = axes.T @ matrix[:3, 3]
    return Placement(scale, turned, (*notes, OBLIQUE))


def grid_of(layer: Any) -> Grid | None:
    """The grid in the metadata of a layer; None where there is none."""
    found = layer.metadata.get(KEY)
    return found if isinstance(found, Grid) else None


def drawn_on(layer: Any, layers: Any, *, export: bool) -> tuple[Grid, Any]:
    """The pixels that a layer was drawn on, and a layer that shows them.

    These are the pixels that the layer was made for, or else those of the only such layer of the
    viewer. ``export``: only PNGs count. UsageError where there are none, or several.
    """
    images = [
        (grid, image)
        for image in layers
        if (grid := grid_of(image)) is not None
        and (grid.export is not None or not export)
        and type(image).__name__ == "Image"
    ]
    own = grid_of(layer) if layer is not None else None
    if own is not None and (own.export is not None or not export):
        return own, next((image for grid, image in images if grid is own), layer)
    if len(images) == 1:
        return images[0]
    what = "export" if export else "export or scan"
    if not images:
        raise UsageError(
            f"there is no layer of an {what}; first open the folder of one with Sidecar"
        )
    raise UsageError(
        f"there are layers of more than one {what}: {', '.join(grid.name for grid, _ in images)};"
        " draw on a layer that the Landmarks panel made for one of them, or close the others"
    )


def headers_of(export: Sidecar, layers: Any) -> Path | None:
    """The folder of the DICOM files of an export, if a layer shows its scan; None otherwise."""
    series = export.document.source.series_instance_uid
    grids = (grid for layer in layers if (grid := grid_of(layer)) is not None)
    return next(
        (grid.headers for grid in grids if grid.headers and grid.series_uid == series), None
    )
