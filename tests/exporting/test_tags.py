"""The tag of an export follows its mapping and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from kit.phantoms import Spec, write
from kit.tag_by_the_words import tag_by_the_words

from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.series import Series, find_series
from sidecar.document.writing import as_text
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.options import make_options
from sidecar.exporting.plan import Plan, make_plan


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    folder = tmp_path_factory.mktemp("scan")
    write(Spec(columns=61, rows=47, slices=9, orientation="oblique", tilt_degrees=9), folder)
    (found,) = find_series(scan(folder).frames)
    return found


def plan(series: Series, **options: Any) -> Plan:
    return make_plan(series, make_options(**options))


def test_the_tag_of_an_export_is_that_of_its_document(series: Series) -> None:
    for options in ({"scale": 0.37}, {"scale": 0.5, "z_step": 2, "plane": "coronal"}):
        planned = plan(series, **options)
        document = make_sidecar(planned, None, ["0" * 64] * len(planned.names)).document
        assert document.images.tag == planned.tag
        assert tag_by_the_words(json.loads(as_text(document)))[1] == planned.tag


@pytest.mark.parametrize(
    "options",
    [
        {"window": "40,400"},
        {"window": "full"},
        {"bits": 16},
        {"compression": "small"},
        {"specimen": "beetle-7"},
        {"z_filter": "max"},
        {"viewer": False, "jobs": 3, "overwrite": True},
    ],
    ids=str,
)
def test_what_does_not_move_a_pixel_does_not_change_the_tag(
    series: Series, options: dict[str, Any]
) -> None:
    given = {"scale": 0.5, **({"z_step": 1} if "z_filter" in options else {"z_step": 2})}
    assert plan(series, **given, **options).tag == plan(series, **given).tag


@pytest.mark.parametrize(
    "options",
    [
        {"scale": 0.5, "z_step": 3},
        {"scale": 0.5, "z_step": 2, "z_filter": "mean"},
        {"scale": 0.5, "z_step": 2, "plane": "xzy"},
        {"scale": 0.5, "z_step": 2, "plane": "xy-z"},
        {"scale": 0.5, "z_step": 2, "crop": "0:61,1:47,:"},
        {"scale": 0.5, "z_step": 2, "crop": "0:59,:,:"},
        {"scale": 0.49, "z_step": 2},
    ],
    ids=str,
)
def test_what_moves_a_pixel_changes_the_tag(series: Series, options: dict[str, Any]) -> None:
    assert plan(series, **options).tag != plan(series, scale=0.5, z_step=2).tag


def test_another_scan_and_other_slices_change_the_tag(series: Series) -> None:
    first, *rest = series.frames
    frames = {
        "a slice less": tuple(rest),
        "two exchanged": (rest[0], first, *rest[1:]),
        "another instance": (replace(first, sop_instance_uid="1.2.3"), *rest),
        "another series": tuple(
            replace(frame, common=replace(frame.common, series_instance_uid="1.2.3"))
            for frame in series.frames
        ),
    }
    planned = plan(series, scale=0.5)
    tags = {
        name: replace(planned, series=replace(series, frames=changed)).tag
        for name, changed in frames.items()
    }
    assert len({planned.tag, *tags.values()}) == 5


def test_positions_do_not_change_the_tag(series: Series) -> None:
    planned = plan(series, scale=0.5)
    moved = tuple(replace(frame, position=(0.0, 0.0, 0.0)) for frame in series.frames)
    assert replace(planned, series=replace(series, frames=moved)).tag == planned.tag
