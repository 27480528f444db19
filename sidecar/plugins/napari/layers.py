"""Open files in napari as layers: exports, their scans, and mapped labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.checks.images import wrong_text
from sidecar.dicom.pixels import read_frame
from sidecar.dicom.source import Source
from sidecar.document.images import image_path, read_head, wrong_size
from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import DocumentError, SourceError
from sidecar.mapping import Sidecar
from sidecar.plugins.napari.grid import KEY, Grid, grid_of_export, grid_of_scan
from sidecar.plugins.napari.mapped import is_mapped, open_mapped
from sidecar.plugins.napari.planes import Planes

#: A layer as napari takes it: data, keywords, kind.
LayerData = tuple[Any, dict[str, Any], str]
#: Thousandths of the pixels of the middle slice that contrast clips at each end.
CLIPPED = 1


def get_reader(path: str | Sequence[str]) -> Callable[[str], list[LayerData]] | None:
    """The function that reads a path given to napari; None for files that are not ours."""
    if not isinstance(path, str):
        return None
    place = Path(path)
    if place.name == SIDECAR_NAME or (place / SIDECAR_NAME).is_file():
        return _told(open_export)
    if is_mapped(place):
        return _told(open_mapped)
    return _told(open_scan) if place.is_dir() else None


def _told(read: Callable[[Path], list[LayerData]]) -> Callable[[str], list[LayerData]]:
    """The same function, but it shows notes to the user. They stay in the metadata of the layer."""

    def reader(path: str) -> list[LayerData]:
        from napari.utils.notifications import show_info

        layers = read(Path(path))
        for note in layers[0][1]["metadata"].get("notes", ()):
            show_info(f"{layers[0][1]['name']}: {note}")
        return layers

    return reader


def open_export(path: Path) -> list[LayerData]:
    """All PNGs of a folder, or beside a sidecar.json, in the order of the document.

    Each PNG is read when it is shown. DocumentError where the document and its files do not fit.
    """
    export = Sidecar.open(path)
    _refuse_unfit(export)
    pixels = export.read()
    planes = Planes(pixels.shape, pixels.dtype, lambda k: np.asarray(pixels[k]))
    return [_image(planes, grid_of_export(export), export.document.images.channels == 3)]


def _refuse_unfit(export: Sidecar) -> None:
    """DocumentError for a PNG that is missing, or that does not have the size, depth and text of
    its place. Its digest is compared when it is shown.
    """
    document, folder = export.document, export.folder
    assert folder is not None
    for k, image in enumerate(document.images.files):
        path = image_path(folder, image.name)
        try:
            png = read_head(path)
        except OSError as error:
            raise DocumentError(f"{image.name} cannot be read: {error.strerror}") from None
        problems = list(wrong_size(png, document))
        if document.evidence is None and not problems:
            problems = list(wrong_text(png, document, k))
        if problems:
            raise DocumentError(f"{image.name} {problems[0]}; {document.remedy}")


def open_scan(path: Path) -> list[LayerData]:
    """The only stack of a DICOM folder, at full resolution, in the order of slice positions.

    SourceError where there is no stack, or several.
    """
    source = Source.open(path)
    (series,) = source.choose(None)
    if series.stack is None or series.problem is not None:
        raise SourceError(series.problem or "the scan has no positions; open an export of it")
    frames, layout = series.frames, series.common.layout
    size = (layout.columns, layout.rows, len(frames))
    first = read_frame(source.root, frames[0].locator)
    planes = Planes(
        (len(frames), *first.shape),
        first.dtype,
        lambda k: read_frame(source.root, frames[k].locator),
    )
    grid = grid_of_scan(source.name, series.common.series_instance_uid, size, series.stack, path)
    layer = _image(planes, grid, first.ndim == 3)
    if layout.photometric == "MONOCHROME1":
        layer[1]["colormap"] = "gray_r"
    return [layer]


def _image(planes: Planes, grid: Grid, is_colour: bool) -> LayerData:
    placement = grid.placement
    keywords: dict[str, Any] = {
        "name": grid.name,
        **placement.keywords,
        "rgb": is_colour,
        "metadata": {KEY: grid, "notes": placement.notes},
    }
    if not is_colour:
        keywords["contrast_limits"] = _contrast(planes)
    return planes, keywords, "image"


def _contrast(planes: Planes) -> tuple[float, float]:
    """The contrast: the whole range for 8 bits; otherwise from the darkest to the brightest pixel
    of the middle slice, without `CLIPPED`.
    """
    if planes.dtype == np.uint8:
        return 0.0, 255.0
    middle: NDArray[Any] = planes[len(planes) // 2]
    low, high = np.percentile(middle, [CLIPPED / 10, 100 - CLIPPED / 10])
    return float(low), float(max(high, low + 1))
