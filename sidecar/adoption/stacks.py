"""The two stacks as files: source slices in modality values, and images in gray. They are read
one at a time, and none is kept.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from sidecar.adoption.model.stacks import GrayImage
from sidecar.dicom.pixels import read_plane
from sidecar.dicom.stacks.series import Series
from sidecar.document.tag import IMAGE_EXTENSIONS, image_key
from sidecar.errors import ImageError, SourceError
from sidecar.formats.natural_order import natural_order
from sidecar.storage.local import Local
from sidecar.storage.location import Location, Stamp
from sidecar.storage.names import is_plain

#: Weights of red, green and blue in gray (ITU-R BT.601).
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)
#: Warning filters belong to the whole process, so images are opened one at a time.
_OPENING = Lock()
_PIL_ERRORS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    MemoryError,
)


@dataclass(frozen=True)
class SourceSlices:
    """The slices of one stack, in position order."""

    root: Location
    series: Series

    @property
    def columns(self) -> int:
        return self.series.common.layout.columns

    @property
    def rows(self) -> int:
        return self.series.common.layout.rows

    def __len__(self) -> int:
        return len(self.series.frames)

    def plane(self, number: int) -> GrayImage:
        """(rows, columns) modality values of a slice. Colours become gray. Raises PixelError."""
        frame = self.series.frames[number]
        stored = read_plane(self.root, frame.locator)
        if stored.ndim == 3:
            return np.asarray(stored @ _GRAY, dtype=np.float32)
        if frame.common.table is not None:
            stored = frame.common.table.apply(stored)
        slope, intercept = frame.rescale
        return np.asarray(
            np.nan_to_num(stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)),
            dtype=np.float32,
        )

    @property
    def spacing(self) -> tuple[float, float] | None:
        """Mm between columns and between rows."""
        stack = self.series.stack
        return None if stack is None else (stack.pixel_spacing[1], stack.pixel_spacing[0])

    @property
    def slice_spacing(self) -> float | None:
        """Mm between slices; None where there is one slice or no geometry."""
        stack = self.series.stack
        return None if stack is None or stack.slices < 2 else float(np.median(stack.gaps))


@dataclass(frozen=True)
class PngImages:
    """Images of one size, in the order of the numbers in their names.

    ``stamps``: the stamp of each image from before it was read.
    """

    folder: Path
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    width: int
    height: int
    bits: Literal[8, 16]
    channels: Literal[1, 3]

    def __len__(self) -> int:
        return len(self.names)

    def image(self, number: int) -> GrayImage:
        """(height, width) gray values as stored.

        ImageError names an image that cannot be read.
        """
        name = self.names[number]
        with _opened(self.folder / name) as image:
            _check(image, name, self.width, self.height)
            try:
                values = np.asarray(
                    image.convert("RGB")
                    if _is_colour(image)
                    else image.convert("L")
                    if image.mode in ("1", "LA")
                    else image
                )
            except _PIL_ERRORS as error:
                raise ImageError(
                    f"it cannot be read to its end ({_short(error)}); export it again", name
                ) from None
        return values.astype(np.float32) if values.ndim == 2 else values @ _GRAY


def open_images(folder: Path) -> PngImages:
    """The images in a folder, with their headers read. All must have one size.

    ImageError names the first image that differs.
    """
    if not folder.is_dir():
        raise ImageError("it is not a folder; give the folder that holds the images", folder)
    names = sorted((p.name for p in folder.iterdir() if _is_image(p)), key=natural_order)
    if not names:
        raise ImageError("it holds no PNG, JPEG or TIFF images", folder)
    for name in names:
        if not is_plain(name):
            raise ImageError(
                "its name cannot be in a sidecar.json, because it has a drive or a separator of"
                " another system; rename it",
                name,
            )
    doubles = {image_key(name) for name in names}
    if len(doubles) < len(names):
        raise ImageError(
            "two images have names that differ only in the ending, in case, or in how accents are"
            " written; move the copies away",
            folder,
        )
    modes, stamps = set(), Local.at(folder).stamps(names)
    with _opened(folder / names[0]) as first:
        width, height = first.size
    for name in names:
        with _opened(folder / name) as image:
            _check(image, name, width, height)
            modes.add((image.mode, _is_colour(image)))
    deep = any(mode.startswith("I") for mode, _ in modes)
    return PngImages(
        folder,
        tuple(names),
        tuple(stamps[name] for name in names),
        width,
        height,
        16 if deep else 8,
        3 if any(colour for _, colour in modes) else 1,
    )


def require_unchanged_images(images: PngImages) -> None:
    """ImageError where an image has another size or time of change than before it was read."""
    for name, before in zip(images.names, images.stamps, strict=True):
        try:
            now: Stamp | None = Local.at(images.folder / name).stamp()
        except OSError:
            now = None
        if now != before:
            raise ImageError("it changed while it was read; run the command again", name)


def _is_image(path: Path) -> bool:
    return (
        path.suffix.lower().lstrip(".") in IMAGE_EXTENSIONS
        and not path.name.startswith(".")
        and path.is_file()
        and not path.is_symlink()
    )


def _opened(path: Path) -> Image.Image:
    try:
        with _OPENING, warnings.catch_warnings():
            # what Pillow warns of is refused below, or does not matter
            warnings.simplefilter("ignore")
            image = Image.open(path)
            # this visits all images of a TIFF, because a later one may be damaged
            _ = getattr(image, "n_frames", 1)
            return image
    except _PIL_ERRORS as error:
        raise ImageError(
            f"it is not an image that can be read ({_short(error)}); move it away, or export it"
            " again",
            path,
        ) from None


def _check(image: Image.Image, name: str, width: int, height: int) -> None:
    if getattr(image, "n_frames", 1) != 1:
        raise ImageError(
            "it holds several images; save the stack as an image sequence, one file for each slice",
            name,
        )
    if image.size != (width, height):
        raise ImageError(
            f"it has {image.width} × {image.height} pixels, but the first image has"
            f" {width} × {height}; move images away that are not slices",
            name,
        )
    if image.mode == "F":
        raise ImageError("its pixels are floating-point numbers; save it with 8 or 16 bits", name)


def _is_colour(image: Image.Image) -> bool:
    return image.mode not in ("1", "L", "LA") and not image.mode.startswith("I")


def _short(error: BaseException) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return "it is larger than any slice"
    return "damaged or of an unknown kind"


def check_source(slices: SourceSlices) -> None:
    """SourceError where the slices are too small to recognise anything."""
    if min(slices.columns, slices.rows) < 16:
        raise SourceError(
            f"slices of {slices.columns} × {slices.rows} pixels are too small: images cannot be"
            " found in them"
        )
