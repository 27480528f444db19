"""A document from elsewhere whose names lead out of its folder is refused where it is read, so that no
command writes or reads there.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from kit.command_line import CommandLine
from kit.folders import contents

from sidecar.document.reading import parse
from sidecar.errors import DocumentError


@pytest.fixture
def case(shared_cases: Path, tmp_path: Path) -> Path:
    shutil.copytree(shared_cases / "reliability/02-names-in-sidecar-json", tmp_path / "case")
    for path in (tmp_path / "case").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "case"


@pytest.mark.parametrize(
    "command",
    [
        ("map-mask", "masks", "--sidecar", "export", "--to", "png", "-o", "out"),
        ("map-mask", "labels.csv", "--sidecar", "export", "--to", "png", "-o", "out"),
        ("map-points", "labels.csv", "--sidecar", "export"),
        ("view", "export"),
    ],
    ids=" ".join,
)
def test_nothing_outside_is_touched(case: Path, command: tuple[str, ...], run: CommandLine) -> None:
    before = contents(case)
    arguments = [str(case / word) if (case / word).exists() else word for word in command]
    arguments = [str(case / "out") if word == "out" else word for word in arguments]
    run.refuses(*arguments, says="'../precious/thesis.tex' at images.files.0.name")
    assert contents(case) == before


def test_each_kind_of_name(case: Path) -> None:
    raw = json.loads((case / "export/sidecar.json").read_text())
    for k, name in enumerate(["a.png", "b.png", "c.png", "d.png"]):
        raw["images"]["files"][k]["name"] = name
    assert parse(json.dumps(raw)).images.files[0].name == "a.png"
    for name in ("../a.png", "/a.png", "a/b.png", "..\\a.png", "C:a.png", "..", "", "a\0.png"):
        raw["images"]["files"][2]["name"] = name
        with pytest.raises(
            DocumentError, match=r"at images\.files\.2\.name, which is not the name"
        ):
            parse(json.dumps(raw))
    raw["images"]["files"][2]["name"] = "c.png"
    raw["source"]["planes"][5]["file"] = "a/../../b.dcm"
    with pytest.raises(DocumentError, match=r"at source\.planes\.5\.file.*folder of the source"):
        parse(json.dumps(raw))
