"""`sidecar measure`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat as again
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import Observers, OutputFile
from sidecar.errors import counted

if TYPE_CHECKING:
    from sidecar.morphometrics.measured import Kind, Measured
    from sidecar.morphometrics.repeats import Repeats

NAME = "measure"
HELP = """Measure distances, path lengths, angles and areas of mapped points; with --repeat, the
error of labelling.

MAPPED is a CSV of map-points. Lengths are in mm. Each value has an uncertainty: the most that
decimation can have changed it. Without options the command measures the distance between every two
named points, the length of every line, and the area of every polygon. Each specimen (column
specimen) is measured separately. The result is a CSV on stdout or in -o FILE.

With --repeat, give one file of map-points for each labelling session of the same scan. For every
landmark the table has the root mean square and the largest distance from its mean, the error within
and between observers, and the error after superimposing the sessions."""
EXAMPLES = """\
sidecar measure mapped.csv --distance 'left eye,right eye'
sidecar measure mapped.csv --angle 'tip,base,apex'
sidecar measure --repeat first.csv second.csv --observer anna -o errors.csv"""

_COLUMNS = ("specimen", "measure", "of", "value", "uncertainty", "unit")


def run(
    mapped: Annotated[
        list[Path],
        typer.Argument(metavar="MAPPED...", help="CSV of map-points; several with --repeat."),
    ],
    distance: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Distance between two named points; may be repeated."),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,C…", help="Length of a path through named points; may be repeated."
        ),
    ] = None,
    angle: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,C", help="Angle at B between A and C; may be repeated."),
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,C…", help="Area of a flat polygon of named points; may be repeated."
        ),
    ] = None,
    repeat: Annotated[
        bool,
        typer.Option("--repeat", help="The error of landmarks that were labelled several times."),
    ] = False,
    observer: Observers = None,
    output: OutputFile = None,
) -> None:
    from sidecar.errors import UsageError

    asked: dict[Kind, list[list[str]]] = {
        "distance": _names(distance),
        "path": _names(path),
        "angle": _names(angle),
        "area": _names(area),
    }
    if repeat:
        if any(asked.values()):
            raise UsageError(
                "--repeat does not go with --distance, --path, --angle and --area; leave these out"
            )
        columns = _repeated(mapped, observer or [])
    elif observer:
        raise UsageError("--observer goes only with --repeat")
    elif len(mapped) > 1:
        raise UsageError(
            f"there are {len(mapped)} files; measure each separately, or, if they are sessions on"
            " one scan, add --repeat"
        )
    else:
        columns = _measured(mapped[0], asked)
    _deliver(columns, output, mapped)


def _measured(
    mapped: Path, asked: Mapping[Kind, Sequence[Sequence[str]]]
) -> dict[str, Sequence[str]]:
    from collections import Counter

    from sidecar.cli.labels import tell
    from sidecar.labels.mapped_file import read_points
    from sidecar.morphometrics.measured import measure_table, why_nothing

    table = read_points(mapped)
    found = measure_table(table, asked)
    counts = Counter(one.specimen for one in found)
    for specimen, points in table.by_specimen().items():
        notes = [] if counts[specimen] else [why_nothing(points)]
        tell(f"{specimen or mapped.name}: {counted(counts[specimen], 'measurement')}", notes)
    rows = [_cells(one) for one in found]
    columns: dict[str, Sequence[str]] = dict(
        zip(_COLUMNS, zip(*rows, strict=True) if rows else again(()), strict=False)
    )
    if not any(table.specimens):
        del columns["specimen"]
    return columns


def _repeated(mapped: Sequence[Path], observers: Sequence[str]) -> dict[str, Sequence[str]]:
    from sidecar.morphometrics.repeats import columns_of, repeats_of
    from sidecar.morphometrics.sessions import read_sessions

    repeats = repeats_of(read_sessions(mapped, observers))
    tell_repeats(repeats)
    return columns_of(repeats)


def tell_repeats(repeats: Repeats) -> None:
    """Print on stderr the errors of all landmarks together, and notes on what is unknown."""
    from sidecar.cli.labels import tell

    who = len({one for one in repeats.observers if one})
    by = f" by {counted(who, 'observer')}" if who else ""
    errors = {
        "": repeats.rms_mm,
        "intra-observer ": repeats.intra_observer_mm,
        "inter-observer ": repeats.inter_observer_mm,
        "after superimposition ": repeats.procrustes_mm,
    }
    told = ", ".join(f"{name}{mm:.4g} mm" for name, mm in errors.items() if mm is not None)
    tell(
        f"{counted(len(repeats.landmarks), 'landmark')} in {len(repeats.sessions)} sessions{by};"
        f" root mean square error: {told or 'not known'}",
        repeats.notes,
    )


def _deliver(
    columns: Mapping[str, Sequence[str]], output: Path | None, inputs: Sequence[Path]
) -> None:
    from sidecar.cli.writing import deliver_columns
    from sidecar.errors import LabelError
    from sidecar.labels.unfit_texts import refuse_unfit_texts

    refuse_unfit_texts(columns, lambda row, message: LabelError(message))
    deliver_columns([columns], output, inputs=inputs)


def _names(texts: list[str] | None) -> list[list[str]]:
    return [[name.strip() for name in text.split(",")] for text in texts or ()]


def _cells(found: Measured) -> tuple[str, ...]:
    from sidecar.labels.tables.number_texts import shortest

    numbers = shortest(found.value), shortest(found.uncertainty)
    return (found.specimen, found.kind, " – ".join(found.of), *numbers, found.unit)
