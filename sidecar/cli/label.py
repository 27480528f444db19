"""`sidecar label`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.telling import tell

if TYPE_CHECKING:
    from sidecar.viewer.serving.server import LabelServer

NAME = "label"
HELP = """Open the page of an export in the browser, and save labels.csv beside the PNGs while
landmarks are placed.

The page comes from a small server that nothing but this machine can reach. It stops with Ctrl-C,
or a while after the last tab is closed. For a folder of exports it begins with a list of
specimens, and for the folder that sidecar zoom wrote it is one page with the stacks of all
landmarks."""
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
            metavar="FILE", help="The landmarks to place: one name a line, or a column label."
        ),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser", help="Open the page in the browser.", show_default="browser"
        ),
    ] = True,
    port: Annotated[
        int, typer.Option(metavar="N", help="Port of the server; 0: any.", show_default=False)
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
    tell(f"Stopped. {_summary(server.placed())}.")


def _tell_where(server: LabelServer, browser: bool) -> None:
    from sidecar.viewer.serving.server import is_elsewhere

    tell(f"{_summary(server.placed())}; labels.csv is saved as you work. Ctrl-C stops it.")
    elsewhere = is_elsewhere()
    if elsewhere:
        tell(f"Run this on the machine you sit at:  {server.ssh_line}")
    opened = browser and not elsewhere and _open(server.opening_url)
    tell(f"{'Opened in the browser' if opened else 'Open in a browser'}: {server.url}")


def _summary(placed: dict[str, int]) -> str:
    """``placed``: how many landmarks each export has."""
    count = sum(placed.values())
    landmarks = f"{count} landmark{'' if count == 1 else 's'} in labels.csv"
    if len(placed) == 1:
        return f"{next(iter(placed))}: {landmarks}"
    return f"{len(placed)} specimens: {landmarks}, of {sum(map(bool, placed.values()))} of them"


def _open(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
