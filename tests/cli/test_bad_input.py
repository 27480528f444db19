"""Damaged scans and places that cannot be written to: one message that names the file, exit code 1,
nothing half-written.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, rmtree, which
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from kit.command_line import CommandLine, contents
from kit.exports import png_path
from kit.phantoms import SECRETS, Phantom, Spec, write
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    MRSpectroscopyStorage,
    RawDataStorage,
    RLELossless,
)

import sidecar
from sidecar import SidecarError, export
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export

SMALL: dict[str, Any] = {
    "columns": 40,
    "rows": 36,
    "slices": 5,
    "markers": False,
    "shuffled_names": False,
    "junk": False,
    "order": "ascending",
}
ENCODINGS = {
    "explicit": Spec(**SMALL),
    "implicit": Spec(**SMALL, transfer_syntax=ImplicitVRLittleEndian),
    "big endian": Spec(**SMALL, transfer_syntax=ExplicitVRBigEndian),
    "deflated": Spec(**SMALL, transfer_syntax=DeflatedExplicitVRLittleEndian),
    "RLE": Spec(**SMALL, transfer_syntax=RLELossless),
    "JPEG-LS": Spec(**SMALL, transfer_syntax=JPEGLSLossless),
    "JPEG 2000": Spec(**SMALL, transfer_syntax=JPEG2000Lossless),
    "enhanced": Spec(**SMALL, layout="enhanced"),
    "enhanced, RLE": Spec(**SMALL, layout="enhanced", transfer_syntax=RLELossless),
}
FRAME_BYTES = 2 * 40 * 36
VICTIM = "image_0002.dcm"


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Phantom]:
    return {
        name: write(spec, tmp_path_factory.mktemp("original")) for name, spec in ENCODINGS.items()
    }


@pytest.fixture
def scan(originals: dict[str, Phantom], tmp_path: Path) -> Path:
    """A plain scan of 40 × 36 × 5, one file per slice, image_0000.dcm and so on."""
    return Path(copytree(originals["explicit"].folder, tmp_path / "scan"))


def one_file(phantom: Phantom) -> tuple[str, bytes]:
    """Name and content of the middle slice's file."""
    path = phantom.files()[2]
    return path.name, path.read_bytes()


def message(act: Callable[[], object]) -> str:
    """What the user would be told;
    "" when all went well. Anything but our own errors is a failure.
    """
    try:
        act()
    except SidecarError as error:
        text = str(error)
        assert text.replace("\n", "").isprintable()
        assert not any(secret in text.lower() for secret in SECRETS)
        return text
    return ""


# --- files cut short ---


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_cut_short_anywhere_is_refused_by_name(
    name: str, originals: dict[str, Phantom], run: CommandLine
) -> None:
    """Only a stub that broke off before it says what it is may pass for something else, and then
    the gap is told.
    """
    copytree(originals[name].folder, run.folder / "scan")
    victim, data = one_file(originals[name])
    rng = random.Random(name)
    meta = 200  # the file meta information names the class of the object within so many bytes
    stubs = [0, 1, 131, 132, 140, *rng.sample(range(133, meta), 4)]
    for length in (*stubs, *rng.sample(range(meta, len(data) - 1), 30)):
        (run.folder / "scan" / victim).write_bytes(data[:length])
        told = message(lambda: export("scan", "out", scale=1))
        if length >= meta:
            assert victim in told, length
            assert "copy" in told
            assert not (run.folder / "out" / "sidecar.json").exists()
        elif not told:
            assert any("missing" in warning for warning in sidecar.open("out").document.warnings)
        rmtree("out", ignore_errors=True)
    outcome = run("export", "scan", "out", "--scale=1")
    assert (outcome.code, outcome.out) == (1, "")
    assert victim in outcome.err


@pytest.mark.parametrize("name", ["explicit", "enhanced"])
def test_native_pixels_cut_short_are_noticed_before_anything_is_written(
    name: str, originals: dict[str, Phantom], run: CommandLine
) -> None:
    copytree(originals[name].folder, run.folder / "scan")
    victim, data = one_file(originals[name])
    for missing in (1, 2, 100, FRAME_BYTES - 1):
        (run.folder / "scan" / victim).write_bytes(data[:-missing])
        run.refuses(
            "export", "scan", "out", "--scale=1", says=(victim, "cut short", "copy it again")
        )
        outcome = run("inspect", "scan")
        assert victim in outcome.err
        assert "cut short" in outcome.err


def test_a_first_or_last_slice_that_cannot_be_read_is_not_left_out_in_silence(
    scan: Path, run: CommandLine
) -> None:
    data = (scan / "image_0004.dcm").read_bytes()
    for length in (300, 420, 800, 1500, len(data) - 5):
        (scan / "image_0004.dcm").write_bytes(data[:length])
        run.refuses("export", "scan", "out", "--scale=1", says="image_0004.dcm")


# --- corrupt bytes ---


@pytest.mark.parametrize("name", ENCODINGS)
def test_corrupt_headers_never_end_in_a_traceback(
    name: str, originals: dict[str, Phantom], run: CommandLine
) -> None:
    copytree(originals[name].folder, run.folder / "scan")
    victim, data = one_file(originals[name])
    rng = random.Random(f"header {name}")
    end = (
        1000
        if name == "deflated"
        else len(data) - FRAME_BYTES * (5 if name.startswith("enhanced") else 1)
    )
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 2, 5])):
            damaged[rng.randrange(132, max(end, 200))] = rng.choice([0, 255, rng.randrange(256)])
        (run.folder / "scan" / victim).write_bytes(damaged)
        message(lambda: plan_export(Path("scan"), Path("out"), make_options(scale=1)))
        assert sidecar.inspect("scan").facts()
    assert run("export", "scan", "out", "--scale=1").code in (0, 1)
    assert run("inspect", "scan").code in (0, 1)


@pytest.mark.parametrize(
    "name",
    [name for name in ENCODINGS if name not in ("explicit", "implicit", "big endian", "enhanced")],
)
def test_corrupt_pixels_are_refused_or_decoded_and_never_end_in_a_traceback(
    name: str, originals: dict[str, Phantom], run: CommandLine
) -> None:
    copytree(originals[name].folder, run.folder / "scan")
    victim, data = one_file(originals[name])
    rng = random.Random(f"pixels {name}")
    begin = len(data) - 700 if name == "deflated" else data.rindex(b"\xe0\x7f\x10\x00")
    for _ in range(30):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 2, 8])):
            damaged[rng.randrange(begin, len(data))] = rng.choice([0, 255, rng.randrange(256)])
        (run.folder / "scan" / victim).write_bytes(damaged)
        rmtree("out", ignore_errors=True)
        told = message(lambda: export("scan", "out", scale=1))
        assert not told or victim in told
        assert Path("out", "sidecar.json").exists() == (not told)
    assert run("export", "scan", "out2", "--scale=1").code in (0, 1)


WRONG_VALUES: dict[str, tuple[str, bytes | int]] = {
    "position not a number": ("ImagePositionPatient", b"nan\\0\\0 "),
    "position infinite": ("ImagePositionPatient", b"1e999\\0\\0 "),
    "position of two": ("ImagePositionPatient", b"0\\0 "),
    "position of text": ("ImagePositionPatient", b"a\\b\\c "),
    "position out of this world": ("ImagePositionPatient", b"1e308\\1e308\\1e308 "),
    "orientation zero": ("ImageOrientationPatient", b"0\\0\\0\\0\\0\\0 "),
    "orientation skew": ("ImageOrientationPatient", b"1\\0\\0\\1\\0\\0 "),
    "orientation not a number": ("ImageOrientationPatient", b"nan\\0\\0\\0\\1\\0 "),
    "spacing zero": ("PixelSpacing", b"0\\0 "),
    "spacing negative": ("PixelSpacing", b"-1\\1"),
    "spacing infinite": ("PixelSpacing", b"inf\\inf "),
    "slope zero": ("RescaleSlope", b"0 "),
    "slope not a number": ("RescaleSlope", b"nan "),
    "intercept infinite": ("RescaleIntercept", b"-inf"),
    "no rows": ("Rows", 0),
    "many rows": ("Rows", 65535),
    "bits": ("BitsAllocated", 17),
    "more bits than there are": ("BitsStored", 40),
    "samples": ("SamplesPerPixel", 7),
    "photometric": ("PhotometricInterpretation", b"HEAT\x1b[31m"),
    "frames without end": ("NumberOfFrames", b"999999999 "),
    "minus one frame": ("NumberOfFrames", b"-1"),
    "modality": ("Modality", b"CT\x1b[2J\x07"),
    "instance number": ("InstanceNumber", b"first "),
}


def element(dataset: Dataset, keyword: str, value: bytes) -> Any:
    """An element with any bytes for its value."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword) or 0)
    return RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_value_that_makes_no_sense_is_refused(name: str, scan: Path, run: CommandLine) -> None:
    """In one slice and in all of them."""
    for path in sorted(scan.iterdir(), key=lambda path: path.name != VICTIM):
        dataset = dcmread(path)
        keyword, value = WRONG_VALUES[name]
        dataset[keyword] = element(
            dataset, keyword, value if isinstance(value, bytes) else value.to_bytes(2, "little")
        )
        dcmwrite(path, dataset)
        if path.name == VICTIM:
            run.refuses("export", "scan", "out", "--scale=1", "--quiet", says="")
    run.refuses("export", "scan", "out", "--scale=1", "--quiet", says="")
    assert run("inspect", "scan").code in (0, 1)
    assert run("inspect", "scan", "--json").code in (0, 1)


@pytest.mark.parametrize("window", ["nan", "1e300", "inf"])
def test_a_window_that_makes_no_sense_is_refused_when_it_is_asked_for(
    window: str, scan: Path, run: CommandLine
) -> None:
    for path in scan.iterdir():
        dataset = dcmread(path)
        dataset["WindowCenter"] = element(dataset, "WindowCenter", window.encode().ljust(6))
        dataset["WindowWidth"] = element(dataset, "WindowWidth", b"1 ")
        dcmwrite(path, dataset)
    run.folder.joinpath("out").mkdir()
    outcome = run("export", "scan", "out", "--scale=1", "--window=dicom")
    assert outcome.code == 1
    assert not (run.folder / "out" / "sidecar.json").exists()


def test_text_swallowed_by_a_damaged_length_is_told_to_nobody(scan: Path, run: CommandLine) -> None:
    """Every length in the header, made longer: what follows is taken for text, the patient's name
    too.
    """
    data = (scan / VICTIM).read_bytes()
    for keyword in (
        b"\x08\x00\x60\x00CS",
        b"\x08\x00\x3e\x10LO",
        b"\x08\x00\x08\x00CS",
        b"\x20\x00\x0d\x00UI",
        b"\x28\x00\x04\x00CS",
    ):
        at = data.index(keyword) + 6
        for length in (100, 300, 600, 1200):
            (scan / VICTIM).write_bytes(data[:at] + struct.pack("<H", length) + data[at + 2 :])
            run("inspect", "scan")
            run("inspect", "scan", "--json")
            if run("export", "scan", "out", "--scale=1", "--overwrite").code == 0:
                assert b"secret" not in (run.folder / "out" / "sidecar.json").read_bytes().lower()


@pytest.mark.skipif(os.name == "nt", reason="not on a file system that takes text only")
def test_a_file_name_that_is_no_text_is_refused(scan: Path, run: CommandLine) -> None:
    (scan / VICTIM).rename(os.fsdecode(os.fsencode(scan) + b"/sl\xffice.dcm"))
    outcome = run("export", "scan", "out", "--scale=1")
    assert outcome.code == 1
    assert "rename it" in outcome.err
    assert not (run.folder / "out").exists()
    assert run("inspect", "scan", "--json").code == 0


def test_a_file_that_may_not_be_read_is_named_without_its_path(
    scan: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith(VICTIM):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really_open(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    run.refuses("export", "scan", "out", "--scale=1", says=(VICTIM, "Permission denied"))


def test_a_file_that_vanishes_after_the_headers_were_read_is_named(
    scan: Path, run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sidecar.exporting import run as exporter

    really_run = exporter.run_job

    def vanish(*arguments: Any) -> Any:
        (scan / VICTIM).unlink()
        return really_run(*arguments)

    monkeypatch.setattr(exporter, "run_job", vanish)
    outcome = run("export", "scan", "out", "--scale=1")
    assert outcome.code == 1
    assert VICTIM in outcome.err


def test_a_deflate_bomb_is_refused_in_little_memory(
    run: CommandLine, originals: dict[str, Phantom]
) -> None:
    copytree(originals["deflated"].folder, run.folder / "scan")
    path = run.folder / "scan" / VICTIM
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    header = zlib.decompress(data[start:], -zlib.MAX_WBITS)[:-FRAME_BYTES]
    compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    start_of_bomb = compressor.compress(header) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(bytes(1 << 24)) + compressor.flush(
        zlib.Z_FULL_FLUSH
    )  # whatever follows, the same again
    path.write_bytes(data[:start] + start_of_bomb + 256 * block + compressor.flush())
    tracemalloc.start()
    run.refuses(
        "export",
        "scan",
        "out",
        "--scale=1",
        "--quiet",
        says=(VICTIM, "it inflates to more than 512 MiB"),
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 30  # of 4 GiB


def test_neither_identity_nor_absolute_paths_are_written_or_told(
    scan: Path, run: CommandLine
) -> None:
    here = run.folder
    run.done("inspect", here / "scan")
    run.done("inspect", here / "scan", "--json")
    run.done("export", here / "scan", here / "png", "--scale=1", "--dry-run")
    run.done("export", here / "scan", here / "png", "--scale=1")
    (here / "png" / "labels.csv").write_text("image,x,y\nslice_0000,1,2\n")
    run.done("map-points", here / "png" / "labels.csv", "-o", here / "mapped.csv")
    run.done("project", here / "mapped.csv", "--sidecar", here / "png", "-o", here / "placed.csv")
    for name, data in contents(here).items():
        if data is not None and not name.startswith("scan/"):
            assert not any(secret.encode() in data.lower() for secret in SECRETS), name
            assert os.fsencode(here) not in data, name


def test_objects_of_the_scan_that_are_no_images_are_passed_by(scan: Path, run: CommandLine) -> None:
    for number, (sop_class, rows) in enumerate(
        {MRSpectroscopyStorage: 16, RawDataStorage: None}.items()
    ):
        other = dcmread(scan / VICTIM)
        del other.PixelData
        if rows is None:
            del other.Rows
        other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = sop_class
        other.save_as(scan / f"other{number}")
    assert "5 PNGs" in run.done("export", "scan", "out", "--scale=1", "--dry-run").out


# --- sources that are no scan ---


def test_a_source_without_images_is_refused(run: CommandLine) -> None:
    (run.folder / "empty").mkdir()
    (run.folder / "texts").mkdir()
    (run.folder / "texts" / "notes.txt").write_text("DICM")
    (run.folder / "zero.dcm").touch()
    for source, says in {
        "empty": "nothing at all",
        "texts": "not DICOM",
        "zero.dcm": "no DICOM images",
        "nowhere": "no such",
    }.items():
        run.refuses("export", source, "out", says=(source, says))
        assert run("inspect", source).code == 1
    run.refuses(
        "export", run.folder / "nowhere", run.folder / "out", says="nowhere: there is no such"
    )


def test_an_export_is_not_a_scan(scan: Path, run: CommandLine) -> None:
    run.done("export", "scan", "png", "--scale=1")
    run.refuses("export", "png", "out", says="no DICOM images found in png")
    run.refuses("export", png_path(run.folder / "png", 0), "out", says="no DICOM images")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(scan: Path, run: CommandLine) -> None:
    os.mkfifo(run.folder / "pipe")
    os.mkfifo(scan / "pipe.dcm")
    run.refuses("export", "pipe", "out", says="pipe: there is no such folder or regular file")
    run.done("export", "scan", "out", "--scale=1")


def test_links_out_of_the_source_are_not_followed(scan: Path, run: CommandLine) -> None:
    (run.folder / "other").mkdir()
    (run.folder / "inside").mkdir()
    for path in scan.iterdir():
        (run.folder / "inside" / path.name).symlink_to(path)
    run.refuses("export", "inside", "out", says="no DICOM images")
    (scan / "loop").symlink_to(scan, target_is_directory=True)
    (scan / "dangling.dcm").symlink_to("nowhere")
    (scan / "itself.dcm").symlink_to("itself.dcm")
    (scan / "through.dcm").symlink_to(f"{VICTIM}/beyond")
    run.done("export", "scan", "out", "--scale=1")


# --- DICOMDIR ---


@pytest.fixture
def medium(originals: dict[str, Phantom], tmp_path: Path) -> Path:
    """A folder as on a disc: DICOMDIR and the files it names."""
    disc = Path(copytree(originals["explicit"].folder, tmp_path / "disc" / "IMAGES")).parent
    directory = Dataset()
    directory.DirectoryRecordSequence = []
    for path in sorted((disc / "IMAGES").iterdir()):
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = ["IMAGES", path.stem.upper()]
        path.rename(path.with_name(path.stem.upper()))
        directory.DirectoryRecordSequence.append(record)
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dcmwrite(disc / "DICOMDIR", directory, enforce_file_format=True)
    return disc


def test_a_dicomdir_that_names_what_is_not_there_is_refused(medium: Path, run: CommandLine) -> None:
    run.done("export", "disc/DICOMDIR", "out", "--scale=1", "--dry-run")
    victim = next(path for path in medium.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    victim.unlink()
    run.refuses(
        "export",
        "disc/DICOMDIR",
        "out",
        says=("DICOMDIR names 1 files that are not there", victim.name, "give the folder"),
    )


@pytest.mark.parametrize(
    "name", ["../../scan/image_0000.dcm", "/etc/passwd", "..", "a\0b", "\x1b[31m"]
)
def test_a_dicomdir_that_points_elsewhere_is_refused(
    name: str, medium: Path, scan: Path, run: CommandLine
) -> None:
    directory = dcmread(medium / "DICOMDIR")
    for record in directory.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record["ReferencedFileID"] = element(
                record, "ReferencedFileID", name.replace("/", "\\").encode()
            )
    dcmwrite(medium / "DICOMDIR", directory)
    run.refuses("export", "disc/DICOMDIR", "out", says="DICOMDIR")


def test_a_damaged_dicomdir_is_refused(medium: Path, run: CommandLine) -> None:
    data = (medium / "DICOMDIR").read_bytes()
    for length in (0, 100, 132, 300, len(data) // 2, len(data) - 3):
        (medium / "DICOMDIR").write_bytes(data[:length])
        outcome = run("export", "disc/DICOMDIR", "out", "--scale=1", "--dry-run")
        assert (
            outcome.code == 1
            or (length > 300 and "5 PNGs" not in outcome.out)
            or length == len(data) - 3
        )
    for content in (b"", b"DICOMDIR", bytes(500)):
        (medium / "DICOMDIR").write_bytes(content)
        run.refuses("export", "disc/DICOMDIR", "out", says="DICOMDIR")


# --- places that cannot be written to ---


def test_foreign_files_in_the_output_folder_stay_as_they_are(scan: Path, run: CommandLine) -> None:
    (run.folder / "out").mkdir()
    for name in (
        "notes.txt",
        ".hidden",
        "slice_0000.jpg",
        "slice_1.png",
        "slice_0000_aeiouy.png",
        "slice_0000_BCDFGH.png",
        "beetle-7_0000_bcdfgh.png",
        "sidecar.json.bak",
        "Slice_0000.PNG",
    ):
        (run.folder / "out" / name).write_text("mine")
        for extra in ((), ("--overwrite",)):
            run.refuses(
                "export",
                "scan",
                "out",
                "--scale=1",
                *extra,
                says=("out holds files that are not of an export", name),
            )
        (run.folder / "out" / name).unlink()
    (run.folder / "out" / "slice_0000.png").mkdir()
    run.refuses("export", "scan", "out", "--scale=1", "--overwrite", says="slice_0000.png")


def test_pngs_and_documents_of_others_are_not_taken_over_unasked(
    scan: Path, run: CommandLine
) -> None:
    (run.folder / "out").mkdir()
    for name, says in {
        "slice_0000.png": "holds PNGs but no sidecar.json",
        "slice_0000_bcdfgh.png": "holds PNGs but no sidecar.json",
        "sidecar.json": "finished export",
    }.items():
        (run.folder / "out" / name).write_text("mine")
        run.refuses("export", "scan", "out", "--scale=1", says=(says, "--overwrite"))
        (run.folder / "out" / name).unlink()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_in_the_output_folder_are_not_written_through(scan: Path, run: CommandLine) -> None:
    (run.folder / "out").mkdir()
    (run.folder / "mine.png").write_text("mine")
    (run.folder / "out" / "slice_0001.png").symlink_to(run.folder / "mine.png")
    run.refuses("export", "scan", "out", "--scale=1", "--overwrite", says="slice_0001.png")


def test_a_finished_export_is_replaced_only_when_asked(scan: Path, run: CommandLine) -> None:
    run.done("export", "scan", "out", "--scale=1")
    run.refuses("export", "scan", "out", "--scale=1", says=("finished export", "--overwrite"))
    run.refuses("export", "scan", "out", "--scale=0.5", says=("finished export", "--overwrite"))
    run.done("export", "scan", "out", "--scale=0.5", "--overwrite")
    assert json.loads((run.folder / "out" / "sidecar.json").read_text())["images"]["size"] == [
        20,
        18,
        5,
    ]


def test_a_refusal_with_overwrite_leaves_the_earlier_export(scan: Path, run: CommandLine) -> None:
    run.done("export", "scan", "out", "--scale=1")
    (scan / VICTIM).write_bytes((scan / VICTIM).read_bytes()[:-1])
    run.refuses("export", "scan", "out", "--scale=1", "--overwrite", says="cut short")


def test_an_output_that_is_a_file_or_lies_in_one_is_refused(scan: Path, run: CommandLine) -> None:
    (run.folder / "out").write_text("mine")
    run.refuses("export", "scan", "out", "--scale=1", says="out cannot be written to")
    run.refuses("export", "scan", "out/deeper", "--scale=1", says="deeper cannot be written to")
    run.refuses(
        "export", "scan", "out", "--scale=1", "--overwrite", says="out cannot be written to"
    )


def test_the_source_itself_is_no_output(scan: Path, run: CommandLine) -> None:
    run.refuses(
        "export",
        "scan",
        "scan",
        "--scale=1",
        "--overwrite",
        says=("scan holds files that are not of an export", "image_0000.dcm"),
    )
    run.refuses("export", "scan", ".", "--scale=1", says="not of an export")
    run.refuses("export", "scan/image_0000.dcm", "scan", "--scale=1", says="not of an export")


def test_an_output_inside_the_source_leaves_the_source_as_it_is(
    scan: Path, run: CommandLine
) -> None:
    before = contents(scan)
    for _ in range(2):
        run.done("export", "scan", "scan/png", "--scale=1", "--overwrite")
        assert {
            name: data for name, data in contents(scan).items() if not name.startswith("png/")
        } == before


def test_a_dry_run_writes_nothing(scan: Path, run: CommandLine) -> None:
    before = contents(run.folder)
    run.done("export", "scan", "out", "--scale=0.5", "--dry-run")
    assert contents(run.folder) == before
    assert not (run.folder / "out").exists()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users to change to")
def test_a_folder_without_the_right_to_write_is_refused(
    scan: Path,
    run: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        monkeypatch.chdir(folder)
        copytree(scan, folder / "scan")
        run = CommandLine(folder, monkeypatch, capsys)
        run.done("export", "scan", "png", "--scale=1")  # also loads all that will be needed
        (folder / "png" / "labels.csv").write_text("image,x,y\nslice_0000,1,2\n")
        run.done("map-points", "png/labels.csv")
        run.done("map-points", "png/labels.csv", "-o", "mapped.csv")
        (folder / "locked").mkdir(mode=0o555)
        (folder / "hidden").mkdir(mode=0o700)
        (folder / "unlisted").mkdir()
        copytree(scan, folder / "unlisted" / "slices").chmod(0o000)
        (folder / "scan").chmod(0o755)
        folder.chmod(0o755)
        with a_user_of_no_rights():
            run.refuses("export", "unlisted", "out", says=("slices", "Permission denied"))
            run.refuses("export", "hidden/scan", "out", says=("scan", "Permission denied"))
            run.refuses("inspect", "hidden", says=("hidden", "Permission denied"))
            run.refuses(
                "export", "scan", "hidden/out", "--scale=1", says=("out", "Permission denied")
            )
            run.refuses(
                "export",
                "--config",
                "hidden/config.yaml",
                code=2,
                says=("config.yaml", "Permission denied"),
            )
            run.refuses("map-points", "hidden/labels.csv", says=("labels.csv", "Permission denied"))
            run.refuses(
                "map-points",
                "png/labels.csv",
                "--sidecar",
                "hidden/png",
                says=("png", "Permission denied"),
            )
            run.refuses("map-points", "hidden", says=("hidden", "Permission denied"))
            run.refuses(
                "map-points",
                "png/labels.csv",
                "-o",
                "hidden/m.csv",
                says=("m.csv", "Permission denied"),
            )
            run.refuses("project", "hidden/points.csv", says="Permission denied")
            run.refuses(
                "export",
                "scan",
                "locked",
                "--scale=1",
                says=("locked cannot be written to", "Permission denied"),
            )
            run.refuses(
                "export",
                "scan",
                "locked/out",
                "--scale=1",
                says=("out cannot be written to", "Permission denied"),
            )
            run.refuses(
                "map-points",
                "png/labels.csv",
                "-o",
                "locked/m.csv",
                says=("m.csv cannot be written", "Permission denied"),
            )


@contextlib.contextmanager
def a_user_of_no_rights() -> Iterator[None]:
    """Root may write everywhere; nobody may not. Others stay who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_full_disk_is_told_and_nothing_half_written_is_left(
    scan: Path, run: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    disk = tmp_path_factory.mktemp("disk")
    mount = which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)], capture_output=True
        ).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        noise = random.Random(1)
        for path in scan.iterdir():
            data = path.read_bytes()
            path.write_bytes(data[:-FRAME_BYTES] + noise.randbytes(FRAME_BYTES))
        for fill in range(0, 49152, 4096):
            rmtree(disk / "out", ignore_errors=True)
            (disk / "filler").write_bytes(bytes(fill))
            outcome = run("export", "scan", disk / "out", "--scale=1", "--bits=16")
            assert outcome.code in (0, 1)
            if outcome.code:
                assert (
                    "the disk is full; free some space and run the same command again"
                    in outcome.err
                )
            assert [p.name for p in disk.rglob("*.part")] == []
            assert (disk / "out" / "sidecar.json").exists() == (outcome.code == 0)
            (disk / "filler").unlink()
            if outcome.code:  # space again: it goes on
                run.done("export", "scan", disk / "out", "--scale=1", "--bits=16")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_two_exports_to_one_folder_do_not_mix(scan: Path, run: CommandLine) -> None:
    from filelock import FileLock

    (run.folder / "out").mkdir()
    with FileLock(run.folder / "out" / ".sidecar-export.lock"):
        run.refuses(
            "export", "scan", "out", "--scale=1", says="another export is writing to out now"
        )
    run.done("export", "scan", "out", "--scale=1")
