"""An adopted stack is an export like any other: points, masks, zooms, pages and checks, with its
margins and its uncertainty.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from kit.adopted_images import (
    COLUMN_MM,
    COLUMNS,
    ROW_MM,
    ROWS,
    SLICE_MM,
    SLICES,
    Volume,
    autoscaled,
    patient,
    windowed,
    write_images,
)
from kit.command_line import CommandLine
from kit.phantoms import Phantom
from kit.zips import zipped
from PIL import Image

import sidecar
from sidecar import adopt
from sidecar.adoption.verify import verify
from sidecar.checks import check_export
from sidecar.errors import DocumentError, ImageError, LabelError, SourceError
from sidecar.mapping import Sidecar
from sidecar.viewer.page import write_viewer

pytestmark = pytest.mark.slow

#: Every second sample of every third slice from the second on, upside down.
UPSIDE_DOWN = np.s_[1::3, ::-2, ::2]


def to_source(x: float, y: float, k: float) -> list[float]:
    """Of those images: row 119 comes first."""
    return [2 * x, ROWS - 1 - 2 * y, 3 * k + 1]


@pytest.fixture(scope="module")
def adopted(scan: Path, volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adopted")
    stack = [windowed(plane, -800, 1900) for plane in volume[UPSIDE_DOWN]]
    adopt(scan, write_images(folder / "pngs", stack))
    return folder / "pngs"


def test_labels_of_a_tool_that_counts_from_the_corner(
    phantom: Phantom, adopted: Path, tmp_path: Path
) -> None:
    """LabelMe's (30.5, 12.5) is the middle of pixel (30, 12)."""
    shapes = [
        {
            "label": "a",
            "shape_type": "point",
            "points": [[30.5, 12.5]],
            "group_id": None,
            "flags": {},
        }
    ]
    labels = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "frame_4.png",
        "imageData": None,
    }
    (tmp_path / "a.json").write_text(json.dumps(labels | {"imageHeight": 60, "imageWidth": 75}))
    points = sidecar.map_file(tmp_path / "a.json", sidecar.open(adopted)).points
    np.testing.assert_allclose(points.source, [to_source(30, 12, 3)], atol=1e-9)
    np.testing.assert_allclose(points.patient, patient(points.source), atol=1e-6)
    assert points.instances.sop_instance_uid == [phantom.planes[3 * 3 + 1].sop_instance_uid]
    np.testing.assert_allclose(
        points.uncertainty_mm,
        0.5 * np.sqrt((2 * COLUMN_MM) ** 2 + (2 * ROW_MM) ** 2 + (3 * SLICE_MM) ** 2),
    )


def test_a_mask_goes_back_onto_the_scan(adopted: Path, run: CommandLine, tmp_path: Path) -> None:
    painted = tmp_path / "masks"
    mask = np.zeros((60, 75), np.uint8)
    mask[10:20, 30:50] = 1
    write_images(painted, [mask if k == 4 else 0 * mask for k in range(10)])
    run.done("map-mask", painted, "--sidecar", adopted, "-o", tmp_path / "mask.nii.gz", "-q")
    there = np.argwhere(np.asarray(nibabel.load(tmp_path / "mask.nii.gz").dataobj))
    corners = [to_source(29.5, 19.5, 3.5), to_source(49.5, 9.5, 4.5)]
    assert np.all(there.min(axis=0) >= corners[0])
    assert np.all(there.max(axis=0) <= corners[1])
    # Voxels halfway along the outline, which end in half pixels, are labelled in half.
    assert len(there) == pytest.approx(int(mask.sum()) * 4 * 3, rel=0.01)
    np.testing.assert_allclose(there.mean(axis=0), to_source(39.5, 14.5, 4), atol=1e-9)


def test_zoom_report_and_page(
    adopted: Path, scan: Path, volume: Volume, run: CommandLine, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("label,image,x,y\nspot,frame_4.png,30,12\n")
    run.done(
        "zoom",
        labels,
        "--sidecar",
        adopted,
        "--source",
        scan,
        "--size",
        "6mm",
        "-o",
        tmp_path / "zooms",
        "-q",
    )
    zoomed = sidecar.open(next((tmp_path / "zooms").glob("*/sidecar.json")))
    assert zoomed.document.zoom is not None
    np.testing.assert_allclose(zoomed.document.zoom.source, to_source(30, 12, 3))
    run.done(
        "report", labels, "--sidecar", adopted, "--source", scan, "-o", tmp_path / "report.html"
    )
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_pages_of_images_with_a_contrast_each(
    scan: Path, volume: Volume, run: CommandLine, tmp_path: Path
) -> None:
    images = write_images(tmp_path / "pngs", [255 - autoscaled(plane) for plane in volume])
    png = adopt(scan, images)
    assert png.document.images.value is None
    assert write_viewer(png, images).is_file()
    (images / "labels.csv").write_text("label,image,x,y\nspot,frame_4.png,30,12\n")
    run.done("report", images / "labels.csv", "--source", scan, "-o", tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_images_that_no_page_shows_are_refused_with_the_way_out(
    scan: Path, volume: Volume, tmp_path: Path
) -> None:
    images = write_images(tmp_path / "tiffs", [autoscaled(plane) for plane in volume], "tif")
    png = adopt(scan, images)
    with pytest.raises(DocumentError, match="adopt gray or RGB PNGs"):
        write_viewer(png, images)


def test_check(adopted: Path, scan: Path, tmp_path: Path) -> None:
    findings = {finding.check: finding.passed for finding in check_export(adopted, scan)}
    assert {name for name, passed in findings.items() if passed is None} == {
        "stored values",
        "pixels",
    }
    assert False not in findings.values()


def test_check_finds_an_image_that_was_changed(scan: Path, volume: Volume, tmp_path: Path) -> None:
    images = write_images(tmp_path / "jpegs", [autoscaled(plane) for plane in volume], "jpg")
    adopt(scan, images)
    Image.fromarray(autoscaled(volume[0])).save(images / "frame_9.jpg", quality=30)
    failed = [finding.detail for finding in check_export(images) if finding.passed is False]
    assert failed == ["frame_9.jpg was changed after it was adopted"]


@pytest.fixture(scope="module")
def letterboxed(scan: Path, volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Sidecar:
    """Ten black rows above and below."""
    stack = [np.pad(autoscaled(plane), ((10, 10), (0, 0))) for plane in volume]
    return adopt(scan, write_images(tmp_path_factory.mktemp("letterboxed"), stack))


@pytest.mark.parametrize(
    ("y", "inside"),
    [(0, False), (9.49, False), (9.51, True), (129.49, True), (129.51, False), (139, False)],
)
def test_labels_on_margins(y: float, inside: bool, letterboxed: Sidecar, tmp_path: Path) -> None:
    assert letterboxed.decimation.rows.offset == -10
    labels = tmp_path / "labels.csv"
    labels.write_text(f"label,image,x,y\na,frame_3.png,20,{y}\n")
    if inside:
        np.testing.assert_allclose(
            sidecar.map_file(labels, letterboxed).points.source, [[20, y - 10, 2]], atol=1e-9
        )
    else:
        with pytest.raises(
            LabelError, match=r"labels\.csv, row 2: .*on the margin of the PNGs, outside the scan"
        ):
            sidecar.map_file(labels, letterboxed)
        assert len(sidecar.map_file(labels, letterboxed, allow_outside=True).points) == 1


def test_what_is_known_as_measured_only_is_less_certain(letterboxed: Sidecar) -> None:
    document = letterboxed.document
    assert document.evidence is not None
    vague = replace(
        document.evidence,
        rows=replace(document.evidence.rows, exact=False, deviation=0.3, made_by="as measured"),
    )
    less = Sidecar.of(replace(document, evidence=vague))
    place = np.array([[20.0, 30.0, 5.0]])
    np.testing.assert_allclose(
        less.uncertainty_mm(place), 0.5 * np.sqrt(COLUMN_MM**2 + (1.6 * ROW_MM) ** 2 + SLICE_MM**2)
    )
    assert less.uncertainty_mm(place) > letterboxed.uncertainty_mm(place)


def test_the_command_tells_what_it_found(
    scan: Path, volume: Volume, run: CommandLine, tmp_path: Path
) -> None:
    images = write_images(
        tmp_path / "pngs", [autoscaled(plane) for plane in volume[::-2, ::2, ::2]]
    )
    outcome = run.done("adopt", scan, images, "-o", tmp_path / "found.json")
    assert "columns    source = 2 · pixel +0   every second sample" in outcome.err
    assert "slices     source = -2 · pixel +29" in outcome.err
    assert not (images / "sidecar.json").exists()
    assert sidecar.open(tmp_path / "found.json").size == (75, 60, 15)
    run.refuses("adopt", scan, images, "--factor", "two", code=2, says="--factor")
    run.refuses("adopt", scan, images, "--flip", "w", code=2, says="--flip")
    run.refuses("adopt", scan, tmp_path / "none", says="none")
    assert SLICES == 30


def test_a_zip_of_the_scan_is_adopted_from_alike(
    scan: Path, volume: Volume, run: CommandLine, tmp_path: Path
) -> None:
    images = write_images(
        tmp_path / "pngs", [autoscaled(plane) for plane in volume[::-2, ::2, ::2]]
    )
    for source, output in ((scan, "one.json"), (zipped(scan), "two.json")):
        run.done("adopt", source, images, "-o", tmp_path / output)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert COLUMNS == 150


@pytest.mark.parametrize("replaced", ["an image", "a slice"])
def test_what_is_replaced_while_it_is_looked_at_is_not_adopted(
    scan: Path,
    volume: Volume,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    replaced: str,
) -> None:
    shutil.copytree(scan, tmp_path / "scan")
    stack = [windowed(plane, -800, 1900) for plane in volume[UPSIDE_DOWN]]
    images = write_images(tmp_path / "pngs", stack)
    folder = images if replaced == "an image" else tmp_path / "scan"
    first, second, *_ = sorted(path for path in folder.rglob("*") if path.stat().st_size > 1000)

    def late(*given: Any) -> Any:
        found = verify(*given)
        shutil.copyfile(second, first)
        return found

    monkeypatch.setattr("sidecar.adoption.verify.verify", late)
    with pytest.raises((ImageError, SourceError), match="changed"):
        adopt(tmp_path / "scan", images)
    assert not (images / "sidecar.json").exists()
