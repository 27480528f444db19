"""`sidecar label`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.telling import tell
from sidecar.errors import counted

if TYPE_CHECKING:
    from sidecar.viewer.serving.label_file import Placed
    from sidecar.viewer.serving.server import LabelServer

NAME = "label"
HELP = """Open the page of an export in the browser, and save labels.csv beside the PNGs while you
place landmarks.

The page comes from a small server that only this machine can reach. The server stops when you press
Ctrl-C, or a while after you close the last tab. For a folder of exports, the first page lists the
specimens. For the folder that sidecar zoom wrote, one page shows the stacks of all landmarks."""
EXAMPLES = """\
sidecar label png/
sidecar label png/ --names landmarks.txt
sidecar label exports/
sidecar label zooms/"""


def run(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder of an export, of several, or of zooms.")
    ],
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=(
                "Landmarks to place: a text file with one name per line, or a CSV with a column"
                " label or name."
            ),
        ),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser", help="Open the page in the browser.", show_default="browser"
        ),
    ] = True,
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Port of the server. Without it, the port of the last time, or any free port.",
            show_default=False,
        ),
    ] = 0,
) -> None:
    from sidecar.viewer.serving.server import serve

    with serve(folder, names, port) as server:
        try:
            _tell_where(server, browser)
            server.wait()
            tell("The last tab is closed.")
        except KeyboardInterrupt:
            pass
    tell(f"Stopped. {_summary(server.held())}.")


def _tell_where(server: LabelServer, browser: bool) -> None:
    from sidecar.viewer.serving.server import is_elsewhere

    tell(f"{_summary(server.held())}; it is saved as you work. Ctrl-C stops the server.")
    elsewhere = is_elsewhere()
    opened = browser and not elsewhere and _open(server.opening_url)
    tell(f"{'Opened in the browser' if opened else 'Open in a browser'}: {server.url}")
    if elsewhere:
        tell(
            "If your browser is on another machine, first run this on that machine:"
            f"  {server.ssh_line}"
        )


def _summary(placed: dict[str, Placed]) -> str:
    """``placed``: what the labels.csv of each export holds."""
    landmarks = counted(sum(len(one.landmarks) for one in placed.values()), "landmark")
    curves = sum(len(one.curves) for one in placed.values())
    also = f" and {counted(curves, 'curve')}" if curves else ""
    held = f"{landmarks}{also} in labels.csv"
    if len(placed) == 1:
        return f"{next(iter(placed))}: {held}"
    begun = sum(one.count() > 0 for one in placed.values())
    return f"{len(placed)} specimens, {begun} of them with labels: {held}"


def _open(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
