"""The documentation is held to the code: what is made from it, what is run from it, and what it
promises.

`python tests/test_docs.py` writes anew what the pages take from the code: help texts, tables, lists
of modules, and the output that stands below commands and Python blocks. Look at what it changed:
nothing else looks at whether it is right.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, cast, get_type_hints

import numpy as np
import pytest
from kit.adopted_images import autoscaled, texture, write_images, write_scan
from kit.command_line import CommandLine
from kit.exports import tagged
from kit.needs import missing
from kit.pages import (
    COMMANDS,
    DOCS,
    MADE,
    PAGES,
    ROOT,
    SCAN,
    TOOL_PAGES,
    formats_of,
    help_of,
    page_of,
    refreshed,
    shown_files,
)
from kit.phantoms import write

import sidecar
from sidecar.document import model as documents
from sidecar.document.model import Model
from sidecar.document.reading import parse
from sidecar.document.writing import as_text, sealed
from sidecar.exporting.config import load_config
from sidecar.labels.load import map_file
from sidecar.labels.readers import READERS, reader_for
from sidecar.labels.writers import SOURCE_WRITERS, WRITERS
from sidecar.labels.writers.csv_points import COLUMNS
from sidecar.mapping import Sidecar

#: Where the landmark of all tool pages is in that scan, whatever the tool calls it.
BREGMA = (203.5, 151.5, 6.0)
#: Addresses that pages may point to.
HOSTS = {
    "raw.githubusercontent.com",
    "dicom.nema.org",
    "keepachangelog.com",
    "semver.org",
    "json-schema.org",
    "www.w3.org",
    "github.com",
}
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_what_comes_from_the_code_is_as_the_code_is(name: str) -> None:
    """Numbers to 1e-9: the last digit is the machine's."""
    shown, now = PAGES[name].read_text(encoding="utf-8"), refreshed(PAGES[name])
    assert _NUMBER.sub("#", shown) == _NUMBER.sub("#", now), (
        "look at it, then: python tests/test_docs.py"
    )
    np.testing.assert_allclose(
        [float(n) for n in _NUMBER.findall(shown)],
        [float(n) for n in _NUMBER.findall(now)],
        rtol=1e-9,
        atol=1e-12,
    )


# Commands.

SHELL_LINES = [
    (name, line)
    for name, page in PAGES.items()
    for block in re.findall(
        r"^```(?:sh|console)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for line in block.splitlines()
]


def parsed(command: str) -> None:
    """As the command line would parse it, without running it; what is wrong with it is raised."""
    _, name, *arguments = shlex.split(command, comments=True)
    COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_its_help_and_an_example(name: str) -> None:
    text = PAGES[f"docs/commands/{name}.md"].read_text(encoding="utf-8")
    assert text.startswith(f"# sidecar {name}\n")
    assert f"<!-- from the code: help {name} -->" in text
    assert re.search(rf"^(\$ )?sidecar {name} \S", MADE.sub("", text), re.MULTILINE), (
        "a page needs an example of its own"
    )
    assert f"]({name}.md)" in PAGES["docs/commands/index.md"].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_that_is_run_says_what_the_page_says(name: str, run: CommandLine) -> None:
    """White space apart, as help is as wide as the terminal, and the page leaves --help out."""
    shown = re.sub(r"-h, --help +Show this message and exit\.\n", "", run.done(name, "--help").out)
    page = help_of(name).removeprefix("```text").removesuffix("```")
    assert "".join(page.split()) == "".join(shown.split()).replace("Options:Examples:", "Examples:")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_eighty_columns_and_shows_examples_that_work(name: str, run: CommandLine) -> None:
    shown = run.done(name, "--help").out
    assert max(map(len, shown.splitlines())) <= 80
    examples = shown.partition("\nExamples:\n")[2].splitlines()
    assert examples and examples[0].startswith(f"  sidecar {name}")
    for example in examples:
        parsed(example.strip())


@pytest.mark.parametrize(
    ("page", "line"),
    [(page, line.removeprefix("$ ")) for page, line in SHELL_LINES if "sidecar " in line],
)
def test_shell_examples_are_commands_that_exist(page: str, line: str) -> None:
    for command in re.findall(r"(?:^|&& )(sidecar [^&|>]+)", line):
        parsed(command)


def test_options_that_pages_name_exist() -> None:
    parameters = [parameter for command in COMMANDS.values() for parameter in command.params]
    options = {option for p in parameters for option in [*p.opts, *p.secondary_opts]} | {
        "--help",
        "--version",
        "--verbose",
        "--debug",
        "--install-completion",
    }
    options |= {"--minutes", "--target", "--list", "--replay"}  # of fuzz/: tests/test_fuzz.py
    options |= {"--fix", "--durations", "--no-deps"}  # of ruff, pytest and pip
    options |= {"--follow-tags", "--spec"}  # of git and pipx
    options |= {"--labels"}  # of cvat-cli
    options |= {"--code", "--gigabytes", "--write"}  # of benchmarks/
    for name, page in PAGES.items():
        text = MADE.sub("", page.read_text(encoding="utf-8"))
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= options, name
        assert set(re.findall(r"`sidecar ([a-z][a-z-]*)", text)) <= set(COMMANDS), name


def test_the_columns_of_the_output_are_those_of_the_contract() -> None:
    text = PAGES["docs/commands/map-points.md"].read_text(encoding="utf-8")
    section = re.search(r"^## Output columns$(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert section
    assert [
        name
        for row in re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    ] == list(COLUMNS)


def test_the_output_formats_are_all_there() -> None:
    text = PAGES["docs/commands/map-points.md"].read_text(encoding="utf-8")
    section = re.search(r"^## Output formats$(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert section
    listed = {
        name: tuple(re.findall(r"`(.+?)`", endings))
        for name, endings in re.findall(
            r"^\| `([a-z][\w-]*)` \| (.*?) \|", section[1], re.MULTILINE
        )
    }
    expected = {name: tuple(writer.endings) for name, writer in WRITERS.items()} | dict.fromkeys(
        SOURCE_WRITERS, ("--to", "--dicom")
    )
    assert {name: tuple(map(str.lower, endings)) for name, endings in listed.items()} == expected


def test_the_config_of_the_page_is_read(tmp_path: Path) -> None:
    configs = re.findall(
        r"^```yaml\n(.*?)^```",
        PAGES["docs/commands/export.md"].read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert configs
    for text in configs:
        (tmp_path / "specimens.yaml").write_text(text, encoding="utf-8")
        assert load_config(tmp_path / "specimens.yaml")


# Label tools.


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> Sidecar:
    """The export that tool pages speak of: 12 PNGs of 203 × 151."""
    folder = tmp_path_factory.mktemp("docs")
    write(SCAN, folder / "scan")
    return sidecar.export(folder / "scan", folder / "png", scale=0.5, z_step=2)


@pytest.mark.parametrize("name", READERS)
def test_every_label_format_has_a_tool_page(name: str) -> None:
    assert (DOCS / page_of(name)).is_file()


@pytest.mark.parametrize("name", TOOL_PAGES)
def test_every_tool_page_says_how_and_what_was_not_tried(name: str) -> None:
    text = TOOL_PAGES[name].read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert {
        "Open",
        "Label",
        "Save",
        "Map back",
        "What the file looks like",
        "Mind",
        "Not tried",
    } <= set(headings)
    assert re.search(r"^sidecar map-points ", text, re.MULTILINE)


@pytest.mark.parametrize("name", TOOL_PAGES)
def test_the_files_of_a_tool_page_are_the_same_landmark(
    name: str, png: Sidecar, tmp_path: Path
) -> None:
    """Read as one of the page's formats by content alone; the first shape, or its middle, is where
    bregma is.
    """
    samples = shown_files(TOOL_PAGES[name].read_text(encoding="utf-8"))
    assert samples
    for file_name, content in samples:
        path = tmp_path / file_name
        path.write_text(content, encoding="utf-8")
        assert reader_for(path).name in formats_of(TOOL_PAGES[name])
        points = map_file(path, png).points
        first = list(points.labels.shapes.rows(0))
        np.testing.assert_allclose(points.source[first].mean(axis=0), BREGMA, atol=1e-3)


def test_the_readme_fits_one_screen() -> None:
    """Its two shell blocks are what `noxfile.py` and `.ci/run` take from it."""
    text = PAGES["README.md"].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 70
    assert len(re.findall(r"^```sh$", text, re.MULTILINE)) == 2


@pytest.mark.parametrize("name", [n for n in PAGES if re.match("docs/tutorials/(?!index)", n)])
def test_every_tutorial_is_run_and_listed(name: str) -> None:
    """What it shows is held by `test_what_comes_from_the_code_is_as_the_code_is`."""
    text = PAGES[name].read_text(encoding="utf-8")
    assert len(re.findall(r"^\$ sidecar ", text, re.MULTILINE)) >= 3
    index = PAGES["docs/tutorials/index.md"].read_text(encoding="utf-8")
    assert f"]({name.removeprefix('docs/tutorials/')})" in index


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statement by statement, on a scan and labels of its names; labels come when the PNGs are
    there.
    """
    monkeypatch.chdir(tmp_path)
    volume = texture(slices=12)
    write_scan(Path("scan"), volume)
    write_images(Path("old_pngs"), [autoscaled(plane)[::2, ::2] for plane in volume])
    (block,) = re.findall(
        r"^```python\n(.*?)^```",
        PAGES["README.md"].read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    names: dict[str, Any] = {}
    for statement in ast.parse(block).body:
        if "labels.csv" in ast.unparse(statement):
            Path("png/labels.csv").write_text(
                tagged("image,x,y\nslice_0002.png,30,20\n", Path("png")), encoding="utf-8"
            )
        exec(compile(ast.Module([statement], []), "README.md", "exec"), names)
    assert names["k"][0] == pytest.approx(7) and names["xy"][0] == pytest.approx([120.0, 88.5])
    assert names["points"].source.tolist() == [[60.5, 40.5, 4.0]]
    assert names["old"].to_source([[30, 20]], 2).tolist() == [[60.0, 40.0, 2.0]]


# The sidecar document.

FORMAT = DOCS / "sidecar-format.md"


def example() -> Sidecar:
    """The document that the format page shows in full, as it is read: checked against itself."""
    blocks = re.findall(
        r"^```json\n(.*?)^```", FORMAT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return Sidecar.of(parse(max(blocks, key=len)))


_AXES = (documents.AxisModel, documents.EvidenceAxis)


def objects(model: type[Model], path: str = "") -> Iterator[tuple[str, set[str]]]:
    """(path, field names) of a model and of every model in it; all three axes are one."""
    annotations = get_type_hints(model)
    names = [field.name for field in fields(cast("Any", model))]
    yield path or "the document", set(names)
    for name in names:
        annotation = annotations[name]
        for inner in {m for m in _models(annotation) if m not in _AXES or name == "columns"}:
            step = "columns, rows, slices" if inner in _AXES else name
            listed = "[]" if "list[" in str(annotation) else ""
            yield from objects(inner, f"{path}.{step}{listed}".removeprefix("."))


def _models(annotation: Any) -> set[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return {annotation}
    return {model for part in getattr(annotation, "__args__", ()) for model in _models(part)}


OBJECTS = dict(objects(documents.Document))


def test_the_format_page_has_every_object() -> None:
    headings = re.findall(r"^### `?(.+?)`?$", FORMAT.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(OBJECTS)


@pytest.mark.parametrize("path", OBJECTS)
def test_the_format_page_has_every_field_and_no_other(path: str) -> None:
    section = re.search(
        rf"^### `?{re.escape(path)}`?$(.*?)(?=^#|\Z)",
        FORMAT.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert section
    assert {
        name
        for row in re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    } == OBJECTS[path]


class Step(NamedTuple):
    """One line of arithmetic on a page: name = expression = value."""

    name: str
    expression: str
    value: float


def steps(page: Path) -> list[Step]:
    text = "\n".join(
        re.findall(
            r"^```text\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    )
    lines = re.findall(
        r"^ *(\w[\w ]*?) += +([-−+·/().\d ]+) += +([-−.\d]+)(?: .*)?$", text, re.MULTILINE
    )
    return [
        Step(name, _plain(expression), float(_plain(value))) for name, expression, value in lines
    ]


def _plain(text: str) -> str:
    return text.translate(str.maketrans("−·", "-*"))


def evaluated(expression: str) -> float:
    """Arithmetic, and nothing else."""
    tree = ast.parse(expression.strip(), mode="eval")
    allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), expression
    return float(eval(compile(tree, "arithmetic", "eval")))


@pytest.mark.parametrize("name", ["sidecar-format.md", "pixel-conventions.md"])
def test_the_arithmetic_of_the_pages_is_right(name: str) -> None:
    found = steps(DOCS / name)
    assert len(found) >= 5
    for step in found:
        assert evaluated(step.expression) == pytest.approx(step.value, abs=1e-12), step


def test_the_worked_example_is_what_its_document_maps_to() -> None:
    by_hand = {step.name: step.value for step in steps(FORMAT)}
    png = example()
    assert png.document == sealed(png.document), "its digest"
    at = [[by_hand["x"], by_hand["y"]]]
    source = png.to_source(at, by_hand["PNG slice"])
    np.testing.assert_allclose(
        source, [[by_hand["column"], by_hand["row"], by_hand["slice"]]], atol=1e-12
    )
    np.testing.assert_allclose(
        png.to_patient(at, by_hand["PNG slice"]),
        [[by_hand["P x"], by_hand["P y"], by_hand["P z"]]],
        atol=1e-12,
    )
    between = png.to_patient(at, by_hand["PNG slice between"])
    np.testing.assert_allclose(
        png.to_source(at, by_hand["PNG slice between"])[0, 2], by_hand["slice between"]
    )
    np.testing.assert_allclose(between[0, 2], by_hand["P z between"], atol=1e-12)


@pytest.mark.parametrize("which", ["tag-vectors.json", "the example"])
def test_the_tag_of_the_format_page_is_the_tag(which: str) -> None:
    (code,) = re.findall(
        r"^```python\n(import hashlib\n.*?)^```",
        FORMAT.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    names: dict[str, Any] = {}
    exec(compile(code, FORMAT.name, "exec"), names)
    if which == "the example":
        document = example().document
        assert names["tag"](json.loads(as_text(document))) == document.images.tag
        return
    vectors = json.loads((ROOT / "schemas" / "vectors" / which).read_text(encoding="utf-8"))
    for vector in vectors["vectors"]:
        assert names["tag"](vector["document"]) == vector["tag"], vector["name"]


@pytest.mark.parametrize("plane", ["as stored", "z-xy"])
def test_the_reader_in_another_language_agrees(plane: str, tmp_path: Path) -> None:
    """The JavaScript of the format page, by Node.js or in a browser, on the document of that page
    and on PNGs cut another way.
    """
    (code,) = re.findall(
        r"^```js\n(.*?)^```", FORMAT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(code.splitlines()) <= 15
    if plane == "as stored":
        png = example()
    else:
        write(SCAN, tmp_path / "scan")
        png = sidecar.export(tmp_path / "scan", tmp_path / "png", scale=0.25, z_step=5, plane=plane)
    labels = np.random.default_rng(7).uniform(-0.5, np.array(png.size) + 0.5, (50, 3))
    program = (
        f"{code}\nconst doc = {as_text(png.document)}\nconst labels ="
        f" {json.dumps(labels.tolist())}\nconst answer = JSON.stringify(labels.map(([x, y, slice])"
        " => toPatient(doc, x, y, slice)))\n"
    )
    np.testing.assert_allclose(
        _javascript(program, tmp_path), png.to_patient(labels[:, :2], labels[:, 2]), atol=1e-9
    )


def test_the_reader_in_another_language_maps_the_vectors(tmp_path: Path) -> None:
    (code,) = re.findall(
        r"^```js\n(.*?)^```", FORMAT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    vectors = json.loads((ROOT / "schemas/vectors/mapping-vectors.json").read_text("utf-8"))
    points = [
        (case["document"], point["pixel"], point["patient"])
        for case in vectors["cases"]
        for point in case["points"]
        if point["patient"] is not None
    ]
    program = (
        f"{code}\nconst given = {json.dumps([point[:2] for point in points])}\nconst answer ="
        " JSON.stringify(given.map(([doc, pixel]) => toPatient(doc, ...pixel)))\n"
    )
    found = np.array(_javascript(program, tmp_path))
    expected = np.array([patient for _, _, patient in points])
    assert np.abs(found - expected).max() < vectors["tolerance"]["patient"]


def _javascript(program: str, folder: Path) -> Any:
    """The ``answer`` of a program."""
    node, chromium = shutil.which("node"), shutil.which("chromium") or shutil.which("google-chrome")
    if node:
        (folder / "program.js").write_text(f"{program}console.log(answer)\n", encoding="utf-8")
        command = [node, "program.js"]
    elif chromium:
        page = (
            "<!doctype html><meta"
            f" charset=utf-8><pre></pre><script>{program}document.querySelector('pre').textContent"
            " = answer</script>"
        )
        (folder / "page.html").write_text(page, encoding="utf-8")
        profile = f"--user-data-dir={folder / 'profile'}"
        command = [
            chromium,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            profile,
            "--dump-dom",
            (folder / "page.html").as_uri(),
        ]
    else:
        missing("BROWSER", "there is neither Node.js nor Chromium to run JavaScript")
    shown = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout
    return json.loads(
        re.sub(r"<[^>]*>", "", shown.partition("<pre>")[2].partition("</pre>")[0] or shown)
    )


# The architecture.

ARCHITECTURE = DOCS / "architecture.md"


def rules() -> list[tuple[str, list[str]]]:
    """Every binding rule with the tests that are said to hold it, as `path::name`."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    section = re.search(r"^## The rules that bind$(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    assert section
    parts = re.split(r"^\d+\. \*", section[1], flags=re.MULTILINE)[1:]
    return [
        (part.partition("*")[0], re.findall(r"^ +- `([\w/]+\.py::\w+)`$", part, re.MULTILINE))
        for part in parts
    ]


@pytest.mark.parametrize(("rule", "tests"), rules(), ids=[rule for rule, _ in rules()])
def test_every_rule_names_the_tests_that_hold_it(rule: str, tests: list[str]) -> None:
    assert len(tests) >= 2
    for test in tests:
        path, _, name = test.partition("::")
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test


def test_the_layers_of_the_page_are_those_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [
        contract
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    ]
    layers = [sorted(re.findall(r"\w+", layer)) for layer in contract["layers"] if "(" not in layer]
    section = re.search(
        r"^## The house$(.*?)^## ",
        ARCHITECTURE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert section
    rows = re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
    assert [sorted(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows] == layers


def test_every_word_of_adoption_names_its_module() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| [^|]+ \| (`.*`) \|$",
        (DOCS / "adoption-glossary.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    modules = [module for row in rows for module in re.findall(r"`([\w/]+\.py)`", row)]
    assert len(rows) >= 30
    assert [m for m in modules if not (ROOT / "sidecar/adoption" / m).is_file()] == []
    folders = ("", "coarse", "fine", "model")
    there = {
        path.relative_to(ROOT / "sidecar/adoption").as_posix()
        for folder in folders
        for path in (ROOT / "sidecar/adoption" / folder).glob("[a-z]*.py")
    }
    assert there - set(modules) <= {"stacks.py"}, "a module whose words are not explained"


# The library.


def test_every_public_name_can_be_imported_and_is_documented() -> None:
    text = PAGES["docs/library.md"].read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `sidecar\.(\w+)[(`]", text, re.MULTILINE))
    assert listed == set(sidecar.__all__)
    assert all(getattr(sidecar, name).__doc__ for name in sidecar.__all__)


def test_every_method_of_the_mapping_is_documented() -> None:
    public = {
        name for name in [*vars(Sidecar), *Sidecar.__annotations__] if not name.startswith("_")
    }
    text = PAGES["docs/library.md"].read_text(encoding="utf-8")
    assert {name for name in public if f"`{name}" not in text and f".{name}" not in text} == set()


# All pages.


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[name].read_text(encoding="utf-8")):
        address, _, anchor = target.partition("#")
        if "://" in address:
            continue
        there = (PAGES[name].parent / address).resolve() if address else PAGES[name]
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_place_it_should_not(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\s)>\"]+)", text)) <= HOSTS
    assert (
        re.findall(r"(?:^|[\s(`'\"])(?:/(?!data/upload/)[a-z]\w*/\S*|[A-Z]:\\\S*)", text) == []
    ), "paths of one machine"


def test_every_page_can_be_reached() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES.values()
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    }
    assert [
        name for name, page in PAGES.items() if page not in linked and name != "README.md"
    ] == []


def test_extras_that_pages_name_exist() -> None:
    extras = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "optional-dependencies"
        ]
    )
    for name, page in PAGES.items():
        named = re.findall(r"(?:dicom-sidecar|\.)\[([\w,]+)\]", page.read_text(encoding="utf-8"))
        assert {extra for group in named for extra in group.split(",")} <= extras, name


def test_import_paths_that_the_changelog_gives_exist() -> None:
    rows = re.findall(
        r"^\| `sidecar\.[\w.]+` \| `(sidecar\.[\w.]+)` \|$",
        PAGES["CHANGELOG.md"].read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(rows) > 100
    for path in rows:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name) or importlib.util.find_spec(path), (
            path
        )


def test_the_changelog_has_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = PAGES["CHANGELOG.md"].read_text(encoding="utf-8")
    assert re.search(
        rf"^## \[{re.escape(project['version'])}\] - (unreleased|\d{{4}}-\d\d-\d\d)$",
        text,
        re.MULTILINE,
    )
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= kinds


if __name__ == "__main__":
    for page in PAGES.values():
        page.write_text(refreshed(page), encoding="utf-8")
