"""The folder that examples of functions are run in: a scan and what has come of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import sidecar

from .adopted_images import autoscaled, texture, write_images, write_scan
from .exports import png_names, tagged
from .pages import SCAN
from .phantoms import write

LABELS = "label,image,x,y\nbregma,slice_0003,101.5,75.5\nlambda,slice_0005,150.25,99.75\nnasion,slice_0003,51.5,75.5\n"
AGAIN = LABELS.replace("101.5,", "101.75,").replace("99.75", "99.5").replace("51.5,", "51.25,")


def write_library_folder(folder: Path) -> None:
    """``scan/``, its export ``png/`` with ``labels.csv`` in it, ``mapped.csv`` and
    ``again.csv`` of a second session, ``masks/`` of two
    labels; ``beetle/``, another scan, and ``old_pngs/`` made of it.
    """
    write(SCAN, folder / "scan")
    png = sidecar.export(folder / "scan", folder / "png", scale=0.5, z_step=2)
    labels = folder / "png" / "labels.csv"
    labels.write_text(tagged(LABELS, folder / "png"), encoding="utf-8")
    sidecar.map_points(labels, png).write(folder / "mapped.csv")
    labels.with_name("again.csv").write_text(tagged(AGAIN, folder / "png"), encoding="utf-8")
    sidecar.map_points(labels.with_name("again.csv"), png).write(folder / "again.csv")
    labels.with_name("again.csv").unlink()
    mask = np.zeros((png.size[1], png.size[0]), np.uint8)
    mask[20:40, 30:60], mask[60:70, 80:90] = 1, 2
    (folder / "masks").mkdir()
    for name in png_names(folder / "png"):
        Image.fromarray(mask).save(folder / "masks" / name)
    volume = texture(slices=12)
    write_scan(folder / "beetle", volume)
    write_images(folder / "old_pngs", [autoscaled(plane)[::2, ::2] for plane in volume])
