"""Write the weevil as a micro-CT: CT Image Storage, one file for each slice, oblique to the patient
axes.

The files have the same bytes every time. They have the attributes that PS3.3 A.3 requires of a CT
image, with a made-up specimen as the patient.
"""

from __future__ import annotations

import io
import re
import uuid
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from sidecar.demo.anatomy import MadeSpecimen, VoxelGrid
from sidecar.errors import OutputError, reason
from sidecar.progress import Progress
from sidecar.storage.local import Local

#: Modality value = stored + INTERCEPT. It is low enough that noise in air is not clipped.
INTERCEPT = -2048
#: Standard deviation of the noise in one voxel, in modality values.
NOISE = 30.0
WINDOW_CENTER, WINDOW_WIDTH = 1000, 4000

_OURS = re.compile(r"CT_\d{4}\.dcm")
#: A random UUID. All UIDs of the demo are made from it (PS3.5 B.2).
_NAMESPACE = uuid.UUID("6b0ac0d0-8a1c-4a59-9a0a-6a5c2f3b7d11")


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Rotation matrix of three angles in degrees: about z, then the new y, then the new x."""
    (sz, sy, sx), (cz, sy_, cx) = (
        np.sin(np.radians([yaw, pitch, roll])),
        np.cos(np.radians([yaw, pitch, roll])),
    )
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[sy_, 0, sy], [0, 1, 0], [-sy, 0, sy_]])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    return np.asarray(about_z @ about_y @ about_x)


#: 160 columns, 144 rows, 76 slices of 12 µm, rotated against the patient axes more than in any
#: clinical scanner.
SCAN_GRID = VoxelGrid(
    size=(160, 144, 76), voxel=0.012, position=(3.5127, 5.2841, 2.9163), axes=rotation(25, -14, 10)
)


def weevil(grid: VoxelGrid = SCAN_GRID) -> MadeSpecimen:
    """The specimen in the middle of the grid. It is not quite straight, as if mounted by hand."""
    middle = (np.array(grid.size) - 1) * (0.484, 0.497, 0.481)
    x, y, z = grid.to_patient(middle).tolist()
    return MadeSpecimen(place=(x, y, z), pose=grid.axes @ rotation(6, -2, 3))


def write_scan(folder: Path, specimen: MadeSpecimen, grid: VoxelGrid, progress: Progress) -> None:
    """Write the scan to ``folder``, and replace an earlier one there.

    OutputError where the folder holds other files, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = sorted(folder.iterdir())
        foreign = [path.name for path in earlier if not _OURS.fullmatch(path.name)]
        if foreign:
            raise OutputError(
                f"{folder.name} holds files that are not of the demo ({foreign[0]}): move them away"
            )
        for path in earlier:
            path.unlink()
        progress.start("scanning the specimen", grid.size[2])
        noise = np.random.default_rng(1)
        for k, plane in enumerate(specimen.render(grid)):
            stored = (
                np.rint(plane - INTERCEPT + noise.normal(0, NOISE, plane.shape))
                .clip(0, 65535)
                .astype("<u2")
            )
            file = io.BytesIO()
            slice_dataset(grid, k, stored).save_as(file, enforce_file_format=True)
            Local.at(folder / f"CT_{k + 1:04d}.dcm").put_unsynced(file.getvalue())
            progress.advance(1, stored.nbytes)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"the scan cannot be written to {folder.name}: {reason(error)}") from None


def slice_dataset(grid: VoxelGrid, k: int, stored: NDArray[np.uint16]) -> Dataset:
    """Slice ``k`` of the grid with its stored values (rows, columns)."""
    dataset = Dataset()
    dataset.update(_about_the_study())
    position = grid.to_patient(np.array([0.0, 0.0, k]))
    for keyword, value in {
        "SOPInstanceUID": _uid(f"slice {k}"),
        "InstanceNumber": str(k + 1),
        "ImagePositionPatient": _decimals(position),
        "ImageOrientationPatient": _decimals(grid.axes.T[:2].ravel()),
        "PixelSpacing": _decimals([grid.voxel, grid.voxel]),
        "SliceThickness": _decimals([grid.voxel])[0],
        "Rows": grid.size[1],
        "Columns": grid.size[0],
        "PixelData": stored.tobytes(),
    }.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _about_the_study() -> Dataset:
    """The attributes that all slices share, in the order of their modules."""
    dataset = Dataset()
    patient = {
        "PatientName": "Demo^Specimen",
        "PatientID": "DEMO-WEEVIL",
        "PatientBirthDate": "",
        "PatientSex": "O",
    }
    study = {
        "StudyInstanceUID": _uid("study"), "StudyID": "1", "StudyDate": "20250102",
        "StudyTime": "101500", "AccessionNumber": "", "ReferringPhysicianName": "",
        "StudyDescription": "Made-up specimen",
    }  # fmt: skip
    series = {
        "Modality": "CT", "SeriesInstanceUID": _uid("series"), "SeriesNumber": "1",
        "SeriesDescription": "micro-CT of a made-up weevil", "PatientPosition": "HFS",
        "FrameOfReferenceUID": _uid("frame of reference"), "PositionReferenceIndicator": "",
        "Manufacturer": "sidecar demo", "SoftwareVersions": f"pydicom {pydicom.__version__}",
    }  # fmt: skip
    image = {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": CTImageStorage,
        "ImageType": ["DERIVED", "PRIMARY", "AXIAL"], "AcquisitionNumber": "1", "KVP": "40",
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
        "RescaleIntercept": str(INTERCEPT), "RescaleSlope": "1", "RescaleType": "HU",
        "WindowCenter": str(WINDOW_CENTER), "WindowWidth": str(WINDOW_WIDTH),
    }  # fmt: skip
    for keyword, value in {**patient, **study, **series, **image}.items():
        setattr(dataset, keyword, value)
    return dataset


def _uid(name: str) -> UID:
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")


def _decimals(numbers: NDArray[np.float64] | list[float]) -> list[str]:
    return [format_number_as_ds(float(number)) for number in numbers]
