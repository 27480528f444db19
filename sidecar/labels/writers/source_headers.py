"""What a DICOM output takes from the source: the patient and the study it belongs to, and the class
of the instances it refers to.

A DICOM object without the patient and study modules cannot be filed with the scan. So SR and
RTSTRUCT, and they alone of all outputs, carry the name, ID, birth date and sex of the patient, just
as the source has them (`NOTICE`).
"""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from sidecar.errors import SourceError
from sidecar.mapping import Sidecar

#: To be told to whoever asks for such an output.
NOTICE = "this file names the patient as the source does: keep it as you keep the scan"

#: Patient and study attributes (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2) that every object has, perhaps
#: empty,
_ALWAYS = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
#: that those of an animal have, perhaps empty,
_OF_ANIMALS = (
    "PatientBreedDescription", "PatientBreedCodeSequence", "BreedRegistrationSequence",
    "ResponsiblePerson", "ResponsibleOrganization", "PatientSexNeutered",
)  # fmt: skip
#: and that are copied where the source has them.
_WHERE_PRESENT = (
    "IssuerOfPatientID", "PatientSpeciesDescription", "PatientSpeciesCodeSequence",
    "ResponsiblePersonRole", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "StudyDescription",
)  # fmt: skip
_IDENTIFYING = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "Modality", "Rows", "Columns", "NumberOfFrames",
)  # fmt: skip
_KEYWORDS = [*_ALWAYS, *_OF_ANIMALS, *_WHERE_PRESENT, *_IDENTIFYING]

#: A folder with more files than this is not searched to its end.
MAX_FILES = 200_000
#: What pydicom raises on content that is damaged or no DICOM.
_UNREADABLE = (
    InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, IndexError, EOFError,
    NotImplementedError, struct.error, OSError, RecursionError,
)  # fmt: skip


def without_frame_of_reference(sidecar: Sidecar, format: str) -> str:
    """That the scan has no Frame of Reference UID, which ``format`` needs, and why where its
    document tells.
    """
    told = (w for w in sidecar.document.warnings if w.startswith("FrameOfReferenceUID"))
    why = next((f" ({text})" for text in told), "")
    return f"the scan has no Frame of Reference UID, which {format} needs{why}"


def patient_and_study(header: Dataset) -> Dataset:
    """The attributes of a header that every object of the same patient and study repeats, in UTF-8,
    the values as they are.
    """
    is_animal = "PatientSpeciesDescription" in header or "PatientSpeciesCodeSequence" in header
    copied = Dataset()
    copied.SpecificCharacterSet = "ISO_IR 192"
    copied.StudyInstanceUID = header.StudyInstanceUID
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # pydicom's remarks on odd values repeat them, and these are about a patient
        for keyword in (*_ALWAYS, *(_OF_ANIMALS if is_animal else ())):
            setattr(
                copied, keyword, header.get(keyword) or ([] if keyword.endswith("Sequence") else "")
            )
        for keyword in (*_WHERE_PRESENT, *_OF_ANIMALS):
            if keyword in header:
                setattr(copied, keyword, header[keyword].value)
    return copied


def headers_of(sidecar: Sidecar, uids: Sequence[str], folder: Path) -> dict[str, Dataset]:
    """SOP Instance UID → header, with `_KEYWORDS` only, of the given instances.

    Looks where the sidecar says, below ``folder``, then at every file of it. Raises SourceError
    when an instance is not there.
    """
    wanted = dict.fromkeys(uids)
    stated = {
        plane.sop_instance_uid: plane.file
        for plane in sidecar.document.source.planes
        if plane.sop_instance_uid in wanted
    }
    found: dict[str, Dataset] = {}
    for path in _candidates(folder, list(dict.fromkeys(stated.values()))):
        header = _header(path)
        if header is not None and header.SOPInstanceUID in wanted:
            found.setdefault(header.SOPInstanceUID, header)
        if len(found) == len(wanted):
            return found
    missing = [uid for uid in wanted if uid not in found]
    place = folder.resolve().name
    problem = (
        f"folder {place} lacks {len(missing)} of the {len(wanted)} instances that are needed, such"
        f" as {missing[0]}"
    )
    raise SourceError(f"{problem}: give the folder of the DICOM files that were exported")


def _candidates(folder: Path, stated: list[str]) -> Iterator[Path]:
    """Regular files below ``folder``: the stated ones first.

    None outside of it, whatever the sidecar or a link says.
    """
    root = folder.resolve()
    walked = (
        Path(at, name)
        for at, _, names in os.walk(folder, followlinks=False)
        for name in sorted(names)
    )
    for path in chain((folder / name for name in stated), islice(walked, MAX_FILES)):
        if path.is_file() and path.resolve().is_relative_to(root):
            yield path


def _header(path: Path) -> Dataset | None:
    """The copied attributes in Unicode, or None for what is no DICOM file with the UIDs of an
    instance.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # pydicom's remarks on odd values: they are handed on as they are
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_KEYWORDS)
            header.decode()
            complete = all(
                header.get(keyword)
                for keyword in (
                    "SOPClassUID",
                    "SOPInstanceUID",
                    "StudyInstanceUID",
                    "SeriesInstanceUID",
                )
            )
    except _UNREADABLE:
        return None
    return header if complete else None
