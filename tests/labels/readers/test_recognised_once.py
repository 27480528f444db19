"""A file is recognised by the reader of its tool, and by no other."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.tool_files.samples import SAMPLES, Sample

from sidecar.errors import LabelError
from sidecar.labels.readers import READERS, reader_for

#: The reader of tables of no tool is asked where no other recognises a file.
OF_TOOLS = [reader for name, reader in READERS.items() if name != "csv"]
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "BOM": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
}


def recognising(path: Path, head: bytes) -> list[str]:
    return [reader.name for reader in OF_TOOLS if reader.recognises(path, head[: 1 << 16])]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.reader)
def test_by_its_own_reader_alone(sample: Sample, encoding: str, end: str) -> None:
    if "<?xml" in sample.text and encoding != "UTF-8":
        return  # an XML declaration states the encoding, which the bytes would belie
    head = ENCODINGS[encoding](sample.text.replace("\r\n", "\n").replace("\n", end))
    assert recognising(Path(sample.name), head) == [sample.reader]
    assert recognising(Path("labels"), head) == [sample.reader], "whatever the file is called"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"\x89PNG\r\n\x1a\n",
        b"[" * 50_000,
        "Schädel".encode("latin-1"),
        b"\xff\xfe{\x00",
    ],
)
@pytest.mark.parametrize("reader", READERS)
def test_anything_else_by_none(reader: str, content: bytes) -> None:
    assert not READERS[reader].recognises(Path("file"), content)


@pytest.mark.parametrize(
    "header", ["label,x,y,slice", "index,x,y,axis-0", "scorer,x,y,image", "id,x,y,z"]
)
def test_generic_csv_is_left_to_its_reader(header: str) -> None:
    assert recognising(Path("labels.csv"), f"{header}\na,1,2,3\n".encode()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("index;axis-0;axis-1;axis-2\n0;3,0;20,5;10,5\n", "semicolons"),
        ("scorer\tme\tme\nbodyparts\ta\ta\ncoords\tx\ty\n", "tabs"),
        ('{\n\t"a": 1}', None),
    ],
)
def test_a_table_that_a_spreadsheet_saved_again(
    tmp_path: Path, text: str, told: str | None
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(LabelError, match="not a label file that sidecar") as caught:
        reader_for(path)
    assert ("as spreadsheets save tables" in str(caught.value)) is (told is not None)
    assert told is None or f"it has {told} between its cells" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "name,file,X coord,Y coord\na,slice_0001.png,1,2\n",
            "no column x, y, image or slice; it has name, file, X coord, Y coord. Rename",
        ),
        ("label,image,x,z\na,slice_0001.png,1,2\n", "no column y; it has label, image, x, z."),
        ("label;slice;x;z\na;1;1,5;2\n", "no column y; it has label, slice, x, z."),
        ("label\timage\tz\n", "no column x, y; it has label, image, z."),
        ('sep=,\n"label, own",image,z\n"a, b",c,1\n', "it has label, own, image, z."),
        (",".join(f"c{i}" for i in range(40)), "c11, …. Rename"),
        ("a,slice_0001.png,1,2\nb,slice_0002.png,3,4\n", "has no header row; add one"),
        ("label,x_mm,y_mm,z_mm\na,1,2,3\n", "points in the scan: `sidecar project` takes"),
        ("x_mm,y_mm,z_mm\n1,2,3\n", "points in the scan: `sidecar project` takes"),
        ("source_column,source_row,source_slice\n1,2,3\n", "`sidecar project` takes"),
    ],
)
def test_what_a_table_lacks_as_a_csv_of_labels(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "misnamed.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelError, match=r"^misnamed\.csv: is not a label file") as caught:
        reader_for(path)
    assert told in str(caught.value) and "with --from" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Dear Ada,\nthese are the labels\n",
        b'{"a": 1, "b": 2}\n',
        b"<a b='1,2'/>\n",
        b"\x89PNG\r\n\x1a\n,,\x00,",
    ],
)
def test_what_is_no_table_is_not_called_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(LabelError, match="recognises; if it is one of a label tool, name"):
        reader_for(tmp_path / "file")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("annotations.xml", "it is a zip: unpack it"),
        ("[Content_Types].xml", "it is a spreadsheet: save the table as CSV"),
    ],
)
def test_a_zip_that_is_no_set_of_selections(tmp_path: Path, entry: str, told: str) -> None:
    """As CVAT and Roboflow hand out their exports."""
    with zipfile.ZipFile(tmp_path / "job.zip", "w") as archive:
        archive.writestr(entry, "<annotations/>")
    with pytest.raises(LabelError, match=told):
        reader_for(tmp_path / "job.zip")


def test_names_are_unique() -> None:
    assert [reader.name for reader in READERS.values()] == list(READERS)
