"""Show points and segmentations that were mapped to a scan, over a layer of this scan or of its
export.

Points are placed on pixels of that layer. So they are correct even if no single matrix describes
the positions of its slices.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sidecar.errors import LabelError
from sidecar.labels.project import refuse_other_scan, source_indices
from sidecar.labels.scan_points import read_scan_points
from sidecar.masks.readers.nrrd_file import read_nrrd
from sidecar.masks.readers.voxels import VoxelFile
from sidecar.plugins.napari.grid import Grid, drawn_on, grid_of

SEGMENTATION = (".seg.nrrd",)
POINTS = (".mrk.json", ".fcsv", ".csv")
#: Two affines are the same if they differ by less than this, in mm.
SAME_PLACE = 1e-6


def is_mapped(path: Path) -> bool:
    """Whether a file holds mapped labels, by the ending of its name."""
    return path.name.lower().endswith((*SEGMENTATION, *POINTS))


def open_mapped(path: Path) -> list[tuple[Any, dict[str, Any], str]]:
    """Mapped points (CSV of map-points, markups of 3D Slicer) or a segmentation, over the scan that
    the viewer shows.

    UsageError where the viewer shows no scan, or several without a selected one. LabelError where
    the file belongs to another scan.
    """
    import napari

    viewer = napari.current_viewer()
    layers = [] if viewer is None else list(viewer.layers)
    if path.name.lower().endswith(SEGMENTATION):
        return [segmentation(path, [grid for layer in layers if (grid := grid_of(layer))])]
    active = None if viewer is None else viewer.layers.selection.active
    grid, _ = drawn_on(active, layers, export=False)
    return [mapped_points(path, grid)]


def mapped_points(path: Path, grid: Grid) -> tuple[Any, dict[str, Any], str]:
    """A layer of points with the feature ``label``, on the pixels of a layer."""
    points = read_scan_points(path)
    refuse_other_scan(points, grid.series_uid)
    data = grid.of_source(source_indices(points, grid.stack))
    cells = points.columns.get("label") or [""] * len(points)
    keywords = {
        **grid.keywords,
        "name": path.name,
        "features": {"label": np.array(list(cells), dtype=object)},
        "text": "label",
        "size": 2,
    }
    keywords["metadata"] = {**keywords["metadata"], "notes": points.notes}
    return data, keywords, "points"


def segmentation(path: Path, grids: list[Grid]) -> tuple[Any, dict[str, Any], str]:
    """A layer of labels on the pixels that the file was written for.

    LabelError where no layer has these pixels.
    """
    file = read_nrrd(path)
    if file.affine is None:
        raise LabelError("does not state its position, so it cannot be shown on a scan", path)
    try:
        grid = next(grid for grid in grids if _is_on(file, grid))
    except StopIteration:
        raise LabelError(
            "does not fit the pixels of any layer; first open the scan or the export to which it"
            " was mapped",
            path,
        ) from None
    data = np.stack(list(file.planes()))
    if data.dtype.kind not in "iu":
        raise LabelError("holds values that are not whole numbers", path)
    names = {value: segment.name for value, segment in file.segments.items()}
    keywords = {**grid.keywords, "name": path.name}
    keywords["metadata"] = {**keywords["metadata"], "segments": names}
    return data, keywords, "labels"


def _is_on(file: VoxelFile, grid: Grid) -> bool:
    columns, rows, slices = file.size
    if grid.affine is None or grid.shape != (slices, rows, columns) or file.affine is None:
        return False
    ends = np.array([[0, 0, 0, 1], [columns - 1, rows - 1, slices - 1, 1]]).T
    return bool(np.abs((file.affine - grid.affine) @ ends).max() <= SAME_PLACE)
