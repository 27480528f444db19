"""The vectors of ``schemas/vectors/reader-vectors.json``: documents that a reader must accept, and
documents that it must refuse, each by the rule of docs/sidecar-format.md that it breaks.

``python tests/kit/reader_vectors.py`` writes them anew. The first document is the example of that
page; the others are made of it. Nothing of the package is used.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit.mapping_vectors import as_text, mirrored, patient_of, source_of, stride  # noqa: E402
from kit.refused_documents import REFUSED, Edit, add, change, remove  # noqa: E402
from kit.stranger import digest_of  # noqa: E402
from kit.tag_by_the_words import tag_by_the_words  # noqa: E402

FILE = ROOT / "schemas" / "vectors" / "reader-vectors.json"
PAGE = ROOT / "docs" / "sidecar-format.md"

Json = dict[str, Any]


def example() -> Json:
    """The document at the end of the page."""
    blocks = re.findall(
        r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    made: Json = json.loads(max(blocks, key=len))
    return made


def rewritten(document: Json, **parts: Any) -> Json:
    """Another document with these parts, and with all that follows from them worked out again.
    Its digest is null.
    """
    made: Json = copy.deepcopy({**document, **parts, "digest": None})
    source, images, order = made["source"], made["images"], made["decimation"]["order"]
    size = [made["decimation"][name]["size"] for name in order]
    images["size"] = size
    for part in (source, images):
        part.update(dict.fromkeys(_GRID))
    exists = made["units"] == "mm"
    if exists:
        source["origin"] = source["planes"][0]["position"]
    images["tag"] = tag_by_the_words(made)[1] if made["version"] != "1.0" else None
    ending = "" if images["tag"] is None else f"_{images['tag']}"
    images["files"] = [
        {
            "name": f"slice_{k:04d}{ending}.png",
            "source_slices": [_sample(made, k)],
            "position": _place(made, (0, 0, k)),
            "sha256": f"{k:x}" * 64,
        }
        for k in range(size[2])
    ]
    images["origin"] = images["files"][0]["position"]
    last = [length - 1.0 for length in size]
    pixels = [[0.0, 0.0, 0.0], [last[0], 0.0, 0.0], [0.0, last[1], 0.0], [0.0, 0.0, last[2]], last]
    made["control_points"] = [
        {
            "pixel": pixel,
            "source": [float(at) for at in source_of(made, pixel)],
            "patient": _place(made, pixel),
        }
        for pixel in pixels
    ]
    return made


_GRID = ("origin", "spacing", "direction", "affine", "affine_residual_mm")


def _place(document: Json, pixel: Any) -> list[float] | None:
    if document["units"] == "pixel":
        return None
    found = patient_of({**document, "coordinate_system": "any"}, source_of(document, pixel))
    assert found is not None
    return [float(at) for at in found]


def _sample(document: Json, png: int) -> int:
    """One source sample along the axis of the PNG numbers; enough for a reader."""
    name = document["decimation"]["order"][2]
    axis = document["decimation"][name]
    at = int(axis["factor"] * png + axis["offset"])
    count = document["source"]["size"][("columns", "rows", "slices").index(name)]
    return int(min(max(at, 0), count - 1))


def documents() -> dict[str, Json]:
    """Documents that every reader accepts, by name."""
    page = example()
    plain = {**page, "digest": None}
    source = page["source"]
    decimation = page["decimation"]
    even = [
        {**plane, "position": [10.0, 20.0, 100.0 + 2 * k]}
        for k, plane in enumerate(source["planes"])
    ]
    flat = [{**plane, "position": None} for plane in source["planes"]]
    pixels = {"coordinate_system": None, "units": "pixel", "geometry": "none"}
    no_space = {**source, "planes": flat, "orientation": None, "frame_of_reference_uid": None}
    with_affine = rewritten(page, source={**source, "planes": even})
    _state_affines(with_affine)
    old = rewritten(page, version="1.0", geometry=None)
    for name in ("specimen", "geometry", "made_from", "digest", "evidence", "zoom"):
        del old[name]
    del old["images"]["tag"], old["decimation"]["order"], old["source"]["real_world_values"]
    turned = {
        "columns": mirrored(decimation["columns"]),
        "rows": stride(1, 2, 2),
        "slices": stride(0, 1, 4),
        "order": ["columns", "slices", "rows"],
    }
    adopted = rewritten(
        page,
        evidence=_evidence(),
        decimation={**decimation, "columns": {**decimation["columns"], "offset": -3.5, "size": 7}},
    )
    for k, file in enumerate(adopted["images"]["files"]):
        file["name"] = f"Photo {9 - k}.JPG"
    frames = [
        {**plane, "sop_instance_uid": "1.2.3", "frame_number": k + 1}
        for k, plane in enumerate(source["planes"])
    ]
    single = {**source, "size": [8, 6, 1], "planes": source["planes"][:1]}
    one = {**decimation, "slices": stride(0, 1, 1)}
    written = {
        **plain,
        "warnings": ['µm, größer 1e-7 mm, 骨, 😀, "quoted", \\, \x7f\x01\b\t\n\f\r'],
    }
    written["later"] = [
        1e-07,
        1e16,
        4,
        -0.0,
        0.0001,
        123456789.125,
        {"b": 1, "\U0001f600": True, "\uffee": None},
    ]
    return {
        "example": page,
        "unsealed": plain,
        "with affines": with_affine,
        "voxel size by hand": rewritten(
            page,
            coordinate_system=None,
            geometry="given",
            source={**source, "frame_of_reference_uid": None},
        ),
        "no millimetres": rewritten(page, **pixels, source=no_space),
        "cut another way, mirrored": rewritten(page, decimation=turned),
        "one slice": rewritten(page, source=single, decimation=one),
        "frames of one file": rewritten(page, source={**source, "planes": frames}),
        "adopted, with margins": adopted,
        "version 1.0": old,
        "letters and numbers of every kind": {**written, "digest": digest_of(written)},
    }


def _state_affines(document: Json) -> None:
    """The affines of even planes, one 2 mm above the other, half size and every second slice."""
    source, images = document["source"], document["images"]
    directions = [[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
    for part, steps in ((source, (0.25, 0.5, 2.0)), (images, (0.5, 1.0, 4.0))):
        part["spacing"] = list(steps)
        part["direction"] = directions
        part["affine_residual_mm"] = 0.0
        part["affine"] = [
            [*(at * step for at, step in zip(row, steps, strict=True)), start]
            for row, start in zip(directions, part["origin"], strict=True)
        ]
        part["affine"].append([0.0, 0.0, 0.0, 1.0])


def _evidence() -> Json:
    axis = {"made_by": "means of 2", "exact": True, "residual_shift": 0.0, "deviation": 0.01}
    return {
        **dict.fromkeys(("columns", "rows", "slices"), axis),
        "kernel": "mean",
        "intensity": "line",
        "correlation": 0.99,
        "images_looked_at": [0, 1],
        "image_correlation": [0.9, 0.9],
        "image_confidence": [1.0, 1.0],
        "runner_up": None,
    }


def patched(document: Json, edits: list[Edit]) -> Json:
    """As RFC 6902 has it, of which the vectors use these three operations."""
    made = copy.deepcopy(document)
    for edit in edits:
        *steps, last = edit["path"].lstrip("/").split("/")
        place: Any = made
        for step in steps:
            place = place[int(step) if isinstance(place, list) else step]
        if isinstance(place, list):
            k = len(place) if last == "-" else int(last)
            place[k : k + (edit["op"] != "add")] = [edit["value"]] if "value" in edit else []
        elif edit["op"] == "remove":
            del place[last]
        else:
            assert (last in place) == (edit["op"] == "replace"), edit
            place[last] = edit["value"]
    return made


def _accepted() -> Iterator[tuple[str, str, list[Edit]]]:
    """Name, document and edits."""
    for name in documents():
        yield f"{name}, as it is", name, []
    yield (
        "a later minor version with fields that are not known",
        "unsealed",
        [
            change("/version", "1.7"),
            add("/later", [1]),
            add("/images/later", {"a": None}),
            add("/source/planes/0/later", "text"),
        ],
    )
    yield (
        "numbers without a point, which do not change the digest",
        "example",
        [
            change("/decimation/slices/offset", 0),
            change("/source/origin/0", 10),
        ],
    )
    yield (
        "a control point off by less than the tolerance",
        "unsealed",
        [change("/control_points/0/source/0", 0.5 + 1e-7)],
    )
    yield (
        "fields that may be left out",
        "unsealed",
        [
            *(
                remove(f"/{name}")
                for name in ("specimen", "zoom", "evidence", "warnings", "digest")
            ),
            remove("/decimation/order"),
            remove("/images/channels"),
            remove("/images/window"),
            remove("/source/planes/0/orientation"),
            remove("/source/affine"),
        ],
    )
    yield "geometry left out of a document in patient space", "unsealed", [remove("/geometry")]
    yield "no tag", "unsealed", [change("/images/tag", None)]
    yield (
        "names that are not of the form of exported ones",
        "unsealed",
        [
            change("/images/files/0/name", "one.png"),
            change("/images/files/1/name", "two.png"),
        ],
    )
    yield (
        "a tag in capitals in a name",
        "unsealed",
        [change("/images/files/0/name", "SLICE_0000_MVSZRK.PNG")],
    )
    yield "source files in folders", "unsealed", [change("/source/planes/0/file", "a b/..c/I:M.0")]
    yield (
        "a pixel spacing where there are no millimetres",
        "no millimetres",
        [change("/source/pixel_spacing", None)],
    )
    yield (
        "planes that are parallel but for rounding",
        "unsealed",
        [
            change("/source/planes/2/orientation", [0.8003, 0.5996, 0.0, -0.5996, 0.8003, 0.0]),
            change("/source/planes/3/orientation", [0.8003, 0.5996, 0.0, -0.5996, 0.8003, 0.0]),
            change("/images/files/1/position", _turned(0, 0)),
            change("/control_points/1/patient", _turned(0, 0)),
            change("/control_points/6/patient", _turned(3, 2)),
            change("/control_points/4/patient", _between()),
        ],
    )
    yield (
        "16-bit colour is not what the mapping depends on",
        "unsealed",
        [
            change("/images/bits", 16),
            change("/images/channels", 3),
            change("/images/value", None),
            change("/images/window", None),
        ],
    )


#: The orientation of the planes 2 and 3 in the vector above.
_SLIGHTLY_OFF = (0.8003, 0.5996, 0.0, -0.5996, 0.8003, 0.0)


def _slightly_turned() -> Json:
    made = copy.deepcopy(example())
    for k in (2, 3):
        made["source"]["planes"][k]["orientation"] = list(_SLIGHTLY_OFF)
    return made


def _turned(x: float, y: float) -> list[float] | None:
    """Where a pixel of the second PNG is then."""
    return _place(_slightly_turned(), (x, y, 1))


def _between() -> list[float] | None:
    """Where the control point between both PNGs is then."""
    return _place(_slightly_turned(), (1.5, 1.0, 0.5))


def _texts() -> Iterator[tuple[str, str]]:
    """Name and text of what is no whole JSON."""
    whole = json.dumps(documents()["unsealed"], separators=(",", ":"))
    yield "nothing", ""
    yield "a list", "[]"
    yield "cut short", whole[: len(whole) // 2]
    yield "without its last brace", whole[:-1]
    yield "something behind its end", whole + "}"
    yield "a comment", whole.replace("{", "{// half size\n", 1)
    yield "NaN", whole.replace('"lower":-1000.0', '"lower":NaN')
    yield "infinity in a field that is not known", whole[:-1] + ',"later":-Infinity}'
    yield "a field twice", '{"version":"2.0",' + whole[1:]
    yield (
        "a factor twice",
        whole.replace('"columns":{"factor":2.0', '"columns":{"factor":4.0,"factor":2.0'),
    )


def vectors() -> Json:
    """All that the file holds."""
    given = documents()
    whole = json.dumps(given["example"])
    made: list[Json] = [
        {"name": name, "document": document, "edits": edits, "verdict": "accept"}
        for name, document, edits in _accepted()
    ]
    made += [
        {"name": "in one line", "text": whole, "verdict": "accept"},
        {
            "name": "fields in another order, escapes and white space",
            "text": json.dumps(dict(reversed(given["example"].items())), indent=2).replace(
                "gaps", "\\u0067aps"
            ),
            "verdict": "accept",
        },
    ]
    made += [
        {"name": name, "text": text, "verdict": "refuse", "rule": "json"} for name, text in _texts()
    ]
    made += [
        {
            "name": "a number too large for a double",
            "text": json.dumps(given["unsealed"]).replace('"lower": -1000.0', '"lower": -1e999'),
            "verdict": "refuse",
            "rule": "type",
        }
    ]
    made += [
        {"name": name, "document": document, "edits": edits, "verdict": "refuse", "rule": rule}
        for rule, cases in REFUSED.items()
        for name, document, edits in cases
    ]
    return {
        "about": "What a reader of sidecar documents accepts and refuses; README.md tells the fields.",
        "documents": given,
        "vectors": made,
    }


def text_of(vector: Json, given: dict[str, Json]) -> str:
    """The document of a vector, as it is read."""
    if "text" in vector:
        return str(vector["text"])
    return json.dumps(patched(given[vector["document"]], vector["edits"]), ensure_ascii=False)


if __name__ == "__main__":
    FILE.write_text(as_text(vectors()) + "\n", encoding="utf-8")
