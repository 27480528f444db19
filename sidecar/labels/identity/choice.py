"""Choose among the PNGs that an image reference may mean, where several exports have PNGs of its
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sidecar.labels.identity.evidence import Seen, verdict_beside_tag, verdict_of
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import is_in_folder_of, stated_tag
from sidecar.labels.identity.likeness import Verdict
from sidecar.labels.identity.surroundings import Neighbour
from sidecar.labels.model import ImageReference
from sidecar.labels.references import bare_key


class Candidate(NamedTuple):
    """A PNG that a reference may mean, and whether the image that was seen is this PNG."""

    export: Export
    slice: int
    verdict: Verdict

    @classmethod
    def of(
        cls, export: Export, slice_: int, reference: ImageReference, seen: Seen | None
    ) -> Candidate:
        """A PNG, compared with the image. Where a tag has already decided, the image can only
        contradict, and only surely.
        """
        if seen is None:
            return cls(export, slice_, "unknown")
        compare = verdict_of if stated_tag(reference) is None else verdict_beside_tag
        return cls(export, slice_, compare(seen, export, slice_))


def likeliest(
    reference: ImageReference, candidates: Sequence[Candidate], home: Export | None
) -> Sequence[Candidate]:
    """Those that the image is, or else those in the place of the reference. If these do not mean
    the same, those of exactly its name, if there are some.

    ``home``: the export in whose folder the label file lies.
    """
    same = [one for one in candidates if one.verdict == "same"]
    left = same or _in_its_place(reference, candidates, home)
    if not interchangeable([one.export for one in left]):
        left = _of_its_name(reference, left) or left
    return left


def _in_its_place(
    reference: ImageReference, candidates: Sequence[Candidate], home: Export | None
) -> Sequence[Candidate]:
    """The candidates in whose folder the image lies, or else the label file, or that have the size
    that the file states; all candidates where nothing tells.
    """
    by_path = [one for one in candidates if is_in_folder_of(reference.name, one.export)]
    by_home = [one for one in candidates if is_one(one.export, home)]
    by_size = [one for one in candidates if one.export.png_size == reference.size]
    return by_path or by_home or by_size or candidates


def _of_its_name(reference: ImageReference, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates whose PNG has exactly the name in the reference, letter by letter."""
    key = bare_key(reference.name)
    return [one for one in candidates if one.export.sidecar.slice_of(key) == one.slice]


def interchangeable(exports: Sequence[Export]) -> bool:
    """Whether labels mean the same on each of the exports: they have the same mapping, and, if they
    are stacks around a landmark, the same landmark.
    """
    if len(exports) == 1:
        return True
    return len({(e.mapping_tag, str(e.sidecar.document.zoom)) for e in exports}) == 1


def is_one(export: Export | Neighbour, other: Export | None) -> bool:
    """Whether labels of one export also fit the other."""
    return other is not None and export.mapping_tag == other.mapping_tag
