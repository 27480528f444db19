"""Sources that are no scan, and DICOMDIRs that are damaged or point elsewhere, are refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import copytree

import pytest
from kit.command_line import CommandLine
from kit.exports import png_path
from kit.phantoms import Phantom, raw_element
from kit.small_scans import VICTIM
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

import sidecar


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


def test_files_with_the_name_of_an_image_that_are_none_are_told(
    scan: Path, run: CommandLine
) -> None:
    """What stands in the place of a slice after a download that failed."""
    last = max(scan.glob("*.dcm"))
    last.write_bytes(b"")
    (scan / "IM7.IMA").write_text("<html>404</html>")
    (scan / "._slice.dcm").write_bytes(b"\x00\x05\x16\x07")
    told = run.done("export", "scan", "png", "--scale=1").err
    assert f"1 × empty file with the name of a DICOM image ({last.name})" in told
    assert "1 × file with the name of a DICOM image that is none (IM7.IMA)" in told


def test_an_export_is_not_a_scan(scan: Path, run: CommandLine) -> None:
    run.done("export", "scan", "png", "--scale=1")
    says = (
        "no DICOM images found in png: it holds an export of PNGs; give the DICOM scan that they"
        " were made of\n"
    )
    run.refuses("export", "png", "out", says=says)
    assert run("inspect", "png").err.endswith(says)
    run.refuses("export", png_path(run.folder / "png", 0), "out", says="no DICOM images")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(scan: Path, run: CommandLine) -> None:
    os.mkfifo(run.folder / "pipe")
    os.mkfifo(scan / "pipe.dcm")
    run.refuses("export", "pipe", "out", says="pipe: there is no such folder or regular file")
    run.done("export", "scan", "out", "--scale=1")


def test_links_are_followed_and_those_that_lead_nowhere_are_told(
    scan: Path, run: CommandLine
) -> None:
    (run.folder / "inside").mkdir()
    for path in scan.iterdir():
        (run.folder / "inside" / path.name).symlink_to(path)
    run.done("export", "inside", "linked", "--scale=1")
    planes = sidecar.open("linked").document.source.planes
    assert [plane.file for plane in planes] == [f"image_{k:04d}.dcm" for k in range(5)]
    (scan / "loop").symlink_to(scan, target_is_directory=True)
    (scan / "dangling.dcm").symlink_to("nowhere")
    (scan / "itself.dcm").symlink_to("itself.dcm")
    (scan / "through.dcm").symlink_to(f"{VICTIM}/beyond")
    run.done("export", "scan", "out", "--scale=1")
    (told,) = sidecar.open("out").document.warnings
    assert "3 × link that leads nowhere (dangling.dcm, itself.dcm, through.dcm)" in told
    assert "1 × link to a folder that it lies in (loop)" in run("inspect", "scan").out


def test_what_git_wrote_in_place_of_a_file_is_told(scan: Path, run: CommandLine) -> None:
    """As in data sets of DataLad whose content was not fetched, and on systems without links."""
    store = run.folder / "store" / "annex" / "objects"
    store.mkdir(parents=True)
    (scan / "image_0004.dcm").rename(store / "4.dcm")
    (scan / "image_0004.dcm").write_text("../store/annex/objects/4.dcm\n")
    (scan / "image_0005.dcm").write_text("/annex/objects/SHA256E-s1000--5.dcm\n")
    (scan / "image_0006.dcm").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:6\nsize 1000\n"
    )
    run.done("export", "scan", "out", "--scale=1")
    told = "\n".join(sidecar.open("out").document.warnings)
    for words in (
        "1 × link that git wrote as text (git config core.symlinks true makes it a link)"
        " (image_0004.dcm)",
        "1 × git-annex file whose content is not here (git annex get fetches it) (image_0005.dcm)",
        "1 × git-lfs file whose content is not here (git lfs pull fetches it) (image_0006.dcm)",
    ):
        assert words in told
    run.done("export", ".", "whole", "--scale=1", "--dry-run")
    assert "to a file that is read already (scan/image_0004.dcm)" in run("inspect", ".").out


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
        says=("DICOMDIR names 1 missing file", victim.name, "give the folder"),
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
            record["ReferencedFileID"] = raw_element(
                "ReferencedFileID", name.replace("/", "\\").encode()
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
