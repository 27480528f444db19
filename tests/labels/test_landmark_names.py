"""The list of landmarks of --names, as a file of lines or a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.errors import LabelError
from sidecar.labels.prepare.names import read_names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names.txt", "nasion\nbregma, left\n\n  lambda  \n"),
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
        ("names.txt", "x" * 201, "the name has 201 characters; the most is 200"),
        (
            "names.txt",
            "\n".join(map(str, range(20_001))),
            "there are 20001 names in it; the most is 20000",
        ),
        ("names.txt", "a\0b", "NUL"),
        ("names.txt", "a\n\nb\na\n", "line 4: a is in the list already, in line 1"),
        ("names.csv", "label\na\nb\na\n", "row 4: a is in the list already, in row 2"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, name: str, text: str, why: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(LabelError, match=why):
        read_names(file)
