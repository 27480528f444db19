"""A half-size export of an oblique, sheared scan with oblong pixels, made without DICOM, and labels
on it; plus its truth.

`Truth` works out source indices and millimetres from the numbers below by the equation of PS3.3
C.7.6.2.1.1, and imports nothing of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.document.model import AxisModel, Document, Grid, Image, Images, Plane, Source
from sidecar.document.model import Decimation as DecimationModel
from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation
from sidecar.labels.columns import Made
from sidecar.labels.grouping import group
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import ImageReference, Labels
from sidecar.mapping import Sidecar

COLUMNS, ROWS, SLICES = 40, 30, 12
BETWEEN_ROWS, BETWEEN_COLUMNS = 0.7, 0.5
#: Rotated about two axes: no cosine is 0.
ROW_COSINES = np.array([0.8, 0.36, 0.48])
COLUMN_COSINES = np.array([-0.6, 0.48, 0.64])
NORMAL = np.cross(ROW_COSINES, COLUMN_COSINES)
#: Not along the normal (0, -0.8, 0.6): the stack is sheared, as by a gantry tilt.
STEP = 1.2 * NORMAL + 0.15 * COLUMN_COSINES
ORIGIN = np.array([-31.4, 12.5, 200.25])
STUDY, SERIES, FRAME_OF_REFERENCE = (
    "1.2.826.0.1.3680043.8.498.1",
    "1.2.826.0.1.3680043.8.498.2",
    "1.2.826.0.1.3680043.8.498.3",
)
FACTOR, OFFSET, Z_STEP = 2, 0.5, 2


def truth_source(png: Any) -> NDArray[np.float64]:
    """Means of 2 × 2 pixels of every second slice."""
    return np.asarray(png, dtype=np.float64) * [FACTOR, FACTOR, Z_STEP] + [OFFSET, OFFSET, 0]


def truth_mm(png: Any) -> NDArray[np.float64]:
    """LPS."""
    column, row, slice_ = truth_source(png).reshape(-1, 3).T[:, :, None]
    return (
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

    ``multiframe``: one instance with a frame for every slice.
    """

    geometry: bool = True
    frame_of_reference: bool = True
    multiframe: bool = False
    slices: int = SLICES
    series: str = SERIES


CLASSIC = Scan()


def sidecar_of(scan: Scan = CLASSIC) -> Sidecar:
    kept = -(-scan.slices // Z_STEP)
    axes = {
        "columns": AxisModel(factor=FACTOR, offset=OFFSET, size=COLUMNS // FACTOR, method="mean"),
        "rows": AxisModel(factor=FACTOR, offset=OFFSET, size=ROWS // FACTOR, method="mean"),
        "slices": AxisModel(factor=Z_STEP, offset=0, size=kept, method="stride"),
    }
    cosines = (*ROW_COSINES.tolist(), *COLUMN_COSINES.tolist())
    planes = [
        Plane(
            sop_instance_uid=f"{scan.series}.1" if scan.multiframe else f"{scan.series}.{k + 1}",
            frame_number=k + 1 if scan.multiframe else None,
            file="scan.dcm" if scan.multiframe else f"slices/{k:03d}.dcm",
            position=tuple((ORIGIN + k * STEP).tolist()) if scan.geometry else None,
        )
        for k in range(scan.slices)
    ]
    geometry = Grid(size=(COLUMNS, ROWS, scan.slices))
    source = Source(
        **geometry.model_dump(),
        study_instance_uid=STUDY,
        series_instance_uid=scan.series,
        frame_of_reference_uid=FRAME_OF_REFERENCE if scan.frame_of_reference else None,
        modality="CT",
        pixel_spacing=(BETWEEN_ROWS, BETWEEN_COLUMNS) if scan.geometry else None,
        orientation=cosines if scan.geometry else None,
        planes=planes,
    )
    corners = [truth_mm((0, 0, k))[0] for k in range(kept)]
    images = Images(
        size=(COLUMNS // FACTOR, ROWS // FACTOR, kept),
        bits=8,
        files=[
            Image(
                name=f"slice_{k:04d}.png",
                source_slices=[k * Z_STEP],
                position=tuple(corner.tolist()) if scan.geometry else None,
                sha256="0" * 64,
            )
            for k, corner in enumerate(corners)
        ],
    )
    decimation = Decimation(*(Axis(a.factor, a.offset, a.size, a.method) for a in axes.values()))
    return Sidecar.of(
        Document(
            version="1.0",
            generator="dicom-sidecar test",
            coordinate_system="LPS" if scan.geometry else None,
            units="mm" if scan.geometry else "pixel",
            pixel_origin="center",
            source=source,
            decimation=DecimationModel(**axes),
            images=images,
            control_points=_control_points(decimation, scan),
        )
    )


def _control_points(decimation: Decimation, scan: Scan) -> list[dict[str, Any]]:
    pixels = [
        (0.0, 0.0, 0.0),
        (decimation.columns.size - 1.0, decimation.rows.size - 1.0, decimation.slices.size - 1.0),
    ]
    return [
        {
            "pixel": pixel,
            "source": tuple(truth_source(pixel).tolist()),
            "patient": tuple(truth_mm(pixel)[0].tolist()) if scan.geometry else None,
        }
        for pixel in pixels
    ]


def columns_of(rows: Sequence[dict[str, Any]]) -> Made:
    """The text columns of rows, all but ``at``."""
    names = dict.fromkeys(name for row in rows for name in row if name != "at")
    return Made.of({name: [str(row.get(name, "")) for row in rows] for name in names}, len(rows))


def row_of(index: int) -> str:
    """The place of a row in a table whose header is row 1."""
    return f"row {index + 2}"


def mapped(
    rows: Sequence[dict[str, Any]], scan: Scan = CLASSIC, file: str = "labels.csv"
) -> MappedPoints:
    """Labels as `map-points` hands them to writers.

    Each row: ``at`` (PNG x, y, slice) and its text columns.
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
    """The source files of `sidecar_of(scan)`, with 2 × 2 pixels: only their headers matter.

    Latin-1 names, as in many archives.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import (
        CTImageStorage,
        ExplicitVRLittleEndian,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    )

    planes = sidecar_of(scan).document.source.planes
    for k, plane in enumerate(planes):
        if (only is not None and k not in only) or (scan.multiframe and k > 0):
            continue
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.SOPClassUID = (
            MultiFrameGrayscaleWordSecondaryCaptureImageStorage
            if scan.multiframe
            else CTImageStorage
        )
        dataset.SOPInstanceUID = plane.sop_instance_uid
        for keyword, value in PATIENT.items():
            setattr(dataset, keyword, value)
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID, dataset.Modality = (
            "20240506",
            "101112",
            "S1",
            "CT",
        )
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, scan.series
        (
            dataset.Rows,
            dataset.Columns,
            dataset.SamplesPerPixel,
            dataset.PhotometricInterpretation,
        ) = (
            2,
            2,
            1,
            "MONOCHROME2",
        )
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
            16,
            16,
            15,
            0,
        )
        frames = len(planes) if scan.multiframe else 1
        if scan.multiframe:
            dataset.NumberOfFrames = frames
        dataset.PixelData = bytes(8 * frames)
        path = folder / plane.file
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    return folder
