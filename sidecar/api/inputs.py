"""Turn the arguments of functions on labels into the types that the rest of the package uses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sidecar.api.spelling import one_of
from sidecar.labels.curves import checked_count
from sidecar.labels.identity.exports import Export, given_exports
from sidecar.labels.load import LoadOptions
from sidecar.labels.model import PixelOrigin, ReadOptions, SliceOrigin
from sidecar.mapping import Sidecar
from sidecar.storage.locate import Place, locate

#: Files, or folders of them: one or several.
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
#: Exports: mappings, or places with a sidecar.json or with folders that hold one; one or several.
Exports = Sidecar | Place | Sequence[Sidecar | Place]


def paths_of(given: Paths) -> list[Path]:
    """The paths, one or several."""
    several = [given] if isinstance(given, (str, os.PathLike)) else given
    return [Path(path) for path in several]


def exports_of(given: Exports | None) -> list[Export]:
    """The exports that the labels may belong to.

    Empty where nothing is given: then they are looked for beside the labels. DocumentError for a
    place without an export.
    """
    found: list[Export] = []
    for one in _each(given):
        found += [Export(one)] if isinstance(one, Sidecar) else given_exports([one])
    return found


def documents_of(given: Exports | None) -> list[Path]:
    """The paths among them that lie on this machine. No output may overwrite these."""
    places = [locate(one) for one in _each(given) if not isinstance(one, Sidecar)]
    return [place.local for place in places if place.local is not None]


def load_options(
    format: str | None,
    pixel_origin: PixelOrigin | None,
    slice_origin: SliceOrigin | None,
    images: str | None,
    trust_names: bool,
    allow_outside: bool = False,
    curve_points: int | None = 0,
) -> LoadOptions:
    """The options of label files. UsageError for an invalid value."""
    one_of("pixel_origin", pixel_origin, (None, "center", "corner"))
    one_of("slice_origin", slice_origin, (None, 0, 1))
    reading = ReadOptions(pixel_origin, slice_origin)
    wanted = checked_count(curve_points)
    return LoadOptions(format, reading, images, trust_names, allow_outside, wanted)


def _each(given: Exports | None) -> list[Sidecar | Place]:
    if given is None:
        return []
    if isinstance(given, Sequence) and not isinstance(given, str):
        return list(given)
    return [given]
