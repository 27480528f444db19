"""PNGs carry tag and specimen in their names; and an output folder knows those of every form from
what is not ours.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from kit.command_line import CommandLine
from kit.edited_headers import edited
from kit.exports import png_names
from kit.phantoms import Phantom, Spec, write
from PIL import Image

import sidecar
from sidecar.checks import check_export
from sidecar.document.model import JOURNAL
from sidecar.errors import OutputError
from sidecar.exporting.config import load_config
from sidecar.exporting.run import run_jobs
from sidecar.exporting.zoom import plan_zooms
from sidecar.labels.load import map_file

OLD = Path(__file__).parents[1] / "document" / "documents_1.0"
FINISHED, UNFINISHED = (
    r"already holds a finished export.*overwrite=True",
    r"unfinished.*overwrite=True",
)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    return write(Spec(columns=61, rows=47, slices=6), tmp_path_factory.mktemp("scan"))


def pngs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.png"))


@pytest.mark.parametrize(
    "options",
    [{}, {"z_step": 2}, {"plane": "coronal"}, {"bits": 16}, {"crop": "5:,:,2:"}],
    ids=str,
)
@pytest.mark.parametrize("specimen", [None, "beetle-7", "a.b.1"])
def test_names_of_every_kind_of_export(
    scan: Phantom, tmp_path: Path, specimen: str | None, options: dict[str, Any]
) -> None:
    png = sidecar.export(scan.folder, tmp_path / "png", scale=0.5, specimen=specimen, **options)
    tag, stem = png.document.images.tag, specimen or "slice"
    names = [f"{stem}_{k:04d}_{tag}.png" for k in range(png.size[2])]
    assert png_names(tmp_path / "png") == pngs(tmp_path / "png") == names
    assert png.document.specimen == specimen
    for k, name in enumerate(names):
        with Image.open(tmp_path / "png" / name) as image:
            text = image.text  # type: ignore[attr-defined]
        assert (text["Tag"], text["Slice"]) == (tag, str(k))
        assert png.slice_of(name) == k
        assert png.slice_of(f"C:\\x\\{name.upper()}") == k
        other = name.replace(str(tag), "bcdfgh")
        assert png.slice_of(other) is None


def test_specimens_of_a_config(scan: Phantom, tmp_path: Path) -> None:
    config = tmp_path / "specimens.yaml"
    config.write_text(
        "scale: 1/2\nsources:\n- {source: a, output: out/a, specimen: beetle-7}\n- {source: b,"
        " output: out/b, specimen: '007'}\n- {source: c, output: out/c}\n"
    )
    assert [options.specimen for _, _, options in load_config(config)] == ["beetle-7", "007", None]


def test_the_command_takes_a_specimen(
    scan: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    run = CommandLine(tmp_path, monkeypatch, capsys)
    run.done("export", scan.folder, tmp_path / "png", "--scale=1/2", "--specimen", "beetle-7")
    assert sidecar.open(tmp_path / "png").document.specimen == "beetle-7"
    run.refuses(
        "export", scan.folder, tmp_path / "b", "--specimen", "beetle 7", code=2, says="beetle 7"
    )


def test_zooms_belong_to_the_specimen_and_have_tags_of_their_own(
    scan: Phantom, tmp_path: Path
) -> None:
    coarse = sidecar.export(scan.folder, tmp_path / "png", scale=0.5, specimen="beetle-7")
    (tmp_path / "png" / "labels.csv").write_text("label,x,y,slice\ntip,12,9,2\nend,20,9,4\n")
    points = map_file(tmp_path / "png" / "labels.csv").points
    zooms = run_jobs(plan_zooms([points], scan.folder, tmp_path / "zooms", 6.0))
    tags = {str(png.document.images.tag) for png in (coarse, *zooms)}
    assert len(tags) == 3
    for png, folder in zip(zooms, ("001_tip", "002_end"), strict=True):
        assert png.document.specimen == "beetle-7"
        first = f"zoom_{folder}_0000_{png.document.images.tag}.png"
        assert pngs(tmp_path / "zooms" / folder)[0] == first


# What an earlier version left behind.


def finished_by_0_1(folder: Path) -> list[str]:
    """A finished export as version 0.1.0 left it."""
    folder.mkdir()
    shutil.copy(OLD / "tilted.json", folder / "sidecar.json")
    names = png_names(folder)
    assert names[0] == "slice_0000.png"
    for name in (*names, "viewer.html"):
        (folder / name).write_bytes(b"old")
    return names


def unfinished_by_0_1(folder: Path, count: int = 3) -> list[str]:
    """An interrupted one."""
    folder.mkdir()
    names = [f"slice_{k:04d}.png" for k in range(count)]
    for name in names:
        (folder / name).write_bytes(b"old")
    (folder / JOURNAL).write_text(json.dumps({"digest": "0" * 64}))
    (folder / "slice_0003.png.0c686362.part").write_bytes(b"ol")
    return names


@pytest.mark.parametrize("specimen", [None, "beetle-7"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("left", "says"), [(finished_by_0_1, FINISHED), (unfinished_by_0_1, UNFINISHED)]
)
def test_exports_without_tags_are_known_and_cleared_when_asked(
    scan: Phantom, tmp_path: Path, left: Any, says: str, specimen: str | None, bits: int
) -> None:
    left(tmp_path / "png")
    before = {path: path.read_bytes() for path in (tmp_path / "png").iterdir()}
    options = {"scale": 0.5, "specimen": specimen, "bits": bits}
    with pytest.raises(OutputError, match=says):
        sidecar.export(scan.folder, tmp_path / "png", **options)
    assert {path: path.read_bytes() for path in (tmp_path / "png").iterdir()} == before
    png = sidecar.export(scan.folder, tmp_path / "png", overwrite=True, **options)
    assert pngs(tmp_path / "png") == [file.name for file in png.document.images.files]
    viewer = {"viewer.html"} if bits == 8 else set()
    assert {path.name for path in (tmp_path / "png").iterdir()} == {
        "sidecar.json",
        *pngs(tmp_path / "png"),
        *viewer,
    }


def test_copies_for_the_viewer_without_tags_are_known(scan: Phantom, tmp_path: Path) -> None:
    names = finished_by_0_1(tmp_path / "png")
    (tmp_path / "png" / "viewer_images").mkdir()
    for name in names:
        (tmp_path / "png" / "viewer_images" / name).write_bytes(b"old")
    sidecar.export(scan.folder, tmp_path / "png", scale=0.5, overwrite=True)
    assert not (tmp_path / "png" / "viewer_images").exists()


@pytest.mark.parametrize("before", [None, "beetle-7", "beetle-8"])
@pytest.mark.parametrize("after", [None, "beetle-7"])
def test_an_export_can_be_replaced_under_another_name(
    scan: Phantom, tmp_path: Path, before: str | None, after: str | None
) -> None:
    sidecar.export(scan.folder, tmp_path / "png", scale=0.5, specimen=before)
    with pytest.raises(OutputError, match=FINISHED):
        sidecar.export(scan.folder, tmp_path / "png", scale=0.25, specimen=after)
    png = sidecar.export(scan.folder, tmp_path / "png", scale=0.25, specimen=after, overwrite=True)
    assert pngs(tmp_path / "png") == [file.name for file in png.document.images.files]


def test_an_interrupted_export_can_be_replaced_under_another_name(
    scan: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sidecar.exporting import run

    def full(*_: Any) -> None:
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(run, "make_sidecar", full)
        with pytest.raises(OutputError, match="full"):
            sidecar.export(scan.folder, tmp_path / "png", scale=0.5, specimen="beetle-7")
    with pytest.raises(OutputError, match=UNFINISHED):
        sidecar.export(scan.folder, tmp_path / "png", scale=0.5)
    png = sidecar.export(scan.folder, tmp_path / "png", scale=0.5, overwrite=True)
    assert pngs(tmp_path / "png") == [file.name for file in png.document.images.files]


def test_images_of_another_specimen_are_not_cleared_unless_the_folder_says_they_are_ours(
    scan: Phantom, tmp_path: Path
) -> None:
    (tmp_path / "png").mkdir()
    stranger = tmp_path / "png" / "beetle-8_0000_bcdfgh.png"
    stranger.write_bytes(b"mine")
    with pytest.raises(OutputError, match=f"do not belong to an export.*{stranger.name}"):
        sidecar.export(scan.folder, tmp_path / "png", scale=0.5, overwrite=True)
    assert stranger.read_bytes() == b"mine"


def test_adopted_images_are_never_cleared(scan: Phantom, tmp_path: Path) -> None:
    """They are somebody's own, though they may be named as exports name theirs."""
    (tmp_path / "png").mkdir()
    shutil.copy(OLD / "adopted.json", tmp_path / "png" / "sidecar.json")
    names = png_names(tmp_path / "png")
    assert names[0] == "slice_0000.png"
    for name in names:
        (tmp_path / "png" / name).write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"another program made.*choose another folder"):
        sidecar.export(scan.folder, tmp_path / "png", scale=0.5, overwrite=True)
    assert pngs(tmp_path / "png") == names


def test_pngs_of_another_tag_or_none_are_strangers_to_check(scan: Phantom, tmp_path: Path) -> None:
    sidecar.export(scan.folder, tmp_path / "png", scale=0.5)
    for name in ("slice_0000.png", "slice_0000_bcdfgh.png"):
        shutil.copy(tmp_path / "png" / png_names(tmp_path / "png")[0], tmp_path / "png" / name)
    found = {finding.check: finding.detail for finding in check_export(tmp_path / "png")}
    assert found["files"] == (
        "slice_0000.png is there, but is not of this export; slice_0000_bcdfgh.png is there, but"
        " is not of this export"
    )


@pytest.mark.parametrize("specimen", [None, "beetle-7"])
@pytest.mark.parametrize("stated", ["HU", "US", None])
def test_a_specimen_has_hounsfield_units_only_where_the_header_says_so(
    tmp_path: Path, specimen: str | None, stated: str | None
) -> None:
    """Where a CT image states none, the standard has HU; a micro-CT is calibrated to nothing."""
    scan = write(Spec(columns=20, rows=20, slices=2, markers=False, junk=False), tmp_path / "scan")
    for path in scan.folder.rglob("*"):
        if path.is_file():
            edited(path, RescaleType=stated or "")
    png = sidecar.export(scan.folder, tmp_path / "png", specimen=specimen)
    value = png.document.images.value
    assert value is not None
    assert value.unit == (stated or (None if specimen else "HU"))
    found = check_export(tmp_path / "png", source=scan.folder)
    assert [finding for finding in found if finding.passed is False] == []
