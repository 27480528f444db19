"""DICOM files whole: what is read of a header is what pydicom reads, whichever way it is read, and
pixels come as the header says, or not at all.
"""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from kit import pixel_files
from kit.phantoms import write
from kit.small_scans import ENCODINGS
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from fuzz.target import RefusedError, Target, refusals, written
from sidecar.dicom import scan as scanning
from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.pixels import read_frame
from sidecar.dicom.scan import Scan
from sidecar.dicom.stacks.series import find_series

_FILE = "slice.dcm"
#: Pixels of a frame, and frames of a file, that are decoded of what a changed header asks for.
_MOST_PIXELS, _MOST_FRAMES = 1 << 20, 3


def _seeds() -> list[bytes]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, spec in ENCODINGS.items():
            write(spec, Path(folder) / name)
            found.append(next(p for p in sorted((Path(folder) / name).rglob("*.dcm"))).read_bytes())
    return found


def _scanned(data: bytes, folder: Path) -> Scan:
    path = written(folder, _FILE, data)
    with refusals(folder):
        found = scanning.scan(path)
        find_series(found.frames)
    return found


def _attempt_headers(data: bytes, folder: Path) -> None:
    """The fast readers and pydicom agree on whatever is not damaged to the fast ones."""
    found = _scanned(data, folder)
    _refused_if_damaged(found)
    package = "sidecar.dicom.headers.file_header"
    with (
        mock.patch(f"{package}.read_plain", return_value=None),
        mock.patch(f"{package}.read_plain_deflated", return_value=None),
    ):
        by_pydicom = scanning.scan(folder / _FILE)
    assert [_stated(f) for f in found.frames] == [_stated(f) for f in by_pydicom.frames]
    assert dict(found.passed_by) == dict(by_pydicom.passed_by)
    assert by_pydicom.damaged == []


def _stated(frame: Frame) -> str:
    """All that is known of a frame, NaN being NaN; where its pixels begin may be left open."""
    return repr((frame.common, frame.position, frame.orientation, frame.sop_instance_uid,
                 frame.instance_number, frame.slice_location, frame.rescale, frame.window,
                 frame.keys, frame.real_world, frame.frame, frame.frames))  # fmt: skip


def _refused_if_damaged(found: Scan) -> None:
    for unusable in found.damaged:
        raise RefusedError(unusable.reason)


def _attempt_pixels(data: bytes, folder: Path) -> None:
    found = _scanned(data, folder)
    _refused_if_damaged(found)
    for frame in found.frames[:_MOST_FRAMES]:
        layout = frame.common.layout
        if layout.rows * layout.columns > _MOST_PIXELS:
            raise RefusedError("too large to be tried")
        with refusals(folder):
            pixels = read_frame(found.root, frame.locator)
        assert pixels.shape[:2] == (layout.rows, layout.columns)
        if pixels.ndim == 2 and pixels.dtype.kind == "u":
            assert int(pixels.max(initial=0)) < 1 << layout.bits_stored


def _fragments() -> list[bytes]:
    """Several frames in fragments, and frames of which a palette or a colour space makes RGB."""
    gray = pixel_files.noise("u2", (12, 10), 12)
    colour = pixel_files.colours((12, 10))
    streams = [pixel_files.rle(gray)] * 3
    palette: dict[str, Any] = {}
    for name in ("Red", "Green", "Blue"):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{name}PaletteColorLookupTableData"] = np.arange(256, dtype="<u2").tobytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [
            pixel_files.write_encoded(folder, streams, gray, pixel_files.RLE, BitsStored=12),
            pixel_files.write_encoded(
                folder, [pixel_files.rle(colour)], colour, pixel_files.RLE, PlanarConfiguration=1
            ),
            pixel_files.write(
                folder, colour.tobytes(), colour.shape, vr="OB", BitsAllocated=8,
                PhotometricInterpretation="YBR_FULL",
            ),
            pixel_files.write(
                folder, colour[..., 0].tobytes(), (12, 10), vr="OB", BitsAllocated=8,
                PhotometricInterpretation="PALETTE COLOR", **palette,
            ),
            pixel_files.write(folder, bytes(15), (12, 10), vr="OB", BitsAllocated=1),
        ]  # fmt: skip
        return [path.read_bytes() for path in paths]


def _directory() -> list[bytes]:
    directory = Dataset()
    record = Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["IMAGES", "A"]
    directory.DirectoryRecordSequence = [record]
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    with tempfile.TemporaryDirectory() as folder:
        dcmwrite(Path(folder) / "DICOMDIR", directory, enforce_file_format=True)
        return [(Path(folder) / "DICOMDIR").read_bytes()]


def _attempt_directory(data: bytes, folder: Path) -> None:
    """No file is read but those below its folder."""
    (folder / "disc" / "IMAGES").mkdir(parents=True, exist_ok=True)
    written(folder / "disc" / "IMAGES", "A", b"")
    written(folder, "OUTSIDE", b"")
    path = written(folder / "disc", "DICOMDIR", data)
    with refusals(folder):
        found = scanning.scan(path)
    named = [*chain(*found.passed_by.values()), *(unusable.file for unusable in found.damaged)]
    assert not any("OUTSIDE" in name or ".." in name for name in named)


TARGETS = [
    Target("headers", partial(_seeds), _attempt_headers),
    Target("pixels", lambda: [*_seeds(), *_fragments()], _attempt_pixels),
    Target("DICOMDIR", _directory, _attempt_directory),
]
