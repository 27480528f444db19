"""The header scanner by hand equals pydicom, on every real scan and on phantoms; whatever is not
plain it leaves to pydicom.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kit.phantoms import Spec, write
from pydicom.datadict import dictionary_VR, tag_for_keyword

from sidecar.dicom import header_scanner as plain_headers
from sidecar.dicom.deflated import read_plain_deflated
from sidecar.dicom.header_scanner import ATTRIBUTES, read_plain
from sidecar.dicom.headers import file_header as headers
from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.scan import scan
from sidecar.errors import PixelError
from sidecar.storage.local import Local


def same(path: Path) -> bool:
    """Whether a plain reader took the file; every attribute then equals pydicom's."""
    plain = read_plain(Local.at(path)) or read_plain_deflated(Local.at(path))
    if plain is None:
        return False
    with path.open("rb") as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        start = file.tell()
    for keyword in ATTRIBUTES:
        if keyword == "TransferSyntaxUID":
            assert plain.file_meta["TransferSyntaxUID"] == str(dataset.file_meta.TransferSyntaxUID)
            continue
        assert (keyword in plain) == (keyword in dataset), keyword
        assert as_plain(plain.get(keyword)) == as_plain(dataset.get(keyword)), keyword
    if plain.pixel_offset is not None:
        assert plain.pixel_offset == start + 12
    return True


def as_plain(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value if value is None else float(value)
    if isinstance(value, str):
        return value or None
    return [as_plain(part) for part in value]


def test_tags_and_vrs_are_those_of_the_dictionary() -> None:
    for keyword, (tag, vrs) in ATTRIBUTES.items():
        assert tag == tag_for_keyword(keyword), keyword
        assert set(vrs.split()) <= set(dictionary_VR(tag).replace(" or ", " ").split()), keyword


@pytest.mark.filterwarnings("ignore")
def test_equal_to_pydicom_on_every_real_scan(shared_data: Path) -> None:
    taken = 0
    for path in sorted(shared_data.rglob("*")):
        if (
            path.is_file()
            and path.suffix not in (".json", ".md", ".tsv", ".txt", ".nrrd")
            and "LICENSES" not in path.parts
        ):
            taken += same(path)
    assert taken > 100, "the plain reader has to be of use"


@pytest.mark.filterwarnings("ignore")
def test_equal_to_pydicom_on_the_cases_from_the_field(shared_cases: Path) -> None:
    assert sum(same(path) for path in (shared_cases / "dicom").rglob("*.dcm")) > 100


@pytest.mark.filterwarnings("ignore")
def test_equal_to_pydicom_on_the_files_that_it_brings_along() -> None:
    files = [path for path in Path(pydicom.__file__).parent.rglob("*") if path.is_file()]
    assert sum(same(path) for path in files) > 10


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.90",
    ],
)
def test_equal_to_pydicom_on_phantoms(syntax: str, tmp_path: Path) -> None:
    phantom = write(
        Spec(transfer_syntax=syntax, signed=syntax.startswith("1.2.840.10008.1.2.1")), tmp_path
    )
    assert all(same(path) for path in phantom.files())


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element of explicit VR with a length of two bytes."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def file_of(values: dict[str, bytes], first: bytes = b"") -> bytes:
    """A file of these attributes and two bytes of pixels; ``first`` stands before its meta
    information.
    """
    meta = element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
    length = element(0x00020000, b"UL", struct.pack("<I", len(meta)))
    elements = sorted(
        element(tag_for_keyword(keyword) or 0, dictionary_VR(keyword).encode(), value)
        for keyword, value in values.items()
    )
    pixels = struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OW", 2) + b"\0\0"
    return b"\0" * 128 + b"DICM" + first + length + meta + b"".join(elements) + pixels


TEXTUAL = sorted(
    keyword
    for keyword, (tag, vr) in ATTRIBUTES.items()
    if vr in ("UI", "CS", "DA", "TM", "LO", "SH", "DS", "IS")
    and tag >> 16 != 2
    and keyword != "SpecificCharacterSet"
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=400)
@given(
    keyword=st.sampled_from(TEXTUAL),
    pieces=st.lists(
        st.sampled_from([*"019.-+eA~_,\t\n\0", " ", "  ", "\\", "\x1b$B9q\x1b(B"]), max_size=8
    ),
    charset=st.sampled_from([None, b"ISO_IR 100", b"\\ISO 2022 IR 87", b"ISO_IR 13 "]),
)
@example(keyword="SOPInstanceUID", pieces=[" ", "1", ".", "9"], charset=None)
@example(keyword="ImageOrientationPatient", pieces=["  "] * 3, charset=None)
@example(keyword="ImageOrientationPatient", pieces=[*" \\ \\ \\ \\ \\ "], charset=None)
@example(keyword="SeriesDescription", pieces=["\x1b$B9q\x1b(B"], charset=b"\\ISO 2022 IR 87")
def test_any_text_is_read_as_pydicom_reads_it_or_left_to_it(
    keyword: str, pieces: list[str], charset: bytes | None, slice_file: Path
) -> None:
    value = "".join(pieces).encode()
    value += b" " * (len(value) % 2)
    values = {keyword: value} | ({} if charset is None else {"SpecificCharacterSet": charset})
    path = slice_file.with_name("text")
    path.write_bytes(file_of(values))
    try:
        same(path)
    finally:
        path.unlink()


def test_what_begins_with_a_command_group_is_left_to_pydicom(tmp_path: Path) -> None:
    """pydicom reads group 0000 as implicit VR, whatever follows it."""
    values = {"Modality": b"CT", "SOPInstanceUID": b"1.2\0"}
    path = tmp_path / "command.dcm"
    path.write_bytes(file_of(values))
    assert same(path)
    path.write_bytes(file_of(values, first=element(0x00000002, b"UI", b"1.2.840.10008.1.1\0")))
    assert read_plain(Local.at(path)) is None


def alone(path: Path) -> Any:
    """What is read of a file before any other was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_headers, "_moulds", plain_headers._Moulds())
        return stated(path)


def stated(path: Path) -> Any:
    header = read_plain(Local.at(path))
    return (
        None
        if header is None
        else (
            dict(header),
            header.raw(ATTRIBUTES),
            header.pixel_keyword,
            header.pixel_start,
            header.pixel_offset,
        )
    )


@pytest.fixture(scope="module")
def slice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(Spec(), tmp_path_factory.mktemp("slices")).files()[0]


@settings(deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=2)),
        min_size=1,
        max_size=3,
    )
)
def test_what_was_read_before_makes_no_difference(
    changes: list[tuple[float, bytes]], slice_file: Path
) -> None:
    whole = slice_file.read_bytes()
    assert stated(slice_file) == alone(slice_file)
    header = read_plain(Local.at(slice_file))
    assert header is not None
    changed = bytearray(whole)
    for part, value in changes:
        at = 132 + int(part * (header.pixel_start - 132))
        changed[at : at + len(value)] = value
    path = slice_file.with_name("changed")
    path.write_bytes(changed)
    try:
        assert repr(stated(path)) == repr(alone(path))  # as text, in which one NaN equals another
        assert stated(slice_file) == alone(slice_file)
    finally:
        path.unlink()


def test_a_file_that_differs_in_its_transfer_syntax_alone_is_left_to_pydicom(
    tmp_path: Path,
) -> None:
    path = write(Spec(), tmp_path).files()[0]
    assert read_plain(Local.at(path)) is not None
    path.write_bytes(
        path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1)
    )
    assert read_plain(Local.at(path)) is None


@pytest.mark.filterwarnings("ignore")
def test_what_was_read_before_makes_no_difference_on_any_real_scan(shared_data: Path) -> None:
    files = [
        path
        for path in sorted(shared_data.rglob("*"))
        if path.is_file() and path.suffix not in (".json", ".md", ".tsv", ".txt")
    ]
    for path in (*files, *reversed(files)):
        assert stated(path) == alone(path)


def frames_alone(files: list[Path]) -> list[Frame]:
    """The frames of files of one folder, each read as if there were no other."""
    return [frame for path in files for frame in scan(path).frames]


def headers_in(folder: Path) -> list[Frame]:
    """The frames of a folder, without what is made of the pixels of copies."""
    return [replace(frame, content=None) for frame in scan(folder).frames]


#: By attribute: values of which each slice has one, or none of them.
VARYING: dict[str, list[Any]] = {
    "ImageOrientationPatient": [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0]],
    "ImagePositionPatient": [[0, 0, 1], [0, 0, 2]],
    "RescaleSlope": [1, 2],
    "RescaleIntercept": [0, -1024],
    "WindowCenter": [40, [40, 500]],
    "WindowWidth": [400, 0],
    "AcquisitionNumber": [1, 2],
    "AcquisitionTime": ["101010", "101011"],
    "ContentTime": ["101010", "101012"],
    "EchoTime": [5, 10],
    "ImageType": [["ORIGINAL", "PRIMARY"], ["DERIVED", "PRIMARY"]],
    "PixelPaddingValue": [0, 7],
    "SeriesDescription": ["one", "another"],
}


@st.composite
def stacks(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Slices that differ from the first in one attribute or none."""
    first = {keyword: draw(st.sampled_from([*values, None])) for keyword, values in VARYING.items()}
    changes = st.sampled_from(
        [(keyword, value) for keyword, values in VARYING.items() for value in [*values, None]]
    )
    return [
        first,
        *(first | dict([change]) for change in draw(st.lists(changes, min_size=1, max_size=5))),
    ]


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(stack=stacks())
def test_slices_that_share_some_values_and_not_others(
    stack: list[dict[str, Any]], slice_file: Path
) -> None:
    """What is kept once for slices that agree is that of each of them, also where pydicom reads the
    headers.
    """
    folder = slice_file.with_name("stack")
    folder.mkdir()
    try:
        for k, values in enumerate(stack):
            dataset = pydicom.dcmread(slice_file)
            for keyword, value in values.items():
                dataset.pop(keyword, None)
                if value is not None:
                    vr = dictionary_VR(keyword).replace(
                        "US or SS", "SS" if dataset.PixelRepresentation else "US"
                    )
                    dataset.add_new(keyword, vr, value)
            dataset.save_as(folder / f"{k}.dcm")
        found = headers_in(folder)
        assert found == frames_alone(sorted(folder.iterdir()))
        assert len(found) == len(stack)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(headers, "read_plain", lambda path: None)
            assert found == headers_in(folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_slices_of_every_real_scan_are_those_of_their_files(shared_data: Path) -> None:
    compared = 0
    for folder in {path.parent for path in shared_data.rglob("*.dcm")}:
        files = sorted(
            path for path in folder.iterdir() if path.is_file() and path.name.upper() != "DICOMDIR"
        )
        if all(path.is_file() for path in folder.iterdir()):
            frames = headers_in(folder)
            assert frames == frames_alone(files)
            compared += len(frames)
    assert compared > 100


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]
)
def test_other_encodings_are_left_to_pydicom(syntax: str, tmp_path: Path) -> None:
    phantom = write(Spec(transfer_syntax=syntax), tmp_path)
    assert not any(read_plain(Local.at(path)) for path in phantom.files())


def test_deflated_files_whose_meta_information_is_cut_or_lies_are_left_to_pydicom(
    tmp_path: Path,
) -> None:
    path = write(Spec(transfer_syntax="1.2.840.10008.1.2.1.99"), tmp_path).files()[0]
    whole = path.read_bytes()
    length = int.from_bytes(whole[140:144], "little")
    for lie in (0, length - 2, 1 << 20):
        path.write_bytes(whole[:140] + lie.to_bytes(4, "little") + whole[144:])
        try:
            assert read_plain_deflated(Local.at(path)) is None
        except PixelError as error:
            assert "deflated" in str(error)


def test_enhanced_files_and_cut_ones_are_left_to_pydicom(tmp_path: Path) -> None:
    phantom = write(Spec(layout="enhanced"), tmp_path / "enhanced")
    assert read_plain(Local.at(phantom.files()[0])) is None
    path = write(Spec(), tmp_path / "classic").files()[0]
    whole = path.read_bytes()
    for end in (0, 100, 132, 140, 400, 900):
        path.write_bytes(whole[:end])
        assert read_plain(Local.at(path)) is None
