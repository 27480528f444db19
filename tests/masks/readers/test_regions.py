"""Polygons, boxes, run lengths and brush masks of label tools on the PNG grid."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roifile
from kit.exports import png_names
from kit.painted_masks import Case, Exported, exported, rle_pack
from kit.phantoms import Spec
from kit.refusals import refuses
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pycocotools import mask as cocomask

from sidecar.errors import LabelError, UsageError
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions
from sidecar.labels.model import ReadOptions
from sidecar.labels.tables.columns import Made as Columns
from sidecar.masks.model import Mask
from sidecar.masks.readers import read_mask
from sidecar.masks.segments import MaskConfig

COLUMNS, ROWS, SLICES = 40, 30, 3


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    spec = Spec(columns=80, rows=60, slices=6, sigma=(2.0, 0.5), junk=False)
    return exported(
        Case("small", spec, {"scale": 0.5, "z_step": 2}, (0, 0, 0), (2, 2, 2)),
        tmp_path_factory.mktemp("scan"),
    )


def read(path: Path, scan: Exported, config: MaskConfig | None = None, **options: Any) -> Mask:
    loading = LoadOptions(**{"trust_names": True, **options})
    return read_mask([path], [Export(scan.sidecar)], config=config, options=loading)


def planes(mask: Mask) -> NDArray[Any]:
    empty = np.zeros((ROWS, COLUMNS), mask.dtype)
    return np.stack([empty if plane is None else plane for plane in mask.planes()])


def blank() -> NDArray[np.uint8]:
    return np.zeros((SLICES, ROWS, COLUMNS), np.uint8)


@pytest.fixture
def blob() -> NDArray[np.bool_]:
    y, x = np.mgrid[:ROWS, :COLUMNS]
    out = (x - 20.2) ** 2 + 2 * (y - 14.1) ** 2 < 110
    out[12:15, 18:22] = False
    return np.asarray(out)


def labelme(
    shapes: list[dict[str, Any]], image: str = "slice_0001.png", **more: Any
) -> dict[str, Any]:
    return {"version": "5.5.0", "flags": {}, "imagePath": image, "imageData": None, "imageHeight": ROWS, "imageWidth": COLUMNS,
            "shapes": [{"group_id": None, "description": "", "flags": {}, "mask": None, **shape} for shape in shapes]} | more  # fmt: skip


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_labelme_polygons_and_boxes_run_along_pixel_edges(scan: Exported, tmp_path: Path) -> None:
    """Their (2, 3) is the outer corner of pixel (2, 3): the box from there to (5, 7) is 3 × 4
    pixels.
    """
    document = labelme(
        [
            {"label": "box", "points": [[2, 3], [5, 7]], "shape_type": "rectangle"},
            {"label": "tri", "points": [[10, 10], [20, 10], [10, 20]], "shape_type": "polygon"},
            {"label": "p", "points": [[1, 1]], "shape_type": "point"},
        ]
    )
    mask = read(write(tmp_path / "a.json", document), scan)
    expected = blank()
    expected[1, 3:7, 2:5] = 1
    for row in range(10, 20):
        # The hypotenuse x + y = 30 goes through pixel middles (x + ½) + (y + ½): they lie on the
        # right side of the shape.
        expected[1, row, 10 : 29 - row] = 2
    np.testing.assert_array_equal(planes(mask), expected)
    assert [s.name for s in mask.segments] == ["box", "tri"]
    assert "1 point left out: no area" in mask.notes


def test_labelme_circles(scan: Exported, tmp_path: Path) -> None:
    document = labelme(
        [{"label": "c", "points": [[20.5, 15.5], [25.5, 15.5]], "shape_type": "circle"}]
    )
    y, x = np.mgrid[:ROWS, :COLUMNS]
    np.testing.assert_array_equal(
        planes(read(write(tmp_path / "a.json", document), scan))[1],
        (x - 20) ** 2 + (y - 15) ** 2 <= 25,
    )


def test_labelme_masks(scan: Exported, blob: NDArray[np.bool_], tmp_path: Path) -> None:
    ys, xs = np.nonzero(blob)
    part = blob[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    buffer = io.BytesIO()
    Image.fromarray(part).save(buffer, "PNG")
    corners = [[float(xs.min()), float(ys.min())], [float(xs.max()), float(ys.max())]]
    shape = {
        "label": "m",
        "points": corners,
        "shape_type": "mask",
        "mask": base64.b64encode(buffer.getvalue()).decode(),
    }
    mask = read(write(tmp_path / "a.json", labelme([shape])), scan)
    np.testing.assert_array_equal(planes(mask)[1], blob)
    assert mask.present == ((), (1,), ())
    shape["points"] = [[-3.0, -2.0], [0.0, 0.0]]
    moved = planes(read(write(tmp_path / "b.json", labelme([shape])), scan))[1]
    np.testing.assert_array_equal(moved[: part.shape[0] - 2, : part.shape[1] - 3], part[2:, 3:])
    for broken in ("!!!", base64.b64encode(buffer.getvalue()[:40]).decode()):
        shape["mask"] = broken
        refuses(
            lambda: read(write(tmp_path / "c.json", labelme([shape])), scan),
            LabelError,
            "c.json, shape 1",
        )


def cvat(*elements: str, image: str = "png/slice_0002.png") -> str:
    body = "".join(elements)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n '
        f' <meta><task><id>4</id></task></meta>\n  <image id="0" name="{image}" width="{COLUMNS}"'
        f' height="{ROWS}">{body}</image>\n</annotations>'
    )


def runs(bits: NDArray[np.bool_]) -> list[int]:
    flat = np.concatenate([[False], bits.ravel(), [not bits.ravel()[-1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(length) for length in np.diff(np.concatenate([[0], ends]))]


def png_of(pixels: NDArray[np.bool_], texts: dict[str, str] | None = None) -> str:
    """A PNG in base64, with texts in it as exports write them."""
    buffer, info = io.BytesIO(), PngInfo()
    for key, text in (texts or {}).items():
        info.add_text(key, text)
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=info)
    return base64.b64encode(buffer.getvalue()).decode()


def test_a_labelme_mask_on_an_image_of_another_scan_is_refused(
    scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    shape = {"label": "m", "points": [[0, 0], [39, 29]], "shape_type": "mask", "mask": png_of(blob)}
    texts = {"Sidecar": "1.1", "SeriesInstanceUID": "1.2.3", "Slice": "1"}
    for more in ({}, {"imageHeight": None, "imageWidth": None}):
        document = labelme([shape], imageData=png_of(blob, texts), **more)
        path = write(tmp_path / "a.json", document)
        refuses(partial(read, path, scan), LabelError, "a.json", "of series 1.2.3")


def test_masks_and_outlines_of_two_images_of_one_name_do_not_become_one_png(
    scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    """Of two tasks, folders or uploads, of which one may be of another scan. A tag settles it."""
    mask_ = f'<mask label="m" rle="{", ".join(map(str, runs(blob)))}" left="0" top="0" width="40" height="30"/>'
    polygon = '<polygon label="p" points="1,1;9,1;9,9"/>'
    tagged = scan.names[1]
    for second in (mask_, polygon):
        for name, is_refused in (("slice_0001.png", True), (tagged, False)):
            images = [
                f'<image id="{n}" name="{name}" task_id="{n}" width="40" height="30">{element}</image>'
                for n, element in ((4, mask_), (5, second))
            ]
            text = f"<annotations>\n<version>1.1</version>{''.join(images)}</annotations>"
            path = write(tmp_path / "a.xml", text)
            if is_refused:
                refuses(partial(read, path, scan), LabelError, "task 4", "task 5")
            else:
                assert read(path, scan).present[1]


def test_cvat_polygons_boxes_and_masks(
    scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    part = blob[4:24, 9:32]
    text = ", ".join(map(str, runs(part)))
    assert sum(runs(part)) == part.size
    mask_ = (
        f'<mask label="m" source="manual" occluded="0" rle="{text}" left="9" top="4" width="23"'
        ' height="20" z_order="0"></mask>'
    )
    box = (
        '<box label="b" source="manual" occluded="0" xtl="1.00" ytl="1.00" xbr="4.00" ybr="3.00"'
        ' z_order="0"></box>'
    )
    polygon = (
        '<polygon label="p" source="manual" occluded="0"'
        ' points="30.00,1.00;38.00,1.00;38.00,4.00;30.00,4.00" z_order="0"></polygon>'
    )
    mask = read(write(tmp_path / "a.xml", cvat(mask_, box, polygon)), scan)
    expected = blank()
    expected[2, 1:3, 1:4], expected[2, 1:4, 30:38] = 1, 3
    expected[2][blob] = 2
    np.testing.assert_array_equal(planes(mask), expected)
    assert [s.name for s in mask.segments] == ["b", "m", "p"]
    assert not any("map-mask" in note for note in mask.notes)
    narrow = write(tmp_path / "b.xml", cvat(mask_.replace('width="23"', 'width="22"')))
    refuses(lambda: read(narrow, scan), LabelError, "mask 1", "run lengths")
    huge = write(tmp_path / "e.xml", cvat(mask_.replace('width="23"', 'width="2300000000"')))
    refuses(lambda: read(huge, scan), LabelError, "larger than the PNG")
    elsewhere = write(tmp_path / "c.xml", cvat(mask_, image="slice_0009.png"))
    refuses(lambda: read(elsewhere, scan), LabelError, "slice_0009.png")
    resized = write(
        tmp_path / "d.xml",
        cvat(mask_).replace('width="40"', 'width="80"').replace('height="30"', 'height="60"'),
    )
    refuses(lambda: read(resized, scan), LabelError, "80 × 60", "resized")


def coco(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "images": [{"id": 5, "file_name": "slice_0001.png", "width": COLUMNS, "height": ROWS}],
        "categories": [{"id": 1, "name": "bone"}, {"id": 2, "name": "gap"}],
        "annotations": [
            {"id": n, "image_id": 5, "category_id": 1, "iscrowd": 0, **a}
            for n, a in enumerate(annotations, 1)
        ],
    }


@pytest.mark.parametrize("compressed", [False, True])
def test_coco_run_lengths(
    compressed: bool, scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    encoded = cocomask.encode(np.asfortranarray(blob.astype(np.uint8)))
    counts = encoded["counts"].decode() if compressed else runs(blob.T)
    bbox = cocomask.toBbox(encoded).tolist()
    annotation = {
        "segmentation": {"size": [ROWS, COLUMNS], "counts": counts},
        "bbox": bbox,
        "area": int(blob.sum()),
    }
    mask = read(write(tmp_path / "a.json", coco(annotation)), scan)
    np.testing.assert_array_equal(planes(mask)[1], blob)
    assert [s.name for s in mask.segments] == ["bone"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # by pycocotools
def test_coco_polygons_in_parts_are_joined(scan: Exported, tmp_path: Path) -> None:
    """Two boxes that overlap: a part seen on either side of something, not a hole."""
    parts = [[2, 2, 12, 2, 12, 8, 2, 8], [8, 4, 20, 4, 20, 12, 8, 12]]
    mask = read(
        write(tmp_path / "a.json", coco({"segmentation": parts, "bbox": [2, 2, 18, 10]})), scan
    )
    encoded = cocomask.merge(
        cocomask.frPyObjects([list(map(float, part)) for part in parts], ROWS, COLUMNS)
    )
    np.testing.assert_array_equal(planes(mask)[1], cocomask.decode(encoded))
    assert not any("different labels" in note for note in mask.notes)


def test_ids_that_repeat_after_a_merge_lose_no_polygon(scan: Exported, tmp_path: Path) -> None:
    """A polygon, and a box on another image, have the id of a mask."""
    square = np.zeros((ROWS, COLUMNS), bool)
    square[4:9, 3:5] = True
    runs_ = {
        "segmentation": {"size": [ROWS, COLUMNS], "counts": runs(square.T)},
        "bbox": [3, 4, 2, 5],
    }
    polygon = {"id": 1, "segmentation": [[10, 10, 20, 10, 20, 15, 10, 15]], "bbox": [10, 10, 10, 5]}
    box = {"id": 1, "image_id": 6, "bbox": [3, 4, 2, 5]}
    content = coco(runs_, polygon, box)
    content["images"].append(content["images"][0] | {"id": 6, "file_name": "slice_0002.png"})
    expected = blank()
    expected[1:, 4:9, 3:5] = expected[1, 10:15, 10:20] = 1
    np.testing.assert_array_equal(planes(read(write(tmp_path / "a.json", content), scan)), expected)


def test_boxes_of_coco_annotations_without_anything_finer_are_areas(
    scan: Exported, tmp_path: Path
) -> None:
    boxes = coco(
        {"segmentation": [], "bbox": [0, 0, 1, 1]}, {"bbox": [3, 4, 2, 5], "category_id": 2}
    )
    mask = read(write(tmp_path / "a.json", boxes), scan)
    expected = blank()
    expected[1, 0, 0], expected[1, 4:9, 3:5] = 1, 2
    np.testing.assert_array_equal(planes(mask), expected)


def brush(opacity: NDArray[np.uint8], **more: Any) -> list[dict[str, Any]]:
    rgba = np.repeat(opacity.ravel(), 4)
    value = {"format": "rle", "rle": list(rle_pack(rgba)), "brushlabels": ["liver"]}
    result = {"id": "x1", "type": "brushlabels", "value": value, "original_width": COLUMNS, "original_height": ROWS,
              "image_rotation": 0, "from_name": "tag", "to_name": "img"} | more  # fmt: skip
    annotation = {"id": 1, "completed_by": 1, "result": [result], "was_cancelled": False}
    return [
        {
            "id": 7,
            "data": {"image": "/data/upload/4/624cb493-slice_0001.png"},
            "annotations": [annotation],
            "predictions": [],
        }
    ]


def test_label_studio_brushes_take_pixels_that_are_half_covered(
    scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    opacity = np.where(blob, 255, 0).astype(np.uint8)
    opacity[2, 2:5] = (127, 128, 200)
    mask = read(write(tmp_path / "a.json", brush(opacity)), scan)
    expected = blob.copy()
    expected[2, 3:5] = True
    np.testing.assert_array_equal(planes(mask)[1], expected)
    assert [s.name for s in mask.segments] == ["liver"]
    assert any("half of it" in note for note in mask.notes)
    refuses(
        lambda: read(write(tmp_path / "b.json", brush(opacity, image_rotation=90)), scan),
        LabelError,
        "rotated",
    )
    refuses(
        lambda: read(write(tmp_path / "b.json", brush(opacity, original_width=80)), scan),
        LabelError,
        "80 × 30",
    )


def test_a_region_of_two_annotations_is_no_hole_in_itself(scan: Exported, tmp_path: Path) -> None:
    """Two annotators began with one prediction, whose regions keep their id in both annotations."""
    points = [[x / COLUMNS * 100, y / ROWS * 100] for x, y in [(3, 4), (9, 4), (9, 8), (3, 8)]]
    region = {"id": "x1", "type": "polygonlabels", "original_width": COLUMNS, "original_height": ROWS,
              "image_rotation": 0, "value": {"points": points, "polygonlabels": ["bone"]}}  # fmt: skip
    annotations = [{"id": n, "completed_by": n, "result": [region]} for n in (1, 2)]
    tasks = [{"id": 7, "data": {"image": "slice_0001.png"}, "annotations": annotations}]
    expected = blank()
    expected[1, 4:8, 3:9] = 1
    np.testing.assert_array_equal(planes(read(write(tmp_path / "a.json", tasks), scan)), expected)


def test_columns_are_made_as_often_for_many_regions_as_for_few(
    scan: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column holds the cells of all regions: making it for each of them is quadratic."""
    made: Counter[str] = Counter()
    column = Columns.__getitem__

    def counted(self: Columns, name: str) -> Sequence[str]:
        made[name] += 1
        return column(self, name)

    monkeypatch.setattr(Columns, "__getitem__", counted)
    value = {"x": 5, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["a"]}
    often = []
    for count in (4, 16):
        regions = [{"id": f"r{k}", "type": "rectanglelabels", "value": value, "image_rotation": 0,
                    "original_width": COLUMNS, "original_height": ROWS} for k in range(count)]  # fmt: skip
        annotations = [{"id": 1, "completed_by": 1, "result": regions}]
        tasks = [{"id": 7, "data": {"image": "slice_0001.png"}, "annotations": annotations}]
        made.clear()
        read(write(tmp_path / "a.json", tasks), scan)
        often.append(made.copy())
    assert often[0]["annotation"], "made at all"
    assert often[1] == often[0]


def test_brushes_of_two_uploads_of_one_name(
    scan: Exported, blob: NDArray[np.bool_], tmp_path: Path
) -> None:
    tasks = []
    for n in (1, 2):
        (task,) = brush(np.where(blob, 255, 0).astype(np.uint8))
        tasks.append(
            {**task, "id": n, "data": {"image": f"/data/upload/{n}/4ac13f3{n}-slice_0001.png"}}
        )
    refuses(lambda: read(write(tmp_path / "a.json", tasks), scan), LabelError, "task 1", "task 2")
    for n, task in enumerate(tasks, 1):
        task["data"] = {"image": f"/data/upload/{n}/4ac13f3{n}-{scan.names[1]}"}
    np.testing.assert_array_equal(planes(read(write(tmp_path / "b.json", tasks), scan))[1], blob)


def roi_file(path: Path, *rois: roifile.ImagejRoi) -> Path:
    path.unlink(missing_ok=True)
    roifile.roiwrite(path, list(rois), mode="w")
    return path


def test_imagej_areas(scan: Exported, tmp_path: Path) -> None:
    """A rectangle of 4 × 3 pixels from pixel (5, 6), and an oval as ImageJ bounds it."""
    box = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT,
        version=228,
        left=5,
        top=6,
        right=9,
        bottom=9,
        position=2,
        name="box",
    )
    oval = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.OVAL,
        version=228,
        left=10,
        top=10,
        right=20,
        bottom=16,
        position=3,
        name="oval",
    )
    mask = read(roi_file(tmp_path / "RoiSet.zip", box, oval), scan)
    expected = blank()
    expected[1, 6:9, 5:9] = 1
    y, x = np.mgrid[:ROWS, :COLUMNS] + 0.5
    expected[2][((x - 15) / 5) ** 2 + ((y - 13) / 3) ** 2 <= 1] = 2
    np.testing.assert_array_equal(planes(mask), expected)


def test_qupath_holes_stay_holes(scan: Exported, tmp_path: Path) -> None:
    rings = [
        [[2, 2], [30, 2], [30, 20], [2, 20], [2, 2]],
        [[5, 5], [10, 5], [10, 9], [5, 9], [5, 5]],
    ]
    feature = {
        "type": "Feature",
        "id": "c2b1f2a4-0d1e-4b7e-9e57-52a0b60a7d11",
        "geometry": {"type": "Polygon", "coordinates": rings, "plane": {"c": -1, "z": 1, "t": 0}},
        "properties": {"objectType": "annotation", "classification": {"name": "body"}},
    }
    mask = read(
        write(tmp_path / "a.geojson", {"type": "FeatureCollection", "features": [feature]}), scan
    )
    expected = blank()
    expected[1, 2:20, 2:30] = 1
    expected[1, 5:9, 5:10] = 0
    np.testing.assert_array_equal(planes(mask), expected)


def test_the_later_region_has_the_common_pixels_which_is_said(
    scan: Exported, tmp_path: Path
) -> None:
    boxes = {"outer": [[2, 2], [20, 20]], "inner": [[5, 5], [8, 9]], "tiny": [[30.6, 3], [31.4, 9]]}
    shapes = [
        {"label": label, "points": points, "shape_type": "rectangle"}
        for label, points in boxes.items()
    ]
    mask = read(write(tmp_path / "a.json", labelme(shapes)), scan)
    expected = blank()
    expected[1, 2:20, 2:20] = 2
    expected[1, 5:9, 5:8] = 1
    np.testing.assert_array_equal(planes(mask), expected)
    assert any("pixels in both were given to the later region: 12" in note for note in mask.notes)
    assert any("contain no middle" in note for note in mask.notes)


def test_a_folder_of_label_files_beside_the_images(scan: Exported, tmp_path: Path) -> None:
    """LabelMe saves beside the images: those are not masks, the label files are."""
    for file in scan.png.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    for k in (0, 2):
        box = {"label": "b", "points": [[k, k], [k + 3, k + 2]], "shape_type": "rectangle"}
        write(tmp_path / f"slice_{k:04d}.json", labelme([box], f"slice_{k:04d}.png"))
    expected = blank()
    expected[0, 0:2, 0:3], expected[2, 2:4, 2:5] = 1, 1
    np.testing.assert_array_equal(planes(read(tmp_path, scan)), expected)


def test_a_folder_that_may_be_either_asks(scan: Exported, tmp_path: Path) -> None:
    Image.new("L", (COLUMNS, ROWS)).save(tmp_path / "slice_0000.png")
    write(
        tmp_path / "a.json",
        labelme([{"label": "b", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}]),
    )
    refuses(lambda: read(tmp_path, scan), LabelError, "PNGs and label files", "--from png")
    assert read(tmp_path, scan, format="labelme").present == ((), (1,), ())


def test_labels_and_the_config_must_agree(scan: Exported, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        labelme([{"label": "b", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}]),
    )
    named = MaskConfig.model_validate({"segments": [{"name": "a"}, {"name": "b", "value": 300}]})
    mask = read(path, scan, config=named)
    assert (mask.dtype, mask.present) == (np.dtype(np.uint16), ((), (300,), ()))
    other = MaskConfig.model_validate({"segments": [{"name": "a"}]})
    refuses(lambda: read(path, scan, config=other), LabelError, "'b' is not in the config")


def test_points_alone_are_for_map_points(scan: Exported, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json", labelme([{"label": "p", "points": [[1, 1]], "shape_type": "point"}])
    )
    refuses(lambda: read(path, scan), LabelError, "map-points")


def test_shapes_between_slices_are_refused(scan: Exported, tmp_path: Path) -> None:
    rows = "".join(
        f"{x},{y},{k},b,polygon,1,{v}\n"
        for v, (x, y, k) in enumerate([(1, 1, 0), (5, 1, 1), (5, 5, 1)])
    )
    path = write(tmp_path / "a.csv", "x,y,slice,label,shape_type,shape_id,vertex\n" + rows)
    refuses(lambda: read(path, scan), LabelError, "a.csv", "one PNG; draw it on one")


def test_unknown_formats_and_origins_of_pixels_are_refused(scan: Exported, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        labelme([{"label": "b", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}]),
    )
    refuses(lambda: read(path, scan, format="jpeg"), UsageError, "--from jpeg", "png, tiff")
    Image.new("L", (COLUMNS, ROWS), 1).save(tmp_path / "slice_0000.png")
    refuses(
        lambda: read(tmp_path / "slice_0000.png", scan, reading=ReadOptions("corner")),
        UsageError,
        "--pixel-origin",
    )
    assert planes(read(path, scan, reading=ReadOptions("center")))[1, 1, 1:3].tolist() == [1, 1]


def test_regions_beyond_the_pngs(scan: Exported, tmp_path: Path) -> None:
    """On a slice that there is not, a region is refused; over an edge, what is on the PNG is kept."""
    head = "label,x,y,slice,shape_type,shape_id,vertex\n"
    box = [(-3, -2), (4.5, -2), (4.5, 3.5), (-3, 3.5)]

    def table(k: int) -> Path:
        rows = [f"a,{x},{y},{k},box,1,{v}\n" for v, (x, y) in enumerate(box)]
        return write(tmp_path / "a.csv", head + "".join(rows))

    expected = blank()
    expected[2, :4, :5] = 1
    np.testing.assert_array_equal(planes(read(table(2), scan)), expected)
    for k in (3, -1):
        told = refuses(partial(read, table(k), scan), LabelError, "row 2", f"slice {k}")
        assert "3 PNGs" in told


def test_label_files_beside_several_exports_make_no_mask(scan: Exported, tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sidecar.json").write_bytes((scan.png / "sidecar.json").read_bytes())
        shape = {"label": "b", "points": [[2, 3], [5, 7]], "shape_type": "rectangle"}
        image = png_names(scan.png)[1]
        paths.append(write(tmp_path / name / "a.json", labelme([shape], image)))
    refuses(lambda: read_mask(paths), UsageError, "more than one sidecar.json")
    assert read_mask(paths[:1]).sidecar.size == (COLUMNS, ROWS, SLICES)
    np.testing.assert_array_equal(
        planes(read_mask(paths, [Export(scan.sidecar)])), planes(read_mask(paths[:1]))
    )


def test_names_that_a_spreadsheet_would_run_are_no_segments(scan: Exported, tmp_path: Path) -> None:
    shape = {"label": "=cmd()", "points": [[2, 3], [5, 7]], "shape_type": "rectangle"}
    path = write(tmp_path / "a.json", labelme([shape]))
    refuses(lambda: read(path, scan), LabelError, "a.json, shape 1", "begins like a formula")
