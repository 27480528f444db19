"""Scans and exports behind URLs: the same bytes as on a disk, read by ranges, resumed, refused in
plain words; on a real S3 server.
"""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write, write_flat_series
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

import sidecar
from sidecar.errors import DocumentError, MissingExtraError, OutputError, SourceError, UsageError
from sidecar.exporting import make_png as render
from sidecar.exporting import run as exporter
from sidecar.exporting.options import make_options
from sidecar.exporting.output_folder import LOCK
from sidecar.exporting.run import plan_export, run_job
from sidecar.exporting.workers import Workers
from sidecar.storage import lease as claims
from sidecar.storage.location import open_read, place

fsspec = pytest.importorskip("fsspec", reason="the extra cloud is not installed")
pytest.importorskip("upath", reason="the extra cloud is not installed")

SECRET = "wJalrXUtnFEMI"
EXPORT = "from sidecar.__main__ import entry; entry()"


class Store:
    """A storage as its users have it, without the package under test: whole files under a URL."""

    def __init__(self, url: str) -> None:
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


def contents(local: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in local.iterdir()}


@pytest.fixture
def memory() -> Store:
    return Store(f"memory://{uuid.uuid4().hex}")


# --- memory://: quick
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec",
    [
        Spec(),
        Spec(layout="enhanced", transfer_syntax=RLELossless),
        Spec(layout="enhanced", transfer_syntax=ImplicitVRLittleEndian),
        Spec(transfer_syntax=JPEGLSLossless),
        Spec(transfer_syntax=DeflatedExplicitVRLittleEndian),
        Spec(photometric="PALETTE COLOR", bits_stored=8, rescale=None),
    ],
    ids=lambda spec: f"{spec.layout} {UID(spec.transfer_syntax).name} {spec.photometric}",
)
@pytest.mark.parametrize(
    "options",
    [{"scale": 0.5, "z_step": 2}, {"bits": 16, "plane": "coronal"}],
    ids=["stored", "coronal"],
)
def test_the_same_bytes_as_on_a_disk(
    spec: Spec, options: dict[str, Any], memory: Store, tmp_path: Path
) -> None:
    if spec.photometric != "MONOCHROME2":
        options = {**options, "bits": 8}
    write(spec, tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    assert sidecar.inspect(url).facts() == sidecar.inspect(tmp_path / "scan").facts()
    here = sidecar.export(tmp_path / "scan", tmp_path / "png", **options)
    for source, output in [
        (url, f"{memory.url}/png"),
        (tmp_path / "scan", f"{memory.url}/mixed"),
        (url, tmp_path / "from url"),
    ]:
        sidecar.export(source, output, **options)
    assert (
        memory.contents("png")
        == memory.contents("mixed")
        == contents(tmp_path / "from url")
        == contents(tmp_path / "png")
    )
    there = sidecar.open(f"{memory.url}/png")
    assert there.document == here.document
    assert np.array_equal(there.to_patient([[3, 4]], slice=1), here.to_patient([[3, 4]], slice=1))


def test_a_config_may_name_urls_beside_paths(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    write(Spec(), tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    entries = [{"source": url, "output": "one"}, {"source": "scan", "output": f"{memory.url}/two"}]
    (tmp_path / "config.yaml").write_text(json.dumps({"scale": 0.5, "sources": entries}))
    CommandLine(tmp_path, monkeypatch, capsys).done("export", "--config", tmp_path / "config.yaml")
    assert contents(tmp_path / "one") == memory.contents("two")


def test_what_is_not_ours_is_not_touched(memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    memory.fs.pipe_file(f"{memory.base}/png/thesis.docx", b"years of work")
    with pytest.raises(OutputError, match="png holds files that are not of an export"):
        sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert memory.contents("png") == {"thesis.docx": b"years of work"}
    sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.5)
    with pytest.raises(OutputError, match="finished export"):
        sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.25)
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.25)
    sidecar.export(tmp_path / "scan", f"{memory.url}/whole", scale=0.25, overwrite=True)
    assert memory.contents("whole") == contents(tmp_path / "png")


def stop_half_way(
    monkeypatch: pytest.MonkeyPatch, source: object, output: object, **options: Any
) -> None:
    made = render.render

    def until_full(recipe: Any, task: Any) -> Any:
        if task.index >= 4:
            raise OutputError("the disk is full")
        return made(recipe, task)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="disk is full"):
        patch.setattr(exporter, "render", until_full)
        sidecar.export(source, output, **options)  # type: ignore[arg-type]


def test_a_changed_source_is_refused(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    url = memory.put(tmp_path / "scan", "scan")
    stop_half_way(monkeypatch, url, f"{memory.url}/png", scale=0.5)
    memory.put(tmp_path / "scan", "scan")
    with pytest.raises(OutputError, match="unfinished export of another source"):
        sidecar.export(url, f"{memory.url}/png", scale=0.5)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are renewed, watched and given up as ever, but twenty times as fast."""
    for name in ("RENEWAL", "LOOK", "PATIENCE", "SETTLING"):
        monkeypatch.setattr(claims, name, getattr(claims, name) / 20)


def claim_in(store: Store, name: str) -> str:
    return f"{store.base}/{name}/{LOCK}"


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """``act`` while the first PNG of an export is made."""
    made, met = render.render, threading.Event()

    def acting(recipe: Any, task: Any) -> Any:
        if not met.is_set():
            met.set()
            act()
        return made(recipe, task)

    monkeypatch.setattr(exporter, "render", acting)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "options", [{"scale": 0.5}, {"scale": 0.25, "overwrite": True}], ids=["the same", "another"]
)
def test_a_second_export_into_one_folder_is_refused(
    options: dict[str, Any], memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(OutputError) as caught:
            sidecar.export(tmp_path / "scan", f"{memory.url}/png", **options)
        refused.append(str(caught.value))

    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    meanwhile(monkeypatch, second)
    sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert refused == [
        "another export is writing to png now; wait for it, or choose another folder"
    ]
    assert memory.contents("png") == contents(tmp_path / "png"), (
        "the first was disturbed, or left its claim behind"
    )


@pytest.mark.usefixtures("quick")
def test_an_export_whose_claim_was_taken_does_not_finish(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    meanwhile(monkeypatch, lambda: memory.fs.pipe_file(claim_in(memory, "png"), b"another 0\n"))
    with pytest.raises(OutputError, match=r"another export into png began meanwhile.*--overwrite"):
        sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    left = memory.contents("png")
    assert left[LOCK] == b"another 0\n" and "sidecar.json" not in left


class Shared:
    """A claim's object in a storage that is slow to remove: what one asks for is done ``slow``
    seconds later.
    """

    def __init__(self, objects: dict[str, bytes], slow: float) -> None:
        self.objects, self.slow, self.lock = objects, slow, threading.Lock()

    def create(self, data: bytes) -> bool:
        return self.objects.setdefault("claim", data) is data

    def put(self, data: bytes) -> None:
        self.objects["claim"] = data

    def read_bytes(self) -> bytes:
        try:
            return self.objects["claim"]
        except KeyError:
            raise FileNotFoundError from None

    def unlink(self, missing_ok: bool = False) -> None:
        time.sleep(self.slow)
        self.objects.pop("claim", None)


@pytest.mark.usefixtures("quick")
def test_of_two_that_take_over_together_one_is_refused() -> None:
    """The slower removes the new claim of the quicker, and takes its place."""
    objects = {"claim": b"killed 3\n"}
    holding, most, refused = threading.Semaphore(0), [0, 0], []

    def run(slow: float) -> None:
        try:
            with claims.claim(Shared(objects, slow)) as mine:  # type: ignore[arg-type]
                most[0] += 1
                most[1] = max(most)
                time.sleep(claims.PATIENCE)
                assert mine.holds() and not mine.lost.is_set()
                most[0] -= 1
                holding.release()
        except claims.TakenError:
            refused.append(slow)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(run, slow) for slow in (0, claims.LOOK)]:
            done.result()
    assert most == [0, 1] and len(refused) == 1 and not objects


def test_removing_a_file_takes_its_name_as_it_is(memory: Store) -> None:
    for name in ("mouse1", "mouse[12]", "mouse*"):
        memory.fs.pipe_file(f"{memory.base}/{name}/x", b"data")
    place(f"{memory.url}/mouse[12]/x").unlink()
    place(f"{memory.url}/mouse*/x").unlink()
    assert (
        not memory.contents("mouse[12]")
        and memory.fs.cat_file(f"{memory.base}/mouse1/x") == b"data"
    )
    place(f"{memory.url}/mouse[12]/x").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        place(f"{memory.url}/mouse[12]/x").unlink()


def test_a_storage_that_says_in_other_words_that_it_is_there(
    memory: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's write came between our look and ours, and the storage calls that an invalid
    argument.
    """
    far = place(f"{memory.url}/png/{LOCK}")

    def refusing(self: Any, path: str, value: bytes, mode: str = "overwrite") -> None:
        self.open(path, "wb", data=b"yours")
        raise OSError(errno.EINVAL, "At least one of the pre-conditions you specified did not hold")

    with monkeypatch.context() as patch:
        patch.setattr(type(memory.fs), "pipe_file", refusing)
        assert not far.create(b"mine")  # type: ignore[attr-defined]
    assert far.read_bytes() == b"yours"


@pytest.mark.usefixtures("quick")
def test_a_claim_that_goes_while_it_is_watched_is_no_hindrance(
    memory: Store, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    memory.fs.pipe_file(claim_in(memory, "png"), b"another 0\n")
    threading.Timer(claims.LOOK * 3, lambda: memory.fs.rm(claim_in(memory, "png"))).start()
    began = time.monotonic()
    sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert time.monotonic() - began >= claims.LOOK * 3 and LOCK not in memory.contents("png")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "missing",
    [NotImplementedError(), TypeError("mode"), OSError(errno.ENOSYS, "501")],
    ids=lambda error: type(error).__name__,
)
def test_storages_that_cannot_write_exclusively_look_first(
    missing: Exception, memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    pipe = type(memory.fs).pipe_file

    def without(self: Any, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        if mode == "create":
            raise missing
        pipe(self, path, value, **kwargs)

    monkeypatch.setattr(type(memory.fs), "pipe_file", without)
    far = place(f"{memory.url}/png/{LOCK}")
    assert (far.create(b"mine"), far.create(b"yours"), far.read_bytes()) == (True, False, b"mine")  # type: ignore[attr-defined]
    far.unlink()
    sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert LOCK not in memory.contents("png")


def test_workers_elsewhere_get_the_same_place(memory: Store) -> None:
    memory.fs.pipe_file(f"{memory.base}/x", b"data")
    path = pickle.loads(pickle.dumps(place(f"{memory.url}/x")))
    assert path == place(f"{memory.url}/x") and path.read_bytes() == b"data"


def test_cutting_across_on_a_cluster_needs_a_shared_folder(memory: Store, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    (job,) = plan_export(
        tmp_path / "scan", place(f"{memory.url}/png"), make_options(scale=0.5, plane="coronal")
    )
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(OutputError, match="file system that all its machines share"),
    ):
        run_job(job, workers=Workers(executor, 1, lost=(ConnectionError,)))


def test_long_reads_and_small_ones_are_those_of_a_file(memory: Store) -> None:
    data = np.random.default_rng(1).integers(0, 256, 10_000, np.uint8).tobytes()
    memory.fs.pipe_file(f"{memory.base}/x", data)
    random = np.random.default_rng(2)
    for block in (1, 100, 1 << 16):
        with open_read(place(f"{memory.url}/x"), block) as far, io.BytesIO(data) as near:
            for _ in range(100):
                at, count = int(random.integers(0, 11_000)), int(random.integers(0, 3000))
                assert far.seek(at) == near.seek(at)
                assert far.read(count) == near.read(count) and far.read(7) == near.read(7)
            assert far.seek(0, io.SEEK_END) == len(data)


@pytest.mark.parametrize("key", ["a//b.dcm", "a/../b.dcm", "./b.dcm"])
def test_keys_that_are_no_paths_are_refused(
    key: str, monkeypatch: pytest.MonkeyPatch, memory: Store
) -> None:
    memory.fs.pipe_file(f"{memory.base}/scan/x", b"")
    scan = place(f"{memory.url}/scan")
    monkeypatch.setattr(
        type(memory.fs), "find", lambda self, path, **_: {f"{path}/{key}": {"type": "file"}}
    )
    with pytest.raises(SourceError, match=r"folder scan cannot be read: .*rename"):
        sidecar.inspect(scan)


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sidecar.storage.object_store", raising=False)
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(MissingExtraError, match=r"s3://.*dicom-sidecar\[cloud\]"):
        sidecar.inspect("s3://bucket/scan")


def test_paths_need_nothing_of_it() -> None:
    program = (
        "import sys, sidecar; sidecar.export; sidecar.Sidecar; print([m for m in ('fsspec',"
        " 'upath', 's3fs') if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


@pytest.mark.parametrize("url", ["nosuch://x/y", "s4://bucket"])
def test_unknown_kinds_of_places(url: str) -> None:
    with pytest.raises(UsageError, match="not a kind of place"):
        place(url)


def test_paths_that_look_like_urls_are_paths() -> None:
    for text in ("scan", "C://scan", "a:b", "/x/y://z", "s3:/bucket"):
        assert isinstance(place(text), Path)
    assert place("file:///scan/x") == Path("/scan/x")


# --- a real S3 server
# --------------------------------------------------------------------------------------------------


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


SLICES, EDGE = 40, 200


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    local = tmp_path_factory.mktemp("flat")
    pixels = np.random.default_rng(7).integers(0, 4096, (EDGE, EDGE), dtype=np.uint16)
    write_flat_series(local, slices=SLICES, size=(EDGE, EDGE), pixels=pixels)
    return local


def test_the_command_line_on_s3(
    s3: Store, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    url = s3.put(scan, "scan")
    run = CommandLine(tmp_path, monkeypatch, capsys)
    assert run.done("inspect", url).out == run.done("inspect", scan).out
    told = run.done("export", url, f"{s3.url}/png", "--scale", "1/2")
    assert "png: 40 PNGs of 100 × 100" in told.err and SECRET not in told.out + told.err
    assert s3.contents("png") == contents(tmp_path / "png")
    (tmp_path / "labels.csv").write_text("image,x,y\nslice_0003.png,10.5,20\n")
    by_url = run.done(
        "map-points",
        tmp_path / "labels.csv",
        "--sidecar",
        f"{s3.url}/png",
        "-o",
        tmp_path / "mapped.csv",
        "--pixel-origin",
        "center",
    )
    assert "1 ×" in by_url.err
    by_path = run.done(
        "map-points",
        tmp_path / "labels.csv",
        "--sidecar",
        tmp_path / "png",
        "--pixel-origin",
        "center",
    )
    assert (tmp_path / "mapped.csv").read_text() == by_path.out


def test_only_ranges_are_fetched(s3: Store, scan: Path, server: tuple[str, Counted]) -> None:
    """8 KiB of each header, and of every tenth slice its frame and the four bytes before it, in one
    request.
    """
    url, counted = s3.put(scan, "scan"), server[1]
    counted.clear()
    sidecar.inspect(url)
    assert set(counted.sent.values()) == {8192} and len(counted.sent) == SLICES
    counted.clear()
    sidecar.export(url, f"{s3.url}/png", bits=16, z_step=10, scale=0.5)
    frame = EDGE * EDGE * 2 + 4
    assert Counter(counted.sent[key] for key in counted.sent if "/scan/" in key) == {
        8192: 36,
        8192 + frame: 4,
    }
    assert set(counted.requests.values()) == {1, 2}


def test_one_compressed_frame_of_many_is_one_range(
    s3: Store, server: tuple[str, Counted], tmp_path: Path
) -> None:
    write(
        Spec(
            layout="enhanced",
            transfer_syntax=RLELossless,
            columns=300,
            rows=300,
            slices=30,
            junk=False,
        ),
        tmp_path / "scan",
    )
    (file,) = [path for path in (tmp_path / "scan").rglob("*") if path.is_file()]
    url, counted = s3.put(tmp_path / "scan", "scan"), server[1]
    (job,) = plan_export(place(url), tmp_path / "png", make_options(bits=16, crop=":,:,10:11"))
    counted.clear()
    run_job(job)
    header, item, frame = 1 << 16, 256, file.stat().st_size / 30
    assert list(counted.requests.values()) == [3]
    assert header + item + frame / 2 < sum(counted.sent.values()) < header + item + 2 * frame


@pytest.mark.usefixtures("quick")
def test_two_exports_on_s3(s3: Store, scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server's conditional PUT, and what it answers to the second."""
    far = place(f"{s3.url}/elsewhere/{LOCK}")
    assert (far.create(b"mine"), far.create(b"yours"), far.read_bytes()) == (True, False, b"mine")  # type: ignore[attr-defined]

    def second() -> None:
        with pytest.raises(OutputError, match="another export is writing to png now"):
            sidecar.export(scan, f"{s3.url}/png", scale=0.5)

    meanwhile(monkeypatch, second)
    sidecar.export(scan, f"{s3.url}/png", scale=0.5)
    assert LOCK not in s3.contents("png")


@pytest.mark.usefixtures("quick")
def test_killed_and_resumed(
    s3: Store, scan: Path, tmp_path: Path, server: tuple[str, Counted]
) -> None:
    sixth = sidecar.export(scan, tmp_path / "png", scale=0.5).document.images.files[5].name
    url, counted = s3.put(scan, "scan"), server[1]
    counted.clear()
    arguments = ["sidecar", "export", url, f"{s3.url}/png", "--scale", "0.5", "--jobs", "1"]
    program = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.argv = {arguments!r}; {EXPORT}"],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    while program.poll() is None and counted.puts[sixth] == 0:
        time.sleep(0.002)
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=60)
    before = s3.contents("png")
    assert "sidecar.json" not in before and 5 < len(before) < SLICES + 1
    assert all(
        before[name] == data for name, data in contents(tmp_path / "png").items() if name in before
    )
    with pytest.raises(DocumentError, match="interrupted"):
        sidecar.open(f"{s3.url}/png")
    counted.clear()
    sidecar.export(url, f"{s3.url}/png", scale=0.5)
    assert s3.contents("png") == contents(tmp_path / "png")
    assert not set(counted.puts) & {name for name in before if name.endswith(".png")}, (
        "what was whole was made again"
    )


def test_a_missing_bucket_is_one_message(
    s3: Store, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    run.refuses("inspect", "s3://no-such-bucket/scan", says="scan: there is no such file or folder")
    run.refuses(
        "inspect", "s3://no-such-bucket", says="no-such-bucket: there is no such file or folder"
    )
    run.refuses(
        "export",
        scan,
        "s3://no-such-bucket/png",
        "-q",
        says="png cannot be written to: there is no such bucket",
    )
    run.refuses("map-points", scan, "--sidecar", "s3://no-such-bucket/png", says="there is no png")
    assert not s3.fs.exists("no-such-bucket")


def test_wrong_credentials_are_one_message(
    s3: Store,
    scan: Path,
    server: tuple[str, Counted],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    url = s3.put(scan, "scan")
    run = CommandLine(tmp_path, monkeypatch, capsys)

    def requests_without_credentials(count: bytes) -> None:
        urllib.request.urlopen(
            urllib.request.Request(
                f"{server[0]}/moto-api/reset-auth", count, {"Content-Type": "text/plain"}
            )
        ).close()

    requests_without_credentials(b"0")
    try:
        for arguments in (
            ["inspect", url],
            ["export", url, "png"],
            ["export", scan, f"{s3.url}/png", "-q"],
            ["map-points", scan, "--sidecar", url],
        ):
            told = run.refuses(*arguments, says="the storage refuses access: check the credentials")
            assert SECRET not in told and "AKIA" not in told
    finally:
        requests_without_credentials(b"inf")


def test_no_credentials_and_no_storage_are_one_message_each(
    s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from s3fs import S3FileSystem

    run = CommandLine(tmp_path, monkeypatch, capsys)
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    S3FileSystem.clear_instance_cache()
    told = run.refuses(
        "inspect", f"{s3.url}/scan", says="scan cannot be read: the storage cannot be reached"
    )
    assert "127.0.0.1" not in told
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    S3FileSystem.clear_instance_cache()
    run.refuses(
        "inspect", f"{s3.url}/scan", says="there are no complete credentials for this storage"
    )


def test_credentials_in_a_url_are_never_shown(
    s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    for place_ in ("no-such-bucket", "no-such-bucket/scan"):
        told = run.refuses("inspect", f"s3://AKIAIOSFODNN7EXAMPLE:{SECRET}@{place_}", says="")
        assert SECRET not in told and "AKIA" not in told
