"""Map and project as inverses, whatever the export; and that a sidecar notices when it was
changed.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.command_line import invoked
from kit.exports import tagged
from kit.phantoms import Phantom, Spec, write
from kit.tables import rows as read_rows

import sidecar
from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.series import Series, find_series
from sidecar.document.reading import parse
from sidecar.document.writing import as_text
from sidecar.errors import DocumentError, LabelError
from sidecar.exporting.build_document import make_sidecar
from sidecar.exporting.options import make_options
from sidecar.exporting.plan import make_plan
from sidecar.grid.axis import Axis
from sidecar.labels.load import map_file
from sidecar.labels.project import project_file
from sidecar.mapping import Sidecar

GRID = {"columns": 61, "rows": 47, "slices": 12, "orientation": "oblique"}


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    gaps = (1.3, 1.3, 2.6, 0.9, 1.3, 1.3, 1.3, 4.0, 1.3, 1.3, 1.3)
    return write(Spec(**GRID, slice_gaps=gaps, tilt_degrees=18.0), tmp_path_factory.mktemp("scan"))  # type: ignore[arg-type]


@cache
def series_of(folder: Path) -> Series:
    (series,) = find_series(scan(folder).frames)
    return series


def planned(folder: Path, **options: Any) -> Sidecar:
    """The mapping of an export without its PNGs."""
    plan = make_plan(series_of(folder), make_options(**options))
    return make_sidecar(plan, None, ["0" * 64] * len(plan.names))


options = st.fixed_dictionaries(
    {
        "scale": st.one_of(st.sampled_from([1.0, 0.5, 1 / 3, 0.25]), st.floats(0.15, 1.0)),
        "z_step": st.integers(1, 4),
        "z_filter": st.sampled_from(["stride", "mean", "max"]),
        "crop": st.one_of(
            st.none(),
            st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(0, 5)).map(
                lambda t: "{}:,{}:,{}:".format(*t)
            ),
        ),
    }
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(options=options, data=st.data())
def test_map_and_project_are_inverse(
    phantom: Phantom, options: dict[str, Any], data: st.DataObject
) -> None:
    png = planned(phantom.folder, **options)
    columns, rows, slices = png.size
    points = st.tuples(
        st.floats(-0.5, columns - 0.5), st.floats(-0.5, rows - 0.5), st.floats(-0.5, slices - 0.5)
    )
    pixels = np.array(data.draw(st.lists(points, min_size=1, max_size=20)))
    xy, k = png.from_patient(png.to_patient(pixels[:, :2], pixels[:, 2]))
    assert np.abs(np.column_stack([xy, k]) - pixels).max() < 1e-9
    xy, k = png.from_source(png.to_source(pixels[:, :2], pixels[:, 2]))
    assert np.abs(np.column_stack([xy, k]) - pixels).max() < 1e-9
    within = [
        index
        for index in png.to_source(pixels[:, :2], pixels[:, 2])
        if 0 <= index[2] <= phantom.size[2] - 1
    ]
    assert png.stack is not None
    assert np.allclose(
        png.stack.to_patient(within),
        np.reshape([phantom.patient(*index) for index in within], (-1, 3)),
        rtol=0,
        atol=1e-9,
    )


def test_another_export_of_the_same_scan_receives_the_points(
    phantom: Phantom, tmp_path: Path
) -> None:
    """Labels on one export, mapped and projected onto another, come back through it to the same
    place.
    """
    half = sidecar.export(phantom.folder, tmp_path / "half", scale=0.5, z_step=2)
    third = sidecar.export(phantom.folder, tmp_path / "third", scale="1/3", crop="3:,6:,:")
    labels = tmp_path / "half" / "labels.csv"
    labels.write_text(
        tagged(
            "label,image,x,y,note\na,slice_0001.png,10.25,8.5,left\nb,slice_0004,20,12.125,\n",
            tmp_path / "half",
        )
    )
    mapped = tmp_path / "mapped.csv"
    invoked("map-points", labels, "-o", mapped)
    projected = tmp_path / "third" / "labels.csv"
    invoked("project", mapped, "--sidecar", tmp_path / "third", "-o", projected)
    header = projected.read_text().split("\n")[0].split(",")
    assert header[-4:] == ["image", "slice", "x", "y"] and header[:2] == ["label", "note"]
    stripped = tmp_path / "third" / "again.csv"
    _keep_columns(projected, stripped, ["label", "slice", "x", "y"])
    again = map_file(stripped, third).points
    first = map_file(labels, half).points
    assert np.abs(again.patient - first.patient).max() < 2e-6  # both are rounded to 1e-6
    assert again.instances.sop_instance_uid == first.instances.sop_instance_uid


def test_projected_points_say_the_export_they_are_on_now(phantom: Phantom, tmp_path: Path) -> None:
    """Columns of the first export would contradict the second, and refuse every row of it."""
    half = sidecar.export(phantom.folder, tmp_path / "half", scale=0.5)
    third = sidecar.export(phantom.folder, tmp_path / "third", scale="1/3", specimen="beetle-7")
    series, tag = half.document.source.series_instance_uid, half.document.images.tag
    labels, mapped = tmp_path / "half" / "half_labels.csv", tmp_path / "mapped.csv"
    labels.write_text(f"slice,x,y,specimen,series_uid,tag\n1,10.25,8.5,,{series},{tag}\n")
    invoked("map-points", labels, "-o", mapped)
    projected = tmp_path / "projected.csv"
    told = invoked("project", mapped, "--sidecar", tmp_path / "third", "-o", projected)
    assert (
        "columns of another export; they were replaced: slice, x, y, specimen, series_uid, tag"
        in told.stderr
    )
    (row,) = read_rows(projected)
    stated = (row["specimen"], row["series_uid"], row["tag"])
    assert stated == ("beetle-7", series, third.document.images.tag)
    assert "columns that map-points computes again were left out: source_column" in told.stderr
    invoked("map-points", projected, "--sidecar", tmp_path / "third", "-o", tmp_path / "again.csv")
    again = project_file(tmp_path / "again.csv", half).columns
    assert again["specimen"] == ["beetle-7"], "the name that it has is not lost where there is none"
    assert again["tag"] == [tag]


def test_points_that_state_another_scan_are_not_projected(phantom: Phantom, tmp_path: Path) -> None:
    png = sidecar.export(phantom.folder, tmp_path / "png", scale=0.5)
    points = tmp_path / "mapped.csv"
    own = png.document.source.series_instance_uid
    x, y, z = png.to_patient([[3, 4]], 1)[0].tolist()
    points.write_text(f"x_mm,y_mm,z_mm,series_uid\n{x},{y},{z},{own}\n{x},{y},{z},1.2.3\n")
    with pytest.raises(
        LabelError, match=r"row 3: is of series 1\.2\.3, but this scan is series 2\.25"
    ):
        project_file(points, png)


def test_map_points_then_project_returns_the_label(phantom: Phantom, tmp_path: Path) -> None:
    png = sidecar.export(phantom.folder, tmp_path / "png", scale=0.37, z_step=2, z_filter="mean")
    rng = random.Random(5)
    rows = [
        (
            rng.uniform(-0.5, png.size[0] - 0.5),
            rng.uniform(-0.5, png.size[1] - 0.5),
            rng.uniform(-0.4, png.size[2] - 0.6),
        )
        for _ in range(50)
    ]
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("x,y,slice\n" + "".join(f"{x!r},{y!r},{k!r}\n" for x, y, k in rows))
    for space in ("lps", "ras"):
        mapped = tmp_path / f"{space}.csv"
        invoked("map-points", labels, "-o", mapped, "--space", space)
        assert np.abs(project_file(mapped, png).png - rows).max() < 2e-6
        only_mm = tmp_path / f"mm_{space}.csv"
        _keep_columns(mapped, only_mm, ["x_mm", "y_mm", "z_mm", "space"])
        assert np.abs(project_file(only_mm, png).png - rows).max() < 2e-6


def test_any_order_of_files_gives_the_same_sidecar(tmp_path: Path) -> None:
    """The same files in folders that list them differently."""
    texts = set()
    phantom = write(Spec(columns=31, rows=29, markers=False, junk=True), tmp_path / "scan")
    files = [path for path in (tmp_path / "scan").rglob("*") if path.is_file()]
    for seed in range(4):
        copy = tmp_path / f"copy{seed}"
        random.Random(seed).shuffle(files)
        for path in files:
            place = copy / path.relative_to(tmp_path / "scan")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
        sidecar.export(copy, tmp_path / f"png{seed}", scale=0.5, jobs=1 + seed)
        texts.add((tmp_path / f"png{seed}" / "sidecar.json").read_text())
    assert len(texts) == 1
    assert len(json.loads(texts.pop())["source"]["planes"]) == len(phantom.planes)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["decimation"]["columns"].update(offset=0.0),
        lambda d: d["decimation"]["slices"].update(factor=3.0),
        lambda d: d["decimation"]["rows"].update(size=5),
        lambda d: d["source"]["planes"][4].update(position=[0.0, 0.0, 0.0]),
        lambda d: d["source"].update(pixel_spacing=[0.4, 0.7]),
        lambda d: d["source"]["planes"].pop(),
        lambda d: d["source"].update(orientation=[1, 0, 0, 0, 1, 0]),
        lambda d: d["images"]["files"].reverse(),
        lambda d: d["images"]["files"][1].update(name=d["images"]["files"][0]["name"]),
        lambda d: d["control_points"][0].update(patient=None),
        lambda d: (
            d.update(coordinate_system=None, control_points=d["control_points"][:1])
            or d["control_points"][0].update(source=[9, 9, 9])
        ),
    ],
)
def test_a_document_that_was_changed_is_noticed(phantom: Phantom, change: Any) -> None:
    document = json.loads(as_text(planned(phantom.folder, scale=0.5, z_step=2).document))
    Sidecar.of(parse(json.dumps(document)))
    change(document)
    with pytest.raises(DocumentError):
        Sidecar.of(parse(json.dumps(document)))


def test_the_document_survives_its_own_text(phantom: Phantom) -> None:
    png = planned(phantom.folder, scale=0.37)
    assert parse(as_text(png.document)) == png.document


def test_uncertainty_is_half_the_diagonal_of_an_output_voxel(tmp_path: Path) -> None:
    write(
        Spec(
            columns=40, rows=30, slices=8, pixel_spacing=(0.7, 0.4), slice_gaps=1.3, markers=False
        ),
        tmp_path,
    )
    png = planned(tmp_path, scale=0.5, z_step=3)
    assert png.uncertainty_mm(png.to_source(np.zeros((3, 2)), [0, 1, 2])) == pytest.approx(
        0.5 * np.sqrt(1.4**2 + 0.8**2 + 3.9**2)
    )


def test_halfway_between_two_pngs_the_lower_one_answers(phantom: Phantom) -> None:
    """For the uncertainty as for the instance, at odd and at even PNGs; gaps are uneven."""
    png = planned(phantom.folder)
    slices = np.arange(png.size[2] - 1.0)
    halfway, lower = (png.to_source(np.zeros((len(slices), 2)), s) for s in (slices + 0.5, slices))
    assert len(set(png.uncertainty_mm(lower).round(6))) == 3
    np.testing.assert_array_equal(png.uncertainty_mm(halfway), png.uncertainty_mm(lower))
    assert png.instances(halfway).sop_instance_uid == png.instances(lower).sop_instance_uid


def test_the_voxel_of_a_mean_of_two_planes_has_the_sides_of_the_lower_one(tmp_path: Path) -> None:
    """Planes are turned a little within themselves, in a sheared stack, whose diagonals tell."""
    write(Spec(columns=40, rows=30, slices=8, tilt_degrees=15.0, markers=False), tmp_path)
    png = planned(tmp_path, z_step=2, z_filter="mean", crop=":,:,1:")
    assert png.stack is not None
    turned = np.arange(8) % 3 * 8e-4
    first, second = png.stack.orientations[0].reshape(2, 3)
    axes = [[np.cos(t) * first + np.sin(t) * second, np.cos(t) * second - np.sin(t) * first] for t in turned]  # fmt: skip
    stack = replace(png.stack, orientations=np.array(axes).reshape(8, 6))
    centres = np.array([1.5, 3.5, 5.5])
    steps = np.diff(stack.to_patient(np.column_stack([np.zeros((3, 2)), centres])), axis=0)
    across, down = (stack.axes[[1, 3, 5], :, i] for i in (0, 1))
    expected = [
        max(
            np.linalg.norm(across[k] + i * down[k] + j * step) / 2
            for i in (-1, 1)
            for j in (-1, 1)
            for step in steps[max(0, k - 1) : k + 1]
        )
        for k in range(3)
    ]
    found = replace(png, stack=stack).uncertainty_mm(np.column_stack([np.zeros((3, 2)), centres]))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("margin", [1, 2, 3, 4])
def test_the_edge_of_a_margin_belongs_to_the_margin_before_the_scan(
    phantom: Phantom, margin: int
) -> None:
    """The edge lies halfway between the last pixel of the margin and the first one on the scan: the
    lower one is the margin's. Behind the scan, it is the scan's.
    """
    png = planned(phantom.folder)
    columns = png.size[0]
    wider = Axis(1.0, -float(margin), columns + 2 * margin, "stride")
    document = replace(png.document, evidence=cast("Any", "images of another program"))
    letterboxed = replace(png, document=document, decimation=replace(png.decimation, columns=wider))
    first, last = margin - 0.5, margin + columns - 0.5
    x = [first - 0.1, first, first + 0.1, last - 0.1, last, last + 0.1]
    found = letterboxed.contains(np.column_stack([x, np.ones(6)]), np.zeros(6))
    assert found.tolist() == [False, False, True, True, True, False]


@pytest.mark.parametrize("tilt", [-20.0, 0.0, 16.5])
def test_no_corner_of_an_output_voxel_is_farther_than_the_uncertainty(
    tilt: float, tmp_path: Path
) -> None:
    """Gantry tilt shears voxels: one of their diagonals is longer than edges at right angles would
    have it.
    """
    write(
        Spec(
            columns=40,
            rows=30,
            slices=12,
            pixel_spacing=(0.7, 0.4),
            slice_gaps=1.3,
            tilt_degrees=tilt,
            markers=False,
        ),
        tmp_path,
    )
    png = planned(tmp_path, scale=0.5, z_step=2)
    centre = png.to_source([[7, 6]], 2)
    corners = centre + np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    assert png.stack is not None
    farthest = np.linalg.norm(
        png.stack.to_patient(corners) - png.stack.to_patient(centre), axis=1
    ).max()
    assert png.uncertainty_mm(centre) == pytest.approx(
        farthest, rel=1e-9
    )  # positions are written with some ten decimals


def test_the_instance_of_a_mean_is_the_nearest_of_its_slices(tmp_path: Path) -> None:
    phantom = write(Spec(columns=40, rows=30, slices=8, markers=False), tmp_path)
    png = planned(tmp_path, z_step=2, z_filter="mean")
    uids = [plane.sop_instance_uid for plane in phantom.planes]
    assert png.instances(png.to_source([[0, 0]] * 2, [0, 1])).sop_instance_uid == [
        uids[0],
        uids[2],
    ], "halfway: the lower one"
    assert png.instances([[0, 0, 2.6], [0, 0, -0.6], [0, 0, 7.5]]).sop_instance_uid == [
        uids[3],
        "",
        uids[7],
    ]


def _keep_columns(source: Path, target: Path, names: list[str]) -> None:
    import csv

    with source.open(newline="") as read, target.open("w", newline="") as written:
        writer = csv.DictWriter(written, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(csv.DictReader(read))


def test_turned_and_mirrored_stacks_map_both_ways(phantom: Phantom) -> None:
    """PNG axes may run along any source axis and either way:

    PNGs of other programs, and resliced ones.
    """
    document = json.loads(as_text(planned(phantom.folder, scale=0.5).document))
    axes = document["decimation"]
    axes["order"] = ["slices", "rows", "columns"]
    axes["rows"].update(factor=-2.0, offset=44.5)
    document["images"]["size"] = [axes[name]["size"] for name in axes["order"]]
    sizes = document["images"]["size"]
    document["images"] |= dict.fromkeys(["tag", "origin", "spacing", "direction", "affine"])
    document["images"]["files"] = [
        {"name": f"a{i}.png", "source_slices": [i], "sha256": "0" * 64} for i in range(sizes[2])
    ]
    stack = planned(phantom.folder).stack
    assert stack is not None

    def source_of(x: float, y: float, k: float) -> list[float]:
        return [2 * k + 0.5, 44.5 - 2 * y, x]

    for i, image in enumerate(document["images"]["files"]):
        image["position"] = stack.to_patient(source_of(0, 0, i))[0].tolist()
    pixels = [(0, 0, 0), (3.25, 7.5, 11)]
    document["control_points"] = [
        {
            "pixel": p,
            "source": source_of(*p),
            "patient": stack.to_patient(source_of(*p))[0].tolist(),
        }
        for p in pixels
    ]
    png = Sidecar.of(parse(json.dumps(document)))
    assert png.size == (12, 23, 30)
    points = np.array([(2.5, 4.25, 17.75), (0, 0, 0), (11, 22, 29)])
    assert np.allclose(png.to_source(points[:, :2], points[:, 2]), [source_of(*p) for p in points])
    xy, k = png.from_patient(png.to_patient(points[:, :2], points[:, 2]))
    assert np.abs(np.column_stack([xy, k]) - points).max() < 1e-9
    assert np.allclose(
        png.decimation.matrix @ [2.5, 4.25, 17.75, 1], [*source_of(2.5, 4.25, 17.75), 1]
    )
