"""The real Label Studio: its own server on this machine, with SQLite and nothing to the outside."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .environments import python_of
from .servers import answer, free_port, started

#: Of the one user that there is.
EMAIL, PASSWORD, TOKEN = (
    "somebody@example.org",
    "not-a-secret-1",
    "0123456789abcdef" * 2 + "01234567",
)
_BOUNDARY = "sidecar-5f1b9c"
#: Nothing is looked for elsewhere, and nothing is told to anybody.
SETTINGS = {
    "DJANGO_DB": "sqlite",
    "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
}


@contextlib.contextmanager
def running(folder: Path, files: Path) -> Iterator[LabelStudio]:
    """A server whose data lie in ``folder``, and which shows the files in ``files``."""
    program = python_of("label-studio").with_name("label-studio")
    port = free_port()
    command = [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1"]
    command += ["--port", str(port), "--username", EMAIL, "--password", PASSWORD]
    environment = {**os.environ, **SETTINGS, "LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
    environment["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] = str(files)
    environment.pop("PYTHONPATH", None)
    command += ["--user-token", TOKEN]
    made = LabelStudio(f"http://127.0.0.1:{port}")
    with started(command, folder / "told.txt", lambda: made.get("/health"), environment):
        yield made


class LabelStudio:
    """Its API, for one project after the other."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: object) -> bytes:
        return self._ask(f"{path}?{urllib.parse.urlencode(query)}" if query else path, None)

    def post(self, path: str, content: object) -> Any:
        return json.loads(self._ask(path, json.dumps(content).encode()))

    def project(self, setup: str, folder: Path, tasks: object) -> Project:
        """A project with a labelling set-up, the files of a folder, and tasks."""
        id_ = self.post("/api/projects/", {"title": folder.name, "label_config": setup})["id"]
        self.post("/api/storages/localfiles", {"project": id_, "path": str(folder)})
        self.post(f"/api/projects/{id_}/import", tasks)
        return self._made(id_)

    def uploaded(self, setup: str, images: Iterable[Path]) -> Project:
        """A project with a labelling set-up, into which images were uploaded."""
        id_ = self.post("/api/projects/", {"title": "uploaded", "label_config": setup})["id"]
        for path in images:
            head = f'Content-Disposition: form-data; name="file"; filename="{path.name}"'
            body = f"--{_BOUNDARY}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode()
            body += path.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()
            kind = f"multipart/form-data; boundary={_BOUNDARY}"
            self._ask(f"/api/projects/{id_}/import", body, kind)
        return self._made(id_)

    def _made(self, id_: int) -> Project:
        listed = json.loads(self.get("/api/tasks", project=id_, fields="all", page_size=1000))
        return Project(self, id_, listed["tasks"])

    def _ask(self, path: str, body: bytes | None, kind: str = "application/json") -> bytes:
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": kind}
        return answer(urllib.request.Request(self.url + path, body, headers))


class Project:
    """One project of the server; ``tasks`` in the order in which they were imported."""

    def __init__(self, server: LabelStudio, id_: int, tasks: list[dict[str, Any]]) -> None:
        self.server, self.id = server, id_
        self.tasks = sorted(tasks, key=lambda task: task["id"])

    def annotate(self, task: int, results: list[dict[str, Any]]) -> None:
        """As the labelling page saves it."""
        path = f"/api/tasks/{self.tasks[task]['id']}/annotations/"
        self.server.post(path, {"result": results})

    def export(self, format_: str, **query: object) -> bytes:
        """What its dialog *Export* hands out."""
        query = {"exportType": format_, "download_all_tasks": "false", **query}
        return self.server.get(f"/api/projects/{self.id}/export", **query)

    def formats(self) -> list[str]:
        """Those that it offers for the labelling set-up."""
        listed = json.loads(self.server.get(f"/api/projects/{self.id}/export/formats"))
        return [one["name"] for one in listed if not one.get("disabled")]
