"""Which folder each stack of ``--series all`` goes to: that of its number, unless an earlier run
numbered the stacks in another way.
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

    What is there already, finished or not, stays where it is, so that a specimen can be added to
    the source. A stack whose folder is another's by that takes the first that is left. Whatever
    else is in a folder is in the way, which is found when it is written to.
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
    except OSError:  # it is not there, or will be refused
        return []


def _held(folder: WritableLocation) -> frozenset[str | None]:
    """The digests by which the export in a folder is known: finished, unfinished."""
    try:
        made = reading.load(folder / SIDECAR_NAME).made_from
    except DocumentError:
        made = None
    return frozenset({made, journal_digest(folder)}) - {None}


def _digests(job: Job) -> frozenset[str | None]:
    return frozenset({job.plan.made_from, job.plan.digest})
