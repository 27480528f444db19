"""The list ``zooms.json``: the stacks around landmarks in the folders beside it, in the order of
the landmarks, and the page that shows all of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from sidecar.document.generator import generator
from sidecar.document.tag import TAG
from sidecar.errors import DocumentError, reason
from sidecar.storage.location import Location, WritableLocation
from sidecar.storage.names import is_plain

ZOOMS_NAME = "zooms.json"
VERSION = "1.0"
#: Most bytes of a list. 500 landmarks take about 100 kB.
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ZoomFolder:
    """One stack: its folder beside the list, its landmark, and the tag of its PNGs."""

    folder: str
    label: str
    tag: str


@dataclass(frozen=True, slots=True)
class ZoomList:
    """All stacks that one `sidecar zoom` made, at least one.

    ``page``: the file beside the list that shows them; None where there is none.
    """

    zooms: tuple[ZoomFolder, ...]
    page: str | None


def read_zooms(folder: Location) -> ZoomList | None:
    """The list in a folder; None where there is none.

    DocumentError where it cannot be read, or is not as this program writes it.
    """
    file = folder / ZOOMS_NAME
    try:
        if not file.exists():
            return None
        if file.stamp()[0] > MAX_BYTES:
            raise DocumentError(f"{ZOOMS_NAME} is larger than any list of zooms")
        return _checked(json.loads(file.read_bytes()))
    except OSError as error:
        raise DocumentError(f"{ZOOMS_NAME} cannot be read: {reason(error)}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DocumentError(
            f"{ZOOMS_NAME} is damaged: it is not a list of stacks as `sidecar zoom` writes it; run"
            " that command again, or remove the file"
        ) from None


def _checked(found: dict[str, Any]) -> ZoomList:
    """The list in the JSON ``found``. ValueError, KeyError or TypeError where it is not a list
    of zooms.
    """
    if re.fullmatch(r"1\.[0-9]{1,9}", found["version"]) is None:
        raise ValueError
    zooms = tuple(ZoomFolder(one["folder"], one["label"], one["tag"]) for one in found["zooms"])
    names = [zoom.folder for zoom in zooms] + [found["page"]] * (found["page"] is not None)
    tags = [re.fullmatch(TAG, zoom.tag) for zoom in zooms]
    texts = all(isinstance(zoom.label, str) for zoom in zooms)
    if not (zooms and texts and all(tags) and all(map(is_plain, names))):
        raise ValueError
    return ZoomList(zooms, found["page"])


def as_json(zooms: ZoomList) -> bytes:
    """The list as bytes of its file."""
    stated = {"version": VERSION, "generator": generator(), **asdict(zooms)}
    return json.dumps(stated, indent=1, ensure_ascii=False).encode() + b"\n"


def save_zooms(zooms: ZoomList, folder: WritableLocation) -> None:
    """Write the list, whole or not at all."""
    (folder / ZOOMS_NAME).put(as_json(zooms))
