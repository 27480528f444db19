"""NRRD, .seg.nrrd and NIfTI masks: painted on the companion volume or on the plain stack, and
everything that lies elsewhere.
"""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from kit.painted_masks import Case, Exported, exported
from kit.phantoms import Spec
from kit.refusals import refuses
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.exporting.images.volume import write_volume
from sidecar.labels.identity.exports import Export
from sidecar.masks.model import Mask
from sidecar.masks.readers import read_mask

SPEC = Spec(columns=62, rows=48, slices=13, sigma=(2.0, 0.6), orientation="oblique", junk=False)
CASE = Case("oblique", SPEC, {"scale": 0.5, "z_step": 3}, (0, 0, 0), (2, 2, 3))
COLUMNS, ROWS, SLICES = 31, 24, 5


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(CASE, tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def tilted(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    spec = Spec(columns=62, rows=48, slices=13, sigma=(2.0, 0.6), tilt_degrees=15, junk=False)
    return exported(
        Case("tilted", spec, {"scale": 0.5, "z_step": 3}, (0, 0, 0), (2, 2, 3)),
        tmp_path_factory.mktemp("tilted"),
    )


@pytest.fixture
def labels() -> NDArray[np.uint8]:
    stack = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    stack[1:4, 4:15, 6:20] = 1
    stack[2, 10:20, 15:25] = 4
    return stack


def read(path: Path, scan: Exported) -> Mask:
    return read_mask([path], [Export(scan.sidecar)])


def planes(mask: Mask) -> NDArray[Any]:
    empty = np.zeros((ROWS, COLUMNS), mask.dtype)
    return np.stack([empty if plane is None else plane for plane in mask.planes()])


def painted_over(volume: sitk.Image, labels: NDArray[Any]) -> sitk.Image:
    """A label image in the geometry of a volume, as a program that opened it would make."""
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(volume)
    return image


@pytest.mark.parametrize("ending", [".nrrd", ".nii", ".nii.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_mask_painted_on_the_companion_volume(
    ending: str, packed: bool, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    volume = sitk.ReadImage(str(write_volume(scan.png, "nrrd")))
    path = tmp_path / f"mask{ending}"
    sitk.WriteImage(painted_over(volume, labels), path, useCompression=packed)
    mask = read(path, scan)
    np.testing.assert_array_equal(planes(mask), labels)
    (note,) = mask.notes
    assert "names no image" in note and "only its geometry" in note
    assert mask.present == ((), (1,), (1, 4), (1,), ())


def test_a_mask_painted_on_a_tilted_companion_volume(
    tilted: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    volume = sitk.ReadImage(str(write_volume(tilted.png, "nrrd")))
    sitk.WriteImage(painted_over(volume, labels), tmp_path / "m.nrrd")
    np.testing.assert_array_equal(planes(read(tmp_path / "m.nrrd", tilted)), labels)


def test_a_part_of_the_stack_goes_where_it_was_cut_out(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    volume = painted_over(sitk.ReadImage(str(write_volume(scan.png, "nrrd"))), labels)
    for ending in (".nrrd", ".nii.gz"):
        sitk.WriteImage(volume[5:26, 3:22, 1:4], tmp_path / f"part{ending}")
        np.testing.assert_array_equal(planes(read(tmp_path / f"part{ending}", scan)), labels)


def test_a_plain_stack_is_taken_voxel_for_pixel_which_is_said(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    plain = sitk.GetImageFromArray(labels)
    for ending in (".nrrd", ".nii"):
        sitk.WriteImage(plain, tmp_path / f"plain{ending}")
        mask = read(tmp_path / f"plain{ending}", scan)
        np.testing.assert_array_equal(planes(mask), labels)
        assert "no position in the patient" in mask.notes[0]
    nibabel.save(nibabel.Nifti1Image(labels.transpose(2, 1, 0), np.eye(4)), tmp_path / "eye.nii.gz")
    np.testing.assert_array_equal(planes(read(tmp_path / "eye.nii.gz", scan)), labels)
    nrrd.write(str(tmp_path / "bare.nrrd"), labels.transpose(2, 1, 0))
    np.testing.assert_array_equal(planes(read(tmp_path / "bare.nrrd", scan)), labels)


def test_a_plain_stack_of_another_size_is_refused(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(labels[1:]), tmp_path / "m.nrrd")
    refuses(
        lambda: read(tmp_path / "m.nrrd", scan), LabelError, "m.nrrd", "31 × 24 × 4", "31 × 24 × 5"
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("by", [0.5, 0.02])
def test_a_mask_that_lies_beside_the_pixels_is_refused(
    axis: int, by: float, scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Half a pixel aside: what a program does that resamples from corner to corner."""
    image = painted_over(sitk.ReadImage(str(write_volume(scan.png, "nrrd"))), labels)
    index = [0.0, 0.0, 0.0]
    index[axis] = by
    image.SetOrigin(image.TransformContinuousIndexToPhysicalPoint(index))
    sitk.WriteImage(image, tmp_path / "m.nrrd")
    refuses(lambda: read(tmp_path / "m.nrrd", scan), LabelError, f"up to {by:.3g} PNG pixels")


def test_other_spacings_directions_and_scans_are_refused(
    scan: Exported, tilted: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    image = painted_over(sitk.ReadImage(str(write_volume(scan.png, "nrrd"))), labels)
    larger, flipped = sitk.Image(image), sitk.Flip(image, [False, True, False])
    larger.SetSpacing([edge * 1.01 for edge in image.GetSpacing()])
    elsewhere = painted_over(sitk.ReadImage(str(write_volume(tilted.png, "nrrd"))), labels)
    for number, wrong in enumerate((larger, flipped, elsewhere)):
        sitk.WriteImage(wrong, tmp_path / f"{number}.nrrd")
        refuses(
            partial(read, tmp_path / f"{number}.nrrd", scan),
            LabelError,
            "PNG pixels from the pixels of this export",
        )
    padded = sitk.ConstantPad(image, [1, 0, 0], [0, 0, 0])
    sitk.WriteImage(padded, tmp_path / "padded.nrrd")
    refuses(lambda: read(tmp_path / "padded.nrrd", scan), LabelError, "reach beyond the PNGs")


def test_resampled_labels_are_refused(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    soft = labels.astype(np.float32)
    soft[1] = (soft[0] + soft[1]) / 2
    sitk.WriteImage(sitk.GetImageFromArray(soft), tmp_path / "m.nrrd")
    count = int((soft != np.rint(soft)).sum())
    refuses(
        lambda: read(tmp_path / "m.nrrd", scan),
        LabelError,
        "slice 1",
        f"voxels that are not whole numbers ({count}, the first at (6, 4))",
        "(6, 4)",
    )
    whole = labels.astype(np.float64)
    sitk.WriteImage(sitk.GetImageFromArray(whole), tmp_path / "w.nrrd")
    np.testing.assert_array_equal(planes(read(tmp_path / "w.nrrd", scan)), labels)


def test_a_scaled_nifti_must_come_to_whole_numbers(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), np.eye(4))
    image.header.set_slope_inter(2, 1)
    nibabel.save(image, tmp_path / "scaled.nii")
    raw = bytearray((tmp_path / "scaled.nii").read_bytes())
    assert nibabel.load(tmp_path / "scaled.nii").dataobj.slope in (1, 2)
    raw[112:120] = np.array([0.5, 0], "<f4").tobytes()  # scl_slope, scl_inter
    (tmp_path / "half.nii").write_bytes(raw)
    refuses(
        lambda: read(tmp_path / "half.nii", scan), LabelError, "voxels that are not whole numbers"
    )


def test_a_slicer_segmentation_keeps_names_colours_and_codes(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    volume = painted_over(sitk.ReadImage(str(write_volume(scan.png, "nrrd"))), labels)
    sitk.WriteImage(volume, tmp_path / "v.nrrd")
    data, header = nrrd.read(str(tmp_path / "v.nrrd"))
    segmentation = {
        "voxels": data,
        "image": {"encoding": "gzip"},
        "ijkToLPS": np.vstack([np.column_stack([header["space directions"].T, header["space origin"]]), [0, 0, 0, 1]]),
        "encoding": "gzip", "containedRepresentationNames": ["Binary labelmap"],
        "segments": [
            {"id": "a", "name": "femur", "color": [1, 0.5, 0], "labelValue": 1,
             "terminology": {"contextName": "Segmentation category and type - DICOM master list",
                             "category": ["SCT", "123037004", "Body structure"],
                             "type": ["SCT", "71341001", "Femur"]}},
            {"id": "b", "name": "tibia", "color": [0, 1, 0], "labelValue": 4},
        ],
    }  # fmt: skip
    slicerio.write_segmentation(str(tmp_path / "s.seg.nrrd"), segmentation)
    mask = read(tmp_path / "s.seg.nrrd", scan)
    np.testing.assert_array_equal(planes(mask), labels)
    assert [(s.value, s.name, s.color) for s in mask.segments] == [
        (1, "femur", (255, 128, 0)),
        (4, "tibia", (0, 255, 0)),
    ]
    assert mask.segments[0].type == ("SCT", "71341001", "Femur")
    assert mask.tool == "3D Slicer segmentation"


HEADER = """NRRD0005
type: uint8
dimension: 3
space: left-posterior-superior
sizes: 31 24 5
space directions: (1,0,0) (0,1,0) (0,0,1)
space origin: (0,0,0)
encoding: raw
"""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("encoding: raw", "encoding: bzip2"), "encoding 'bzip2'"),
        (("encoding: raw", "encoding: raw\ndata file: ../secret.raw"), "another file"),
        (("dimension: 3", "dimension: 4"), ""),
        (("sizes: 31 24 5", "sizes: 2 31 24 5"), "several layers"),
        (("sizes: 31 24 5", "sizes: 31 24"), "three dimensions"),
        (("sizes: 31 24 5", "sizes: 31 24 five"), "in the place of numbers"),
        (("type: uint8", "type: block"), "type 'block'"),
        (("(1,0,0)", "(1,0,nan)"), "do not span"),
        (("(1,0,0) (0,1,0)", "(1,0,0)"), "three vectors"),
        (("(1,0,0)", "(0,1,0)"), "do not span"),
        (("left-posterior-superior", "scanner-xyz"), "space 'scanner-xyz'"),
        (
            (
                "encoding: raw",
                (
                    "encoding:"
                    " raw\nSegment0_ID:=a\nSegment0_LabelValue:=1\nSegment1_ID:=b\nSegment1_LabelValue:=1"
                ),
            ),
            "collapse",
        ),
    ],
)
def test_nrrd_headers_that_cannot_be_used_say_why(
    change: tuple[str, str], says: str, scan: Exported, tmp_path: Path
) -> None:
    text = HEADER.replace(*change)
    assert text != HEADER
    path = tmp_path / "m.nrrd"
    path.write_bytes(text.encode() + b"\n" + bytes([1] + [0] * (31 * 24 * 5 - 1)))
    if says:
        refuses(lambda: read(path, scan), LabelError, "m.nrrd", says)
    else:
        assert planes(read(path, scan))[0, 0, 0] == 1


def test_files_that_end_early_or_are_damaged_are_named(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "m.nrrd"
    path.write_bytes(HEADER.encode() + b"\n" + labels.tobytes()[:2000])
    refuses(lambda: read(path, scan), LabelError, "ends in slice 2 of 5")
    packed = gzip.compress(labels.tobytes())
    for data in (packed[:-20], packed[:20] + b"\0\0\0" + packed[23:]):
        path.write_bytes(HEADER.replace("raw", "gzip").encode() + b"\n" + data)
        refuses(lambda: read(path, scan), LabelError, "m.nrrd")
    path.write_bytes(b"NRRD0005\n" + b"x" * 10_000_000)
    refuses(lambda: read(path, scan), LabelError, "m.nrrd")
    path.write_bytes(b"NRRD0005\n\xff\xfe\n\n")
    refuses(lambda: read(path, scan), LabelError, "not text")
    for name, data in (
        ("n.nii", b""),
        ("n.nii", b"\0" * 400),
        ("n.nii.gz", packed),
        ("n.nii.gz", b"\x1f\x8b\0\0"),
    ):
        (tmp_path / name).write_bytes(data)
        refuses(partial(read, tmp_path / name, scan), LabelError, name)


def test_values_that_are_no_labels_are_refused(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    for value, dtype in ((-1, np.int16), (70000, np.int32)):
        odd = np.where(labels == 4, dtype(value), labels.astype(dtype))
        sitk.WriteImage(sitk.GetImageFromArray(odd), tmp_path / "m.nrrd")
        refuses(lambda: read(tmp_path / "m.nrrd", scan), LabelError, "slice 2", str(value))


def test_big_endian_and_ras(scan: Exported, labels: NDArray[np.uint8], tmp_path: Path) -> None:
    volume = sitk.ReadImage(str(write_volume(scan.png, "nrrd")))
    d = np.array(volume.GetDirection()).reshape(3, 3) * volume.GetSpacing()
    ras = np.diag([-1, -1, 1])
    vectors = " ".join("({})".format(",".join(map(repr, map(float, ras @ axis)))) for axis in d.T)
    origin = ",".join(repr(float(v)) for v in ras @ volume.GetOrigin())
    header = (
        HEADER.replace("left-posterior-superior", "RAS")
        .replace("(1,0,0) (0,1,0) (0,0,1)", vectors)
        .replace("(0,0,0)", f"({origin})")
    )
    path = tmp_path / "m.nrrd"
    path.write_bytes(
        header.replace("uint8", "ushort\nendian: big").encode()
        + b"\n"
        + labels.astype(">u2").tobytes()
    )
    mask = read(path, scan)
    (note,) = mask.notes
    assert "names no image" in note and "only its geometry" in note
    np.testing.assert_array_equal(planes(mask), labels)


def test_damage_anywhere_is_refused_in_words_or_read_as_it_stands(
    scan: Exported, labels: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Bytes changed, lost and added: whatever comes of it, no other error, no path and no
    traceback.
    """
    volume = painted_over(sitk.ReadImage(str(write_volume(scan.png, "nrrd"))), labels)
    rng, outcomes = np.random.default_rng(5), set()
    for name in ("m.nrrd", "m.nii", "m.nii.gz", "p.nrrd"):
        sitk.WriteImage(volume, tmp_path / name, useCompression=name == "p.nrrd")
        whole = (tmp_path / name).read_bytes()
        for _ in range(60):
            damaged = bytearray(whole)
            for at in rng.integers(0, min(len(whole), 700), 3).tolist():
                damaged[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
            (tmp_path / name).write_bytes(damaged)
            try:
                planes(read(tmp_path / name, scan))
                outcomes.add("read")
            except LabelError as error:
                outcomes.add("refused")
                assert str(tmp_path) not in str(error)
    assert outcomes == {"read", "refused"}
