"""The same export on a real Dask scheduler with two real workers, one of which is killed on the
way: the same bytes.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import invoked
from kit.folders import contents
from kit.phantoms import write_flat_series
from kit.zips import zipped

import sidecar
from sidecar.errors import UsageError
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export, run_jobs
from sidecar.exporting.workers import dask_workers

pytest.importorskip("distributed")

# Dask's own start-up and shutdown; nothing of ours.
pytestmark = [
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
    monkeypatch.setattr("sidecar.exporting.workers.SCHEDULER_TIMEOUT", 1)
    with (
        pytest.raises(UsageError, match="no Dask scheduler answers"),
        dask_workers(f"tcp://127.0.0.1:{free_port()}"),
    ):
        pass
