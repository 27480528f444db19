"""In which order ImageJ opens stacks: a number from 1 for each slice. Pure.

ImageJ orders images by name, numbers in it by their value, and DICOM files by Instance Number
(ij/plugin/FolderOpener.java, ij/util/StringSorter.java, ij/util/DicomTools.java). Our slices are in
the order of their places, which neither has to be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sidecar.document.model import Plane
from sidecar.errors import LabelError
from sidecar.mapping import Sidecar

#: DicomTools sorts by so many digits of the Instance Number.
_LARGEST_NUMBER = 99_999
_DIGITS = re.compile("[0-9]+")


def png_numbers(sidecar: Sidecar) -> list[int]:
    """The number of each PNG."""
    names = [file.name.rpartition("/")[2] for file in sidecar.document.images.files]
    longest = max(map(len, names))
    return _ranks([_DIGITS.sub(lambda number: number[0].zfill(longest), name) for name in names])


def source_numbers(sidecar: Sidecar) -> list[int]:
    """The number of each source slice: by Instance Number, or that of its frame in its file.

    LabelError where the document does not hold what decides, or it decides nothing.
    """
    planes = sidecar.document.source.planes
    frames = [plane.frame_number for plane in planes if plane.frame_number is not None]
    if len(frames) == len(planes) and len({plane.sop_instance_uid for plane in planes}) == 1:
        return frames
    if frames:
        raise _no_order(
            "the slices are frames of several files, and ImageJ opens each file separately"
        )
    if len({plane.series_instance_uid for plane in planes}) > 1:
        raise _no_order("the slices are of several series, and ImageJ does not sort these together")
    return [1] if len(planes) == 1 else _ranks(_instance_numbers(planes))


def _instance_numbers(planes: Sequence[Plane]) -> list[int]:
    numbers: list[int] = []
    for plane in planes:
        if plane.instance_number is None:
            raise _no_order(
                f"the sidecar has no Instance Number for {plane.file} (documents before version"
                " 1.1 hold none, and some files have none)"
            )
        if not 0 <= plane.instance_number <= _LARGEST_NUMBER:
            raise _no_order(
                f"{plane.file} has the Instance Number {plane.instance_number}, but ImageJ sorts"
                f" by numbers from 0 to {_LARGEST_NUMBER}"
            )
        numbers.append(plane.instance_number)
    number, count = Counter(numbers).most_common(1)[0]
    if count > 1:
        raise _no_order(f"{count} slices have the Instance Number {number}")
    return numbers


def _no_order(why: str) -> LabelError:
    return LabelError(
        f"{why}, so the order of the source's slices in ImageJ is not known. Write for the PNGs"
        " (--over png), or write slicer, json or csv"
    )


def _ranks(keys: Sequence[Any]) -> list[int]:
    """Where each key stands among all, from 1."""
    place = {key: rank for rank, key in enumerate(sorted(keys), start=1)}
    return [place[key] for key in keys]
