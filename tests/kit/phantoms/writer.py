"""The ways in: a spec and a folder → files, and the truth about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .classic import write_slice, write_slices
from .enhanced import write_enhanced
from .junk import write_junk
from .spec import Spec
from .truth import Phantom, plan, stored_values


def write(spec: Spec, folder: Path) -> Phantom:
    """Write the phantom into the folder, made if need be, and tell what is where.

    Call it twice, with two seeds, for two series in one folder. Raises FileExistsError rather than
    overwrite an image, ValueError where no marker fits the grid or the transfer syntax cannot hold
    the pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    phantom = plan(spec, folder)
    if spec.layout == "enhanced":
        write_enhanced(phantom)
    else:
        write_slices(phantom)
    if spec.junk:
        write_junk(phantom)
    return phantom


def write_values(spec: Spec, folder: Path, values: NDArray[np.integer]) -> Phantom:
    """Write a classic scan that shows (slices, rows, columns) modality values of one's own; the
    spec must be one without markers.

    Raises ValueError where values and spec differ in size.
    """
    phantom = plan(spec, folder)
    for plane, shown in zip(phantom.planes, values, strict=True):
        if shown.shape != (spec.rows, spec.columns):
            raise ValueError(f"slices of {shown.shape} are not of the spec's size")
        write_slice(phantom, plane, stored_values(spec, shown.astype(np.float64), plane.slope))
    return phantom
