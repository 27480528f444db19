"""`sidecar align`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.options import OutputFile
from sidecar.cli.telling import tell

if TYPE_CHECKING:
    from sidecar.morphometrics.align import Fit

NAME = "align"
HELP = """Move mapped points into an anatomical frame made of three or more named landmarks, or onto
the landmarks of another specimen.

MAPPED is a CSV of map-points, of one specimen. The result is that CSV with columns x_aligned,
y_aligned, z_aligned (mm), on stdout or in -o FILE; the matrix and what is left of each landmark go
to stderr. A mirror image is never taken: where one would fit much better, that is an error."""
EXAMPLES = """\
sidecar align b.csv --onto a.csv -o b_on_a.csv
sidecar align a.csv --frame 'nasion;inion;left ear,right ear'"""


def run(
    mapped: Annotated[Path, typer.Argument(metavar="MAPPED", help="CSV of map-points.")],
    onto: Annotated[
        Path | None,
        typer.Option(
            metavar="FIXED", help="CSV of map-points of the specimen to fit to, by common names."
        ),
    ] = None,
    similarity: Annotated[
        bool,
        typer.Option(
            "--similarity", help="With --onto: let one scale for all directions vary too."
        ),
    ] = False,
    frame: Annotated[
        str | None,
        typer.Option(
            metavar="ORIGIN;AXIS;PLANE",
            help=(
                "Landmarks for 0, for the x axis, and beside it; several by commas mean their"
                " middle."
            ),
        ),
    ] = None,
    output: OutputFile = None,
) -> None:
    import numpy as np

    from sidecar.cli.labels import tell
    from sidecar.cli.writing import deliver_columns
    from sidecar.errors import UsageError
    from sidecar.labels.mapped_file import read_points
    from sidecar.labels.writers.csv_points import numbers
    from sidecar.morphometrics.align import anatomical_frame, fit_rigid, fit_similarity

    if (onto is None) == (frame is None):
        raise UsageError("give one of --onto FIXED and --frame ORIGIN;AXIS;PLANE")
    if similarity and onto is None:
        raise UsageError("--similarity goes with --onto")
    table = read_points(mapped)
    name = table.only_specimen("align")
    if onto is not None:
        fixed = read_points(onto)
        tell(f"{name} onto {fixed.only_specimen('align')}:", ())
        fit = (fit_similarity if similarity else fit_rigid)(table.positions(), fixed.positions())
        _tell(fit)
        matrix = fit.matrix
    else:
        tell(f"{name} in its own frame:", ())
        matrix = anatomical_frame(table.positions(), *_three_places(frame or ""))
    space = "mm along columns, rows and slices" if table.is_given else "patient mm (LPS)"
    typer.echo(f"matrix, from {space}:", err=True)
    for row in matrix:
        typer.echo("  " + "  ".join(f"{value: .9g}" for value in row), err=True)
    moved = np.asarray(table.mm) @ matrix[:3, :3].T + matrix[:3, 3]
    added = {f"{axis}_aligned": numbers(moved[:, i]) for i, axis in enumerate("xyz")}
    deliver_columns(
        {**table.table.columns, **added}, output, inputs=[path for path in (mapped, onto) if path]
    )


def _three_places(frame: str) -> list[list[str]]:
    from sidecar.errors import UsageError

    places = [
        [name.strip() for name in place.split(",") if name.strip()] for place in frame.split(";")
    ]
    if len(places) != 3 or not all(places):
        raise UsageError(
            "--frame: three places are expected, such as 'nasion;inion;left ear,right ear'"
        )
    return places


def _tell(fit: Fit) -> None:
    for name, left in fit.residual_mm.items():
        tell(f"  {name}: {left:.4g} mm left")
    scale = "" if fit.scale == 1 else f", scale {fit.scale:.6g}"
    typer.echo(
        f"{len(fit.residual_mm)} landmarks fitted, {fit.rms_mm:.4g} mm left (rms){scale}; a mirror"
        f" image: {fit.mirrored_rms_mm:.4g} mm",
        err=True,
    )
    if fit.unmatched:
        tell(f"  note: not in both, not used: {', '.join(fit.unmatched)}")
