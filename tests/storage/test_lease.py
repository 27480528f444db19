"""Whose a remote folder is: of several exports into it, one at most goes on."""

from __future__ import annotations

import errno
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kit.folders import contents
from kit.phantoms import Spec, write
from kit.stores import Store, lease_in, meanwhile

import sidecar
from sidecar.errors import OutputError
from sidecar.exporting.output_folder import LOCK
from sidecar.storage import lease
from sidecar.storage.locate import locate


@pytest.mark.slow
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
        "the first was disturbed, or left its lease behind"
    )


@pytest.mark.usefixtures("quick")
def test_an_export_whose_lease_was_taken_does_not_finish(
    memory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")
    meanwhile(monkeypatch, lambda: memory.fs.pipe_file(lease_in(memory, "png"), b"another 0\n"))
    with pytest.raises(
        OutputError, match=r"another export into png began in the meantime.*overwrite=True"
    ):
        sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    left = memory.contents("png")
    assert left[LOCK] == b"another 0\n" and "sidecar.json" not in left


class Shared:
    """The object of a lease in a storage that is slow to remove: what one asks for is done ``slow``
    seconds later.
    """

    def __init__(self, objects: dict[str, bytes], slow: float) -> None:
        self.objects, self.slow, self.lock = objects, slow, threading.Lock()

    def create(self, data: bytes) -> bool:
        return self.objects.setdefault("lease", data) is data

    def put(self, data: bytes) -> None:
        self.objects["lease"] = data

    def read_bytes(self) -> bytes:
        try:
            return self.objects["lease"]
        except KeyError:
            raise FileNotFoundError from None

    def remove(self) -> None:
        time.sleep(self.slow)
        self.objects.pop("lease", None)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_of_two_that_take_over_together_one_is_refused() -> None:
    """The slower removes the new object of the quicker, and takes its place."""
    objects = {"lease": b"killed 3\n"}
    holding, most, refused = threading.Semaphore(0), [0, 0], []

    def run(slow: float) -> None:
        try:
            with lease.lease_object(Shared(objects, slow)) as mine:
                most[0] += 1
                most[1] = max(most)
                time.sleep(lease.PATIENCE)
                assert mine.holds() and not mine.lost
                most[0] -= 1
                holding.release()
        except lease.TakenError:
            refused.append(slow)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(run, slow) for slow in (0, lease.LOOK)]:
            done.result()
    assert most == [0, 1] and len(refused) == 1 and not objects


def test_a_storage_that_says_in_other_words_that_it_is_there(
    memory: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's write came between our look and ours, and the storage calls that an invalid
    argument.
    """
    far = locate(f"{memory.url}/png/{LOCK}")

    def refusing(self: Any, path: str, value: bytes, mode: str = "overwrite") -> None:
        self.open(path, "wb", data=b"yours")
        raise OSError(errno.EINVAL, "At least one of the pre-conditions you specified did not hold")

    with monkeypatch.context() as patch:
        patch.setattr(type(memory.fs), "pipe_file", refusing)
        assert not far.create(b"mine")  # type: ignore[attr-defined]
    assert far.read_bytes() == b"yours"


@pytest.mark.usefixtures("quick")
def test_a_lease_that_goes_while_it_is_watched_is_no_hindrance(
    memory: Store, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    memory.fs.pipe_file(lease_in(memory, "png"), b"another 0\n")
    threading.Timer(lease.LOOK * 3, lambda: memory.fs.rm(lease_in(memory, "png"))).start()
    began = time.monotonic()
    sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert time.monotonic() - began >= lease.LOOK * 3 and LOCK not in memory.contents("png")


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
    far = locate(f"{memory.url}/png/{LOCK}")
    assert (far.create(b"mine"), far.create(b"yours"), far.read_bytes()) == (True, False, b"mine")  # type: ignore[attr-defined]
    far.remove()
    sidecar.export(tmp_path / "scan", f"{memory.url}/png", scale=0.5)
    assert LOCK not in memory.contents("png")
