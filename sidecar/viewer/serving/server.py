"""The server itself: sockets, threads, and how it ends."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sidecar.document.model import SIDECAR_NAME
from sidecar.document.zoom_list import ZOOMS_NAME
from sidecar.errors import UsageError, reason
from sidecar.labels.prepare.names import read_names
from sidecar.storage.locate import is_url
from sidecar.storage.whole_file import whole_file
from sidecar.viewer.names import PORT_NAME
from sidecar.viewer.serving.answers import Answer, Answers
from sidecar.viewer.serving.desk import Desk
from sidecar.viewer.serving.desks import desks_in
from sidecar.viewer.serving.gate import Gate
from sidecar.viewer.serving.label_file import LARGEST, Placed, hidden_folder
from sidecar.viewer.serving.tabs import Patience, Tabs

_HOME = "127.0.0.1"
#: Bytes of what a page sends: its labels, in which JSON may escape every character.
_LARGEST_BODY = 2 * LARGEST
#: Seconds for which a connection may be silent.
_SILENCE = 30
#: Seconds for which what is being answered is waited for in the end.
_ENDING = 5
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: A page has a policy of its own; nothing else is to be a page.
_POLICY = {
    True: "frame-ancestors 'none'",
    False: "default-src 'none'; frame-ancestors 'none'; sandbox",
}


class LabelServer:
    """A running server for labelling, on this machine alone.

    ``url`` is the address of the page. It holds a secret of this run: who has it, and can reach
    this machine's loopback address, can read the PNGs and change the labels. Leaving a ``with``
    statement, or `close`, stops the server; `wait` returns when it stops by itself.
    """

    def __init__(
        self, folder: Path, desks: list[Desk], port: int = 0, patience: Patience | None = None
    ) -> None:
        self._folder, self._tabs = folder, Tabs(patience or Patience())
        self._sockets = _listen(folder, port)
        self.port = int(self._sockets.server_address[1])
        gate = Gate(self.port)
        self._answers = Answers(gate, desks, self._tabs)
        self._sockets.answers, self._sockets.gate = self._answers, gate
        self.url = f"http://{_HOME}:{self.port}/{gate.token}/"
        self._thread = threading.Thread(
            target=self._sockets.serve_forever, args=(0.1,), name="label server", daemon=True
        )
        self._thread.start()

    def __repr__(self) -> str:
        return f"<LabelServer at port {self.port}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def opening_url(self) -> str:
        """An address that leads to the page once: what a browser may be started with, where others
        see how programs were started.
        """
        return f"http://{_HOME}:{self.port}{self._answers.ticket()}"

    @property
    def ssh_line(self) -> str:
        """What makes this server reachable from another machine, at the same port there."""
        try:
            user = f"{getpass.getuser()}@"
        except (OSError, KeyError, ImportError):
            user = ""
        return f"ssh -L {self.port}:{_HOME}:{self.port} {user}{socket.gethostname()}"

    def placed(self) -> dict[str, int]:
        """How many landmarks and curves are in the labels.csv of each page, by the name of its
        folder.
        """
        return {name: held.count() for name, held in self.held().items()}

    def held(self) -> dict[str, Placed]:
        """The same, with their names."""
        return {desk.name: desk.placed() for desk in self._answers.desks}

    def wait(self) -> None:
        """Return a while after the last tab is gone."""
        while self._thread.is_alive():
            time.sleep(1)
            if self._tabs.tick():
                self.close()

    def close(self) -> None:
        """Stop; what is being saved is saved first."""
        self._sockets.shutdown()
        self._sockets.server_close()
        self._sockets.end_connections()
        self._thread.join()
        for desk in self._answers.desks:
            desk.labels.close()


def serve(
    folder: str | os.PathLike[str], names: str | os.PathLike[str] | None = None, port: int = 0
) -> LabelServer:
    """Start a server for the export in ``folder``, for the stacks around landmarks there, or for
    those in the folders in it, with the names of landmarks that the file ``names`` holds. All is as
    in `sidecar.label`.
    """
    if is_url(folder):
        raise UsageError("labels are saved into a folder on this machine; copy the export into one")
    listed = () if names is None else read_names(Path(names))
    place = Path(folder)
    if place.name in (SIDECAR_NAME, ZOOMS_NAME):
        place = place.parent
    if place.is_file():
        raise UsageError(
            f"{place.name} is a file; name the folder of the export. Choose a file of labels with"
            " Open in the page"
        )
    return LabelServer(place, desks_in(place, listed), port)


def is_elsewhere(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> bool:
    """Whether the user's browser is likely to be on another machine: by ssh, or without a
    display.
    """
    if "SSH_CONNECTION" in environment:
        return True
    has_display = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return system.startswith(("linux", "freebsd")) and not has_display


class _Sockets(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows two programs would share the port
    gate: Gate
    answers: Answers

    def __init__(self, address: tuple[str, int]) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Nothing more is heard from browsers, which keep connections; what is being answered is
        answered, for `_ENDING` seconds.
        """
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._open, _ENDING)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away is no fault; what is one is told as one."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _listen(folder: Path, port: int) -> _Sockets:
    """Listen at ``port``, or, for 0, where this folder was served the last time.

    A browser keeps what was not saved by the port, and finds it at the same one only. Where that is
    taken, or there was none, the system chooses one.
    """
    if port:
        try:
            return _Sockets((_HOME, port))
        except (OSError, OverflowError) as error:
            why = reason(error) if isinstance(error, OSError) else "there is no such port"
            raise UsageError(f"--port {port} cannot be used: {why}") from None
    remembered = hidden_folder(folder) / PORT_NAME
    before = _port_in(remembered)
    if before is not None:
        with contextlib.suppress(OSError):
            return _Sockets((_HOME, before))
    sockets = _Sockets((_HOME, 0))
    if before is None:
        remembered.unlink(missing_ok=True)
        with whole_file(remembered) as part:
            part.write_text(f"{sockets.server_address[1]}\n", encoding="ascii")
    return sockets


def _port_in(path: Path) -> int | None:
    """The port that a file holds; None where it holds none."""
    try:
        if path.is_symlink():
            return None
        with path.open("rb") as file:
            port = int(file.read(8))
    except (OSError, ValueError):
        return None
    return port if 1024 <= port < 65536 else None


class _Handler(BaseHTTPRequestHandler):
    server: _Sockets
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE
    server_version, sys_version = "sidecar", ""

    def do_GET(self) -> None:
        why = self.server.gate.refusal("GET", self.headers)
        self._send(Answer.refused(403, why) if why else self.server.answers.get(self.path))

    def do_POST(self) -> None:
        why = self.server.gate.refusal("POST", self.headers)
        body = None if why else self._body()
        if why or body is None:
            self.close_connection = True
            self._send(
                Answer.error(403 if why else 413, why or "the request does not state its size")
            )
        else:
            self._send(self.server.answers.post(self.path, body))

    def _body(self) -> bytes | None:
        """What was sent; None where it is too large, does not say how large it is, or is no JSON,
        which another site's page could send without being asked first.
        """
        length = self.headers.get("Content-Length", "")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not length.isdecimal() or not length.isascii() or "Transfer-Encoding" in self.headers:
            return None
        if len(length) > 9 or int(length) > _LARGEST_BODY or kind != "application/json":
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _send(self, answer: Answer) -> None:
        body = answer.body
        size = len(body) if isinstance(body, bytes) else body[1]
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Security-Policy", _POLICY[answer.kind.startswith("text/html")])
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if answer.location is not None:
            self.send_header("Location", answer.location)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if isinstance(body, bytes):
            self.wfile.write(body)
        else:
            with body[0] as file:
                shutil.copyfileobj(file, self.wfile)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told: addresses hold the token."""
