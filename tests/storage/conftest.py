"""Storages for a test: one in memory, and a bucket of a real S3 server."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kit.stores import SECRET, Counted, Store

from sidecar.storage import lease


@pytest.fixture
def memory() -> Store:
    for module in ("fsspec", "upath"):
        pytest.importorskip(module, reason="the extra cloud is not installed")
    return Store(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are renewed, watched and given up as ever, but twenty times as fast."""
    for name in ("RENEWAL", "LOOK", "PATIENCE", "SETTLING"):
        monkeypatch.setattr(lease, name, getattr(lease, name) / 20)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Counted]]:
    for module in ("s3fs", "moto", "flask", "flask_cors"):
        pytest.importorskip(module, reason="no S3 server to test against")
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            pass

    counted = Counted(DomainDispatcherApplication(create_backend_app))
    running = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", counted
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def s3(server: tuple[str, Counted], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A bucket of its own, and credentials by the environment as users have them."""
    from s3fs import S3FileSystem

    address, counted = server
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    bucket = f"bucket-{uuid.uuid4().hex}"
    S3FileSystem().mkdir(bucket)
    counted.clear()
    yield Store(f"s3://{bucket}")
    S3FileSystem.clear_instance_cache()
