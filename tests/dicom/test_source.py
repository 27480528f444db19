"""Is this the same scan, with the same geometry? One answer, whichever command asks.

The truth is what was done to the files of a phantom; messages have to say just that.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.command_line import CommandLine
from kit.edited_headers import edited
from kit.painted_masks import paint
from kit.phantoms import Phantom, Spec, write
from kit.zips import DEFLATED, STORED, zipped
from pydicom.uid import UID

import sidecar
from sidecar.dicom.source import Source
from sidecar.dicom.stacks.same_scan import KnownScan, closest, difference
from sidecar.dicom.stacks.series import Series
from sidecar.errors import AmbiguousSeriesError, SourceError, UsageError
from sidecar.grid.stack import Stack
from sidecar.mapping import Sidecar

SMALL: dict[str, Any] = {
    "columns": 31,
    "rows": 27,
    "slices": 9,
    "sigma": (1.5, 0.7),
    "markers": False,
}


@pytest.fixture
def phantom(tmp_path: Path) -> Phantom:
    """A scan that a test may spoil: nine files in position order."""
    return write(Spec(**SMALL, shuffled_names=False, junk=False), tmp_path / "scan")


@pytest.fixture
def png(phantom: Phantom, tmp_path: Path) -> Sidecar:
    return sidecar.export(phantom.folder, tmp_path / "png", scale=0.5)


def moved(phantom: Phantom, *by: float, slices: slice = slice(None)) -> None:
    """Files whose positions lie elsewhere, mm LPS, under the same UIDs."""
    for plane, path in list(zip(phantom.planes, phantom.files(), strict=True))[slices]:
        edited(path, ImagePositionPatient=list(np.add(plane.position, by)))


def refused(folder: Path, png: Sidecar) -> str:
    """The message, and the same words in what `check` is told."""
    source = Source.open(folder)
    with pytest.raises(SourceError) as caught:
        source.matching(png.known_scan)
    found = source.closest(png.known_scan).difference
    assert found is not None and found.found in str(caught.value)
    assert str(caught.value).endswith(f"; {found.remedy}")
    return str(caught.value)


# It is the same scan.


def test_file_names_and_folders_decide_nothing(
    phantom: Phantom, png: Sidecar, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    for i, path in enumerate(reversed(phantom.files())):
        shutil.copy(path, tmp_path / "elsewhere" / ("deep" if i % 2 else ".") / f"{i}")
    source = Source.open(tmp_path / "elsewhere")
    series = source.matching(png.known_scan)
    assert [frame.sop_instance_uid for frame in series.frames] == [
        plane.sop_instance_uid for plane in phantom.planes
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"layout": "enhanced"},
        {"duplicates": 3, "localizer": True},
        {"orientation": "oblique", "tilt_degrees": 12.0},
        {"missing": (2, 5)},
        {"position_decimals": 2},
        {"slices": 1},
    ],
    ids=str,
)
def test_every_kind_of_scan_is_known_again(spec: dict[str, Any], tmp_path: Path) -> None:
    folder = write(Spec(**{**SMALL, **spec}), tmp_path / "scan").folder
    wanted = max(Source.open(folder).series, key=lambda series: len(series.frames))
    png = sidecar.export(folder, tmp_path / "png", scale=0.5, series=str(wanted.number))
    assert Source.open(folder).matching(png.known_scan).number == wanted.number


def test_each_echo_is_its_own_scan(tmp_path: Path) -> None:
    folder = write(Spec(**SMALL, modality="MR", echoes=2), tmp_path / "scan").folder
    for number in (1, 2):
        png = sidecar.export(folder, tmp_path / f"{number}", scale=0.5, series=str(number))
        assert Source.open(folder).matching(png.known_scan).number == number


def test_without_geometry_the_instances_decide(phantom: Phantom, tmp_path: Path) -> None:
    class_ = "1.2.840.10008.5.1.4.1.1.7"  # secondary capture, which needs no plane
    for i, path in enumerate(phantom.files()):
        header = pydicom.dcmread(path)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            del header[keyword]
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = UID(class_)
        header.InstanceNumber = i + 1
        header.save_as(path)
    png = sidecar.export(phantom.folder, tmp_path / "flat", scale=0.5)
    assert png.stack is None
    assert Source.open(phantom.folder).matching(png.known_scan).stack is None
    for i, path in enumerate(phantom.files()):
        edited(path, InstanceNumber=100 - i)
    assert "another order" in refused(phantom.folder, png)


# It is not, or not as it was.


def test_another_scan(phantom: Phantom, png: Sidecar, tmp_path: Path) -> None:
    other = write(Spec(**SMALL, seed=1), tmp_path / "other").folder
    assert refused(other, png) == (
        "other does not hold the scan that the sidecar describes: none of its 9 slices is there"
        " (they are known by their SOP Instance UIDs); give the folder of that scan"
    )


def test_slices_that_are_missing_and_slices_that_are_new(phantom: Phantom, png: Sidecar) -> None:
    files = phantom.files()
    edited(files[8], SOPInstanceUID="2.25.1")
    assert refused(phantom.folder, png) == (
        "scan does not hold the scan that the sidecar describes: slice 8 (0-based) of 9 is missing,"
        " and 1 more slice is there; copy what is missing, or give the folder of the whole scan"
    )
    files[8].unlink()
    assert "slice 8 (0-based) of 9 is missing; copy" in refused(phantom.folder, png)
    for path in files[1:8]:
        path.unlink()
    assert "8 of 9 slices are missing: 1, 2, 3, 4, 5 … (0-based); copy" in refused(
        phantom.folder, png
    )


def test_slices_that_do_not_belong_to_it(phantom: Phantom, png: Sidecar) -> None:
    x, y, z = phantom.planes[8].position
    shutil.copy(phantom.files()[8], phantom.folder / "more.dcm")
    edited(
        phantom.folder / "more.dcm", SOPInstanceUID="2.25.1", ImagePositionPatient=[x, y, z + 1.3]
    )
    assert "describes: 1 more slice is there; move the slices that do not belong" in refused(
        phantom.folder, png
    )


def test_damaged_files_in_between_are_told_first(phantom: Phantom, png: Sidecar) -> None:
    """They may be what is missing, and the geometry of one cannot be known."""
    path = phantom.files()[4]
    path.write_bytes(path.read_bytes()[:-100])
    source = Source.open(phantom.folder)
    with pytest.raises(SourceError, match=f"{path.name} cannot be used: the file is cut short"):
        source.matching(png.known_scan)
    found = source.closest(png.known_scan).difference
    assert found is not None and found.found == "slice 4 (0-based) of 9 is missing"


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ((0, 0, 5), "every slice is 5 mm from where it was, by (0, 0, 5)"),
        ((3, -4, 0), "every slice is 5 mm from where it was, by (3, -4, 0)"),
        ((0, 1e-6, 0), "every slice is 1e-06 mm from where it was, by (0, 1e-06, 0)"),
    ],
)
def test_a_scan_that_was_moved(
    by: tuple[float, ...], says: str, phantom: Phantom, png: Sidecar
) -> None:
    moved(phantom, *by)
    assert refused(phantom.folder, png) == (
        f"scan is not as it was when the sidecar was written: {says}; give the scan as it was"
        " then, or export it again as it is now"
    )


def test_one_or_some_slices_that_were_moved(phantom: Phantom, png: Sidecar) -> None:
    moved(phantom, 0, 0.25, 0, slices=slice(4, 5))
    assert "written: slice 4 (0-based) is 0.25 mm from where it was, by (0, 0.25, 0);" in refused(
        phantom.folder, png
    )
    moved(phantom, -2, 0, 0, slices=slice(6, None))
    assert (
        "written: 4 of 9 slices differ, slice 6 (0-based) most: it is 2 mm from where it was, by"
        " (-2, 0, 0);"
    ) in refused(phantom.folder, png)


def test_another_pixel_spacing_and_another_orientation(phantom: Phantom, png: Sidecar) -> None:
    for path in phantom.files():
        edited(path, PixelSpacing=[0.7, 0.41])
    assert "its Pixel Spacing is 0.7 × 0.41 mm, but was 0.7 × 0.4 mm;" in refused(
        phantom.folder, png
    )
    angle = np.radians(2)
    across, down = (np.cos(angle), np.sin(angle), 0), (-np.sin(angle), np.cos(angle), 0)
    for path in phantom.files():
        edited(
            path,
            PixelSpacing=[0.7, 0.4],
            ImageOrientationPatient=[f"{c:.12f}" for c in (*across, *down)],
        )
    assert "written: every slice is turned by 2°;" in refused(phantom.folder, png)


def test_slices_in_another_order(phantom: Phantom, png: Sidecar) -> None:
    files, planes = phantom.files(), phantom.planes
    edited(files[3], ImagePositionPatient=list(planes[4].position))
    edited(files[4], ImagePositionPatient=list(planes[3].position))
    assert "its slices are in another order: their positions were changed" in refused(
        phantom.folder, png
    )


def test_slices_that_make_no_stack_any_more(phantom: Phantom, png: Sidecar) -> None:
    edited(phantom.files()[3], ImagePositionPatient=list(phantom.planes[4].position))
    assert "its slices no longer make a stack: 2 slices lie at one position" in refused(
        phantom.folder, png
    )


def test_images_of_another_size(png: Sidecar, tmp_path: Path) -> None:
    wider = write(Spec(**{**SMALL, "columns": 33}), tmp_path / "wider").folder  # the same UIDs
    assert "its images have 33 × 27 pixels, but had 31 × 27" in refused(wider, png)


def test_of_copies_with_other_pixels_the_one_that_was_exported(
    phantom: Phantom, tmp_path: Path
) -> None:
    """Copies of 8 bits under the same UIDs are the same scan, but not the same pixels."""
    both = tmp_path / "both"
    shutil.copytree(phantom.folder, both / "original")
    write(Spec(**SMALL, bits_stored=8, shuffled_names=False, junk=False), both / "preview")
    exports = [
        sidecar.export(both, tmp_path / str(number), scale=0.5, series=str(number))
        for number in (1, 2)
    ]
    for number, png in enumerate(exports, start=1):
        assert Source.open(both).matching(png.known_scan).number == number
    (both / "original").rename(both / "a")
    (both / "preview").rename(both / "b")
    for png in exports:
        told = refused(both, png)
        assert "both holds the scan that the sidecar describes more than once: 2 stacks" in told
        assert "in a/image_0000.dcm, b/image_0000.dcm; move the copies" in told


# Every number of the geometry counts.


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[KnownScan, Series]:
    folder = write(
        Spec(**SMALL, orientation="oblique", tilt_degrees=12.0), tmp_path_factory.mktemp("scan")
    ).folder
    (series,) = Source.open(folder).series
    png = sidecar.export(folder, tmp_path_factory.mktemp("png") / "png", scale=0.5)
    return png.known_scan, series


def changed(known: KnownScan, change: Callable[[dict[str, Any]], object]) -> KnownScan:
    stack = known.stack
    assert stack is not None
    fields = {
        "pixel_spacing": list(stack.pixel_spacing),
        "positions": stack.positions.copy(),
        "orientations": stack.orientations.copy(),
    }
    change(fields)
    fields["pixel_spacing"] = tuple(fields["pixel_spacing"])
    return replace(known, stack=Stack(stack.columns, stack.rows, **fields))


@given(
    where=st.one_of(
        st.tuples(st.just("pixel_spacing"), st.tuples(st.integers(0, 1))),
        st.tuples(st.just("positions"), st.tuples(st.integers(0, 8), st.integers(0, 2))),
        st.tuples(st.just("orientations"), st.tuples(st.integers(0, 8), st.integers(0, 5))),
    ),
    sign=st.sampled_from((-1, 1)),
    exponent=st.floats(-6, -4),
)
def test_any_number_that_changed_is_found_and_rounding_is_not(
    known: tuple[KnownScan, Series],
    where: tuple[str, tuple[int, ...]],
    sign: int,
    exponent: float,
) -> None:
    scan, series = known
    name, at = where

    def by(amount: float) -> Callable[[dict[str, Any]], object]:
        def change(fields: dict[str, Any]) -> None:
            if len(at) == 1:
                fields[name][at[0]] += amount
            else:
                fields[name][at] += amount

        return change

    found = difference(changed(scan, by(sign * 10**exponent)), series)
    assert found is not None and found.about == "planes"
    if len(at) == 2:
        assert found.found.startswith(f"slice {at[0]} (0-based) is ")
    assert difference(changed(scan, by(sign * 1e-12)), series) is None


def test_the_nearest_of_several_is_told_of(known: tuple[KnownScan, Series]) -> None:
    scan, series = known
    part = replace(series, frames=series.frames[:3])
    more = replace(series, frames=series.frames[:5])
    match = closest(scan, [part, more])
    assert match.series is more
    assert match.difference is not None and "4 of 9 slices are missing" in match.difference.found
    assert closest(scan, []).series is None


# What is asked for.


def test_what_is_chosen(tmp_path: Path) -> None:
    source = Source.open(write(Spec(**SMALL, modality="MR", echoes=2), tmp_path / "scan").folder)
    assert [series.number for series in source.choose("all")] == [1, 2]
    assert [series.number for series in source.choose("2")] == [2]
    with pytest.raises(AmbiguousSeriesError, match="2 stacks"):
        source.choose(None)
    with pytest.raises(UsageError, match="--series 3"):
        source.choose("3")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"found in empty \(it holds nothing at all\)"):
        Source.open(tmp_path / "empty").choose(None)
    with pytest.raises(SourceError, match="nowhere: there is no such file or folder"):
        Source.open(tmp_path / "nowhere")


# The commands.


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)


def commands(png: Sidecar, source: Path, folder: Path) -> dict[str, tuple[object, ...]]:
    """Every command that looks a scan up, on labels and masks of an export in ``folder / "png"``."""
    labels = folder / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\ntip,7,6,4\n")
    columns, rows, slices = png.size
    painted = np.ones((slices, rows, columns), np.uint8)
    masks = paint(folder / "masks", painted, png)
    points, mask = ("map-points", labels), ("map-mask", masks, "--sidecar", folder / "png")
    output, dicom = ("-o", folder / "out.dcm"), ("--dicom", source)
    return {
        "zoom": ("zoom", labels, "--source", source, "-o", folder / "zooms"),
        "report": ("report", labels, "--source", source, "-o", folder / "report.html"),
        "SR": (*points, *output, "--to", "dicom-sr", *dicom),
        "RTSTRUCT": (*points, *output, "--to", "dicom-rtstruct", *dicom),
        "SEG": (*mask, *output, "--to", "dicom-seg", *dicom),
        "RTSTRUCT of a mask": (*mask, *output, "--to", "dicom-rtstruct", *dicom),
    }


def spacing(phantom: Phantom) -> None:
    for path in phantom.files():
        edited(path, PixelSpacing=[0.7, 0.41])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda phantom: moved(phantom, 0, 0, 5), "every slice is 5 mm from where it was"),
        (
            lambda phantom: moved(phantom, 0, 0.3, 0, slices=slice(7, 8)),
            "slice 7 (0-based) is 0.3 mm from where it was",
        ),
        (spacing, "its Pixel Spacing is 0.7 × 0.41 mm, but was 0.7 × 0.4 mm"),
        (lambda phantom: phantom.files()[2].unlink(), "slice 2 (0-based) of 9 is missing"),
    ],
    ids=["moved", "one moved", "spacing", "missing"],
)
def test_every_command_refuses_it_in_the_same_words_and_check_finds_it(
    spoil: Callable[[Phantom], object],
    says: str,
    phantom: Phantom,
    png: Sidecar,
    run: CommandLine,
    tmp_path: Path,
) -> None:
    asked = commands(png, phantom.folder, tmp_path)
    spoil(phantom)
    expected = refused(phantom.folder, png)
    assert says in expected
    for command, arguments in asked.items():
        assert run.refuses(*arguments, says=expected).strip() == f"sidecar: {expected}", command
    checked = run("check", tmp_path / "png", "--source", phantom.folder)
    assert checked.code == 1
    assert any(says in line for line in checked.out.splitlines()), checked.out


def test_every_command_takes_it_under_other_names(
    phantom: Phantom, png: Sidecar, run: CommandLine, tmp_path: Path
) -> None:
    for i, path in enumerate(phantom.files()):
        path.rename(phantom.folder / f"{(5 * i) % 9}.ima")
    for arguments in commands(png, phantom.folder, tmp_path).values():
        run.done(*arguments)
    run.done("check", tmp_path / "png", "--source", phantom.folder)


@pytest.mark.parametrize("method", [STORED, DEFLATED], ids=["stored", "deflated"])
def test_every_command_takes_it_in_a_zip(
    method: int, phantom: Phantom, png: Sidecar, run: CommandLine, tmp_path: Path
) -> None:
    path = zipped(phantom.folder, method)
    for arguments in commands(png, path, tmp_path).values():
        run.done(*arguments)
    checked = run.done("check", tmp_path / "png", "--source", path, "--slices", "all")
    assert "every pixel is the same" in checked.out


@pytest.mark.parametrize("uid", ["", "1.2.840.99.1"])
def test_uids_that_are_absent_or_shared_prove_nothing(
    phantom: Phantom, tmp_path: Path, uid: str, run: CommandLine
) -> None:
    """Another scan without them, made by the same protocol, would pass for the same one."""
    other = tmp_path / "other"
    shutil.copytree(phantom.folder, other)
    others = [path for path in other.rglob("*") if path.is_file()]
    for path in others:
        edited(path, PixelData=pydicom.dcmread(path).PixelData[::-1])
    series = {"StudyInstanceUID": "1.2.840.99.2", "SeriesInstanceUID": "1.2.840.99.3"}
    frame = {"FrameOfReferenceUID": "1.2.840.99.4"}
    for path in [*phantom.files(), *others]:
        edited(path, SOPInstanceUID=uid, **series, **frame)
    png = sidecar.export(phantom.folder, tmp_path / "png")
    for folder in (phantom.folder, other):
        with pytest.raises(SourceError, match=r"no SOPInstanceUID, or share one.*dcmodify -gin"):
            Source.open(folder).matching(png.known_scan)
    told = run.done("check", tmp_path / "png", "--source", phantom.folder).out
    assert "so they prove nothing; only pixels do" in told
    outcome = run("check", tmp_path / "png", "--source", other)
    assert outcome.code == 1 and "FAILED  pixels" in outcome.out
