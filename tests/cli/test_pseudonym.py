"""`--pseudonym`: DICOM outputs for those who may not carry the patient's identity on."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from kit.command_line import CommandLine
from kit.edited_headers import edited
from kit.exports import png_names
from kit.map_masks import map_mask
from kit.painted_masks import Case, Exported, exported, paint
from kit.phantoms import SECRETS, Spec
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from sidecar.errors import UsageError
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS
from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.masks.writers import WRITERS as MASK_WRITERS

CASE = Case(
    "small",
    Spec(columns=60, rows=40, slices=6, markers=False),
    {"scale": 0.5, "z_step": 2},
    (0, 0, 0),
    (2, 2, 2),
)
#: Every attribute of patient and study (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2) that may say who it is, or
#: that may help to find out.
TELLING = {
    "PatientName": "Secret^Person",
    "PatientID": "SECRET-123",
    "IssuerOfPatientID": "Secret Hospital",
    "OtherPatientIDs": "SECRET-456",
    "OtherPatientNames": "Secret^Alias",
    "PatientBirthDate": "19010203",
    "PatientBirthTime": "190102",
    "PatientSex": "F",
    "PatientAge": "099Y",
    "PatientWeight": "71.5",
    "PatientAddress": "1 Secret Lane",
    "PatientComments": "secret remark",
    "PatientBreedDescription": "Secret breed",
    "ResponsiblePerson": "Secret^Owner",
    "ResponsiblePersonRole": "OWNER",
    "ResponsibleOrganization": "Secret Zoo",
    "PatientSexNeutered": "ALTERED",
    "StudyDate": "19010203",
    "StudyTime": "190102",
    "StudyID": "SECRET",
    "StudyDescription": "Secret's skull",
    "AccessionNumber": "SECRET-ACC",
    "ReferringPhysicianName": "Secret^Referrer",
    "NameOfPhysiciansReadingStudy": "Secret^Reader",
    "AdmittingDiagnosesDescription": "secret",
    "Occupation": "secret agent",
}
TOLD = (*SECRETS, "19010203", "190102", "OWNER", "ALTERED", "099Y", "71.5")
OUTPUTS = ["dicom-sr", "points rtstruct", "dicom-seg", "masks rtstruct"]


@pytest.fixture
def scan(tmp_path: Path) -> Exported:
    made = exported(CASE, tmp_path)
    for path in made.scan.rglob("*"):
        if path.is_file() and pydicom.misc.is_dicom(path) and "PixelData" in pydicom.dcmread(path):
            registration = Dataset()
            registration.BreedRegistrationNumber = "SECRET-REG"
            edited(
                path,
                **TELLING,
                PatientSpeciesDescription="Mus musculus",
                PatientIdentityRemoved="NO",
                BreedRegistrationSequence=Sequence([registration]),
            )
    return made


def command(output: str, scan: Exported, folder: Path) -> list[object]:
    """What makes an output of these, but for its name and the pseudonym."""
    name = output.replace("points ", "dicom-").replace("masks ", "dicom-")
    if output in ("dicom-sr", "points rtstruct"):
        labels = folder / "labels.csv"
        labels.write_text(f"image,x,y,label\n{png_names(scan.png)[1]},3,4,nose\n")
        inputs: list[object] = ["map-points", labels]
    else:
        painted = np.zeros((3, 20, 30), np.uint8)
        painted[:, 4:15, 6:20] = 1
        inputs = ["map-mask", paint(folder / "masks", painted, scan.sidecar)]
    return [*inputs, "--sidecar", scan.png, "--dicom", scan.scan, "--to", name]


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_says_who_the_patient_is_but_the_uids(
    run: CommandLine, scan: Exported, tmp_path: Path, output: str
) -> None:
    path = tmp_path / "out.dcm"
    outcome = run.done(*command(output, scan, tmp_path), "-o", path, "--pseudonym", "Mouse 7 · 鼠")
    assert "calls the patient Mouse 7 · 鼠, but has the UIDs" in outcome.err
    assert "as the source does" not in outcome.err

    written = path.read_bytes().lower()
    assert [word for word in TOLD if word.lower().encode() in written] == []
    dataset = pydicom.dcmread(path)
    assert (str(dataset.PatientName), dataset.PatientID) == ("Mouse 7 · 鼠", "Mouse 7 · 鼠")
    emptied = [
        keyword for keyword in TELLING if keyword in dataset and not dataset[keyword].is_empty
    ]
    assert emptied == ["PatientName", "PatientID"]
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                    "AccessionNumber", "ReferringPhysicianName"):  # fmt: skip
        assert dataset[keyword].is_empty  # type 2: there, and empty
    assert dataset.PatientSpeciesDescription == "Mus musculus"
    assert dataset.PatientIdentityRemoved == "NO"


@pytest.mark.parametrize("output", OUTPUTS)
def test_all_else_is_as_it_is_without_one(
    run: CommandLine, scan: Exported, tmp_path: Path, output: str
) -> None:
    asked = command(output, scan, tmp_path)
    named, pseudonymous = tmp_path / "named.dcm", tmp_path / "pseudonymous.dcm"
    assert "names the patient as the source does" in run.done(*asked, "-o", named).err
    run.done(*asked, "-o", pseudonymous, "--pseudonym", "M7")
    one, other = (pydicom.dcmread(path) for path in (named, pseudonymous))
    document = scan.sidecar.document.source
    assert other.StudyInstanceUID == one.StudyInstanceUID == document.study_instance_uid
    of_the_scan = {document.series_instance_uid, *(p.sop_instance_uid for p in document.planes)}
    assert _uids(other) & of_the_scan == _uids(one) & of_the_scan != set()
    of_the_patient = {*TELLING, "BreedRegistrationSequence"}
    assert {e.keyword for e in one} - of_the_patient == {e.keyword for e in other} - of_the_patient


def _uids(dataset: Dataset) -> set[str]:
    return {str(e.value) for e in dataset.iterall() if e.VR == "UI"}


def test_highdicom_reads_them_back(run: CommandLine, scan: Exported, tmp_path: Path) -> None:
    for output in ("dicom-sr", "dicom-seg"):
        path = tmp_path / f"{output}.dcm"
        run.done(*command(output, scan, tmp_path), "-o", path, "--pseudonym", "M7")
        read = highdicom.sr.srread if output == "dicom-sr" else highdicom.seg.segread
        assert read(path).PatientID == "M7"


def test_outputs_without_a_patient_refuse_it(
    run: CommandLine, scan: Exported, tmp_path: Path
) -> None:
    points = command("dicom-sr", scan, tmp_path)[:4]
    for name in WRITERS:
        run.refuses(
            *points, "--to", name, "-o", tmp_path / "out", "--pseudonym", "M7", code=2,
            says="--pseudonym goes only with --to dicom-sr or dicom-rtstruct",
        )  # fmt: skip
    masks = command("dicom-seg", scan, tmp_path)[:4]
    without = [name for name, writer in MASK_WRITERS.items() if not writer.names_patient]
    assert without == ["seg.nrrd", "nifti", "png"]
    for name in without:
        run.refuses(
            *masks, "--to", name, "-o", tmp_path / "out", "--pseudonym", "M7", code=2,
            says="--pseudonym goes only with --to dicom-seg or dicom-rtstruct",
        )  # fmt: skip
    with pytest.raises(UsageError, match="other outputs do not name the patient"):
        map_mask(masks[1], tmp_path / "out", scan.sidecar, pseudonym="M7")
    assert set(SOURCE_WRITERS) == {"dicom-sr", "dicom-rtstruct"}


@pytest.mark.parametrize(
    "name", ["", " ", "M7 ", "Doe^Jane", "a=b", "a\\b", "a\nb", "a\x1bb", "x" * 65]
)
def test_what_is_no_name_of_a_patient(
    run: CommandLine, scan: Exported, tmp_path: Path, name: str
) -> None:
    asked = command("dicom-sr", scan, tmp_path)
    run.refuses(
        *asked, "-o", tmp_path / "out.dcm", "--pseudonym", name, code=2, says="1 to 64 characters"
    )


def test_the_longest_name() -> None:
    assert HeaderSource(Path("scan"), "x" * 64).pseudonym == "x" * 64
