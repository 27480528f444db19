"""One set of landmarks that every label format has to describe, and the check that they came back.

Positions are PNG pixels, *center*: the middle of the first pixel is 0. Some are whole numbers in
*corner* coordinates, so that tools which round those can write them exactly; some are whole pixel
numbers; the rest lie between, at quarters that binary fractions, two decimals and 32-bit floats all
hold exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from sidecar.labels.model import Labels, PngStack


@dataclass(frozen=True)
class Landmark:
    name: str
    x: float
    y: float
    slice: int

    @property
    def image(self) -> str:
        return STACK.names[self.slice]

    @property
    def corner(self) -> tuple[float, float]:
        """The same place where the outer corner of the first pixel is 0."""
        return self.x + 0.5, self.y + 0.5

    @property
    def whole_corner(self) -> tuple[int, int]:
        """That place rounded as JavaScript rounds."""
        return math.floor(self.x + 1), math.floor(self.y + 1)


STACK = PngStack(
    203, 151, 12, spacing=(0.02, 0.02, 0.04), names=tuple(f"slice_{n:04d}.png" for n in range(12))
)
#: A stack of one PNG, for files that do not say which they belong to.
ONE = replace(STACK, slices=1, names=STACK.names[:1])

LANDMARKS = (
    Landmark("nasion", 12.5, 40.5, 0),
    Landmark("bregma", 101.5, 75.5, 3),
    Landmark("lambda", 150.25, 99.75, 3),
    Landmark("left condyle", 20.0, 30.0, 7),
    Landmark("right condyle", 180.0, 31.0, 7),
    Landmark("first pixel", 0.0, 0.0, 10),
    Landmark("last pixel", 202.0, 150.0, 11),
)

#: Those that tools which round *corner* coordinates to whole numbers write without loss.
WHOLE_CORNER = tuple(m for m in LANDMARKS if all(v.is_integer() for v in m.corner))
#: Those that lie in the middle of a pixel, so that tools which write pixel numbers write them
#: without loss.
WHOLE_CENTER = tuple(m for m in LANDMARKS if m.x.is_integer() and m.y.is_integer())


def slices(labels: Labels) -> list[int]:
    """The slice of each point, by number or by image name."""
    stems = [PurePosixPath(name).stem for name in STACK.names]
    return [
        int(number) if np.isfinite(number) else stems.index(PurePosixPath(image).stem)
        for number, image in zip(labels.slice, labels.image, strict=True)
    ]


def stated_sizes(labels: Labels) -> dict[str, tuple[int, int]]:
    """The sizes that the file states for its images, by name."""
    return {image.name: image.size for image in labels.images if image.size is not None}


def entries(labels: Labels) -> list[str]:
    """By what else the file tells images of one name apart, for each label."""
    return [labels.images[k].entry for k in labels.reference.tolist()]


def check(
    labels: Labels, expected: Sequence[Landmark] = LANDMARKS, tolerance: float = 1e-9
) -> None:
    """Every landmark came back: name, slice, position, and the text columns that go to the
    output.
    """
    assert list(labels.columns["label"]) == [m.name for m in expected]
    assert slices(labels) == [m.slice for m in expected]
    np.testing.assert_allclose(labels.xy, [(m.x, m.y) for m in expected], rtol=0, atol=tolerance)
    check_columns(labels)


def check_columns(labels: Labels) -> None:
    """Text columns agree with the numbers, to the last digit."""
    assert list(labels.columns)[:8] == [
        "label",
        "image",
        "slice",
        "x",
        "y",
        "shape_id",
        "shape_type",
        "vertex",
    ]
    assert {len(column) for column in labels.columns.values()} == {len(labels)}
    assert [float(x) for x in labels.columns["x"]] == labels.xy[:, 0].tolist()
    assert [float(y) for y in labels.columns["y"]] == labels.xy[:, 1].tolist()
    assert np.array_equal(
        [float(s or "nan") for s in labels.columns["slice"]], labels.slice, equal_nan=True
    )
    assert list(labels.columns["image"]) == list(labels.image)
    assert all(labels.where(i) for i in range(len(labels)))
