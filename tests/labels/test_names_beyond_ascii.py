"""Names of images with accents: macOS may write a letter and its accent apart (NFD), and the case
of letters does not matter. All comparisons follow one rule.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.made_exports import Export
from kit.tool_files import labelme
from PIL import Image

import sidecar
from sidecar.document.tag import folded, image_key
from sidecar.errors import LabelError
from sidecar.labels.identity.exports import given_exports
from sidecar.labels.load import LoadOptions, Mapping, load
from sidecar.labels.model import ReadOptions


def together(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def apart(name: str) -> str:
    return unicodedata.normalize("NFD", name)


FORMS: list[Callable[[str], str]] = [together, apart, str.upper, lambda name: apart(name).upper()]
every_form = pytest.mark.parametrize("form", FORMS, ids=["NFC", "NFD", "capitals", "NFD capitals"])


@pytest.fixture(params=[together, apart], ids=["PNGs in NFC", "PNGs in NFD"])
def png(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A stack of another program: Käfer_0000.png … Käfer_0008.png, and then Kafer.png, which
    differs by the accent.
    """
    folder = tmp_path / "png"
    folder.mkdir()
    names = [f"Käfer_{k:04d}.png" for k in range(8)] + ["Kafer_0003.png"]
    Export(names=tuple(map(request.param, names))).write(folder)
    return folder


def mapped(path: Path, png: Path, slice_origin: int | None = None) -> Mapping:
    reading = ReadOptions(slice_origin=None if slice_origin is None else 0)
    (file,) = load([path], given_exports([png]), LoadOptions(reading=reading)).files
    return file


@given(st.text())
def test_a_name_is_compared_in_one_form(name: str) -> None:
    assert folded(together(name)) == folded(apart(name)) == folded(name) == folded(folded(name))
    assert image_key(apart(f"png/{name}.PNG")) == image_key(together(f"png/{name}.PNG"))


@every_form
def test_an_image_is_found_whatever_form_its_name_has(
    png: Path, tmp_path: Path, form: Callable[[str], str]
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"image,x,y\nscans/{form('Käfer_0003.png')},3,4\n", encoding="utf-8")
    assert mapped(path, png).points.png[0, 2] == 3
    path.write_text("image,x,y\nKafer_0003.png,3,4\n")
    assert mapped(path, png).points.png[0, 2] == 8


@every_form
def test_a_label_file_is_found_by_its_own_name(
    png: Path, tmp_path: Path, form: Callable[[str], str]
) -> None:
    """A CSV, and a file of LabelMe with another PNG in it, which is refused."""
    path = tmp_path / form("Käfer_0003_tips.csv")
    path.write_text("label,x,y\ntip,3,4\n")
    assert mapped(path, png).points.png[0, 2] == 3
    other = tmp_path / form("Käfer_0004.json")
    document = labelme.document([labelme.shape("a", [[1, 2], [3, 4]], "rectangle")])
    other.write_text(json.dumps({**document, "imagePath": "Käfer_0003.png", "imageHeight": None}))
    with pytest.raises(LabelError, match="gives it two names"):
        mapped(other, png)


def test_an_accent_belongs_to_the_letter_before_it(tmp_path: Path) -> None:
    """Ka.png is not the PNG of Kä.csv, whose accent is a character of its own on macOS. q with a
    diaeresis has no character of its own anywhere.
    """
    Export(names=("Ka.png", "q.png", *(f"im{k}.png" for k in range(7)))).write(tmp_path)
    for name in ("Kä", "q\u0308"):
        path = tmp_path / f"{apart(name)}.csv"
        path.write_text("label,x,y\ntip,3,4\n")
        with pytest.raises(LabelError, match="does not begin with that of a PNG"):
            mapped(path, tmp_path)


@every_form
def test_a_cell_that_names_another_png_than_its_slice_is_refused(
    png: Path, tmp_path: Path, form: Callable[[str], str]
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"slice,x,y,file\n3,1,2,{form('Käfer_0004.png')}\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"row 2: the slice is 3, but file .* names PNG 4"):
        mapped(path, png, slice_origin=0)
    path.write_text(f"slice,x,y,file\n4,1,2,{form('Käfer_0004.png')}\n", encoding="utf-8")
    assert mapped(path, png, slice_origin=0).points.png[0, 2] == 4


def test_results_of_imagej_name_their_slices_in_any_form(png: Path, tmp_path: Path) -> None:
    path = tmp_path / "Results.csv"
    row = apart("1,scans:Käfer_0003,0,3,4,{}")
    path.write_text(" ,Label,Area,X,Y,Slice\n" + row.format(4) + "\n", encoding="utf-8")
    assert mapped(path, png).points.png[0, 2] == 3
    path.write_text(" ,Label,Area,X,Y,Slice\n" + row.format(1) + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match="row 2: Slice is 1, but Label names another slice"):
        mapped(path, png)


def test_results_of_imagej_on_images_with_accents_of_another_stack_are_refused(
    png: Path, tmp_path: Path
) -> None:
    path = tmp_path / "Results.csv"
    row = apart("1,scans:Bär_0003,0,3,4,4")
    path.write_text(f" ,Label,Area,X,Y,Slice\n{row}\n", encoding="utf-8")
    with pytest.raises(LabelError, match="no PNG of this export is named"):
        mapped(path, png)


def test_one_image_in_both_forms_is_one_image(png: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = (f"{form('bär/Käfer_0003.png')},3,4\n" for form in (together, apart))
    path.write_text("image,x,y\n" + "".join(rows), encoding="utf-8")
    assert mapped(path, png).points.png[:, 2].tolist() == [3, 3]


@pytest.mark.parametrize("form", [together, apart])
def test_images_are_chosen_in_any_form(
    png: Path, tmp_path: Path, form: Callable[[str], str]
) -> None:
    path = tmp_path / "labels.csv"
    text = "image,x,y\nbär/Käfer_0003.png,3,4\nwal/Käfer_0004.png,5,6\n"
    path.write_text(apart(text), encoding="utf-8")
    options = LoadOptions(images=form("bär/*"))
    (file,) = load([path], given_exports([png]), options).files
    assert file.points.png[:, 2].tolist() == [3]


@pytest.mark.parametrize(("of", "named"), [(together, apart), (apart, together)])
def test_an_image_beside_the_labels_contradicts_in_any_form(
    png: Path,
    tmp_path: Path,
    of: Callable[[str], str],
    named: Callable[[str], str],
) -> None:
    place = tmp_path / "labels"
    place.mkdir()
    Image.new("L", (50, 64)).save(place / of("Käfer_0003.png"))
    path = place / "labels.csv"
    path.write_text(f"image,x,y\n{named('Käfer_0003.png')},3,4\n", encoding="utf-8")
    with pytest.raises(LabelError, match="50 × 64 pixels in this file, but the PNG has 64 × 64"):
        mapped(path, png)


def test_two_names_that_differ_in_an_accent_written_apart_are_not_one_stack(tmp_path: Path) -> None:
    with pytest.raises(sidecar.DocumentError, match="two images have the same name"):
        Export(names=(together("ä.png"), apart("ä.png"), *(f"{k}.png" for k in range(7)))).sidecar()


@pytest.mark.parametrize("form", [together, apart])
def test_a_folder_named_like_another_export_contradicts_in_any_form(
    tmp_path: Path, form: Callable[[str], str]
) -> None:
    for k, name in enumerate(("Bär", "Käfer")):
        (tmp_path / name).mkdir()
        Export(series=f"1.2.826.0.1.3680043.8.498.{k}").write(tmp_path / name)
    path = tmp_path / "labels.csv"
    path.write_text(f"image,x,y\n{form('bär')}/slice_0003.png,3,4\n", encoding="utf-8")
    with pytest.raises(LabelError, match="belongs to the folder Bär"):
        mapped(path, tmp_path / "Käfer")
    assert mapped(path, tmp_path / "Bär").points.png[0, 2] == 3
