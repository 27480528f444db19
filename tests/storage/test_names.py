"""Names that documents hold never lead out of a folder, on any system."""

from __future__ import annotations

import ntpath
import posixpath
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.document.reading import schema
from sidecar.storage.names import is_plain, is_relative

HOSTILE = (
    "", ".", "..", "../a", "a/../b", "a/..", "a/.", "./a", "a//b", "a/", "/", "/a", "//host/a",
    "\\a", "\\\\host\\a", "..\\a", "a\\..\\..\\b", "C:", "C:a", "c:\\a", "C:/a", "1:a", ".:a", "a\0b", "a/b\0",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_lead_elsewhere(name: str) -> None:
    assert not is_plain(name) and not is_relative(name)


@pytest.mark.parametrize("name", ["x", "CC:", "...", "..a", ".a", "12:30.png", "ä ö\n.dcm", "a b"])
def test_names_of_files(name: str) -> None:
    assert is_plain(name) and is_relative(name)
    assert is_relative(f"{name}/{name}") and not is_plain(f"{name}/{name}")
    assert is_relative(f"x/C:/{name}")


@given(name=st.text(alphabet="./\\:aC\0é", max_size=8))
@example(name="a/..\\..")
def test_what_is_taken_stays_inside_on_posix_and_on_windows(name: str) -> None:
    if not is_relative(name):
        return
    for path, folder in ((posixpath, "/folder/of"), (ntpath, "D:\\folder\\of")):
        inside = path.normpath(path.join(folder, name))
        assert inside.startswith(folder + path.sep) and not path.isabs(name)
    assert not is_plain(name) or not re.search(r"[/\\]", name)


def test_the_schema_says_so() -> None:
    parts = schema()["$defs"]
    image, plane = parts["Image"]["properties"]["name"], parts["Plane"]["properties"]["file"]
    for name in HOSTILE:
        assert not re.search(image["pattern"], name) and not re.search(plane["pattern"], name)
