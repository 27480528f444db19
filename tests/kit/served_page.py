"""A page as a server gives it, from a plain server on loopback: what `sidecar label` serves is
tried in its own tests.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sidecar.mapping import Sidecar
from sidecar.storage.locate import locate
from sidecar.viewer.display import display_of
from sidecar.viewer.page import render

PAGE = "served.html"
TOLD = {"folders": ["", "png"], "names": [], "labels": {"revision": 0, "text": ""}, "around": None}


class _Quiet(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(sidecar: Sidecar, folder: Path) -> Iterator[str]:
    """Serve the PNGs of ``folder`` with a page, and give the URL of the page."""
    html = render(sidecar.document, display_of(sidecar.document, locate(folder)), TOLD)
    (folder / PAGE).write_text(html, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{PAGE}"
    finally:
        server.shutdown()
        server.server_close()
