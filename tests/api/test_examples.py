"""Every function explains itself: what it takes, returns and raises, and an example that is run."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import sidecar

FUNCTIONS = [name for name in sidecar.__all__ if inspect.isfunction(getattr(sidecar, name))]


def sections(text: str) -> dict[str, str]:
    """The parts of a docstring by their heading."""
    parts = re.split(
        r"^(Args|Returns|Raises|Examples):\n", inspect.cleandoc(text), flags=re.MULTILINE
    )
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_is_what_it_does(name: str, work: Path) -> None:
    function = getattr(sidecar, name)
    (found,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={"sidecar": sidecar})
    assert found.examples
    said: list[str] = []
    done = doctest.DocTestRunner().run(found, out=said.append)
    assert done.failed == 0, "".join(said)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_keyword_is_explained_and_typed(name: str) -> None:
    function = getattr(sidecar, name)
    told = sections(function.__doc__)
    assert list(told) == ["Args", "Returns", "Raises", "Examples"]
    parameters = inspect.signature(function).parameters
    assert re.findall(r"^    (\w+): ", told["Args"], re.MULTILINE) == list(parameters)
    assert all(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())
    assert all(p.annotation not in (p.empty, Any, "Any") for p in parameters.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_that_are_explained_are_public(name: str) -> None:
    told = sections(getattr(sidecar, name).__doc__)
    for error in re.findall(r"^    (\w+): ", told["Raises"], re.MULTILINE):
        assert issubclass(getattr(sidecar, error), sidecar.SidecarError)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_returns_is_public(name: str) -> None:
    """Of our own classes."""
    returned = inspect.signature(getattr(sidecar, name)).return_annotation
    own = set(re.findall(r"[A-Z]\w+", returned)) - {"Path", "WritableLocation"}
    assert own <= set(sidecar.__all__), returned


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_misspelt_keyword_fails_by_its_name(name: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'scael'"):
        getattr(sidecar, name)(scael=0.5)


@pytest.mark.slow
def test_mypy_finds_a_misspelt_keyword(tmp_path: Path) -> None:
    """The functions keep their signatures behind whatever is wrapped around them."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sidecar\n"
        "png = sidecar.export('scan', 'png', scale=0.5, zstep=2)\n"
        "points = sidecar.map_points('labels.csv', png, trust_name=True)\n"
        "points.write('mapped.csv', spaec='ras')\n"
        "png.read(3).nothing\n",
        encoding="utf-8",
    )
    cache = ["--cache-dir", str(tmp_path / "cache")]
    api = pytest.importorskip("mypy.api", reason="the extra dev is not installed")
    out, _, _ = api.run([str(program), "--strict", "--config-file", "", *cache])
    found = re.findall(r"^.*program\.py:(\d+): error: .*?\"(\w+)\"", out, re.MULTILINE)
    words = ["zstep", "trust_name", "spaec"]
    assert [word for _, word in found[:3]] == words, out
    assert [int(line) for line, _ in found] == [2, 3, 4, 5]
