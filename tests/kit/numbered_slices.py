"""Small DICOM slices from which order and place can be read: slice k has background 1000 + 100 k
and a marker at column 10 + 2 k, row 8 + k, as the cases from the field have.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from sidecar.dicom.pixels import read_frame
from sidecar.dicom.scan import scan
from sidecar.dicom.stacks.series import Series, find_series
from sidecar.storage.local import Local

CT, MR, SECONDARY_CAPTURE = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.7",
)
ROOT = "1.2.826.0.1.3680043.8.498"
COLUMNS, ROWS, COUNT = 48, 40, 12
PIXEL, GAP = 0.02, 0.02

#: Changes the dataset of slice k, counted from 0.
Change = Callable[[Dataset, int], None]


def pixels_of(k: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    values = np.full((ROWS, COLUMNS), 1000 + 100 * k, np.uint16)
    values[8 + k, 10 + 2 * k] = 4000
    return values


def slice_of(k: int, kind: str = CT) -> FileDataset:
    """Slice k; of a secondary capture without any geometry."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UID(kind)
    meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}.3.{k + 1}")
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = kind
    header.SOPInstanceUID = f"{ROOT}.3.{k + 1}"
    header.Modality = {CT: "CT", MR: "MR"}.get(kind, "OT")
    header.StudyInstanceUID, header.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.2"
    header.InstanceNumber = k + 1
    if kind != SECONDARY_CAPTURE:
        header.FrameOfReferenceUID = f"{ROOT}.9"
        header.ImagePositionPatient = [0, 0, round(GAP * k, 6)]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.PixelSpacing = [PIXEL, PIXEL]
    header.Rows, header.Columns = ROWS, COLUMNS
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 0
    header.PixelData = pixels_of(k).tobytes()
    return header


def write_slices(
    folder: Path,
    change: Change = lambda dataset, k: None,
    kind: str = CT,
    numbers: range = range(COUNT),
    name: str = "slice_{:04d}.dcm",
) -> Path:
    """Slices in files of their number, counted from 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in numbers:
        dataset = slice_of(k, kind)
        change(dataset, k)
        dataset.save_as(folder / name.format(k + 1), enforce_file_format=True)
    return folder


def stacks(folder: Path) -> list[Series]:
    """The stacks that are found in a folder of slices that can all be used."""
    found = scan(folder)
    assert not found.damaged
    return find_series(found.frames)


def one_stack(folder: Path) -> Series:
    (series,) = stacks(folder)
    return series


def order_of(folder: Path, series: Series) -> list[int]:
    """The slices of a stack by what their pixels say."""
    root = Local.at(folder)
    return [(int(read_frame(root, frame.locator)[0, 0]) - 1000) // 100 for frame in series.frames]


def refusal(folder: Path) -> str:
    """Why the only stack in a folder is none."""
    problem = one_stack(folder).problem
    assert problem is not None
    return problem


def unusable(folder: Path) -> str:
    """Why the files of a folder cannot be used: one reason for all."""
    found = scan(folder)
    assert not found.frames
    (reason,) = {file.reason for file in found.damaged}
    return reason


def rewritten(path: Path, change: Callable[[Dataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
