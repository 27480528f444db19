"""Whatever tool wrote a label file: change which export its images are of, and it is refused or
mapped to its own export, never to this one without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit.label_truth import STACK
from kit.phantoms import Spec, write
from kit.tool_files.samples import SAMPLES, Sample

import sidecar
from sidecar.errors import LabelError
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions, load
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import READERS

#: A PNG's name in the files of the kit, without its extension.
_NAME = re.compile(r"slice_(\d{4})")
#: Names that the kit's files have for images of none of these exports.
_STRAY = re.compile(r'"?a\.png"?')


@dataclass(frozen=True)
class Scans:
    """Two scans of one size, exported alike: their PNGs differ in the tag alone."""

    one: Export
    other: Export


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    folder = tmp_path_factory.mktemp("scans")
    found = []
    for name, seed in (("one", 1), ("other", 2)):
        spec = Spec(
            columns=STACK.columns,
            rows=STACK.rows,
            slices=STACK.slices,
            markers=False,
            junk=False,
            seed=seed,
        )
        write(spec, folder / name / "scan")
        sidecar.export(folder / name / "scan", folder / name / "png", scale=1.0)
        found.append(Export.open(folder / name / "png"))
    assert found[0].png_size == (STACK.columns, STACK.rows) and found[0].tag != found[1].tag
    return Scans(*found)


def labelled(sample: Sample, folder: Path, rename: Callable[[str], str]) -> Path:
    """The file of a tool whose PNGs are called otherwise, in its name too."""
    path = folder / _NAME.sub(lambda found: rename(found[0]), sample.name)
    text = _STRAY.sub(lambda found: found[0].replace("a.png", "slice_0003.png"), sample.text)
    path.write_text(_NAME.sub(lambda found: rename(found[0]), text), encoding="utf-8")
    return path


def options(sample: Sample, trust_names: bool = False) -> LoadOptions:
    """Points of the kit may lie outside the PNGs; XY coordinates do not say what they are."""
    reading = ReadOptions("center" if sample.reader == "imagej-xy" else None)
    return LoadOptions(sample.reader, reading, trust_names=trust_names, allow_outside=True)


def mapped(
    path: Path, sample: Sample, exports: Sequence[Export], trust_names: bool = False
) -> list[Export]:
    """The export of each label."""
    loaded = load([path], exports, options(sample, trust_names))
    return [file.export for file in loaded.files for _ in file.points.names]


def names_images(sample: Sample, path: Path, export: Export) -> bool:
    labels = READERS[sample.reader].read(path, export.png_stack, options(sample).reading)
    return all(labels.images[k].name for k in labels.labelled)


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.reader)
def test_by_its_tag(sample: Sample, scans: Scans, tmp_path: Path) -> None:
    def tagged(export: Export) -> Path:
        return labelled(sample, tmp_path, lambda name: f"{name}_{export.tag}")

    own = tagged(scans.one)
    assert set(mapped(own, sample, [scans.one])) == {scans.one}
    if not names_images(sample, own, scans.one):
        (file,) = load([own], [scans.one], options(sample)).files
        assert any("whole stack of 12 PNGs" in note for note in file.notes)
        return
    other = tagged(scans.other)
    for trusts in (False, True):
        with pytest.raises(LabelError, match=f"{scans.other.tag}"):
            mapped(other, sample, [scans.one], trusts)
    assert set(mapped(other, sample, [scans.one, scans.other])) == {scans.other}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.reader)
def test_a_name_without_a_tag_is_not_enough(sample: Sample, scans: Scans, tmp_path: Path) -> None:
    bare = labelled(sample, tmp_path, lambda name: name)
    if not names_images(sample, bare, scans.one):
        return
    with pytest.raises(LabelError, match="has no tag"):
        mapped(bare, sample, [scans.one])
    assert set(mapped(bare, sample, [scans.one], True)) == {scans.one}
    with pytest.raises(LabelError, match="could belong to"):
        mapped(bare, sample, [scans.one, scans.other], True)


def test_which_tools_name_images(scans: Scans, tmp_path: Path) -> None:
    """The others count slices of the whole stack, and the tests above ask no more of them."""
    found: dict[str, set[bool]] = {}
    for sample in SAMPLES:
        path = labelled(sample, tmp_path, lambda name: name)
        found.setdefault(sample.reader, set()).add(names_images(sample, path, scans.one))
    assert {reader for reader, named in found.items() if named == {False}} == {
        "amira",
        "landmark",
        "napari",
        "qupath",
        "slicer",
    }
    assert {reader for reader, named in found.items() if named == {False, True}} == {"cvat"}
