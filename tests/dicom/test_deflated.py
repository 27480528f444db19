"""Deflated files: headers and frames as they were, and never more inflated than a bound allows."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from kit.pixel_files import (
    DEFLATED,
    noise,
    pixels_of,
    read,
    write,
)

from sidecar.dicom.pixels import FrameLocator, PixelLayout, read_frame
from sidecar.dicom.scan import scan
from sidecar.errors import PixelError, SourceError
from sidecar.storage.local import Local


def test_deflated_frames_and_what_may_go_wrong(tmp_path: Path) -> None:
    values = noise("i2", (2, 30, 20))
    path = write(
        tmp_path, values.tobytes(), (30, 20), DEFLATED, PixelRepresentation=1, NumberOfFrames=2
    )
    np.testing.assert_array_equal(read(path, 1), values[1])
    content, pixels = path.read_bytes(), pixels_of(path)
    path.write_bytes(content[:-200])
    with pytest.raises(PixelError, match="deflated data end early"):
        read_frame(Local.at(path.parent), pixels)
    start = 144 + int.from_bytes(content[140:144], "little")
    path.write_bytes(
        content[:start] + b"\xff" * 50 + content[start + 50 :]
    )  # a block type that does not exist
    with pytest.raises(PixelError, match="deflated data are damaged"):
        read_frame(Local.at(path.parent), pixels)


def test_a_small_file_that_inflates_vastly_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, bytes(800), (20, 20), DEFLATED)
    pixels, meta = pixels_of(path), path.read_bytes()
    meta = meta[: 144 + int.from_bytes(meta[140:144], "little")]
    deflater = zlib.compressobj(1, wbits=-15)
    path.write_bytes(meta + deflater.compress(bytes(90 << 20)) + deflater.flush())
    assert path.stat().st_size < 1 << 20
    with pytest.raises(PixelError, match="inflates to more than 64 MiB"):
        read_frame(Local.at(path.parent), pixels)


def test_the_headers_of_a_file_that_inflates_vastly_are_not_read_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, bytes(800), (20, 20), DEFLATED)
    content = path.read_bytes()
    whole = len(zlib.decompress(content[144 + int.from_bytes(content[140:144], "little") :], -15))
    monkeypatch.setattr("sidecar.dicom.deflated.INFLATED_LIMIT", whole)
    assert [len(scan(path).frames), scan(path).damaged] == [1, []]
    monkeypatch.setattr("sidecar.dicom.deflated.INFLATED_LIMIT", whole - 1)
    assert scan(path).frames == []
    (told,) = scan(path).damaged
    assert str(told).startswith(f"{path.name}: it inflates to more than 0 MiB")
    directory = path.rename(tmp_path / "DICOMDIR")
    with pytest.raises(SourceError, match=r"DICOMDIR .*inflates to more than 0 MiB"):
        scan(directory)


def test_a_deflated_file_without_preamble_or_within_another_is_never_inflated_unbounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("inflated without a bound")

    content = write(tmp_path, bytes(800), (20, 20), DEFLATED).read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    deflater = zlib.compressobj(1, wbits=-15)
    inner = (
        b"\x08\0\x01\0LO\x78\0" + content[8:]
    )  # a data set, and with these 128 bytes for a preamble a deflated file as well
    nested = content[:start] + deflater.compress(inner) + deflater.flush()
    monkeypatch.setattr(zlib, "decompress", never)
    for number, data in enumerate((content[132:], nested)):
        path = tmp_path / f"odd{number}.dcm"
        path.write_bytes(data)
        found = scan(path)
        assert (found.frames, len(found.damaged)) == ([], 1)
    layout = PixelLayout(DEFLATED, 20, 20, 1, "MONOCHROME2", 0, 16, 16, 15, False, "PixelData")
    with pytest.raises(PixelError):
        read_frame(Local.at(path.parent), FrameLocator(path.name, layout, 0, 1, None))
