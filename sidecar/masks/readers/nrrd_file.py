"""Headers of NRRD and .seg.nrrd label volumes.

Source: Teem, "Definition of NRRD File Format"; 3D Slicer,
Docs/developer_guide/modules/segmentations.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.masks.model import Code, Rgb, Segment
from sidecar.masks.readers.voxels import VoxelFile
from sidecar.masks.segments import color_of

MAGIC = b"NRRD000"
#: Most bytes of a header. Hundreds of segments with their terminology take a tenth of it.
MAX_HEADER = 4 * 2**20

_TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1",
    "uint8": "u1", "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2",
    "signed short int": "i2", "int16": "i2", "int16_t": "i2", "ushort": "u2",
    "unsigned short": "u2", "unsigned short int": "u2", "uint16": "u2", "uint16_t": "u2",
    "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4", "uint": "u4",
    "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4", "float": "f4", "double": "f8",
}  # fmt: skip
#: The signs that convert each space to LPS.
_SPACES = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_LABEL_VALUE = re.compile(r"\d{1,9}", re.ASCII)
_VECTOR = re.compile(r"\(([^()]*)\)")


def read_nrrd(path: Path) -> VoxelFile:
    """The header of a label volume in one file. LabelError for another file."""
    fields, pairs, offset = _header(path)

    def refuse(message: str) -> NoReturn:
        raise LabelError(message, path)

    if "data file" in fields or "datafile" in fields:
        refuse("keeps its voxels in another file; save it as one file (.nrrd, not .nhdr)")
    encoding = fields.get("encoding", "").lower()
    if encoding not in ("raw", "gzip", "gz"):
        refuse(f"has encoding {encoding[:20]!r}; save it with gzip or raw")
    sizes = _numbers(fields.get("sizes", ""), path)
    if len(sizes) == 4:
        refuse(
            "has several layers, which overlapping segments need. In 3D Slicer choose"
            " Segmentations > Binary labelmap layers > Collapse, or save the segments one by one"
        )
    if len(sizes) != 3 or any(size < 1 or not float(size).is_integer() for size in sizes):
        refuse("is not a volume of three dimensions; save the labels as one")
    kind = _TYPES.get(fields.get("type", "").lower())
    if kind is None:
        refuse(
            f"has voxels of type {fields.get('type', '')[:20]!r}; save labels as whole numbers of 8"
            " or 16 bits"
        )
    if any(
        fields.get(skip, "0") not in ("0", "")
        for skip in ("line skip", "lineskip", "byte skip", "byteskip")
    ):
        refuse("does not hold its voxels directly after the header; save it again")
    order = ">" if fields.get("endian", "little").lower() == "big" else "<"
    return VoxelFile(
        path=path,
        tool=(
            "3D Slicer segmentation"
            if any(key.startswith("Segment0_") for key in pairs)
            else "NRRD volume"
        ),
        size=(int(sizes[0]), int(sizes[1]), int(sizes[2])),
        dtype=np.dtype(order + kind),
        affine=_affine(fields, path),
        offset=offset,
        gzip_data=encoding != "raw",
        segments=_segments(pairs, path),
    )


def _header(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    """Fields, key/value pairs, and where the voxels begin."""
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            while (line := file.readline(MAX_HEADER)).strip(b"\r\n"):
                if file.tell() > MAX_HEADER:
                    raise LabelError("has a header without an end; save it again", path)
                text = line.decode("utf-8").rstrip("\r\n")
                key, equals, value = text.partition(":=")
                if equals and ": " not in key:
                    pairs[key] = value.replace("\\n", "\n").replace("\\\\", "\\")
                elif not text.startswith(("#", "NRRD")):
                    name, _, value = text.partition(":")
                    fields[name.strip().lower()] = value.strip()
            return fields, pairs, file.tell()
    except UnicodeDecodeError:
        raise LabelError("has a header that is not text; save it again", path) from None
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", path) from None


def _affine(fields: Mapping[str, str], path: Path) -> NDArray[np.float64] | None:
    """The matrix to LPS mm; None where the file states no space."""
    if "space directions" not in fields:
        return None
    signs = _SPACES.get(fields.get("space", "").lower())
    if signs is None:
        raise LabelError(f"has space {fields.get('space', '')[:40]!r}; save it in LPS or RAS", path)
    vectors = [_numbers(vector, path) for vector in _VECTOR.findall(fields["space directions"])]
    origin = [
        _numbers(vector, path) for vector in _VECTOR.findall(fields.get("space origin", "(0,0,0)"))
    ]
    columns = [*vectors, *origin]
    if len(columns) != 4 or any(len(vector) != 3 for vector in columns):
        raise LabelError(
            "its space directions are not three vectors, or its origin is not a point; save it"
            " again",
            path,
        )
    affine = np.eye(4)
    affine[:3] = np.diag(signs) @ np.array(columns, dtype=np.float64).T
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) == 0:
        raise LabelError("its space directions do not span a space; save it again", path)
    return affine


def _numbers(text: str, path: Path) -> list[float]:
    try:
        return [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise LabelError(
            f"has {text[:40]!r} in the place of numbers; save it again", path
        ) from None


def _segments(pairs: Mapping[str, str], path: Path) -> dict[int, Segment]:
    """The segments by label value, as 3D Slicer describes them.

    LabelError where two segments share a value, or one is on another layer.
    """
    segments: dict[int, Segment] = {}
    number = 0
    while f"Segment{number}_ID" in pairs or f"Segment{number}_Name" in pairs:
        text = {
            key: pairs.get(f"Segment{number}_{key}", "")
            for key in ("Name", "ID", "LabelValue", "Layer", "Color", "Tags")
        }
        name = text["Name"] or text["ID"]
        value = text["LabelValue"] or "1"
        if (
            not _LABEL_VALUE.fullmatch(value)
            or not 0 < int(value) < 65536
            or int(value) in segments
            or text["Layer"] not in ("", "0")
        ):
            raise LabelError(
                f"segment {name[:40]!r} has no valid label value of its own, or lies on another"
                " layer; in 3D Slicer collapse the layers first",
                path,
            )
        category, type_ = _terminology(text["Tags"])
        segments[int(value)] = Segment(
            int(value), name, _color(text["Color"].split(), int(value)), category, type_
        )
        number += 1
    return segments


def _color(parts: Sequence[str], value: int) -> Rgb:
    try:
        red, green, blue = (min(255, max(0, round(255 * float(part)))) for part in parts)
    except (ValueError, OverflowError):
        return color_of(value)
    return red, green, blue


def _terminology(tags: str) -> tuple[Code | None, Code | None]:
    """Category and type from Slicer's tag ``TerminologyEntry:context~category~type~…``. A code
    is ``scheme^value^meaning``.
    """
    entry = next(
        (tag.partition(":")[2] for tag in tags.split("|") if tag.startswith("TerminologyEntry:")),
        "",
    )
    codes = [tuple(part.split("^")) for part in entry.split("~")[1:3]]
    if len(codes) != 2 or any(len(code) != 3 or not all(code) for code in codes):
        return None, None
    return Code(*codes[0]), Code(*codes[1])
