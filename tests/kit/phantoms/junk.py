"""What lies around in real folders and is no image: a tool must pass by all of it."""

from __future__ import annotations

from pydicom.uid import ExplicitVRLittleEndian, RTPlanStorage

from .headers import general_header, item
from .truth import Phantom, uid

#: Name → content. The stub is a copy that broke off before it said what it is.
JUNK = {
    "notes.txt": b"DICM is a word in this text.\n",
    "empty.dcm": b"",
    ".DS_Store": b"\x00\x00\x00\x01Bud1" + bytes(120),
    "._slice.dcm": (
        b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(106) + b"DICO" + bytes(50)
    ),
    "stub.dcm": (
        bytes(128)
        + b"DICM"
        + b"\x02\x00\x00\x00UL\x04\x00\xb0\x00\x00\x00\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01\x02\x00"
    ),
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
}


def write_junk(phantom: Phantom) -> None:
    """Write all of `JUNK` and an RT plan of the same study and patient, which has no pixels."""
    for name, content in JUNK.items():
        (phantom.folder / name).write_bytes(content)
    header = general_header(phantom, RTPlanStorage, uid(phantom.spec.seed, "plan"), "RTPLAN")
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SeriesInstanceUID = uid(phantom.spec.seed, "plan series")
    header.update(
        item(
            RTPlanLabel="PLAN", RTPlanDate="20240229", RTPlanTime="101112", RTPlanGeometry="PATIENT"
        )
    )
    header.save_as(phantom.folder / f"plan {phantom.spec.seed}", enforce_file_format=True)
