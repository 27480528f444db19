"""What a DICOM output takes from the source: the patient and the study it belongs to, and the class
of the instances it refers to.

A DICOM object without the patient and study modules cannot be filed with the scan. So SR, SEG and
RTSTRUCT, and they alone of all outputs, carry the name, ID, birth date and sex of the patient, just
as the source has them, or under a pseudonym (`HeaderSource`).
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from sidecar.dicom.source import Source
from sidecar.errors import SourceError, UsageError
from sidecar.mapping import Sidecar
from sidecar.storage.locate import Place
from sidecar.storage.location import Location

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
#: What a patient with a pseudonym keeps: the species, and what the source says of its own
#: de-identification.
_OF_NOBODY = (
    "PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientIdentityRemoved",
    "DeidentificationMethod", "DeidentificationMethodCodeSequence", *_IDENTIFYING,
)  # fmt: skip
#: Longest value of VR LO, which Patient ID has (PS3.5 6.2).
_LONGEST_ID = 64
#: What stands between the parts of a name (VR PN), and between values.
_SEPARATORS = frozenset("^=\\")
#: Without these nothing can refer to an instance.
_UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")

#: What pydicom raises on content that is damaged or no DICOM.
_UNREADABLE = (
    InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, IndexError, EOFError,
    NotImplementedError, struct.error, OSError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeaderSource:
    """Where the headers of the source are, and what the patient is called in what is made from
    them: as in the source where ``pseudonym`` is None.

    UsageError for a pseudonym that is no name and ID of a patient (PS3.5 6.2).
    """

    folder: Place
    pseudonym: str | None = None

    def __post_init__(self) -> None:
        name = self.pseudonym
        if name is not None and (
            not 0 < len(name) <= _LONGEST_ID
            or name != name.strip()
            or not name.isprintable()
            or _SEPARATORS & set(name)
        ):
            raise UsageError(
                f"--pseudonym {name!r}: give 1 to {_LONGEST_ID} characters, without ^, = and"
                " backslash, and without spaces at the ends"
            )

    @property
    def notice(self) -> str:
        """To be told to whoever asks for an output with a patient in it."""
        if self.pseudonym is None:
            return (
                "this file names the patient as the source does; protect it as you protect the scan"
            )
        return (
            f"this file calls the patient {self.pseudonym}, but has the UIDs of the scan; a person"
            " who also has the scan can find out who the patient is"
        )

    def carried(self, header: Dataset) -> Dataset:
        """Of a header of the source what outputs may have: all that was read of it, or, with a
        pseudonym, nothing that says who the patient is but its UIDs.
        """
        if self.pseudonym is None:
            return header
        kept = Dataset()
        for keyword in _OF_NOBODY:
            if keyword in header:
                kept[keyword] = header[keyword]
        kept.PatientName = kept.PatientID = self.pseudonym
        return kept


def without_frame_of_reference(sidecar: Sidecar, format: str) -> str:
    """That the scan has no Frame of Reference UID, which ``format`` needs, and why where its
    document tells.
    """
    told = (w for w in sidecar.document.warnings if w.startswith("FrameOfReferenceUID"))
    why = next((f" ({text})" for text in told), "")
    return f"{format} needs a Frame of Reference UID, but the scan has none{why}"


def require_one_series(sidecar: Sidecar, format: str) -> None:
    """SourceError for joined stacks of several DICOM series, to which ``format`` cannot refer."""
    if any(plane.series_instance_uid is not None for plane in sidecar.document.source.planes):
        raise SourceError(
            f"the slices come from several DICOM series that were joined, but {format} refers to"
            " one; write csv, json or slicer, or a mask as .seg.nrrd"
        )


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


def headers_of(
    sidecars: Iterable[Sidecar], uids: Iterable[str], source: HeaderSource
) -> dict[str, Dataset]:
    """SOP Instance UID → header, with `_KEYWORDS` only and under the pseudonym, of instances of the
    scan that the exports were made from.

    Raises SourceError when the folder does not hold that scan as it was: what is drawn on its
    images would lie beside them.
    """
    opened = Source.open(source.folder)
    files: dict[str, str] = {}
    for sidecar in sidecars:
        series = opened.matching(sidecar.known_scan)
        if len({frame.common.study_instance_uid for frame in series.frames}) > 1:
            raise SourceError(
                "the slices come from several studies that were joined, but a DICOM object belongs"
                " to one; write csv, json or slicer, or a mask as .seg.nrrd"
            )
        files |= {frame.sop_instance_uid: frame.file for frame in series.frames}
    return {
        uid: source.carried(_header(opened.root / files[uid], uid)) for uid in dict.fromkeys(uids)
    }


def _header(path: Location, uid: str) -> Dataset:
    """The copied attributes in Unicode. SourceError for a file without the UIDs of an instance, and
    where it is not the instance any more that it was when the scan was looked for.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # pydicom's remarks on odd values: they are handed on as they are
            with path.open() as file:
                header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_KEYWORDS)
            header.decode()
            missing = [keyword for keyword in _UIDS if not header.get(keyword)]
    except _UNREADABLE:
        missing = ["readable header"]
    if missing:
        raise SourceError(
            f"{path.name} has no {missing[0]}, so no DICOM object can refer to it; repair the"
            " file, or write another format"
        )
    if header.SOPInstanceUID != uid:
        raise SourceError(
            f"{path.name} was replaced by another instance while it was read; run the command again"
        )
    return header
