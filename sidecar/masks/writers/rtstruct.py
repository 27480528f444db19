"""DICOM RT Structure Set (PS3.3 A.19): closed contours on the edges of pixels, written slice by
slice.

A contour runs along the outer edges of the pixels of a label, not through their centres. So it
encloses exactly their area. Holes are cut in from the contour around them (see `contours`). Every
contour lies on the plane of its slice and names its source image. The file is in Implicit VR Little
Endian, because Explicit VR has no length for Contour Data of more than 64 KiB (PS3.5 7.1.2). The
file contains the patient's identity: see `sidecar.labels.writers.source_headers`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from sidecar.errors import counted
from sidecar.labels.writers.rtstruct import contour_image, describe, frame_of_reference, observation
from sidecar.labels.writers.source_headers import HeaderSource, headers_of, patient_and_study
from sidecar.masks.contours import bands, contours
from sidecar.masks.mapped import MappedMask
from sidecar.masks.model import LabelArray, Segment
from sidecar.masks.writers.dicom_stream import DicomStream, implicit_element, item
from sidecar.masks.writers.model import MaskWriter
from sidecar.masks.writers.seg import require_headers, require_names, require_space
from sidecar.progress import Progress

Polygons = dict[int, list[NDArray[np.float64]]]
Pieces = dict[int, list[tuple[int, int]]]

_ROI_CONTOURS, _CONTOURS = 0x30060039, 0x30060040
_POINT_COUNT, _CONTOUR_DATA = 0x30060046, 0x30060050
#: Coordinates smaller than this have nine decimals within the 16 characters of VR DS.
_NINE_DECIMALS = 99999.0


def check(mask: MappedMask, headers: HeaderSource | None) -> tuple[str, ...]:
    require_space(mask, "RTSTRUCT")
    require_headers(headers, "dicom-rtstruct")
    require_names(mask, "ROI Name")
    slices = sum(map(bool, mask.present))
    return (
        (
            f"contours on {counted(slices, 'slice')}, written one by one; a temporary file holds"
            " them until all are ready"
        ),
    )


def write(mask: MappedMask, path: Path, headers: HeaderSource | None, progress: Progress) -> None:
    source = mask.sidecar.document.source
    uid = source.planes[0].sop_instance_uid
    header = headers_of([mask.sidecar], [uid], require_headers(headers, "dicom-rtstruct"))[uid]
    dataset = _dataset(mask, header)
    progress.start("tracing contours", mask.size[2])
    with path.open("wb") as file, tempfile.TemporaryFile() as spool:
        stream = DicomStream(file, dataset)
        pieces = _spooled(mask, header, stream, spool, progress)
        stream.head(before=_ROI_CONTOURS)
        stream.sequence(
            _ROI_CONTOURS,
            (
                _roi_bytes(n, s, stream, spool, pieces[s.value])
                for n, s in enumerate(mask.segments, 1)
            ),
        )
        stream.elements(after=_ROI_CONTOURS)


def _dataset(mask: MappedMask, header: Dataset) -> Dataset:
    """Everything except the contours."""
    source = mask.sidecar.document.source
    dataset = patient_and_study(header)
    describe(dataset)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.SeriesDescription = "Masks mapped by sidecar"
    dataset.StructureSetLabel = "MASKS"
    dataset.FrameOfReferenceUID = source.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    images = dict.fromkeys(plane.sop_instance_uid for plane in source.planes)
    dataset.ReferencedFrameOfReferenceSequence = [frame_of_reference(source, header, images)]
    numbered = list(enumerate(mask.segments, 1))
    dataset.StructureSetROISequence = [
        _roi(n, segment, source.frame_of_reference_uid) for n, segment in numbered
    ]
    dataset.RTROIObservationsSequence = [observation(n) for n, _ in numbered]
    return dataset


def _roi(number: int, segment: Segment, frame_of_reference_uid: str | None) -> Dataset:
    roi = Dataset()
    roi.ROINumber = str(number)
    roi.ReferencedFrameOfReferenceUID = frame_of_reference_uid
    roi.ROIName = segment.name
    roi.ROIGenerationAlgorithm = "MANUAL"
    return roi


def _spooled(
    mask: MappedMask, header: Dataset, stream: DicomStream, spool: IO[bytes], progress: Progress
) -> Pieces:
    """Write all contours, as items of a sequence, to the temporary file ``spool``.

    Returns where they are: for every label value offsets and lengths, in slice order.
    """
    pieces: Pieces = {segment.value: [] for segment in mask.segments}
    last: LabelArray | None = None
    traced: Polygons = {}
    for index, plane in enumerate(mask.small_planes()):
        if plane is not None:
            if plane is not last:
                last, traced = plane, _traced(plane, mask.present[index], mask.edges())
            head = stream.encoded(_on_slice(mask, index, header))
            for value, polygons in traced.items():
                for polygon in polygons:
                    contour = item(head + _points(mask, index, polygon))
                    pieces[value].append((spool.tell(), len(contour)))
                    spool.write(contour)
        progress.advance(1, 0)
    return pieces


def _traced(
    plane: LabelArray,
    values: tuple[int, ...],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Polygons:
    """Contours of every label on a PNG plane, in source columns and rows.

    The cut of a hole may begin in the middle of an edge.
    """
    columns, rows = edges

    def on_source(polygon: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = (
            np.interp(polygon[:, axis], np.arange(len(where)), where)
            for axis, where in enumerate((columns, rows))
        )
        return np.column_stack([x, y])

    found = bands(plane)
    return {
        value: [
            on_source(polygon)
            for polygon in contours(plane[found[value]] == value, found[value].start)
        ]
        for value in values
        if value in found
    }


def _on_slice(mask: MappedMask, index: int, header: Dataset) -> Dataset:
    """What the contours of one slice have in common, in tags before those of their points."""
    slices = mask.source_slices(index)
    plane = mask.sidecar.document.source.planes[slices[len(slices) // 2]]
    contour = Dataset()
    contour.ContourImageSequence = [
        contour_image(header, plane.sop_instance_uid, plane.frame_number or 0)
    ]
    contour.ContourGeometricType = "CLOSED_PLANAR"
    return contour


def _points(mask: MappedMask, index: int, polygon: NDArray[np.float64]) -> bytes:
    """The elements of the points of a contour: pydicom would make an object of half a kilobyte of
    every number.
    """
    stack = require_space(mask, "RTSTRUCT")
    points = stack.to_patient(
        np.column_stack([polygon, np.full(len(polygon), mask.source_slice(index))])
    )
    return implicit_element(_POINT_COUNT, _padded(str(len(points)))) + implicit_element(
        _CONTOUR_DATA, _decimals(points)
    )


def _decimals(points: NDArray[np.float64]) -> bytes:
    """Contour Data of these points (N, 3)."""
    values = (points + 0.0).ravel().tolist()
    if np.abs(points).max() < _NINE_DECIMALS:
        return _padded("\\".join(f"{value:.9f}" for value in values))
    return _padded("\\".join(map(format_number_as_ds, values)))


def _padded(text: str) -> bytes:
    return (text + " " * (len(text) % 2)).encode()


def _roi_bytes(
    number: int,
    segment: Segment,
    stream: DicomStream,
    spool: IO[bytes],
    pieces: list[tuple[int, int]],
) -> Iterator[bytes]:
    """The item of one ROI: colour, contours, number."""
    head, tail = Dataset(), Dataset()
    head.ROIDisplayColor = list(segment.color)
    tail.ReferencedROINumber = str(number)
    yield stream.encoded(head)
    if pieces:
        yield from stream.sequence_bytes(_CONTOURS, _copied(spool, pieces))
    yield stream.encoded(tail)


def _copied(spool: IO[bytes], pieces: list[tuple[int, int]]) -> Iterator[bytes]:
    for offset, length in pieces:
        spool.seek(offset)
        yield spool.read(length)


WRITER = MaskWriter("dicom-rtstruct", (), check, write, names_patient=True)
