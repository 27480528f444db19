"""Links are followed, every file is met once under the name that people know, loops end, and what
is passed by is named.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidecar.errors import SourceError
from sidecar.storage.walk import FORBIDDEN, LOOP, NOT_FETCHED, NOWHERE, READ_ALREADY, walk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    return path


def test_files_in_the_order_of_their_parts(tmp_path: Path) -> None:
    for name in ("b.dcm", "a/2.dcm", "a.dcm", "a/1/3.dcm"):
        write(tmp_path / name)
    assert walk(tmp_path).files == ("a/1/3.dcm", "a/2.dcm", "a.dcm", "b.dcm")


def test_a_data_set_of_nothing_but_links(tmp_path: Path) -> None:
    """As DataLad lays it out: names are links into the object store of git-annex."""
    data = tmp_path / "data"
    for k in range(3):
        stored = write(data / f".git/annex/objects/{k}x/SHA256E-{k}.dcm/SHA256E-{k}.dcm")
        link = data / "sub-01" / f"{k}.dcm"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(os.path.relpath(stored, link.parent))
    (data / "sub-01" / "3.dcm").symlink_to("../.git/annex/objects/3x/SHA256E-3.dcm")
    found = walk(data)
    assert found.files == ("sub-01/0.dcm", "sub-01/1.dcm", "sub-01/2.dcm")
    assert found.passed_by == {NOT_FETCHED: ["sub-01/3.dcm"], "folder of git": [".git"]}


def test_a_file_of_several_names_is_met_once(tmp_path: Path) -> None:
    hidden, plain = write(tmp_path / ".store" / "1.dcm"), write(tmp_path / "z" / "2.dcm")
    (tmp_path / "a.dcm").symlink_to(hidden)
    (tmp_path / "b.dcm").symlink_to(plain)
    assert walk(tmp_path).files == ("a.dcm", "z/2.dcm")


def test_folders_that_are_linked_are_read_once(tmp_path: Path) -> None:
    scan, outside = tmp_path / "scan", tmp_path / "outside"
    write(scan / "z" / "1.dcm")
    write(outside / "2.dcm")
    (scan / "a").symlink_to(scan / "z")
    (scan / "b").symlink_to(outside)
    (scan / "c").symlink_to(outside)
    found = walk(scan)
    assert found.files == ("b/2.dcm", "z/1.dcm")
    assert found.passed_by == {READ_ALREADY: ["a", "c"]}


def test_loops_end(tmp_path: Path) -> None:
    scan, other = tmp_path / "scan", tmp_path / "other"
    write(scan / "1.dcm")
    write(other / "2.dcm")
    write(tmp_path / "beside.dcm")
    (scan / "up").symlink_to(tmp_path)
    (scan / "self").symlink_to(scan)
    (scan / "other").symlink_to(other)
    (other / "back").symlink_to(scan)
    (scan / "ring").symlink_to(scan / "ring")
    found = walk(scan)
    assert found.files == ("1.dcm", "other/2.dcm")
    assert found.passed_by == {
        LOOP: ["self", "up"], READ_ALREADY: ["other/back"], NOWHERE: ["ring"]
    }  # fmt: skip


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "scan" / "1.dcm")
    (tmp_path / "link").symlink_to(tmp_path / "scan")
    assert walk(tmp_path / "link").files == ("1.dcm",)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert walk(tmp_path).passed_by == {"neither file nor folder": ["pipe"]}


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads anything")
def test_a_link_that_may_not_be_followed_is_named(tmp_path: Path) -> None:
    write(tmp_path / "theirs" / "1.dcm")
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "1.dcm").symlink_to(tmp_path / "theirs" / "1.dcm")
    (tmp_path / "theirs").chmod(0o000)
    try:
        assert walk(tmp_path / "scan").passed_by == {FORBIDDEN: ["1.dcm"]}
    finally:
        (tmp_path / "theirs").chmod(0o700)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads anything")
def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o000)
    with pytest.raises(SourceError, match="folder locked cannot be read"):
        walk(tmp_path)
