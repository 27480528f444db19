"""Places behind URLs: which texts are URLs, reading by ranges, removing, and what is refused."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from kit.stores import Store

import sidecar
from sidecar.errors import MissingExtraError, SourceError, UsageError
from sidecar.storage.local import Local
from sidecar.storage.locate import locate

pytest.importorskip("upath", reason="the extra cloud is not installed")


def test_removing_a_file_takes_its_name_as_it_is(memory: Store) -> None:
    for name in ("mouse1", "mouse[12]", "mouse*"):
        memory.fs.pipe_file(f"{memory.base}/{name}/x", b"data")
    locate(f"{memory.url}/mouse[12]/x").remove()
    locate(f"{memory.url}/mouse*/x").remove()
    assert (
        not memory.contents("mouse[12]")
        and memory.fs.cat_file(f"{memory.base}/mouse1/x") == b"data"
    )
    locate(f"{memory.url}/mouse[12]/x").remove()


def test_workers_elsewhere_get_the_same_place(memory: Store) -> None:
    memory.fs.pipe_file(f"{memory.base}/x", b"data")
    path = pickle.loads(pickle.dumps(locate(f"{memory.url}/x")))
    assert path == locate(f"{memory.url}/x") and path.read_bytes() == b"data"


def test_long_reads_and_small_ones_are_those_of_a_file(memory: Store) -> None:
    data = np.random.default_rng(1).integers(0, 256, 10_000, np.uint8).tobytes()
    memory.fs.pipe_file(f"{memory.base}/x", data)
    random = np.random.default_rng(2)
    for block in (1, 100, 1 << 16):
        with locate(f"{memory.url}/x").open(block) as far, io.BytesIO(data) as near:
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
    scan = locate(f"{memory.url}/scan")
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
    with pytest.raises(UsageError, match="not a kind of address"):
        locate(url)


def test_paths_that_look_like_urls_are_paths() -> None:
    for text in ("scan", "C://scan", "a:b", "/x/y://z", "s3:/bucket"):
        assert isinstance(locate(text), Local)
    assert locate("file:///scan/x") == Local.at("/scan/x")
