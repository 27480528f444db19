"""The command on phantoms: markers stand at the crosses in every view, only slices around labels
are read, wrong input is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.exports import png_path
from kit.phantoms import Marker, Phantom, Spec, centroid, write
from kit.report_page import Drawing, Page

import sidecar
from sidecar.mapping import Sidecar

#: How far from its cross a marker may stand.
BOUND_SOURCE_PIXELS = 0.05

#: Volume markers that are about round in mm, deep enough to be seen whole across the slices.
ROUND = {
    "columns": 75,
    "rows": 61,
    "slices": 59,
    "pixel_spacing": (0.5, 0.5),
    "slice_gaps": 0.55,
    "sigma": (2.5, 2.2),
    "junk": False,
}


@dataclass(frozen=True)
class Case:
    """A phantom and how it is exported."""

    spec: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


CASES = {
    "half": Case({}, {"scale": 0.5}),
    "half, every second": Case({"orientation": "oblique"}, {"scale": 0.5, "z_step": 2}),
    "0.37, mean of 3": Case(
        {"orientation": "sagittal"}, {"scale": 0.37, "z_step": 3, "z_filter": "mean"}
    ),
    "cropped": Case({}, {"scale": 0.5, "crop": "3:73,2:,1:58"}),
    "tilt 15": Case({"tilt_degrees": 15.0}, {"scale": 0.5, "z_step": 2}),
    "tilt -15, coronal": Case({"tilt_degrees": -15.0, "orientation": "coronal"}, {"scale": 0.5}),
    "not square": Case({"pixel_spacing": (0.62, 0.4), "slice_gaps": 0.8}, {"scale": 0.5}),
    "16 bits": Case({}, {"scale": 0.5, "bits": 16}),
    "MONOCHROME1": Case({"photometric": "MONOCHROME1"}, {"scale": 0.5, "window": "full"}),
    "PET": Case(
        {"modality": "PT", "per_slice_rescale": True, "rescale": (0.8, 0.0)},
        {"scale": 0.5, "window": "full"},
    ),
    "enhanced": Case({"layout": "enhanced"}, {"scale": 0.5}),
    "cut as coronal": Case({"tilt_degrees": 10.0}, {"scale": 0.5, "plane": "coronal"}),
    "cut mirrored": Case({"orientation": "oblique"}, {"scale": 0.5, "z_step": 2, "plane": "-zy-x"}),
    "RGB": Case({"photometric": "RGB", "bits_stored": 8, "rescale": None}, {"scale": 0.5}),
}


def label(png: Sidecar, markers: list[Marker], folder: Path) -> Path:
    """Labels exactly where the sidecar says that markers are on the PNGs, whole slices apart from
    what they are.
    """
    xy, slices = png.from_source([marker.source for marker in markers])
    rows = [
        f"{marker.name},{x!r},{y!r},{k!r}"
        for marker, (x, y), k in zip(markers, xy.tolist(), slices.tolist(), strict=True)
    ]
    path = folder / "labels.csv"
    path.write_text("\n".join(["label,x,y,slice", *rows]) + "\n")
    return path


def drawing_mm(drawing: Drawing, size_mm: float) -> list[float]:
    """Mm of an image pixel in x and y, as it is drawn; a drawing is 200 units wide."""
    return [size_mm / 200 / unit for unit in drawing.unit]


def expected_mm(drawing: Drawing, phantom: Phantom, png: Sidecar) -> list[float]:
    """The same by the headers: those of the PNG, of the source pixels, or of the finest step where
    it is interpolated.
    """
    if drawing.caption.startswith("PNG"):
        return [float(spacing or 0) for spacing in (png.document.images.spacing or ())[:2]]
    if "pixels of slice" in drawing.caption:
        columns_first = list(reversed(phantom.pixel_spacing))
        order = [name for name in png.document.decimation.order if name != "slices"]
        return columns_first if order == ["columns", "rows"] else columns_first[::-1]
    return [min(*phantom.pixel_spacing, *phantom.spec.gaps)] * 2


def off_in_source_pixels(drawing: Drawing, size_mm: float, finest_mm: float) -> float:
    """How far the marker stands from the cross, in the finest source pixels."""
    pixels = drawing.pixels if drawing.pixels.ndim == 2 else drawing.pixels[..., 0]
    mm_per_pixel = np.array(drawing_mm(drawing, size_mm))
    radius = 12 * finest_mm / float(mm_per_pixel.max())
    found = centroid(pixels, drawing.cross, max(radius, 4.0))
    return float(np.linalg.norm((np.array(found) - drawing.cross) * mm_per_pixel) / finest_mm)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_markers_stand_at_their_crosses(name: str, run: CommandLine, tmp_path: Path) -> None:
    case = CASES[name]
    phantom = write(Spec(**{**ROUND, **case.spec}), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", **case.options)
    markers = [marker for marker in phantom.markers if marker.kind == "volume"]
    labels = label(png, markers, tmp_path / "png")
    run.done(
        "report",
        labels,
        "--source",
        tmp_path / "scan",
        "-o",
        tmp_path / "report.html",
        "--size",
        "18mm",
    )

    drawings = Page.of(tmp_path / "report.html").drawings()
    assert len(drawings) == 4 * len(markers) > 0
    finest = min(*phantom.pixel_spacing, *phantom.spec.gaps)
    for i, drawing in enumerate(drawings):
        assert drawing.article == f"label-{i // 4 + 1}"
        assert drawing_mm(drawing, 18.0) == pytest.approx(
            expected_mm(drawing, phantom, png), rel=1e-4
        )
        off = off_in_source_pixels(drawing, 18.0, finest)
        assert off < BOUND_SOURCE_PIXELS, (
            f"{markers[i // 4].name}, {drawing.caption}: {off:.3f} source pixels off"
        )


@pytest.mark.slow
def test_source_pixels_are_shown_as_they_are(run: CommandLine, tmp_path: Path) -> None:
    """In-plane views hold the very values of the scan, on the scale of the PNGs."""
    phantom = write(Spec(**{**ROUND, "bits_stored": 8, "rescale": None}), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    markers = [*phantom.markers[:3], *phantom.markers[-9:]]
    assert {marker.kind for marker in markers} == {"plane", "volume"}
    run.done(
        "report",
        label(png, markers, tmp_path / "png"),
        "--source",
        tmp_path / "scan",
        "-o",
        tmp_path / "r.html",
        "--size",
        "5mm",
    )
    page = Page.of(tmp_path / "r.html")
    shown = [drawing for drawing in page.drawings() if "pixels of slice" in drawing.caption]
    assert len(shown) == len(markers)
    for marker, drawing in zip(markers, shown, strict=True):
        left, top = (
            round(at - cross) for at, cross in zip(marker.source[:2], drawing.cross, strict=True)
        )
        assert np.abs(np.array(marker.source[:2]) - drawing.cross - (left, top)).max() < 1e-3
        rows, columns = drawing.pixels.shape
        nearest = round(marker.source[2])
        assert f"pixels of slice {nearest}" in drawing.caption
        stored = phantom.stored(nearest)[top : top + rows, left : left + columns]
        assert (drawing.pixels == stored).all()
        assert 10 <= min(rows, columns) <= max(rows, columns) <= 12
        assert marker.sop_instance_uid in page.text


@pytest.mark.slow
def test_labels_at_the_border_show_where_the_image_ends(run: CommandLine, tmp_path: Path) -> None:
    write(Spec(columns=40, rows=30, slices=9, markers=False, junk=False), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=1.0)
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\ncorner,-0.5,-0.5,0\n")
    run.done(
        "report", labels, "--source", tmp_path / "scan", "-o", tmp_path / "r.html", "--size", "8mm"
    )
    png, plane, *sections = Page.of(tmp_path / "r.html").drawings()
    assert png.cross == plane.cross == pytest.approx((-0.5, -0.5), abs=1e-3)
    assert (plane.alpha == 1).all()
    for section in sections:
        assert 0.1 < section.alpha.mean() < 0.3
    labels.write_text("label,x,y,slice\nfar off,-500,-0.5,-90\n")
    assert "lies outside the PNGs" in run.refuses(
        "report", labels, "--source", tmp_path / "scan", "-o", tmp_path / "s.html", says="row 2"
    )
    run.done(
        "report",
        labels,
        "--source",
        tmp_path / "scan",
        "-o",
        tmp_path / "s.html",
        "--allow-outside",
    )
    assert Page.of(tmp_path / "s.html").text.count("beyond the image") >= 2


@pytest.mark.slow
def test_only_slices_around_labels_are_read_and_each_once(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(Spec(**{**ROUND, "shuffled_names": False}), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text("label,x,y,slice\na,5,5,10\nb,9,15,11\nc,9,5,40\n")
    read: list[str] = []
    from sidecar.reports import make

    original = vars(make)["read_plane"]
    monkeypatch.setattr(
        make,
        "read_plane",
        lambda root, frame: (read.append(Path(frame.file).name), original(root, frame))[1],
    )
    run.done(
        "report",
        labels,
        "--source",
        tmp_path / "scan",
        "-o",
        tmp_path / "r.html",
        "--size",
        "2.2mm",
    )
    numbers = sorted(int(name[6:10]) for name in read)
    assert numbers == [*range(8, 14), *range(38, 43)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        {"photometric": "RGB", "bits_stored": 8, "rescale": None, "slices": 5},
        {"slices": 1, "sigma": (2.5, 0.1)},
        {"slice_gaps": (1.0, 1.0, 2.5, 0.7, 1.0, 3.1), "slices": 7},
    ],
)
def test_every_kind_of_stack_has_a_page(
    spec: dict[str, Any], run: CommandLine, tmp_path: Path
) -> None:
    phantom = write(
        Spec(**{**ROUND, "slice_gaps": 0.5, "sigma": (2.5, 0.3), **spec}), tmp_path / "scan"
    )
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    markers = [marker for marker in phantom.markers if marker.kind == "plane"][:4]
    run.done(
        "report",
        label(png, markers, tmp_path / "png"),
        "--source",
        tmp_path / "scan",
        "-o",
        tmp_path / "r.html",
        "--size",
        "12mm",
    )
    drawings = Page.of(tmp_path / "r.html").drawings()
    assert len(drawings) == len(markers) * (2 if phantom.spec.slices == 1 else 4)
    for drawing in drawings:
        if drawing.caption.startswith("PNG") or "pixels of slice" in drawing.caption:
            assert off_in_source_pixels(drawing, 12.0, 0.5) < BOUND_SOURCE_PIXELS


def without_geometry(phantom: Phantom, folder: Path) -> None:
    """The same images as secondary captures, which need no plane."""
    import pydicom
    from pydicom.uid import SecondaryCaptureImageStorage

    folder.mkdir()
    for i, path in enumerate(phantom.files()):
        header = pydicom.dcmread(path)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            del header[keyword]
        header.InstanceNumber = i + 1
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
        header.save_as(folder / f"{i}.dcm")


@pytest.mark.slow
def test_without_patient_geometry_it_is_in_pixels(run: CommandLine, tmp_path: Path) -> None:
    phantom = write(Spec(**{**ROUND, "slices": 31, "sigma": (2.5, 2.0)}), tmp_path / "whole")
    without_geometry(phantom, tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    markers = [marker for marker in phantom.markers if marker.kind == "volume"]
    labels = label(png, markers, tmp_path / "png")
    run.done(
        "report", labels, "--source", tmp_path / "scan", "-o", tmp_path / "r.html", "--size", "30"
    )
    page = Page.of(tmp_path / "r.html")
    for drawing in page.drawings():
        assert off_in_source_pixels(drawing, 30.0, 1.0) < BOUND_SOURCE_PIXELS
    assert "no patient geometry" in page.text
    assert "LPS" not in page.text
    assert "nan" not in page.text
    assert "Distances" not in page.text


def test_other_scans_are_refused(run: CommandLine, tmp_path: Path) -> None:
    import pydicom

    phantom = write(Spec(junk=False), tmp_path / "scan")
    write(Spec(junk=False, seed=1), tmp_path / "other")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png")
    labels = label(png, list(phantom.markers[:1]), tmp_path / "png")
    arguments = ("report", labels, "-o", tmp_path / "r.html", "--source")
    run.refuses(*arguments, tmp_path / "other", says="does not hold the scan")
    run.refuses(*arguments, tmp_path / "nowhere", says="nowhere: there is no such file or folder")
    for path in phantom.files():
        header = pydicom.dcmread(path)
        header.PixelSpacing = [0.71, 0.4]
        header.save_as(path)
    run.refuses(
        *arguments,
        tmp_path / "scan",
        says=(
            "scan is not as it was when the sidecar was written",
            "its Pixel Spacing is 0.71 × 0.4 mm, but was 0.7 × 0.4 mm",
            "or export it again",
        ),
    )


@pytest.mark.slow
def test_what_does_not_fit_is_refused_before_anything_is_written(
    run: CommandLine, tmp_path: Path
) -> None:
    phantom = write(Spec(junk=False), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png")
    labels = label(png, list(phantom.markers[:1]), tmp_path / "png")
    arguments = ("report", labels, "-o", tmp_path / "r.html", "--source", tmp_path / "scan")
    run.refuses(
        *arguments, "--size", "1mm", code=2, says=("4 to 512 source pixels", "1.6 to 205 mm")
    )
    run.refuses(*arguments, "--size", "300mm", code=2, says="--size 300")
    run.refuses(*arguments, "--size", "wide", code=2, says="--size wide")
    run.refuses(
        "report",
        labels,
        "-o",
        labels,
        "--source",
        tmp_path / "scan",
        code=2,
        says="would overwrite an input",
    )
    spoilt = png_path(tmp_path / "png", 3)
    spoilt.write_bytes(b"\x89PNG\r\n\x1a\n")
    run.refuses(*arguments, says=f"{spoilt.name} is not a PNG")
    spoilt.unlink()
    run.refuses(*arguments, says=f"{spoilt.name} is missing from png, the folder of its")
    empty = tmp_path / "png" / "empty.csv"
    empty.write_text("label,x,y,slice\n")
    run.refuses(
        "report",
        empty,
        "-o",
        tmp_path / "r.html",
        "--source",
        tmp_path / "scan",
        says="empty.csv: holds no labels, so there is nothing to report",
    )


def test_labels_of_two_exports_do_not_get_mixed(run: CommandLine, tmp_path: Path) -> None:
    phantom = write(Spec(junk=False), tmp_path / "scan")
    files = [
        label(
            sidecar.export(tmp_path / "scan", tmp_path / n, scale=s),
            list(phantom.markers[:1]),
            tmp_path / n,
        )
        for n, s in (("a", 1), ("b", 0.5))
    ]
    run.refuses(
        "report",
        *files,
        "-o",
        tmp_path / "r.html",
        "--source",
        tmp_path / "scan",
        code=2,
        says=("more than one export (a, b)", "--images"),
    )


@pytest.mark.slow
def test_many_labels_need_a_limit(run: CommandLine, tmp_path: Path) -> None:
    write(Spec(junk=False), tmp_path / "scan")
    sidecar.export(tmp_path / "scan", tmp_path / "png")
    labels = tmp_path / "png" / "labels.csv"
    labels.write_text(
        "label,x,y,slice\n" + "".join(f"p{i},{i % 60},{i % 45},{i % 9}\n" for i in range(250))
    )
    arguments = ("report", labels, "-o", tmp_path / "r.html", "--source", tmp_path / "scan")
    run.refuses(*arguments, code=2, says=("there are 250 labels", "--limit"))
    run.done(*arguments, "--limit", 5)
    page = Page.of(tmp_path / "r.html")
    assert "The first 5 of 250 labels." in page.text
    assert {drawing.article for drawing in page.drawings()} == {f"label-{i}" for i in range(1, 6)}
    run.done(*arguments, "--limit", 250)
    page = Page.of(tmp_path / "r.html")
    assert len(page.drawings()) == 1000
    assert "250 points have 31125 distances" in page.text
    assert (tmp_path / "r.html").stat().st_size < 5_000_000


def test_a_specimen_is_no_patient(run: CommandLine, tmp_path: Path) -> None:
    """An export that names a specimen has the axes of the scanner, as its page has."""
    texts = {}
    phantom = write(Spec(**ROUND), tmp_path / "scan")
    for name in ("weevil", None):
        out = tmp_path / f"png {name}"
        png = sidecar.export(tmp_path / "scan", out, scale=0.5, specimen=name)
        page = tmp_path / f"{name}.html"
        labels = label(png, phantom.markers[-2:], out)
        run.done("report", labels, "--source", tmp_path / "scan", "-o", page)
        texts[name] = Page.of(page).text
    assert "patient" not in texts["weevil"].lower() and "Axial" not in texts["weevil"]
    for said in ("Scanner axes, LPS", "scanner's axes x, y and z", "+x", "−x", "+y", "Source, xy"):
        assert said in texts["weevil"]
    for said in ("Patient, LPS", "head H, feet F of the patient", "Source, axial"):
        assert said in texts[None]
    assert "scanner" not in texts[None].lower()


# --- the error of labelling


@pytest.fixture
def sessions(run: CommandLine, tmp_path: Path) -> list[Path]:
    """A scan and its export, and its markers labelled by two observers, the second 0.4 PNG pixels
    to the right.
    """
    phantom = write(Spec(**ROUND), tmp_path / "scan")
    png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.5)
    labels = label(png, [*phantom.markers[:3], *phantom.markers[-2:]], tmp_path / "png")
    other = tmp_path / "png" / "other.csv"
    first, *others = labels.read_text().splitlines()
    moved = [line.split(",") for line in others]
    moved = [[name, repr(float(x) + 0.4), y, k] for name, x, y, k in moved]
    other.write_text("\n".join([first, *map(",".join, moved)]) + "\n")
    files = [tmp_path / "anna.csv", tmp_path / "ben.csv"]
    for source, target in zip((labels, other), files, strict=True):
        sidecar.map_points(source, png).write(target)
    other.unlink()
    return files


def test_the_error_of_labelling_stands_in_the_report(
    run: CommandLine, tmp_path: Path, sessions: list[Path]
) -> None:
    page = tmp_path / "r.html"
    given = ("--session", sessions[0], "--session", sessions[1], "--observer", "anna")
    done = run.done(
        *("report", tmp_path / "png" / "labels.csv", "--source", tmp_path / "scan", "-o", page),
        *given, "--observer", "<b>ben</b>",
    )  # fmt: skip
    text = Page.of(page).text
    assert "Error of labelling" in text and "by anna, ben.csv by <b>ben</b>" in text
    assert "Each observer has one session" in text
    assert "5 landmarks in 2 sessions by 2 observers; root mean square error:" in done.err
    apart = 0.4 * 2 * 0.5  # PNG pixels to mm: scale 1/2, 0.5 mm a source pixel
    assert f"{apart / 2**0.5:.3f}" in text and f"{apart / 2:.3f}" in text
    told = sidecar.measure_repeats(sessions)
    assert told.rms_mm == pytest.approx(apart / 2**0.5)
    assert told.procrustes_mm == pytest.approx(0, abs=1e-6), told.notes


def test_sessions_of_another_scan_are_refused_and_mapped_files_are_no_labels(
    run: CommandLine, tmp_path: Path, sessions: list[Path]
) -> None:
    command = ("report", tmp_path / "png" / "labels.csv", "--source", tmp_path / "scan")
    given = ("--session", sessions[0], "--session", sessions[1])
    copied = tmp_path / "png" / "mapped.csv"
    copied.write_bytes(sessions[1].read_bytes())
    run.refuses(command[0], copied, *command[2:], *given, says="is a CSV of map-points")
    run.refuses(*command, "--observer", "anna", code=2, says="--observer goes only with --session")
    run.refuses(
        *command, "--session", sessions[0], code=2, says="needs two or more files of one scan"
    )
    for path in sessions:
        text = path.read_text()
        uid = sidecar.open(tmp_path / "png").document.source.planes[0].sop_instance_uid
        root = uid.rpartition(".")[0]
        assert root in text
        path.write_text(text.replace(f",{root}.", ",1.2.999."))
    run.refuses(*command, *given, says=("anna.csv: has instance 1.2.999", "give sessions of that"))
