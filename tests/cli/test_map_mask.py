"""`sidecar map-mask` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from kit.command_line import CommandLine
from kit.exports import png_names
from kit.painted_masks import Case, Exported, expanded, exported, paint
from kit.phantoms import Spec
from numpy.typing import NDArray
from PIL import Image

CASE = Case(
    "small",
    Spec(columns=60, rows=40, slices=6, markers=False),
    {"scale": 0.5, "z_step": 2},
    (0, 0, 0),
    (2, 2, 2),
)


@pytest.fixture
def scan(tmp_path: Path) -> Exported:
    return exported(CASE, tmp_path)


@pytest.fixture
def labels() -> NDArray[np.uint8]:
    stack = np.zeros((3, 20, 30), np.uint8)
    stack[:, 4:15, 6:20] = 1
    return stack


def test_a_folder_of_masks_beside_the_export(
    run: CommandLine, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The sidecar is found around the masks, and what is written is told beforehand."""
    masks = paint(scan.png / "masks", labels, scan.sidecar, leave_out=(2,))
    labels[2] = 0
    outcome = run.done("map-mask", masks, "-o", tmp_path / "out.seg.nrrd")
    assert outcome.out == ""
    assert "masks: label 1 from label PNGs" in outcome.err
    assert "slices without a mask PNG were taken as empty: 1 of 3" in outcome.err
    assert "60 × 40 × 6 voxels" in outcome.err
    back = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "out.seg.nrrd"))
    np.testing.assert_array_equal(back, expanded(labels, (6, 40, 60), CASE))


def test_every_output_by_its_ending(
    run: CommandLine, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    for name, options in {
        "a.dcm": ("--dicom", scan.scan),
        "b.dcm": ("--dicom", scan.scan, "--to", "dicom-rtstruct"),
        "c.nii.gz": ("--fill", "none"),
        "d.nrrd": ("--grid", "png"),
        "e": (),
    }.items():
        outcome = run.done(
            "map-mask", masks, "--sidecar", scan.png, "-o", tmp_path / name, "-q", *options
        )
        assert (tmp_path / name).exists()
        assert outcome.err == ""


def test_who_asks_for_dicom_is_told_that_it_names_the_patient(
    run: CommandLine, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    outcome = run.done(
        "map-mask", masks, "--sidecar", scan.png, "-o", tmp_path / "a.dcm", "--dicom", scan.scan
    )
    assert "names the patient" in outcome.err
    assert "were given the code Tissue" in outcome.err


def test_sizes_of_segments_as_a_table_and_in_words(
    run: CommandLine, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    asked = ("map-mask", masks, "--sidecar", scan.png, "-o", tmp_path / "a.nrrd", "--statistics", tmp_path / "sizes.csv")  # fmt: skip
    outcome = run.done(*asked)
    assert outcome.out == ""
    assert "label 1: 3,696 voxels, " in outcome.err
    assert " mm³, from " in outcome.err
    assert (tmp_path / "sizes.csv").read_text().splitlines()[1].startswith("label 1,1,3696,")
    assert run.done(*asked, "-q").err == ""


def test_refusals_leave_everything_as_it_was(
    run: CommandLine, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    run.refuses(
        "map-mask",
        masks,
        "-o",
        tmp_path / "a.nrrd",
        says=("no sidecar.json beside masks", "--sidecar"),
    )
    run.refuses(
        "map-mask", masks, "--sidecar", scan.png, "-o", tmp_path / "a.dcm", code=2, says="--dicom"
    )
    run.refuses(
        "map-mask", masks, "--sidecar", scan.png, "-o", tmp_path / "a.xyz", code=2, says="--to"
    )
    run.refuses(
        "map-mask",
        tmp_path / "none",
        "--sidecar",
        scan.png,
        "-o",
        tmp_path / "a.nrrd",
        says="none: there is no such file",
    )
    run.refuses("map-mask", scan.png, "-o", tmp_path / "a.nrrd", says="exported PNGs, not masks")
    run.refuses(
        "map-mask",
        masks,
        "--sidecar",
        scan.png,
        "-o",
        tmp_path / "a.nrrd",
        "--pixel-origin",
        "corner",
        code=2,
        says="outlines",
    )
    short = png_names(scan.png)[1]
    Image.fromarray(labels[0][:10]).save(masks / short)
    run.refuses(
        "map-mask",
        masks,
        "--sidecar",
        scan.png,
        "-o",
        tmp_path / "a.nrrd",
        says=(short, "30 × 10", "30 × 20"),
    )
