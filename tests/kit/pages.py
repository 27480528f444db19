"""The pages of the documentation, and what they take from the code: help texts, tables, lists of
modules, and the output that stands below commands and Python blocks.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer.main

from sidecar.cli.help import help_of as help_text
from sidecar.cli.program import program
from sidecar.labels.readers import READERS

from .phantoms import Spec, write

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {
    page.relative_to(ROOT).as_posix(): page
    for page in [*ROOT.glob("*.md"), *sorted(DOCS.rglob("*.md"))]
}
TOOL_PAGES = {name: page for name, page in PAGES.items() if name.startswith("docs/tools/")}
#: The scan of all pages: `scan/` wherever commands and Python are run.
SCAN = Spec(
    columns=406, rows=302, slices=24, pixel_spacing=(0.02, 0.02), slice_gaps=0.02, origin=(-4.0, -3.0, 0.0),
    markers=False, junk=False, shuffled_names=False,
)  # fmt: skip
COMMANDS: dict[str, Any] = dict(typer.main.get_command(program()).commands)  # type: ignore[attr-defined]

#: A part that is made: `<!-- from the code: WHAT -->` to `<!-- end -->`.
MADE = re.compile(r"(<!-- from the code: (?P<what>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_RUN = re.compile(
    r"^```(?P<kind>python|console)\n(?P<body>.*?)^```\n(?:\n```text\n(?P<out>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


def refreshed(page: Path) -> str:
    """The page with every part that comes from the code made anew, and everything that can be run
    run anew.
    """
    text = MADE.sub(
        lambda found: f"{found[1]}\n{made(found['what'])}\n\n{found[3]}",
        page.read_text(encoding="utf-8"),
    )
    if not page.is_relative_to(DOCS) or not _RUN.search(text):
        return text
    names: dict[str, Any] = {"__name__": "docs"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write(SCAN, Path("scan"))
        for name, content in shown_files(text):
            Path(name).write_text(content, encoding="utf-8")
        return _RUN.sub(lambda found: _run_again(found, names), text)


def shown_files(text: str) -> list[tuple[str, str]]:
    """Name and content of every file that a page shows in full: its name and a colon, then a
    block.
    """
    return re.findall(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _run_again(found: re.Match[str], names: dict[str, Any]) -> str:
    if found["kind"] == "console":
        commands = [line for line in found["body"].splitlines() if line.startswith("$ ")]
        body = "".join(f"{command}\n{_transcript(command[2:])}" for command in commands)
        after = "" if found["out"] is None else f"\n```text\n{found['out']}```\n"
        return f"```console\n{body}```\n{after}"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(found["body"], "a Python block", "exec"), names)
    output = f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else ""
    return f"```python\n{found['body']}```\n{output}"


def _transcript(command: str) -> str:
    """What a command shows: messages, then data, without spaces at the ends of lines. It must
    succeed. ``> FILE`` at its end puts the data into a file.
    """
    command, _, file = command.partition(" > ")
    program = [
        sys.executable,
        "-c",
        "from sidecar.__main__ import entry; entry()",
        *shlex.split(command)[1:],
    ]
    done = subprocess.run(
        program,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    if file:
        Path(file).write_text(done.stdout, encoding="utf-8")
    return re.sub(r" +$", "", done.stderr + ("" if file else done.stdout), flags=re.MULTILINE)


def made(what: str) -> str:
    kind, *names = what.split()
    match kind:
        case "help":
            return help_of(names[0])
        case "label-formats":
            rows = [
                (f"[{READERS[n].tool}]({page_of(n)})", f"`{n}`", READERS[n].origin) for n in READERS
            ]
            return table(("Tool", "`--from`", "Pixel origin"), rows)
        case "formats":
            return table(
                ("Read as", "`--from`", "Pixel origin"),
                [(READERS[n].tool, f"`{n}`", READERS[n].origin) for n in names],
            )
        case "modules":
            return "\n".join(_modules()).strip()
    raise AssertionError(f"nothing in the code is called {what!r}")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ("---",) * len(head), *rows])


def help_of(name: str) -> str:
    """The help of a command as its declarations have it, at the width of the pages."""
    command = COMMANDS[name]
    return "```text\n" + help_text(command, f"sidecar {name}", 80, command.params) + "```"


def page_of(format: str) -> str:
    """The tool page, relative to docs/, that shows a label format."""
    pages = [page for page in TOOL_PAGES.values() if format in formats_of(page)]
    assert len(pages) == 1, (
        f"{format} must be in the formats of one page below docs/tools, not {len(pages)}"
    )
    return pages[0].relative_to(DOCS).as_posix()


def formats_of(page: Path) -> list[str]:
    found = re.search(
        r"<!-- from the code: formats ([\w -]+?) -->", page.read_text(encoding="utf-8")
    )
    return found[1].split() if found else []


def _modules() -> Iterator[str]:
    package = ROOT / "sidecar"
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        yield f"\n**{folder.relative_to(ROOT).as_posix()}/**\n"
        for path in sorted(folder.glob("*.py")):
            if sentence := _first_sentence(path):
                yield f"- `{path.name}`: {sentence}"


def _first_sentence(path: Path) -> str:
    """Of the docstring of a module; "" where it has none."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=[.:])\s+(?=[A-Z`*\d])|\n\n", text)[0]
    return " ".join(sentence.split()).replace("``", "`").rstrip(":.") + ("." if text else "")
