"""The error of labelling against numbers worked out by hand, against scatter that the test made,
and against files that must not be compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.landmark_tables import write_landmarks
from kit.phantoms import Spec, write

import sidecar
from sidecar.errors import LabelError, UsageError
from sidecar.morphometrics.repeats import components

PLACES = {
    "nose": [10.0, 20.0, 5.0],
    "chin": [14.0, 29.0, 7.0],
    "left ear": [31.0, 12.0, 9.0],
    "right ear": [3.0, 15.0, 11.0],
}


def shifted(**by: list[float]) -> dict[str, np.ndarray]:
    """The places, some of them moved."""
    moved = {name.replace("_", " "): np.array(shift) for name, shift in by.items()}
    return {name: np.array(place) + moved.get(name, 0) for name, place in PLACES.items()}


# --- numbers


def test_two_sessions_by_hand(tmp_path: Path) -> None:
    """One landmark 0.6 mm apart: each is 0.3 from the mean, and √(0.09 + 0.09) is the error."""
    files = [
        write_landmarks(tmp_path / "a.csv", PLACES, uncertainty=0.02),
        write_landmarks(tmp_path / "b.csv", shifted(nose=[0, 0.6, 0]), uncertainty=0.04),
    ]
    found = sidecar.measure_repeats(files, observers=["anna", "anna"])
    nose, chin = found.landmarks[:2]
    assert (nose.landmark, nose.sessions) == ("nose", 2)
    assert nose.rms_mm == pytest.approx(np.sqrt(0.18)) == nose.intra_observer_mm
    assert nose.worst_mm == pytest.approx(0.3) and nose.worst_session == ""
    assert nose.inter_observer_mm is None and nose.decimation_mm == 0.04
    assert chin.rms_mm == chin.worst_mm == 0
    assert found.rms_mm == pytest.approx(np.sqrt(0.18 / 4))
    assert found.procrustes_mm is not None and 0 < found.procrustes_mm < np.sqrt(0.18 / 4)
    assert "all sessions are by 'anna', so there is no inter-observer error" in found.notes


def test_two_observers_of_two_sessions_by_hand() -> None:
    """Along one line at 0, 2 and 10, 12: MS_within = (1 + 1 + 1 + 1)/2 = 2, MS_between = 2·25·2 =
    100, n₀ = 2, so that 49 is between them.
    """
    places = np.array([[0.0, 0, 0], [2, 0, 0], [10, 0, 0], [12, 0, 0]])
    intra, inter = components(places, ["anna", "anna", "ben", "ben"])
    assert intra == pytest.approx(np.sqrt(2))
    assert inter == pytest.approx(7.0)
    uneven = np.array([[0.0, 0, 0], [2, 0, 0], [10, 0, 0]])  # n₀ = (3 − 5/3)/1
    intra, inter = components(uneven, ["anna", "anna", "ben"])
    between = 2 * (1 - 4) ** 2 + (10 - 4) ** 2
    assert intra == pytest.approx(np.sqrt(2))
    assert inter == pytest.approx(np.sqrt((between - 2) / (4 / 3)))


def test_observers_who_agree_have_no_error_between_them() -> None:
    places = np.array([[0.0, 0, 0], [2, 0, 0], [0, 0, 0], [2, 0, 0]])
    assert components(places, ["anna", "anna", "ben", "ben"])[1] == 0


@pytest.mark.parametrize("observers", [["", "", ""], ["anna", "ben", "cleo"]])
def test_what_cannot_be_told_apart_is_not_told(observers: list[str]) -> None:
    assert components(np.eye(3), observers) == (None, None)


def test_scatter_within_and_between_observers_is_found_again() -> None:
    """Of 300 observers with 4 sessions each: 0.2 mm along each axis within, 0.5 between."""
    random = np.random.default_rng(4)
    own = np.repeat(random.normal(scale=0.5, size=(300, 3)), 4, axis=0)
    places = own + random.normal(scale=0.2, size=own.shape)
    who = [f"o{i}" for i in range(300) for _ in range(4)]
    intra, inter = components(places, who)
    assert intra == pytest.approx(0.2 * np.sqrt(3), rel=0.05)
    assert inter == pytest.approx(0.5 * np.sqrt(3), rel=0.08)


def test_a_specimen_that_lay_otherwise_has_no_error_after_superimposition(tmp_path: Path) -> None:
    """As where one file is of a scan that was mapped with a shifted origin: all of its error is
    where the whole is.
    """
    moved = {name: np.add(place, [0.4, 0.1, 0.2]) for name, place in PLACES.items()}
    files = [
        write_landmarks(tmp_path / "a.csv", PLACES),
        write_landmarks(tmp_path / "b.csv", moved),
    ]
    found = sidecar.measure_repeats(files)
    assert found.rms_mm == pytest.approx(np.sqrt(0.21 / 2))
    assert found.procrustes_mm == pytest.approx(0, abs=1e-9)


def test_the_worst_session_is_named_and_axes_are_made_equal(tmp_path: Path) -> None:
    files = [
        write_landmarks(tmp_path / "a.csv", PLACES),
        write_landmarks(tmp_path / "b.csv", shifted(chin=[0.1, 0, 0]), space="RAS"),
        write_landmarks(tmp_path / "c.csv", shifted(chin=[0.9, 0, 0])),
    ]
    chin = sidecar.measure_repeats(files).landmarks[1]
    assert chin.worst_session == "c.csv"
    assert chin.worst_mm == pytest.approx(0.9 - 1 / 3)


def test_missing_landmarks_are_told_and_the_others_measured(tmp_path: Path) -> None:
    few = {name: place for name, place in shifted(nose=[0.1, 0, 0]).items() if name != "chin"}
    files = [
        write_landmarks(tmp_path / "a.csv", PLACES),
        write_landmarks(tmp_path / "b.csv", few),
    ]
    found = sidecar.measure_repeats(files)
    chin = found.landmarks[1]
    assert (chin.sessions, chin.rms_mm, chin.procrustes_mm) == (1, None, None)
    assert any(note.startswith("b.csv lacks 'chin'") for note in found.notes)
    assert found.landmarks[0].procrustes_mm is not None


def test_shapes_and_nameless_points_are_left_out_and_told(tmp_path: Path) -> None:
    path = write_landmarks(tmp_path / "a.csv", PLACES)
    lines = path.read_text().splitlines()
    lines.append("," + lines[1].partition(",")[2])
    path.write_text("\n".join(lines) + "\n")
    other = write_landmarks(tmp_path / "b.csv", shifted(nose=[0.1, 0, 0]))
    found = sidecar.measure_repeats([path, other])
    assert [one.landmark for one in found.landmarks] == list(PLACES)
    assert "a.csv: points without a name were left out: 1" in found.notes


def test_few_landmarks_are_not_superimposed_which_is_told(tmp_path: Path) -> None:
    two = {name: PLACES[name] for name in ("nose", "chin")}
    files = [
        write_landmarks(tmp_path / "a.csv", two),
        write_landmarks(tmp_path / "b.csv", {"nose": PLACES["nose"], "chin": [14, 29, 7.3]}),
    ]
    found = sidecar.measure_repeats(files)
    assert found.procrustes_mm is None and found.rms_mm
    assert any("the sessions were not superimposed" in note for note in found.notes)


# --- which files may be compared


def refused(*files: Path, says: str, observers: list[str] | None = None) -> None:
    with pytest.raises((LabelError, UsageError), match=says):
        sidecar.measure_repeats(files, observers=observers)


def test_files_of_two_scans_are_refused_by_name(tmp_path: Path) -> None:
    a = write_landmarks(tmp_path / "a.csv", PLACES)
    b = write_landmarks(tmp_path / "b.csv", shifted(nose=[0.1, 0, 0]), scan="9.9.9")
    refused(a, b, says=r"b\.csv: has instance 9\.9\.9\.5 at source slice 5, but a\.csv has 1\.2\.3")
    for column, says in (
        ("series_uid", "is of series 2, but a.csv is of series 1"),
        ("specimen", "is of specimen '2', but a.csv is of '1'"),
    ):
        a = write_landmarks(tmp_path / "a.csv", PLACES, more={column: "1"})
        b = write_landmarks(tmp_path / "b.csv", shifted(nose=[0.1, 0, 0]), more={column: "2"})
        refused(a, b, says=says)


def mapped_on(scan: Path, out: Path, columns: float = 0, **options: float) -> Path:
    """Three places of a scan, some source columns aside, labelled on an export of it and mapped."""
    png = sidecar.export(scan, out / "png", **options)
    places = [[12.3, 20.1, 3.0], [40.2, 8.8, 5.0], [30.0, 31.5, 7.0]]
    xy, slices = png.from_source(np.add(places, [columns, 0, 0]))
    rows = [
        f"p{i},{x!r},{y!r},{k!r}"
        for i, (x, y, k) in enumerate(zip(*xy.T.tolist(), slices.tolist(), strict=True))
    ]
    (out / "labels.csv").write_text("\n".join(["label,x,y,slice", *rows]) + "\n")
    sidecar.map_points(out / "labels.csv", png).write(out / f"{out.name}.csv")
    return out / f"{out.name}.csv"


def test_exports_of_one_scan_go_together_and_those_of_another_with_its_geometry_do_not(
    tmp_path: Path,
) -> None:
    for name, seed in (("scan", 1), ("twin", 2)):
        write(Spec(orientation="oblique", junk=False, seed=seed), tmp_path / name)
    half = mapped_on(tmp_path / "scan", tmp_path / "half", scale=0.5)
    third = mapped_on(tmp_path / "scan", tmp_path / "third", 0.6, scale=1 / 3, z_step=2)
    found = sidecar.measure_repeats([half, third])
    apart = 0.6 * float(sidecar.open(tmp_path / "half" / "png").document.source.spacing[0])  # type: ignore[index]
    assert found.rms_mm == pytest.approx(apart / np.sqrt(2))
    assert found.procrustes_mm == pytest.approx(0, abs=1e-9)
    twin = mapped_on(tmp_path / "twin", tmp_path / "other", scale=0.5)
    refused(half, twin, says=r"other\.csv: has instance .* but half\.csv has")


def test_an_instance_at_another_slice_is_refused(tmp_path: Path) -> None:
    a = write_landmarks(tmp_path / "a.csv", {"nose": [1, 2, 5]})
    b = write_landmarks(tmp_path / "b.csv", {"nose": [1, 2, 6]})
    b.write_text(b.read_text().replace("1.2.3.6", "1.2.3.5"))
    refused(a, b, says=r"has instance 1\.2\.3\.5 at source slice 6, but a\.csv has it at slice 5")


def test_files_that_nothing_shows_to_be_of_one_scan_are_refused_with_the_way_out(
    tmp_path: Path,
) -> None:
    """No slice in common, and nothing said: they could be of any two scans."""

    def files(more: dict[str, str]) -> list[Path]:
        return [
            write_landmarks(tmp_path / "a.csv", {"nose": [1, 2, 5]}, more=more),
            write_landmarks(tmp_path / "b.csv", {"nose": [1, 2, 8]}, more=more),
        ]

    refused(*files({}), says=r"b\.csv: nothing in it shows that it is of the same scan as a\.csv")
    assert sidecar.measure_repeats(files({"specimen": "beetle"})).landmarks[0].worst_mm == 1.5
    between = write_landmarks(tmp_path / "c.csv", {"nose": [1, 2, 5.4], "chin": [1, 2, 8.0]})
    assert sidecar.measure_repeats([*files({}), between]).landmarks[0].sessions == 3


def test_other_files_that_are_no_two_sessions(tmp_path: Path) -> None:
    a = write_landmarks(tmp_path / "a.csv", PLACES)
    b = write_landmarks(tmp_path / "b.csv", shifted(nose=[0.1, 0, 0]))
    refused(a, says="needs two or more files of one scan")
    refused(a, a, says="give each session only once")
    refused(a, a, a, says="give each session only once")
    refused(a, b, says="2 sessions and 1 observer;", observers=["anna"])
    c = write_landmarks(tmp_path / "c.csv", shifted(nose=[0.1, 0, 0]), more={"observer": "ben"})
    refused(a, c, says="does not say who labelled, but other files do")
    refused(a, c, says="is by 'ben' according to its column observer", observers=["anna", "anna"])
    found = sidecar.measure_repeats([a, c], observers=["anna", "ben"])
    assert found.observers == ("anna", "ben")
    c.write_text(c.read_text().replace("ben", "anna", 1))
    refused(a, c, says="a file is one session of one observer")


def test_millimetres_of_two_voxel_sizes_are_refused(tmp_path: Path) -> None:
    a = write_landmarks(tmp_path / "a.csv", PLACES, space="given", voxel=0.5)
    same = write_landmarks(tmp_path / "b.csv", shifted(nose=[0.1, 0, 0]), space="given", voxel=0.5)
    other = write_landmarks(tmp_path / "c.csv", shifted(nose=[0.1, 0, 0]), space="given", voxel=0.6)
    assert sidecar.measure_repeats([a, same]).rms_mm
    refused(
        a, other, says=r"c\.csv: has voxels of 0\.6 × 0\.6 × 0\.6 mm, but a\.csv has voxels of 0\.5"
    )
    patient = write_landmarks(tmp_path / "d.csv", shifted(nose=[0.1, 0, 0]), voxel=0.5)
    refused(a, patient, says="from a voxel size given by hand")
