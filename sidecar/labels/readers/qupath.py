"""Objects exported by QuPath as GeoJSON. Pixel origin: corner.

Coordinates are pixels of the full-resolution image with two decimals. (0, 0) is the outer top left
corner (QuPath documentation, "Exporting annotations"). QuPath writes ``plane`` into the geometry
only if it is not the default, z = 0 (ROITypeAdapters of qupath-core). The file names no image
inside. Its own name may: QuPath proposes the name of the image for an export, and scripts add to
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.errors import LabelError
from sidecar.labels.identity.evidence import size_beside
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.edges import Edges
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import png_against_slices, png_in_name
from sidecar.labels.shapes import Shape, Vertices, ellipse, labels_of
from sidecar.labels.text import head_text, json_keys, load_json, member, number, text_of, whole

#: Text that only QuPath writes: the kind of object (as id before 0.3), or a UUID as id, which
#: stands before a long geometry.
_OBJECT = re.compile(
    r'"objectType"|"Path(Annotation|Detection|Cell|Tile|Root)Object"|"TMACoreObject"'
    r'|"id"\s*:\s*"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"'
)

_ROUNDED = "QuPath writes two decimals, so a coordinate is right to 0.005 PNG pixels"


def recognises(path: Path, head: bytes) -> bool:
    """GeoJSON with features that state their kind of QuPath object. Other GeoJSON is in degrees or
    metres.
    """
    keys, text = json_keys(head), head_text(head)
    geometry = not keys.isdisjoint({(1, "geometry"), (2, "geometry"), (3, "geometry")})
    return geometry and '"Feature"' in text and _OBJECT.search(text) is not None


def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    """Every feature of a FeatureCollection or of a list, or the only feature of the file.

    Raises LabelError.
    """
    features = _features(load_json(path), path)
    image, note = _image(features, path, stack)
    counts = _has_planes(features) or not image
    shapes = [
        shape
        for n, feature in enumerate(features, start=1)
        for shape in _shapes(feature, n, image, counts, path)
    ]
    edges = Edges(options.pixel_origin)
    size = size_beside(path, image) or (stack.columns, stack.rows)
    cut = [edges.cut_shape(shape, size) for shape in shapes]
    left_out = LeftOut()
    left_out.add(
        "nucleus outline",
        "the outline of the cell was read",
        sum("nucleusGeometry" in feature for feature in features),
    )
    return labels_of(
        path,
        cut,
        tool="QuPath",
        origin="corner",
        forced=options.pixel_origin,
        notes=[_ROUNDED, note, *edges.notes],
        left_out=left_out.sentences,
    )


def _features(document: object, path: Path) -> list[dict[str, Any]]:
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        document = member(document, "features", list, path)
    features: list[Any] = document if isinstance(document, list) else [document]
    for n, feature in enumerate(features, start=1):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise LabelError(
                "is not a GeoJSON feature; export the objects from QuPath as GeoJSON",
                path,
                f"feature {n}",
            )
    return features


def _image(features: list[dict[str, Any]], path: Path, stack: PngStack) -> tuple[str, str]:
    """The PNG that the file is named after, or ""; and a note for the user.

    LabelError where neither a plane nor the name of the file tells the slice.
    """
    if _has_planes(features):
        return png_against_slices(path, stack), (
            "z of the plane was taken as the slice number; it is 0 if the file states none, as"
            " QuPath writes it"
        )
    name = png_in_name(path, stack)
    if name:
        return name, f"The labels lie on {name}, by the name of the file; the file states no plane"
    if stack.is_single:
        return "", "The file states no plane; its labels were taken to lie on the only PNG"
    raise LabelError(
        "names no image, and neither a plane nor the name of the file says which PNG it belongs"
        " to. Rename the file so that its name begins with that of the PNG, as QuPath suggests it"
        " (slice 0 of a stack has no plane; name it after"
        f" {stack.names[0] if stack.names else 'the first PNG'})",
        path,
    )


def _has_planes(features: list[dict[str, Any]]) -> bool:
    geometries = (feature.get("geometry") for feature in features)
    return any("plane" in geometry for geometry in geometries if isinstance(geometry, dict))


def _shapes(
    feature: dict[str, Any], n: int, image: str, counts: bool, path: Path
) -> Iterator[Shape]:
    """The shapes of all features. ``counts``: whether planes are slices of the PNG stack."""
    where = f"feature {n}"
    geometry: dict[str, Any] = member(feature, "geometry", dict, path, where)
    class_, name = _class_and_name(feature.get("properties"))
    id_ = text_of(feature.get("id"))
    if not id_ or id_.endswith("Object"):  # QuPath 0.2 wrote the kind of object there
        id_ = str(n)
    slice_ = float(_slice(geometry, path, where)) if counts else None
    for part, ring, type_, xy in _parts(geometry, path, where):
        extra = {"name": name, "part": str(part), "ring": str(ring)}
        ring_id = f"{id_}.{part}.{ring}" if part or ring else id_
        yield Shape(type_, xy, "corner", where, class_ or name, image, slice_, ring_id, 0, extra)


def _class_and_name(properties: object) -> tuple[str, str]:
    """The class and the name of a feature, "" where it has none.

    A class of several parts is one name, "A: B", or a list of names.
    """
    if not isinstance(properties, dict):
        return "", ""
    kind = properties.get("classification")
    if not isinstance(kind, dict):
        return "", text_of(properties.get("name"))
    names = kind.get("names")
    class_ = text_of(kind.get("name")) or (
        ": ".join(map(text_of, names)) if isinstance(names, list) else ""
    )
    return class_, text_of(properties.get("name"))


def _slice(geometry: Mapping[str, Any], path: Path, where: str) -> int:
    plane = member(geometry, "plane", dict, path, where) if "plane" in geometry else {}
    if whole(plane.get("t", 0), path, where, "plane's t") > 0:
        raise LabelError(
            "lies on a time point; open the PNGs in QuPath as slices (z), not as a time series",
            path,
            where,
        )
    z = whole(plane.get("z", 0), path, where, "plane's z")
    if z < 0:
        raise LabelError(f"z of the plane is {z}, but slices count from 0", path, where)
    return z


def _parts(
    geometry: Mapping[str, Any], path: Path, where: str
) -> Iterator[tuple[int, int, str, Vertices]]:
    """(part, ring, shape type, vertices) of a geometry. Ring 0 is an outline; the rings after it
    are its holes.
    """
    type_, coordinates = geometry.get("type"), geometry.get("coordinates")
    if type_ == "Point":
        yield 0, 0, "point", _pairs([coordinates], path, where)
    elif type_ == "MultiPoint":
        yield 0, 0, "point", _pairs(coordinates, path, where)
    elif type_ in ("LineString", "MultiLineString"):
        for part, line in enumerate(
            [coordinates] if type_ == "LineString" else _list(coordinates, path, where)
        ):
            xy = _pairs(line, path, where)
            yield part, 0, "line" if len(xy) == 2 else "polyline", xy
    elif type_ in ("Polygon", "MultiPolygon"):
        for part, polygon in enumerate(
            [coordinates] if type_ == "Polygon" else _list(coordinates, path, where)
        ):
            for ring, outline in enumerate(_list(polygon, path, where)):
                xy = _pairs(outline, path, where)
                if geometry.get("isEllipse") is True:
                    yield part, ring, "ellipse", _ellipse(xy, path, where)
                else:
                    yield part, ring, "polygon", xy[:-1] if xy[1:] and xy[0] == xy[-1] else xy
    else:
        raise LabelError(
            f"geometry {str(type_)[:40]!r} cannot be read; split the object in QuPath and export it"
            " again",
            path,
            where,
        )


def _ellipse(xy: Vertices, path: Path, where: str) -> Vertices:
    """The ellipse of a polygon that is marked as an ellipse. Like QuPath, take the bounds of the
    polygon.
    """
    if not xy:
        raise LabelError("has an ellipse without coordinates", path, where)
    xs, ys = [x for x, _ in xy], [y for _, y in xy]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    return ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)


def _pairs(value: object, path: Path, where: str) -> list[tuple[float, float]]:
    """Positions [x, y] or [x, y, z]. GeoJSON allows the third number, and QuPath ignores it."""
    positions = _list(value, path, where)
    if not all(isinstance(position, list) and len(position) in (2, 3) for position in positions):
        raise LabelError("coordinates are not a list of [x, y] pairs", path, where)
    return [(number(x, path, where), number(y, path, where)) for x, y, *_ in positions]


def _list(value: object, path: Path, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise LabelError("has no list of coordinates", path, where)
    return value


READER = Reader("qupath", "QuPath", "corner", recognises, read)
