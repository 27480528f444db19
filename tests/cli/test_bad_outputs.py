"""Places that cannot be written to, or hold what is not ours: refused, and left as they are."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, rmtree, which
from tempfile import TemporaryDirectory

import pytest
from kit.command_line import CommandLine
from kit.exports import tagged
from kit.folders import contents
from kit.small_scans import FRAME_BYTES, VICTIM


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
                says=("out holds files that do not belong to an export", name),
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
    before = contents(run.folder / "out")
    told = run.done("export", "scan", "out", "--scale=1").err
    assert told == (
        "out: an earlier run finished it, from the same source with the same options; there is nothing to do\n"
    )
    assert contents(run.folder / "out") == before
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
        says=("scan holds files that do not belong to an export", "image_0000.dcm"),
    )
    run.refuses(
        "export", "scan", ".", "--scale=1", says="this folder holds files that do not belong"
    )
    run.refuses(
        "export",
        "scan/image_0000.dcm",
        "scan",
        "--scale=1",
        says="files that do not belong to an export",
    )


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
        (folder / "png" / "labels.csv").write_text(
            tagged("image,x,y\nslice_0000,1,2\n", folder / "png")
        )
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
