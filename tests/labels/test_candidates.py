"""What the tables of candidates leave out, the rules of identity leave out too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.made_exports import oblique_sidecar

from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import is_in_folder_of, slice_of, stated_tag
from sidecar.labels.model import ImageReference
from sidecar.mapping import Sidecar

MADE = oblique_sidecar()
TAG = MADE.document.images.tag or MADE.tag
OTHER = "bcdfgh"


def export(name: Callable[[int], str], specimen: str, adopted: bool) -> Export:
    """An export, or an adopted stack, whose PNGs have these names."""
    document: Any = MADE.document
    files = [replace(file, name=name(k)) for k, file in enumerate(document.images.files)]
    evidence = object() if adopted else None  # only asked whether it is there
    images = replace(document.images, files=files, tag=TAG)
    return Export(
        Sidecar.of(replace(document, images=images, specimen=specimen, evidence=evidence))
    )


CANDIDATES = Candidates(
    [
        export(lambda k: f"slice_{k:04d}_{TAG}.png", "beetle", adopted=False),
        export(lambda k: f"Wasp_{k:04d}_{TAG}.png", "Wasp", adopted=False),
        export(lambda k: f"slice_{k:04d}.png", "beetle", adopted=True),
        export(lambda k: f"slice_{k:04d}_{OTHER}.png", "like tagged", adopted=True),
        export(lambda k: f"img{k}.PNG", "scan (2)", adopted=True),
        export(lambda k: f"12345678-img{k}.tif", "", adopted=True),
    ]
)
STEMS = ("slice_000{}", "Wasp_000{}", "WASP_000{}", "img{}", "other_000{}", "slice_{}", "IMG{}.old")
REFERENCES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "beetle/", "BEETLE/a/", "scan (2)\\", "https://host/wasp/"]),
    st.sampled_from(["", "12345678-", "abcdef01-"]),
    st.builds(str.format, st.sampled_from(STEMS), st.integers(0, 9)),
    st.sampled_from(["", f"_{TAG}", f"_{OTHER}", "_zzzzzz"]),
    st.sampled_from(["", ".png", ".JPG", ".txt"]),
)


@given(REFERENCES)
def test_every_export_with_a_png_of_a_name_is_in_the_tables(reference: str) -> None:
    tag = stated_tag(ImageReference(reference))
    named = [one for one in CANDIDATES if slice_of(reference, one) is not None]
    if tag is None:
        assert [one for one in CANDIDATES.named_as(reference) if one in named] == named
        return
    adopted = [one for one in named if not one.names_have_tag and one.tag != tag]
    assert CANDIDATES.adopted_as(reference) == adopted
    assert CANDIDATES.with_tag(tag) == [one for one in CANDIDATES if one.tag == tag]


@given(REFERENCES)
def test_every_export_in_the_folder_of_a_name_is_in_the_tables(reference: str) -> None:
    inside = [one for one in CANDIDATES if is_in_folder_of(reference, one)]
    assert CANDIDATES.in_folder_of(reference) == inside


@pytest.mark.parametrize("size", [None, (20, 18), (1, 1)])
def test_sizes(size: tuple[int, int] | None) -> None:
    assert CANDIDATES.of_size(size) == [one for one in CANDIDATES if one.png_size == size]
