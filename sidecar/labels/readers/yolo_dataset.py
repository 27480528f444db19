"""Read the files that describe a YOLO data set: class names, and the number of keypoints.

`classes.txt`, `data.yaml` and Label Studio's `notes.json` lie beside the label files, or in the
folder that holds `labels/` (Label Studio), `labels/train/` (Ultralytics) or `train/labels/`
(Roboflow). Paths in these files are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.text import LIMIT_BYTES, member, parse_json, read_text, whole

DATA, CLASSES, NOTES = "data.yaml", "classes.txt", "notes.json"
_LABELS = "labels"
_PARTS = frozenset({"train", "valid", "val", "test"})
_LIMITS = {DATA: 2**20, CLASSES: 2**20, NOTES: LIMIT_BYTES}


@dataclass(frozen=True, slots=True)
class Dataset:
    """The description of a data set.

    ``keypoints``: (how many, 2 or 3 numbers each) for pose, otherwise None. ``is_described``:
    whether any file states whether it is pose. ``source``: the file with the names.
    """

    names: dict[int, str] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None
    is_described: bool = False
    source: str = ""


def dataset_of(path: Path) -> Dataset:
    """The description of the label file ``path`` in the nearest folder with such a file.

    LabelError where two files of this folder have different names.
    """
    for folder in _folders(path):
        found = [folder / name for name in (DATA, CLASSES, NOTES) if (folder / name).is_file()]
        if found:
            return _described(tuple((file, read_text(file, _LIMITS[file.name])) for file in found))
    return Dataset()


def _folders(path: Path) -> Iterator[Path]:
    folder = path.absolute().parent
    yield folder
    if folder.name == _LABELS:
        yield folder.parent
        if folder.parent.name in _PARTS:
            yield folder.parent.parent
    elif folder.parent.name == _LABELS:
        yield folder.parent.parent


@lru_cache(maxsize=2)
def _described(files: tuple[tuple[Path, str], ...]) -> Dataset:
    """The description in the files of one folder, given with their texts. It is that of all label
    files beside them, and parsed once.
    """
    return _merged([_READERS[file.name](text, file) for file, text in files], [*dict(files)])


def _merged(datasets: list[Dataset], files: list[Path]) -> Dataset:
    described = next((d for d in datasets if d.is_described), Dataset())
    named = [(d, file) for d, file in zip(datasets, files, strict=True) if d.names]
    for dataset, file in named[1:]:
        if dataset.names != named[0][0].names:
            raise LabelError(
                f"names other classes than {named[0][1].name} beside it; remove the file that is"
                " out of date",
                file,
            )
    names, source = (named[0][0].names, named[0][1].name) if named else ({}, "")
    return Dataset(names, described.keypoints, described.is_described, source)


def _classes(text: str, path: Path) -> Dataset:
    lines = text.rstrip().splitlines()
    return Dataset({n: line.strip() for n, line in enumerate(lines)})


def _notes(text: str, path: Path) -> Dataset:
    """The description in Label Studio's file: {"categories": [{"id": 0, "name": "rbox"}], …}.

    If no category has keypoints, the data set has none.
    """
    categories = member(parse_json(text, path), "categories", list, path)
    names = {}
    for n, category in enumerate(categories, 1):
        where = f"category {n}"
        name = member(category, "name", str, path, where)
        names[whole(category.get("id"), path, where, "id")] = name
    return Dataset(names, is_described=not any("keypoints" in category for category in categories))


def _data_yaml(text: str, path: Path) -> Dataset:
    from sidecar.formats.yaml_file import YamlError, parse_yaml  # not loaded for other formats

    try:
        document: Any = parse_yaml(text)
    except YamlError as error:
        raise LabelError(f"is not valid YAML: {error}", path) from None
    if not isinstance(document, dict):
        raise LabelError("is not a YAML mapping with the entry 'names'", path)
    names = _names(document.get("names", {}), path)
    return Dataset(names, _kpt_shape(document.get("kpt_shape"), path), True)


def _names(value: object, path: Path) -> dict[int, str]:
    names = dict(enumerate(value)) if isinstance(value, list) else value
    if not isinstance(names, dict) or not all(
        isinstance(n, int) and isinstance(name, str | int) for n, name in names.items()
    ):
        raise LabelError("'names' is not a list of class names", path)
    return {n: str(name) for n, name in names.items()}


def _kpt_shape(value: object, path: Path) -> tuple[int, int] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not isinstance(value[0], int)
        or value[0] < 1
        or value[1] not in (2, 3)
    ):
        raise LabelError("'kpt_shape' is not [number of keypoints, 2 or 3]", path)
    return value[0], value[1]


_READERS = {DATA: _data_yaml, CLASSES: _classes, NOTES: _notes}
