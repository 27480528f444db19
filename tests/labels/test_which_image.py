"""Which PNG an image reference means: the tag settles it, and what contradicts is refused."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.phantoms import Spec, write
from kit.tables import rows
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread

import sidecar
from sidecar.labels.identity.exports import given_exports
from sidecar.labels.load import LoadOptions, load, map_file
from sidecar.labels.writers import WRITERS

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
        "map-points", labels, "--sidecar", tmp_path / "half", says="belongs to another export"
    )
    assert "labels.csv, row 2" in told and all(str(tag) in told for tag in tags)


@pytest.mark.parametrize("image", [True, False], ids=["image", "slice"])
def test_a_table_says_which_export_it_is_of(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar],
    tmp_path: Path,
    run: CommandLine,
    image: bool,
) -> None:
    """As the viewer page saves it; names without a tag, and slices without a name, say nothing."""
    half, quarter = exports
    series = half.document.source.series_instance_uid
    labels = tmp_path / "labels.csv"
    place = "slice_0003.png" if image else ""
    row = f"p,{place},3,3,4,quarter,{series},{quarter.document.images.tag}\n"
    labels.write_text(f"label,image,slice,x,y,specimen,series_uid,tag\n{row}")
    assert len(sidecar.map_file(labels, quarter).points) == 1
    told = run.refuses(
        "map-points", labels, "--sidecar", tmp_path / "half", says="belongs to another export"
    )
    assert "labels.csv, row 2" in told
    assert str(quarter.document.images.tag) in told and str(half.document.images.tag) in told
    assert "the sidecar.json of the folder quarter" in told


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        (
            "tag",
            "BCDFGH",
            "the label belongs to another export: its tag is bcdfgh, but the tag of these PNGs is",
        ),
        ("Series_UID", "1.2.3", "is a label of series 1.2.3, but these PNGs are of series 2.25."),
    ],
)
def test_each_column_alone_contradicts(tmp_path: Path, column: str, cell: str, says: str) -> None:
    folder = write(SCAN, tmp_path / "scan").folder
    png = sidecar.export(folder, tmp_path / "png")
    labels = tmp_path / "labels.csv"
    labels.write_text(f"slice,x,y,{column}\n3,3,4,\n3,5,4,{cell}\n")
    with pytest.raises(sidecar.LabelError, match=f"row 3: {says}"):
        sidecar.map_file(labels, png)


def test_rows_that_say_their_export_are_told_apart_without_images(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    """Files of two pages in one table: its columns are those of the output, not there twice."""
    stated = (
        f"3,{x},4,{png.document.images.tag},{name},{png.document.source.series_instance_uid}\n"
        for png, name, x in zip(exports, ("half", "quarter"), (11, 5), strict=True)
    )
    labels = tmp_path / "labels.csv"
    labels.write_text("slice,x,y,tag,specimen,series_uid\n" + "".join(stated))
    loaded = load([labels], given_exports([tmp_path / "half", tmp_path / "quarter"]))
    assert [(file.export.name, file.points.png[0, 0]) for file in loaded.files] == [
        ("half", 11),
        ("quarter", 5),
    ]
    WRITERS["csv"].write(loaded.points, tmp_path / "mapped.csv", "lps")
    header = (tmp_path / "mapped.csv").read_text().split("\n", 1)[0].split(",")
    assert [header.count(name) for name in ("tag", "specimen", "series_uid")] == [1, 1, 1]


def test_what_is_no_tag_and_no_name_of_ours_is_the_users_own(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("slice,x,y,tag,specimen\n3,3,4,male,ZMB 12\n3,5,4,female,ZMB 13\n")
    points = sidecar.map_file(labels, exports[0]).points
    assert list(points.labels.columns["specimen"]) == ["ZMB 12", "ZMB 13"]


def test_a_tag_proves_the_export_whatever_its_specimen_was_called(tmp_path: Path) -> None:
    folder = write(SCAN, tmp_path / "scan").folder
    png = sidecar.export(folder, tmp_path / "png", specimen="beetle-7")
    tag, name = png.document.images.tag, names(png)[3]
    labels = tmp_path / "labels.csv"
    for row in (f"{name},3,4,old name,", f"a/beetle-7_0003.png,3,4,old name,{tag}"):
        labels.write_text(f"image,x,y,specimen,tag\n{row}\n")
        assert sidecar.map_file(labels, png).points.png[0, 2] == 3
    twice = "".join(f"{home}/beetle-7_0003.png,3,4,,{tag}\n" for home in "ab")
    labels.write_text(f"image,x,y,specimen,tag\n{twice}")
    assert len(sidecar.map_file(labels, png).points) == 2


def test_without_tags_two_references_never_become_one_png(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, "specimenA/slice_0003.png", "specimenB/slice_0003.png")
    with pytest.raises(sidecar.LabelError, match=r"row 3: .*'specimenA/.*'specimenB/.*two scans"):
        map_file(labels, exports[0], trust_names=True)
    tagged = f"specimenB/{names(exports[0])[3]}"
    with pytest.raises(sidecar.LabelError, match=r"row 3: .*'specimenA/.*'specimenB/.*two scans"):
        map_file(table(tmp_path, "specimenA/slice_0003.png", tagged), exports[0], trust_names=True)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["map-points", "zoom", "report", "map-mask"])
def test_a_name_without_a_tag_is_no_proof(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar],
    tmp_path: Path,
    run: CommandLine,
    command: str,
) -> None:
    """Every command refuses it, names the way out, and takes it."""
    box = [(3, 4), (9, 4), (9, 8), (3, 8)]
    rows = "".join(f"a,slice_0003,{x},{y},box,1,{k}\n" for k, (x, y) in enumerate(box))
    labels = tmp_path / "half" / "labels.csv"
    if command == "zoom":  # which is for landmarks
        rows = "a,slice_0003,3,4,point,1,0\n"
    labels.write_text("label,image,x,y,shape_type,shape_id,vertex\n" + rows)
    more: dict[str, list[str]] = {
        "map-points": ["-o", "mapped.csv"],
        "zoom": ["--source", "scan", "-o", "zooms"],
        "report": ["--source", "scan", "-o", "report.html"],
        "map-mask": ["-o", "mask.nii.gz"],
    }
    told = run.refuses(
        command, labels, *more[command], says=("row 2", "slice_0003", "--trust-names")
    )
    assert names(exports[0])[3] in told
    run.done(command, labels, *more[command], "--trust-names")


def test_one_reference_in_several_spellings_is_one(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, "png/slice_0003.png", "./png/Slice_0003", "png//slice_0003.PNG")
    points = map_file(labels, exports[0], trust_names=True).points
    assert points.png[:, 2].tolist() == [3, 3, 3]


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
        ("half", names(half)[4], "PNG 4, but this file calls it"),
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
    with pytest.raises(
        sidecar.LabelError, match=r"10 × 9 pixels in this file. The PNGs in the folder quarter"
    ):
        map_file(labels, half, trust_names=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(
        sidecar.LabelError, match=r"10 × 9 pixels in this file. The PNGs in the folder quarter"
    ):
        map_file(
            labels.rename(elsewhere / labels.name),
            sidecar.open(tmp_path / "half"),
            trust_names=True,
        )
    labels = elsewhere / labels.name
    (tmp_path / "quarter").rename(tmp_path / "scan" / "quarter")
    notes = map_file(labels, half, trust_names=True).notes
    assert any("resized" in note and "10 × 9" in note for note in notes)


def test_the_export_of_a_tag_is_named_where_it_lies_nearby(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    labels = table(tmp_path, names(exports[1])[3])
    with pytest.raises(sidecar.LabelError, match=r"give the sidecar\.json of the folder quarter"):
        sidecar.map_file(labels, exports[0])


def repainted(path: Path, change: str) -> bytes:
    """A PNG as a tool saves it again: without texts, in other gray values or another file."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    out, form = io.BytesIO(), "PNG"
    if change == "another window":
        pixels = np.clip(pixels.astype(float) * 0.7 + 20, 0, 255).round().astype(np.uint8)
    elif change == "16 bits":
        pixels = pixels.astype(np.uint16) * 200
    elif change == "colour":
        pixels = np.stack([pixels] * 3, axis=-1)
    elif change == "lossy":
        form = "JPEG"
    Image.fromarray(pixels).save(out, form, **({"quality": 95} if form == "JPEG" else {}))
    return out.getvalue()


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a scan in which no two slices look alike."""
    folder = tmp_path_factory.mktemp("noisy")
    rng = np.random.default_rng(1)
    write(Spec(columns=60, rows=48, slices=9, markers=False, junk=False), folder / "scan")
    for path in sorted((folder / "scan").rglob("*")):
        if path.is_file():
            dataset = dcmread(path)
            shade = rng.integers(0, 1000, (48, 60)).astype(dataset.pixel_array.dtype)
            dataset.PixelData = shade.tobytes()
            dataset.save_as(path)
    sidecar.export(folder / "scan", folder / "png", scale=0.5)
    return folder / "png"


@pytest.mark.parametrize("change", ["no texts", "another window", "16 bits", "colour"])
@pytest.mark.parametrize("place", ["carried", "beside"])
def test_the_pixels_of_an_image_prove_a_name_without_a_tag(
    noisy: Path, tmp_path: Path, change: str, place: str
) -> None:
    """Whatever tool saved it again, with other bytes, another window or other bits."""
    png = sidecar.open(noisy)
    (export,) = given_exports([noisy])
    for number, right in ((3, True), (4, False)):
        data = repainted(noisy / names(png)[number], change)
        carried = data if place == "carried" else b""
        labels = labelme(tmp_path, "slice_0003.png", carried, png.size[:2])
        if place == "beside":
            (tmp_path / "slice_0003.png").write_bytes(data)
        if right:
            (file,) = load([labels], [export]).files
            assert file.points.png[0, 2] == 3
        else:
            with pytest.raises(sidecar.LabelError, match=r"has other pixels than slice_0003_"):
                load([labels], [export])
            with pytest.raises(sidecar.LabelError, match=r"has other pixels than slice_0003_"):
                load([labels], [export], LoadOptions(trust_names=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda pngs: pngs[4],
        lambda pngs: pngs[3][:, ::-1],
        lambda pngs: pngs[3][::-1],
        lambda pngs: np.rot90(pngs[3], 2),
        lambda pngs: pngs[3][::-1] // 2 + np.uint8(20),
        lambda pngs: pngs[3][3:-3, 5:],  # a crop of the shape of a resize
    ],
    ids=["the next slice", "mirrored", "upside down", "half a turn", "darker too", "cropped"],
)
def test_what_an_image_surely_shows_contradicts_even_its_tag(
    noisy: Path, tmp_path: Path, change: Callable[[list[NDArray[np.uint8]]], NDArray[np.uint8]]
) -> None:
    """Saved again under the name of the PNG, by a program that drops its texts."""
    png = sidecar.open(noisy)
    name = names(png)[3]
    pixels = [np.asarray(Image.open(noisy / each)) for each in names(png)]
    Image.fromarray(np.ascontiguousarray(change(pixels))).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text(f"image,x,y\n{name},3,4\n")
    with pytest.raises(sidecar.LabelError, match=r"has other pixels|cropped"):
        load([tmp_path / "labels.csv"], given_exports([noisy]))


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels,
        lambda pixels: 255 - pixels,
        lambda pixels: np.where(np.arange(pixels.shape[1]) < 9, 255, pixels).astype(np.uint8),
        lambda pixels: (pixels > 100).astype(np.uint8),
        lambda pixels: np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1),
        np.zeros_like,
    ],
    ids=["saved again", "inverted", "painted on", "a mask", "twice as large", "black"],
)
def test_what_was_changed_otherwise_keeps_its_tag(
    noisy: Path, tmp_path: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    png = sidecar.open(noisy)
    name = names(png)[3]
    pixels = change(np.asarray(Image.open(noisy / name)))
    Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text(f"image,x,y\n{name},3,4\n")
    (file,) = load([tmp_path / "labels.csv"], given_exports([noisy])).files
    assert file.points.png[0, 2] == 3


def test_pngs_of_an_export_that_changed_their_names_are_refused(
    noisy: Path, tmp_path: Path
) -> None:
    export = shutil.copytree(noisy, tmp_path / "png")
    one, other = (export / name for name in names(sidecar.open(noisy))[2:4])
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    (export / "labels.csv").write_text(f"image,x,y\n{one.name},3,4\n")
    with pytest.raises(sidecar.LabelError, match="is PNG 3"):
        load([export / "labels.csv"], given_exports([export]))


def test_a_lossy_copy_is_no_proof_and_no_contradiction(noisy: Path, tmp_path: Path) -> None:
    png = sidecar.open(noisy)
    data = repainted(noisy / names(png)[3], "lossy")
    labels = labelme(tmp_path, "slice_0003.jpg", data, png.size[:2])
    with pytest.raises(sidecar.LabelError, match="--trust-names"):
        load([labels], given_exports([noisy]))
    assert load([labels], given_exports([noisy]), LoadOptions(trust_names=True)).files


def test_several_exports_in_one_file_each_label_by_its_own(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, run: CommandLine
) -> None:
    half, quarter = exports
    (tmp_path / "labels").mkdir()
    labels = table(tmp_path / "labels", names(half)[3], names(quarter)[5], names(half)[1])
    for given in (
        ["--sidecar", tmp_path],
        ["--sidecar", tmp_path / "half", "--sidecar", tmp_path / "quarter"],
        [],
    ):
        done = run.done("map-points", labels, *given, "-o", tmp_path / "mapped.csv")
        assert "2 points of half" in done.err and "1 point of quarter" in done.err
        mapped = rows((tmp_path / "mapped.csv").read_text())
        assert [(row["specimen"], row["source_slice"]) for row in mapped] == [
            ("half", "3.0"),
            ("half", "1.0"),
            ("quarter", "5.0"),
        ]
        assert {row["series_uid"] for row in mapped} == {half.document.source.series_instance_uid}
        one = [float(mapped[k]["source_column"]) for k in (0, 2)]
        assert one == [3 * 2 + 0.5, 3 * 4 + 1.5]


def test_images_chooses_labels_by_the_path_of_their_image(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, run: CommandLine
) -> None:
    labels = table(tmp_path, "a/slice_0003.png", "b/slice_0003.png", "a/slice_0004.png")
    command = ["map-points", labels, "--sidecar", tmp_path / "half", "--trust-names"]
    run.refuses(*command, says=("'a/slice_0003.png'", "'b/slice_0003.png'", "--images"))
    done = run.done(*command, "--images", "a/*")
    assert [row["image"] for row in rows(done.out)] == ["a/slice_0003.png", "a/slice_0004.png"]
    assert "--images a/*: 1 label on other images left out" in done.err
    run.refuses(*command, "--images", "c/*", says=("--images c/* matches none", "a/slice_0003.png"))


def test_who_counts_slices_is_told_that_the_whole_stack_is_assumed(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, run: CommandLine
) -> None:
    labels = tmp_path / "points.csv"
    labels.write_text("index,axis-0,axis-1,axis-2\n0,1,3,4\n")
    done = run.done("map-points", labels, "--sidecar", tmp_path / "half")
    assert "whole stack of 9 PNGs, opened in order" in done.err
    run.refuses("map-points", labels, "--sidecar", tmp_path, says=("half, quarter", "--sidecar"))


def test_a_png_with_labels_in_two_files_is_told(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path, run: CommandLine
) -> None:
    first = table(tmp_path, *names(exports[0])[2:5])
    second = first.with_name("again.csv")
    second.write_text(first.read_text())
    done = run.done("map-points", first, second, "--sidecar", tmp_path / "half")
    assert "some PNGs have labels in labels.csv too (3 PNGs)" in done.err


def test_a_label_file_named_after_another_png_is_refused(
    exports: tuple[sidecar.Sidecar, sidecar.Sidecar], tmp_path: Path
) -> None:
    half, quarter = exports
    for stem in (names(half)[4], names(quarter)[3], "slice_0004"):
        path = labelme(tmp_path, names(half)[3], b"", half.size[:2])
        renamed = path.rename(tmp_path / Path(stem).with_suffix(".json").name)
        with pytest.raises(sidecar.LabelError, match="gives it two names"):
            sidecar.map_file(renamed, half)
    same = labelme(tmp_path, names(half)[3], b"", half.size[:2]).rename(
        tmp_path / "slice_0003.json"
    )
    assert len(sidecar.map_file(same, half).points) == 1


def test_images_chooses_labels_by_their_task_too(shared_cases: Path) -> None:
    """Where the path is the same."""
    labels = shared_cases / "labels" / "01-two-scans-one-file" / "cvat_project.xml"
    document = shared_cases / "labels" / "common" / "A.sidecar.json"
    for scan, x in (("specimenA", 101.5), ("specimenB", 54.5)):
        (file,) = load(
            [labels], given_exports([document]), LoadOptions(images=f"task*{scan}*")
        ).files
        assert file.points.png[:, 0].tolist() == [x]
