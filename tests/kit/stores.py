"""Storages behind URLs as their users have them, and what may happen to them during an export.

`Store` puts and reads whole files under a URL without the package under test; `Counted` counts what
a real S3 server sends and is sent. `meanwhile` does something while an export is at work.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from sidecar.exporting.images.make_png import render
from sidecar.exporting.output_folder import LOCK

SECRET = "wJalrXUtnFEMI"


class Store:
    """A storage as its users have it, without the package under test: whole files under a URL."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url
        self.fs, self.base = fsspec.url_to_fs(url)

    def put(self, local: Path, name: str) -> str:
        """Upload a folder; its URL."""
        for path in local.rglob("*"):
            if path.is_file():
                self.fs.pipe_file(
                    f"{self.base}/{name}/{path.relative_to(local).as_posix()}", path.read_bytes()
                )
        return f"{self.url}/{name}"

    def contents(self, name: str) -> dict[str, bytes]:
        self.fs.invalidate_cache()
        found = self.fs.find(f"{self.base}/{name}")
        return {path.rpartition("/")[2]: self.fs.cat_file(path) for path in found}


def lease_in(store: Store, name: str) -> str:
    return f"{store.base}/{name}/{LOCK}"


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """``act`` while the first PNG of an export is made."""
    met = threading.Event()

    def acting(recipe: Any, task: Any) -> Any:
        if not met.is_set():
            met.set()
            act()
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", acting)


class Counted:
    """A WSGI application that counts what it sends and is sent: bytes of objects by key, and
    PUTs.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app, self.lock = app, threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.sent: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.puts: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = b"".join(self.app(environ, start_response))
        key, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        with self.lock:
            if method == "PUT":
                self.puts[key.rpartition("/")[2]] += 1
            elif method == "GET" and key.count("/") > 1:
                self.sent[key] += len(body)
                self.requests[key] += 1
        return [body]
