"""DeepLabCut's .h5: numbers and texts are read, and nothing else is opened."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import LANDMARKS, STACK, check
from kit.tool_files import deeplabcut
from kit.tool_files.deeplabcut_h5 import IMAGES, PARTS, write

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.files import label_files
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers.deeplabcut_h5 import READER

h5py = pytest.importorskip("h5py")


@pytest.mark.parametrize("split", [True, False], ids=["three levels", "one"])
@pytest.mark.parametrize("individual", [None, "mouse1"], ids=["single", "multi-animal"])
@pytest.mark.parametrize("blocks", [1, 2])
def test_landmarks_come_back(
    tmp_path: Path, split: bool, individual: str | None, blocks: int
) -> None:
    path = write(tmp_path / "C.h5", split=split, individual=individual, blocks=blocks)
    head = path.read_bytes()[:65536]
    assert READER.recognises(path, head)
    labels = READER.read(path, STACK)
    check(labels)
    assert labels.pixel_origin == "center"
    assert labels.image[0] == "labeled-data/scan/slice_0000.png"
    assert set(labels.columns["individual"]) == {individual or ""}
    assert set(labels.columns["scorer"]) == {"Ada"}
    missing = len(IMAGES) * len(PARTS) - len(LANDMARKS)
    assert labels.left_out == (f"{missing} body parts left out: not labelled",)


def test_a_forced_origin_is_obeyed(tmp_path: Path) -> None:
    labels = READER.read(write(tmp_path / "C.h5"), STACK, ReadOptions("corner"))
    assert labels.xy.tolist() == [[m.x - 0.5, m.y - 0.5] for m in LANDMARKS]


def test_of_a_folder_the_csv_is_taken_which_holds_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "CollectedData_Ada.h5")
    assert label_files([tmp_path]) == [path]
    csv = path.with_suffix(".csv")
    csv.write_text(deeplabcut.table())
    assert label_files([tmp_path]) == [csv]


def replaced(name: str, value: Any) -> Callable[[Any], object]:
    def change(frame: Any) -> None:
        del frame[name]
        frame[name] = value

    return change


def objects(frame: Any) -> None:
    """As PyTables keeps Python objects: rows of bytes, which are a pickle."""
    del frame["axis1_level2"]
    frame.create_dataset("axis1_level2", (1,), h5py.vlen_dtype(np.uint8))[0] = np.frombuffer(
        b"cos\nsystem\n(S'touch owned'\ntR.", np.uint8
    )


def elsewhere(frame: Any) -> None:
    del frame["block0_values"]
    frame["block0_values"] = h5py.ExternalLink("other.h5", "/values")


def outside(frame: Any) -> None:
    shape = frame["block0_values"].shape
    del frame["block0_values"]
    frame.create_dataset("block0_values", shape, "f8", external=[("other.bin", 0, 8 * 999)])


def packed(frame: Any) -> None:
    """Ten million images that take ten thousand bytes."""
    for n in range(3):
        del frame[f"axis1_label{n}"]
        frame.create_dataset(f"axis1_label{n}", (10**7,), "i1", chunks=(1 << 20,))


def huge(frame: Any) -> None:
    del frame["block0_values"]
    frame.create_dataset("block0_values", (1 << 20, 1 << 10), "f8", chunks=(1, 1 << 10))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (objects, "axis1_level2 in a form that is neither numbers nor texts.*CollectedData"),
        (elsewhere, "does not contain block0_values, or only a link to it"),
        (outside, "block0_values in another file"),
        (huge, "would unpack to .* too many.*CollectedData"),
        (packed, "would unpack to .* too many"),
        (replaced("block0_values", np.zeros((2, 2))), "is damaged"),
        (replaced("axis1_label2", np.full(len(IMAGES), 99, np.int8)), "is damaged"),
        (replaced("axis1_label2", np.full(len(IMAGES), -1, np.int8)), "is damaged"),
        (replaced("block0_values", np.full((len(IMAGES), 2 * len(PARTS)), np.inf)), "x 'inf' is"),
        (lambda frame: frame.create_group("table"), 'kind "table".*CollectedData'),
        (lambda frame: frame.pop("block0_values"), "is damaged, or is not a file of DeepLabCut"),
    ],
)
def test_what_is_not_opened_is_refused_with_the_way_out(
    tmp_path: Path, change: Callable[[Any], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.bin").write_bytes(bytes(8 * 999))
    path = write(tmp_path / "C.h5", change)
    with pytest.raises(LabelError, match=rf"C\.h5.*{message}"):
        READER.read(path, STACK)
    assert not (tmp_path / "owned").exists()


def test_predictions_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "C.h5", coords=("x", "y", "likelihood"))
    with pytest.raises(LabelError, match="predictions on video frames"):
        READER.read(path, STACK)


def test_h5py_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "C.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"\[deeplabcut\]"):
        READER.read(path, STACK)


def test_other_hdf5_is_not_recognised(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["volume"] = np.zeros((2, 3))
    assert not READER.recognises(tmp_path / "a.h5", (tmp_path / "a.h5").read_bytes())
    with pytest.raises(LabelError, match="does not contain df_with_missing"):
        READER.read(tmp_path / "a.h5", STACK)


@pytest.mark.slow
def test_places_and_sizes_beyond_any_file_are_label_errors(tmp_path: Path) -> None:
    whole = write(tmp_path / "C.h5").read_bytes()
    path, refused = tmp_path / "damaged.h5", 0
    for size in (4, 8):
        for at in range(8, 2000, 4):
            path.write_bytes(whole[:at] + b"\xff" * (size - 1) + b"\x7f" + whole[at + size :])
            try:
                READER.read(path, STACK)
            except LabelError:
                refused += 1
    assert refused > 100


def test_damaged_files_are_label_errors(tmp_path: Path) -> None:
    rng = random.Random(20261128)
    whole = write(tmp_path / "C.h5").read_bytes()
    path, refused = tmp_path / "damaged.h5", 0
    for n in range(150):
        data = bytearray(whole[: rng.randrange(8, len(whole))] if n % 4 == 0 else whole)
        for _ in range(rng.randrange(1, 9)):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data))
        try:
            READER.read(path, STACK)
        except LabelError as error:
            assert str(tmp_path) not in str(error)
            refused += 1
    assert refused > 30
