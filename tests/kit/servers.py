"""Servers of others on this machine, as long as a test needs them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

#: Seconds until one answers for the first time, on a busy machine too.
PATIENCE = 600


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(
    command: list[str],
    told: Path,
    answers: Callable[[], object],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """A program from when ``answers`` raises no OSError any more; what it says goes to the file
    ``told``.
    """
    with told.open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            end = time.monotonic() + PATIENCE
            while not _answered(answers):
                assert server.poll() is None and time.monotonic() < end, told.read_text()[-2000:]
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            server.wait()


def _answered(answers: Callable[[], object]) -> bool:
    try:
        answers()
    except OSError:
        return False
    return True


def answer(request: urllib.request.Request) -> bytes:
    """What a server answers; a refusal is a failure that says what it said."""
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{request.full_url}: {error} {error.read()[:2000]!r}") from None
