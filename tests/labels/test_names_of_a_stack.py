"""A label file of one image is read with as much work on a long stack of PNGs as on a short one:
calls are counted, never the clock.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import pytest

from sidecar.labels.model import PngStack, ReadOptions
from sidecar.labels.readers import read_labels

OWN = "slice_0007_gjgbtf"
_POINT = {"type": "Point", "coordinates": [10.5, 12.5]}
_ANNOTATION = {"objectType": "annotation", "name": "tip"}
_FEATURE = {"type": "Feature", "id": "x", "geometry": _POINT, "properties": _ANNOTATION}
#: A file of one image in each format that is compared with the names of all PNGs.
FILES = {
    "csv": "label,x,y\ntip,10,12\n",
    "named.csv": f"label,x,y,image\ntip,10,12,{OWN}.png\n",
    "numbers.csv": "label,x,y,slice\ntip,10,12,7\n",
    "results.csv": f" ,Label,Area,X,Y\n1,{OWN}.png,0,10.000,12.000\n",
    "napari.csv": "index,axis-0,axis-1\n0,12.0,10.0\n",
    "txt": "10\t12\n",
    "geojson": json.dumps({"type": "FeatureCollection", "features": [_FEATURE]}),
    "svg": (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<svg width="0.25in" height="0.25in" viewBox="0 0 32 32" xmlns="http://www.w3.org/2000/svg">'
        '<path id="tip" fill="none" stroke="black" stroke-width="1"'
        ' d="M 10 12 C 10 12 5 6 5 6 5 6 7 20 7 20 7 20 10 12 10 12 Z" /></svg>'
    ),
}


#: What its user must say of a file.
SAID = {"numbers.csv": ReadOptions(slice_origin=0), "txt": ReadOptions("center")}


def _calls(file: Path, slices: int, said: ReadOptions | None) -> int:
    """The calls of functions while a file is read. An earlier file of the same stack was read."""
    names = tuple(f"slice_{k:04d}_gjgbtf.png" for k in range(slices))
    stack, counted = PngStack(32, 32, slices, names=names), 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    for _ in range(2):  # tables of the names are made with the first file
        counted = 0
        before = sys.getprofile()
        gc.disable()  # a collection calls what other tests have left
        sys.setprofile(count)
        try:
            read_labels(file, stack, options=said)
        finally:
            sys.setprofile(before)
            gc.enable()
    return counted


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_one_image_takes_no_more_calls_on_a_longer_stack(
    kind: str, tmp_path: Path
) -> None:
    at = "_numbers" if kind == "numbers.csv" else ""  # a name of a PNG would contradict its slices
    file = tmp_path / f"{OWN}{at}.{kind.rpartition('.')[2]}"
    file.write_text(FILES[kind])
    said = SAID.get(kind)
    assert _calls(file, 40, said) == _calls(file, 400, said)
