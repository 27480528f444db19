"""The tag: six letters that identify the mapping of the PNGs of an export, and the file names that
contain it.

Two exports with the same tag map every PNG pixel to the same source voxel. Labels of one then fit
the other. Labels of exports with different tags do not. `docs/sidecar-format.md` tells how to
compute a tag without this program, and ``schemas/vectors/tag-vectors.json`` holds examples. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation

#: The digits 0 to 19 of a tag. There are no vowels, so that no tag is a word, and no numerals, so
#: that no tag is a number.
LETTERS = "bcdfghjklmnpqrstvwxz"
LENGTH = 6
#: A tag as a regular expression.
TAG = f"[{LETTERS}]{{{LENGTH}}}"

_NAME = re.compile(rf"(?P<stem>.+)_(?P<number>[0-9]{{4,}})(?:_(?P<tag>{TAG}))?")


class PngName(NamedTuple):
    """The parts of a PNG's name: ``slice``, 3, ``bcdfgh`` of ``slice_0003_bcdfgh.png``.

    ``tag`` is None in the names of exports that were made before there were tags.
    """

    stem: str
    number: int
    tag: str | None


def tag_of(series_instance_uid: str, planes: str, decimation: Decimation) -> str:
    """The tag of PNGs made from these planes by this decimation.

    ``planes``: the source planes, as `planes_json` returns them.
    """
    digest = hashlib.sha256(tagged_json(series_instance_uid, planes, decimation).encode()).digest()
    rest, letters = int.from_bytes(digest, "big"), ""
    for _ in range(LENGTH):
        rest, digit = divmod(rest, len(LETTERS))
        letters = LETTERS[digit] + letters
    return letters


def planes_json(planes: Iterable[tuple[str, int | None]]) -> str:
    """The part of a tag's text about the source planes: SOP Instance UID and frame number (None
    in a single-frame instance) of each, in order.
    """
    facts = [
        f'{{"frame_number":{"null" if frame_number is None else float(frame_number)},'
        f'"sop_instance_uid":{encode_basestring_ascii(sop_instance_uid)}}}'
        for sop_instance_uid, frame_number in planes
    ]
    return f"[{','.join(facts)}]"


def tagged_json(series_instance_uid: str, planes: str, decimation: Decimation) -> str:
    """The text whose digest is the tag: exactly these fields of the document, as compact JSON
    with sorted keys and all numbers as floats.
    """
    axes = {
        "columns": decimation.columns,
        "rows": decimation.rows,
        "slices": decimation.slices,
    }
    names = list(axes)
    facts = {
        **{name: _axis(axis) for name, axis in axes.items()},
        "order": [names[i] for i in decimation.along],
    }
    series = _compact(series_instance_uid)
    return (
        f'{{"decimation":{_compact(facts)},'
        f'"source":{{"planes":{planes},"series_instance_uid":{series}}}}}'
    )


def _compact(facts: object) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def _axis(axis: Axis) -> dict[str, float]:
    return {
        "factor": float(axis.factor),
        "offset": axis.offset + 0.0,  # -0.0 is the same place as 0.0
        "size": float(axis.size),
    }


def png_names(stem: str, count: int, tag: str) -> tuple[str, ...]:
    """The names of ``count`` PNGs of one export, in slice order."""
    digits = max(4, len(str(count - 1)))
    return tuple(f"{stem}_{i:0{digits}d}_{tag}.png" for i in range(count))


def png_stem(name: str) -> str | None:
    """The beginning of a PNG's file name, before number and tag. None where the name is not one
    that an export gives.
    """
    parts = split_name(name.removesuffix(".png")) if name.endswith(".png") else None
    return parts and parts.stem


def split_name(name: str) -> PngName | None:
    """The parts of a PNG's name, given without folders and extension. None where the name is not
    one that an export gives.

    Only the form of the name is checked. The caller checks whether the tag is that of an export.
    """
    found = _NAME.fullmatch(name)
    return found and PngName(found["stem"], int(found["number"]), found["tag"])


def composed(name: str) -> str:
    """A name in which each letter and its accents are one character (Unicode NFC). macOS may write
    them apart.
    """
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """A name in the form in which names are compared: `composed`, and without case."""
    return composed(name.lower())


#: Extensions of image files.
IMAGE_EXTENSIONS = frozenset({"png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp"})


def image_key(name: str) -> str:
    """An image name without folders and extension, `folded`, so that names in labels can be
    compared:

    ``png\\Slice_0001.PNG`` → ``slice_0001``.
    """
    base = name.strip().replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, extension = base.rpartition(".")
    return folded(stem if dot and extension.lower() in IMAGE_EXTENSIONS else base)
