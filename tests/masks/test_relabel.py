"""Label PNGs and TIFFs: what their pixels mean, and what is refused because it is no hard-edged
mask of these PNGs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from kit.painted_masks import Case, Exported, exported, paint
from kit.phantoms import Spec
from kit.refusals import refuses
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from sidecar.errors import LabelError, UsageError
from sidecar.labels.identity.exports import Export
from sidecar.labels.load import LoadOptions
from sidecar.masks.model import Mask
from sidecar.masks.readers import read_mask
from sidecar.masks.readers.tiff_pages import check_pages
from sidecar.masks.segments import MaskConfig, load_mask_config

CASE = Case(
    "small",
    Spec(columns=80, rows=60, slices=6, sigma=(2.0, 0.5), junk=False),
    {"scale": 0.5, "z_step": 2},
    (0, 0, 0),
    (2, 2, 2),
)
COLUMNS, ROWS, SLICES = 40, 30, 3


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return exported(CASE, tmp_path_factory.mktemp("scan"))


@pytest.fixture
def stack() -> NDArray[np.uint8]:
    """Two labels that touch, on all slices but the first."""
    labels = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    labels[1:, 5:20, 6:22] = 1
    labels[1:, 10:25, 15:30] = 2
    return labels


def read(
    path: Path | Sequence[Path],
    scan: Exported,
    config: MaskConfig | None = None,
    format: str | None = None,
) -> Mask:
    return read_mask(
        [path] if isinstance(path, Path) else list(path),
        [Export(scan.sidecar)],
        config=config,
        options=LoadOptions(format, trust_names=True),
    )


def planes(mask: Mask) -> NDArray[Any]:
    empty = np.zeros((ROWS, COLUMNS), mask.dtype)
    return np.stack([empty if plane is None else plane for plane in mask.planes()])


def config(**segments: dict[str, Any]) -> MaskConfig:
    return MaskConfig.model_validate(
        {"segments": [{"name": name, **rest} for name, rest in segments.items()]}
    )


def save(folder: Path, images: Sequence[Image.Image], scan: Exported, **options: Any) -> Path:
    folder.mkdir()
    for file, image in zip(scan.sidecar.document.images.files, images, strict=False):
        image.save(folder / file.name, **options)
    return folder


def with_palette(labels: NDArray[np.uint8], *colors: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray(labels)
    image.putpalette([channel for color in colors for channel in color])
    return image


def test_gray_values_are_labels(scan: Exported, stack: NDArray[np.uint8], tmp_path: Path) -> None:
    mask = read(paint(tmp_path / "m", stack, scan.sidecar), scan)
    np.testing.assert_array_equal(planes(mask), stack)
    assert [(s.value, s.name) for s in mask.segments] == [(1, "label 1"), (2, "label 2")]
    assert mask.present == ((), (1, 2), (1, 2))
    assert next(mask.planes()) is None


def test_a_slice_without_a_png_is_empty_and_said_to_be(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    mask = read(paint(tmp_path / "m", stack, scan.sidecar, leave_out=(1,)), scan)
    assert mask.present == ((), (), (1, 2))
    assert mask.notes == ("slices without a mask PNG were taken as empty: 1 of 3",)


def test_values_of_16_bits_and_of_one(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    deep = read(paint(tmp_path / "deep", stack.astype(np.uint16) * 500, scan.sidecar), scan)
    assert [s.value for s in deep.segments] == [500, 1000]
    assert deep.dtype == np.uint16
    np.testing.assert_array_equal(planes(deep), stack.astype(np.uint16) * 500)
    bits = save(tmp_path / "bits", [Image.fromarray(plane == 1) for plane in stack], scan)
    np.testing.assert_array_equal(planes(read(bits, scan)), stack == 1)


def test_palette_indices_are_labels_with_the_colours_of_the_palette(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    images = [with_palette(plane, (0, 0, 0), (10, 200, 30), (250, 0, 90)) for plane in stack]
    mask = read(save(tmp_path / "m", images, scan), scan)
    np.testing.assert_array_equal(planes(mask), stack)
    assert [s.color for s in mask.segments] == [(10, 200, 30), (250, 0, 90)]


def test_palettes_that_differ_from_file_to_file_are_refused_unless_colours_tell(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    red, green = (255, 0, 0), (0, 255, 0)
    images = [
        with_palette(stack[0], (0, 0, 0), red, green),
        with_palette(stack[1], (0, 0, 0), red, green),
    ]
    swapped = np.choose(stack[2], [0, 2, 1]).astype(np.uint8)
    folder = save(tmp_path / "m", [*images, with_palette(swapped, (0, 0, 0), green, red)], scan)
    refuses(
        lambda: read(folder, scan),
        LabelError,
        scan.names[2],
        f"#00ff00 here, but #ff0000 in {scan.names[1]}",
        "--config",
    )
    mask = read(folder, scan, config(a={"color": "#ff0000"}, b={"color": [0, 255, 0]}))
    np.testing.assert_array_equal(planes(mask), stack)


@pytest.mark.parametrize(
    "colors",
    [
        ((200, 0, 0), (0, 0, 0), (0, 0, 255)),
        ((255, 255, 255), (0, 0, 0), (0, 0, 255)),
        ((90, 90, 90), (1, 1, 1), (2, 2, 2)),
    ],
)
def test_a_palette_whose_first_colour_may_be_a_label_is_refused(
    colors: tuple[tuple[int, int, int], ...],
    scan: Exported,
    stack: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    folder = save(tmp_path / "m", [with_palette(plane, *colors) for plane in stack], scan)
    refuses(lambda: read(folder, scan), LabelError, "palette index 0", "--config")


def rgb(stack: NDArray[np.uint8], *colors: tuple[int, int, int]) -> list[Image.Image]:
    return [Image.fromarray(np.array(colors, np.uint8)[plane]) for plane in stack]


def test_colours_are_classes_in_the_order_of_their_numbers(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    mask = read(save(tmp_path / "m", rgb(stack, (0, 0, 0), (255, 0, 0), (0, 0, 255)), scan), scan)
    assert [(s.value, s.name, s.color) for s in mask.segments] == [
        (1, "#0000ff", (0, 0, 255)),
        (2, "#ff0000", (255, 0, 0)),
    ]
    np.testing.assert_array_equal(planes(mask), np.choose(stack, [0, 2, 1]))


def test_a_colour_table_gives_names_values_and_codes(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "bones.yaml"
    path.write_text(
        'background: "#ffffff"\nsegments:\n- name: femur\n  color: "#ff0000"\n  value: 9\n  type:'
        " [SCT, 71341001, Femur]\n  category: [SCT, '123037004', Body structure]\n- {name: tibia,"
        " color: [0, 0, 255]}\n"
    )
    folder = save(tmp_path / "m", rgb(stack, (255, 255, 255), (255, 0, 0), (0, 0, 255)), scan)
    mask = read(folder, scan, load_mask_config(path))
    assert [(s.value, s.name) for s in mask.segments] == [(9, "femur"), (2, "tibia")]
    assert mask.segments[0].type == ("SCT", "71341001", "Femur")
    np.testing.assert_array_equal(planes(mask), np.choose(stack, [0, 9, 2]))


def test_what_is_transparent_is_background(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    images = []
    for plane in stack:
        image = np.zeros((ROWS, COLUMNS, 4), np.uint8)
        image[plane == 1] = (255, 0, 0, 255)
        image[plane == 2] = (77, 77, 77, 0)
        images.append(Image.fromarray(image))
    np.testing.assert_array_equal(
        planes(read(save(tmp_path / "m", images, scan), scan)), stack == 1
    )


def test_partly_transparent_pixels_are_refused_and_counted(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    images = []
    for plane in stack:
        image = np.zeros((ROWS, COLUMNS, 4), np.uint8)
        image[plane == 1] = (255, 0, 0, 255)
        image[plane == 2] = (255, 0, 0, 120)
        images.append(Image.fromarray(image))
    folder = save(tmp_path / "m", images, scan)
    count = int((stack == 2).sum())
    refuses(
        lambda: read(folder, scan),
        LabelError,
        f"{count} pixels of 2 images",
        "partly transparent",
        scan.names[1],
        "(15, 10)",
    )


def soft(kind: str) -> NDArray[np.uint8]:
    """A disc of value 255 with soft edges."""
    if kind == "brush":
        big = Image.new("L", (COLUMNS * 8, ROWS * 8))
        ImageDraw.Draw(big).ellipse((80, 40, 250, 190), fill=255)
        return np.array(big.resize((COLUMNS, ROWS), Image.Resampling.BOX))
    small = Image.new("L", (COLUMNS // 2, ROWS // 2))
    ImageDraw.Draw(small).ellipse((4, 3, 15, 12), fill=255)
    return np.array(small.resize((COLUMNS, ROWS), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("kind", ["brush", "resize"])
@pytest.mark.parametrize("colored", [False, True])
def test_soft_edges_are_refused_with_their_number_and_place(
    kind: str, colored: bool, scan: Exported, tmp_path: Path
) -> None:
    plane = soft(kind)
    odd = (plane > 0) & (plane < 255)
    image = Image.fromarray(np.stack([plane, plane // 2, 0 * plane], axis=-1) if colored else plane)
    folder = save(tmp_path / "m", [Image.new(image.mode, (COLUMNS, ROWS)), image], scan)
    first = np.argwhere(odd)[0]
    message = refuses(
        lambda: read(folder, scan),
        LabelError,
        scan.names[1],
        "of 1 image,",
        "hard edge",
        "--config",
    )
    (pixels,) = re.findall(r"in (\d+) pixels", message)
    assert int(pixels) == pytest.approx(int(odd.sum()), rel=0.2)
    assert f"({first[1]}, {first[0]})" in message
    named = config(disc={"value": 255, "color": [255, 127, 0]})
    exact = refuses(
        lambda: read(folder, scan, named),
        LabelError,
        f"{int(odd.sum())} pixels",
        "not in the config",
    )
    assert f"({first[1]}, {first[0]})" in exact


def test_thin_labels_are_not_taken_for_soft_edges(scan: Exported, tmp_path: Path) -> None:
    """Lines one pixel wide, a single pixel, and a thick rim around another label."""
    labels = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    labels[0, 3, 3:30] = 1
    labels[0, 5:20, 7] = 3
    labels[1, 25, 25] = 2
    labels[1, 3:12, 3:12] = 9
    labels[2, 8:20, 8:20] = 4
    labels[2, 10:18, 10:18] = 9
    np.testing.assert_array_equal(
        planes(read(paint(tmp_path / "m", labels, scan.sidecar), scan)), labels
    )


def test_a_label_that_is_only_ever_a_rim_between_others_needs_a_config(
    scan: Exported, tmp_path: Path
) -> None:
    labels = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    labels[:, 8:20, 8:20] = 1
    labels[:, 9:19, 9:19] = 2
    folder = paint(tmp_path / "m", labels, scan.sidecar)
    refuses(lambda: read(folder, scan), LabelError, "unexpected", "list them in a --config")
    np.testing.assert_array_equal(
        planes(read(folder, scan, config(rim={"value": 1}, inside={"value": 2}))), labels
    )


def test_a_photograph_is_no_mask(scan: Exported, tmp_path: Path) -> None:
    noise = (
        np.random.default_rng(0).integers(0, 65535, (SLICES, ROWS * 1, COLUMNS)).astype(np.uint16)
    )
    folder = paint(tmp_path / "m", noise, scan.sidecar)
    with pytest.raises(LabelError):
        read(folder, scan)


def test_masks_of_another_size_are_refused(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    images = [Image.fromarray(np.kron(plane, np.ones((2, 2), np.uint8))) for plane in stack]
    refuses(
        lambda: read(save(tmp_path / "m", images, scan), scan),
        LabelError,
        scan.names[0],
        "80 × 60",
        "40 × 30",
    )


def test_the_exported_images_are_not_masks(scan: Exported, tmp_path: Path) -> None:
    refuses(lambda: read(scan.png, scan), LabelError, "holds the exported PNGs")
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(scan.png / scan.names[1], copy)
    refuses(lambda: read(copy, scan), LabelError, scan.names[1], "exported image itself")


def test_a_mask_painted_over_a_png_of_another_scan_is_refused(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Programs keep the texts of the PNG that was painted over."""
    folder = paint(tmp_path / "m", stack, scan.sidecar)
    info = PngInfo()
    for key, text in {"Sidecar": "1.1", "SeriesInstanceUID": "1.2.3", "Slice": "1"}.items():
        info.add_text(key, text)
    Image.fromarray(stack[1]).save(folder / scan.names[1], pnginfo=info)
    refuses(lambda: read(folder, scan), LabelError, "of series 1.2.3")


def test_names_that_are_no_slice_and_doubles_are_refused(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = paint(tmp_path / "m", stack, scan.sidecar)
    shutil.copy(folder / scan.names[1], folder / f"ab12cd34-{scan.names[1]}")
    refuses(lambda: read(folder, scan), LabelError, "second mask of one slice")
    (folder / f"ab12cd34-{scan.names[1]}").rename(folder / "slice_0099.png")
    refuses(
        lambda: read(folder, scan),
        LabelError,
        "slice_0099.png",
        f"{scan.names[0]} … {scan.names[2]}",
    )
    (folder / "slice_0099.png").unlink()
    (folder / "slice_0002.jpg").write_bytes(b"\xff\xd8")
    refuses(lambda: read(folder, scan), LabelError, "slice_0002.jpg", "PNG")


def test_hidden_files_are_passed_by(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = paint(tmp_path / "m", stack, scan.sidecar)
    (folder / "._slice_0001.png").write_bytes(b"\0\5\26\7")
    (folder / ".DS_Store").write_bytes(b"\0")
    np.testing.assert_array_equal(planes(read(folder, scan)), stack)


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", b"not a png"])
def test_damaged_pngs_are_named(
    damage: bytes, scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = paint(tmp_path / "m", stack, scan.sidecar)
    whole = (folder / scan.names[1]).read_bytes()
    (folder / scan.names[1]).write_bytes(damage)
    refuses(lambda: read(folder, scan, format="png"), LabelError, scan.names[1])
    (folder / scan.names[1]).write_bytes(whole[:-30])
    refuses(lambda: read(folder, scan, format="png"), LabelError, scan.names[1])


def test_an_unpainted_mask_is_refused(scan: Exported, tmp_path: Path) -> None:
    folder = paint(tmp_path / "m", np.zeros((SLICES, ROWS, COLUMNS), np.uint8), scan.sidecar)
    refuses(lambda: read(folder, scan), LabelError, "nothing is painted")


def test_16_bit_colours_and_mixed_kinds_are_refused(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    import imagecodecs

    folder = paint(tmp_path / "m", stack, scan.sidecar)
    (folder / scan.names[1]).write_bytes(
        imagecodecs.png_encode(np.zeros((ROWS, COLUMNS, 3), np.uint16))
    )
    refuses(lambda: read(folder, scan), LabelError, scan.names[1], "16 bits")
    rgb(stack, (0, 0, 0), (255, 0, 0), (0, 0, 255))[1].save(folder / scan.names[1])
    refuses(
        lambda: read(folder, scan),
        LabelError,
        scan.names[1],
        "colours",
        "save all images in the same form",
    )


@pytest.mark.parametrize(
    "writing",
    [{"imagej": True}, {"compression": "zlib"}, {"compression": "lzw"}, {"byteorder": ">"}],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_stack(
    writing: dict[str, Any], dtype: Any, scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "mask.tif"
    values = stack.astype(dtype) * (300 if dtype == np.uint16 else 1)
    photometric = {} if "imagej" in writing else {"photometric": "minisblack"}
    tifffile.imwrite(path, values, **writing, **photometric)
    mask = read(path, scan)
    assert mask.tool == "a TIFF stack"
    np.testing.assert_array_equal(planes(mask), values)


def test_a_tiff_of_colours_and_one_of_whole_floats(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    colored = np.array([(0, 0, 0), (0, 0, 9), (9, 0, 0)], np.uint8)[stack]
    tifffile.imwrite(tmp_path / "c.tif", colored, photometric="rgb")
    np.testing.assert_array_equal(planes(read(tmp_path / "c.tif", scan)), stack)
    tifffile.imwrite(tmp_path / "f.tif", stack.astype(np.float32), photometric="minisblack")
    np.testing.assert_array_equal(planes(read(tmp_path / "f.tif", scan)), stack)
    tifffile.imwrite(tmp_path / "g.tif", stack * np.float32(0.5), photometric="minisblack")
    refuses(lambda: read(tmp_path / "g.tif", scan), LabelError, "page 2", "not whole numbers")


@pytest.mark.parametrize("writing", [{}, {"compression": "zlib"}, {"bigtiff": True}])
@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "float16", ">i8", ">f8"])
def test_a_tiff_of_wide_samples(
    writing: dict[str, Any], dtype: str, scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    """NumPy's whole numbers have 64 bits, and so have label images that programs save of them."""
    values = stack.astype(dtype) * 300
    order = {"byteorder": ">"} if dtype.startswith(">") else {}
    tifffile.imwrite(tmp_path / "m.tif", values, photometric="minisblack", **writing, **order)
    np.testing.assert_array_equal(planes(read(tmp_path / "m.tif", scan)), values)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1 << 40, "page 2.*cannot be labels; labels are 1 to 65535"),
        (70_000, "page 2.*labels are 1 to 65535"),
        (-1, "page 2.*labels are 1 to 65535"),
    ],
)
def test_wide_values_that_are_no_labels(
    value: int, says: str, scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", stack.astype(np.int64) * value, photometric="minisblack")
    with pytest.raises(LabelError, match=says):
        read(tmp_path / "m.tif", scan)


def test_wide_samples_that_cannot_be_put_back(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, stack * 0.5, photometric="minisblack")
    refuses(lambda: read(path, scan), LabelError, "page 2", "not whole numbers")
    tifffile.imwrite(path, stack[:, :15].astype(np.int64), photometric="minisblack")
    refuses(
        lambda: read(path, scan),
        LabelError,
        "page 1",
        "has 40 × 15 pixels, but the PNGs have 40 × 30",
    )
    tifffile.imwrite(path, stack.astype(np.int64), compression="zlib", photometric="minisblack")
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[1].dataoffsets[0]
    data[start + 4 : start + 12] = bytes(8)
    path.write_bytes(data)
    refuses(lambda: read(path, scan), LabelError, "page 2", "damaged")


@pytest.mark.slow
def test_a_tiff_of_wide_samples_with_any_byte_of_a_directory_changed(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, stack.astype(np.int64), photometric="minisblack", metadata=None)
    data = path.read_bytes()
    with tifffile.TiffFile(path) as tif:
        starts = [tif.pages[n].offset for n in (0, 1)]
        length = 2 + 12 * len(tif.pages[0].tags) + 4
    refused = 0
    for start in starts:
        for at in range(start, start + length):
            for value in (0, 255, data[at] ^ 1, data[at] ^ 8):
                path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
                try:
                    read(path, scan)
                except LabelError:
                    refused += 1
    assert refused > 300


def test_a_tiff_of_several_channels_says_so(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    path, both = tmp_path / "m.tif", np.stack([stack, stack], 1)
    tifffile.imwrite(path, both, imagej=True, metadata={"axes": "ZCYX"})
    refuses(lambda: read(path, scan), LabelError, "has 2 channels", "Reduce Dimensionality")
    tifffile.imwrite(path, both, imagej=True, metadata={"axes": "TZYX"})
    refuses(lambda: read(path, scan), LabelError, "has 3 frames")
    tifffile.imwrite(path, both, photometric="minisblack")
    refuses(lambda: read(path, scan), LabelError, "has 6 pages (2 for each", "3 PNGs")
    for count in (2, 5):
        channels = np.stack([stack] * count, -1)
        tifffile.imwrite(path, channels, photometric="minisblack", planarconfig="contig")
        refuses(lambda: read(path, scan), LabelError, "page 1", f"has {count} channels")


def test_as_many_pages_as_pngs_are_still_several_channels(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Three slices of one channel, and one slice of three, have three pages each."""
    path, pages = tmp_path / "m.tif", np.concatenate([stack, stack])[:4].reshape(2, 2, 30, 40)
    tifffile.imwrite(path, pages, imagej=True, metadata={"axes": "ZCYX"})
    refuses(lambda: check_pages(path, 4), LabelError, "has 2 channels")
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "CYX"})
    assert read(path, scan).present == ((), (1, 2), (1, 2))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_pages_with_labels_are_the_pngs_that_these_name(
    dtype: Any, scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    """ImageJ keeps the names of a sequence, also of one that was opened in reverse, or in part."""
    path, names = tmp_path / "m.tif", [Path(name).stem for name in scan.names]

    def write(slices: Sequence[int], labels: Sequence[str]) -> Path:
        tifffile.imwrite(
            path,
            stack[list(slices)].astype(dtype),
            photometric="minisblack",
            byteorder=">",
            description=f"ImageJ=1.53t\nimages={len(slices)}\nslices={len(slices)}\n",
            extratags=tifffile.imagej_metadata_tag({"Labels": list(labels)}, ">"),
        )
        return path

    for slices in ((0, 1, 2), (2, 1, 0), (2, 1)):
        mask = read(write(slices, [names[k] for k in slices]), scan)
        np.testing.assert_array_equal(
            planes(mask), np.where(np.isin(range(3), slices)[:, None, None], stack, 0)
        )
        assert any("labels of the slices in the TIFF" in note for note in mask.notes)
    refuses(
        lambda: read(write((0, 1, 2), [names[0], names[1], names[1]]), scan),
        LabelError,
        "page 3",
        "second page",
    )
    other = [f"{name[:10]}_bcdfgh" for name in names]
    refuses(lambda: read(write((0, 1, 2), other), scan), LabelError, "page 1", "another export")
    assert any("in order" in note for note in read(write((0, 1, 2), ["a", "b", "c"]), scan).notes)


def test_a_stack_that_imagej_calls_frames_is_one(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", stack, imagej=True, metadata={"axes": "TYX"})
    np.testing.assert_array_equal(planes(read(tmp_path / "m.tif", scan)), stack)


def test_a_tiff_with_other_pages_or_lossy_ones_is_refused(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "two.tif", stack[:2], photometric="minisblack")
    refuses(lambda: read(tmp_path / "two.tif", scan), LabelError, "2 pages", "3 PNGs")
    pages = [Image.fromarray(plane) for plane in stack]
    pages[0].save(
        tmp_path / "lossy.tif", save_all=True, append_images=pages[1:], compression="jpeg"
    )
    refuses(
        lambda: read(tmp_path / "lossy.tif", scan),
        LabelError,
        "lossy.tif, page 1",
        "compressed with loss",
    )
    tifffile.imwrite(tmp_path / "cut.tif", stack, photometric="minisblack")
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:2000])
    refuses(lambda: read(tmp_path / "cut.tif", scan), LabelError, "cut.tif")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("segments: []", "segments"),
        ("segments: [{name: a, colour: red}]", "colour"),
        ("segments: [{name: a}, {name: a}]", "two segments have the name a"),
        ("segments: [{name: a, value: 2}, {name: b}]", "two segments have the value 2"),
        ("segments: [{name: a, value: 0}]", "value"),
        ("segments: [{name: a, color: red}]", "a colour is"),
        ("segments: [{name: a, type: [SCT, 71341001]}]", "type"),
        ("- a", "mapping"),
    ],
)
def test_configs_are_checked(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    refuses(lambda: load_mask_config(path), UsageError, "c.yaml", says)


def test_a_config_without_colours_does_not_fit_colour_masks(
    scan: Exported, stack: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = save(tmp_path / "m", rgb(stack, (0, 0, 0), (255, 0, 0), (0, 0, 255)), scan)
    refuses(lambda: read(folder, scan, config(a={"value": 1})), LabelError, "in colour", "'a'")
