"""Files that are there whole or not at all: whatever lies where they are written first, however
writing ends, and after a power failure.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kit.phantoms import Spec, write

import sidecar
from sidecar.errors import OutputError
from sidecar.storage.local import Local
from sidecar.storage.whole_file import whole_file, whole_folder, write_unsynced

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


def write_file(path: Path) -> None:
    with whole_file(path) as part:
        part.write_bytes(b"new")


def write_folder(path: Path) -> None:
    with whole_folder(path) as part:
        (part / "0.png").write_bytes(b"new")


WAYS = [write_file, write_folder, lambda path: Local.at(path).put(b"new")]
IDS = ["file", "folder", "put"]


# --- what lies in the way
# --------------------------------------------------------------------------------------------------


def dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere" / "gone")


def link_to_a_new_name(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.csv")


def link_to_a_file(path: Path) -> None:
    path.symlink_to(path.parent / "thesis.docx")


def link_to_a_folder(path: Path) -> None:
    path.symlink_to(path.parent / "years")


def a_file(path: Path) -> None:
    path.write_bytes(b"of somebody else")


def a_folder(path: Path) -> None:
    path.mkdir()


IN_THE_WAY = [
    dangling_link,
    link_to_a_new_name,
    link_to_a_file,
    link_to_a_folder,
    a_file,
    a_folder,
]


def everything(folder: Path) -> dict[str, object]:
    """Names below a folder: where a link leads, what a file holds."""
    return {
        path.relative_to(folder).as_posix(): (
            path.readlink()
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else stat.S_IFMT(path.stat().st_mode)
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("in_the_way", IN_THE_WAY, ids=lambda make: make.__name__)
@pytest.mark.parametrize("writing", WAYS, ids=IDS)
def test_what_lies_where_it_is_written_first_is_never_touched(
    tmp_path: Path, writing: Callable[[Path], None], in_the_way: Callable[[Path], None]
) -> None:
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    (tmp_path / "years").mkdir()
    (tmp_path / "years" / "notes").write_bytes(b"more of it")
    in_the_way(tmp_path / "out.part")
    before = everything(tmp_path)
    with pytest.raises(OutputError) as caught:
        writing(tmp_path / "out")
    assert str(caught.value) == ("out.part is in the way; move it away, or give another name")
    assert everything(tmp_path) == before


@pytest.mark.parametrize("writing", [WAYS[0], WAYS[2], lambda p: write_unsynced(str(p), b"new")])
@pytest.mark.parametrize("link", [dangling_link, link_to_a_new_name, link_to_a_file])
def test_a_link_in_its_place_is_replaced_not_written_through(
    tmp_path: Path, writing: Callable[[Path], None], link: Callable[[Path], None]
) -> None:
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    link(tmp_path / "out")
    writing(tmp_path / "out")
    assert everything(tmp_path) == {"out": b"new", "thesis.docx": b"years of work"}


def test_pngs_do_not_care_for_names_that_end_in_part(tmp_path: Path) -> None:
    dangling_link(tmp_path / "0.png.part")
    before = everything(tmp_path)
    write_unsynced(str(tmp_path / "0.png"), b"new")
    assert everything(tmp_path) == before | {"0.png": b"new"}


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    (tmp_path / "png").mkdir()
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    (tmp_path / "png" / ".sidecar-export.lock").symlink_to(tmp_path / "thesis.docx")
    with pytest.raises(OutputError, match=r"png cannot be written to.*is a link; remove it"):
        sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    assert (tmp_path / "thesis.docx").read_bytes() == b"years of work"


# --- however writing ends
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [ValueError("odd"), KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")],
    ids=repr,
)
@pytest.mark.parametrize("way", [whole_file, whole_folder])
def test_nothing_half_written_stays(tmp_path: Path, way: Any, failure: BaseException) -> None:
    if way is whole_file:
        (tmp_path / "out").write_bytes(b"old")
    else:
        (tmp_path / "out").mkdir()
    before = everything(tmp_path)
    told = OutputError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(told) as caught, way(tmp_path / "out") as part:
        (part if way is whole_file else part / "0.png").write_bytes(b"half")
        raise failure
    assert everything(tmp_path) == before
    if told is OutputError:
        assert str(caught.value) == "out cannot be written: Input/output error"


def test_a_disk_that_fails_at_the_last_moment_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many a full disk over the network is told by fsync and not before."""
    (tmp_path / "out").write_bytes(b"old")

    def failing(number: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", failing)
    for writing in WAYS[::2]:
        with pytest.raises(OutputError, match="out cannot be written: the disk is full"):
            writing(tmp_path / "out")
        assert everything(tmp_path) == {"out": b"old"}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_folders_that_cannot_be_synced_are_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    synced = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    Local.at(tmp_path / "out").put(b"new")
    assert everything(tmp_path) == {"out": b"new"}


def test_a_new_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    Local.at(tmp_path / "put").put(b"")
    write_unsynced(str(tmp_path / "unsynced"), b"")
    assert len({path.stat().st_mode for path in tmp_path.iterdir()}) == 1


# --- after a power failure
# --------------------------------------------------------------------------------------------------


@dataclass
class Disk:
    """What a disk is sure to have, by the system calls that a program made and that were carried
    out: of a file what it held when it was synced last, of a folder the names that it had then. All
    else a power failure may take, or leave in any order.
    """

    contents: dict[int, str] = field(default_factory=dict)
    names: dict[str, dict[str, int]] = field(default_factory=dict)
    renames: list[str] = field(default_factory=list)
    watched: dict[str, Callable[[], None]] = field(default_factory=dict)

    def synced(self, number: int) -> None:
        status = os.fstat(number)
        path = str(Path(f"/proc/self/fd/{number}").readlink())
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                self.names[path] = {entry.name: entry.inode() for entry in entries}
        else:
            self.contents[status.st_ino] = digest(Path(path))

    def renamed(self, old: Path, new: Path) -> None:
        """Before it is done: from now on the new name may be there."""
        self.renames.append(new.name)
        if new.name in self.watched:
            self.watched[new.name]()

    def has_content(self, path: Path) -> bool:
        """Whether the disk has all that a file holds."""
        return self.contents.get(path.stat().st_ino) == digest(path)

    def has(self, path: Path) -> bool:
        """The same, and its name."""
        entries = self.names.get(str(path.parent), {})
        return self.has_content(path) and entries.get(path.name) == path.stat().st_ino


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Notes the calls; each is carried out."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("open files cannot be told here")
    found, fsync, replace = Disk(), os.fsync, os.replace

    def noted_fsync(number: int) -> None:
        fsync(number)
        found.synced(number)

    def noted_replace(old: Any, new: Any) -> None:
        found.renamed(Path(old), Path(new))
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", noted_fsync)
        patch.setattr(os, "replace", noted_replace)
        yield found


@pytest.mark.parametrize("writing", [WAYS[0], WAYS[2]], ids=["file", "put"])
def test_the_disk_has_a_file_before_its_name_and_its_name_in_the_end(
    tmp_path: Path, disk: Disk, writing: Callable[[Path], None]
) -> None:
    seen: list[bool] = []
    disk.watched["out"] = lambda: seen.append(disk.has_content(tmp_path / "out.part"))
    writing(tmp_path / "out")
    assert seen == [True] and disk.has(tmp_path / "out")


def test_the_disk_has_all_of_a_folder_before_its_name(tmp_path: Path, disk: Disk) -> None:
    part, seen = tmp_path / "out.part", list[bool]()

    def look() -> None:
        seen.append(all(disk.has(part / f"{i}.png") for i in range(20)))

    disk.watched["out"] = look
    with whole_folder(tmp_path / "out") as folder:
        for i in range(20):
            Local.at(folder / f"{i}.png").put_unsynced(bytes([i]))
    assert seen == [True]
    assert "out" in disk.names[str(tmp_path)]


def test_pngs_are_not_synced_one_by_one(tmp_path: Path, disk: Disk) -> None:
    """The measure of the others: without syncing, the disk has nothing."""
    Local.at(tmp_path / "0.png").put_unsynced(b"new")
    assert not disk.has_content(tmp_path / "0.png")
    Local.at(tmp_path).sync(["0.png"])
    assert disk.has(tmp_path / "0.png")


def test_the_disk_has_the_names_of_new_folders(tmp_path: Path, disk: Disk) -> None:
    Local.at(tmp_path / "all" / "png").make_folder()
    assert "all" in disk.names[str(tmp_path)] and "png" in disk.names[str(tmp_path / "all")]


PNGS = [f"slice_{k:04d}.png" for k in range(100)]


@pytest.mark.parametrize(
    "options",
    [{}, {"bits": 16, "plane": "coronal"}, {"volume": "nrrd"}, {"overwrite": True}],
    ids=["plain", "coronal", "volume", "overwrite"],
)
def test_a_document_that_may_be_there_names_pngs_that_are(
    tmp_path: Path, disk: Disk, options: dict[str, Any]
) -> None:
    write(Spec(), tmp_path / "scan")
    png = tmp_path / "png"
    if "overwrite" in options:
        sidecar.export(tmp_path / "scan", png, scale=1.0)
    seen: list[Path] = []

    def look() -> None:
        part = png / "sidecar.json.part"
        assert disk.has_content(part)
        for image in json.loads(part.read_text())["images"]["files"]:
            path = png / image["name"]
            assert disk.has(path) and digest(path) == image["sha256"]
            seen.append(path)
        for name in ("viewer.html", "volume.nrrd"):
            assert not (png / name).exists() or disk.has(png / name)

    def begun() -> None:
        """By now the disk has the journal, and nothing of what is replaced."""
        assert disk.has(png / ".sidecar-export.json")
        assert not {"sidecar.json", "viewer.html"} & set(disk.names[str(png)])

    disk.watched = {"sidecar.json": look} | dict.fromkeys(PNGS, begun)
    sidecar.export(tmp_path / "scan", png, scale=0.5, **options)
    assert len(seen) == len(list(png.glob("*.png"))) > 0
    assert disk.has(png / "sidecar.json")
