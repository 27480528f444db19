"""A report of mapped labels, from the scan they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.checks.source import check_headers, said
from sidecar.dicom.source import Source
from sidecar.dicom.stacks.same_scan import ScanMatch
from sidecar.dicom.stacks.series import Series
from sidecar.errors import LabelError, SourceError, UsageError
from sidecar.labels.load import Loaded
from sidecar.mapping import Sidecar
from sidecar.morphometrics.repeats import Repeats, repeats_of
from sidecar.morphometrics.sessions import Session, refuse_sessions_off_scan
from sidecar.progress import Progress
from sidecar.reports.labels import labels_of
from sidecar.reports.make import Request, make_report, usual_size
from sidecar.reports.page import render
from sidecar.reports.space import Space
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Location

#: More labels than this make a page that is a burden to open; a limit says how many all the same.
MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A report as a page, how many labels it shows, and the error of labelling if it has that."""

    html: str
    labels: int
    repeats: Repeats | None


def report_on(
    loaded: Loaded,
    source: Place,
    size: float | None,
    limit: int | None,
    progress: Progress,
    sessions: Sequence[Session] = (),
) -> Page:
    """Every label, or the first ``limit`` of them, with ``size`` mm around it; and the error of
    labelling, where there are ``sessions`` on the scan.

    LabelError where there is none, or sessions are of another scan, UsageError where labels are too
    many or of several exports, SourceError where the scan is not the one that the export was
    made of.
    """
    export = loaded.only_export("a report")
    assert export.folder is not None  # of a document on a disk or in a store
    found = labels_of(loaded.points)
    if not found:
        raise LabelError("there are no labels in it to report on", loaded.paths[0])
    if limit is None and len(found) > MOST_LABELS:
        raise UsageError(
            f"there are {len(found)} labels; --limit N shows the first N of them, --limit"
            f" {len(found)} all"
        )
    repeats = _repeats(loaded, sessions, export.sidecar)
    root, series = _scan(export.sidecar, source, progress)
    request = Request(
        sidecar=export.sidecar,
        specimen=export.name,
        folder=export.folder,
        labels=found[:limit],
        root=root,
        series=series,
        size=usual_size(Space.of(export.sidecar)) if size is None else size,
        repeats=repeats,
    )
    html = render(make_report(request, progress), len(found))
    return Page(html, len(request.labels), repeats)


def _repeats(loaded: Loaded, sessions: Sequence[Session], export: Sidecar) -> Repeats | None:
    if not sessions:
        return None
    refuse_sessions_off_scan(sessions, export.document.source)
    mapped = [part for part in loaded.points if "source_column" in part.columns]
    if mapped:
        raise LabelError(
            "is a CSV of map-points, and would be shown as labels: where it is a session, give it"
            " as --session too; labels are the files of a label tool",
            mapped[0].labels.path,
        )
    return repeats_of(sessions)


def _scan(export: Sidecar, source: Place, progress: Progress) -> tuple[Location, Series]:
    """Where the scan is, and its stack.

    SourceError where it is not the one that the export was made of.
    """
    opened = Source.open(locate(source), progress)
    series = opened.matching(export.known_scan)
    said_there = said(export.document)
    findings = check_headers(export, said_there, ScanMatch(series, None))  # values and identifiers
    wrong = [finding.detail for finding in findings if finding.passed is False]
    if wrong:
        raise SourceError(
            f"{opened.name} is not as it was when the sidecar was written: {wrong[0]}; give the"
            " scan as it was then, or export it again as it is now"
        )
    return opened.root, series
