"""Which PNG of which export each image reference of a label file means: the one place through which
every reference goes, whole.

A base name is weak evidence: every export calls its PNGs alike. So a reference is proved or
contradicted by all that the label file tells:

1. The tag in the name settles it, whatever folders or prefixes stand before it (`document.tag`).
   So does an origin that the file states, as the page of an export writes it.
2. An image that the file carries, or that lies beside it, tells by its texts or by its pixels.
3. The size that the file states, and the label file's own name, can contradict.
4. Without a tag two different references never become one PNG.

A name without a tag is not enough for a PNG that has one, unless 2 proves it or names are trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.document.model import SIDECAR_NAME
from sidecar.document.tag import split_name
from sidecar.labels.evidence import Seen, image_beside, verdict_of
from sidecar.labels.exports import Export, Surroundings
from sidecar.labels.model import ImageReference
from sidecar.labels.references import bare_key, named_path, one_image

#: Image sizes whose ratio to the PNG's agrees on both axes up to this many PNG pixels are a plain
#: resize.
RESIZE_TOLERANCE = 1.0

Look = Callable[[ImageReference], Seen | None]


@dataclass(frozen=True, slots=True)
class Identified:
    """The PNG ``slice`` of ``export``, an index, that a reference means; the slice is None where
    the reference has no name. ``scale``: PNG pixels per pixel of the image, x and y.
    """

    export: int
    slice: int | None
    scale: tuple[float, float] = (1.0, 1.0)


class Unidentified(Exception):
    """A reference, by its number, that is not surely a PNG of the exports, and why."""

    def __init__(self, reference: int, reason: str) -> None:
        super().__init__(reason)
        self.reference = reference


@dataclass(frozen=True)
class Resolver:
    """Image references of the label file ``path`` → PNGs of ``exports``.

    ``trust_names``: names are enough, also for PNGs whose names have a tag.
    """

    path: Path
    exports: Sequence[Export]
    surroundings: Surroundings
    trust_names: bool = False

    def identify(
        self, references: Sequence[ImageReference], look: Look | None = None
    ) -> list[Identified]:
        """The PNG of each reference. ``look`` finds the image of one; without it the one that the
        file carries, or that lies beside it.

        Raises `Unidentified` for the first that is not surely one.
        """
        found = [
            self._identify(number, reference, look or self._look)
            for number, reference in enumerate(references)
        ]
        self._refuse_merged(references, found)
        self._refuse_own_name(references, found)
        return found

    def _look(self, reference: ImageReference) -> Seen | None:
        """The image that the file carries, or that lies beside it. Of one whose name has a tag only
        the texts are asked, and only those that the file carries: the tag has settled it.
        """
        tagged = stated_tag(reference) is not None
        if reference.embedded:
            where = "the image in the label file"
            return Seen(where, data=reference.embedded, pixels_tell=not tagged)
        return None if tagged else image_beside(self.path, reference.name)

    def _identify(self, number: int, reference: ImageReference, look: Look) -> Identified:
        exports = self._of_stated_origin(number, reference)
        if reference.name.strip():
            candidates = self._named(number, reference, exports)
            export, slice_ = self._choose(number, reference, candidates, look)
        else:
            export, slice_ = self._only(number, exports), None
        scale = self._scale(number, reference, export)
        return Identified(self.exports.index(export), slice_, scale)

    def _of_stated_origin(self, number: int, reference: ImageReference) -> Sequence[Export]:
        """The exports that fit the tag and the series that a reference states."""
        tag, series = stated_tag(reference), reference.series_uid
        fitting = self.exports
        if tag is not None:
            fitting = [e for e in self.exports if e.tag == tag]
            if not fitting and reference.tag is None:
                # adopted PNGs, whose own names may look as if they had a tag
                fitting = [
                    e
                    for e in self.exports
                    if not e.names_have_tag and _slice_of(reference.name, e) is not None
                ]
            if not fitting:
                raise Unidentified(number, self._foreign(reference, tag))
        if series:
            fitting = [e for e in fitting if e.series_uid == series]
            if not fitting:
                raise Unidentified(
                    number,
                    f"is a label of series {series}, and these PNGs are of series"
                    f" {self.exports[0].series_uid}; give the sidecar.json of that export with"
                    " --sidecar",
                )
        return fitting

    def _only(self, number: int, exports: Sequence[Export]) -> Export:
        """The export of a reference without a name."""
        if len(exports) > 1:
            names = ", ".join(export.name for export in exports[:3])
            more = ", …" if len(exports) > 3 else ""
            raise Unidentified(
                number,
                f"counts slices instead of naming images, and could be of any of {names}{more}:"
                " give the one export that it is of with --sidecar",
            )
        return exports[0]

    def _named(
        self, number: int, reference: ImageReference, exports: Sequence[Export]
    ) -> list[tuple[Export, int]]:
        """The PNGs that have the name of a reference, one of each export at most."""
        found = [
            (export, slice_)
            for export in exports
            if (slice_ := _slice_of(reference.name, export)) is not None
        ]
        if not found:
            told = (
                f"no PNG of this export is named {reference.name!r} ({exports[0].names_told})"
                if len(exports) == 1
                else f"no PNG of these {len(exports)} exports is named {reference.name!r}"
            )
            raise Unidentified(number, told)
        return found

    def _foreign(self, reference: ImageReference, tag: str) -> str:
        whose = self._nearby(lambda export: export.tag == tag)
        own = ", ".join(sorted({export.tag for export in self.exports if export.tag is not None}))
        these = f"the tag of these PNGs is {own}" if own else "these PNGs have none"
        what = f"image {reference}" if reference.name.strip() else "the label"
        return (
            f"{what} is of another export: its tag is {tag}, {these}; give {_sidecar_of(whose)}"
            " with --sidecar"
        )

    def _choose(
        self,
        number: int,
        reference: ImageReference,
        candidates: Sequence[tuple[Export, int]],
        look: Look,
    ) -> tuple[Export, int]:
        """The candidate that nothing contradicts."""
        seen = look(reference)
        verdicts = ["unknown" if seen is None else verdict_of(seen, *c) for c in candidates]
        proved = [c for c, told in zip(candidates, verdicts, strict=True) if told == "same"]
        open_ = [c for c, told in zip(candidates, verdicts, strict=True) if told != "other"]
        if seen is not None and not open_:
            raise Unidentified(number, self._contradicted(reference, seen, *candidates[0]))
        left = proved or _in_its_folder(reference.name, open_)
        if len(left) > 1:
            names = " or ".join(export.name for export, _ in left[:3])
            raise Unidentified(
                number,
                f"image {reference} could be of {names}: say which with --sidecar, and with"
                " --images GLOB which labels are of it",
            )
        export, slice_ = left[0]
        tagged = stated_tag(reference) is not None
        if export.names_have_tag and not (tagged or proved or self.trust_names):
            png = export.sidecar.document.images.files[slice_].name
            raise Unidentified(
                number,
                f"image {reference} has no tag, and the PNGs of {export.name} have one"
                f" ({png}): it may be of another export. Give the image its whole name, or say"
                " --trust-names if it is surely of this one",
            )
        return export, slice_

    def _contradicted(
        self, reference: ImageReference, seen: Seen, export: Export, slice_: int
    ) -> str:
        """What an image says instead, and which export nearby it is of."""
        head, document = seen.head, export.sidecar.document
        if head is None or "Sidecar" not in head.texts:
            return (
                f"{seen.where} has other pixels than {document.images.files[slice_].name}: it is"
                " of another export or slice; give the sidecar.json of its export with --sidecar"
            )
        series, tag = head.texts.get("SeriesInstanceUID"), head.texts.get("Tag")
        number, own = head.texts.get("Slice"), export.series_uid
        whose = self._nearby(lambda e: tag is not None and e.tag == tag)
        if series != own:
            found = f"of series {series}, and these PNGs are of series {own}"
        elif tag is not None and export.tag is not None and tag != export.tag:
            found = f"of an export with tag {tag}, and these PNGs have {export.tag}"
        elif number != str(slice_):
            return f"{seen.where} is PNG {number}, and the file names it {reference.name!r}"
        else:
            found = f"{head.size[0]} × {head.size[1]}, and these PNGs are of another size"
        return f"{seen.where} is {found}; give {_sidecar_of(whose)} with --sidecar"

    def _scale(self, number: int, reference: ImageReference, export: Export) -> tuple[float, float]:
        """PNG pixels per pixel of an image, 1 where the file states no size for it."""
        own = export.png_size
        stated = reference.size or own
        if stated == own:
            return 1.0, 1.0
        told = f"image {reference.name!r} is {stated[0]} × {stated[1]} there"
        if min(stated) < 1 or _misfit(stated, own) > RESIZE_TOLERANCE:
            raise Unidentified(
                number,
                f"{told}, but the PNG is {own[0]} × {own[1]}: it was cropped or stretched, or"
                " belongs to another export",
            )
        whose = None if stated_tag(reference) else self._nearby(lambda e: e.png_size == stated)
        if whose is not None:
            raise Unidentified(
                number,
                f"{told}, which is the size of the PNGs in the folder {whose}, not of these"
                f" ({own[0]} × {own[1]}); give the sidecar.json of that folder with --sidecar",
            )
        return own[0] / stated[0], own[1] / stated[1]

    def _refuse_merged(
        self, references: Sequence[ImageReference], found: Sequence[Identified]
    ) -> None:
        """Two references without a tag are two images, of two scans perhaps; and one image has one
        size.
        """
        first: dict[tuple[int, int], int] = {}
        for number, (reference, png) in enumerate(zip(references, found, strict=True)):
            if png.slice is None:
                continue
            other = references[first.setdefault((png.export, png.slice), number)]
            tagged = stated_tag(reference) is not None and stated_tag(other) is not None
            if not tagged and _whole(reference) != _whole(other):
                raise Unidentified(
                    number,
                    f"images {other} and {reference} are two in this file, and both would be PNG"
                    f" {png.slice} of {self.exports[png.export].name}: are they of two scans? Say"
                    " with --images GLOB whose labels are meant",
                )
            if None not in (reference.size, other.size) and reference.size != other.size:
                raise Unidentified(
                    number, f"image {reference} has another size here than elsewhere in the file"
                )

    def _refuse_own_name(
        self, references: Sequence[ImageReference], found: Sequence[Identified]
    ) -> None:
        """A label file of one PNG that is itself named after another: it, or an image, was
        renamed.
        """
        pngs = {(png.export, png.slice) for png in found}
        if len(pngs) != 1 or not references[0].name.strip():
            return
        ((index, slice_),) = pngs
        export, own = self.exports[index], bare_key(self.path.stem)
        tag = _tag_in(own)
        another = export.names_have_tag and tag is not None and tag != export.tag
        if another or _slice_of(own, export) not in (None, slice_):
            raise Unidentified(
                0,
                f"has labels of one image, and two names for it: {self.path.stem!r} and"
                f" {references[0].name!r}; rename the file, or correct the name in it",
            )

    def _nearby(self, fits: Callable[[Export], bool]) -> str | None:
        """The name of the folder of an export around the label file, or around the given exports,
        that fits, and is none of these.
        """
        tags = {export.tag for export in self.exports} - {None}
        for export in self.surroundings.around([self.path, *self._documents()]):
            if fits(export) and export.tag not in tags and export.folder is not None:
                return export.folder.name
        return None

    def _documents(self) -> Iterator[Path]:
        """The documents of the given exports, as far as they are on this machine."""
        for export in self.exports:
            if export.folder is not None and export.folder.local is not None:
                yield export.folder.local / SIDECAR_NAME


def notes_of(references: Sequence[ImageReference], found: Sequence[Identified]) -> Iterator[str]:
    """What is to be told of references that were identified."""
    resized = [n for n, png in enumerate(found) if png.scale != (1.0, 1.0)]
    if resized:
        first, scale = references[resized[0]], found[resized[0]].scale
        assert first.size is not None
        yield (
            f"{len(resized)} images were resized before labelling ({first.name!r}: {first.size[0]}"
            f" × {first.size[1]}, by {1 / scale[0]:.4g}); scaled back to the PNGs"
        )


def stated_tag(reference: ImageReference) -> str | None:
    """The tag in the name of an image, or that the file states beside it; None where there is
    none.
    """
    return reference.tag or _tag_in(reference.name)


def _tag_in(name: str) -> str | None:
    parts = split_name(bare_key(name))
    return parts and parts.tag


def _slice_of(reference: str, export: Export) -> int | None:
    """The PNG that a reference names, as it is written, in a URL or behind an upload prefix; also
    that of another specimen's name with the tag and a number of this export.
    """
    bare = bare_key(reference)
    readings: Iterable[str] = dict.fromkeys((reference, named_path(reference), bare))
    found = next((k for k in map(export.sidecar.slice_of, readings) if k is not None), None)
    parts = split_name(bare)
    if found is None and parts is not None and parts.tag == export.tag is not None:
        return parts.number if parts.number < export.sidecar.size[2] else None
    return found


def _in_its_folder(
    reference: str, candidates: Sequence[tuple[Export, int]]
) -> Sequence[tuple[Export, int]]:
    """Those whose name is that of a folder in the reference; all where it names none of them."""
    folders = set(named_path(reference).lower().split("/")[:-1])
    named = [c for c in candidates if c[0].name.lower() in folders]
    return named or candidates


def _whole(reference: ImageReference) -> tuple[str, str]:
    """What two references to one image have in common."""
    return one_image(reference.name), reference.entry


def _sidecar_of(folder: str | None) -> str:
    return f"that of the folder {folder}" if folder else "the sidecar.json of that export"


def _misfit(stated: tuple[int, int], own: tuple[int, int]) -> float:
    """By how many PNG pixels one axis misses when the other is scaled to fit; the better of both
    ways.
    """
    (stated_width, stated_height), (width, height) = stated, own
    return min(
        abs(stated_width * height / stated_height - width),
        abs(stated_height * width / stated_width - height),
    )
