"""`sidecar report`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import (
    AllowOutside,
    FromFormat,
    ImagesPattern,
    LabelPaths,
    PixelOriginName,
    SidecarPaths,
    SliceOriginName,
    TrustNames,
)
from sidecar.cli.telling import tell

if TYPE_CHECKING:
    from sidecar.dicom.series import Series
    from sidecar.mapping import Sidecar
    from sidecar.progress import Progress
    from sidecar.storage.location import Location

NAME = "report"
HELP = """Show every label on its PNG beside the original DICOM pixels it was mapped to, on one HTML
page to look at, mail or print.

LABELS are files of a label tool, or a folder of them, on the PNGs of one export. Only the source
slices around labels are read. The page loads nothing, and names no patient unless text is burned
into the images."""
EXAMPLES = (
    "Example: sidecar report labels.csv --source scan/ -o report.html     Example: sidecar report"
    " labels/ --source scan/ --size 3mm"
)

#: More labels than this make a page that is a burden to open; --limit says how many all the same.
MOST_LABELS = 200


def run(
    labels: LabelPaths,
    source: Annotated[
        Path, typer.Option(metavar="DICOM", help="The scan: a folder, a zip, a file or a DICOMDIR.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the page.")
    ] = Path("report.html"),
    size: Annotated[
        str | None,
        typer.Option(
            metavar="MM",
            help="How much is shown: 4mm, 250um …; about 64 source pixels without it.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help=f"Show the first N labels only; needed for more than {MOST_LABELS}.",
        ),
    ] = None,
    sidecar: SidecarPaths = None,
    from_format: FromFormat = None,
    pixel_origin: PixelOriginName = None,
    slice_origin: SliceOriginName = None,
    images: ImagesPattern = None,
    trust_names: TrustNames = False,
    allow_outside: AllowOutside = False,
) -> None:
    from sidecar.cli.labels import inputs_of, load_and_tell, read_options
    from sidecar.cli.progress import watched
    from sidecar.cli.writing import write_output
    from sidecar.cli.zoom import length_mm
    from sidecar.errors import LabelError, UsageError
    from sidecar.labels.load import LoadOptions
    from sidecar.reports import Request, make_report, render
    from sidecar.reports.labels import labels_of
    from sidecar.reports.make import usual_size
    from sidecar.reports.space import Space

    reading = read_options(pixel_origin, slice_origin)
    options = LoadOptions(from_format, reading, images, trust_names, allow_outside)
    loaded = load_and_tell(labels, sidecar or [], options)
    chosen = loaded.only_export("a report")
    export = chosen.sidecar
    assert chosen.folder is not None  # of a document on a disk or in a store
    found = labels_of(loaded.points)
    if not found:
        raise LabelError("there are no labels in it to report on", loaded.paths[0])
    if limit is None and len(found) > MOST_LABELS:
        raise UsageError(
            f"there are {len(found)} labels; --limit N shows the first N of them, --limit"
            f" {len(found)} all"
        )
    with watched(quiet=False) as progress:
        root, series = _scan(export, source, progress)
        request = Request(
            sidecar=export,
            specimen=chosen.name,
            folder=chosen.folder,
            labels=found[:limit],
            root=root,
            series=series,
            size=usual_size(Space.of(export)) if size is None else length_mm(size),
        )
        page = render(make_report(request, progress), len(found)).encode("utf-8", "replace")
    write_output(output, inputs_of(loaded, sidecar or []), lambda part: part.write_bytes(page))
    tell(f"{output.name}: {len(request.labels)} labels, {len(page) / 1e6:.1f} MB")


def _scan(export: Sidecar, source: Path, progress: Progress) -> tuple[Location, Series]:
    """Where the scan is, and its stack.

    SourceError where it is not the one that the export was made of.
    """
    from sidecar.checks.source import check_headers
    from sidecar.dicom.same_scan import ScanMatch
    from sidecar.dicom.source import Source
    from sidecar.errors import SourceError

    opened = Source.open(source, progress)
    series = opened.matching(export.known_scan)
    findings = check_headers(export, ScanMatch(series, None))  # values and identifiers, too
    wrong = [finding.detail for finding in findings if finding.passed is False]
    if wrong:
        raise SourceError(
            f"{opened.name} is not as it was when the sidecar was written: {wrong[0]}; give the"
            " scan as it was then, or export it again as it is now"
        )
    return opened.root, series
