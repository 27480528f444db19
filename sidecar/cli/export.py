"""`sidecar export`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from sidecar.cli.declared import OUTPUT, Argument, Option
from sidecar.cli.source_options import WHICH_SLICES, JoinStacks, SliceOrder, VoxelSize
from sidecar.cli.telling import as_told, say, tell
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.exporting.job import Job

# Groups of options in the help text that only this command has.
DECIMATION, VALUES, WORK = "Decimation", "Pixel values", "Where the work is done"

NAME = "export"
HELP = """Write a DICOM stack as small PNG slices and one sidecar.json that says exactly how they
relate to it.

Without --scale, --spacing, --fit or --z-step, sidecar chooses the smallest decimation whose PNGs
fit in 2 GB. It prints the plan. To continue an interrupted export, run the same command again; it
goes on where it stopped."""
EXAMPLES = """\
sidecar export scan/ png/ --scale 1/2 --z-step 2
sidecar export scan/ coronal/ --plane coronal
sidecar export --config specimens.yaml --dry-run"""


def run(
    source: Annotated[
        WritableLocation | None,
        Argument(
            metavar="SOURCE",
            help=(
                "A folder (searched recursively, links followed), a zip, one file, or a DICOMDIR;"
                " or its URL."
            ),
            show_default=False,
            parser=locate,
        ),
    ] = None,
    output: Annotated[
        WritableLocation | None,
        Argument(
            metavar="OUTPUT",
            help="Folder for slice_0000_TAG.png … and sidecar.json; or its URL.",
            show_default=False,
            parser=locate,
        ),
    ] = None,
    scale: Annotated[
        str | None,
        Option(
            metavar="F", help="PNG size over source size: 0.5, 1/3 …", rich_help_panel=DECIMATION
        ),
    ] = None,
    spacing: Annotated[
        float | None,
        Option(metavar="MM", help="Aim at this spacing on all axes.", rich_help_panel=DECIMATION),
    ] = None,
    fit: Annotated[
        str | None,
        Option(
            metavar="SIZE",
            help="Smallest decimation whose uncompressed PNGs fit: 2GB, 500MB …",
            rich_help_panel=DECIMATION,
        ),
    ] = None,
    z_step: Annotated[
        int | None,
        Option(metavar="N", help="One PNG for every N source slices.", rich_help_panel=DECIMATION),
    ] = None,
    z_filter: Annotated[
        str | None,
        Option(
            metavar="stride|mean|max",
            help="Take one of N slices (stride), or their mean or maximum.",
            rich_help_panel=DECIMATION,
        ),
    ] = None,
    bits: Annotated[
        int | None,
        Option(
            metavar="8|16",
            help="8: one window for the whole series. 16: stored values without loss.",
            rich_help_panel=VALUES,
        ),
    ] = None,
    window: Annotated[
        str | None,
        Option(
            metavar="auto|dicom|full|CENTER,WIDTH",
            help="Range of values that 8 bits show, in modality units such as HU.",
            rich_help_panel=VALUES,
        ),
    ] = None,
    crop: Annotated[
        str | None,
        Option(
            metavar="X0:X1,Y0:Y1,Z0:Z1",
            help="Source voxels to export, ends not included. An empty end means all.",
            rich_help_panel=DECIMATION,
        ),
    ] = None,
    plane: Annotated[
        str | None,
        Option(
            metavar="PLANE",
            help=(
                "Plane of the PNGs: axial, coronal, sagittal, patient directions such as LFP, or"
                " source axes such as xzy. Without it, the plane of the source slices."
            ),
            rich_help_panel=DECIMATION,
        ),
    ] = None,
    voxel: VoxelSize = None,
    order: SliceOrder = None,
    specimen: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="Name of the specimen, such as beetle-7. It replaces slice in the PNGs' names.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    series: Annotated[
        str | None,
        Option(
            metavar="UID|NUMBER|all",
            help=(
                "Which stack: its number from inspect or its Series Instance UID. all writes a"
                " folder for each."
            ),
            rich_help_panel=WHICH_SLICES,
        ),
    ] = None,
    join: JoinStacks = None,
    compression: Annotated[
        str | None,
        Option(
            metavar="fast|small",
            help="Compression of the PNGs; small takes up to three times as long.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        Option(
            metavar="N",
            help="Number of workers; without it, one more than there are processors.",
            rich_help_panel=WORK,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        Option(
            metavar="ADDRESS",
            help="Work on the Dask cluster whose scheduler has this address: tcp://node1:8786 …",
            rich_help_panel=WORK,
        ),
    ] = None,
    cluster_wait: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help=(
                "With --scheduler: give up if the cluster has had no worker for this time."
                " [default: 300]"
            ),
            rich_help_panel=WORK,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        Option(
            metavar="FILE.yaml", help="File with the same options by name, for one or many sources."
        ),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the plan and write nothing.")] = False,
    volume: Annotated[
        str | None,
        Option(
            metavar="nrrd|nifti|mha",
            help="Also write the PNG stack as one volume file with its position in the patient.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    viewer: Annotated[
        bool | None,
        Option(
            "--viewer/--no-viewer",
            help="Write viewer.html beside PNGs of 8 bits.",
            show_default="viewer",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool | None,
        Option("--overwrite", help="Replace an earlier export in OUTPUT.", rich_help_panel=OUTPUT),
    ] = None,
    keep_labels: Annotated[
        bool | None,
        Option(
            "--keep-labels",
            help="Keep labels in OUTPUT whose tags show that they belong to the same mapping.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    quiet: Annotated[
        bool, Option("--quiet", "-q", help="No progress and no plan on stderr.")
    ] = False,
) -> None:
    from sidecar.cli.progress import watched
    from sidecar.exporting.batch import plan_batch
    from sidecar.exporting.images.workers import patience_of
    from sidecar.exporting.run import run_jobs

    given = {
        "scale": scale, "spacing": spacing, "fit": fit, "z-step": z_step, "z-filter": z_filter,
        "bits": bits, "window": window, "crop": crop, "plane": plane, "compression": compression,
        "voxel": voxel, "order": order,
        "specimen": specimen, "series": series, "join": join, "jobs": jobs, "viewer": viewer,
        "volume": volume, "overwrite": overwrite, "keep-labels": keep_labels,
    }  # fmt: skip
    patience = patience_of(cluster_wait, scheduler)
    specimens = _specimens(
        source, output, config, {name: value for name, value in given.items() if value is not None}
    )
    with watched(quiet) as progress:
        batch = plan_batch(specimens, progress)
        for job, there in zip(batch.jobs, batch.finished, strict=True):
            if dry_run or not quiet:
                words = _passed_by(job) if there else _planned(job)
                on_stderr = not dry_run or bool(batch.faults.found)
                say(words, sys.stderr if on_stderr else sys.stdout)
        batch.faults.refuse()
        if dry_run:
            return
        try:
            written = run_jobs(batch.jobs, progress, scheduler, patience)
        except KeyboardInterrupt:
            tell(
                "sidecar: interrupted; run the same command again, and it goes on where it stopped"
            )
            raise
        for sidecar, job in zip(written, batch.jobs, strict=True):
            if job.plan.options.volume is not None and not quiet:
                from sidecar.exporting.images.volume import volume_notes

                for note in volume_notes(sidecar, job.plan.options.volume):
                    tell(f"  note: {note}")


def _specimens(
    source: WritableLocation | None,
    output: WritableLocation | None,
    config: Path | None,
    given: dict[str, Any],
) -> list[tuple[WritableLocation, WritableLocation, Any]]:
    from sidecar.errors import UsageError
    from sidecar.exporting.options import make_options

    if config is not None:
        from sidecar.exporting.config import load_config

        return load_config(config, source, output, given)
    if source is None or output is None:
        raise UsageError("SOURCE and OUTPUT are missing; give them here or in a --config file")
    return [(source, output, make_options(**given))]


def _called(job: Job) -> str:
    """The name of a job in messages: its output, and its own name where there are several."""
    name, output = job.name or job.output.name, f" to {job.output.name}"
    return name if f" to {name}".endswith(output) else name + output


def _passed_by(job: Job) -> str:
    return (
        f"{_called(job)}: an earlier run finished it, from the same source with the same options;"
        " there is nothing to do"
    )


def _planned(job: Job) -> str:
    from sidecar.exporting.describe import describe_plan, notes_on_display
    from sidecar.exporting.inspect import planned

    lines = [
        f"{_called(job)}: {describe_plan(planned(job.plan))}",
        *(f"  note: {note}" for note in (*job.plan.warnings, *notes_on_display(job))),
    ]
    return "\n".join(map(as_told, lines))
