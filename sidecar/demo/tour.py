"""The tours: scan → PNGs → labels → mapped points, and how far these are from where they should
be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.demo import labelling
from sidecar.demo.anatomy import MadeSpecimen, VoxelGrid
from sidecar.demo.headers import planes_in_order
from sidecar.demo.labelling import DrawnLabel
from sidecar.demo.writer import SCAN_GRID, weevil, write_scan
from sidecar.errors import OutputError, UsageError, reason
from sidecar.exporting.job import Job
from sidecar.exporting.options import make_options
from sidecar.exporting.plan import make_plan
from sidecar.exporting.run import plan_export, run_job
from sidecar.labels.load import map_file
from sidecar.labels.scan_points import PATIENT_COLUMNS, SOURCE_COLUMNS
from sidecar.labels.tables.csv_table import Table
from sidecar.labels.writers import writer_for
from sidecar.mapping import Sidecar
from sidecar.progress import Progress
from sidecar.storage.local import Local
from sidecar.storage.whole_file import whole_file

Floats = NDArray[np.float64]

MARKER = "sidecar-demo.txt"
MARKER_TEXT = """This folder was made by `sidecar demo`, which makes it anew when it is run again.

scan/       the made-up scan, as DICOM (not there after a tour with --source)
png/        the PNGs, with sidecar.json
labels.csv  labels on the PNGs
mapped.csv  the same labels in source voxels and patient mm
"""
#: PNGs of a tour take no more than this, uncompressed; a larger scan is decimated further than to a
#: half.
PNG_BYTES = 300_000_000
#: The package and the headers may differ by the rounding of arithmetic, no more: mm, and source
#: pixels.
EXACT = 1e-6


@dataclass(frozen=True)
class MarkerPlaces:
    """Where everything of a tour lies."""

    folder: Path
    scan: Path

    @property
    def png(self) -> Path:
        return self.folder / "png"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"

    @property
    def mapped(self) -> Path:
        return self.folder / "mapped.csv"


@dataclass(frozen=True)
class Check:
    """Mapped points against where they should be: N labels, (N, 3) in LPS mm, or in source pixels
    without patient geometry.

    ``doubled`` is where PNG pixel × factor would put them. ``allowed`` (N,) is the largest error
    that passes, ``wrong_instance`` (N,) whether a point was given another DICOM instance than the
    one it lies on.
    """

    labels: Sequence[DrawnLabel]
    expected: Floats
    mapped: Floats
    doubled: Floats
    allowed: Floats
    wrong_instance: NDArray[np.bool_]

    @property
    def errors(self) -> Floats:
        return np.asarray(np.linalg.norm(self.mapped - self.expected, axis=1))

    @property
    def doubled_errors(self) -> Floats:
        return np.asarray(np.linalg.norm(self.doubled - self.expected, axis=1))

    @property
    def failed(self) -> list[str]:
        """Names of the labels that did not come back.

        An error that is not a number has not passed either.
        """
        bad = ~(self.errors <= self.allowed) | self.wrong_instance
        return [label.name for label, is_bad in zip(self.labels, bad, strict=True) if is_bad]


@dataclass(frozen=True)
class Tour:
    """A tour that was made, of the made-up specimen or of a scan of the user's.

    ``factor`` source pixels and slices became one. ``uncertainty`` (N,) mm as map-points states it,
    NaN without patient geometry.
    """

    of_specimen: bool
    places: MarkerPlaces
    job: Job
    sidecar: Sidecar
    factor: int
    check: Check
    uncertainty: Floats


def tour_of_specimen(
    folder: Path,
    progress: Progress,
    specimen: MadeSpecimen | None = None,
    grid: VoxelGrid = SCAN_GRID,
) -> Tour:
    """Scan the made-up specimen, export at half size and every second slice, label, map back;
    errors against the truth.
    """
    specimen = specimen or weevil(grid)
    places = MarkerPlaces(take_folder(folder), folder / "scan")
    write_scan(places.scan, specimen, grid, progress)
    (job,) = plan_export(
        places.scan, places.png, make_options(scale=0.5, z_step=2, overwrite=True), progress
    )
    sidecar = run_job(job, progress)
    labels = labelling.find_landmarks(places.png, sidecar)
    mapped = _map_back(places, labels, sidecar)
    uncertainty = mapped.numbers("uncertainty_mm")
    clicks = np.array([(label.x, label.y, label.slice) for label in labels])
    check = Check(
        labels=labels,
        expected=specimen.to_patient(
            np.array([specimen.landmarks[label.name] for label in labels])
        ),
        mapped=_columns(mapped, PATIENT_COLUMNS),
        doubled=grid.to_patient(2 * clicks),
        allowed=uncertainty,
        wrong_instance=np.zeros(len(labels), dtype=bool),
    )
    return Tour(True, places, job, sidecar, 2, check, uncertainty)


def tour_of_scan(source: Path, folder: Path, series: str | None, progress: Progress) -> Tour:
    """The same with the user's own scan, where labels are put on known pixels and checked against
    the DICOM headers.

    Raises what an export raises, and UsageError for ``series="all"``.
    """
    if series == "all":
        raise UsageError(
            "--series all: a tour is of one stack; give its number or Series Instance UID"
        )
    (whole,) = plan_export(
        source,
        folder / "png",
        make_options(scale=1.0, z_step=1, series=series, overwrite=True),
        progress,
    )
    factor, job = _small_enough(whole)
    places = MarkerPlaces(take_folder(folder), source)
    sidecar = run_job(job, progress)
    labels = labelling.known_places(places.png, sidecar)
    mapped = _map_back(places, labels, sidecar)
    check = _against_headers(job, factor, labels, mapped)
    nowhere = np.full(len(labels), np.nan)
    uncertainty = nowhere if sidecar.stack is None else mapped.numbers("uncertainty_mm")
    return Tour(False, places, job, sidecar, factor, check, uncertainty)


def take_folder(folder: Path) -> Path:
    """Make ``folder``, or take it again, and return it.

    OutputError where it holds something that is not of a tour.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = sorted(path.name for path in folder.iterdir())
        if entries and MARKER not in entries:
            raise OutputError(
                f"{folder.name or 'this folder'} holds other files ({entries[0]}): give the demo a"
                " folder of its own"
            )
        Local.at(folder / MARKER).put(MARKER_TEXT.encode())
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{folder.name} cannot be written to: {reason(error)}") from None
    return folder


def _small_enough(whole: Job) -> tuple[int, Job]:
    """The job at 1/2 of its size and every second slice, or at 1/3 and every third …, until its
    PNGs fit in PNG_BYTES.
    """
    factor = 1
    while True:
        factor += 1
        options = replace(whole.plan.options, scale=1 / factor, z_step=factor)
        plan = make_plan(whole.plan.series, options)
        if plan.png_bytes <= PNG_BYTES:
            return factor, replace(whole, plan=plan)


def _map_back(places: MarkerPlaces, labels: Sequence[DrawnLabel], sidecar: Sidecar) -> Table:
    """Write labels.csv, map it as `map-points` does, write mapped.csv, and read that as whoever
    uses it does.
    """
    labelling.write_labels(places.labels, labels, places.png.name, sidecar)
    points = map_file(places.labels).points
    with whole_file(places.mapped) as part:
        writer_for(places.mapped).write([points], part, "lps")
    return Table(places.mapped)


def _against_headers(job: Job, factor: int, labels: Sequence[DrawnLabel], mapped: Table) -> Check:
    """Where the labels lie by pixel edges and DICOM headers alone.

    ``factor`` source pixels fill one PNG pixel edge to edge, so edges are at factor · edge, and
    centres half a pixel beyond edges.
    """
    centres = np.array(
        [
            (factor * (label.x + 0.5) - 0.5, factor * (label.y + 0.5) - 0.5, factor * label.slice)
            for label in labels
        ]
    )
    doubled = factor * np.array([(label.x, label.y, label.slice) for label in labels])
    allowed = np.full(len(labels), EXACT)
    if job.plan.series.stack is None:
        voxels = _columns(mapped, SOURCE_COLUMNS)
        return Check(labels, centres, voxels, doubled, allowed, np.zeros(len(labels), dtype=bool))
    planes = planes_in_order(
        job.source, [(frame.file, frame.frame_number) for frame in job.plan.series.frames]
    )
    on = [planes[round(slice_)] for slice_ in centres[:, 2]]
    stated = zip(
        mapped.texts("sop_instance_uid") or (), mapped.texts("frame_number") or (), strict=True
    )
    return Check(
        labels=labels,
        expected=np.array(
            [plane.point(column, row) for plane, (column, row, _) in zip(on, centres, strict=True)]
        ),
        mapped=_columns(mapped, PATIENT_COLUMNS),
        doubled=np.array(
            [plane.point(column, row) for plane, (column, row, _) in zip(on, doubled, strict=True)]
        ),
        allowed=allowed,
        wrong_instance=np.array(
            [
                s != (p.sop_instance_uid, str(p.frame_number or ""))
                for s, p in zip(stated, on, strict=True)
            ]
        ),
    )


def _columns(table: Table, names: Sequence[str]) -> Floats:
    return np.column_stack([table.numbers(name) for name in names])
