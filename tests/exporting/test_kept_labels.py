"""Labels that lie in an output folder: no export takes them away, and those of the same mapping may
stay.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write

import sidecar
from sidecar.errors import OutputError
from sidecar.exporting.found_labels import refuse_labels
from sidecar.labels import model
from sidecar.mapping import Sidecar
from sidecar.storage.local import Local


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return write(Spec(), tmp_path / "scan").folder


@pytest.fixture
def png(tmp_path: Path, scan: Path) -> Path:
    """A finished export."""
    sidecar.export(scan, tmp_path / "png", scale=0.5)
    return tmp_path / "png"


def table(export: Sidecar, **other: str) -> str:
    """A labels.csv as the page saves it."""
    image = export.document.images.files[2].name
    cells = {
        "image": image, "slice": "2", "label": "nasion", "x": "3.5", "y": "4.25", "specimen": "png",
        "series_uid": export.document.source.series_instance_uid, "tag": export.tag,
    } | other  # fmt: skip
    return f"{','.join(cells)}\n{','.join(cells.values())}\n"


def labelme(export: Sidecar) -> str:
    shape = {"label": "a", "points": [[3.0, 4.0]], "shape_type": "point", "flags": {}}
    name = export.document.images.files[2].name
    return json.dumps(
        {
            "version": "5.5.0", "flags": {}, "shapes": [shape], "imagePath": name,
            "imageData": None, "imageHeight": 23, "imageWidth": 30,
        }
    )  # fmt: skip


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_labels_are_why_it_refuses(png: Path, scan: Path) -> None:
    (png / "labels.csv").write_text(table(sidecar.open(png)))
    (png / "a_labels.csv").write_text("slice,x,y\n1,2,3\n")
    before = everything(png)
    with pytest.raises(OutputError) as refused:
        sidecar.export(scan, png, scale=0.5, overwrite=True)
    assert str(refused.value) == (
        "png holds labels (a_labels.csv, labels.csv); nothing was touched: move them away, or give"
        " keep_labels=True, which keeps labels that are of the mapping of this export"
    )
    assert everything(png) == before


def test_the_command_line_says_so_too(run: CommandLine, png: Path) -> None:
    (png / "labels.csv").write_text(table(sidecar.open(png)))
    command = ("export", "scan", "png", "--scale", "1/2", "--overwrite")
    run.refuses(*command, says=("png holds labels (labels.csv)", "give --keep-labels"))
    run.done(*command, "--keep-labels")
    assert (png / "labels.csv").is_file()


@pytest.mark.parametrize("content", [table, labelme])
def test_labels_of_the_same_tag_stay(
    png: Path, scan: Path, content: Callable[[Sidecar], str]
) -> None:
    name = "labels.csv" if content is table else "labels.json"
    (png / name).write_text(content(sidecar.open(png)))
    labels = (png / name).read_bytes()
    sidecar.export(scan, png, scale=0.5, bits=16, overwrite=True, keep_labels=True)
    assert (png / name).read_bytes() == labels
    assert sidecar.open(png).document.images.bits == 16
    assert len(sidecar.map_points(png / name)) == 1
    assert all(f.passed is not False for f in sidecar.check(png, scan))


def test_names_of_pngs_are_listed_once_for_all_label_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"slice_{k:04d}_gjgbtf.png" for k in range(30)]
    labels = [f"slice_{k:04d}_gjgbtf.csv" for k in range(20)]
    for name in labels:
        (tmp_path / name).write_text("label,x,y\na,1,2\n")
    listed = []
    monkeypatch.setattr(model, "image_key", lambda name: listed.append(name) or name[:-4])
    refuse_labels(Local.at(tmp_path), labels, names, keep=True)
    assert listed == names


def test_labels_of_another_tag_are_refused(png: Path, scan: Path) -> None:
    tag = sidecar.open(png).tag
    (png / "labels.csv").write_text(table(sidecar.open(png)))
    before = everything(png)
    with pytest.raises(OutputError, match=f"labels.csv, which is of another mapping.* is {tag}, "):
        sidecar.export(scan, png, scale=0.25, overwrite=True, keep_labels=True)
    assert everything(png) == before


@pytest.mark.parametrize(
    "text",
    ["slice,x,y\n1,2,3\n", "image,x,y\nslice_0002.png,2,3\n"],
)
def test_labels_that_say_no_tag_are_refused(png: Path, scan: Path, text: str) -> None:
    (png / "labels.csv").write_text(text)
    with pytest.raises(
        OutputError, match="does not have a tag for each label, so it is not known which mapping"
    ):
        sidecar.export(scan, png, scale=0.5, overwrite=True, keep_labels=True)


def test_one_row_of_another_tag_is_enough(png: Path, scan: Path) -> None:
    lines = table(sidecar.open(png)).splitlines()
    other = table(sidecar.open(png), tag="bcdfgh", image="").splitlines()[1]
    (png / "labels.csv").write_text("\n".join([*lines, other, ""]))
    with pytest.raises(OutputError, match="its tag is bcdfgh"):
        sidecar.export(scan, png, scale=0.5, overwrite=True, keep_labels=True)


def test_what_label_keeps_is_ours(png: Path, scan: Path) -> None:
    kept = png / ".labels"
    kept.mkdir()
    (kept / "lock").touch()
    (kept / "port").write_text("12345\n")
    sidecar.export(scan, png, scale=0.5, overwrite=True)
    assert (kept / "port").exists(), "without versions nothing is in the way"
    (kept / "labels-0001.csv.old").write_text(table(sidecar.open(png)))
    with pytest.raises(OutputError, match=r"png holds labels \(\.labels\)"):
        sidecar.export(scan, png, scale=0.5, overwrite=True)
    sidecar.export(scan, png, scale=0.5, overwrite=True, keep_labels=True)
    assert (kept / "labels-0001.csv.old").exists()
    with pytest.raises(OutputError, match=r"holds \.labels, which is of another"):
        sidecar.export(scan, png, scale=0.25, overwrite=True, keep_labels=True)
    (kept / "thesis.tex").touch()
    with pytest.raises(OutputError, match="files that do not belong to an export"):
        sidecar.export(scan, png, scale=0.5, overwrite=True, keep_labels=True)


def test_a_folder_for_labels_that_leads_elsewhere_is_not_ours(
    png: Path, scan: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (png / ".labels").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="files that do not belong to an export"):
        sidecar.export(scan, png, scale=0.5, overwrite=True, keep_labels=True)


def test_an_interrupted_export_goes_on_beside_labels(
    png: Path, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (png / "labels.csv").write_text(table(sidecar.open(png)))
    from sidecar.exporting import run

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, "make_sidecar", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sidecar.export(scan, png, scale=0.5, bits=16, overwrite=True, keep_labels=True)
    assert not (png / "sidecar.json").exists()
    sidecar.export(scan, png, scale=0.5, bits=16, overwrite=True, keep_labels=True)
    assert len(sidecar.map_points(png)) == 1


def test_a_leftover_of_a_killed_label_goes(png: Path, scan: Path) -> None:
    (png / "labels.csv.part").write_text("image,sl")
    sidecar.export(scan, png, scale=0.5, overwrite=True)
    assert not (png / "labels.csv.part").exists()


def test_other_readers_take_no_version_for_labels(png: Path) -> None:
    export = sidecar.open(png)
    (png / "labels.csv").write_text(table(export))
    kept = png / ".labels"
    kept.mkdir()
    for number in range(1, 11):
        (kept / f"labels-{number:04d}.csv.old").write_text(table(export))
    assert len(sidecar.map_points(png)) == 1
    assert len(sidecar.map_points(png / "labels.csv", sidecar.open(png))) == 1
    with pytest.raises(sidecar.LabelError, match="holds no label files"):
        sidecar.map_points(kept, export)
    assert all(f.passed is not False for f in sidecar.check(png))
    sidecar.view(png)
    assert len(list(kept.iterdir())) == 10
    shutil.copytree(png, png.parent / "more" / "png")
    assert len(sidecar.map_points(png / "labels.csv", png.parent / "more")) == 1
