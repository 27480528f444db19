"""Aligned specimens in files: what other programs read there, and what is refused before anything
is written.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from kit.command_line import CommandLine
from kit.landmark_tables import write_landmarks
from scipy.spatial.transform import Rotation

import sidecar
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS

SKULL = {
    "nose": [0.0, -40.0, 5.0],
    "left ear": [22.0, 8.0, 0.0],
    "right ear": [-21.0, 9.0, 1.0],
    "occiput": [1.0, 30.0, 12.0],
    "chin": [2.0, -33.0, -20.0],
}
TURN = Rotation.from_euler("xyz", [20, -35, 70], degrees=True).as_matrix()
SHIFT = np.array([15.0, -80.0, 230.0])


def elsewhere(scale: float = 1.0, **moved: list[float]) -> dict[str, np.ndarray]:
    """The skull turned, scaled and shifted, after some landmarks were moved."""
    by = {name.replace("_", " "): shift for name, shift in moved.items()}
    return {
        name: scale * TURN @ np.add(place, by.get(name, 0.0)) + SHIFT
        for name, place in SKULL.items()
    }


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A skull, and the same elsewhere with its nose 0.5 mm longer."""
    a = write_landmarks(tmp_path / "a.csv", SKULL, scan="1.1")
    return a, write_landmarks(tmp_path / "b.csv", elsewhere(nose=[0, -0.5, 0]), scan="1.2")


# --- one specimen


def test_the_itk_file_resamples_and_is_the_inverse_of_the_matrix(
    two: tuple[Path, Path], tmp_path: Path, run: CommandLine
) -> None:
    """SimpleITK reads it as from the fixed specimen to the moving one."""
    run.done(
        "align", two[1], "--onto", two[0], "--matrix", tmp_path / "m.tfm", "-o", tmp_path / "o.csv"
    )
    transform = sitk.ReadTransform(str(tmp_path / "m.tfm"))
    aligned = sidecar.align(two[1], onto=two[0])
    for place, source in zip(aligned.mm, elsewhere(nose=[0, -0.5, 0]).values(), strict=True):
        np.testing.assert_allclose(transform.TransformPoint(place.tolist()), source, atol=1e-9)


def test_the_itk_file_lays_an_image_over_the_other_specimen(tmp_path: Path) -> None:
    """A bright spot at a landmark of the moving scan is there in the resampled one where the fixed
    one has it.
    """
    a = write_landmarks(tmp_path / "a.csv", SKULL, scan="1.1")
    b = write_landmarks(tmp_path / "b.csv", elsewhere(), scan="1.2")
    sidecar.align(b, onto=a).write_matrix(tmp_path / "m.tfm")
    moving = sitk.Image([96, 96, 96], sitk.sitkFloat32)
    origin = SHIFT - 48
    moving.SetOrigin(origin.tolist())
    spot = elsewhere()["chin"]
    grid = np.stack(np.meshgrid(*[np.arange(96)] * 3, indexing="ij"), axis=-1) + origin
    bright = np.exp(-((grid - spot) ** 2).sum(axis=-1) / 18).transpose(2, 1, 0)
    image = sitk.GetImageFromArray(bright.astype(np.float32))
    image.CopyInformation(moving)
    fixed = sitk.Image([96, 96, 96], sitk.sitkFloat32)
    fixed.SetOrigin([-48.0, -48.0, -48.0])
    seen = sitk.GetArrayFromImage(
        sitk.Resample(image, fixed, sitk.ReadTransform(str(tmp_path / "m.tfm")))
    )
    at = np.array(np.unravel_index(seen.argmax(), seen.shape))[::-1] - 48
    assert np.abs(at - SKULL["chin"]).max() <= 1


def test_text_and_json_hold_the_same_matrix(
    two: tuple[Path, Path], tmp_path: Path, run: CommandLine
) -> None:
    for name in ("m.txt", "m.json"):
        run.done(
            "align", two[1], "--onto", two[0], "--matrix", tmp_path / name, "-o", tmp_path / "o.csv"
        )
    document = json.loads((tmp_path / "m.json").read_text())
    expected = sidecar.align(two[1], onto=two[0]).matrix
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "m.txt"), expected)
    np.testing.assert_array_equal(document["matrix"], expected)
    assert (document["units"], document["from"]) == ("mm", "mm of the scan (LPS)")
    assert document["to"] == "mm of the scan (LPS) of a.csv"


def test_residuals_are_those_that_are_told(
    two: tuple[Path, Path], tmp_path: Path, run: CommandLine
) -> None:
    done = run.done(
        "align",
        two[1],
        "--onto",
        two[0],
        "--residuals",
        tmp_path / "r.csv",
        "-o",
        tmp_path / "o.csv",
    )
    table = rows(tmp_path / "r.csv")
    assert [row["landmark"] for row in table] == list(SKULL)
    for row in table:
        assert f"  {row['landmark']}: residual {float(row['residual_mm']):.4g} mm" in done.err
    assert " left" not in done.err.replace("left ear", "")
    aligned = np.array(
        [[float(row[f"{axis}_aligned"]) for axis in "xyz"] for row in rows(tmp_path / "o.csv")]
    )
    distances = np.linalg.norm(aligned - np.array([*SKULL.values()]), axis=1)
    np.testing.assert_allclose(distances, [float(row["residual_mm"]) for row in table])


def test_landmarks_go_to_every_format_that_is_not_of_a_scan(
    two: tuple[Path, Path], tmp_path: Path, run: CommandLine
) -> None:
    expected = sidecar.align(two[1], onto=two[0]).mm
    for name, writer in WRITERS.items():
        target = tmp_path / f"out{writer.endings[0]}"
        command = ("align", two[1], "--onto", two[0], "-o", target)
        if writer.write_landmarks is None:
            run.refuses(*command, code=2, says=f"{name} states places in a scan")
            continue
        run.done(*command)
        text = target.read_text(encoding="utf-8")
        for number in expected.ravel():
            assert f"{number:.6f}"[:-1] in text, name
    for name in SOURCE_WRITERS:
        run.refuses(
            "align", two[1], "--onto", two[0], "--to", name, code=2, says=f"{name} states places"
        )
    points = json.loads((tmp_path / "out.mrk.json").read_text())["markups"][0]
    assert points["coordinateSystem"] == "LPS"
    assert [one["label"] for one in points["controlPoints"]] == list(SKULL)
    assert "mm of the scan (LPS) of a.csv" in (tmp_path / "out.tps").read_text()


def test_nothing_is_written_where_anything_is_refused(
    two: tuple[Path, Path], tmp_path: Path, run: CommandLine
) -> None:
    b, a = two[1], two[0]
    out = tmp_path / "out.csv"
    run.refuses(
        "align",
        b,
        "--onto",
        a,
        "-o",
        out,
        "--matrix",
        tmp_path / "m.mat",
        code=2,
        says="m.mat: a matrix is written as .tfm",
    )
    run.refuses(
        "align", b, "--onto", a, "-o", out, "--matrix", out, code=2, says="are the same file"
    )
    run.refuses("align", b, "--onto", a, "-o", a, code=2, says="would overwrite an input")
    run.refuses(
        "align",
        b,
        "--onto",
        a,
        "-o",
        out,
        "--matrix",
        a,
        code=2,
        says="a.csv: a matrix is written as",
    )
    run.refuses(
        "align",
        b,
        "--frame",
        "nose;chin;left ear",
        "-o",
        out,
        "--residuals",
        tmp_path / "r",
        code=2,
        says="a frame has no residuals",
    )
    run.refuses(
        "align",
        b,
        "--frame",
        "nose;chin;left ear",
        "--mirror",
        code=2,
        says="--mirror goes only with",
    )
    run.refuses("align", b, a, "--onto", a, code=2, says="all together with --group")
    run.refuses("align", b, "--onto", a, "--group", code=2, says="give one of --onto FIXED")


def test_a_voxel_size_by_hand_claims_no_place_in_the_patient(
    tmp_path: Path, run: CommandLine
) -> None:
    a = write_landmarks(tmp_path / "a.csv", SKULL, space="given")
    out = tmp_path / "o"
    for name in ("o.mrk.json", "o.fcsv"):
        run.refuses(
            "align",
            a,
            "--onto",
            a,
            "-o",
            out.with_name(name),
            code=2,
            says="says where things are in the patient",
        )
    run.refuses(
        "align",
        a,
        "--onto",
        a,
        "-o",
        tmp_path / "o.tps",
        "--matrix",
        tmp_path / "m.tfm",
        code=2,
        says="write the matrix as .txt or .json",
    )
    run.done("align", a, "--onto", a, "-o", tmp_path / "o.tps", "--matrix", tmp_path / "m.json")
    assert "along columns, rows and slices of a.csv" in (tmp_path / "o.tps").read_text()


def test_a_mirror_image_is_taken_only_where_that_is_asked_for(
    tmp_path: Path, run: CommandLine
) -> None:
    mirrored = {name: place * [1, 1, -1] for name, place in elsewhere().items()}
    a = write_landmarks(tmp_path / "a.csv", SKULL)
    b = write_landmarks(tmp_path / "b.csv", mirrored)
    run.refuses("align", b, "--onto", a, says=("fit as a mirror image", "add --mirror"))
    done = run.done("align", b, "--onto", a, "--mirror", "-o", tmp_path / "o.csv")
    assert "note: the specimen was mirrored, because its mirror image fits much better" in done.err
    found = sidecar.align(b, onto=a, mirror=True)
    np.testing.assert_allclose(found.mm, [*SKULL.values()], atol=1e-9)
    assert np.linalg.det(found.matrix[:3, :3]) == pytest.approx(-1)
    assert found.fit is not None and found.fit.is_mirrored
    with pytest.raises(sidecar.LabelError, match="add mirror=True"):
        sidecar.align(b, onto=a)


# --- groups


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [
        write_landmarks(tmp_path / "a.csv", SKULL, scan="1.1"),
        write_landmarks(tmp_path / "b.csv", elsewhere(nose=[0, -0.6, 0]), scan="1.2"),
        write_landmarks(tmp_path / "c.csv", elsewhere(2.0, nose=[0, 0.3, 0]), scan="1.3"),
    ]


def test_a_group_is_written_whole_and_its_tables_agree(
    three: list[Path], tmp_path: Path, run: CommandLine
) -> None:
    out = tmp_path / "group"
    done = run.done("align", "--group", *three, "--similarity", "-o", out)
    assert "3 specimens superimposed by 5 landmarks" in done.err
    assert sorted(path.name for path in out.iterdir()) == [
        "aligned_a.csv", "aligned_b.csv", "aligned_c.csv", "mean.csv", "residuals.csv", "specimens.csv",
    ]  # fmt: skip
    mean = {
        row["label"]: np.array([float(row[f"{axis}_mm"]) for axis in "xyz"])
        for row in rows(out / "mean.csv")
    }
    specimens = {row["specimen"]: row for row in rows(out / "specimens.csv")}
    residuals = {
        (row["specimen"], row["landmark"]): float(row["residual_mm"])
        for row in rows(out / "residuals.csv")
    }
    for name in "abc":
        own = [residuals[name, landmark] for landmark in SKULL]
        assert float(specimens[name]["rms_residual_mm"]) == pytest.approx(
            np.sqrt(np.mean(np.square(own)))
        )
        for row in rows(out / f"aligned_{name}.csv"):
            place = [float(row[f"{axis}_aligned"]) for axis in "xyz"]
            distance = np.linalg.norm(place - mean[row["label"]])
            assert distance == pytest.approx(residuals[name, row["label"]], abs=1e-9)
            assert row["sop_instance_uid"]
    sizes = {name: float(row["centroid_size_mm"]) for name, row in specimens.items()}
    skull = np.array([*SKULL.values()])
    assert sizes["a"] == pytest.approx(np.sqrt(((skull - skull.mean(axis=0)) ** 2).sum()))
    assert sizes["c"] / sizes["a"] == pytest.approx(2, rel=0.02)
    assert float(specimens["c"]["scale"]) * sizes["c"] == pytest.approx(
        float(specimens["a"]["scale"]) * sizes["a"], rel=1e-3
    )
    run.refuses("align", "--group", *three, "-o", out, says="group is there already")


def test_without_scale_sizes_stay(three: list[Path], tmp_path: Path) -> None:
    found = sidecar.align_group(three)
    assert np.linalg.norm(found.mm, axis=(1, 2)) == pytest.approx(found.centroid_size_mm)


def test_a_group_in_the_format_of_a_tool(
    three: list[Path], tmp_path: Path, run: CommandLine
) -> None:
    run.done("align", "--group", *three, "--to", "tps", "-o", tmp_path / "group")
    assert "LM3=5" in (tmp_path / "group" / "mean.tps").read_text()
    assert "ID=b" in (tmp_path / "group" / "aligned_b.tps").read_text()
    run.refuses(
        "align",
        "--group",
        *three,
        "--to",
        "imagej",
        "-o",
        tmp_path / "x",
        code=2,
        says="imagej states places",
    )
    run.refuses("align", "--group", *three, code=2, says="name it with -o FOLDER")


def test_missing_landmarks_are_refused_by_name_or_left_out_on_request(
    three: list[Path], tmp_path: Path, run: CommandLine
) -> None:
    few = {name: place for name, place in elsewhere().items() if name != "chin"}
    write_landmarks(three[1], few, scan="1.2")
    out = tmp_path / "group"
    run.refuses("align", "--group", *three, "-o", out, says=("'chin' (not in 'b')", "--common"))
    done = run.done("align", "--group", *three, "--common", "-o", out)
    assert (
        "landmarks that some specimens lack were not used for the superimposition: 'chin' (not in 'b')"
        in done.err
    )
    assert {row["label"] for row in rows(out / "mean.csv")} == {*SKULL} - {"chin"}
    assert {row["label"] for row in rows(out / "aligned_a.csv")} == {*SKULL}


def test_specimens_are_told_apart_by_column_or_by_file(tmp_path: Path, run: CommandLine) -> None:
    one = write_landmarks(tmp_path / "one.csv", SKULL, more={"specimen": "beetle-7"})
    two = write_landmarks(tmp_path / "two.csv", elsewhere(), more={"specimen": "beetle-8"})
    both = tmp_path / "both.csv"
    both.write_text(one.read_text() + two.read_text().partition("\n")[2])
    assert sidecar.align_group([both]).specimens == ("beetle-7", "beetle-8")
    run.refuses(
        "align",
        "--group",
        one,
        both,
        "-o",
        tmp_path / "g",
        says="is of specimen 'beetle-7', and so is one.csv",
    )
    hostile = write_landmarks(tmp_path / "h.csv", elsewhere(), more={"specimen": "../../up"})
    run.refuses(
        "align",
        "--group",
        one,
        hostile,
        "-o",
        tmp_path / "g",
        code=2,
        says="this cannot be the name of a file",
    )
