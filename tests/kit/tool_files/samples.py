"""Files of every tool in one list, for what holds of all readers alike."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ..label_truth import LANDMARKS, WHOLE_CORNER
from . import (
    coco,
    cvat,
    deeplabcut,
    gimp,
    imagej,
    label_studio,
    labelme,
    makesense,
    napari,
    point_sets,
    qupath,
    slicer,
    tps,
    via,
    voc,
    yolo,
)


class Sample(NamedTuple):
    """A file as a tool writes it: the reader that it is for, its name, and what is in it."""

    reader: str
    name: str
    text: str


_VIA: list[via.Region] = [
    *via.regions(WHOLE_CORNER[:1]),
    (
        "a.png",
        {"name": "ellipse", "cx": 10, "cy": 20, "rx": 5, "ry": 3, "theta": 0.5},
        {"parts": {"c": True}, "side": "left"},
    ),
]

TEXTS = [
    Sample("napari", "layer.csv", napari.points()),
    Sample("napari", "layer.csv", napari.shapes([("line", [(0.0, 1.0, 2.0), (0.0, 3.0, 4.0)])])),
    Sample("qupath", "labels.geojson", qupath.points()),
    Sample("slicer", "F.mrk.json", slicer.mrk()),
    Sample("slicer", "F.fcsv", slicer.fcsv()),
    Sample("yolo", "slice_0003.txt", yolo.box(0, 60, 50, 100, 60)),
    Sample("voc", "slice_0003.xml", voc.document([("a", 1, 2, 30, 40)])),
    Sample("deeplabcut", "CollectedData_Ada.csv", deeplabcut.table()),
    Sample("deeplabcut", "CollectedData_Ada.csv", deeplabcut.table(split=False, individual="m1")),
    Sample("gimp", "slice_0003.svg", gimp.svg([("a", gimp.straight([(1, 2), (3, 4), (5, 1)]))])),
    Sample("tps", "skulls.tps", tps.specimens()),
    Sample("landmark", "skull.pts", point_sets.pts()),
    Sample("amira", "skull.landmarkAscii", point_sets.amira()),
    Sample(
        "cvat",
        "annotations.xml",
        cvat.document(cvat.image("slice_0003.png", cvat.point(LANDMARKS[0]), cvat.SKELETON)),
    ),
    Sample("cvat", "annotations.xml", cvat.of_video(LANDMARKS[:2])),
    Sample(
        "imagej",
        "Results.csv",
        imagej.results(imagej.points(LANDMARKS[:2]) + imagej.areas(LANDMARKS[2:4])),
    ),
    Sample("imagej-xy", "slice_0003.csv", imagej.coordinates([(1, 2), (3, 4)])),
    Sample("makesense", "labels.csv", "\n".join(map(makesense.row, WHOLE_CORNER))),
    Sample("via", "via.csv", via.as_csv(_VIA)),
]


def _coco() -> dict[str, Any]:
    """Keypoints, a box and a polygon, on as few images as there can be."""
    document = coco.keypoints(LANDMARKS[:2], corner=True)
    ring = [[1.5, 2.5, 3.5, 2.5, 3.5, 5.5]]
    document["annotations"] += [
        {"id": 9, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"id": 10, "image_id": 1, "category_id": 1, "segmentation": ring},
    ]
    document["images"] = document["images"][:2] + document["images"][3:4]
    return document


def _label_studio() -> list[dict[str, Any]]:
    box = {"x": 10, "y": 20, "width": 5, "height": 7, "rotation": 30}
    polygon = {"points": [[10, 20], [30, 40], [20, 60]], "closed": True}
    return [
        label_studio.task(
            [
                label_studio.keypoint(LANDMARKS[0]),
                label_studio.region("rectanglelabels", box),
                label_studio.region("polygonlabels", polygon),
            ]
        )
    ]


def _slicer() -> dict[str, Any]:
    roi = slicer.markup(
        "ROI",
        [],
        center=[99.0, 70.0, 6.0],
        size=[4.0, 5.0, 2.0],
        orientation=[1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0],
    )
    curve = slicer.markup("Curve", slicer.points(LANDMARKS[:2]), name="suture")
    document: dict[str, Any] = json.loads(slicer.document([roi, curve]))
    return document


_RING = [[0, 0], [9, 0], [9, 9], [0, 0]]
_RINGS = {"type": "MultiPolygon", "coordinates": [[_RING, _RING]]}

#: JSON documents that are small and have a bit of everything, with the reader each is for.
DOCUMENTS: list[tuple[str, Any]] = [
    (
        "labelme",
        labelme.document([labelme.shape("a", [[1, 2], [3, 4]], "rectangle", flags={"b": True})]),
    ),
    ("coco", _coco()),
    ("label-studio", _label_studio()),
    ("via", json.loads(via.as_json(_VIA))),
    ("via", json.loads(via.as_via1_json(_VIA))),
    ("via", json.loads(via.as_project(_VIA))),
    ("slicer", _slicer()),
    ("qupath", qupath.feature(_RINGS, 2, classification={"names": ["a"]}, name="b")),
    ("qupath", qupath.feature({"type": "Polygon", "coordinates": [_RING], "isEllipse": True}, 1)),
]
SAMPLES = [
    *TEXTS,
    *(Sample(reader, "labels.json", json.dumps(document)) for reader, document in DOCUMENTS),
]
