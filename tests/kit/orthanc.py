"""The real Orthanc with its DICOMweb plugin, on this machine only."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .needs import installed, missing
from .servers import answer, free_port, started

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_BOUNDARY = "sidecar-5f1b9c"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Orthanc]:
    """A server whose data lie in ``folder``."""
    program = installed("Orthanc")
    if not PLUGIN.is_file():
        missing("VALIDATORS", "Orthanc's DICOMweb plugin is not installed")
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "data"),
        "IndexDirectory": str(folder / "data"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    made = Orthanc(f"http://127.0.0.1:{port}")
    command = [program, str(folder / "orthanc.json")]
    with started(command, folder / "told.txt", lambda: made.get("/system")):
        yield made


class Orthanc:
    """Its two interfaces: REST, and DICOMweb."""

    def __init__(self, url: str) -> None:
        self.url = url

    def store(self, paths: Iterable[Path]) -> dict[str, Any]:
        """STOW-RS (PS3.18 10.5): what it answers, DICOM JSON by tag."""
        head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        parts = b"".join(head + path.read_bytes() + b"\r\n" for path in paths)
        kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
        request = urllib.request.Request(
            f"{self.url}/dicom-web/studies",
            parts + f"--{_BOUNDARY}--".encode(),
            {"Content-Type": kind, "Accept": "application/dicom+json"},
        )
        return dict(json.loads(answer(request)))

    def get(self, path: str) -> bytes:
        return answer(urllib.request.Request(self.url + path))

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))
