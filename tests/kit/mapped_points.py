"""A half-size export of an oblique, sheared scan with oblong pixels, made without DICOM, and labels
on it; plus its truth.

`truth_source` and `truth_mm` work out source indices and millimetres from the numbers below, by the
equation of PS3.3 C.7.6.2.1.1 and without the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
)

from sidecar.grid.axis import Axis
from sidecar.labels.grouping import group
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import ImageReference, Labels
from sidecar.labels.tables.columns import Made
from sidecar.mapping import Sidecar

from .made_exports import STUDY, Export

COLUMNS, ROWS, SLICES = 40, 30, 12
BETWEEN_ROWS, BETWEEN_COLUMNS = 0.7, 0.5
#: Rotated about two axes: no cosine is 0.
ROW_COSINES = np.array([0.8, 0.36, 0.48])
COLUMN_COSINES = np.array([-0.6, 0.48, 0.64])
NORMAL = np.cross(ROW_COSINES, COLUMN_COSINES)
#: Not along the normal (0, -0.8, 0.6): the stack is sheared, as by a gantry tilt.
GAP, DRIFT = 1.2, 0.15
STEP = GAP * NORMAL + DRIFT * COLUMN_COSINES
ORIGIN = np.array([-31.4, 12.5, 200.25])
SERIES, FRAME_OF_REFERENCE = "1.2.826.0.1.3680043.8.498.2", "1.2.826.0.1.3680043.8.498.3"
FACTOR, OFFSET, Z_STEP = 2, 0.5, 2


def truth_source(png: Any) -> NDArray[np.float64]:
    """Means of 2 × 2 pixels of every second slice."""
    return np.asarray(png, dtype=np.float64) * [FACTOR, FACTOR, Z_STEP] + [OFFSET, OFFSET, 0]


def truth_mm(png: Any) -> NDArray[np.float64]:
    """LPS."""
    column, row, slice_ = truth_source(png).reshape(-1, 3).T[:, :, None]
    return np.asarray(
        ORIGIN
        + slice_ * STEP
        + column * BETWEEN_COLUMNS * ROW_COSINES
        + row * BETWEEN_ROWS * COLUMN_COSINES
    )


def instance_uid(slice_: int) -> str:
    return f"{SERIES}.{slice_ + 1}"


@dataclass(frozen=True)
class Scan:
    """What kind of export `sidecar_of` makes.

    ``multiframe``: one instance with a frame for every slice. ``instance_numbers``: one for each
    slice, or none at all.
    """

    geometry: bool = True
    frame_of_reference: bool = True
    multiframe: bool = False
    slices: int = SLICES
    series: str = SERIES
    instance_numbers: tuple[int | None, ...] = ()


CLASSIC = Scan()


def sidecar_of(scan: Scan = CLASSIC) -> Sidecar:
    return Export(
        columns=Axis.blocks(0, COLUMNS, FACTOR, "mean"),
        rows=Axis.blocks(0, ROWS, FACTOR, "mean"),
        slices=Axis.stride(0, scan.slices, Z_STEP),
        source_size=(COLUMNS, ROWS, scan.slices),
        pixel_spacing=(BETWEEN_ROWS, BETWEEN_COLUMNS),
        orientation=(*ROW_COSINES.tolist(), *COLUMN_COSINES.tolist()),
        origin=tuple(ORIGIN.tolist()),
        heights=tuple(GAP * k for k in range(scan.slices)),
        drift=DRIFT,
        geometry=scan.geometry,
        series=scan.series,
        frame_of_reference=FRAME_OF_REFERENCE if scan.frame_of_reference else None,
        multiframe=scan.multiframe,
        files="slices/{:03d}.dcm",
        instance_numbers=scan.instance_numbers,
    ).sidecar()


def columns_of(rows: Sequence[dict[str, Any]]) -> Made:
    """The text columns of rows, all but ``at``."""
    names = dict.fromkeys(name for row in rows for name in row if name != "at")
    return Made.of({name: [str(row.get(name, "")) for row in rows] for name in names}, len(rows))


def row_of(index: int) -> str:
    """The place of a row in a table whose header is row 1."""
    return f"row {index + 2}"


def mapped(
    rows: Sequence[dict[str, Any]],
    scan: Scan = CLASSIC,
    file: str = "labels.csv",
    specimen: str = "beetle",
) -> MappedPoints:
    """Labels as `map-points` hands them to writers.

    Each row: ``at`` (PNG x, y, slice) and its text columns. ``specimen``: what the export is
    called.
    """
    sidecar, columns, path = sidecar_of(scan), columns_of(rows), Path(file)
    png = np.array([row["at"] for row in rows], dtype=np.float64).reshape(-1, 3)
    source = sidecar.to_source(png[:, :2], png[:, 2])
    labels = Labels(
        path=path,
        xy=png[:, :2],
        slice=png[:, 2],
        images=(ImageReference(""),),
        reference=np.zeros(len(png), np.intp),
        shapes=group(columns, len(png), path, row_of),
        columns=columns,
        where=row_of,
        tool="a table",
        pixel_origin="center",
    )
    return MappedPoints(
        specimen=specimen,
        sidecar=sidecar,
        labels=labels,
        png=png,
        source=source,
        patient=(
            sidecar.stack.to_patient(source)
            if sidecar.stack is not None
            else np.full_like(source, np.nan)
        ),
        uncertainty_mm=sidecar.uncertainty_mm(source),
        instances=sidecar.instances(source),
    )


def shape(
    type_: str,
    vertices: Sequence[tuple[float, float, float]],
    label: str = "",
    id_: str = "1",
    **extra: str,
) -> list[dict[str, Any]]:
    """The rows of one shape."""
    return [
        {"at": at, "label": label, "shape_id": id_, "shape_type": type_, "vertex": str(v), **extra}
        for v, at in enumerate(vertices)
    ]


def point(at: tuple[float, float, float], label: str = "", **extra: str) -> dict[str, Any]:
    return shape("point", [at], label, **extra)[0]


NOSE, EAR, TAIL = (3.25, 4.5, 1.0), (12.0, 7.75, 3.0), (17.5, 2.0, 4.5)
LANDMARKS = [point(NOSE, "nose"), point(EAR, "left ear"), point(TAIL, "tail")]
BOX = [(2.0, 3.0, 2.0), (8.5, 3.0, 2.0), (8.5, 9.0, 2.0), (2.0, 9.0, 2.0)]
POLYGON = [(1.0, 1.0, 3.0), (9.0, 2.5, 3.0), (7.5, 11.0, 3.0), (2.0, 8.0, 3.0)]
PATH = [(1.0, 1.0, 2.0), (5.0, 3.0, 2.0), (6.0, 9.0, 2.0)]
PATH_ACROSS = [(1.0, 1.0, 1.0), (5.0, 3.0, 2.0), (6.0, 9.0, 4.0)]
LINE = [(1.5, 2.5, 0.0), (10.0, 12.0, 0.0)]
CIRCLE = [(10.0, 7.0, 2.0), (12.4, 8.8, 2.0)]
ELLIPSE = [(10.0, 7.0, 1.0), (15.0, 8.0, 1.0), (9.5, 9.5, 1.0)]


def every_shape() -> list[dict[str, Any]]:
    return [
        *LANDMARKS,
        *shape("line", LINE, "crack", "11"),
        *shape("polyline", PATH, "nerve", "12"),
        *shape("polygon", POLYGON, "bone", "13"),
        *shape("box", BOX, "region", "14"),
        *shape("circle", CIRCLE, "eye", "15"),
        *shape("ellipse", ELLIPSE, "lens", "16"),
    ]


def write_to(
    path: Path, writer: Any, parts: Sequence[MappedPoints] | MappedPoints, space: str = "lps"
) -> Path:
    """As the command line does: to a path whose ending says nothing."""
    writer.write([parts] if isinstance(parts, MappedPoints) else list(parts), path, space)
    return path


PATIENT = {
    "PatientName": "Müller^Änne",
    "PatientID": "ID-7",
    "PatientBirthDate": "20200102",
    "PatientSex": "F",
    "PatientIdentityRemoved": "NO",
}


def write_dicom(folder: Path, scan: Scan = CLASSIC, only: Sequence[int] | None = None) -> Path:
    """The source files of `sidecar_of(scan)`, black images with true headers.

    Latin-1 names, as in many archives.
    """
    planes = sidecar_of(scan).document.source.planes
    for k, plane in enumerate(planes):
        if (only is not None and k not in only) or (scan.multiframe and k > 0):
            continue
        dataset = _header(scan)
        dataset.SOPInstanceUID, dataset.InstanceNumber = plane.sop_instance_uid, k + 1
        if scan.multiframe:
            dataset.NumberOfFrames = len(planes)
        if scan.geometry and scan.multiframe:
            _set_functional_groups(dataset, [p.position for p in planes])
        elif scan.geometry:
            dataset.PixelSpacing = [BETWEEN_ROWS, BETWEEN_COLUMNS]
            dataset.ImageOrientationPatient = _short([*ROW_COSINES, *COLUMN_COSINES])
            assert plane.position is not None
            dataset.ImagePositionPatient = _short(plane.position)
        dataset.PixelData = bytes(COLUMNS * ROWS * (len(planes) if scan.multiframe else 1))
        path = folder / plane.file
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    return folder


def _header(scan: Scan) -> Any:
    """What all files of a scan say alike."""
    from pydicom.dataset import Dataset
    from pydicom.uid import (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        SecondaryCaptureImageStorage,
    )

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage
        if scan.multiframe
        else CTImageStorage
        if scan.geometry
        else SecondaryCaptureImageStorage
    )
    for keyword, value in PATIENT.items():
        setattr(dataset, keyword, value)
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20240506", "101112", "S1"
    dataset.Modality = "CT"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, scan.series
    if scan.frame_of_reference:
        dataset.FrameOfReferenceUID = FRAME_OF_REFERENCE
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    return dataset


def _set_functional_groups(dataset: Any, positions: Sequence[Any]) -> None:
    """The geometry of a multi-frame object (PS3.3 C.7.6.16)."""
    from pydicom.dataset import Dataset

    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [BETWEEN_ROWS, BETWEEN_COLUMNS]
    orientation.ImageOrientationPatient = _short([*ROW_COSINES, *COLUMN_COSINES])
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for position in positions:
        place, frame = Dataset(), Dataset()
        place.ImagePositionPatient = _short(position)
        frame.PlanePositionSequence = [place]
        dataset.PerFrameFunctionalGroupsSequence.append(frame)


def _short(numbers: Sequence[float]) -> list[str]:
    """Decimal strings of 16 characters at most, exact to a picometre."""
    return [f"{number:.12f}"[:16] for number in numbers]
