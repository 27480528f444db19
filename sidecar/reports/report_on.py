"""Make a report of mapped labels and the scan they belong to."""

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

#: More labels than this make a page that is slow to open. They need an explicit limit.
MOST_LABELS = 200


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a report, the number of labels it shows, and the error of labelling, if any."""

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
    """Make the page of all labels, or of the first ``limit``, with ``size`` mm around each.

    With ``sessions`` on the scan, it also shows the error of labelling.

    LabelError where there are no labels, or where a session is on another scan. UsageError where
    there are too many labels, or labels of several exports. SourceError where the scan is not the
    one that the export was made from.
    """
    export = loaded.only_export("a report")
    assert export.folder is not None  # it is known for a document on a disk or in a store
    found = labels_of(loaded.points)
    if not found:
        raise LabelError("holds no labels, so there is nothing to report", loaded.paths[0])
    if limit is None and len(found) > MOST_LABELS:
        raise UsageError(
            f"there are {len(found)} labels; give --limit N to show the first N of them, or"
            f" --limit {len(found)} to show all"
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
            "is a CSV of map-points, but labels must be files of a label tool; if it is a session,"
            " give it with --session",
            mapped[0].labels.path,
        )
    return repeats_of(sessions)


def _scan(export: Sidecar, source: Place, progress: Progress) -> tuple[Location, Series]:
    """The place of the scan, and its stack.

    SourceError where it is not the scan that the export was made from.
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
