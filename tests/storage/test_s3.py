"""Scans and exports on a real S3 server: only ranges are fetched, killed and resumed, and every
fault is one message without a secret.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.exports import png_names
from kit.folders import contents
from kit.phantoms import Spec, write, write_flat_series
from kit.stores import SECRET, Counted, Store, meanwhile
from pydicom.uid import (
    RLELossless,
)

import sidecar
from sidecar.document.model import JOURNAL
from sidecar.errors import DocumentError, OutputError
from sidecar.exporting.options import make_options
from sidecar.exporting.output_folder import LOCK
from sidecar.exporting.run import plan_export, run_job
from sidecar.storage.locate import locate

#: Every PNG is noted at once, not a second later.
NOTING_ALL = (
    "from sidecar.exporting import output_folder; output_folder.JOURNAL_EVERY = 0;"
    " output_folder.JOURNAL_REST = 0"
)
EXPORT = "from sidecar.__main__ import entry; entry()"
SLICES, EDGE = 40, 200


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    local = tmp_path_factory.mktemp("flat")
    pixels = np.random.default_rng(7).integers(0, 4096, (EDGE, EDGE), dtype=np.uint16)
    write_flat_series(local, slices=SLICES, size=(EDGE, EDGE), pixels=pixels)
    return local


@pytest.mark.slow
def test_the_command_line_on_s3(s3: Store, scan: Path, run: CommandLine, tmp_path: Path) -> None:
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    url = s3.put(scan, "scan")
    assert run.done("inspect", url).out == run.done("inspect", scan).out
    told = run.done("export", url, f"{s3.url}/png", "--scale", "1/2")
    assert "png: 40 PNGs of 100 × 100" in told.err and SECRET not in told.out + told.err
    assert s3.contents("png") == contents(tmp_path / "png")
    (tmp_path / "labels.csv").write_text(f"image,x,y\n{png_names(tmp_path / 'png')[3]},10.5,20\n")
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
    assert "1 point, read as generic CSV" in by_url.err
    by_path = run.done(
        "map-points",
        tmp_path / "labels.csv",
        "--sidecar",
        tmp_path / "png",
        "--pixel-origin",
        "center",
    )
    assert (tmp_path / "mapped.csv").read_text() == by_path.out


@pytest.mark.slow
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


@pytest.mark.slow
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
    (job,) = plan_export(locate(url), tmp_path / "png", make_options(bits=16, crop=":,:,10:11"))
    counted.clear()
    run_job(job)
    header, item, frame = 1 << 16, 256, file.stat().st_size / 30
    assert list(counted.requests.values()) == [3]
    assert header + item + frame / 2 < sum(counted.sent.values()) < header + item + 2 * frame


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_two_exports_on_s3(s3: Store, scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server's conditional PUT, and what it answers to the second."""
    far = locate(f"{s3.url}/elsewhere/{LOCK}")
    assert (far.create(b"mine"), far.create(b"yours"), far.read_bytes()) == (True, False, b"mine")  # type: ignore[attr-defined]

    def second() -> None:
        with pytest.raises(OutputError, match="another export is writing to png now"):
            sidecar.export(scan, f"{s3.url}/png", scale=0.5)

    meanwhile(monkeypatch, second)
    sidecar.export(scan, f"{s3.url}/png", scale=0.5)
    assert LOCK not in s3.contents("png")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_killed_and_resumed(
    s3: Store, scan: Path, tmp_path: Path, server: tuple[str, Counted]
) -> None:
    sixth = sidecar.export(scan, tmp_path / "png", scale=0.5).document.images.files[5].name
    url, counted = s3.put(scan, "scan"), server[1]
    counted.clear()
    arguments = ["sidecar", "export", url, f"{s3.url}/png", "--scale", "0.5", "--jobs", "1"]
    program = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.argv = {arguments!r}; {NOTING_ALL}; {EXPORT}"],
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
    noted = json.loads(before[JOURNAL])["made"].keys()
    assert len(noted) >= 1 and noted <= before.keys()
    counted.clear()
    sidecar.export(url, f"{s3.url}/png", scale=0.5)
    assert s3.contents("png") == contents(tmp_path / "png")
    assert not set(counted.puts) & noted, "what was whole was made again"


@pytest.mark.slow
def test_a_missing_bucket_is_one_message(s3: Store, scan: Path, run: CommandLine) -> None:
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


@pytest.mark.slow
def test_wrong_credentials_are_one_message(
    s3: Store,
    scan: Path,
    server: tuple[str, Counted],
    run: CommandLine,
) -> None:
    url = s3.put(scan, "scan")

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
    s3: Store, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

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


@pytest.mark.slow
def test_credentials_in_a_url_are_never_shown(s3: Store, run: CommandLine) -> None:
    for place_ in ("no-such-bucket", "no-such-bucket/scan"):
        told = run.refuses("inspect", f"s3://AKIAIOSFODNN7EXAMPLE:{SECRET}@{place_}", says="")
        assert SECRET not in told and "AKIA" not in told
