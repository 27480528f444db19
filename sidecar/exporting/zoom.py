"""Full-resolution sub-stacks around landmarks of a coarse labelling: label coarsely first, then
exactly, without opening the whole scan.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.source import Source
from sidecar.document.model import SIDECAR_NAME, Images, Zoom
from sidecar.errors import GeometryError, OutputError, UsageError, named
from sidecar.exporting.job import Job, finished
from sidecar.exporting.options import ExportOptions, Range
from sidecar.exporting.plan import Plan, make_plan
from sidecar.exporting.run import run_jobs
from sidecar.exporting.source_facts import SourceFacts
from sidecar.grid.stack import Stack
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.vertices import TYPES
from sidecar.mapping import Sidecar
from sidecar.progress import Progress
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation, called
from sidecar.viewer.zooms import require_room_for_page, write_zooms_page

#: More landmarks than this in one call are a slip rather than a wish.
MOST_LANDMARKS = 500
#: What the names of their PNGs begin with, before the name of the folder.
_STEM = "zoom_"
#: A box of fewer source pixels than this shows nothing.
LEAST_PIXELS = 3
#: Columns, rows and slices. With fewer voxels, a stack shows little around its landmark.
_FEW = (16, 16, 3)
#: Columns, rows and slices of the size that a note proposes.
_ENOUGH = (20, 20, 5)


def plan_zooms(
    labels: Sequence[MappedPoints],
    source: Place,
    output: Place,
    size_mm: float,
    progress: Progress | None = None,
    overwrite: bool = False,
    keep_labels: bool = False,
) -> list[Job]:
    """One job for each landmark of all labels: the source voxels within ``size_mm``/2 of it, at
    full resolution, in a folder of its own below ``output``, in place of an earlier export there
    with ``overwrite``, beside labels of the same mapping with ``keep_labels``.

    Pixels are shown as in the coarse export. Reads the headers of ``source``, no pixels. Raises
    GeometryError without patient geometry, SourceError when the scan is not in ``source`` as it
    was, LabelError for a point outside of it, UsageError for what cannot be zoomed in on,
    OutputError where other stacks are in the way, or something is in the way of the page.
    """
    for points in labels:
        _refuse_unfit(points, size_mm)
    count = sum(len(_landmarks(points)) for points in labels)
    if count > MOST_LANDMARKS:
        raise UsageError(
            f"{count} landmarks are more than zoom takes at once ({MOST_LANDMARKS}); split the file"
        )
    folder = locate(output)
    require_room_for_page(folder)
    opened = Source.open(source, progress)
    found: dict[Sidecar, SourceFacts] = {}
    jobs: list[Job] = []
    for points in labels:
        if points.sidecar not in found:
            found[points.sidecar] = SourceFacts(opened.matching(points.sidecar.known_scan))
        facts = found[points.sidecar]
        for i in _landmarks(points):
            plan = _plan(points, i, len(jobs), facts, size_mm)
            options = replace(plan.options, overwrite=overwrite, keep_labels=keep_labels)
            plan = replace(plan, options=options)
            zoom = Zoom(
                label=points.names[i],
                patient=_triple(points.patient[i]),
                source=_triple(points.source[i]),
            )
            jobs.append(Job(plan, opened.root, folder / plan.stem.removeprefix(_STEM), zoom))
    _refuse_other_stacks(jobs, folder)
    return jobs


def left_out(labels: Sequence[MappedPoints]) -> list[str]:
    """What of the labels `plan_zooms` passes by: curves and outlines, which have no one place."""
    types = [
        TYPES[code]
        for points in labels
        for code in points.labels.shapes.type.tolist()
        if TYPES[code] != "point"
    ]
    if not types:
        return []
    kinds = ", ".join(dict.fromkeys(types))
    return [f"{len(types)} × {kinds}: stacks are made around landmarks only; left out"]


def small_boxes(labels: Sequence[MappedPoints], size_mm: float) -> list[str]:
    """A note for each scan of which a box of ``size_mm`` holds few voxels, with a size that holds
    more.
    """
    stacks = [points.sidecar.stack for points in labels]
    notes = [_few_voxels(stack, size_mm) for stack in stacks if stack is not None]
    return list(dict.fromkeys(filter(None, notes)))


def earlier_stacks(jobs: Sequence[Job], output: Place) -> list[str]:
    """Folders in ``output`` that another run of zoom wrote, and these jobs do not write."""
    folder, own = locate(output), {job.output.name for job in jobs}
    return [
        name
        for name in folder.names()
        if re.match(r"\d{3}(_|$)", name)
        and name not in own
        and (folder / name / SIDECAR_NAME).exists()
    ]


def run_zooms(
    jobs: Sequence[Job], output: Place, progress: Progress | None = None
) -> list[Sidecar]:
    """Run jobs of `plan_zooms`, then write the page that shows all of them in turn, and the list of
    them. Raises as `run_jobs` and `write_zooms_page`.
    """
    made = run_jobs(jobs, progress)
    write_zooms_page(made, locate(output))
    return made


def _plan(
    points: MappedPoints,
    i: int,
    number: int,
    facts: SourceFacts,
    size_mm: float,
) -> Plan:
    """The stack around point ``i``, which is landmark ``number`` of all."""
    document = points.sidecar.document
    options = ExportOptions(
        scale=1.0,
        crop=_box(points.sidecar, points.source[i], size_mm),
        bits=document.images.bits,
        window=_window(document.images),
        specimen=document.specimen,
        viewer=False,  # one page shows all
    )
    stem = f"{_STEM}{_folder_name(number, points.names[i])}"
    return replace(make_plan(facts.series, options), stem=stem, shared=facts)


def _landmarks(points: MappedPoints) -> list[int]:
    """The rows that are landmarks: points, not the vertices of a curve or an outline."""
    shapes = points.labels.shapes
    types = [TYPES[code] for code in shapes.type.tolist()]
    return [shapes.rows(k).start for k, kind in enumerate(types) if kind == "point"]


def _refuse_unfit(points: MappedPoints, size_mm: float) -> None:
    """Whatever is wrong with the labels or the size, before the source is read."""
    stack = points.sidecar.stack
    if stack is None:
        raise GeometryError(
            "the scan has no patient geometry, so a size in mm has no meaning in it"
        )
    if not _landmarks(points):
        raise UsageError(
            "there are no landmarks in these labels, so there is nothing to zoom in on"
        )
    least = LEAST_PIXELS * min(stack.pixel_spacing)
    if size_mm < least:
        raise UsageError(
            f"--size {size_mm:g}mm is less than {LEAST_PIXELS} source pixels across, which is too"
            f" small to show anything; give {least:g}mm or more"
        )
    _refuse_outside(points)


def _refuse_other_stacks(jobs: Sequence[Job], folder: WritableLocation) -> None:
    """OutputError where folders of the jobs hold other stacks, which may not be replaced."""
    others = [
        job.output.name
        for job in jobs
        if not job.plan.options.overwrite
        and (job.output / SIDECAR_NAME).exists()
        and finished(job) is None
    ]
    if others:
        raise OutputError(
            f"{called(folder)} already holds other stacks in {named(others)}: their labels, --size"
            " or scan were others, or another version of this program made them; nothing was"
            " touched: choose another folder with -o, or replace them with --overwrite"
        )


def _few_voxels(stack: Stack, size_mm: float) -> str | None:
    """The note that a box of ``size_mm`` holds few voxels; None where it holds enough, or all."""
    between_rows, between_columns = stack.pixel_spacing
    spacing = (between_columns, between_rows, stack.median_gap or size_mm)
    whole = (stack.columns, stack.rows, stack.slices)

    def voxels(edge_mm: float) -> list[int]:
        return [
            min(count, max(1, round(edge_mm / mm)))
            for count, mm in zip(whole, spacing, strict=True)
        ]

    if all(
        n >= min(few, count) for n, few, count in zip(voxels(size_mm), _FEW, whole, strict=True)
    ):
        return None
    enough = zip(spacing, _ENOUGH, whole, strict=True)
    larger = _rounded_up(max(mm * min(n, count) for mm, n, count in enough))
    now, then = (" × ".join(map(str, voxels(edge_mm))) for edge_mm in (size_mm, larger))
    return (
        f"a box of {size_mm:g} mm is about {now} voxels of this scan, which shows little around a"
        f" landmark; --size {larger:g}mm gives about {then}"
    )


def _rounded_up(length: float) -> float:
    """The length with two significant digits, not less than it was."""
    digits = 1 - math.floor(math.log10(length))
    return round(math.ceil(round(length * 10.0**digits, 6)) / 10.0**digits, max(digits, 0))


def _refuse_outside(points: MappedPoints) -> None:
    """LabelError for the first point that is neither on the PNGs nor in the scan."""
    sidecar, last = points.sidecar, np.array(points.sidecar.document.source.size) - 0.5
    beyond = np.any((points.source < -0.5) | (points.source > last), axis=1)
    beyond &= ~sidecar.contains(points.png[:, :2], points.png[:, 2])
    if beyond.any():
        raise points.labels.error(
            int(np.argmax(beyond)),
            "lies outside of the scan, so there is nothing around it to show; leave it out",
        )


def _box(
    sidecar: Sidecar, centre: NDArray[np.float64], size_mm: float
) -> tuple[Range, Range, Range]:
    """Source voxels whose centres are within size_mm/2 of a point along each axis, the nearest one
    in any case.
    """
    stack = sidecar.stack
    assert stack is not None
    heights = stack.positions @ stack.normal
    height = np.interp(centre[2], np.arange(stack.slices), heights)
    between_rows, between_columns = stack.pixel_spacing
    distances = (
        np.abs(np.arange(stack.columns) - centre[0]) * between_columns,
        np.abs(np.arange(stack.rows) - centre[1]) * between_rows,
        np.abs(heights - height),
    )
    near = [np.flatnonzero(distance <= max(size_mm / 2, distance.min())) for distance in distances]
    columns, rows, slices = ((int(indices[0]), int(indices[-1]) + 1) for indices in near)
    return columns, rows, slices


def _window(images: Images) -> tuple[float, float] | None:
    """Centre and width of the coarse export's window (PS3.3 C.11.2.1.2.1), so that both look the
    same.
    """
    window = images.window
    if window is None or window.mode == "stored":
        return None
    return (window.lower + window.upper + 1) / 2, window.upper - window.lower + 1


def _folder_name(number: int, label: str) -> str:
    letters = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", letters).strip("._")[:40]
    return f"{number + 1:03d}_{plain}" if plain else f"{number + 1:03d}"


def _triple(row: Sequence[float] | NDArray[np.float64]) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])
