"""Coarse first, then exact: landmarks of a half-size stack refined on full-resolution stacks around
them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.command_line import invoked
from kit.phantoms import Phantom, Spec, centroid, write
from kit.tables import rows
from PIL import Image

import sidecar
from sidecar.dicom import pixels


def folders_in(zooms: Path) -> list[Path]:
    return sorted(path for path in zooms.iterdir() if path.is_dir())


@pytest.fixture
def coarse(tmp_path: Path) -> tuple[Phantom, Path]:
    """A half-size export and labels that are off by up to a PNG pixel, as a person's are."""
    phantom = write(
        Spec(columns=131, rows=117, slices=12, orientation="oblique", tilt_degrees=12.0, seed=3),
        tmp_path / "scan",
    )
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5, bits=16)
    rng = np.random.default_rng(2)
    lines = []
    for marker in [marker for marker in phantom.markers if marker.kind == "plane"][3:8]:
        (xy,), (k,) = png.from_source([marker.source])
        x, y = xy + rng.uniform(-1, 1, 2)
        lines.append(f"{marker.name},{x},{y},{k}")
    (tmp_path / "png" / "labels.csv").write_text("label,x,y,slice\n" + "\n".join(lines) + "\n")
    return phantom, tmp_path / "png" / "labels.csv"


def test_landmarks_are_refined_on_original_pixels(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    phantom, labels = coarse
    invoked(
        "zoom", labels, "--source", tmp_path / "scan", "--size", "14mm", "-o", tmp_path / "zooms"
    )
    truth = {marker.name: marker for marker in phantom.markers}
    first = {row["label"]: row for row in rows(invoked("map-points", labels).stdout)}
    folders = folders_in(tmp_path / "zooms")
    assert len(folders) == 5 and (tmp_path / "zooms" / "zooms.html").is_file()
    for folder in folders:  # of 16 bits, too, the page has copies that a browser can show
        names = {path.name for path in folder.glob("*.png")}
        assert {path.name for path in (folder / "viewer_images").iterdir()} == names
    for folder in folders:
        png = sidecar.open(folder)
        zoom = png.document.zoom
        assert zoom is not None
        assert [axis.factor for axis in png.decimation.axes] == [1, 1, 1]
        (near,), (k,) = png.from_source([truth[zoom.label].source])
        with Image.open(folder / png.document.images.files[round(k)].name) as image:
            x, y = centroid(np.asarray(image), (near[0] + 0.4, near[1] - 0.3), 12)
        (folder / "labels.csv").write_text(f"label,x,y,slice\n{zoom.label},{x},{y},{round(k)}\n")
    refined = rows(invoked("map-points", *(folder / "labels.csv" for folder in folders)).stdout)
    assert len(refined) == 5
    for row in refined:
        mm = np.array([float(row[name]) for name in ("x_mm", "y_mm", "z_mm")])
        assert np.linalg.norm(mm - truth[row["label"]].patient) < 0.02 * max(phantom.pixel_spacing)
        before = np.array([float(first[row["label"]][name]) for name in ("x_mm", "y_mm", "z_mm")])
        assert float(row["shift_mm"]) == pytest.approx(np.linalg.norm(mm - before), abs=2e-6)
        moved = [
            float(row[name]) - float(first[row["label"]][name])
            for name in ("source_column", "source_row", "source_slice")
        ]
        assert float(row["shift_voxels"]) == pytest.approx(np.linalg.norm(moved), abs=2e-6)
        assert row["sop_instance_uid"] == truth[row["label"]].sop_instance_uid
        assert float(row["uncertainty_mm"]) < float(first[row["label"]]["uncertainty_mm"])


@pytest.mark.slow
def test_a_label_file_of_one_zoom_fits_no_other(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    """Downloads are all called labels.csv: names of images, and of landmarks, tell them apart."""
    _, labels = coarse
    invoked(
        "zoom", labels, "--source", tmp_path / "scan", "--size", "14mm", "-o", tmp_path / "zooms"
    )
    one, other = folders_in(tmp_path / "zooms")[:2]
    document = sidecar.open(one).document
    zoom, image = document.zoom, document.images.files[0].name
    assert zoom is not None and image == f"zoom_{one.name}_0000_{document.images.tag}.png"
    (other / "labels.csv").write_text(f"label,image,x,y\n{zoom.label},{image},3,3\n")
    told = invoked("map-points", other / "labels.csv", code=1)
    assert image in str(told.exception)
    (other / "labels.csv").write_text(f"label,slice,x,y\n{zoom.label},0,3,3\n")
    assert (
        f"named {zoom.label}, but these PNGs are the stack around"
        in invoked("map-points", other / "labels.csv").stderr
    )
    invoked(
        "zoom",
        labels,
        "--source",
        tmp_path / "scan",
        "--size",
        "12mm",
        "-o",
        tmp_path / "again",
        "--overwrite",
    )
    invoked(
        "zoom",
        labels,
        "--source",
        tmp_path / "scan",
        "--size",
        "13mm",
        "-o",
        tmp_path / "again",
        "--overwrite",
    )
    invoked("check", tmp_path / "again" / one.name, "--source", tmp_path / "scan")


def test_only_slices_around_the_landmarks_are_read(
    coarse: tuple[Phantom, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom, labels = coarse
    labels.write_text("\n".join(labels.read_text().splitlines()[:2]) + "\n")
    read = set()
    true_read = pixels.read_frame

    def noted(root: Path, frame: pixels.FrameLocator, *rest: object) -> object:
        read.add(Path(frame.file).name)
        return true_read(root, frame, *rest)

    monkeypatch.setattr(pixels, "read_frame", noted)
    invoked(
        "zoom", labels, "--source", tmp_path / "scan", "--size", "2mm", "-o", tmp_path / "zooms"
    )
    slice_of = {Path(plane.file).name: i for i, plane in enumerate(phantom.planes)}
    near = round(float(labels.read_text().splitlines()[1].rsplit(",", 1)[1]))
    assert read and {slice_of[name] for name in read} <= {near - 1, near, near + 1}


def test_wrong_scan_and_wrong_size_are_refused(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    _, labels = coarse
    write(Spec(seed=9), tmp_path / "other")
    told = invoked("zoom", labels, "--source", tmp_path / "other", "-o", tmp_path / "zooms", code=1)
    assert "does not hold the scan" in str(told.exception)
    assert not (tmp_path / "zooms").exists()
    told = invoked("zoom", labels, "--source", tmp_path / "scan", "--size", "250um", code=1)
    assert "less than 3 source pixels" in str(told.exception) and "give 1.2mm or more" in str(
        told.exception
    )
    assert (
        "the whole scan; give a smaller --size for a smaller stack"
        in invoked(
            "zoom", labels, "--source", tmp_path / "scan", "--size", "50cm", "-o", tmp_path / "all"
        ).stderr
    )
    empty = labels.with_name("empty.csv")
    empty.write_text("label,x,y,slice\n")
    assert "no landmarks" in str(
        invoked(
            "zoom", empty, "--source", tmp_path / "scan", "-o", tmp_path / "none", code=1
        ).exception
    )
    told = invoked("zoom", labels, "--source", tmp_path / "scan", "--size", "big", code=1)
    assert "--size big" in str(told.exception)


def test_zoom_tells_what_map_points_tells_and_takes_the_same_options(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    """The notes of the reader, the pixel origin, the format, and what lies beyond the PNGs."""
    _, labels = coarse
    scan, image = tmp_path / "scan", sidecar.open(labels.parent).document.images.files[5].name
    table = tmp_path / "Results.csv"
    table.write_text(f" ,Label,Area,X,Y,Slice\n1,{image}:tip,0,20.5,18.25,1\n")
    sidecar_of = ("--sidecar", labels.parent)
    mapped = invoked("map-points", table, *sidecar_of)
    told = invoked("zoom", table, *sidecar_of, "--source", scan, "-o", tmp_path / "a").stderr
    notes = [line for line in mapped.stderr.splitlines() if line.startswith("  note: ")]
    assert len(notes) > 1 and told.startswith(mapped.stderr)

    def centre(folder: str, *options: object) -> tuple[float, ...]:
        invoked("zoom", *options, *sidecar_of, "--source", scan, "-o", tmp_path / folder)
        (zoomed,) = folders_in(tmp_path / folder)
        zoom = sidecar.open(zoomed).document.zoom
        assert zoom is not None
        return zoom.source

    plain, corner = centre("b", table), centre("c", table, "--pixel-origin", "corner")
    assert np.subtract(plain, corner) == pytest.approx([1, 1, 0])  # half a PNG pixel of two
    refused = invoked("zoom", table, *sidecar_of, "--from", "napari", "--source", scan, code=1)
    assert "napari" in str(refused.exception)

    beyond = tmp_path / "beyond.csv"
    beyond.write_text("label,x,y,slice\ntip,10,10,5\nbase,64.9,10,5\n")
    assert invoked("zoom", beyond, *sidecar_of, "--source", scan, code=1).exception is not None
    invoked("map-points", beyond, *sidecar_of, "--allow-outside")
    refused = invoked("zoom", beyond, *sidecar_of, "--source", scan, "-o", tmp_path / "d", code=1)
    assert "--allow-outside" in str(refused.exception)
    invoked("zoom", beyond, *sidecar_of, "--allow-outside", "--source", scan, "-o", tmp_path / "d")
    assert len(folders_in(tmp_path / "d")) == 2
    beyond.write_text("label,x,y,slice\ntip,10,10,5\nbase,-300,10,5\n")
    options = ("--allow-outside", "--source", scan, "-o", tmp_path / "e")
    refused = invoked("zoom", beyond, *sidecar_of, *options, code=1)
    assert str(refused.exception).startswith("beyond.csv, row 3: lies outside of the scan")
    assert not (tmp_path / "e").exists()


def test_curves_are_left_out_and_stacks_of_an_earlier_run_are_told(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    _, labels = coarse
    table = tmp_path / "both.csv"
    table.write_text(
        "label,shape_type,shape_id,vertex,x,y,slice\ntip,point,,,10,10,5\n"
        "jaw,polyline,1,0,12,10,5\njaw,polyline,1,1,14,10,5\n"
    )
    to = ("--sidecar", labels.parent, "--source", tmp_path / "scan", "-o", tmp_path / "zooms")
    told = invoked("zoom", table, *to).stderr
    assert "1 × polyline: stacks are made around landmarks only; left out" in told
    assert [path.name for path in folders_in(tmp_path / "zooms")] == ["001_tip"]
    table.write_text("label,x,y,slice\nbase,20,10,5\n")
    told = invoked("zoom", table, *to, "--overwrite").stderr
    assert "stacks of an earlier run are still beside these: 001_tip" in told
    table.write_text(
        "label,shape_type,shape_id,vertex,x,y,slice\njaw,polyline,1,0,12,10,5\njaw,polyline,1,1,14,10,5\n"
    )
    refused = invoked("zoom", table, *to, code=1)
    assert "there are no landmarks in these labels" in str(refused.exception)


def test_a_size_of_few_voxels_is_told_with_one_that_has_more(tmp_path: Path) -> None:
    """The usual 4 mm on thick slices: one PNG of a few pixels."""
    spec = Spec(columns=60, rows=50, slices=9, pixel_spacing=(1.0, 1.0), slice_gaps=7.0)
    write(spec, tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    (tmp_path / "png" / "labels.csv").write_text("label,x,y,slice\ntip,14.1,12.2,4\n")
    to = ("zoom", tmp_path / "png" / "labels.csv", "--source", tmp_path / "scan", "-o")
    told = invoked(*to, tmp_path / "usual").stderr
    assert "001_tip: 1 PNG of 4 × 4" in told
    assert (
        "note: a box of 4 mm is about 4 × 4 × 1 voxels of this scan, which shows little around a"
        " landmark; --size 35mm gives about 35 × 35 × 5\n" in told
    )
    told = invoked(*to, tmp_path / "larger", "--size", "35mm").stderr
    assert "001_tip: 5 PNGs of 35 × 35\n" in told and "a box of" not in told
    told = invoked(*to, tmp_path / "few", "--size", "15mm").stderr
    assert "about 15 × 15 × 2 voxels" in told
    told = invoked(*to, tmp_path / "enough", "--size", "21mm").stderr
    assert "a box of" not in told


def test_stacks_of_another_size_are_in_the_way_of_all(
    coarse: tuple[Phantom, Path], tmp_path: Path
) -> None:
    _, labels = coarse
    to = ("zoom", labels, "--source", tmp_path / "scan", "-o", tmp_path / "zooms", "--size")
    invoked(*to, "14mm")
    invoked(*to, "14mm")
    (folder, *_) = folders_in(tmp_path / "zooms")
    (folder / "sidecar.json").unlink()
    told = str(invoked(*to, "12mm", code=1).exception)
    assert told.startswith("zooms already holds other stacks in 002_")
    assert "and 1 more: their labels, --size or scan were others" in told
    assert told.endswith("choose another folder with -o, or replace them with --overwrite")
    assert not (folder / "sidecar.json").exists()
    invoked(*to, "12mm", "--overwrite")
    with pytest.raises(sidecar.OutputError, match=r"with output=…, or .* with overwrite=True$"):
        sidecar.zoom(labels, tmp_path / "scan", tmp_path / "zooms", size=13)
