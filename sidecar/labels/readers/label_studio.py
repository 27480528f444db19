"""Label Studio JSON (the export called "JSON"; `label_studio_tables` reads "JSON-MIN" and "CSV").

Uploaded files get a prefix, and references may be URLs. `image` keeps them as they are in the file
(see `sidecar.labels.references`). Where several people annotated a task, all annotations are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.label_studio_regions import (
    SHAPES,
    image_of,
    label_of,
    outline_of,
    size_of,
)
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import stated_sizes
from sidecar.labels.shapes import Shape, labels_of
from sidecar.labels.text import head_text, json_keys, load_json, member, text_of

_TOOL = "Label Studio"
_LEFT_OUT = {
    "brush": "masks are areas of pixels, so use map-mask",
    "bitmask": "masks are areas of pixels, so use map-mask",
    "vector": "its curves are not read",
    "videorectangle": "on a video",
}


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    tasks = load_json(path)
    if not isinstance(tasks, list):
        raise LabelError('is not a list of tasks; export it from Label Studio as "JSON"', path)
    file = _File(path, Edges(options.pixel_origin))
    shapes = [shape for n, task in enumerate(tasks, 1) for shape in file.shapes(task, n)]
    return labels_of(
        path,
        shapes,
        tool=_TOOL,
        origin="corner",
        forced=options.pixel_origin,
        sizes=stated_sizes(path, file.sizes),
        notes=file.edges.notes,
        left_out=file.left_out.sentences,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """One export, and the notes that are collected while its tasks become shapes."""

    path: Path
    edges: Edges
    sizes: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)

    def shapes(self, task: Any, n: int) -> Iterator[Shape]:
        annotations = member(task, "annotations", list, self.path, f"task {n}")
        where = f"task {text_of(task.get('id')) or n}"
        data = member(task, "data", dict, self.path, where)
        for key, what in (("predictions", "model prediction"), ("drafts", "draft")):
            found = task.get(key)
            self.left_out.add(what, count=len(found) if isinstance(found, list) else 0)
        for annotation in annotations:
            results = member(annotation, "result", list, self.path, where)
            if annotation.get("was_cancelled"):
                self.left_out.add("cancelled annotation")
                continue
            extra = {
                "annotation": text_of(annotation.get("id")),
                "completed_by": _person(annotation),
            }
            yield from self._of_annotation(results, data, extra, where)

    def _of_annotation(
        self, results: list[Any], data: Mapping[str, Any], extra: Mapping[str, str], task: str
    ) -> Iterator[Shape]:
        names = {
            text_of(result.get("id")): result["value"].get("labels")
            for result in results
            if isinstance(result, dict)
            and result.get("type") == "labels"
            and isinstance(result.get("value"), dict)
        }
        for result in results:
            type_ = member(result, "type", str, self.path, task)
            kind = type_.removesuffix("labels")
            if kind not in SHAPES:
                if type_ != "labels":  # "labels" holds the names of the regions
                    self.left_out.add(f"{kind} region", _LEFT_OUT.get(kind, "not an outline"))
                continue
            id_ = text_of(result.get("id"))
            where = f"{task}, region {id_}"
            value = member(result, "value", dict, self.path, where)
            image = image_of(data, result.get("item_index"), self.path, where)
            size = size_of(result, self.path, where)
            self.sizes.append((image, size))
            shape, vertices = outline_of(kind, value, size, self.edges, self.path, where)
            label = label_of(value.get(type_) or names.get(id_))
            yield Shape(
                shape, vertices, "corner", where, label, image, id=id_, extra=extra, entry=task
            )


def _person(annotation: Mapping[str, Any]) -> str:
    """The number of the annotator, which is enough also where an export has the whole account."""
    person = annotation.get("completed_by")
    return text_of(person.get("id") if isinstance(person, dict) else person)


def _recognises(path: Path, head: bytes) -> bool:
    keys = json_keys(head)
    listed = head_text(head).lstrip().startswith("[")
    return (
        listed and (2, "annotations") in keys and not keys.isdisjoint({(2, "data"), (4, "result")})
    )


READER = Reader("label-studio", _TOOL, "corner", _recognises, _read)
