"""A zip behind a URL is read by ranges: in an object store, and on a plain web server that knows
them. A server that sends whole files only is let send a zip, which is told, and nothing else.
"""

from __future__ import annotations

import gc
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.folders import contents
from kit.phantoms import Spec, write
from kit.stores import Counted, Store
from kit.zips import DEFLATED, STORED, zipped
from PIL import Image
from pydicom.uid import RLELossless

import sidecar


@pytest.mark.parametrize("method", [STORED, DEFLATED], ids=["stored", "deflated"])
def test_in_an_object_store(method: int, memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    memory.fs.pipe_file(f"{memory.base}/a/scan.zip", zipped(tmp_path / "scan", method).read_bytes())
    for options in ({"scale": 0.5}, {"z_step": 2, "plane": "coronal"}):
        for source, output in (
            (tmp_path / "scan", "here"),
            (f"{memory.url}/a/scan.zip", "there"),
        ):
            sidecar.export(source, tmp_path / output, overwrite=True, **options)
        assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.slow
@pytest.mark.parametrize("method", [STORED, DEFLATED], ids=["stored", "deflated"])
def test_no_more_is_fetched_than_of_a_folder(
    method: int, s3: Store, server: tuple[str, Counted], tmp_path: Path
) -> None:
    """Of the archive its directory, and where each member begins comes with its header."""
    write(Spec(slices=20, junk=False), tmp_path / "scan")
    folder = s3.put(tmp_path / "scan", "scan")
    s3.fs.pipe_file(f"{s3.base}/a/scan.zip", zipped(tmp_path / "scan", method).read_bytes())
    counted, fetched = server[1], []
    for source in (folder, f"{s3.url}/a/scan.zip"):
        counted.clear()
        sidecar.export(source, tmp_path / f"png of {source.rpartition('/')[2]}", scale=0.5)
        fetched.append((sum(counted.requests.values()), sum(counted.sent.values())))
    (requests, size), (requests_zip, size_zip) = fetched
    assert requests_zip <= requests + 4 and size_zip < 1.1 * size


class Web:
    """A web server that has one file: with or without ranges, and telling its size or not."""

    def __init__(self) -> None:
        self.data, self.sent = b"", 0
        self.knows_ranges, self.tells_size, self.type = True, True, "application/zip"
        self.status, self.sends_too_much, self.ending = 200, False, "/scan.zip"
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET(head=True)

            def do_GET(self, head: bool = False) -> None:
                if not self.path.partition("?")[0].endswith(web.ending):
                    self.send_error(404)
                    return
                web.answer(self, head)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Of connections that a client ends as it likes; else it is printed."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/downloads/scan.zip"

    def answer(self, to: BaseHTTPRequestHandler, head: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", to.headers.get("Range", ""))
        data, status = self.data, self.status
        if asked and self.knows_ranges:
            data, status = self.data[int(asked[1]) : int(asked[2]) + 1], 206
        if asked and self.sends_too_much:
            data, status = self.data, 206
        to.send_response(status)
        if self.type:
            to.send_header("Content-Type", self.type)
        if asked and status == 206:
            to.send_header("Content-Range", f"bytes {asked[1]}-{asked[2]}/{len(self.data)}")
        if self.tells_size:
            to.send_header("Content-Length", str(len(data)))
        else:
            to.send_header("Connection", "close")
        to.end_headers()
        if head:
            return
        try:
            for at in range(0, len(data), 1 << 16):
                to.wfile.write(data[at : at + (1 << 16)])
                self.sent += len(data[at : at + (1 << 16)])
        except OSError:  # nobody listens any more
            to.close_connection = True


@pytest.fixture
def web() -> Iterator[Web]:
    for module in ("aiohttp", "upath"):
        pytest.importorskip(module, reason="the extra cloud is not installed")
    served = Web()
    thread = threading.Thread(target=served.server.serve_forever)
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("method", [STORED, DEFLATED], ids=["stored", "deflated"])
def test_on_a_web_server(method: int, web: Web, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    web.data = zipped(tmp_path / "scan", method).read_bytes()
    sidecar.export(tmp_path / "scan", tmp_path / "here", scale=0.5)
    sidecar.export(web.url, tmp_path / "there", scale=0.5)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.slow
def test_an_address_with_a_key_is_read_and_the_key_not_told(
    web: Web, tmp_path: Path, run: CommandLine
) -> None:
    write(Spec(), tmp_path / "scan")
    web.data = zipped(tmp_path / "scan").read_bytes()
    assert "9 slices" in run.done("inspect", f"{web.url}?signature=s3cr3t").out
    web.data = web.data[:-100]
    told = run.refuses("inspect", f"{web.url}?signature=s3cr3t", says="scan.zip: it begins as")
    assert "s3cr3t" not in told


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("scan.zip?key=s3/cr3t", "scan.zip"),
        ("scan.zip?file=/a/b&key=s3cr3t", "scan.zip"),
        ("scan.zip/?key=s3cr3t", "scan.zip"),
        ("scan.zip#s3/cr3t", "scan.zip"),
        ("archive?key=s3cr3t/", "archive"),
    ],
)
def test_the_name_of_a_web_address_holds_nothing_of_its_query(address: str, name: str) -> None:
    pytest.importorskip("upath", reason="the extra cloud is not installed")
    from sidecar.storage.object_store import Remote

    assert Remote.at(f"http://user:s3cr3t@127.0.0.1/a/{address}").name == name
    assert Remote.at("http://user:s3cr3t@127.0.0.1?key=s3/cr3t").name == "127.0.0.1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "refuses access (HTTP 401)"), (403, "(HTTP 403)"), (503, "fault of its own (HTTP 503)")],
)
def test_a_server_that_refuses_says_so(status: int, says: str, web: Web, run: CommandLine) -> None:
    web.data, web.status, web.knows_ranges = b"PK\x03\x04 secret", status, False
    told = run.refuses("inspect", f"{web.url}?key=s3cr3t", says=says)
    assert "secret" not in told and "s3cr3t" not in told


def test_a_host_that_is_not_found_is_told() -> None:
    pytest.importorskip("upath", reason="the extra cloud is not installed")
    from sidecar.storage.object_store import plain_errors

    with pytest.raises(OSError, match="no server of this name"), plain_errors():
        raise socket.gaierror(socket.EAI_NONAME, "http://host?key=s3cr3t")


@pytest.mark.slow
def test_one_image_whose_address_has_a_query_is_refused_with_the_way_out(
    web: Web, tmp_path: Path, run: CommandLine
) -> None:
    web.data = write(Spec(slices=1), tmp_path / "scan").files()[0].read_bytes()
    run.refuses("inspect", f"{web.url}?key=s3cr3t", says=("address has a query", "download"))


@pytest.mark.slow
def test_commands_that_read_the_scan_again_take_its_address(
    web: Web, tmp_path: Path, run: CommandLine
) -> None:
    """Each copies the archive once."""
    write(Spec(), tmp_path / "scan")
    web.data, web.knows_ranges, web.tells_size = zipped(tmp_path / "scan").read_bytes(), False, True
    address, png = f"{web.url}?key=s3cr3t", tmp_path / "png"
    sidecar.export(tmp_path / "scan", png, scale=0.5)
    (tmp_path / "labels.csv").write_text(f"image,x,y\n{min(png.glob('*.png')).name},3,4\n")
    labels = (tmp_path / "labels.csv", "--sidecar", png)
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in png.glob("*.png"):
        with Image.open(path) as image:
            Image.fromarray(np.eye(*image.size[::-1], dtype=np.uint8)).save(masks / path.name)
    for command in (
        ("check", png, "--source", address),
        ("report", *labels, "--source", address, "-o", tmp_path / "report.html"),
        ("map-points", *labels, "--to", "dicom-sr", "--dicom", address, "-o", tmp_path / "a.dcm"),
        ("map-mask", masks, "--sidecar", png, "--dicom", address, "-o", tmp_path / "b.dcm"),
    ):
        web.sent = 0
        done = run.done(*command)
        assert "s3cr3t" not in done.out + done.err
        assert len(web.data) <= web.sent < 3 * len(web.data)  # once, and to see that it is so
    report = (tmp_path / "report.html").read_text()
    assert "s3cr3t" not in report


WHOLE_ONLY = pytest.mark.parametrize(
    ("knows_ranges", "tells_size"), [(False, True), (True, False), (False, False)]
)


@pytest.mark.slow
@WHOLE_ONLY
def test_a_zip_that_is_sent_as_a_whole_is_copied_and_that_is_told(
    knows_ranges: bool,
    tells_size: bool,
    web: Web,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    write(Spec(), tmp_path / "scan")
    web.data = zipped(tmp_path / "scan").read_bytes()
    web.knows_ranges, web.tells_size = knows_ranges, tells_size
    here = sidecar.export(tmp_path / "scan", tmp_path / "here", scale=0.5)
    there = sidecar.export(f"{web.url}?key=s3cr3t", tmp_path / "there", scale=0.5)
    (told,) = set(there.document.warnings) - set(here.document.warnings)
    assert told.startswith("scan.zip was copied") and f"({len(web.data):,} bytes)" in told
    assert "s3cr3t" not in (tmp_path / "there" / "sidecar.json").read_text()
    assert there.document.source == here.document.source
    assert there.document.images == here.document.images
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("spec", [Spec(transfer_syntax=RLELossless), Spec(layout="enhanced")])
def test_what_is_remembered_of_a_copy_does_not_keep_it(
    spec: Spec, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of compressed frames and packed files, the last ones are remembered."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    write(spec, tmp_path / "scan")
    web.data, web.tells_size = zipped(tmp_path / "scan").read_bytes(), False
    sidecar.export(web.url, tmp_path / "png", scale=0.5)
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [("scan.zip", "scan.zip"), (300 * "a", "archive.zip"), ("a:b.zip", "archive.zip")],
)
def test_a_server_that_answers_a_range_with_more_is_one_that_sends_whole_files(
    name: str, told: str, web: Web, tmp_path: Path
) -> None:
    """Where what it sent began is not known."""
    write(Spec(), tmp_path / "scan")
    web.data, web.sends_too_much = zipped(tmp_path / "scan").read_bytes(), True
    web.ending = name
    sidecar.export(tmp_path / "scan", tmp_path / "here", scale=0.5)
    url = web.url.replace("scan.zip", name)
    there = sidecar.export(url, tmp_path / "there", scale=0.5)
    assert f"{told} was copied" in "\n".join(there.document.warnings)
    here = sidecar.open(tmp_path / "here")
    assert there.document.source == here.document.source


@pytest.mark.slow
def test_a_copy_leaves_half_of_the_free_space(
    web: Web,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    run: CommandLine,
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    free = shutil.disk_usage(temporary)._replace(free=150 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    web.data, web.tells_size = b"PK\x03\x04" + bytes(100 << 20), False
    run.refuses("inspect", web.url, says=("scan.zip", "half of the 0.2 GB", "TMPDIR", "download"))
    assert web.sent < 90 << 20
    gc.collect()
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_copy_that_ends_too_early_is_refused(web: Web, tmp_path: Path, run: CommandLine) -> None:
    write(Spec(), tmp_path / "scan")
    web.data, web.tells_size = zipped(tmp_path / "scan").read_bytes()[:-500], False
    run.refuses("inspect", web.url, says="scan.zip: it begins as")


@pytest.mark.slow
@WHOLE_ONLY
def test_anything_else_that_is_sent_as_a_whole_is_not_listened_to(
    knows_ranges: bool, tells_size: bool, web: Web, run: CommandLine
) -> None:
    web.data = b"\x1f\x8b\x08" + bytes(100 << 20)
    web.knows_ranges, web.tells_size = knows_ranges, tells_size
    run.refuses("inspect", web.url, says="scan.zip")
    assert web.sent < 50 << 20


@pytest.mark.slow
def test_what_is_not_there_is_told(web: Web, run: CommandLine) -> None:
    run.refuses("inspect", web.url.replace("scan", "other"), says="other.zip: there is no such")
