"""A zip is read as the folder that it was made of, and one that is made to do harm is not read."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.stores import Store
from kit.zips import DEFLATED, STORED, Entry, deflated, write_raw, zipped

from sidecar.errors import SourceError
from sidecar.storage.archive import LINK, ZIP, Archive, archive_kind
from sidecar.storage.locate import locate

METHODS = pytest.mark.parametrize("method", [STORED, DEFLATED], ids=["stored", "deflated"])
NAMES = ["a/2", "a/10", "a.b/1", "b", "a/c/d/e", "Z", "ä"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "scan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(100 * name.encode())
    return tmp_path / "scan"


def archive(path: Path) -> Archive:
    return Archive(locate(path))


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("top", ["", "./"])
@pytest.mark.parametrize("methods", [(STORED,), (DEFLATED,), (STORED, DEFLATED)], ids=str)
def test_it_holds_what_the_folder_holds(
    folder: Path, methods: tuple[int, ...], top: str, zip64: bool
) -> None:
    there, here = archive(zipped(folder, *methods, zip64=zip64, top=top)), locate(folder)
    assert there.listing() == here.listing() and there.names() == here.names()
    for name in NAMES:
        assert (there / name).read_bytes() == (here / name).read_bytes()
        assert (there / name).name == (here / name).name
    assert (there / "a").listing() == (here / "a").listing()


def test_links_are_passed_by_and_named(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/link.dcm")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.writestr(link, "../../precious")
        made.writestr("a/1.dcm", b"data")
    found = archive(tmp_path / "x.zip").listing()
    assert found.files == ("a/1.dcm",) and found.passed_by == {LINK: ["a/link.dcm"]}


def test_names_and_kinds(folder: Path) -> None:
    there = archive(zipped(folder))
    file = there / "a/c/d/e"
    assert (there.name, file.name, file.parent) == ("scan.zip", "e", there / "a" / "c/d")
    assert file.relative_to(there) == "a/c/d/e" and file.relative_to(there / "a") == "c/d/e"
    assert there.relative_to(file) is None and there.relative_to(there) == "."
    assert file.relative_to(locate(folder)) is None and there.parent == there
    assert (there / "a/x/../2").resolved() == (there / "a/2").resolved()
    assert (there / "../../b").resolved() == (there / "b").resolved()
    kinds = {"a/2": (True, True, False), "a": (True, False, True), "x": (False, False, False)}
    for name, kind in kinds.items():
        place = there / name
        assert (place.exists(), place.is_file(), place.is_folder()) == kind
    assert there.is_folder() and not there.is_file()
    for ask in (there / "x").stamp, (there / "x").open, (there / "x").read_bytes:
        with pytest.raises(FileNotFoundError, match="no such file in the archive"):
            ask()


def test_workers_elsewhere_get_the_same_file(folder: Path) -> None:
    file = archive(zipped(folder)) / "a/2"
    again = pickle.loads(pickle.dumps(file))
    assert again == file and hash(again) == hash(file) and again.read_bytes() == 100 * b"a/2"


def test_a_stamp_is_that_of_the_content(folder: Path) -> None:
    file = archive(zipped(folder)) / "b"
    before = file.stamp()
    assert before == (100, f"{zlib.crc32(100 * b'b'):08x}")
    zipped(folder, STORED)
    assert file.stamp() == before and file.read_bytes() == 100 * b"b"
    (folder / "b").write_bytes(100 * b"c")
    zipped(folder)
    assert file.stamp() != before and file.read_bytes() == 100 * b"c"


@pytest.mark.slow
@METHODS
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_reading_is_that_of_bytes(
    method: int, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Of whatever bytes, near or far from the start, in pieces that any reader may ask for."""
    content = data.draw(st.binary(max_size=60)) * data.draw(st.integers(0, 2000))
    packed = deflated(content) if method == DEFLATED else content
    entries = [
        Entry("first", b"before"),
        Entry("file", packed, method, len(content), zlib.crc32(content)),
        Entry("last", b"behind"),
    ]
    file = archive(write_raw(tmp_path_factory.getbasetemp() / "x.zip", entries)) / "file"
    assert file.read_bytes() == content and file.stamp()[0] == len(content)
    place = st.integers(0, len(content) + 20)
    positions = st.lists(st.tuples(place, place), max_size=6)
    with file.open(data.draw(st.integers(1, 500))) as opened, io.BytesIO(content) as near:
        for at, count in data.draw(positions):
            assert opened.seek(at) == near.seek(at)
            assert opened.read(count) == near.read(count) and opened.read(3) == near.read(3)
        assert opened.seek(0, io.SEEK_END) == len(content)
    with file.ranges(data.draw(st.integers(1, 500))) as ranges:
        assert ranges.size() == len(content)
        for at, count in data.draw(positions):
            assert ranges.read(at, count) == content[at : at + count]
            buffer = bytearray(count + 5)
            done = ranges.fill(at, memoryview(buffer)[:count], memoryview(buffer)[count:])
            assert buffer[:done] == content[at : at + done]
            assert done == len(content[at : at + count + 5])


def test_members_beyond_4_gib(tmp_path: Path) -> None:
    """Behind a hole that takes no room on the disk."""
    path = tmp_path / "x.zip"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(5 << 30)
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("a", b"stored " * 1000)
        made.writestr("b", b"deflated " * 1000, DEFLATED)
    there = archive(path)
    assert there.listing().files == ("a", "b") and archive_kind(locate(path)) == ZIP
    assert (there / "a").read_bytes() == b"stored " * 1000
    assert (there / "b").read_bytes() == b"deflated " * 1000


def test_behind_a_url_only_ranges_are_read(memory: Store, tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    for k in range(3):
        (tmp_path / "scan" / f"{k}").write_bytes(bytes([k]) * 500_000)
    memory.fs.pipe_file(f"{memory.base}/x.zip", zipped(tmp_path / "scan", STORED).read_bytes())
    there = Archive(locate(f"{memory.url}/x.zip"))
    assert (
        there.listing().files == ("0", "1", "2") and (there / "1").read_bytes() == b"\1" * 500_000
    )
    with (there / "2").ranges(1 << 10) as ranges:
        assert ranges.read(499_990, 100) == b"\2" * 10
    assert pickle.loads(pickle.dumps(there / "2")).stamp() == (there / "2").stamp()


@pytest.mark.parametrize(
    ("kind", "data"),
    {
        "gzip": b"\x1f\x8b\x08" + bytes(300),
        "bzip2": b"BZh9" + bytes(300),
        "xz": b"\xfd7zXZ\0" + bytes(300),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(300),
        "RAR": b"Rar!\x1a\x07\x01\0" + bytes(300),
        "tar": bytes(257) + b"ustar\x0000" + bytes(300),
        ZIP: b"PK\x03\x04" + bytes(300),
        None: b"PK\x03\x04" + bytes(124) + b"DICM" + bytes(300),
    }.items(),
    ids=str,
)
def test_kinds_are_told_by_the_content(kind: str | None, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    assert archive_kind(locate(tmp_path / "file")) == kind


def refused(path: Path, *says: str) -> None:
    """With one message that names the archive and no place on this machine."""
    with pytest.raises(SourceError) as caught:
        archive(path).listing()
    message = str(caught.value)
    assert message.startswith(f"{path.name}: ") and str(path.parent) not in message
    for part in says:
        assert part in message, message


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "a/..",
        "/etc/x",
        "C:/x",
        "c:x",
        "a\\..\\x",
        "\\\\server\\x",
        "a//x",
        ".",
    ],
)
def test_paths_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "x.zip", [Entry("good", b"data"), Entry(name, b"data")])
    refused(path, repr(name), "which is not a place inside an archive", "have it made again")


def test_a_name_that_ends_before_it_ends_is_refused(tmp_path: Path) -> None:
    refused(write_raw(tmp_path / "x.zip", [Entry("good\0/../x")]), "not a place inside an archive")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for other in ("x", "./x"):
        path = write_raw(tmp_path / "x.zip", [Entry("x", b"one"), Entry(other, b"two")])
        refused(path, "two files called 'x'", "unpack it")


@pytest.mark.parametrize(("flags", "method"), [(1, DEFLATED), (0x41, STORED), (1, 99)])
def test_encrypted_members_are_refused(flags: int, method: int, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "x.zip", [Entry("good"), Entry("x", b"data", method, flags=flags)])
    refused(path, "'x' in it is encrypted", "unpack it with its password")


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (14, "LZMA"), (77, "method 77")])
def test_other_methods_are_refused(method: int, name: str, tmp_path: Path) -> None:
    path = write_raw(tmp_path / "x.zip", [Entry("x", b"data", method)])
    refused(path, f"'x' in it is packed by {name}", "unpack it")


def test_members_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    packed = deflated(bytes(1 << 20))
    kernel = Entry("a", packed, DEFLATED, 1 << 20, zlib.crc32(bytes(1 << 20)))
    again = [Entry(f"b{k}", packed, DEFLATED, 1 << 20, kernel.crc, at=0) for k in range(100)]
    refused(
        write_raw(tmp_path / "x.zip", [kernel, *again]),
        "overlaps the file that follows it",
        "have it made again",
    )
    beyond = Entry("b", b"data", at=10)
    refused(
        write_raw(tmp_path / "x.zip", [Entry("a", bytes(100)), beyond]),
        "overlaps the file that follows it",
    )


def test_a_local_header_that_reaches_further_is_noticed(tmp_path: Path) -> None:
    """Only the local header says how long it is itself."""
    path = write_raw(tmp_path / "x.zip", [Entry("a", b"data"), Entry("b", b"data")])
    data = bytearray(path.read_bytes())
    data[28:30] = (8).to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(OSError, match="does not fit the directory") as caught:
        (archive(path) / "a").read_bytes()
    assert not isinstance(caught.value, SourceError)
    assert (archive(path) / "b").read_bytes() == b"data"


def test_sizes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for entry in (Entry("x", b"\0" * 1000, DEFLATED, 1032 * 1000 + 1), Entry("x", b"data", size=5)):
        refused(write_raw(tmp_path / "x.zip", [entry]), "packed bytes can hold", "made again")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Entry("x", deflated(bytes(5000)), DEFLATED, 4000), "more than the 4,000 bytes"),
        (Entry("x", deflated(bytes(5000)), DEFLATED, 5001), "5,000 of the 5,001 bytes"),
        (Entry("x", deflated(bytes(5000)), DEFLATED, 5000, 1), "CRC-32"),
        (Entry("x", deflated(bytes(range(256)) * 9)[:-9], DEFLATED, 2304), "have no end"),
        (Entry("x", b"\xff" * 100, DEFLATED, 5000), "do not follow the rules of their method"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_unpacked_is_held_against_the_directory(
    entry: Entry, says: str, tmp_path: Path
) -> None:
    file = archive(write_raw(tmp_path / "x.zip", [entry, Entry("y", bytes(50))])) / "x"
    with pytest.raises(OSError, match=says):
        file.read_bytes()
    with pytest.raises(OSError, match=says), file.ranges() as ranges:
        ranges.read(0, 6000)
        file.read_bytes()  # a start may be read without the end being looked at
    if says not in ("CRC-32", "more than the 4,000 bytes"):
        with file.ranges() as ranges:
            for _ in range(3):
                with pytest.raises(OSError, match="damaged in the archive"):
                    ranges.read(0, 6000)


@pytest.mark.slow
def test_a_bomb_is_opened_no_further_than_it_is_asked_for(tmp_path: Path) -> None:
    """4 GiB of zeros take 4 MiB: their start is read in little memory, and no header is as long as
    64 MiB.
    """
    packer = zlib.compressobj(9, wbits=-15)
    block = bytes(1 << 24)
    packed = b"".join(packer.compress(block) for _ in range(24)) + packer.flush()
    size = 24 << 24
    file = archive(write_raw(tmp_path / "x.zip", [Entry("x", packed, DEFLATED, size)])) / "x"
    del block
    tracemalloc.start()
    with file.open() as opened:
        assert opened.read(100) == bytes(100)
        opened.seek(size - 10)
        with pytest.raises(OSError, match="unpack the archive"):
            opened.read(10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_a_directory_that_no_folder_has_is_refused_in_little_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.writestr("x", b"data")
    data = bytearray((tmp_path / "x.zip").read_bytes())
    at = data.rindex(b"PK\5\6")
    data[at + 12 : at + 20] = (100 << 20).to_bytes(4, "little") + (0).to_bytes(4, "little")
    path = tmp_path / "y.zip"
    with path.open("wb") as file:
        file.write(data[:4])
        file.seek(100 << 20)
        file.write(data[at:])
    tracemalloc.start()
    refused(path, "its directory has 104,857,600 bytes", "unpack it")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_cut_short_anywhere_it_is_refused(folder: Path) -> None:
    path = zipped(folder)
    whole = path.read_bytes()
    for length in [4, 21, 22, 100, len(whole) // 2, *range(len(whole) - 60, len(whole))]:
        path.write_bytes(whole[:length])
        refused(path, "directory at its end is missing or damaged", "copy it again", "or unpack it")


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bytes_changed_are_an_error_or_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = tmp_path_factory.getbasetemp()
    contents = {"a": b"data " * 50, "b/c": bytes(1000)}
    entries = [
        Entry(name, deflated(content), DEFLATED, len(content), zlib.crc32(content))
        for name, content in contents.items()
    ]
    whole = bytearray(write_raw(base / "x.zip", entries).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = base / f"{data.draw(st.uuids())}.zip"
    path.write_bytes(whole)
    there = archive(path)
    try:
        for name in there.listing().files:
            found = (there / name).read_bytes()
            assert (
                found in contents.values()
                or (there / name).stamp()[1] == f"{zlib.crc32(found):08x}"
            )
    except (SourceError, OSError):
        pass
    finally:
        path.unlink()
