"""Label files in exactly the form their tools write them, made from landmarks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from kit.label_truth import LANDMARKS, STACK, Landmark


def napari_points(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    """A points layer with a text property, which makes numpy write the whole table as text."""
    rows = (f"{n},{float(m.slice)},{m.y},{m.x},{m.name}" for n, m in enumerate(landmarks))
    return "\r\n".join(["index,axis-0,axis-1,axis-2,label", *rows, ""])


def napari_shapes(shapes: Iterable[tuple[str, Sequence[tuple[float, float, float]]]]) -> str:
    rows = [
        f"{n},{type_},{v},{z},{y},{x}"
        for n, (type_, zyx) in enumerate(shapes)
        for v, (z, y, x) in enumerate(zyx)
    ]
    return "\r\n".join(["index,shape-type,vertex-index,axis-0,axis-1,axis-2", *rows, ""])


def qupath_feature(geometry: dict[str, Any], z: int = 0, **properties: Any) -> dict[str, Any]:
    plane = {"plane": {"c": -1, "z": z, "t": 0}} if z else {}
    return {
        "type": "Feature",
        "id": "0d4d5ec4-8d1a-4f0c-93ab-0123456789ab",
        "geometry": {**geometry, **plane},
        "properties": {"objectType": "annotation", **properties},
    }


def qupath_class(name: str) -> dict[str, Any]:
    return {"name": name, "color": [200, 0, 0]}


def qupath(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    features = [
        qupath_feature(
            {"type": "Point", "coordinates": [round(v, 2) for v in m.corner]},
            m.slice,
            classification=qupath_class(m.name),
        )
        for m in landmarks
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def slicer_point(
    number: int, name: str, lps: Sequence[float], status: str = "defined"
) -> dict[str, Any]:
    return {
        "id": str(number),
        "label": name,
        "description": "",
        "associatedNodeID": "vtkMRMLScalarVolumeNode1",
        "position": list(lps),
        "orientation": [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0],
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": status,
    }


def slicer_json(markups: Sequence[dict[str, Any]]) -> str:
    schema = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
    return json.dumps({"@schema": schema, "markups": list(markups)}, indent=4)


def slicer_markup(
    type_: str, points: Sequence[dict[str, Any]], system: str = "LPS", **more: Any
) -> dict[str, Any]:
    return {
        "type": type_,
        "coordinateSystem": system,
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "controlPoints": list(points),
        "measurements": [],
        "display": {"visibility": True, "opacity": 1.0},
        **more,
    }


def slicer_points(
    landmarks: Sequence[Landmark] = LANDMARKS, spacing: Sequence[float] = (1, 1, 1)
) -> list[dict[str, Any]]:
    a, b, c = spacing
    return [
        slicer_point(n, m.name, (m.x * a, m.y * b, m.slice * c)) for n, m in enumerate(landmarks, 1)
    ]


def slicer_mrk(
    landmarks: Sequence[Landmark] = LANDMARKS, spacing: Sequence[float] = (1, 1, 1)
) -> str:
    return slicer_json([slicer_markup("Fiducial", slicer_points(landmarks, spacing))])


def slicer_fcsv(
    landmarks: Sequence[Landmark] = LANDMARKS, system: str | None = "LPS", tail: str = ",2,0"
) -> str:
    """As Slicer 5.2 and later write it, with two more cells than the header announces;
    ``tail`` "" for earlier versions.
    """
    sign = 1 if system in ("LPS", "1") else -1
    rows = (
        f"{n},{m.x * sign},{m.y * sign},{float(m.slice)},0,0,0,1,1,1,0,{m.name},,vtkMRMLScalarVolumeNode1{tail}"
        for n, m in enumerate(landmarks, 1)
    )
    return "\n".join(
        [
            "# Markups fiducial file version = 5.6",
            *([f"# CoordinateSystem = {system}"] if system else []),
            "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID",
            *rows,
            "",
        ]
    )


def yolo_fractions(points: Iterable[tuple[float, float]], decimals: int = 15) -> str:
    """Corner coordinates as fractions of the PNG's size."""
    return " ".join(
        f"{x / STACK.columns:.{decimals}f} {y / STACK.rows:.{decimals}f}" for x, y in points
    )


def yolo_box(
    class_: int, x: float, y: float, width: float, height: float, decimals: int = 15
) -> str:
    """A box by its corner coordinates' top left."""
    return (
        f"{class_} {yolo_fractions([(x + width / 2, y + height / 2), (width, height)], decimals)}"
    )


def voc(
    boxes: Iterable[tuple[str, float, float, float, float]], filename: str = "slice_0003.png"
) -> str:
    """As labelImg writes it; name, xmin, ymin, xmax, ymax."""
    objects = "".join(
        f"\t<object>\n\t\t<name>{name}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n"
        f"\t\t<difficult>0</difficult>\n\t\t<bndbox>\n\t\t\t<xmin>{x0}</xmin>\n\t\t\t<ymin>{y0}</ymin>\n"
        f"\t\t\t<xmax>{x1}</xmax>\n\t\t\t<ymax>{y1}</ymax>\n\t\t</bndbox>\n\t</object>\n"
        for name, x0, y0, x1, y1 in boxes
    )
    return (
        f"<annotation>\n\t<folder>png</folder>\n\t<filename>{filename}</filename>\n\t<path>C:\\png\\{filename}</path>\n"
        "\t<source>\n\t\t<database>Unknown</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{STACK.columns}</width>\n\t\t<height>{STACK.rows}</height>\n\t\t<depth>1</depth>\n\t</size>\n"
        f"\t<segmented>0</segmented>\n{objects}</annotation>\n"
    )


def deeplabcut(
    landmarks: Sequence[Landmark] = LANDMARKS, split: bool = True, individual: str | None = None
) -> str:
    """``split``: the image name in three columns, as since version 2.2;
    ``individual``: a multi-animal project.
    """
    index = ["", ""] if split else []
    header = [["scorer", *index, *(["Ada"] * 2 * len(landmarks))]]
    if individual:
        header.append(["individuals", *index, *([individual] * 2 * len(landmarks))])
    header.append(["bodyparts", *index, *(m.name for m in landmarks for _ in "xy")])
    header.append(["coords", *index, *(["x", "y"] * len(landmarks))])
    rows = []
    for image in dict.fromkeys(m.image for m in landmarks):
        cells = [str(v) if m.image == image else "" for m in landmarks for v in (m.x, m.y)]
        rows.append(
            [
                *(["labeled-data", "scan", image] if split else [f"labeled-data/scan/{image}"]),
                *cells,
            ]
        )
    return "\n".join(",".join(row) for row in [*header, *rows]) + "\n"


def tps_points(points: Iterable[tuple[float, float]], decimals: int = 5) -> list[str]:
    """Corner coordinates from the top left, as tpsDig counts them from the bottom left."""
    return [f"{x:.{decimals}f} {STACK.rows - y:.{decimals}f}" for x, y in points]


def tps(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    """A specimen for each PNG, as tpsDig writes it."""
    lines = []
    for n, image in enumerate(dict.fromkeys(m.image for m in landmarks)):
        here = [m.corner for m in landmarks if m.image == image]
        lines += [
            f"LM={len(here)}",
            *tps_points(here),
            f"IMAGE={image}",
            f"ID={n}",
            "SCALE=0.020000",
        ]
    return "\r\n".join([*lines, ""])


def pts(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    rows = (f"{m.name} {m.x} {m.y} {float(m.slice)}" for m in landmarks)
    return "\n".join(["Version 1.0", str(len(landmarks)), *rows, ""])


def amira(landmarks: Sequence[Landmark] = LANDMARKS) -> str:
    rows = (f"{m.x:.15e} {m.y:.15e} {m.slice:.15e} " for m in landmarks)
    return "\n".join(
        [
            "# AmiraMesh 3D ASCII 2.0",
            "",
            "",
            f"define Markers {len(landmarks)}",
            "",
            "Parameters {",
            "    NumSets 1,",
            '    ContentType "LandmarkSet"',
            "}",
            "",
            "Markers { float[3] Coordinates } @1",
            "",
            "# Data section follows",
            "@1",
            *rows,
            "",
        ]
    )
