"""Peak memory of all processes of an export, against the number of slices: sources whose pixels are
holes, so that nothing else grows.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import scan
from benchmarks.dicom import Kind
from benchmarks.measure import run
from benchmarks.settings import Settings, Tell
from benchmarks.throughput import export

SLICES = (100, 1_000, 10_000)
#: Slices and edge of the scans that masks are mapped to.
MASKED, MASK_EDGE = (100, 500), 512
#: A file of 21 GB.
FRAMES = 10_000


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Peaks in bytes by edge and slices; of means over slices; and of one large multi-frame
    file.
    """
    peaks: dict[str, dict[str, int]] = {}
    for size, counts in ((settings.size, SLICES), (2 * settings.size, SLICES[:2])):
        for slices in counts:
            source = scan.write_sparse_scan(
                settings.work / f"sparse_{size}_{slices}", Kind(size), slices
            )
            peaks.setdefault(str(size), {})[str(slices)] = _peak(
                source, settings.work, tell, f"{slices} slices of {size}²"
            )
    source = settings.work / f"sparse_{settings.size}_{SLICES[1]}"
    mean = _peak(
        source, settings.work, tell, "means of 10 slices", "--z-step", "10", "--z-filter", "mean"
    )
    frames = scan.write_sparse_multiframe(
        settings.work / f"multiframe_{settings.size}_{FRAMES}", settings.size, FRAMES
    )
    large = (frames / "frames.dcm").stat().st_size
    multiframe = _peak(frames, settings.work, tell, f"a multi-frame file of {large / 1e9:.0f} GB")
    return {
        "peaks": peaks,
        "mean": mean,
        "multiframe": multiframe,
        "multiframe_bytes": large,
        "frames": FRAMES,
        "masks": masks(settings, tell),
    }


def masks(settings: Settings, tell: Tell) -> dict[str, dict[str, int]]:
    """Peaks in bytes of map-mask to full resolution, by format and slices: half-size masks, one
    painted block on each.
    """
    peaks: dict[str, dict[str, int]] = {}
    for slices in MASKED:
        source = scan.write_sparse_scan(
            settings.work / f"sparse_{MASK_EDGE}_{slices}", Kind(MASK_EDGE), slices
        )
        output, painted = settings.work / "output", settings.work / "painted"
        for folder in (output, painted):
            shutil.rmtree(folder, ignore_errors=True)
        run(export(source, output, 8))
        painted.mkdir()
        label = np.zeros((MASK_EDGE // 2, MASK_EDGE // 2), np.uint8)
        label[50:150, 60:200] = 1
        for png in sorted(output.glob("slice_*.png")):
            Image.fromarray(label).save(painted / png.name)
        for ending in ("seg.nrrd", "nii.gz"):
            written = settings.work / f"mask.{ending}"
            command = [
                sys.executable,
                "-c",
                "from sidecar.cli import main; main()",
                "map-mask",
                str(painted),
                "--sidecar",
                str(output),
            ]
            taken = run([*command, "-o", str(written), "-q"])
            peaks.setdefault(ending, {})[str(slices)] = taken.peak
            tell(
                f"  map-mask to {ending}, {slices} slices: {taken.peak / 1e6:.1f} MB,"
                f" {written.stat().st_size:,} bytes"
            )
            written.unlink()
    return peaks


def _peak(source: Path, work: Path, tell: Tell, what: str, *more: str) -> int:
    output = work / "output"
    shutil.rmtree(output, ignore_errors=True)
    taken = run(export(source, output, 8, *more))
    shutil.rmtree(output)
    tell(f"  {what}: {taken.peak / 1e6:.1f} MB, {taken.wall:.1f} s")
    return taken.peak
