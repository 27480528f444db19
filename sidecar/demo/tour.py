"""The tours: scan → PNGs → labels → mapped points → the errors of the mapped points."""

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
from sidecar.labels.model import PATIENT_COLUMNS, SOURCE_COLUMNS
from sidecar.labels.tables.csv_table import Table
from sidecar.labels.writers import writer_for
from sidecar.mapping import Sidecar
from sidecar.progress import Progress
from sidecar.storage.local import Local
from sidecar.storage.location import called
from sidecar.storage.whole_file import whole_file

Floats = NDArray[np.float64]

MARKER = "sidecar-demo.txt"
MARKER_TEXT = """`sidecar demo` made this folder. It makes it again each time that it runs.

scan/       the made-up scan, as DICOM (not there after a tour with --source)
png/        the PNGs, with sidecar.json
labels.csv  labels on the PNGs
mapped.csv  the same labels in source voxels and patient mm
"""
#: Uncompressed size limit of the PNGs of a tour. A larger scan is decimated further than to a half.
PNG_BYTES = 300_000_000
#: Largest difference between the package and the headers, in mm or source pixels: only rounding of
#: arithmetic is allowed.
EXACT = 1e-6


@dataclass(frozen=True)
class MarkerPlaces:
    """The paths of all files and folders of a tour."""

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
    """N mapped points and their true places, (N, 3) in LPS mm, or in source pixels without patient
    geometry.

    ``doubled``: the places that PNG pixel × factor would give. ``allowed`` (N,): the largest error
    that passes. ``wrong_instance`` (N,): whether a point has another DICOM instance than the one it
    lies on.
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
        """Names of the labels that did not come back to their places.

        An error of NaN counts as failed.
        """
        bad = ~(self.errors <= self.allowed) | self.wrong_instance
        return [label.name for label, is_bad in zip(self.labels, bad, strict=True) if is_bad]


@dataclass(frozen=True)
class Tour:
    """A finished tour of the made-up specimen or of a scan of the user.

    ``factor``: how many source pixels and slices became one. ``uncertainty`` (N,): mm as map-points
    states it, NaN without patient geometry.
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
    """Scan the made-up specimen, export it at half size and every second slice, label it, map the
    labels back, and compare them with the truth.
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
    """Make the same tour with a scan of the user. Labels are placed on known pixels and compared
    with the DICOM headers.

    Raises the errors of an export, and UsageError for ``series="all"``.
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
    """Make ``folder``, or take that of an earlier tour, and return it.

    OutputError where it holds something that does not belong to a tour.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entries = sorted(path.name for path in folder.iterdir())
        if entries and MARKER not in entries:
            raise OutputError(
                f"{called(folder)} holds other files ({entries[0]}): give the demo a"
                " folder of its own"
            )
        Local.at(folder / MARKER).put(MARKER_TEXT.encode())
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{called(folder)} cannot be written to: {reason(error)}") from None
    return folder


def _small_enough(whole: Job) -> tuple[int, Job]:
    """The job at 1/2 of its size and every second slice, or at 1/3 and every third, and so on,
    until its PNGs fit in PNG_BYTES; and this factor.
    """
    factor = 1
    while True:
        factor += 1
        options = replace(whole.plan.options, scale=1 / factor, z_step=factor)
        plan = make_plan(whole.plan.series, options)
        if plan.png_bytes <= PNG_BYTES:
            return factor, replace(whole, plan=plan)


def _map_back(places: MarkerPlaces, labels: Sequence[DrawnLabel], sidecar: Sidecar) -> Table:
    """Write labels.csv, map it as `map-points` does, write mapped.csv, and read that as a user
    reads it.
    """
    labelling.write_labels(places.labels, labels, places.png.name, sidecar)
    points = map_file(places.labels).points
    with whole_file(places.mapped) as part:
        writer_for(places.mapped).write([points], part, "lps")
    return Table(places.mapped)


def _against_headers(job: Job, factor: int, labels: Sequence[DrawnLabel], mapped: Table) -> Check:
    """The places of the labels from pixel edges and DICOM headers alone.

    ``factor`` source pixels fill one PNG pixel from edge to edge. So an edge of a PNG pixel lies at
    factor · edge in source pixels, and a centre half a pixel beyond an edge.
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
