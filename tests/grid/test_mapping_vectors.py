"""The mapping against ``schemas/vectors``, which JavaScript reads as well
(``tests/viewer/test_mapping_in_javascript.py``).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from kit.mapping_vectors import FILE, as_text, patient_of, source_of, vectors

from sidecar.document.reading import parse
from sidecar.grid.axis import nearest
from sidecar.mapping import Sidecar

VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}
TOLERANCE = VECTORS["tolerance"]


def opened(case: dict[str, Any]) -> Sidecar:
    """A document in miniature with all that it lacks; its points are its control points."""
    small = case["document"]
    axes = [small["decimation"][name] for name in small["decimation"]["order"]]
    size = [axis["size"] for axis in axes]
    positions = [patient_of(small, source_of(small, (0, 0, k))) for k in range(size[2])]
    files = [
        {
            "name": f"slice_{k:04d}.png",
            "source_slices": [0],
            "position": position and [float(at) for at in position],
            "sha256": "0" * 64,
        }
        for k, position in enumerate(positions)
    ]
    uids = {"study_instance_uid": "1.2.3", "series_instance_uid": "1.2.4", "modality": "CT"}
    planes = [{**plane, "file": "IM"} for plane in small["source"]["planes"]]
    return Sidecar.of(
        parse(
            json.dumps(
                {
                    **small,
                    "version": "1.0",
                    "generator": "vectors",
                    "source": {**small["source"], **uids, "planes": planes},
                    "images": {"size": size, "bits": 8, "files": files},
                    "control_points": case["points"],
                }
            )
        )
    )


def column(case: dict[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([point[name] for point in case["points"]], dtype=np.float64)


def test_the_file_is_what_its_program_writes() -> None:
    """`python tests/kit/mapping_vectors.py` writes it."""
    assert FILE.read_text(encoding="utf-8") == as_text(vectors()) + "\n"
    assert all(len(case["points"]) >= 8 for case in CASES.values())


def test_the_nearest_sample_is_that_of_the_vectors() -> None:
    places = [pair["place"] for pair in VECTORS["nearest"]]
    assert nearest(places).tolist() == [pair["sample"] for pair in VECTORS["nearest"]]


@pytest.mark.parametrize("name", CASES)
def test_pixels_map_to_source_and_back(name: str) -> None:
    case, sidecar = CASES[name], opened(CASES[name])
    pixel, source = column(case, "pixel"), column(case, "source")
    assert np.abs(sidecar.to_source(pixel[:, :2], pixel[:, 2]) - source).max() < TOLERANCE["source"]
    xy, number = sidecar.from_source(source)
    assert np.abs(np.column_stack([xy, number]) - pixel).max() < TOLERANCE["pixel"]


@pytest.mark.parametrize("name", CASES)
def test_pixels_map_to_the_patient_and_back(name: str) -> None:
    case, sidecar = CASES[name], opened(CASES[name])
    if case["document"]["coordinate_system"] is None:
        assert sidecar.stack is None
        return
    pixel, patient = column(case, "pixel"), column(case, "patient")
    there = sidecar.to_patient(pixel[:, :2], pixel[:, 2])
    assert np.abs(there - patient).max() < TOLERANCE["patient"]
    xy, number = sidecar.from_patient(patient)
    assert np.abs(np.column_stack([xy, number]) - pixel).max() < TOLERANCE["pixel"]


@pytest.mark.parametrize("name", CASES)
def test_pixels_lie_on_the_instance_nearest_to_them(name: str) -> None:
    case, sidecar = CASES[name], opened(CASES[name])
    pixel = column(case, "pixel")
    found = sidecar.instances(sidecar.to_source(pixel[:, :2], pixel[:, 2]))
    assert found.sop_instance_uid == [point["sop_instance_uid"] or "" for point in case["points"]]
    assert found.frame_number.tolist() == [point["frame_number"] or 0 for point in case["points"]]
