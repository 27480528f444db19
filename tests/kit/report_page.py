"""A report as a person sees it: its drawings, decoded from the page alone, and where in their
pixels each cross stands.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Elements that never have an end tag, in HTML and as SVG is written in the page.
_EMPTY = frozenset({"meta", "path", "rect", "image", "circle"})


@dataclass(frozen=True)
class Drawing:
    """``pixels`` (rows, columns[, channels]) 0 to 255 and ``alpha``; ``cross`` (x, y) in them, 0
    the middle of the first pixel.

    ``unit``: pixels (x, y) of the image in one unit of the drawing.
    """

    article: str
    caption: str
    pixels: NDArray[np.float64]
    alpha: NDArray[np.float64]
    cross: tuple[float, float]
    unit: tuple[float, float]


class Page(HTMLParser):
    """The elements of a page, and its text with the markup gone."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self._drawings: list[dict[str, object]] = []
        self._article = ""
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    @classmethod
    def of(cls, path: Path) -> Page:
        return cls(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in _EMPTY:
            self._open.append(tag)
        if tag == "article":
            self._article = attributes["id"]
        if tag == "figure":
            self._drawings.append({"article": self._article, "caption": ""})
        if tag == "image":
            self._drawings[-1]["image"] = attributes
        if tag == "path" and attributes.get("class") == "cross":
            self._drawings[-1]["cross"] = attributes["d"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open[-1:] == ["figcaption"] or "figcaption" in self._open:
            self._drawings[-1]["caption"] = f"{self._drawings[-1]['caption']}{data}"

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def drawings(self) -> list[Drawing]:
        """Those around labels that have a picture, in the order of the page."""
        return [
            _drawing(found) for found in self._drawings if "image" in found and "cross" in found
        ]


def _drawing(found: dict[str, object]) -> Drawing:
    image, path = found["image"], found["cross"]
    assert isinstance(image, dict)
    assert isinstance(path, str)
    (vertical_x, _), _, (_, horizontal_y), _ = [
        tuple(map(float, point)) for point in re.findall(r"M([-\d.]+) ([-\d.]+)", path)
    ]
    head, _, data = image["href"].partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as opened:
        alpha = np.asarray(opened.convert("RGBA"))[..., 3] / 255
        pixels = np.asarray(
            opened.convert("RGB" if "RGB" in opened.mode else "L"), dtype=np.float64
        )
    left, top, width, height = (float(image[name]) for name in ("x", "y", "width", "height"))
    unit = pixels.shape[1] / width, pixels.shape[0] / height
    cross = (vertical_x - left) * unit[0] - 0.5, (horizontal_y - top) * unit[1] - 0.5
    return Drawing(
        str(found["article"]), " ".join(str(found["caption"]).split()), pixels, alpha, cross, unit
    )
