"""Turn points and shapes drawn in napari into rows of `labels.csv`.

The place of a label is the pixel of the export that the user saw below it. The layer of the label
may have another scale or another position, such as a layer made with *New points layer*.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, UsageError
from sidecar.mapping import Sidecar
from sidecar.plugins.napari.grid import drawn_on

Floats = NDArray[np.float64]
HEADER = [
    "image",
    "slice",
    "label",
    "x",
    "y",
    "shape_id",
    "shape_type",
    "vertex",
    "tag",
    "series_uid",
]
#: Shape types of napari → shape types of our tables.
SHAPE_TYPES = {
    "rectangle": "box",
    "ellipse": "ellipse",
    "line": "line",
    "path": "polyline",
    "polygon": "polygon",
}
#: Largest rounding error, in slices, of the position of a point on a slice.
ROUNDING = 1e-6


def labels_csv(drawn: Sequence[Any], layers: Any) -> tuple[str, Sidecar]:
    """The text of `labels.csv` for points and shapes layers, and their export.

    ``layers``: all layers of the viewer. UsageError where the drawn layers belong to no export, or
    to several. A LabelError names the layer and the point that cannot be saved.
    """
    if not drawn:
        raise UsageError("no layer of points or shapes is selected; select the layers to save")
    homes = [drawn_on(layer, layers, export=True) for layer in drawn]
    export = homes[0][0].export
    assert export is not None
    if any(grid.export != export for grid, _ in homes):
        raise UsageError(
            "these layers are drawn on several exports; save the layers of each export separately"
        )
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    count = 0
    for layer, (_, image) in zip(drawn, homes, strict=True):
        for label, kind, data in _shapes(layer):
            count += 1
            where = f"{layer.name}, {kind} {label or count}"
            places = _on_pixels(layer, image, data, where)
            if kind == "ellipse":
                places = _centre_and_ends(places, where)
            for vertex, place in enumerate(places):
                cells = _place(place, export, where)
                table.writerow([*cells[:2], label, *cells[2:], count, kind, vertex, *_own(export)])
    if not count:
        raise UsageError("these layers hold no points and no shapes")
    return text.getvalue(), export


def _shapes(layer: Any) -> Iterator[tuple[str, str, Floats]]:
    """Label, type and data coordinates (vertices, axes) of each shape on a layer."""
    names = layer.features.get("label", None)
    labels = [""] * len(layer.data) if names is None else [_text(name) for name in names]
    if type(layer).__name__ == "Points":
        kinds = ["point"] * len(layer.data)
    else:
        kinds = [SHAPE_TYPES[kind] for kind in layer.shape_type]
    for label, kind, data in zip(labels, kinds, layer.data, strict=True):
        yield label, kind, np.atleast_2d(np.asarray(data, np.float64))


def _text(name: Any) -> str:
    return "" if name is None or name != name else str(name)  # NaN where a shape has no label


def _on_pixels(layer: Any, image: Any, data: Floats, where: str) -> Floats:
    """Convert data coordinates of a layer to slice, row, column of the pixels of the image."""
    if data.shape[1] != 3:
        raise LabelError(
            f"{where}: has {data.shape[1]} axes, but the export has three (slice, row, column);"
            " draw on a layer that the Landmarks panel makes"
        )
    return np.array([image.world_to_data(layer.data_to_world(place)) for place in data])


def _centre_and_ends(corners: Floats, where: str) -> Floats:
    """The middle of an ellipse, and the ends of both axes. napari stores the box of an ellipse."""
    if np.ptp(corners[:, 0]) > ROUNDING:
        raise LabelError(f"{where}: lies across several slices; draw it on one")
    a, b, c, d = corners
    return np.array([(a + b + c + d) / 4, (b + c) / 2, (c + d) / 2])


def _place(place: Floats, export: Sidecar, where: str) -> tuple[str, str, str, str]:
    """Name of the PNG, or the slice number where the place lies between two PNGs; and x, y."""
    along, y, x = (float(number) for number in place)
    k = round(along)
    if not -0.5 <= along <= export.size[2] - 0.5:
        raise LabelError(
            f"{where}: lies on slice {along:.4g}, but the PNGs are 0 to {export.size[2] - 1}; move"
            " it onto them"
        )
    if abs(along - k) > ROUNDING:
        return "", repr(along), repr(x), repr(y)
    return export.document.images.files[k].name, str(k), repr(x), repr(y)


def _own(export: Sidecar) -> tuple[str, str]:
    return export.tag, export.document.source.series_instance_uid
