"""DeepLabCut's .h5, built by h5py as pandas builds a frame of the kind "fixed"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..label_truth import LANDMARKS

IMAGES = list(dict.fromkeys(m.image for m in LANDMARKS))
PARTS = [m.name for m in LANDMARKS]


def index(frame: Any, name: str, rows: Sequence[tuple[str, ...]]) -> None:
    """One level as its texts; several as the texts of each level once, sorted, and their numbers."""
    if len(rows[0]) == 1:
        frame[name] = np.array([row[0].encode() for row in rows])
        return
    for n, column in enumerate(zip(*rows, strict=True)):
        texts = sorted(set(column))
        frame[f"{name}_level{n}"] = np.array([text.encode() for text in texts])
        frame[f"{name}_label{n}"] = np.array([texts.index(text) for text in column], np.int8)


def write(
    path: Path,
    change: Callable[[Any], object] = lambda frame: None,
    *,
    split: bool = True,
    individual: str | None = None,
    coords: Sequence[str] = ("x", "y"),
    blocks: int = 1,
    rename: Callable[[str], str] = str,
) -> Path:
    """``split``: the image name in three levels, as since DeepLabCut 2.2. ``rename``: what the file
    calls an image.
    """
    images = [rename(image) for image in IMAGES]
    columns = [
        ("Ada", *([individual] if individual else []), part, axis)
        for part in PARTS
        for axis in coords
    ]
    values = np.full((len(IMAGES), len(columns)), np.nan)
    for m in LANDMARKS:
        start = PARTS.index(m.name) * len(coords)
        values[IMAGES.index(m.image), start : start + 2] = m.x, m.y
    import h5py

    with h5py.File(path, "w") as file:  # type: ignore[no-untyped-call]
        frame = file.create_group("df_with_missing")
        index(
            frame,
            "axis1",
            [("labeled-data", "scan", i) if split else (f"labeled-data/scan/{i}",) for i in images],
        )
        for n, part in enumerate(np.array_split(np.arange(len(columns)), blocks)):
            index(frame, f"block{n}_items", [columns[i] for i in part])
            frame[f"block{n}_values"] = values[:, part]
        change(frame)
    return path
