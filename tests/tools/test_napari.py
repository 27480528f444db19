"""napari as it is, and our plugin in it: a hand clicks on the bright things on its canvas, what it
saved is mapped, and what was mapped is opened over the scan. Where those things are is known from
the voxels that the scan was made of.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from kit import marked_scan
from kit.command_line import CommandLine
from kit.environments import install_package, python_of
from kit.exports import png_names
from kit.marked_scan import (
    BLOCK,
    BLOCK_SLICE,
    DISC,
    DISC_RADIUS,
    DISC_SLICE,
    DOTS,
    DOTS_SLICE,
    SPEC,
)
from kit.phantoms import Spec, plan
from kit.tables import rows
from numpy.typing import NDArray

import sidecar

pytestmark = [pytest.mark.tools, pytest.mark.slow]

HAND = Path(__file__).parent / "drivers" / "napari_hand.py"
#: A hand clicks with an error of this many voxels: a tenth of a PNG pixel.
ERROR = 0.2
#: What a program may add to it, in mm and voxels.
EXACT = 1e-6
PATIENCE = 300

LEFT, TOP, RIGHT, BOTTOM = BLOCK
MIDDLE = ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2)
#: Clicks: PNG, and where on which of its bright things; and the voxels that these are.
CLICKS = [[1, "0 middle"], [1, "1 middle"], [2, "0 middle"]]
CLICKED = [(*DOTS[0], DOTS_SLICE), (*DOTS[1], DOTS_SLICE), (*MIDDLE, BLOCK_SLICE)]
NAMES = ["bregma", "lambda", "nasion"]

Napari = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as users get it, for PYTHONPATH."""
    python_of("napari")
    return install_package(tmp_path_factory.mktemp("plugin") / "installed")


@pytest.fixture
def napari(plugin: Path, display: str, tmp_path: Path) -> Napari:
    """Does one job in a napari of its own."""

    def start(job: str, **keywords: Any) -> dict[str, Any]:
        home = tmp_path / f"napari {job}"
        home.mkdir()
        answer, asked = home / "answer.json", home / "plan.json"
        wanted = {
            "job": job,
            "keywords": keywords,
            "picture": str(home / "seen.png"),
            "answer": str(answer),
        }
        asked.write_text(json.dumps(wanted), encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DISPLAY": display}
        environment |= {"PYTHONPATH": str(plugin), "XDG_RUNTIME_DIR": str(home)}
        done = subprocess.run(
            [str(python_of("napari")), str(HAND), str(asked)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert answer.exists(), done.stderr[-3000:]
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found

    return start


def sources(table: Path) -> dict[str, list[tuple[float, ...]]]:
    """Source voxels in a mapped table, by label, or by type where there is none."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for row in rows(table):
        place = tuple(float(row[f"source_{axis}"]) for axis in ("column", "row", "slice"))
        found.setdefault(row["label"] or row["shape_type"], []).append(place)
    return found


def truth(spec: Spec, folder: Path) -> NDArray[np.float64]:
    """Patient mm of what was clicked, by the equation of the standard on the planes as written."""
    phantom = plan(spec, folder)
    return np.array([phantom.patient(*place) for place in CLICKED])


def close(found: Any, expected: Any, error: float = ERROR) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=error)


def test_without_the_plugin(napari: Napari, run: CommandLine, marked: Path) -> None:
    """Points, shapes of every kind and painted labels, saved by napari's own writers."""
    folder, save = run.folder / "png", run.folder / "saved"
    sidecar.export(marked.parent / "scan", folder, scale=0.5)
    save.mkdir()
    pngs = [str(folder / name) for name in png_names(folder)]
    slices = [DOTS_SLICE, BLOCK_SLICE, DISC_SLICE]
    drawn = napari("stack", pngs=pngs, slices=slices, save=str(save))
    assert drawn["shapes"] == ["line", "path", "rectangle", "polygon", "ellipse"]

    run.done("map-points", "saved/points.csv", "--sidecar", "png", "-o", "points.csv")
    close(sources(run.folder / "points.csv")["point"], CLICKED)
    run.done("map-points", "saved/shapes.csv", "--sidecar", "png", "-o", "shapes.csv")
    found = sources(run.folder / "shapes.csv")
    dots = [(*dot, DOTS_SLICE) for dot in DOTS]
    corner = (DOTS[1][0] + 1, DOTS[1][1] - 1, DOTS_SLICE)
    close(found["line"], dots)
    close(found["polyline"], [*dots, corner])
    block = [(LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)]
    for kind in ("box", "polygon"):
        close(found[kind], [(*xy, BLOCK_SLICE) for xy in block])
    (x, y), r = DISC, DISC_RADIUS
    ends = [(x, y, DISC_SLICE), (x + r, y, DISC_SLICE), (x, y + r, DISC_SLICE)]
    close(found["ellipse"], ends)

    run.done("map-mask", "saved/painted.tif", "--sidecar", "png", "-o", "painted.nii.gz")
    labels = np.asarray(nibabel.load(run.folder / "painted.nii.gz").dataobj).transpose(2, 1, 0)
    expected = np.zeros_like(labels)
    for label, (column, row) in enumerate(DOTS, start=1):
        expected[DOTS_SLICE, int(row) : int(row) + 2, int(column) : int(column) + 2] = label
    np.testing.assert_array_equal(labels, expected)


def test_an_export_and_back_and_over_the_scan(
    napari: Napari, run: CommandLine, marked: Path
) -> None:
    """A folder opens in the patient; names are placed one after the other; labels.csv is read by
    the command line; what was mapped lies on the same bright things of the DICOM files.
    """
    names = run.folder / "names.txt"
    names.write_text("\n".join(NAMES), encoding="utf-8")
    mapped = run.folder / "mapped.mrk.json", run.folder / "mapped.csv"
    told = napari(
        "export",
        path=str(marked),
        names=str(names),
        clicks=CLICKS,
        labels=str(run.folder / "labels.csv"),
        mapped=[str(path) for path in mapped],
    )
    assert told["lazy"] == "Planes" and told["shape"] == [4, 30, 40]
    assert told["maxima"] == [0, 255, 255, 255], "whole, in the order of the document"
    assert (told["name"], told["contrast"], told["notes"]) == ("my export", [0.0, 255.0], [])
    assert (told["before"], told["after"]) == ("Next: bregma", "Next: —")
    where = truth(SPEC, run.folder)
    first = plan(SPEC, run.folder).patient(0.5, 0.5, 0.0)
    affine = np.array(told["affine"])
    close(affine[:3, 3], first[::-1], EXACT)
    between_rows, between_columns = SPEC.pixel_spacing
    steps = [2 * float(SPEC.slice_gaps), 2 * between_rows, 2 * between_columns]
    close(affine[:3, :3], np.diag(steps), EXACT)
    line = told["pointer"].splitlines()[1].removesuffix(" mm (LPS)")
    close([float(n) for n in line.split(", ")], where[0], 0.1)

    table = rows(run.folder / "labels.csv")
    assert [row["label"] for row in table] == NAMES
    assert {row["tag"] for row in table} == {png_names(marked)[0].rpartition("_")[2][:-4]}
    shutil.copy(run.folder / "labels.csv", run.folder / "again.csv")
    run.done("map-points", "again.csv", "--sidecar", str(marked), "-o", "by hand.csv")
    by_hand = sources(run.folder / "by hand.csv")
    assert list(by_hand) == NAMES
    close([by_hand[name][0] for name in NAMES], CLICKED)
    assert sources(mapped[1]) == by_hand

    over = napari("over", path=str(marked.parent / "scan"), mapped=[str(path) for path in mapped])
    assert over["shape"] == [8, 60, 80]
    for layer in over["layers"]:
        assert layer["kind"] == "points"
        close(np.array(layer["world"]), where, 0.15)
        assert min(layer["bright"]) > 0


def test_layers_of_napari_s_own_buttons(napari: Napari, run: CommandLine, marked: Path) -> None:
    """A points layer with a scale of its own, and a labels layer: both saved by the plugin's
    writers, and the segmentation lies on the bright things of the DICOM files.
    """
    told = napari(
        "own_layers", path=str(marked / "sidecar.json"), clicks=CLICKS, save=str(run.folder)
    )
    assert told["points scale"] != [1, 1, 1]
    run.done("map-points", "own.csv", "--sidecar", str(marked), "-o", "mapped.csv")
    close(sources(run.folder / "mapped.csv")["point"], CLICKED)
    volume = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(run.folder / "own.seg.nrrd")))
    dots = np.zeros_like(volume[0])
    for column, row in DOTS:
        dots[int(row) : int(row) + 2, int(column) : int(column) + 2] = 1
    np.testing.assert_array_equal(volume[DOTS_SLICE], dots)
    assert volume[BLOCK_SLICE].any()
    over = napari(
        "over", path=str(marked.parent / "scan"), mapped=[str(run.folder / "own.seg.nrrd")]
    )
    (layer,) = over["layers"]
    assert layer["kind"] == "labels"
    phantom = plan(SPEC, run.folder)
    expected = [phantom.patient(column, row, k) for k, row, column in np.argwhere(volume)]
    close(layer["world"], expected, EXACT)


OTHER = {
    "oblique": (replace(SPEC, orientation="oblique"), "turned"),
    "uneven gaps": (
        replace(SPEC, slice_gaps=(1.3, 1.3, 2.6, 1.3, 1.3, 5.0, 1.3)),
        "no single matrix",
    ),
}


@pytest.mark.parametrize("geometry", OTHER)
def test_scans_that_napari_cannot_show_in_the_patient(
    napari: Napari, run: CommandLine, geometry: str
) -> None:
    """They open with their pixel size and a note, and labels come back to the patient."""
    spec, note = OTHER[geometry]
    marked_scan.write(run.folder, "png", spec)
    names = run.folder / "names.txt"
    names.write_text("\n".join(NAMES), encoding="utf-8")
    told = napari(
        "export",
        path=str(run.folder / "png"),
        names=str(names),
        clicks=CLICKS,
        labels=str(run.folder / "labels.csv"),
        mapped=[str(run.folder / "mapped.csv")],
    )
    assert [note in one for one in told["notes"]] == [True]
    close(np.diag(told["affine"])[1:3], 2 * np.array(spec.pixel_spacing), EXACT)
    found = rows(run.folder / "mapped.csv")
    mm = [[float(row[f"{axis}_mm"]) for axis in "xyz"] for row in found]
    close(mm, truth(spec, run.folder), 0.15)


def test_folders_that_are_refused(napari: Napari, marked: Path, tmp_path: Path) -> None:
    """Without the plugin any folder of an export is; with it one whose PNGs were exchanged."""
    told = napari("refused", path=str(marked), plugin="napari")
    assert "sidecar.json" in told["error"]
    folder = shutil.copytree(marked, tmp_path / "png")
    first, second = (folder / name for name in png_names(folder)[1:3])
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    shutil.move(tmp_path / "napari refused", tmp_path / "napari before")
    told = napari("refused", path=str(folder), plugin="dicom-sidecar")
    assert told["type"] == "DocumentError"
    assert first.name in told["error"] and "Slice '2'" in told["error"]


def test_the_manifest_is_valid(plugin: Path) -> None:
    """As npe2 says, of the package as it is installed."""
    command = [str(python_of("napari")), "-m", "npe2", "validate", "dicom-sidecar"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(plugin), "PYTHONPATH": str(plugin)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "valid" in done.stdout, done.stderr[-1000:]
