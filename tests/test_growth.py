"""Work grows with what there is to do and no faster: files opened, bytes read, rows split, places
compared, attributes looked up, data sets encoded. Counted, on n and on 4n; the clock is in
`benchmarks/growth.py`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.exports import png_names
from kit.phantoms import Spec, write, write_flat_series
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

import sidecar
from sidecar.dicom.scan import scan
from sidecar.exporting.batch import _overlapping
from sidecar.labels.tables import columns, csv_table
from sidecar.labels.tables.columns import Rows
from sidecar.labels.writers.csv_points import csv_text
from sidecar.masks.contours import bands, contours
from sidecar.masks.writers.dicom_stream import DicomStream
from sidecar.storage.local import Local
from sidecar.storage.ranges import PositionedFile

N, SIZE = 6, (40, 36)
#: Files of scans, exports and labels; a scratch file is opened for each slice that goes into it.
LASTING = (".dcm", ".png", ".json", ".html")


class Opened:
    """How often files below a folder are opened, by their names, while ``folder`` is set."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.files: Counter[str] = Counter()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self.folder is not None and isinstance(arguments[0], str):
            path = Path(arguments[0])
            if path.is_relative_to(self.folder):
                self.files[path.name] += 1


#: An audit hook cannot be taken away: there is one for all tests.
OPENED = Opened()


@pytest.fixture
def opened() -> Iterator[Callable[[Path, Callable[[], object]], Counter[str]]]:
    """What a call opens below a folder."""

    def while_run(folder: Path, call: Callable[[], object]) -> Counter[str]:
        OPENED.files.clear()
        OPENED.folder = folder
        try:
            call()
        finally:
            OPENED.folder = None
        return OPENED.files.copy()

    yield while_run
    OPENED.folder = None


def exported(folder: Path, slices: int) -> tuple[Path, Path]:
    """A scan of so many slices, and its export."""
    source, png = folder / "scan", folder / "png"
    source.mkdir(parents=True)
    write_flat_series(source, slices, SIZE, np.arange(40 * 36, dtype=np.uint16).reshape(36, 40))
    sidecar.export(source, png, scale="1/2", jobs=1)
    return source, png


def labelled(folder: Path, png: Path) -> Path:
    """A LabelMe file beside each PNG."""
    labels = folder / "labels"
    labels.mkdir()
    for name in png_names(png):
        shape = {"label": "tip", "points": [[5.5, 6.5]], "shape_type": "point", "flags": {}}
        document: dict[str, Any] = {
            "version": "5.0",
            "flags": {},
            "shapes": [shape],
            "imagePath": name,
            "imageData": None,
            "imageWidth": 20,
            "imageHeight": 18,
        }
        (labels / f"{Path(name).stem}.json").write_text(json.dumps(document), encoding="utf-8")
    return labels


#: What each command does with a scan, its export and labels on every PNG.
COMMANDS: dict[str, Callable[[Path, Path, Path], object]] = {
    "inspect": lambda source, png, labels: sidecar.inspect(source),
    "export": lambda source, png, labels: sidecar.export(source, png.with_name("again"), jobs=1),
    "export, means": lambda source, png, labels: sidecar.export(
        source, png.with_name("again"), z_step=2, z_filter="mean", jobs=1
    ),
    "export, sagittal": lambda source, png, labels: sidecar.export(
        source, png.with_name("again"), plane="sagittal", jobs=1
    ),
    "map-points": lambda source, png, labels: sidecar.map_points(labels, png),
    "report": lambda source, png, labels: sidecar.report(
        labels, source, png.with_name("report.html"), exports=png
    ),
    "check": lambda source, png, labels: sidecar.check(png, source, slices="all"),
    "view": lambda source, png, labels: sidecar.view(png),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_files_are_opened_as_often_as_there_are_slices(
    command: str,
    tmp_path: Path,
    opened: Callable[[Path, Callable[[], object]], Counter[str]],
) -> None:
    counted = []
    for slices in (N, 4 * N):
        folder = tmp_path / str(slices)
        source, png = exported(folder, slices)
        labels = labelled(folder, png)
        files = opened(folder, lambda at=(source, png, labels): COMMANDS[command](*at))  # type: ignore[misc]
        lasting = [n for name, n in files.items() if Path(name).suffix in LASTING]
        counted.append((files.total(), max(lasting)))
    (few, often), (many, oftener) = counted
    assert many <= 4 * few + 4
    assert oftener <= often + 1, "some file is opened more often where there are more slices"


def test_an_export_reads_each_byte_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "scan"
    source.mkdir()
    write_flat_series(source, 4 * N, (256, 256), np.ones((256, 256), np.uint16))
    read = count()
    taken: list[int] = []
    fill, plain = PositionedFile.fill, PositionedFile.read

    def filled(self: PositionedFile, at: int, *views: memoryview) -> int:
        next(read)
        taken.append(fill(self, at, *views))
        return taken[-1]

    def as_bytes(self: PositionedFile, at: int, length: int) -> bytes:
        data = plain(self, at, length)
        taken.append(len(data))
        return data

    monkeypatch.setattr(PositionedFile, "fill", filled)
    monkeypatch.setattr(PositionedFile, "read", as_bytes)
    window = (0.0, 100.0)  # or some slices are read before, to choose one
    sidecar.export(source, tmp_path / "png", z_step=2, z_filter="mean", window=window, jobs=1)
    size = sum(path.stat().st_size for path in source.iterdir())
    assert size <= sum(taken) + 4 * N * 4096
    assert sum(taken) <= size + 4 * N * 16384, "more than the pixels once, and headers"


@pytest.mark.parametrize("more", [0, 12])
def test_rows_are_split_as_often_whatever_columns_there_are(
    more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to read numbers and once to write, whether or not a text looks like a formula."""
    _, png = exported(tmp_path, N)
    monkeypatch.setattr(columns, "PIECE", 8)
    monkeypatch.setattr(csv_table, "PIECE", 8)
    names = ["source_column", "source_row", "source_slice", *(f"extra {i}" for i in range(more))]
    rows = [",".join(["10", "12", "3", *["-1 (unsure)"[:2]] * more])] * 24
    points = tmp_path / "points.csv"
    points.write_text("\n".join([",".join(names), *rows, ""]), encoding="utf-8")
    split = count()
    text = Rows._text
    monkeypatch.setattr(Rows, "_text", lambda self: (next(split), text(self))[1])
    written = "".join(csv_text(sidecar.project(points, png).columns))
    assert written.count("\n") == 25
    assert next(split) <= 3 * 3 + 1, "blocks of 24 rows: looked at, read, written"


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=4), max_size=12))
def test_outputs_that_overlap_are_those_of_all_pairs(parts: list[list[str]]) -> None:
    places = [Local("/".join(["/out", *part])) for part in parts]
    pairs = [
        (i, j)
        for (i, one), (j, other) in combinations(enumerate(places), 2)
        if one.relative_to(other) is not None or other.relative_to(one) is not None
    ]
    assert _overlapping(places) == pairs


def test_outputs_are_held_against_the_folders_above_them(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = count()
    above = Local.parent.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Local, "parent", property(lambda self: (next(steps), above(self))[1]))
    assert _overlapping([Local(f"/out/series_{k:02d}") for k in range(400)]) == []
    assert next(steps) == 400 * 3


def test_what_an_object_says_is_looked_up_once_for_all_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    get = Dataset.get
    for frames in (N, 4 * N):
        folder = tmp_path / str(frames)
        folder.mkdir()
        spec = Spec(
            columns=40, rows=36, slices=frames, layout="enhanced", markers=False, junk=False
        )
        write(spec, folder)
        calls: Counter[int] = Counter()

        def counted(self: Dataset, *given: Any, calls: Counter[int] = calls) -> Any:
            calls[id(self) if "PerFrameFunctionalGroupsSequence" in self else 0] += 1
            return get(self, *given)

        monkeypatch.setattr(Dataset, "get", counted)
        assert len(scan(folder).frames) == frames
        monkeypatch.setattr(Dataset, "get", get)
        asked.append((sum(n for key, n in calls.items() if key), calls[0]))
    (of_object, of_frames), (of_larger, of_more) = asked
    assert of_larger == of_object
    assert of_more <= 4 * of_frames


@pytest.mark.parametrize("to", ["dicom-seg", "dicom-rtstruct"])
def test_what_segments_share_is_encoded_once_for_each_slice(
    to: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, png = exported(tmp_path, N)
    encoded = []
    encode = DicomStream.encoded
    for segments in (4, 16):
        painted = tmp_path / f"{segments} segments"
        painted.mkdir()
        tiles = np.arange(20 * 18).reshape(18, 20) * segments // (20 * 18) + 1
        for name in png_names(png):
            Image.fromarray(tiles.astype(np.uint8)).save(painted / name)
        made = count()
        monkeypatch.setattr(
            DicomStream,
            "encoded",
            lambda self, data, made=made: (next(made), encode(self, data))[1],
        )
        sidecar.map_mask(painted, tmp_path / f"{segments}.dcm", png, to=to, dicom=source)
        encoded.append(next(made))
    assert encoded[1] - encoded[0] <= 2 * 12, "twice for each segment more, on any number of slices"


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 40))
def test_labels_sought_in_their_rows_have_the_contours_they_have_everywhere(
    seed: int, height: int, width: int
) -> None:
    plane: NDArray[np.uint16] = (
        np.random.default_rng(seed).integers(0, 5, (height, width)).astype(np.uint16)
    )
    found = bands(plane)
    assert sorted(found) == [value for value in np.unique(plane).tolist() if value]
    for value, rows in found.items():
        here = contours(plane[rows] == value, rows.start)
        everywhere = contours(plane == value)
        assert len(here) == len(everywhere)
        assert all(np.array_equal(a, b) for a, b in zip(here, everywhere, strict=True))
