"""How work grows: every command on n and on 4n of what it takes, by seconds of processor and peak
memory.

The exponent is that of the seconds: 1 where four times as much takes four times as long. The start
of the program is in it, so that it is below 1 where there is little to do.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import growing_input as inputs
from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import Taken, run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import sidecar

#: How many times as much the second run of each has.
TIMES = 4
#: Edge of the slices that masks are mapped to.
MASKED = 512
#: And of those whose images are adopted, which are not holes.
ADOPTED = 128


@dataclass(frozen=True)
class Case:
    """One command that something makes grow.

    ``count``: how much of ``what`` the first run has. ``command``: by a folder to work in and the
    count, what to run; it writes what it reads.
    """

    name: str
    what: str
    count: int
    command: Callable[[Path, int], Sequence[str | Path]]


def _export(source: Path, work: Path, *more: str | Path) -> Sequence[str | Path]:
    return sidecar("export", source, work / "png", "--scale", "1/2", "--jobs", "2", "-q", *more)


def _exported(work: Path, slices: int, size: int = inputs.SIZE) -> Path:
    """The folder of an export of so many slices."""
    run(_export(inputs.slices(work / "scan", slices, size), work))
    return work / "png"


def _labelled(
    write: Callable[[Path, Path, int], Path], *words: str, slices: int | None = 100
) -> Callable[[Path, int], Sequence[str | Path]]:
    """A command on ``count`` labels of one export, which has as many slices where ``slices`` is
    None; SCAN stands for the folder of its source.
    """

    def command(work: Path, count: int) -> Sequence[str | Path]:
        png = _exported(work, slices or count)
        labels = write(work, png, count)
        rest = [work / "scan" if word == "SCAN" else word for word in words[1:]]
        return sidecar(words[0], labels, *rest, "--sidecar", png, "-o", work / "result.csv")

    return command


def _masked(*words: str, slices: int | None = None) -> Callable[[Path, int], Sequence[str | Path]]:
    """map-mask of a painted stack: with ``count`` segments on ``slices``, or one on ``count``."""

    def command(work: Path, count: int) -> Sequence[str | Path]:
        png = _exported(work, slices or count, MASKED)
        painted = inputs.painted(work / "painted", png, 1 if slices is None else count)
        rest = [work / "scan" if word == "SCAN" else word for word in words]
        return sidecar("map-mask", painted, "--sidecar", png, *rest, "-o", work / "mask.out", "-q")

    return command


def _of_slices(*words: str, made: bool = True) -> Callable[[Path, int], Sequence[str | Path]]:
    """A command on an export, or on a scan, of ``count`` slices."""

    def command(work: Path, count: int) -> Sequence[str | Path]:
        places = {"SCAN": inputs.slices(work / "scan", count), "OUT": work / "out"}
        if made:
            places["PNG"] = _exported(work, count)
        return sidecar(*(places.get(word, word) for word in words))

    return command


def _prepare(work: Path, count: int) -> Sequence[str | Path]:
    names = work / "names.txt"
    names.write_text("".join(f"landmark {k}\n" for k in range(50)), encoding="utf-8")
    png = _exported(work, count)
    return sidecar("prepare", "label-studio", png, "--names", names, "-o", work / "project")


def _stacks(work: Path, count: int) -> Sequence[str | Path]:
    return _export(inputs.stacks(work / "scan", count), work, "--series", "all")


def _config(work: Path, count: int) -> Sequence[str | Path]:
    return sidecar("export", "--config", inputs.config(work, count), "--jobs", "2", "-q")


def _frames(work: Path, count: int) -> Sequence[str | Path]:
    return sidecar("inspect", inputs.enhanced(work / "scan", count))


def _measure(work: Path, count: int) -> Sequence[str | Path]:
    table = inputs.mapped(work, _exported(work, 100), count)
    return sidecar("measure", table, "--distance", "landmark 0,landmark 1")


def _specimens(work: Path, count: int) -> Sequence[str | Path]:
    return sidecar("align", *inputs.specimens(work, count), "--group", "-o", work / "aligned")


def _zooms(
    landmarks: int | None = None, slices: int | None = None
) -> Callable[[Path, int], Sequence[str | Path]]:
    """zoom of so many landmarks on so many slices; the one that is None is ``count``."""

    def command(work: Path, count: int) -> Sequence[str | Path]:
        png = _exported(work, slices or count)
        labels = inputs.table(work, png, landmarks or count)
        places = ("--source", work / "scan", "--sidecar", png, "-o", work / "zooms")
        return sidecar("zoom", labels, *places, "--size", "0.1mm", "-q")

    return command


def _results(work: Path, count: int) -> Sequence[str | Path]:
    made = inputs.exports(work / "png", inputs.slices(work / "scan", 9), count)
    return _on_many(work, made, [inputs.results(work, made)])


def _beside(work: Path, count: int) -> Sequence[str | Path]:
    made = inputs.adopted(work / "png", work / "scan", count)
    return _on_many(work, made, inputs.beside(made))


def _on_many(work: Path, exports: Path, labels: Sequence[Path]) -> Sequence[str | Path]:
    return sidecar("map-points", *labels, "--sidecar", exports, "-o", work / "result.csv")


def _adopt(work: Path, count: int) -> Sequence[str | Path]:
    source = scan.write_scan(work / "scan", Kind(ADOPTED), count)
    run(_export(source, work))
    for path in (work / "png").iterdir():
        if path.suffix != ".png":
            path.unlink()
    return sidecar("adopt", source, work / "png", "--flip", "none", "--z-step", "1", "-q")


CASES = (
    Case("inspect", "slices", 1000, _of_slices("inspect", "SCAN", made=False)),
    Case("inspect, one enhanced file", "frames", 1000, _frames),
    Case(
        "export",
        "slices",
        1000,
        _of_slices("export", "SCAN", "OUT", "--scale", "1/2", "-q", made=False),
    ),
    Case("export --series all", "stacks", 100, _stacks),
    Case("export --config", "sources", 100, _config),
    Case(
        "export --plane sagittal",
        "slices",
        500,
        _of_slices("export", "SCAN", "OUT", "--plane", "sagittal", "-q", made=False),
    ),
    Case("map-points, CSV", "rows", 40_000, _labelled(inputs.table, "map-points")),
    Case("map-points, COCO", "labels", 10_000, _labelled(inputs.coco, "map-points")),
    Case("map-points, LabelMe", "PNGs", 250, _labelled(inputs.labelme, "map-points", slices=None)),
    Case("map-points, CSVs", "PNGs", 250, _labelled(inputs.tables, "map-points", slices=None)),
    Case("map-points, ImageJ", "exports", 100, _results),
    Case("map-points, CSVs beside", "adopted stacks", 50, _beside),
    Case("map-mask, slices", "slices", 100, _masked("--to", "seg.nrrd")),
    Case(
        "map-mask, DICOM SEG",
        "segments",
        50,
        _masked("--to", "dicom-seg", "--dicom", "SCAN", slices=20),
    ),
    Case(
        "map-mask, RTSTRUCT",
        "segments",
        50,
        _masked("--to", "dicom-rtstruct", "--dicom", "SCAN", slices=20),
    ),
    Case("project", "rows", 40_000, _labelled(inputs.mapped, "project")),
    Case("measure", "landmarks", 10_000, _measure),
    Case("align --group", "specimens", 25, _specimens),
    Case("zoom", "landmarks", 10, _zooms(slices=200)),
    Case("zoom, 20 landmarks", "slices", 1000, _zooms(landmarks=20)),
    Case("adopt", "images", 50, _adopt),
    Case(
        "report",
        "labels",
        50,
        _labelled(inputs.table, "report", "--source", "SCAN", slices=500),
    ),
    Case("check", "slices", 500, _of_slices("check", "PNG", "--source", "SCAN")),
    Case("view", "slices", 500, _of_slices("view", "PNG")),
    Case("prepare", "slices", 500, _prepare),
)


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Of every command the seconds of processor and the bytes at the peak, at n and 4n."""
    figures: dict[str, Any] = {}
    for case in CASES:
        first, second = (_taken(case, count, settings.work) for count in _counts(case))
        exponent = math.log(second.cpu / first.cpu, TIMES)
        figures[case.name] = {
            "what": case.what,
            "counts": _counts(case),
            "cpu": [first.cpu, second.cpu],
            "peak": [first.peak, second.peak],
            "exponent": exponent,
        }
        tell(line(case.name, figures[case.name]))
    return figures


def line(name: str, figures: dict[str, Any]) -> str:
    """What is told of one command."""
    counts, cpu, peak = (figures[key] for key in ("counts", "cpu", "peak"))
    return (
        f"  {name}: {counts[0]:,} and {counts[1]:,} {figures['what']}: {cpu[0]:.2f} and"
        f" {cpu[1]:.2f} s (exponent {figures['exponent']:.2f}), {peak[0] / 1e6:.0f} and"
        f" {peak[1] / 1e6:.0f} MB"
    )


def _counts(case: Case) -> tuple[int, int]:
    return case.count, TIMES * case.count


def _taken(case: Case, count: int, work: Path) -> Taken:
    """One run in a folder of its own, which goes in the end."""
    folder = work / "growth"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        return run(case.command(folder, count))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
