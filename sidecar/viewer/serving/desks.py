"""Which pages there are for a folder: that of an export, that of the stacks around landmarks, or
one for each of those in the folders in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sidecar.document.model import SIDECAR_NAME
from sidecar.document.zoom_list import ZOOMS_NAME, read_zooms
from sidecar.errors import BatchError, DocumentError, OutputError, SidecarError, UsageError, reason
from sidecar.mapping import Sidecar
from sidecar.storage.locate import locate
from sidecar.viewer.serving.desk import Desk, ExportDesk
from sidecar.viewer.serving.zooms_desk import ZoomsDesk


def desks_in(folder: Path, names: tuple[str, ...] = ()) -> list[Desk]:
    """The desk of what is in ``folder``, or one for each of the folders in it that hold something
    to label, by name.

    DocumentError where there is none, or a document cannot be read; LabelError for its labels.csv,
    OutputError where it cannot be written; UsageError for ``names`` with stacks around landmarks;
    BatchError for several of which not all can be used.
    """
    if _is_labelled(folder):
        return [_desk(folder.resolve(), names)]
    desks, faults = [], []
    for place in _places_in(folder):
        try:
            desks.append(_desk(place, names))
        except SidecarError as error:
            faults.append(type(error)(f"{place.name}: {error}"))
    if faults:
        raise BatchError(faults, "not all of these exports can be labelled")
    return desks


def _desk(folder: Path, names: tuple[str, ...]) -> Desk:
    """Raises what speaks against labelling now, and not only when the first label is placed."""
    if folder.is_symlink():
        raise DocumentError("it is a link to another place; name the folder itself")
    desk = _opened(folder, names)
    desk.labels.checked()
    if not os.access(folder, os.W_OK):
        raise OutputError("the folder cannot be written to, so labels cannot be saved there")
    return desk


def _opened(folder: Path, names: tuple[str, ...]) -> Desk:
    listed = None if (folder / SIDECAR_NAME).exists() else read_zooms(locate(folder))
    if listed is None:
        return ExportDesk(folder, names, Sidecar.open(folder))
    if names:
        raise UsageError(
            "its stacks are around landmarks that already have names; leave out --names"
        )
    return ZoomsDesk.open(folder, listed)


def _is_labelled(folder: Path) -> bool:
    """Whether a folder holds an export, or the list of stacks around landmarks."""
    return any((folder / name).is_file() for name in (SIDECAR_NAME, ZOOMS_NAME))


def _places_in(folder: Path) -> Sequence[Path]:
    """The folders in a folder that hold something to label, in order."""
    try:
        if not folder.exists():
            raise DocumentError(f"{folder.name}: there is no such folder")
        inside = sorted(path for path in folder.iterdir() if _is_labelled(path))
    except OSError as error:
        raise DocumentError(f"{folder.name} cannot be read: {reason(error)}") from None
    if not inside:
        raise DocumentError(
            f"{folder.resolve().name} holds neither a {SIDECAR_NAME} nor folders with one; make an"
            " export with sidecar export"
        )
    return inside
