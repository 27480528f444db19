"""Mapped labels as arrays, of one export and of several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.exports import tagged
from kit.phantoms import Spec, write

import sidecar
from sidecar.cli.map_points import run as map_points_command


def test_columns_are_arrays_of_what_they_hold(work: Path) -> None:
    points = sidecar.map_points("png/labels.csv")
    assert points["label"].dtype.kind == "U" and points["x_mm"].dtype == np.float64
    assert points["frame_number"].dtype == np.int64
    for name in points.columns:
        assert points[name].shape == (3,), name
    np.testing.assert_array_equal(
        np.column_stack([points[name] for name in ("source_column", "source_row", "source_slice")]),
        points.source,
    )
    np.testing.assert_array_equal(
        np.column_stack([points[name] for name in ("x_mm", "y_mm", "z_mm")]), points.patient
    )
    np.testing.assert_array_equal(
        np.column_stack([points[name] for name in ("x", "y", "slice")]), points.png
    )


def test_columns_are_those_of_the_written_table(work: Path) -> None:
    """Number by number, to the last bit."""
    points = sidecar.map_points("png/labels.csv")
    points.write("again.csv")
    lines = Path("again.csv").read_text(encoding="utf-8").splitlines()
    header, *rows = (line.split(",") for line in lines)
    assert set(header) <= set(points.columns)
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        own = points[name]
        if own.dtype.kind == "f":
            assert [float(cell) for cell in cells] == own.round(6).tolist(), name
        elif own.dtype.kind == "U":
            assert list(cells) == own.tolist(), name


@pytest.mark.parametrize("name", ["nope", "X_MM", "", 0, None])
def test_a_column_that_is_not_there_is_an_error(name: object, work: Path) -> None:
    points = sidecar.map_points("png/labels.csv")
    assert name not in points
    with pytest.raises(
        sidecar.ColumnError, match=r"there is no column .*; the columns are label, image"
    ):
        points[name]  # type: ignore[index]
    with pytest.raises(KeyError):
        points[name]  # type: ignore[index]
    with pytest.raises(TypeError):
        iter(points)  # type: ignore[call-overload]


def test_a_data_frame_has_every_column(work: Path) -> None:
    pandas = pytest.importorskip("pandas")
    points = sidecar.map_points("png/labels.csv")
    frame = points.to_dataframe()
    assert tuple(frame.columns) == points.columns and len(frame) == 3
    assert pandas.api.types.is_float_dtype(frame["x_mm"])
    assert frame.loc[0, "label"] == "bregma"


@pytest.mark.slow
@pytest.mark.parametrize("given", ["mappings", "folders", "a folder of exports", "found beside"])
def test_labels_of_several_exports_each_on_its_own(given: str, work: Path) -> None:
    """As the command line has them with several of --sidecar; the points of each are those that it
    has alone.
    """
    (work / "exports").mkdir()
    exports, labels = [], []
    for name, seed in (("beetle-7", 7), ("beetle-8", 8)):
        write(Spec(columns=40, rows=30, slices=6, seed=seed, pixel_spacing=(0.01 * seed, 0.02)), work / name)  # fmt: skip
        folder = work / "exports" / name
        exports.append(sidecar.export(work / name, folder, scale=0.5, z_step=1, specimen=name))
        rows = tagged("label,image,x,y\ntip,slice_0002,3.5,4.25\n".replace("slice", name), folder)
        if "_0002," in rows:  # named by the specimen
            stem = Path(exports[-1].document.images.files[2].name).stem
            rows = f"label,image,x,y\ntip,{stem},3.5,4.25\n"
        labels.append(folder / "labels.csv")
        labels[-1].write_text(rows, encoding="utf-8")
    where: dict[str, sidecar.Sidecar | str | list[object] | None] = {
        "mappings": list(exports),
        "folders": [work / "exports" / "beetle-7", str(work / "exports" / "beetle-8")],
        "a folder of exports": str(work / "exports"),
        "found beside": None,
    }
    points = sidecar.map_points(labels, where[given])
    assert points["specimen"].tolist() == ["beetle-7", "beetle-8"]
    assert len(set(points["series_uid"].tolist())) == 2
    for i, png in enumerate(exports):
        np.testing.assert_allclose(points.patient[i], png.to_patient([[3.5, 4.25]], 2)[0])
    assert [len(file.points) for file in points.files] == [1, 1]
    points.write("both.csv")
    map_points_command(labels, output=work / "by_command.csv")
    assert (work / "both.csv").read_bytes() == (work / "by_command.csv").read_bytes()


def test_measures_of_points_are_those_of_their_file(work: Path) -> None:
    points = sidecar.map_points("png/labels.csv")
    points.write("p.csv")
    assert sidecar.measure(points) == sidecar.measure("p.csv")
    assert [found.kind for found in sidecar.measure(points)] == ["distance"] * 3
    frame = ("bregma", "lambda", "nasion")
    np.testing.assert_array_equal(
        sidecar.align(points, frame=frame).mm, sidecar.align("p.csv", frame=frame).mm
    )
    onto = sidecar.align(points, onto=points)
    np.testing.assert_allclose(onto.mm, points.patient, atol=1e-9)
    assert onto.fit is not None and onto.fit.rms_mm < 1e-9


def test_points_alone_are_not_overwritten(work: Path) -> None:
    points = sidecar.map_points("png/labels.csv", "png/sidecar.json")
    for name in ("png/labels.csv", "png/sidecar.json"):
        before = Path(name).read_bytes()
        with pytest.raises(sidecar.UsageError, match="would overwrite an input"):
            points.write(name, to="csv")
        assert Path(name).read_bytes() == before


def test_what_a_format_leaves_open_is_said_by_its_keyword(work: Path) -> None:
    points = sidecar.map_points("png/labels.csv")
    pytest.importorskip("roifile")
    for over in ("png", "source"):
        points.write(f"{over}.zip", to="imagej", over=over)
    assert Path("png.zip").read_bytes() != Path("source.zip").read_bytes()
    with pytest.raises(sidecar.UsageError, match=r"^over=. goes only with to='imagej'"):
        points.write("mapped.csv", over="png")
    with pytest.raises(sidecar.UsageError, match="pseudonym="):
        points.write("mapped.csv", pseudonym="A-1")
