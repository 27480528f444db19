"""Find labels in an output folder. An export never removes labels, and can keep those that belong
to the mapping it writes.

A label file belongs to a mapping if every image that it names has the tag of the mapping, in its
name or in a column. The PNGs that were in the folder before prove nothing.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sidecar.document.tag import split_name
from sidecar.errors import OutputError, SidecarError, named
from sidecar.labels.files import LABEL_ENDINGS
from sidecar.labels.identity.identified import stated_tag
from sidecar.labels.model import Labels, PngStack
from sidecar.labels.readers import read_labels
from sidecar.labels.text import LIMIT_BYTES
from sidecar.storage.location import WritableLocation, called
from sidecar.storage.whole_file import without_part
from sidecar.viewer.names import (
    KEPT_FOLDER,
    LABELS_NAME,
    LOCK_NAME,
    PORT_NAME,
    version_number,
)

#: A stack whose names and number are not known.
_ANY = PngStack(1, 1, 1 << 30)


def found_labels(folder: WritableLocation, entries: Sequence[str]) -> list[str]:
    """Which of ``entries`` are labels, by their content. Those of `sidecar label` count too."""
    return sorted(name for name in entries if _is_labels(folder / name))


def refuse_labels(
    folder: WritableLocation, labels: Sequence[str], png_names: Sequence[str], keep: bool
) -> None:
    """OutputError where these labels prevent an export of ``png_names``.

    Without ``keep``, all labels do. With ``keep``, only labels that do not have its tag.
    """
    there = [name for name in labels if name != KEPT_FOLDER or _versions(folder)]
    if there and not keep:
        raise OutputError(
            f"{called(folder)} holds labels ({named(there)}); nothing was touched: move them away,"
            " or give --keep-labels, which keeps labels that are of the mapping of this export"
        )
    tag = _tag_of(png_names[0])
    stack = PngStack(1, 1, len(png_names), names=tuple(png_names))
    versions = [f"{KEPT_FOLDER}/{name}" for name in _versions(folder)]
    for name in [*(name for name in labels if name != KEPT_FOLDER), *versions]:
        stated = _stated(folder / name, stack)
        if stated != {tag}:
            there_is = KEPT_FOLDER if name in versions else name
            raise OutputError(f"{called(folder)} holds {there_is}, which {_in_words(stated, tag)}")


def _in_words(stated: set[str | None], tag: str | None) -> str:
    others = sorted(filter(None, stated - {tag}))
    if not others:
        return (
            "does not have a tag for each label, so it is not known which mapping they are of;"
            " nothing was touched: move it away"
        )
    return (
        f"is of another mapping: its tag is {others[0]}, but the tag of this export is {tag};"
        " nothing was touched: move it away, and transfer its labels with sidecar map-points and"
        " sidecar project"
    )


def _is_labels(entry: WritableLocation) -> bool:
    if entry.is_link():
        return False
    if entry.name == KEPT_FOLDER:
        return entry.is_folder() and all(map(_is_kept, entry.names()))
    if not entry.is_file():
        return False
    if entry.name == LABELS_NAME:
        return True
    return Path(entry.name).suffix.lower() in LABEL_ENDINGS and _read(entry, _ANY) is not None


def _is_kept(name: str) -> bool:
    whole = without_part(name)
    return whole in (LOCK_NAME, PORT_NAME) or version_number(whole) is not None


def _versions(folder: WritableLocation) -> list[str]:
    kept = folder / KEPT_FOLDER
    if not kept.is_folder():
        return []
    return [name for name in kept.names() if version_number(name) is not None]


def _stated(entry: WritableLocation, stack: PngStack) -> set[str | None]:
    """The tags of the images that the labels of a file are on; None for an image without a tag."""
    labels = _read(entry, stack)
    if labels is None:
        return {None}
    return {stated_tag(labels.images[k]) for k in labels.labelled} or {_tag_of(stack.names[0])}


def _read(entry: WritableLocation, stack: PngStack) -> Labels | None:
    """The labels of a file, read only for its image references; None where it holds no labels."""
    is_version = version_number(entry.name) is not None
    try:
        with _on_this_machine(entry) as path:
            return read_labels(path, stack, "csv" if is_version else None)
    except (SidecarError, OSError):
        return None


@contextlib.contextmanager
def _on_this_machine(entry: WritableLocation) -> Iterator[Path]:
    """The path of a file on this machine, or of a copy of a remote file."""
    if entry.local is not None:
        yield entry.local
        return
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, Path(entry.name).name)
        if entry.stamp()[0] <= LIMIT_BYTES:
            path.write_bytes(entry.read_bytes())
        yield path


def _tag_of(png_name: str) -> str | None:
    parts = split_name(png_name.removesuffix(".png"))
    return parts and parts.tag
