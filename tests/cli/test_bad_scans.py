"""Damaged scans: one message that names the file, exit code 1, nothing half-written."""

from __future__ import annotations

import errno
import os
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest
from kit.command_line import CommandLine
from kit.exports import tagged
from kit.folders import contents
from kit.phantoms import SECRETS, Phantom, raw_element
from kit.small_scans import ENCODINGS, FRAME_BYTES, VICTIM
from pydicom import dcmread, dcmwrite
from pydicom.uid import (
    MRSpectroscopyStorage,
    RawDataStorage,
)

import sidecar
from sidecar import SidecarError, export
from sidecar.exporting.options import make_options
from sidecar.exporting.run import plan_export


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_value_that_makes_no_sense_is_refused(name: str, scan: Path, run: CommandLine) -> None:
    """In one slice and in all of them."""
    for path in sorted(scan.iterdir(), key=lambda path: path.name != VICTIM):
        dataset = dcmread(path)
        keyword, value = WRONG_VALUES[name]
        dataset[keyword] = raw_element(
            keyword, value if isinstance(value, bytes) else value.to_bytes(2, "little")
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
        dataset["WindowCenter"] = raw_element("WindowCenter", window.encode().ljust(6))
        dataset["WindowWidth"] = raw_element("WindowWidth", b"1 ")
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
    from sidecar.exporting.run import run_job

    def vanish(*arguments: Any) -> Any:
        (scan / VICTIM).unlink()
        return run_job(*arguments)

    monkeypatch.setattr("sidecar.exporting.run.run_job", vanish)
    outcome = run("export", "scan", "out", "--scale=1")
    assert outcome.code == 1
    assert VICTIM in outcome.err


@pytest.mark.slow
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
    (here / "png" / "labels.csv").write_text(tagged("image,x,y\nslice_0000,1,2\n", here / "png"))
    run.done("map-points", here / "png" / "labels.csv", "-o", here / "mapped.csv")
    run.done("project", here / "mapped.csv", "--sidecar", here / "png", "-o", here / "placed.csv")
    for name, data in contents(here).items():
        if not name.startswith("scan/"):
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
