"""One planned export, and the check whether it is finished already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sidecar.document import reading
from sidecar.document.model import SIDECAR_NAME, Zoom
from sidecar.errors import DocumentError, OutputError, named, reason
from sidecar.exporting.output_folder import require_room
from sidecar.exporting.plan import Plan
from sidecar.mapping import Sidecar
from sidecar.storage.location import Location, Stamp, WritableLocation, called
from sidecar.viewer.names import VIEWER_NAME


@dataclass(frozen=True)
class Job:
    """One planned export: its plan, its source and its output.

    ``zoom``: the landmark it is made for, if any. ``name``: its name in messages where there are
    several jobs.
    """

    plan: Plan
    source: Location
    output: WritableLocation
    zoom: Zoom | None = None
    name: str = ""

    @property
    def stamps(self) -> dict[str, Stamp]:
        """The source files that must not change during the export.

        These are all files. For a stack around a landmark, only the files that it is made from; the
        others were checked when it was planned.
        """
        if self.zoom is None:
            return self.plan.series.stamps
        return {frame.file: frame.stamp for frame in self.plan.frames_read()}


def finished(job: Job) -> Sidecar | None:
    """The finished export of the same source with the same options, if there is one.

    OutputError where a part of it is missing.
    """
    if job.plan.options.overwrite:
        return None
    try:
        document = reading.load(job.output / SIDECAR_NAME)
    except DocumentError:
        return None
    if document.made_from is None or document.zoom != job.zoom:
        return None
    if document.made_from != job.plan.made_from:
        return None
    missing = sorted({*job.plan.names, *_companions(job)} - set(job.output.names()))
    if missing:
        raise OutputError(
            f"{called(job.output)} holds this finished export, but files are missing:"
            f" {named(missing)}; restore them from a copy, or replace the export with --overwrite"
        )
    return replace(Sidecar.of(document), folder=job.output)


def refuse_output(job: Job) -> None:
    """OutputError where something in the output folder is in the way of the unfinished ``job``.

    Nothing is written.
    """
    try:
        is_there = job.output.exists()
    except OSError as error:
        raise OutputError(f"{called(job.output)} cannot be written to: {reason(error)}") from None
    if is_there:
        plan = job.plan
        require_room(job.output, plan.digest, plan.names, plan.options.replacing)


def _companions(job: Job) -> Iterator[str]:
    """The names of the files beside the PNGs that the options ask for."""
    if has_page(job):
        yield VIEWER_NAME
    if job.plan.options.volume is not None:
        from sidecar.exporting.images.volume import volume_name  # not loaded without a volume

        yield volume_name(job.plan.options.volume)


def has_page(job: Job) -> bool:
    """Whether the options ask for the page, and browsers can show the PNGs (8 bits)."""
    return job.plan.options.viewer and job.plan.bits == 8
