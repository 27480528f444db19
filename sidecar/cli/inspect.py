"""`sidecar inspect`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.telling import as_told, tell
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.exporting.inspect import Found, Inspection

NAME = "inspect"
HELP = (
    "Show every stack of slices found in a DICOM source, and what an export would write. Reads"
    " headers only."
)
EXAMPLES = "Example: sidecar inspect scan/     Example: sidecar inspect scan/DICOMDIR --json"


def run(
    source: Annotated[
        WritableLocation,
        typer.Argument(
            metavar="SOURCE",
            help=(
                "A folder (searched recursively, links followed), a zip, one file, or a DICOMDIR;"
                " or its URL."
            ),
            parser=locate,
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as JSON, for scripts.")
    ] = False,
) -> None:
    import json
    import sys

    from sidecar.cli.progress import watched
    from sidecar.cli.writing import to_stdout
    from sidecar.errors import SourceError
    from sidecar.exporting.inspect import inspect

    with watched(quiet=False) as progress:
        inspection = inspect(source, progress)
    if as_json:
        to_stdout((json.dumps(inspection.facts(), indent=1, ensure_ascii=False) + "\n").encode())
    else:
        to_stdout(
            "".join(f"{as_told(line)}\n" for line in table(inspection)).encode(
                sys.stdout.encoding, "replace"
            )
        )
    for line in unusable(inspection):
        tell(f"sidecar: {line}")
    if not inspection.found:
        name = source.name or "this folder"
        raise SourceError(
            f"none of the DICOM images in {name} can be used"
            if inspection.damaged
            else f"no DICOM images found in {name}"
        )


def table(inspection: Inspection) -> list[str]:
    """Every stack in a few lines, and what else was met."""
    from sidecar.errors import named

    lines = [line for found in inspection.found for line in describe(found)]
    others = [
        f"{len(names)} × {kind} ({named(names)})"
        for kind, names in sorted(inspection.passed_by.items())
    ]
    return lines + [f"Passed by: {', '.join(others)}"] * bool(others)


def unusable(inspection: Inspection) -> list[str]:
    """The files that cannot be used, once for each reason."""
    from sidecar.errors import named

    files: dict[str, list[str]] = {}
    for one in inspection.damaged:
        files.setdefault(one.reason, []).append(one.file)
    return [f"{named(names)} cannot be used: {reason}" for reason, names in files.items()]


def describe(found: Found) -> list[str]:
    """The lines that describe one stack."""
    from sidecar.errors import printable
    from sidecar.exporting.describe import describe_plan

    facts = found.facts()
    title = " · ".join(filter(None, [facts["modality"], printable(facts["description"])]))
    number = "" if facts["series_number"] is None else f", series {facts['series_number']}"
    lines = [
        f"[{facts['number']}] {title}{number}",
        f"    series     {facts['series_instance_uid']}",
        f"    in         {facts['place']}",
        *(f"    apart      {text}" for text in facts["split"]),
    ]
    columns, rows, slices = facts["size"]
    lines.append(
        f"    size       {columns} columns × {rows} rows × {slices} slices, "
        f"{facts['bits_stored']} bits {facts['photometric_interpretation']}"
    )
    if facts["spacing"] is None:
        lines.append("    geometry   none: pixel units")
    else:
        x, y, z = facts["spacing"]
        lines.append(
            f"    spacing    {x:.6g} × {y:.6g} × {'–' if z is None else format(z, '.6g')} mm"
        )
        lines.append(
            f"    direction  columns to {facts['directions'][0]}, rows to {facts['directions'][1]},"
            f" slices to {facts['directions'][2]}"
        )
    if facts["slice_gaps"]:
        low, high = facts["slice_gaps"]
        lines.append(
            f"    gaps       {low:.6g} mm"
            + (f" to {high:.6g} mm" if high - low > 1e-4 * high else "")
            + f", tilt {facts['tilt_degrees']:.2f}°"
        )
    lines.append(
        f"    encoding   {', '.join(syntax_name(uid) for uid in facts['transfer_syntaxes'])}"
    )
    if facts["problem"]:
        lines.append(f"    refused    {facts['problem']}")
    else:
        lines += [f"    note       {warning}" for warning in facts["warnings"]]
        assert found.plan is not None
        lines.append(f"    export     {describe_plan(facts['export'])}")
    return lines


def syntax_name(uid: str) -> str:
    from pydicom.uid import UID

    return UID(uid).name
