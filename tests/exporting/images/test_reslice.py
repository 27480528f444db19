"""PNGs along another axis of the scan are as exact as those along its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.command_line import invoked
from kit.folders import contents
from kit.phantoms import Phantom, Spec, centroid3d, write
from PIL import Image

import sidecar
from sidecar.errors import GeometryError, UsageError
from sidecar.exporting.images import workers
from sidecar.exporting.images.reslice import SCRATCH
from sidecar.grid.stack import anatomical_letters
from sidecar.labels.load import map_file
from sidecar.progress import Silent


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    return write(
        Spec(columns=61, rows=71, slices=59, sigma=(2.5, 2.2), tilt_degrees=10.0, slice_gaps=0.6),
        tmp_path_factory.mktemp("scan"),
    )


def stack_of(folder: Path, png: sidecar.Sidecar) -> np.ndarray:
    planes = []
    for file in png.document.images.files:
        with Image.open(folder / file.name) as image:
            planes.append(np.asarray(image))
    return np.stack(planes)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal", "RAF", "zxy", "-zy-x", "x-yz"])
@pytest.mark.parametrize(
    "options", [{"scale": 1.0}, {"scale": 0.5, "z_step": 2, "z_filter": "mean"}, {"scale": 0.37}]
)
def test_markers_come_back_from_any_plane(
    phantom: Phantom, plane: str, options: dict[str, object], tmp_path: Path
) -> None:
    png = sidecar.export(phantom.folder, tmp_path / "png", plane=plane, bits=16, **options)
    stack = stack_of(tmp_path / "png", png)
    assert stack.shape == png.size[::-1]
    assert not list((tmp_path / "png").glob(".sidecar*"))
    found = []
    for marker in [marker for marker in phantom.markers if marker.kind == "volume"]:
        (near,), (k,) = png.from_source([marker.source])
        radius = 12 / max(abs(axis.factor) for axis in png.decimation.axes)
        if (
            min(*near, k) > radius - 1
            and max(near[0] - png.size[0], near[1] - png.size[1], k - png.size[2]) < -radius
        ):
            found.append((marker, centroid3d(stack, (near[0], near[1], k), radius, radius)))
    assert found
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("x,y,slice\n" + "".join(f"{x!r},{y!r},{k!r}\n" for _, (x, y, k) in found))
    points = map_file(labels).points
    for i, (marker, _) in enumerate(found):
        assert np.abs(points.source[i] - marker.source).max() <= 0.03
        assert points.instances.sop_instance_uid[i] == marker.sop_instance_uid


def test_named_planes_look_as_radiologists_expect(phantom: Phantom, tmp_path: Path) -> None:
    for plane, towards in {"axial": "LPH", "Coronal": "LFP", "sagittal": "PFL"}.items():
        png = sidecar.export(phantom.folder, tmp_path / plane, plane=plane)
        direction = np.array(png.document.images.direction)
        assert "".join(anatomical_letters(direction[:, i])[0] for i in range(3)) == towards
        affine = np.array(png.document.images.affine)
        pixel = (3.0, 5.0, 7.0)
        assert np.allclose(
            (affine @ [*pixel, 1])[:3], png.to_patient([pixel[:2]], pixel[2])[0], atol=1e-6
        )


def test_the_same_bytes_for_any_number_of_workers(phantom: Phantom, tmp_path: Path) -> None:
    sidecar.export(phantom.folder, tmp_path / "a", plane="coronal", scale=0.5, jobs=1)
    sidecar.export(phantom.folder, tmp_path / "b", plane="coronal", scale=0.5, jobs=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


class Stopped(Silent):
    """Ctrl-C when some PNGs are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def advance(self, slices: int, source_bytes: int) -> None:
        if len(list(self.folder.glob("*.png"))) >= 4:
            raise KeyboardInterrupt


def test_resumed_to_the_same_bytes(
    phantom: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        workers, "BATCH_BYTES", 1
    )  # these PNGs are so small that all of them would be under way at once
    sidecar.export(phantom.folder, tmp_path / "a", plane="coronal", scale=0.5)
    with pytest.raises(KeyboardInterrupt):
        sidecar.export(
            phantom.folder,
            tmp_path / "b",
            progress=Stopped(tmp_path / "b"),
            plane="coronal",
            scale=0.5,
        )
    there = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "b").glob("*.png")}
    assert (
        4 <= len(there) < len(list((tmp_path / "a").glob("*.png")))
        and not (tmp_path / "b" / "sidecar.json").exists()
    )
    sidecar.export(phantom.folder, tmp_path / "b", plane="coronal", scale=0.5)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert {name: (tmp_path / "b" / name).stat().st_mtime_ns for name in there} == there


class Watched(Silent):
    """The sizes that the scratch file has while PNGs are cut."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.sizes = scratch, set[int]()

    def advance(self, slices: int, source_bytes: int) -> None:
        if self.scratch.exists():
            self.sizes.add(self.scratch.stat().st_size)


def test_the_scratch_file_is_as_large_as_was_said_before(phantom: Phantom, tmp_path: Path) -> None:
    options = ("--plane", "coronal", "--bits", 16, "--dry-run")
    said = invoked("export", phantom.folder, tmp_path / "png", *options)
    assert "scratch file of 0.5 MB" in said.stdout and not (tmp_path / "png").exists()
    watched = Watched(tmp_path / "png" / SCRATCH)
    sidecar.export(phantom.folder, tmp_path / "png", progress=watched, plane="coronal", bits=16)
    assert watched.sizes == {61 * 71 * 59 * 2} and round(61 * 71 * 59 * 2 / 1e6, 1) == 0.5
    assert not watched.scratch.exists()


def test_a_point_between_slices_says_which_two(phantom: Phantom, tmp_path: Path) -> None:
    sidecar.export(phantom.folder, tmp_path / "png", plane="xzy", scale=1.0)
    (tmp_path / "png" / "labels.csv").write_text("x,y,slice\n5,7.25,9\n5,8,9\n")
    result = invoked("map-points", tmp_path / "png" / "labels.csv")
    rows = [line.split(",") for line in result.stdout.splitlines()]
    assert rows[0][-1] == "between_slices" and [row[-1] for row in rows[1:]] == ["7 8", "8"]


def test_colour_is_cut_too(tmp_path: Path) -> None:
    phantom = write(
        Spec(
            photometric="RGB",
            bits_stored=8,
            rescale=None,
            columns=40,
            rows=31,
            slices=8,
            markers=False,
        ),
        tmp_path / "scan",
    )
    png = sidecar.export(phantom.folder, tmp_path / "png", plane="coronal")
    whole = sidecar.export(phantom.folder, tmp_path / "whole")
    cut, stack = stack_of(tmp_path / "png", png), stack_of(tmp_path / "whole", whole)
    assert np.array_equal(cut, stack.transpose(1, 0, 2, 3)[:, ::-1])


@pytest.mark.parametrize("plane", ["diagonal", "xyy", "LL", "LRP", "xy"])
def test_what_is_no_plane_is_refused(phantom: Phantom, plane: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, GeometryError), match="plane="):
        sidecar.export(phantom.folder, tmp_path / "png", plane=plane)
    assert not (tmp_path / "png").exists()
