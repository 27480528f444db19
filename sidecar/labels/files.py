"""Find the label files that paths stand for, and the exports that a label file may belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sidecar.document import model as documents
from sidecar.document.zoom_list import ZOOMS_NAME
from sidecar.errors import DocumentError, LabelError, SidecarError
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.identified import stated_tag
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.model import ImageReference, PngStack
from sidecar.labels.readers import read_labels
from sidecar.labels.references import export_of_brushes

#: Endings of label files in a folder.
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
#: Files with such an ending that lie beside labels and are no labels. The last two are of YOLO.
_NOT_LABELS = frozenset({documents.SIDECAR_NAME, ZOOMS_NAME, "classes.txt", "notes.json"})


def label_files(paths: Iterable[Path]) -> list[Path]:
    """The label files of paths: a file stands for itself, a folder for the label files in it. A
    file that is given twice counts once.

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
                    "; folders inside it are not searched, so name them"
                    if any(p.is_dir() for p in inside)
                    else ""
                )
                others = [way for p in inside if (way := export_of_brushes(p.name))]
                raise LabelError(f"holds no label files{deeper}{''.join(others[:1])}", path)
            files += labels
        else:
            files.append(path)
    once: dict[Path, Path] = {}
    for file in files:
        once.setdefault(file.resolve(), file)
    return list(once.values())


def _holds_labels(path: Path) -> bool:
    """Whether a file holds labels, by its name.

    DeepLabCut writes a .h5 file beside a CSV of the same name, with the same labels; it is left
    out. So is ._a.json, which a Mac writes beside a.json on disks of other systems.
    """
    return (
        path.suffix.lower() in LABEL_ENDINGS
        and not path.name.startswith("._")
        and path.name not in _NOT_LABELS
        and path.is_file()
        and not (path.suffix.lower() == ".h5" and path.with_suffix(".csv").is_file())
    )


def find_exports(path: Path, surroundings: Surroundings, format: str | None = None) -> Candidates:
    """The exports that a label file may belong to.

    This is the export that it lies beside; or the stacks around landmarks in the folders beside it;
    or the exports beside the images that it names in its own folder; or exports around it that have
    the tags in its image names. DocumentError where there are none.
    """
    if (path.parent / documents.SIDECAR_NAME).is_file():
        return Candidates([surroundings.open(path.parent / documents.SIDECAR_NAME)])
    if not path.is_file():
        raise LabelError("there is no such file", path)
    zooms = surroundings.zooms_in(path.parent)
    if zooms is not None:
        return zooms
    images = _images(path, format)
    found = [surroundings.open(place) for place in _beside_images(path, images)]
    tags = {stated_tag(image) for image in images} - {None}
    if not found and tags:
        near = surroundings.around([path.absolute().parent])
        found = [surroundings.open(one.document) for one in near if one.tag in tags]
    if not found:
        raise DocumentError(
            f"there is no {documents.SIDECAR_NAME} beside {path.name} or beside the images that it"
            " names; say where it is with --sidecar"
        )
    return Candidates(found)


def _images(path: Path, format: str | None) -> tuple[ImageReference, ...]:
    """The images that a file names. Formats that can be read only with the stack name none."""
    try:
        return read_labels(path, PngStack(1, 1, 1 << 30), format).images
    except SidecarError:
        return ()


def _beside_images(path: Path, images: Iterable[ImageReference]) -> Iterator[Path]:
    """The ``sidecar.json`` files beside the images that a file names in folders inside its own."""
    home = path.parent.resolve()
    folders = {image.name.replace("\\", "/").rpartition("/")[0] for image in images}
    for folder in sorted(filter(None, folders)):
        candidate = (path.parent / folder / documents.SIDECAR_NAME).resolve()
        if candidate.is_relative_to(home) and candidate.is_file():
            yield candidate
