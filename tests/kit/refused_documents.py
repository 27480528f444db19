"""What the refused documents of ``schemas/vectors/reader-vectors.json`` are: edits of documents of
`kit.reader_vectors`, by the rule of docs/sidecar-format.md that they break.
"""

from __future__ import annotations

from typing import Any

#: One operation of JSON Patch (RFC 6902).
Edit = dict[str, Any]


def change(path: str, value: Any) -> Edit:
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> Edit:
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Edit:
    return {"op": "remove", "path": path}


#: By rule: name, document, edits. Each breaks this rule, and none before it on the page.
REFUSED: dict[str, list[tuple[str, str, list[Edit]]]] = {
    "version": [
        ("of the next major version", "unsealed", [change("/version", "2.0")]),
        ("of version 10", "unsealed", [change("/version", "10.1")]),
        ("of version 0", "unsealed", [change("/version", "0.9")]),
        ("without a minor version", "unsealed", [change("/version", "1")]),
        ("a version with letters", "unsealed", [change("/version", "1.x")]),
        ("a version that is a number", "unsealed", [change("/version", 1.1)]),
        ("no version", "unsealed", [remove("/version")]),
    ],
    "pixel_origin": [
        ("counted from the corner", "unsealed", [change("/pixel_origin", "corner")]),
        ("no pixel_origin", "unsealed", [remove("/pixel_origin")]),
    ],
    "type": [
        ("no decimation", "unsealed", [remove("/decimation")]),
        ("no name of a PNG", "unsealed", [remove("/images/files/1/name")]),
        ("no coordinate_system", "unsealed", [remove("/coordinate_system")]),
        ("no control points", "unsealed", [change("/control_points", [])]),
        ("a list where an object is", "unsealed", [change("/source", [])]),
        ("text where a number is", "unsealed", [change("/decimation/columns/factor", "2.0")]),
        ("true where a number is", "unsealed", [change("/decimation/slices/factor", True)]),
        ("null where a number is", "unsealed", [change("/decimation/columns/offset", None)]),
        ("a number where text is", "unsealed", [change("/source/series_instance_uid", 1)]),
        ("two numbers where three are", "unsealed", [change("/images/size", [4, 3])]),
        ("a size that is not whole", "unsealed", [change("/images/size/0", 4.5)]),
        ("a size of nothing", "unsealed", [change("/decimation/columns/size", 0)]),
        ("frames counted from 0", "unsealed", [change("/source/planes/0/frame_number", 0)]),
        ("other units", "unsealed", [change("/units", "inch")]),
        ("another coordinate system", "unsealed", [change("/coordinate_system", "RAS")]),
        ("another geometry", "unsealed", [change("/geometry", "guessed")]),
        ("an axis that is none", "unsealed", [change("/decimation/order/0", "x")]),
        ("another method", "unsealed", [change("/decimation/rows/method", "median")]),
        ("12 bits", "unsealed", [change("/images/bits", 12)]),
        ("a tag of five letters", "unsealed", [change("/images/tag", "mvszr")]),
        ("a tag with a vowel", "unsealed", [change("/images/tag", "mvszra")]),
        ("a specimen with a slash", "unsealed", [change("/specimen", "a/b")]),
        ("a digest of a PNG cut short", "unsealed", [change("/images/files/0/sha256", "abc")]),
        ("a negative deviation", "adopted, with margins", [
            change("/evidence/columns/deviation", -1.0)
        ]),
        ("a negative source slice", "unsealed", [change("/images/files/0/source_slices", [-1])]),
    ],
    "name": [
        *(
            (f"a PNG called {name!r}", "unsealed", [change("/images/files/0/name", name)])
            for name in ("../a.png", "/a.png", "a/b.png", "..\\a.png", "C:a.png", "..", ".", "")
        ),
        ("a NUL in a name", "unsealed", [change("/images/files/0/name", "a\0.png")]),
        *(
            (f"a source file called {name!r}", "unsealed", [change("/source/planes/3/file", name)])
            for name in ("../IM", "/IM", "a/../IM", "a\\..\\IM", "C:\\IM", "a//IM", "a/", "")
        ),
    ],
    "space": [
        ("LPS in pixels", "unsealed", [change("/units", "pixel"), remove("/geometry")]),
        ("millimetres of nobody", "unsealed", [change("/coordinate_system", None)]),
        (
            "millimetres of nobody, and no geometry",
            "voxel size by hand",
            [change("/geometry", None)],
        ),
        ("given, and LPS", "unsealed", [change("/geometry", "given")]),
        ("none, and LPS", "unsealed", [change("/geometry", "none")]),
        ("patient, and by hand", "voxel size by hand", [change("/geometry", "patient")]),
        ("patient, and no millimetres", "no millimetres", [change("/geometry", "patient")]),
        (
            "a plane in mm where units are pixels",
            "no millimetres",
            [change("/source/planes/0/position", [0.0, 0.0, 0.0])],
        ),
        (
            "a PNG in mm where units are pixels",
            "no millimetres",
            [change("/images/files/0/position", [0.0, 0.0, 0.0])],
        ),
        (
            "a control point in mm where units are pixels",
            "no millimetres",
            [change("/control_points/0/patient", [0.0, 0.0, 0.0])],
        ),
        ("a plane without a position", "unsealed", [change("/source/planes/1/position", None)]),
        ("no orientation", "unsealed", [change("/source/orientation", None)]),
        ("no pixel spacing", "unsealed", [change("/source/pixel_spacing", None)]),
    ],
    "sizes": [
        ("an axis twice", "unsealed", [change("/decimation/order/1", "columns")]),
        ("a PNG too few", "unsealed", [remove("/images/files/1")]),
        ("PNGs of another size", "unsealed", [change("/images/size/0", 5)]),
        ("PNG columns and rows exchanged", "unsealed", [change("/images/size", [3, 4, 2])]),
        ("more PNGs than there are", "unsealed", [change("/images/size/2", 3)]),
        ("a plane too few", "unsealed", [remove("/source/planes/3")]),
        ("more slices than planes", "unsealed", [change("/source/size/2", 5)]),
    ],
    "planes": [
        ("no distance between columns", "unsealed", [change("/source/pixel_spacing/1", 0.0)]),
        ("a negative pixel spacing", "unsealed", [change("/source/pixel_spacing/0", -0.5)]),
        ("cosines that are no unit vectors", "unsealed", [change("/source/orientation/0", 0.9)]),
        (
            "directions that are not at right angles",
            "unsealed",
            [change("/source/orientation", [1.0, 0.0, 0.0, 0.6, 0.8, 0.0])],
        ),
        (
            "a plane that is turned",
            "unsealed",
            [change("/source/planes/3/orientation", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0])],
        ),
        (
            "two planes exchanged",
            "unsealed",
            [
                change("/source/planes/0/position", [10.0, 20.0, 102.0]),
                change("/source/planes/1/position", [10.0, 20.0, 100.0]),
            ],
        ),
        (
            "two planes in one place",
            "unsealed",
            [change("/source/planes/1/position", [10.0, 20.0, 100.0])],
        ),
    ],
    "axes": [
        ("a factor of 0", "unsealed", [change("/decimation/slices/factor", 0.0)]),
        ("columns before the first", "unsealed", [change("/decimation/columns/offset", -1.0)]),
        ("rows behind the last", "unsealed", [change("/decimation/rows/offset", 1.75)]),
        ("slices behind the last", "unsealed", [change("/decimation/slices/factor", 4.0)]),
        ("a scan of fewer columns", "unsealed", [change("/source/size/0", 6)]),
        (
            "adopted images beside the scan",
            "adopted, with margins",
            [change("/decimation/columns/offset", 9.0)],
        ),
        (
            "adopted slices beyond the scan",
            "adopted, with margins",
            [change("/decimation/slices/offset", 2.0)],
        ),
    ],
    "control_points": [
        ("half a source pixel off", "unsealed", [change("/decimation/columns/offset", 0.0)]),
        ("another factor", "unsealed", [change("/decimation/rows/factor", 1.9)]),
        (
            "columns and rows exchanged",
            "one slice",
            [change("/decimation/order", ["rows", "columns", "slices"]),
             change("/images/size", [3, 4, 1])],
        ),
        ("a control point moved", "unsealed", [change("/control_points/3/pixel/0", 1.00001)]),
        ("its source off", "unsealed", [change("/control_points/4/source/2", 1.00001)]),
        ("its position off", "unsealed", [change("/control_points/5/patient/1", 21.17501)]),
        ("its position left out", "unsealed", [change("/control_points/0/patient", None)]),
        (
            "row and column spacing exchanged",
            "unsealed",
            [change("/source/pixel_spacing", [0.25, 0.5])],
        ),
        (
            "row and column directions exchanged",
            "unsealed",
            [change("/source/orientation", [-0.6, 0.8, 0.0, 0.8, 0.6, 0.0]),
             change("/source/planes/0/position", [10.0, 20.0, 107.0]),
             change("/source/planes/1/position", [10.0, 20.0, 104.0]),
             change("/source/planes/2/position", [10.0, 20.0, 102.0]),
             change("/source/planes/3/position", [10.0, 20.0, 100.0])],
        ),
        (
            "a plane moved",
            "unsealed",
            [change("/source/planes/2/position", [10.0, 20.0, 104.001])],
        ),
        (
            "off the only slice",
            "one slice",
            [change("/control_points/0/pixel/2", 0.25),
             change("/control_points/0/source/2", 0.25)],
        ),
    ],
    "positions": [
        (
            "a PNG elsewhere",
            "unsealed",
            [change("/images/files/1/position", [9.95, 20.275, 107.0])],
        ),
        ("a PNG nowhere", "unsealed", [change("/images/files/0/position", None)]),
    ],
    "grid": [
        ("the origin of the source", "unsealed", [change("/source/origin/0", 0.0)]),
        ("the origin of the images", "unsealed", [change("/images/origin/2", 102.0)]),
        ("spacing of rows and columns exchanged", "unsealed", [
            change("/source/spacing", [0.5, 0.25, 2.3]),
        ]),
        ("a PNG spacing that is not that of the PNGs", "with affines", [
            change("/images/spacing", [0.25, 0.5, 2.0]),
        ]),
        ("directions by columns", "unsealed", [
            change("/source/direction", [[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]),
        ]),
        ("the affine of the source in RAS", "with affines", [
            change("/source/affine/0", [-0.2, 0.3, 0.0, -10.0]),
            change("/source/affine/1", [-0.15, -0.4, 0.0, -20.0]),
        ]),
        ("the affine of the images", "with affines", [change("/images/affine/2/2", 2.0)]),
        ("the last row of an affine", "with affines", [change("/images/affine/3/3", 2.0)]),
        ("an affine of planes that have none", "unsealed", [
            change("/source/affine", [
                [0.2, -0.3, 0.0, 10.0], [0.15, 0.4, 0.0, 20.0], [0.0, 0.0, 2.3, 99.8],
                [0.0, 0.0, 0.0, 1.0],
            ]),
        ]),
        ("a residual that is smaller than it is", "unsealed", [
            change("/source/affine_residual_mm", 0.0),
        ]),
    ],
    "tag": [
        ("the tag of another mapping", "unsealed", [change("/images/tag", "bcdfgh")]),
        (
            "another series",
            "unsealed",
            [change("/source/series_instance_uid", "1.2.826.0.1.3680043.8.498.11")],
        ),
        (
            "two instances exchanged",
            "unsealed",
            [
                change("/source/planes/1/sop_instance_uid", "1.2.826.0.1.3680043.8.498.10.4"),
                change("/source/planes/3/sop_instance_uid", "1.2.826.0.1.3680043.8.498.10.2"),
            ],
        ),
        ("a frame number", "unsealed", [change("/source/planes/0/frame_number", 1)]),
    ],
    "image_names": [
        ("one name twice", "unsealed", [
            change("/images/files/0/name", "one.png"), change("/images/files/1/name", "one.png"),
        ]),
        ("one name twice but for capitals and ending", "unsealed", [
            change("/images/files/0/name", "one.png"), change("/images/files/1/name", "ONE.tif"),
        ]),
        ("one name twice but for an accent written apart", "unsealed", [
            change("/images/files/0/name", "k\u00e4fer.png"),
            change("/images/files/1/name", "ka\u0308fer.png"),
        ]),
        ("two names exchanged", "unsealed", [
            change("/images/files/0/name", "slice_0001_mvszrk.png"),
            change("/images/files/1/name", "slice_0000_mvszrk.png"),
        ]),
        (
            "the name of another export",
            "unsealed",
            [change("/images/files/0/name", "slice_0000_bcdfgh.png")],
        ),
    ],
    "digest": [
        ("a warning taken out", "example", [change("/warnings", [])]),
        ("another PNG", "example", [change("/images/files/0/sha256", "0" * 64)]),
        ("a field added", "example", [add("/later", 1)]),
        ("a number changed in its last digit", "example", [
            change("/images/value/slope", 8.000000000000002)
        ]),
        ("a digest that is none", "example", [change("/digest", "none")]),
    ],
}  # fmt: skip
