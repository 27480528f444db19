"""The same export on a real Dask scheduler with two real workers, one of which is killed on the
way: the same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import invoked
from kit.folders import contents
from kit.phantoms import write_flat_series
from kit.zips import zipped

import sidecar
from sidecar.document.model import JOURNAL
from sidecar.errors import UsageError, WorkersLostError
from sidecar.exporting.images.make_png import Rendered, Task
from sidecar.exporting.images.workers import Workers, dask_workers
from sidecar.exporting.options import make_options
from sidecar.exporting.output_folder import LOCK
from sidecar.exporting.run import plan_export, run_jobs

pytest.importorskip("distributed")

# The filters are for Dask's own start-up and shutdown; nothing of ours.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        scheduler = [
            "scheduler",
            "--host",
            self.address,
            "--no-dashboard",
            "--no-jupyter",
            "--pid-file",
            "",
        ]
        worker = [
            "worker",
            self.address,
            "--host",
            "127.0.0.1",
            "--nthreads",
            "1",
            "--no-dashboard",
            "--no-nanny",
            "--local-directory",
            str(folder),
        ]
        self.scheduler = self._start(scheduler)
        self.workers = [self._start(worker) for _ in range(2)]

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "dask",
            *[a for a in arguments if a not in ("--pid-file", "")],
        ]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self) -> None:
        from distributed import Client

        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path / "dask")
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(7).integers(0, 4096, (512, 512), dtype=np.uint16)
    write_flat_series(tmp_path / "scan", slices=300, size=(512, 512), pixels=pixels)
    return tmp_path / "scan"


def test_a_cluster_that_loses_a_worker_writes_the_same_bytes(
    cluster: Cluster, scan: Path, tmp_path: Path
) -> None:
    class Killer:
        """Progress that kills a worker after a few slices."""

        done = 0

        def start(self, what: str, total: int | None) -> None:
            self.done = 0

        def advance(self, slices: int, source_bytes: int) -> None:
            self.done += slices if source_bytes else 0
            if self.done == 20 and cluster.workers[0].poll() is None:
                cluster.workers[0].send_signal(signal.SIGKILL)
                cluster.workers[0].wait()

    sidecar.export(scan, tmp_path / "here", scale=0.5)
    jobs = plan_export(scan, tmp_path / "there", make_options(scale=0.5))
    run_jobs(jobs, Killer(), cluster.address)
    assert cluster.workers[0].poll() is not None, "the worker lived"
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_a_config_of_many_specimens_goes_to_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    """One of them in a zip, which the workers open by its name."""
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    for name in "abc":
        write_flat_series(tmp_path / name, slices=10, size=(64, 64), pixels=pixels + ord(name))
    zipped(tmp_path / "c")
    lines = ["scale: 0.5", "sources:"]
    lines += [f"- {{source: {name}, output: out/{name[0]}}}" for name in ("a", "b", "c.zip")]
    (tmp_path / "all.yaml").write_text("\n".join(lines))
    began = time.monotonic()
    invoked("export", "--config", tmp_path / "all.yaml", "--scheduler", cluster.address)
    assert time.monotonic() - began < 60
    there = contents(tmp_path / "out")
    assert len(there) == 36
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "all.yaml").write_text("\n".join(lines).replace("c.zip", "c"))
    invoked("export", "--config", tmp_path / "all.yaml")
    assert contents(tmp_path / "out") == there


def test_no_scheduler_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.exporting.images.workers.SCHEDULER_TIMEOUT", 1)
    with (
        pytest.raises(UsageError, match="no Dask scheduler answers"),
        dask_workers(f"tcp://127.0.0.1:{free_port()}"),
    ):
        pass


class Striking:
    """Progress that does something after a few slices, once."""

    def __init__(self, strike: Callable[[], object], after: int = 20) -> None:
        self._strike, self._left = strike, after

    def start(self, what: str, total: int | None) -> None:
        pass

    def advance(self, slices: int, source_bytes: int) -> None:
        self._left -= slices if source_bytes else 0
        if self._left <= 0 and self._strike is not None:
            strike, self._strike = self._strike, None  # type: ignore[assignment]
            strike()


def kill(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("lost", ["workers", "scheduler"])
def test_a_cluster_that_is_gone_is_one_message_and_can_be_resumed(
    cluster: Cluster, scan: Path, tmp_path: Path, lost: str
) -> None:
    jobs = plan_export(scan, tmp_path / "there", make_options(scale=0.5, window="40,400"))
    victims = cluster.workers if lost == "workers" else [cluster.scheduler]
    began = time.monotonic()
    with pytest.raises(WorkersLostError, match="run the same command again to go on"):
        run_jobs(jobs, Striking(lambda: kill(*victims)), cluster.address, patience=3)
    assert time.monotonic() - began < 60
    assert not (tmp_path / "there" / "sidecar.json").exists()
    noted = json.loads((tmp_path / "there" / JOURNAL).read_text())["made"]
    assert len(noted) >= 20
    made = {name: (tmp_path / "there" / name).stat().st_mtime_ns for name in noted}
    sidecar.export(scan, tmp_path / "there", scale=0.5, window="40,400")
    assert (
        made.items()
        <= {path.name: path.stat().st_mtime_ns for path in (tmp_path / "there").iterdir()}.items()
    )
    sidecar.export(scan, tmp_path / "here", scale=0.5, window="40,400")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_slow_slices_are_no_lost_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.exporting.images.workers.LOOK", 0.02)
    task, done = Task(0, "a.png", ()), Rendered(0, "", 0)

    def slow(_: Task) -> Rendered:
        time.sleep(0.5)
        return done

    with ThreadPoolExecutor(1) as executor:
        working = Workers(executor, 1, (ConnectionError,), lambda: True, patience=0.1)
        assert list(working.results(slow, [task])) == [done]
        lost = Workers(executor, 1, (ConnectionError,), lambda: False, patience=0.1)
        with pytest.raises(WorkersLostError, match=r"no worker for 0\.1 s"):
            list(lost.results(slow, [task]))


def test_workers_that_come_back_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.exporting.images.workers.LOOK", 0.02)
    looks = iter([False, False, True] * 100)

    def slow(_: Task) -> Rendered:
        time.sleep(1)
        return Rendered(0, "", 0)

    with ThreadPoolExecutor(1) as executor:
        workers = Workers(executor, 1, (ConnectionError,), lambda: next(looks), patience=0.3)
        assert list(workers.results(slow, [Task(0, "a.png", ())]))


def test_the_first_ctrl_c_stops_all_specimens(cluster: Cluster, scan: Path, tmp_path: Path) -> None:
    lines = ["scale: 0.5", "sources:"]
    lines += [f"- {{source: {scan}, output: out/{k}}}" for k in range(12)]
    (tmp_path / "all.yaml").write_text("\n".join(lines))
    arguments = ["sidecar", "export", "--config", "all.yaml", "--scheduler", cluster.address, "-q"]
    code = f"import sys; sys.argv = {arguments!r}; from sidecar.__main__ import entry; entry()"
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    while program.poll() is None and len(list((tmp_path / "out").rglob("*.png"))) < 30:
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, error = program.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert program.returncode == 130
    assert error.decode().splitlines() == [
        "sidecar: interrupted; run the same command again, and it goes on where it stopped"
    ]
    assert not list((tmp_path / "out").rglob(LOCK))
    unfinished = [path for path in (tmp_path / "out").iterdir() if (path / JOURNAL).exists()]
    assert unfinished and not list((tmp_path / "out").rglob("sidecar.json"))
