"""DICOM RT Structure Set (PS3.3 A.19): contours in patient millimetres, LPS.

    point                     POINT
    line, polyline            OPEN_PLANAR, or OPEN_NONPLANAR across slices
    polygon, box, circle ...  CLOSED_PLANAR

Shapes of one label, specimen and kind are the contours of one ROI. Each contour names the nearest
source image; its coordinates stay exact where a label lies between two planes, which programs that
expect contours on planes may not show. The file carries the patient's identity: see
`sidecar.labels.writers.source_headers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid
from pydicom.valuerep import DS

from sidecar.document.model import Source
from sidecar.errors import LabelError
from sidecar.grid.space import Space
from sidecar.labels.mapped import MappedPoints, Notes
from sidecar.labels.mapped_shapes import (
    MappedShape,
    Outline,
    outputs_for,
    require_one_scan,
    require_patient,
    shapes_of,
)
from sidecar.labels.vertices import AREAS
from sidecar.labels.writers.source_headers import (
    HeaderSource,
    headers_of,
    patient_and_study,
    require_one_series,
    without_frame_of_reference,
)

#: Retired SOP class that Referenced SOP Class UID of the study still names in every structure set.
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
#: Longest value of VR LO, which ROI Name has (PS3.5 6.2).
_LONGEST_NAME = 64
_COLORS = (
    (230, 60, 50),
    (60, 160, 230),
    (80, 190, 80),
    (240, 190, 40),
    (170, 90, 210),
    (240, 130, 40),
    (60, 200, 190),
    (230, 110, 180),
)
#: Vertices within this many slices of each other lie on one plane.
_SAME_PLANE = 1e-6


def write_rtstruct(
    parts: Sequence[MappedPoints], path: Path, space: Space, source: HeaderSource
) -> Notes:
    """Write a structure set. ``space`` has no say: DICOM is LPS.

    Raises LabelError for what does not fit, SourceError when the source files are not in
    ``source``.
    """
    require_patient(parts, "RTSTRUCT")
    require_one_scan(parts, "RTSTRUCT")
    shapes = shapes_of(parts)
    if not shapes:
        raise LabelError("there are no labels, but an RTSTRUCT cannot be empty")
    sidecar = parts[0].sidecar
    require_one_series(sidecar, "RTSTRUCT")
    frame_of_reference_uid = sidecar.document.source.frame_of_reference_uid
    if frame_of_reference_uid is None:
        why = without_frame_of_reference(sidecar, "RTSTRUCT")
        raise LabelError(f"{why}; write json or csv instead")
    uid = sidecar.document.source.planes[0].sop_instance_uid
    header = headers_of((part.sidecar for part in parts), [uid], source)[uid]
    dataset = patient_and_study(header)
    describe(dataset)
    dataset.FrameOfReferenceUID = frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    images = dict.fromkeys(
        plane.sop_instance_uid for part in parts for plane in part.sidecar.document.source.planes
    )
    dataset.ReferencedFrameOfReferenceSequence = [
        frame_of_reference(sidecar.document.source, header, images)
    ]
    rois: dict[tuple[str, ...], list[MappedShape]] = {}
    for number, one in enumerate(shapes):
        rois.setdefault(_roi_of(one) or (str(number),), []).append(one)
    numbered = list(enumerate(rois.values(), start=1))
    dataset.StructureSetROISequence = [
        _roi(number, members[0], frame_of_reference_uid) for number, members in numbered
    ]
    dataset.ROIContourSequence = [
        _contours(number, members, header) for number, members in numbered
    ]
    dataset.RTROIObservationsSequence = [observation(number) for number, _ in numbered]
    dataset.save_as(path, enforce_file_format=True)
    return (source.notice,)


def _roi_of(one: MappedShape) -> tuple[str, ...] | None:
    """What shapes of one ROI share; None for a shape without a label, an ROI of its own."""
    kind = "area" if one.type in AREAS else "point" if one.type == "point" else "line"
    return (one.specimen, one.label, kind) if one.label else None


def describe(dataset: Dataset) -> None:
    """The modules RT Series, General Equipment, SOP Common and the head of Structure Set."""
    now = datetime.now().astimezone()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = (
        ImplicitVRLittleEndian  # Contour Data of explicit VR ends at 64 KiB
    )
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.SeriesNumber = "1"
    dataset.SeriesDescription = "Labels mapped by sidecar"
    dataset.OperatorsName = ""
    dataset.Manufacturer = "dicom-sidecar"
    dataset.InstanceNumber = "1"
    dataset.StructureSetLabel = "LABELS"
    dataset.StructureSetDate = now.strftime("%Y%m%d")
    dataset.StructureSetTime = now.strftime("%H%M%S")


def frame_of_reference(source: Source, header: Dataset, images: Iterable[str]) -> Dataset:
    """The study and series the contours lie on, with all images of the exports."""
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.series_instance_uid
    series.ContourImageSequence = [contour_image(header, uid, 0) for uid in images]
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = source.study_instance_uid
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = source.frame_of_reference_uid
    frame.RTReferencedStudySequence = [study]
    return frame


def contour_image(header: Dataset, uid: str, frame: int) -> Dataset:
    """A reference to an image, or to a frame of it (0: to all of it).

    The planes of a series are of one SOP class.
    """
    image = Dataset()
    image.ReferencedSOPClassUID = header.SOPClassUID
    image.ReferencedSOPInstanceUID = uid
    if frame:
        image.ReferencedFrameNumber = str(frame)
    return image


def _roi(number: int, one: MappedShape, frame_of_reference_uid: str) -> Dataset:
    name = f"{one.specimen} {one.name}".strip()
    if len(name) > _LONGEST_NAME or "\\" in name or not name.isprintable():
        raise one.error(
            f"the name {name[:80]!r} cannot be an ROI Name, which has {_LONGEST_NAME} characters"
            " at most and no backslash; rename the label"
        )
    roi = Dataset()
    roi.ROINumber = str(number)
    roi.ReferencedFrameOfReferenceUID = frame_of_reference_uid
    roi.ROIName = name
    roi.ROIGenerationAlgorithm = "MANUAL"
    return roi


def _contours(number: int, members: Sequence[MappedShape], header: Dataset) -> Dataset:
    contours = Dataset()
    contours.ROIDisplayColor = list(_COLORS[(number - 1) % len(_COLORS)])
    contours.ReferencedROINumber = str(number)
    contours.ContourSequence = [_contour(n, one, header) for n, one in enumerate(members, start=1)]
    return contours


def _contour(number: int, one: MappedShape, header: Dataset) -> Dataset:
    outline, instances, row = one.outline(), one.points.instances, one.rows[0]
    contour = Dataset()
    if uid := instances.sop_instance_uid[row]:
        contour.ContourImageSequence = [
            contour_image(header, uid, int(instances.frame_number[row]))
        ]
    contour.ContourGeometricType = _geometric_type(one, outline)
    contour.NumberOfContourPoints = str(len(outline.patient))
    contour.ContourNumber = str(number)
    contour.ContourData = [
        DS(value, auto_format=True) for value in (outline.patient + 0.0).ravel().tolist()
    ]
    return contour


def _geometric_type(one: MappedShape, outline: Outline) -> str:
    """Contour Geometric Type (PS3.3 C.8.8.6.1)."""
    if one.type == "point":
        return "POINT"
    planar = bool(np.ptp(outline.source[:, 2]) < _SAME_PLANE)
    if one.type not in AREAS:
        return "OPEN_PLANAR" if planar else "OPEN_NONPLANAR"
    if not planar:
        raise one.error(
            f"this {one.type} lies on more than one slice, but a closed contour of an RTSTRUCT"
            f" lies on one; write {outputs_for(one.type)}"
        )
    return "CLOSED_PLANAR"


def observation(number: int) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = str(number)
    observation.ReferencedROINumber = str(number)
    observation.RTROIInterpretedType = ""
    observation.ROIInterpreter = ""
    return observation
