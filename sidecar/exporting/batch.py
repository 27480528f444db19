"""Plan many exports together before any of them begins.

The faults of all exports are reported together, each with the name of its source.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from sidecar.errors import UsageError
from sidecar.exporting.faults import Faults
from sidecar.exporting.job import Job, finished, refuse_output
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.run import plan_export
from sidecar.progress import Progress
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Location, called

#: Source, output and options of one export.
Specimen = tuple[Place, Place, ExportOptions]


@dataclass(frozen=True)
class Batch:
    """The planned jobs, whether each is finished already, and the faults of the other exports."""

    jobs: tuple[Job, ...]
    finished: tuple[bool, ...]
    faults: Faults


def plan_batch(specimens: Sequence[Specimen], progress: Progress | None = None) -> Batch:
    """Plan every export from headers alone, and check the output folders.

    A fault of a source raises nothing here. ``faults.refuse()`` of the result raises all faults.
    """
    faults, jobs = Faults(), list[Job]()
    for (source, output, options), name in zip(specimens, _names(specimens), strict=True):
        with faults.of(name):
            for job in plan_export(source, output, options, progress):
                jobs.append(replace(job, name=", ".join(filter(None, [name, job.name]))))
    faults.found += _shared_outputs(jobs)
    return Batch(tuple(jobs), tuple(_is_finished(job, faults) for job in jobs), faults)


def _is_finished(job: Job, faults: Faults) -> bool:
    """Whether an export is finished already. Anything in its way becomes a fault."""
    with faults.of(job.name):
        if finished(job) is not None:
            return True
        refuse_output(job)
    return False


def _names(specimens: Sequence[Specimen]) -> list[str]:
    """The name of each source in messages.

    It has as many of the last folders as are needed to tell the sources apart, and the output where
    one source is exported twice. "" where there is only one source.
    """
    if len(specimens) == 1:
        return [""]
    tails = _tails([locate(source) for source, _, _ in specimens])
    counts = Counter(tails)
    return [
        f"{tail} to {called(locate(output))}" if counts[tail] > 1 else tail
        for tail, (_, output, _) in zip(tails, specimens, strict=True)
    ]


def _tails(places: Sequence[Location]) -> list[str]:
    """The last parts of each place, as many as are needed to tell the places apart."""
    tails = {place: called(place) for place in places}
    above = {place: place.parent for place in tails}
    while True:
        counts = Counter(tails.values())
        alike = [place for place, tail in tails.items() if counts[tail] > 1 and above[place].name]
        if not alike:
            return [tails[place] for place in places]
        for place in alike:
            tails[place] = f"{above[place].name}/{tails[place]}"
            above[place] = above[place].parent


def _shared_outputs(jobs: Sequence[Job]) -> Iterator[UsageError]:
    """UsageErrors for outputs that are the same folder, or of which one is inside the other."""
    outputs = [job.output.resolved() for job in jobs]
    for first, second in _overlapping(outputs):
        one, other = outputs[first], outputs[second]
        sources = f"{jobs[first].name}, {jobs[second].name}: "
        if one == other:
            yield UsageError(
                f"{sources}two sources would be written to {one.name}; give each an output of its"
                " own"
            )
        else:
            yield UsageError(
                f"{sources}one of the outputs {one.name} and {other.name} is inside the other;"
                " give each a folder of its own"
            )


def _overlapping(places: Sequence[Location]) -> list[tuple[int, int]]:
    """The pairs of places that are one, or of which one is inside the other, in order.

    Each place is held against the folders above it only, and not against all other places.
    """
    at = defaultdict[Location, list[int]](list)
    for number, place in enumerate(places):
        at[place].append(number)
    found = [pair for numbers in at.values() for pair in combinations(numbers, 2)]
    for place, inside in at.items():
        for folder in _above(place):
            pairs = product(inside, at.get(folder, ()))
            found += [(min(pair), max(pair)) for pair in pairs]
    return sorted(found)


def _above(place: Location) -> Iterator[Location]:
    """The folders that a place is in, from its own up."""
    while (folder := place.parent) != place:
        yield folder
        place = folder
