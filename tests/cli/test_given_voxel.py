"""Labels and masks of a scan whose voxel size was given by hand: millimetres where they are meant,
and a refusal from whatever says where things are in the patient.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from kit.command_line import CommandLine
from kit.numbered_slices import slice_of, write_slices
from PIL import Image

import sidecar
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS
from sidecar.mapping import Sidecar
from sidecar.masks.writers import WRITERS as MASK_WRITERS

VOXEL = (0.03, 0.02, 0.05)
BY_HAND = ("which is not known", "given by hand")
#: What each point format says of places, and so whether it takes such a scan: (None) its rows have
#: a column for the axes; (False) they are lengths, or pixels of the source; (True) they are places
#: in the patient.
CLAIMS_THE_PATIENT = {
    "csv": None,
    "json": None,
    "tps": None,
    "morphoj": False,
    "geomorph": False,
    "amira": False,
    "imagej": False,
    "slicer": True,
    "fcsv": True,
    "dicom-sr": True,
    "dicom-rtstruct": True,
}
MASKS_CLAIM = {
    "png": False,
    "nifti": True,
    "seg.nrrd": True,
    "dicom-seg": True,
    "dicom-rtstruct": True,
}


@pytest.fixture
def png(tmp_path: Path) -> Sidecar:
    write_slices(tmp_path / "scan", lambda d, k: setattr(d, "ImagePositionPatient", [7, 8, 9]))
    return sidecar.export(tmp_path / "scan", tmp_path / "png", voxel=VOXEL, scale=0.5, viewer=False)


@pytest.fixture
def labels(png: Sidecar, tmp_path: Path) -> Path:
    path = tmp_path / "png" / "labels.csv"
    path.write_text("label,x,y,slice\na,3,4,2\nb,10.5,12,5\nc,12,3,9.5\n")
    return path


def expected(png: Sidecar) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """mm of the three labels: source index times voxel."""
    index = 2 * np.array([[3, 4, 1], [10.5, 12, 2.5], [12, 3, 4.75]]) + [0.5, 0.5, 0]
    return np.asarray(index * VOXEL)


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_format_is_decided_upon() -> None:
    assert set(CLAIMS_THE_PATIENT) == {*WRITERS, *SOURCE_WRITERS}
    assert set(MASKS_CLAIM) == set(MASK_WRITERS)


def test_the_page_tells_of_every_format() -> None:
    page = Path(__file__).parents[2] / "docs" / "voxel-size.md"
    text = page.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in {**CLAIMS_THE_PATIENT, **MASKS_CLAIM})


@pytest.mark.parametrize("name", CLAIMS_THE_PATIENT)
def test_points_go_to_formats_that_do_not_claim_the_patient(
    name: str, run: CommandLine, labels: Path, tmp_path: Path
) -> None:
    arguments = ["map-points", labels, "--to", name, "-o", tmp_path / "out"]
    if name in SOURCE_WRITERS:
        arguments += ["--dicom", tmp_path / "scan"]
    if CLAIMS_THE_PATIENT[name]:
        run.refuses(*arguments, says=(*BY_HAND, "write csv, json or imagej instead"))
        return
    told = run.done(*arguments).err
    assert "millimetres come from the voxel size that was given by hand" in told
    written = (tmp_path / "out").read_bytes()
    assert b"LPS" not in written and b"RAS" not in written
    in_ras = [*arguments[:-1], tmp_path / "ras", "--space", "ras"]
    if name != "imagej":  # pixels
        run.refuses(*in_ras, says=("--space ras says where", *BY_HAND))


def test_the_table_says_whose_axes_its_millimetres_have(
    run: CommandLine, png: Sidecar, labels: Path, tmp_path: Path
) -> None:
    run.done("map-points", labels, "-o", tmp_path / "mapped.csv")
    rows = table_of(tmp_path / "mapped.csv")
    mm = [[float(row[f"{axis}_mm"]) for axis in "xyz"] for row in rows]
    np.testing.assert_allclose(mm, expected(png), rtol=1e-12)
    assert {row["space"] for row in rows} == {"given"}
    run.done("map-points", labels, "-o", tmp_path / "mapped.json")
    points = json.loads((tmp_path / "mapped.json").read_text())["points"]
    assert {point["space"] for point in points} == {"given"}


def test_measures_and_frames_are_in_millimetres(
    run: CommandLine, png: Sidecar, labels: Path, tmp_path: Path
) -> None:
    mapped = tmp_path / "mapped.csv"
    run.done("map-points", labels, "-o", mapped)
    run.done("measure", mapped, "-o", tmp_path / "measured.csv")
    a, b, c = expected(png)
    measured = {row["of"]: float(row["value"]) for row in table_of(tmp_path / "measured.csv")}
    assert measured == pytest.approx(
        {
            "a – b": np.linalg.norm(a - b),
            "a – c": np.linalg.norm(a - c),
            "b – c": np.linalg.norm(b - c),
        }
    )
    told = run.done("align", mapped, "--frame", "a;b;c", "-o", tmp_path / "aligned.csv").err
    assert "from mm along columns, rows and slices" in told and "LPS" not in told


def test_points_go_back_onto_the_pngs_of_the_same_axes_only(
    run: CommandLine, labels: Path, tmp_path: Path
) -> None:
    mapped = tmp_path / "mapped.csv"
    run.done("map-points", labels, "-o", mapped)
    kept = [
        {name: row[name] for name in ("label", "x_mm", "y_mm", "z_mm", "space")}
        for row in table_of(mapped)
    ]

    def written(name: str, **change: str) -> Path:
        path = tmp_path / name
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(kept[0]))
            table.writeheader()
            table.writerows(row | change for row in kept)
        return path

    run.done("project", written("given.csv"), "--sidecar", tmp_path / "png", "-o", tmp_path / "p")
    back = [
        (float(row["x"]), float(row["y"]), float(row["slice"])) for row in table_of(tmp_path / "p")
    ]
    np.testing.assert_allclose(back, [(3, 4, 2), (10.5, 12, 5), (12, 3, 9.5)], atol=1e-9)
    for space in ("LPS", "RAS", ""):
        run.refuses(
            "project", written(f"{space}.csv", space=space), "--sidecar", tmp_path / "png",
            says=("row 2: its millimetres are of the patient", "given by hand"),
        )  # fmt: skip
    for k in range(12):
        slice_of(k).save_as(tmp_path / "scan" / f"slice_{k + 1:04d}.dcm", enforce_file_format=True)
    sidecar.export(tmp_path / "scan", tmp_path / "placed")
    run.refuses(
        "project", written("again.csv"), "--sidecar", tmp_path / "placed",
        says="its millimetres are by a voxel size that was given by hand",
    )  # fmt: skip


def test_millimetres_of_both_kinds_are_not_measured_together(
    run: CommandLine, labels: Path, tmp_path: Path
) -> None:
    mapped = tmp_path / "mapped.csv"
    run.done("map-points", labels, "-o", mapped)
    lines = mapped.read_text().splitlines()
    mapped.write_text("\n".join([*lines[:-1], lines[-1].replace("given", "LPS")]))
    run.refuses("measure", mapped, says="row 4: space is LPS, but given in the rows above")


@pytest.mark.parametrize("name", MASKS_CLAIM)
def test_masks_go_to_formats_that_do_not_claim_the_patient(
    name: str, run: CommandLine, png: Sidecar, tmp_path: Path
) -> None:
    (tmp_path / "masks").mkdir()
    columns, rows, _ = png.size
    painted = np.zeros((rows, columns), np.uint8)
    painted[5:9, 6:12] = 1
    for file in png.document.images.files:
        Image.fromarray(painted).save(tmp_path / "masks" / file.name)
    arguments = ["map-mask", tmp_path / "masks", "--sidecar", tmp_path / "png", "--to", name,
                 "-o", tmp_path / "out"]  # fmt: skip
    if name.startswith("dicom"):
        arguments += ["--dicom", tmp_path / "scan"]
    if MASKS_CLAIM[name]:
        run.refuses(*arguments, says=BY_HAND)
    else:
        run.done(*arguments)


def test_volumes_painted_on_the_pngs_are_read_and_those_of_a_patient_are_not(
    run: CommandLine, png: Sidecar, tmp_path: Path
) -> None:
    """A plain stack of the PNGs has their spacing, or 1, and origin 0."""
    spacing, columns = png.document.images.spacing, png.size[0]
    assert spacing is not None and None not in spacing
    painted = np.zeros(png.size[::-1], np.uint8)
    painted[3, 5:9, 6:12] = 1
    for name, steps, origin in (
        ("plain", (1, 1, 1), (0, 0, 0)),
        ("spaced", spacing, (0, 0, 0)),
        ("placed", spacing, (7, 8, 9)),
        ("shifted", spacing, (columns * (spacing[0] or 0), 0, 0)),
    ):
        volume = sitk.GetImageFromArray(painted)
        volume.SetSpacing(steps)
        volume.SetOrigin(origin)
        sitk.WriteImage(volume, tmp_path / f"{name}.nrrd")
        arguments = ["map-mask", tmp_path / f"{name}.nrrd", "--sidecar", tmp_path / "png",
                     "-o", tmp_path / name]  # fmt: skip
        if origin == (0, 0, 0):
            assert "no position in the patient" in run.done(*arguments).err
        else:
            run.refuses(*arguments, says="has a position in the patient, but these PNGs have none")


def test_zooms_and_reports_are_in_millimetres(
    run: CommandLine, labels: Path, tmp_path: Path
) -> None:
    source = ["--source", tmp_path / "scan", "--size", "0.3mm"]
    run.done("zoom", labels, *source, "-o", tmp_path / "zooms")
    zoom = sidecar.open(tmp_path / "zooms" / "001_a").document
    assert zoom.geometry == "given" and zoom.source.spacing == pytest.approx(VOXEL)
    assert any("voxel size was given by hand" in warning for warning in zoom.warnings)
    checked = run.done("check", tmp_path / "zooms" / "001_a", *source[:2]).out
    assert "FAILED" not in checked
    run.done("report", labels, *source, "-o", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The voxel size was given by hand" in text and "Distances" in text
    assert "LPS" not in text and "of the patient" not in text


def test_export_says_what_it_takes_by_hand(run: CommandLine, png: Sidecar, tmp_path: Path) -> None:
    scan, out = tmp_path / "scan", tmp_path / "out"
    run.refuses("export", scan, out, says="give it in mm with --voxel 0.02,0.02,Z")
    assert "--voxel 0.02,0.02,Z" in run.done("inspect", scan).out
    planned = run.done("export", scan, out, "--voxel", "0.02,0.05", "--order", "name", "--dry-run")
    assert "given by hand: 0.02 × 0.02 × 0.05 mm" in planned.out
    assert "file names, as asked" in planned.out
    run.refuses("export", scan, out, "--order", "name", code=2, says="needs --voxel")
