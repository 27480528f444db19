"""What contributors are told is there: the commands of CONTRIBUTING.md, the decisions, the files
that name a version.
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from typing import Any

import pytest
import yaml
from kit.pages import DOCS, PAGES, ROOT

import sidecar
from sidecar.cli.program import program

DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
#: The headings of a decision, in order.
HEADINGS = ["Context", "Decision", "Other ways, and what they cost", "What follows"]
#: As much as fits on one printed page.
MOST_WORDS = 400


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def sessions() -> set[str]:
    """The sessions of noxfile.py, without running it: tests need no nox."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def sessions_named(text: str) -> set[str]:
    """The sessions after every `nox -s` of a text."""
    return {
        name for names in re.findall(r"\bnox -s ((?:[a-z_]+ ?)+)", text) for name in names.split()
    }


def programs_of_dev() -> set[str]:
    """The distributions of the extra `dev`, whose programs contributors have."""
    extra = project()["project"]["optional-dependencies"]["dev"]
    return {re.split(r"[\[<>=;]", line)[0] for line in extra}


def test_contributing_names_every_session_and_no_other() -> None:
    text = PAGES["CONTRIBUTING.md"].read_text(encoding="utf-8")
    assert sessions_named(text) == sessions() - {"readme"}, "readme is for .ci/run alone"


def test_what_ci_runs_exists() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    named = sessions_named(text)
    assert {"lint", "types", "contracts", "readme"} <= named <= sessions()


def test_set_up_installs_an_extra_that_has_what_is_used() -> None:
    text = PAGES["CONTRIBUTING.md"].read_text(encoding="utf-8")
    assert "pip install -e '.[dev]'" in text
    assert {"nox", "pre-commit", "ruff", "mypy", "codespell", "import-linter"} <= programs_of_dev()


def test_hooks_are_programs_of_the_extra() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    programs = {shlex.split(hook["entry"])[0] for hook in hooks}
    assert programs == {"ruff", "mypy", "codespell"}
    assert programs <= programs_of_dev()


def test_the_readme_has_the_test_command_where_it_is_looked_for() -> None:
    """`nox -s readme` runs the second block."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGES["README.md"].read_text("utf-8"), re.S | re.M)
    assert "python -m pytest" in blocks[1]


def test_contributing_names_every_marker() -> None:
    markers = project()["tool"]["pytest"]["ini_options"]["markers"]
    names = [marker.partition(":")[0] for marker in markers]
    assert names == ["slow", "tools"]
    text = PAGES["CONTRIBUTING.md"].read_text(encoding="utf-8")
    assert [name for name in names if f"@pytest.mark.{name}`" not in text] == []


def test_the_citation_and_the_package_are_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    about = project()["project"]
    assert (citation["version"], citation["license"]) == (about["version"], about["license"])
    assert sidecar.__version__ == about["version"]


def test_one_sentence_says_what_it_is() -> None:
    """The first sentence of the README stands wherever somebody meets the project first."""
    text = PAGES["README.md"].read_text(encoding="utf-8")
    sentence = re.findall(r"^`sidecar` turns (.+)\.$", text, re.MULTILINE)[0]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    places = {
        "pyproject.toml": project()["project"]["description"],
        "CITATION.cff": citation["abstract"],
        "mkdocs.yml": " ".join(re.findall(r"^site_description: (.+)$", site, re.MULTILINE)),
        "docs/index.md": PAGES["docs/index.md"].read_text(encoding="utf-8").replace("`", ""),
        "help(sidecar)": " ".join((sidecar.__doc__ or "").split()),
        "sidecar --help": program().info.help,
    }
    assert [
        name for name, words in places.items() if f"sidecar turns {sentence}" not in words
    ] == []


# Decisions.


def test_every_decision_is_in_the_list() -> None:
    text = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|", text, re.MULTILINE)
    assert [name for _, _, name in listed] == [page.name for page in DECISIONS]
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert [int(number) for number, _, _ in listed] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_decisions_are_linked(page: str) -> None:
    assert "decisions/README.md)" in PAGES[page].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_one_page_of_four_parts(page: Any) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {int(page.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert len(text.split()) <= MOST_WORDS


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_what_a_decision_names_is_there(page: Any) -> None:
    """Files, tests in them, and modules below `sidecar/`."""
    text = page.read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/.]+?)(?:::(\w+))?`", text)
    assert tests, "a decision names the tests that hold it"
    for path, name in tests:
        assert (ROOT / path).exists(), path
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
    for path in re.findall(r"`([a-z]\w*/(?:\w+/)*\w+\.(?:py|js))`", text):
        assert path.startswith("tests/") or (ROOT / "sidecar" / path).exists(), path
