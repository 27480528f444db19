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
    """Serve the page of an export on this machine, or that of all stacks that `sidecar.zoom` made,
    which saves labels.csv in that folder while landmarks are placed. The server runs until it is
    closed, as by the end of a ``with``.

    Args:
        folder: the folder of an export, that of all zooms, or a folder of such folders.
        names: a file with the landmarks to place: one name a line, or a table with a column label.
            Zooms have their names already.
        port: where to listen; 0 for the port of the last time, or any.

    Returns:
        The running server: `url` is the address of the page, `wait` returns a while after the last
        tab is closed.

    Raises:
        DocumentError: there is no export, or its sidecar.json or zooms.json cannot be read.
        LabelError: a labels.csv that is there is of another export, or ``names`` holds none.
        BatchError: several of these, in a folder of exports.
        OutputError: nothing can be written to the folder.
        UsageError: ``folder`` is a URL, ``port`` cannot be used, or ``names`` are given for zooms.

    Examples:
        >>> with sidecar.label("png") as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """
    from sidecar.viewer.serving.server import serve

    return serve(folder, names, port)
