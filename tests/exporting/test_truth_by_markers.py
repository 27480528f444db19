"""Truth by construction: markers drawn at known places in true DICOM are found on the exported PNGs
and mapped back.

The package under test does not take part in finding them: centroids are taken from the PNGs by
`phantoms.centroid`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.phantoms import Marker, Phantom, Spec, centroid, centroid3d, write
from PIL import Image

import sidecar
from sidecar.labels.load import map_file

#: The bound of the whole project: every label within this of the truth.
BOUND_SOURCE_PIXELS = 0.02

WIDE = {"columns": 131, "rows": 117, "slices": 7}
DEEP = {"columns": 75, "rows": 61, "slices": 79, "sigma": (2.5, 2.2)}


@dataclass(frozen=True)
class Case:
    """A phantom and how it is exported; ``shift`` is the crop's start (column, row, slice)."""

    spec: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    shift: tuple[int, int, int] = (0, 0, 0)


CASES = {
    "plain": Case({}),
    "half": Case(WIDE, {"scale": "1/2"}),
    "third": Case(WIDE, {"scale": "1/3"}),
    "quarter": Case(WIDE, {"scale": 0.25}),
    "0.37": Case(WIDE, {"scale": 0.37}),
    "oblique, half": Case({**WIDE, "orientation": "oblique"}, {"scale": 0.5}),
    "oblique, 0.37": Case(
        {**WIDE, "orientation": "oblique", "pixel_spacing": (0.31, 0.9)}, {"scale": 0.37}
    ),
    "coronal, every second": Case({**DEEP, "orientation": "coronal"}, {"z_step": 2}),
    "sagittal, every third": Case({**DEEP, "orientation": "sagittal"}, {"z_step": 3}),
    "half, every second": Case(DEEP, {"scale": 0.5, "z_step": 2}),
    "third, mean of 2": Case(DEEP, {"scale": "1/3", "z_step": 2, "z_filter": "mean"}),
    "0.37, mean of 3": Case(
        {**DEEP, "orientation": "oblique"}, {"scale": 0.37, "z_step": 3, "z_filter": "mean"}
    ),
    "quarter, maximum of 2": Case(
        WIDE | {"slices": 8}, {"scale": 0.25, "z_step": 2, "z_filter": "max"}
    ),
    "cropped": Case(WIDE, {"crop": "5:128,3:112,1:6"}, (5, 3, 1)),
    "cropped, half": Case(WIDE, {"crop": "17:,9:101,1:", "scale": 0.5}, (17, 9, 1)),
    "cropped, 0.37, every second": Case(
        WIDE, {"crop": "11:,7:,1:", "scale": 0.37, "z_step": 2}, (11, 7, 1)
    ),
    "tilt 18": Case({**WIDE, "tilt_degrees": 18.0}, {"scale": 0.5}),
    "tilt 18, every second": Case({**DEEP, "tilt_degrees": 18.0}, {"scale": 0.5, "z_step": 2}),
    "tilt -18, oblique, mean of 2": Case(
        {**DEEP, "tilt_degrees": -18.0, "orientation": "oblique"},
        {"scale": "1/3", "z_step": 2, "z_filter": "mean"},
    ),
    "uneven gaps": Case(
        {**WIDE, "slice_gaps": (1.0, 1.0, 2.5, 0.7, 1.0, 3.1)}, {"scale": 0.5, "z_step": 2}
    ),
    "uneven gaps, mean of 2": Case(
        {**WIDE, "slice_gaps": (1.0, 1.0, 2.5, 0.7, 1.0, 3.1)},
        {"scale": 0.5, "z_step": 2, "z_filter": "mean"},
    ),
    "missing slices": Case({**WIDE, "missing": (2, 5)}, {"scale": 0.5}),
    "tilt, missing": Case(
        {**WIDE, "missing": (3,), "tilt_degrees": 18.0}, {"scale": "1/3", "z_step": 2}
    ),
    "reversed": Case({**WIDE, "order": "descending"}, {"scale": 0.5}),
    "rounded positions": Case(
        {**WIDE, "orientation": "oblique", "position_decimals": 1}, {"scale": 0.5}
    ),
    "signed": Case({**WIDE, "signed": True}, {"scale": 0.5}),
    "signed 12 bits, third": Case({**WIDE, "signed": True, "bits_stored": 12}, {"scale": "1/3"}),
    "MONOCHROME1": Case({**WIDE, "photometric": "MONOCHROME1"}, {"scale": 0.5}),
    "MONOCHROME1, 8 bits": Case(
        {**WIDE, "photometric": "MONOCHROME1"}, {"scale": 0.5, "bits": 8, "window": "full"}
    ),
    "8 bits, full window": Case(WIDE, {"scale": 0.5, "bits": 8, "window": "full"}),
    "8 bits stored": Case({**WIDE, "bits_stored": 8}, {"scale": 0.5, "bits": 8}),
    "PET, rescale per slice": Case(
        {**WIDE, "modality": "PT", "per_slice_rescale": True, "rescale": (0.8, 0.0)}, {"scale": 0.5}
    ),
    "PET, mean of 3": Case(
        {**DEEP, "modality": "PT", "per_slice_rescale": True, "rescale": (0.8, 0.0)},
        {"scale": 0.5, "z_step": 3, "z_filter": "mean"},
    ),
    "RGB": Case({**WIDE, "photometric": "RGB", "bits_stored": 8, "rescale": None}, {"scale": 0.5}),
    "duplicates": Case({**WIDE, "duplicates": 3}, {"scale": 0.5}),
    "enhanced CT": Case({**WIDE, "layout": "enhanced"}, {"scale": 0.5}),
    "enhanced MR, tilt": Case(
        {**DEEP, "layout": "enhanced", "modality": "MR", "orientation": "oblique"},
        {"scale": 0.37, "z_step": 2},
    ),
    "enhanced PET": Case(
        {**WIDE, "layout": "enhanced", "modality": "PT", "per_slice_rescale": True},
        {"scale": "1/3"},
    ),
    "implicit": Case({**WIDE, "transfer_syntax": "1.2.840.10008.1.2"}, {"scale": 0.5}),
    "big endian": Case({**WIDE, "transfer_syntax": "1.2.840.10008.1.2.2"}, {"scale": 0.5}),
    "deflated": Case({**WIDE, "transfer_syntax": "1.2.840.10008.1.2.1.99"}, {"scale": 0.5}),
    "RLE": Case({**WIDE, "transfer_syntax": "1.2.840.10008.1.2.5"}, {"scale": 0.5}),
    "JPEG 2000": Case({**WIDE, "transfer_syntax": "1.2.840.10008.1.2.4.90"}, {"scale": 0.5}),
    "spacing": Case({**WIDE, "orientation": "oblique"}, {"spacing": 1.25}),
    "fit": Case(WIDE, {"fit": 40_000}),
}


def read_stack(folder: Path, document: Any) -> np.ndarray:
    """The PNGs as Pillow reads them: (slices, rows, columns), of colours the red."""
    planes = [
        np.asarray(Image.open(folder / file.name)).astype(np.float64)
        for file in document.images.files
    ]
    return np.stack([plane if plane.ndim == 2 else plane[:, :, 0] for plane in planes])


def alone(marker: Marker, phantom: Phantom, slices: range) -> bool:
    """Whether no other marker shines into the slices that make the PNG of this one."""
    for other in phantom.markers:
        near = (
            np.hypot(*(np.array(other.source[:2]) - marker.source[:2]))
            < 9.9 * phantom.spec.sigma[0]
        )
        if other is not marker and near and (other.kind == "volume" or other.source[2] in slices):
            return False
    return True


def found(
    phantom: Phantom, png: sidecar.Sidecar, stack: np.ndarray
) -> Iterator[tuple[Marker, tuple[float, float, float], bool]]:
    """Markers with the PNG pixel and slice where the image shows them, and whether the slice was
    measured too.
    """
    decimation = png.document.decimation
    factors = np.array([decimation.columns.factor, decimation.rows.factor])
    sigma = phantom.spec.sigma[0]
    radius = float(max(5 * np.hypot(sigma, factors.max() / 2) / factors.max(), 2.5))
    for marker in phantom.markers:
        (near,), (along,) = png.from_source([marker.source])
        if (
            not png.contains([near], along)[0]
            or min(near[0], near[1], *(np.array(png.size[:2]) - 1 - near)) < radius * 0.8
        ):
            continue
        if marker.kind == "volume":
            depth = 5 * phantom.spec.sigma[1] / decimation.slices.factor
            if decimation.slices.method == "max" or not depth <= along <= png.size[2] - 1 - depth:
                continue
            yield marker, centroid3d(stack, (*near, along), radius, max(depth, 2.0)), True
            continue
        shown = [
            k
            for k in range(png.size[2])
            if int(marker.source[2]) in png.decimation.slices.samples(k)
        ]
        assert len(shown) <= 1
        for k in shown:
            if alone(marker, phantom, png.decimation.slices.samples(k)):
                yield (
                    marker,
                    (*centroid(stack[k], (near[0], near[1]), radius), float(k)),
                    decimation.slices.method == "stride",
                )


@pytest.mark.parametrize("name", CASES)
def test_markers_come_back(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    phantom = write(Spec(**case.spec), tmp_path / "scan")
    png = sidecar.export(
        tmp_path / "scan",
        tmp_path / "png",
        **{"bits": 16, "scale": 1.0, **case.options} | _without_scale(case.options),
    )
    stack = read_stack(tmp_path / "png", png.document)
    assert stack.shape == png.size[::-1]

    checked = list(found(phantom, png, stack))
    assert len(checked) >= 3, "too few markers were found to prove anything"
    labels = tmp_path / "png" / "labels.csv"
    rows = [
        f"{m.name},{png.document.images.files[round(k)].name},{k!r},{x!r},{y!r}"
        for m, (x, y, k), _ in checked
    ]
    labels.write_text("\n".join(["label,image,slice,x,y", *rows]) + "\n")
    points = map_file(labels).points

    for i, (marker, _, slice_is_measured) in enumerate(checked):
        measured = slice(0, 3 if slice_is_measured else 2)
        error = np.abs(points.source[i] - marker.source)[measured]
        assert error.max() <= BOUND_SOURCE_PIXELS, f"{marker.name}: {error} source pixels off"
        if slice_is_measured:
            edge = max(*phantom.pixel_spacing, *phantom.spec.gaps)
            assert (
                np.linalg.norm(points.patient[i] - marker.patient) <= 2 * BOUND_SOURCE_PIXELS * edge
            )
            assert points.instances.sop_instance_uid[i] == marker.sop_instance_uid
            assert (points.instances.frame_number[i] or None) == marker.frame_number


def _without_scale(options: dict[str, Any]) -> dict[str, Any]:
    """--spacing and --fit decide the scale themselves."""
    return {"scale": None} if {"spacing", "fit"} & set(options) else {}
