"""Labelling in the browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sidecar.api.spelling import in_python

if TYPE_CHECKING:
    from sidecar.viewer.serving.server import LabelServer


@in_python
def label(
    folder: str | os.PathLike[str],
    *,
    names: str | os.PathLike[str] | None = None,
    port: int = 0,
) -> LabelServer:
    """Serve the page of an export on this machine, or the page of all stacks that `sidecar.zoom`
    made. The page saves labels.csv in that folder while the user places landmarks.

    The server runs until it is closed. The end of a ``with`` block closes it.

    Args:
        folder: the folder of an export, the folder of all zooms, or a folder of such folders.
        names: a file with the landmarks to place: one name per line, or a CSV with a column label
            or name. Zooms have their names already.
        port: the port of the server. 0 takes the port of the last time, or any free port.

    Returns:
        The running server. `url` is the address of the page. `wait` returns a while after the last
        tab is closed.

    Raises:
        DocumentError: there is no export, or its sidecar.json or zooms.json cannot be read.
        LabelError: a labels.csv in the folder belongs to another export, or ``names`` holds no
            name.
        BatchError: several of these errors, in a folder of exports.
        OutputError: the folder cannot be written to.
        UsageError: ``folder`` is a URL or a file, ``port`` cannot be used, or ``names`` are given
            for zooms.

    Examples:
        >>> with sidecar.label("png") as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """
    from sidecar.viewer.serving.server import serve

    return serve(folder, names, port)
