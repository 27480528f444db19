"""Transfer syntaxes and their names, and the messages and errors of files that do not follow
theirs.
"""

from __future__ import annotations

import struct

IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
)


DEFLATED, ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.98"


#: Names of the transfer syntaxes that most files have (PS3.6 annex A). pydicom knows the others,
#: but importing it takes longer than reading all headers of a scan.
_NAMES = {
    IMPLICIT_LITTLE: "Implicit VR Little Endian",
    EXPLICIT_LITTLE: "Explicit VR Little Endian",
    EXPLICIT_BIG: "Explicit VR Big Endian",
    DEFLATED: "Deflated Explicit VR Little Endian",
    ENCAPSULATED_UNCOMPRESSED: "Encapsulated Uncompressed Explicit VR Little Endian",
}


NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})


COPY_AGAIN = "copy the file again from where it came from"


CONVERT = (
    "convert the file to Explicit VR Little Endian first, for example with dcmdjpeg (DCMTK) or"
    " gdcmconv --raw (GDCM)"
)


#: Errors of pydicom, struct and NumPy for damaged or odd content.
READ_ERRORS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OverflowError,
    NotImplementedError,
    RecursionError,
    struct.error,
)


def name_of(uid: str) -> str:
    """The name of a transfer syntax; its UID where it has no name."""
    if uid in _NAMES:
        return _NAMES[uid]
    from pydicom.uid import UID

    return UID(uid).name
