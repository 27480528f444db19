"""100 kB of whatever is nasty where no labels are: documents, configs, headers, options, names."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from kit.bounded_work import NASTY, bounded, needs_a_bound
from kit.made_exports import Export
from kit.needs import not_watched

from sidecar.cli.zoom import length_mm
from sidecar.dicom.scan import scan
from sidecar.document.reading import parse
from sidecar.document.tag import png_stem
from sidecar.document.writing import as_text
from sidecar.errors import SidecarError
from sidecar.exporting.options import make_options
from sidecar.formats.natural_order import natural_order
from sidecar.formats.yaml_file import read_yaml
from sidecar.labels.identity.exports import Export as LabelledExport
from sidecar.labels.load import LoadOptions
from sidecar.masks.readers import read_mask
from sidecar.masks.readers.nrrd_file import read_nrrd

pytestmark = needs_a_bound


@pytest.mark.slow
@pytest.mark.parametrize("kind", NASTY)
@not_watched
def test_what_is_read(tmp_path: Path, kind: str) -> None:
    text, path = NASTY[kind], tmp_path / "file"
    for begin, read in (
        ("", parse),
        ('{"version": "1.0", "source": ', parse),
        ("", lambda _: read_yaml(path)),
        ("scale: ", lambda _: read_yaml(path)),
        ("NRRD0004\n", lambda _: read_nrrd(path)),
        ("NRRD0004\nspace: lps\nspace directions: (", lambda _: read_nrrd(path)),
        ("", lambda _: scan(path)),
        ("\0" * 128 + "DICM\x02\0\x10\0UI\x04\x001.2", lambda _: scan(path)),
    ):
        path.write_bytes((begin + text).encode())
        with bounded((kind, begin)), contextlib.suppress(SidecarError):
            read(begin + text)


#: What the kinds of masks begin with, so that each is taken for what it says.
MASKS = {
    "mask.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\0\0\0\0",
    "mask.tif": b"II*\0\x08\0\0\0",
    "mask.nii": b"\x5c\x01\0\0",
    "mask.nii.gz": b"\x1f\x8b\x08\0\0\0\0\0\0\0",
    "mask.nrrd": b"NRRD0004\ntype: uint8\n",
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("kind", NASTY)
def test_masks(tmp_path: Path, kind: str, name: str) -> None:
    export = [LabelledExport(Export().sidecar())]
    path = tmp_path / name
    for end in ("", "\0" * 400):
        path.write_bytes(MASKS[name] + end.encode() + NASTY[kind].encode())
        with bounded((kind, name)), contextlib.suppress(SidecarError):
            read_mask([path], export, options=LoadOptions(trust_names=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", NASTY)
def test_options_and_names(kind: str) -> None:
    text = NASTY[kind]
    for value in (
        text,
        f"1{text}",
        f"1{text}!",
        f"1:{text}",
        f"slice_{text}",
        f"slice_0000_{text}",
    ):
        with bounded((kind, value[:9])):
            for name in ("fit", "crop", "window", "scale", "specimen"):
                with contextlib.suppress(SidecarError):
                    make_options(**{name: value})
            with contextlib.suppress(SidecarError):
                length_mm(value)
            natural_order(value)
            png_stem(value)


@pytest.mark.parametrize(
    "name", ["[" + " " * 4000 + "x", "[" * 4000, "a [ 1 ] b", "[ 1,  2 ]", "[" + " 1" * 2000 + "]"]
)
def test_names_of_files_are_written_as_they_are(tmp_path: Path, name: str) -> None:
    """Also those that look like a list of numbers, which is laid out anew."""
    document = Export().write(tmp_path).document
    plane = replace(document.source.planes[0], file=name)
    planes = [plane, *document.source.planes[1:]]
    source = replace(document.source, planes=planes)
    changed = replace(document, source=source)
    with bounded(name[:9]):
        assert parse(as_text(changed)) == changed
