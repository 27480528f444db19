"""DICOM Structured Report, TID 1500 "Measurement Report", by highdicom: one measurement group (TID 1410) per shape.

Where the scan has patient geometry and a Frame of Reference UID, coordinates are SCOORD3D: patient millimetres, LPS, exact between
planes. Otherwise they are SCOORD on the instance and frame they lie on: column and row, 0\\0 being the outer corner of the first
pixel (PS3.3 C.18.6), so half a pixel more than a source index. Both are 32-bit floats.
The label is the Tracking Identifier. The file carries the patient's identity: see `source_headers`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from sidecar.errors import LabelError, MissingExtraError
from sidecar.points.shapes import AREAS, Outline, Shape, outline, shapes_of
from sidecar.points.source_headers import headers_of, patient_and_study
from sidecar.points.table import MappedPoints, Space

#: SCOORD of the middle of the first pixel.
_SCOORD_MIDDLE = 0.5
_SAME_PLANE = 1e-6


def write_sr(points: MappedPoints, path: Path, space: Space, dicom: Path) -> None:
    """Write a report. ``space`` has no say: DICOM is LPS. ``dicom``: the folder of the source files, read for their headers.

    Raises LabelError for what does not fit, SourceError when the source files are not in ``dicom``, MissingExtraError without highdicom.
    """
    try:
        import highdicom
    except ImportError:
        raise MissingExtraError("Writing DICOM SR", "dicom") from None
    shapes = shapes_of(points.columns, len(points))
    if not shapes:
        raise LabelError("there are no labels, and a DICOM SR cannot be empty")
    planes = points.sidecar.document.source.planes
    uids = list(dict.fromkeys(uid for uid in points.instances.sop_instance_uid if uid)) or [planes[0].sop_instance_uid]
    headers = headers_of(points.sidecar, uids, dicom)
    groups = [_group(highdicom.sr, points, shape, headers) for shape in shapes]
    report = highdicom.sr.Comprehensive3DSR(
        evidence=[_evidence(headers[uid]) for uid in uids],
        content=_content(highdicom.sr, groups),
        series_instance_uid=generate_uid(prefix=None),
        series_number=1,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer="dicom-sidecar",
        is_complete=True,
        specific_character_set="ISO_IR 192",
        series_description="Labels mapped by sidecar",
    )
    report.save_as(path, enforce_file_format=True)


def _content(sr: Any, groups: list[Any]) -> Any:
    device = sr.DeviceObserverIdentifyingAttributes(uid=generate_uid(entropy_srcs=["dicom-sidecar"]), name="dicom-sidecar")
    observer = sr.ObserverContext(sr.CodedConcept("121007", "DCM", "Device"), device)
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=groups,
    )


def _evidence(header: Dataset) -> Dataset:
    """What highdicom takes from a source image, complete and in UTF-8."""
    evidence = patient_and_study(header)
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality"):
        setattr(evidence, keyword, header.get(keyword))
    return evidence


def _group(sr: Any, points: MappedPoints, shape: Shape, headers: dict[str, Dataset]) -> Any:
    name = f"{shape.specimen} {shape.name}".strip()
    in_space = points.sidecar.stack is not None and points.sidecar.document.source.frame_of_reference_uid is not None
    region = _region_3d(sr, points, shape) if in_space else _region_2d(sr, points, shape, headers)
    identifier = sr.TrackingIdentifier(uid=generate_uid(prefix=None), identifier=name)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(tracking_identifier=identifier, referenced_region=region)


def _region_3d(sr: Any, points: MappedPoints, shape: Shape) -> Any:
    drawn = outline(points, shape)
    graphic_type = _graphic_type(shape, "POLYGON")
    if graphic_type == "POLYGON" and np.ptp(drawn.source[:, 2]) > _SAME_PLANE:
        raise LabelError(
            f"this {shape.type} lies on more than one slice, and an SR polygon on one: write mrk.json", where=shape.where
        )
    return sr.ImageRegion3D(
        graphic_type=graphic_type,
        graphic_data=_closed(shape, drawn.patient),
        frame_of_reference_uid=points.sidecar.document.source.frame_of_reference_uid,
    )


def _region_2d(sr: Any, points: MappedPoints, shape: Shape, headers: dict[str, Dataset]) -> Any:
    drawn = outline(points, shape)
    uid, frame = _only_image(points, shape, drawn)
    image = sr.SourceImageForRegion(headers[uid].SOPClassUID, uid, [frame] if frame else None)
    column_row = _closed(shape, drawn.source[:, :2] + _SCOORD_MIDDLE)
    return sr.ImageRegion(graphic_type=_graphic_type(shape, "POLYLINE"), graphic_data=column_row, source_image=image)


def _only_image(points: MappedPoints, shape: Shape, drawn: Outline) -> tuple[str, int]:
    """Instance and frame (0: single-frame) nearest to the whole shape."""
    instances = points.sidecar.instances(drawn.source)
    images = set(zip(instances.sop_instance_uid, instances.frame_number.tolist(), strict=True))
    if len(images) > 1 or ("", 0) in images:
        raise LabelError(
            f"this {shape.type} does not lie on one source image, as SR needs without patient geometry", where=shape.where
        )
    return images.pop()


def _graphic_type(shape: Shape, area: str) -> str:
    return "POINT" if shape.type == "point" else area if shape.type in AREAS else "POLYLINE"


def _closed(shape: Shape, vertices: Any) -> Any:
    """Areas end where they begin (PS3.3 C.18.6.1.2, C.18.9.1.2)."""
    return np.vstack([vertices, vertices[:1]]) if shape.type in AREAS else vertices
