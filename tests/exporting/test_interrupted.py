"""An export that is stopped, at any moment and in any way, leaves whole PNGs and no sidecar.json,
and goes on where it stopped.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from kit.exports import png_path
from kit.folders import contents
from kit.phantoms import write_flat_series
from PIL import Image

import sidecar
from sidecar.document.model import JOURNAL
from sidecar.errors import OutputError, PixelError, SidecarError
from sidecar.exporting.images import workers
from sidecar.exporting.images.make_png import render
from sidecar.exporting.options import ExportOptions
from sidecar.exporting.run import plan_export, run_job

SLICES = 120
EXPORT = "from sidecar.__main__ import entry; entry()"


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    pixels = np.random.default_rng(7).integers(0, 4096, (256, 256), dtype=np.uint16)
    write_flat_series(folder, slices=SLICES, size=(256, 256), pixels=pixels)
    return folder


@pytest.fixture(scope="module")
def undisturbed(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "png"
    sidecar.export(scan, folder, scale=0.5, jobs=2)
    return contents(folder)


def stopped(scan: Path, output: Path, how: signal.Signals, after: int) -> int:
    """Run an export as a program of its own and stop it when so many PNGs are there; its exit
    code.
    """
    arguments = ["sidecar", "export", str(scan), str(output), "--scale", "0.5", "--jobs", "1"]
    program = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.argv = {arguments!r}; {EXPORT}"],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    while program.poll() is None and (
        not output.exists() or len(list(output.glob("*.png"))) < after
    ):
        time.sleep(0.002)
    program.send_signal(how)
    _, error = program.communicate(timeout=60)
    assert b"Traceback" not in error
    if how != signal.SIGKILL and after and program.returncode:
        assert program.returncode == 128 + how and b"goes on where it stopped" in error
    return program.returncode


#: Ctrl-C at the moment a module is looked for; ``swallowed``: what is loading makes another error
#: of it, as pydantic does at times.
EARLY = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == {name!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                if {swallowed}:
                    raise RuntimeError("the model cannot be built") from None
                raise
sys.meta_path.insert(0, Finder())
sys.argv = {arguments!r}
"""


@pytest.mark.slow
@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize(
    "name",
    ["sidecar.cli.plain", "sidecar.cli.export", "pydantic", "numpy", "sidecar.document.model"],
)
def test_interrupted_while_it_is_being_loaded(
    scan: Path, tmp_path: Path, name: str, swallowed: bool
) -> None:
    arguments = ["sidecar", "export", str(scan), str(tmp_path / "png"), "--window", "auto"]
    program = EARLY.format(name=name, swallowed=swallowed, arguments=arguments) + EXPORT
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (tmp_path / "png").exists()


def test_an_error_that_nobody_interrupted_is_not_hidden(tmp_path: Path) -> None:
    broken = (
        "import sys; sys.modules['sidecar.exporting.run'] = None; sys.argv = ['sidecar', 'export',"
        " 'a', 'b']\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken + EXPORT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3 and "ModuleNotFoundError in exporting/batch.py" in done.stderr


@pytest.mark.slow
def test_it_runs_as_a_module_too(scan: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "sidecar"]
    asked = subprocess.run(
        [*program, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert asked.stdout.startswith("dicom-sidecar ")
    subprocess.run(
        [*program, "export", str(scan), "png", "--scale", "0.5", "-q"], cwd=tmp_path, check=True
    )
    assert (tmp_path / "png" / "sidecar.json").exists()


def noted_in(output: Path) -> dict[str, str]:
    """The PNGs whose digests the journal of an unfinished export holds."""
    journal = output / JOURNAL
    return json.loads(journal.read_text())["made"] if journal.exists() else {}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0, 1, 40])
def test_killed_at_any_moment(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path, how: signal.Signals, after: int
) -> None:
    output = tmp_path / "png"
    stopped(scan, output, how, after)
    whole = list(output.glob("*.png")) if output.exists() else []
    if not (output / "sidecar.json").exists():  # it may have been faster than the signal
        for path in whole:
            with Image.open(path) as image:
                image.load()
    noted = noted_in(output)
    before = {path.name: path.stat().st_mtime_ns for path in whole if path.name in noted}
    if how != signal.SIGKILL and not (output / "sidecar.json").exists():
        assert len(before) >= len(whole) - 16, "what was made before the signal was not noted"
    if not (output / "sidecar.json").exists():
        sidecar.export(scan, output, scale=0.5, jobs=2)
    assert contents(output) == undisturbed
    assert all((output / name).stat().st_mtime_ns == made for name, made in before.items()), (
        "what was whole was made again"
    )


#: Sends a signal while the main thread holds what the workers need to hand in their results.
WITHIN_A_LOCK = """
import os, signal, sys
from concurrent.futures import _base
taken = _base._AcquireFutures.__enter__
def interrupted(self):
    _base._AcquireFutures.__enter__ = taken
    self.futures[0]._condition.acquire()
    os.kill(os.getpid(), signal.{how})
    self.futures[0]._condition.release()
    return taken(self)
_base._AcquireFutures.__enter__ = interrupted
sys.argv = {arguments}
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_a_lock_of_the_workers_does_not_hang(
    scan: Path, tmp_path: Path, how: signal.Signals
) -> None:
    arguments = ["sidecar", "export", str(scan), str(tmp_path / "png"), "-q"]
    program = WITHIN_A_LOCK.format(how=how.name, arguments=arguments) + EXPORT
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 128 + how
    assert "sidecar: interrupted; run the same command again" in done.stderr


def test_a_signal_is_not_lost_when_an_error_ends_the_work() -> None:
    with pytest.raises(KeyboardInterrupt), workers._endings_wait():
        signal.raise_signal(signal.SIGINT)
        raise PixelError("damaged")


def test_the_same_bytes_for_any_number_of_workers(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    for jobs in (1, 5):
        sidecar.export(scan, tmp_path / str(jobs), scale=0.5, jobs=jobs)
        assert contents(tmp_path / str(jobs)) == undisturbed


def unfinished(scan: Path, output: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """An export that stops half way for want of space."""

    def until_full(recipe: Any, task: Any) -> Any:
        if task.index >= SLICES // 2:
            raise OutputError("the disk is full")
        return render(recipe, task)

    with monkeypatch.context() as patch:
        patch.setattr("sidecar.exporting.run.render", until_full)
        with pytest.raises(OutputError, match="disk is full"):
            sidecar.export(scan, output, **options)
    assert not (output / "sidecar.json").exists() and len(list(output.glob("*.png"))) >= SLICES // 2


def resaved(path: Path) -> bytes:
    """The PNG with one pixel changed by a program that writes PNGs well."""
    with Image.open(path) as image:
        pixels = np.asarray(image).copy()
    pixels[3, 4] ^= 1
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_png_that_nobody_noted_is_made_again(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole and of the right name: of a run that was killed before it noted it, or of anybody."""
    output = tmp_path / "png"
    unfinished(scan, output, monkeypatch, scale=0.5)
    names = sorted(undisturbed.keys() - {"sidecar.json", "viewer.html"})
    (output / names[-1]).write_bytes(undisturbed[names[0]])
    journal = json.loads((output / JOURNAL).read_text())
    del journal["made"][names[1]]
    (output / JOURNAL).write_text(json.dumps(journal))
    (output / names[1]).write_bytes(undisturbed[names[2]])
    sidecar.export(scan, output, scale=0.5, jobs=2)
    assert contents(output) == undisturbed


def test_a_journal_that_a_power_failure_damaged_starts_anew_only_when_asked_to(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "png"
    unfinished(scan, output, monkeypatch, scale=0.5)
    (output / JOURNAL).write_bytes(b"")
    with pytest.raises(OutputError, match="overwrite=True"):
        sidecar.export(scan, output, scale=0.5)
    sidecar.export(scan, output, scale=0.5, overwrite=True)
    assert contents(output) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", ["empty", "zeros", "cut short", "a flipped byte", "another PNG", "saved again"]
)
def test_pngs_that_are_not_as_they_were_made_are_made_again(
    scan: Path,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    output = tmp_path / "png"
    unfinished(scan, output, monkeypatch, scale=0.5)
    first, second, *others = sorted(output.glob("*.png"))
    for path in (first, second):
        whole = path.read_bytes()
        left = {
            "empty": b"",
            "zeros": bytes(len(whole)),
            "cut short": whole[: len(whole) // 2],
            "a flipped byte": whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:],
            "another PNG": others[5].read_bytes(),
            "saved again": resaved(path),
        }
        path.write_bytes(left[damage])
    before = {path: path.stat().st_mtime_ns for path in others}
    sidecar.export(scan, output, scale=0.5, jobs=2)
    assert contents(output) == undisturbed
    assert all(path.stat().st_mtime_ns == made for path, made in before.items()), (
        "what was whole was made again"
    )


def test_a_few_tasks_keep_all_workers_busy(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many that wait, as for a storage far away, get one slice each; later ones come together."""
    together: list[int] = []
    each = workers._each
    monkeypatch.setattr(
        workers, "_each", lambda work, batch: together.append(len(batch)) or each(work, batch)
    )
    sidecar.export(scan, tmp_path / "many", scale=0.5, jobs=64)
    assert together == [1] * SLICES
    together.clear()
    sidecar.export(scan, tmp_path / "two", scale=0.5, jobs=2)
    assert sum(together) == SLICES and together[:6] == [1] * 6 and max(together) == 8
    assert contents(tmp_path / "many") == contents(tmp_path / "two")


def test_what_a_lost_worker_had_begun_does_not_stay(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaving(recipe: Any, task: Any) -> Any:
        Path(recipe.output, f"{task.name}.0c686362.part").touch()
        Path(recipe.output, "photo.png.0c686362.part").write_bytes(b"of somebody else")
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", leaving)
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    assert contents(tmp_path / "png") == undisturbed | {
        "photo.png.0c686362.part": b"of somebody else"
    }


def test_nobody_writes_on_after_a_failure(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is given back when the last worker has stopped, not before."""
    late, over = list[int](), list[float]()

    def failing(recipe: Any, task: Any) -> Any:
        if task.index == 20:
            raise OutputError("the disk is full")
        time.sleep(0.01)
        done = render(recipe, task)
        late.extend([task.index] * bool(over))
        return done

    monkeypatch.setattr("sidecar.exporting.run.render", failing)
    released = FileLock.release
    monkeypatch.setattr(
        FileLock,
        "release",
        lambda self, **how: (over.append(time.monotonic()), released(self, **how)),
    )
    with pytest.raises(OutputError, match="disk is full"):
        sidecar.export(scan, tmp_path / "png", scale=0.5, jobs=4)
    assert over and not late


def test_a_changed_plan_is_refused(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished(scan, tmp_path / "png", monkeypatch, scale=0.5)
    with pytest.raises(OutputError, match=r"unfinished export.*overwrite=True"):
        sidecar.export(scan, tmp_path / "png", scale=0.25)
    png = sidecar.export(scan, tmp_path / "png", scale=0.25, overwrite=True)
    assert png.size == (64, 64, SLICES)
    with Image.open(png_path(tmp_path / "png", 0)) as image:
        assert image.size == (64, 64)


def test_a_changed_source_is_refused(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "scan"
    shutil.copytree(scan, copy)
    unfinished(copy, tmp_path / "png", monkeypatch, scale=0.5)
    victim = random.Random(1).choice(sorted(path for path in copy.rglob("*") if path.is_file()))
    os.utime(victim, (1, 1))
    with pytest.raises(OutputError, match="another source"):
        sidecar.export(copy, tmp_path / "png", scale=0.5)


def test_a_finished_export_is_not_touched(scan: Path, tmp_path: Path) -> None:
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    before = contents(tmp_path / "png")
    with pytest.raises(OutputError, match=r"finished export.*overwrite=True"):
        sidecar.export(scan, tmp_path / "png", scale=0.25)
    assert contents(tmp_path / "png") == before


def test_a_second_export_into_one_folder_is_refused(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = []

    def and_again(recipe: Any, task: Any) -> Any:
        if task.index == 3:
            with pytest.raises(OutputError, match="another export is writing") as caught:
                sidecar.export(scan, tmp_path / "png", scale=0.5)
            met.append(caught)
        return render(recipe, task)

    monkeypatch.setattr("sidecar.exporting.run.render", and_again)
    sidecar.export(scan, tmp_path / "png", scale=0.5, jobs=1)
    assert met


def test_a_source_that_vanishes_is_one_message_and_can_be_resumed(
    scan: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    copy = tmp_path / "scan"
    shutil.copytree(scan, copy, copy_function=shutil.copy2)
    (job,) = plan_export(copy, tmp_path / "png", ExportOptions(scale=0.5, window=(100.0, 50.0)))
    victim = copy / job.plan.series.frames[SLICES // 2].file
    kept = victim.rename(tmp_path / "kept")
    with pytest.raises(SidecarError, match=victim.name):
        run_job(job)
    kept.rename(victim)
    png = run_job(job)
    assert png.size[2] == SLICES


def test_a_decoder_that_fails_is_one_message(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(recipe: Any, task: Any) -> Any:
        raise PixelError("frame 1 of x.dcm cannot be decoded")

    monkeypatch.setattr("sidecar.exporting.run.render", broken)
    with pytest.raises(PixelError, match="cannot be decoded"):
        sidecar.export(scan, tmp_path / "png", scale=0.5)
    assert not (tmp_path / "png" / "sidecar.json").exists()
