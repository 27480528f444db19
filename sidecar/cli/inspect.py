"""`sidecar inspect`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from sidecar.cli.declared import Argument, Option
from sidecar.cli.telling import as_told, tell
from sidecar.errors import counted
from sidecar.storage.locate import locate
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    from sidecar.exporting.inspect import Found, Inspection

NAME = "inspect"
HELP = (
    "Show every stack of slices found in a DICOM source, and what an export would write. Reads"
    " headers only."
)
#: Up to this many stacks are all described in full.
_FEW = 3
EXAMPLES = """\
sidecar inspect scan/
sidecar inspect scan/DICOMDIR --json"""


def run(
    source: Annotated[
        WritableLocation,
        Argument(
            metavar="SOURCE",
            help=(
                "A folder (searched recursively, links followed), a zip, one file, or a DICOMDIR;"
                " or its URL."
            ),
            parser=locate,
        ),
    ],
    as_json: Annotated[
        bool, Option("--json", help="Print the facts as JSON, for scripts.")
    ] = False,
) -> None:
    import json
    import sys

    from sidecar.cli.progress import watched
    from sidecar.cli.writing import to_stdout
    from sidecar.dicom.source import no_images_in
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
            f"{name} holds DICOM images, but none of them can be used"
            if inspection.damaged
            else no_images_in(name, inspection.passed_by)
        )


def table(inspection: Inspection) -> list[str]:
    """A few lines for each stack, and the files that were passed by.

    Where there are many stacks, a stack that is like the one above it takes one line.
    """
    from sidecar.dicom.stacks.series import ways_to_choose
    from sidecar.errors import named

    lines, above = list[str](), None
    for found in inspection.found:
        if above and len(inspection.found) > _FEW and _alike(found, above):
            lines.append(_as_above(found, above))
        else:
            lines += describe(found)
            above = found
    if len(inspection.found) > 1:
        ways = ways_to_choose([found.series for found in inspection.found])
        lines.append(f"{len(inspection.found)} stacks: {ways}")
    others = [
        f"{len(names)} × {kind} ({named(names)})"
        for kind, names in sorted(inspection.passed_by.items())
    ]
    return lines + [f"Skipped: {', '.join(others)}"] * bool(others)


def unusable(inspection: Inspection) -> list[str]:
    """The files that cannot be used, one line for each reason."""
    from sidecar.errors import named

    files: dict[str, list[str]] = {}
    for one in inspection.damaged:
        files.setdefault(one.reason, []).append(one.file)
    return [f"{named(names)} cannot be used: {reason}" for reason, names in files.items()]


def describe(found: Found) -> list[str]:
    """The lines that describe one stack."""
    facts = found.facts()
    return [
        f"[{facts['number']}] {_title(found)}{_series_number(found)}",
        f"    series     {facts['series_instance_uid']}",
        f"    in         {facts['place']}",
        *(f"    apart      {text}" for text in facts["split"]),
        *_what(found),
    ]


def _alike(one: Found, other: Found) -> bool:
    return (_title(one), _what(one)) == (_title(other), _what(other))


def _as_above(found: Found, above: Found) -> str:
    """The line of a stack that differs from the one above only in its files and in its split."""
    series = found.series
    where = "; ".join([series.place, *map(str, series.split)])
    return f"[{series.number}] like [{above.series.number}]{_series_number(found)}: {where}"


def _title(found: Found) -> str:
    from sidecar.errors import printable

    common = found.series.common
    return " · ".join(filter(None, [common.modality, printable(common.description)]))


def _series_number(found: Found) -> str:
    number = found.series.common.series_number
    return "" if number is None else f", series {number}"


def _what(found: Found) -> list[str]:
    """The lines that say what a stack is and what an export would write, without its location."""
    from sidecar.dicom.transfer_syntaxes import name_of
    from sidecar.exporting.describe import describe_plan

    facts = found.facts()
    columns, rows, slices = facts["size"]
    lines = [
        f"    size       {columns} columns × {rows} rows × {counted(slices, 'slice')},"
        f" {facts['bits_stored']} bits {facts['photometric_interpretation']}"
    ]
    if facts["spacing"] is None:
        lines.append("    geometry   none: pixel units")
    else:
        x, y, z = facts["spacing"]
        lines.append(
            f"    spacing    {x:.7g} × {y:.7g} × {'–' if z is None else format(z, '.7g')} mm"
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
    lines.append(f"    encoding   {', '.join(map(name_of, facts['transfer_syntaxes']))}")
    if facts["problem"]:
        lines.append(f"    refused    {facts['problem']}")
    else:
        lines += [f"    note       {warning}" for warning in facts["warnings"]]
        assert found.plan is not None
        lines.append(f"    export     {describe_plan(facts['export'])}")
    return lines
