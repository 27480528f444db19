"""COCO JSON: skeletons and shapes, for all images of the stack."""

from __future__ import annotations

from typing import Any

from ..label_truth import STACK, Landmark


def document(
    annotations: list[dict[str, Any]], keypoints: list[str] | None = None
) -> dict[str, Any]:
    images = [
        {
            "id": n + 1,
            "width": STACK.columns,
            "height": STACK.rows,
            "file_name": name,
            "license": 0,
            "date_captured": 0,
        }
        for n, name in enumerate(STACK.names)
    ]
    category: dict[str, Any] = {"id": 1, "name": "skull", "supercategory": ""}
    if keypoints is not None:
        category |= {"keypoints": keypoints, "skeleton": []}
    common = {"category_id": 1, "iscrowd": 0, "area": 1.0}
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "year": "2026"},
        "categories": [category],
        "images": images,
        "annotations": [
            {"id": n} | common | annotation for n, annotation in enumerate(annotations, 1)
        ],
    }


def keypoints(landmarks: tuple[Landmark, ...], corner: bool) -> dict[str, Any]:
    """One annotation for each slice, as a skeleton that is annotated on several images; keypoints
    elsewhere are 0, 0, 0.
    """
    annotations = []
    for slice_ in sorted({m.slice for m in landmarks}):
        flat: list[float] = []
        for m in landmarks:
            flat += (
                [*(m.corner if corner else (int(m.x), int(m.y))), 2]
                if m.slice == slice_
                else [0, 0, 0]
            )
        annotations.append(
            {
                "image_id": slice_ + 1,
                "keypoints": flat,
                "num_keypoints": 1,
                "bbox": [1, 2, 3, 4],
                "segmentation": [],
            }
        )
    return document(annotations, [m.name for m in landmarks])
