"""What an export writes of a scan whose voxel size was given by hand, and who takes it for what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.command_line import CommandLine
from kit.numbered_slices import COUNT, PIXEL, SECONDARY_CAPTURE, write_slices
from kit.phantoms import Spec, write
from pydicom.dataset import Dataset

import sidecar
from sidecar.dicom.source import Source
from sidecar.document.reading import parse
from sidecar.document.writing import as_text, sealed
from sidecar.errors import DocumentError, GeometryError, SourceError, UsageError
from sidecar.exporting.config import load_config
from sidecar.exporting.options import make_options
from sidecar.mapping import Sidecar

VOXEL = (0.03, 0.02, 0.05)


def copied_positions(dataset: Dataset, k: int) -> None:
    dataset.ImagePositionPatient = [1, 2, 3]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write_slices(tmp_path / "scan", copied_positions)


@pytest.fixture
def png(scan: Path, tmp_path: Path) -> Sidecar:
    return sidecar.export(scan, tmp_path / "png", voxel=VOXEL, scale=0.5, z_step=2, viewer=False)


# --- the document ---


def test_the_document_has_a_frame_of_its_own(png: Sidecar) -> None:
    document = png.document
    assert (document.coordinate_system, document.units, document.geometry) == (None, "mm", "given")
    assert document.source.frame_of_reference_uid is None
    assert document.source.origin == (0, 0, 0)
    assert document.source.spacing == pytest.approx(VOXEL)
    assert document.source.pixel_spacing == (VOXEL[1], VOXEL[0])
    assert document.source.direction == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert [plane.position for plane in document.source.planes] == [
        (0, 0, k * VOXEL[2]) for k in range(COUNT)
    ]
    assert document.images.origin == pytest.approx((0.015, 0.01, 0))
    assert document.images.spacing == pytest.approx((0.06, 0.04, 0.1))
    assert any("voxel size was given by hand" in warning for warning in document.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("plane", [None, "xzy", "-zyx"])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    voxel=st.tuples(*[st.floats(1e-3, 10)] * 3),
    points=st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=4),
    scale=st.sampled_from([1.0, 0.5, 1 / 3, 0.7]),
)
def test_mapped_millimetres_are_index_times_voxel(
    plane: str | None,
    voxel: tuple[float, float, float],
    points: list[tuple[float, float, float]],
    scale: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    write_slices(folder / "scan", copied_positions, numbers=range(3))
    made = sidecar.export(
        folder / "scan", folder / "png", voxel=voxel, scale=scale, plane=plane, viewer=False
    )
    pixels = np.array(points) * (np.array(made.size) - 1)
    mm = made.to_mm(pixels[:, :2], pixels[:, 2])
    expected = made.to_source(pixels[:, :2], pixels[:, 2]) * voxel
    np.testing.assert_allclose(mm, expected, rtol=1e-9, atol=1e-9 * max(voxel))
    back, slices = made.from_mm(mm)
    np.testing.assert_allclose(np.column_stack([back, slices]), pixels, atol=1e-6)
    shutil.rmtree(folder)


def refused_by_readers_of_1_0(document: dict[str, Any]) -> bool:
    """Their rule: a document in mm is LPS, any other is in pixels, without positions."""
    if document["coordinate_system"] is not None and document["units"] == "mm":
        return False
    planes = document["source"]["planes"]
    return bool(
        document["coordinate_system"]
        or document["units"] == "mm"
        or any(plane["position"] for plane in planes)
    )


def test_readers_of_1_0_refuse_it_and_no_other(png: Sidecar, tmp_path: Path) -> None:
    write(Spec(), tmp_path / "placed")
    write_slices(tmp_path / "flat", kind=SECONDARY_CAPTURE)
    for source in ("placed", "flat"):
        document = sidecar.export(tmp_path / source, tmp_path / f"{source}_png").document
        assert not refused_by_readers_of_1_0(json.loads(as_text(document)))
    assert refused_by_readers_of_1_0(json.loads(as_text(png.document)))


def test_geometry_is_held_against_coordinate_system_and_units(png: Sidecar) -> None:
    raw = json.loads(as_text(png.document)) | {"digest": None}
    for change in (
        {"geometry": None},
        {"geometry": "patient"},
        {"units": "pixel"},
        {"coordinate_system": "LPS"},
        {"coordinate_system": "LPS", "units": "pixel", "geometry": None},
    ):
        with pytest.raises(DocumentError, match="contradicts itself"):
            Sidecar.of(parse(json.dumps(raw | change)))


def test_the_tag_does_not_depend_on_the_voxel_size(scan: Path, tmp_path: Path) -> None:
    tags = [
        sidecar.export(
            scan, tmp_path / f"{i}", voxel=voxel, scale=1, order=order, viewer=False
        ).document.images.tag
        for i, (voxel, order) in enumerate([(VOXEL, None), ((1.0, 1.0, 1.0), "name")])
    ]
    assert tags[0] == tags[1]


def test_the_patient_is_not_asked_where_nothing_is_known_of_it(png: Sidecar) -> None:
    with pytest.raises(GeometryError, match=r"given by hand.* to_mm and from_mm"):
        png.to_patient([[1, 2]], 1)
    with pytest.raises(GeometryError, match="given by hand"):
        png.from_patient([[1, 2, 3]])


# --- what is made of it ---


def test_pixel_spacing_stays_where_there_is_no_more(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.PixelSpacing = [0.02, 0.03]

    folder = write_slices(tmp_path / "scan", change, SECONDARY_CAPTURE)
    document = sidecar.export(folder, tmp_path / "png").document
    assert document.geometry == "none" and document.source.pixel_spacing == (0.02, 0.03)
    assert "--voxel gives millimetres" in document.warnings[0]


def test_spacing_and_axes_of_the_source_work_and_anatomy_does_not(
    scan: Path, tmp_path: Path
) -> None:
    made = sidecar.export(scan, tmp_path / "png", voxel=VOXEL, spacing=0.1, plane="xzy")
    assert made.document.images.spacing == pytest.approx((0.03 * 48 / 14, 0.1, 0.1), rel=1e-6)
    for options in ({"plane": "axial"}, {"plane": "LFP"}, {"volume": "nrrd"}, {"volume": "nifti"}):
        with pytest.raises(GeometryError, match=r"which is not known: .* given by hand"):
            sidecar.export(scan, tmp_path / "no", voxel=VOXEL, **options)
    assert not list((tmp_path / "no").glob("*.png"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("0.03,0.02,0.05", VOXEL),
        (" 0.03 , 0.05", (0.03, 0.03, 0.05)),
        ((0.03, 0.05), (0.03, 0.03, 0.05)),
        ([0.03, 0.02, 0.05], VOXEL),
    ],
)
def test_a_voxel_size_is_read(given: Any, read: tuple[float, ...]) -> None:
    assert make_options(voxel=given).voxel == read


@pytest.mark.parametrize(
    "given", ["1", "0,5", "1,2,3,4", "0,012,0,012,0,024", "a,b,c", "1,-2,3", "nan,1,1", "1e999,1"]
)
def test_what_is_no_voxel_size_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--voxel"):
        make_options(voxel=given)


def test_an_order_goes_with_a_voxel_size() -> None:
    assert make_options(voxel=VOXEL, order="name").given is not None
    with pytest.raises(UsageError, match="--order name needs --voxel"):
        _ = make_options(order="name").given
    with pytest.raises(UsageError, match="--order"):
        make_options(voxel=VOXEL, order="date")


def test_configs_know_it(tmp_path: Path) -> None:
    config = tmp_path / "specimens.yaml"
    config.write_text(
        "voxel: 0.03,0.05\nsources:\n"
        "- {source: a, output: b, order: number}\n"
        "- {source: c, output: d, voxel: [1, 2, 3]}\n"
    )
    one, other = (options for _, _, options in load_config(config))
    assert one.given is not None and other.given is not None
    assert (one.given.voxel, one.given.order) == ((0.03, 0.03, 0.05), "number")
    assert (other.given.voxel, other.given.order) == ((1, 2, 3), None)


def test_documents_that_left_pixel_spacing_out_are_checked_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    scan = write_slices(
        tmp_path / "scan", lambda d, k: setattr(d, "PixelSpacing", [1, 1]), SECONDARY_CAPTURE
    )
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    path = tmp_path / "png" / "sidecar.json"
    raw = json.loads(path.read_text())
    raw["source"]["pixel_spacing"] = None
    path.write_text(as_text(sealed(parse(json.dumps(raw)))))
    assert "FAILED" not in run.done("check", tmp_path / "png", "--source", scan).out


# --- the scan, known again ---


def test_the_scan_is_known_again_in_the_order_of_the_document(scan: Path, tmp_path: Path) -> None:
    made = sidecar.export(scan, tmp_path / "png", voxel=VOXEL, viewer=False)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for k, path in enumerate(sorted(scan.iterdir())):
        shutil.copy(path, elsewhere / f"{COUNT - k:03d}.dcm")
    series = Source.open(elsewhere).matching(made.known_scan)
    assert [f.instance_number for f in series.frames] == list(range(1, COUNT + 1))
    assert series.stack is not None and series.stack.geometry == "given"
    (elsewhere / "004.dcm").unlink()
    with pytest.raises(SourceError, match=r"slice 8 \(0-based\) of 12 is missing"):
        Source.open(elsewhere).matching(made.known_scan)


def test_slices_by_name_are_checked_against_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    for k in range(COUNT):  # names count down
        write_slices(tmp_path / "scan", copied_positions, numbers=range(k, k + 1),
                     name=f"s{COUNT - k}.dcm")  # fmt: skip
    run.done("export", tmp_path / "scan", tmp_path / "png", "--voxel", "1,2", "--order", "name")
    out = run.done("check", tmp_path / "png", "--source", tmp_path / "scan").out
    assert "FAILED" not in out and "every pixel is the same" in out
    document = sidecar.open(tmp_path / "png").document
    assert [plane.instance_number for plane in document.source.planes] == list(range(12, 0, -1))


@pytest.mark.slow
def test_adopted_as_exported(tmp_path: Path) -> None:
    from kit.adopted_images import texture, write_scan

    write_scan(tmp_path / "scan", texture())
    made = sidecar.export(
        tmp_path / "scan", tmp_path / "png", voxel=VOXEL, scale=0.5, viewer=False
    ).document
    (tmp_path / "png" / "sidecar.json").unlink()
    found = sidecar.adopt(tmp_path / "scan", tmp_path / "png", voxel="0.03,0.02,0.05").document
    assert found.geometry == "given" and found.source == made.source
    assert found.images.origin == pytest.approx(made.images.origin)
    assert any("given by hand" in warning for warning in found.warnings)


def test_pixels_of_the_header_and_of_the_hand_are_both_told(tmp_path: Path) -> None:
    made = sidecar.export(write_slices(tmp_path / "scan"), tmp_path / "png", voxel=VOXEL)
    assert f"Pixel Spacing {PIXEL}\\{PIXEL}" in "\n".join(made.document.warnings)
