"""What functions return: short to look at, plain to compare, refused where it is the wrong shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import sidecar
from sidecar.grid.points import as_points


def values() -> dict[str, Callable[[], Any]]:
    """Everything that a user meets, by where it is from."""
    png = sidecar.open("png")
    points = sidecar.map_points("png/labels.csv", png)
    mapping = sidecar.map_file("png/labels.csv", png)
    inspection = sidecar.inspect("scan")
    return {
        "inspect": lambda: inspection,
        "found": lambda: inspection.found[0],
        "open": lambda: png,
        "document": lambda: png.document,
        "source": lambda: png.document.source,
        "images": lambda: png.document.images,
        "stack": lambda: png.stack,
        "decimation": lambda: png.decimation,
        "known scan": lambda: png.known_scan,
        "pixels": lambda: png.read(),
        "instances": lambda: png.instances(points.source),
        "map_points": lambda: points,
        "map_file": lambda: mapping,
        "labels": lambda: mapping.labels,
        "mapped points": lambda: mapping.points,
        "export": lambda: mapping.export,
        "project": lambda: sidecar.project("mapped.csv", png),
        "measure": lambda: sidecar.measure("mapped.csv")[0],
        "align": lambda: sidecar.align("mapped.csv", frame=("bregma", "lambda", "nasion")),
        "check": lambda: sidecar.check("png")[0],
        "map_mask": lambda: sidecar.map_mask("masks", "b.seg.nrrd", png),
        "view": lambda: sidecar.view("png"),
    }


def test_every_value_is_short_to_look_at(work: Path) -> None:
    lengths = {name: len(repr(make())) for name, make in values().items()}
    assert {name: n for name, n in lengths.items() if n > 1200} == {}
    plain = {"source", "images", "decimation"}  # models and numbers
    assert {name: n for name, n in lengths.items() if n > 300 and name not in plain} == {}


def test_no_value_tells_where_on_this_machine_it_is(work: Path) -> None:
    for name, make in values().items():
        if name != "view":  # a place is what it is
            assert str(work.parent) not in repr(make()), name


def test_every_value_is_hashable_or_plainly_not(work: Path) -> None:
    """And can be compared with itself, where arrays within would refuse."""
    for name, make in values().items():
        value = make()
        assert (value == value) is True, name
        assert value != object(), name
        try:
            hash(value)
        except TypeError as error:
            assert "unhashable type" in str(error), name


def test_mappings_of_one_document_are_one_key(work: Path) -> None:
    png, again = sidecar.open("png"), sidecar.open("png")
    other = sidecar.export("scan", "other", scale=0.25)
    assert png == again and hash(png) == hash(again) and png != other
    assert {png: 1}[sidecar.Sidecar.of(again.document)] == 1


WRONG: dict[str, Callable[[sidecar.Sidecar], object]] = {
    "three numbers for each pixel": lambda png: png.to_source(np.zeros((2, 3)), 0),
    "rows and columns exchanged": lambda png: png.to_patient(np.zeros((2, 5)), 0),
    "a flat list of four": lambda png: png.to_source([1, 2, 3, 4], 0),
    "a stack of lists": lambda png: png.to_source(np.zeros((2, 2, 2)), 0),
    "the rows have different lengths": lambda png: png.to_source([[1, 2], [3]], 0),
    "words": lambda png: png.to_source([["a", "b"]], 0),
    "a slice too many": lambda png: png.to_source([[1, 2], [3, 4]], [0, 1, 2]),
    "one slice in a list for two points": lambda png: png.to_source([[1, 2], [3, 4]], [[0], [1]]),
    "two numbers of a place": lambda png: png.from_patient(np.zeros((3, 2))),
    "two numbers of a voxel": lambda png: png.from_source(np.zeros((3, 2))),
    "pixels for voxels": lambda png: png.instances(np.zeros((3, 2))),
    "of uncertainty": lambda png: png.uncertainty_mm(np.zeros((3, 2))),
    "of what is within": lambda png: png.contains(np.zeros((3, 3)), 0),
    "of the stack": lambda png: png.stack.to_patient(np.zeros((2, 2))),  # type: ignore[union-attr]
    "of the decimation": lambda png: png.decimation.to_pixel(np.zeros((3, 2))),
}


@pytest.mark.parametrize("fault", WRONG)
def test_arrays_of_a_wrong_shape_are_refused(fault: str, library_folder: Path) -> None:
    """Two points of three numbers were three points of two once."""
    with pytest.raises(sidecar.UsageError):
        WRONG[fault](sidecar.open(library_folder / "png"))


@given(arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, min_side=0, max_side=4)), st.integers(1, 3))  # fmt: skip
def test_what_is_taken_as_points_are_the_points_that_were_given(values: Any, width: int) -> None:
    what = ", ".join("xyz"[:width])
    try:
        points = as_points(values, what)
    except sidecar.UsageError:
        assert values.shape not in ((0,), (width,)) and values.shape[1:] != (width,)
        return
    assert points.shape[1] == width and points.size == values.size
    np.testing.assert_array_equal(points.ravel(), values.ravel())
