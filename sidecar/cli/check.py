"""`sidecar check`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.telling import as_told

if TYPE_CHECKING:
    from sidecar.checks import Finding

NAME = "check"
HELP = """Check that an export is still what its sidecar.json says, and with --source also what the
DICOM files make.

The document against its schema and itself, every PNG by its digest, size and text; with --source
the headers once more, and a few slices, others each time, made again and compared pixel by pixel.
One line for each check. Exit 1 if any fails."""
EXAMPLES = """\
sidecar check png/
sidecar check png/ --source scan/ --slices all"""


def run(
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Folder of an export, or its sidecar.json.")
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            metavar="DICOM",
            help="The scan: a folder, a zip, a file or a DICOMDIR.",
            show_default=False,
        ),
    ] = None,
    slices: Annotated[
        str,
        typer.Option(
            metavar="N|all", help="Slices to make again: so many at random, or all of them."
        ),
    ] = "3",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON, for scripts.")
    ] = False,
) -> None:
    import json
    from dataclasses import asdict

    from sidecar.checks import check_export
    from sidecar.cli.progress import watched

    with watched(quiet=False) as progress:
        findings = check_export(output, source, _count(slices), progress)
    failed = sum(finding.passed is False for finding in findings)
    if as_json:
        facts = {"passed": not failed, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(map(_line, findings)))
    if failed:
        typer.echo(f"sidecar: {failed} of {len(findings)} checks failed", err=True)
        raise typer.Exit(1)


def _count(slices: str) -> int | None:
    from sidecar.errors import UsageError

    if slices == "all":
        return None
    if not slices.isdecimal() or int(slices) < 1:
        raise UsageError(f"--slices {slices}: a number such as 3, or all")
    return int(slices)


def _line(finding: Finding) -> str:
    word = {True: "ok", False: "FAILED", None: "–"}[finding.passed]
    return f"{word:<8}{finding.check:<16}{as_told(finding.detail)}"
