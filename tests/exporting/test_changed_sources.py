"""A source file that is replaced while it is exported is noticed, whatever its size and time say; no
document certifies PNGs of files that nobody planned with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.phantoms import write_flat_series

from sidecar.errors import OutputError, PixelError, SidecarError, SourceError
from sidecar.exporting.images.make_png import render
from sidecar.exporting.job import Job
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.run import plan_export, run_job

SLICES = 24
Replace = Callable[[Path, Path], object]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An export of slices that look alike and are of one size: only headers tell them apart."""
    pixels = np.random.default_rng(7).integers(0, 4096, (64, 64), dtype=np.uint16)
    write_flat_series(tmp_path / "scan", slices=SLICES, size=(64, 64), pixels=pixels)
    options = ExportOptions(window=(100.0, 4000.0), jobs=1)
    (job,) = plan_export(tmp_path / "scan", tmp_path / "png", options)
    return job


def file_of(job: Job, k: int) -> Path:
    return Path(str(job.source), job.plan.series.frames[k].file)


def copied(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def moved_in(source: Path, target: Path) -> None:
    shutil.copyfile(source, target.with_name("new"))
    target.with_name("new").replace(target)


def of_the_same_time(source: Path, target: Path) -> None:
    """Size and time of the file stay as they were: only the header tells."""
    was = target.stat()
    shutil.copyfile(source, target)
    os.utime(target, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.parametrize("replace", [copied, moved_in, of_the_same_time])
def test_a_file_that_is_replaced_before_its_pixels_are_read(
    job: Job, tmp_path: Path, replace: Replace
) -> None:
    replace(file_of(job, 10), file_of(job, 15))
    with pytest.raises(PixelError, match=f"{file_of(job, 15).name}.* no longer the one"):
        run_job(job)
    assert not (tmp_path / "png" / "sidecar.json").exists()


@pytest.mark.parametrize("replace", [copied, moved_in])
def test_a_file_that_is_replaced_after_its_pixels_were_read(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: Replace
) -> None:
    def late(recipe: Any, task: Any) -> Any:
        if task.index == SLICES - 1:
            replace(file_of(job, 10), file_of(job, 3))
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", late)
    with pytest.raises(SourceError, match=f"{file_of(job, 3).name} changed after.*--overwrite"):
        run_job(job)
    assert not (tmp_path / "png" / "sidecar.json").exists()
    (again,) = plan_export(job.source, tmp_path / "png", job.plan.options)
    with pytest.raises(SidecarError):  # two slices at one place, or another source: never finished
        run_job(again)


def test_a_file_that_is_written_to_while_it_is_read(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels that are of two scans, of one file with one header."""

    def late(recipe: Any, task: Any) -> Any:
        if task.index == 20:
            with file_of(job, 5).open("r+b") as file:
                file.seek(-100, os.SEEK_END)
                file.write(bytes(100))
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", late)
    with pytest.raises(SourceError, match="changed after the headers were read"):
        run_job(job)
    (again,) = plan_export(job.source, tmp_path / "png", job.plan.options)
    with pytest.raises(OutputError, match=r"another source.*--overwrite"):
        run_job(again)


def test_a_source_that_is_gone_in_the_end(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(recipe: Any, task: Any) -> Any:
        if task.index == 20:
            file_of(job, 5).unlink()
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", late)
    with pytest.raises(SourceError, match=r"No such file.*no sidecar\.json is written"):
        run_job(job)
    assert not (tmp_path / "png" / "sidecar.json").exists()


def test_another_process_knows_an_export_of_the_same_source(job: Job) -> None:
    """Otherwise the same command, run again, would refuse to go on, or what it had finished."""
    code = (
        "import sys; from sidecar.exporting.run import plan_export\n"
        "from sidecar.exporting.options import ExportOptions\n"
        "options = ExportOptions(window=(100.0, 4000.0), jobs=1)\n"
        "(job,) = plan_export(sys.argv[1], sys.argv[2], options)\n"
        "print(job.plan.made_from, job.plan.digest)"
    )
    command = [sys.executable, "-c", code, str(job.source), str(job.output)]
    for seed in ("1", "2"):
        told = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert told.stdout.split() == [job.plan.made_from, job.plan.digest]
