"""Render the page of a report: one HTML file with its images inside.

It has no script, and its content security policy forbids to load anything.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from sidecar.dicom.stacks.irregularities import irregularities
from sidecar.document.generator import generator
from sidecar.grid.axis import nearest_of
from sidecar.grid.axis_order import AxisOrder
from sidecar.reports.labels import MEASURED, ShownLabel, distances, measured
from sidecar.reports.make import Report, Shown, nearest_png, nice
from sidecar.reports.overview import shown, shrunk
from sidecar.reports.samples import Placed, View
from sidecar.reports.space import Space, is_source_plane

#: Edge of a view, and the largest width and height of the three projections side by side, in the
#: units of their drawings.
VIEW, OVERVIEW, OVERVIEW_HEIGHT = 200.0, 900.0, 380.0
#: Up to this many marks have numbers on the projections.
NUMBERED = 60


@dataclass(frozen=True)
class Picture:
    """An image as a data: URL, and its position in a drawing."""

    address: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Panel:
    """One drawing of a label: the picture around the middle, the letters at its four sides, and the
    text below it.
    """

    title: str
    note: str
    picture: Picture | None
    letters: dict[str, str]


@dataclass(frozen=True)
class ProjectedView:
    """One projection of the whole stack, with a mark for every label."""

    title: str
    width: float
    height: float
    picture: Picture
    marks: list[tuple[int, float, float]]
    letters: dict[str, str]
    bar: tuple[float, str]


def render(report: Report, of_all: int) -> str:
    """The page as text. ``of_all``: the number of all labels; the report may show only the first of
    them.
    """
    request, document = report.request, report.request.sidecar.document
    style = _web("report.css")
    places = measured(request.labels)
    policy = {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": _source_hash(style),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    page = _environment().from_string(_web("report.html.j2"))
    return page.render(
        policy="; ".join(f"{name} {source}" for name, source in policy.items()),
        style=Markup(style),
        document=document,
        specimen=request.specimen,
        program=generator(),
        space=report.space,
        scale=" × ".join(_factor(axis.factor) for axis in request.sidecar.decimation.png_axes),
        notes=irregularities(report.space.stack) if report.space.in_patient else [],
        of_all=of_all,
        labels=request.labels,
        cards=list(
            zip(request.labels, map(_between, request.labels), _panels(report), strict=True)
        ),
        overview=_overview(report),
        numbered=len(request.labels) <= NUMBERED,
        view=VIEW,
        bar=_bar(request.size, VIEW / request.size, report.space.unit),
        size=request.size,
        decimals=_decimals(report.space.finest),
        png_of=lambda label: (
            document.images.files[nearest_png(label, request.sidecar.size[2])].name
        ),
        places=places,
        repeats=request.repeats,
        distances=distances(places) if len(places) <= MEASURED else None,
    )


def _panels(report: Report) -> list[list[Panel]]:
    request, document, space = report.request, report.request.sidecar.document, report.space
    contrast = report.projections.contrast()
    own = request.sidecar.decimation.order
    cards = []
    for label, views in zip(request.labels, report.views, strict=True):
        name = document.images.files[nearest_png(label, request.sidecar.size[2])].name
        panels = [
            Panel("PNG", name, _picture(views.png, contrast, request.size), _letters(space, own))
        ]
        for look, view in zip(report.looks, views.source, strict=True):
            title = f"Source, {space.name(look)}"
            note = (
                f"pixels of slice {_slice(label, space)}" if is_source_plane(look) else "resliced"
            )
            panels.append(
                Panel(title, note, _picture(view, contrast, request.size), _letters(space, look))
            )
        cards.append(panels)
    return cards


def _slice(label: ShownLabel, space: Space) -> int:
    return nearest_of(label.source[2], space.stack.slices)


def _between(label: ShownLabel) -> tuple[int, int] | None:
    """The two source slices that a label lies between; None where it lies on a slice."""
    below = int(np.floor(label.source[2]))
    return None if label.source[2] == below else (below, below + 1)


def _letters(space: Space, look: AxisOrder) -> dict[str, str]:
    right, down, _ = space.vectors(look)
    sides = {"left": -right, "right": right, "top": -down, "bottom": down}
    return {side: letters for side, to in sides.items() if (letters := space.letters(to))}


def _picture(view: Shown | View, contrast: tuple[float, float], size: float) -> Picture | None:
    pixels = view.pixels
    if not pixels.size:
        return None
    scale, place = VIEW / size, view.placed
    return Picture(
        address(shown(pixels, contrast), np.isnan(pixels)),
        VIEW / 2 + place.left * scale,
        VIEW / 2 + place.top * scale,
        place.width * scale,
        place.height * scale,
    )


def address(shades: NDArray[np.uint8], nothing: NDArray[np.bool_] | None = None) -> str:
    """Shades (rows, columns[, 3]) as a PNG in a data: URL, transparent where ``nothing``."""
    image = Image.fromarray(np.ascontiguousarray(shades))
    if nothing is not None and nothing.any():
        image.putalpha(
            Image.fromarray(
                np.where(nothing if nothing.ndim == 2 else nothing.any(axis=2), 0, 255).astype(
                    np.uint8
                )
            )
        )
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _overview(report: Report) -> list[ProjectedView]:
    """The three projections on one scale; only one projection for a single PNG."""
    decimation, space = report.request.sidecar.decimation, report.space
    steps = np.array(space.png_steps(decimation))
    edges = steps * decimation.size
    on_pngs = [~decimation.order @ look for look in report.looks]
    scale = min(
        OVERVIEW / sum(edges[order.along[0]] for order in on_pngs),
        OVERVIEW_HEIGHT / max(edges[order.along[1]] for order in on_pngs),
    )
    contrast = report.projections.contrast()
    found = []
    for look, on_png in zip(report.looks, on_pngs, strict=True):
        (right, down), flips = on_png.along[:2], on_png.mirrored[:2]
        flipped = flips[1]
        image, n = shrunk(report.projections.across(right, down))
        width, height = edges[right] * scale, edges[down] * scale
        drawn = Placed(
            0,
            0,
            image.shape[1] * n * steps[right] * scale,
            image.shape[0] * n * steps[down] * scale,
        )
        places = [
            (
                (label.png[right] + 0.5) * steps[right] * scale,
                (label.png[down] + 0.5) * steps[down] * scale,
            )
            for label in report.request.labels
        ]
        marks = [
            (label.number, x, height - y if flipped else y)
            for label, (x, y) in zip(report.request.labels, places, strict=True)
        ]
        pixels = shown(AxisOrder((0, 1), flips).apply(image), contrast)
        picture = Picture(
            address(pixels), 0, height - drawn.height if flipped else 0, drawn.width, drawn.height
        )
        found.append(
            ProjectedView(
                space.name(look),
                width,
                height,
                picture,
                marks,
                _letters(space, look),
                _bar(edges.max(), scale, space.unit),
            )
        )
    return found


def _bar(size: float, scale: float, unit: str) -> tuple[float, str]:
    """A scale bar of about a quarter of ``size`` mm: its length in the drawing, and its text."""
    length = nice(size / 3.2)
    return length * scale, f"{length:g} {unit}"


def _decimals(finest: float) -> int:
    """Decimals that show a hundredth of a source pixel."""
    return int(np.clip(np.ceil(-np.log10(finest)), 0, 5)) + 2


def _factor(factor: float) -> str:
    return "1" if abs(factor) == 1 else f"1/{abs(factor):.5g}"


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["at"] = lambda number: f"{number:.4f}".rstrip("0").rstrip(".")
    environment.filters["known"] = lambda number, decimals: (
        "–" if number is None else f"{number:.{decimals}f}"
    )
    environment.filters["fixed"] = lambda number, decimals: f"{number:.{decimals}f}"
    return environment


@cache
def _web(name: str) -> str:
    """The text of a file of the page. Its line ends are \\n, because browsers hash it like that."""
    return (
        (files("sidecar.reports") / "web" / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    )
