"""The server of `sidecar label` by HTTP: who is answered, what there is to be had, and what it
saves.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.made_exports import Export
from kit.phantoms import Spec, write
from kit.served_client import Client

import sidecar
from sidecar.api.labelling import label
from sidecar.errors import BatchError, DocumentError, LabelError, OutputError, UsageError
from sidecar.viewer.names import version_number
from sidecar.viewer.serving.desks import desks_in
from sidecar.viewer.serving.server import LabelServer, is_elsewhere
from sidecar.viewer.serving.tabs import Patience

pytestmark = pytest.mark.slow  # each test starts a server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export in a folder of its own."""
    png = tmp_path / "png"
    png.mkdir()
    Export().write(png)
    return png


@pytest.fixture
def server(folder: Path) -> Iterator[LabelServer]:
    with label(folder) as started:
        yield started


@pytest.fixture
def client(server: LabelServer) -> Client:
    return Client(server)


def table(folder: Path, *names: str, **other: str) -> str:
    """A labels.csv as the page of an export writes it."""
    document = sidecar.open(folder).document
    image = document.images.files[2].name
    lines = ["image,slice,label,x,y,specimen,series_uid,tag"]
    for k, name in enumerate(names):
        cells = {
            "image": image, "slice": "2", "label": name, "x": f"{k}.5", "y": "4", "specimen": "png",
            "series": document.source.series_instance_uid, "tag": document.images.tag or "",
        } | other  # fmt: skip
        lines.append(",".join(cells.values()))
    return "".join(f"{line}\r\n" for line in lines)


# Who is answered


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({}, True),
        ({"Host": "localhost:{port}"}, True),
        ({"Host": "LOCALHOST:{port}"}, True),
        ({"Host": "127.0.0.1"}, False),
        ({"Host": "127.0.0.1:1"}, False),
        ({"Host": "rebound.example.org:{port}"}, False),
        ({"Host": "127.0.0.1.example.org:{port}"}, False),
        ({"Host": "[::1]:{port}"}, False),
        ({"Host": ""}, False),
        ({"Host": None}, False),
        ({"Origin": "http://127.0.0.1:{port}"}, True),
        ({"Origin": "http://localhost:{port}"}, False),
        ({"Origin": "https://127.0.0.1:{port}"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "http://example.org"}, False),
        ({"Origin": "null"}, False),
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, True),
        (
            {
                "Sec_Fetch_Site": "cross-site",
                "Sec_Fetch_Mode": "navigate",
                "Sec_Fetch_Dest": "iframe",
            },
            False,
        ),
    ],
)
def test_who_may_read(client: Client, headers: dict[str, str | None], answered: bool) -> None:
    filled = {name: value and value.format(port=client.port) for name, value in headers.items()}
    reply = client.get("1/slice_0000.png", **filled)
    assert reply.status == (200 if answered else 403), reply.body
    assert answered or b"PNG" not in reply.body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Content_Type": "application/json; charset=utf-8"}, 200),
        ({"Origin": None}, 403),
        ({"Origin": "http://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "example.org:{port}", "Origin": "http://example.org:{port}"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 403),
        ({"Content_Type": "text/plain"}, 413),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 413),
        ({"Content_Type": None}, 413),
        ({"Content_Length": None}, 413),
        ({"Content_Length": "-1"}, 413),
        ({"Content_Length": "1e3"}, 413),
        ({"Content_Length": "999999999"}, 413),
        ({"Content_Length": "9" * 30}, 413),
        ({"Transfer_Encoding": "chunked"}, 413),
    ],
)
def test_who_may_write(
    client: Client, folder: Path, headers: dict[str, str | None], status: int
) -> None:
    filled = {name: value and value.format(port=client.port) for name, value in headers.items()}
    said = {"text": table(folder, "nasion"), "revision": client.revision()}
    assert client.post("1/api/labels", said, **filled).status == status
    assert (folder / "labels.csv").exists() == (status == 200)


@pytest.mark.parametrize("token", ["", "x", "{half}", "{token}x", "%c3%a9", "%ff", "{token}%00"])
def test_without_the_token_nothing_is_to_be_had(client: Client, token: str) -> None:
    secret = client.home.strip("/")
    path = f"/{token.format(half=secret[:-1], token=secret)}/1/slice_0000.png"
    reply = client.ask("GET", path)
    assert reply.status == 404
    assert secret.encode() not in reply.body
    assert client.ask("GET", "/").status == 404


def test_a_ticket_is_good_for_once(client: Client, server: LabelServer) -> None:
    path = server.opening_url.split(str(server.port))[1]
    reply = client.ask("GET", path)
    assert (reply.status, reply.headers["Location"]) == (303, client.home)
    assert client.ask("GET", path).status == 404


def test_two_headers_of_one_name_are_refused(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        host = f"127.0.0.1:{client.port}"
        lines = [f"GET {client.home}1/ HTTP/1.1", f"Host: {host}", "Host: example.org", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"])
def test_other_methods_do_nothing(client: Client, method: str) -> None:
    reply = client.ask(method, client.home + "1/api/labels")
    assert reply.status == 501
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_every_answer_keeps_to_itself(client: Client) -> None:
    for path in ("", "1/", "1/slice_0000.png", "1/none.png", "../"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers


def test_it_listens_on_this_machine_alone(server: LabelServer) -> None:
    assert server._sockets.server_address[0] == "127.0.0.1"
    assert server.url not in repr(server)


# What there is to be had


@pytest.mark.parametrize(
    "name",
    [
        "sidecar.json", "labels.csv", "viewer.html", ".labels/port", ".labels", "notes.txt",
        "../notes.txt", "..%2fnotes.txt", "%2e%2e/notes.txt", "..%5cnotes.txt", "....//notes.txt",
        "/etc/passwd", "%2fetc%2fpasswd", "slice_0000.png%00", "slice_0000.png/", "./slice_0000.png",
        "x/../slice_0000.png", "SLICE_0000.PNG", "slice_9999.png", "link.png", "%", "%zz",
    ],
)  # fmt: skip
def test_nothing_but_what_the_document_names(client: Client, folder: Path, name: str) -> None:
    (folder / "notes.txt").write_text("secret")
    (folder.parent / "notes.txt").write_text("secret")
    (folder / "link.png").symlink_to(folder / "slice_0000.png")
    reply = client.get(f"1/{name}")
    assert reply.status == 404
    assert b"secret" not in reply.body


def test_a_png_is_given_as_it_is(client: Client, folder: Path) -> None:
    for name in ("slice_0003.png", "slice%5f0003.png", "slice_0003.png?x=1"):
        reply = client.get(f"1/{name}")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "image/png")
        assert reply.body == (folder / "slice_0003.png").read_bytes()


def test_a_png_that_is_a_link_is_not_given(client: Client, folder: Path) -> None:
    secret = folder.parent / "secret"
    secret.write_text("secret")
    (folder / "slice_0003.png").unlink()
    (folder / "slice_0003.png").symlink_to(secret)
    reply = client.get("1/slice_0003.png")
    assert reply.status == 422
    assert reply.body == b"png: slice_0003.png is a link; put the file itself in its place\n"


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_a_png_that_is_no_file_is_not_waited_for(client: Client, folder: Path) -> None:
    (folder / "slice_0003.png").unlink()
    os.mkfifo(folder / "slice_0003.png")
    assert client.get("1/slice_0003.png").body == b"png: slice_0003.png is not a file\n"
    assert client.get("1/").body == b"png: slice_0003.png is not a file\n"
    assert client.get("1/slice_0004.png").status == 200


@pytest.mark.parametrize(
    "path", ["2/api/alive", "0/api/labels", "api/labels", "1/api/none", "1/alive", "1/api/alive/x"]
)
def test_there_is_no_more_to_ask(client: Client, path: str) -> None:
    assert client.post(path, {"tab": "a"}).status == 404


def test_specimens_are_counted(client: Client) -> None:
    for number in ("0", "2", "-1", "1.0", "01x", "%d9%a3", "", "1" * 5000):
        assert client.get(f"{number}/slice_0000.png").status == 404, number
    assert client.get("1").status == 404


def test_16_bits_come_as_copies_that_browsers_show(tmp_path: Path) -> None:
    Export(bits=16).write(tmp_path)
    with label(tmp_path) as server:
        client = Client(server)
        assert client.get("1/").status == 200
        assert client.get("1/viewer_images/slice_0000.png").status == 200
        assert client.get("1/slice_0000.png").status == 404


# What is saved


def test_a_save_says_what_it_began_from(client: Client, folder: Path) -> None:
    first, second = table(folder, "nasion"), table(folder, "bregma")
    none = client.revision()
    saved = client.save(first, none).said
    assert saved["saved"]
    assert (folder / "labels.csv").read_bytes() == first.encode()
    late = client.save(second, none).said
    assert late == {"saved": False, "text": first, "revision": saved["revision"]}
    assert (folder / "labels.csv").read_bytes() == first.encode()
    assert client.save(second, saved["revision"]).said["saved"]
    assert (folder / "labels.csv").read_bytes() == second.encode()


def test_a_change_by_another_program_is_noticed(client: Client, folder: Path) -> None:
    revision = client.save(table(folder, "nasion"), client.revision()).said["revision"]
    other = table(folder, "nasion", "lambda")
    (folder / "labels.csv").write_bytes(other.encode())
    assert client.post("1/api/alive", {"tab": "a"}).said["revision"] != revision
    assert client.save(table(folder, "bregma"), revision).said["text"] == other


def test_of_writers_at_once_each_is_saved_or_told(client: Client, folder: Path) -> None:
    """Each writer adds its names to what is there, as pages do, until it has added them all."""
    failures: list[object] = []

    def write(writer: int) -> None:
        content = client.post("1/api/labels", {}).said
        for step in range(4):
            while True:
                row = table(folder, f"w{writer}-{step}").split("\r\n")[1]
                head = content["text"] or table(folder)
                reply = client.save(f"{head}{row}\r\n", content["revision"])
                if reply.status != 200:
                    failures.append(reply)
                    return
                content = reply.said
                if content["saved"]:
                    break

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert failures == []
    found = sidecar.map_file(folder / "labels.csv").points.columns["label"]
    assert sorted(found) == [f"w{writer}-{step}" for writer in range(3) for step in range(4)]


def test_ten_versions_are_kept_and_no_more(client: Client, folder: Path) -> None:
    revision, texts = client.revision(), [table(folder, f"L{k}") for k in range(15)]
    for text in texts:
        revision = client.save(text, revision).said["revision"]
    kept = folder / ".labels"
    versions = sorted(p for p in kept.iterdir() if version_number(p.name) is not None)
    assert [p.read_bytes().decode() for p in versions] == texts[4:14]
    assert client.save("", revision).said["saved"]
    assert not (folder / "labels.csv").exists()
    assert (kept / "labels-0015.csv.old").read_bytes().decode() == texts[14]
    assert sorted(p.name for p in folder.iterdir() if "label" in p.name) == [".labels"]


def test_saving_the_same_makes_no_version(client: Client, folder: Path) -> None:
    text = table(folder, "nasion")
    revision = client.save(text, client.revision()).said["revision"]
    assert client.save(text, revision).said == {"saved": True, "text": text, "revision": revision}
    assert [p.name for p in (folder / ".labels").iterdir() if p.suffix == ".old"] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{table}", None),
        ("", None),
        ("nonsense", "the page would lose its column 'nonsense'"),
        ("image,slice,label,x,y,note\nslice_0002.png,2,a,1,2,b\n", "would lose its column 'note'"),
        ("image,slice,label,x,y\nslice_0002.png,2,a,1,2,3\n", "row 2"),
        ("image,slice,label,x,y\nslice_0002.png,2,=cmd(),1,2\n", "begins like a formula"),
        ("image,slice,label,x,y\nslice_0002.png,2,a,64,2\n", "row 2"),
        ("image,slice,label,x,y\nslice_0002.png,3,a,6,2\n", "row 2"),
        ("image,slice,label,x,y\nother_0002.png,2,a,6,2\n", "row 2"),
        ("image,slice,label,x,y,series_uid\nslice_0002.png,2,a,6,2,1.2.3\n", "row 2"),
        ("image,slice,label,x,y\nslice_0002.png,2,\udc80,6,2\n", "half a character"),
    ],
)
def test_what_cannot_be_mapped_is_not_saved(
    client: Client, folder: Path, text: str, why: str | None
) -> None:
    revision = client.save(table(folder, "nasion"), client.revision()).said["revision"]
    reply = client.save(text.replace("{table}", table(folder, "bregma")), revision)
    if why is None:
        assert reply.said["saved"]
        return
    assert reply.status == 422
    assert why in reply.said["error"]
    assert (folder / "labels.csv").read_bytes().decode() == table(folder, "nasion")
    assert [p.name for p in folder.iterdir() if p.name.endswith(".part")] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"[" * 100000, b'{"text": 1, "revision": "a"}', b'{"text": ""}', b"\xff"],
)  # fmt: skip
def test_a_request_that_is_none(client: Client, folder: Path, body: bytes) -> None:
    assert client.ask("POST", client.home + "1/api/labels", body).status == 400
    assert not (folder / "labels.csv").exists()


@pytest.mark.parametrize("said", [{}, {"tab": 1}, {"tab": ""}, {"tab": "x" * 65}, {"tab": None}])
def test_a_tab_without_a_name(client: Client, said: object) -> None:
    assert client.post("1/api/alive", said).status == 400


def test_an_export_that_was_replaced_gets_no_labels_of_the_old_one(
    client: Client, folder: Path
) -> None:
    text, revision = table(folder, "nasion"), client.revision()
    Export(series="1.2.3").write(folder)
    reply = client.save(text, revision)
    assert reply.status == 410
    assert "was replaced" in reply.said["error"]
    assert not (folder / "labels.csv").exists()


@pytest.mark.parametrize("name", ["labels.csv", ".labels", ".labels/lock"])
def test_what_leads_elsewhere_is_not_written_to(client: Client, folder: Path, name: str) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    revision = client.revision()
    for there in (folder / ".labels").iterdir() if name == ".labels" else ():
        there.unlink()
    target = elsewhere if name == ".labels" else elsewhere / "file"
    if name == ".labels":
        (folder / ".labels").rmdir()
    (folder / name).symlink_to(target)
    reply = client.save(table(folder, "nasion"), revision)
    assert reply.status in (422, 507)
    assert "is a link" in reply.said["error"]
    assert list(elsewhere.iterdir()) == []


def test_what_a_killed_run_left_is_not_in_the_way(client: Client, folder: Path) -> None:
    (folder / "labels.csv.part").write_text("image,sl")
    assert client.save(table(folder, "nasion"), client.revision()).said["saved"]
    assert not (folder / "labels.csv.part").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told_at_once(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot be written to"):
            label(folder)
    finally:
        folder.chmod(0o700)


# How it begins and ends


def test_labels_that_are_there_are_in_the_page(folder: Path) -> None:
    (folder / "labels.csv").write_text(table(folder, "nasion"))
    with label(folder) as server:
        assert b"nasion" in Client(server).get("1/").body
        assert server.placed() == {"png": 1}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image,slice,label,x,y,series_uid\nslice_0002.png,2,a,6,2,1.2.3\n", "labels.csv, row 2"),
        ("image,slice,label,x,y,tag\nslice_0002.png,2,a,6,2,bcdfgh\n", "labels.csv, row 2"),
        ("image,slice,label,x,y,note\nslice_0002.png,2,a,6,2,b\n", "would lose its column 'note'"),
        ("\xe9", "labels.csv: is not UTF-8 text"),
    ],
)
def test_labels_of_another_export_are_refused_by_name(folder: Path, text: str, why: str) -> None:
    (folder / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(LabelError, match=why):
        label(folder)


@pytest.mark.parametrize(
    ("row", "way_out"),
    [
        ("slice_0002.png,2,a,6,2,bcdfgh", "open the folder of that export to go on with"),
        ("slice_0002_bcdfgh.png,2,a,6,2,", "open the folder of that export to go on with"),
        ("slice_0002.png,2,a,600,2,", "; correct it, or move labels.csv out of"),
    ],
)
def test_the_way_out_is_one_that_there_is_here(folder: Path, row: str, way_out: str) -> None:
    (folder / "labels.csv").write_text(f"image,slice,label,x,y,tag\n{row}\n")
    with pytest.raises(LabelError) as refused:
        label(folder)
    assert way_out in str(refused.value)
    assert str(refused.value).endswith("move labels.csv out of this folder to begin anew")
    assert not re.search("--|exports=|allow_outside", str(refused.value))


def test_the_folder_of_the_other_export_is_named(tmp_path: Path) -> None:
    scan = write(Spec(), tmp_path / "scan").folder
    for name, scale in (("first", 0.5), ("second", 0.25)):
        sidecar.export(scan, tmp_path / name, scale=scale)
    (tmp_path / "first" / "labels.csv").write_text(table(tmp_path / "second", "nasion"))
    with pytest.raises(LabelError, match="; open the folder second to go on with these labels"):
        label(tmp_path / "first")


def test_among_several_each_that_is_at_fault_is_named(folder: Path) -> None:
    for name in ("second", "third"):
        (folder.parent / name).mkdir()
        Export().write(folder.parent / name)
    (folder / "labels.csv").write_text("image,x\n")
    (folder.parent / "third" / "sidecar.json").write_text("{")
    with pytest.raises(BatchError) as refused:
        label(folder.parent)
    assert [str(fault).split(":")[0] for fault in refused.value.faults] == ["png", "third"]


def test_an_export_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    several = tmp_path / "several"
    several.mkdir()
    (several / "elsewhere").symlink_to(folder)
    with pytest.raises(BatchError, match="elsewhere: it is a link to another place"):
        label(several)
    with label(several / "elsewhere") as server:
        assert server.placed() == {"png": 0}, "the user may name one"


def test_it_stops_when_the_last_tab_is_gone(folder: Path) -> None:
    desks = desks_in(folder)
    with LabelServer(folder, desks, patience=Patience(grace=0)) as server:
        client = Client(server)
        client.post("1/api/alive", {"tab": "a"})
        waiting = threading.Thread(target=server.wait)
        waiting.start()
        client.post("1/api/gone", {"tab": "a"})
        waiting.join(timeout=60)
        assert not waiting.is_alive()


def test_there_must_be_an_export(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"holds neither a sidecar\.json nor folders with one"):
        label(tmp_path)
    with pytest.raises(DocumentError, match="there is no such folder"):
        label(tmp_path / "none")
    with pytest.raises(UsageError, match="folder on this machine"):
        label("s3://bucket/png")


def test_the_port_is_that_of_the_last_time(folder: Path) -> None:
    """A browser keeps what was not saved by the port."""
    with label(folder) as first:
        with label(folder) as beside:
            assert beside.port != first.port
        port, url = first.port, first.url
    with label(folder) as again:
        assert again.port == port
        assert again.url != url, "the token is another one"
        assert Client(again).ask("GET", url.split(str(port))[1]).status == 404


def test_a_port_that_is_given(folder: Path, server: LabelServer) -> None:
    with pytest.raises(UsageError, match=f"port={server.port} cannot be used"):
        label(folder, port=server.port)
    with pytest.raises(UsageError, match="there is no such port"):
        label(folder, port=70000)


@pytest.mark.parametrize("text", ["", "x", "22", "99999999", "\xff"])
def test_a_port_that_cannot_be_one_is_not_taken(folder: Path, text: str) -> None:
    (folder / ".labels").mkdir()
    (folder / ".labels" / "port").write_text(text)
    with label(folder) as server:
        assert Client(server).get("1/").status == 200


def test_when_it_is_closed_nothing_is_heard_any_more(folder: Path) -> None:
    with label(folder) as server:
        client = Client(server)
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        kept.request("GET", client.home + "1/slice_0000.png")
        kept.getresponse().read()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        kept.request("GET", client.home + "1/slice_0000.png")
        kept.getresponse()
    kept.close()
    with pytest.raises(ConnectionError):
        client.get("1/")


@pytest.mark.parametrize(
    ("environment", "system", "elsewhere"),
    [
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({}, "linux", True),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "a 1 b 22"}, "linux", True),
        ({}, "darwin", False),
        ({}, "win32", False),
        ({"SSH_CONNECTION": "a 1 b 22"}, "darwin", True),
    ],
)
def test_whether_the_browser_is_elsewhere(
    environment: dict[str, str], system: str, elsewhere: bool
) -> None:
    assert is_elsewhere(environment, system) == elsewhere


def test_the_line_for_ssh_has_the_port_that_is_admitted(server: LabelServer) -> None:
    assert server.ssh_line.startswith(f"ssh -L {server.port}:127.0.0.1:{server.port} ")
