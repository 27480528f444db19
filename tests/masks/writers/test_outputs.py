"""What is written: valid DICOM, names and codes, uneven stacks, refusals before anything is
written, and flat memory.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import slicerio
from kit.map_masks import map_mask
from kit.needs import installed
from kit.painted_masks import CASES, Case, Exported, as_cut, exported, paint
from kit.phantoms import Spec, write_flat_series
from kit.refusals import refuses
from numpy.typing import NDArray
from PIL import Image

from sidecar import export
from sidecar.errors import GeometryError, LabelError, OutputError, SourceError, UsageError
from sidecar.labels.identity.exports import Export
from sidecar.labels.writers.source_headers import HeaderSource
from sidecar.mapping import Sidecar
from sidecar.masks.mapped import MappedMask
from sidecar.masks.readers import read_mask
from sidecar.masks.writers import WRITERS
from sidecar.masks.writers.dicom_stream import MAX_PIXEL_BYTES

CONFIG = """segments:
- name: Größe
  value: 3
  color: "#d04030"
  category: [SCT, 123037004, Body structure]
  type: [SCT, 71341001, Femur]
- {name: rest, value: 7}
"""
PLAIN, ENHANCED, TURNED = (
    next(case for case in CASES if case.name == name)
    for name in ("oblique", "mean of slices", "cut across")
)


@pytest.fixture(scope="module", params=[PLAIN, ENHANCED, TURNED], ids=lambda case: case.name)
def scan(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(request.param, tmp_path_factory.mktemp("scan"))


def labels_for(scan: Exported) -> NDArray[np.uint8]:
    """In the order of the PNGs: a ring of 3 around a hole, two islands in it, and a bar of 7."""
    columns, rows, slices = scan.sidecar.size
    plane = np.zeros((rows, columns), np.uint8)
    plane[1:-1, 1:9] = 3
    plane[2:-2, 2:8] = 0
    plane[3, 3] = plane[3, 6] = 3
    plane[1:-1, 10:-1] = 7
    return np.repeat(plane[None], slices, axis=0)


@pytest.fixture(scope="module")
def masks(scan: Exported) -> Path:
    return paint(scan.png.parent / "masks", labels_for(scan), scan.sidecar)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("grid", ["source", "png"])
@pytest.mark.parametrize("to", ["dicom-seg", "dicom-rtstruct"])
def test_independent_validators_find_no_fault(
    grid: str, to: str, scan: Exported, masks: Path, config: Path, tmp_path: Path
) -> None:
    path = map_mask(
        masks, tmp_path / "out.dcm", scan.sidecar, to=to, grid=grid, dicom=scan.scan, config=config
    )
    for tool, arguments in (("dciodvfy", ["-new"]), ("dcmdump", ["-q", "+E"])):
        done = subprocess.run(
            [installed(tool), *arguments, path], capture_output=True, text=True, errors="replace"
        )
        faults = [
            line
            for line in (done.stdout + done.stderr).splitlines()
            if line.startswith(("Error", "E:", "W:"))
        ]
        assert not faults, faults


@pytest.mark.slow
def test_a_seg_has_the_names_and_codes_of_the_config(
    scan: Exported, masks: Path, config: Path, tmp_path: Path
) -> None:
    seg = highdicom.seg.segread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, dicom=scan.scan, config=config)
    )
    first, second = (seg.get_segment_description(n) for n in (1, 2))
    assert (first.segment_label, second.segment_label) == ("Größe", "rest")
    assert first.segmented_property_type == highdicom.sr.CodedConcept("71341001", "SCT", "Femur")
    assert first.segmented_property_category.value == "123037004"
    assert second.segmented_property_type.meaning == "Tissue"
    assert seg.SeriesInstanceUID not in (scan.phantom.series_uid, scan.phantom.study_uid)
    assert (seg.StudyInstanceUID, str(seg.PatientName)) == (scan.phantom.study_uid, "Secret^Person")
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == scan.phantom.series_uid


def test_slicerio_reads_segments_of_a_seg_nrrd(
    scan: Exported, masks: Path, config: Path, tmp_path: Path
) -> None:
    path = map_mask(masks, tmp_path / "out.seg.nrrd", scan.sidecar, grid="png", config=config)
    read = slicerio.read_segmentation(str(path))
    first, second = read["segments"]
    name = "Größe".encode(
        "ascii", "ignore"
    ).decode()  # pynrrd drops what is not ASCII; 3D Slicer and this package do not
    assert (first["name"], first["labelValue"], first["terminology"]["type"]) == (
        name,
        3,
        ["SCT", "71341001", "Femur"],
    )
    assert (second["name"], second["labelValue"]) == ("rest", 7)
    assert first["color"] == pytest.approx(np.array([0xD0, 0x40, 0x30]) / 255, abs=1e-5)
    if scan.case.plane == "xyz":
        again = read_mask([path], [Export(scan.sidecar)])
        codes = [("SCT", "71341001", "Femur"), ("SCT", "85756007", "Tissue")]
        assert [(s.value, s.name, s.type) for s in again.segments] == [
            (3, "Größe", codes[0]),
            (7, "rest", codes[1]),
        ]


def test_an_rtstruct_names_and_colours_its_rois(
    scan: Exported, masks: Path, config: Path, tmp_path: Path
) -> None:
    structures = pydicom.dcmread(
        map_mask(
            masks,
            tmp_path / "out.dcm",
            scan.sidecar,
            to="dicom-rtstruct",
            dicom=scan.scan,
            config=config,
        )
    )
    assert [roi.ROIName for roi in structures.StructureSetROISequence] == ["Größe", "rest"]
    assert list(structures.ROIContourSequence[0].ROIDisplayColor) == [0xD0, 0x40, 0x30]
    assert len(structures.RTROIObservationsSequence) == 2


def test_label_pngs_tell_values_and_instances(
    scan: Exported, masks: Path, config: Path, tmp_path: Path
) -> None:
    index = json.loads(
        (map_mask(masks, tmp_path / "out", scan.sidecar, config=config) / "labels.json").read_text()
    )
    assert [(s["value"], s["name"]) for s in index["segments"]] == [(3, "Größe"), (7, "rest")]
    told = [(file["sop_instance_uid"], file["frame_number"]) for file in index["files"]]
    assert told == [(plane.sop_instance_uid, plane.frame_number) for plane in scan.phantom.planes]


def test_regions_become_label_pngs_as_they_were_painted(
    scan: Exported, masks: Path, tmp_path: Path
) -> None:
    folder = map_mask(masks, tmp_path / "out", scan.sidecar, grid="png")
    back = np.stack(
        [np.array(Image.open(folder / file.name)) for file in scan.sidecar.document.images.files]
    )
    np.testing.assert_array_equal(back, labels_for(scan))
    again = read_mask([folder], [Export(scan.sidecar)])
    np.testing.assert_array_equal(
        np.stack([plane for plane in again.planes() if plane is not None]), labels_for(scan)
    )


def test_an_uneven_stack_goes_to_dicom_and_pngs_and_is_refused_as_a_volume(tmp_path: Path) -> None:
    spec = Spec(
        columns=40,
        rows=30,
        slices=6,
        slice_gaps=(1.0, 1.0, 4.0, 1.0, 2.0),
        markers=False,
        junk=False,
    )
    scan = exported(
        Case("uneven", spec, {"scale": 0.5, "z_step": 2}, (0, 0, 0), (2, 2, 2)), tmp_path / "scan"
    )
    labels = np.zeros((3, 15, 20), np.uint8)
    labels[:, 4:9, 5:12] = 1
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    for name in ("out.seg.nrrd", "out.nii"):
        refuses(
            partial(map_mask, masks, tmp_path / name, scan.sidecar),
            GeometryError,
            "not evenly spaced",
        )
        assert not (tmp_path / name).exists()
    seg = pydicom.dcmread(map_mask(masks, tmp_path / "out.dcm", scan.sidecar, dicom=scan.scan))
    positions = [
        tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))
        for group in seg.PerFrameFunctionalGroupsSequence
    ]
    np.testing.assert_allclose(
        positions, [plane.position for plane in scan.phantom.planes], atol=1e-6
    )
    assert (
        "SpacingBetweenSlices" not in seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    )
    structures = pydicom.dcmread(
        map_mask(masks, tmp_path / "rt.dcm", scan.sidecar, to="dicom-rtstruct", dicom=scan.scan)
    )
    assert len(structures.ROIContourSequence[0].ContourSequence) == 6
    assert len(list(map_mask(masks, tmp_path / "pngs", scan.sidecar).glob("*.png"))) == 6


@pytest.mark.slow
def test_a_contour_of_more_than_64_kib_stays_one(tmp_path: Path) -> None:
    """Explicit VR cannot hold its Contour Data; many programs then see none."""
    spec = Spec(columns=256, rows=256, slices=2, markers=False, junk=False)
    scan = exported(
        Case("comb", spec, {"scale": 1, "z_step": 1}, (0, 0, 0), (1, 1, 1)), tmp_path / "scan"
    )
    labels = np.zeros((2, 256, 256), np.uint8)
    y, x = np.mgrid[:256, :256]
    labels[0] = (x % 2 == 0) & (y % 2 == 0) | (y % 4 == 1) | (x == 0)
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    structures = pydicom.dcmread(
        map_mask(masks, tmp_path / "out.dcm", scan.sidecar, to="dicom-rtstruct", dicom=scan.scan)
    )
    (contour,) = [
        c
        for c in structures.ROIContourSequence[0].ContourSequence
        if c.NumberOfContourPoints > 10_000
    ]
    assert contour["ContourData"].VR == "DS"
    assert len(contour.ContourData) == 3 * contour.NumberOfContourPoints


def test_refusals_come_before_anything_is_written(
    scan: Exported, masks: Path, tmp_path: Path
) -> None:
    def write(name: str, **options: Any) -> None:
        map_mask(masks, tmp_path / name, scan.sidecar, **options)

    refuses(lambda: write("out.dcm"), UsageError, "dicom=DIR")
    refuses(lambda: write("out.dcm", to="dicom-rtstruct"), UsageError, "dicom=DIR")
    refuses(lambda: write("out.dcm", dicom=tmp_path), SourceError, "does not hold the scan")
    named = tmp_path.with_suffix(".yaml")
    named.write_text("segments: [{name: 'a\\b', value: 3}, {name: b, value: 7}]")
    for to in ("dicom-seg", "dicom-rtstruct"):
        refuses(
            partial(write, "out.dcm", to=to, config=named, dicom=scan.scan),
            LabelError,
            "no backslash",
        )
    refuses(lambda: write("out.vtk"), UsageError, "out.vtk", "to=")
    refuses(lambda: write("out.nrrd", to="vtk"), UsageError, "to='vtk'")
    refuses(lambda: write("out.nrrd", grid="coarse"), UsageError, "grid='coarse'")
    refuses(lambda: write("out.nrrd", fill="guess"), UsageError, "fill='guess'")
    refuses(lambda: write("out.nrrd", grid="png", fill="none"), UsageError, "grid='png'")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    refuses(lambda: write("full"), OutputError, "full is there already")
    refuses(lambda: write("full", to="seg.nrrd"), OutputError, "full is a folder")
    refuses(lambda: write("nowhere/out.nrrd"), OutputError, "out.nrrd cannot be written")
    refuses(
        lambda: map_mask([tmp_path / "gone"], tmp_path / "out.nrrd", scan.sidecar),
        LabelError,
        "gone",
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full"]


def test_masks_are_never_written_over_themselves(
    scan: Exported, masks: Path, tmp_path: Path
) -> None:
    volume = map_mask(masks, tmp_path / "m.nrrd", scan.sidecar, grid="png")
    before = volume.read_bytes()
    refuses(lambda: map_mask(volume, volume, scan.sidecar), UsageError, "overwrite an input")
    refuses(
        lambda: map_mask(volume, tmp_path / "sidecar.json", scan.sidecar, to="nifti"),
        UsageError,
        "sidecar.json",
    )
    mine = tmp_path / "a.nrrd.part"
    mine.write_text("mine")
    refuses(
        lambda: map_mask(masks, tmp_path / "a.nrrd", scan.sidecar),
        OutputError,
        "a.nrrd.part is in the way",
    )
    assert mine.read_text() == "mine"
    assert volume.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("output", ["a.nrrd", "a"], ids=["file", "folder of PNGs"])
def test_a_link_with_the_name_of_a_partial_mask_is_not_followed(
    scan: Exported, masks: Path, tmp_path: Path, output: str
) -> None:
    link = tmp_path / f"{output}.part"
    link.symlink_to(tmp_path / "gone")
    refuses(
        lambda: map_mask(masks, tmp_path / output, scan.sidecar),
        OutputError,
        f"{output}.part is in the way",
    )
    assert [path.name for path in tmp_path.iterdir()] == [link.name] and link.is_symlink()


def test_a_seg_too_large_for_dicom_says_so_beforehand(
    scan: Exported, masks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = MappedMask.on_source(read_mask([masks], [Export(scan.sidecar)]))
    monkeypatch.setattr("sidecar.masks.writers.seg.MAX_PIXEL_BYTES", 4000)
    refuses(
        lambda: WRITERS["dicom-seg"].check(mapped, HeaderSource(scan.scan)),
        OutputError,
        "frames take",
        "seg.nrrd",
        "--grid png",
    )
    assert MAX_PIXEL_BYTES == 4294967294


def test_the_same_labels_give_the_same_bytes(scan: Exported, masks: Path, tmp_path: Path) -> None:
    first, second = (
        map_mask(masks, tmp_path / name, scan.sidecar).read_bytes()
        for name in ("a.seg.nrrd", "b.seg.nrrd")
    )
    assert first == second


def test_a_scan_without_patient_geometry_gets_label_pngs(tmp_path: Path) -> None:
    spec = Spec(
        columns=40,
        rows=30,
        slices=1,
        slice_gaps=1.0,
        photometric="RGB",
        bits_stored=8,
        rescale=None,
        markers=False,
        junk=False,
    )
    scan = exported(Case("single", spec, {"scale": 0.5}, (0, 0, 0), (2, 2, 1)), tmp_path / "scan")
    labels = np.zeros((1, 15, 20), np.uint8)
    labels[0, 3:6, 4:9] = 1
    masks = paint(tmp_path / "masks", labels, scan.sidecar)
    refuses(
        lambda: map_mask(masks, tmp_path / "out.nrrd", scan.sidecar),
        GeometryError,
        "NRRD cannot say where it is",
    )
    folder = map_mask(masks, tmp_path / "out", scan.sidecar)
    np.testing.assert_array_equal(
        np.array(Image.open(folder / "source_0000.png")),
        np.kron(labels[0], np.ones((2, 2), np.uint8)),
    )


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, Sidecar, Path]]:
    """Two scans that differ in the number of slices only, each with a blob on every PNG."""
    made = {}
    for slices in (12, 96):
        folder = tmp_path_factory.mktemp(str(slices))
        write_flat_series(folder / "scan", slices, (512, 512))
        sidecar = export(folder / "scan", folder / "png", scale=0.5, z_step=2)
        y, x = np.mgrid[:256, :256]
        blob = ((x - 120) ** 2 + (y - 130) ** 2 < 80**2).astype(np.uint8)
        made[slices] = (
            paint(folder / "masks", np.repeat(blob[None], slices // 2, axis=0), sidecar),
            sidecar,
            folder / "scan",
        )
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "fill"),
    [
        ("seg.nrrd", "repeat"),
        ("nifti", "interpolate"),
        ("dicom-seg", "repeat"),
        ("dicom-rtstruct", "repeat"),
        ("png", "none"),
    ],
)
def test_peak_memory_does_not_grow_with_the_number_of_slices(
    to: str, fill: str, deep: dict[int, tuple[Path, Sidecar, Path]], tmp_path: Path
) -> None:
    """Eight times the slices take no more than what Python keeps of a slice's name and place: a few
    KB each, of 256 KB a plane.
    """

    def peak(slices: int) -> int:
        masks, sidecar, dicom = deep[slices]
        tracemalloc.start()
        statistics = None if fill == "none" else tmp_path / "sizes.csv"
        map_mask(
            masks, tmp_path / f"{slices} {to}", sidecar, to=to, fill=fill, dicom=dicom,
            statistics=statistics,
        )  # fmt: skip
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(12)
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    assert peak(96) < peak(12) + (96 - 12) * 8192


def test_a_tilted_turned_mask_is_written_in_the_order_of_the_scan(
    scan: Exported, masks: Path, tmp_path: Path
) -> None:
    """Whatever way the PNGs were cut, the volume has the scan's columns, rows and slices."""
    image = sitk.ReadImage(map_mask(masks, tmp_path / "out.nrrd", scan.sidecar))
    assert image.GetSize() == scan.phantom.size
    small = sitk.GetArrayFromImage(
        sitk.ReadImage(map_mask(masks, tmp_path / "small.nrrd", scan.sidecar, grid="png"))
    )
    np.testing.assert_array_equal(as_cut(small, scan.case.plane), labels_for(scan))
