"""Label Studio 1.x JSON: percents of the image."""

from __future__ import annotations

from typing import Any

from ..label_truth import STACK, Landmark

SIZE = {"original_width": STACK.columns, "original_height": STACK.rows}


def percent(
    x: float, y: float, size: tuple[int, int] = (STACK.columns, STACK.rows)
) -> dict[str, float]:
    return {"x": x / size[0] * 100, "y": y / size[1] * 100}


def region(type_: str, value: dict[str, Any], label: str = "a", **more: Any) -> dict[str, Any]:
    return (
        SIZE
        | {
            "image_rotation": 0,
            "value": value | ({type_: [label]} if type_.endswith("labels") else {}),
            "id": "Dx_aB91ISN",
            "from_name": "tag",
            "to_name": "img",
            "type": type_,
            "origin": "manual",
        }
        | more
    )


def task(
    results: list[Any], image: str = "/data/upload/4/624cb493-slice_0003.png", **more: Any
) -> dict[str, Any]:
    annotation = {
        "id": 1001,
        "completed_by": 10,
        "result": results,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": 4.2,
    }
    return {
        "id": 1,
        "annotations": [annotation | more],
        "file_upload": "624cb493-slice_0003.png",
        "predictions": [],
        "data": {"image": image},
    }


def keypoint(m: Landmark) -> dict[str, Any]:
    return region("keypointlabels", percent(*m.corner) | {"width": 0.5}, m.name)
