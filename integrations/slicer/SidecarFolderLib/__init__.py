"""What of a folder 3D Slicer can show in place: plain Python, so that it is tested without Slicer.

Everything is in patient millimetres as it lies: the companion volume of
``sidecar export --volume``, markups of ``sidecar map-points`` and segmentations of
``sidecar map-mask``.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

VOLUMES = ("volume.nrrd", "volume.nii", "volume.mha")
MARKUPS = ".mrk.json"
SEGMENTATION = ".seg.nrrd"
SIDECAR = "sidecar.json"

#: Points may lie this part of the scan's size beyond its outermost planes.
MARGIN = 0.05


@dataclass(frozen=True)
class Contents:
    """Files to load, in this order, and what is not loaded: its name with the reason."""

    volumes: tuple
    segmentations: tuple
    markups: tuple
    left_out: dict


def contents(folder):
    """The files of a folder that lie in place in the patient.

    ValueError where the folder is of an export that has no place in a patient, or has nothing.
    """
    folder = Path(folder)
    bounds = patient_bounds(folder)
    left_out = {}
    markups = []
    for path in sorted(folder.glob("*" + MARKUPS)):
        problem = markups_problem(path, bounds)
        if problem is None:
            markups.append(path)
        else:
            left_out[path.name] = problem
    found = Contents(
        tuple(folder / name for name in VOLUMES if (folder / name).is_file()),
        tuple(sorted(folder.glob("*" + SEGMENTATION))),
        tuple(markups),
        left_out,
    )
    if not (found.volumes or found.segmentations or found.markups or left_out):
        raise ValueError(
            f"{folder.name} holds none of {', '.join(VOLUMES)}, *{SEGMENTATION} and *{MARKUPS}."
            " Write the volume with: sidecar export --volume nrrd"
        )
    return found


def patient_bounds(folder):
    """The least and the greatest L, P and S of the scan of an export, None without sidecar.json.

    By the centres of the corners of every plane (PS3.3 C.7.6.2.1.1). ValueError where its
    millimetres are none of a patient.
    """
    path = Path(folder) / SIDECAR
    if not path.is_file():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    if str(document.get("version", "")).split(".")[0] != "1":
        raise ValueError(f"{SIDECAR} is of version {document.get('version')}; this module reads 1")
    if document["coordinate_system"] != "LPS":
        raise ValueError(
            f"{SIDECAR} has no place in a patient: its millimetres were given by hand, or it has"
            " none. Its labels cannot be shown on the DICOM"
        )
    source = document["source"]
    columns, rows, _ = source["size"]
    between_rows, between_columns = source["pixel_spacing"]
    corners = [
        [
            plane["position"][i]
            + column * between_columns * cosines[i]
            + row * between_rows * cosines[3 + i]
            for i in range(3)
        ]
        for plane in source["planes"]
        for cosines in [plane["orientation"] or source["orientation"]]
        for column in (0, columns - 1)
        for row in (0, rows - 1)
    ]
    return tuple(tuple(pick(p[i] for p in corners) for i in range(3)) for pick in (min, max))


def markups_problem(path, bounds):
    """Why markups are not those of this scan, None where nothing speaks against it.

    Markups placed on the PNG stack look alike, but are pixels: most of them lie outside of the
    scan.
    """
    try:
        lists = json.loads(Path(path).read_text(encoding="utf-8"))["markups"]
        points = [point for one in lists for point in _lps_points(one)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "is no markups file of 3D Slicer that this module understands"
    if not points:
        return "holds no points"
    if bounds is None:
        return None
    low, high = bounds
    margin = MARGIN * math.dist(low, high)
    outside = sum(
        any(not low[i] - margin <= point[i] <= high[i] + margin for i in range(3))
        for point in points
    )
    if not outside:
        return None
    return (
        f"has {outside} of {len(points)} points outside of the scan: were they placed on the PNG"
        " stack? Map them first with: sidecar map-points"
    )


def _lps_points(markup):
    """Control points, and the centre of an ROI, which has none."""
    if markup.get("coordinateUnits", "mm") not in ("mm", ["mm", "UCUM", "millimeter"]):
        raise ValueError("another unit")
    sign = {"LPS": 1, "RAS": -1}[markup.get("coordinateSystem", "LPS")]
    positions = [point["position"] for point in markup.get("controlPoints", [])]
    positions += [markup["center"]] if "center" in markup else []
    return [(sign * x, sign * y, z) for x, y, z in positions]
