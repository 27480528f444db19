"""Scans whose voxel size the user gives: the order of their slices, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.numbered_slices import (
    COUNT,
    CT,
    SECONDARY_CAPTURE,
    Change,
    order_of,
    write_slices,
)
from pydicom.dataset import Dataset

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.given_voxel import GivenVoxel, Order, arrangement
from sidecar.dicom.stacks.series import Series, find_series
from sidecar.grid.stack import given_stack

IN_ORDER = list(range(COUNT))
VOXEL = (0.03, 0.02, 0.05)


def stack_of(folder: Path, order: Order | None = None) -> Series:
    """The only stack in a folder, by a voxel size that was given."""
    found = scan(folder)
    assert not found.damaged
    (series,) = find_series(found.frames, arrangement(GivenVoxel(VOXEL, order)))
    return series


def without(*keywords: str) -> Change:
    def change(dataset: Dataset, k: int) -> None:
        for keyword in keywords:
            if keyword in dataset:
                delattr(dataset, keyword)

    return change


def told(series: Series) -> str:
    assert series.problem is None, series.problem
    return "\n".join(series.warnings)


# --- millimetres ---

edges = st.floats(1e-4, 1e3)


@given(
    voxel=st.tuples(edges, edges, edges),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(2, 50)),
    index=st.lists(
        st.tuples(*[st.floats(-10, 60)] * 3), min_size=1, max_size=5
    ),
)  # fmt: skip
def test_millimetres_are_index_times_voxel(
    voxel: tuple[float, float, float], size: tuple[int, int, int], index: list[Any]
) -> None:
    stack = given_stack(size, voxel)
    mm = stack.to_patient(index)
    np.testing.assert_allclose(mm, np.array(index) * voxel, rtol=1e-9, atol=1e-9 * max(voxel))
    np.testing.assert_allclose(stack.to_index(mm), index, rtol=1e-6, atol=1e-6)
    assert stack.affine_is_exact and stack.geometry == "given"


# --- which order ---


def reversed_names(folder: Path, change: Change = lambda dataset, k: None, kind: str = CT) -> Path:
    """Slices whose names count down while Instance Number counts up."""
    for k in range(COUNT):
        name = f"slice_{COUNT - k:04d}.dcm"
        write_slices(folder, change, kind, range(k, k + 1), name.replace("{", "{{"))
    return folder


def test_positions_order_slices_where_nothing_is_asked(tmp_path: Path) -> None:
    series = stack_of(reversed_names(tmp_path / "scan"))
    assert order_of(tmp_path / "scan", series) == IN_ORDER
    assert "in the order of Image Position (Patient)" in told(series)


@pytest.mark.parametrize(
    ("order", "found"), [("number", IN_ORDER), ("name", IN_ORDER[::-1]), (None, IN_ORDER)]
)
def test_slices_go_as_asked_and_by_number_otherwise(
    order: Order | None, found: list[int], tmp_path: Path
) -> None:
    folder = reversed_names(tmp_path / "scan", kind=SECONDARY_CAPTURE)
    series = stack_of(folder, order)
    assert order_of(folder, series) == found
    what = "file names" if order == "name" else "InstanceNumber"
    assert f"in the {'natural ' * (order == 'name')}order of {what}" in told(series)


def test_an_order_against_the_positions_is_remarked_upon(tmp_path: Path) -> None:
    folder = reversed_names(tmp_path / "scan")
    assert "the stack is a mirror image" in told(stack_of(folder, "name"))
    assert "the stack is a mirror image" not in told(stack_of(folder, "number"))


def test_numbers_that_run_against_the_positions_are_turned_round(tmp_path: Path) -> None:
    """Positions that were rounded order no slices, and still tell which way they run."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.InstanceNumber = COUNT - k
        dataset.ImagePositionPatient = [0, 0, float(k // 3)]

    folder = write_slices(tmp_path / "scan", change)
    series = stack_of(folder)
    assert order_of(folder, series) == IN_ORDER
    assert (
        "in the order of InstanceNumber, reversed because Image Position (Patient) runs backwards"
        in told(series)
    )


def zigzag(dataset: Dataset, k: int) -> None:
    without("ImagePositionPatient", "ImageOrientationPatient")(dataset, k)
    dataset.SliceLocation = float(k % 4)


def test_places_that_go_back_and_forth_need_an_order(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan", zigzag)
    problem = stack_of(folder).problem
    assert problem is not None
    said = "Slice Location goes back and forth in this order, first at slice 4 (0-based, slice_0005"
    assert said in problem and "--order name or --order number" in problem
    assert said in told(stack_of(folder, "number"))


def test_positions_without_an_orientation_are_held_against_the_order(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        del dataset.ImageOrientationPatient
        dataset.ImagePositionPatient = [0, float((5 * k) % COUNT), 0]

    folder = write_slices(tmp_path / "scan", change)
    assert "one axis of Image Position (Patient) goes back and forth" in str(
        stack_of(folder).problem
    )


@pytest.mark.parametrize(
    ("order", "change", "name", "says"),
    [
        (
            "number",
            without("InstanceNumber"),
            "slice_{:04d}.dcm",
            "InstanceNumber is absent in all",
        ),
        (
            "number",
            lambda dataset, k: setattr(dataset, "InstanceNumber", 7),
            "slice_{:04d}.dcm",
            "InstanceNumber 7 is in 12 files",
        ),
        ("name", without(), "1.2.826.0.1.3680043.8.498.3.{}", "the file names are UIDs"),
    ],
)
def test_an_order_that_orders_nothing_is_refused(
    order: Order, change: Change, name: str, says: str, tmp_path: Path
) -> None:
    problem = stack_of(write_slices(tmp_path / "scan", change, name=name), order).problem
    assert problem is not None
    assert problem.startswith(f"--order {order} does not order these slices (12 files")
    assert says in problem


def test_natural_order_counts(tmp_path: Path) -> None:
    folder = write_slices(
        tmp_path / "scan", without("InstanceNumber"), SECONDARY_CAPTURE, name="s{}.dcm"
    )
    assert order_of(folder, stack_of(folder, "name")) == IN_ORDER


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    folder = write_slices(tmp_path_factory.mktemp("template"), numbers=range(1))
    return scan(folder).frames[0]


@settings(max_examples=50, deadline=None)
@given(numbers=st.permutations(range(COUNT)) | st.just(IN_ORDER) | st.just(IN_ORDER[::-1]))
def test_any_numbers_order_slices_or_say_what_speaks_against_it(
    template: Frame, numbers: list[int]
) -> None:
    """Positions are rounded, so that they order nothing."""
    frames = [
        replace(
            template,
            file=f"slice_{k:04d}.dcm",
            sop_instance_uid=f"1.2.{k + 1}",
            instance_number=number,
            position=(0.0, 0.0, float(k // 4)),
        )
        for k, number in enumerate(numbers)
    ]
    (series,) = find_series(frames, arrangement(GivenVoxel(VOXEL)))
    heights = [0 if f.position is None else f.position[2] for f in series.frames]
    if series.problem is None:
        assert heights == sorted(heights)
    else:
        assert "goes back and forth" in series.problem


# --- what is said ---


def test_what_headers_say_of_places_is_told_and_not_used(tmp_path: Path) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.PixelSpacing = [20, 20]
        dataset.SliceLocation = float(k)

    series = stack_of(write_slices(tmp_path / "scan", change))
    said = told(series)
    assert "given by hand: 0.03 × 0.02 × 0.05 mm between columns, rows and slices" in said
    assert "are not used: Image Position (Patient) 0\\0\\0" in said
    assert "Pixel Spacing 20\\20" in said and "Slice Location 0 to 11" in said
    assert series.stack is not None and series.stack.pixel_spacing == (0.02, 0.03)


def test_a_voxel_in_two_units_is_remarked_upon(tmp_path: Path) -> None:
    found = scan(write_slices(tmp_path / "scan")).frames
    (series,) = find_series(found, arrangement(GivenVoxel((0.012, 0.012, 12.0))))
    assert "are all three numbers in mm?" in told(series)
