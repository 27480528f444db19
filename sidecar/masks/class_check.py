"""The values in painted images, and whether they look painted or smoothed.

Each pixel has a key: the gray value, the palette index, or red · 2¹⁶ + green · 2⁸ + blue. The key
is -1 where a pixel is partly transparent. Painted classes have an inside. The values that smoothing
leaves along edges have none: they nowhere fill 2 × 2 pixels, and most of their pixels lie between a
lower and a higher neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, counted
from sidecar.masks.model import Rgb

Keys = NDArray[np.int32]
Kind = Literal["value", "index", "color"]

#: The key of pixels that are neither opaque nor fully transparent.
PARTLY = -1
#: Most classes of a mask.
MAX_CLASSES = 4096


@dataclass(frozen=True, slots=True)
class RawPlane:
    """One painted image. ``kind``: what its keys mean. ``palette``: the colours of palette
    indices.
    """

    keys: Keys
    kind: Kind = "value"
    palette: Mapping[int, Rgb] = field(default_factory=dict)


class Census:
    """The keys of all planes: how many pixels each has, where it is first, and how it looks."""

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self.kind: Kind = "value"
        self.total: dict[int, int] = {}
        self.first: dict[int, tuple[int, int, int]] = {}
        self.by_plane: list[tuple[int, ...]] = []
        self.palette: dict[int, Rgb] = {}
        self._palette_of: dict[int, int] = {}
        self._between: dict[int, int] = {}
        self._solid: set[int] = set()

    def add(self, k: int, plane: RawPlane | None) -> None:
        if plane is None:
            self.by_plane.append(())
            return
        if self.total and plane.kind != self.kind:
            raise LabelError(
                f"holds {_PLURAL[plane.kind]}, but the images before it hold {_PLURAL[self.kind]};"
                " save all images in the same form",
                self._name(k),
            )
        self.kind = plane.kind
        keys, counts = run_lengths(plane.keys)
        for key in keys:
            if key not in self.total:
                y, x = np.unravel_index(int(np.argmax(plane.keys == key)), plane.keys.shape)
                self.first[key] = (k, int(x), int(y))
        if len(self.first) > MAX_CLASSES:
            raise LabelError(
                f"holds more than {MAX_CLASSES} different {_PLURAL[self.kind]}, so it is an image"
                " and not a mask; give the masks",
                self._name(k),
            )
        for key, count in zip(keys, counts, strict=True):
            self.total[key] = self.total.get(key, 0) + count
        self.by_plane.append(tuple(keys))
        self._compare_palettes(k, keys, plane.palette)
        if len(keys) > 1 and not self._solid.issuperset(keys):
            self._look(plane.keys)
        else:
            self._solid.update(keys)

    def smoothed(self, keys: list[int]) -> list[int]:
        """Keys that smoothing left. Either no key looks smoothed, or all keys without an inside
        are returned.
        """
        edges = [key for key in keys if key == PARTLY or key not in self._solid]
        return (
            edges
            if any(
                key == PARTLY or 2 * self._between.get(key, 0) > self.total[key] for key in edges
            )
            else []
        )

    def error(self, unexpected: list[int], is_configured: bool) -> LabelError:
        pixels = sum(self.total[key] for key in unexpected)
        planes = sum(not set(unexpected).isdisjoint(keys) for keys in self.by_plane)
        k, x, y = min(
            (self.first[key] for key in unexpected),
            key=lambda place: (place[0], place[2], place[1]),
        )
        shown = ", ".join(key_text(key, self.kind) for key in unexpected[:5]) + (
            " …" if len(unexpected) > 5 else ""
        )
        why = (
            "that are not in the config"
            if is_configured
            else "that lie along the edges of other areas and nowhere fill 2 × 2 pixels"
        )
        advice = "" if is_configured else ". If they are classes, list them in a --config"
        return LabelError(
            f"has unexpected {_PLURAL[self.kind]} {why}: {shown} ({len(unexpected)} in all, in"
            f" {counted(pixels, 'pixel')} of {counted(planes, 'image')}, the first at ({x}, {y}))."
            f" Soft edges or resizing leave such {_PLURAL[self.kind]}. Paint at the size of the"
            " PNGs with a hard edge (pencil, no feathering, no anti-aliasing) and save without"
            f" loss{advice}",
            self._name(k),
        )

    def _compare_palettes(self, k: int, keys: list[int], palette: Mapping[int, Rgb]) -> None:
        for key in keys:
            if key in palette and self.palette.setdefault(key, palette[key]) != palette[key]:
                before = self._name(self._palette_of[key])
                raise LabelError(
                    f"palette index {key} is {hex_of(palette[key])} here, but"
                    f" {hex_of(self.palette[key])} in {before}, so each file has its own palette."
                    " Save all with one palette or as RGB, or give the colours of the segments in"
                    " a --config",
                    self._name(k),
                )
            if key in palette:
                self._palette_of.setdefault(key, k)

    def _look(self, keys: Keys) -> None:
        part = keys[_around(keys != keys[0, 0])]
        if part.size < keys.size:
            self._solid.add(int(keys[0, 0]))
        same = (
            (part[:-1, :-1] == part[1:, :-1])
            & (part[:-1, :-1] == part[:-1, 1:])
            & (part[:-1, :-1] == part[1:, 1:])
        )
        self._solid.update(run_lengths(part[:-1, :-1][same])[0])
        doubtful = ~np.isin(part, list(self._solid))
        if doubtful.any():
            nearby = _around(doubtful)
            between = doubtful[nearby] & _lies_between(part[nearby], self.kind)
            for key, count in zip(*run_lengths(part[nearby][between]), strict=True):
                self._between[key] = self._between.get(key, 0) + count


def run_lengths(keys: NDArray[Any]) -> tuple[list[int], list[int]]:
    """The different values of an array, and how often each occurs. It is fast where values come
    in runs, as labels do.
    """
    flat = keys.ravel()
    if not len(flat):
        return [], []
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    values, which = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(which, weights=np.diff(np.append(starts, len(flat))))
    return [int(value) for value in values], [int(count) for count in counts]


def _around(marked: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest box around the marked pixels, with a margin of two pixels where the image
    continues.
    """
    down, across = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    return slice(max(0, down[0] - 2), down[-1] + 3), slice(max(0, across[0] - 2), across[-1] + 3)


def _lies_between(keys: Keys, kind: Kind) -> NDArray[np.bool_]:
    """Pixels whose value lies between the values of their 3 × 3 neighbourhood: strictly in at
    least one channel, and outside of them in no channel.
    """
    channels = [keys >> shift & 0xFF for shift in (16, 8, 0)] if kind == "color" else [keys]
    strictly = np.zeros(keys.shape, dtype=bool)
    within = np.ones(keys.shape, dtype=bool)
    for channel in channels:
        rows = np.pad(channel, 1, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(rows, (3, 3)).reshape(*channel.shape, 9)
        others = windows[..., [0, 1, 2, 3, 5, 6, 7, 8]]
        low, high = others.min(axis=-1), others.max(axis=-1)
        strictly |= (low < channel) & (channel < high)
        within &= (low <= channel) & (channel <= high)
    return strictly & within


def rgb_of(key: int) -> Rgb:
    return key >> 16, key >> 8 & 0xFF, key & 0xFF


def hex_of(color: Rgb) -> str:
    return f"#{bytes(color).hex()}"


def key_text(key: int, kind: Kind) -> str:
    """A key in the form that a user knows."""
    return (
        "partly transparent"
        if key == PARTLY
        else hex_of(rgb_of(key))
        if kind == "color"
        else str(key)
    )


_PLURAL: dict[Kind, str] = {"value": "values", "index": "palette indices", "color": "colours"}
