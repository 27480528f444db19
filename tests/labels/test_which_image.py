"""Which PNG an image reference means: the tag settles it, and what contradicts is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write

import sidecar

SCAN = Spec(columns=40, rows=36, slices=9, markers=False, junk=False)


@pytest.fixture
def exports(tmp_path: Path) -> tuple[sidecar.Sidecar, sidecar.Sidecar]:
    """A scan at half and at a quarter of its size, in the folders half and quarter."""
    folder = write(SCAN, tmp_path / "scan").folder
    half = sidecar.export(folder, tmp_path / "half", scale=0.5)
    return half, sidecar.export(folder, tmp_path / "quarter", scale=0.25)


def names(png: sidecar.Sidecar) -> list[str]:
    return [image.name for image in png.document.images.files]


def table(folder: Path, *images: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("label,image,x,y\n" + "".join(f"p,{image},3,4\n" for image in images))
    return path


@pytest.mark.parametrize(
    "before", ["", "elsewhere/", "C:\\png\\", "/data/upload/4/624cb493-", "s3://bucket/a/"]
)
def test_equal_tags_settle_it_whatever_stands_before_them(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, before: str
) -> None:
    name = names(exports[0])[3]
    labels = table(tmp_path, before + name, f"other/{name}", name.removesuffix(".png").upper())
    points = sidecar.map_file(labels, exports[0]).points
    assert points.png[:, 2].tolist() == [3, 3, 3]


def test_labels_of_another_export_are_refused_by_its_tag(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, run: CommandLine
) -> None:
    half, quarter = exports
    labels = table(tmp_path, names(quarter)[3])
    tags = half.document.images.tag, quarter.document.images.tag
    assert None not in tags and tags[0] != tags[1]
    told = run.refuses(
        "map-points", labels, "--sidecar", tmp_path / "half", says="is of another export"
    )
    assert "labels.csv, row 2" in told and all(str(tag) in told for tag in tags)


def test_without_tags_two_references_never_become_one_png(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, "specimenA/slice_0003.png", "specimenB/slice_0003.png")
    with pytest.raises(sidecar.LabelError, match=r"row 3: .*'specimenA/.*'specimenB/.*two scans"):
        sidecar.map_file(labels, exports[0])


def test_one_reference_in_several_spellings_is_one(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, "png/slice_0003.png", "./png/Slice_0003", "png//slice_0003.PNG")
    assert sidecar.map_file(labels, exports[0]).points.png[:, 2].tolist() == [3, 3, 3]


def labelme(folder: Path, image: str, data: bytes, size: tuple[int, int]) -> Path:
    path = folder / "labels.json"
    shape = {"label": "a", "points": [[3, 4]], "shape_type": "point", "flags": {}}
    path.write_text(
        json.dumps(
            {
                "version": "5.4.1",
                "flags": {},
                "shapes": [shape],
                "imagePath": image,
                "imageData": base64.b64encode(data).decode(),
                "imageWidth": size[0],
                "imageHeight": size[1],
            }
        )
    )
    return path


def test_the_image_in_the_label_file_says_whose_it_is(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    half, quarter = exports
    own = (tmp_path / "half" / names(half)[3]).read_bytes()
    assert len(sidecar.map_file(labelme(tmp_path, "slice_0003.png", own, (20, 18)), half).points)
    for folder, name, says in (
        ("quarter", names(quarter)[3], "of an export with tag"),
        ("half", names(half)[4], "PNG 4, and the file names it"),
    ):
        data = (tmp_path / folder / name).read_bytes()
        path = labelme(tmp_path, "slice_0003.png", data, (20, 18))
        with pytest.raises(sidecar.LabelError, match=says):
            sidecar.map_file(path, half)


def test_an_image_of_another_scan_is_refused(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    other = write(
        Spec(columns=40, rows=36, slices=9, markers=False, junk=False, seed=7), tmp_path / "b"
    )
    png = sidecar.export(other.folder, tmp_path / "other", scale=0.5)
    assert png.document.source.series_instance_uid != exports[0].document.source.series_instance_uid
    data = (tmp_path / "other" / names(png)[3]).read_bytes()
    with pytest.raises(sidecar.LabelError, match="of series"):
        sidecar.map_file(labelme(tmp_path, "slice_0003.png", data, (20, 18)), exports[0])


def test_a_size_that_is_that_of_another_export_nearby_is_refused(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    """It would be taken for a resized copy of this export's PNGs."""
    half, quarter = exports
    assert quarter.size[:2] == (10, 9)
    labels = labelme(tmp_path, "slice_0003.png", b"", (10, 9))
    with pytest.raises(sidecar.LabelError, match=r"10 × 9 there, .* PNGs in the folder quarter"):
        sidecar.map_file(labels, half)
    (tmp_path / "quarter").rename(tmp_path / "scan" / "quarter")
    assert any("resized" in note for note in sidecar.map_file(labels, half).notes)


def test_the_export_of_a_tag_is_named_where_it_lies_nearby(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, names(exports[1])[3])
    with pytest.raises(sidecar.LabelError, match="give that of the folder quarter"):
        sidecar.map_file(labels, exports[0])
