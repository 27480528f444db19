"""Plain JSON holds what the CSV holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.made_exports import STUDY
from kit.mapped_points import (
    FRAME_OF_REFERENCE,
    LANDMARKS,
    SERIES,
    Scan,
    every_shape,
    instance_uid,
    mapped,
    point,
    truth_mm,
    write_to,
)
from kit.tables import rows

from sidecar.errors import LabelError
from sidecar.labels.tables import columns
from sidecar.labels.tables.number_texts import DECIMALS
from sidecar.labels.writers import csv_points, json_points


def written(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


@pytest.mark.parametrize("space", ["lps", "ras"])
@pytest.mark.parametrize(
    "scan",
    [Scan(), Scan(geometry=False), Scan(multiframe=True)],
    ids=["classic", "no geometry", "frames"],
)
def test_it_says_what_the_csv_says(tmp_path: Path, space: str, scan: Scan) -> None:
    parts = [mapped(every_shape(), scan), mapped([point((1, 2, 3), observer="Ada")], scan)]
    objects = written(write_to(tmp_path / "json", json_points.WRITER, parts, space))["points"]
    table = rows(write_to(tmp_path / "csv", csv_points.WRITER, parts, space))
    assert len(objects) == len(table) == 22
    for one, row in zip(objects, table, strict=True):
        assert one.pop("series_instance_uid") == row.pop("series_uid") == SERIES
        assert set(one) == set(row)
        for name, text in row.items():
            value = one[name]
            assert (
                (float(text) == round(value, DECIMALS))
                if isinstance(value, (int, float))
                else ((value or "") == text)
            ), name


def test_objects_are_written_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is the one that the whole document gives, and the memory for it does not grow."""
    text = json_points._text
    parts = [mapped(every_shape()), mapped([]), mapped([point((1, 2, 3), "line\nbreak")])]
    for some in (parts, [mapped([])]):
        path = write_to(tmp_path / "whole.json", json_points.WRITER, some)
        whole = path.read_text(encoding="utf-8")
        assert whole == json.dumps(json.loads(whole), ensure_ascii=False, indent=1) + "\n"
        made: list[int] = []

        def heard(value: Any, made: list[int] = made) -> str:
            made.append(len(value))
            return text(value)

        with monkeypatch.context() as patch:
            patch.setattr(columns, "PIECE", 4)
            patch.setattr(json_points, "PIECE", 4)
            patch.setattr(json_points, "_text", heard)
            path = write_to(tmp_path / "pieces.json", json_points.WRITER, some)
        assert path.read_text(encoding="utf-8") == whole
        assert max(made) <= 4


@pytest.mark.parametrize("writer", [csv_points.WRITER, json_points.WRITER], ids=lambda w: w.name)
def test_the_specimen_of_labels_of_several_exports(tmp_path: Path, writer: Any) -> None:
    """A column of it is kept where it agrees, filled in where another file has none, and refused
    where it tells of another export.
    """
    parts = [
        mapped([point((1, 2, 3), "a", specimen="beetle")]),
        mapped([point((1, 2, 3), "b")], Scan(series="1.2.3"), specimen="weevil"),
    ]
    path = write_to(tmp_path / "part", writer, parts)
    table = rows(path) if writer is csv_points.WRITER else written(path)["points"]
    assert [row["specimen"] for row in table] == ["beetle", "weevil"]
    parts[0] = mapped([point((1, 2, 3), "a", specimen="weevil")])
    with pytest.raises(
        LabelError, match="row 2: specimen is 'weevil', but the label belongs to 'beetle'"
    ):
        write_to(tmp_path / "part", writer, parts)


def test_specimens_within_one_export_are_those_of_the_column(tmp_path: Path) -> None:
    both = [point((1, 2, 3), "a", specimen="one"), point((1, 2, 3), "b", specimen="two")]
    objects = written(write_to(tmp_path / "part", json_points.WRITER, mapped(both)))["points"]
    assert [one["specimen"] for one in objects] == ["one", "two"]
    objects = written(write_to(tmp_path / "part", json_points.WRITER, mapped(LANDMARKS)))["points"]
    assert {one["specimen"] for one in objects} == {"beetle"}


def test_places_scan_and_instance(tmp_path: Path) -> None:
    document = written(write_to(tmp_path / "part", json_points.WRITER, mapped(LANDMARKS)))
    (scan,) = document["scans"]
    assert (scan["study_instance_uid"], scan["series_instance_uid"]) == (STUDY, SERIES)
    assert (scan["frame_of_reference_uid"], scan["units"]) == (FRAME_OF_REFERENCE, "mm")
    got = [[p["x_mm"], p["y_mm"], p["z_mm"]] for p in document["points"]]
    np.testing.assert_allclose(got, truth_mm([p["at"] for p in LANDMARKS]), atol=1e-9)
    assert [p["sop_instance_uid"] for p in document["points"]] == [
        instance_uid(2),
        instance_uid(6),
        instance_uid(9),
    ]
    assert {p["frame_number"] for p in document["points"]} == {None}


def test_without_geometry_millimetres_are_null(tmp_path: Path) -> None:
    document = written(
        write_to(tmp_path / "part", json_points.WRITER, mapped(LANDMARKS, Scan(geometry=False)))
    )
    assert document["scans"][0]["units"] == "pixel"
    assert (
        {p["x_mm"] for p in document["points"]}
        == {None}
        == {p["uncertainty_mm"] for p in document["points"]}
    )
    assert document["points"][0]["source_column"] == 7.0


def test_labels_in_any_writing(tmp_path: Path) -> None:
    label = 'Zähne, "links"\n牙'
    assert (
        written(write_to(tmp_path / "part", json_points.WRITER, mapped([point((1, 1, 0), label)])))[
            "points"
        ][0]["label"]
        == label
    )


@pytest.mark.parametrize("name", ["x_mm", "series_instance_uid"])
def test_columns_of_an_earlier_mapping_are_not_overwritten(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabelError, match=name):
        write_to(tmp_path / "part", json_points.WRITER, mapped([point((1, 1, 0), **{name: "5"})]))
