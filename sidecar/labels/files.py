"""Which label files paths mean, and which export a label file lies beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sidecar.document import model as documents
from sidecar.document.zoom_list import ZOOMS_NAME, read_zooms
from sidecar.errors import DocumentError, LabelError, SidecarError
from sidecar.labels.identity.exports import Export, Surroundings
from sidecar.labels.identity.identified import stated_tag
from sidecar.labels.model import ImageReference, PngStack
from sidecar.labels.readers import read_labels
from sidecar.labels.references import other_export
from sidecar.storage.locate import locate

#: A label file folder is searched for these endings.
LABEL_ENDINGS = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".geojson",
        ".xml",
        ".roi",
        ".zip",
        ".tps",
        ".pts",
        ".fcsv",
        ".landmarkascii",
        ".svg",
        ".h5",
    ]
)
#: Of these endings, but beside labels and not labels; the last two are YOLO's.
_NOT_LABELS = frozenset({documents.SIDECAR_NAME, ZOOMS_NAME, "classes.txt", "notes.json"})


def label_files(paths: Iterable[Path]) -> list[Path]:
    """The files that paths mean: a file itself, a folder the label files in it.

    LabelError where there are none.
    """
    files: list[Path] = []
    for path in paths:
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else None
            if inside is None and not path.is_file():
                raise LabelError(
                    "is not a file" if path.exists() else "there is no such file", path
                )
        except OSError as error:
            raise LabelError(f"cannot be read: {error.strerror}", path) from None
        if inside is not None:
            labels = [p for p in inside if _holds_labels(p)]
            if not labels and (path / "labels").is_dir():  # a YOLO data set
                labels = [p for p in sorted((path / "labels").iterdir()) if _holds_labels(p)]
            if not labels:
                deeper = (
                    ", and folders in it are not searched: name them"
                    if any(p.is_dir() for p in inside)
                    else ""
                )
                others = [way for p in inside if (way := other_export(p.name))]
                raise LabelError(f"holds no label files{deeper}{''.join(others[:1])}", path)
            files += labels
        else:
            files.append(path)
    return files


def _holds_labels(path: Path) -> bool:
    """By its name. The .h5 that DeepLabCut writes beside a CSV of its name holds the same."""
    return (
        path.suffix.lower() in LABEL_ENDINGS
        and path.name not in _NOT_LABELS
        and path.is_file()
        and not (path.suffix.lower() == ".h5" and path.with_suffix(".csv").is_file())
    )


def find_exports(path: Path, surroundings: Surroundings, format: str | None = None) -> list[Export]:
    """The exports that a label file may be of: the one it lies beside, or the stacks around
    landmarks in the folders beside it, or those beside the images that it names within its own
    folder, or those around it whose tags it names.

    DocumentError where there are none.
    """
    if (path.parent / documents.SIDECAR_NAME).is_file():
        return [surroundings.open(path.parent / documents.SIDECAR_NAME)]
    if not path.is_file():
        raise LabelError("there is no such file", path)
    zooms = read_zooms(locate(path.parent))
    if zooms is not None:
        folders = (path.parent / zoom.folder for zoom in zooms.zooms)
        return [surroundings.open(folder / documents.SIDECAR_NAME) for folder in folders]
    images = _images(path, format)
    found = [surroundings.open(place) for place in _beside_images(path, images)]
    tags = {stated_tag(image) for image in images} - {None}
    if not found and tags:
        found = [e for e in surroundings.around([path]) if e.tag in tags]
    if not found:
        raise DocumentError(
            f"no {documents.SIDECAR_NAME} beside {path.name} or beside the images it names; say"
            " where it is with --sidecar"
        )
    return found


def _images(path: Path, format: str | None) -> tuple[ImageReference, ...]:
    """The images that a file names; formats that need the stack to be read name none."""
    try:
        return read_labels(path, PngStack(1, 1, 1 << 30), format).images
    except SidecarError:
        return ()


def _beside_images(path: Path, images: Iterable[ImageReference]) -> Iterator[Path]:
    """The ``sidecar.json`` beside the images that a file names, in folders within its own."""
    home = path.parent.resolve()
    folders = {image.name.replace("\\", "/").rpartition("/")[0] for image in images}
    for folder in sorted(filter(None, folders)):
        candidate = (path.parent / folder / documents.SIDECAR_NAME).resolve()
        if candidate.is_relative_to(home) and candidate.is_file():
            yield candidate
