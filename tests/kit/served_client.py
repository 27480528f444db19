"""Asks the server of `sidecar label` by HTTP, without a browser."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple

from sidecar.viewer.serving.server import LabelServer


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks a server as its page would, but for what a test says otherwise."""

    def __init__(self, server: LabelServer) -> None:
        self.port = server.port
        self.home = server.url.split(str(server.port))[1]

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> Reply:
        """``headers``: their names with "_" for "-"; None for one that is left out."""
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if method == "POST":
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
            sent["Content-Length"] = str(len(body or b""))
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str | None) -> Reply:
        return self.ask("GET", self.home + path, None, **headers)

    def post(self, path: str, said: object, **headers: str | None) -> Reply:
        return self.ask("POST", self.home + path, json.dumps(said).encode(), **headers)

    def save(self, text: str, revision: str) -> Reply:
        return self.post("1/api/labels", {"text": text, "revision": revision})

    def revision(self) -> str:
        return str(self.post("1/api/labels", {}).said["revision"])
