"""The real Orthanc: it takes what we write to DICOM, hands it out as it is, and the study that it
hands out is exported.

Where things are in the patient follows from the headers of the scan, by the equation of the
standard, and from the voxels that it was made of.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pydicom.misc
import pytest
from kit.exports import png_names
from kit.marked_scan import DISC_SLICE, DOTS, DOTS_SLICE, SPEC, values
from kit.needs import installed
from kit.orthanc import Orthanc, running
from numpy.typing import NDArray
from PIL import Image

import sidecar

pytestmark = [pytest.mark.tools, pytest.mark.slow]

#: DICOM JSON of STOW-RS: what was stored, what was not (PS3.18 I.2).
STORED, FAILED = "00081199", "00081198"
OBJECTS = ("sr.dcm", "seg.dcm", "rtstruct.dcm")


@pytest.fixture(scope="module")
def made(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the dots as SR and the disc as SEG and RTSTRUCT."""
    folder, scan = tmp_path_factory.mktemp("dicom"), marked.parent / "scan"
    names = png_names(marked)
    dots = np.argwhere(np.asarray(Image.open(marked / names[1])) > 0)
    rows = [f"{names[1]},dot {n},{x},{y}" for n, (y, x) in enumerate(dots, 1)]
    (folder / "labels.csv").write_text("\n".join(["image,label,x,y", *rows, ""]), encoding="utf-8")
    points = sidecar.map_points(folder / "labels.csv", marked)
    points.write(folder / "sr.dcm", to="dicom-sr", dicom=scan)
    disc = np.asarray(Image.open(marked / names[3])) > 0
    (folder / "masks").mkdir()
    Image.fromarray(np.uint8(disc)).save(folder / "masks" / names[3])
    for name, to in (("seg.dcm", "dicom-seg"), ("rtstruct.dcm", "dicom-rtstruct")):
        sidecar.map_mask(folder / "masks", folder / name, marked, to=to, dicom=scan)
    return folder


@pytest.fixture(scope="module")
def orthanc(
    made: Path, marked: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """With the scan and what was made of it, all by STOW-RS."""
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        for paths in (list(slices(marked)), [made / name for name in OBJECTS]):
            answer = server.store(paths)
            assert len(answer[STORED]["Value"]) == len(paths)
            assert answer.get(FAILED, {}).get("Value", []) == []
        yield server


def handed_out(orthanc: Orthanc, modality: str) -> list[bytes]:
    """The files of the series of a modality."""
    series = [orthanc.json(f"/series/{id_}") for id_ in orthanc.json("/series")]
    return [
        orthanc.get(f"/instances/{id_}/file")
        for one in series
        if one["MainDicomTags"]["Modality"] == modality
        for id_ in one["Instances"]
    ]


def slices(marked: Path) -> dict[Path, pydicom.Dataset]:
    """The files of the scan, in any order, among others that lie there."""
    files = [path for path in (marked.parent / "scan").rglob("*") if path.is_file()]
    read = {path: pydicom.dcmread(path) for path in files if pydicom.misc.is_dicom(path)}
    return {path: header for path, header in read.items() if "PixelData" in header}


def planes(marked: Path) -> list[pydicom.Dataset]:
    """The headers of the scan, along its normal."""
    headers = list(slices(marked).values())
    normal = np.cross(*np.reshape(headers[0].ImageOrientationPatient, (2, 3)))
    return sorted(headers, key=lambda h: float(normal @ np.array(h.ImagePositionPatient, float)))


def in_patient(plane: pydicom.Dataset, column: float, row: float) -> NDArray[np.float64]:
    """PS3.3 C.7.6.2.1.1."""
    along_row, along_column = np.reshape(np.array(plane.ImageOrientationPatient, float), (2, 3))
    between_rows, between_columns = map(float, plane.PixelSpacing)
    position = np.array(plane.ImagePositionPatient, float)
    return np.asarray(
        position + column * between_columns * along_row + row * between_rows * along_column
    )


@pytest.mark.parametrize(
    ("modality", "name"), [("SR", "sr.dcm"), ("SEG", "seg.dcm"), ("RTSTRUCT", "rtstruct.dcm")]
)
def test_it_keeps_them_as_they_are_and_valid(
    orthanc: Orthanc, made: Path, tmp_path: Path, modality: str, name: str
) -> None:
    (data,) = handed_out(orthanc, modality)
    assert data == (made / name).read_bytes()
    (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [installed("dciodvfy"), "-new", tmp_path / name], capture_output=True, text=True
    )
    told = (done.stdout + done.stderr).splitlines()
    assert [line for line in told if line.startswith("Error")] == []


def test_all_is_one_study_of_one_patient(orthanc: Orthanc) -> None:
    assert len(orthanc.json("/patients")) == len(orthanc.json("/studies")) == 1
    found = orthanc.json("/dicom-web/instances?includefield=00080060")
    kinds = sorted(one["00080060"]["Value"][0] for one in found)
    assert kinds == sorted(["CT"] * SPEC.slices + ["RTSTRUCT", "SEG", "SR"])


def test_points_of_its_report_lie_on_the_dots(orthanc: Orthanc, marked: Path) -> None:
    (data,) = handed_out(orthanc, "SR")
    report = highdicom.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(io.BytesIO(data)))
    content: Any = report.content
    groups = content.get_planar_roi_measurement_groups()
    found = {group.tracking_identifier: group.roi.value for group in groups}
    plane = planes(marked)[DOTS_SLICE]
    assert sorted(found) == ["dot 1", "dot 2"]
    for n, dot in enumerate(DOTS, 1):
        # 32-bit floats, at 400 mm
        np.testing.assert_allclose(found[f"dot {n}"], [in_patient(plane, *dot)], atol=4e-5)


def test_its_segmentation_is_the_disc(orthanc: Orthanc, marked: Path) -> None:
    (data,) = handed_out(orthanc, "SEG")
    segmentation = highdicom.seg.segread(io.BytesIO(data))
    plane = planes(marked)[DISC_SLICE]
    (frame,) = segmentation.get_pixels_by_source_instance([plane.SOPInstanceUID])
    np.testing.assert_array_equal(frame[..., 0] > 0, values()[DISC_SLICE] > 0)


def test_contours_of_its_structure_set_enclose_the_disc(orthanc: Orthanc, marked: Path) -> None:
    (data,) = handed_out(orthanc, "RTSTRUCT")
    dataset = pydicom.dcmread(io.BytesIO(data))
    plane = planes(marked)[DISC_SLICE]
    contours = [
        np.reshape(np.array(contour.ContourData, float), (-1, 3))
        for roi in dataset.ROIContourSequence
        for contour in roi.ContourSequence
        if contour.ContourImageSequence[0].ReferencedSOPInstanceUID == plane.SOPInstanceUID
    ]
    rows, columns = np.nonzero(values()[DISC_SLICE])
    edges = [
        in_patient(plane, column, row)
        for column in (columns.min() - 0.5, columns.max() + 0.5)
        for row in (rows.min() - 0.5, rows.max() + 0.5)
    ]
    corners = np.concatenate(contours)
    for end in (np.min, np.max):
        np.testing.assert_allclose(end(corners, axis=0), end(edges, axis=0), atol=1e-6)


def test_the_study_that_it_hands_out_is_exported_from_its_url(
    orthanc: Orthanc, marked: Path, tmp_path: Path
) -> None:
    """Also with segmentations and reports in it, which are no stacks. It packs the archive while it
    sends it, and knows no ranges: so the archive is copied first, which is told.
    """
    (study,) = orthanc.json("/studies")
    url = f"{orthanc.url}/studies/{study}/archive"
    (stack,) = sidecar.inspect(url).found
    assert stack.facts()["modality"] == "CT"
    png = sidecar.export(url, tmp_path / "png", scale=0.5, z_step=2)
    assert [told for told in png.document.warnings if "sends whole files only" in told]
    assert png.document.images.tag == sidecar.open(marked).document.images.tag
    for name in png_names(marked):
        np.testing.assert_array_equal(
            np.asarray(Image.open(tmp_path / "png" / name)), np.asarray(Image.open(marked / name))
        )


def test_its_archive_as_a_file_is_the_same_scan(
    orthanc: Orthanc, marked: Path, tmp_path: Path
) -> None:
    (study,) = orthanc.json("/studies")
    (tmp_path / "study.zip").write_bytes(orthanc.get(f"/studies/{study}/archive"))
    png = sidecar.export(tmp_path / "study.zip", tmp_path / "png", scale=0.5, z_step=2)
    assert png.document.images.tag == sidecar.open(marked).document.images.tag
