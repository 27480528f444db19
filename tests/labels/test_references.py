"""What label files say of their images."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from kit.label_truth import STACK

from sidecar.errors import LabelError
from sidecar.labels.references import (
    bare_key,
    looks_like_slice,
    named_path,
    names_image,
    png_in_name,
    refuse_two_images,
    stated_sizes,
)

TAGGED = replace(STACK, names=tuple(f"slice_{n:04d}_gjgbtf.png" for n in range(STACK.slices)))
PACKED = base64.urlsafe_b64encode(b"s3://bucket/png/slice_0003.png").decode().rstrip("=")


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("slice_0003.png", "slice_0003.png"),
        ("..\\png\\slice_0003.png", "../png/slice_0003.png"),
        ("C:\\png\\slice_0003.png", "C:/png/slice_0003.png"),
        ("/data/upload/1/4ac13f39-slice_0003.png", "/data/upload/1/4ac13f39-slice_0003.png"),
        ("/data/upload/1/4ac13f39-my%20slice.png", "/data/upload/1/4ac13f39-my slice.png"),
        ("/data/local-files/?d=scans%2Fpng%2Fslice_0003.png", "scans/png/slice_0003.png"),
        ("/data/local-files/?d=scans/png/slice_0003.png", "scans/png/slice_0003.png"),
        ("http://localhost:8080/data/local-files/?d=a%2Fslice_0003.png", "a/slice_0003.png"),
        (
            "/storage-data/uploaded/?filepath=upload/1/4ac13f39-slice_0003.png",
            "upload/1/4ac13f39-slice_0003.png",
        ),
        ("s3://bucket/png/slice_0003.png", "png/slice_0003.png"),
        ("https://host/png/slice%5F0003.png?X-Amz-Date=1#top", "png/slice_0003.png"),
        (f"/tasks/12/resolve/?fileuri={PACKED}", "png/slice_0003.png"),
        ("file:///C:/my%20png/slice_0003.png", "C:/my png/slice_0003.png"),
        ("/data/local-files/?d=C%3A%5Cpng%5Cslice_0003.png", "C:/png/slice_0003.png"),
        ("50% done?.png", "50% done?.png"),
        ("http://[", "http://["),
    ],
)
def test_the_path_in_a_reference(reference: str, path: str) -> None:
    assert named_path(reference) == path


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("/data/upload/1/4ac13f39-slice_0003.jpg", "slice_0003"),
        ("Slice_0003.PNG", "slice_0003"),
        ("4ac13f39slice_0003.png", "4ac13f39slice_0003"),
    ],
)
def test_the_bare_name(reference: str, key: str) -> None:
    assert bare_key(reference) == key


@pytest.mark.parametrize(
    ("name", "may_be"),
    [
        ("slice_0003_gjgbtf", True),
        ("beetle-7_0003.png", True),
        ("im00", True),
        ("12", False),
        ("bregma", False),
        ("0002-0010-0030", False),
        ("c:1/2 z:01/12 - scan", False),
    ],
)
def test_what_may_be_one_image_of_a_sequence(name: str, may_be: bool) -> None:
    assert looks_like_slice(name) is may_be


@pytest.mark.parametrize(
    ("value", "is_image"),
    [
        ("s3://b/slice_0003.jpg", True),
        ("/data/local-files/?d=a%2Fb.PNG", True),
        ("/data/upload/1/scan.mp4", False),
        ("png", False),
        ("good", False),
        (3, False),
        (["a.png"], False),
    ],
)
def test_what_names_an_image(value: object, is_image: bool) -> None:
    assert names_image(value) is is_image


def test_two_sizes_for_one_name_are_two_images() -> None:
    one = [("a.png", (203, 151)), ("b.png", (406, 302)), ("a.png", (203, 151))]
    assert stated_sizes(Path("c.json"), one) == {"a.png": (203, 151), "b.png": (406, 302)}
    with pytest.raises(LabelError, match=r"c\.json: .*'a\.png', 203 × 151 and 406 × 302"):
        stated_sizes(Path("c.json"), [*one, ("a.png", (406, 302))])


@pytest.mark.parametrize(
    ("file", "inner"),
    [
        ("slice_0003.xml", "png/slice_0003.png"),
        ("slice_0003.json", "/data/upload/1/4ac13f39-slice_0003.jpg"),
        ("labels.json", "slice_0003.png"),
        ("slice_0003.json", "another.png"),
        ("slice_0003.json", "slice_0003_gjgbtf.png"),
        ("beetle-7_0003_gjgbtf.json", "slice_0003_gjgbtf.png"),
        ("slice_0003 - Copy.json", "slice_0003.png"),
    ],
)
def test_names_that_agree_or_say_nothing(file: str, inner: str) -> None:
    refuse_two_images(Path(file), [inner], STACK)
    refuse_two_images(Path(file), [inner], TAGGED)


@pytest.mark.parametrize(
    ("file", "inner"),
    [
        ("slice_0004.xml", ["png\\slice_0003.png"]),
        ("labels.xml", ["slice_0003.png", "C:\\png\\slice_0004.png"]),
        ("slice_0004.xml", ["slice_0003_gjgbtf.png"]),
        ("slice_0003_gjgbtf.xml", ["slice_0003_bcdfgh.png"]),
        ("beetle-7_0003_gjgbtf.xml", ["slice_0003.png"]),
        ("slice_0004 - Copy.xml", ["slice_0003.png"]),
        ("slice_0004_gjgbtf (1).xml", ["slice_0003_gjgbtf.png"]),
    ],
)
def test_names_that_contradict_each_other(file: str, inner: list[str]) -> None:
    with pytest.raises(LabelError, match=r"\.xml: .*gives it two names: .*slice_000"):
        refuse_two_images(Path(file), inner, STACK)
    with pytest.raises(LabelError, match="gives it two names"):
        refuse_two_images(Path(file), inner, TAGGED)


@pytest.mark.parametrize(
    ("file", "png"),
    [
        ("slice_0003.svg", "slice_0003"),
        ("Slice_0003.png - path.svg", "Slice_0003"),
        ("slice_0003_annotations.geojson", "slice_0003"),
        ("slice_0003_gjgbtf.geojson", "slice_0003_gjgbtf"),
        ("beetle-7_0003_gjgbtf (2).geojson", "beetle-7_0003_gjgbtf"),
        ("slice_0003_gjgbtfx.geojson", "slice_0003"),
        ("slice_00031.geojson", "slice_00031"),
        ("slice_0003a.geojson", None),
        ("drawing_2024.geojson", None),
        ("labels.geojson", None),
    ],
)
def test_a_png_in_the_name_of_a_label_file(file: str, png: str | None) -> None:
    """Of this export or of another: which of the two, identity tells."""
    for stack in (STACK, TAGGED):
        known = {name.removesuffix(".png"): name for name in stack.names}
        own = known.get(png.lower()) if png else None
        assert png_in_name(Path(file), stack) == (own or png)


def test_images_that_were_adopted_have_names_of_any_form() -> None:
    stack = replace(STACK, slices=2, names=("IM 1.png", "IM 12.png"))
    assert png_in_name(Path("im 12.svg"), stack) == "IM 12.png"
    assert png_in_name(Path("IM 1 - path.svg"), stack) == "IM 1.png"
    assert png_in_name(Path("im 123.svg"), stack) is None
    twice = replace(STACK, slices=1, names=("scan.tif.png",))
    assert png_in_name(Path("scan.tif.csv"), twice) == "scan.tif.png"
