"""A reader of sidecar documents that a stranger could have written: by the words of
docs/sidecar-format.md alone. Nothing of the package is used.

`read` accepts or refuses the bytes of a document, by the rules of the page and by their names; types
are in `kit.stranger_fields`.
`to_source`, `to_patient`, `instance_of`, `from_source` and `from_patient` are its equations.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .stranger_fields import DOCUMENT, TAG, Refused, one_of
from .tag_by_the_words import AXES, tag_by_the_words
from .tag_by_the_words import number as number_by_the_words
from .tag_by_the_words import text as text_by_the_words

Floats = NDArray[np.float64]
Point = Sequence[float]

TOLERANCE = 1e-6
IMAGE_ENDING = r"\.(png|jpe?g|tiff?|bmp|gif|webp)$"


# The equations.


def order_of(document: dict[str, Any]) -> list[str]:
    return list(document["decimation"].get("order", AXES))


def to_source(document: dict[str, Any], pixel: Point) -> list[float]:
    """(column, row, slice) of PNG (x, y, number)."""
    order, axes = order_of(document), document["decimation"]
    return [axes[name]["factor"] * pixel[order.index(name)] + axes[name]["offset"] for name in AXES]


def from_source(document: dict[str, Any], source: Point) -> list[float]:
    axes = document["decimation"]
    return [
        (source[AXES.index(name)] - axes[name]["offset"]) / axes[name]["factor"]
        for name in order_of(document)
    ]


def steps_of(document: dict[str, Any], k: int) -> tuple[Floats, Floats, Floats]:
    """Position of plane k, and mm per column and per row."""
    source = document["source"]
    between_rows, between_columns = source["pixel_spacing"]
    plane = source["planes"][k]
    cosines = np.array(plane.get("orientation") or source["orientation"], dtype=float)
    position = np.array(plane["position"], dtype=float)
    return position, between_columns * cosines[:3], between_rows * cosines[3:]


def on_plane(document: dict[str, Any], k: int, column: float, row: float) -> Floats:
    position, per_column, per_row = steps_of(document, k)
    return np.asarray(position + column * per_column + row * per_row)


def patient_of_source(document: dict[str, Any], source: Point) -> Floats:
    column, row, along = source
    count = len(document["source"]["planes"])
    if count == 1:
        if along != 0:
            raise ValueError("there are no millimetres off a single plane")
        return on_plane(document, 0, column, row)
    below = min(max(math.floor(along), 0), count - 2)
    lower, upper = (on_plane(document, k, column, row) for k in (below, below + 1))
    return np.asarray(lower + (along - below) * (upper - lower))


def to_patient(document: dict[str, Any], pixel: Point) -> Floats:
    return patient_of_source(document, to_source(document, pixel))


def from_patient(document: dict[str, Any], patient: Point) -> list[float]:
    """Newton's method on the equations of the way there."""
    planes = range(len(document["source"]["planes"]))
    normal = normal_of(document)
    heights = [float(steps_of(document, k)[0] @ normal) for k in planes]
    height = float(np.array(patient) @ normal)
    index = np.zeros(3)
    if len(planes) > 1:
        below = max([k for k in planes[:-1] if heights[k] <= height], default=0)
        index[2] = below + (height - heights[below]) / (heights[below + 1] - heights[below])
    for _ in range(20):
        if len(planes) == 1:
            _, per_column, per_row = steps_of(document, 0)
            per_slice = normal
        else:
            below = min(max(math.floor(index[2]), 0), len(planes) - 2)
            part = index[2] - below
            lower, upper = steps_of(document, below), steps_of(document, below + 1)
            per_column, per_row = ((1 - part) * lower[i] + part * upper[i] for i in (1, 2))
            column, row = float(index[0]), float(index[1])
            per_slice = on_plane(document, below + 1, column, row)
            per_slice = per_slice - on_plane(document, below, column, row)
        missing = np.array(patient) - patient_of_source(document, index.tolist())
        change = np.linalg.solve(np.column_stack([per_column, per_row, per_slice]), missing)
        if len(planes) == 1:
            change[2] = 0
        index = index + change
        if np.abs(change).max() < 1e-10:
            break
    return from_source(document, index.tolist())


def instance_of(document: dict[str, Any], pixel: Point) -> dict[str, Any] | None:
    """The plane nearest to a pixel; None beyond the outer halves of the first and last one."""
    along, planes = to_source(document, pixel)[2], document["source"]["planes"]
    if not -0.5 <= along <= len(planes) - 0.5:
        return None
    found: dict[str, Any] = planes[max(math.ceil(along - 0.5), 0)]
    return found


def normal_of(document: dict[str, Any]) -> Floats:
    _, per_column, per_row = steps_of(document, 0)
    across = np.cross(per_column, per_row)
    return np.asarray(across / np.linalg.norm(across))


# What a reader refuses, rule by rule.


def read(content: bytes) -> dict[str, Any]:
    """A document that may be used. Refused names the first rule, in the order of the page, that it
    breaks.
    """
    document = whole_json(content)
    version(document)
    one_of("center", rule="pixel_origin")(document.get("pixel_origin"), "pixel_origin")
    DOCUMENT(document, "document")
    space(document)
    sizes(document)
    if document["units"] == "mm":
        planes(document)
    axes(document)
    with np.errstate(all="ignore"):
        control_points(document)
        repeated(document)
    tag(document)
    image_names(document)
    digest(document)
    return document


def whole_json(content: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name twice")
        return dict(pairs)

    def no_number(word: str) -> NoReturn:
        raise ValueError(word)

    try:
        document = json.loads(
            content.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number
        )
    except ValueError as error:
        raise Refused("json", str(error)) from None
    if not isinstance(document, dict):
        raise Refused("json", "no object")
    return document


def version(document: dict[str, Any]) -> None:
    stated = document.get("version")
    if not isinstance(stated, str) or not re.fullmatch(r"1\.[0-9]+", stated):
        raise Refused("version", repr(stated))


def space(document: dict[str, Any]) -> None:
    system, units, stated = (
        document["coordinate_system"],
        document["units"],
        document.get("geometry"),
    )
    geometry = {("LPS", "mm"): "patient", (None, "mm"): "given", (None, "pixel"): "none"}.get(
        (system, units)
    )
    if geometry is None or stated not in (None, geometry) or (geometry == "given" and not stated):
        raise Refused("space", f"{system}, {units}, {stated}")
    source = document["source"]
    places = [plane.get("position") for plane in source["planes"]]
    if geometry == "none":
        repeats = [file.get("position") for file in document["images"]["files"]]
        repeats += [point.get("patient") for point in document["control_points"]]
        if any(place is not None for place in places + repeats):
            raise Refused("space", "there are millimetres, and units are pixels")
    elif None in [*places, source.get("pixel_spacing"), source.get("orientation")]:
        raise Refused("space", "there are no millimetres, and units are mm")


def sizes(document: dict[str, Any]) -> None:
    source, images = document["source"], document["images"]
    order = order_of(document)
    if sorted(order) != sorted(AXES):
        raise Refused("sizes", "an axis stands twice in order")
    by_axes = [document["decimation"][name]["size"] for name in order]
    if images["size"] != by_axes or len(images["files"]) != by_axes[2]:
        raise Refused("sizes", "of the PNGs")
    if len(source["planes"]) != source["size"][2]:
        raise Refused("sizes", "of the planes")


def planes(document: dict[str, Any]) -> None:
    source = document["source"]
    if min(source["pixel_spacing"]) <= 0:
        raise Refused("planes", "spacing")
    cosines = [
        np.array(plane.get("orientation") or source["orientation"], dtype=float)
        for plane in source["planes"]
    ]
    for six in cosines:
        pair = six.reshape(2, 3)
        if np.abs(pair @ pair.T - np.eye(2)).max() > 0.005:
            raise Refused("planes", "orientation")
        if np.abs(six - cosines[0]).max() > 0.002:
            raise Refused("planes", "not parallel")
    heights = [float(np.array(p["position"]) @ normal_of(document)) for p in source["planes"]]
    if any(upper <= lower for lower, upper in pairwise(heights)):
        raise Refused("planes", "not in order")


def axes(document: dict[str, Any]) -> None:
    for name, length in zip(AXES, document["source"]["size"], strict=True):
        axis = document["decimation"][name]
        ends = sorted((axis["offset"], axis["factor"] * (axis["size"] - 1) + axis["offset"]))
        if document.get("evidence") and name != "slices":
            within = ends[1] >= -0.5 and ends[0] <= length - 0.5
        else:
            within = ends[0] >= -0.5 and ends[1] <= length - 0.5
        if axis["factor"] == 0 or not within:
            raise Refused("axes", name)


def control_points(document: dict[str, Any]) -> None:
    for point in document["control_points"]:
        _met("control_points", to_source(document, point["pixel"]), point["source"])
        if document["units"] == "mm":
            _patient("control_points", document, point["pixel"], point.get("patient"))


def repeated(document: dict[str, Any]) -> None:
    """Positions of the PNGs, and origin and affine of both stacks."""
    if document["units"] != "mm":
        return
    for k, file in enumerate(document["images"]["files"]):
        _patient("positions", document, (0, 0, k), file.get("position"))
    source, order = document["source"], order_of(document)
    grid(document, source, source["size"], lambda pixel: list(pixel))
    size = [document["decimation"][name]["size"] for name in order]
    grid(document, document["images"], size, lambda pixel: to_source(document, pixel))


def grid(
    document: dict[str, Any],
    stated: dict[str, Any],
    size: list[int],
    source_of: Callable[[Point], list[float]],
) -> None:
    """Corners by origin, spacing and direction, and by the affine."""
    residual, is_exact = best_affine(document)
    stated_residual = stated.get("affine_residual_mm")
    if stated_residual is not None and abs(stated_residual - residual) > TOLERANCE:
        raise Refused("grid", "residual")
    last = [count - 1 for count in size]
    corners = [(0, 0, 0), (last[0], 0, 0), (0, last[1], 0), (0, 0, last[2])]
    truth = [patient_of_source(document, source_of(corner)) for corner in corners]
    origin, spacing, affine = (stated.get(name) for name in ("origin", "spacing", "affine"))
    matrices = []
    if origin is not None:
        _met("grid", origin, truth[0].tolist())
        if spacing is not None and stated.get("direction") is not None:
            steps = np.array(stated["direction"]) * [step or 0.0 for step in spacing]
            matrices.append(np.column_stack([steps, origin]))
    if affine is not None:
        if not is_exact or affine[3] != [0, 0, 0, 1]:
            raise Refused("grid", "no affine")
        matrices.append(np.array(affine[:3], dtype=float))
    for matrix in matrices:
        for corner, place in zip(corners, truth, strict=True):
            if not np.linalg.norm(matrix @ [*corner, 1] - place) <= 2 * residual + TOLERANCE:
                raise Refused("grid", f"{corner}")


def best_affine(document: dict[str, Any]) -> tuple[float, bool]:
    """How far the best affine is off at its worst, and whether a document may state it."""
    columns, rows, count = document["source"]["size"]
    if count == 1:
        return 0.0, False
    each = [steps_of(document, k) for k in range(count)]
    positions, per_column, per_row = (np.array(part) for part in zip(*each, strict=True))
    index = np.arange(count) - (count - 1) / 2
    step = index @ positions / (index @ index)
    drift = positions - positions.mean(axis=0) - index[:, None] * step
    turn = [part - part.mean(axis=0) for part in (per_column, per_row)]
    residual = max(
        float(np.linalg.norm(drift + column * turn[0] + row * turn[1], axis=1).max())
        for column in (0, columns - 1)
        for row in (0, rows - 1)
    )
    edge = min(*document["source"]["pixel_spacing"], float(np.linalg.norm(step)))
    return residual, residual <= 0.1 * edge


def _patient(rule: str, document: dict[str, Any], pixel: Point, stated: Any) -> None:
    if stated is None:
        raise Refused(rule, "no position in mm")
    try:
        computed = to_patient(document, pixel)
    except ValueError as error:
        raise Refused(rule, str(error)) from None
    _met(rule, computed, stated)


def _met(rule: str, computed: Any, stated: Point) -> None:
    if not np.abs(np.subtract(computed, stated)).max() <= TOLERANCE:
        raise Refused(rule, f"{computed} is not {stated}")


def tag(document: dict[str, Any]) -> None:
    stated = document["images"].get("tag")
    if stated is not None and stated != tag_by_the_words(document)[1]:
        raise Refused("tag", stated)


def image_names(document: dict[str, Any]) -> None:
    images = document["images"]
    stems = [
        unicodedata.normalize("NFC", re.sub(IMAGE_ENDING, "", file["name"].lower()))
        for file in images["files"]
    ]
    if len(set(stems)) < len(stems):
        raise Refused("image_names", "twice")
    if images.get("tag") is None or document.get("evidence") is not None:
        return
    for k, stem in enumerate(stems):
        named = re.fullmatch(f".+_([0-9]{{4,}})_({TAG})", stem)
        if named and (int(named[1]), named[2]) != (k, images["tag"]):
            raise Refused("image_names", stem)


def digest(document: dict[str, Any]) -> None:
    if document.get("digest") is not None and document["digest"] != digest_of(document):
        raise Refused("digest", document["digest"])


def digest_of(document: dict[str, Any]) -> str:
    """SHA-256 of all the rest, as the page says."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    return hashlib.sha256(canonical(rest).encode("ascii")).hexdigest()


def canonical(value: Any) -> str:
    """Canonical JSON, in which minus zero is itself."""
    if isinstance(value, dict):
        fields = (f"{text_by_the_words(name)}:{canonical(value[name])}" for name in sorted(value))
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, str):
        return text_by_the_words(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    is_minus_zero = value == 0 and math.copysign(1, value) < 0
    return "-0.0" if is_minus_zero else number_by_the_words(float(value))
