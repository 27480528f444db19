"""A zip is a source as the folder is that it was made of; what cannot be one is refused, and what
lies packed in a folder is told.
"""

from __future__ import annotations

import json
import pickle
import tracemalloc
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine, invoked
from kit.folders import contents
from kit.phantoms import Phantom, Spec, write, write_flat_series, write_sparse_multiframe
from kit.small_scans import ENCODINGS
from kit.zips import DEFLATED, STORED, Entry, write_raw, zipped
from pydicom import dcmread
from pydicom.fileset import FileSet

import sidecar
from sidecar.errors import OutputError
from sidecar.exporting import run as running
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export
from sidecar.storage.archive import Archive

BOTH = {"columns": 40, "rows": 36, "slices": 9}
PACKED = {
    "stored": (STORED,),
    "deflated": (DEFLATED,),
    "mixed": (STORED, DEFLATED, DEFLATED),
}


@pytest.mark.slow
@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_bytes_as_from_the_folder(encoding: str, packed: str, tmp_path: Path) -> None:
    write(ENCODINGS[encoding], tmp_path / "scan")
    path = zipped(tmp_path / "scan", *PACKED[packed])
    assert sidecar.inspect(path).facts() == sidecar.inspect(tmp_path / "scan").facts()
    for options in ({"scale": 0.5, "z_step": 2}, {"bits": 16, "plane": "coronal"}):
        for source, output in ((tmp_path / "scan", "here"), (path, "there")):
            sidecar.export(source, tmp_path / output, overwrite=True, **options)
        assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.parametrize(
    "spec",
    [
        Spec(photometric="PALETTE COLOR", bits_stored=8, rescale=None),
        Spec(layout="enhanced", duplicates=0, per_slice_rescale=True),
        Spec(duplicates=2, localizer=True),
        Spec(photometric="RGB", bits_stored=8, rescale=None, planar=True),
    ],
    ids=lambda spec: f"{spec.layout} {spec.photometric}",
)
def test_nested_folders_and_whatever_lies_beside(spec: Spec, tmp_path: Path) -> None:
    """Names of files are random, in folders in folders, with files around that are no images."""
    write(spec, tmp_path / "scan")
    path = zipped(tmp_path / "scan", STORED, DEFLATED, zip64=True)
    facts = sidecar.inspect(tmp_path / "scan").facts()
    assert sidecar.inspect(path).facts() == facts
    largest = max(facts["series"], key=lambda series: series["size"][2])
    for source, output in ((tmp_path / "scan", "here"), (path, "there")):
        sidecar.export(source, tmp_path / output, scale=0.5, series=str(largest["number"]))
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_the_cases_from_the_field(shared_cases: Path, run: CommandLine) -> None:
    case = shared_cases / "dicom" / "31_zip" / "scan.zip"
    assert "12 slices" in run.done("inspect", case).out
    run.done("export", case, "png", "--scale=1")
    assert sidecar.open(run.folder / "png").size == (48, 40, 12)
    study = shared_cases / "tools" / "pacs" / "study.zip"
    (series,) = json.loads(run.done("inspect", study, "--json").out)["series"]
    assert series["size"] == [80, 60, 10]


def test_workers_elsewhere_read_it_too(tmp_path: Path) -> None:
    """They get the name of the archive and that of the file in it, and nothing else."""
    write(Spec(**BOTH), tmp_path / "scan")
    (job,) = plan_export(zipped(tmp_path / "scan"), tmp_path / "png", make_options(scale=0.5))
    assert len(pickle.dumps(job.source)) < 500
    again = pickle.loads(pickle.dumps(job.source))
    assert again.listing() == job.source.listing()


def test_an_interrupted_export_goes_on_and_a_changed_archive_is_noticed(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom = write(Spec(**BOTH, junk=False), run.folder / "scan")
    path = zipped(phantom.folder)

    def until_full(recipe: Any, task: Any) -> Any:
        if task.index >= 4:
            raise OutputError("the disk is full")
        return rendered(recipe, task)

    rendered = vars(running)["render"]
    with monkeypatch.context() as patch:
        patch.setattr(running, "render", until_full)
        assert run("export", path, "png", "--scale=1").code == 1
    zipped(phantom.folder, STORED)  # the same files, packed otherwise
    victim = phantom.files()[2]
    before = victim.read_bytes()
    victim.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    zipped(phantom.folder)
    run.refuses("export", path, "png", "--scale=1", says="another source")
    victim.write_bytes(before)
    zipped(phantom.folder, STORED)
    run.done("export", path, "png", "--scale=1")


@pytest.mark.parametrize("encoding", ["enhanced", "enhanced, RLE"])
def test_a_packed_file_of_many_frames_is_unpacked_once(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ENCODINGS[encoding], tmp_path / "scan")
    path = zipped(tmp_path / "scan")
    unpacked: Counter[str] = Counter()
    read_bytes = Archive.read_bytes

    def counted(self: Archive) -> bytes:
        unpacked[self.inside] += 1
        return read_bytes(self)

    monkeypatch.setattr(Archive, "read_bytes", counted)
    sidecar.export(path, tmp_path / "png", scale=0.5)
    assert list(unpacked.values()) == [1]


@pytest.mark.slow
def test_more_of_them_than_memory_should_hold_are_refused(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """600 MB of zeros in a file take 600 KB in the archive. The files of one stack count together,
    as slices may come from each of them in turn.
    """
    write_sparse_multiframe(run.folder / "one", 300, (1024, 1024))
    run.refuses(
        "export",
        zipped(run.folder / "one"),
        "png",
        says=("would have to be in memory at once", "512 MiB", "unpack the archive"),
    )
    run.done("export", zipped(run.folder / "one", STORED), "png", "--scale=1/16", "--z-step=100")
    write(ENCODINGS["enhanced"], run.folder / "two")
    path = zipped(run.folder / "two")
    run.done("export", path, "whole", "--scale=1")
    monkeypatch.setattr("sidecar.dicom.source.INFLATED_LIMIT", 10_000)
    for command in (("export", path, "none"), ("check", "whole", "--source", path)):
        run.refuses(*command, says=("two.zip: the frames of this stack", "unpack the archive"))


@pytest.mark.slow
def test_packed_slices_are_read_in_flat_memory(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 1 << 12, (512, 512)).astype(np.uint16)
    write_flat_series(tmp_path / "scan", 60, (512, 512), noise)
    path = zipped(tmp_path / "scan")
    tracemalloc.start()
    sidecar.export(path, tmp_path / "png", scale=0.25, jobs=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * noise.nbytes  # of 60 slices


# What is not read.


def bomb(phantom: Phantom, size: int) -> Entry:
    """A slice with zeros behind its pixels, ``size`` bytes in all."""
    packer = zlib.compressobj(9, wbits=-15)
    data = phantom.files()[0].read_bytes()
    packed, crc = packer.compress(data), zlib.crc32(data)
    block, left = bytes(1 << 20), size - len(data)
    while left > 0:
        part = block[: min(left, len(block))]
        packed, crc, left = packed + packer.compress(part), zlib.crc32(part, crc), left - len(part)
    return Entry("bomb.dcm", packed + packer.flush(), DEFLATED, size, crc)


@pytest.mark.slow
def test_a_bomb_is_refused_in_little_memory(run: CommandLine) -> None:
    """What is behind a small image is looked at no further, whatever is declared."""
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    path = write_raw(run.folder / "bomb.zip", [bomb(phantom, 200 << 20)])
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    run.refuses(
        "export",
        path,
        "png",
        "--quiet",
        says=("bomb.dcm", "it unpacks to 209,715,200 bytes", "have the archive made again"),
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25


def test_a_size_that_is_not_declared_is_noticed(run: CommandLine) -> None:
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    true = bomb(phantom, 20 << 20)
    declared = phantom.files()[0].stat().st_size
    for size in (declared, declared - 1000):
        false = Entry("bomb.dcm", true.data, DEFLATED, size, true.crc)
        path = write_raw(run.folder / "bomb.zip", [false])
        run.refuses(
            "export",
            path,
            "png",
            "--scale=1",
            "--quiet",
            says=("bomb.dcm", "it unpacks to more than"),
        )


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (Entry("../../precious.dcm", b"data"), "not a place inside an archive"),
        (Entry("C:\\precious.dcm", b"data"), "not a place inside an archive"),
        (Entry("a\\..\\..\\precious.dcm", b"data"), "not a place inside an archive"),
        (Entry("locked.dcm", b"data", flags=1), "encrypted; unpack it with its password"),
        (Entry("a.dcm", b"data", 9), "Deflate64"),
        (Entry("a.dcm", b"data", DEFLATED, 1 << 31), "packed bytes can hold"),
        (Entry("a.dcm", b"data", at=0), "overlaps the file that follows it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_made_to_do_harm_is_refused_whole(
    entry: Entry, says: str, run: CommandLine
) -> None:
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    good = [Entry(path.name, path.read_bytes()) for path in phantom.files()]
    path = write_raw(run.folder / "scan.zip", [*good, entry])
    for command in (("inspect", path), ("export", path, "png")):
        run.refuses(*command, says=("scan.zip: ", says))


def test_backslashes_of_windows_stand_between_folders(run: CommandLine) -> None:
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    files = [Entry(f"Scan 1\\sub\\{path.name}", path.read_bytes()) for path in phantom.files()]
    write_raw(run.folder / "scan.zip", files)
    document = sidecar.export(run.folder / "scan.zip", run.folder / "png").document
    assert {plane.file for plane in document.source.planes} == {
        f"Scan 1/sub/{path.name}" for path in phantom.files()
    }


def test_cut_short_or_changed_it_is_refused(run: CommandLine) -> None:
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    whole = zipped(phantom.folder).read_bytes()
    (run.folder / "short.zip").write_bytes(whole[:-200])
    run.refuses("export", "short.zip", "png", says=("short.zip: it begins as a zip", "copy it"))
    with zipfile.ZipFile(run.folder / "scan.zip") as archive:
        info = archive.infolist()[2]
    changed = bytearray(whole)
    at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
    changed[at : at + 8] = bytes(8)
    (run.folder / "changed.zip").write_bytes(changed)
    run.refuses(
        "export",
        "changed.zip",
        "png",
        "--scale=1",
        says=(info.filename, "damaged in the archive", "copy the archive again"),
    )


def test_an_empty_one_holds_nothing(run: CommandLine) -> None:
    with zipfile.ZipFile(run.folder / "empty.zip", "w"):
        pass
    run.refuses("export", "empty.zip", "png", says="found in empty.zip (it holds nothing at all)")


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("scan.tar", bytes(257) + b"ustar\x0000", "tar"),
        ("scan.tar.gz", b"\x1f\x8b\x08", "gzip"),
        ("000.dcm.gz", b"\x1f\x8b\x08", "gzip"),
        ("scan.tbz", b"BZh9", "bzip2"),
        ("scan.tar.xz", b"\xfd7zXZ\0", "xz"),
        ("scan.7z", b"7z\xbc\xaf\x27\x1c", "7z"),
        ("scan.rar", b"Rar!\x1a\x07\x01\0", "RAR"),
    ],
)
def test_others_are_to_be_unpacked(name: str, head: bytes, kind: str, run: CommandLine) -> None:
    (run.folder / name).write_bytes(head + bytes(400))
    for command in (("inspect", name), ("export", name, "png")):
        run.refuses(
            *command, says=(f"{name} is a {kind} file", "unpack the file, and give the folder")
        )


def test_archives_in_a_folder_are_counted_and_named(run: CommandLine) -> None:
    phantom = write(ENCODINGS["explicit"], run.folder / "scan")
    zipped(phantom.folder).rename(phantom.folder / "more.zip")
    (phantom.folder / "rest.tgz").write_bytes(b"\x1f\x8b\x08" + bytes(300))
    with zipfile.ZipFile(phantom.folder / "protocol.docx", "w") as document:
        document.writestr("word/document.xml", "<w:document/>")
    (phantom.folder / "segmented.nii.gz").write_bytes(b"\x1f\x8b\x08" + bytes(300))
    told = run.done("inspect", "scan").out
    assert "2 × not DICOM (protocol.docx, segmented.nii.gz)" in told
    assert "1 × archive, to be unpacked first (rest.tgz)" in told
    assert "1 × zip, to be unpacked first or given by itself (more.zip)" in told
    run.done("export", "scan", "png", "--scale=1")
    warnings = " ".join(sidecar.open(run.folder / "png").document.warnings)
    assert "1 × archive" in warnings and "1 × zip" in warnings
    for path in phantom.files():
        path.unlink()
    run.refuses("export", "scan", "empty", says=("no DICOM images", "1 × zip"))


def test_a_dicomdir_in_it_is_as_one_in_a_folder(tmp_path: Path) -> None:
    phantom = write(Spec(**BOTH, junk=False), tmp_path / "scan")
    disc = FileSet()
    for path in phantom.files():
        dataset = dcmread(path)
        dataset.PatientID = dataset.PatientID or "1"
        disc.add(dataset)
    disc.write(tmp_path / "disc")
    disc._stage["t"].cleanup()
    told = invoked("inspect", zipped(tmp_path / "disc")).stdout
    assert "40 columns × 36 rows × 9 slices" in told and "1 × DICOMDIR (DICOMDIR)" in told
    sidecar.export(tmp_path / "disc" / "DICOMDIR", tmp_path / "here", scale=0.5)
    sidecar.export(tmp_path / "disc.zip", tmp_path / "there", scale=0.5)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


@pytest.mark.parametrize(
    "url",
    [
        "https://pacs.example/dicom-web/studies/1.2.840.1/series/1.2.3",
        "http://pacs.example/dicomweb",
        "https://pacs.example/api/studies/1.2.840.1",
    ],
)
def test_a_dicomweb_address_is_named_with_the_way_out(url: str, run: CommandLine) -> None:
    for command in (("inspect", url), ("export", url, "png")):
        run.refuses(
            *command, code=2,
            says=("Invalid value for 'SOURCE': this is the address of a DICOMweb",
                  "download the study"),
        )  # fmt: skip
