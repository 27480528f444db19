"""Folders and pages as servers of this machine give them: the page of an export by `sidecar label`,
and plain files, from which a test imports the modules of the page.
"""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from pathlib import Path

import sidecar
from sidecar.viewer.serving.server import LabelServer

from .browser import Browser


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of the page of the export in ``folder``."""
    with sidecar.label(folder) as server:
        yield server.url


def status(browser: Browser) -> str:
    """What a served page says of its labels.csv."""
    return browser.text("#saving")


def saved(browser: Browser) -> None:
    browser.until(lambda: status(browser) == "saved", "labels.csv to be saved")


@contextmanager
def serving(browser: Browser, folder: Path, names: Path | None = None) -> Iterator[LabelServer]:
    """A server, whose page is left before it stops."""
    with sidecar.label(folder, names=names) as server:
        try:
            yield server
        finally:
            leave(browser)


def leave(browser: Browser) -> None:
    browser.forget()
    browser.driver.get("about:blank")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def with_modules(folder: Path) -> Iterator[str]:
    """The URL of an empty page, beside what is in ``folder`` and the modules of the viewer."""
    with as_file(files("sidecar.viewer") / "web") as web:
        shutil.copytree(web, folder, dirs_exist_ok=True)
    icon = '<link rel="icon" href="data:,">'
    (folder / "empty.html").write_text(f"<!doctype html>{icon}<title>empty</title>")
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/empty.html"
    finally:
        server.shutdown()
        server.server_close()
