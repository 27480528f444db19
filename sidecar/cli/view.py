"""`sidecar view`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidecar.cli.telling import tell

NAME = "view"
HELP = """Write viewer.html beside the PNGs of an export: a page to look at them and place
landmarks, in any browser, without a server.

An export of 8 bits writes this page itself. Browsers cannot show 16 bits in full, so for PNGs of 16
bits the command also writes copies that browsers can show."""
EXAMPLES = """\
sidecar view png/"""


def run(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder of an export.")],
) -> None:
    from sidecar.mapping import Sidecar
    from sidecar.viewer.page import write_viewer

    folder = output if output.is_dir() else output.parent
    page = write_viewer(Sidecar.open(output), folder)
    tell(f"{folder / page.name}: open it in a browser")
