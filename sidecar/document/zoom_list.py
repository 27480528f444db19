"""``zooms.json``: which stacks around landmarks lie in the folders beside it, in the order of the
landmarks, and which page shows all of them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationError

from sidecar.document.generator import generator
from sidecar.document.model import Model
from sidecar.document.tag import TAG
from sidecar.errors import DocumentError, reason
from sidecar.storage.location import Location, WritableLocation
from sidecar.storage.names import PLAIN_NAME

ZOOMS_NAME = "zooms.json"
VERSION = "1.0"
#: A list larger than this is not one of ours: 500 landmarks take about 100 kB.
MAX_BYTES = 4 * 1024 * 1024


class ZoomFolder(Model):
    """One stack: its folder beside the list, its landmark, and the tag of its PNGs."""

    folder: Annotated[str, Field(pattern=PLAIN_NAME)]
    label: str
    tag: Annotated[str, Field(pattern=f"^{TAG}$")]


class ZoomList(Model):
    """All stacks that one `sidecar zoom` made. ``page``: the file beside it that shows them, null
    where there is none.
    """

    version: Annotated[str, Field(pattern=r"^1\.\d+$")] = VERSION
    generator: str
    page: Annotated[str, Field(pattern=PLAIN_NAME)] | None = None
    zooms: Annotated[list[ZoomFolder], Field(min_length=1)]

    @classmethod
    def of(cls, zooms: list[ZoomFolder], page: str | None) -> ZoomList:
        """The list that this version of the program writes."""
        return cls(generator=generator(), page=page, zooms=zooms)


def read_zooms(folder: Location) -> ZoomList | None:
    """The list in a folder, None where there is none.

    DocumentError where it cannot be read, or is not as this program writes it.
    """
    file = folder / ZOOMS_NAME
    try:
        if not file.exists():
            return None
        if file.stamp()[0] > MAX_BYTES:
            raise DocumentError(f"{ZOOMS_NAME} is larger than any list of zooms")
        return ZoomList.model_validate_json(file.read_bytes())
    except OSError as error:
        raise DocumentError(f"{ZOOMS_NAME} cannot be read: {reason(error)}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DocumentError(
            f"{ZOOMS_NAME} is damaged{place and f' at {place}'}: {first['msg']}; run the same"
            " `sidecar zoom` again, or remove it"
        ) from None


def save_zooms(zooms: ZoomList, folder: WritableLocation) -> None:
    """Write the list: it is there whole or not at all."""
    (folder / ZOOMS_NAME).put(zooms.model_dump_json(indent=1).encode() + b"\n")
