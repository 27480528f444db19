"""``zooms.html``: all stacks around landmarks in one page, and ``zooms.json``, which lists them.

The page shows the PNGs in the folders beside it. What the stacks have in common, the planes of
their scan, stands in it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sidecar.document.model import Source
from sidecar.document.zoom_list import ZOOMS_NAME, ZoomFolder, ZoomList, save_zooms
from sidecar.errors import OutputError, reason
from sidecar.mapping import Sidecar
from sidecar.storage.location import WritableLocation
from sidecar.viewer.display import display_of
from sidecar.viewer.names import ZOOMS_PAGE
from sidecar.viewer.page import render_zooms, source_data, stack_data


def write_zooms_page(zooms: Sequence[Sidecar], folder: WritableLocation) -> WritableLocation | None:
    """Write ``zooms.html`` and ``zooms.json`` for stacks that lie in folders of ``folder``; returns
    where the page is. There is none where browsers cannot show the PNGs: those of 16 bits need
    copies beside them, which URLs cannot hold.

    An earlier page that `sidecar zoom` wrote there is replaced. OutputError where something else is
    in its place; DocumentError where a PNG is missing or not what its sidecar says.
    """
    require_room_for_page(folder)
    is_shown = folder.local is not None or all(zoom.document.images.bits == 8 for zoom in zooms)
    try:
        for name in (ZOOMS_PAGE, ZOOMS_NAME):
            (folder / name).remove()
    except OSError as error:
        raise OutputError(f"{name} cannot be replaced: {reason(error)}") from None
    page = folder / ZOOMS_PAGE
    if is_shown:
        page.put(render_zooms(zooms_data(zooms)).encode())
    listed = tuple(map(_listed, zooms))
    save_zooms(ZoomList(listed, ZOOMS_PAGE if is_shown else None), folder)
    return page if is_shown else None


def require_room_for_page(folder: WritableLocation) -> None:
    """OutputError where a file that no `sidecar zoom` wrote has the name of the page."""
    if (folder / ZOOMS_PAGE).exists() and not (folder / ZOOMS_NAME).exists():
        raise OutputError(
            f"{folder.name} holds a {ZOOMS_PAGE} that `sidecar zoom` did not write, or did not"
            " finish. Nothing was changed; move it away, or choose another folder with -o"
        )


def _listed(zoom: Sidecar) -> ZoomFolder:
    document = zoom.document
    assert document.zoom is not None
    return ZoomFolder(folder=_folder(zoom), label=document.zoom.label, tag=zoom.tag)


def _folder(zoom: Sidecar) -> str:
    assert zoom.folder is not None
    return zoom.folder.name


def zooms_data(zooms: Sequence[Sidecar]) -> dict[str, Any]:
    """What `render_zooms` needs: of every stack what its own page would be given, but with the
    number of its source among ``sources``.

    Raises what `display_of` does, which writes copies of PNGs of 16 bits where there are none.
    """
    sources: list[Source] = []
    stacks = []
    for zoom in zooms:
        assert zoom.folder is not None
        document = zoom.document
        if document.source not in sources:
            sources.append(document.source)
        stacks.append(
            stack_data(document, display_of(document, zoom.folder))
            | {"folder": _folder(zoom), "source": sources.index(document.source)}
        )
    return {"zooms": stacks, "sources": [source_data(source) for source in sources]}
