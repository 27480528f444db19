"""`sidecar check` passes every kind of export as it is, and finds every kind of change, in the
words of what was changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.command_line import CommandLine
from kit.edited_headers import edited
from kit.exports import png_names, png_path
from kit.phantoms import Phantom, Spec, write
from PIL import Image

import sidecar
from sidecar.checks import Finding, check_export, pixels
from sidecar.checks.source import Recorded
from sidecar.document.agreement import stack_of
from sidecar.document.reading import parse
from sidecar.document.writing import save, sealed
from sidecar.errors import DocumentError
from sidecar.grid.axis import Axis
from sidecar.values.value_maps import Line, Linear

SMALL = {"columns": 61, "rows": 47, "slices": 9}
EXPORT = {"scale": 0.5, "z_step": 2, "z_filter": "mean"}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Phantom]:
    """Phantoms by their spec, each written once."""
    known: dict[str, Phantom] = {}

    def scan(**spec: Any) -> Phantom:
        key = repr(sorted(spec.items()))
        if key not in known:
            known[key] = write(Spec(**{**SMALL, **spec}), tmp_path_factory.mktemp("scan"))
        return known[key]

    return scan


@pytest.fixture
def png(scans: Callable[..., Phantom], tmp_path: Path) -> Path:
    """A plain export that a test may spoil."""
    sidecar.export(scans().folder, tmp_path / "png", **EXPORT)
    return tmp_path / "png"


def failed(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.detail for finding in findings if finding.passed is False}


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the document by hand and seal it again, as somebody would who means no good."""
    path = folder / "sidecar.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    document = parse(json.dumps({**raw, "digest": None}))
    save(sealed(document), path)


def consistent(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The same, with everything that follows from the change worked out again, as a document of
    1.0, which has no tag.
    """

    def follow(raw: dict[str, Any]) -> None:
        change(raw)
        raw["version"], raw["images"]["tag"] = "1.0", None
        raw["control_points"] = raw["control_points"][:1]
        for point in raw["control_points"]:
            axes = [raw["decimation"][name] for name in ("columns", "rows", "slices")]
            point["source"] = [
                axis["factor"] * pixel + axis["offset"]
                for axis, pixel in zip(axes, point["pixel"], strict=True)
            ]
        document = parse(json.dumps({**raw, "digest": None}))
        stack = stack_of(document)
        assert stack is not None
        d = document.decimation
        axes = [Axis(a.factor, a.offset, a.size, a.method) for a in (d.columns, d.rows, d.slices)]
        for k, image in enumerate(raw["images"]["files"]):
            source = [
                axis.to_source(np.array([pixel]))[0]
                for axis, pixel in zip(axes, (0.0, 0.0, float(k)), strict=True)
            ]
            image["position"] = stack.to_patient([source])[0].tolist()
        for point in raw["control_points"]:
            point["patient"] = stack.to_patient([point["source"]])[0].tolist()
        first = stack.to_patient([[axis.offset for axis in axes]])[0]
        if raw["images"]["affine"]:
            for i in range(3):
                raw["images"]["affine"][i][3] += float(first[i] - raw["images"]["origin"][i])
        raw["images"]["origin"] = first.tolist()

    rewritten(folder, follow)


# What is as it should be.

KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as it is": ({}, {"scale": 1.0}),
    "half, every second": ({"orientation": "oblique"}, {"scale": 0.5, "z_step": 2}),
    "0.37, mean of 2": ({"tilt_degrees": 15.0}, {"scale": 0.37, "z_step": 2, "z_filter": "mean"}),
    "maximum of 3, cropped": (
        {},
        {"scale": "1/3", "z_step": 3, "z_filter": "max", "crop": "3:,5:40,1:8"},
    ),
    "uneven gaps": ({"slice_gaps": (1.0, 1.0, 2.5, 0.7, 1.0, 3.1, 1.0, 1.0)}, {"scale": 0.5}),
    "16 bits": ({}, {"scale": 0.5, "bits": 16}),
    "16 bits, window": ({"signed": True}, {"scale": 0.5, "bits": 16, "window": "-300.5,1234.7"}),
    "8 bits, full": ({}, {"scale": 0.5, "window": "full"}),
    "8 bits, dicom": ({}, {"scale": 0.5, "window": "dicom"}),
    "8 bits stored": ({"bits_stored": 8}, {"scale": 0.5}),
    "signed 12 bits": ({"signed": True, "bits_stored": 12}, {"scale": 0.5, "bits": 16}),
    "MONOCHROME1": ({"photometric": "MONOCHROME1"}, {"scale": 0.5}),
    "MONOCHROME1, 16 bits": ({"photometric": "MONOCHROME1"}, {"scale": 0.5, "bits": 16}),
    "PET": (
        {"modality": "PT", "per_slice_rescale": True, "rescale": (0.8, 0.0)},
        {"scale": 0.5, "z_step": 2, "z_filter": "mean"},
    ),
    "RGB": ({"photometric": "RGB", "bits_stored": 8, "rescale": None}, {"scale": 0.5}),
    "palette": (
        {"photometric": "PALETTE COLOR", "bits_stored": 8, "rescale": None},
        {"scale": 0.5, "z_step": 2},
    ),
    "enhanced": ({"layout": "enhanced"}, {"scale": 0.5, "z_step": 2}),
    "JPEG 2000": ({"transfer_syntax": "1.2.840.10008.1.2.4.90"}, {"scale": 0.5}),
    "one of two echoes": ({"modality": "MR", "echoes": 2}, {"scale": 0.5, "series": "2"}),
    "duplicates and a localizer": (
        {"duplicates": 3, "localizer": True},
        {"scale": 0.5, "series": "1"},
    ),
    "one slice": ({"slices": 1, "sigma": (2.5, 0.1)}, {"scale": 0.5}),
    "cut as coronal": ({"tilt_degrees": 10.0}, {"scale": 0.5, "z_step": 2, "plane": "coronal"}),
    "cut mirrored, 0.37": ({"orientation": "oblique"}, {"scale": 0.37, "plane": "-zy-x"}),
    "colour cut as sagittal": (
        {"photometric": "RGB", "bits_stored": 8, "rescale": None},
        {"scale": 0.5, "plane": "sagittal"},
    ),
    "numbered backwards": ({}, {"scale": 0.5, "z_step": 2, "plane": "xy-z"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_export_passes_and_every_pixel_is_made_again(
    name: str, scans: Callable[..., Phantom], tmp_path: Path
) -> None:
    spec, options = KINDS[name]
    folder = scans(**spec).folder
    sidecar.export(folder, tmp_path / "png", **options)
    findings = check_export(tmp_path / "png", folder, slices=None)
    assert [finding for finding in findings if not finding.passed] == []
    made = {finding.check: finding.detail for finding in findings}["pixels"]
    count = sidecar.open(tmp_path / "png").decimation.slices.size
    every = "the only slice" if count == 1 else f"all {count} slices"
    assert made == f"{every} made again: every pixel is the same"


def test_a_zoom_passes(scans: Callable[..., Phantom], png: Path, tmp_path: Path) -> None:
    from sidecar.exporting.run import run_jobs
    from sidecar.exporting.zoom import plan_zooms
    from sidecar.labels.load import map_file

    (png / "labels.csv").write_text("label,x,y,slice\ntip,12.3,9.5,2\n")
    jobs = plan_zooms(
        [map_file(png / "labels.csv").points], scans().folder, tmp_path / "zooms", 6.0
    )
    run_jobs(jobs)
    assert failed(check_export(jobs[0].output, scans().folder, slices=None)) == {}


def test_a_source_that_was_moved_and_renamed_is_still_the_source(
    scans: Callable[..., Phantom], png: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    for i, path in enumerate(scans().files()):
        shutil.copy(path, tmp_path / "elsewhere" / "deep" / f"{i}.dcm")
    assert failed(check_export(png, tmp_path / "elsewhere")) == {}


def test_the_line_on_record_is_used_to_the_last_bit() -> None:
    """The ends of a window are rounded where the line is not: from the ends alone some pixels would
    come out one gray off.
    """
    rng = np.random.default_rng(1)
    stored = rng.integers(0, 65536, 20_000).astype(np.uint16)
    for _ in range(200):
        lower, width = rng.normal(0, 1000), 10 ** rng.uniform(-3, 4)
        bits, inverted = (8, 16)[rng.integers(2)], bool(rng.integers(2))
        original = Linear(lower, lower + width, bits, inverted)
        line = Line(*json.loads(json.dumps([original.line.slope, original.line.intercept])))
        again = Recorded(0.0, 0.0, bits, inverted, line)
        np.testing.assert_array_equal(
            again.apply(stored, (0.1, -7.3)), original.apply(stored, (0.1, -7.3))
        )


# What was changed.


def repainted(path: Path, change: Callable[[np.ndarray], None]) -> None:
    """One PNG with other pixels and everything else as it was."""
    with Image.open(path) as image:
        pixels = np.asarray(image).copy()
        text = dict(image.text)  # type: ignore[attr-defined]
    change(pixels)
    from sidecar.formats.png import encode

    path.write_bytes(encode(pixels, text, None))


def one_brighter(pixels: np.ndarray) -> None:
    pixels[3, 5] += 1


def test_a_changed_pixel(png: Path, scans: Callable[..., Phantom]) -> None:
    names = png_names(png)
    repainted(png_path(png, 2), one_brighter)
    assert failed(check_export(png)) == {"digests": f"{names[2]} was changed after the export"}
    found = failed(check_export(png, scans().folder, slices=None))
    assert found["pixels"] == f"values that differ: 1, by up to 1, on {names[2]}"


def test_a_changed_pixel_whose_digest_was_changed_too(
    png: Path, scans: Callable[..., Phantom]
) -> None:
    names = png_names(png)
    repainted(png_path(png, 2), one_brighter)
    digest = hashlib.sha256(png_path(png, 2).read_bytes()).hexdigest()
    rewritten(png, lambda raw: raw["images"]["files"][2].update(sha256=digest))
    assert failed(check_export(png)) == {}
    assert failed(check_export(png, scans().folder, slices=None)) == {
        "pixels": f"values that differ: 1, by up to 1, on {names[2]}"
    }


def test_a_changed_pixel_of_pngs_cut_across_the_slices(
    scans: Callable[..., Phantom], tmp_path: Path
) -> None:
    sidecar.export(scans().folder, tmp_path / "png", scale=0.5, plane="-zy-x")
    names = png_names(tmp_path / "png")
    repainted(png_path(tmp_path / "png", 7), one_brighter)
    assert (
        failed(check_export(tmp_path / "png", scans().folder, None))["pixels"]
        == f"values that differ: 1, by up to 1, on {names[7]}"
    )


@pytest.mark.parametrize("kept", [0, 7, 20, 60, -13, -1])
def test_a_png_cut_short(png: Path, kept: int) -> None:
    names = png_names(png)
    path = png_path(png, 1)
    path.write_bytes(path.read_bytes()[:kept])
    assert failed(check_export(png))["digests"] in (
        f"{names[1]} is cut short",
        f"{names[1]} is no longer a PNG",
    )


def test_swapped_files(png: Path, scans: Callable[..., Phantom]) -> None:
    names = png_names(png)
    one, other = png_path(png, 1), png_path(png, 3)
    one_bytes, other_bytes = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_bytes)
    other.write_bytes(one_bytes)
    found = failed(check_export(png, scans().folder))
    assert found["digests"] == f"{names[1]} holds slice 3; {names[3]} holds slice 1"
    assert (
        found["texts"]
        == f"{names[1]} says Slice '3' instead of '1'; {names[3]} says Slice '1' instead of"
        " '3'"
    )


def test_swapped_digests(png: Path) -> None:
    def swap(raw: dict[str, Any]) -> None:
        files = raw["images"]["files"]
        files[0]["sha256"], files[1]["sha256"] = files[1]["sha256"], files[0]["sha256"]

    rewritten(png, swap)
    assert set(failed(check_export(png))) == {"digests"}


def test_missing_and_foreign_pngs(png: Path) -> None:
    names = png_names(png)
    stranger = names[1].replace("0001", "0099")
    png_path(png, 1).rename(png / stranger)
    assert failed(check_export(png)) == {
        "files": (
            f"{names[1]} is missing from {png.name}, the folder of its sidecar.json; {stranger} is"
            " there, but is not of this export"
        )
    }


def test_pngs_of_another_size_or_depth(png: Path) -> None:
    names = png_names(png)
    Image.fromarray(np.zeros((23, 29), np.uint8)).save(png_path(png, 0))
    Image.fromarray(np.zeros((23, 30), np.uint16)).save(png_path(png, 1))
    Image.fromarray(np.zeros((23, 30, 3), np.uint8)).save(png_path(png, 2))
    assert (
        failed(check_export(png))["sizes"]
        == f"{names[0]} is 29 × 23 pixels, but the sidecar says 30 × 23; {names[1]} does not have 8"
        f" bits and 1 channel; {names[2]} does not have 8 bits and 1 channel"
    )


def test_a_png_of_another_series(png: Path, scans: Callable[..., Phantom], tmp_path: Path) -> None:
    other = sidecar.export(scans(seed=5).folder, tmp_path / "other", **EXPORT)
    stranger = png_path(tmp_path / "other", 2)
    shutil.copy(stranger, png)
    assert failed(check_export(png))["files"] == (
        f"{stranger.name} is there, but is not of this export"
    )
    (png / stranger.name).replace(png_path(png, 2))
    assert other.document.source.series_instance_uid in failed(check_export(png))["texts"]


@pytest.mark.parametrize(("axis", "by"), [("columns", 0.5), ("rows", -1.0), ("slices", 0.5)])
def test_a_changed_offset(png: Path, axis: str, by: float) -> None:
    """By hand, sealed or not, and also where everything that repeats it was changed along."""
    text = (png / "sidecar.json").read_text()
    raw = json.loads(text)
    raw["decimation"][axis]["offset"] += by
    (png / "sidecar.json").write_text(json.dumps(raw))
    found = failed(check_export(png))
    assert "was changed after it was written" in found["document"]
    assert "contradicts itself" in found["control points"]
    (png / "sidecar.json").write_text(text)
    rewritten(
        png,
        lambda raw: raw["decimation"][axis].update(offset=raw["decimation"][axis]["offset"] + by),
    )
    assert set(failed(check_export(png))) == {"control points"}


@pytest.mark.parametrize(("axis", "by"), [("columns", 0.5), ("rows", -0.5), ("slices", 0.25)])
def test_an_offset_that_no_method_makes(png: Path, axis: str, by: float) -> None:
    consistent(
        png,
        lambda raw: raw["decimation"][axis].update(offset=raw["decimation"][axis]["offset"] + by),
    )
    assert set(failed(check_export(png))) == {"decimation"}
    assert f"decimation.{axis}" in failed(check_export(png))["decimation"]


@pytest.mark.parametrize("axis", ["columns", "rows"])
def test_an_offset_that_is_one_whole_pixel_off(
    scans: Callable[..., Phantom], tmp_path: Path, axis: str
) -> None:
    """Such an export could have been made: only the pixels tell that it was not."""
    png = tmp_path / "png"
    sidecar.export(scans().folder, png, scale=0.5, crop="2:58,2:44,:")
    consistent(
        png,
        lambda raw: raw["decimation"][axis].update(offset=raw["decimation"][axis]["offset"] + 1),
    )
    assert failed(check_export(png)) == {}
    assert set(failed(check_export(png, scans().folder, slices=None))) == {"pixels"}


@pytest.mark.parametrize("where", ["source", "images"])
@pytest.mark.parametrize(
    "field", ["origin", "spacing", "affine", "direction", "affine_residual_mm"]
)
def test_a_changed_grid(png: Path, where: str, field: str) -> None:
    def change(raw: dict[str, Any]) -> None:
        grid = raw[where]
        if field == "affine_residual_mm":
            grid[field] += 0.01
        elif field in ("origin", "spacing"):
            grid[field][2] += 0.01
        else:
            grid[field][0][0] += 0.01

    rewritten(png, change)
    found = failed(check_export(png))
    assert set(found) == {"control points"}
    assert f"sidecar.json contradicts itself: {where}." in found["control points"]
    with pytest.raises(DocumentError, match=rf"contradicts itself: {where}\."):
        sidecar.open(png)


def test_changed_values(png: Path) -> None:
    rewritten(
        png, lambda raw: raw["images"]["window"].update(upper=raw["images"]["window"]["upper"] + 1)
    )
    assert set(failed(check_export(png))) == {"values"}
    rewritten(png, lambda raw: raw["images"]["value"].update(slope=0))
    assert set(failed(check_export(png))) == {"values"}


def test_a_changed_line_is_seen_in_the_pixels(png: Path, scans: Callable[..., Phantom]) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["images"]["value"]["intercept"] += 500
        raw["images"]["window"]["lower"] += 500
        raw["images"]["window"]["upper"] += 500

    rewritten(png, change)
    assert set(failed(check_export(png, scans().folder, slices=None))) == {"pixels"}


def test_a_changed_line_of_stored_values(scans: Callable[..., Phantom], tmp_path: Path) -> None:
    sidecar.export(scans().folder, tmp_path / "png", scale=0.5, bits=16)

    def change(raw: dict[str, Any]) -> None:
        raw["images"]["value"]["slope"] *= 2
        raw["images"]["window"]["upper"] += 65535

    rewritten(tmp_path / "png", change)
    found = failed(check_export(tmp_path / "png", scans().folder))
    assert set(found) == {"stored values"}
    assert "value = 2 · PNG + -1024 in the sidecar, 1 · PNG + -1024" in found["stored values"]


def test_another_scan(png: Path, scans: Callable[..., Phantom]) -> None:
    found = check_export(png, scans(seed=5).folder)
    assert failed(found) == {
        "instances": ("none of its 9 slices is there (they are known by their SOP Instance UIDs)")
    }
    assert {finding.check for finding in found if finding.passed is None} == {
        "identifiers",
        "planes",
        "stored values",
        "pixels",
    }


def copied(phantom: Phantom, folder: Path) -> list[Path]:
    """The files of a scan in position order, to be changed."""
    folder.mkdir()
    return [
        Path(shutil.copy(path, folder / f"{i:02d}.dcm")) for i, path in enumerate(phantom.files())
    ]


def test_a_source_with_a_slice_less_and_one_more(
    png: Path, scans: Callable[..., Phantom], tmp_path: Path
) -> None:
    files = copied(scans(), tmp_path / "copy")
    files[4].unlink()
    found = failed(check_export(png, tmp_path / "copy", slices=None))
    assert found == {"instances": "slice 4 (0-based) of 9 is missing"}
    edited(files[5], SOPInstanceUID="2.25.1")
    found = failed(check_export(png, tmp_path / "copy", slices=None))
    assert found == {
        "instances": "2 of 9 slices are missing: 4, 5 (0-based), and 1 more slice is there"
    }


@pytest.mark.parametrize(
    ("attributes", "check", "says"),
    [
        ({"StudyInstanceUID": "2.25.7"}, "identifiers", "source.study_instance_uid"),
        ({"FrameOfReferenceUID": "2.25.7"}, "identifiers", "source.frame_of_reference_uid"),
        (
            {"PixelSpacing": [0.7, 0.41]},
            "planes",
            "Pixel Spacing is 0.7 × 0.41 mm, but was 0.7 × 0.4",
        ),
        (
            {"ImageOrientationPatient": [0, 1, 0, -1, 0, 0]},
            "planes",
            "every slice is turned by 90°",
        ),
        ({"RescaleType": "US"}, "stored values", "images.value.unit"),
        ({"RescaleSlope": 2}, "pixels", "values that differ"),
    ],
)
def test_changed_headers(
    png: Path,
    scans: Callable[..., Phantom],
    tmp_path: Path,
    attributes: dict[str, Any],
    check: str,
    says: str,
) -> None:
    for path in copied(scans(), tmp_path / "copy"):
        edited(path, **attributes)
    found = failed(check_export(png, tmp_path / "copy", slices=None))
    assert says in found[check]
    assert set(found) <= {check, "pixels"}


def test_a_moved_plane(png: Path, scans: Callable[..., Phantom], tmp_path: Path) -> None:
    files = copied(scans(), tmp_path / "copy")
    x, y, z = scans().planes[4].position
    edited(files[4], ImagePositionPatient=[x + 0.01, y, z])
    found = failed(check_export(png, tmp_path / "copy", slices=None))
    assert set(found) == {"planes"}
    assert found["planes"] == "slice 4 (0-based) is 0.01 mm from where it was, by (0.01, 0, 0)"


def test_images_of_another_size_or_colour(
    png: Path, scans: Callable[..., Phantom], tmp_path: Path
) -> None:
    phantom = write(
        Spec(**{**SMALL, "columns": 51}), tmp_path / "narrow"
    )  # the same seed: the same UIDs
    assert [p.sop_instance_uid for p in phantom.planes] == [
        p.sop_instance_uid for p in scans().planes
    ]
    found = failed(check_export(png, phantom.folder))
    assert found == {"instances": "its images have 51 × 47 pixels, but had 61 × 47"}
    colour = write(
        Spec(**SMALL, photometric="RGB", bits_stored=8, rescale=None), tmp_path / "colour"
    )
    assert (
        "the source is gray and the PNGs are in colour, or the other way round"
        in failed(check_export(png, colour.folder))["instances"]
    )


def test_planes_in_another_order(png: Path, scans: Callable[..., Phantom], tmp_path: Path) -> None:
    files = copied(scans(), tmp_path / "copy")
    for i, j in ((3, 4), (4, 3)):
        edited(files[i], ImagePositionPatient=list(scans().planes[j].position))
    assert "another order" in failed(check_export(png, tmp_path / "copy", slices=None))["instances"]


def test_damaged_pixels_of_the_source(
    png: Path, scans: Callable[..., Phantom], tmp_path: Path
) -> None:
    files = copied(scans(), tmp_path / "copy")
    content = bytearray(files[0].read_bytes())
    content[-999] ^= 0xFF
    files[0].write_bytes(content)
    assert set(failed(check_export(png, tmp_path / "copy", slices=None))) == {"pixels"}
    files[0].write_bytes(content[:-100])
    assert (
        "cannot be used: 00.dcm"
        in failed(check_export(png, tmp_path / "copy", slices=None))["source"]
    )


def test_hostile_documents(png: Path) -> None:
    (png.parent / "outside.png").write_bytes(png_path(png, 0).read_bytes())
    raw = json.loads((png / "sidecar.json").read_text())
    raw["images"]["files"][0]["name"] = "../outside.png"
    (png / "sidecar.json").write_text(json.dumps(raw))
    (found,) = check_export(png)
    assert not found.passed and "'../outside.png' at images.files.0.name" in found.detail


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b'{"version": "2.0"}', b"\xff\xfe"]
)
def test_what_is_no_document(png: Path, content: bytes) -> None:
    (png / "sidecar.json").write_bytes(content)
    assert set(failed(check_export(png))) == {"document"}


# The command.


def test_the_command_says_it_line_by_line(
    png: Path, scans: Callable[..., Phantom], run: CommandLine
) -> None:
    names = png_names(png)
    fine = run.done("check", png, "--source", scans().folder)
    assert [line.split()[0] for line in fine.out.splitlines()] == ["ok"] * 15
    assert fine.err == ""
    assert re.search(
        r"3 of 4 slices, taken at random \(0, 1, [23]\), made again: every pixel is the same; the"
        r" other 1 were not made again",
        fine.out,
    )
    assert (
        "all 4 slices made again"
        in run.done(
            "check", png / "sidecar.json", "--source", scans().folder, "--slices", "all"
        ).out
    )
    assert (
        "2 of 4 slices, taken at random"
        in run.done("check", png, "--source", scans().folder, "--slices", 2).out
    )
    repainted(png_path(png, 0), one_brighter)
    spoilt = run("check", png, "--source", scans().folder, "--slices", "all")
    assert spoilt.code == 1
    assert [line for line in spoilt.out.splitlines() if line.startswith("FAILED")] == [
        f"FAILED  digests         {names[0]} was changed after the export",
        f"FAILED  pixels          values that differ: 1, by up to 1, on {names[0]}",
    ]
    assert spoilt.err == "sidecar: 2 of 15 checks failed\n"


def test_the_sample_is_another_each_time_and_no_slice_is_out_of_its_reach() -> None:
    samples = [tuple(pixels._sample(40, 3)) for _ in range(500)]
    assert all(len(set(sample)) == 3 and sorted(sample) == list(sample) for sample in samples)
    assert {k for sample in samples for k in sample} == set(range(40))
    assert len(set(samples)) > 400
    assert pixels._sample(4, 9) == pixels._sample(4, 4) == [0, 1, 2, 3]


def test_the_command_as_json(png: Path, run: CommandLine) -> None:
    fine = json.loads(run.done("check", png, "--json").out)
    assert fine["passed"] is True
    assert all(finding["passed"] is True for finding in fine["findings"])
    png_path(png, 0).unlink()
    spoilt = run("check", png, "--json")
    assert spoilt.code == 1
    facts = json.loads(spoilt.out)
    assert facts["passed"] is False
    assert {finding["check"] for finding in facts["findings"] if not finding["passed"]} == {"files"}


def test_the_command_refuses_what_it_cannot_check(
    png: Path, run: CommandLine, tmp_path: Path
) -> None:
    run.refuses("check", tmp_path / "nowhere", says="there is no folder nowhere")
    run.refuses(
        "check",
        png,
        "--source",
        tmp_path / "nowhere",
        says="nowhere: there is no such file or folder",
    )
    for slices in ("0", "-1", "two", "1.5", ""):
        run.refuses("check", png, "--slices", slices, code=2, says="a number such as 3, or all")
