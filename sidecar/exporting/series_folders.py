"""Choose the folder of each stack of ``--series all``: the folder of its number, unless an earlier
run numbered the stacks differently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sidecar.document import reading
from sidecar.document.model import SIDECAR_NAME
from sidecar.errors import DocumentError
from sidecar.exporting.job import Job
from sidecar.exporting.output_folder import journal_digest
from sidecar.storage.location import WritableLocation


def in_folders(jobs: Sequence[Job], output: WritableLocation) -> list[Job]:
    """The jobs, each with its folder below ``output``.

    An export that is there already, finished or not, keeps its folder. So a specimen can be added
    to the source later. If the folder of a stack's number belongs to another stack, the stack takes
    the first free folder. Anything else in a folder is refused when the folder is written to.
    """
    names = [f"series_{job.plan.series.number:02d}" for job in jobs]
    holders = defaultdict[str | None, list[str]](list)
    for name in _folders(output):
        for digest in _held(output / name):
            holders[digest].append(name)
    settled: dict[int, str] = {}
    for i, job in enumerate(jobs):
        own = _digests(job) if holders else frozenset()
        there = sorted({name for digest in own for name in holders.get(digest, ())})
        if there:
            settled[i] = names[i] if names[i] in there else there[0]
    taken = set(settled.values())
    moved = [i for i, name in enumerate(names) if i not in settled and name in taken]
    settled |= {i: name for i, name in enumerate(names) if i not in settled and name not in taken}
    left = sorted({*names} - {*settled.values()})
    settled |= dict(zip(moved, left, strict=False))
    return [replace(job, output=output / settled[i]) for i, job in enumerate(jobs)]


def _folders(output: WritableLocation) -> list[str]:
    try:
        return [name for name in output.names() if name.startswith("series_")]
    except OSError:  # the folder is missing, or will be refused later
        return []


def _held(folder: WritableLocation) -> frozenset[str | None]:
    """The digests that identify the export in a folder: finished, and unfinished."""
    try:
        made = reading.load(folder / SIDECAR_NAME).made_from
    except DocumentError:
        made = None
    return frozenset({made, journal_digest(folder)}) - {None}


def _digests(job: Job) -> frozenset[str | None]:
    return frozenset({job.plan.made_from, job.plan.digest})
