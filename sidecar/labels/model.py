"""The types that every label reader returns, and the conversion between pixel origins.

Two pixel origins exist among label tools. *center*: the middle of the first pixel is 0. *corner*:
it is 0.5, because the outer corner of the first pixel is 0. Inside the package all coordinates are
*center*.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import image_key, split_name
from sidecar.errors import LabelError, UsageError
from sidecar.labels.tables.columns import Columns, Kept, picked
from sidecar.labels.vertices import Shapes

PixelOrigin = Literal["center", "corner"]
SliceOrigin = Literal[0, 1]

#: Coordinate of the middle of the first pixel, by pixel origin.
MIDDLE_OF_FIRST_PIXEL: dict[PixelOrigin, float] = {"center": 0.0, "corner": 0.5}

#: Columns of source voxels and of patient mm, as map-points writes them.
SOURCE_COLUMNS = ("source_column", "source_row", "source_slice")
PATIENT_COLUMNS = ("x_mm", "y_mm", "z_mm")


def to_center(xy: NDArray[np.float64], origin: PixelOrigin) -> NDArray[np.float64]:
    """Convert coordinates of any pixel origin to *center* coordinates: center = given − middle of
    the first pixel.
    """
    return xy - MIDDLE_OF_FIRST_PIXEL[origin]


@dataclass(frozen=True, eq=False)
class PngStack:
    """The facts that a reader may need about the PNG stack of its labels. Tables of its names are
    made once for all label files: a stack is equal to itself only, so that it can be their key.

    ``columns, rows, slices``: size in pixels. ``spacing``: millimetres between PNG pixels (x, y,
    slice), or None for a stack without patient geometry. ``names``: PNG file names in slice order.
    ``is_single``: whether there is one PNG only.
    """

    columns: int
    rows: int
    slices: int
    spacing: tuple[float, float, float] | None = None
    names: tuple[str, ...] = ()
    is_single: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_single", self.slices == 1)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each PNG, by the key of its name (`sidecar.document.tag.image_key`)."""
        return {image_key(name): k for k, name in enumerate(self.names)}

    @cached_property
    def stems(self) -> frozenset[str]:
        """The starts of those names that have the form of exports."""
        return frozenset(name.stem for name in map(split_name, self.numbers) if name)


#: The facts that a reading may depend on. Names are none of them: a file with labels of several
#: stacks names its images, and it names them in the same way whatever stack it is read for.
_FACTS = ("columns", "rows", "slices", "spacing", "is_single")


class AskedStack(PngStack):
    """A stack that notes for which facts it is asked. A file is read in the same way for all stacks
    that agree in what its reader asks for. Nothing is forgotten: a reader may have made a table of
    the facts for an earlier file.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked.clear()  # to make it is not to ask it

    def __getattribute__(self, name: str) -> Any:
        if name in _FACTS:
            self.asked.add(name)
        return super().__getattribute__(name)

    @cached_property
    def asked(self) -> set[str]:
        """The facts that it was asked for."""
        return set()

    def told(self) -> dict[str, Hashable]:
        """The facts that it was asked for, and what they are."""
        return {name: vars(self)[name] for name in self.asked}

    def agrees(self, facts: Mapping[str, Hashable]) -> bool:
        """Whether these facts are the same here. To compare them is not to ask for them."""
        return all(vars(self)[name] == fact for name, fact in facts.items())


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user states about a label file because the file does not.

    ``pixel_origin``  where (0, 0) of its coordinates is; None for the origin of the tool.
    ``slice_origin``  the number of the first PNG in a table; None for the number of the tool.
    """

    pixel_origin: PixelOrigin | None = None
    slice_origin: SliceOrigin | None = None


@dataclass(frozen=True, slots=True)
class ImageReference:
    """What a label file says about one image. Two references are different if they differ in
    anything.

    ``name``  as in the file: with its folders, as a URL, or behind a prefix; "" where the file
              names no image.
    ``size``  (width, height) in pixels that the file states for it; None where it states none.
    ``entry`` a text that tells images of one name apart ("task 39", "image 51"), or "".
    ``embedded``  returns the image that the file carries; None where it carries none. The image is
                  read again each time, because the images of many files would fill the memory.
    ``tag``, ``series_uid``  those of its export, where the file states them beside the name, such
                             as the files of our own page do.
    """

    name: str
    size: tuple[int, int] | None = None
    entry: str = ""
    embedded: Callable[[], bytes] | None = field(default=None, repr=False)
    tag: str | None = None
    series_uid: str | None = None

    def __str__(self) -> str:
        return f"{self.name!r} ({self.entry})" if self.entry else repr(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The points of one label file, on the PNG stack, N points in file order.

    ``xy``         (N, 2) float64 PNG pixel x (column), y (row, downwards), *center* convention: the
                   reader has applied its origin.
    ``slice``      (N,) float64 0-based PNG slice number, NaN where only the image tells.
    ``images``     the images that the file names, including those without a label.
    ``reference``  (N,) the index in ``images`` of the image of each point.
    ``shapes``     the shapes whose vertices the points are.
    ``columns``    the text columns that are copied to the output, in order. Generic CSV: the file's
                   own columns, unchanged. Other formats: label, image, slice, x, y, shape_id,
                   shape_type, vertex, then the tool's own columns.
    ``where``      N places for messages, as a function of the index ("row 7").
    ``tool, pixel_origin, notes`` are shown to the user: the tool, the origin, and what was assumed
                   and how to choose otherwise.
    ``left_out``   the notes on contents of the file that the reader did not read.
    """

    path: Path
    xy: NDArray[np.float64]
    slice: NDArray[np.float64]
    images: tuple[ImageReference, ...]
    reference: NDArray[np.intp]
    shapes: Shapes
    columns: Columns
    where: Callable[[int], str]
    tool: str
    pixel_origin: str
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Labels {self.path.name}: {len(self)} by {self.tool}>"

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def image(self) -> list[str]:
        """The N names of the points' images, as in the file."""
        return [self.images[k].name for k in self.reference.tolist()]

    @property
    def labelled(self) -> list[int]:
        """The indices of ``images`` that have a label, in order."""
        counts = np.bincount(self.reference, minlength=len(self.images))
        return [int(k) for k in np.flatnonzero(counts)]

    def error(self, index: int, message: str) -> LabelError:
        """The error for one point, naming file and place."""
        return LabelError(message, self.path, self.where(index))

    def with_columns_kept(self) -> Labels:
        """The same, for taking many parts of: no column is made again for each of them."""
        shapes = replace(self.shapes, texts=Kept(self.shapes.texts))
        return replace(self, shapes=shapes, columns=Kept(self.columns))

    def only(self, kept: NDArray[np.bool_]) -> Labels:
        """The labels where ``kept`` (N,) is true, in order.

        LabelError for a shape of which only a part is kept.
        """
        rows = np.flatnonzero(kept)
        partly = self.shapes.kept_in_part(kept)
        if partly is not None:
            raise LabelError(
                "has vertices on several images, but only some of these images are taken; take all"
                " of them or none",
                self.path,
                self.shapes.where(partly),
            )
        return replace(
            self,
            xy=self.xy[rows],
            slice=self.slice[rows],
            reference=self.reference[rows],
            shapes=self.shapes.only(kept),
            columns=picked(self.columns, rows),
            where=lambda index: self.where(int(rows[index])),
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """One label format: how to recognise it from its content, and how to read it.

    ``recognises(path, head)``: head is the first 64 KiB of the file. It is True only if the content
    is certainly this format.
    ``parse(path, stack, options)``: the labels of one file. It raises LabelError.
    ``numbers_slices``: whether the format is a table of slice numbers that may count from 0 or 1.
    """

    name: str
    tool: str
    origin: str
    recognises: Callable[[Path, bytes], bool]
    parse: Callable[[Path, PngStack, ReadOptions], Labels]
    numbers_slices: bool = False

    def read(self, path: Path, stack: PngStack, options: ReadOptions | None = None) -> Labels:
        """The labels of one file.

        Raises LabelError, and UsageError for ``options.slice_origin`` where the format has no
        choice of it.
        """
        options = options or ReadOptions()
        if options.slice_origin is not None and not self.numbers_slices:
            raise UsageError(
                f"--slice-origin is for tables of slice numbers, but {path.name} is read as"
                f" {self.tool}, which names images or counts slices in one way only; leave the"
                " option out"
            )
        return self.parse(path, stack, options)
