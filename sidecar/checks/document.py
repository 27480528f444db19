"""Does a document agree with itself? Everything that it repeats is computed again from its
planes and its three axes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sidecar.checks.finding import Finding, finding
from sidecar.document.model import AXIS_NAMES, Document, Evidence
from sidecar.errors import DocumentError, counted
from sidecar.grid.decimation import Decimation
from sidecar.mapping import Sidecar

#: How far a number may be from the whole number that it must be: the rounding error of a product of
#: two numbers below a million.
WHOLE = 1e-6


def check_document(document: Document) -> tuple[list[Finding], Sidecar | None]:
    """The findings, and the mapping if the document describes one."""
    try:
        sidecar = Sidecar.of(document)
    except DocumentError as error:
        return [Finding("control points", False, str(error))], None
    count, images = len(document.control_points), len(document.images.files)
    findings = [
        Finding(
            "control points",
            True,
            f"{counted(count, 'control point')} and the positions of {counted(images, 'image')}"
            " recomputed",
        ),
        *(
            _as_exported(document, sidecar.decimation)
            if document.evidence is None
            else [_as_adopted(document.evidence, images)]
        ),
    ]
    if document.images.tag is not None:
        findings.append(
            Finding("tag", True, f"{document.images.tag}, as planes, axes and series UID give it")
        )
    if sidecar.stack is not None:
        findings.append(
            finding(
                "grids",
                list(_missing_grids(document)),
                "origin, spacing, direction and affine put corners where the planes put them",
            )
        )
    return findings, sidecar


def _as_exported(document: Document, decimation: Decimation) -> list[Finding]:
    return [
        finding(
            "decimation",
            list(_wrong_axes(decimation)),
            "factor, offset and size of each axis are as its method makes them",
        ),
        finding(
            "values",
            list(_wrong_values(document)),
            "a table makes the values"
            if document.images.lookup_table is not None
            else "the line from PNG values to values of the source fits the window",
        ),
    ]


def _as_adopted(evidence: Evidence, images: int) -> Finding:
    numbers = {len(evidence.image_correlation), len(evidence.image_confidence)}
    problems = [] if numbers == {images} else ["evidence: it must have one number for each image"]
    said = (
        "another program made these images, and their pixels show how (correlation"
        f" {evidence.correlation:.3f})"
    )
    return finding("evidence", problems, said)


def _wrong_axes(decimation: Decimation) -> Iterator[str]:
    """Axes that their method cannot make. A wrong offset moves every label, and control points
    that were computed with it agree with it.
    """
    for name, axis in zip(AXIS_NAMES, decimation.upright.axes, strict=True):
        start = axis.offset - (0 if axis.method == "stride" else (axis.factor - 1) / 2)
        read = axis.factor * (axis.size if axis.method == "resize" else 1)
        if abs(start - round(start)) > WHOLE or abs(read - round(read)) > WHOLE:
            yield (
                f"decimation.{name}: {axis.method} by {axis.factor:g} cannot have offset"
                f" {axis.offset:g} for {axis.size} pixels"
            )


def _wrong_values(document: Document) -> Iterator[str]:
    images = document.images
    if images.channels == 3:
        if images.value is not None:
            yield "images.value: it must be null, because the images are in colour"
        return
    if images.value is None and images.window is None and images.lookup_table is not None:
        return
    if images.value is None or images.window is None or images.value.slope == 0:
        yield (
            "images.value and images.window: gray images need both, a line whose slope is not 0,"
            " and its ends"
        )
        return
    line, window = images.value, images.window
    lower, upper = sorted((line.intercept, line.slope * (2**images.bits - 1) + line.intercept))
    if not np.allclose(
        (window.lower, window.upper), (lower, upper), rtol=1e-9, atol=1e-9 * (upper - lower)
    ):
        yield (
            f"images.window: it is {window.lower:g} to {window.upper:g}, but images.value gives"
            f" {lower:g} to {upper:g}"
        )


def _missing_grids(document: Document) -> Iterator[str]:
    """A grid that is stated agrees with the planes: `Sidecar.of` compared them."""
    for name, grid in (("source", document.source), ("images", document.images)):
        if grid.origin is None or grid.spacing is None or grid.direction is None:
            yield f"{name}: origin, spacing and direction are needed"
