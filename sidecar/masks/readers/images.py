"""Masks as images, one per PNG: a folder of PNGs named after the slices, or a TIFF with one page
per slice.

Pixels are read as stored: palette indices as indices, gray values as gray values, without ICC
profile or gamma. Transparent pixels are background.
"""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.document.tag import IMAGE_EXTENSIONS
from sidecar.errors import LabelError
from sidecar.formats import tiff
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.evidence import Seen
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import Unidentified
from sidecar.labels.identity.resolver import Resolver
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.model import ImageReference
from sidecar.labels.readers.imagej_tiff import slices_by_label
from sidecar.mapping import Sidecar
from sidecar.masks.class_check import PARTLY, Kind, RawPlane, run_lengths
from sidecar.masks.model import Rgb
from sidecar.masks.readers.tiff_pages import check_pages, whole_keys, wide_planes
from sidecar.masks.relabel import Painting
from sidecar.storage.digest import file_digest
from sidecar.storage.local import Local

_PNG = b"\x89PNG\r\n\x1a\n"
#: EXIF tag of the direction in which an image is to be seen; 1 is as it is stored.
_ORIENTATION = 274
#: TIFF tag of the bits per sample, and Pillow's names of TIFF compressions with loss, which change
#: labels.
_BITS_PER_SAMPLE = 258
_LOSSY = frozenset({"jpeg", "tiff_jpeg", "webp"})
#: Errors of Pillow for damaged files.
_UNREADABLE = (
    OSError, ValueError, SyntaxError, struct.error, EOFError, KeyError, TypeError, IndexError,
    MemoryError, Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True)
class NamedMasks:
    """Label PNGs of one export, by the slice of the PNG whose name each has."""

    export: Export
    by_slice: dict[int, Path]


def named_masks(paths: Sequence[Path], exports: Sequence[Export], trust_names: bool) -> NamedMasks:
    """The export, and the PNG in it, that each label PNG is painted over, by its name and its
    texts.

    LabelError for a PNG that is not certainly of the same export as the others.
    """
    resolver = Resolver(paths[0], Candidates(exports), Surroundings(), trust_names)
    masks: dict[str, Path] = {}
    for path in paths:
        if masks.setdefault(path.name, path) is not path:
            raise LabelError(
                f"is a second mask with the name {path.name}; give one of the two", path
            )
    references = [ImageReference(name) for name in masks]

    def look(reference: ImageReference) -> Seen:
        path = masks[reference.name]
        return Seen("the mask", path=path, pixels_tell=False)

    try:
        found = resolver.identify(references, look)
    except Unidentified as error:
        raise LabelError(str(error), masks[references[error.reference].name]) from None
    by_slice: dict[int, Path] = {}
    for path, png in zip(masks.values(), found, strict=True):
        if png.export != found[0].export:
            raise LabelError(
                "belongs to another export than the masks before it; give the masks of each export"
                " separately",
                path,
            )
        assert png.slice is not None  # a reference with a name has a slice
        if by_slice.setdefault(png.slice, path) is not path:
            other = by_slice[png.slice].name
            raise LabelError(
                f"is a second mask of one slice: {other} is of the same slice; give one of the two",
                path,
            )
    return NamedMasks(exports[found[0].export], by_slice)


def png_painting(by_slice: Mapping[int, Path], sidecar: Sidecar, by_color: bool) -> Painting:
    """The painting of label PNGs, by the slices that they are of. A slice without one is empty."""
    _refuse_exported(by_slice, sidecar)
    slices, names = range(sidecar.size[2]), [file.name for file in sidecar.document.images.files]

    def planes() -> Iterator[RawPlane | None]:
        return (
            _read_png(by_slice[k], sidecar.size[:2], by_color) if k in by_slice else None
            for k in slices
        )

    absent = len(slices) - len(by_slice)
    notes = (
        (f"slices without a mask PNG were taken as empty: {absent} of {len(slices)}",)
        if absent
        else ()
    )
    return Painting(
        next(iter(by_slice.values())).parent,
        "label PNGs",
        planes,
        lambda k: by_slice[k].name if k in by_slice else names[k],
        notes=notes,
    )


def _refuse_exported(by_slice: Mapping[int, Path], sidecar: Sidecar) -> None:
    """LabelError for the exported images themselves, given instead of masks."""
    k, path = min(by_slice.items())
    if file_digest(Local.at(path)) == sidecar.document.images.files[k].sha256:
        raise LabelError(
            "is the exported image itself, not a mask painted over it; give the folder of the"
            " masks",
            path,
        )


def mask_pngs(folder: Path) -> list[Path]:
    """The PNGs of a folder, without hidden files.

    LabelError where images of another format are among them.
    """
    files = sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )
    images = [path for path in files if path.suffix.lower().removeprefix(".") in IMAGE_EXTENSIONS]
    other = next((path for path in images if path.suffix.lower() != ".png"), None)
    if other is not None:
        raise LabelError(
            "is not a PNG; masks are read as PNG, which keeps values as they are, so save it as"
            " PNG",
            other,
        )
    return images


def tiff_painting(path: Path, export: Export, by_color: bool, trust_names: bool) -> Painting:
    """The painting of a TIFF. It has a page for every PNG in order, or pages that ImageJ labels
    with the names of PNGs.

    LabelError for another number of pages, and for labels of another export.
    """
    sidecar = export.sidecar
    slices, size = sidecar.size[2], sidecar.size[:2]
    pages, notes = _pages(path, export, trust_names)
    is_wide = check_pages(path, slices - pages.count(None))

    def planes() -> Iterator[RawPlane | None]:
        if is_wide:
            yield from wide_planes(path, pages, size)
            return
        with _opened(path) as image:
            for page in pages:
                yield None if page is None else _read_page(image, path, page, size, by_color)

    def place(k: int) -> str:
        page = pages[k]
        return f"{path.name}, slice {k}" if page is None else f"{path.name}, page {page + 1}"

    return Painting(path, "a TIFF stack", planes, place, notes=notes)


def _pages(
    path: Path, export: Export, trust_names: bool
) -> tuple[list[int | None], tuple[str, ...]]:
    """The page of each slice (None for a slice without one), and notes for the user."""
    slices = export.png_stack.slices
    references = [ImageReference(name) for name in slices_by_label(path, export.png_stack)]
    if not references:
        note = f"its {slices} pages were taken for the whole stack of PNGs, opened in order"
        return list(range(slices)), (note,) if slices > 1 else ()
    try:
        resolver = Resolver(path, Candidates([export]), Surroundings(), trust_names)
        found = resolver.identify(references)
    except Unidentified as error:
        raise LabelError(str(error), path, f"page {error.reference + 1}") from None
    pages: list[int | None] = [None] * slices
    for page, png in enumerate(found):
        assert png.slice is not None  # a reference with a name has a slice
        if (first := pages[png.slice]) is not None:
            raise LabelError(
                f"is a second page of one slice: page {first + 1} is of the same slice; delete one"
                " of the two",
                path,
                f"page {page + 1}",
            )
        pages[png.slice] = page
    absent = pages.count(None)
    more = f"; slices without a page were taken as empty: {absent} of {slices}" if absent else ""
    return pages, (f"The labels of the slices in the TIFF say which PNGs its pages are{more}",)


def is_tiff(head: bytes) -> bool:
    return head.startswith(tiff.MAGICS)


def is_png(head: bytes) -> bool:
    return head.startswith(_PNG)


def _read_page(
    image: Image.Image, path: Path, k: int, size: tuple[int, int], by_color: bool
) -> RawPlane:
    place = partial(LabelError, path=path, where=f"page {k + 1}")
    try:
        with _without_remarks():
            image.seek(k)
            if image.info.get("compression") in _LOSSY:
                raise place(
                    "is compressed with loss, which changes labels; save it with LZW, with Deflate"
                    " or without compression"
                )
            bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
            return raw_plane(image, size, place, max(bits) > 8, by_color)
    except LabelError:
        raise
    except _UNREADABLE as error:
        raise place("is damaged; copy or save it again") from error


def _read_png(path: Path, size: tuple[int, int], by_color: bool) -> RawPlane:
    place = partial(LabelError, path=path)
    try:
        with path.open("rb") as file:
            head = file.read(26)
        if not is_png(head):
            raise place("has the name of a PNG, but another content; save it as PNG")
        with _opened(path) as image, _without_remarks():
            plane = raw_plane(image, size, place, head[24] > 8, by_color)
            if image.getexif().get(_ORIENTATION, 1) not in (0, 1):
                raise place(
                    "has an Orientation in its EXIF data, so some programs show it turned or"
                    " mirrored, and others do not; save it without"
                )
            return plane
    except LabelError:
        raise
    except _UNREADABLE as error:
        raise _damaged(path) from error


def _opened(path: Path) -> Image.Image:
    """The open image, whose pixels are not decoded yet. The caller closes it."""
    try:
        with _without_remarks():
            return Image.open(path, formats=("PNG", "TIFF"))
    except _UNREADABLE as error:
        raise _damaged(path) from error


@contextlib.contextmanager
def _without_remarks() -> Iterator[None]:
    """Suppress the warnings of Pillow: about large images, whose size is compared with that of
    the PNGs, and about odd metadata.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _damaged(path: Path) -> LabelError:
    return LabelError("cannot be read as an image; copy or save it again", path)


def raw_plane(
    image: Image.Image, size: tuple[int, int], error: Any, is_deep: bool, by_color: bool
) -> RawPlane:
    """The keys of an open image.

    ``error(message)`` makes the error with its place. ``is_deep``: more than 8 bits a sample.
    """
    if image.size != size:
        raise error(
            f"has {image.width} × {image.height} pixels, but the PNGs have {size[0]} × {size[1]}."
            " Masks that were resized or cropped cannot be put back; paint at the size of the PNGs"
        )
    mode = image.mode
    if mode in ("RGB", "RGBA") and is_deep:
        raise error("has colours of 16 bits; save it with 8 bits per channel")
    kind: Kind = "index" if mode in ("P", "PA") else "color" if mode in ("RGB", "RGBA") else "value"
    colors: dict[int, Rgb] = {}
    if mode in ("1", "L", "P") or mode.startswith(("I", "F")):
        keys = whole_keys(np.asarray(image), error)
        alpha = _alpha_of_key(image, keys) if "transparency" in image.info else None
    elif mode in ("LA", "PA"):
        keys, alpha = np.moveaxis(np.asarray(image).astype(np.int32), -1, 0)
    elif mode in ("RGB", "RGBA"):
        samples = np.asarray(image).astype(np.int32)
        keys = samples[..., 0] << 16 | samples[..., 1] << 8 | samples[..., 2]
        alpha = (
            samples[..., 3]
            if mode == "RGBA"
            else _alpha_of_key(image, keys)
            if "transparency" in image.info
            else None
        )
    else:
        raise error(f"has pixels of kind {mode}; save it as gray, palette or RGB")
    if kind == "index":
        colors = _palette(image, run_lengths(keys)[0])
        if by_color:
            keys, kind = _colored(keys, colors), "color"
    if alpha is not None:
        keys = np.where(alpha == 0, 0, np.where(alpha == 255, keys, PARTLY)).astype(np.int32)
    return RawPlane(keys, kind, {} if by_color else colors)


def _alpha_of_key(image: Image.Image, keys: NDArray[np.int32]) -> NDArray[np.int32]:
    """Opacity from 0 to 255 by the tRNS chunk: for every palette index, or 0 for one gray value
    or colour.
    """
    clear = image.info["transparency"]
    if isinstance(clear, bytes):
        table = np.full(256, 255, np.int32)
        table[: len(clear)] = list(clear)
        return np.asarray(table[keys])
    key = clear if isinstance(clear, int) else clear[0] << 16 | clear[1] << 8 | clear[2]
    return np.where(keys == key, 0, 255).astype(np.int32)


def _palette(image: Image.Image, indices: Sequence[int]) -> dict[int, Rgb]:
    """The colours of the indices that are used, and always of index 0."""
    flat = image.getpalette("RGB") or []
    triples = {i: flat[3 * i : 3 * i + 3] for i in {0, *indices} if i >= 0}
    return {i: (rgb[0], rgb[1], rgb[2]) for i, rgb in triples.items() if len(rgb) == 3}


def _colored(keys: NDArray[np.int32], colors: dict[int, Rgb]) -> NDArray[np.int32]:
    table = np.zeros(256, np.int32)
    for index, (red, green, blue) in colors.items():
        table[index] = red << 16 | green << 8 | blue
    return np.asarray(table[keys])
