"""DICOM SR and RTSTRUCT: read back by pydicom and highdicom, and found without error by dcmtk and
dicom3tools.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.made_exports import STUDY
from kit.mapped_points import (
    BOX,
    CIRCLE,
    CLASSIC,
    COLUMN_COSINES,
    FRAME_OF_REFERENCE,
    LANDMARKS,
    LINE,
    NORMAL,
    NOSE,
    PATH,
    PATH_ACROSS,
    PATIENT,
    POLYGON,
    SERIES,
    Scan,
    every_shape,
    instance_uid,
    mapped,
    point,
    shape,
    sidecar_of,
    truth_mm,
    truth_source,
    write_dicom,
)
from kit.needs import installed
from pydicom.uid import UID

from sidecar.errors import LabelError, MissingExtraError, SourceError
from sidecar.labels.writers.rtstruct import write_rtstruct
from sidecar.labels.writers.source_headers import HeaderSource, headers_of
from sidecar.labels.writers.sr import write_sr

Writers = pytest.mark.parametrize("write", [write_sr, write_rtstruct])
ACROSS = shape("polyline", PATH_ACROSS, "vein", "20")
#: (label, vertices as drawn) of what comes back unchanged.
STRAIGHT = [
    ("crack", LINE),
    ("nerve", PATH),
    ("bone", POLYGON),
    ("region", BOX),
    *((row["label"], [row["at"]]) for row in LANDMARKS),
]


def written(tmp_path: Path, write: Any, rows: list[dict], scan: Scan = CLASSIC) -> Path:
    path = tmp_path / "part"
    write(
        [mapped(rows, scan)], path, "ras", HeaderSource(write_dicom(tmp_path / "scan", scan))
    )  # DICOM is LPS whatever the space
    return path


def complaints(path: Path) -> list[str]:
    """What dciodvfy finds wrong by the IOD of the file; all that it knows as errors."""
    told = subprocess.run(
        [installed("dciodvfy"), str(path)], capture_output=True, text=True, check=False
    )
    lines = (told.stdout + told.stderr).splitlines()
    assert any(name in lines for name in ("Comprehensive3DSR", "RTStructureSet")), lines
    return [line for line in lines if "Error" in line]


# --- RTSTRUCT


def contours(path: Path) -> dict[str, list[pydicom.Dataset]]:
    dataset = pydicom.dcmread(path)
    names = {roi.ROINumber: roi.ROIName for roi in dataset.StructureSetROISequence}
    assert [o.ReferencedROINumber for o in dataset.RTROIObservationsSequence] == list(names)
    return {
        names[roi.ReferencedROINumber]: list(roi.ContourSequence)
        for roi in dataset.ROIContourSequence
    }


def millimetres(contour: pydicom.Dataset) -> np.ndarray:
    numbers = np.array(contour.ContourData, dtype=np.float64).reshape(-1, 3)
    assert contour.NumberOfContourPoints == len(numbers)
    return numbers


@pytest.mark.parametrize("scan", [Scan(), Scan(multiframe=True)], ids=["classic", "frames"])
def test_rtstruct_holds_every_shape_where_it_is(tmp_path: Path, scan: Scan) -> None:
    path = written(tmp_path, write_rtstruct, [*every_shape(), *ACROSS], scan)
    assert complaints(path) == []
    rois = contours(path)
    assert {name: members[0].ContourGeometricType for name, members in rois.items()} == {
        "nose": "POINT",
        "left ear": "POINT",
        "tail": "POINT",
        "crack": "OPEN_PLANAR",
        "nerve": "OPEN_PLANAR",
        "vein": "OPEN_NONPLANAR",
        "bone": "CLOSED_PLANAR",
        "region": "CLOSED_PLANAR",
        "eye": "CLOSED_PLANAR",
        "lens": "CLOSED_PLANAR",
    }
    for name, vertices in [*STRAIGHT, ("vein", PATH_ACROSS)]:
        np.testing.assert_allclose(millimetres(rois[name][0]), truth_mm(vertices), atol=1e-9)
    eye = millimetres(rois["eye"][0]) - truth_mm(CIRCLE[0])
    np.testing.assert_allclose(eye @ NORMAL, 0, atol=1e-9)
    assert np.abs(eye @ COLUMN_COSINES).max() == pytest.approx(
        6 * 0.7, rel=2e-3
    )  # oblong pixels: 6 rows of 0.7 mm


@pytest.mark.parametrize("scan", [Scan(), Scan(multiframe=True)], ids=["classic", "frames"])
def test_rtstruct_names_the_images(tmp_path: Path, scan: Scan) -> None:
    path = written(tmp_path, write_rtstruct, LANDMARKS, scan)
    images = [members[0].ContourImageSequence[0] for members in contours(path).values()]
    if scan.multiframe:
        assert [i.ReferencedSOPInstanceUID for i in images] == [instance_uid(0)] * 3
        assert [i.ReferencedFrameNumber for i in images] == [3, 7, 10]
    else:
        assert [i.ReferencedSOPInstanceUID for i in images] == [
            instance_uid(2),
            instance_uid(6),
            instance_uid(9),
        ]
    dataset = pydicom.dcmread(path)
    (frame,) = dataset.ReferencedFrameOfReferenceSequence
    (series,) = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert dataset.FrameOfReferenceUID == frame.FrameOfReferenceUID == FRAME_OF_REFERENCE
    assert (
        frame.RTReferencedStudySequence[0].ReferencedSOPInstanceUID,
        series.SeriesInstanceUID,
    ) == (STUDY, SERIES)
    assert len(series.ContourImageSequence) == (1 if scan.multiframe else 12)


def test_shapes_of_one_label_are_contours_of_one_roi(tmp_path: Path) -> None:
    rows = [
        *shape("polygon", POLYGON, "bone", "1"),
        *shape("polygon", [(x, y, 4.0) for x, y, _ in POLYGON], "bone", "2"),
        point(NOSE, "bone"),
        point(NOSE),
        point(NOSE),
    ]
    path = written(tmp_path, write_rtstruct, rows)
    dataset = pydicom.dcmread(path)
    assert [roi.ROIName for roi in dataset.StructureSetROISequence] == [
        "bone",
        "bone",
        "point 1",
        "point 1",
    ]
    assert [len(roi.ContourSequence) for roi in dataset.ROIContourSequence] == [2, 1, 1, 1]
    assert [c.ContourNumber for c in dataset.ROIContourSequence[0].ContourSequence] == [1, 2]


def test_contours_are_read_by_an_rt_program_s_rules(tmp_path: Path) -> None:
    """Decimal strings of 16 characters at most, at 200 mm from the origin still exact to a
    nanometre.
    """
    raw = pydicom.dcmread(written(tmp_path, write_rtstruct, shape("polygon", POLYGON, "bone")))
    texts = [str(value) for value in raw.ROIContourSequence[0].ContourSequence[0].ContourData]
    assert max(map(len, texts)) <= 16
    np.testing.assert_allclose(
        np.array(texts, dtype=float).reshape(-1, 3), truth_mm(POLYGON), atol=1e-9
    )


@pytest.mark.parametrize(
    ("rows", "scan", "says"),
    [
        (LANDMARKS, Scan(geometry=False), "no patient geometry, which RTSTRUCT needs"),
        (
            LANDMARKS,
            Scan(frame_of_reference=False),
            "needs a Frame of Reference UID, but the scan has none",
        ),
        (
            shape("polygon", PATH_ACROSS, "bone"),
            Scan(),
            "labels.csv, row 2 to row 4: this polygon lies on more than one slice, but a closed contour of an RTSTRUCT lies on"
            r" one; write csv, json, slicer \(\.mrk\.json\) or tps$",
        ),
        ([point(NOSE, "x" * 65)], Scan(), "64 characters at most"),
        ([point(NOSE, "a\\b")], Scan(), "no backslash"),
        ([], Scan(), "there are no labels"),
    ],
    ids=[
        "no geometry",
        "no frame of reference",
        "across slices",
        "long name",
        "backslash",
        "nothing",
    ],
)
def test_what_fits_no_rtstruct_is_refused(
    tmp_path: Path, rows: list[dict], scan: Scan, says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        written(tmp_path, write_rtstruct, rows, scan)


# --- SR


def regions(path: Path) -> dict[str, Any]:
    highdicom = pytest.importorskip("highdicom")
    report = highdicom.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(path))
    groups = report.content.get_planar_roi_measurement_groups()
    return {group.tracking_identifier: group.roi for group in groups}


@pytest.mark.parametrize("scan", [Scan(), Scan(multiframe=True)], ids=["classic", "frames"])
def test_sr_in_patient_space(tmp_path: Path, scan: Scan) -> None:
    path = written(tmp_path, write_sr, [*every_shape(), *ACROSS], scan)
    assert complaints(path) == []
    found = regions(path)
    assert {name: roi.graphic_type.value for name, roi in found.items()} == {
        "nose": "POINT",
        "left ear": "POINT",
        "tail": "POINT",
        "crack": "POLYLINE",
        "nerve": "POLYLINE",
        "vein": "POLYLINE",
        "bone": "POLYGON",
        "region": "POLYGON",
        "eye": "POLYGON",
        "lens": "POLYGON",
    }
    for name, vertices in [*STRAIGHT, ("vein", PATH_ACROSS)]:
        closed = [*vertices, vertices[0]] if name in ("bone", "region") else vertices
        np.testing.assert_allclose(
            found[name].value, truth_mm(closed), atol=2e-5
        )  # 32-bit floats at 200 mm
        assert found[name].frame_of_reference_uid == FRAME_OF_REFERENCE


@pytest.mark.slow
@pytest.mark.parametrize(
    "scan",
    [Scan(geometry=False), Scan(geometry=False, multiframe=True), Scan(frame_of_reference=False)],
    ids=["classic", "frames", "no frame of reference"],
)
def test_sr_on_the_image_counts_from_the_corner(tmp_path: Path, scan: Scan) -> None:
    """PS3.3 C.18.6: the outer corner of the first pixel is 0\\0, its middle 0.5\\0.5."""
    path = written(tmp_path, write_sr, every_shape(), scan)
    assert complaints(path) == []
    found = regions(path)
    for name, vertices in STRAIGHT:
        closed = [*vertices, vertices[0]] if name in ("bone", "region") else vertices
        roi, source = found[name], truth_source(closed)
        np.testing.assert_allclose(roi.value.reshape(-1, 2), source[:, :2] + 0.5, atol=1e-5)
        (image,) = roi.ContentSequence[0].ReferencedSOPSequence
        plane = int(np.ceil(source[0, 2] - 0.5))
        if scan.multiframe:
            assert (image.ReferencedSOPInstanceUID, image.ReferencedFrameNumber) == (
                instance_uid(0),
                plane + 1,
            )
        else:
            assert image.ReferencedSOPInstanceUID == instance_uid(plane)


def test_dcmtk_reads_the_sr(tmp_path: Path) -> None:
    path = written(tmp_path, write_sr, [point(NOSE, "Nasenspitze · 鼻"), *every_shape()])
    told = subprocess.run(
        [installed("dsrdump"), "-Ee", str(path)], capture_output=True, encoding="utf-8", check=True
    )
    assert "Nasenspitze · 鼻" in told.stdout and told.stdout.count('"Tracking Identifier"') == 10
    assert not [line for line in told.stderr.splitlines() if line.startswith(("E:", "F:"))]


@pytest.mark.parametrize(
    ("rows", "scan", "says"),
    [
        (
            shape("polygon", PATH_ACROSS, "bone"),
            Scan(),
            "labels.csv, row 2 to row 4: this polygon lies on more than one slice, but a polygon of a DICOM SR lies on"
            r" one; write csv, json, slicer \(\.mrk\.json\) or tps$",
        ),
        (
            shape("polyline", PATH_ACROSS),
            Scan(geometry=False),
            "this polyline does not; write csv or json",
        ),
        (
            [point((1, 1, -0.4)), point(NOSE)],
            Scan(geometry=False),
            "labels.csv, row 2: .*must lie on one source image, but this point does not",
        ),
        ([], Scan(), "there are no labels"),
    ],
    ids=["across slices", "across images", "beyond the first image", "nothing"],
)
def test_what_fits_no_sr_is_refused(
    tmp_path: Path, rows: list[dict], scan: Scan, says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        written(tmp_path, write_sr, rows, scan)


def test_an_sop_class_unknown_to_highdicom_is_named(tmp_path: Path) -> None:
    folder = write_dicom(tmp_path / "scan")
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.3.4")
        dataset.save_as(path)
    with pytest.raises(
        LabelError, match=r"SOP class 1\.2\.3\.4 of the images; write dicom-rtstruct"
    ):
        write_sr([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))
    write_rtstruct([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))


def test_without_highdicom_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingExtraError, match=r"Writing DICOM SR needs .*dicom-sidecar\[dicom\]"):
        written(tmp_path, write_sr, LANDMARKS)


# --- what both take from the source


@Writers
def test_patient_and_study_are_those_of_the_source(tmp_path: Path, write: Any) -> None:
    dataset = pydicom.dcmread(written(tmp_path, write, [point(NOSE, "Ohr · 耳")]))
    assert {keyword: str(dataset[keyword].value) for keyword in PATIENT} == PATIENT
    assert (dataset.StudyInstanceUID, dataset.StudyDate, dataset.StudyID) == (
        STUDY,
        "20240506",
        "S1",
    )
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
    assert dataset.SeriesInstanceUID != SERIES
    assert "耳" in str(dataset)


@pytest.mark.slow
@Writers
@pytest.mark.parametrize(
    ("charset", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
    ids=["Japanese", "Cyrillic", "Chinese"],
)
def test_names_in_any_character_set_become_utf_8(
    tmp_path: Path, write: Any, charset: Any, name: str
) -> None:
    folder = write_dicom(tmp_path / "scan")
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SpecificCharacterSet, dataset.PatientName = charset, name
        dataset.save_as(path)
        assert name.encode() not in path.read_bytes()
    write([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))
    assert name.encode() in (tmp_path / "part").read_bytes()
    assert str(pydicom.dcmread(tmp_path / "part").PatientName) == name


@Writers
def test_odd_values_are_handed_on_and_never_shown(
    tmp_path: Path, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Archives are full of them. A warning that repeats one would print the patient."""
    folder = write_dicom(tmp_path / "scan")
    odd = {
        "PatientName": "Secret",
        "PatientBirthDate": "1.2.2020",
        "PatientSex": "x",
        "PatientSpeciesDescription": "Mus musculus",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in folder.rglob("*.dcm"):
            dataset = pydicom.dcmread(path)
            for keyword, value in odd.items():
                setattr(dataset, keyword, value)
            dataset.save_as(path)
    write([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))
    assert "ecret" not in "".join(capsys.readouterr())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(tmp_path / "part")
        assert {keyword: str(dataset[keyword].value) for keyword in odd} == odd
    assert dataset.PatientSexNeutered == ""  # an animal's, which may be empty


@Writers
def test_two_scans_are_refused(tmp_path: Path, write: Any) -> None:
    with pytest.raises(LabelError, match="of 2 scans"):
        write(
            [mapped(LANDMARKS), mapped(LANDMARKS, Scan(series="1.2.3"))],
            tmp_path / "part",
            "lps",
            HeaderSource(tmp_path),
        )


@Writers
def test_several_label_files_of_one_scan(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "part"
    write(
        [mapped([row]) for row in LANDMARKS],
        path,
        "lps",
        HeaderSource(write_dicom(tmp_path / "scan")),
    )
    assert complaints(path) == []
    found = regions(path) if write is write_sr else contours(path)
    assert list(found) == ["nose", "left ear", "tail"]


@Writers
def test_files_that_were_moved_are_found(tmp_path: Path, write: Any) -> None:
    folder = write_dicom(tmp_path / "scan")
    for number, path in enumerate(sorted(folder.rglob("*.dcm"))):
        (folder / "elsewhere").mkdir(exist_ok=True)
        path.rename(folder / "elsewhere" / f"IM{number}")
    (folder / "elsewhere" / "notes.txt").write_text("no DICOM", encoding="utf-8")
    write([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))
    assert pydicom.dcmread(tmp_path / "part").PatientID == PATIENT["PatientID"]


@Writers
@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ((), r"none of its 12 slices is there .*; give the folder"),
        ((3, 4, 5), r"9 of 12 slices are missing: 0, 1, 2, 6, 7 … \(0-based\); copy what"),
    ],
    ids=["no files", "other slices"],
)
def test_files_that_are_not_there_are_told(
    tmp_path: Path, write: Any, kept: tuple[int, ...], says: str
) -> None:
    folder = write_dicom(tmp_path / "scan", only=kept)
    folder.mkdir(exist_ok=True)
    says = "scan does not hold the scan that the sidecar describes: " + says
    with pytest.raises(SourceError, match=says) as caught:
        write([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))
    assert str(tmp_path) not in str(caught.value)


@Writers
def test_a_scan_that_was_moved_is_refused(tmp_path: Path, write: Any) -> None:
    """What is drawn would lie beside the images that the object names."""
    folder = write_dicom(tmp_path / "scan")
    for path in folder.rglob("*.dcm"):
        header = pydicom.dcmread(path)
        x, y, z = header.ImagePositionPatient
        header.ImagePositionPatient = [x, y + 5, z]
        header.save_as(path)
    with pytest.raises(SourceError, match=r"every slice is 5 mm from where it was, by \(0, 5, 0\)"):
        write([mapped(LANDMARKS)], tmp_path / "part", "lps", HeaderSource(folder))


def test_every_export_s_scan_has_to_be_there(tmp_path: Path) -> None:
    folder = write_dicom(tmp_path / "scan")
    longer = sidecar_of(Scan(slices=14))
    with pytest.raises(SourceError, match=r"2 of 14 slices are missing: 12, 13"):
        headers_of([sidecar_of(), longer], [instance_uid(2)], HeaderSource(folder))
    assert list(headers_of([sidecar_of()], [instance_uid(2)], HeaderSource(folder))) == [
        instance_uid(2)
    ]


def test_a_sidecar_leads_to_nothing_outside_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sidecar that points out of the folder, and a pipe that would wait for ever. Links are the
    user's own, and are followed.
    """
    outside = write_dicom(tmp_path / "outside")
    folder = tmp_path / "scan"
    folder.mkdir()
    os.mkfifo(folder / "pipe.dcm")
    sidecar = sidecar_of()
    planes = [
        replace(plane, file=f"../outside/{plane.file}") for plane in sidecar.document.source.planes
    ]
    source = replace(sidecar.document.source, planes=planes)
    object.__setattr__(sidecar, "document", replace(sidecar.document, source=source))
    opened: list[Any] = []
    monkeypatch.setattr(pydicom, "dcmread", lambda path, **options: opened.append(path))
    monkeypatch.setattr("sidecar.dicom.scan._scan_file", lambda path, *_: opened.append(path))
    with pytest.raises(SourceError, match="none of its 12 slices"):
        headers_of([sidecar], [instance_uid(0)], HeaderSource(folder))
    assert opened == []
    monkeypatch.undo()
    (folder / "linked").symlink_to(outside)
    assert headers_of([sidecar], [instance_uid(0)], HeaderSource(folder))
