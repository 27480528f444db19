"""The cases from the field: whole and in order, or refused with the words that are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kit.numbered_slices import order_of, stacks, unusable

from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.given_voxel import GivenVoxel, arrangement
from sidecar.dicom.stacks.joining import joined
from sidecar.dicom.stacks.series import choose, find_series
from sidecar.errors import AmbiguousSeriesError, GeometryError

IN_ORDER = list(range(12))
#: Cases that are one stack: the slices in their order, and words of its warnings.
WHOLE: dict[str, tuple[list[int], tuple[str, ...]]] = {
    "01_sc_no_instance_number": (IN_ORDER, ("natural order of file names", "InstanceNumber is")),
    "02_sc_one_sop_uid": (IN_ORDER, ("same SOPInstanceUID",)),
    "02b_ct_one_sop_uid_geometry": (IN_ORDER, ("same SOPInstanceUID",)),
    "03b_sc_only_slicelocation_descending": (
        IN_ORDER,
        ("Pixel Spacing 0.02\\0.02", "Slice Location 0 to 0.22", "in the order of InstanceNumber"),
    ),
    "07_cbct_multiframe_ct": (
        IN_ORDER,
        (
            "Image Position (Patient) 0\\0\\0 at the top level",
            "Spacing Between Slices 0.02",
            "no Frame Increment Pointer, which would say that frames are slices",
        ),
    ),
    "08_nm_recon": (IN_ORDER[::-1], ()),
    "10_pixelspacing_vr_ut": (IN_ORDER, ("Pixel Spacing is written as UT",)),
    "15_rwvm": (IN_ORDER, ()),
    "28_positions_in_micrometres": (IN_ORDER, ("1,000 times a pixel",)),
    "36_tomosynthesis": (IN_ORDER, ()),
    "32c_annex": (IN_ORDER, ()),
    "41_meta_lies_implicit": (IN_ORDER, ("written with implicit VRs",)),
}
#: Cases that are one stack that is refused, with words of the reason.
REFUSED: dict[str, tuple[str, ...]] = {
    "03_ct_only_slicelocation": ("without Image Position (Patient) or", "Slice Location 0 to 0.22"),
    "04_sc_no_iop": ("without Image Orientation (Patient)", "Image Position (Patient) 0\\0\\0"),
    "06_same_ipp": (
        "12 slices lie at one position",
        "Image Position (Patient) 0\\0\\0",
        "all slices",
    ),
    "25_wsi_tiled_full": ("tiles of a slide",),
    "33_positions_rounded": ("12 slices share 5 positions", "rounded"),
    "34_pixelspacing_in_um": ("Pixel Spacing 20\\20", "1/1,000 of a pixel", "another unit"),
    "36b_measures_top_only": ("without Pixel Spacing", "0.02\\0.02 at the top level"),
}
#: Cases whose voxel size can be given by hand, and which order is found then.
GIVEN = {
    "03_ct_only_slicelocation": "InstanceNumber",
    "03b_sc_only_slicelocation_descending": "InstanceNumber",
    "04_sc_no_iop": "InstanceNumber",
    "06_same_ipp": "InstanceNumber",
    "07_cbct_multiframe_ct": "frames",
    "28_positions_in_micrometres": "Image Position (Patient)",
    "33_positions_rounded": "InstanceNumber",
    "34_pixelspacing_in_um": "InstanceNumber",
}
#: Cases that are several stacks: their sizes, and words that set them apart.
APART: dict[str, tuple[list[int], str]] = {
    "05_series_uid_per_slice": ([1] * 12, "SeriesInstanceUID differs in every file"),
    "35_bits_by_slice": ([6, 6], "Bits Stored 8 or 16"),
    "47_one_slice_without_ipp": ([11, 1], "Image Position (Patient) absent or present"),
    "48_two_specimens_one_series_uid": ([6, 6], "StudyInstanceUID ….1 or ….2"),
}
#: Cases of which others take care: a table of values (`test_frame_values`), archives (`test_zips`).
ELSEWHERE = {"14_modality_lut", "31_zip"}


@pytest.fixture(scope="session")
def cases(shared_cases: Path) -> Path:
    return shared_cases / "dicom"


@pytest.mark.parametrize("name", WHOLE)
def test_whole_and_in_order(name: str, cases: Path) -> None:
    (series,) = stacks(cases / name)
    order, words = WHOLE[name]
    assert series.problem is None
    assert order_of(cases / name, series) == order
    told = "\n".join(series.warnings)
    assert all(word in told for word in words), told
    assert bool(series.warnings) == bool(words)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_true_words(name: str, cases: Path) -> None:
    (series,) = stacks(cases / name)
    assert series.problem is not None
    assert all(word in series.problem for word in REFUSED[name]), series.problem
    assert not re.search("damaged|cut short|copy it|move", series.problem)
    assert ("--voxel" in series.problem) == (name in GIVEN or name == "36b_measures_top_only")


@pytest.mark.parametrize("name", GIVEN)
def test_whole_and_in_order_by_a_voxel_size_given_by_hand(name: str, cases: Path) -> None:
    frames = scan(cases / name).frames
    (series,) = find_series(frames, arrangement(GivenVoxel((0.02, 0.02, 0.05))))
    assert series.problem is None and series.stack is not None
    assert order_of(cases / name, series) == IN_ORDER
    assert series.stack.geometry == "given"
    assert f"in the order of {GIVEN[name]}" in "\n".join(series.warnings)


def test_tiles_are_no_slices_by_any_voxel_size(cases: Path) -> None:
    frames = scan(cases / "25_wsi_tiled_full").frames
    (series,) = find_series(frames, arrangement(GivenVoxel((0.02, 0.02, 0.05))))
    assert series.problem is not None and "tiles of a slide" in series.problem


def test_pixels_and_gaps_of_other_units_name_the_way_out(cases: Path) -> None:
    (series,) = stacks(cases / "28_positions_in_micrometres")
    assert "give the true voxel size with --voxel X,Y,Z" in "\n".join(series.warnings)


@pytest.mark.parametrize("name", APART)
def test_several_stacks_say_what_sets_them_apart(name: str, cases: Path) -> None:
    found = stacks(cases / name)
    sizes, words = APART[name]
    assert [len(series.frames) for series in found] == sizes
    with pytest.raises(AmbiguousSeriesError) as caught:
        choose(found, None)
    first, *lines = str(caught.value).splitlines()
    assert ("--join" in first) == (name != "35_bits_by_slice")
    assert len({line.partition(": ")[2] for line in lines}) == len(found)
    assert all(words in line for line in lines)


def test_a_slice_without_a_position_is_joined_by_a_voxel_size_given_by_hand(cases: Path) -> None:
    case = cases / "47_one_slice_without_ipp"
    found = stacks(case)
    with pytest.raises(GeometryError) as caught:
        joined(found)
    assert (
        "cannot be one: Image Position (Patient) is absent in 1 of 12 slices (slice_0006.dcm)"
        in str(caught.value)
    )
    assert "give it in mm with --voxel 0.02,0.02,Z" in str(caught.value)
    series = joined(found, arrangement(GivenVoxel((0.02, 0.02, 0.05))))
    assert order_of(case, series) == IN_ORDER
    assert series.stack is not None and series.stack.geometry == "given"
    assert "Image Position (Patient) 0\\0\\0 in 11 of 12 slices" in "\n".join(series.warnings)


def test_decimal_commas_are_named_with_their_value(cases: Path) -> None:
    assert "Pixel Spacing is 0,02: DICOM writes decimals" in unusable(cases / "10b_comma_decimals")


def test_segmentations_beside_images_are_no_stacks(shared_cases: Path) -> None:
    found = scan(shared_cases / "tools" / "pacs")
    kinds = {kind: len(names) for kind, names in found.passed_by.items()}
    assert {"segmentation": 1, "structure set": 1, "report": 1}.items() <= kinds.items()
    assert not found.frames


def test_every_case_is_known_here(cases: Path) -> None:
    known = {*WHOLE, *REFUSED, *APART, *ELSEWHERE, "10b_comma_decimals"}
    assert {path.name for path in cases.iterdir()} <= known
