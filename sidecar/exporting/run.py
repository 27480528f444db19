"""The export loop: plan → PNGs → sidecar.json, with bounded work in flight, resumable, the document
last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.frame_source import FrameSource
from sidecar.dicom.scan import Scan, scan
from sidecar.dicom.series import Series, choose, find_series
from sidecar.document import model as documents
from sidecar.document.generator import generator
from sidecar.document.model import Zoom
from sidecar.errors import SourceError
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.make_png import Recipe, Task, render
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.output_folder import OutputFolder, claimed
from sidecar.exporting.plan import Plan, make_plan
from sidecar.exporting.window_choice import choose_values
from sidecar.exporting.workers import Workers, dask_workers, local_workers
from sidecar.grid.axis_order import AS_STORED
from sidecar.mapping import Sidecar
from sidecar.progress import Progress, Silent
from sidecar.storage.location import place, remote, resolved, stamp
from sidecar.storage.whole_file import file_digest
from sidecar.values.value_maps import Linear, Stored

#: What stands for the digest of a PNG that is not made yet.
_NO_DIGEST = "0" * 64
#: Specimens that are under way at once on a cluster.
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Job:
    """One planned export: what, from where, to where;
    ``zoom``: the landmark it is made for, if any.
    """

    plan: Plan
    source: Path
    output: Path
    zoom: Zoom | None = None


def plan_export(
    source: Path, output: Path, options: ExportOptions, progress: Progress | None = None
) -> list[Job]:
    """Read headers and plan: one job, or one for each stack with ``series="all"``, in a folder
    each. Reads no pixels.

    Raises SourceError and its kinds for the source, UsageError for options that do not fit it.
    """
    root, chosen = read_series(source, options.series, progress or Silent())
    outputs = (
        [output / f"series_{s.number:02d}" for s in chosen] if options.series == "all" else [output]
    )
    return [Job(make_plan(s, options), root, out) for s, out in zip(chosen, outputs, strict=True)]


def read_series(source: Path, asked: str | None, progress: Progress) -> tuple[Path, list[Series]]:
    """The folder that frames name their files by, and the stacks that were ``asked`` for: a UID, a
    number, "all", or the only one.

    Raises SourceError where there are none, AmbiguousSeriesError where one is to be chosen.
    """
    progress.start("reading headers", None)
    found = scan(source, lambda: progress.advance(1, 0))
    refuse_damaged(found)
    series = find_series(found.frames)
    if not series:
        met = (
            ", ".join(f"{count} × {kind}" for kind, count in found.others.most_common(4))
            or "nothing at all"
        )
        raise SourceError(
            f"no DICOM images found in {source.name or 'this folder'} (it holds {met})"
        )
    return found.root, choose(series, asked)


def refuse_damaged(found: Scan) -> None:
    """A DICOM file that cannot be read may be one of the slices: nothing is exported without it."""
    if found.damaged:
        more = f" (and {len(found.damaged) - 1} more)" if len(found.damaged) > 1 else ""
        raise SourceError(
            f"damaged DICOM file: {found.damaged[0]}{more}; copy it again, or move it out of the"
            " folder"
        )


def run_jobs(
    jobs: Sequence[Job], progress: Progress | None = None, scheduler: str | None = None
) -> list[Sidecar]:
    """Run jobs one after the other on this machine, or side by side on the Dask cluster whose
    scheduler is at ``scheduler``.

    Raises as `run_job`; jobs that were finished by then stay finished.
    """
    if scheduler is None:
        return [run_job(job, progress) for job in jobs]
    with (
        dask_workers(scheduler) as workers,
        ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="specimen") as specimens,
    ):
        return list(specimens.map(lambda job: run_job(job, progress, workers), jobs))


def run_job(job: Job, progress: Progress | None = None, workers: Workers | None = None) -> Sidecar:
    """Write the PNGs and then ``sidecar.json`` of one job, going on where an interrupted run of the
    same job stopped.

    Raises PixelError or SourceError for the source, OutputError for the output; what was written
    stays and can be resumed.
    """
    progress = progress or Silent()
    with (
        contextlib.nullcontext(workers) if workers else local_workers(job.plan.options.jobs)
    ) as workers:
        return _run(job, progress, workers)


def _run(job: Job, progress: Progress, workers: Workers) -> Sidecar:
    plan, options = job.plan, job.plan.options
    waiting = partial(progress.start, "watching whether another export is at work there", None)
    stamps = _stamps(job)
    with claimed(job.output, plan.digest(stamps), plan.names, options.overwrite, waiting) as folder:
        if options.volume is not None:
            from sidecar.exporting.volume import volume_of  # not loaded where there is none

            volume_of(make_sidecar(plan, None, [_NO_DIGEST] * len(plan.names)), options.volume)
        progress.start("measuring the window", None)
        values = choose_values(plan, job.source, lambda: progress.advance(1, 0))
        recipe = _recipe(job, values)
        progress.start("writing PNGs", len(plan.names))
        digests, counts = _rendered(recipe, plan, folder, workers, progress)
        made_from = plan.made_from({file: size for file, (size, _) in stamps.items()})
        sidecar = make_sidecar(plan, values, digests, job.zoom, made_from)
        if _has_page(job):
            from sidecar.viewer import write_viewer  # not loaded where there is no page

            write_viewer(sidecar, job.output, counts)
        if options.volume is not None:
            from sidecar.exporting.volume import write_volume

            progress.start("writing the volume", None)
            write_volume(job.output, options.volume, sidecar)
        folder.confirm()
        documents.save(sidecar.document, job.output / documents.SIDECAR_NAME)
        folder.finish(frozenset(plan.names))
    return sidecar


def _has_page(job: Job) -> bool:
    """Browsers show 8 bits.

    Zooms are small: they get copies of 16-bit gray PNGs that browsers can show, which URLs cannot
    hold.
    """
    with_copies = job.zoom is not None and job.plan.channels == 1 and not remote(job.output)
    return job.plan.options.viewer and (job.plan.bits == 8 or with_copies)


def _counted(job: Job) -> frozenset[int]:
    """The PNGs on which the contrast of the page is measured: then they need not be read again for
    it.
    """
    if not _has_page(job):
        return frozenset()
    from sidecar.viewer.display import measured_images

    return frozenset(measured_images(len(job.plan.names)))


def _rendered(
    recipe: Recipe, plan: Plan, folder: OutputFolder, workers: Workers, progress: Progress
) -> tuple[list[str], dict[int, NDArray[np.intp]]]:
    """Digests of all PNGs in slice order, and what was counted;
    PNGs that are there whole are read, not made again.
    """
    digests, counts = {}, {}
    missing = []
    for k, name in enumerate(plan.names):
        if name in folder.whole:
            digests[k] = file_digest(folder.path / name)
            progress.advance(1, 0)
        else:
            missing.append(k)
    if plan.turn == AS_STORED:
        tasks = (
            Task(k, plan.names[k], tuple(FrameSource.of(f) for f in plan.frames_of(k)))
            for k in missing
        )
        results = workers.results(partial(render, recipe), tasks)
    else:
        from sidecar.exporting.reslice import render_resliced  # not loaded for slices as stored

        results = render_resliced(recipe, plan, missing, workers)
    with contextlib.closing(
        results
    ):  # whatever ends this, no worker writes on when the folder is given back
        for done in results:
            folder.go_on()
            digests[done.index] = done.sha256
            if done.counts is not None:
                counts[done.index] = done.counts
            progress.advance(done.index >= 0, done.bytes_read)
    return [digests[k] for k in range(len(plan.names))], counts


def _recipe(job: Job, values: Stored | Linear | None) -> Recipe:
    plan, decimation = job.plan, job.plan.reduction
    stack = plan.series.stack
    pixel_mm = None
    if stack is not None:
        lengths = np.linalg.norm(
            np.column_stack(
                [stack.axes[0], stack.normal if stack.slice_step is None else stack.slice_step]
            ),
            axis=0,
        )
        edges = lengths * [axis.factor for axis in decimation.axes]
        pixel_mm = (float(edges[plan.turn.order[0]]), float(edges[plan.turn.order[1]]))
    text = {
        "Software": generator(),
        "SeriesInstanceUID": plan.series.common.series_instance_uid,
        "Tag": plan.tag,
        "Sidecar": documents.SIDECAR_NAME,
    }
    return Recipe(
        source=resolved(job.source),
        output=resolved(job.output),
        columns=decimation.columns,
        rows=decimation.rows,
        combine=decimation.slices.method,
        values=values,
        text=tuple(text.items()),
        pixel_mm=pixel_mm,
        compression=plan.options.compression,
        counted=_counted(job),
    )


def _stamps(job: Job) -> dict[str, tuple[int, int | str]]:
    """Size and time of change, or ETag, of every source file, so that a changed source is
    noticed.
    """
    stamps = {}
    for file in {frame.file for frame in job.plan.series.frames}:
        try:
            stamps[file] = stamp(job.source / file)
        except OSError as error:
            raise SourceError(f"{file} cannot be read: {error.strerror}") from None
    return stamps


def export(
    source: str | Path, output: str | Path, progress: Progress | None = None, **options: Any
) -> Sidecar:
    """Export one stack and return its mapping. Options are those of the command line: ``scale=0.5,
    z_step=2, bits=16`` …

    Either place may be a URL that fsspec knows, such as ``s3://bucket/scan``.

    Raises UsageError, SourceError (AmbiguousSeriesError where there are several stacks) and
    OutputError.
    """
    from sidecar.exporting.options import make_options

    jobs = plan_export(place(source), place(output), make_options(**options), progress)
    return [run_job(job, progress) for job in jobs][-1]
