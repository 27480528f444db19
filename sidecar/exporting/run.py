"""Run exports: plan → PNGs → sidecar.json.

The number of tasks in work is bounded. An interrupted export can continue. The document is written
last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.dicom.source import Source, require_unchanged
from sidecar.dicom.stacks.given_voxel import arrangement
from sidecar.document.generator import generator
from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import BatchError, SidecarError, WorkersLostError
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.faults import Faults, about
from sidecar.exporting.images.make_png import Recipe, Rendered, Task, render
from sidecar.exporting.images.window_choice import choose_values, table_before
from sidecar.exporting.images.workers import CLUSTER_WAIT, Workers, dask_workers, local_workers
from sidecar.exporting.job import Job, finished, has_page
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.output_folder import OutputFolder, take_folder
from sidecar.exporting.plan import Plan, make_plan
from sidecar.exporting.series_folders import in_folders
from sidecar.grid.axis_order import AS_STORED
from sidecar.mapping import Sidecar, volume_of
from sidecar.progress import Progress, Silent
from sidecar.storage.digest import file_digest
from sidecar.storage.locate import Place, locate
from sidecar.values.value_maps import Linear, Stored

#: Placeholder for the digest of a PNG that is not made yet.
_NO_DIGEST = "0" * 64
#: Specimens that are exported at the same time on a cluster.
SIDE_BY_SIDE = 8


def plan_export(
    source: Place, output: Place, options: ExportOptions, progress: Progress | None = None
) -> list[Job]:
    """Read headers and plan one job, or with ``series="all"`` one job for each stack, each in its
    own folder. No pixels are read.

    Raises SourceError or a subclass for faults of the source, UsageError for options that do not
    fit it, BatchError for faults of several stacks.
    """
    opened = Source.open(locate(source), progress, arrangement(options.given))
    root, chosen = opened.root, opened.choose(options.series, options.join)
    output = locate(output)
    if options.series != "all" or options.join:
        return [Job(make_plan(series, options), root, output) for series in chosen]
    faults, jobs = Faults(), list[Job]()
    for series in chosen:
        name = f"stack {series.number}"
        with faults.of(name):
            jobs.append(Job(make_plan(series, options), root, output, name=name))
    faults.refuse()
    return in_folders(jobs, output)


def run_jobs(
    jobs: Sequence[Job],
    progress: Progress | None = None,
    scheduler: str | None = None,
    patience: float = CLUSTER_WAIT,
) -> list[Sidecar]:
    """Run jobs one after the other on this machine, or at the same time on a Dask cluster.

    ``scheduler``: the address of the scheduler of the cluster. ``patience``: how many seconds the
    cluster may be without workers.

    A fault of one job does not stop the others. One job raises as `run_job`. Several jobs raise one
    BatchError of all faults, each with the name of its job; it says how many jobs are finished.
    Ctrl-C, or a lost cluster (WorkersLostError with the name of a job), stops all jobs. Jobs that
    are finished by then stay finished.
    """
    outcomes = _outcomes(jobs, progress, scheduler, patience)
    faults = [outcome for outcome in outcomes if isinstance(outcome, SidecarError)]
    if faults and len(jobs) == 1:
        raise faults[0]
    if faults:
        raise BatchError(
            faults,
            f"{len(jobs) - len(faults)} of {len(jobs)} exports finished, {len(faults)} did not;"
            " correct the faults below, and run the same command again to go on where it stopped",
        )
    return [outcome for outcome in outcomes if not isinstance(outcome, SidecarError)]


def _outcomes(
    jobs: Sequence[Job], progress: Progress | None, scheduler: str | None, patience: float
) -> list[Sidecar | SidecarError]:
    """The result or the fault of each job."""
    if scheduler is None:
        return [_run_named(job, progress) for job in jobs]
    with (
        dask_workers(scheduler, patience) as workers,
        ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="specimen") as specimens,
    ):
        under_way = [specimens.submit(_run_named, job, progress, workers) for job in jobs]
        try:
            return [job.result() for job in under_way]
        except (KeyboardInterrupt, WorkersLostError):
            workers.stopped.set()
            specimens.shutdown(wait=False, cancel_futures=True)
            raise


def _run_named(job: Job, *how: Any) -> Sidecar | SidecarError:
    """The export, or its fault with the name of the job."""
    try:
        return run_job(job, *how)
    except WorkersLostError as error:
        raise about(error, job.name) from None
    except SidecarError as error:
        return about(error, job.name)


def run_job(job: Job, progress: Progress | None = None, workers: Workers | None = None) -> Sidecar:
    """Write the PNGs and then ``sidecar.json`` of one job.

    It continues where an interrupted run of the same job stopped. A finished export is left as it
    is. Raises PixelError or SourceError for faults of the source, OutputError for faults of the
    output. After an error, the files that were written stay, and the export can continue.
    """
    there = finished(job)
    if there is not None:
        return there
    progress = progress or Silent()
    with (
        contextlib.nullcontext(workers) if workers else local_workers(job.plan.options.jobs)
    ) as workers:
        return _run(job, progress, workers)


def _run(job: Job, progress: Progress, workers: Workers) -> Sidecar:
    plan, options = job.plan, job.plan.options
    waiting = partial(progress.start, "checking whether another export is writing there", None)
    with take_folder(job.output, plan.digest, plan.names, options.replacing, waiting) as folder:
        if options.volume is not None:
            volume_of(make_sidecar(plan, None, [_NO_DIGEST] * len(plan.names)), options.volume)
        progress.start("measuring the window", None)

        def measured() -> None:
            workers.go_on()
            progress.advance(1, 0)

        values = choose_values(plan, job.source, measured)
        recipe = _recipe(job, values)
        progress.start("writing PNGs", len(plan.names))
        digests, counts = _write_pngs(recipe, plan, folder, workers, progress)
        require_unchanged(
            job.source,
            job.stamps,
            "when the source is as it should be, start again with --overwrite",
        )
        sidecar = make_sidecar(plan, values, digests, job.zoom, plan.made_from)
        if has_page(job):
            from sidecar.viewer.page import write_viewer  # not loaded without a page

            write_viewer(sidecar, job.output, counts)
        if options.volume is not None:
            from sidecar.exporting.images.volume import write_volume

            progress.start("writing the volume", None)
            write_volume(job.output, options.volume, sidecar)
        progress.start("waiting until the disk has the files", None)
        job.output.sync(plan.names)
        folder.confirm()
        plan.facts.save(sidecar.document, job.output / SIDECAR_NAME)
        folder.finish(frozenset(plan.names))
    return replace(sidecar, folder=job.output)


def _counted(job: Job) -> frozenset[int]:
    """The PNGs from which the contrast of the page is measured. Their values are counted while they
    are made, so that they need not be read again.
    """
    if not has_page(job):
        return frozenset()
    from sidecar.viewer.display import measured_images

    return frozenset(measured_images(len(job.plan.names)))


def _write_pngs(
    recipe: Recipe, plan: Plan, folder: OutputFolder, workers: Workers, progress: Progress
) -> tuple[list[str], dict[int, NDArray[np.intp]]]:
    """Write the PNGs that are missing or damaged.

    Returns the digests of all PNGs in slice order, and the counted values.
    """
    counts: dict[int, NDArray[np.intp]] = {}
    digests = _digests_of_whole(plan, folder, progress)

    def note(done: Rendered) -> None:
        folder.made(plan.names[done.index], done.sha256)

    missing = [k for k in range(len(plan.names)) if k not in digests]
    if plan.order == AS_STORED:
        tasks = (
            Task(k, plan.names[k], tuple(frame.locator for frame in plan.frames_of(k)))
            for k in missing
        )
        results = workers.results(partial(render, recipe), tasks, note)
    else:
        from sidecar.exporting.images.reslice import (
            render_resliced,  # not loaded for the plane of the source slices
        )

        results = render_resliced(recipe, plan, missing, workers, note)
    with contextlib.closing(
        results
    ):  # in every case, no worker still writes when the folder is released
        for done in results:
            folder.go_on()
            digests[done.index] = done.sha256
            if done.counts is not None:
                counts[done.index] = done.counts
            progress.advance(done.index >= 0, done.bytes_read)
    return [digests[k] for k in range(len(plan.names))], counts


def _digests_of_whole(plan: Plan, folder: OutputFolder, progress: Progress) -> dict[int, str]:
    """Number → digest of the PNGs that an interrupted run left undamaged.

    A power failure may have damaged a PNG, or somebody may have changed it.
    """
    digests = {}
    for k, name in enumerate(plan.names):
        if name in folder.left and file_digest(folder.location / name) == folder.left[name]:
            digests[k] = folder.left[name]
            progress.advance(1, 0)
    return digests


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
        x, y, _ = plan.order.pick(edges.tolist())
        pixel_mm = (x, y)
    text = {
        "Software": generator(),
        "SeriesInstanceUID": plan.series.common.series_instance_uid,
        "Tag": plan.tag,
        "Sidecar": SIDECAR_NAME,
    }
    return Recipe(
        source=job.source.resolved(),
        output=job.output.resolved(),
        columns=decimation.columns,
        rows=decimation.rows,
        combine=decimation.slices.method,
        values=values,
        text=tuple(text.items()),
        pixel_mm=pixel_mm,
        table=table_before(plan, values),
        compression=plan.options.compression,
        counted=_counted(job),
    )
