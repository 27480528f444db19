"""`sidecar report`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    labels: Annotated[
        list[Path], typer.Argument(metavar="LABELS...", help="Label files, or folders of them.")
    ],
    source: Annotated[
        Path, typer.Option(metavar="DICOM", help="The scan: a folder, a file or a DICOMDIR.")
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
    sidecar: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="sidecar.json or its folder, where it is not beside the labels or their images.",
        ),
    ] = None,
    from_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="Label format, instead of recognising it."),
    ] = None,
    pixel_origin: Annotated[
        str | None,
        typer.Option(
            metavar="center|corner",
            help="Where the labels' (0, 0) is: the first pixel's middle or outer corner.",
        ),
    ] = None,
    slice_origin: Annotated[
        str | None,
        typer.Option(
            metavar="0|1",
            help="What a table of slice numbers calls the first PNG, where it does not tell.",
        ),
    ] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Show labels beyond the edges of the PNGs too.")
    ] = False,
) -> None:
    from sidecar.cli.progress import watched
    from sidecar.cli.writing import choice, slice_origin_of, write_output
    from sidecar.cli.zoom import length_mm
    from sidecar.errors import LabelError, UsageError
    from sidecar.labels.map import find_sidecar, label_files, map_file
    from sidecar.labels.model import PixelOrigin
    from sidecar.mapping import Sidecar
    from sidecar.reports import Request, make_report, render
    from sidecar.reports.labels import labels_of
    from sidecar.reports.make import usual_size
    from sidecar.reports.space import Space
    from sidecar.storage.local import Local

    origin: PixelOrigin | None = choice("--pixel-origin", pixel_origin, ("center", "corner"))
    first_slice = slice_origin_of(slice_origin)
    files = label_files(labels)
    place = sidecar or _one({find_sidecar(path, from_format).resolve() for path in files})
    export = Sidecar.open(place)
    mappings = [
        map_file(
            path,
            export,
            format=from_format,
            pixel_origin=origin,
            slice_origin=first_slice,
            allow_outside=allow_outside,
        )
        for path in files
    ]
    found = labels_of([mapping.points for mapping in mappings])
    if not found:
        raise LabelError("there are no labels in it to report on", files[0])
    if limit is None and len(found) > MOST_LABELS:
        raise UsageError(
            f"there are {len(found)} labels; --limit N shows the first N of them, --limit"
            f" {len(found)} all"
        )
    with watched(quiet=False) as progress:
        root, series = _scan(export, source, progress)
        request = Request(
            sidecar=export,
            folder=Local.at(place if place.is_dir() else place.parent),
            labels=found[:limit],
            root=root,
            series=series,
            size=usual_size(Space.of(export)) if size is None else length_mm(size),
        )
        page = render(make_report(request, progress), len(found)).encode("utf-8", "replace")
    write_output(output, [*files, place], lambda part: part.write_bytes(page))
    for path, mapping in zip(files, mappings, strict=True):
        read = mapping.labels
        typer.echo(
            f"{path.name}: {len(read)} × {', '.join(read.shapes)} by {read.tool}, pixel origin"
            f" {read.pixel_origin}",
            err=True,
        )
        for note in dict.fromkeys(mapping.notes):
            typer.echo(f"  note: {note}", err=True)
    typer.echo(f"{output.name}: {len(request.labels)} labels, {len(page) / 1e6:.1f} MB", err=True)


def _one(places: set[Path]) -> Path:
    """The only export that labels lie beside."""
    from sidecar.errors import UsageError

    if len(places) > 1:
        raise UsageError(
            "the labels lie beside more than one sidecar.json; a report is of one export: give the"
            " labels of each on their own"
        )
    return places.pop()


def _scan(export: Sidecar, source: Path, progress: Progress) -> tuple[Location, Series]:
    """Where the scan is, and its stack.

    SourceError where it is not the one that the export was made of.
    """
    from sidecar.checks.source import check_headers
    from sidecar.dicom.same_scan import Match
    from sidecar.dicom.source import Source
    from sidecar.errors import SourceError

    opened = Source.open(source, progress)
    series = opened.matching(export.known_scan)
    findings = check_headers(export, Match(series, None))  # values and identifiers, too
    wrong = [finding.detail for finding in findings if finding.passed is False]
    if wrong:
        raise SourceError(
            f"{opened.name} is not as it was when the sidecar was written: {wrong[0]}; give the"
            " scan as it was then, or export it again as it is now"
        )
    return opened.root, series
