"""The list of landmarks of --names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.errors import LabelError
from sidecar.viewer.serving.landmark_names import read_names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.txt", "nasion\nbregma, left\n\n  lambda  \nnasion\n"),
        ("names.txt", "\ufeffnasion\r\nbregma, left\r\nlambda"),
        ("names.csv", 'number,Label\n1,nasion\n2,"bregma, left"\n3,lambda\n'),
        ("names.csv", "name;side\nnasion;\nbregma, left;l\nlambda;\n"),
        ("names.tsv", "name\tside\nnasion\t\nbregma, left\tl\nlambda\t\n"),
    ],
)
def test_names_are_read_as_the_page_reads_them(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    assert read_names(file) == ("nasion", "bregma, left", "lambda")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("names.txt", "\n \n", "there are no names in it"),
        ("names.csv", "a,b\n1,2\n", "has no column label or name"),
        ("names.txt", "x" * 201, "longer than 200 characters"),
        ("names.txt", "\n".join(map(str, range(20_001))), "more than 20000 names"),
        ("names.txt", "a\0b", "NUL"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, name: str, text: str, why: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(LabelError, match=why):
        read_names(file)
