"""Save labels that were drawn or painted in napari: as labels of the export, or mapped at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sidecar
from sidecar.errors import LabelError, OutputError, UsageError, reason
from sidecar.formats.png import encode
from sidecar.plugins.napari.drawn import labels_csv
from sidecar.plugins.napari.grid import drawn_on, headers_of
from sidecar.storage.whole_file import whole_file

LABELS = ".csv"
#: DICOM output takes headers from the scan, so the scan must be open.
DICOM = ".dcm"


def write_drawn(path: str, layers: Sequence[tuple[Any, dict[str, Any], str]]) -> list[str]:
    """Save points and shapes; napari calls this. A CSV is a `labels.csv`, which map-points reads.
    Any other format is mapped.
    """
    from napari.layers import Layer

    save_drawn([Layer.create(*layer) for layer in layers], _open_layers(), Path(path))
    return [path]


def write_painted(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Map a labels layer to the scan and save it; napari calls this."""
    from napari.layers import Layer

    save_painted(Layer.create(data, meta, "labels"), _open_layers(), Path(path))
    return [path]


def save_drawn(
    drawn: Sequence[Any], layers: Any, output: Path, *, mapped: bool = False
) -> tuple[str, ...]:
    """Write points and shapes layers, and return notes.

    If ``output`` ends in .csv and ``mapped`` is false, it holds labels of the export. Otherwise it
    has any format of map-points.

    Raises the errors of `sidecar.map_points` and `Points.write`, and UsageError where it is unclear
    which export the layers belong to.
    """
    text, export = labels_csv(drawn, layers)
    if output.suffix.lower() == LABELS and not mapped:
        _write(output, text)
        return ()
    with TemporaryDirectory() as folder:
        path = Path(folder, "labels.csv")
        path.write_text(text, encoding="utf-8")
        headers = _headers(output, export, layers)
        return sidecar.map_points(path, export).write(
            output, to="dicom-sr" if headers else None, dicom=headers
        )


def save_painted(painted: Any, layers: Any, output: Path) -> tuple[str, ...]:
    """Map a labels layer to the scan, as map-mask does, and return notes.

    Raises the errors of `sidecar.map_mask`, and LabelError where the layer is not on the pixels of
    the export.
    """
    grid, image = drawn_on(painted, layers, export=True)
    export = grid.export
    assert export is not None
    _refuse_other_pixels(painted, image)
    labels = _labels(painted)
    with TemporaryDirectory() as folder:
        for file, plane in zip(export.document.images.files, labels, strict=True):
            Path(folder, file.name).write_bytes(encode(plane, {}, None))
        headers = _headers(output, export, layers)
        return sidecar.map_mask(
            folder, output, export, to="dicom-seg" if headers else None, dicom=headers
        ).notes


def _headers(output: Path, export: sidecar.Sidecar, layers: Any) -> Path | None:
    if output.suffix.lower() != DICOM:
        return None
    headers = headers_of(export, layers)
    if headers is None:
        raise UsageError(
            "a DICOM output needs the headers of the scan; open the folder of the scan, too"
        )
    return headers


def _refuse_other_pixels(painted: Any, image: Any) -> None:
    shape = tuple(image.data.shape[:3])
    if tuple(painted.data.shape) != shape:
        raise LabelError(
            f"{painted.name}: has the shape {painted.data.shape}, but the PNGs have {shape};"
            " select the layer of the export, make a new labels layer, and paint on it"
        )
    ends = [(0, 0, 0), tuple(n - 1 for n in shape)]
    if not all(
        np.allclose(painted.data_to_world(end), image.data_to_world(end), rtol=0, atol=1e-6)
        for end in ends
    ):
        raise LabelError(
            f"{painted.name}: does not lie on the PNGs; select the layer of the export, make a new"
            " labels layer, and paint on it"
        )


def _labels(painted: Any) -> NDArray[Any]:
    """The painted values as unsigned integers that a PNG can hold."""
    data = np.asarray(painted.data)
    if data.min() < 0 or data.max() > np.iinfo(np.uint16).max:
        raise LabelError(
            f"{painted.name}: has values outside 0 to 65535; labels are numbers in this range"
        )
    return data.astype(np.uint8 if data.max() < 256 else np.uint16)


def _write(output: Path, text: str) -> None:
    if output.name.lower() == "sidecar.json":
        raise UsageError("sidecar.json is the name of the export's document; give another name")
    try:
        with whole_file(output) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output.name} cannot be written: {reason(error)}") from None


def _open_layers() -> list[Any]:
    """The layers of the viewer that is saving."""
    import napari

    viewer = napari.current_viewer()
    return [] if viewer is None else list(viewer.layers)
