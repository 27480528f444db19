"""What every location answers, asked of all of them: a folder of this machine and one behind a
URL.
"""

from __future__ import annotations

import contextlib
import errno
import io
import pickle
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.errors import OutputError
from sidecar.storage import lease as leases
from sidecar.storage.digest import file_digest
from sidecar.storage.lease import TakenError
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

PLACES = ["local", "memory"]


@pytest.fixture(params=PLACES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> WritableLocation:
    """An empty folder called ``scan``."""
    if request.param == "local":
        location = locate(tmp_path / "scan")
    else:
        pytest.importorskip("upath", reason="the extra cloud is not installed")
        location = locate(f"memory://{uuid.uuid4().hex}/scan")
    location.make_folder()
    return location


def filled(folder: WritableLocation, *names: str) -> WritableLocation:
    for name in names:
        (folder / name).parent.make_folder()
        (folder / name).put(name.encode())
    return folder


def test_names(folder: WritableLocation) -> None:
    file = folder / "a/b.dcm"
    assert (folder.name, file.name, file.parent.name) == ("scan", "b.dcm", "a")
    assert file == folder / "a" / "b.dcm" and hash(file) == hash(folder / "a" / "b.dcm")
    assert file.parent == folder / "a" and file.parent.parent == folder
    assert file.relative_to(folder) == "a/b.dcm"
    assert file.relative_to(folder / "a") == "b.dcm" and folder.relative_to(folder) == "."
    assert folder.relative_to(file) is None and file.relative_to(folder / "ab") is None
    assert (folder / "a" / "../b.dcm").resolved() == (folder / "b.dcm").resolved()


def test_one_place_is_never_within_another_kind(tmp_path: Path) -> None:
    pytest.importorskip("upath", reason="the extra cloud is not installed")
    here, there = locate("/scan"), locate("memory://scan")
    assert here.relative_to(there) is None and there.relative_to(here) is None


def test_a_location_is_its_own(folder: WritableLocation) -> None:
    """As users of the library may give one; and as workers elsewhere get it."""
    assert locate(folder) == folder == pickle.loads(pickle.dumps(folder))


def test_what_is_there(folder: WritableLocation) -> None:
    filled(folder, "file", "sub/file")
    for name, kinds in {
        "file": (True, True, False),
        "sub": (True, False, True),
        "none": (False, False, False),
    }.items():
        place = folder / name
        assert (place.exists(), place.is_file(), place.is_folder()) == kinds, name
        assert not place.is_link() and not place.is_packed()
    assert (folder / "file").recent_stamp() == (folder / "file").stamp()
    assert folder.names() == ["file", "sub"]
    folder.make_folder()  # it may be there already
    assert folder.names() == ["file", "sub"]


def test_files_come_in_the_order_of_their_parts(folder: WritableLocation) -> None:
    names = ["a/2", "a/10", "a.b/1", "b", "a/c/d/e", "Z", "ä"]
    found = filled(folder, *names).listing().files
    assert list(found) == sorted(names, key=lambda name: name.split("/"))
    assert [(folder / name).read_bytes().decode() for name in found] == list(found)


@pytest.mark.parametrize("put", ["put", "put_unsynced"])
def test_a_file_is_what_was_put_last(folder: WritableLocation, put: str) -> None:
    file = folder / "file"
    for data in (b"first, and longer", b"second", b""):
        getattr(file, put)(data)
        assert file.read_bytes() == data and file.stamp()[0] == len(data)
        assert folder.names() == ["file"], "something else was left"
    folder.sync(["file"])
    assert file_digest(file).startswith("e3b0c442")


def test_a_stamp_changes_with_the_content(folder: WritableLocation) -> None:
    file = folder / "file"
    stamps = []
    for data in (b"one", b"two", b"three"):
        file.put(data)
        stamps.append(file.stamp())
        assert file.stamp() == stamps[-1]
    assert len(set(stamps)) == 3
    (folder / "other").put(b"four")
    assert folder.stamps(["file", "other"])["file"] == folder.stamps(["file"])["file"] == stamps[-1]
    (folder / "other").remove()
    with pytest.raises(FileNotFoundError):
        folder.stamps(["file", "other"])


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_reading_is_that_of_bytes(
    place: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = data.draw(st.binary(max_size=300))
    if place == "memory":
        pytest.importorskip("upath", reason="the extra cloud is not installed")
    base = str(tmp_path_factory.getbasetemp()) if place == "local" else "memory://reading"
    file = locate(base) / uuid.uuid4().hex
    file.put(content)
    positions = st.tuples(st.integers(0, 400), st.integers(0, 400))
    with file.open(data.draw(st.integers(1, 500))) as opened, io.BytesIO(content) as near:
        for at, count in data.draw(st.lists(positions, max_size=8)):
            assert opened.seek(at) == near.seek(at)
            assert opened.read(count) == near.read(count) and opened.read(3) == near.read(3)
    with file.ranges(data.draw(st.integers(1, 500))) as ranges:
        assert ranges.size() == len(content)
        for at, count in data.draw(st.lists(positions, max_size=8)):
            assert ranges.read(at, count) == content[at : at + count]
            assert filled_views(ranges, at, count) == content[at : at + count + 5]


def filled_views(ranges: Any, at: int, count: int) -> bytes:
    """What is read into views of ``count`` and of 5 bytes, by as many calls as it takes."""
    buffer = bytearray(count + 5)
    done = ranges.fill(at, memoryview(buffer)[:count], memoryview(buffer)[count:])
    while done < len(buffer) and (more := ranges.fill(at + done, memoryview(buffer)[done:])):
        done += more
    return bytes(buffer[:done])


def test_what_is_not_there(folder: WritableLocation) -> None:
    gone = folder / "gone"
    for ask in (gone.stamp, gone.open, gone.ranges, gone.read_bytes, lambda: file_digest(gone)):
        with pytest.raises(FileNotFoundError) as caught:
            ask()
        assert caught.value.strerror and "gone" not in caught.value.strerror
    gone.remove()


def test_removing(folder: WritableLocation) -> None:
    filled(folder, "file", "sub/file")
    (folder / "file").remove()
    assert folder.names() == ["sub"]
    (folder / "sub/file").remove()
    if (folder / "sub").is_folder():  # object stores have no empty ones
        (folder / "sub").remove_folder()
    assert folder.names() == []


def test_a_file_written_in_pieces(folder: WritableLocation) -> None:
    file = filled(folder, "volume.nrrd") / "volume.nrrd"
    with file.whole() as part, part.open("wb") as opened:
        opened.write(b"one, ")
        assert file.read_bytes() == b"volume.nrrd"
        opened.write(b"two")
    assert file.read_bytes() == b"one, two" and folder.names() == ["volume.nrrd"]


@pytest.mark.parametrize(
    "failure", [ValueError("odd"), KeyboardInterrupt(), OutputError("ours")], ids=repr
)
def test_of_a_file_that_was_not_finished_nothing_stays(
    folder: WritableLocation, failure: BaseException
) -> None:
    file = filled(folder, "volume.nrrd") / "volume.nrrd"
    with pytest.raises(type(failure)) as caught, file.whole() as part:
        part.write_bytes(b"half")
        raise failure
    assert caught.value is failure
    assert folder.names() == ["volume.nrrd"] and file.read_bytes() == b"volume.nrrd"


def test_a_full_disk_is_told_in_words_with_the_name_and_no_path(folder: WritableLocation) -> None:
    file = folder / "volume.nrrd"
    with pytest.raises(OutputError) as caught, file.whole():
        raise OSError(errno.ENOSPC, "No space left on device", "/home/doe/volume.nrrd.part")
    assert str(caught.value) == (
        "volume.nrrd cannot be written: the disk is full; free some space and run the same command"
        " again"
    )
    assert folder.names() == []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are renewed, watched and given up as ever, but twenty times as fast."""
    for name in ("RENEWAL", "LOOK", "PATIENCE", "SETTLING"):
        monkeypatch.setattr(leases, name, getattr(leases, name) / 20)


@pytest.mark.usefixtures("quick")
def test_one_holds_a_lease(folder: WritableLocation) -> None:
    lock = folder / ".lock"
    with lock.lease() as mine:
        assert mine.holds() and not mine.lost and folder.names() == [".lock"]
        with pytest.raises(TakenError), lock.lease():
            pytest.fail("two hold it")
        assert mine.holds() and not mine.lost
    assert folder.names() == []
    with contextlib.suppress(ValueError), lock.lease():
        raise ValueError
    with lock.lease() as again:
        assert again.holds()
    assert folder.names() == []
