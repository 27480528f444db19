"""DICOM Structured Report, TID 1500 "Measurement Report", by highdicom: one measurement group (TID
1410) per shape.

Where the scan has patient geometry and a Frame of Reference UID, coordinates are SCOORD3D: patient
millimetres, LPS, exact between planes. Otherwise they are SCOORD on the instance and frame they lie
on: column and row, 0\\0 being the outer corner of the first pixel (PS3.3 C.18.6), so half a pixel
more than a source index. Both are 32-bit floats. The label is the Tracking Identifier. The file
carries the patient's identity: see `sidecar.labels.writers.source_headers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from sidecar.errors import LabelError, MissingExtraError
from sidecar.grid.space import Space
from sidecar.labels.mapped import MappedPoints, Notes
from sidecar.labels.mapped_shapes import (
    MappedShape,
    outputs_for,
    require_one_scan,
    require_patient,
    shapes_of,
)
from sidecar.labels.vertices import AREAS
from sidecar.labels.writers.source_headers import HeaderSource, headers_of, patient_and_study

#: SCOORD of the middle of the first pixel.
_SCOORD_MIDDLE = 0.5
_SAME_PLANE = 1e-6


def write_sr(
    parts: Sequence[MappedPoints], path: Path, space: Space, source: HeaderSource
) -> Notes:
    """Write a report. ``space`` has no say: DICOM is LPS.

    Raises LabelError for what does not fit, SourceError when the source files are not in
    ``source``, MissingExtraError without highdicom.
    """
    try:
        import highdicom
    except ImportError:
        raise MissingExtraError("Writing DICOM SR", "dicom") from None
    require_one_scan(parts, "a DICOM SR")
    # Without millimetres a report says where labels are on the images; millimetres given by hand
    # are not what the headers of these images say.
    require_patient([p for p in parts if p.sidecar.geometry == "given"], "a DICOM SR")
    shapes = shapes_of(parts)
    if not shapes:
        raise LabelError("there are no labels, but a DICOM SR cannot be empty")
    uids = list(
        dict.fromkeys(uid for part in parts for uid in part.instances.sop_instance_uid if uid)
    )
    uids = uids or [parts[0].sidecar.document.source.planes[0].sop_instance_uid]
    headers = headers_of((part.sidecar for part in parts), uids, source)
    groups = [_group(highdicom.sr, one, headers) for one in shapes]
    try:
        report = highdicom.sr.Comprehensive3DSR(
            evidence=[_evidence(headers[uid]) for uid in uids],
            content=_content(highdicom.sr, groups),
            series_instance_uid=generate_uid(prefix=None),
            series_number=1,
            sop_instance_uid=generate_uid(prefix=None),
            instance_number=1,
            manufacturer="dicom-sidecar",
            is_complete=True,
            series_description="Labels mapped by sidecar",
        )
    except KeyError:  # its table of SOP classes
        class_ = headers[uids[0]].SOPClassUID
        raise LabelError(
            f"highdicom does not know the SOP class {class_} of the images; write dicom-rtstruct,"
            " json or csv instead"
        ) from None
    report.update(patient_and_study(headers[uids[0]]))
    report.save_as(path, enforce_file_format=True)
    return (source.notice,)


def _content(sr: Any, groups: list[Any]) -> Any:
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=["dicom-sidecar"]), name="dicom-sidecar"
    )
    observer = sr.ObserverContext(sr.CodedConcept("121007", "DCM", "Device"), device)
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=groups,
    )


def _evidence(header: Dataset) -> Dataset:
    """A source image as highdicom refers to it.

    Patient and study are added after: it refuses odd values, and warns with the name.
    """
    evidence = Dataset()
    for keyword in (
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "Modality",
    ):
        setattr(evidence, keyword, header.get(keyword))
    for keyword in (
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
        "StudyID",
        "StudyDate",
        "StudyTime",
    ):
        setattr(evidence, keyword, "")
    return evidence


def _group(sr: Any, one: MappedShape, headers: dict[str, Dataset]) -> Any:
    frame_of_reference_uid = one.points.sidecar.document.source.frame_of_reference_uid
    if one.points.sidecar.stack is not None and frame_of_reference_uid is not None:
        region = _region_in_space(sr, one, frame_of_reference_uid)
    else:
        region = _region_on_image(sr, one, headers)
    name = f"{one.specimen} {one.name}".strip()
    identifier = sr.TrackingIdentifier(uid=generate_uid(prefix=None), identifier=name)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=identifier, referenced_region=region
    )


def _region_in_space(sr: Any, one: MappedShape, frame_of_reference_uid: str) -> Any:
    outline = one.outline()
    if one.type in AREAS and np.ptp(outline.source[:, 2]) > _SAME_PLANE:
        raise one.error(
            f"this {one.type} lies on more than one slice, but a polygon of a DICOM SR lies on"
            f" one; write {outputs_for(one.type)}"
        )
    return sr.ImageRegion3D(
        _graphic_type(one, "POLYGON"), _closed(one, outline.patient), frame_of_reference_uid
    )


def _region_on_image(sr: Any, one: MappedShape, headers: dict[str, Dataset]) -> Any:
    source = one.outline().source
    instances = one.points.sidecar.instances(source)
    images = set(zip(instances.sop_instance_uid, instances.frame_number.tolist(), strict=True))
    if len(images) > 1 or ("", 0) in images:
        raise one.error(
            "the scan has no patient geometry, so each shape of a DICOM SR must lie on one source"
            f" image, but this {one.type} does not; write csv or json"
        )
    uid, frame = images.pop()
    image = sr.SourceImageForRegion(headers[uid].SOPClassUID, uid, [frame] if frame else None)
    return sr.ImageRegion(
        _graphic_type(one, "POLYLINE"), _closed(one, source[:, :2] + _SCOORD_MIDDLE), image
    )


def _graphic_type(shape: MappedShape, area: str) -> str:
    return "POINT" if shape.type == "point" else area if shape.type in AREAS else "POLYLINE"


def _closed(shape: MappedShape, vertices: Any) -> Any:
    """Areas end where they begin (PS3.3 C.18.6.1.2, C.18.9.1.2)."""
    return np.vstack([vertices, vertices[:1]]) if shape.type in AREAS else vertices
