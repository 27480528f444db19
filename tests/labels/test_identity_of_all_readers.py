"""Change the identity of the images of any label file: it is refused or mapped to its own export,
never to another without a word.

Everything that a file and its surroundings tell speaks for one export. What that is follows here
from what was changed, and from no rule of the package.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.adopted_images import texture, windowed, write_scan
from kit.label_truth import LANDMARKS, STACK
from kit.made_exports import Draw
from kit.made_exports import Export as Made
from kit.tool_files import deeplabcut_h5, labelme
from kit.tool_files.samples import SAMPLES, Sample
from labels.readers.test_imagej_roi import point as roi_of
from labels.readers.test_imagej_tiff import write as write_tiff
from labels.readers.test_label_studio_tables import ROWS, as_csv
from numpy.typing import NDArray
from PIL import Image

import sidecar
from sidecar.errors import LabelError
from sidecar.grid.axis import Axis
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions, Mapping, load
from sidecar.labels.model import ReadOptions
from sidecar.labels.readers import READERS

pytest.importorskip("h5py")

#: Three exports whose PNGs have tags, "small" of the scan of "one" at half its size, and two of
#: version 1.0, whose PNGs are all called alike.
TAGGED, OLD = ("one", "other", "small"), ("old-one", "old-other")
FOLDERS = (*TAGGED, *OLD)
#: What fits into some seconds; thousands were tried when this was written.
EXAMPLES = 120
_NAME = re.compile(r"(?P<folder>[\\/]?)slice_(?P<number>\d{4})")
_STRAY = re.compile(r'"?a\.png"?')


class Exports:
    """``home`` holds a folder for each export, and one for labels."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.by_name = {name: Export.open(home / name) for name in FOLDERS}

    def __repr__(self) -> str:
        return ", ".join(self.by_name)

    def png(self, name: str, number: int) -> Path:
        files = self.by_name[name].sidecar.document.images.files
        return self.home / name / files[number % len(files)].name

    def tag(self, name: str) -> str:
        """What the names of its PNGs end in, without the extension."""
        return "" if name in OLD else f"_{self.by_name[name].tag}"


def drawn(planes: NDArray[np.int16]) -> Draw:
    return lambda k, _: windowed(planes[k], -500, 1500)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    home = tmp_path_factory.mktemp("exports")
    size = STACK.columns, STACK.rows, STACK.slices
    for seed, name in enumerate(("one", "other")):
        scan = tmp_path_factory.mktemp("scans") / name
        write_scan(scan, texture(*size, seed=seed, noise=0.3), seed)
        sidecar.export(scan, home / name, scale=1.0)
        if name == "one":
            sidecar.export(scan, home / "small", scale=0.5)
    columns, rows, slices = (Axis.stride(0, count, 1) for count in size)
    for seed, name in enumerate(OLD):
        planes = texture(*size, seed=10 + seed, noise=0.3)
        (home / name).mkdir()
        series = f"1.2.826.0.1.3680043.8.498.{7 + seed}"
        Made(columns, rows, slices, size, series=series).write(home / name, drawn(planes))
    (home / "labels").mkdir()
    return Exports(home)


@dataclass(frozen=True)
class Identity:
    """What a label file says of its images, and where it lies; "" for nothing.

    ``tag``     of this export in the names of images.
    ``folder``  stands before them.
    ``place``   the folder in which the label file lies.
    ``size``    "small": that of the PNGs of that export; "odd": of none.
    ``image``   of this export, and of the slice that is named or of the one after it, lies beside
                the file; in files of LabelMe it is in them. ``resaved``: without its texts.
    """

    tag: str = ""
    folder: str = ""
    place: str = "labels"
    size: str = ""
    image: str = ""
    next_slice: bool = False
    resaved: bool = False


IDENTITIES = st.builds(
    Identity,
    tag=st.sampled_from(["", *TAGGED]),
    folder=st.sampled_from(["", "/data/upload/3/4ac13f39-", *FOLDERS]),
    place=st.sampled_from(["labels", "labels", *FOLDERS]),
    size=st.sampled_from(["", "", "", "small", "odd"]),
    image=st.sampled_from(["", "", *FOLDERS]),
    next_slice=st.booleans(),
    resaved=st.booleans(),
)
GIVEN = st.one_of(
    st.sampled_from([[name] for name in FOLDERS]),
    st.lists(st.sampled_from(FOLDERS), min_size=2, unique=True),
)


@dataclass(frozen=True)
class Kind:
    """Label files of one reader. ``write(folder, rename)`` writes one whose images, and it itself,
    are called otherwise.
    """

    reader: str
    name: str
    write: Callable[[Path, Callable[[str], str]], Path]

    def __str__(self) -> str:
        return f"{self.reader} {self.name}"

    @property
    def is_text(self) -> bool:
        return not self.name.endswith((".tif", ".roi", ".h5"))

    def options(self, trust_names: bool) -> LoadOptions:
        """Points of the kit may lie outside the PNGs; XY coordinates do not say what they
        are.
        """
        reading = ReadOptions("center" if self.reader == "imagej-xy" else None)
        return LoadOptions(self.reader, reading, trust_names=trust_names, allow_outside=True)


def _bare(name: str) -> str:
    """A name without folders and prefix."""
    return name[name.index("slice_") :]


def of_text(sample: Sample) -> Kind:
    text = _STRAY.sub(lambda found: found[0].replace("a.png", "slice_0003.png"), sample.text)

    def write(folder: Path, rename: Callable[[str], str]) -> Path:
        path = folder / _NAME.sub(lambda found: _bare(rename(found[0])), sample.name)
        path.write_text(_NAME.sub(lambda found: rename(found[0]), text), encoding="utf-8")
        return path

    return Kind(sample.reader, sample.name, write)


def _tiff(folder: Path, rename: Callable[[str], str]) -> Path:
    names = [rename(Path(name).stem) for name in STACK.names]
    return write_tiff(folder / "stack.tif", [roi_of(m) for m in LANDMARKS], Labels=names)


def _h5(folder: Path, rename: Callable[[str], str]) -> Path:
    return deeplabcut_h5.write(folder / "CollectedData_Ada.h5", rename=rename)


def _roi(folder: Path, rename: Callable[[str], str]) -> Path:
    path = folder / "nasion.roi"
    path.write_bytes(roi_of(LANDMARKS[0]).tobytes())
    return path


#: The kit's table has two tasks of one image, which only a tag tells to be one.
SEVERAL_TASKS = ("label-studio-min", True)
_CSV = "label,image,x,y\n" + "".join(f"{m.name},{m.image},{m.x},{m.y}\n" for m in LANDMARKS)
_LABELME = labelme.document([labelme.shape("a", [[1, 2], [3, 4]], "rectangle")])
_TASKS = as_csv(ROWS).replace("/data/upload/1/4ac13f39-", "")
KINDS = [
    *map(of_text, SAMPLES),
    of_text(Sample("csv", "labels.csv", _CSV)),
    of_text(Sample("labelme", "slice_0003.json", json.dumps(_LABELME))),
    of_text(Sample("label-studio-min", "tasks.csv", _TASKS)),
    Kind("imagej-tiff", "stack.tif", _tiff),
    Kind("imagej-roi", "nasion.roi", _roi),
    Kind("deeplabcut-h5", "CollectedData_Ada.h5", _h5),
]


def test_every_reader_has_a_file() -> None:
    """The others are those readers of volumes again, for files that state another unit."""
    missing = set(READERS) - {kind.reader for kind in KINDS}
    assert {reader.rpartition("-")[0] for reader in missing} <= {
        "slicer",
        "landmark",
        "amira",
        "makesense",
    }


@dataclass(frozen=True)
class Written:
    """A label file as written, what was put beside it, the slice whose image ``told.image`` is,
    and what of the identity it tells: a format that names no image says nothing of images.
    ``by_pixels``: the image has no texts, and lies beside the file.
    """

    path: Path
    beside: Path | None
    number: int
    told: Identity
    by_pixels: bool


def written(kind: Kind, identity: Identity, exports: Exports) -> Written:
    """A file of that identity, and an image beside it or in it."""
    before = f"C:/work/{identity.folder}/" if identity.folder in FOLDERS else identity.folder
    after = exports.tag(identity.tag) if identity.tag else ""
    numbers: set[int] = set()

    def rename(name: str) -> str:
        found = _NAME.match(name)
        assert found is not None
        numbers.add(int(found["number"]))
        rest = f"slice_{found['number']}{after}{name[found.end() :]}"
        return found["folder"] + rest if found["folder"] else before + rest

    path = kind.write(exports.home / identity.place, rename)
    number = min(numbers, default=0)
    sizes = {"small": exports.by_name["small"].png_size, "odd": (90, 120)}
    has_texts = identity.image in TAGGED and not identity.resaved
    image, beside = "", None
    if identity.image:
        shown = exports.png(identity.image, number + identity.next_slice)
        picture = resaved(shown) if identity.resaved else shown.read_bytes()
        if kind.reader == "labelme":
            document = json.loads(path.read_text())
            document["imageData"] = base64.b64encode(picture).decode()
            path.write_text(json.dumps(document))
        elif identity.place == "labels":
            beside = path.parent / f"slice_{number:04d}{after}.png"
            beside.write_bytes(picture)
        is_there = kind.reader == "labelme" or beside is not None
        # by the side of a tag only texts are asked
        image = identity.image if is_there and (has_texts or not identity.tag) else ""
    text = path.read_bytes().replace(b"\0", b"").decode("latin-1")  # ImageJ writes 16 bits a letter
    told = replace(
        identity,
        tag=identity.tag if after in text + path.name else "",
        folder=identity.folder if before in text else "",
        size=identity.size if states_size(path, kind, sizes.get(identity.size)) else "",
        image=image,
    )
    return Written(path, beside, number, told, beside is not None and not has_texts)


def resaved(path: Path) -> bytes:
    """A PNG as a program saves it that drops texts."""
    out = io.BytesIO()
    with Image.open(path) as image:
        Image.fromarray(np.asarray(image)).save(out, "PNG")
    return out.getvalue()


def states_size(path: Path, kind: Kind, size: tuple[int, int] | None) -> bool:
    """Whether a label file states sizes of images; then it states this one from now on."""
    if size is None or not kind.is_text:
        return False
    columns, rows = size
    text = path.read_text(encoding="utf-8")
    changed = re.sub(
        rf"\b{STACK.rows}\b", str(rows), re.sub(rf"\b{STACK.columns}\b", str(columns), text)
    )
    path.write_text(changed, encoding="utf-8")
    try:
        labels = READERS[kind.reader].read(path, STACK, kind.options(True).reading)
    except LabelError:  # the file contradicts itself now
        return True
    return any(image.size == (columns, rows) for image in labels.images)


def speaks_against(name: str, file: Written, images: list[str]) -> bool:
    """Whether anything that was done to a file speaks for another export than ``name``, or for
    none; ``images``: those that labels are on.
    """
    told = file.told
    shown = any(f"slice_{file.number:04d}" in image for image in images)
    if file.by_pixels and (name == "small") != (told.image == "small"):
        shown = False  # pixels of another size tell nothing
    if told.size == "odd" or (shown and told.image and (told.image != name or told.next_slice)):
        return True
    if told.tag or (shown and told.image):
        return told.tag not in ("", name)
    other_folder = told.folder in FOLDERS and told.folder != name
    other_place = told.place in FOLDERS and name not in (told.folder, told.place)
    return other_folder or other_place or (told.size == "small" and name != "small")


def is_shown(name: str, file: Written, trust_names: bool) -> bool:
    """Whether more than a name without a tag tells of an export whose PNGs have one."""
    return name in OLD or trust_names or name in (file.told.tag, file.told.image)


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(KINDS), IDENTITIES, GIVEN, st.booleans())
def test_never_silently_on_another_export(
    exports: Exports, kind: Kind, identity: Identity, given_names: list[str], trust_names: bool
) -> None:
    mapped, file = outcome(kind, identity, given_names, trust_names, exports)
    for part in mapped:
        name = part.export.folder_name
        images = [image for image in part.labels.image if image]
        assert not len(part.labels) or not speaks_against(name, file, images)
        assert not images or is_shown(name, file, trust_names)


def outcome(
    kind: Kind, identity: Identity, names: list[str], trust_names: bool, exports: Exports
) -> tuple[tuple[Mapping, ...], Written]:
    """What was mapped, nothing where the file was refused, and the file, which is gone again."""
    file = written(kind, identity, exports)
    try:
        chosen = [exports.by_name[name] for name in names]
        return load([file.path], chosen, kind.options(trust_names)).files, file
    except LabelError as error:
        assert len(str(error)) > len(file.path.name) + 20
        return (), file
    finally:
        file.path.unlink()
        if file.beside is not None:
            file.beside.unlink()


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(["one", "other", *OLD]),
    st.sampled_from(["", "/data/upload/3/4ac13f39-"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["own", "all"]),
)
def test_the_right_identity_is_mapped_to_the_same_place(
    exports: Exports, kind: Kind, name: str, folder: str, at_home: bool, image: bool, given_: str
) -> None:
    """With its tag, or where only one export of version 1.0 is given, wherever the file lies."""
    several = given_ == "all" and (name in TAGGED or at_home)
    identity = Identity(
        tag=name if name in TAGGED else "",
        folder=folder,
        place=name if at_home else "labels",
        image=name if image else "",
    )
    mapped, file = outcome(kind, identity, list(FOLDERS) if several else [name], False, exports)
    counts_slices = not file.told.tag
    if (several and counts_slices and not at_home) or (kind.reader, name in OLD) == SEVERAL_TASKS:
        assert not mapped
        return
    (part,) = mapped
    assert part.export.folder_name == name
    with_plain_names = exports.home / "labels" / "plain"
    with_plain_names.mkdir(exist_ok=True)
    plain = kind.write(with_plain_names, str)
    labels = READERS[kind.reader].read(plain, STACK, kind.options(False).reading)
    plain.unlink()
    slices = [
        float(re.search(r"slice_(\d{4})", image)[1]) if np.isnan(k) else k  # type: ignore[index]
        for k, image in zip(labels.slice.tolist(), labels.image, strict=True)
    ]
    np.testing.assert_allclose(part.points.png, np.column_stack([labels.xy, slices]), atol=1e-9)
