"""Directories of TIFF files, against tifffile."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.formats import tiff

tifffile = pytest.importorskip("tifffile")


@pytest.mark.parametrize("writing", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"imagej": True}])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tags_are_those_that_tifffile_reads(
    tmp_path: Path, writing: dict[str, Any], dtype: str
) -> None:
    path = tmp_path / "a.tif"
    more = {} if "imagej" in writing else {"photometric": "minisblack", "description": "a b c"}
    tifffile.imwrite(path, np.zeros((3, 5, 7), dtype), **writing, **more)
    with tifffile.TiffFile(path) as theirs, path.open("rb") as file:
        ours = list(tiff.directories(file))
        assert len(ours) == len(list(theirs.pages)) or "imagej" in writing
        for page, directory in zip(theirs.pages, ours, strict=False):
            assert directory.number(tiff.WIDTH) == page.tags["ImageWidth"].value
            assert directory.number(tiff.HEIGHT) == page.tags["ImageLength"].value
            assert directory.numbers(tiff.BITS) == (page.tags["BitsPerSample"].value,)
        first = theirs.pages[0].tags["ImageDescription"].value
        assert ours[0].data(tiff.DESCRIPTION).rstrip(b"\0\n").decode() == first
        assert ours[0].number(tiff.EXTRA_SAMPLES, 9) == 9
        with pytest.raises(tiff.TiffError, match="no tag 338"):
            ours[0].number(tiff.EXTRA_SAMPLES)
        with pytest.raises(tiff.TiffError, match="not a whole number"):
            ours[0].numbers(tiff.DESCRIPTION)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II*\0",
        b"PNG" * 9,
        b"II*\0\x08\0\0\0\xff\xff",  # a directory of more tags than there are bytes
        b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0",  # the next directory is this one
        b"II+\0\x08\0\0\0" + b"\xff" * 8,  # beyond any file
    ],
)
def test_what_is_no_tiff(data: bytes) -> None:
    with pytest.raises(tiff.TiffError):
        list(tiff.directories(io.BytesIO(data)))
