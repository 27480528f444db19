"""VGG Image Annotator 2 and 1: CSV, JSON and projects, rounded to whole pixels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from ..label_truth import Landmark

HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
Region = tuple[str, dict[str, Any], dict[str, Any]]


def regions(landmarks: Sequence[Landmark]) -> list[Region]:
    return [
        (
            m.image,
            {"name": "point"} | dict(zip(("cx", "cy"), m.whole_corner, strict=True)),
            {"name": m.name},
        )
        for m in landmarks
    ]


def as_csv(content: Sequence[Region], header: str = HEADER) -> str:
    """As VIA 2 writes it: JSON in quotes; images without regions have a row too."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    for n, (image, shape, attributes) in enumerate(content):
        writer.writerow(
            [image, 16454, "{}", len(content), n, json.dumps(shape), json.dumps(attributes)]
        )
    return f'{header}\nslice_0005.png,16454,"{{}}",0,0,"{{}}","{{}}"\n{file.getvalue()}'


def metadata(content: Sequence[Region]) -> dict[str, Any]:
    images: dict[str, Any] = {}
    for image, shape, attributes in content:
        entry = images.setdefault(
            f"{image}16454",
            {"filename": image, "size": 16454, "regions": [], "file_attributes": {}},
        )
        entry["regions"].append({"shape_attributes": shape, "region_attributes": attributes})
    return images


def as_json(content: Sequence[Region]) -> str:
    return json.dumps(metadata(content))


def as_project(content: Sequence[Region]) -> str:
    return json.dumps(
        {
            "_via_settings": {"ui": {}},
            "_via_img_metadata": metadata(content),
            "_via_attributes": {"region": {}, "file": {}},
        }
    )


def as_via1_json(content: Sequence[Region]) -> str:
    images = metadata(content)
    for image in images.values():
        image["regions"] = {str(n): region for n, region in enumerate(image["regions"])}
        image |= {"fileref": "", "base64_img_data": ""}
    return json.dumps(images)


def as_via1_csv(content: Sequence[Region]) -> str:
    return as_csv(content, "#" + HEADER)
