"""The parts of the plugin that need no napari: where layers lie, pixels when they are asked for,
what must not open, and the list of names. The rest is tried in napari itself:
`tests/tools/test_napari.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from highdicom.sr.utils import find_content_items
from kit import marked_scan
from kit.exports import png_names, png_path
from kit.phantoms import plan
from numpy.typing import NDArray
from PIL import Image as Picture

import sidecar
from sidecar.plugins.napari.grid import KEY, NO_AFFINE, OBLIQUE, Grid
from sidecar.plugins.napari.landmarks import Landmarks, names_in
from sidecar.plugins.napari.layers import get_reader, open_export, open_scan
from sidecar.plugins.napari.mapped import mapped_points, segmentation
from sidecar.plugins.napari.planes import Planes
from sidecar.plugins.napari.saving import save_drawn

SPEC = marked_scan.SPEC
#: A place on the PNGs, x, y, number, and its source voxel.
PIXEL, VOXEL = (15, 10, 1), (30.5, 20.5, 2.0)
GEOMETRIES = {
    "axial": (SPEC, None),
    "turned in its plane": (replace(SPEC, orientation=(0.6, 0.8, 0, -0.8, 0.6, 0)), None),
    "feet first": (replace(SPEC, orientation=(-1, 0, 0, 0, 1, 0)), None),
    "coronal": (replace(SPEC, orientation="coronal"), OBLIQUE),
    "sagittal": (replace(SPEC, orientation="sagittal"), OBLIQUE),
    "oblique": (replace(SPEC, orientation="oblique"), OBLIQUE),
    "tilt": (replace(SPEC, tilt_degrees=12.0), NO_AFFINE),
    "uneven": (replace(SPEC, slice_gaps=(1.3, 1.3, 2.6, 1.3, 1.3, 5.0, 1.3)), NO_AFFINE),
}


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_layers_lie_in_the_patient_or_say_why_not(geometry: str, tmp_path: Path) -> None:
    """Of the export and of its scan alike, and millimetres under the pointer are right in all."""
    spec, note = GEOMETRIES[geometry]
    marked_scan.write(tmp_path, "png", spec)
    x, y, k = PIXEL
    mm = np.array(plan(spec, tmp_path).patient(*VOXEL))
    for (_, keywords, _), place in (
        (open_export(tmp_path / "png")[0], np.array([k, y, x])),
        (open_scan(tmp_path / "scan")[0], np.array(VOXEL)[::-1]),
    ):
        grid = keywords["metadata"][KEY]
        assert isinstance(grid, Grid)
        assert keywords["metadata"]["notes"] == (() if note is None else (note,))
        np.testing.assert_allclose(grid.millimetres(place), mm, atol=1e-6)
        world = keywords["affine"] @ np.array([*(keywords["scale"] * place), 1.0])
        if note is None:
            np.testing.assert_allclose(world[:3], mm[::-1], atol=1e-6)
        linear = keywords["affine"][:3, :3]
        assert not linear[0, 1:].any() and not linear[1:, 0].any(), "napari shows whole slices"
        spacing = np.array(spec.pixel_spacing) * (2 if grid.export else 1)
        np.testing.assert_allclose(keywords["scale"][1:], spacing, atol=1e-6)


def test_a_turned_export_and_its_scan_lie_on_each_other(tmp_path: Path) -> None:
    marked_scan.write(tmp_path, "png", replace(SPEC, orientation="oblique"))
    world = []
    for (_, keywords, _), place in (
        (open_export(tmp_path / "png")[0], PIXEL[::-1]),
        (open_scan(tmp_path / "scan")[0], VOXEL[::-1]),
    ):
        world.append(keywords["affine"] @ np.array([*(keywords["scale"] * place), 1.0]))
    np.testing.assert_allclose(world[0], world[1], atol=1e-6)


def test_planes_are_read_when_they_are_asked_for() -> None:
    asked: list[int] = []
    truth = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)

    def read(k: int) -> NDArray[np.uint8]:
        asked.append(k)
        plane: NDArray[np.uint8] = truth[k]
        return plane

    planes = Planes(truth.shape, truth.dtype, read)
    assert (planes.ndim, planes.size, planes.nbytes, len(planes)) == (3, 60, 60, 5)
    np.testing.assert_array_equal(planes[3], truth[3])
    np.testing.assert_array_equal(planes[3, 1:, 2], truth[3, 1:, 2])
    assert asked == [3]
    for key in (
        (slice(1, 4), slice(None), 2),
        np.array([4, 0]),
        (..., 2),
        -1,
        (np.array([True, False, True, False, False]), 1),
        slice(2, 2),
    ):
        np.testing.assert_array_equal(planes[key], truth[key])
    np.testing.assert_array_equal(np.asarray(planes), truth)
    with pytest.raises(IndexError):
        planes[5]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    marked_scan.write(tmp_path, "png")
    return tmp_path / "png"


def test_what_is_opened(export: Path) -> None:
    for path in (export, export / "sidecar.json", export.parent / "scan", "a.seg.nrrd"):
        assert get_reader(str(path)) is not None
    assert get_reader(str(export / png_names(export)[0])) is None
    assert get_reader([str(export)]) is None


def test_folders_whose_document_does_not_fit_are_refused(export: Path) -> None:
    first, second = png_path(export, 1), png_path(export, 2)
    kept = {path: path.read_bytes() for path in (first, second)}
    cases: dict[str, Callable[[], object]] = {
        f"{first.name} is missing": first.unlink,
        f"{first.name} says Slice '2' instead of '1'": lambda: first.write_bytes(kept[second]),
        f"{second.name} is not a PNG": lambda: second.write_bytes(b"no PNG"),
    }
    for message, damage in cases.items():
        damage()
        with pytest.raises(sidecar.DocumentError, match=message):
            open_export(export)
        for path, data in kept.items():
            path.write_bytes(data)
    (planes, _, _) = open_export(export)[0]
    first.write_bytes(kept[first][:-20] + b"\0" * 8 + kept[first][-12:])
    with pytest.raises(sidecar.DocumentError, match=f"{first.name} was changed after the export"):
        planes[1]
    document = json.loads((export / "sidecar.json").read_text(encoding="utf-8"))
    document["decimation"]["columns"]["offset"] += 1
    (export / "sidecar.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(sidecar.DocumentError, match="changed after it was written"):
        open_export(export)


def test_points_and_segments_of_another_scan_are_refused(export: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in png_names(export):
        Picture.fromarray(np.full((30, 40), 1, np.uint8)).save(masks / name)
    labels = export / "labels.csv"
    labels.write_text(f"label,image,x,y\na,{png_names(export)[1]},15,10\n", encoding="utf-8")
    mapped = tmp_path / "mapped.mrk.json"
    sidecar.map_points(labels).write(mapped)
    sidecar.map_mask(masks, tmp_path / "m.seg.nrrd", export)
    other = replace(SPEC, seed=SPEC.seed + 1, origin=(0.0, 0.0, 0.0))
    marked_scan.write(tmp_path / "other", "png", other)
    own = open_scan(tmp_path / "scan")[0][1]["metadata"][KEY]
    strange = open_scan(tmp_path / "other" / "scan")[0][1]["metadata"][KEY]
    data, keywords, _ = mapped_points(mapped, own)
    np.testing.assert_allclose(data, [VOXEL[::-1]], atol=1e-6)
    assert list(keywords["features"]["label"]) == ["a"]
    with pytest.raises(sidecar.LabelError, match="does not fit the pixels of any layer"):
        segmentation(tmp_path / "m.seg.nrrd", [strange])
    assert segmentation(tmp_path / "m.seg.nrrd", [strange, own])[0].shape == own.shape


def test_names_come_one_after_the_other() -> None:
    names = names_in("bregma\n\n lambda \nbregma\n")
    assert names == ("bregma", "lambda")
    list_ = Landmarks().with_names(names)
    assert list_.next == "bregma"
    list_ = list_.with_placed(["bregma"])
    assert list_.next == "lambda"
    list_ = list_.choose("bregma")
    assert list_.next == "bregma", "out of turn, once more"
    list_ = list_.with_placed(["bregma", "bregma"])
    assert (list_.next, list(list_.rows)) == ("lambda", [("bregma", 2), ("lambda", 0)])
    list_ = list_.with_placed(["bregma", "lambda", "", "own"])
    assert (list_.next, list_.rows[-1]) == ("", ("own", 1))
    assert list_.with_placed(["lambda"]).next == "bregma", "taken off again"


class Layer:
    """What the plugin asks of a layer."""

    def __init__(self, name: str, data: Any, keywords: dict[str, Any]) -> None:
        self.name, self.data, self.metadata = name, data, keywords["metadata"]
        self.features = {"label": ["a"] * len(data)}

    def data_to_world(self, place: Any) -> Any:
        return place

    world_to_data = data_to_world


class Points(Layer):
    pass


class Image(Layer):
    pass


def test_dicom_takes_its_headers_from_the_scan_that_is_open(export: Path, tmp_path: Path) -> None:
    """The landmark comes back from the report at the patient's millimetres."""
    pngs = Image("png", *open_export(export)[0][:2])
    drawn = Points("drawn", np.array([PIXEL[::-1]]), {"metadata": {}})
    report = tmp_path / "landmarks.dcm"
    with pytest.raises(sidecar.UsageError, match="open the folder of the scan, too"):
        save_drawn([drawn], [pngs, drawn], report)
    scan = Image("scan", *open_scan(export.parent / "scan")[0][:2])
    save_drawn([drawn], [pngs, scan, drawn], report)
    written = highdicom.sr.srread(report)
    (mm,) = (
        item.value.ravel()
        for item in find_content_items(written, value_type="SCOORD3D", recursive=True)
    )
    np.testing.assert_allclose(mm, plan(SPEC, tmp_path).patient(*VOXEL), atol=1e-4)


def test_labels_of_no_export_or_of_several_are_refused(export: Path, tmp_path: Path) -> None:
    first = Image("png", *open_export(export)[0][:2])
    drawn = Points("drawn", np.array([PIXEL[::-1]]), {"metadata": {}})
    with pytest.raises(sidecar.UsageError, match="there is no layer of an export"):
        save_drawn([drawn], [drawn], tmp_path / "labels.csv")
    marked_scan.write(tmp_path / "other", "more", replace(SPEC, seed=SPEC.seed + 1))
    second = Image("more", *open_export(tmp_path / "other" / "more")[0][:2])
    with pytest.raises(sidecar.UsageError, match="layers of more than one export: png, more"):
        save_drawn([drawn], [first, second, drawn], tmp_path / "labels.csv")
    beyond = Points("drawn", np.array([[9.0, 1, 1]]), {"metadata": {}})
    with pytest.raises(sidecar.LabelError, match="drawn, point a: lies on slice 9"):
        save_drawn([beyond], [first, beyond], tmp_path / "labels.csv")
    assert not (tmp_path / "labels.csv").exists()
