"""Which label files paths mean, and which export a label file lies beside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sidecar.document import model as documents
from sidecar.errors import DocumentError, LabelError, SidecarError
from sidecar.labels.model import PngStack
from sidecar.labels.readers import read_labels

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
_NOT_LABELS = frozenset({documents.SIDECAR_NAME, "classes.txt", "notes.json"})


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
                raise LabelError(f"holds no label files{deeper}", path)
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


def find_sidecar(path: Path, format: str | None = None) -> Path:
    """The ``sidecar.json`` beside a label file, or beside the images it names within its own
    folder.
    """
    beside = path.parent / documents.SIDECAR_NAME
    if beside.is_file():
        return beside
    if not path.is_file():
        raise LabelError("there is no such file", path)
    for folder in _image_folders(path, format):
        candidate = (path.parent / folder / documents.SIDECAR_NAME).resolve()
        if candidate.is_relative_to(path.parent.resolve()) and candidate.is_file():
            return candidate
    raise DocumentError(
        f"no {documents.SIDECAR_NAME} beside {path.name} or beside the images it names; say where"
        " it is with --sidecar"
    )


def _image_folders(path: Path, format: str | None) -> list[str]:
    """Folders, as the file has them, of the images it names; formats that need the stack to be read
    name none.
    """
    try:
        labels = read_labels(path, PngStack(1, 1, 1 << 30), format)
    except SidecarError:
        return []
    folders = {image.replace("\\", "/").rpartition("/")[0] for image in labels.image}
    return sorted(folder for folder in folders if folder)
