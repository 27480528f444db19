"""100 kB of whatever is nasty, alone or behind the beginning of a real file, are recognised and read,
or refused, by every reader in the time of one that is linear in them.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from kit.bounded_work import NASTY, bounded, needs_a_bound
from kit.label_truth import ONE, STACK
from kit.tool_files.samples import DOCUMENTS, TEXTS

from sidecar.errors import SidecarError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import READERS

#: Behind which patterns go on: half of each sample, and what no sample ends with.
BEGINNINGS = [
    *((sample.reader, sample.name, sample.text[: len(sample.text) // 2]) for sample in TEXTS),
    *((reader, "labels.json", json.dumps(document)[:150]) for reader, document in DOCUMENTS),
    ("landmark", "a.pts", "Version 1.0"),
    ("landmark", "a.pts", "Version 1.0\n3"),
    ("amira", "a.landmarkAscii", "# AmiraMesh 3D ASCII 2.0\ndefine Markers"),
    ("amira", "a.landmarkAscii", "# AmiraMesh 3D ASCII 2.0\ndefine Markers 3\nMarkers { float[3] Coordinates }"),
    ("amira", "a.landmarkAscii", "# AmiraMesh 3D ASCII 2.0\nMarkers"),
    ("cvat", "a.xml", "<annotations>"),
    ("voc", "a.xml", "<annotation"),
    ("napari", "a.csv", "index,axis-0,axis-1"),
    ("csv", "a.csv", "sep=;"),
    ("csv", "a.csv", "x,y,slice,label\n1,2,0,"),
    ("tps", "a.tps", "LM3=1\n1 2 3\nID"),
    ("imagej-xy", "a.txt", "1\t"),
]  # fmt: skip
ENDS = ["", "x", ",0\n", '"', "\n}"]


pytestmark = needs_a_bound


def tried(reader: str, path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    with bounded((reader, text[:80], text[-10:])), contextlib.suppress(SidecarError):
        READERS[reader].recognises(path, text.encode()[: 1 << 16])
        stack = ONE if reader == "imagej-xy" else STACK
        READERS[reader].read(path, stack, ReadOptions())


@pytest.mark.slow
@pytest.mark.parametrize("kind", NASTY)
def test_every_reader(tmp_path: Path, kind: str) -> None:
    for reader in READERS:
        tried(reader, tmp_path / "labels", NASTY[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", NASTY)
def test_behind_the_beginning_of_a_file(tmp_path: Path, kind: str) -> None:
    for n, (reader, name, beginning) in enumerate(BEGINNINGS):
        tried(reader, tmp_path / name, beginning + NASTY[kind] + ENDS[n % len(ENDS)])
