"""ImageJ selections, made with roifile in the form RoiEncoder writes them."""

from __future__ import annotations

import dataclasses
import random
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.label_truth import (
    LANDMARKS,
    ONE,
    STACK,
    WHOLE_CENTER,
    Landmark,
    check,
    check_columns,
    slices,
)
from kit.zips import Entry, write_raw

from sidecar.errors import LabelError, MissingExtraError
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import imagej_roi
from sidecar.labels.readers.imagej_roi import READER

roifile = pytest.importorskip("roifile")

#: File versions of ImageJ before 1.52u and after.
OLD, NEW = 227, 228


def roi(kind: str, xy: Sequence[Sequence[float]], whole: bool = False, **more: Any) -> Any:
    """As ImageJ saves: whole coordinates relative to the bounding box, then absolute 32-bit floats
    if it has sub-pixel ones.
    """
    coordinates = np.array(xy, dtype=np.float32)
    floor = np.floor(coordinates).astype(np.int32)
    left, top = floor.min(0)
    right, bottom = floor.max(0) + 1
    fields = {
        "roitype": roifile.ROI_TYPE[kind],
        "version": NEW,
        "left": int(left),
        "top": int(top),
        "right": int(right),
        "bottom": int(bottom),
        "n_coordinates": len(xy),
        "integer_coordinates": floor - [left, top],
    }
    if not whole:
        fields |= {
            "subpixel_coordinates": coordinates,
            "options": roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION,
        }
    return roifile.ImagejRoi(**(fields | more))


def point(m: Landmark, **more: Any) -> Any:
    return roi("POINT", [(m.x, m.y)], **({"name": m.name, "position": m.slice + 1} | more))


def write(tmp_path: Path, *rois: Any) -> Path:
    if len(rois) == 1:
        path = tmp_path / "0001-0040-0012.roi"
        path.write_bytes(rois[0].tobytes())
        return path
    path = tmp_path / "RoiSet.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, entry in enumerate(rois):
            archive.writestr(f"{n:04d}-0040-0012.roi", entry.tobytes())
    return path


def read(path: Path, stack: Any = STACK, origin: Any = None) -> Any:
    assert READER.recognises(path, path.read_bytes()[:65536])
    return READER.read(path, stack, ReadOptions(origin))


def test_points_come_back(tmp_path: Path) -> None:
    labels = read(write(tmp_path, *map(point, LANDMARKS)))
    check(labels, LANDMARKS)
    assert (labels.pixel_origin, labels.shapes.kinds) == ("center", ("point",))
    assert any("1.52t" in note and "--pixel-origin corner" in note for note in labels.notes)


def test_points_of_the_newest_imagej_leave_nothing_to_assume(tmp_path: Path) -> None:
    labels = read(write(tmp_path, *(point(m, version=229) for m in LANDMARKS)))
    check(labels, LANDMARKS)
    assert labels.notes == ()


def test_whole_points_come_back(tmp_path: Path) -> None:
    labels = read(write(tmp_path, *(point(m, whole=True) for m in WHOLE_CENTER)))
    check(labels, WHOLE_CENTER)


def test_points_of_an_old_imagej_come_back(tmp_path: Path) -> None:
    old = [
        roi("POINT", [m.corner], name=m.name, position=m.slice + 1, version=OLD) for m in LANDMARKS
    ]
    labels = read(write(tmp_path, *old))
    check(labels, LANDMARKS)
    assert labels.pixel_origin == "corner"
    assert any("1.52u" in note and "--pixel-origin center" in note for note in labels.notes)


@pytest.mark.parametrize(
    "old",
    [
        roi("POINT", [(12, 40)], whole=True, version=OLD, position=1),
        roi("POLYLINE", [(1, 2), (3, 4)], version=OLD, position=1),
    ],
)
def test_what_an_old_imagej_leaves_open_is_refused_until_the_user_says(
    tmp_path: Path, old: Any
) -> None:
    path = write(tmp_path, old)
    with pytest.raises(LabelError, match=r"--pixel-origin center.*corner"):
        read(path)
    np.testing.assert_array_equal(
        read(path, origin="center").xy - read(path, origin="corner").xy, 0.5
    )


def test_a_multi_point_selection_lies_on_several_slices(tmp_path: Path) -> None:
    multipoint = roi(
        "POINT",
        [(m.x, m.y) for m in LANDMARKS],
        name="skull",
        counters=np.arange(len(LANDMARKS), dtype=np.uint8) % 2,
        counter_positions=np.array([m.slice + 1 for m in LANDMARKS], dtype=np.uint32),
    )
    labels = read(write(tmp_path, multipoint))
    np.testing.assert_array_equal(labels.xy, [(m.x, m.y) for m in LANDMARKS])
    assert slices(labels) == [m.slice for m in LANDMARKS]
    assert labels.columns["vertex"] == [str(n) for n in range(len(LANDMARKS))]
    assert set(labels.columns["shape_id"]) == {"1"} and set(labels.columns["label"]) == {"skull"}
    assert labels.columns["counter"][:3] == ["0", "1", "0"]
    check_columns(labels)


def test_points_without_a_position_of_their_own_have_that_of_the_selection(tmp_path: Path) -> None:
    multipoint = roi(
        "POINT",
        [(1, 2), (3, 4)],
        position=5,
        counters=np.zeros(2, np.uint8),
        counter_positions=np.array([0, 8], np.uint32),
    )
    assert slices(read(write(tmp_path, multipoint))) == [4, 7]


SQUARE = [(10, 20), (14, 20), (14, 26), (10, 26)]


@pytest.mark.parametrize(
    ("selection", "vertices", "ours"),
    [
        (
            roi("POLYGON", SQUARE, whole=True),
            [[9.5, 19.5], [13.5, 19.5], [13.5, 25.5], [9.5, 25.5]],
            "polygon",
        ),
        (roi("FREEHAND", [(10.25, 20.5), (14.75, 21)]), [[9.75, 20], [14.25, 20.5]], "polygon"),
        (
            roi("TRACED", SQUARE, whole=True),
            [[9.5, 19.5], [13.5, 19.5], [13.5, 25.5], [9.5, 25.5]],
            "polygon",
        ),
        (roi("POLYLINE", [(10, 20), (14, 26)], whole=True), [[10, 20], [14, 26]], "polyline"),
        (roi("FREELINE", [(10.25, 20.5), (14.75, 21)]), [[10.25, 20.5], [14.75, 21]], "polyline"),
        (
            roifile.ImagejRoi(
                roitype=roifile.ROI_TYPE.LINE, version=NEW, x1=1.25, y1=2, x2=3, y2=4.5
            ),
            [[1.25, 2], [3, 4.5]],
            "line",
        ),
        (
            roifile.ImagejRoi(
                roitype=roifile.ROI_TYPE.RECT, version=NEW, left=10, top=20, right=14, bottom=26
            ),
            [[9.5, 19.5], [13.5, 19.5], [13.5, 25.5], [9.5, 25.5]],
            "box",
        ),
        (
            roifile.ImagejRoi(
                roitype=roifile.ROI_TYPE.RECT,
                version=NEW,
                options=roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION,
                left=10,
                top=20,
                right=14,
                bottom=26,
                xd=10.25,
                yd=20.5,
                widthd=4,
                heightd=6,
            ),
            [[9.75, 20], [13.75, 20], [13.75, 26], [9.75, 26]],
            "box",
        ),
        (
            roifile.ImagejRoi(
                roitype=roifile.ROI_TYPE.OVAL, version=NEW, left=10, top=20, right=14, bottom=26
            ),
            [[11.5, 22.5], [13.5, 22.5], [11.5, 25.5]],
            "ellipse",
        ),
    ],
)
def test_shapes(tmp_path: Path, selection: Any, vertices: list[Any], ours: str) -> None:
    labels = read(write(tmp_path, dataclasses.replace(selection, position=4)))
    np.testing.assert_allclose(labels.xy, vertices, rtol=0, atol=1e-9)
    assert labels.shapes.kinds == (ours,)
    assert set(slices(labels)) == {3}
    assert labels.pixel_origin == ("corner" if ours in ("polygon", "box", "ellipse") else "center")
    check_columns(labels)


def test_a_composite_area_is_several_polygons(tmp_path: Path) -> None:
    path_data = np.array(
        [0, 1, 2, 1, 3, 2, 1, 3, 4, 4, 0, 7, 8, 1, 9, 8, 1, 9, 9, 4], dtype=np.float32
    )
    composite = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT,
        version=NEW,
        shape_roi_size=len(path_data),
        multi_coordinates=path_data,
        right=10,
        bottom=10,
        position=1,
    )
    labels = read(write(tmp_path, composite))
    np.testing.assert_allclose(
        labels.xy + 0.5, [[1, 2], [3, 2], [3, 4], [7, 8], [9, 8], [9, 9]], rtol=0, atol=1e-9
    )
    assert labels.columns["vertex"] == ["0", "1", "2"] * 2


def test_points_and_areas_in_one_set(tmp_path: Path) -> None:
    labels = read(
        write(tmp_path, point(LANDMARKS[0]), roi("POLYGON", SQUARE, whole=True, position=1))
    )
    assert labels.xy[:2].tolist() == [[12.5, 40.5], [9.5, 19.5]]
    assert labels.pixel_origin == "center and corner"


def test_names(tmp_path: Path) -> None:
    labels = read(
        write(
            tmp_path,
            point(LANDMARKS[0], name="Schädel µ"),
            point(LANDMARKS[1], name="", group=300, version=229),
        )
    )
    assert labels.columns["label"] == ["Schädel µ", "0001-0040-0012"]
    assert labels.columns["group"] == ["", "300"]


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ({"position": 4}, 3),
        ({"c_position": 1, "z_position": 4, "t_position": 1}, 3),
        ({"c_position": 2, "z_position": 4, "t_position": 3}, 3),
        ({"c_position": 1, "z_position": 1, "t_position": 1}, 0),
        ({"position": 4, "z_position": 4}, 3),
    ],
)
def test_positions(tmp_path: Path, position: dict[str, int], expected: int) -> None:
    assert slices(read(write(tmp_path, roi("POINT", [(1, 2)], **position)))) == [expected]


def test_a_selection_saved_from_one_png_is_named_by_the_file(tmp_path: Path) -> None:
    """File > Save As > Selection proposes the title of the image."""
    for name in ("slice_0007.roi", "slice_0007_gjgbtf.roi"):
        path = tmp_path / name
        path.write_bytes(roi("POINT", [(1, 2)]).tobytes())
        labels = read(path)
        assert [Path(image).stem for image in labels.image] == [path.stem]
        assert np.isnan(labels.slice).all()


def test_a_position_and_the_name_of_the_file_are_both_handed_over(tmp_path: Path) -> None:
    """Identity refuses them where they contradict each other. A stack bears its first name."""
    for name, image in (("slice_0007.roi", "slice_0007.png"), ("slice_0000.roi", "")):
        path = tmp_path / name
        path.write_bytes(roi("POINT", [(1, 2)], position=5).tobytes())
        labels = read(path)
        assert (labels.image, labels.slice.tolist()) == ([image], [4])


def test_without_a_position_the_name_that_imagej_gave_tells(tmp_path: Path) -> None:
    """RoiManager.getSliceNumber: ImageJ itself goes by it. Not where it was moved since."""
    named = roi("POINT", [(30.5, 10.5)], name="0004-0010-0030")
    assert slices(read(write(tmp_path, named))) == [3]
    for name in ("0004-0010-0035", "0000-0010-0030", "0010-0030", "LM-0004-0010-0030"):
        path = write(tmp_path, roi("POINT", [(30.5, 10.5)], name=name))
        with pytest.raises(LabelError, match="has no position"):
            read(path)
    placed = roi("POINT", [(30.5, 10.5)], name="0004-0010-0030", position=6)
    assert slices(read(write(tmp_path, placed))) == [5]


def test_a_selection_without_position(tmp_path: Path) -> None:
    path = write(tmp_path, roi("POINT", [(1, 2)], name="nasion"))
    with pytest.raises(LabelError, match=r"selection 'nasion': has no position.*ROI Manager"):
        read(path)
    assert slices(read(path, ONE)) == [0]


@pytest.mark.parametrize(
    "position",
    [
        {"c_position": 2, "z_position": 1, "t_position": 1},
        {"c_position": 1, "z_position": 1, "t_position": 4},
        {"t_position": 4},
        {"c_position": 4},
    ],
)
def test_a_channel_or_frame_alone_may_be_the_slice_and_is_refused(
    tmp_path: Path, position: dict[str, int]
) -> None:
    path = write(tmp_path, roi("POINT", [(1, 2)], name="nasion", **position))
    with pytest.raises(
        LabelError, match=r"selection 'nasion': lies on (channel|frame) \d.*Re-order"
    ):
        read(path)
    assert slices(read(path, ONE)) == [0]


def test_in_a_hyperstack_the_slice_is_z(tmp_path: Path) -> None:
    """Another selection on a slice beyond the first tells that z is what the PNGs are."""
    bregma = point(LANDMARKS[0], position=0, c_position=2, z_position=1, t_position=1)
    lambda_ = point(LANDMARKS[1], position=0, c_position=1, z_position=5, t_position=1)
    labels = read(write(tmp_path, bregma, lambda_))
    assert slices(labels) == [0, 4]
    assert any("Selections in other channels or frames: 1" in note for note in labels.notes)


def test_positions_that_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="position 3 and slice 5, and these contradict"):
        read(write(tmp_path, roi("POINT", [(1, 2)], position=3, z_position=5)))


def test_points_of_a_multi_point_selection_on_a_hyperstack(tmp_path: Path) -> None:
    """Their own positions count through channels too, whose number the file does not tell."""
    points = roi(
        "POINT",
        [(1, 2), (3, 4)],
        c_position=2,
        z_position=2,
        counters=np.zeros(2, np.uint8),
        counter_positions=np.array([4, 8], np.uint32),
    )
    with pytest.raises(LabelError, match="multi-point selection on a hyperstack"):
        read(write(tmp_path, points))


def test_an_angle_is_corner_in_every_version(tmp_path: Path) -> None:
    """isLine() ends at FREELINE, so that ImageJ draws an angle as it draws areas."""
    for version in (OLD, NEW):
        angle = roi("ANGLE", [(5.5, 4.5), (20.5, 4.5), (20.5, 15.5)], position=5, version=version)
        labels = read(write(tmp_path, angle))
        assert labels.xy.tolist() == [[5, 4], [20, 4], [20, 15]]
        assert (labels.shapes.kinds, labels.pixel_origin) == (("polyline",), "corner")


def rounded(width: int, height: int, arc: int) -> Any:
    return roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT,
        version=NEW,
        left=4,
        top=6,
        right=4 + width,
        bottom=6 + height,
        rounded_rect_arc_size=arc,
        position=4,
    )


@pytest.mark.parametrize(("width", "height", "arc"), [(20, 16, 12), (20, 16, 2), (9, 30, 9)])
def test_a_rounded_rectangle_lacks_its_corners(
    tmp_path: Path, width: int, height: int, arc: int
) -> None:
    labels = read(write(tmp_path, rounded(width, height, arc)))
    xy = labels.xy + 0.5
    assert labels.shapes.kinds == ("polygon",)
    assert xy.min(0).tolist() == pytest.approx([4, 6])
    assert xy.max(0).tolist() == pytest.approx([4 + width, 6 + height])
    x, y = xy.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(width * height - (1 - np.pi / 4) * arc**2, abs=1e-3 * arc**2)
    assert any("rounded corners" in note for note in labels.notes)


def test_an_arc_larger_than_the_rectangle_makes_an_ellipse(tmp_path: Path) -> None:
    xy = read(write(tmp_path, rounded(20, 10, 99))).xy + 0.5 - [14, 11]
    np.testing.assert_allclose(((xy / [10, 5]) ** 2).sum(1), 1, rtol=0, atol=1e-9)


@pytest.mark.parametrize("subtype", ["TEXT", "IMAGE"])
def test_captions_and_images_are_left_out_and_said(tmp_path: Path, subtype: str) -> None:
    caption = dataclasses.replace(rounded(9, 9, 0), subtype=roifile.ROI_SUBTYPE[subtype])
    labels = read(write(tmp_path, caption, point(LANDMARKS[1])))
    check(labels, LANDMARKS[1:2])
    assert labels.left_out[0].startswith(f"1 {subtype.lower()} selection left out")


def test_other_files_in_a_zip_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, *map(point, LANDMARKS))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "not a selection")
        archive.writestr("__MACOSX/._1.roi", b"\0\5\x16\7\0\2\0\0Mac OS X")
    assert read(path).left_out == ("2 other files left out: not a selection",)


def test_roifile_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(MissingExtraError, match=r"Reading ImageJ ROIs needs .*\[imagej\]"):
        read(write(tmp_path, point(LANDMARKS[0])))


# --- files that mean harm


def bomb(path: Path, size: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.roi", point(LANDMARKS[0]).tobytes())
        archive.writestr("b.roi", bytes(size))
    return path


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bomb(tmp_path / "RoiSet.zip", 2 << 20)
    monkeypatch.setattr(imagej_roi, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("was unpacked"))
    assert path.stat().st_size < 1 << 14
    with pytest.raises(LabelError, match="more than a zip of the ROI Manager"):
        read(path)


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path) -> None:
    path = bomb(tmp_path / "RoiSet.zip", 1 << 20)
    size = (1 << 20).to_bytes(4, "little")
    data = path.read_bytes()
    assert data.count(size) == 2  # in the local header and in the central directory
    path.write_bytes(data.replace(size, (300).to_bytes(4, "little")))
    with pytest.raises(LabelError, match="cannot be unpacked"):
        read(path)


def test_a_zip_of_too_many_selections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, *map(point, LANDMARKS))
    monkeypatch.setattr(imagej_roi, "MAX_SELECTIONS", 6)
    with pytest.raises(LabelError, match="more than a zip of the ROI Manager"):
        read(path)


def test_a_file_without_a_name_in_a_zip_is_no_selection(tmp_path: Path) -> None:
    entries = [Entry(f"{n}.roi", point(m).tobytes()) for n, m in enumerate(LANDMARKS)]
    path = write_raw(tmp_path / "RoiSet.zip", [*entries, Entry("", b"data")])
    assert read(path).left_out == ("1 other file left out: not a selection",)


def test_names_in_a_zip_are_no_paths(tmp_path: Path) -> None:
    path = tmp_path / "in" / "RoiSet.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../evil.roi", point(LANDMARKS[0], name="").tobytes())
        archive.writestr("notes.txt", "not a selection")
    assert read(path).columns["label"] == ["evil"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["RoiSet.zip", "in"]


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = write(tmp_path, point(LANDMARKS[0]), point(LANDMARKS[1]))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(LabelError, match="cannot be unpacked"):
        read(path)


@pytest.mark.parametrize("coordinates", [(np.nan, 1.0), (1.0, np.inf)])
def test_coordinates_that_are_no_numbers(tmp_path: Path, coordinates: tuple[float, float]) -> None:
    bad = point(LANDMARKS[0])
    bad.subpixel_coordinates = np.array([coordinates], dtype=np.float32)
    with pytest.raises(LabelError, match="damaged"):
        read(write(tmp_path, bad))


@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
def test_damaged_files_are_label_errors(tmp_path: Path, several: bool) -> None:
    """Bytes changed at random, and files cut short: read, or refused with a LabelError; nothing
    else comes out.
    """
    rng = random.Random(20261123)
    whole = write(
        tmp_path,
        point(LANDMARKS[0]),
        *([roi("POLYGON", SQUARE, position=1), point(LANDMARKS[1])] if several else []),
    ).read_bytes()
    path, refused = tmp_path / "damaged", 0
    for n in range(400):
        data = bytearray(whole[: rng.randrange(5, len(whole))] if n % 4 == 0 else whole)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data))
        try:
            READER.read(path, STACK, ReadOptions("center"))
        except LabelError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("head", [b"", b"Iou", b"PK\x03\x04", b"II*\x00", b"x\ty\n"])
def test_other_files_are_not_recognised(tmp_path: Path, head: bytes) -> None:
    assert not READER.recognises(tmp_path, head)


def test_a_zip_of_something_else_is_not_recognised(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("annotations.xml", "<annotations/>")
    assert not READER.recognises(tmp_path, (tmp_path / "a.zip").read_bytes())
