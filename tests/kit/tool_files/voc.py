"""Pascal VOC: boxes in XML, as labelImg writes them."""

from __future__ import annotations

from collections.abc import Iterable

from ..label_truth import STACK


def document(
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
