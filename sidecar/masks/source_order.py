"""Masks on PNGs that were cut in another direction than the scan is stored: back to the order of
its columns, rows and slices.

A slice of the scan then runs through all PNGs. So all labels are written to a temporary file first,
with one or two bytes per PNG pixel. They are read from there in the other direction. Only one slice
is in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.grid.axis_order import AS_STORED
from sidecar.masks.model import LabelArray, Mask


def in_source_order(mask: Mask) -> Mask:
    """The same labels, with planes along decimated source slices, each (decimated rows, decimated
    columns). All axes are counted as in the source.

    The mask is read once where the PNGs were cut in another direction. Otherwise it is returned
    unchanged.
    """
    order = mask.sidecar.decimation.order
    if order == AS_STORED:
        return mask
    columns, rows, slices = mask.sidecar.size
    # the memory map stays valid after the file is closed; the file goes when the map goes
    with tempfile.TemporaryFile() as file:
        scratch: NDArray[Any] = np.memmap(file, mask.dtype, "w+", shape=(slices, rows, columns))
    for k, plane in enumerate(mask.planes()):
        if plane is not None:
            scratch[k] = plane
    stack = (~order).apply(scratch)

    def planes() -> Iterator[LabelArray | None]:
        for plane in stack:
            yield np.ascontiguousarray(plane) if plane.any() else None

    present = tuple(
        () if plane is None else tuple(int(value) for value in np.unique(plane) if value)
        for plane in planes()
    )
    return replace(mask, planes=planes, present=present)
