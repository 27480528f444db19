"""Are the PNGs of a folder those that its document names? Digests, sizes, depths and texts are
checked. No pixel is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sidecar.checks.finding import Finding, finding
from sidecar.document.images import Png, image_path, read_head, wrong_size
from sidecar.document.model import SIDECAR_NAME, Document
from sidecar.document.tag import png_stem
from sidecar.errors import DocumentError, counted
from sidecar.progress import Progress
from sidecar.storage.digest import file_digest
from sidecar.storage.location import Location


def check_images(document: Document, folder: Location, progress: Progress) -> list[Finding]:
    """Findings on the PNGs in ``folder``. Reads each PNG once."""
    names = [image.name for image in document.images.files]
    progress.start("reading PNGs", len(names))
    missing, digests, sizes, texts, silent = [], [], [], [], 0
    for k, image in enumerate(document.images.files):
        try:
            png, digest = _read(folder, image.name)
        except DocumentError as error:
            missing.append(str(error))
            continue
        if digest != image.sha256:
            digests.append(f"{image.name} {_changed(image.name, png, k)}")
        sizes += [f"{image.name} {problem}" for problem in wrong_size(png, document)]
        texts += [f"{image.name} {problem}" for problem in wrong_text(png, document, k)]
        silent += png is None or not png.text
        progress.advance(1, 0)
    unread = len(missing)
    missing += [f"{name} is there, but is not of this export" for name in _strangers(folder, names)]
    columns, rows, count = document.images.size
    read = count - unread
    said = (
        f"{counted(read, 'PNG')} of {columns} × {rows}, {document.images.bits} bits,"
        f" {counted(document.images.channels, 'channel')}"
    )
    files = finding("files", missing, f"{counted(count, 'PNG')}, none missing and none too many")
    if read == 0:
        return [
            files,
            *(Finding(name, None, "no PNG to look at") for name in ("digests", "sizes", "texts")),
        ]
    found = [files, finding("digests", digests, counted(read, "SHA-256 digest"))]
    # images of another program may be of any kind, and have no texts of an export
    if document.evidence is not None:
        return found
    return [
        *found,
        finding("sizes", sizes, said),
        (
            Finding("texts", None, "these images carry no text of an export")
            if silent == read
            else finding("texts", texts, f"slice and series are named in {counted(read, 'PNG')}")
        ),
    ]


def _strangers(folder: Location, names: Sequence[str]) -> list[str]:
    """PNGs that are named as an export names them, but are not in the document. A label tool
    would show them among the others.
    """
    stem = png_stem(names[0])
    try:
        there = folder.names()
    except OSError as error:
        raise DocumentError(
            f"folder {folder.name or folder.resolved().name} cannot be read: {error.strerror}"
        ) from None
    return sorted(
        name for name in set(there).difference(names) if stem is not None and png_stem(name) == stem
    )


def _read(folder: Location, name: str) -> tuple[Png | None, str]:
    """Head and digest of an image.

    DocumentError where there is no such file, or where it cannot be read.
    """
    path = image_path(folder, name)
    try:
        return read_head(path), file_digest(path)
    except OSError as error:
        raise DocumentError(f"{name} cannot be read: {error.strerror}") from None


def _changed(name: str, png: Png | None, k: int) -> str:
    if png is None:
        return (
            "is no longer a PNG"
            if name.lower().endswith(".png")
            else "was changed after it was adopted"
        )
    if not png.whole:
        return "is cut short"
    said = png.text.get("Slice", "")
    return f"holds slice {said[:9]}" if said not in ("", str(k)) else "was changed after the export"


def wrong_text(png: Png | None, document: Document, k: int) -> Iterator[str]:
    """What the text of an exported PNG states wrongly about PNG ``k``."""
    series = document.source.series_instance_uid.encode("latin-1", "replace").decode("latin-1")
    wanted = {"Slice": str(k), "SeriesInstanceUID": series, "Sidecar": SIDECAR_NAME}
    if document.images.tag is not None:
        wanted["Tag"] = document.images.tag
    text = {} if png is None else png.text
    if not text:
        yield "carries no text of an export"
        return
    for keyword, value in wanted.items():
        if text.get(keyword) != value:
            yield (
                f"says {keyword} {text[keyword][:70]!r} instead of {value!r}"
                if keyword in text
                else f"does not say {keyword}"
            )
