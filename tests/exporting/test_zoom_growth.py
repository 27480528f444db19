"""The work for each landmark of `sidecar zoom`, and of `map-points` on its stacks, does not grow
with the scan or with the other landmarks: counts of work, never the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from kit.counted_calls import calls_since
from kit.phantoms import Spec, write

import sidecar
from sidecar.dicom import scan as scanning
from sidecar.document import agreement, shared_planes
from sidecar.exporting import source_facts
from sidecar.labels import load as loading
from sidecar.labels.identity import surroundings
from sidecar.storage.local import Local

SLICES = 40


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is done how often: headers read, frames stated in a digest, planes put into text, and into
    the text of tags, files looked at again, label files read.
    """
    counts: Counter[str] = Counter()

    def count(owner: Any, name: str, what: str, much: Any = lambda *_: 1) -> None:
        true = getattr(owner, name)

        def noted(*args: Any, **named: Any) -> Any:
            counts[what] += much(*args)
            return true(*args, **named)

        monkeypatch.setattr(owner, name, noted)

    def how_many(_: object, names: Iterable[str]) -> int:
        return len(list(names))

    count(scanning, "_scan_file", "headers")
    count(source_facts, "_of_frame", "frames stated")
    count(source_facts, "source_model", "sources described")
    count(shared_planes, "SharedPlanes", "planes written")
    count(source_facts, "SharedPlanes", "planes written")
    count(agreement, "stack_of", "stacks made of planes")
    count(agreement, "planes_json", "planes listed")
    count(source_facts, "planes_json", "planes listed")
    count(Local, "stamps", "files looked at again", how_many)
    count(loading, "reader_for", "label files")
    return counts


def _zoomed(folder: Path, landmarks: int) -> list[sidecar.Sidecar]:
    """Stacks of five slices around so many landmarks, all off the edges of the scan."""
    lines = [f"p{i},{10 + i % 4},{9 + i // 4},{10 + i}" for i in range(landmarks)]
    labels = folder / f"{landmarks}.csv"
    labels.write_text("label,x,y,slice\n" + "\n".join(lines) + "\n")
    return sidecar.zoom(
        labels, folder / "scan", folder / f"zooms_{landmarks}", size=4.0, exports=folder / "png"
    )


def test_4_and_16_landmarks_on_one_scan(tmp_path: Path, counted: Counter[str]) -> None:
    write(
        Spec(slices=SLICES, slice_gaps=1.0, pixel_spacing=(0.8, 0.8), markers=False, junk=False),
        tmp_path / "scan",
    )
    sidecar.export(tmp_path / "scan", tmp_path / "png")
    found = []
    for landmarks in (4, 16):
        counted.clear()
        made = _zoomed(tmp_path, landmarks)
        assert [png.size[2] for png in made] == [5] * landmarks
        assert all(png.document.source is made[0].document.source for png in made)
        assert counted.pop("files looked at again") == 5 * landmarks
        found.append(dict(counted))
    few, many = found
    assert few == many
    assert few["frames stated"] == few["headers"] == SLICES
    assert few["sources described"] == few["planes written"] == 1


def test_one_label_file_of_many_stacks_is_read_once_for_each_size(
    tmp_path: Path, counted: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        Spec(slices=SLICES, slice_gaps=1.0, pixel_spacing=(0.8, 0.8), markers=False, junk=False),
        tmp_path / "scan",
    )
    sidecar.export(tmp_path / "scan", tmp_path / "png")
    made = _zoomed(tmp_path, 16)
    rows = [
        f"{png.document.zoom.label},{png.document.images.files[2].name},2,2"
        for png in made
        if png.document.zoom is not None
    ]
    table = tmp_path / "zooms_16" / "labels.csv"
    table.write_text("label,image,x,y\n" + "\n".join(rows) + "\n")
    readings: list[int] = []
    true_read = loading._LabelFile._read

    def noted(*args: Any) -> Any:
        readings.append(1)
        return true_read(*args)

    monkeypatch.setattr(loading._LabelFile, "_read", noted)
    points = sidecar.map_points(table)
    assert len(points) == 16
    assert len(readings) == len({png.size for png in made}) == 1
    sources = {id(file.export.sidecar.document.source) for file in points.files}
    assert len(sources) == 1, "the planes of the scan are held once"


def test_stacks_are_listed_and_opened_once_for_all_label_files_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        Spec(slices=SLICES, slice_gaps=1.0, pixel_spacing=(0.8, 0.8), markers=False, junk=False),
        tmp_path / "scan",
    )
    sidecar.export(tmp_path / "scan", tmp_path / "png")
    made = _zoomed(tmp_path, 4)
    lists = calls_since(monkeypatch, surroundings, "read_zooms")
    opened = calls_since(monkeypatch, surroundings.Surroundings, "open")
    for number in (1, 4):
        files = [tmp_path / "zooms_4" / f"{k}.csv" for k in range(number)]
        for file, png in zip(files, made, strict=False):
            file.write_text(f"image,x,y\n{png.document.images.files[2].name},2,2\n")
        assert len(sidecar.map_points(files)) == number
        assert (lists(), opened()) == (1, 4)
