"""What our module for 3D Slicer takes from a folder, held against the files as others read them.
Slicer itself is not run: its part of the module is not tested.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK
import slicerio
from kit.command_line import invoked
from kit.exports import png_names
from kit.marked_scan import DISC, DISC_SLICE, DOTS, DOTS_SLICE
from PIL import Image

import sidecar

LIBRARY = Path(__file__).parents[2] / "integrations" / "slicer" / "SidecarFolderLib" / "__init__.py"


@pytest.fixture(scope="module")
def library() -> ModuleType:
    spec = importlib.util.spec_from_file_location("SidecarFolderLib", LIBRARY)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export with a volume, the two dots as mapped markups and the disc as a segmentation."""
    made = tmp_path_factory.mktemp("slicer") / "png"
    shutil.copytree(marked, made)
    names = png_names(made)
    rows = [f"{names[1]},dot,{(x - 0.5) / 2},{(y - 0.5) / 2}" for x, y in DOTS]
    (made / "labels.csv").write_text("\n".join(["image,label,x,y", *rows, ""]), encoding="utf-8")
    masks = made.parent / "masks"
    masks.mkdir()
    for name in names:
        shown = np.asarray(Image.open(made / name)) > 0
        Image.fromarray(np.uint8(shown & (name == names[3]))).save(masks / name)
    invoked("map-points", made / "labels.csv", "-o", made / "dots.mrk.json")
    invoked("map-mask", masks, "--sidecar", made, "-o", made / "disc.seg.nrrd")
    scan = marked.parent / "scan"
    invoked(
        "export", scan, made.parent / "v", "--volume", "nrrd", "--scale", "0.5", "--z-step", "2"
    )
    shutil.copy(made.parent / "v" / "volume.nrrd", made)
    return made


def test_everything_that_lies_in_place_is_taken(library: ModuleType, folder: Path) -> None:
    found = library.contents(folder)
    assert [path.name for path in found.volumes] == ["volume.nrrd"]
    assert [path.name for path in found.segmentations] == ["disc.seg.nrrd"]
    assert [path.name for path in found.markups] == ["dots.mrk.json"]
    assert found.left_out == {}


def test_it_lies_in_place_by_other_readers(library: ModuleType, folder: Path) -> None:
    found = library.contents(folder)
    volume = SimpleITK.ReadImage(str(found.volumes[0]))
    points = json.loads(found.markups[0].read_text())["markups"][0]["controlPoints"]
    assert len(points) == len(DOTS)
    for point in points:
        index = volume.TransformPhysicalPointToIndex(point["position"])
        assert volume[index] == SimpleITK.GetArrayViewFromImage(volume).max() > 0
    segmentation = slicerio.read_segmentation(str(found.segmentations[0]))
    at = np.linalg.inv(segmentation["ijkToLPS"])
    on_slice = np.argwhere(segmentation["voxels"][:, :, DISC_SLICE])
    np.testing.assert_allclose(on_slice.mean(axis=0), DISC, atol=1e-6)
    for point in points:
        column, row, along = (at @ [*point["position"], 1])[:3]
        assert min(np.hypot(column - x, row - y) for x, y in DOTS) < 1e-6
        assert along == pytest.approx(DOTS_SLICE)


def test_markups_on_the_pngs_are_left_out(
    library: ModuleType, folder: Path, tmp_path: Path
) -> None:
    """Those of Slicer on the PNG stack: pixels that look like millimetres."""
    made = shutil.copytree(folder, tmp_path / "png")
    text = (made / "dots.mrk.json").read_text(encoding="utf-8")
    document = json.loads(text)
    for point, (x, y) in zip(document["markups"][0]["controlPoints"], DOTS, strict=True):
        point["position"] = [(x - 0.5) / 2, (y - 0.5) / 2, 1.0]
    (made / "pixels.mrk.json").write_text(json.dumps(document), encoding="utf-8")
    (made / "broken.mrk.json").write_text(text[:50], encoding="utf-8")
    found = library.contents(made)
    assert [path.name for path in found.markups] == ["dots.mrk.json"]
    assert "2 of 2 points outside of the scan" in found.left_out["pixels.mrk.json"]
    assert "is no markups file" in found.left_out["broken.mrk.json"]


def test_ras_markups_are_the_same_points(library: ModuleType, folder: Path, tmp_path: Path) -> None:
    made = shutil.copytree(folder, tmp_path / "png")
    invoked("map-points", made / "labels.csv", "--space", "ras", "-o", made / "ras.mrk.json")
    assert [p.name for p in library.contents(made).markups] == ["dots.mrk.json", "ras.mrk.json"]


def test_a_scan_without_a_patient_and_an_empty_folder_are_refused(
    library: ModuleType, marked: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="holds none of"):
        library.contents(tmp_path)
    sidecar.export(
        marked.parent / "scan", tmp_path / "given", scale=0.5, voxel=(0.1, 0.1, 0.2), order="number"
    )
    with pytest.raises(ValueError, match="no place in a patient"):
        library.contents(tmp_path / "given")
