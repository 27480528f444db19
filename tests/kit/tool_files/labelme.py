"""LabelMe 5 JSON: one file for each image."""

from __future__ import annotations

from typing import Any

from ..label_truth import STACK


def shape(label: str, points: list[Any], shape_type: str, **more: Any) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": shape_type,
        "flags": {},
        "mask": None,
    } | more


def document(shapes: list[Any], image: str = "slice_0003.png") -> dict[str, Any]:
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image,
        "imageData": None,
        "imageHeight": STACK.rows,
        "imageWidth": STACK.columns,
    }
