"""Tell of labelled PNGs that another program has saved again in the folder of their export.

Labels are mapped by the number of their PNG, and the PNG itself is not compared with anything. If
it was mirrored, they come back in the wrong place. Most programs drop the texts of a PNG when they
save it, and that is what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.errors import counted
from sidecar.formats.png_text import read_head
from sidecar.mapping import Sidecar
from sidecar.storage.location import Location


def rewritten_notes(sidecar: Sidecar, slices: Iterable[int]) -> list[str]:
    """A note where files of these PNGs are there without the texts that the export wrote.

    A program that keeps the texts is not noticed. Nothing is read from remote storage.
    """
    document, folder = sidecar.document, sidecar.folder
    wrote_texts = document.evidence is None and document.images.tag is not None
    if folder is None or folder.local is None or not wrote_texts:
        return []
    within = sorted(set(slices).intersection(range(sidecar.size[2])))
    names = [document.images.files[k].name for k in within]
    rewritten = [name for name in names if _has_lost_texts(folder / name)]
    if not rewritten:
        return []
    return [
        f"another program has saved {counted(len(rewritten), 'PNG')} since the export, the"
        f" first {rewritten[0]!r}. If it turned, mirrored or moved the image, labels on it come"
        " back in the wrong place; `sidecar check` names these PNGs, and a new export has them as"
        " they were"
    ]


def _has_lost_texts(png: Location) -> bool:
    try:
        with png.open() as file:
            head = read_head(file)
    except OSError:
        return False
    return head is None or "Sidecar" not in head.texts
