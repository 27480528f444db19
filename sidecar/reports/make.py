"""Read everything that a report shows: one pass over the PNGs, and one over the source slices
around the labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.pixels import read_plane
from sidecar.dicom.stacks.series import Series
from sidecar.document.images import read_pixels
from sidecar.document.model import Images
from sidecar.errors import DocumentError, UsageError, counted
from sidecar.grid.axis import nearest_of
from sidecar.grid.axis_order import AxisOrder
from sidecar.mapping import Sidecar
from sidecar.morphometrics.repeats import Repeats
from sidecar.progress import Progress
from sidecar.reports.labels import ShownLabel
from sidecar.reports.overview import Projections
from sidecar.reports.samples import Crop, CrossSection, Placed, Scale, View, edges, placed, span
from sidecar.reports.space import Floats, Space, is_source_plane
from sidecar.storage.location import Location

#: Samples along the edge of a view by default and at most; most samples in all views of a report.
USUAL_SIDE, LARGEST_SIDE, MOST_SAMPLES = 64, 512, 1 << 22


@dataclass(frozen=True)
class Request:
    """The input of a report: labels of an export whose PNGs are in ``folder``, and its source.

    ``specimen``: its name. ``size``: mm to show around each label. ``repeats``: the error of
    labelling, where it is known.
    """

    sidecar: Sidecar
    specimen: str
    folder: Location
    labels: Sequence[ShownLabel]
    root: Location
    series: Series
    size: float
    repeats: Repeats | None = None


@dataclass(frozen=True)
class Shown:
    """Pixels on the scale of PNG values, and their position around the middle of a view.

    There are no pixels where the label is beyond the image.
    """

    pixels: NDArray[Any]
    placed: Placed


@dataclass(frozen=True)
class Views:
    """The views of one label: a piece of its PNG, and one view of the source for each look."""

    png: Shown
    source: tuple[View, ...]


@dataclass(frozen=True)
class Report:
    """Everything that the page shows."""

    request: Request
    space: Space
    looks: tuple[AxisOrder, ...]
    views: tuple[Views, ...]
    projections: Projections


def usual_size(space: Space) -> float:
    """The usual size of a view: 1, 2 or 5 times a power of ten of mm, near `USUAL_SIDE` samples."""
    return nice(USUAL_SIDE * space.finest)


def nice(length: float) -> float:
    """The largest number that is 1, 2 or 5 times a power of ten and not larger than ``length``."""
    ten = 10.0 ** np.floor(np.log10(length))
    return float(ten * max(n for n in (1, 2, 5) if n * ten <= length * (1 + 1e-9)))


def check_size(size: float, space: Space, count: int) -> None:
    """UsageError where views of ``count`` labels would have too many pixels, or too few."""
    side = size / space.finest
    most = min(LARGEST_SIDE, int((MOST_SAMPLES / max(1, count)) ** 0.5))
    if not 4 <= side <= most:
        raise UsageError(
            f"--size {size:g}: for {counted(count, 'label')} give a size from"
            f" {4 * space.finest:.3g} to {most * space.finest:.3g} {space.unit}, which is 4 to"
            f" {most} source pixels"
        )


def make_report(request: Request, progress: Progress) -> Report:
    """Read what the page shows.

    DocumentError for faults of the PNGs, PixelError for faults of the source, UsageError where the
    views would have too many pixels.
    """
    space = Space.of(request.sidecar)
    check_size(request.size, space, len(request.labels))
    looks = space.looks(request.sidecar.decimation)
    projections, pngs = _read_pngs(request, space, progress)
    channels = request.sidecar.document.images.channels
    views = [
        [_view(space, look, label, request.size, channels) for look in looks]
        for label in request.labels
    ]
    _read_source(request, [view for row in views for view in row], progress)
    return Report(request, space, looks, tuple(map(Views, pngs, map(tuple, views))), projections)


def _view(space: Space, look: AxisOrder, label: ShownLabel, size: float, channels: int) -> View:
    if is_source_plane(look):
        return Crop(space, look, label.source, size)
    return CrossSection(space, look, space.stack.to_patient(label.source)[0], size, channels)


def nearest_png(label: ShownLabel, count: int) -> int:
    """The PNG that shows a label."""
    return nearest_of(label.png[2], count)


def _read_pngs(
    request: Request, space: Space, progress: Progress
) -> tuple[Projections, list[Shown]]:
    """The projections of the whole stack, and the piece of the PNG around each label."""
    document, decimation = request.sidecar.document, request.sidecar.decimation
    steps = space.png_steps(decimation)
    wanted = defaultdict(list)
    for i, label in enumerate(request.labels):
        wanted[nearest_png(label, decimation.size[2])].append(i)
    found: dict[int, Shown] = {}
    projections = Projections(decimation.size, document.images.channels, document.images.bits)
    progress.start("reading PNGs", decimation.size[2])
    for k, image in enumerate(document.images.files):
        pixels = read_pixels(document, request.folder, image.name)
        projections.add(k, pixels)
        for i in wanted[k]:
            x, y = request.labels[i].png[:2]
            columns, rows = (
                span(at, steps[j], request.size, decimation.size[j]) for j, at in enumerate((x, y))
            )
            place = placed(edges(columns, x, steps[0], 1), edges(rows, y, steps[1], 1))
            found[i] = Shown(
                pixels[rows.start : rows.stop, columns.start : columns.stop].copy(), place
            )
        progress.advance(1, 0)
    return projections, [found[i] for i in range(len(request.labels))]


def _read_source(request: Request, views: Sequence[View], progress: Progress) -> None:
    """Give every view the slices that it needs. Each slice is read once."""
    takers: dict[int, list[View]] = defaultdict(list)
    for view in views:
        for number in view.slices.tolist():
            takers[number].append(view)
    images, table = request.sidecar.document.images, request.series.common.table
    progress.start("reading source slices", len(takers))
    for number in sorted(takers):
        frame = request.series.frames[number].locator
        plane = read_plane(request.root, frame)
        if table is not None and images.value is not None:
            plane = table.apply(plane)
        scale = _scale(images, plane, frame.rescale)
        for view in takers[number]:
            view.take(number, plane, scale)
        progress.advance(1, frame.bytes)


def _scale(images: Images, plane: NDArray[Any], rescale: tuple[float, float]) -> Scale:
    """The function from stored values of a source slice to PNG values at full resolution. Colours
    stay as they are.

    Where the PNG values do not follow from one straight line (adopted images, or a lookup table), a
    slice is shown from its darkest to its brightest value.
    """
    if plane.ndim == 3:
        return lambda stored: np.asarray(stored, dtype=np.float64)
    if images.value is None:
        intercept, slope = float(plane.min()), max(float(np.ptp(plane)), 1.0) / (2**images.bits - 1)
        rescale = (1.0, 0.0)
    elif images.value.slope == 0:
        raise DocumentError(
            "the sidecar does not say which values its PNGs show; export again, or restore it from"
            " a copy"
        )
    else:
        slope, intercept = images.value.slope, images.value.intercept

    def scale(stored: NDArray[Any]) -> Floats:
        return np.asarray(
            (np.asarray(stored, dtype=np.float64) * rescale[0] + (rescale[1] - intercept)) / slope
        )

    return scale
