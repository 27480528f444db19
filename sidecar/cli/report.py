"""`sidecar report`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.options import (
    AllowOutside,
    FromFormat,
    ImagesPattern,
    LabelPaths,
    Observers,
    PixelOriginName,
    SidecarPaths,
    SliceOriginName,
    TrustNames,
)
from sidecar.cli.source_options import place
from sidecar.cli.telling import tell
from sidecar.errors import counted
from sidecar.storage.location import WritableLocation

NAME = "report"
HELP = """Show every label on its PNG beside the original DICOM pixels it was mapped to, on one HTML
page to look at, mail or print.

LABELS are files of a label tool, or a folder of them, on the PNGs of one export. sidecar reads only
the source slices around the labels. The page loads nothing from elsewhere. It names no patient,
unless text is burned into the images. With --session, a table shows the error of landmarks that
were labelled several times."""
EXAMPLES = """\
sidecar report labels.csv --source scan/ -o report.html
sidecar report labels/ --source scan/ --size 3mm
sidecar report labels.csv --source scan/ --session a.csv --session b.csv"""


def run(
    labels: LabelPaths,
    source: Annotated[
        WritableLocation,
        typer.Option(
            metavar="DICOM",
            help="The scan: a folder, a zip, a file or a DICOMDIR; or its URL.",
            parser=place,
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the page.")
    ] = Path("report.html"),
    size: Annotated[
        str | None,
        typer.Option(
            metavar="MM",
            help="How much to show: 4mm, 250um …. Without it, about 64 source pixels.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Show the first N labels only; needed for more than 200.",
        ),
    ] = None,
    session: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help=(
                "CSV of map-points of one labelling session on the scan, for the error of"
                " labelling. Give it once for each session."
            ),
        ),
    ] = None,
    observer: Observers = None,
    sidecar: SidecarPaths = None,
    from_format: FromFormat = None,
    pixel_origin: PixelOriginName = None,
    slice_origin: SliceOriginName = None,
    images: ImagesPattern = None,
    trust_names: TrustNames = False,
    allow_outside: AllowOutside = False,
) -> None:
    from sidecar.api.writing import write_output
    from sidecar.cli.labels import inputs_of, load_and_tell, read_options
    from sidecar.cli.measure import tell_repeats
    from sidecar.cli.progress import watched
    from sidecar.cli.zoom import length_mm
    from sidecar.errors import UsageError
    from sidecar.labels.load import LoadOptions
    from sidecar.morphometrics.sessions import read_sessions
    from sidecar.reports.report_on import report_on

    if observer and not session:
        raise UsageError("--observer goes only with --session")
    edge_mm = None if size is None else length_mm(size)
    reading = read_options(pixel_origin, slice_origin)
    options = LoadOptions(from_format, reading, images, trust_names, allow_outside)
    loaded = load_and_tell(labels, sidecar or [], options)
    sessions = read_sessions(session, observer or []) if session else []
    with watched(quiet=False) as progress:
        page = report_on(loaded, source, edge_mm, limit, progress, sessions)
    data = page.html.encode("utf-8", "replace")
    write_output(
        output,
        [*inputs_of(loaded, sidecar or []), *(session or [])],
        lambda part: part.write_bytes(data),
    )
    if page.repeats is not None:
        tell_repeats(page.repeats)
    tell(f"{output.name}: {counted(page.labels, 'label')}, {len(data) / 1e6:.1f} MB")
