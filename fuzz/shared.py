"""Files from the field, and which targets they are for, by their content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sidecar.document.model import SIDECAR_NAME
from sidecar.formats.png_text import SIGNATURE
from sidecar.labels.readers import HEAD_BYTES, READERS

#: Larger files are no better to begin with, and take long.
_MOST_BYTES = 1 << 17


def shared_inputs(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name of a target and a file for it, of all small files below a folder; of the many slices of
    a scan the first one.
    """
    scans = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.stat().st_size > _MOST_BYTES:
            continue
        head = path.read_bytes()[:HEAD_BYTES]
        if head[128:132] == b"DICM":
            if path.parent not in scans:
                scans.add(path.parent)
                yield from (("headers", path), ("pixels", path))
        else:
            yield from ((name, path) for name in _targets_of(path, head))


def _targets_of(path: Path, head: bytes) -> Iterator[str]:
    if path.name.endswith(SIDECAR_NAME):
        yield "sidecar.json"
    elif head.startswith(SIGNATURE):
        yield from ("masks png", "PNG head")
    elif head.startswith(b"PK"):
        yield "zip"
    elif path.suffix == ".yaml":
        yield from ("export config", "mask config", "YOLO data.yaml")
    elif path.suffix in (".nii", ".nrrd"):
        yield f"masks {'nifti' if path.suffix == '.nii' else 'nrrd'}"
    for name, reader in READERS.items():
        if reader.recognises(path, head):
            yield f"labels {name}"
