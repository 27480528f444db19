"""The exports that label files may belong to, and tables of them.

Label files may have thousands of image references, and there may be hundreds of exports. What a
reference says is looked up here: nothing goes through all exports for each reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sidecar.document.tag import folded, image_key, split_name
from sidecar.labels.copies import original_of
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import folders_of
from sidecar.labels.references import bare_key, named_path

_Key = TypeVar("_Key")


class Candidates(tuple[Export, ...]):
    """The exports that label files may belong to, tabled once for all files. Each list of them is
    in their order.
    """

    @cached_property
    def numbers(self) -> dict[Export, int]:
        """The index of each."""
        return {export: k for k, export in enumerate(self)}

    @cached_property
    def homes(self) -> tuple[Path, ...]:
        """The folders of those that are on this machine."""
        local = [export.folder.local for export in self if export.folder is not None]
        return tuple(folder.absolute() for folder in local if folder is not None)

    def with_tag(self, tag: str) -> list[Export]:
        """Those with this tag."""
        return self._by_tag.get(tag, [])

    def adopted_as(self, reference: str) -> list[Export]:
        """Those without tags in the names of their PNGs that have a PNG of this name all the same:
        the name of an adopted PNG may look as if it had a tag.
        """
        return self._of(self._by_tagged_name, _keys(reference))

    def named_as(self, reference: str) -> list[Export]:
        """Those that may have a PNG of this name, which has no tag: the rest surely has none."""
        return self._of(self._by_start, [_start(key) for key in _keys(reference)])

    def in_folder_of(self, reference: str) -> list[Export]:
        """Those in whose folder an image lies, by the folders in its name."""
        return self._of(self._by_folder, [folded(folder) for folder in folders_of(reference)])

    def like(self, export: Export) -> list[Export]:
        """Those whose labels also fit an export."""
        return self._by_mapping.get(export.mapping_tag, [])

    def of_size(self, size: tuple[int, int] | None) -> list[Export]:
        """Those whose PNGs have this size; none where it is unknown."""
        return [] if size is None else self._by_size.get(size, [])

    @cached_property
    def _by_tag(self) -> dict[str | None, list[Export]]:
        return _table((export.tag, export) for export in self)

    @cached_property
    def _by_tagged_name(self) -> dict[str, list[Export]]:
        adopted = (export for export in self if not export.names_have_tag)
        named = ((key, export) for export in adopted for key in export.png_keys)
        return _table((key, export) for key, export in named if _has_tag(key))

    @cached_property
    def _by_start(self) -> dict[str, list[Export]]:
        starts = ((export, dict.fromkeys(map(_start, export.png_keys))) for export in self)
        return _table((start, export) for export, own in starts for start in own)

    @cached_property
    def _by_folder(self) -> dict[str, list[Export]]:
        return _table((name, export) for export in self for name in export.folder_names)

    @cached_property
    def _by_mapping(self) -> dict[str, list[Export]]:
        return _table((export.mapping_tag, export) for export in self)

    @cached_property
    def _by_size(self) -> dict[tuple[int, int], list[Export]]:
        return _table((export.png_size, export) for export in self)

    def _of(self, table: dict[str, list[Export]], keys: Iterable[str]) -> list[Export]:
        found = {export for key in keys for export in table.get(key, ())}
        return sorted(found, key=self.numbers.__getitem__)


def _table(pairs: Iterable[tuple[_Key, Export]]) -> dict[_Key, list[Export]]:
    found: dict[_Key, list[Export]] = {}
    for key, export in pairs:
        found.setdefault(key, []).append(export)
    return found


def _keys(reference: str) -> set[str]:
    """The keys by which a PNG of this name is found: with and without the prefix of an upload, and
    without the marks of a second file.
    """
    bare = image_key(bare_key(reference))
    return {image_key(named_path(reference)), bare, original_of(bare)}


def _start(key: str) -> str:
    """What names have before number and tag; the whole name where they have none."""
    name = split_name(key)
    return key if name is None else name.stem


def _has_tag(key: str) -> bool:
    name = split_name(key)
    return name is not None and name.tag is not None
