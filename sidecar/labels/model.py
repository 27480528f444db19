"""What every label reader returns, and the one place where pixel origins are told apart.

Two pixel origins exist among label tools. *center*: the middle of the first pixel is 0. *corner*:
it is 0.5, because the outer corner of the first pixel is 0. Inside the package everything is
*center*.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, UsageError
from sidecar.labels.tables.columns import Columns, picked
from sidecar.labels.vertices import Shapes

PixelOrigin = Literal["center", "corner"]
SliceOrigin = Literal[0, 1]

#: Coordinate of the middle of the first pixel, by pixel origin.
MIDDLE_OF_FIRST_PIXEL: dict[PixelOrigin, float] = {"center": 0.0, "corner": 0.5}


def to_center(xy: NDArray[np.float64], origin: PixelOrigin) -> NDArray[np.float64]:
    """Coordinates of any pixel origin as *center* coordinates: center = given − middle of the first
    pixel.
    """
    return xy - MIDDLE_OF_FIRST_PIXEL[origin]


@dataclass(frozen=True, slots=True)
class PngStack:
    """What a reader may need to know of the PNG stack its labels lie on.

    ``columns, rows, slices``: size in pixels. ``spacing``: millimetres between PNG pixels (x, y,
    slice), or None for a stack without patient geometry. ``names``: PNG file names in slice order.
    """

    columns: int
    rows: int
    slices: int
    spacing: tuple[float, float, float] | None = None
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> Hashable:
        """A file that names its images says the same on all stacks of one kind."""
        return self.columns, self.rows, self.slices, self.spacing


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says of a label file that the file itself leaves open.

    ``pixel_origin``  where (0, 0) of its coordinates is; None: where the tool has it.
    ``slice_origin``  the number that a table has for the first PNG; None: what the tool has.
    """

    pixel_origin: PixelOrigin | None = None
    slice_origin: SliceOrigin | None = None


@dataclass(frozen=True, slots=True)
class ImageReference:
    """What a label file says of one image; two that differ in anything are two references.

    ``name``  as it is written there, with its folders, as a URL, behind a prefix; "" where the file
              names none.
    ``size``  (width, height) in pixels that the file states for it; None where it states none.
    ``entry`` by what else the file tells images of one name apart ("task 39", "image 51"), or "".
    ``embedded``  gives the image that the file carries, read anew each time, since the images of
                  many files would fill memory; None where it carries none.
    ``tag``, ``series_uid``  those of its export, where the file states them beside the name, as
                             the files of our own page do.
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
    ``images``     the images that the file speaks of, those without a label too.
    ``reference``  (N,) which of ``images`` each point is on.
    ``shapes``     the shapes that the points are vertices of.
    ``columns``    the text columns carried to the output, in order. Generic CSV: the file's own
                   columns as they are. Other formats: label, image, slice, x, y, shape_id,
                   shape_type, vertex, then the tool's own.
    ``where``      N places for messages, as a function of the index ("row 7").
    ``tool, pixel_origin, notes`` are told to the user: which tool, which origin was taken, and what
                   was assumed and how to force the other.
    ``left_out``   those of the notes that tell what the file holds and the reader did not read.
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
        """The N names of the points' images, as the file has them."""
        return [self.images[k].name for k in self.reference.tolist()]

    @property
    def labelled(self) -> list[int]:
        """Which of ``images`` have a label, in order."""
        counts = np.bincount(self.reference, minlength=len(self.images))
        return [int(k) for k in np.flatnonzero(counts)]

    def error(self, index: int, message: str) -> LabelError:
        """The error for one point, naming file and place."""
        return LabelError(message, self.path, self.where(index))

    def only(self, kept: NDArray[np.bool_]) -> Labels:
        """The labels where ``kept`` (N,) is true, in their order.

        LabelError for a shape that is kept in part only.
        """
        rows = np.flatnonzero(kept)
        partly = self.shapes.kept_in_part(kept)
        if partly is not None:
            raise LabelError(
                "has vertices on images of which only some are taken",
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
    """One label format: how to recognise it by content, and how to read it.

    ``recognises(path, head)``: head is the first 64 KiB of the file; True only when the content is
    surely this format.
    ``parse(path, stack, options)``: the labels of one file; raises LabelError.
    ``numbers_slices``: whether the format is a table of slice numbers that may count from 0 or 1.
    """

    name: str
    tool: str
    origin: str
    recognises: Callable[[Path, bytes], bool]
    parse: Callable[[Path, PngStack, ReadOptions], Labels]
    numbers_slices: bool = False

    def read(self, path: Path, stack: PngStack, options: ReadOptions | None = None) -> Labels:
        """The labels of one file. Raises LabelError, and UsageError where the format leaves nothing
        open for ``options.slice_origin`` to say.
        """
        options = options or ReadOptions()
        if options.slice_origin is not None and not self.numbers_slices:
            raise UsageError(
                f"--slice-origin is for tables of slice numbers; {path.name} is read as"
                f" {self.tool}, which either names images or has one way to count them"
            )
        return self.parse(path, stack, options)
