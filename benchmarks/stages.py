"""Milliseconds of processor per slice of every stage on one thread, beside the least it can take:
the best way known, in the same run.

The slices go through all stages one after the other, as in an export, so that caches are as warm as
they are there and no warmer.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scan as scans
from benchmarks.dicom import Kind
from benchmarks.measure import ENVIRONMENT
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import BITS
from sidecar.cli import QUICK_START
from sidecar.dicom.pixels import FrameLocator, read_plane
from sidecar.dicom.scan import scan
from sidecar.exporting.images.window_choice import choose_values
from sidecar.exporting.job import Job
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export
from sidecar.formats import png
from sidecar.grid.reduce import reduce_plane
from sidecar.storage.whole_file import write_unsynced

STAGES = ("read", "mean", "window", "filter", "deflate", "digest", "write")
#: Slices that are timed, and those before them that warm everything up.
SLICES, WARM = 60, 8
_IMPORTS = (
    "import sidecar.cli; import sidecar.exporting.run; import sidecar.cli.export",
    "import numpy; from isal import isal_zlib",
)


@dataclass(frozen=True)
class Stage:
    """Median milliseconds of processor per slice, ours and the least, and how the least is
    reached.
    """

    name: str
    ours: float
    least: float
    way: str


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """All stages by bits."""
    source = scans.write_scan(
        settings.work / f"native_{settings.size}_{SLICES}", Kind(settings.size), SLICES
    )
    figures: dict[str, Any] = {"slices": max(settings.slices), "bits": {}}
    for bits in BITS:
        stages = stages_of(source, settings.work, bits, max(settings.slices))
        figures["bits"][str(bits)] = [asdict(stage) for stage in stages]
        ours, least = sum(stage.ours for stage in stages), sum(stage.least for stage in stages)
        tell(f"  {bits} bits: {ours:.2f} ms per slice, at least {least:.2f}")
    return figures


def stages_of(source: Path, work: Path, bits: int, slices: int) -> list[Stage]:
    """All stages of an export of ``source`` to half size.

    Imports are shared out over ``slices`` slices.
    """
    (job,) = plan_export(source, work / "stages", make_options(scale=0.5, bits=bits))
    output = work / "stages"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    ours, least = _rounds(_ours(job, bits), job, output), _rounds(_least(job, bits), job, output)
    ways = dict(zip(STAGES, _WAYS, strict=True))
    found = [_stage(name, ours[name], least[name], ways[name]) for name in STAGES]
    files = sorted(source.iterdir())
    scanned, walked = (
        _seconds(lambda: scan(source)),
        _seconds(lambda: [_walk(path) for path in files]),
    )
    found.append(
        _stage(
            "header scan",
            1000 * scanned / len(files),
            1000 * walked / len(files),
            "a walk over the elements, no values",
        )
    )
    program, imported = (1000 * _import_seconds(line) / slices for line in _IMPORTS)
    found.append(
        _stage(f"imports, for {slices} slices", program, imported, "Python, numpy and isal alone")
    )
    shutil.rmtree(output, ignore_errors=True)
    return found


def _stage(name: str, ours: float, least: float, way: str) -> Stage:
    return (
        Stage(name, ours, least, way) if least < ours else Stage(name, ours, ours, "as it is done")
    )


Slice = Callable[[FrameLocator, Path], Iterator[None]]


def _rounds(one: Slice, job: Job, output: Path) -> dict[str, float]:
    """Median milliseconds of each stage: ``one`` is a generator that yields where a stage ends."""
    frames = [frame.locator for frame in job.plan.frames_read()]
    taken: dict[str, list[float]] = {name: [] for name in STAGES}
    for k, frame in enumerate([*frames[:WARM], *frames]):
        stages, began = one(frame, output / f"slice_{k:05d}.png"), time.process_time_ns()
        for name in STAGES:
            next(stages)
            now = time.process_time_ns()
            taken[name].append((now - began) / 1e6)
            began = now
    return {name: statistics.median(values[WARM:]) for name, values in taken.items()}


def _ours(job: Job, bits: int) -> Slice:
    """The stages of `sidecar.exporting.images.make_png.render`, cut apart."""
    decimation, values = job.plan.decimation, choose_values(job.plan, job.source)
    assert values is not None

    def one(frame: FrameLocator, path: Path) -> Iterator[None]:
        plane = read_plane(job.source, frame)
        yield
        reduced = reduce_plane(plane, decimation.columns, decimation.rows)
        yield
        gray = values.apply(reduced, frame.rescale)
        yield
        lines = png._up(gray)
        yield
        compressed = png._compress["fast"](lines)
        yield
        hashlib.sha256(compressed).hexdigest()
        yield
        write_unsynced(str(path), compressed)
        yield

    return one


_WAYS = (
    "preadv into page-aligned memory",
    "OpenCV INTER_AREA",
    "OpenCV convertScaleAbs",
    "two numpy calls into memory that is there",
    "isal level 1 of the same rows",
    "SHA-256 of the same bytes",
    "open, write, close",
)


def _least(job: Job, bits: int) -> Slice:
    """The same with what is known to be quickest, in memory that is there, and without any
    check.
    """
    layout = job.plan.series.common.layout
    memory = mmap.mmap(-1, 2 * layout.rows * layout.columns)
    plane = np.frombuffer(memory, layout.dtype).reshape(layout.rows, layout.columns)
    row_bytes = layout.columns // 2 * bits // 8
    lines = np.full((layout.rows // 2, row_bytes + 1), 2, np.uint8)
    swapped = np.empty((layout.rows // 2, layout.columns // 2), ">u2")
    mean, window = _best_mean(job), _best_window(bits)

    def one(frame: FrameLocator, path: Path) -> Iterator[None]:
        file = os.open(job.source / frame.file, os.O_RDONLY)
        os.preadv(file, [memory], frame.offset or 0)
        os.close(file)
        yield
        reduced = mean(plane)
        yield
        gray = window(reduced)
        yield
        if bits == 16:
            swapped[...] = gray
            gray = swapped.view(np.uint8)
        lines[0, 1:] = gray[0]
        np.subtract(gray[1:], gray[:-1], out=lines[1:, 1:])
        yield
        compressed = png._compress["fast"](lines)
        yield
        hashlib.sha256(compressed).digest()
        yield
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(file, compressed)
        os.close(file)
        yield

    return one


def _best_mean(job: Job) -> Callable[[Any], Any]:
    decimation = job.plan.decimation
    if not find_spec("cv2"):
        return lambda plane: reduce_plane(plane, decimation.columns, decimation.rows)
    import cv2

    cv2.setNumThreads(1)
    size = decimation.size[:2]
    return lambda plane: cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def _best_window(bits: int) -> Callable[[Any], Any]:
    if bits == 16:
        return lambda gray: gray
    if find_spec("cv2"):
        import cv2

        return partial(cv2.convertScaleAbs, alpha=255 / 44000, beta=-2000 * 255 / 44000)
    return lambda gray: (gray >> 8).astype(np.uint8)


def _walk(path: Path) -> int:
    """Where the pixels of a file in Explicit VR Little Endian begin."""
    file = os.open(path, os.O_RDONLY)
    data, at, element = os.read(file, 8192), 132, struct.Struct("<I2sHI").unpack_from
    os.close(file)
    while True:
        tag, vr, short, long = element(data, at)
        if tag == 0x00107FE0:
            return at + 12
        at += 12 + long if vr == b"OB" else 8 + short


def _seconds(work: Callable[[], Any]) -> float:
    """Seconds of processor of the second of two times."""
    work()
    began = time.process_time()
    work()
    return time.process_time() - began


def _import_seconds(line: str, times: int = 5) -> float:
    """Median seconds of processor of a Python that runs one line, start and end included."""
    code = (
        "import resource, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]],"
        " check=True); "
    )
    code += "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
    command: Sequence[str] = [sys.executable, "-c", code, line]
    environment = ENVIRONMENT | QUICK_START  # as `sidecar.cli.main` sets it
    taken = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(times)
    )
    return statistics.median(map(float, taken))
