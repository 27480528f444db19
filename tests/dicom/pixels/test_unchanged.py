"""A file is held against what was read of its header before any of its pixels are."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.pixel_files import BIG, DEFLATED, LITTLE, noise, write

from sidecar.dicom.pixels import FrameLocator, read_frame
from sidecar.dicom.pixels.unchanged import _names
from sidecar.dicom.scan import scan
from sidecar.errors import PixelError
from sidecar.storage.local import Local

FAR_DOWN = [
    "ORIGINAL",
    *["AXIAL"] * 300,
]  # an image type before the UID, longer than its usual head


def written(folder: Path, uid: str, syntax: str = LITTLE, **attributes: object) -> Path:
    pixels = noise("uint16", (12, 10))
    value = pixels.byteswap().tobytes() if syntax == BIG else pixels.tobytes()
    return write(folder, value, (12, 10), syntax, SOPInstanceUID=uid, **attributes)


def locator(path: Path) -> FrameLocator:
    (frame,) = scan(path).frames
    return frame.locator


def swapped_in(path: Path, other: Path) -> None:
    """Another file, of the same size, in the place and with the time of a file."""
    was = path.stat()
    assert other.stat().st_size == was.st_size
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.parametrize("syntax", [LITTLE, BIG, DEFLATED])
@pytest.mark.parametrize("attributes", [{}, {"ImageType": FAR_DOWN}], ids=["usual", "far down"])
def test_an_instance_of_the_same_size_and_time_is_told_by_its_uid(
    tmp_path: Path, syntax: str, attributes: dict[str, object]
) -> None:
    path = written(tmp_path, "1.2.3.4", syntax, **attributes)
    frame = locator(path)
    root = Local.at(tmp_path)
    before = read_frame(root, frame)
    assert (read_frame(root, frame) == before).all()
    if syntax != DEFLATED:  # whose size depends on the content
        swapped_in(path, written(tmp_path, "1.2.3.5", syntax, **attributes))
        with pytest.raises(PixelError, match="no longer the one whose header was read"):
            read_frame(root, frame)
    with pytest.raises(PixelError, match="no longer the one"):
        read_frame(root, replace(frame, instance="1.2.3"))  # how another one begins


def test_size_and_time_are_compared(tmp_path: Path) -> None:
    path = written(tmp_path, "1.2.3.4")
    frame = locator(path)
    os.utime(path, (1, 1))
    with pytest.raises(PixelError, match="no longer the one"):
        read_frame(Local.at(tmp_path), frame)


def test_a_file_without_a_uid_is_known_by_size_and_time(tmp_path: Path) -> None:
    path = written(tmp_path, "1.2.3.4")
    dataset = pydicom.dcmread(path)
    del dataset.SOPInstanceUID
    del dataset.file_meta["MediaStorageSOPInstanceUID"]
    dataset.save_as(path, enforce_file_format=False)
    assert read_frame(Local.at(tmp_path), locator(path)).shape == (12, 10)


heads = st.text("12.\0a", max_size=12).map(str.encode)
uids = st.text("12.", min_size=1, max_size=3).map(str.encode)


@given(heads, uids)
def test_a_uid_stands_there_whole_or_not_at_all(head: bytes, uid: bytes) -> None:
    whole = re.search(rb"(?<![\d.])%b(?![\d.])" % re.escape(uid), head)
    assert _names(head, uid) == (whole is not None)
