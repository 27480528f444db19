"""Many exports at once: what is finished is passed by, what was interrupted goes on, and every fault
of every source is told at once, by the name of its source.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.folders import contents
from kit.numbered_slices import ROOT, rewritten, write_slices
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

import sidecar
from sidecar.errors import BatchError, OutputError, UsageError
from sidecar.exporting.batch import plan_batch
from sidecar.exporting.config import load_config
from sidecar.exporting.options import make_options
from sidecar.exporting.source_facts import SourceFacts
from sidecar.storage.location import WritableLocation

PASSED_BY = (
    "an earlier run finished it, from the same source with the same options; there is nothing to do"
)
CONFIG = "specimens.yaml"


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, monkeypatch, capsys)


def specimen(folder: Path, number: int) -> Path:
    """A scan of its own."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID = f"{ROOT}.2.{number}"
        dataset.SOPInstanceUID = f"{ROOT}.3.{number}.{k + 1}"

    return write_slices(folder / "scans" / f"beetle_{number}", change)


def config(folder: Path, numbers: range, more: str = "") -> None:
    entries = "".join(f"- {{source: scans/beetle_{n}, output: png/beetle_{n}}}\n" for n in numbers)
    (folder / CONFIG).write_text(f"scale: 1/2\n{more}sources:\n{entries}")


def times(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def full_disk(facts: object, document: object, place: WritableLocation) -> None:
    raise OutputError("the disk is full")


# --- what is finished ---


def test_one_more_specimen_is_added(run: CommandLine) -> None:
    for number in (1, 2, 3):
        specimen(run.folder, number)
    config(run.folder, range(1, 3))
    run.done("export", "--config", CONFIG)
    before = times(run.folder / "png")
    config(run.folder, range(1, 4))
    told = run.done("export", "--config", CONFIG, "--dry-run").out
    assert told.count(PASSED_BY) == 2 and "beetle_3: 12 PNGs" in told
    told = run.done("export", "--config", CONFIG).err
    assert f"beetle_1: {PASSED_BY}" in told and f"beetle_2: {PASSED_BY}" in told
    assert "beetle_3: 12 PNGs" in told
    assert before.items() <= times(run.folder / "png").items()
    assert sidecar.open(run.folder / "png" / "beetle_3").size == (24, 20, 12)


def test_every_stack_that_is_finished_is_passed_by(run: CommandLine) -> None:
    for number in (1, 2):
        specimen(run.folder, number)
    run.done("export", "scans", "png", "--series", "all", "--scale=1")
    before = times(run.folder / "png")
    shutil.rmtree(run.folder / "png" / "series_02")
    told = run.done("export", "scans", "png", "--series", "all", "--scale=1").err
    assert f"stack 1 to series_01: {PASSED_BY}" in told
    assert "stack 2 to series_02: 12 PNGs" in told
    assert before.keys() == times(run.folder / "png").keys()
    assert sidecar.open(run.folder / "png" / "series_02").size == (48, 40, 12)


def test_a_stack_that_is_numbered_before_the_others_moves_none(run: CommandLine) -> None:
    """The new one is stack 1 now, and those before are 2 and 3."""
    for number in (2, 3):
        specimen(run.folder, number)
    run.done("export", "scans", "png", "--series", "all", "--scale=1")
    before = times(run.folder / "png")
    specimen(run.folder, 1)
    told = run.done("export", "scans", "png", "--series", "all", "--scale=1").err
    assert f"stack 2 to series_01: {PASSED_BY}" in told
    assert f"stack 3 to series_02: {PASSED_BY}" in told
    assert "stack 1 to series_03: 12 PNGs" in told
    assert before.items() <= times(run.folder / "png").items()
    uids = [
        sidecar.open(run.folder / "png" / f"series_{n:02d}").document.source.series_instance_uid
        for n in (1, 2, 3)
    ]
    assert uids == [f"{ROOT}.2.{n}" for n in (2, 3, 1)]


def test_an_interrupted_stack_goes_on_in_its_folder(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (2, 3):
        specimen(run.folder, number)
    run.done("export", "scans", "png", "--series", "all", "--scale=1")
    specimen(run.folder, 1)
    monkeypatch.setattr("sidecar.exporting.source_facts.SourceFacts.save", full_disk)
    outcome = run("export", "scans", "png", "--series", "all", "--scale=1")
    assert "- stack 1: the disk is full" in outcome.err
    monkeypatch.undo()
    monkeypatch.chdir(run.folder)
    specimen(run.folder, 0)
    before = times(run.folder / "png" / "series_03")
    told = run.done("export", "scans", "png", "--series", "all", "--scale=1").err
    assert told.count(PASSED_BY) == 2
    assert "stack 2 to series_03: 12 PNGs" in told and "stack 1 to series_04: 12 PNGs" in told
    now = times(run.folder / "png" / "series_03")
    assert all(now[name] == made for name, made in before.items() if name.endswith(".png"))


def test_stacks_with_other_options_are_refused(run: CommandLine) -> None:
    for number in (1, 2):
        specimen(run.folder, number)
    run.done("export", "scans", "png", "--series", "all", "--scale=1")
    run.refuses(
        "export", "scans", "png", "--series", "all", "--scale=1/2",
        says=("- stack 1: series_01 already holds a finished export", "- stack 2: series_02"),
    )  # fmt: skip


def test_a_finished_export_is_known_wherever_and_whenever_its_source_was_copied(
    run: CommandLine,
) -> None:
    png = sidecar.export(specimen(run.folder, 1), "png", scale=1)
    shutil.copytree(run.folder / "scans", run.folder / "elsewhere", copy_function=shutil.copyfile)
    before = contents(run.folder / "png")
    again = sidecar.export("elsewhere/beetle_1", "png", scale=1)
    assert again.document == png.document and contents(run.folder / "png") == before
    run.done("export", "elsewhere/beetle_1", "png", "--scale=1", "--jobs=1", "--series=1")


def longer(run: CommandLine) -> None:
    path = run.folder / "scans" / "beetle_1" / "slice_0007.dcm"
    path.write_bytes(path.read_bytes() + b"\0\0")


def one_slice_less(run: CommandLine) -> None:
    (run.folder / "scans" / "beetle_1" / "slice_0012.dcm").unlink()


def moved(run: CommandLine) -> None:
    write_slices(
        run.folder / "scans" / "beetle_1",
        lambda dataset, k: setattr(dataset, "ImagePositionPatient", [1, 0, 0.02 * k]),
    )


def damaged(run: CommandLine) -> None:
    path = run.folder / "png" / "sidecar.json"
    path.write_text(path.read_text().replace('"bits": 8', '"bits": 16'))


@pytest.mark.parametrize("change", [longer, one_slice_less, moved, damaged])
def test_an_export_of_another_source_is_refused(
    change: Callable[[CommandLine], None], run: CommandLine
) -> None:
    specimen(run.folder, 1)
    run.done("export", "scans/beetle_1", "png", "--scale=1")
    change(run)
    for more in ((), ("--dry-run",)):
        run.refuses(
            "export", "scans/beetle_1", "png", "--scale=1", *more,
            says=("png already holds a finished export", "--overwrite"),
        )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    ["--scale=1/2", "--bits=16", "--window=full", "--specimen=beetle", "--crop=0:20,:,:"],
)
def test_an_export_with_other_options_is_refused(options: str, run: CommandLine) -> None:
    specimen(run.folder, 1)
    run.done("export", "scans/beetle_1", "png")
    run.refuses("export", "scans/beetle_1", "png", options, says="already holds a finished export")


def test_what_is_missing_of_a_finished_export_is_named(run: CommandLine) -> None:
    specimen(run.folder, 1)
    png = sidecar.export("scans/beetle_1", "png", scale=1)
    victim = png.document.images.files[3].name
    (run.folder / "png" / victim).unlink()
    run.refuses("export", "scans/beetle_1", "png", "--scale=1", says=(victim, "--overwrite"))
    run.done("export", "scans/beetle_1", "png", "--scale=1", "--overwrite")
    run.refuses(
        "export", "scans/beetle_1", "png", "--scale=1", "--volume=nrrd",
        says=("finished export, but files are missing: volume.nrrd", "--overwrite"),
    )  # fmt: skip


def test_an_interrupted_export_of_a_batch_goes_on(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        specimen(run.folder, number)
    config(run.folder, range(1, 4))
    run.done("export", "--config", CONFIG)
    whole = contents(run.folder / "png")
    shutil.rmtree(run.folder / "png" / "beetle_2")
    shutil.rmtree(run.folder / "png" / "beetle_3")
    save = SourceFacts.save
    monkeypatch.setattr("sidecar.exporting.source_facts.SourceFacts.save", full_disk)
    outcome = run("export", "--config", CONFIG)
    assert outcome.code == 1
    assert outcome.err.splitlines()[-3:] == [
        "sidecar: 1 of 3 exports finished, 2 did not; correct the faults below, and run the same"
        " command again to go on where it stopped:",
        "- beetle_2: the disk is full",
        "- beetle_3: the disk is full",
    ]
    left = times(run.folder / "png" / "beetle_2")
    monkeypatch.setattr("sidecar.exporting.source_facts.SourceFacts.save", save)
    told = run.done("export", "--config", CONFIG).err
    assert told.count(PASSED_BY) == 1
    assert contents(run.folder / "png") == whole
    now = times(run.folder / "png" / "beetle_2")
    assert all(now[name] == made for name, made in left.items() if name.endswith(".png"))


def test_a_fault_of_one_export_stops_no_other(run: CommandLine) -> None:
    """What only pixels show is met when the others are being written."""
    for number in (1, 2, 3):
        specimen(run.folder, number)

    def short(dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = RLELossless
        dataset.PixelData = encapsulate([b"no RLE at all, but of even length. "])
        dataset["PixelData"].is_undefined_length = True

    rewritten(run.folder / "scans" / "beetle_2" / "slice_0005.dcm", short)
    config(run.folder, range(1, 4))
    outcome = run("export", "--config", CONFIG)
    assert outcome.code == 1 and str(run.folder) not in outcome.err
    assert "2 of 3 exports finished, 1 did not" in outcome.err
    assert "- beetle_2: slice_0005.dcm" in outcome.err
    for number, there in ((1, True), (2, False), (3, True)):
        assert (run.folder / "png" / f"beetle_{number}" / "sidecar.json").exists() == there
    specimen(run.folder, 2)
    anew = (
        (run.folder / CONFIG).read_text().replace("png/beetle_2", "png/beetle_2, overwrite: true")
    )
    (run.folder / CONFIG).write_text(anew)
    told = run.done("export", "--config", CONFIG).err
    assert told.count(PASSED_BY) == 2 and "beetle_2: 12 PNGs" in told


# --- what is at fault ---


def faulty(folder: Path) -> None:
    """Four sources of which three are at fault, and an output that is taken."""
    for number in (1, 2, 3, 4):
        specimen(folder, number)
    (folder / "scans" / "beetle_2" / "slice_0005.dcm").write_bytes(
        (folder / "scans" / "beetle_2" / "slice_0005.dcm").read_bytes()[:-10]
    )
    shutil.rmtree(folder / "scans" / "beetle_3")
    (folder / "png" / "beetle_4").mkdir(parents=True)
    (folder / "png" / "beetle_4" / "thesis.tex").write_text("mine")
    config(folder, range(1, 5))


def test_every_fault_of_every_source_is_told_at_once(run: CommandLine) -> None:
    faulty(run.folder)
    for more in ((), ("--dry-run",)):
        message = run.refuses(
            "export", "--config", CONFIG, *more,
            says=(
                "3 faults, and nothing was written:",
                "- beetle_2: slice_0005.dcm cannot be used: the file is cut short",
                "- beetle_3: there is no such file or folder",
                "- beetle_4: beetle_4 holds files that do not belong to an export (thesis.tex)",
            ),
        )  # fmt: skip
        assert len(message.splitlines()) == 4
        assert not (run.folder / "png" / "beetle_1").exists()


def test_the_only_fault_is_what_it_was(run: CommandLine) -> None:
    specimen(run.folder, 1)
    config(run.folder, range(1, 3))
    run.refuses("export", "--config", CONFIG, says="sidecar: beetle_2: there is no such")


def test_faults_of_options_are_told_for_every_source(run: CommandLine) -> None:
    (run.folder / CONFIG).write_text(
        "sources:\n"
        "- {source: a/one, output: x, bits: 12, zstep: 3}\n"
        "- {source: a/two, output: y}\n"
        "- {source: a/three, output: z, scale: 3}\n"
    )
    message = run.refuses(
        "export", "--config", CONFIG, "--dry-run", code=2,
        says=("2 faults", f"{CONFIG}: one: sources.0.bits: ", "sources.0.zstep: ",
              f"{CONFIG}: three: sources.2.scale: "),
    )  # fmt: skip
    assert len(message.splitlines()) == 3
    with pytest.raises(BatchError) as caught:
        load_config(run.folder / CONFIG)
    assert all(isinstance(fault, UsageError) for fault in caught.value.faults)


def test_stacks_that_cannot_be_planned_are_named(run: CommandLine) -> None:
    for number in (1, 2):
        specimen(run.folder, number)
    run.refuses(
        "export", "scans", "png", "--series=all", "--crop=0:4,0:4,20:30", code=2,
        says=("2 faults", "- stack 1: ", "- stack 2: "),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ([("scan", "png")], [""]),
        ([("a/1", "x"), ("b/2", "y")], ["1: ", "2: "]),
        ([("a/dicom", "x"), ("b/dicom", "y"), ("c", "z")], ["a/dicom: ", "b/dicom: ", "c: "]),
        ([("a/x/dicom", "1"), ("b/x/dicom", "2")], ["a/x/dicom: ", "b/x/dicom: "]),
        ([("scan", "x/axial"), ("scan", "y")], ["scan to axial: ", "scan to y: "]),
    ],
)
def test_sources_are_told_apart_by_name(
    places: list[tuple[str, str]], names: list[str], run: CommandLine
) -> None:
    batch = plan_batch([(*place, make_options()) for place in places])
    told = [str(fault) for fault in batch.faults.found]
    assert len(told) == len(names)
    assert all(
        text.startswith(name) and "no such" in text for text, name in zip(told, names, strict=True)
    )
