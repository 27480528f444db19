"""Flat memory: the peak of a whole export, measured from outside, hardly knows how many slices
there are.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.adopted_images import autoscaled, texture, write_images, write_scan
from kit.needs import not_watched
from kit.phantoms import Phantom, write_flat_series, write_sparse_fragments, write_sparse_multiframe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="the peak is read from /proc"
    ),
]

MEASURED = """
import sys
from collections.abc import Callable
from sidecar.cli import main
sys.argv = ["sidecar", *sys.argv[1:]]
main()
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def peak_kib(*arguments: object) -> int:
    """Peak resident memory of one command run as a program of its own; it starts no others."""
    run = subprocess.run(
        [sys.executable, "-c", _after_main(MEASURED), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout.split()[-1])


def _after_main(script: str) -> str:
    """`main` ends the program; what follows it is to run all the same."""
    return script.replace(
        "\nmain()\n",
        "\ntry:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code, ended\n",
    )


def test_memory_does_not_grow_with_slices(tmp_path: Path) -> None:
    peaks = {}
    for slices in (100, 2100):
        write_flat_series(tmp_path / f"scan{slices}", slices=slices, size=(64, 64))
        peaks[slices] = peak_kib(
            "export",
            tmp_path / f"scan{slices}",
            tmp_path / f"png{slices}",
            "--scale",
            "0.5",
            "--jobs",
            "2",
            "-q",
        )
    assert (peaks[2100] - peaks[100]) / 2000 < 10


@pytest.mark.parametrize(
    ("edge", "most_mb", "options"),
    [(1024, 100, []), (2048, 250, []), (1024, 110, ["--z-step", "5", "--z-filter", "mean"])],
)
def test_peak_with_two_workers(edge: int, most_mb: int, options: list[str], tmp_path: Path) -> None:
    write_flat_series(tmp_path / "scan", slices=40, size=(edge, edge))
    peak = peak_kib(
        "export",
        tmp_path / "scan",
        tmp_path / "png",
        "--scale",
        "0.5",
        "--jobs",
        "2",
        "-q",
        *options,
    )
    assert peak / 1000 < most_mb


@pytest.mark.parametrize(
    ("writer", "frames"), [(write_sparse_multiframe, 500), (write_sparse_fragments, 2500)]
)
def test_a_huge_multiframe_file_is_read_frame_by_frame(
    writer: Callable[..., Phantom], frames: int, tmp_path: Path
) -> None:
    """4 GB in one file, as much as a native one can hold, and 20 GB in fragments; both are sparse,
    and few frames are wanted.
    """
    (path,) = set(writer(tmp_path / "scan", frames=frames, size=(2048, 2000)).files())
    assert path.stat().st_size > 8.19e6 * frames
    peak = peak_kib(
        "export",
        tmp_path / "scan",
        tmp_path / "png",
        "--scale",
        "0.25",
        "--z-step",
        frames // 10,
        "--jobs",
        "2",
        "-q",
    )
    assert peak / 1000 < 300
    assert len(list((tmp_path / "png").glob("*.png"))) == 10


@not_watched
def test_adopting_keeps_thumbnails_only(tmp_path: Path) -> None:
    peaks = {}
    for slices in (200, 800):
        volume = texture(64, 64, slices)
        scan = write_scan(tmp_path / f"scan{slices}", volume).folder
        images = write_images(tmp_path / f"images{slices}", [autoscaled(plane) for plane in volume])
        peaks[slices] = peak_kib("adopt", scan, images, "-q")
    assert (peaks[800] - peaks[200]) / 600 < 20
