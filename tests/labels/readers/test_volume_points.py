"""Tools that see the PNG stack as a volume: which spacing their coordinates have."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.label_truth import LANDMARKS, STACK

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions
from sidecar.labels.readers.volume_points import Vertex, VolumeFile, readers

Spacing = tuple[float, float, float]
PATH = Path("points.txt")


def read(
    points: list[Spacing],
    stack: PngStack,
    variant: int = 0,
    origin: PixelOrigin | None = None,
    path: Path = PATH,
) -> Labels:
    vertices = [Vertex("point", xyz, f"line {n}") for n, xyz in enumerate(points, 1)]
    reader = readers("tool", "a tool", lambda path, head: True, lambda path: VolumeFile(vertices))[
        variant
    ]
    return reader.read(path, stack, ReadOptions(origin))


def stack_of(spacing: Spacing | None) -> PngStack:
    return replace(STACK, spacing=spacing)


def voxels(spacing: Spacing = (1, 1, 1)) -> list[Spacing]:
    a, b, c = spacing
    return [(m.x * a, m.y * b, m.slice * c) for m in LANDMARKS]


@pytest.mark.parametrize(
    "spacing", [None, (1.0, 1.0, 1.0), (0.02, 0.02, 0.04), (2.0, 2.0, 3.0), (0.8, 0.8, 2.0)]
)
def test_points_all_over_the_stack_are_voxel_numbers_without_a_question(
    spacing: Spacing | None,
) -> None:
    labels = read(voxels(), stack_of(spacing))
    assert labels.xy.tolist() == [[m.x, m.y] for m in LANDMARKS]
    assert labels.slice.tolist() == [m.slice for m in LANDMARKS]
    assert any("spacing of 1" in note for note in labels.notes)


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 3.0), (1.4, 1.4, 1.4)])
def test_points_that_only_fit_as_millimetres_are_refused_with_both_ways_out(
    spacing: Spacing,
) -> None:
    with pytest.raises(
        LabelError, match=r"points\.txt: .*only as millimetres.*--from tool-pixels.*--from tool-mm"
    ):
        read(voxels(spacing), stack_of(spacing))


@pytest.mark.parametrize("spacing", [(0.02, 0.02, 0.04), (0.5, 0.5, 0.5)])
def test_points_in_millimetres_of_a_fine_stack_would_be_voxels_in_its_corner_and_are_refused(
    spacing: Spacing,
) -> None:
    """The trap: they fit as voxel numbers too, and would come back in the wrong place without a
    word.
    """
    with pytest.raises(
        LabelError,
        match=r"both as voxel numbers and as millimetres.*--from tool-pixels.*--from tool-mm",
    ):
        read(voxels(spacing), stack_of(spacing))


def test_points_near_the_first_voxel_of_a_coarse_stack_are_voxel_numbers() -> None:
    """A stack larger in millimetres than in voxels: keeping within the smaller of the two is what
    voxel numbers do.
    """
    assert read([(3.0, 4.0, 1.0)], stack_of((2.0, 2.0, 2.0))).xy.tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize("spacing", [(0.02, 0.02, 0.04), (2.0, 2.0, 3.0)])
def test_the_user_can_say_it(spacing: Spacing) -> None:
    millimetres = read(voxels(spacing), stack_of(spacing), 2)
    np.testing.assert_allclose(millimetres.xy, [(m.x, m.y) for m in LANDMARKS], rtol=0, atol=1e-9)
    np.testing.assert_allclose(millimetres.slice, [m.slice for m in LANDMARKS], rtol=0, atol=1e-9)
    assert any("mm, the spacing of the PNG stack" in note for note in millimetres.notes)
    assert read(voxels(spacing), stack_of(spacing), 1).xy.tolist() == [
        [x, y] for x, y, _ in voxels(spacing)
    ]


def test_millimetres_need_a_spacing() -> None:
    with pytest.raises(LabelError, match="no spacing in millimetres"):
        read(voxels(), stack_of(None), 2)


@pytest.mark.parametrize(
    "point", [(-1.0, 3.0, 3.0), (3.0, 151.0, 3.0), (3.0, 3.0, 12.0), (-53.4, -73.3, 1204.0)]
)
def test_points_outside_are_no_labels_of_this_stack(point: Spacing) -> None:
    with pytest.raises(
        LabelError,
        match=(
            r"points\.txt, line 8: lies outside the PNG stack.*patient millimetres.*`sidecar"
            r" project`"
        ),
    ):
        read([*voxels(), point], STACK)
    assert (
        len(read([*voxels(), point], STACK, 1)) == len(LANDMARKS) + 1
    )  # said outright: mapping tells what lies outside


def test_the_outer_half_pixel_belongs_to_the_stack() -> None:
    assert (
        len(read([*voxels(), (-0.5, -0.5, -0.5), (202.5, 150.5, 11.5)], STACK))
        == len(LANDMARKS) + 2
    )


def test_only_one_of_the_three_recognises() -> None:
    made = readers("tool", "a tool", lambda path, head: True, lambda path: VolumeFile([]))
    assert [reader.name for reader in made] == ["tool", "tool-pixels", "tool-mm"]
    assert [reader.recognises(PATH, b"") for reader in made] == [True, False, False]


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_a_file_named_after_another_png_than_the_first_is_refused(variant: int) -> None:
    """A program with one PNG open names it after that, and its points lie on slice 0."""
    stack = stack_of((1.0, 1.0, 1.0))
    with pytest.raises(LabelError, match=r"is that of slice_0003\.png, which is not the first PNG"):
        read(voxels(), stack, variant, path=Path("slice_0003 markups.mrk.json"))
    with pytest.raises(LabelError, match=r"is that of slice_0000_bcdfgh, a PNG of another export"):
        read(voxels(), stack, variant, path=Path("slice_0000_bcdfgh.mrk.json"))
    assert len(read(voxels(), stack, variant, path=Path("slice_0000.mrk.json"))) == len(LANDMARKS)


def test_no_points_are_no_labels() -> None:
    assert len(read([], STACK)) == 0


@given(
    spacing=st.tuples(*[st.floats(0.01, 3.0)] * 3),
    points=st.lists(
        st.tuples(st.floats(0, 202), st.floats(0, 150), st.floats(0, 11)), min_size=1, max_size=5
    ),
    in_mm=st.booleans(),
)
def test_a_reading_that_is_given_is_never_the_wrong_one_unless_the_points_cannot_tell(
    spacing: Spacing, points: list[Spacing], in_mm: bool
) -> None:
    """Whatever the truth is, the reader either gives it back, or refuses, or had points that fit
    the coarser stack both ways.
    """
    written = (
        [tuple(v * s for v, s in zip(p, spacing, strict=True)) for p in points] if in_mm else points
    )
    try:
        labels = read(written, stack_of(spacing))
    except LabelError:
        return
    if not in_mm:
        assert labels.xy.tolist() == [[x, y] for x, y, _ in points]
    else:  # taken as voxel numbers although they were millimetres: only ever where the stack is coarser than 1 mm on all axes
        assert (
            min(spacing) >= 1.0
            or math.isclose(min(spacing), 1.0)
            or np.allclose(spacing, 1.0, rtol=1e-5)
        )
