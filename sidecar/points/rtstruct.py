"""DICOM RT Structure Set (PS3.3 A.19): contours in patient millimetres, LPS.

    point                     POINT
    line, polyline            OPEN_PLANAR, or OPEN_NONPLANAR across slices
    polygon, box, circle ...  CLOSED_PLANAR

Shapes of one label, specimen and kind are the contours of one ROI. Each contour names the nearest source image; its coordinates stay
exact where a label lies between two planes, which programs that expect contours on planes may not show.
The file carries the patient's identity: see `source_headers`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid
from pydicom.valuerep import DS

from sidecar.errors import LabelError
from sidecar.points.shapes import AREAS, Outline, Shape, outline, require_patient, shapes_of
from sidecar.points.source_headers import headers_of, patient_and_study
from sidecar.points.table import MappedPoints, Space

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


def write_rtstruct(points: MappedPoints, path: Path, space: Space, dicom: Path) -> None:
    """Write a structure set. ``space`` has no say: DICOM is LPS. ``dicom``: the folder of the source files, read for their headers.

    Raises LabelError for what does not fit, SourceError when the source files are not in ``dicom``.
    """
    require_patient(points, "RTSTRUCT")
    shapes = shapes_of(points.columns, len(points))
    source = points.sidecar.document.source
    if source.frame_of_reference_uid is None:
        raise LabelError("the scan has no Frame of Reference UID, which RTSTRUCT needs: write json or csv instead")
    if not shapes:
        raise LabelError("there are no labels, and an RTSTRUCT cannot be empty")
    uid = source.planes[0].sop_instance_uid
    header = headers_of(points.sidecar, [uid], dicom)[uid]
    dataset = patient_and_study(header)
    _describe(dataset)
    dataset.FrameOfReferenceUID = source.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(points, header)]
    groups = sorted(shapes, key=_group)
    rois = [list(members) for _, members in groupby(groups, key=_group)]
    rois.sort(key=lambda members: members[0].rows)
    numbered = list(enumerate(rois, start=1))
    dataset.StructureSetROISequence = [_roi(number, members[0], source.frame_of_reference_uid) for number, members in numbered]
    dataset.ROIContourSequence = [_contours(number, members, points, header) for number, members in numbered]
    dataset.RTROIObservationsSequence = [_observation(number) for number, _ in numbered]
    dataset.save_as(path, enforce_file_format=True)


def _group(shape: Shape) -> tuple[str, str, str]:
    """What shapes of one ROI share; a shape without a label is an ROI of its own."""
    kind = "area" if shape.type in AREAS else "point" if shape.type == "point" else "line"
    return shape.specimen, shape.label or f"{shape.name} {shape.rows[0]}", kind


def _describe(dataset: Dataset) -> None:
    """The modules RT Series, General Equipment, SOP Common and the head of Structure Set."""
    now = datetime.now().astimezone()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.SeriesNumber = None
    dataset.SeriesDescription = "Labels mapped by sidecar"
    dataset.OperatorsName = ""
    dataset.Manufacturer = "dicom-sidecar"
    dataset.InstanceNumber = "1"
    dataset.StructureSetLabel = "LABELS"
    dataset.StructureSetDate = now.strftime("%Y%m%d")
    dataset.StructureSetTime = now.strftime("%H%M%S")


def _frame_of_reference(points: MappedPoints, header: Dataset) -> Dataset:
    """The study and series the contours lie on, with all their images."""
    source = points.sidecar.document.source
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.series_instance_uid
    uids = dict.fromkeys(plane.sop_instance_uid for plane in source.planes)
    series.ContourImageSequence = [_image(header, uid, 0) for uid in uids]
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = source.study_instance_uid
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = source.frame_of_reference_uid
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: Dataset, uid: str, frame: int) -> Dataset:
    """A reference to an image, or to a frame of it (0: to all of it). The planes of a series are of one SOP class."""
    image = Dataset()
    image.ReferencedSOPClassUID = header.SOPClassUID
    image.ReferencedSOPInstanceUID = uid
    if frame:
        image.ReferencedFrameNumber = str(frame)
    return image


def _roi(number: int, shape: Shape, frame_of_reference_uid: str) -> Dataset:
    name = f"{shape.specimen} {shape.name}".strip()
    if len(name) > _LONGEST_NAME or "\\" in name or not name.isprintable():
        raise LabelError(
            f"the name {name[:80]!r} is no ROI Name: {_LONGEST_NAME} characters at most, no backslash", where=shape.where
        )
    roi = Dataset()
    roi.ROINumber = str(number)
    roi.ReferencedFrameOfReferenceUID = frame_of_reference_uid
    roi.ROIName = name
    roi.ROIGenerationAlgorithm = "MANUAL"
    return roi


def _contours(number: int, shapes: Iterable[Shape], points: MappedPoints, header: Dataset) -> Dataset:
    contours = Dataset()
    contours.ROIDisplayColor = list(_COLORS[(number - 1) % len(_COLORS)])
    contours.ReferencedROINumber = str(number)
    contours.ContourSequence = [_contour(i, shape, points, header) for i, shape in enumerate(shapes, start=1)]
    return contours


def _contour(number: int, shape: Shape, points: MappedPoints, header: Dataset) -> Dataset:
    drawn = outline(points, shape)
    contour = Dataset()
    row = shape.rows[0]
    uid, frame = points.instances.sop_instance_uid[row], int(points.instances.frame_number[row])
    if uid:
        contour.ContourImageSequence = [_image(header, uid, frame)]
    contour.ContourGeometricType = _geometric_type(shape, drawn)
    contour.NumberOfContourPoints = str(len(drawn.patient))
    contour.ContourNumber = str(number)
    contour.ContourData = [DS(value, auto_format=True) for value in (drawn.patient + 0.0).ravel().tolist()]
    return contour


def _geometric_type(shape: Shape, drawn: Outline) -> str:
    """Contour Geometric Type (PS3.3 C.8.8.6.1)."""
    if shape.type == "point":
        return "POINT"
    planar = bool(np.ptp(drawn.source[:, 2]) < _SAME_PLANE)
    if shape.type not in AREAS:
        return "OPEN_PLANAR" if planar else "OPEN_NONPLANAR"
    if not planar:
        raise LabelError(
            f"this {shape.type} lies on more than one slice, and an RTSTRUCT contour on one: write mrk.json", where=shape.where
        )
    return "CLOSED_PLANAR"


def _observation(number: int) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = str(number)
    observation.ReferencedROINumber = str(number)
    observation.RTROIInterpretedType = ""
    observation.ROIInterpreter = ""
    return observation
