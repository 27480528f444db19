"""Inspect and export as a user runs them, and what lies in the output folder afterwards."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from kit.command_line import invoked
from kit.exports import png_path, tagged
from kit.numbered_slices import ROOT, write_slices
from kit.phantoms import SECRETS, Spec, write, write_flat_series
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

import sidecar
from sidecar.dicom import pixels
from sidecar.dicom.scan import scan
from sidecar.errors import AmbiguousSeriesError, LabelError
from sidecar.exporting.images import window_choice
from sidecar.labels.files import find_exports
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.load import map_file


def test_inspect_tells_what_is_there(tmp_path: Path) -> None:
    write(Spec(orientation="oblique", tilt_degrees=18.0, missing=(3,), localizer=True), tmp_path)
    text = invoked("inspect", tmp_path).stdout
    for fact in (
        "CT",
        "61 columns × 47 rows × 8 slices",
        "0.4 × 0.7",
        "tilt 18.00°",
        "1 slice seems to be missing, after slice",
        "Explicit VR Little Endian",
        "PNGs of",
    ):
        assert fact in text, fact
    facts = json.loads(invoked("inspect", tmp_path, "--json").stdout)
    assert len(facts["series"]) == 2, "the localizer is a stack of its own"
    (scan,) = [series for series in facts["series"] if series["size"] == [61, 47, 8]]
    assert scan["directions"] is not None and scan["tilt_degrees"] == pytest.approx(18, abs=1e-3)
    assert scan["export"]["size"] == [61, 47, 8] and scan["problem"] is None
    assert not any(secret in text.lower() for secret in SECRETS)


def test_of_many_stacks_that_are_alike_one_is_told_in_full(tmp_path: Path) -> None:
    def own_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID = f"{ROOT}.2.{k + 1}"

    lines = invoked("inspect", write_slices(tmp_path / "scan", own_series)).stdout.splitlines()
    assert sum(line.startswith("    size") for line in lines) == 1
    assert lines[-2:] == [
        "[12] like [1]: 1 file, slice_0012.dcm; SeriesInstanceUID differs in every file (….12"
        " here)",
        "12 stacks: choose one with --series NUMBER, all with --series all, or join them to one"
        " with --join",
    ]


def test_stacks_that_contradict_each_other_are_not_to_be_joined(tmp_path: Path) -> None:
    def turned(dataset: Dataset, k: int) -> None:
        if k == 0:
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]

    source = write_slices(tmp_path / "scan", turned)
    ways = "choose one with --series NUMBER, or all with --series all"
    assert invoked("inspect", source).stdout.splitlines()[-1] == f"2 stacks: {ways}"
    in_python = "choose one with series=NUMBER, or all by one call for each"
    with pytest.raises(AmbiguousSeriesError, match=f"; {in_python}:"):
        sidecar.export(source, tmp_path / "png")


def test_inspect_and_dry_run_read_no_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(), tmp_path / "scan")

    def refuse(*_: object) -> None:
        raise AssertionError("pixels were read")

    monkeypatch.setattr(pixels, "read_frame", refuse)
    invoked("inspect", tmp_path / "scan")
    told = invoked(
        "export", tmp_path / "scan", tmp_path / "png", "--scale", "1/2", "--dry-run"
    ).stdout
    assert "9 PNGs of 30 × 23" in told and "the last of 61 columns is not" in told
    assert not (tmp_path / "png").exists()


def test_what_16_bits_look_like_elsewhere_is_told_and_how_to_get_the_page(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    command = ("export", tmp_path / "scan", tmp_path / "png", "--scale", "1/2")
    dry = invoked(*command, "--bits", "16", "--dry-run").stdout
    told = invoked(*command, "--bits", "16").stderr
    for text in (dry, told):
        assert (
            "browsers, Label Studio, make-sense and VIA show only the upper 8 of 16 bits, which is nearly black for most scans"
            in text
        )
        assert (
            "no viewer page, because browsers do not show 16 bits: 'sidecar view' writes one"
            in text
        )
    assert not (tmp_path / "png" / "viewer.html").exists()
    invoked("view", tmp_path / "png")
    assert (tmp_path / "png" / "viewer.html").exists()
    other = ("export", tmp_path / "scan", tmp_path / "other", "--dry-run")
    bare = invoked(*other, "--bits", "16", "--no-viewer").stdout
    assert "nearly black" in bare and "viewer page" not in bare
    assert "nearly black" not in invoked(*other).stdout


def test_only_what_is_needed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phantom = write(Spec(columns=31, rows=29, slices=40, markers=False), tmp_path / "scan")
    read: set[str] = set()
    true_read = pixels.read_frame

    def noted(root: Path, frame: pixels.FrameLocator, *rest: object) -> object:
        read.add(Path(frame.file).name)
        return true_read(root, frame, *rest)

    monkeypatch.setattr(pixels, "read_frame", noted)
    sidecar.export(tmp_path / "scan", tmp_path / "png", z_step=10)
    assert read == {path.name for path in phantom.files()[::10]}


def test_several_time_points_and_echoes_are_told_apart(tmp_path: Path) -> None:
    phantom = write(
        Spec(modality="MR", time_points=2, echoes=2, columns=31, rows=29, markers=False),
        tmp_path / "scan",
    )
    with pytest.raises(AmbiguousSeriesError, match=r"(?s)4 stacks.*time point 1.*echo"):
        sidecar.export(tmp_path / "scan", tmp_path / "png")
    invoked("export", tmp_path / "scan", tmp_path / "png", "--series", "all")
    written = sorted(path.name for path in (tmp_path / "png").iterdir())
    assert written == ["series_01", "series_02", "series_03", "series_04"]
    uids = [
        {
            plane.sop_instance_uid
            for plane in sidecar.open(tmp_path / "png" / name).document.source.planes
        }
        for name in written
    ]
    assert sorted(map(sorted, uids)) == sorted(
        sorted(plane.sop_instance_uid for plane in volume) for volume in phantom.volumes
    )
    invoked("export", tmp_path / "scan", tmp_path / "third", "--series", "3")
    assert (
        sidecar.open(tmp_path / "third").document.source
        == sidecar.open(tmp_path / "png" / "series_03").document.source
    )


def write_disc(folder: Path, files: list[Path]) -> None:
    """A folder as on a disc: files under short names, and the DICOMDIR that lists them."""
    disc = FileSet()
    for path in files:
        disc.add(path)
    disc.write(folder)
    disc._stage["t"].cleanup()


def test_a_dicomdir_is_a_source(tmp_path: Path) -> None:
    phantom = write(Spec(junk=False, columns=31, rows=29, markers=False), tmp_path / "scan")
    write_disc(tmp_path / "disc", phantom.files())
    by_dicomdir = scan(tmp_path / "disc" / "DICOMDIR")
    by_folder = scan(tmp_path / "disc")
    assert len(by_dicomdir.frames) == len(phantom.planes)
    assert set(by_dicomdir.frames) == set(by_folder.frames)
    sidecar.export(tmp_path / "disc" / "DICOMDIR", tmp_path / "png")


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_dicomdir_that_points_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    phantom = write(Spec(junk=False, columns=31, rows=29, markers=False), tmp_path / "scan")
    write_disc(tmp_path / "disc", phantom.files()[:1])
    listing = pydicom.dcmread(tmp_path / "disc" / "DICOMDIR")
    for record in listing.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record.ReferencedFileID = ["..", "scan"]
    listing.save_as(tmp_path / "disc" / "DICOMDIR")
    assert "outside of its folder" in str(
        invoked("inspect", tmp_path / "disc" / "DICOMDIR", code=1).exception
    )


def test_a_lone_png_finds_its_way_home(tmp_path: Path) -> None:
    phantom = write(Spec(), tmp_path / "scan")
    exported = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    with Image.open(png_path(tmp_path / "png", 3)) as image:
        image.load()
        text = image.text  # type: ignore[attr-defined]
        assert (
            text["SeriesInstanceUID"] == phantom.series_uid
            and text["Tag"] == exported.document.images.tag
            and text["Slice"] == "3"
            and text["Sidecar"] == "sidecar.json"
        )
        x, y = image.info["dpi"]
    assert (x, y) == pytest.approx((25.4 / 0.8, 25.4 / 1.4), rel=1e-2)


def test_no_patient_identity_in_the_output(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    result = invoked("export", tmp_path / "scan", tmp_path / "png", "--scale", "0.5")
    written = (
        b"".join(path.read_bytes() for path in (tmp_path / "png").iterdir())
        + result.output.encode()
    )
    assert not [secret for secret in SECRETS if secret.encode() in written.lower()]
    assert str(tmp_path).encode() not in written


def test_images_without_geometry_map_to_source_pixels(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "no_geometry" / "cxr.dcm"
    told = invoked("export", source, tmp_path / "png", "--scale", "1/2").stderr
    assert "pixel units" in told
    (tmp_path / "png" / "labels.csv").write_text("x,y\n10,20\n")
    result = invoked("map-points", tmp_path / "png" / "labels.csv")
    assert "no patient geometry" in result.stderr
    header, row = result.stdout.splitlines()
    mapped = dict(zip(header.split(","), row.split(","), strict=True))
    assert (mapped["source_column"], mapped["source_row"], mapped["source_slice"]) == (
        "20.5",
        "40.5",
        "0.0",
    )
    assert [mapped[name] for name in ("x_mm", "y_mm", "z_mm", "uncertainty_mm")] == [""] * 4


def test_the_sidecar_is_found_beside_labels_or_images(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "work" / "png")
    beside, above = tmp_path / "work" / "png" / "labels.csv", tmp_path / "work" / "labels.csv"
    beside.write_text("x,y,slice\n1,2,3\n")
    above.write_text(tagged("x,y,image\n1,2,png/slice_0003.png\n", beside.parent))
    assert np.array_equal(map_file(beside).points.patient, map_file(above).points.patient)
    lost = tmp_path / "labels.csv"
    lost.write_text("x,y,image\n1,2,../work/png/slice_0003.png\n")
    with pytest.raises(sidecar.DocumentError, match="--sidecar"):
        find_exports(lost, Surroundings())
    outside = tmp_path / "work" / "inner" / "labels.csv"
    outside.parent.mkdir()
    outside.write_text("x,y,image\n1,2,../png/slice_0003.png\n")
    with pytest.raises(sidecar.DocumentError, match="--sidecar"):
        find_exports(outside, Surroundings())
    with pytest.raises(LabelError):
        find_exports(tmp_path / "none.csv", Surroundings())


def test_the_window_is_measured_in_every_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a width that is a power of two, as the sample's step would be: it must not fall
    between the columns looked at.
    """
    pixels = np.zeros((512, 512), np.uint16)
    pixels[:, 100:150] = 1000
    write_flat_series(tmp_path / "scan", slices=1, size=(512, 512), pixels=pixels)
    monkeypatch.setattr(window_choice, "SAMPLE_PIXELS", 1024)
    png = sidecar.export(tmp_path / "scan", tmp_path / "png")
    window, (_, intercept) = png.document.images.window, (1, -1024)
    assert window is not None and (window.lower, window.upper) == (intercept, 1000 + intercept)


def test_pixel_padding_does_not_make_the_window(tmp_path: Path) -> None:
    phantom = write(
        Spec(signed=True, rescale=(1.0, 0.0), bits_stored=16, junk=False), tmp_path / "scan"
    )
    for path in phantom.files():
        dataset = pydicom.dcmread(path)
        values = dataset.pixel_array.copy()
        values[:10] = -32000
        dataset.PixelData = values.tobytes()
        dataset.add_new("PixelPaddingValue", "SS", -32000)
        dataset.save_as(path)
    png = sidecar.export(tmp_path / "scan", tmp_path / "png")
    assert png.document.images.window is not None and png.document.images.window.lower > -32000
    with_it = sidecar.export(tmp_path / "scan", tmp_path / "wide", window="full")
    assert (
        with_it.document.images.window is not None and with_it.document.images.window.lower > -32000
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["export"], 2), (["inspect", "nowhere"], 1)]
)
def test_the_command_ends_as_it_should_though_it_takes_nothing_apart(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    """Its exit code, all that was said, and what others registered for the end; also where the
    caller closed stdout.
    """
    program = (
        "import atexit; atexit.register(print, 'goodbye', flush=True); from sidecar.__main__ import"
        " entry; entry()"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code and done.stdout.endswith("goodbye\n")
    assert ("dicom-sidecar" in done.stdout) == (code == 0) and ("sidecar: " in done.stderr) == (
        code != 0
    )
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert closed.returncode == code and "Traceback" not in closed.stderr


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    command = [
        sys.executable,
        "-c",
        "from sidecar.__main__ import entry; entry()",
        "export",
        str(tmp_path / "scan"),
    ]
    plain = subprocess.run([*command, str(tmp_path / "a")], capture_output=True, check=True)
    assert b"\x1b" not in plain.stderr and b"9 PNGs" in plain.stderr and plain.stdout == b""
    quiet = subprocess.run(
        [*command, str(tmp_path / "b"), "--quiet"], capture_output=True, check=True
    )
    assert quiet.stderr == quiet.stdout == b""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [*command, str(tmp_path / "c")],
        stderr=terminal,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    ) as program:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(controller, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(controller)
    assert program.returncode == 0 and b"writing PNGs" in shown and b"9/9" in shown


@pytest.mark.parametrize(
    ("format", "name"), [("nrrd", "volume.nrrd"), ("nifti", "volume.nii"), ("mha", "volume.mha")]
)
def test_a_volume_that_knows_its_place(format: str, name: str, tmp_path: Path) -> None:
    """Markers at the same patient positions in the volume, as SimpleITK reads it, and the same
    voxels as the PNGs.
    """
    reader = pytest.importorskip("SimpleITK")
    write(Spec(orientation="oblique", slice_gaps=1.1), tmp_path / "scan")
    invoked(
        "export",
        tmp_path / "scan",
        tmp_path / "png",
        "--scale",
        "1/2",
        "--bits",
        "16",
        "--volume",
        format,
    )
    png = sidecar.open(tmp_path / "png")
    volume = reader.ReadImage(str(tmp_path / "png" / name))
    assert volume.GetSize() == png.size
    for pixel in ((0, 0, 0), (5, 7, 3), tuple(n - 1 for n in png.size)):
        (mm,) = png.to_patient([pixel[:2]], pixel[2])
        assert np.allclose(volume.TransformIndexToPhysicalPoint(pixel), mm, atol=1e-4)
    voxels = reader.GetArrayFromImage(volume)
    with Image.open(png_path(tmp_path / "png", 3)) as image:
        assert np.array_equal(voxels[3], np.asarray(image))
    invoked("export", tmp_path / "scan", tmp_path / "png", "--volume", format, "--overwrite")


def test_a_volume_of_uneven_slices_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    write(Spec(slice_gaps=(1.0, 1.0, 2.5, 0.7, 1.0, 3.1, 1.0, 1.0)), tmp_path / "scan")
    result = invoked("export", tmp_path / "scan", tmp_path / "png", "--volume", "nrrd", code=1)
    assert isinstance(result.exception, sidecar.GeometryError)
    assert not list((tmp_path / "png").glob("*.png"))
