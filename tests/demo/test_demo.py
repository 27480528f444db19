"""`sidecar demo`: the made-up scan is what it claims to be, labels come from pixels alone, and a
mapping that is off is noticed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write
from kit.tables import rows

import sidecar
from sidecar.demo import labelling
from sidecar.demo.anatomy import LANDMARKS
from sidecar.demo.headers import HeaderPlane
from sidecar.demo.tour import MARKER, Tour, tour_of_scan, tour_of_specimen
from sidecar.demo.writer import SCAN_GRID, weevil
from sidecar.grid.decimation import Decimation
from sidecar.progress import Silent

VOXEL_MM = 0.012
#: How far off the labelled spots may be: noise moves a centroid by a few hundredths of a voxel.
WELL_LABELLED_MM = 0.1 * VOXEL_MM


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    return tour_of_specimen(tmp_path_factory.mktemp("demo") / "tour", Silent())


def slices_by_position(folder: Path) -> list[pydicom.Dataset]:
    datasets = [pydicom.dcmread(path) for path in folder.iterdir()]
    normal = np.cross(*np.reshape(datasets[0].ImageOrientationPatient, (2, 3)))
    return sorted(datasets, key=lambda d: float(normal @ d.ImagePositionPatient))


def test_every_landmark_comes_back(tour: Tour) -> None:
    assert tour.check.failed == []
    assert [label.name for label in tour.check.labels] == list(LANDMARKS)
    table = rows(tour.places.mapped)
    mapped = np.array([[float(row[c]) for c in ("x_mm", "y_mm", "z_mm")] for row in table])
    assert np.linalg.norm(mapped - weevil().truth, axis=1).max() < WELL_LABELLED_MM
    uncertainty = 0.5 * np.sqrt(3) * 2 * VOXEL_MM
    assert [float(row["uncertainty_mm"]) for row in table] == pytest.approx(
        [uncertainty] * len(table), abs=0.5e-6
    )
    by_place = slices_by_position(tour.places.scan)
    assert [row["sop_instance_uid"] for row in table] == [
        by_place[round(float(row["source_slice"]))].SOPInstanceUID for row in table
    ]


def test_doubling_is_half_a_voxel_off_along_columns_and_rows(tour: Tour) -> None:
    off = (tour.check.doubled - tour.check.mapped) @ SCAN_GRID.axes / VOXEL_MM
    assert off == pytest.approx(
        np.tile([-0.5, -0.5, 0.0], (len(LANDMARKS), 1)), abs=2e-6 / VOXEL_MM
    )


def test_the_scan_is_a_ct_whose_pixels_show_the_landmarks_where_they_truly_are(tour: Tour) -> None:
    """By pydicom and the whole scan alone: neither PNGs nor the package take part."""
    slices = slices_by_position(tour.places.scan)
    assert {d.SOPClassUID.name for d in slices} == {"CT Image Storage"}
    assert len({d.SOPInstanceUID for d in slices}) == len(slices) == SCAN_GRID.size[2]
    assert (
        len({(d.SeriesInstanceUID, d.FrameOfReferenceUID, d.StudyInstanceUID) for d in slices}) == 1
    )
    values = np.stack(
        [d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in slices]
    )
    first, second = (np.array(slices[k].ImagePositionPatient, dtype=float) for k in (0, 1))
    columns, rows = np.reshape(slices[0].ImageOrientationPatient, (2, 3)) * VOXEL_MM
    step = np.column_stack([columns, rows, second - first])
    for truth in weevil().truth:
        index = np.linalg.solve(step, truth - first)
        low = np.round(index).astype(int) - 4
        block = values[low[2] : low[2] + 9, low[1] : low[1] + 9, low[0] : low[0] + 9]
        core = np.clip(block - 1800, 0, None)  # above the cuticle around the core
        centroid = [
            low[2 - axis]
            + (np.moveaxis(core, axis, 0).sum(axis=(1, 2)) @ np.arange(9)) / core.sum()
            for axis in (2, 1, 0)
        ]
        assert centroid == pytest.approx(index, abs=0.1)


def test_labels_follow_the_pixels_and_not_the_truth(tour: Tour, tmp_path: Path) -> None:
    """Every landmark of the specimen is moved, each by another way: the labels move with them."""
    moves = np.random.default_rng(5).uniform(-2, 2, (len(LANDMARKS), 3)) * VOXEL_MM
    moved = {
        name: tuple(np.add(place, move))
        for (name, place), move in zip(LANDMARKS.items(), moves, strict=True)
    }
    specimen = weevil()
    other = tour_of_specimen(tmp_path / "tour", Silent(), replace(specimen, landmarks=moved))
    assert other.check.errors.max() < WELL_LABELLED_MM
    assert other.check.mapped - tour.check.mapped == pytest.approx(
        moves @ specimen.pose.T, abs=2 * WELL_LABELLED_MM
    )


def test_a_spot_is_marked_at_its_middle() -> None:
    middle = (6.31, 7.72, 5.55)
    square = sum((axis - m) ** 2 for axis, m in zip(np.ogrid[:13, :14, :12], middle, strict=True))
    stack = 40 + 200 * np.exp(-square / (2 * 1.1**2))
    assert labelling.middle_of_spot(stack, np.array([6.0, 8.0, 6.0])) == pytest.approx(
        middle, abs=0.01
    )


def test_a_spot_cut_by_the_border_is_marked_on_the_image() -> None:
    """Also where its middle lies outside: no label may be there."""
    row, column = np.ogrid[:9, :9]
    plane = np.exp(-((row - 4) ** 2 + (column + 1.2) ** 2) / 4.0)[np.newaxis]
    slice_, y, x = labelling.middle_of_spot(plane, np.array([0.0, 4.0, 0.0]))
    assert (slice_, y) == (0, 4)
    assert 0 <= x < 0.5


def test_where_there_is_no_spot_the_brightest_pixel_is_marked() -> None:
    flat = np.full((1, 9, 9), 7.0)
    assert labelling.middle_of_spot(flat, np.array([0.0, 0.0, 0.0])) == (0, 0, 0)
    ramp = np.arange(81.0).reshape(1, 9, 9)
    assert (
        np.abs(
            np.subtract(labelling.middle_of_spot(ramp, np.array([0.0, 8.0, 8.0])), (0, 8, 8))
        ).max()
        <= labelling.SPOT_RADIUS / 2
    )


def test_the_equation_of_the_standard_by_hand() -> None:
    plane = HeaderPlane("1.2", None, [10, 20, 30], [0, 1, 0, 0, 0, -1], [0.5, 0.25])
    assert plane.point(column=4, row=6) == (10, 20 + 4 * 0.25, 30 - 6 * 0.5)


def test_the_command_tells_the_whole_way(run: CommandLine, tmp_path: Path) -> None:
    outcome = run.done("demo")
    for told in (*LANDMARKS, "sidecar inspect", "sidecar export", "sidecar map-points", "µm"):
        assert told in outcome.out
    for place in ("scan", "png", "labels.csv", "mapped.csv"):
        assert str(Path("sidecar-demo", place)) in outcome.out
        assert (tmp_path / "sidecar-demo" / place).exists()
    page = Path("sidecar-demo", "png", "viewer.html")
    assert outcome.out.rstrip().endswith(f"To see it, open {page} in a browser.")
    assert (tmp_path / page).is_file() and "patient" not in outcome.out
    assert "Demo^Specimen" not in (tmp_path / "sidecar-demo/png/sidecar.json").read_text()
    assert len(sidecar.map_file(tmp_path / "sidecar-demo/labels.csv").points) == len(LANDMARKS)


@pytest.mark.slow
def test_it_is_made_anew_in_its_own_folder_and_what_is_not_its_own_stays(
    run: CommandLine, tmp_path: Path
) -> None:
    run.done("demo", "here")
    before = {
        path.name: path.read_bytes() for path in (tmp_path / "here").rglob("*") if path.is_file()
    }
    (tmp_path / "here/notes.txt").write_text("mine")
    (tmp_path / "here/labels.csv").unlink()
    run.done("demo", "here")
    after = {
        path.name: path.read_bytes() for path in (tmp_path / "here").rglob("*") if path.is_file()
    }
    assert after == {**before, "notes.txt": b"mine"}


def test_a_folder_of_others_is_refused(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    run.refuses("demo", "mine", says=("mine", "thesis.txt", "a folder of its own"))
    run.refuses("demo", "mine/thesis.txt", says="thesis.txt cannot be written to")
    (tmp_path / "demo/scan").mkdir(parents=True)
    (tmp_path / "demo" / MARKER).touch()
    (tmp_path / "demo/scan/other.dcm").write_text("someone's slice")
    assert "other.dcm" in run("demo", "demo").err
    assert (tmp_path / "demo/scan/other.dcm").read_text() == "someone's slice"


OWN_SCANS: dict[str, dict[str, Any]] = {
    "oblique, tilted, not square, odd": {
        "orientation": "oblique",
        "tilt_degrees": 14.0,
        "shuffled_names": True,
    },
    "uneven, missing slices": {
        "slice_gaps": (1.0, 1.0, 2.5, 0.7, 1.0, 3.1, 1.0, 1.0),
        "missing": (3,),
    },
    "enhanced, frames in any order": {"layout": "enhanced", "orientation": "coronal"},
    "a single slice": {"slices": 1},
    "colour": {"photometric": "RGB", "bits_stored": 8, "rescale": None},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN_SCANS)
def test_a_tour_of_ones_own_scan(name: str, run: CommandLine, tmp_path: Path) -> None:
    write(Spec(**OWN_SCANS[name]), tmp_path / "scan")
    outcome = run.done("demo", "tour", "--source", "scan")
    assert "to a thousandth of a µm" in outcome.out
    assert "bright spot 1" in outcome.out
    assert not (tmp_path / "tour/scan").exists()


def test_several_stacks_are_chosen_from(run: CommandLine, tmp_path: Path) -> None:
    write(Spec(localizer=True), tmp_path / "scan")
    run.refuses("demo", "--source", "scan", says=("2 stacks", "--series NUMBER"))
    run.refuses("demo", "--source", "scan", "--series", "all", code=2, says="one stack")
    assert "--series 1" in run.done("demo", "--source", "scan", "--series", "1").out


def test_mistakes_leave_nothing_behind(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run.refuses("demo", "--source", "empty", says="no DICOM images found")
    run.refuses("demo", "--source", "nowhere", says="nowhere")
    run.refuses("demo", "--series", "1", code=2, says="--source")
    assert not (tmp_path / "sidecar-demo").exists()


def test_a_scan_without_geometry_says_so(
    run: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "us").symlink_to(shared_data / "no_geometry")
    outcome = run.done("demo", "tour", "--source", "us", "--series", "2")
    assert "no patient geometry" in outcome.out
    assert "µm" not in outcome.out


@pytest.mark.parametrize(
    "scan",
    ["ct_philips_tilt16", "mr_pmod_nonsquare", "mr_hyperfine_enhanced", "ct_enhanced_flipped"],
)
def test_real_scans_agree_with_their_headers(scan: str, shared_data: Path, tmp_path: Path) -> None:
    tour = tour_of_scan(shared_data / scan, tmp_path / "tour", None, Silent())
    assert tour.check.failed == []
    assert tour.check.doubled_errors.min() > 0.1


def shift_columns(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """Break the mapping of labels, and nothing else: PNGs and documents are as they were. (A
    document that is off is refused when it is opened.)
    """
    right = Decimation.to_source

    def wrong(self: Decimation, pixel: Any) -> Any:
        of_labels = sys._getframe(1).f_globals["__name__"] == "sidecar.labels.map"
        return right(self, pixel) + np.array([by if of_labels else 0, 0, 0])

    monkeypatch.setattr(Decimation, "to_source", wrong)


def test_a_mapping_beyond_its_uncertainty_is_exit_1(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift_columns(monkeypatch, 2)
    outcome = run("demo")
    assert outcome.code == 1
    assert f"{len(LANDMARKS)} of {len(LANDMARKS)} labels did not come back" in outcome.err
    assert "NOT every label" in outcome.out


def test_half_a_pixel_is_noticed_on_ones_own_scan(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    shift_columns(monkeypatch, -0.5)
    assert run("demo", "tour", "--source", "scan").code == 1


def test_the_wrong_instance_is_noticed(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(Spec(), tmp_path / "scan")
    right = sidecar.Sidecar.instances
    monkeypatch.setattr(
        sidecar.Sidecar, "instances", lambda self, source: right(self, source + np.array([0, 0, 1]))
    )
    assert run("demo", "tour", "--source", "scan").code == 1


def test_a_large_scan_is_decimated_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Spec(), tmp_path / "scan")
    monkeypatch.setattr("sidecar.demo.tour.PNG_BYTES", 500)
    tour = tour_of_scan(tmp_path / "scan", tmp_path / "tour", None, Silent())
    assert tour.factor == 4  # 15 × 11 × 3; at 1/3 it would be 20 × 15 × 3
    assert tour.check.failed == []
