"""`sidecar check`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.source_options import place
from sidecar.cli.telling import as_told
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.checks import Finding

NAME = "check"
HELP = """Check that an export still agrees with its sidecar.json, and with --source also with its
DICOM files.

The document is checked against its schema and for contradictions. Every PNG is checked by its
digest, size and text. With --source the headers are read again, and a few slices are made again and
compared pixel by pixel; each run picks other slices. The command prints one line for each check.
The exit code is 1 if any check fails."""
EXAMPLES = """\
sidecar check png/
sidecar check png/ --source scan/ --slices all"""


def run(
    output: Annotated[
        WritableLocation,
        typer.Argument(
            metavar="OUTPUT",
            help="Folder of an export, or its sidecar.json; or its URL.",
            parser=place,
        ),
    ],
    source: Annotated[
        WritableLocation | None,
        typer.Option(
            metavar="DICOM",
            help="The scan: a folder, a zip, a file or a DICOMDIR; or its URL.",
            parser=place,
            show_default=False,
        ),
    ] = None,
    slices: Annotated[
        str,
        typer.Option(
            metavar="N|all", help="How many slices to make again, at random; or all of them."
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
        raise UsageError(f"--slices {slices}: give a number such as 3, or all")
    return int(slices)


def _line(finding: Finding) -> str:
    word = {True: "ok", False: "FAILED", None: "–"}[finding.passed]
    return f"{word:<8}{finding.check:<16}{as_told(finding.detail)}"
