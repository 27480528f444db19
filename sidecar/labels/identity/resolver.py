"""Decide which PNG of which export each image reference of a label file means.

All references go through this module, with their full text. A base name is weak evidence, because
all exports give their PNGs the same names. So all facts in the label file are used to prove or to
contradict a reference:

1. The tag in the name decides, with any folders or prefixes before it (`document.tag`). An origin
   that the file states, such as the page of an export writes it, decides too.
2. An image that the file carries, or that lies beside it, is compared by its texts or its pixels.
3. The size that the file states, the folder of the image or of the label file, and the name of the
   label file can contradict.
4. Two different references without a tag never become the same PNG.
5. If the image is surely a PNG in the folder that the reference names, or in that of the label
   file, an equal image of another export is not looked for.

A name without a tag is not enough for a PNG with a tag, unless 2 proves it or names are trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.choice import Candidate, interchangeable, is_one, likeliest
from sidecar.labels.identity.contradictions import refuse_contradictions
from sidecar.labels.identity.evidence import Seen, image_beside
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import (
    Identified,
    Unidentified,
    folders_of,
    is_in_folder_of,
    is_of_second_file,
    is_resize,
    slice_of,
    stated_tag,
)
from sidecar.labels.identity.surroundings import Neighbour, Surroundings
from sidecar.labels.model import ImageReference
from sidecar.labels.references import other_export

Look = Callable[[ImageReference], Seen | None]


@dataclass(frozen=True)
class Resolver:
    """Image references of the label file ``path`` → PNGs of ``exports``.

    ``trust_names``: a name without a tag is enough, also for PNGs whose names have a tag.
    """

    path: Path
    exports: Candidates
    surroundings: Surroundings
    trust_names: bool = False

    def identify(
        self, references: Sequence[ImageReference], look: Look | None = None
    ) -> list[Identified]:
        """The PNG of each reference.

        ``look`` finds the image of a reference. Without it, this is the image that the file
        carries, or that lies beside it. Raises `Unidentified` for the first reference that is not
        certainly a PNG.
        """
        found = [
            self._identify(number, reference, look or self._look)
            for number, reference in enumerate(references)
        ]
        refuse_contradictions(self.path, self.exports, references, found)
        return found

    def _look(self, reference: ImageReference) -> Seen | None:
        """The image that the file carries, or that lies beside it."""
        if reference.embedded:
            return Seen("the image in the label file", data=reference.embedded)
        return image_beside(self.path, reference.name)

    def _identify(self, number: int, reference: ImageReference, look: Look) -> Identified:
        exports, seen = self._of_stated_origin(number, reference), look(reference)
        if reference.name.strip():
            candidates = self._named(number, reference, exports, seen)
            export, slice_, proved = self._choose(number, reference, candidates, seen)
        else:
            export, slice_ = self._only(number, exports), None
            proved = reference.tag is not None
        if not proved:
            self._refuse_other_home(number, reference, export)
        # an image beside the label file is no better evidence than its name
        surely = _has_tag_of(reference, export) or bool(proved and reference.embedded)
        if not surely:
            self._refuse_other_folder(number, reference, export)
        size = _labelled_size(number, reference, seen)
        scale = self._scale(number, reference, export, size, surely)
        return Identified(self.exports.numbers[export], slice_, scale, size, proved)

    def _of_stated_origin(self, number: int, reference: ImageReference) -> Sequence[Export]:
        """The exports that fit the tag and the series that a reference states."""
        tag, series = stated_tag(reference), reference.series_uid
        fitting: Sequence[Export] = self.exports
        if tag is not None:
            adopted = [] if reference.tag else self.exports.adopted_as(reference.name)
            fitting = [*self.exports.with_tag(tag), *(e for e in adopted if e.tag != tag)]
            if not fitting:
                raise Unidentified(number, self._foreign(reference, tag))
        if series:
            fitting = [e for e in fitting if e.series_uid == series]
            if not fitting:
                raise Unidentified(
                    number,
                    f"is a label of series {series}, but these PNGs are of series"
                    f" {self.exports[0].series_uid}; give the sidecar.json of the label's export"
                    " with --sidecar",
                )
        return fitting

    def _only(self, number: int, exports: Sequence[Export]) -> Export:
        """The export of a reference without a name. Of several exports, the one in whose folder the
        label file lies.
        """
        home = self._home
        exports = [e for e in exports if is_one(e, home)] or exports
        if not interchangeable(exports):
            names = ", ".join(export.own_name for export in exports[:3])
            more = ", …" if len(exports) > 3 else ""
            raise Unidentified(
                number,
                "has slice numbers and no image names, so it could belong to any of these exports:"
                f" {names}{more}. Give the right one with --sidecar",
            )
        return exports[0]

    def _named(
        self,
        number: int,
        reference: ImageReference,
        exports: Sequence[Export],
        seen: Seen | None,
    ) -> list[Candidate]:
        """The PNGs with the name of a reference, at most one of each export. If one of the exports
        in its place is surely meant, no other export is looked at.
        """
        found: list[Candidate] = []
        for group in self._nearest_first(reference, exports):
            named = ((export, slice_of(reference.name, export)) for export in group)
            found = [
                Candidate.of(export, k, reference, seen) for export, k in named if k is not None
            ]
            if found and (seen is None or any(one.verdict == "same" for one in found)):
                return found
        if not found:
            told = (
                f"no PNG of this export is named {reference.name!r} ({exports[0].names_told})"
                if len(exports) == 1
                else f"no PNG of these {len(exports)} exports is named {reference.name!r}"
            )
            raise Unidentified(number, told + other_export(reference.name))
        return found

    def _nearest_first(
        self, reference: ImageReference, exports: Sequence[Export]
    ) -> Iterator[Sequence[Export]]:
        """The exports in whose folder the image lies, then the label file, then those with PNGs of
        the stated size, and all that have such names in the end.
        """
        if exports is not self.exports:  # the origin is stated
            yield exports
            return
        yield self.exports.in_folder_of(reference.name)
        yield [] if self._home is None else self.exports.like(self._home)
        yield self.exports.of_size(reference.size)
        yield self.exports.named_as(reference.name)

    def _foreign(self, reference: ImageReference, tag: str) -> str:
        whose = self._nearby(lambda export: export.tag == tag)
        own = ", ".join(sorted({export.tag for export in self.exports if export.tag is not None}))
        these = f"the tag of these PNGs is {own}" if own else "these PNGs have no tag"
        what = f"image {reference}" if reference.name.strip() else "the label"
        return (
            f"{what} belongs to another export: its tag is {tag}, but {these}; give"
            f" {_sidecar_of(whose)} with --sidecar"
        )

    def _choose(
        self,
        number: int,
        reference: ImageReference,
        candidates: Sequence[Candidate],
        seen: Seen | None,
    ) -> tuple[Export, int, bool]:
        """The candidate that nothing contradicts, and whether it is proved."""
        open_ = [one for one in candidates if one.verdict != "other"]
        if seen is not None and not open_:
            raise Unidentified(number, self._contradicted(reference, seen, candidates[0]))
        left = likeliest(reference, open_, self._home)
        if not interchangeable([one.export for one in left]):
            names = " or ".join(one.export.own_name for one in left[:3])
            raise Unidentified(
                number,
                f"image {reference} could belong to {names}; choose the export with --sidecar, and"
                " its labels with --images GLOB",
            )
        export, slice_, verdict = left[0]
        proved = verdict == "same" or _has_tag_of(reference, export)
        if not (proved or self.trust_names) and is_of_second_file(reference, export):
            raise Unidentified(
                number,
                f"image {reference} has a name that browsers and file managers give to a second"
                " file of one name, so it may be of another scan. Give it the name of the PNG, or"
                " add --trust-names if you are sure that it belongs to this export",
            )
        if export.names_have_tag and not (proved or self.trust_names):
            png = export.sidecar.document.images.files[slice_].name
            raise Unidentified(
                number,
                f"image {reference} has no tag, but the PNGs of {export.name} have one ({png}), so"
                " the image may belong to another export. Give it its whole name, or add"
                " --trust-names if you are sure that it belongs to this export",
            )
        return export, slice_, proved

    def _refuse_other_home(self, number: int, reference: ImageReference, export: Export) -> None:
        """Refuse an image of another export than the one in whose folder the label file lies,
        unless the reference names the folder of its export.
        """
        home = self._home
        if home is None or is_one(export, home) or is_in_folder_of(reference.name, export):
            return
        raise Unidentified(
            number,
            f"lies in the folder of the export {home.folder_name}, and does not say that it"
            f" belongs to {export.name}; leave --sidecar out, or, if it does belong to"
            f" {export.name}, move the file elsewhere",
        )

    def _refuse_other_folder(self, number: int, reference: ImageReference, export: Export) -> None:
        """Refuse an image in a folder named like another export, or with the tag of another export.

        PNGs of adopted stacks may have a tag in their names.
        """
        whose: str | None = None
        tag, folder = stated_tag(reference), "".join(folders_of(reference.name)[-1:])
        if folder and not is_in_folder_of(f"{folder}/", export):
            called = self.surroundings.called(folder, self._homes)
            whose = next((e.folder_name for e in called if not is_one(e, export)), None)
        if whose is None and tag is not None:
            whose = self._nearby(lambda e: e.tag == tag)
        if whose is not None:
            raise Unidentified(
                number,
                f"image {reference} has a name that belongs to the folder {whose}, which holds"
                f" another export than {export.name}; give the sidecar.json of that folder with"
                " --sidecar",
            )

    @cached_property
    def _home(self) -> Export | None:
        """The export in whose folder the label file lies."""
        return self.surroundings.beside(self.path)

    @cached_property
    def _homes(self) -> tuple[Path, ...]:
        """The folders of the label file and of the exports."""
        return (self.path.absolute().parent, *self.exports.homes)

    def _contradicted(self, reference: ImageReference, seen: Seen, candidate: Candidate) -> str:
        """The text of an error where an image contradicts: what it is, and which export nearby it
        belongs to.
        """
        export, slice_, _ = candidate
        head, document = seen.head, export.sidecar.document
        if head is None or "Sidecar" not in head.texts:
            return (
                f"{seen.where} has other pixels than {document.images.files[slice_].name}, so it"
                " belongs to another export or slice, or was turned or mirrored; give the"
                " sidecar.json of its export with --sidecar"
            )
        series, tag = head.texts.get("SeriesInstanceUID"), head.texts.get("Tag")
        number, own = head.texts.get("Slice"), export.series_uid
        whose = self._nearby(lambda e: tag is not None and e.tag == tag)
        if series != own:
            found = f"of series {series}, but these PNGs are of series {own}"
        elif tag is not None and tag != export.mapping_tag:
            found = f"of an export with tag {tag}, but these PNGs have the tag {export.mapping_tag}"
        elif number != str(slice_):
            return (
                f"{seen.where} is PNG {number}, but this file calls it {reference.name!r}; correct"
                " the name"
            )
        else:
            found = f"{head.size[0]} × {head.size[1]} pixels, but these PNGs have another size"
        return f"{seen.where} is {found}; give {_sidecar_of(whose)} with --sidecar"

    def _scale(
        self,
        number: int,
        reference: ImageReference,
        export: Export,
        size: tuple[int, int] | None,
        surely: bool,
    ) -> tuple[float, float]:
        """PNG pixels per pixel of an image of ``size``; 1 where the size is unknown.

        ``surely``: whether no other export can be meant.
        """
        own = export.png_size
        stated = size or own
        if stated == own:
            return 1.0, 1.0
        told = f"image {reference.name!r} has {stated[0]} × {stated[1]} pixels in this file"
        if not is_resize(stated, own):
            raise Unidentified(
                number,
                f"{told}, but the PNG has {own[0]} × {own[1]}: the image was cropped or stretched,"
                " or belongs to another export. Label the PNGs as they are, or give the"
                " sidecar.json of the other export with --sidecar",
            )
        whose = None if surely else self._nearby(lambda e: e.png_size == stated)
        if whose is not None:
            raise Unidentified(
                number,
                f"{told}. The PNGs in the folder {whose} have this size, but these PNGs have"
                f" {own[0]} × {own[1]}; give the sidecar.json of that folder with --sidecar",
            )
        return own[0] / stated[0], own[1] / stated[1]

    def _nearby(self, fits: Callable[[Export | Neighbour], bool]) -> str | None:
        """The name of the folder of an export that ``fits``: one of the given exports, or one
        around them or around the label file.
        """
        near: Iterable[Export | Neighbour] = chain(
            self.exports, self.surroundings.around(self._homes)
        )
        return next((one.folder_name or None for one in near if fits(one)), None)


def _has_tag_of(reference: ImageReference, export: Export) -> bool:
    tag = stated_tag(reference)
    return tag is not None and tag == export.tag


def _labelled_size(
    number: int, reference: ImageReference, seen: Seen | None
) -> tuple[int, int] | None:
    """Columns and rows of the labelled image: those of the image that the file carries, those that
    the file states, or those of the image beside it; None where unknown.
    """
    stated = reference.size
    if seen is None or not seen.pixels_tell or (seen.path is not None and stated is not None):
        return stated
    found = seen.size
    if None not in (stated, found) and stated != found:
        told, shown = (" × ".join(map(str, size or ())) for size in (stated, found))
        raise Unidentified(
            number,
            f"image {reference} has {told} pixels in this file, but {seen.where} has {shown}, so"
            " the image was replaced; restore the one that was labelled",
        )
    return found or stated


def _sidecar_of(folder: str | None) -> str:
    return (
        f"the sidecar.json of the folder {folder}" if folder else "the sidecar.json of that export"
    )
