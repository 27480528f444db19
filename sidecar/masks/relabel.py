"""Values painted by hand → segments. Masks with soft edges, or resized masks, are refused here.

With a config, every value that is not in it is unexpected. Without one, the values that smoothing
leaves are unexpected (see `sidecar.masks.class_check`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sidecar.errors import LabelError
from sidecar.labels.identity.rewritten import rewritten_notes
from sidecar.mapping import Sidecar
from sidecar.masks.class_check import Census, Keys, Kind, RawPlane, hex_of, rgb_of
from sidecar.masks.model import LabelArray, Mask, Rgb, Segment
from sidecar.masks.segments import MaskConfig, color_of


@dataclass(frozen=True)
class Painting:
    """The result of a reader of painted images.

    ``planes()``: begins a pass over the planes of all PNGs, None where there is no image. ``name``:
    the name of the image of a plane. ``segments``: what the file itself says about its values.
    """

    path: Path
    tool: str
    planes: Callable[[], Iterator[RawPlane | None]]
    name: Callable[[int], str]
    segments: Mapping[int, Segment] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def mask_of(painting: Painting, sidecar: Sidecar, config: MaskConfig | None) -> Mask:
    """Check a painting in one pass, and return its labels.

    LabelError states which values are unexpected, how many there are, and where.
    """
    census = Census(painting.name)
    for k, plane in enumerate(painting.planes()):
        census.add(k, plane)
    background = _key(config.background) if config else 0
    _check_background(painting, census, background, config)
    found = sorted(key for key in census.total if key != background)
    if config is None:
        unexpected = census.smoothed(found)
        segments = _segments(painting, census, [key for key in found if key not in unexpected])
    else:
        segments = _configured(config, census.kind)
        unexpected = [key for key in found if key not in segments]
    if unexpected:
        raise census.error(unexpected, config is not None)
    if not found:
        raise LabelError("nothing is painted; every pixel is background", painting.path)
    labels = {key: segment.value for key, segment in segments.items()}
    relabel = _Relabel(labels, background)

    def planes() -> Iterator[LabelArray | None]:
        return (None if plane is None else relabel(plane.keys) for plane in painting.planes())

    present = tuple(
        tuple(sorted(labels[key] for key in keys if key != background)) for keys in census.by_plane
    )
    rewritten = rewritten_notes(sidecar, (k for k, painted in enumerate(present) if painted))
    notes = (*painting.notes, *rewritten)
    return Mask(sidecar, tuple(segments.values()), planes, present, painting.tool, notes)


class _Relabel:
    """Keys → labels. It is an object, so that its table is made only once."""

    def __init__(self, labels: Mapping[int, int], background: int) -> None:
        known = sorted({**labels, background: 0}.items())
        self._keys = np.array([key for key, _ in known])
        self._labels = np.array(
            [label for _, label in known],
            dtype=np.uint8 if max(labels.values()) < 256 else np.uint16,
        )
        self._is_identity = all(key == label for key, label in known)

    def __call__(self, keys: Keys) -> LabelArray | None:
        labels = (
            keys.astype(self._labels.dtype)
            if self._is_identity
            else self._labels[np.searchsorted(self._keys, keys)]
        )
        return labels if labels.any() else None


def _check_background(
    painting: Painting, census: Census, background: int, config: MaskConfig | None
) -> None:
    """Refuse palettes whose index 0 may not be the background."""
    if config is not None or census.kind != "index" or not census.palette:
        return
    zero = census.palette.get(background)
    black = [
        key for key, color in census.palette.items() if color == (0, 0, 0) and key != background
    ]
    if (zero is None and black) or (
        zero is not None and zero != (0, 0, 0) and (black or min(zero) < 255)
    ):
        shown = "not used" if zero is None else hex_of(zero)
        also = f", and index {black[0]} is black" if black else ""
        raise LabelError(
            f"palette index 0 means no label, but it is {shown}{also}; give the colours of the"
            " segments and of the background in a --config",
            painting.path,
        )


def _segments(painting: Painting, census: Census, keys: list[int]) -> dict[int, Segment]:
    """Segments by key, for a painting without a description."""
    if census.kind == "color":
        return {key: Segment(n, hex_of(rgb_of(key)), rgb_of(key)) for n, key in enumerate(keys, 1)}
    too_large = next((key for key in keys if not 0 < key < 65536), None)
    if too_large is not None:
        k, x, y = census.first[too_large]
        raise LabelError(
            f"the value at ({x}, {y}) is {too_large}, but labels are 1 to 65535", painting.name(k)
        )
    plain = {
        key: Segment(key, f"label {key}", census.palette.get(key, color_of(key))) for key in keys
    }
    return {key: painting.segments.get(key, plain[key]) for key in keys}


def _configured(config: MaskConfig, kind: Kind) -> dict[int, Segment]:
    segments = config.as_segments()
    if kind != "color":
        return {segment.value: segment for segment in segments}
    colorless = next((entry.name for entry in config.segments if entry.color is None), None)
    if colorless is not None:
        raise LabelError(
            f"the masks are in colour, but segment {colorless!r} of the config has no colour; give"
            " it one"
        )
    return {
        _key(entry.color or (0, 0, 0)): segment
        for entry, segment in zip(config.segments, segments, strict=True)
    }


def _key(value: int | Rgb) -> int:
    return value if isinstance(value, int) else value[0] << 16 | value[1] << 8 | value[2]
