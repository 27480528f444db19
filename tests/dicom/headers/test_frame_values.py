"""What stored values mean: tables (Modality LUT) held against pydicom, and real world values
against the standard by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from kit.numbered_slices import COUNT, CT, MR, one_stack, refusal, unusable, write_slices
from kit.phantoms import Spec, write
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian

import sidecar
from sidecar.checks import check_export
from sidecar.document.model import Document

Change = Callable[[Dataset], None]


def table(
    count: int, first: int, bits: int = 16, kind: str = "HU", vr: str = "OW", signed: bool = False
) -> Dataset:
    """An item of Modality LUT Sequence: squares, up to the highest that so many bits hold."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [count % 65536, first, bits])
    item.ModalityLUTType = kind
    top = (1 << bits) - 1
    entries = (np.linspace(0, 1, count) ** 2 * top).astype(np.uint16)
    if vr == "US":
        item.add_new("LUTData", "US", entries.tolist())
    else:
        item.add_new("LUTData", "OW", entries.astype("u1" if bits == 8 else "<u2").tobytes())
    return item


def scan(folder: Path, item: Dataset, change: Change = lambda dataset: None) -> Path:
    def with_table(dataset: Dataset, k: int) -> None:
        dataset.ModalityLUTSequence = Sequence([item])
        change(dataset)

    return write_slices(folder, with_table, numbers=range(3))


def png_values(folder: Path, document: Document) -> list[Any]:
    return [np.asarray(Image.open(folder / image.name)) for image in document.images.files]


def by_document(document: Document, png: Any) -> Any:
    """Values of a PNG as a reader of the document finds them."""
    images = document.images
    if images.value is not None:
        return images.value.slope * png + images.value.intercept
    assert images.lookup_table is not None and images.window is None
    entries = np.array(images.lookup_table.entries)
    at = png.astype(np.int64) - images.lookup_table.first
    return entries[np.clip(at, 0, len(entries) - 1)]


def by_pydicom(folder: Path) -> list[Any]:
    """Values of every slice, in the order of their files."""
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    for dataset in datasets:
        item = dataset.ModalityLUTSequence[0]
        if item.LUTDescriptor[2] < 16:  # pydicom knows one entry in a word, of 8 or 16 bits
            size = "u1" if item.LUTDescriptor[2] == 8 else "<u2"
            item["LUTData"].VR = "US"
            item["LUTData"].value = np.frombuffer(item["LUTData"].value, size).tolist()
            item.LUTDescriptor[2] = 16
    return [apply_modality_lut(dataset.pixel_array, dataset).astype(float) for dataset in datasets]


def signed(dataset: Dataset) -> None:
    """The same pixels, 2000 lower."""
    dataset.PixelRepresentation = 1
    dataset.PixelData = (dataset.pixel_array.astype(np.int16) - 2000).tobytes()


def inverted(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def signed_and_inverted(dataset: Dataset) -> None:
    signed(dataset)
    inverted(dataset)


TABLES: dict[str, tuple[Dataset, Change]] = {
    "all values": (table(65536, 0), lambda dataset: None),
    "from the first pixel on": (table(4000, 1000), lambda dataset: None),
    "fewer than there are pixel values": (table(100, 1050), lambda dataset: None),
    "numbers instead of words": (table(4000, 1000, vr="US"), lambda dataset: None),
    "entries of 12 bits": (table(4000, 1000, bits=12), lambda dataset: None),
    "two entries in a word": (table(4000, 1000, bits=8), lambda dataset: None),
    "signed pixels": (table(4000, -1500, signed=True), signed),
    "white is low": (table(4000, 1000), inverted),
    "signed and white is low": (
        table(4000, -1500, signed=True),
        signed_and_inverted,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_pngs_of_16_bits_keep_stored_values_and_the_document_has_the_table(
    name: str, tmp_path: Path
) -> None:
    folder = scan(tmp_path / "scan", *TABLES[name])
    document = sidecar.export(folder, tmp_path / "png", bits=16).document
    assert document.images.value is None and document.images.lookup_table is not None
    assert document.images.lookup_table.unit == "HU"
    pngs = png_values(tmp_path / "png", document)
    for png, true in zip(pngs, by_pydicom(folder), strict=True):
        assert np.array_equal(by_document(document, png), true)
    stored = [pydicom.dcmread(path).pixel_array for path in sorted(folder.iterdir())]
    for png, plane in zip(pngs, stored, strict=True):
        assert len(np.unique(png)) == len(np.unique(plane))
    assert all(finding.passed for finding in check_export(tmp_path / "png", folder))


@pytest.mark.slow
@pytest.mark.parametrize("window", ["full", None, "1000,2000"])
@pytest.mark.parametrize("name", TABLES)
def test_pngs_of_8_bits_go_through_the_table(name: str, window: str | None, tmp_path: Path) -> None:
    folder = scan(tmp_path / "scan", *TABLES[name])
    options = {} if window is None else {"window": window}
    document = sidecar.export(folder, tmp_path / "png", **options).document
    assert document.images.value is not None and document.images.lookup_table is None
    assert document.images.window is not None
    half = abs(document.images.value.slope) / 2 * 1.001
    pngs = png_values(tmp_path / "png", document)
    for png, true in zip(pngs, by_pydicom(folder), strict=True):
        shown = np.clip(true, document.images.window.lower, document.images.window.upper)
        assert np.abs(by_document(document, png) - shown).max() <= half
    assert all(finding.passed for finding in check_export(tmp_path / "png", folder))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("name", ["from the first pixel on", "signed pixels"])
def test_tables_of_any_encoding(name: str, syntax: str, tmp_path: Path) -> None:
    explicit = scan(tmp_path / "explicit", *TABLES[name])
    other = tmp_path / "other"
    other.mkdir()
    for path in explicit.iterdir():
        dataset = pydicom.dcmread(path)
        if syntax == ExplicitVRBigEndian:
            item = dataset.ModalityLUTSequence[0]
            for holder, keyword in ((dataset, "PixelData"), (item, "LUTData")):
                words = np.frombuffer(holder[keyword].value, "<u2").astype(">u2").tobytes()
                holder[keyword].value = words
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        pydicom.dcmwrite(
            other / path.name,
            dataset,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax == ImplicitVRLittleEndian,
            enforce_file_format=True,
        )
    found = [
        sidecar.export(folder, tmp_path / f"{folder.name} png", bits=16).document.images
        for folder in (explicit, other)
    ]
    assert found[0].lookup_table == found[1].lookup_table


def test_means_are_means_of_values(tmp_path: Path) -> None:
    folder = scan(tmp_path / "scan", table(4000, 1000))
    document = sidecar.export(folder, tmp_path / "png", scale=0.5, window="full").document
    assert document.images.value is not None
    for png, true in zip(png_values(tmp_path / "png", document), by_pydicom(folder), strict=True):
        means = true.reshape(20, 2, 24, 2).mean(axis=(1, 3))
        off = np.abs(by_document(document, png) - means).max()
        assert off <= document.images.value.slope / 2 + 0.5  # means are rounded to whole values


def test_means_of_stored_values_are_told(tmp_path: Path) -> None:
    folder = scan(tmp_path / "scan", table(4000, 1000))
    told = [
        "\n".join(
            sidecar.export(folder, tmp_path / f"{scale}", bits=16, scale=scale).document.warnings
        )
        for scale in (1, 0.5)
    ]
    assert "not the mean of the modality values" not in told[0]
    assert "not the mean of the modality values" in told[1]


def rescaled(dataset: Dataset) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1000


def short(dataset: Dataset) -> None:
    dataset.ModalityLUTSequence[0].LUTData = dataset.ModalityLUTSequence[0].LUTData[:100]


def no_bits(dataset: Dataset) -> None:
    dataset.ModalityLUTSequence[0].LUTDescriptor = [4000, 1000]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rescaled, "Modality LUT Sequence, and also Rescale Slope 2 and Rescale Intercept -1000"),
        (short, "LUT Descriptor is 4000\\1000\\16, LUT Data has 100 entries"),
        (no_bits, "LUT Descriptor of Modality LUT Sequence is not three numbers"),
    ],
)
def test_what_cannot_be_applied_is_refused(change: Change, words: str, tmp_path: Path) -> None:
    assert words in unusable(scan(tmp_path / "scan", table(4000, 1000), change))


def test_tables_that_differ_between_slices_are_refused(tmp_path: Path) -> None:
    folder = scan(tmp_path / "scan", table(4000, 1000))
    dataset = pydicom.dcmread(folder / "slice_0003.dcm")
    dataset.ModalityLUTSequence = Sequence([table(4000, 999)])
    dataset.save_as(folder / "slice_0003.dcm")
    why = refusal(folder)
    assert "Modality LUT Sequence differs between slices (2 kinds" in why
    assert "slice_0001.dcm and slice_0003.dcm" in why


def test_a_line_of_one_and_zero_beside_a_table_is_none(tmp_path: Path) -> None:
    def identity(dataset: Dataset) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0

    assert one_stack(scan(tmp_path / "scan", table(4000, 1000), identity)).problem is None


@pytest.mark.parametrize("bits", [8, 16])
def test_the_case_from_the_field_with_a_table(
    bits: int, shared_cases: Path, tmp_path: Path
) -> None:
    folder = shared_cases / "dicom" / "14_modality_lut"
    document = sidecar.export(folder, tmp_path / "png", bits=bits, window="full").document
    assert document.images.value is not None
    half = document.images.value.slope / 2 * 1.001
    pngs = png_values(tmp_path / "png", document)
    for png, true in zip(pngs, by_pydicom(folder), strict=True):
        assert np.abs(by_document(document, png) - true).max() <= half


# --- real world values ---


def mapping(slope: float | None = 0.5, intercept: float | None = -10.0, **values: Any) -> Dataset:
    item, unit = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "mm2/s", "UCUM", "mm2/s"
    item.MeasurementUnitsCodeSequence = Sequence([unit])
    item.LUTLabel = "ADC"
    item.RealWorldValueFirstValueMapped, item.RealWorldValueLastValueMapped = 0, 4095
    if slope is not None:
        item.RealWorldValueSlope = slope
    if intercept is not None:
        item.RealWorldValueIntercept = intercept
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def test_real_world_values_stand_in_the_document(shared_cases: Path, tmp_path: Path) -> None:
    made = sidecar.export(shared_cases / "dicom" / "15_rwvm", tmp_path / "png")
    (found,) = made.document.source.real_world_values
    assert (found.first, found.last, found.slope, found.intercept) == (0, 65535, 0.5, -10)
    assert (found.label, found.unit, found.entries) == ("D", None, [])
    assert made.document.warnings == []


def test_they_are_those_of_modality_values(tmp_path: Path) -> None:
    """Slices whose rescale and mapping differ, and which mean the same: each stored value stands
    for what the standard says, found by way of its modality value.
    """

    def change(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = k + 1, -1000
        item = mapping(0.25 * (k + 1), -250 + 7)  # 0.25 · value + 7
        dataset.RealWorldValueMappingSequence = Sequence([item])

    folder = write_slices(tmp_path / "scan", change, MR, range(3))
    document = sidecar.export(folder, tmp_path / "png", bits=16).document
    (found,) = document.source.real_world_values
    assert (found.unit, found.label) == ("mm2/s", "ADC")
    assert found.slope is not None and found.intercept is not None
    for k, path in enumerate(sorted(folder.iterdir())):
        stored = pydicom.dcmread(path).pixel_array.astype(float)
        value = (k + 1) * stored - 1000
        true = 0.25 * (k + 1) * stored - 243
        assert np.allclose(found.slope * value + found.intercept, true)
        assert found.first <= value.min() and value.max() <= found.last


def test_a_table_of_real_world_values_lies_evenly_over_modality_values(tmp_path: Path) -> None:
    entries = [float(v) ** 0.5 for v in range(4096)]

    def change(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = -2, 100
        item = mapping(None, None, RealWorldValueLUTData=entries)
        dataset.RealWorldValueMappingSequence = Sequence([item])

    folder = write_slices(tmp_path / "scan", change, MR, range(1))
    (found,) = sidecar.export(folder, tmp_path / "png").document.source.real_world_values
    assert (found.first, found.last, found.slope) == (100 - 2 * 4095, 100, None)
    for stored in (0, 1, 1000, 4095):
        at = (-2 * stored + 100 - found.first) / (found.last - found.first) * 4095
        assert found.entries[round(at)] == entries[stored]


NOT_SOUND = "it has no valid range, or it has neither slope and intercept nor a table"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([[mapping(0.5)], [mapping(0.6)]], "it differs between slices"),
        ([[mapping()], []], "some slices have more maps than others"),
        ([[mapping(None)]], NOT_SOUND),
        ([[mapping(None, None, RealWorldValueLUTData=[1.0, 2.0])]], NOT_SOUND),
        ([[mapping(RealWorldValueLastValueMapped=None)]], NOT_SOUND),
    ],
)
def test_what_is_not_one_map_is_left_out_and_told(
    items: list[list[Dataset]], words: str, tmp_path: Path
) -> None:
    def change(dataset: Dataset, k: int) -> None:
        dataset.RealWorldValueMappingSequence = Sequence(items[k % len(items)])

    made = sidecar.export(write_slices(tmp_path / "scan", change, CT), tmp_path / "png")
    assert made.document.source.real_world_values == []
    assert f"Real World Value Mapping is not in the document: {words}" in made.document.warnings
    assert made.size[2] == COUNT


def test_beside_a_table_they_are_left_out_and_told(tmp_path: Path) -> None:
    """They map stored values, which cannot be had back from those of a table."""

    def mapped(dataset: Dataset) -> None:
        dataset.RealWorldValueMappingSequence = Sequence([mapping()])

    folder = scan(tmp_path / "scan", table(4000, 1000), mapped)
    document = sidecar.export(folder, tmp_path / "png", bits=16).document
    assert document.source.real_world_values == []
    assert document.images.lookup_table is not None and document.images.value is None
    (told,) = document.warnings
    assert told.endswith("it maps stored values, but a Modality LUT maps them otherwise")


def test_real_world_values_of_functional_groups(tmp_path: Path) -> None:
    phantom = write(Spec(layout="enhanced"), tmp_path / "scan")
    path = phantom.files()[0]
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.RealWorldValueMappingSequence = Sequence([mapping(), mapping(2.0, LUTLabel="other")])
    dataset.save_as(path)
    found = sidecar.export(path, tmp_path / "png").document.source.real_world_values
    assert [one.label for one in found] == ["ADC", "other"]
