"""Tags are what docs/sidecar-format.md says, to whoever reads it, and names come apart again."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.tag_by_the_words import AXES, number, tag_by_the_words

from sidecar.document.tag import LETTERS, TAG, planes_json, png_names, png_stem, split_name, tag_of
from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation
from sidecar.schemas import FOLDER

VECTORS = json.loads((FOLDER / "vectors" / "tag-vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_vectors_are_what_the_words_say_and_what_the_program_makes(
    vector: dict[str, Any],
) -> None:
    document = vector["document"]
    assert tag_by_the_words(document) == (vector["json"], vector["tag"])
    assert hashlib.sha256(vector["json"].encode()).hexdigest() == vector["sha256"]
    axes = document["decimation"]
    columns, rows, slices = (
        Axis(axes[name]["factor"], axes[name]["offset"], axes[name]["size"], "stride")
        for name in AXES
    )
    x, y, z = (AXES.index(name) for name in axes.get("order", AXES))
    planes = planes_json(
        (plane["sop_instance_uid"], plane.get("frame_number"))
        for plane in document["source"]["planes"]
    )
    decimation = Decimation(columns, rows, slices, (x, y, z))
    assert tag_of(document["source"]["series_instance_uid"], planes, decimation) == vector["tag"]


def test_vectors_called_the_same_are_the_same_and_all_others_differ() -> None:
    same = [v["tag"] for v in VECTORS["vectors"] if v["name"].startswith("the same")]
    others = [v["tag"] for v in VECTORS["vectors"] if not v["name"].startswith("the same")]
    assert set(same) == {others[0]} and len(set(others)) == len(others)
    assert VECTORS["letters"] == LETTERS


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value != 0))
def test_numbers_are_written_as_python_writes_them(value: float) -> None:
    assert number(value) == repr(value)


# Names.


def test_a_tag_is_no_word_and_no_number() -> None:
    assert len(LETTERS) == len(set(LETTERS)) == 20 and "".join(sorted(LETTERS)) == LETTERS
    assert not set(LETTERS) & set("aeiouy0123456789") and LETTERS.islower()


STEMS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True)


@pytest.mark.slow
@given(STEMS, st.integers(1, 12_000), st.from_regex(TAG, fullmatch=True))
def test_names_come_apart_as_they_were_put_together(stem: str, count: int, tag: str) -> None:
    names = png_names(stem, count, tag)
    assert len(names) == count and list(names) == sorted(names)
    for k in {0, count // 2, count - 1}:
        assert split_name(names[k].removesuffix(".png")) == (stem, k, tag)
        untagged = names[k].removesuffix(f"_{tag}.png")
        assert split_name(untagged) == (stem, k, None)
        assert png_stem(names[k]) == png_stem(untagged + ".png") == stem
    digits = max(4, math.ceil(math.log10(count)))
    assert names[0] == f"{stem}_{'0' * digits}_{tag}.png"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("slice_0003_bcdfgh", ("slice", 3, "bcdfgh")),
        ("slice_0003", ("slice", 3, None)),
        ("zoom_001_bregma_0000_bcdfgh", ("zoom_001_bregma", 0, "bcdfgh")),
        ("zoom_001_bregma_0000", ("zoom_001_bregma", 0, None)),
        ("beetle-7.2_12345_zzzzzz", ("beetle-7.2", 12345, "zzzzzz")),
        ("slice_003_bcdfgh", None),
        ("slice_0003_bcdfg", None),
        ("slice_0003_bcdfghj", None),
        ("slice_0003_kidney", None),
        ("slice_0003_BCDFGH", None),
        ("slice_٠٠٠٣", None),
        ("slice_0003_bcdfgh.png", None),
        ("_0003", None),
        ("0003_bcdfgh", None),
    ],
)
def test_names_of_every_form(name: str, parts: tuple[str, int, str | None] | None) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize("name", ["slice_0003_bcdfgh.PNG", "slice_0003.jpg", "slice_0003", "a.png"])
def test_files_that_are_named_otherwise_have_no_stem(name: str) -> None:
    assert png_stem(name) is None
