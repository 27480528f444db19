"""The public names of the package: its functions, whatever was imported before, and nothing that
is not meant.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import json
import pkgutil
import pydoc
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.pages import COMMANDS, PAGES

import sidecar
from sidecar.api.spelling import OTHER_NAMES

#: The promise: a name more or less is a decision, and stands in the changelog.
PUBLIC = """
    Aligned AlignedGroup AmbiguousSeriesError BatchError ColumnError DocumentError Finding GeometryError
    ImageError Inspection LabelError LabelServer MappedMask Mapping Measured MissingExtraError OutputError
    PixelError Points Progress Projection RepeatedLandmark Repeats Sidecar SidecarError SourceError UsageError
    WorkersLostError __version__
    adopt align align_group check export inspect integrations label map_file map_mask map_points measure measure_repeats open prepare project
    project_file report view zoom
"""


def test_the_public_names_are_those_that_are_promised() -> None:
    assert sorted(sidecar.__all__) == sorted(PUBLIC.split())


def test_no_module_shadows_a_public_name() -> None:
    for module in pkgutil.walk_packages(sidecar.__path__, "sidecar."):
        if module.name == "sidecar.__main__":
            continue
        # A plugin is loaded within its program, and needs that.
        of_a_plugin = module.name.startswith("sidecar.plugins.")
        with contextlib.suppress(*[ModuleNotFoundError] if of_a_plugin else []):
            importlib.import_module(module.name)
    for name in sidecar.__all__:
        value = getattr(sidecar, name)
        assert inspect.isfunction(value) or inspect.isclass(value) or isinstance(value, str)


def test_every_command_but_the_demo_is_a_function() -> None:
    commands = {name.replace("-", "_") for name in COMMANDS} - {"demo"}
    assert commands <= set(sidecar.__all__)


#: Options of commands that no function has: what they print, and what `Points.write` takes.
NOT_HERE = {
    "quiet", "json", "dry_run", "config of export", "output of map-points", "output of project",
    "output of measure", "output of align", "to of map-points", "space of map-points",
    "to of align", "matrix of align", "residuals of align", "group of align", "common of align",
    "repeat of measure", "observers of measure", "over of map-points", "dicom of map-points", "pseudonym of map-points", "exports of project",
    "browser of label",
}  # fmt: skip


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"demo"}))
def test_every_option_of_a_command_is_a_keyword_of_its_function(command: str) -> None:
    options = {
        max(parameter.opts, key=len).lstrip("-").replace("-", "_")
        for parameter in COMMANDS[command].params
        if parameter.param_type_name == "option"
    }
    expected = {OTHER_NAMES.get(option, option) for option in options}
    keywords = inspect.signature(getattr(sidecar, command.replace("-", "_"))).parameters
    missing = expected - set(keywords)
    assert {name for name in missing if not {name, f"{name} of {command}"} & NOT_HERE} == set()


def test_what_is_written_of_points_takes_the_options_of_their_command() -> None:
    assert {"output", "to", "space", "over", "dicom", "pseudonym"} <= set(
        inspect.signature(sidecar.Points.write).parameters
    )


def test_what_is_aligned_or_repeated_takes_the_options_of_its_command() -> None:
    def keywords(function: Callable[..., object]) -> set[str]:
        return set(inspect.signature(function).parameters)

    assert keywords(sidecar.align_group) >= {"similarity", "mirror", "common"}
    assert keywords(sidecar.measure_repeats) >= {"observers"}
    for written in (sidecar.Aligned.write, sidecar.AlignedGroup.write):
        assert "to" in keywords(written)


def test_dir_and_help_show_every_name() -> None:
    shown = pydoc.plain(pydoc.render_doc(sidecar))
    assert set(sidecar.__all__) <= set(dir(sidecar))
    for name in set(sidecar.__all__) - {"__version__"}:
        assert re.search(rf"\b{name}\b", shown), name
    assert "z_step: 'int | None' = None" in shown


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", sidecar.__version__)


def test_mapping_points_loads_neither_pydicom_nor_an_image_library() -> None:
    """Nor does asking what there is."""
    program = (
        "import sidecar, sys; dir(sidecar); sidecar.map_points; sidecar.Points;"
        " print(sorted({'pydicom', 'PIL', 'pandas', 'SimpleITK', 'nibabel'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_pages_use_public_names_only(page: str) -> None:
    text = PAGES[page].read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks
    for node in ast.walk(ast.parse("\n".join(blocks))):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None and not node.module.startswith("sidecar."), node.module
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("sidecar.") for alias in node.names)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_") or node.attr in sidecar.__all__
            if isinstance(node.value, ast.Name) and node.value.id == "sidecar":
                assert node.attr in sidecar.__all__, node.attr


def test_the_notebook_uses_public_names_only() -> None:
    notebook = Path(__file__).resolve().parents[2] / "docs" / "landmarks.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert re.findall(r"\b(?:from|import) sidecar\.", text) == []
    assert set(re.findall(r"\bsidecar\.(\w+)", text)) <= set(sidecar.__all__)
